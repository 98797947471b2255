"""Tensors written in place: values from elsewhere, and another shape of the same memory."""

from typing import Any

import numpy as np

from gradkit import errors
from gradkit.engine import inplace
from gradkit.engine.naming import named
from gradkit.engine.tensor import Tensor
from gradkit.ops.arranging import diagonal
from gradkit.ops.indexing import __setitem__
from gradkit.ops.shaping import squeeze, swapaxes, t, transpose, unsqueeze
from gradkit.primitives.shape import extents

__all__: list[str] = []
METHODS = ("copy_", "fill_", "fill_diagonal_", "squeeze_", "swapaxes_", "swapdims_", "t_", "transpose_", "unsqueeze_", "zero_")


def copy_(input: Tensor, src: Any, non_blocking: bool = False) -> Tensor:
    """Write the elements of `src`, cast and broadcast, into this tensor, and return it. Gradients go to `src`.

    RuntimeError if `src` does not broadcast to this tensor's shape, or this is a leaf that requires grad.

    >>> gradkit.zeros(2).copy_(gradkit.tensor([1, 2]))
    tensor([1., 2.])
    """
    if isinstance(src, Tensor):
        shape, wanted = extents(src), extents(input)
        if len(shape) > len(wanted):
            raise RuntimeError(
                f"output with shape {list(wanted)} doesn't match the broadcast shape {list(shape)}: reshape the source first"
            )
    elif not isinstance(src, bool | int | float | complex):
        raise errors.not_a_tensor("copy_", 0, src)
    return inplace.assign(input, src, "copy_")


def fill_(input: Tensor, value: Any) -> Tensor:
    """Write one number, or tensor without axes, into all of this tensor, and return it. Gradients go to `value`.

    RuntimeError for a tensor with axes, a number that this dtype cannot hold, or if this is a leaf that requires grad.

    >>> gradkit.zeros(2).fill_(3)
    tensor([3., 3.])
    """
    if isinstance(value, Tensor) and value.ndim:
        raise RuntimeError(f"fill_ only supports 0-dimension value tensor but got tensor with {value.ndim} dimensions.")
    if not isinstance(value, Tensor | bool | int | float | complex | np.number | np.bool_):
        raise TypeError(f"fill_(): argument 'value' must be a number or a Tensor, not {type(value).__name__}")
    return inplace.assign(input, value, "fill_")


def zero_(input: Tensor) -> Tensor:
    """Write zeros into all of this tensor, and return it.

    >>> gradkit.ones(2).zero_()
    tensor([0., 0.])
    """
    return inplace.assign(input, 0, "zero_")


def fill_diagonal_(input: Tensor, fill_value: Any, wrap: bool = False) -> Tensor:
    """Write a number on the main diagonal, and return this tensor. All axes of one with more than two must be as long.

    With `wrap` the diagonal of a tall matrix starts again after each width + 1 rows. RuntimeError for a vector, or axes
    of different lengths.

    >>> gradkit.zeros(2, 2).fill_diagonal_(1).tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """
    shape = extents(input)
    if len(shape) < 2:
        raise RuntimeError("dimensions must larger than 1")
    if len(set(shape)) > 1 and len(shape) > 2:
        raise RuntimeError("all dimensions of input must be of equal length")
    if len(shape) > 2:
        __setitem__(input, (np.arange(shape[0]),) * len(shape), fill_value)
    elif wrap:
        for start in range(0, shape[0], shape[1] + 1):
            fill_(diagonal(input, -start), fill_value)
    else:
        fill_(diagonal(input), fill_value)
    return input


# -- another shape
def _in_place(name: str, op: Any) -> Any:
    def method(input: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        return inplace.become(input, lambda x: op(x, *args, **kwargs), name)

    return named(method, name, f"""`{name[:-1]}` of this tensor itself, in its memory. RuntimeError for a leaf that requires grad.

    >>> x = gradkit.ones(1, 2)
    >>> x.{name}({_EXAMPLES.get(name, "")}) is x
    True
    """)


_EXAMPLES = {"unsqueeze_": "0", "transpose_": "0, 1", "swapaxes_": "0, 1", "swapdims_": "0, 1"}
squeeze_, unsqueeze_, t_, transpose_ = [_in_place(f"{op.__name__}_", op) for op in (squeeze, unsqueeze, t, transpose)]
swapaxes_ = swapdims_ = _in_place("swapaxes_", swapaxes)
