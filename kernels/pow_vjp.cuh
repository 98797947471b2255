// pow: y = a^b. The derivatives are b a^(b-1) and y log(a); where 0 meets the exponent 0, and nan the exponent 0, the
// operand is guarded as in the rule.
#pragma once

#include "power.cuh"

template <class T>
struct pow_vjp {
    using C = Computed<T>;
    bool exponent_needs;  // otherwise its cotangent is left alone

    GRADKIT_EITHER void operator()(const C (&in)[3], C (&out)[2]) const {
        const C ct = in[0], a = in[1], b = in[2];
        const C base = b == 0 && (a == 0 || a != a) ? C(1) : a;
        if (!exponent_needs) {
            out[0] = ct * (b * power<T>(base, b - 1));
            return;
        }
        // One power is enough where y has all its digits: a^(b-1) is y / a.
        const C y = power<T>(a, b), size = fabs(y);
        const bool divides = size >= least_normal<C> && size - size == 0 && fabs(a) >= least_normal<C> && a - a == b - b;
        out[0] = ct * (b * (divides ? y / a : power<T>(base, b - 1)));
        out[1] = ct * (y * logarithm<T>(a == 0 && b >= 0 ? C(1) : a));
    }
};
