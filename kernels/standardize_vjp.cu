#include "row_norm.cuh"

template <class T>
__global__ void __launch_bounds__(256, 2)
    gradkit_standardize_vjp(const T* ct, const T* x, T* x_ct, Rows rows, double eps) {
    norm_vjp<true, false>(ct, x, x, nullptr, x_ct, rows, eps);
}
