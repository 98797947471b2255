"""Functions of each element: rows as they stand, with PyTorch's aliases."""

import math
from typing import Any

import numpy as np

from gradkit import errors
from gradkit.backend.protocol import backend_of
from gradkit.engine.operands import on_one_device
from gradkit.engine.tensor import Tensor, wrap
from gradkit.ops import return_types
from gradkit.ops.arithmetic import clamp
from gradkit.ops.documentation import document
from gradkit.primitives import piecewise
from gradkit.primitives.elementwise import (
    div,
    exp,
    exp2,
    expm1,
    fmod,
    hypot,
    log,
    log1p,
    log2,
    log10,
    logaddexp,
    logaddexp2,
    mul,
    reciprocal,
    rsqrt,
    sqrt,
    square,
    sub,
    xlogy,
)
from gradkit.primitives.piecewise import ceil, copysign, floor, fmax, fmin, frac, heaviside, maximum, minimum, trunc
from gradkit.primitives.special import digamma, digamma_derivative, erf, erfc, erfinv, i0, lgamma
from gradkit.primitives.trigonometric import acos, acosh, asin, asinh, atan, atan2, atanh, cos, cosh, sin, sinc, sinh, tan

__all__ = [
    "acos", "acosh", "arccos", "arccosh", "arcsin", "arcsinh", "arctan", "arctan2", "arctanh", "asin", "asinh",
    "atan", "atan2", "atanh", "ceil", "copysign", "cos", "cosh", "deg2rad", "digamma", "erf", "erfc", "erfinv",
    "exp", "exp2", "expm1", "fix", "floor", "fmax", "fmin", "fmod", "frac", "frexp", "heaviside", "hypot", "i0",
    "ldexp", "lgamma",
    "log", "log1p", "log2", "log10", "logaddexp", "logaddexp2", "logit", "maximum", "minimum", "mvlgamma", "polygamma",
    "rad2deg", "reciprocal", "round", "rsqrt", "sign", "sin", "sinc", "sinh", "sqrt", "square", "tan", "trunc", "xlogy",
]
METHODS = tuple(__all__)
_NOT_IN_PLACE = ("fmax", "fmin", "frexp", "logaddexp", "logaddexp2", "maximum", "minimum")
INPLACE = tuple([name for name in __all__ if name not in _NOT_IN_PLACE])

arccos, arcsin, arctan, arctan2 = acos, asin, atan, atan2
arccosh, arcsinh, arctanh, fix = acosh, asinh, atanh, trunc


def polygamma(n: Any, input: Any = None) -> Tensor:
    """The derivative of order `n` of `digamma`: ``polygamma(n, input)``, and as a method ``input.polygamma(n)``.

    Integers give float32. RuntimeError for a negative `n`, NotImplementedError for complex numbers.

    >>> gradkit.polygamma(1, gradkit.tensor([1.0, 2.0]))
    tensor([1.6449, 0.6449])
    """
    if isinstance(n, Tensor):
        n, input = input, n
    if n < 0:
        raise RuntimeError("polygamma(n, x) does not support negative n.")
    return digamma_derivative(input, order=n) if n else digamma(input)


def logit(input: Tensor, eps: float | None = None) -> Tensor:
    """``log(input / (1 - input))``, the inverse of sigmoid; with `eps`, `input` is clamped to [eps, 1 - eps] first.

    >>> gradkit.logit(gradkit.tensor([0.5, 0.9]))
    tensor([0.0000, 2.1972])
    """
    x = input if eps is None else clamp(input, eps, 1 - eps)
    return log(div(x, sub(1, x)))


def deg2rad(input: Tensor) -> Tensor:
    """Angles in degrees, in radians. NotImplementedError for complex numbers.

    >>> gradkit.deg2rad(gradkit.tensor([180.0, 90.0]))
    tensor([3.1416, 1.5708])
    """
    return _scaled_angle("deg2rad", input, math.pi / 180)


def rad2deg(input: Tensor) -> Tensor:
    """Angles in radians, in degrees. NotImplementedError for complex numbers.

    >>> gradkit.rad2deg(gradkit.tensor([3.0, 0.5]))
    tensor([171.8873,  28.6479])
    """
    return _scaled_angle("rad2deg", input, 180 / math.pi)


def _scaled_angle(name: str, input: Tensor, factor: float) -> Tensor:
    if input.dtype.kind == "c":
        raise errors.not_implemented(name, input.dtype, "")
    return mul(input, factor)


def sign(input: Tensor) -> Tensor:
    """1, 0 or -1 as the element is positive, zero (or nan) or negative, in its dtype. The derivative is 0.

    NotImplementedError for complex numbers: see `sgn`.

    >>> gradkit.sign(gradkit.tensor([-3.0, 0.0, 0.5]))
    tensor([-1.,  0.,  1.])
    """
    return piecewise.signum(input)


def ldexp(input: Tensor, other: Any) -> Tensor:
    """``input * 2**other``.

    >>> gradkit.ldexp(gradkit.tensor([1.0, 3.0]), gradkit.tensor([2, -1]))
    tensor([4.0000, 1.5000])
    """
    return mul(input, exp2(other))


@on_one_device
def frexp(input: Tensor) -> Any:
    """(mantissa, exponent) with ``input = mantissa * 2**exponent`` and the mantissa's size in [0.5, 1), or 0.

    The exponent is int32; the mantissa's derivative is that power of 2. RuntimeError for what is not floating.

    >>> gradkit.frexp(gradkit.tensor([3.0, 0.0])).mantissa
    tensor([0.7500, 0.0000])
    """
    if input.dtype.kind != "f":
        raise RuntimeError(f"frexp() only supports floating-point dtypes, got {input.dtype.name}")
    xp = backend_of(input.array).xp
    exponent = xp.asarray(xp.frexp(input.array)[1]).astype(np.int32)
    found = wrap(exponent, batch=input.batch)
    return return_types.frexp(mul(input, exp2(wrap(-exponent.astype(input.dtype), batch=input.batch))), found)


def mvlgamma(input: Tensor, p: int) -> Tensor:
    """The logarithm of the gamma function in `p` dimensions: ``p (p - 1) / 4 log(pi) + sum of lgamma(input - j / 2)``, j < p.

    RuntimeError for a `p` below 1.

    >>> gradkit.mvlgamma(gradkit.tensor([2.0, 3.0]), 2)
    tensor([0.4516, 1.5502])
    """
    if p < 1:
        raise RuntimeError(f"p has to be greater than or equal to 1, got {p}")
    terms = [lgamma(sub(input, j / 2)) for j in range(p)]
    return sum(terms[1:], terms[0]) + p * (p - 1) / 4 * math.log(math.pi)


def round(input: Tensor, *, decimals: int = 0) -> Tensor:
    """Each element rounded to the nearest integer, or to so many decimals; halves go to the even neighbour.

    The derivative is 0. NotImplementedError for bools, complex numbers, and integers with `decimals`.

    >>> gradkit.round(gradkit.tensor([0.5, 1.5, -2.6]))
    tensor([ 0.,  2., -3.])
    """
    if decimals == 0:
        return piecewise.rint(input)
    if input.dtype.kind in "biuc":
        raise errors.not_implemented("round with decimals", input.dtype, "")
    return piecewise.round_decimals(input, decimals=decimals)


document(globals())
