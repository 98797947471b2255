// The kernels of a vjp that reads ct and one array more, y or x, and has no parameters.
#pragma once

#include "strided.cuh"

#define GRADKIT_UNARY(vjp) \
    template <class T, class Index> \
    __global__ void __launch_bounds__(256, 3) gradkit_##vjp(const T* ct, const T* from, T* x_ct, Flat<Index> how) { \
        each_flat<T>({ct, from}, {x_ct}, how, vjp<T>{}); \
    } \
    template <class T, class Index> \
    __global__ void __launch_bounds__(256, 3) \
        gradkit_##vjp##_strided(const T* ct, const T* from, T* x_ct, Strided<Index, 3> how) { \
        each_strided<T>({ct, from}, {x_ct}, how, vjp<T>{}); \
    }
