// Reductions over all axes but that of channels, of arrays that lie as (batch, channels, inner).
#pragma once

#include "summing.cuh"

struct Channels {
    long long count;  // elements of a channel: batch * inner
    int channels, inner;
    int across;  // channels that a block has side by side: several where inner is 1, so that neighbours read neighbours
    int wide;    // whether each (batch, channel) begins and ends at a multiple of 16 bytes

    __device__ __forceinline__ int mine() const { return blockIdx.x * across + threadIdx.x % across; }
};

// body(offset) for this thread's share of its channel, N elements at a time.
template <int N, class Body>
__device__ __forceinline__ void each_of_channel(const Channels& how, Body body) {
    const int rows = threads / how.across, channel = how.mine(), inner = how.inner;
    if (channel >= how.channels) return;
    const long long step = static_cast<long long>(gridDim.y) * rows * N;
#pragma unroll 1
    for (long long r = (static_cast<long long>(blockIdx.y) * rows + threadIdx.x / how.across) * N; r < how.count; r += step) {
        const long long image = how.count < 1LL << 31 ? quotient(static_cast<int>(r), inner) : quotient(r, static_cast<long long>(inner));
        body((image * how.channels + channel) * inner + (r - image * inner));
    }
}

template <class V>
__device__ __forceinline__ V merged_over_rows(const V& mine, int across) {
    __shared__ V shares[threads];
    __syncthreads();
    shares[threadIdx.x] = mine;
    __syncthreads();
    for (int half_way = threads / 2; half_way >= across; half_way /= 2) {
        if (threadIdx.x < half_way) shares[threadIdx.x].merge(shares[threadIdx.x + half_way]);
        __syncthreads();
    }
    return shares[threadIdx.x];
}

// What all threads have of a channel, merged in the same order each time; whether this thread has to write it. `parts` is
// volatile: others wrote it, so it must not come from this multiprocessor's cache.
template <class C, class V>
__device__ __forceinline__ bool over_channel(V& mine, const Channels& how, volatile C* parts, unsigned* tickets) {
    constexpr int numbers = sizeof(V) / sizeof(C);
    const int channel = how.mine();
    const bool writes = threadIdx.x < how.across && channel < how.channels;
    mine = merged_over_rows(mine, how.across);
    if (gridDim.y == 1) return writes;
    if (writes)
#pragma unroll
        for (int k = 0; k < numbers; ++k)
            parts[(static_cast<long long>(blockIdx.y) * how.channels + channel) * numbers + k] = mine.at[k];
    if (!is_last(tickets + blockIdx.x, gridDim.y)) return false;
    mine = V();
    for (int c = threadIdx.x / how.across; c < gridDim.y && channel < how.channels; c += threads / how.across) {
        V one;
#pragma unroll
        for (int k = 0; k < numbers; ++k) one.at[k] = parts[(static_cast<long long>(c) * how.channels + channel) * numbers + k];
        mine.merge(one);
    }
    mine = merged_over_rows(mine, how.across);
    return writes;
}

// A number of values, their mean, and the sum of their squared distances from it; merged as Chan, Golub and LeVeque (1979).
template <class C>
struct Spread {
    C at[3] = {};

    __device__ __forceinline__ void merge(const Spread& other) {
        const C count = at[0] + other.at[0];
        if (other.at[0] == 0) return;
        const C away = other.at[1] - at[1], share = other.at[0] / count;
        at[1] += away * share;
        at[2] += other.at[2] + away * away * at[0] * share;
        at[0] = count;
    }
};

template <class C>
struct Sums {
    C at[3] = {};

    __device__ __forceinline__ void merge(const Sums& other) {
#pragma unroll
        for (int k = 0; k < 3; ++k) at[k] += other.at[k];
    }
};

// N elements, which are accessed together.
template <class T, int N>
struct alignas(N * sizeof(T)) Several {
    T at[N];
};

template <int N, class T>
__device__ __forceinline__ void taken(const T* from, Computed<T> (&x)[N]) {
    const auto v = *reinterpret_cast<const Several<T, N>*>(from);
#pragma unroll
    for (int n = 0; n < N; ++n) x[n] = widen(v.at[n]);
}

// Over this thread's share of a channel the sums of ct times the normalised x, of ct, and of the normalised x; x_ct, if it is
// wanted, is ct times a factor.
template <int N, class T>
__device__ __forceinline__ void sum_both(Sums<Computed<T>>& mine, const T* ct, const T* x, const Channels& how,
                                         Computed<T> mean, Computed<T> scale, T* x_ct = nullptr, Computed<T> factor = 0) {
    using C = Computed<T>;
    each_of_channel<N>(how, [&](long long at) {
        C d[N], v[N];
        taken<N>(ct + at, d);
        taken<N>(x + at, v);
        Several<T, N> y;
#pragma unroll
        for (int n = 0; n < N; ++n) {
            const C normal = (v[n] - mean) * scale;
            mine.at[0] += d[n] * normal;
            mine.at[1] += d[n];
            mine.at[2] += normal;
            y.at[n] = narrow<T>(d[n] * factor);
        }
        if (x_ct) *reinterpret_cast<Several<T, N>*>(x_ct + at) = y;
    });
}
