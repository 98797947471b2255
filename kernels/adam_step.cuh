// A step of Adam and AdamW: gradkit/optim/adam.py has the rule, and works out the numbers.
#pragma once

#include "scalar.cuh"

struct AdamNumbers {
    double shrink;        // decoupled weight decay: 1 - lr * weight_decay
    double weight_decay;  // of the other kind, which is added to the gradient
    double rise1, keep2, rise2;  // 1 - beta1, beta2, 1 - beta2
    double unbias, eps, step_size;
    int maximize, amsgrad;
};

template <class T>
struct adam_step {
    using C = Computed<T>;
    AdamNumbers by;

    // x: parameter, gradient, mean, square, greatest square
    GRADKIT_EITHER void operator()(C (&x)[5]) const {
        C &p = x[0], &m = x[2], &v = x[3], &top = x[4];
        C g = by.maximize ? -x[1] : x[1];
        p *= static_cast<C>(by.shrink);
        if (by.weight_decay != 0) g += static_cast<C>(by.weight_decay) * p;
        m += (g - m) * static_cast<C>(by.rise1);
        v = v * static_cast<C>(by.keep2) + g * g * static_cast<C>(by.rise2);
        if (by.amsgrad) top = v > top || v != v ? v : top;
        const C root = sqrt(by.amsgrad ? top : v) * static_cast<C>(by.unbias) + static_cast<C>(by.eps);
        p -= m / root * static_cast<C>(by.step_size);
    }
};
