// A step of stochastic gradient descent: gradkit/optim/sgd.py has the rule.
#pragma once

#include "scalar.cuh"

struct SgdNumbers {
    double lr, weight_decay, momentum, rise;  // rise: 1 - dampening
    int maximize, nesterov, first;            // first: there is no momentum yet
};

template <class T>
struct sgd_step {
    using C = Computed<T>;
    SgdNumbers by;

    // x: parameter, gradient, momentum
    GRADKIT_EITHER void operator()(C (&x)[3]) const {
        C &p = x[0], &b = x[2];
        C step = by.maximize ? -x[1] : x[1];
        if (by.weight_decay != 0) step += static_cast<C>(by.weight_decay) * p;
        if (by.momentum != 0) {
            const C momentum = static_cast<C>(by.momentum);
            b = by.first ? step : b * momentum + static_cast<C>(by.rise) * step;
            step = by.nesterov ? step + momentum * b : b;
        }
        p -= static_cast<C>(by.lr) * step;
    }
};
