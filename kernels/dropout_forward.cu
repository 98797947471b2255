#include "philox.cuh"
#include "rows.cuh"

// x times `value` where it is kept, else times 0. Its own transpose: the way back draws the same numbers once more, which
// costs less than to read them. Element i is number start + i of the stream; start is a multiple of 4.
template <class T>
__global__ void __launch_bounds__(256, 2)
    gradkit_dropout_forward(const T* x, T* y, long long size, unsigned long long seed, unsigned long long start, double p,
                            double value) {
    using C = Computed<T>;
    constexpr int N = lanes<T>;
    const C factor = widen(narrow<T>(static_cast<C>(value)));
    const float least = static_cast<float>(p);
    const long long step = static_cast<long long>(gridDim.x) * blockDim.x;
    const long long first = static_cast<long long>(blockIdx.x) * blockDim.x + threadIdx.x;
    const long long vectors = is_aligned(x) && is_aligned(y) ? size / N : 0;
    for (long long v = first; v < vectors; v += step) {
        Vector<T> a = load(x + v * N);
        const int before = N == 2 ? v % 2 * 2 : 0;  // elements of the same block
        gradkit::words block;
#pragma unroll
        for (int n = 0; n < N; ++n) {
            if (n % 4 == 0) block = gradkit::philox(seed, (start + v * N + n) / 4, 1);
            a.at[n] = narrow<T>(widen(a.at[n]) * (gradkit::kept(block, (before + n) % 4, least) ? factor : C(0)));
        }
        store(y + v * N, a);
    }
    for (long long i = vectors * N + first; i < size; i += step)
        y[i] = narrow<T>(widen(x[i]) * (gradkit::kept(seed, start + i, least) ? factor : C(0)));
}
