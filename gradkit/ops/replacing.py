"""A copy of a tensor with a part of it replaced: as writing into a view of the copy, for programs that do not write."""

from typing import Any

import numpy as np

from gradkit import creation
from gradkit.engine.device import moved
from gradkit.engine.inplace import overwritten
from gradkit.engine.tensor import Tensor, wrap
from gradkit.engine.views import chain
from gradkit.ops.arranging import diagonal, narrow, select
from gradkit.primitives.indexing import index
from gradkit.primitives.norm import vector_norm
from gradkit.primitives.piecewise import where
from gradkit.primitives.shape import axis_from_end, clone, extents, reshape

__all__ = ["as_strided", "diagonal_scatter", "fill", "narrow_copy", "renorm", "select_scatter", "slice_scatter", "vander"]
METHODS = set(__all__) - {"fill", "vander"}
INPLACE = ("renorm",)


def select_scatter(input: Tensor, src: Tensor, dim: int, index: int) -> Tensor:
    """A copy of `input` with `src` in the place of ``input.select(dim, index)``, whose shape it has.

    >>> gradkit.select_scatter(gradkit.zeros(2, 2), gradkit.ones(2), 0, 1)
    tensor([[0., 0.],
            [1., 1.]])
    """
    return _replaced("select_scatter", input, src, lambda x: select(x, dim, index))


def slice_scatter(
    input: Tensor, src: Tensor, dim: int = 0, start: int | None = None, end: int | None = None, step: int = 1
) -> Tensor:
    """A copy of `input` with `src` in the place of ``start:end:step`` along `dim`, whose shape it has.

    >>> gradkit.slice_scatter(gradkit.zeros(4), gradkit.ones(2), start=2)
    tensor([0., 0., 1., 1.])
    """
    key = (slice(None),) * (axis_from_end(input, dim) + input.ndim) + (slice(start, end, step),)
    return _replaced("slice_scatter", input, src, lambda x: x[key])


def diagonal_scatter(input: Tensor, src: Tensor, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Tensor:
    """A copy of `input` with `src` in the place of ``input.diagonal(offset, dim1, dim2)``, whose shape it has.

    >>> gradkit.diagonal_scatter(gradkit.zeros(2, 2), gradkit.ones(2))
    tensor([[1., 0.],
            [0., 1.]])
    """
    return _replaced("diagonal_scatter", input, src, lambda x: diagonal(x, offset, dim1, dim2))


def _replaced(name: str, input: Tensor, src: Tensor, part: Any) -> Tensor:
    view = part(wrap(input.array, batch=input.batch))
    if view.shape != src.shape:
        raise RuntimeError(
            f"{name}: expected src to have a size equal to the slice of self. src size = {list(src.shape)}, slice size = "
            f"{list(view.shape)}"
        )
    return overwritten(input, src, chain(view))


def narrow_copy(input: Tensor, dim: int, start: int, length: int) -> Tensor:
    """`narrow` in memory of its own.

    >>> gradkit.narrow_copy(gradkit.arange(4), 0, 1, 2)
    tensor([1, 2])
    """
    return clone(narrow(input, dim, start, length))


def fill(input: Tensor, value: Any) -> Tensor:
    """A tensor of the shape and dtype of `input` filled with a number, or a 0-d tensor, which gets the gradient.

    >>> gradkit.fill(gradkit.zeros(2), 3)
    tensor([3., 3.])
    """
    return clone(input).fill_(value)


def as_strided(input: Tensor, size: Any, stride: Any, storage_offset: int | None = None) -> Tensor:
    """Elements of the memory of `input`, `stride` of them apart along each axis of `size`: a copy, through which gradients
    flow, and not a view as in PyTorch.

    RuntimeError where this leaves the elements that `input` has, or its memory is not contiguous.

    >>> gradkit.as_strided(gradkit.arange(4.0), (3, 2), (1, 1))
    tensor([[0., 1.],
            [1., 2.],
            [2., 3.]])
    """
    size, stride, start = tuple(size), tuple(stride), storage_offset or 0
    if not input.is_contiguous():
        raise RuntimeError("as_strided: this tensor is not contiguous; write x.contiguous().as_strided(...)")
    places = np.asarray(start)
    for n, step in zip(size, stride, strict=True):
        places = places[..., None] + step * np.arange(n)
    if places.size and not 0 <= places.min() <= places.max() < input.numel():
        raise RuntimeError(
            f"as_strided: size {list(size)}, stride {list(stride)} and offset {start} leave the {input.numel()} elements"
        )
    return index(reshape(input, (-1,)), wrap(moved(places, input.device)), axes=(-1,), lead=0)


def renorm(input: Tensor, p: float, dim: int, maxnorm: float) -> Tensor:
    """Each slice along `dim` scaled down to the `p`-norm `maxnorm` where it is longer; the same shape.

    RuntimeError for a `p` that is not positive, a negative `maxnorm` and less than two axes.

    >>> gradkit.renorm(gradkit.tensor([[3.0, 4.0], [0.0, 1.0]]), 2, 0, 1.0)
    tensor([[0.6000, 0.8000],
            [0.0000, 1.0000]])
    """
    if not p > 0:
        raise RuntimeError("renorm: non-positive-norm not supported")
    if input.ndim < 2:
        raise RuntimeError(f"renorm: input needs at least 2 dimensions, got {input.ndim} dimensions")
    if maxnorm < 0:
        raise RuntimeError(f"renorm: expected maxnorm to be >= 0 but got {maxnorm}")
    axis = axis_from_end(input, dim)
    others = tuple([a for a in range(-input.ndim, 0) if a != axis])
    lengths = vector_norm(input, ord=float(p), axis=others, keepdims=True)
    return input * where(lengths > maxnorm, maxnorm / (lengths + 1e-7), 1.0)


def vander(x: Tensor, N: int | None = None, increasing: bool = False) -> Tensor:
    """The powers of the elements of a vector (n,), a row each: (n, N), N being n if None; the highest first.

    RuntimeError for another number of axes or a negative `N`.

    >>> gradkit.vander(gradkit.tensor([2.0, 3.0]), 3)
    tensor([[4., 2., 1.],
            [9., 3., 1.]])
    """
    if x.ndim != 1:
        raise RuntimeError(f"x must be a one-dimensional tensor, got shape {list(x.shape)}")
    count = extents(x)[0] if N is None else N
    if count < 0:
        raise RuntimeError(f"N must be non-negative, got {count}")
    powers = creation.arange(count, device=x.device)
    y = x.unsqueeze(-1) ** (powers if increasing else powers.flip(0))
    return y if x.dtype.kind in "fcV" else y.long()
