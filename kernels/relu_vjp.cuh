// relu: a cotangent goes on where the output is not 0; a nan is not.
#pragma once

#include "scalar.cuh"

template <class T>
struct relu_vjp {
    using C = Computed<T>;

    GRADKIT_EITHER void operator()(const C (&in)[2], C (&out)[1]) const {
        const C ct = in[0], y = in[1];
        out[0] = y == 0 ? C(0) : ct;
    }
};
