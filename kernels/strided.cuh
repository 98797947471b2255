// Elementwise over operands of any strides, broadcast ones (stride 0) among them.
#pragma once

#include "flat.cuh"

constexpr int most_axes = 8;

// How operands lie: the inputs, then the outputs. The last axis varies fastest.
template <class Index, int Arrays>
struct Axes {
    Index extent[most_axes];
    Index stride[Arrays][most_axes];  // in elements
};

template <class Index, int Arrays>
struct Strided {
    Axes<Index, Arrays> axes;
    Index size;
    int rank;
    unsigned adds;
};

__device__ __forceinline__ int quotient(int a, int b) {
    return static_cast<int>(static_cast<unsigned>(a) / static_cast<unsigned>(b));
}

__device__ __forceinline__ long long quotient(long long a, long long b) {
    return static_cast<long long>(static_cast<unsigned long long>(a) / static_cast<unsigned long long>(b));
}

// Add to each operand's offset that of place number `at` within the axes from `begin` to `end`.
template <class Index, int Arrays>
__device__ __forceinline__ void locate(const Axes<Index, Arrays>& axes, int begin, int end, Index at,
                                       Index (&offset)[Arrays]) {
    for (int axis = end - 1; axis > begin; --axis) {
        const Index next = quotient(at, axes.extent[axis]), place = at - next * axes.extent[axis];
#pragma unroll
        for (int k = 0; k < Arrays; ++k) offset[k] += place * axes.stride[k][axis];
        at = next;
    }
    if (begin < end) {
#pragma unroll
        for (int k = 0; k < Arrays; ++k) offset[k] += at * axes.stride[k][begin];
    }
}

template <class T, class Index, int I, int O, class Rule>
__device__ __forceinline__ void each_strided(const T* const (&in)[I], T* const (&out)[O],
                                             const Strided<Index, I + O>& how, Rule rule) {
    using C = Computed<T>;
    const Index step = static_cast<Index>(gridDim.x) * blockDim.x;
    for (Index e = static_cast<Index>(blockIdx.x) * blockDim.x + threadIdx.x; e < how.size; e += step) {
        Index offset[I + O] = {};
        locate(how.axes, 0, how.rank, e, offset);
        C a[I], b[O];
#pragma unroll
        for (int i = 0; i < I; ++i) a[i] = widen(in[i][offset[i]]);
        rule(a, b);
#pragma unroll
        for (int o = 0; o < O; ++o)
            if (out[o]) put(out[o], offset[I + o], b[o], how.adds >> o & 1);
    }
}
