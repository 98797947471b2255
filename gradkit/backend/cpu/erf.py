"""The error function, its complement, the scaled complement and the inverse.

All rest on rational fits made for this package: least squares on Chebyshev nodes in 50-digit arithmetic, weighted by
the error they cause, the denominator's weight found by iteration (Sanathanan and Koerner 1963). What is fitted is R in

    erf(x)      = tanh(x (2/sqrt(pi) + R(x**2)))
    1/erfcx(x)  = 1 + x (3/2 + R(v)), v = 1/(x + 2)     for x >= 0; erfc(x) = exp(-x**2) erfcx(x) = 2 - erfc(-x)
    erfinv(x)   = x (5/4 + R(w)), w = -log(1 - x**2)    (Giles 2012); in float64, from 1 - |x| = exp(-4) on,
    erfcinv(q)  = s + R(s), s = sqrt(-log(q))           (as in Wichura's AS 241, 1988)

R is small beside the term before it, so that its own rounding errors weigh little: erf is right within 2.5 ulp, the
others within 3.5 in float64 and 2.5 in float32. Sums of rounded terms are not monotone to the last bit, but nearly so:
erf of a larger number is never smaller by more than these errors.
"""

from collections.abc import Callable

import numpy as np

from gradkit.backend.cpu import Array
from gradkit.backend.cpu.blocks import Kernel, blockwise
from gradkit.backend.cpu.rational import coefficients, rational

# x**2 <= 15.6, relative error of erf 4e-9.
_ERF_SINGLE = coefficients(
    (-5.7601609697167977e-08, 0.10277257074638618, 0.015935882520894076, 0.0018230451828169637),
    (1.0, 0.1570949645556392, 0.02379807623201015, 0.00032814087168518935), np.float32,
)
# x**2 <= 35.3, relative error of erf 1.4e-17.
_ERF_DOUBLE = coefficients(
    (
        0.0, 0.1027726033019388, 0.046997245962387635, 0.012808838487522517, 0.0022291744641247863,
        0.0002691987250898993, 2.2733297482355722e-05, 1.2744123396377385e-06, 4.4518782640284765e-08,
        3.9847494857921865e-10,
    ),
    (
        1.0, 0.45932903406157843, 0.13130980711184645, 0.02396734151759322, 0.003099830157264964,
        0.00028342519785216897, 1.768748758152893e-05, 7.351602829011583e-07, 1.2595130556595577e-08,
        2.6431608541226388e-11,
    ),
)
# 0 <= v <= 1/2, relative error 5e-8; evaluated in float64.
ERFCX_SINGLE = coefficients(
    (0.2724537735445999, -1.4546320368693975, 1.8668552821964595, -3.747071546070033, -1.0020148950919159),
    (1.0, -1.6687534474796637, 4.820416821257287, -1.3245221280262949, 3.0697222837086833),
)
# 0 <= v <= 1/2, relative error 1e-17.
ERFCX_DOUBLE = coefficients(
    (
        0.272453850905516, -0.7902482114020454, 3.5342070130294476, -14.69787693113525, -4.557978621606905,
        -118.13103557256943, -193.2447605016174, -503.6733118760508, -735.8027688171612, -881.3261246935758,
        -617.1740970963399,
    ),
    (
        1.0, 0.7698617138307761, 19.885355936119293, 23.857334103633768, 146.99367069787144, 212.3971026384242,
        547.7501796237792, 755.071735744747, 1053.5296897626392, 1003.7281503478298, 616.6794777806874,
    ),
)
# 0 <= w <= 17.4, relative error 6e-10.
_ERFINV_SINGLE = coefficients(
    (
        -0.3637730744503833, 0.20819266412264806, 0.015315678569736172, 0.005229756147047938, 0.00032591903825005534,
        2.0045207516924453e-05, -4.798077913792458e-07,
    ),
    (
        1.0, 0.0654831262710317, 0.03141153626076717, 0.0013175062651303718, 0.00016947290642748528,
        -1.7942898224484475e-06, -3.124771205271307e-08,
    ),
    np.float32,
)
# 0 <= w <= 3.5, relative error 4e-20.
_ERFINV_CENTRE = coefficients(
    (
        -0.363773074547242, 0.19140493828644287, 0.017431755133891273, 0.009929456320912087, 0.00105059240366726,
        0.0001550129181100222, 1.1796723011217088e-05, 6.853195823935707e-07, 2.119534698562497e-08,
    ),
    (
        1.0, 0.11163203406066799, 0.055028109088148015, 0.004926125814871691, 0.0009323370680868728,
        6.0524035990549976e-05, 4.6399639557889615e-06, 1.6562468488105362e-07, 1.5179499607340803e-09,
    ),
)
# 2 <= s <= 27.4, which is down to the smallest subnormal; relative error 6e-17.
_ERFCINV_TAIL = coefficients(
    (
        -0.0053071639111984086, -0.9613195523717294, -1.278172362175883, -1.8152270555981258, -1.2409511931171822,
        -0.2598663981322529, -0.018984068270522837, -0.0004804780805667194, -3.3593814665331648e-06,
        -1.308479114731862e-09, 1.3173283903581211e-12,
    ),
    (
        1.0, 2.029736906810812, 3.9091457492349955, 3.815041041392281, 3.2137540652385734, 1.2096576043635514,
        0.17363192549510134, 0.009586590964977618, 0.00018933746506312997, 9.992985849883833e-07,
    ),
)
TAIL = np.exp(-4.0)

# Clears the low 27 bits of a float64, so that the square of what remains is exact.
_HIGH_BITS = np.uint64(0xFFFF_FFFF_F800_0000)


