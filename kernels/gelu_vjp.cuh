// gelu: y = x Phi(x), Phi being the normal distribution function, or its approximation by tanh (Hendrycks and Gimpel 2016).
#pragma once

#include "scalar.cuh"

template <class T, bool by_tanh>
struct gelu_vjp {
    using C = Computed<T>;

    GRADKIT_EITHER void operator()(const C (&in)[2], C (&out)[1]) const {
        const C ct = in[0], x = in[1], square = x * x;
        if constexpr (by_tanh) {
            const C scale = C(0.7978845608028654), cubic = C(0.044715);  // sqrt(2 / pi)
            const C t = tanh(x * (scale + scale * cubic * square)), inner = scale + 3 * scale * cubic * square;
            out[0] = ct * (C(0.5) + C(0.5) * t + C(0.5) * (x * (1 - t * t) * inner));
        } else {
            const C density = exp(C(-0.5) * square) * C(0.3989422804014327);  // 1 / sqrt(2 pi)
            out[0] = ct * (C(0.5) + C(0.5) * erf(x * C(0.7071067811865476)) + x * density);
        }
    }
};
