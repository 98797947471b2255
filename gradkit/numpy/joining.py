"""Joining and splitting by NumPy's signatures."""

from collections.abc import Callable
from typing import Any

import numpy as np

from gradkit.engine.naming import named
from gradkit.engine.operands import tensor_xp as xp
from gradkit.engine.tensor import Tensor
from gradkit.numpy.calling import asarray, axis_in, refuse_out, together
from gradkit.numpy.manipulation import atleast_1d, atleast_2d, atleast_3d
from gradkit.ops import joining


# -- joining
def concatenate(
    arrays: Any, /, axis: int | None = 0, out: Any = None, *, dtype: Any = None, casting: str = "same_kind"
) -> Tensor:
    """Arrays one behind the other along `axis`, or all of their elements in line if that is None.

    Their dtypes are promoted. ValueError if there are none, if they have no axes, or if other axes differ in extent.

    >>> gnp.concatenate([gradkit.ones(2), [3.0]])
    tensor([1., 1., 3.], dtype=gradkit.float64)
    """
    refuse_out("concatenate", out)
    tensors = _parts(arrays, dtype, casting)
    if axis is None:
        tensors, axis = [xp.reshape(x, (-1,)) for x in tensors], 0
    ndim = tensors[0].ndim
    if not ndim:
        raise ValueError("zero-dimensional arrays cannot be concatenated")
    return xp.cat(*tensors, axis=axis_in(axis, ndim) - ndim)


def _parts(arrays: Any, dtype: Any, casting: Any) -> list[Tensor]:
    tensors = [asarray(x) for x in arrays]
    if not tensors:
        raise ValueError("need at least one array to concatenate")
    for x in tensors if dtype is not None else ():
        if not np.can_cast(x.dtype, dtype, casting):
            raise TypeError(f"Cannot cast array data from {x.dtype} to {np.dtype(dtype)} by the rule {casting!r}")
    return together(tensors, dtype)


def stack(arrays: Any, axis: int = 0, out: Any = None, *, dtype: Any = None, casting: str = "same_kind") -> Tensor:
    """Arrays of one shape side by side along a new axis. ValueError if there are none or their shapes differ.

    >>> gnp.stack([gradkit.ones(3), gradkit.zeros(3)], axis=1).shape
    gradkit.Size([3, 2])
    """
    refuse_out("stack", out)
    tensors = _parts(arrays, dtype, casting)
    if len({tuple(x.shape) for x in tensors}) > 1:
        raise ValueError("all input arrays must have the same shape")
    ndim = tensors[0].ndim + 1
    return xp.stack_all(*tensors, axis=axis_in(axis, ndim) - ndim)


def vstack(tup: Any, *, dtype: Any = None, casting: str = "same_kind") -> Tensor:
    """Rows, or matrices, one below the other.

    >>> gnp.vstack([gradkit.ones(3), gradkit.zeros(2, 3)]).shape
    gradkit.Size([3, 3])
    """
    return concatenate([atleast_2d(x) for x in tup], 0, dtype=dtype, casting=casting)


def hstack(tup: Any, *, dtype: Any = None, casting: str = "same_kind") -> Tensor:
    """Vectors one behind the other, or matrices beside each other.

    >>> gnp.hstack([gradkit.ones(3), gradkit.zeros(2)]).shape
    gradkit.Size([5])
    """
    parts = [atleast_1d(x) for x in tup]
    return concatenate(parts, 0 if parts and parts[0].ndim == 1 else 1, dtype=dtype, casting=casting)


def dstack(tup: Any) -> Tensor:
    """Arrays one behind the other along the third axis.

    >>> gnp.dstack([gradkit.ones(3), gradkit.zeros(3)]).shape
    gradkit.Size([1, 3, 2])
    """
    return concatenate([atleast_3d(x) for x in tup], 2)


def column_stack(tup: Any) -> Tensor:
    """Vectors as the columns of a matrix; matrices are taken in as they are.

    >>> gnp.column_stack([gradkit.ones(3), gradkit.zeros(3)]).shape
    gradkit.Size([3, 2])
    """
    columns = [x if x.ndim > 1 else xp.reshape(x, (-1, 1)) for x in map(asarray, tup)]
    return concatenate(columns, 1)


