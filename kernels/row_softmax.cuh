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
