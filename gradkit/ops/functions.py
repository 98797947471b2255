"""Functions of each element that are rows as they stand: here they get their documentation and PyTorch's aliases."""

from collections.abc import Callable
from typing import Any

from gradkit.engine.tensor import Tensor
from gradkit.primitives.elementwise import (
    exp, exp2, expm1, fmod, hypot, log, log1p, log2, log10, logaddexp, logaddexp2, reciprocal, rsqrt, sqrt, square, xlogy,
)  # fmt: skip
from gradkit.primitives.piecewise import ceil, copysign, floor, fmax, fmin, frac, heaviside, maximum, minimum, trunc
from gradkit.primitives.special import digamma, digamma_derivative, erf, erfc, erfinv, i0, lgamma
from gradkit.primitives.trigonometric import (
    acos, acosh, asin, asinh, atan, atan2, atanh, cos, cosh, sin, sinc, sinh, tan, tanh,
)  # fmt: skip

__all__ = [
    "acos", "acosh", "arccos", "arccosh", "arcsin", "arcsinh", "arctan", "arctan2", "arctanh", "asin", "asinh", "atan", "atan2",
    "atanh", "ceil", "copysign", "cos", "cosh", "digamma", "erf", "erfc", "erfinv", "exp", "exp2", "expm1", "fix", "floor",
    "fmax", "fmin", "fmod", "frac", "heaviside", "hypot", "i0", "lgamma", "log", "log10", "log1p", "log2", "logaddexp",
    "logaddexp2", "maximum", "minimum", "polygamma", "reciprocal", "rsqrt", "sin", "sinc", "sinh", "sqrt", "square", "tan",
    "trunc", "xlogy",
]  # fmt: skip
METHODS = tuple(__all__)
INPLACE = tuple([name for name in __all__ if name not in ("fmax", "fmin", "logaddexp", "logaddexp2", "maximum", "minimum")])

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


#: What each function is, one or two operands for the example, and the answer.
_DOCUMENTATION = {
    acos: ("The angle in [0, pi] whose cosine this is; nan outside [-1, 1].", "[1.0, 0.0]", "[0.0000, 1.5708]"),
    acosh: ("The inverse of cosh; nan below 1.", "[1.0, 2.0]", ""),
    asin: ("The angle in [-pi/2, pi/2] whose sine this is; nan outside [-1, 1].", "[0.0, 1.0]", ""),
    asinh: ("The inverse of sinh.", "[0.0, 1.0]", ""),
    atan: ("The angle in (-pi/2, pi/2) whose tangent this is.", "[0.0, 1.0]", ""),
    atan2: ("The angle of the point (other, input), in [-pi, pi]; its derivative at the origin is 0.", "[1.0, 1.0], [1.0, -1.0]", ""),
    atanh: ("The inverse of tanh; infinite at -1 and 1, nan outside.", "[0.0, 0.5]", ""),
    ceil: ("The nearest integer above, in the dtype of the input; the derivative is 0.", "[-0.5, 1.2]", ""),
    copysign: ("The absolute value of `input` with the sign of `other`.", "[1.0, 2.0], [-3.0, 0.0]", ""),
    cos: ("The cosine of an angle in radians.", "[0.0, 1.0]", ""),
    cosh: ("The hyperbolic cosine.", "[0.0, 1.0]", ""),
    digamma: ("The derivative of `lgamma`.", "[1.0, 2.0]", ""),
    erf: ("The error function, ``2 / sqrt(pi)`` times the integral of ``exp(-t**2)`` from 0.", "[0.0, 1.0]", ""),
    erfc: ("``1 - erf(input)``, without cancellation.", "[0.0, 1.0]", ""),
    erfinv: ("The inverse of `erf`; infinite at -1 and 1, nan outside.", "[0.0, 0.5]", ""),
    exp: ("The exponential function.", "[0.0, 1.0]", ""),
    exp2: ("2 to the power of each element.", "[0.0, 3.0]", ""),
    expm1: ("``exp(input) - 1``, without cancellation.", "[0.0, 1.0]", ""),
    floor: ("The nearest integer below, in the dtype of the input; the derivative is 0.", "[-0.5, 1.2]", ""),
    fmax: ("The larger of two numbers, or the one that is not nan; a tie's derivative is the first one's.", "[1.0, 2.0], [3.0, float('nan')]", ""),
    fmin: ("The smaller of two numbers, or the one that is not nan; a tie's derivative is the first one's.", "[1.0, 2.0], [3.0, float('nan')]", ""),
    fmod: ("What division rounded towards 0 leaves, with the sign of `input`.", "[7.0, -7.0], [4.0, 4.0]", ""),
    frac: ("``input - trunc(input)``.", "[1.25, -1.25]", ""),
    heaviside: ("0 below 0, 1 above, and `values` at 0.", "[-1.0, 0.0], [0.5, 0.5]", ""),
    hypot: ("``sqrt(input**2 + other**2)``, without overflow.", "[3.0, 5.0], [4.0, 12.0]", ""),
    i0: ("The modified Bessel function of the first kind, of order 0.", "[0.0, 1.0]", ""),
    lgamma: ("The logarithm of the absolute value of the gamma function.", "[1.0, 5.0]", ""),
    log: ("The natural logarithm; -inf at 0, nan below.", "[1.0, 10.0]", ""),
    log10: ("The logarithm to base 10.", "[1.0, 1000.0]", ""),
    log1p: ("``log(1 + input)``, without cancellation.", "[0.0, 1.0]", ""),
    log2: ("The logarithm to base 2.", "[1.0, 8.0]", ""),
    logaddexp: ("``log(exp(input) + exp(other))``, without overflow.", "[0.0, 1000.0], [0.0, 1000.0]", ""),
    logaddexp2: ("``log2(2**input + 2**other)``, without overflow.", "[0.0, 1000.0], [0.0, 1000.0]", ""),
    maximum: ("The larger of two numbers, nan if one is; a tie shares the derivative.", "[1.0, 5.0], [3.0, 4.0]", ""),
    minimum: ("The smaller of two numbers, nan if one is; a tie shares the derivative.", "[1.0, 5.0], [3.0, 4.0]", ""),
    reciprocal: ("``1 / input``.", "[2.0, 4.0]", ""),
    rsqrt: ("``1 / sqrt(input)``.", "[1.0, 4.0]", ""),
    sin: ("The sine of an angle in radians.", "[0.0, 1.0]", ""),
    sinc: ("``sin(pi input) / (pi input)``, and 1 at 0.", "[0.0, 0.5]", ""),
    sinh: ("The hyperbolic sine.", "[0.0, 1.0]", ""),
    sqrt: ("The square root; nan below 0, the derivative at 0 is infinite.", "[4.0, 2.0]", ""),
    square: ("``input**2``.", "[3.0, -2.0]", ""),
    tan: ("The tangent of an angle in radians.", "[0.0, 1.0]", ""),
    tanh: ("The hyperbolic tangent.", "[0.0, 1.0]", ""),
    trunc: ("The integer part, in the dtype of the input; the derivative is 0.", "[-1.5, 1.5]", ""),
    xlogy: ("``input * log(other)``, and 0 where `input` is 0.", "[0.0, 2.0], [0.0, 3.0]", ""),
}  # fmt: skip
