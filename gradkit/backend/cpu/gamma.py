"""The logarithm of the gamma function and its derivatives.

From x = 6 on, Stirling's series, refitted so that few terms do (Abramowitz and Stegun 6.1.41, 6.3.18); on [1/2, 6],
rational fits made for this package with the zeros divided out; below 1/2, one step of the recurrence; for negative x,
reflection (A&S 6.1.17, 6.3.7, 6.4.7). Everything is computed in float64: for positive x lgamma is right within 3 ulp,
its zeros included, digamma within 6, polygamma within 10; for negative x the error is small absolutely, not beside zeros.
"""

from math import comb, factorial
from typing import Any

import numpy as np

from gradkit.backend.cpu import Array
from gradkit.backend.cpu.blocks import blockwise, widened
from gradkit.backend.cpu.elementary import integer_power
from gradkit.backend.cpu.rational import coefficients, polynomial, rational

# lgamma(x) = (x - 1)(x - 2)(1/2 + R(x)) on [1/2, 6], relative error 3e-17.
_LGAMMA = coefficients(
    (
        2.2966867143715186, 93.28695405607195, 797.6131270087177, 2140.892948070963, 1685.8192338640429,
        -470.77753783024247, -988.0772393607523, -349.15804336211454, -43.81739295344581, -1.8892591099786586,
        -0.019853191633305376,
    ),
    (
        1.0, 75.63001523715161, 1123.5637316466136, 5680.4130307312635, 11994.983014144396, 11610.986263094803,
        5351.556556432663, 1164.29027989541, 112.40703424992483, 4.1476515655413, 0.04001562418332008,
    ),
)
# lgamma(x) = (x - 1/2) log(x) - x + log(2 pi)/2 + S(1/x**2)/x for x >= 6, error of S 3e-17.
_STIRLING = (
    0.0833333333333333, -0.002777777777683062, 0.0007936507382930834, -0.0005952258876607536, 0.0008404548588188535,
    -0.0018453205186173961, 0.00430223336396954,
)
# digamma(x) = (x - root) R(x) on [1/2, 6], relative error 2e-17.
DIGAMMA = coefficients(
    (
        0.3144875957224035, 1.080855768309607, 1.1410478190208038, 0.5183564794929644, 0.11085798572672607,
        0.010952885836754953, 0.0004424486614477956, 5.26260308656271e-06, 3.258513587440478e-09,
    ),
    (
        2.253804279756252e-11, 0.4596651787471489, 1.0, 0.7658396389571941, 0.2669344379145869, 0.0448034035043453,
        0.003480422018365892, 0.0001083042023985249, 9.210196511565362e-07,
    ),
)
# digamma(x) = log(x) - 1/(2 x) - T(1/x**2)/x**2 for x >= 6, error of T 2e-17.
DIGAMMA_TAIL = (
    0.08333333333333331, -0.008333333333267643, 0.003968253917761117, -0.0041666517937554975, 0.0075735854265381415,
    -0.02091753832141701, 0.07522146312741407, -0.2301735395404358,
)
# The zero of digamma in two pieces, so that x - root keeps its bits.
ROOT, ROOT_REST = 1.4616321449683622, 9.549995429965697e-17
_HALF_LOG_2PI = 0.9189385332046728
_BERNOULLI = (1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6, -3617 / 510)


def lgamma(x: Array) -> Array:
    """``log(abs(gamma(x)))``; inf at zero and at the negative integers."""
    return blockwise(x, widened(_lgamma), _lgamma)


def digamma(x: Array) -> Array:
    """The derivative of `lgamma`; -+inf at +-0 and NaN at the negative integers."""
    return blockwise(x, widened(_digamma), _digamma)


def polygamma(n: int, x: Array) -> Array:
    """The derivative of order `n` of `digamma`. ValueError for a negative `n`."""
    if n < 0:
        raise ValueError(f"polygamma: the order n must not be negative, got {n}")
    if n == 0:
        return digamma(x)

    def kernel(z: Array, out: Array) -> None:
        _polygamma(n, z, out)

    return blockwise(x, widened(kernel), kernel)


def _lgamma(x: Array, out: Array) -> None:
    negative = np.flatnonzero(x < 0)
    out[:] = _by_size(_reflected(x, negative), _lgamma_small, _lgamma_large)
    sine = np.absolute(np.sin(np.pi * _offset(x[negative])))
    out[negative] = np.where(sine == 0, np.inf, -np.log(sine / np.pi) - out[negative])


