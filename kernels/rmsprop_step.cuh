// A step of RMSprop: gradkit/optim/rmsprop.py has the rule.
#pragma once

#include "scalar.cuh"

struct RMSpropNumbers {
    double lr, weight_decay, momentum, alpha, rise, eps;  // rise: 1 - alpha
    int maximize, centered;
};

template <class T>
struct rmsprop_step {
    using C = Computed<T>;
    RMSpropNumbers by;

    // x: parameter, gradient, mean of squares, momentum, mean
    GRADKIT_EITHER void operator()(C (&x)[5]) const {
        C &p = x[0], &v = x[2], &b = x[3], &m = x[4];
        C g = by.maximize ? -x[1] : x[1];
        if (by.weight_decay != 0) g += static_cast<C>(by.weight_decay) * p;
        const C rise = static_cast<C>(by.rise);
        v = v * static_cast<C>(by.alpha) + g * g * rise;
        if (by.centered) m += (g - m) * rise;
        C step = g / (sqrt(by.centered ? v - m * m : v) + static_cast<C>(by.eps));
        if (by.momentum != 0) step = b = b * static_cast<C>(by.momentum) + step;
        p -= step * static_cast<C>(by.lr);
    }
};
