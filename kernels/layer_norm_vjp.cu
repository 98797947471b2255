#include "row_norm.cuh"

template <class T>
__global__ void __launch_bounds__(256, 2)
    gradkit_layer_norm_vjp(const T* ct, const T* x, const T* w, Moments<Computed<T>>* each, T* x_ct, Rows rows, double eps) {
    norm_vjp<true>(ct, x, w, each, x_ct, rows, eps);
}

template <class T>
__global__ void __launch_bounds__(256, 2)
    gradkit_layer_norm_vjp_columns(const T* ct, const T* x, const Moments<Computed<T>>* each, T* w_ct, T* b_ct,
                                   long long rows, int length, Computed<T>* parts, unsigned* tickets) {
    norm_vjp_columns(ct, x, each, w_ct, b_ct, rows, length, parts, tickets);
}
