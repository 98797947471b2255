// A step of Adagrad: gradkit/optim/adagrad.py has the rule.
#pragma once

#include "scalar.cuh"

struct AdagradNumbers {
    double lr, weight_decay, eps;  // lr: as it has decayed
    int maximize;
};

template <class T>
struct adagrad_step {
    using C = Computed<T>;
    AdagradNumbers by;

    // x: parameter, gradient, sum of squares
    GRADKIT_EITHER void operator()(C (&x)[3]) const {
        C &p = x[0], &total = x[2];
        C g = by.maximize ? -x[1] : x[1];
        if (by.weight_decay != 0) g += static_cast<C>(by.weight_decay) * p;
        total += g * g;
        p -= g / (sqrt(total) + static_cast<C>(by.eps)) * static_cast<C>(by.lr);
    }
};
