"""Elementwise functions with PyTorch's signatures."""

from typing import Any

from gradkit.engine.tensor import Tensor
from gradkit.primitives import elementwise as rows
from gradkit.primitives.elementwise import (
    cos, cosh, div, eq, exp, exp2, expm1, floor_divide, fmod, ge, gt, le, log, log1p, log2, log10, lt, maximum, mul, ne,
    neg, reciprocal, remainder, rsqrt, sin, sinh, sqrt, square, tan, tanh, where,
)  # fmt: skip

__all__ = [
    "add", "cos", "cosh", "div", "eq", "exp", "exp2", "expm1", "floor_divide", "fmod", "ge", "gt", "le", "log", "log10",
    "log1p", "log2", "lt", "maximum", "mul", "ne", "neg", "pow", "reciprocal", "remainder", "rsqrt", "sin", "sinh", "sqrt",
    "square", "sub", "tan", "tanh", "where",
]  # fmt: skip
METHODS = tuple([name for name in __all__ if name != "where"])
INPLACE = (
    "add", "cos", "cosh", "div", "exp", "exp2", "expm1", "log", "log10", "log1p", "log2", "mul", "neg", "pow",
    "reciprocal", "remainder", "rsqrt", "sin", "sinh", "sqrt", "square", "sub", "tan", "tanh",
)  # fmt: skip


def add(input: Tensor, other: Any, *, alpha: Any = 1) -> Tensor:  # noqa: A002
    """``input + alpha * other``, broadcast.

    >>> import gradkit
    >>> gradkit.add(gradkit.ones(2), gradkit.ones(2), alpha=2)
    tensor([3., 3.])
    """
    return rows.add(input, other if alpha == 1 else rows.mul(other, alpha) if isinstance(other, Tensor) else other * alpha)


def sub(input: Tensor, other: Any, *, alpha: Any = 1) -> Tensor:  # noqa: A002
    """``input - alpha * other``, broadcast.

    >>> import gradkit
    >>> gradkit.sub(gradkit.ones(2), 1, alpha=2)
    tensor([-1., -1.])
    """
    return rows.sub(input, other if alpha == 1 else rows.mul(other, alpha) if isinstance(other, Tensor) else other * alpha)


def pow(input: Any, exponent: Any) -> Tensor:  # noqa: A001, A002
    """``input ** exponent``, broadcast; either may be a number.

    >>> import gradkit
    >>> gradkit.pow(gradkit.tensor([1.0, 2.0]), 3)
    tensor([1., 8.])
    """
    if isinstance(exponent, int | float):
        return rows.pow_scalar(input, exponent=exponent)
    return rows.pow(input, exponent)
