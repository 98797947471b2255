"""Shapes: composites of reshape, permute and expand."""

from typing import Any

from gradkit.engine.tensor import Tensor
from gradkit.primitives.shape import axis_from_end, permute, reshape
from gradkit.primitives.shape import expand as _expand

__all__ = ["broadcast_to", "permute", "reshape", "t", "unsqueeze"]
METHODS = ("broadcast_to", "expand", "permute", "reshape", "t", "unsqueeze")
INPLACE: tuple[str, ...] = ()


def unsqueeze(input: Tensor, dim: int) -> Tensor:  # noqa: A002
    """A new axis of extent 1 at `dim`.

    >>> import gradkit
    >>> gradkit.unsqueeze(gradkit.ones(3), 0).shape
    gradkit.Size([1, 3])
    """
    at = axis_from_end(input, dim, extra=1) + input.ndim + 1
    shape = tuple(input.shape)
    return reshape(input, (*shape[:at], 1, *shape[at:]))


def t(input: Tensor) -> Tensor:  # noqa: A002
    """The transpose of a matrix; a vector or scalar as it is. RuntimeError for more than two axes.

    >>> import gradkit
    >>> gradkit.t(gradkit.ones(2, 3)).shape
    gradkit.Size([3, 2])
    """
    if input.ndim > 2:
        raise RuntimeError(f"t() expects a tensor with <= 2 dimensions, but self is {input.ndim}D; use .mT or permute")
    return permute(input, (1, 0)) if input.ndim == 2 else input


def broadcast_to(input: Tensor, shape: Any) -> Tensor:  # noqa: A002
    """`input` seen in a larger shape, without copying.

    >>> import gradkit
    >>> gradkit.broadcast_to(gradkit.ones(3), (2, 3)).shape
    gradkit.Size([2, 3])
    """
    shape = tuple(shape)
    if len(shape) > input.ndim:
        input = reshape(input, (1,) * (len(shape) - input.ndim) + tuple(input.shape))  # noqa: A001
    return _expand(input, shape=shape)


def expand(input: Tensor, *sizes: Any) -> Tensor:  # noqa: A002
    """`input` seen in a larger shape; -1 keeps an extent.

    >>> import gradkit
    >>> gradkit.ones(3, 1).expand(-1, 4).shape
    gradkit.Size([3, 4])
    """
    shape = tuple(sizes[0]) if len(sizes) == 1 and not isinstance(sizes[0], int) else sizes
    lead = len(shape) - input.ndim
    return broadcast_to(input, [input.shape[i - lead] if n == -1 else n for i, n in enumerate(shape)])
