#include "row_softmax.cuh"

template <class T>
__global__ void __launch_bounds__(256, 2) gradkit_log_softmax_vjp(const T* ct, const T* y, T* x_ct, Rows rows) {
    using C = Computed<T>;
    each_row(rows, [&](long long row, const Rows& one) {
        const long long at = row * rows.length;
        C mine = 0;
        T* const nowhere = nullptr;
        along_row<T>({ct + at}, {nowhere}, one, [&](const C(&in)[1], C(&)[1], int) { mine += in[0]; });
        const C sum = sum_over_row(mine, one);
        along_row<T>({ct + at, y + at}, {x_ct + at}, one,
                     [=](const C(&in)[2], C(&out)[1], int) { out[0] = in[0] - exp(in[1]) * sum; });
    });
}
