"""The standard normal distribution: its cumulative function, the logarithm of that, and the quantile function.

From the fits of `gradkit.backend.cpu.erf`, with ndtr(x) = erfc(-x / sqrt(2)) / 2; the square in the exponent is taken
of `x` itself, since the rounding of x / sqrt(2) would cost a factor x**2 of accuracy in the tail.
"""

import numpy as np

from gradkit.backend.cpu import Array
from gradkit.backend.cpu.blocks import blockwise, widened
from gradkit.backend.cpu.erf import TAIL, by_erfcx, erfcinv_tail, erfinv_centre, exp_of_square, inverse_erfcx

_SQRT_2 = 1.4142135623730951
_SQRT_HALF = 0.7071067811865476


def ndtr(x: Array) -> Array:
    """The probability of a standard normal variable below `x`, relatively accurate in both tails."""
    return blockwise(x, *by_erfcx(_ndtr))


def log_ndtr(x: Array) -> Array:
    """The logarithm of `ndtr`, without underflow."""
    return blockwise(x, *by_erfcx(_log_ndtr))


def ndtri(p: Array) -> Array:
    """x with ``ndtr(x) == p``; -+inf at 0 and 1, NaN outside."""
    return blockwise(p, widened(_ndtri), _ndtri)


def _ndtr(x: Array, out: Array, table: Array) -> None:
    size = np.absolute(x)
    inverse = inverse_erfcx(size * _SQRT_HALF, table)
    upper = exp_of_square(size.clip(0, 40, out=size), -0.5)
    upper /= inverse
    upper *= 0.5
    # |1 - u| = 1 - u for x >= 0, |0 - u| = u for x < 0.
    np.absolute(np.subtract(x >= 0, upper, out=upper), out=out, casting="same_kind")


def _log_ndtr(x: Array, out: Array, table: Array) -> None:
    inverse = inverse_erfcx(np.absolute(x) * _SQRT_HALF, table)
    out[:] = np.log1p(-0.5 * exp_of_square(x.clip(-40, 40), -0.5) / inverse)
    lower = np.flatnonzero(x < 0)
    z = x[lower]
    out[lower] = -0.5 * z * z - np.log(2 * inverse[lower])


def _ndtri(p: Array, out: Array) -> None:
    rest = 1 - p
    centre = erfinv_centre(2 * p - 1, 4 * p * rest)
    smaller = 2 * np.minimum(p, rest)
    tail = np.flatnonzero(smaller < TAIL)
    centre[tail] = np.copysign(erfcinv_tail(smaller[tail]), p[tail] - 0.5)
    np.multiply(centre, _SQRT_2, out=out)
