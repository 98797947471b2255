// The same update of many tensors in one launch: each block takes a chunk of one of them.
#pragma once

#include "vector.cuh"

constexpr int most_tensors = 64;  // so that the table fits in a kernel's arguments, which may have 4096 bytes
constexpr int chunk = 4096;       // elements

template <int Arrays>
struct Tensors {
    void* at[most_tensors][Arrays];  // null: this method has no such state
    long long size[most_tensors];
    int first_block[most_tensors];
    int count;
};

// rule(x) changes the elements of all arrays at one place: the parameter, its gradient (which is not written back), then
// the state.
template <class T, int A, class Rule>
__device__ __forceinline__ void each_tensor(const Tensors<A>& tensors, Rule rule) {
    using C = Computed<T>;
    constexpr int N = lanes<T>, gradient = 1;
    const int block = blockIdx.x;
    int mine = 0;
    for (int end = tensors.count; end - mine > 1;) {
        const int middle = (mine + end) / 2;
        if (tensors.first_block[middle] <= block)
            mine = middle;
        else
            end = middle;
    }
    const long long begin = static_cast<long long>(block - tensors.first_block[mine]) * chunk;
    const long long left = tensors.size[mine] - begin;
    const int count = left < chunk ? static_cast<int>(left) : chunk;
    T* at[A];
    bool aligned = true;
#pragma unroll
    for (int a = 0; a < A; ++a) {
        T* const start = static_cast<T*>(tensors.at[mine][a]);
        aligned = aligned && reinterpret_cast<unsigned long long>(start) % 16 == 0;
        at[a] = start ? start + begin : nullptr;
    }
    const int vectors = aligned ? count / N : 0;
#pragma unroll 1
    for (int v = threadIdx.x; v < vectors; v += blockDim.x) {
        Vector<T> x[A];
#pragma unroll
        for (int a = 0; a < A; ++a)
            if (at[a]) x[a] = load(at[a] + v * N);
#pragma unroll
        for (int n = 0; n < N; ++n) {
            C y[A];
#pragma unroll
            for (int a = 0; a < A; ++a) y[a] = at[a] ? widen(x[a].at[n]) : C(0);
            rule(y);
#pragma unroll
            for (int a = 0; a < A; ++a) x[a].at[n] = narrow<T>(y[a]);
        }
#pragma unroll
        for (int a = 0; a < A; ++a)
            if (at[a] && a != gradient) store(at[a] + v * N, x[a]);
    }
    for (int i = vectors * N + threadIdx.x; i < count; i += blockDim.x) {
        C y[A];
#pragma unroll
        for (int a = 0; a < A; ++a) y[a] = at[a] ? widen(at[a][i]) : C(0);
        rule(y);
#pragma unroll
        for (int a = 0; a < A; ++a)
            if (at[a] && a != gradient) at[a][i] = narrow<T>(y[a]);
    }
}

#define GRADKIT_STEP(step, arrays, Numbers) \
    template <class T> \
    __global__ void __launch_bounds__(256, 2) gradkit_##step(Tensors<arrays> tensors, Numbers by) { \
        each_tensor<T>(tensors, step<T>{by}); \
    }
