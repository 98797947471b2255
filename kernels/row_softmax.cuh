// What softmax, its logarithm and cross-entropy share on the device.
#pragma once

#include "rows.cuh"
#include "softmax.cuh"

template <class T>
__device__ __forceinline__ Exponentials<Computed<T>> exponentials(const T* row, const Rows& rows) {
    using C = Computed<T>;
    Exponentials<C> mine = Exponentials<C>::none();
    T* const nowhere = nullptr;
    along_row<T>({row}, {nowhere}, rows, [&](const C(&in)[1], C(&)[1], int) { mine.add(in[0]); });
    return over_row(mine, rows, [](const auto& a, const auto& b) { return Exponentials<C>::merged(a, b); });
}

template <bool logarithm, class T>
__device__ __forceinline__ void softmax_rows(const T* x, T* y, const Rows& rows) {
    using C = Computed<T>;
    each_row(rows, [&](long long row, const Rows& one) {
        const long long at = row * rows.length;
        const Exponentials<C> all = exponentials(x + at, one);
        const C most = all.most, sum = logarithm ? log(all.total()) : all.total();
        along_row<T>({x + at}, {y + at}, one, [=](const C(&in)[1], C(&out)[1], int) {
            out[0] = logarithm ? in[0] - most - sum : exp(in[0] - most) / sum;
        });
    });
}
