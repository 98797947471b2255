// Elementwise over memory in one piece: every operand is contiguous, or one element that stands for all.
#pragma once

#include "vector.cuh"

template <class Index>
struct Flat {
    Index size;
    Index head;       // elements before the first whose address is a multiple of 16 bytes, in every operand alike
    unsigned single;  // a bit for each input that is one element
    unsigned adds;    // a bit for each output that is added into what is there
};

// How many vectors of each operand a thread asks for before it waits: left to itself, the compiler takes more than it has
// registers for.
template <class T>
constexpr int deep = sizeof(T) == 8 ? 1 : 2;

template <class T, class Index>
__device__ __forceinline__ void put(T* out, Index at, Computed<T> value, bool adds) {
    out[at] = narrow<T>(adds ? widen(out[at]) + value : value);
}

// rule(in, out) turns the elements of all inputs into those of all outputs; a null output is not written. What the rule
// gives for output number `summed`, if any, is added to `total`.
template <class T, class Index, int I, int O, class Rule>
__device__ __forceinline__ void each_flat(const T* const (&in)[I], T* const (&out)[O], const Flat<Index>& how,
                                          Rule rule, int summed, Computed<T>& total) {
    using C = Computed<T>;
    constexpr int N = lanes<T>;
    const Index step = static_cast<Index>(gridDim.x) * blockDim.x;
    const Index first = static_cast<Index>(blockIdx.x) * blockDim.x + threadIdx.x;
    const Index vectors = (how.size - how.head) / N;
    T alone[I];
#pragma unroll
    for (int i = 0; i < I; ++i)
        if (how.single >> i & 1) alone[i] = *in[i];

#pragma unroll (deep<T>)
    for (Index v = first; v < vectors; v += step) {
        const Index at = how.head + v * N;
        Vector<T> x[I], y[O];
#pragma unroll
        for (int i = 0; i < I; ++i) {
            if (how.single >> i & 1) {
#pragma unroll
                for (int n = 0; n < N; ++n) x[i].at[n] = alone[i];
            } else {
                x[i] = load(in[i] + at);
            }
        }
#pragma unroll
        for (int o = 0; o < O; ++o)
            if (how.adds >> o & 1) y[o] = load(out[o] + at);
#pragma unroll
        for (int n = 0; n < N; ++n) {
            C a[I], b[O];
#pragma unroll
            for (int i = 0; i < I; ++i) a[i] = widen(x[i].at[n]);
            rule(a, b);
#pragma unroll
            for (int o = 0; o < O; ++o) {
                total += o == summed ? b[o] : C(0);
                y[o].at[n] = narrow<T>(how.adds >> o & 1 ? widen(y[o].at[n]) + b[o] : b[o]);
            }
        }
#pragma unroll
        for (int o = 0; o < O; ++o)
            if (out[o]) store(out[o] + at, y[o]);
    }

    const Index rest = how.size - vectors * N;  // before the first vector and behind the last
    for (Index r = first; r < rest; r += step) {
        const Index at = r < how.head ? r : vectors * N + r;
        C a[I], b[O];
#pragma unroll
        for (int i = 0; i < I; ++i) a[i] = widen(how.single >> i & 1 ? alone[i] : in[i][at]);
        rule(a, b);
#pragma unroll
        for (int o = 0; o < O; ++o) {
            total += o == summed ? b[o] : C(0);
            if (out[o]) put(out[o], at, b[o], how.adds >> o & 1);
        }
    }
}

template <class T, class Index, int I, int O, class Rule>
__device__ __forceinline__ void each_flat(const T* const (&in)[I], T* const (&out)[O], const Flat<Index>& how,
                                          Rule rule) {
    Computed<T> total = 0;
    each_flat<T>(in, out, how, rule, -1, total);
}
