"""Functions of each element: rows as they stand, with PyTorch's aliases."""

import math
from typing import Any

from gradkit.engine.tensor import Tensor
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
from gradkit.primitives.trigonometric import (
    acos,
    acosh,
    asin,
    asinh,
    atan,
    atan2,
    atanh,
    cos,
    cosh,
    sin,
    sinc,
    sinh,
    tan,
)

__all__ = [
    "acos", "acosh", "arccos", "arccosh", "arcsin", "arcsinh", "arctan", "arctan2", "arctanh", "asin", "asinh",
    "atan", "atan2", "atanh", "ceil", "copysign", "cos", "cosh", "deg2rad", "digamma", "erf", "erfc", "erfinv",
    "exp", "exp2", "expm1", "fix", "floor", "fmax", "fmin", "fmod", "frac", "heaviside", "hypot", "i0", "lgamma",
    "log", "log1p", "log2", "log10", "logaddexp", "logaddexp2", "logit", "maximum", "minimum", "polygamma",
    "rad2deg", "reciprocal", "round", "rsqrt", "sign", "sin", "sinc", "sinh", "sqrt", "square", "tan", "trunc",
    "xlogy",
]  # fmt: skip
METHODS = tuple(__all__)
_NOT_IN_PLACE = ("fmax", "fmin", "logaddexp", "logaddexp2", "maximum", "minimum")
INPLACE = tuple([name for name in __all__ if name not in _NOT_IN_PLACE])

arccos, arcsin, arctan, arctan2 = acos, asin, atan, atan2
arccosh, arcsinh, arctanh, fix = acosh, asinh, atanh, trunc


def polygamma(n: Any, input: Any = None) -> Tensor:
    """The derivative of order `n` of `digamma`: ``polygamma(n, input)``, and as a method ``input.polygamma(n)``.

    Integers give float32. RuntimeError for a negative `n`, NotImplementedError for complex numbers.

    >>> import gradkit
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

    >>> import gradkit
    >>> gradkit.logit(gradkit.tensor([0.5, 0.9]))
    tensor([0.0000, 2.1972])
    """
    x = input if eps is None else clamp(input, eps, 1 - eps)
    return log(div(x, sub(1, x)))


def deg2rad(input: Tensor) -> Tensor:
    """Angles in degrees, in radians. NotImplementedError for complex numbers.

    >>> import gradkit
    >>> gradkit.deg2rad(gradkit.tensor([180.0, 90.0]))
    tensor([3.1416, 1.5708])
    """
    return _scaled_angle("deg2rad", input, math.pi / 180)


def rad2deg(input: Tensor) -> Tensor:
    """Angles in radians, in degrees. NotImplementedError for complex numbers.

    >>> import gradkit
    >>> gradkit.rad2deg(gradkit.tensor([3.0, 0.5]))
    tensor([171.8873,  28.6479])
    """
    return _scaled_angle("rad2deg", input, 180 / math.pi)


def _scaled_angle(name: str, input: Tensor, factor: float) -> Tensor:
    if input.dtype.kind == "c":
        raise NotImplementedError(f"{name} is not implemented for {input.dtype.name}")
    return mul(input, factor)


def sign(input: Tensor) -> Tensor:
    """1, 0 or -1 as the element is positive, zero (or nan) or negative, in its dtype. The derivative is 0.

    Raises NotImplementedError for complex numbers: see `sgn`.

    >>> import gradkit
    >>> gradkit.sign(gradkit.tensor([-3.0, 0.0, 0.5]))
    tensor([-1.,  0.,  1.])
    """
    return piecewise.signum(input)


def round(input: Tensor, *, decimals: int = 0) -> Tensor:
    """Each element rounded to the nearest integer, or to so many decimals; halves go to the even neighbour.

    The derivative is 0. Raises NotImplementedError for bools, complex numbers, and integers with `decimals`.

    >>> import gradkit
    >>> gradkit.round(gradkit.tensor([0.5, 1.5, -2.6]))
    tensor([ 0.,  2., -3.])
    """
    if decimals == 0:
        return piecewise.rint(input)
    if input.dtype.kind in "biuc":
        raise NotImplementedError(f"round with decimals is not implemented for {input.dtype.name}")
    return piecewise.round_decimals(input, decimals=decimals)


document(globals())
