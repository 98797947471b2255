#include "gelu_vjp.cuh"
#include "strided.cuh"

template <class T, class Index>
__global__ void __launch_bounds__(256, 1) gradkit_gelu_vjp(const T* ct, const T* x, T* x_ct, Flat<Index> how, bool by_tanh) {
    if (by_tanh)
        each_flat<T>({ct, x}, {x_ct}, how, gelu_vjp<T, true>{});
    else
        each_flat<T>({ct, x}, {x_ct}, how, gelu_vjp<T, false>{});
}

template <class T, class Index>
__global__ void __launch_bounds__(256, 1)
    gradkit_gelu_vjp_strided(const T* ct, const T* x, T* x_ct, Strided<Index, 3> how, bool by_tanh) {
    if (by_tanh)
        each_strided<T>({ct, x}, {x_ct}, how, gelu_vjp<T, true>{});
    else
        each_strided<T>({ct, x}, {x_ct}, how, gelu_vjp<T, false>{});
}
