// The way back through layer_norm (Ba, Kiros and Hinton 2016) and, not centred, rms_norm (Zhang and Sennrich 2019).
#pragma once

#include "row_moments.cuh"
#include "summing.cuh"

// The cotangent of x; each row's moments are left for those of the weights. Not weighted, w is not read.
template <bool centred, bool weighted = true, class T>
__device__ __forceinline__ void norm_vjp(const T* ct, const T* x, const T* w, Moments<Computed<T>>* each, T* x_ct,
                                         const Rows& rows, double eps) {
    using C = Computed<T>;
    each_row(rows, [&](long long row, const Rows& one) {
        const long long at = row * rows.length;
        const T* const by_w = weighted ? w : x + at;
        const Moments<C> by = moments<centred>(x + at, one, rows.length, eps);
        if (weighted && one.length && threadIdx.x % rows.width == 0) each[row] = by;
        C total = 0, projected = 0;
        T* const nowhere = nullptr;
        along_row<T>({ct + at, x + at, by_w}, {nowhere}, one, [&](const C(&in)[3], C(&)[1], int) {
            const C d = weighted ? in[0] * in[2] : in[0];
            if constexpr (centred) total += d;
            projected += d * ((in[1] - by.mean) * by.scale);
        });
        const C mean = centred ? sum_over_row(total, one) / rows.length : C(0);
        const C along = sum_over_row(projected, one) / rows.length;
        along_row<T>({ct + at, x + at, by_w}, {x_ct + at}, one, [=](const C(&in)[3], C(&out)[1], int) {
            const C d = weighted ? in[0] * in[2] : in[0];
            out[0] = by.scale * (d - mean - (in[1] - by.mean) * by.scale * along);
        });
    });
}

// Those of w and b, which may be null, sums over all rows: a block has 32 columns of some of the rows.
template <class T>
__device__ __forceinline__ void norm_vjp_columns(const T* ct, const T* x, const Moments<Computed<T>>* each, T* w_ct, T* b_ct,
                                                 long long rows, int length, Computed<T>* parts, unsigned* tickets) {
    using C = Computed<T>;
    constexpr int across = 32;
    const int thread = threadIdx.x;
    const long long column = static_cast<long long>(blockIdx.x) * across + thread % across;
    C w_total = 0, b_total = 0;
    const long long step = static_cast<long long>(gridDim.y) * (threads / across);
    for (long long r = static_cast<long long>(blockIdx.y) * (threads / across) + thread / across; r < rows; r += step) {
        if (column >= length) break;
        const C d = widen(ct[r * length + column]);
        w_total += d * ((widen(x[r * length + column]) - each[r].mean) * each[r].scale);
        b_total += d;
    }
    const Chunk<long long> chunk = {blockIdx.x, length, blockIdx.y, gridDim.y, thread, across};
    w_total = over_rows(w_total, thread, across);
    if (b_ct) b_total = over_rows(b_total, thread, across);
    if (chunk.count > 1) {
        C* const more = parts + static_cast<long long>(gridDim.y) * length;
        leave(w_total, parts, chunk);
        if (b_ct) leave(b_total, more, chunk);
        if (!is_last(tickets + blockIdx.x, chunk.count)) return;
        w_total = gathered<C>(parts, chunk);
        if (b_ct) b_total = gathered<C>(more, chunk);
    }
    if (chunk.writes()) {
        w_ct[chunk.place()] = narrow<T>(w_total);
        if (b_ct) b_ct[chunk.place()] = narrow<T>(b_total);
    }
}
