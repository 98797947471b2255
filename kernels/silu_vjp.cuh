// silu: y = x s(x), s being the logistic function.
#pragma once

#include "scalar.cuh"

template <class T>
struct silu_vjp {
    using C = Computed<T>;

    GRADKIT_EITHER void operator()(const C (&in)[2], C (&out)[1]) const {
        const C ct = in[0], x = in[1], s = 1 / (1 + exp(-x));
        out[0] = ct * (s * (1 + x * (1 - s)));
    }
};