def _digamma(x: Array, out: Array) -> None:
    negative = np.flatnonzero(x < 0)
    out[:] = _by_size(_reflected(x, negative), _digamma_small, _digamma_large)
    tangent = np.tan(np.pi * _offset(x[negative]))
    out[negative] -= np.where(tangent == 0, np.nan, np.pi / tangent)


def _reflected(x: Array, negative: Array) -> Array:
    if not negative.size:
        return x
    reflected = x.copy()
    reflected[negative] = 1 - x[negative]
    return reflected


def _by_size(x: Array, small: Any, large: Any) -> Array:
    is_large = x >= 6
    count = np.count_nonzero(is_large)
    if count in (0, x.size):
        result: Array = (large if count else small)(x)
        return result
    value = np.empty_like(x)
    for function, at in ((large, np.flatnonzero(is_large)), (small, np.flatnonzero(~is_large))):
        value[at] = function(x[at])
    return value


def _offset(x: Array) -> Array:
    """x minus the nearest integer: exact, and sin and tan of pi times it are those of pi x up to sign."""
    x = x.clip(-(2.0**52))  # below, every value is an integer
    return x - np.rint(x)


def _lgamma_small(x: Array) -> Array:
    step = x < 0.5  # lgamma(x) = lgamma(x + 1) - log(x)
    u = x - np.subtract(1.0, step)  # exact
    value = u * (u - 1)
    value *= rational(u + 1, _LGAMMA) + 0.5
    value += 0.0  # lgamma(1) is 0, not -0
    stepped = np.flatnonzero(step)
    value[stepped] -= np.log(x[stepped])
    return value


def _lgamma_large(x: Array) -> Array:
    inverse = 1 / x
    # (x - 1/2)(log(x) - 1) rather than (x - 1/2) log(x) - x, which is inf - inf at inf.
    value = (x - 0.5) * (np.log(x) - 1)
    value += inverse * polynomial(inverse * inverse, _STIRLING) + (_HALF_LOG_2PI - 0.5)
    return value


def _digamma_small(x: Array) -> Array:
    step = x < 0.5  # digamma(x) = digamma(x + 1) - 1/x
    shifted = x + step
    value = rational(shifted, DIGAMMA)
    shifted -= ROOT
    shifted -= ROOT_REST
    value *= shifted
    stepped = np.flatnonzero(step)
    value[stepped] -= 1 / x[stepped]
    return value


def _digamma_large(x: Array) -> Array:
    inverse = 1 / x
    square = inverse * inverse
    return np.log(x) - 0.5 * inverse - square * polynomial(square, DIGAMMA_TAIL)


def _polygamma(n: int, x: Array, out: Array) -> None:
    """(-1)**(n+1) n! zeta(n + 1, x), and below zero (-1)**n psi_n(1 - x) - pi d^n/dx^n cot(pi x)."""
    negative = np.flatnonzero(x < 0)
    value = _hurwitz(n + 1, _reflected(x, negative))
    value *= (-1) ** (n + 1) * float(factorial(n))
    value[negative] *= (-1) ** n
    value[negative] -= polynomial(1 / np.tan(np.pi * _offset(x[negative])), cotangent_derivative(n))
    out[:] = value


def _hurwitz(s: int, x: Array) -> Array:
    """zeta(s, x) = sum over k of (x + k)**-s by Euler and Maclaurin (A&S 23.1.30), s >= 2, x >= 0."""
    terms = 8 + s
    value = np.zeros_like(x)
    for k in range(terms):
        value += integer_power(1 / (x + k), s)
    inverse = 1 / (x + terms)
    power = integer_power(inverse, s - 1)
    value += power / (s - 1)
    power = power * inverse
    value += 0.5 * power
    power *= inverse
    square = inverse * inverse
    for factor in bernoulli_factors(s):
        value += factor * power
        power *= square
    return value


def bernoulli_factors(s: int) -> list[float]:
    return [b * comb(s + 2 * j - 2, 2 * j - 1) / (2 * j) for j, b in enumerate(_BERNOULLI, start=1)]


def cotangent_derivative(n: int) -> tuple[float, ...]:
    """pi d^n/dx^n cot(pi x) as a polynomial in c = cot(pi x), ascending: d/dx p(c) = -pi (1 + c**2) p'(c)."""
    ascending = [0, 1]
    for _ in range(n):
        slope = [k * c for k, c in enumerate(ascending)][1:]
        ascending = [-a - b for a, b in zip([*slope, 0, 0], [0, 0, *slope], strict=True)]
    return tuple([np.pi ** (n + 1) * c for c in ascending])
