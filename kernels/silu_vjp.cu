#include "silu_vjp.cuh"
#include "strided.cuh"

template <class T, class Index>
__global__ void __launch_bounds__(256, 3) gradkit_silu_vjp(const T* ct, const T* x, T* x_ct, Flat<Index> how) {
    each_flat<T>({ct, x}, {x_ct}, how, silu_vjp<T>{});
}

template <class T, class Index>
__global__ void __launch_bounds__(256, 3)
    gradkit_silu_vjp_strided(const T* ct, const T* x, T* x_ct, Strided<Index, 3> how) {
    each_strided<T>({ct, x}, {x_ct}, how, silu_vjp<T>{});
}
