#include "radix.cuh"
#include "vector.cuh"

// Rows of `values` are summed by the place that each belongs to, in the order in which they come: the same bits each time.
struct Segments {
    long long outer, rows;  // tables, and the rows of each
    int width;              // elements of a row
    int count;              // rows of `values` for each table: sorted by place, `order` says which they are
    int length;             // of a chunk, a part of the sorted rows that is summed ahead where all have one place
    int tile;               // rows that a block has at a time, at most 256
    int wide;               // whether all rows are aligned to 16 bytes
    int adds;               // into what is there
};

// N neighbouring elements of a row.
template <class T, int N>
struct Piece {
    Computed<T> at[N] = {};

    __device__ __forceinline__ void add(const T* from) {
        if constexpr (N == 1) {
            at[0] += widen(*from);
        } else {
            const Vector<T> x = load(from);
#pragma unroll
            for (int n = 0; n < N; ++n) at[n] += widen(x.at[n]);
        }
    }

    __device__ __forceinline__ void add_all(const T* values, const int* order, int begin, int end, int width) {
#pragma unroll 4
        for (int k = begin; k < end; ++k) add(values + static_cast<long long>(order[k]) * width);
    }

    __device__ __forceinline__ void put(T* to) const {
        if constexpr (N == 1) {
            *to = narrow<T>(at[0]);
        } else {
            Vector<T> y;
#pragma unroll
            for (int n = 0; n < N; ++n) y.at[n] = narrow<T>(at[n]);
            store(to, y);
        }
    }
};

