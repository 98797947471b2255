#include "sigmoid_vjp.cuh"
#include "strided.cuh"

template <class T, class Index>
__global__ void __launch_bounds__(256, 3) gradkit_sigmoid_vjp(const T* ct, const T* y, T* x_ct, Flat<Index> how) {
    each_flat<T>({ct, y}, {x_ct}, how, sigmoid_vjp<T>{});
}

template <class T, class Index>
__global__ void __launch_bounds__(256, 3)
    gradkit_sigmoid_vjp_strided(const T* ct, const T* y, T* x_ct, Strided<Index, 3> how) {
    each_strided<T>({ct, y}, {x_ct}, how, sigmoid_vjp<T>{});
}
