"""Functions of each element: rows as they stand, with PyTorch's aliases."""

from typing import Any

from gradkit.engine.tensor import Tensor
from gradkit.ops.documentation import document
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


document(globals())
