"""Norms of vectors put to use: distances, angles, vectors of length one."""

import math

from gradkit.engine.tensor import Tensor
from gradkit.ops.reducing import amax
from gradkit.ops.reducing import sum as total
from gradkit.primitives import elementwise as rows
from gradkit.primitives.piecewise import clamp, where

__all__ = ["cosine_similarity", "pairwise_distance"]
METHODS: tuple[str, ...] = ()
INPLACE: tuple[str, ...] = ()


def length(x: Tensor, p: float, dim: int, keepdim: bool) -> Tensor:
    """The p-norm along one axis. Its derivative at the zero vector is 0, as in PyTorch: the operand is guarded there."""
    if p == 1:
        return total(rows.abs(x), dim=dim, keepdim=keepdim)
    if p == math.inf:
        return amax(rows.abs(x), dim=dim, keepdim=keepdim)
    if p == 0:
        return total((x != 0).to(x.dtype), dim=dim, keepdim=keepdim)
    powers = total(x * x if p == 2 else rows.pow_scalar(rows.abs(x), exponent=p), dim=dim, keepdim=keepdim)
    there = powers != 0
    guarded = where(there, powers, 1.0)
    return where(there, rows.sqrt(guarded) if p == 2 else rows.pow_scalar(guarded, exponent=1 / p), 0.0)


def pairwise_distance(x1: Tensor, x2: Tensor, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False) -> Tensor:
    """The p-norm of ``x1 - x2 + eps`` along the last axis; the shapes (*, D) broadcast, the result has shape (*).

    >>> import gradkit
    >>> gradkit.pairwise_distance(gradkit.zeros(1, 2), gradkit.tensor([[3.0, 4.0]]))
    tensor([5.])
    """
    return length(x1 - x2 + eps, p, -1, keepdim)


def cosine_similarity(x1: Tensor, x2: Tensor, dim: int = 1, eps: float = 1e-8) -> Tensor:
    """The cosine of the angle between vectors along `dim`; shapes broadcast. A length less than `eps` counts as `eps`.

    Raises IndexError if there is no such axis, RuntimeError for integers.

    >>> import gradkit
    >>> gradkit.cosine_similarity(gradkit.tensor([[3.0, 4.0]]), gradkit.tensor([[6.0, 8.0]]))
    tensor([1.])
    """
    if x1.dtype.kind not in "fV" or x2.dtype.kind not in "fV":
        raise RuntimeError(
            f"expected common dtype to be floating point, yet it is of {x1.dtype.name} and {x2.dtype.name}"
        )
    first, second = [clamp(length(x, 2, dim, keepdim=True), min=eps, max=None) for x in (x1, x2)]
    return total((x1 / first) * (x2 / second), dim=dim)


def normalize(input: Tensor, p: float = 2.0, dim: int = 1, eps: float = 1e-12) -> Tensor:
    """`input` over its p-norm along `dim`, or over `eps` where that is greater; the same shape.

    Raises IndexError if there is no such axis.

    >>> import gradkit
    >>> from gradkit.nn.functional import normalize
    >>> normalize(gradkit.tensor([[3.0, 4.0]]))
    tensor([[0.6000, 0.8000]])
    """
    return input / clamp(length(input, p, dim, keepdim=True), min=eps, max=None)
