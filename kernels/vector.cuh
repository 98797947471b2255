// Sixteen bytes at a time: what one thread reads or writes with one instruction.
#pragma once

#include "scalar.cuh"

template <class T>
struct alignas(16) Vector {
    T at[16 / sizeof(T)];
};

template <class T>
constexpr int lanes = 16 / sizeof(T);

template <class T>
__device__ __forceinline__ Vector<T> load(const T* from) {
    return *reinterpret_cast<const Vector<T>*>(from);
}

template <class T>
__device__ __forceinline__ void store(T* to, const Vector<T>& x) {
    *reinterpret_cast<Vector<T>*>(to) = x;
}
