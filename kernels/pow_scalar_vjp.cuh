// pow_scalar: y = x^p, with one p for all elements. The derivative is p x^(p-1), which some exponents give without pow.
#pragma once

#include "power.cuh"

// The number of each is known to the launcher.
enum class Exponent : int { two, three, half, minus_half, minus_one, minus_two, three_halves, five_halves, whole, real };

template <class T, Exponent kind>
struct pow_scalar_vjp {
    using C = Computed<T>;
    double p;

    GRADKIT_EITHER void operator()(const C (&in)[2], C (&out)[1]) const { out[0] = in[0] * slope(in[1]); }

    GRADKIT_EITHER C slope(C x) const {
        if constexpr (kind == Exponent::two) {
            return x + x;
        } else if constexpr (kind == Exponent::three) {
            return 3 * (x * x);
        } else if constexpr (kind == Exponent::half) {
            return C(0.5) * (1 / sqrt(x));
        } else if constexpr (kind == Exponent::minus_half) {
            return C(-0.5) * (1 / sqrt(x) / x);
        } else if constexpr (kind == Exponent::minus_one) {
            const C inverse = 1 / x;
            return -(inverse * inverse);
        } else if constexpr (kind == Exponent::minus_two) {
            const C inverse = 1 / x;
            return -2 * (inverse * inverse * inverse);
        } else if constexpr (kind == Exponent::three_halves) {
            return C(1.5) * sqrt(x);
        } else if constexpr (kind == Exponent::five_halves) {
            return C(2.5) * (sqrt(x) * x);
        } else if constexpr (kind == Exponent::whole) {
            return static_cast<C>(p) * whole_power(x, static_cast<int>(p) - 1);
        } else {
            return static_cast<C>(p) * power<T>(x, static_cast<C>(p - 1));
        }
    }
};

template <Exponent kind>
struct Constant {
    static constexpr Exponent value = kind;
};

// Run body(Constant<kind>): the loop inside is compiled for each kind and does not ask again.
template <class Body>
GRADKIT_EITHER void with_exponent(int kind, Body body) {
    switch (static_cast<Exponent>(kind)) {
        case Exponent::two: return body(Constant<Exponent::two>());
        case Exponent::three: return body(Constant<Exponent::three>());
        case Exponent::half: return body(Constant<Exponent::half>());
        case Exponent::minus_half: return body(Constant<Exponent::minus_half>());
        case Exponent::minus_one: return body(Constant<Exponent::minus_one>());
        case Exponent::minus_two: return body(Constant<Exponent::minus_two>());
        case Exponent::three_halves: return body(Constant<Exponent::three_halves>());
        case Exponent::five_halves: return body(Constant<Exponent::five_halves>());
        case Exponent::whole: return body(Constant<Exponent::whole>());
        case Exponent::real: return body(Constant<Exponent::real>());
    }
}
