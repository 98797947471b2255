#include "channels.cuh"

// All cotangents in one launch: the statistics are no sums over x here.
template <class T>
__global__ void __launch_bounds__(256, 2)
    gradkit_batch_norm_eval_vjp(const T* ct, const T* x, const T* w, const T* mean, const T* variance, T* x_ct, T* w_ct,
                                T* b_ct, T* mean_ct, T* variance_ct, Channels how, double eps, Computed<T>* parts,
                                unsigned* tickets) {
    using C = Computed<T>;
    const int c = how.mine(), there = c < how.channels ? c : 0;
    const C middle = widen(mean[there]), scale = 1 / sqrt(widen(variance[there]) + static_cast<C>(eps));
    const C factor = widen(w[there]) * scale;
    Sums<C> mine;
    if (how.wide)
        sum_both<lanes<T>>(mine, ct, x, how, middle, scale, x_ct, factor);
    else
        sum_both<1>(mine, ct, x, how, middle, scale, x_ct, factor);
    if (!over_channel<C>(mine, how, parts, tickets)) return;
    w_ct[c] = narrow<T>(mine.at[0]);
    b_ct[c] = narrow<T>(mine.at[1]);
    mean_ct[c] = narrow<T>(-factor * mine.at[1]);
    variance_ct[c] = narrow<T>(C(-0.5) * factor * scale * mine.at[0]);
}
