"""Norms of vectors put to use: distances, angles, vectors of length one."""

import numpy as np

from gradkit.engine.tensor import Tensor, wrap
from gradkit.ops.reducing import sum as total
from gradkit.ops.shaping import broadcast_tensors
from gradkit.primitives.norm import vector_norm
from gradkit.primitives.piecewise import clamp
from gradkit.primitives.shape import axis_from_end, extents

__all__ = ["cosine_similarity", "pairwise_distance", "pdist"]


def length(x: Tensor, p: float, dim: int, keepdim: bool) -> Tensor:
    axes = (axis_from_end(x, dim),)
    return vector_norm(x, ord=p, axis=axes if x.ndim else (), keepdims=keepdim)


def pairwise_distance(x1: Tensor, x2: Tensor, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False) -> Tensor:
    """The p-norm of ``x1 - x2 + eps`` along the last axis; the shapes (*, D) broadcast, the result has shape (*).

    >>> gradkit.pairwise_distance(gradkit.zeros(1, 2), gradkit.tensor([[3.0, 4.0]]))
    tensor([5.0000])
    """
    return length(x1 - x2 + eps, p, -1, keepdim)


def cosine_similarity(x1: Tensor, x2: Tensor, dim: int = 1, eps: float = 1e-8) -> Tensor:
    """The cosine of the angle between vectors along `dim`; shapes broadcast. A length less than `eps` counts as `eps`.

    IndexError if there is no such axis, RuntimeError for integers.

    >>> gradkit.cosine_similarity(gradkit.tensor([[3.0, 4.0]]), gradkit.tensor([[6.0, 8.0]]))
    tensor([1.])
    """
    if x1.dtype.kind not in "fV" or x2.dtype.kind not in "fV":
        raise RuntimeError(f"expected common dtype to be floating point, yet it is of {x1.dtype.name} and {x2.dtype.name}")
    x1, x2 = broadcast_tensors(x1, x2)
    first, second = [clamp(length(x, 2, dim, keepdim=True), min=eps, max=None) for x in (x1, x2)]
    return total((x1 / first) * (x2 / second), dim=dim)


def normalize(input: Tensor, p: float = 2.0, dim: int = 1, eps: float = 1e-12) -> Tensor:
    """`input` over its p-norm along `dim`, or over `eps` where that is greater; the same shape.

    IndexError if there is no such axis.

    >>> F.normalize(gradkit.tensor([[3.0, 4.0]]))
    tensor([[0.6000, 0.8000]])
    """
    return input / clamp(length(input, p, dim, keepdim=True), min=eps, max=None)


def pdist(input: Tensor, p: float = 2.0) -> Tensor:
    """The p-norms of the differences of all pairs of rows i < j of (N, D), in their order: (N * (N - 1) / 2,).

    RuntimeError for another number of axes or a negative `p`. The derivative where two rows are equal is 0.

    >>> gradkit.pdist(gradkit.tensor([[0.0, 0.0], [3.0, 4.0], [0.0, 1.0]]))
    tensor([5.0000, 1.0000, 4.2426])
    """
    if input.ndim != 2:
        raise RuntimeError(f"pdist only supports 2D tensors, got: {input.ndim}D")
    if p < 0:
        raise RuntimeError(f"pdist only supports non-negative p values, got {p}")
    first, second = np.triu_indices(extents(input)[0], 1)
    return length(input[wrap(first)] - input[wrap(second)], p, -1, False)
