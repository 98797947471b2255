#include "row_softmax.cuh"

// softmax(x) less 1 at the target, times the row's cotangent: ct[row * step], shared between `count` rows. None that
// counts makes no gradient.
template <class T>
__global__ void __launch_bounds__(256, 2)
    gradkit_cross_entropy_vjp(const T* ct, const T* x, const long long* target, T* x_ct, Rows rows, long long ignored,
                              int step, const Computed<T>* count) {
    using C = Computed<T>;
    const C share = count && *count > 1 ? *count : C(1);
    each_row(rows, [&](long long row, const Rows& one) {
        const long long at = row * rows.length, t = target[row];
        const Exponentials<C> all = exponentials(x + at, one);
        const C sum = all.total(), most = all.most;
        const C d = t == ignored ? C(0) : widen(ct[row * step]) / share;
        along_row<T>({x + at}, {x_ct + at}, one, [=](const C(&in)[1], C(&out)[1], int column) {
            out[0] = d * (exp(in[0] - most) / sum - (column == t ? C(1) : C(0)));
        });
    });
}
