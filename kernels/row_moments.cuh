// The mean of a row and 1 / sqrt(variance + eps), the variance being taken about the mean; or, not centred, 0 and
// 1 / sqrt(mean of squares + eps).
#pragma once

#include "rows.cuh"

template <class C>
struct Moments {
    C mean, scale;
};

template <bool centred = true, class T>
__device__ __forceinline__ Moments<Computed<T>> moments(const T* row, const Rows& rows, int length, double eps) {
    using C = Computed<T>;
    T* const nowhere = nullptr;
    C mean = 0, squares = 0;
    if constexpr (centred) {
        C total = 0;
        along_row<T>({row}, {nowhere}, rows, [&](const C(&in)[1], C(&)[1], int) { total += in[0]; });
        mean = sum_over_row(total, rows) / length;
    }
    along_row<T>({row}, {nowhere}, rows, [&](const C(&in)[1], C(&)[1], int) { squares += (in[0] - mean) * (in[0] - mean); });
    const C variance = sum_over_row(squares, rows) / length;
    return {mean, 1 / sqrt(variance + static_cast<C>(eps))};
}
