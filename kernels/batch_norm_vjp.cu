#include "channels.cuh"
#include "row_moments.cuh"

// The cotangent of x, from the sums over each channel; rows as in batch_norm_forward.
template <class T>
__global__ void __launch_bounds__(256, 2)
    gradkit_batch_norm_vjp(const T* ct, const T* x, const T* w, const Moments<Computed<T>>* each,
                           const Sums<Computed<T>>* sums, T* x_ct, Rows rows, int channels, long long count) {
    using C = Computed<T>;
    each_row(rows, [&](long long row, const Rows& one) {
        const long long at = row * rows.length, channel = channels ? row % channels : 0;
        along_row<T>({ct + at, x + at}, {x_ct + at}, one, [=](const C(&in)[2], C(&out)[1], int column) {
            const long long c = channels ? channel : column;
            const Moments<C> by = each[c];
            const C n = (in[1] - by.mean) * by.scale;
            out[0] = by.scale * widen(w[c]) * (in[0] - sums[c].at[1] / count - n * (sums[c].at[0] / count));
        });
    });
}

// Those of w and b, before it.
template <class T>
__global__ void __launch_bounds__(256, 2)
    gradkit_batch_norm_vjp_sums(const T* ct, const T* x, T* w_ct, T* b_ct, const Moments<Computed<T>>* each,
                                Sums<Computed<T>>* sums, Channels how, Computed<T>* parts, unsigned* tickets) {
    using C = Computed<T>;
    const int c = how.mine();
    const Moments<C> by = each[c < how.channels ? c : 0];
    Sums<C> mine;
    if (how.wide)
        sum_both<lanes<T>>(mine, ct, x, how, by.mean, by.scale);
    else
        sum_both<1>(mine, ct, x, how, by.mean, by.scale);
    if (!over_channel<C>(mine, how, parts, tickets)) return;
    mine.at[0] -= mine.at[1] / how.count * mine.at[2];  // the last would be 0, were the mean not rounded
    sums[c] = mine;
    w_ct[c] = narrow<T>(mine.at[0]);
    b_ct[c] = narrow<T>(mine.at[1]);
}
