// Powers of numbers of a type: in full, or in the fewer digits of half and bfloat16 at a tenth of the instructions.
#pragma once

#include "scalar.cuh"

// The smallest number with all its digits.
template <class C>
constexpr C least_normal = sizeof(C) == 4 ? C(1.17549435e-38) : C(2.2250738585072014e-308);

GRADKIT_EITHER float fast_log2(float x) {
#ifdef __CUDA_ARCH__
    return __log2f(x);
#else
    return log2f(x);
#endif
}

// 2^(p log2|x|), with the sign and the special values of C's pow. Its relative error is about |p| 2^-22.
GRADKIT_EITHER float fast_power(float x, float p) {
    const float size = fabsf(x);
    if (p == 0 || x == 1) return 1;
    const float y = size == 1 ? (p == p ? 1.0f : p) : exp2f(p * fast_log2(size));
    const bool whole = p == truncf(p), odd = whole && 2 * truncf(p / 2) != p;
    if (odd) return copysignf(y, x);
    return x < 0 && !whole && size <= 3.4028234e38f ? sqrtf(x) : y;
}

template <class T>
GRADKIT_EITHER Computed<T> power(Computed<T> x, Computed<T> p) {
    if constexpr (is_short<T>)
        return fast_power(x, p);
    else
        return pow(x, p);
}

template <class T>
GRADKIT_EITHER Computed<T> logarithm(Computed<T> x) {
    if constexpr (is_short<T>)
        return fast_log2(x) * 0.69314718f;
    else
        return log(x);
}

// x^n by multiplication; its relative error is about |n| / 2 ulp.
template <class C>
GRADKIT_EITHER C whole_power(C x, int n) {
    C y = 1, square = n < 0 ? 1 / x : x;
    for (unsigned left = n < 0 ? -n : n; left; left >>= 1) {
        if (left & 1) y *= square;
        square *= square;
    }
    return y;
}
