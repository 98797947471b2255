#include "row_softmax.cuh"

// The loss of each row: 0 where the target is to be ignored, nan where there is no such class.
template <class T>
__global__ void __launch_bounds__(256, 2)
    gradkit_cross_entropy_forward(const T* x, const long long* target, T* loss, Rows rows, long long ignored) {
    using C = Computed<T>;
    each_row(rows, [&](long long row, const Rows& one) {
        const T* const from = x + row * rows.length;
        const Exponentials<C> all = exponentials(from, one);
        if (one.length == 0 || threadIdx.x % rows.width) return;
        const long long t = target[row];
        if (t == ignored) {
            loss[row] = narrow<T>(C(0));
        } else {
            const bool exists = 0 <= t && t < rows.length;
            loss[row] = narrow<T>(exists ? all.most - widen(from[t]) + log(all.total()) : infinite<C>() - infinite<C>());
        }
    });
}
