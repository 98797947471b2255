#include "pow_scalar_vjp.cuh"
#include "strided.cuh"

template <class T, class Index>
__global__ void __launch_bounds__(256, 3)
    gradkit_pow_scalar_vjp(const T* ct, const T* x, T* x_ct, Flat<Index> how, int kind, double p) {
    with_exponent(kind, [&](auto constant) {
        each_flat<T>({ct, x}, {x_ct}, how, pow_scalar_vjp<T, decltype(constant)::value>{p});
    });
}

template <class T, class Index>
__global__ void __launch_bounds__(256, 3)
    gradkit_pow_scalar_vjp_strided(const T* ct, const T* x, T* x_ct, Strided<Index, 3> how, int kind, double p) {
    using C = Computed<T>;
    each_strided<T>({ct, x}, {x_ct}, how, [=](const C(&in)[2], C(&out)[1]) {
        with_exponent(kind, [&](auto constant) { pow_scalar_vjp<T, decltype(constant)::value>{p}(in, out); });
    });
}
