#include "pow_vjp.cuh"
#include "summing.cuh"

// Of a_ct and b_ct either may be null; one of them may be a sum, over all elements or over those that share a place.
template <class T, class Index>
__global__ void __launch_bounds__(256, 3)
    gradkit_pow_vjp(const T* ct, const T* a, const T* b, T* a_ct, T* b_ct, Flat<Index> how, Sum<T> sum) {
    each_flat_summing<T>({ct, a, b}, {a_ct, b_ct}, how, pow_vjp<T>{b_ct || sum.output == 1}, sum);
}

template <class T, class Index>
__global__ void __launch_bounds__(256, 3)
    gradkit_pow_vjp_strided(const T* ct, const T* a, const T* b, T* a_ct, T* b_ct, Strided<Index, 5> how) {
    each_strided<T>({ct, a, b}, {a_ct, b_ct}, how, pow_vjp<T>{b_ct != nullptr});
}

template <class T, class Index>
__global__ void __launch_bounds__(256, 2)
    gradkit_pow_vjp_summing(const T* ct, const T* a, const T* b, T* a_ct, T* b_ct, Summing<Index, 6> how, Sum<T> sum) {
    each_summing<T>({ct, a, b}, {a_ct, b_ct}, how, pow_vjp<T>{b_ct || sum.output == 1}, sum);
}
