#include "row_moments.cuh"

// As layer_norm_vjp does it, without a weight.
template <class T>
__global__ void __launch_bounds__(256, 2)
    gradkit_standardize_vjp(const T* ct, const T* x, T* x_ct, Rows rows, double eps) {
    using C = Computed<T>;
    each_row(rows, [&](long long row, const Rows& one) {
        const long long at = row * rows.length;
        const Moments<C> by = moments(x + at, one, rows.length, eps);
        C total = 0, projected = 0;
        T* const nowhere = nullptr;
        along_row<T>({ct + at, x + at}, {nowhere}, one, [&](const C(&in)[2], C(&)[1], int) {
            total += in[0];
            projected += in[0] * ((in[1] - by.mean) * by.scale);
        });
        const C mean = sum_over_row(total, one) / rows.length, along = sum_over_row(projected, one) / rows.length;
        along_row<T>({ct + at, x + at}, {x_ct + at}, one, [=](const C(&in)[2], C(&out)[1], int) {
            out[0] = by.scale * (in[0] - mean - (in[1] - by.mean) * by.scale * along);
        });
    });
}