def erf(x: Array) -> Array:
    """The error function."""
    return blockwise(x, erf_single, erf_double)


def erfc(x: Array) -> Array:
    """``1 - erf(x)``, relatively accurate for large `x` too."""
    return blockwise(x, _erfc_single, _erfc_double)


def erfcx(x: Array) -> Array:
    """``exp(x**2) * erfc(x)`` without underflow for large `x`."""
    return blockwise(x, *by_erfcx(_erfcx))


def erfinv(x: Array) -> Array:
    """y with ``erf(y) == x``; +-inf at +-1 and NaN beyond."""
    return blockwise(x, _erfinv_single, _erfinv_double)


def erfcinv_tail(q: Array) -> Array:
    """y with ``erfc(y) == q`` for a one-dimensional float64 array of values 0 <= q <= exp(-4)."""
    s = np.sqrt(-np.log(q))
    # At q == 0 the fit is clipped, since inf/inf would be NaN, and s is not.
    return s + rational(s.clip(0, 28), _ERFCINV_TAIL)


def erfinv_centre(x: Array, q: Array) -> Array:
    """erfinv of one-dimensional float64 `x`, given `q` = 1 - x**2; accurate where 1 - |x| >= exp(-4)."""
    return _erfinv_form(x, q, _ERFINV_CENTRE, 3.5)


def erf_single(x: Array, out: Array) -> None:
    """Write erf of one-dimensional float32 `x` to `out`."""
    _tanh_form(x, out, _ERF_SINGLE, 15.6)


def erf_double(x: Array, out: Array) -> None:
    """Write erf of one-dimensional float64 `x` to `out`."""
    _tanh_form(x, out, _ERF_DOUBLE, 35.3)


def _tanh_form(x: Array, out: Array, table: Array, limit: float) -> None:
    square = np.multiply(x, x)
    slope = rational(square.clip(0, limit, out=square), table)
    slope += 1.1283791670955126
    slope *= x
    np.tanh(slope, out=out)


def inverse_erfcx(x: Array, table: Array) -> Array:
    """``1 / erfcx(x)`` of a one-dimensional float64 array of values >= 0; `table` is one of the two above."""
    v = x + 2
    slope = rational(np.divide(1, v, out=v), table)
    slope += 1.5
    slope *= x
    slope += 1
    return slope


def by_erfcx(kernel: Callable[[Array, Array, Array], None]) -> tuple[Kernel, Kernel]:
    """The kernels for float32, which computes in float64 by the shorter fit, and float64, of ``kernel(x, out, table)``."""
    return lambda x, out: kernel(x.astype(np.float64), out, ERFCX_SINGLE), lambda x, out: kernel(x, out, ERFCX_DOUBLE)


def exp_of_square(x: Array, factor: float) -> Array:
    """``exp(factor * x**2)`` of one-dimensional float64 `x` to an ulp, for a `factor` of -1, -1/2 or 1.

    With x = high + low, the part high**2 is exact and the rest, low (x + high), small.
    """
    high = (x.view(np.uint64) & _HIGH_BITS).view(np.float64)
    low = x - high
    low *= x + high
    low *= factor
    high *= high
    high *= factor
    value = np.exp(high, out=high)
    value *= np.exp(low, out=low)
    return value


def _reflect(positive_half: Array, x: Array, out: Array) -> None:
    """Write erfc(x), given erfc(|x|): |0 - c| = c for x >= 0, |2 - c| = 2 - c for x < 0."""
    shift = np.multiply(x < 0, 2.0)
    np.subtract(shift, positive_half, out=shift)
    np.absolute(shift, out=out, casting="same_kind")


def _erfc_single(x: Array, out: Array) -> None:
    size = x.astype(np.float64)
    np.absolute(size, out=size)
    inverse = inverse_erfcx(size, ERFCX_SINGLE)
    size *= size  # exact: 24 bits squared
    _reflect(np.divide(np.exp(np.negative(size, out=size), out=size), inverse, out=size), x, out)


def _erfc_double(x: Array, out: Array) -> None:
    size = np.absolute(x)
    inverse = inverse_erfcx(size, ERFCX_DOUBLE)
    value = exp_of_square(size.clip(0, 30, out=size), -1.0)
    _reflect(np.divide(value, inverse, out=value), x, out)


def _erfcx(x: Array, out: Array, table: Array) -> None:
    value = 1 / inverse_erfcx(np.absolute(x), table)
    negative = np.flatnonzero(x < 0)
    size = x[negative].clip(-30, 0)
    value[negative] = 2 * exp_of_square(size, 1.0) - value[negative]
    out[:] = value


def _erfinv_form(x: Array, q: Array, table: Array, limit: float) -> Array:
    w = np.log(q)
    np.negative(w, out=w)
    ratio = rational(w.clip(0, limit, out=w), table)
    ratio += 1.25
    ratio *= x
    return ratio


def _erfinv_single(x: Array, out: Array) -> None:
    rest = np.absolute(x)
    np.subtract(1, rest, out=rest)  # exact from 1/2 on, where it matters
    out[:] = _erfinv_form(x, (2 - rest) * rest, _ERFINV_SINGLE, 17.4)
    edge = np.flatnonzero(rest <= 0)
    out[edge] = np.where(rest[edge] == 0, np.copysign(np.inf, x[edge]), np.nan)


def _erfinv_double(x: Array, out: Array) -> None:
    rest = 1 - np.absolute(x)
    out[:] = erfinv_centre(x, (2 - rest) * rest)
    tail = np.flatnonzero(rest < TAIL)
    out[tail] = np.copysign(erfcinv_tail(rest[tail]), x[tail])
