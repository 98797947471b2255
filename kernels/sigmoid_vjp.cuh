// sigmoid: y = 1 / (1 + e^-x), whose derivative is y (1 - y).
#pragma once

#include "scalar.cuh"

template <class T>
struct sigmoid_vjp {
    using C = Computed<T>;

    GRADKIT_EITHER void operator()(const C (&in)[2], C (&out)[1]) const {
        const C ct = in[0], y = in[1];
        out[0] = ct * (y * (1 - y));
    }
};