def block(arrays: Any) -> Tensor:
    """Arrays put together as nested lists lay them out: the innermost lists along the last axis.

    ValueError if the lists are not equally deep.

    >>> gnp.block([[gradkit.eye(2), gradkit.ones(2, 1)], [gradkit.zeros(1, 3)]]).shape
    gradkit.Size([3, 3])
    """
    depth = _depth(arrays)
    rank = max([depth, *[np.ndim(x) for x in _leaves(arrays)]])
    return _assembled(arrays, depth, rank)


def _depth(arrays: Any) -> int:
    if not isinstance(arrays, list):
        return 0
    if not arrays:
        raise ValueError("List depths are mismatched: a list is empty")
    depths = {_depth(x) for x in arrays}
    if len(depths) > 1:
        raise ValueError(f"List depths are mismatched: {sorted(depths)}")
    return depths.pop() + 1


def _leaves(arrays: Any) -> list[Any]:
    return [leaf for x in arrays for leaf in _leaves(x)] if isinstance(arrays, list) else [asarray(arrays)]


def _assembled(arrays: Any, depth: int, rank: int) -> Tensor:
    if depth == 0:
        x = asarray(arrays)
        return xp.reshape(x, (1,) * (rank - x.ndim) + tuple(x.shape))
    return concatenate([_assembled(x, depth - 1, rank) for x in arrays], -depth)


def append(arr: Any, values: Any, axis: int | None = None) -> Tensor:
    """`values` behind `arr` along `axis`, or both in line.

    >>> gnp.append(gradkit.ones(2), gradkit.zeros(1))
    tensor([1., 1., 0.])
    """
    return concatenate([asarray(arr), asarray(values)], axis)


# -- splitting
def array_split(ary: Any, indices_or_sections: Any, axis: int = 0) -> list[Tensor]:
    """Pieces along `axis`: as many as an int says, nearly equal, or cut at the places of a list.

    >>> gnp.array_split(gradkit.arange(3), 2)
    [tensor([0, 1]), tensor([2])]
    """
    x = asarray(ary)
    if isinstance(indices_or_sections, int | np.integer):
        if indices_or_sections <= 0:
            raise ValueError("number sections must be larger than 0.")
        return list(joining.tensor_split(x, int(indices_or_sections), axis_in(axis, x.ndim)))
    return list(joining.tensor_split(x, [int(i) for i in indices_or_sections], axis_in(axis, x.ndim)))


def split(ary: Any, indices_or_sections: Any, axis: int = 0) -> list[Tensor]:
    """`array_split` whose pieces, counted by an int, have to be equal: ValueError if they cannot be.

    >>> gnp.split(gradkit.arange(4), 2)
    [tensor([0, 1]), tensor([2, 3])]
    """
    x = asarray(ary)
    if isinstance(indices_or_sections, int | np.integer) and x.shape[axis_in(axis, x.ndim)] % indices_or_sections:
        raise ValueError("array split does not result in an equal division")
    return array_split(x, indices_or_sections, axis)


def _split_along(name: str, axis: int, least: int) -> Callable[..., Any]:
    def function(ary: Any, indices_or_sections: Any) -> list[Tensor]:
        x = asarray(ary)
        if x.ndim < least:
            raise ValueError(f"{name} only works on arrays of {least} or more dimensions")
        return split(x, indices_or_sections, min(axis, x.ndim - 1))

    return named(function, name, f"""`split` along axis {axis}{", or along the only one" if name == "hsplit" else ""}.

    ValueError if there is no such axis or the pieces would not be equal.

    >>> len(gnp.{name}(gradkit.ones(2, 2, 2), 2))
    2
    """)


vsplit, hsplit, dsplit = _split_along("vsplit", 0, 2), _split_along("hsplit", 1, 1), _split_along("dsplit", 2, 3)


def unstack(x: Any, /, *, axis: int = 0) -> tuple[Tensor, ...]:
    """The slices along an axis, without it. ValueError if there is none.

    >>> gnp.unstack(gradkit.arange(2))
    (tensor(0), tensor(1))
    """
    x = asarray(x)
    if not x.ndim:
        raise ValueError("Input array must be at least 1-d.")
    return joining.unbind(x, axis_in(axis, x.ndim))


concat = concatenate

__all__ = [
    "append", "array_split", "block", "column_stack", "concat", "concatenate", "dsplit", "dstack", "hsplit", "hstack",
    "split", "stack", "unstack", "vsplit", "vstack",
]
