// Programs on rows, which lie one after another: a block has several, each shared by `width` threads.
#pragma once

#include "vector.cuh"

constexpr int row_threads = 256;

struct Rows {
    long long count;
    int length;
    int width;  // threads for each row, a power of two
};

template <class T>
__device__ __forceinline__ bool is_aligned(const T* at) {
    return reinterpret_cast<unsigned long long>(at) % 16 == 0;
}

// rule(in, out, column) on every element of a row, for the threads that share it; a null output is not written.
template <class T, int I, int O, class Rule>
__device__ __forceinline__ void along_row(const T* const (&in)[I], T* const (&out)[O], const Rows& rows, Rule rule) {
    using C = Computed<T>;
    constexpr int N = lanes<T>;
    const int lane = threadIdx.x % rows.width;
    bool wide = true;
#pragma unroll
    for (int i = 0; i < I; ++i) wide = wide && is_aligned(in[i]);
#pragma unroll
    for (int o = 0; o < O; ++o) wide = wide && is_aligned(out[o]);
    const int vectors = wide ? rows.length / N : 0;
#pragma unroll 1
    for (int v = lane; v < vectors; v += rows.width) {
        Vector<T> x[I], y[O];
#pragma unroll
        for (int i = 0; i < I; ++i) x[i] = load(in[i] + v * N);
#pragma unroll
        for (int n = 0; n < N; ++n) {
            C a[I], b[O];
#pragma unroll
            for (int i = 0; i < I; ++i) a[i] = widen(x[i].at[n]);
            rule(a, b, v * N + n);
#pragma unroll
            for (int o = 0; o < O; ++o) y[o].at[n] = narrow<T>(b[o]);
        }
#pragma unroll
        for (int o = 0; o < O; ++o)
            if (out[o]) store(out[o] + v * N, y[o]);
    }
#pragma unroll 1
    for (int j = vectors * N + lane; j < rows.length; j += rows.width) {
        C a[I], b[O];
#pragma unroll
        for (int i = 0; i < I; ++i) a[i] = widen(in[i][j]);
        rule(a, b, j);
#pragma unroll
        for (int o = 0; o < O; ++o)
            if (out[o]) out[o][j] = narrow<T>(b[o]);
    }
}

// What the threads of a row make of their shares together, by merge(a, b), for each of them. All threads of the block
// have to come here.
template <class V, class Merge>
__device__ __forceinline__ V over_row(const V& mine, const Rows& rows, Merge merge) {
    __shared__ V shares[row_threads];
    const int thread = threadIdx.x, lane = thread % rows.width;
    __syncthreads();
    shares[thread] = mine;
    __syncthreads();
    for (int half_way = rows.width / 2; half_way > 0; half_way /= 2) {
        if (lane < half_way) shares[thread] = merge(shares[thread], shares[thread + half_way]);
        __syncthreads();
    }
    return shares[thread - lane];
}

template <class C>
__device__ __forceinline__ C sum_over_row(C mine, const Rows& rows) {
    return over_row(mine, rows, [](C a, C b) { return a + b; });
}

// body(row) for each row of this block, with all its threads; `row` may lie past the last one, and then has no elements.
template <class Body>
__device__ __forceinline__ void each_row(const Rows& rows, Body body) {
    const int together = row_threads / rows.width, group = threadIdx.x / rows.width;
    for (long long first = static_cast<long long>(blockIdx.x) * together; first < rows.count;
         first += static_cast<long long>(gridDim.x) * together) {
        const long long row = first + group;
        Rows these = rows;
        these.length = row < rows.count ? rows.length : 0;
        body(row < rows.count ? row : 0, these);
    }
}
