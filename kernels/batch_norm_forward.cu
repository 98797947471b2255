#include "channels.cuh"
#include "row_moments.cuh"

// `rows` are those of one channel, or, with `channels` 0, those of the batch, a channel being a column.
template <class T>
__global__ void __launch_bounds__(256, 2)
    gradkit_batch_norm_forward(const T* x, const T* w, const T* b, const Moments<Computed<T>>* each, T* y, Rows rows,
                               int channels) {
    using C = Computed<T>;
    each_row(rows, [&](long long row, const Rows& one) {
        const long long at = row * rows.length, channel = channels ? row % channels : 0;
        along_row<T>({x + at}, {y + at}, one, [=](const C(&in)[1], C(&out)[1], int column) {
            const long long c = channels ? channel : column;
            out[0] = (in[0] - each[c].mean) * each[c].scale * widen(w[c]) + widen(b[c]);
        });
    });
}

template <int N, class T>
__device__ __forceinline__ void spread(Spread<Computed<T>>& mine, const T* x, const Channels& how) {
    using C = Computed<T>;
    each_of_channel<N>(how, [&](long long at) {
        C v[N];
        taken<N>(x + at, v);
        Spread<C> some = {{C(N), 0, 0}};
#pragma unroll
        for (int n = 0; n < N; ++n) some.at[1] += v[n] / N;
#pragma unroll
        for (int n = 0; n < N; ++n) some.at[2] += (v[n] - some.at[1]) * (v[n] - some.at[1]);
        mine.merge(some);
    });
}

// Mean and 1 / sqrt(variance + eps) of each channel, or running statistics that move towards mean and variance.
template <class T>
__global__ void __launch_bounds__(256, 2)
    gradkit_batch_norm_forward_moments(const T* x, Moments<Computed<T>>* each, T* mean, T* variance, Channels how,
                                       double eps, double momentum, Computed<T>* parts, unsigned* tickets) {
    using C = Computed<T>;
    Spread<C> mine;
    if (how.wide)
        spread<lanes<T>>(mine, x, how);
    else
        spread<1>(mine, x, how);
    if (!over_channel<C>(mine, how, parts, tickets)) return;
    const int c = how.mine();
    const C keep = static_cast<C>(1 - momentum), rise = static_cast<C>(momentum);
    if (each) each[c] = {mine.at[1], 1 / sqrt(mine.at[2] / how.count + static_cast<C>(eps))};
    if (mean) mean[c] = narrow<T>(widen(mean[c]) * keep + mine.at[1] * rise);
    if (variance) variance[c] = narrow<T>(widen(variance[c]) * keep + mine.at[2] / (how.count - 1) * rise);
}