// How many of the sorted places are less than this one.
__device__ __forceinline__ int places_below(long long place, const int* sorted, int count) {
    int low = 0;
    for (int high = count; low < high;) {
        const int middle = low + (high - low) / 2;
        if (sorted[middle] < place)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

template <class T, int N>
__device__ __forceinline__ void sum_rows(const T* values, T* out, const int* order, const int* sorted,
                                         const Computed<T>* parts, const Segments& how) {
    __shared__ int begins[257];
    const int columns = how.width / N;
    const long long tiles = (how.rows + how.tile - 1) / how.tile;
    for (long long t = blockIdx.x; t < tiles * how.outer; t += gridDim.x) {
        const long long table = t / tiles, top = t % tiles * how.tile, left = how.rows - top;
        const int here = left < how.tile ? static_cast<int>(left) : how.tile;
        __syncthreads();
        for (int i = threadIdx.x; i <= here; i += blockDim.x) begins[i] = places_below(top + i, sorted, how.count);
        __syncthreads();
        for (int e = threadIdx.x; e < here * columns; e += blockDim.x) {
            const int row = e / columns, column = e % columns * N, end = begins[row + 1];
            int begin = begins[row];
            if (how.adds && begin == end) continue;
            const T* const from = values + table * how.count * how.width + column;
            Piece<T, N> total;
            const int first = (begin + how.length - 1) / how.length, last = end / how.length;
            if (parts && first < last) {
                total.add_all(from, order, begin, first * how.length, how.width);
                const long long chunk = table * (how.count / how.length) + first;
                const Computed<T>* part = parts + chunk * how.width + column;
                for (int c = first; c < last; ++c, part += how.width)
#pragma unroll
                    for (int n = 0; n < N; ++n) total.at[n] += part[n];
                begin = last * how.length;
            }
            total.add_all(from, order, begin, end, how.width);
            T* const to = out + (table * how.rows + top + row) * how.width + column;
            if (how.adds) total.add(to);
            total.put(to);
        }
    }
}

template <class T>
__global__ void __launch_bounds__(256, 2)
    gradkit_unindex_forward(const T* values, T* out, const int* order, const int* sorted, const Computed<T>* parts,
                            Segments how) {
    if (how.wide)
        sum_rows<T, lanes<T>>(values, out, order, sorted, parts, how);
    else
        sum_rows<T, 1>(values, out, order, sorted, parts, how);
}

// Before it, the sums of all chunks that have one place: so that no thread has a long segment to itself.
template <class T, int N>
__device__ __forceinline__ void sum_chunks(const T* values, const int* order, const int* sorted, Computed<T>* parts,
                                           const Segments& how) {
    const long long columns = how.width / N, chunks = how.count / how.length;
    const long long step = static_cast<long long>(gridDim.x) * blockDim.x;
    for (long long e = static_cast<long long>(blockIdx.x) * blockDim.x + threadIdx.x; e < how.outer * chunks * columns;
         e += step) {
        const long long job = e / columns, column = e % columns * N;
        const int begin = static_cast<int>(job % chunks) * how.length, end = begin + how.length;
        if (sorted[begin] != sorted[end - 1]) continue;
        Piece<T, N> total;
        total.add_all(values + job / chunks * how.count * how.width + column, order, begin, end, how.width);
#pragma unroll
        for (int n = 0; n < N; ++n) parts[job * how.width + column + n] = total.at[n];
    }
}

template <class T>
__global__ void __launch_bounds__(256, 2)
    gradkit_unindex_forward_chunks(const T* values, const int* order, const int* sorted, Computed<T>* parts, Segments how) {
    if (how.wide)
        sum_chunks<T, lanes<T>>(values, order, sorted, parts, how);
    else
        sum_chunks<T, 1>(values, order, sorted, parts, how);
}

// Sorting the places. A few, by one block, in one launch: those beyond the ends are wrapped around, as in reading; then
// eight bits in each pass, to and fro between two buffers.
__global__ void __launch_bounds__(1024, 1)
    gradkit_unindex_forward_order(const long long* places, long long rows, int count, int passes, Moved to, Moved other) {
    constexpr int warps = 32;
    __shared__ int tally[warps * digits], totals[digits];
    const int thread = threadIdx.x, warp = thread / 32, run = (count + warps - 1) / warps;
    const int begin = min(warp * run, count), end = min(begin + run, count);
    for (int i = thread; i < count; i += blockDim.x) {
        const long long left = places[i] % rows;
        other.keys[i] = static_cast<int>(left < 0 ? left + rows : left);
    }
    const int *keys = other.keys, *order = nullptr;
    __syncthreads();
    for (int shift = 0; shift < 8 * passes; shift += 8) {
        for (int i = thread; i < warps * digits; i += blockDim.x) tally[i] = 0;
        __syncthreads();
        each_entry(keys, begin, end, shift, tally + warp * digits, [](int, int, int) {});
        __syncthreads();
        if (thread < digits) {  // from counts to the places before each warp's, of this digit
            int total = 0;
            for (int i = thread; i < warps * digits; i += digits) {
                const int own = tally[i];
                tally[i] = total;
                total += own;
            }
            totals[thread] = total;
        }
        __syncthreads();
        for (int step = 1; step < digits; step *= 2) {
            const int more = thread >= step && thread < digits ? totals[thread - step] : 0;
            __syncthreads();
            if (thread < digits) totals[thread] += more;
            __syncthreads();
        }
        for (int i = thread; i < warps * digits; i += blockDim.x) tally[i] += i % digits ? totals[i % digits - 1] : 0;
        __syncthreads();
        each_entry(keys, begin, end, shift, tally + warp * digits,
                   [=](int i, int key, int place) { to.put(place, key, order ? order[i] : i); });
        __syncthreads();
        keys = to.keys;
        order = to.order;
        const Moved last = to;
        to = other;
        other = last;
    }
}

// Many: a pass is two launches, with a running sum of the counts between them. counts[digit][run]
__global__ void __launch_bounds__(256)
    gradkit_unindex_forward_count(const int* keys, int count, int run, int runs, int shift, int* counts) {
    __shared__ int tally[8 * digits];
    const int lane = threadIdx.x % 32, number = blockIdx.x * 8 + threadIdx.x / 32;
    int* const mine = tally + threadIdx.x / 32 * digits;
    if (number >= runs) return;
    for (int d = lane; d < digits; d += 32) mine[d] = 0;
    __syncwarp();
    each_entry(keys, number * run, min(number * run + run, count), shift, mine, [](int, int, int) {});
    for (int d = lane; d < digits; d += 32) counts[d * runs + number] = mine[d];
}

__global__ void __launch_bounds__(256)
    gradkit_unindex_forward_place(const int* keys, const int* order, int count, int run, int runs, int shift,
                                  const int* ends, Moved to) {
    __shared__ int tally[8 * digits];
    const int lane = threadIdx.x % 32, number = blockIdx.x * 8 + threadIdx.x / 32;
    int* const mine = tally + threadIdx.x / 32 * digits;
    if (number >= runs) return;
    for (int d = lane; d < digits; d += 32) {
        const int before = d * runs + number - 1;
        mine[d] = before < 0 ? 0 : ends[before];
    }
    __syncwarp();
    each_entry(keys, number * run, min(number * run + run, count), shift, mine,
               [=](int i, int key, int place) { to.put(place, key, order ? order[i] : i); });
}
