#include "channels.cuh"
#include "row_moments.cuh"

// The cotangent of x, from the sums over each channel; rows as in batch_norm_forward.
template <class T>
__global__ void __launch_bounds__(256, 2)
    gradkit_batch_norm_vjp(const T* ct, const T* x, const T* w, T* x_ct, const Moments<Computed<T>>* each,
                           const Sums<Computed<T>>* sums, Rows rows, int channels, long long count) {
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

template <int N, class T>
__device__ __forceinline__ void sum_both(Sums<Computed<T>>& mine, const T* ct, const T* x, const Channels& how,
                                         const Moments<Computed<T>>& by) {
    using C = Computed<T>;
    each_of_channel<N>(how, [&](long long at) {
        C d[N], v[N];
        taken<N>(ct + at, d);
        taken<N>(x + at, v);
#pragma unroll
        for (int n = 0; n < N; ++n) {
            const C by_scale = (v[n] - by.mean) * by.scale;
            mine.at[0] += d[n] * by_scale;
            mine.at[1] += d[n];
            mine.at[2] += by_scale;
        }
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
        sum_both<lanes<T>>(mine, ct, x, how, by);
    else
        sum_both<1>(mine, ct, x, how, by);
    if (!over_channel<C>(mine, how, parts, tickets)) return;
    mine.at[0] -= mine.at[1] / how.count * mine.at[2];  // the last would be 0, were the mean not rounded
    sums[c] = mine;
    w_ct[c] = narrow<T>(mine.at[0]);
    b_ct[c] = narrow<T>(mine.at[1]);
}
