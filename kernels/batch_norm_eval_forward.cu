#include "rows.cuh"

// By statistics that are given; rows as in batch_norm_forward.
template <class T>
__global__ void __launch_bounds__(256, 2)
    gradkit_batch_norm_eval_forward(const T* x, const T* w, const T* b, const T* mean, const T* variance, T* y, Rows rows,
                                    int channels, double eps) {
    using C = Computed<T>;
    const C least = static_cast<C>(eps);
    each_row(rows, [&](long long row, const Rows& one) {
        const long long at = row * rows.length;
        if (channels) {
            const long long c = row % channels;
            const C middle = widen(mean[c]), scale = widen(w[c]) / sqrt(widen(variance[c]) + least), shift = widen(b[c]);
            along_row<T>({x + at}, {y + at}, one,
                         [=](const C(&in)[1], C(&out)[1], int) { out[0] = (in[0] - middle) * scale + shift; });
        } else {
            along_row<T>({x + at, w, b, mean, variance}, {y + at}, one, [=](const C(&in)[5], C(&out)[1], int) {
                out[0] = (in[0] - in[3]) * (in[1] / sqrt(in[4] + least)) + in[2];
            });
        }
    });
}
