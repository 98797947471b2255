#include "row_softmax.cuh"

template <class T>
__global__ void __launch_bounds__(256, 2) gradkit_log_softmax_forward(const T* x, T* y, Rows rows) {
    using C = Computed<T>;
    each_row(rows, [&](long long row, const Rows& one) {
        const T* const from = x + row * rows.length;
        const Exponentials<C> all = exponentials(from, one);
        const C sum = log(all.total()), most = all.most;
        along_row<T>({from}, {y + row * rows.length}, one,
                     [=](const C(&in)[1], C(&out)[1], int) { out[0] = in[0] - most - sum; });
    });
}
