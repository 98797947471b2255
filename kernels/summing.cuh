// Elementwise where one output's operand was broadcast: its cotangent is summed in the same launch, in the same order
// each time. Blocks leave partial sums; the last to finish adds them up.
#pragma once

#include "strided.cuh"

constexpr int threads = 256;

// Where one output is summed: the others go where they always do, and its own pointer is null.
template <class T>
struct Sum {
    T* to;
    int output;         // its number; -1: nothing is summed
    bool adds;          // into what is there
    Computed<T>* parts; // one for each chunk and kept place
    unsigned* tickets;  // how many chunks of a tile are done: zero before, and zero after
};

// The sum over the `threads / across` rows of a block, in the first `across` threads.
template <class C>
__device__ __forceinline__ C over_rows(C mine, int cell, int across) {
    __shared__ C sums[threads];
    __syncthreads();
    sums[cell] = mine;
    __syncthreads();
    for (int half_way = threads / 2; half_way >= across; half_way /= 2) {
        if (threadIdx.x < half_way) sums[threadIdx.x] += sums[threadIdx.x + half_way];
        __syncthreads();
    }
    return sums[threadIdx.x];
}

// Whether all other chunks of a tile are done.
__device__ __forceinline__ bool is_last(unsigned* ticket, unsigned chunks) {
    __shared__ bool last;
    __threadfence();
    __syncthreads();
    if (threadIdx.x == 0) last = atomicInc(ticket, chunks - 1) == chunks - 1;
    __syncthreads();
    __threadfence();
    return last;
}

// A tile is `across` kept places side by side, of `kept` in all; a chunk is one block's share of their sums. A thread has
// summed the kept place `cell % across` of its tile.
template <class Index>
struct Chunk {
    Index tile, kept;
    unsigned number, count;  // of the chunks of this tile
    int cell, across;

    // The kept place that this thread writes, if it is one of the first `across`.
    __device__ __forceinline__ Index place() const { return tile * across + threadIdx.x; }
    __device__ __forceinline__ bool writes() const { return threadIdx.x < across && place() < kept; }
};

// Leave the sums over this chunk for whoever finishes last.
template <class C, class Index>
__device__ __forceinline__ void leave(C total, C* parts, const Chunk<Index>& chunk) {
    if (chunk.writes()) parts[chunk.number * chunk.kept + chunk.place()] = total;
}

// The sums over all chunks.
template <class C, class Index>
__device__ __forceinline__ C gathered(const volatile C* parts, const Chunk<Index>& chunk) {
    // volatile: others wrote them, so they must not come from this multiprocessor's cache
    const Index mine = chunk.tile * chunk.across + chunk.cell % chunk.across;
    C total = 0;
    if (mine < chunk.kept)
        for (Index c = chunk.cell / chunk.across; c < chunk.count; c += threads / chunk.across)
            total += parts[c * chunk.kept + mine];
    return over_rows(total, chunk.cell, chunk.across);
}

// The sum of a kept place over all chunks, and whether this thread has to write it.
template <class T, class Index>
__device__ __forceinline__ bool over_chunks(Computed<T>& total, const Sum<T>& sum, const Chunk<Index>& chunk) {
    total = over_rows(total, chunk.cell, chunk.across);
    if (chunk.count == 1) return chunk.writes();
    leave(total, sum.parts, chunk);
    if (!is_last(sum.tickets + chunk.tile, chunk.count)) return false;
    total = gathered<Computed<T>>(sum.parts, chunk);
    return chunk.writes();
}

template <class T, class Index, int I, int O, class Rule>
__device__ __forceinline__ void each_flat_summing(const T* const (&in)[I], T* const (&out)[O], const Flat<Index>& how,
                                                  Rule rule, const Sum<T>& sum) {
    Computed<T> total = 0;
    each_flat<T>(in, out, how, rule, sum.output, total);
    if (sum.output < 0) return;
    const Chunk<Index> chunk = {0, 1, blockIdx.x, gridDim.x, static_cast<int>(threadIdx.x), 1};
    if (over_chunks<T, Index>(total, sum, chunk))
        put(sum.to, Index(0), total, sum.adds);
}

// How operands lie: the inputs, the outputs, then the sum. The kept axes come first, then those summed over.
template <class Index, int Arrays>
struct Summing {
    Axes<Index, Arrays> axes;
    Index kept, reduced;  // how many places they have
    int kept_rank, rank;
    int across;  // kept places that a block has side by side
    int along;   // whether neighbouring threads are neighbours along the sum, or across it
    unsigned adds;
};

template <class T, class Index, int I, int O, class Rule>
__device__ __forceinline__ void each_summing(const T* const (&in)[I], T* const (&out)[O],
                                             const Summing<Index, I + O + 1>& how, Rule rule, const Sum<T>& sum) {
    using C = Computed<T>;
    constexpr int arrays = I + O + 1;
    const int rows = threads / how.across, thread = threadIdx.x;
    const int row = how.along ? thread % rows : thread / how.across;
    const int column = how.along ? thread / rows : thread % how.across;
    const Index tiles = quotient(how.kept + how.across - 1, static_cast<Index>(how.across));
    for (Index tile = blockIdx.x; tile < tiles; tile += gridDim.x) {
        const Index k = tile * how.across + column;
        Index start[arrays] = {};
        locate(how.axes, 0, how.kept_rank, k, start);
        C total = 0;
        const Index step = static_cast<Index>(gridDim.y) * rows;
        for (Index r = static_cast<Index>(blockIdx.y) * rows + row; k < how.kept && r < how.reduced; r += step) {
            Index offset[arrays];
#pragma unroll
            for (int n = 0; n < arrays; ++n) offset[n] = start[n];
            locate(how.axes, how.kept_rank, how.rank, r, offset);
            C a[I], b[O];
#pragma unroll
            for (int i = 0; i < I; ++i) a[i] = widen(in[i][offset[i]]);
            rule(a, b);
#pragma unroll
            for (int o = 0; o < O; ++o) {
                total += o == sum.output ? b[o] : C(0);
                if (out[o]) put(out[o], offset[I + o], b[o], how.adds >> o & 1);
            }
        }
        const Chunk<Index> chunk = {tile, how.kept, blockIdx.y, gridDim.y, row * how.across + column, how.across};
        if (!over_chunks<T, Index>(total, sum, chunk)) continue;
        Index place[arrays] = {};
        locate(how.axes, 0, how.kept_rank, chunk.place(), place);
        put(sum.to, place[arrays - 1], total, sum.adds);
    }
}
