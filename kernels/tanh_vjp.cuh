// tanh: the derivative of y is 1 - y^2.
#pragma once

#include "scalar.cuh"

template <class T>
struct tanh_vjp {
    using C = Computed<T>;

    GRADKIT_EITHER void operator()(const C (&in)[2], C (&out)[1]) const {
        const C ct = in[0], y = in[1];
        out[0] = ct * (1 - y * y);
    }
};
