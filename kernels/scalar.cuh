// The element types, and what each is computed in: half and bfloat16 in float.
#pragma once

#ifdef GRADKIT_HOST
#include "host.h"  // the same names for g++: the tests run device templates on the host
#else
#include <cuda_bf16.h>
#include <cuda_fp16.h>
using bfloat16 = __nv_bfloat16;
#define GRADKIT_EITHER __host__ __device__ __forceinline__
#endif

template <class T>
struct computed {
    using type = T;
};
template <>
struct computed<half> {
    using type = float;
};
template <>
struct computed<bfloat16> {
    using type = float;
};

template <class T>
using Computed = typename computed<T>::type;

template <class T>
GRADKIT_EITHER Computed<T> widen(T x) {
    return static_cast<Computed<T>>(x);
}

template <class T>
GRADKIT_EITHER T narrow(Computed<T> x) {
    return static_cast<T>(x);
}

// Whether a type has so few digits that the fast instructions for exp2 and log2 give all of them.
template <class T>
constexpr bool is_short = sizeof(T) == 2;
