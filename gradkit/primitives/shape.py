"""Rows that change how elements are laid out and do no arithmetic: views of the same memory, and rearranged copies."""

import math
from functools import lru_cache
from operator import index as as_int
from typing import Any

import numpy as np

from gradkit import errors
from gradkit.families import linear


# -- shapes and axes
def extents(x) -> tuple[int, ...]:
    """The shape as a plain tuple: what `x.shape` says, at a third of the cost."""
    try:
        shape = x.array.shape
    except AttributeError:
        raise errors.not_a_tensor("this function", 0, x) from None
    return shape[len(x.batch) :] if x.batch else shape


def sizes_from(sizes: tuple[Any, ...]) -> tuple[Any, ...]:
    """``f(2, 3)`` and ``f((2, 3))`` alike: the sizes as one tuple."""
    if len(sizes) == 1 and type(sizes[0]) is not int and not hasattr(sizes[0], "__index__"):
        return tuple(sizes[0])
    return sizes


def in_front(sizes: tuple[int, ...], shape, **rest) -> dict[str, Any]:
    """A shape parameter under batch axes."""
    return {"shape": (*sizes, *shape), **rest}


def axis_from_end(x, axis: int, extra: int = 0) -> int:
    """One axis counted from the end; IndexError, worded as PyTorch's, if `x` has no such axis."""
    ndim = len(extents(x)) + extra
    n = ndim or 1
    try:
        axis = as_int(axis)
    except TypeError:
        raise errors.no_dim(axis) from None
    if not -n <= axis < n:
        raise errors.out_of_range(axis, n, x)
    return axis if axis < 0 else axis - n


def axes_from_end(x, axis) -> tuple[int, ...]:
    """Axes counted from the end; None is all of them."""
    ndim = len(extents(x))
    if axis is None:
        return tuple(range(-ndim, 0))
    if hasattr(axis, "__index__"):
        return (axis_from_end(x, axis),) if ndim else ()
    if not isinstance(axis, tuple | list | range):
        raise errors.no_dim(axis)
    axes = tuple([axis_from_end(x, a) for a in axis]) if ndim else ()
    if len(set(axes)) != len(axes):
        twice = next(a for a in axes if axes.count(a) > 1) + ndim
        raise RuntimeError(f"dim {twice} appears multiple times in the list of dims")
    return axes or tuple(range(-ndim, 0))


# -- reshape
def shape_of(x, *sizes, shape=None) -> dict[str, Any]:
    """``reshape(x, 2, 3)``, ``reshape(x, (2, 3))``, and one -1, which the array itself works out where it can."""
    if shape is None:
        if not sizes:
            raise TypeError('reshape() missing 1 required positional arguments: "shape"')
        shape = sizes if type(sizes[0]) is int else sizes_from(sizes)
    if min(shape, default=0) < -1:
        completed(tuple(shape), 0)
    if x.batch and -1 in shape:
        shape = completed(tuple(shape), math.prod(extents(x)))
    return {"shape": shape}


class Shapes(dict[tuple[int, ...], dict[str, Any]]):
    """The parameter of reshape by the extents that people write, checked once for each shape that a program uses."""

    def __missing__(self, sizes: tuple[int, ...]) -> dict[str, Any]:
        if min(sizes) < -1:
            completed(sizes, 0)
        if len(self) > 1024:
            self.clear()
        params = self[sizes] = {"shape": tuple([as_int(n) for n in sizes])}
        return params


shapes = Shapes()


def completed(shape: tuple[int, ...], size: int) -> tuple[int, ...]:
    """The shape with its -1 worked out; RuntimeError if it cannot hold `size` elements."""
    unknown = shape.count(-1)
    known = math.prod([n for n in shape if n != -1])
    if unknown > 1:
        raise RuntimeError("only one dimension can be inferred")
    for i, n in enumerate(shape):
        if n < -1:
            raise RuntimeError(f"invalid shape dimension {n} at index {i} of shape {list(shape)}")
    if unknown and not known and not size:
        raise RuntimeError(
            f"cannot reshape tensor of 0 elements into shape {list(shape)} because the unspecified dimension size -1 "
            "can be any value and is ambiguous"
        )
    if known != size if not unknown else not known or size % known:
        raise RuntimeError(f"shape '{list(shape)}' is invalid for input of size {size}")
    return tuple([size // known if n == -1 else n for n in shape])


def reshaped(_xp, x, shape):
    try:
        return x.reshape(tuple([as_int(n) for n in shape]))  # CuPy takes 6.0 too
    except (TypeError, ValueError):
        completed(tuple([as_int(n) for n in shape]), x.size)
        raise


reshape = linear(
    "reshape", reshaped, [lambda xp, d, _y, x_shape, shape: xp.reshape(d, x_shape)],
    [((3, 4), {"shape": (2, 6)}), ((3, 4), {"shape": (12,)})],
    tidy=shape_of, batching=in_front, view=True, last_counts=True, method=np.ndarray.reshape,
    peer=lambda torch, x, shape: torch.reshape(x, shape),
)


# -- expand
@lru_cache(maxsize=1024)
def expansion(shape: tuple[int, ...], *sizes: int) -> dict[str, Any]:
    """The parameters of expand, checked once for each pair of shapes that a program uses; -1 keeps an extent."""
    new = len(sizes) - len(shape)
    if new < 0:
        raise RuntimeError(
            f"expand({shape}, size={list(sizes)}): the number of sizes provided ({len(sizes)}) must be greater or "
            f"equal to the number of dimensions in the tensor ({len(shape)})"
        )
    full = list(sizes)
    for i, n in enumerate(sizes):
        if i < new:
            if n < 0:
                raise RuntimeError(
                    f"The expanded size of the tensor ({n}) isn't allowed in a leading, non-existing dimension {i}"
                )
        elif n == -1:
            full[i] = shape[i - new]
        elif n != shape[i - new] != 1 or n < 0:
            raise RuntimeError(
                f"The expanded size of the tensor ({n}) must match the existing size ({shape[i - new]}) at "
                f"non-singleton dimension {i}.  Target sizes: {list(sizes)}.  Tensor sizes: {list(shape)}"
            )
    return {"shape": tuple(full), "rank": len(shape)}


def expanded(xp, x, shape: tuple[int, ...], rank: int):
    lead = x.ndim - rank
    if lead and len(shape) != x.ndim:
        x = x.reshape(x.shape[:lead] + (1,) * (len(shape) - x.ndim) + x.shape[lead:])
    return xp.broadcast_to(x, shape)


def unexpanded(xp, d, _y, x_shape, shape, rank: int):
    new = len(shape) - len(x_shape)
    spread = (*range(-rank - new, -rank), *[i for i in range(-rank, 0) if x_shape[i] == 1 != shape[i]])
    return xp.reshape(xp.sum(d, axis=spread, keepdims=True), x_shape) if spread else d


# `rank` is that of the operand without batch axes, so that new axes go behind those.
expand = linear(
    "expand", expanded, [unexpanded],
    [
        ((3, 1), {"shape": (3, 4), "rank": 2}), ((1, 3), {"shape": (2, 3), "rank": 2}),
        ((3, 1), {"shape": (2, 3, 2), "rank": 2}), ((2, 3), {"shape": (2, 3), "rank": 2}),
    ],
    batching=in_front, view=True, peer=lambda torch, x, shape, rank: x.expand(shape),
)


# -- permute
def order_of(x, *axes, dims=None) -> dict[str, Any]:
    axes = sizes_from(axes) if dims is None else tuple(dims)
    return order(len(extents(x)), *axes)


@lru_cache(maxsize=1024, typed=True)
def order(ndim: int, *axes: int) -> dict[str, Any]:
    """The parameter of permute, checked once for each order that a program uses."""
    if len(axes) != ndim:
        raise RuntimeError(
            "permute(): number of dimensions in the tensor input does not match the length of the desired "
            f"ordering of dimensions i.e. input.dim() = {ndim} is not equal to len(dims) = {len(axes)}"
        )
    for a in axes:
        if not -ndim <= a < ndim:
            raise errors.out_of_range(a, ndim)
    from_end = tuple([a if a < 0 else a - ndim for a in axes])
    if len(set(from_end)) != ndim:
        raise RuntimeError("permute(): duplicate dims are not allowed.")
    return {"axes": from_end}


@lru_cache(maxsize=64)
def reverse(ndim: int) -> dict[str, Any]:
    """The order that reverses all axes."""
    return {"axes": tuple(range(-1, -ndim - 1, -1))}


@lru_cache(maxsize=1024)
def swap(ndim: int, dim0: int, dim1: int) -> dict[str, Any]:
    """The order that exchanges two axes."""
    n = ndim or 1
    for a in (dim0, dim1):
        if not -n <= a < n:
            raise errors.out_of_range(a, n)
    axes = list(range(-ndim, 0))
    if ndim:
        axes[dim0], axes[dim1] = axes[dim1], axes[dim0]
    return {"axes": tuple(axes)}


def permuted(_xp, x, axes: tuple[int, ...]):
    lead = x.ndim - len(axes)
    return x.transpose((*range(lead), *axes) if lead else axes)


@lru_cache(maxsize=1024)
def unpermuted(axes: tuple[int, ...]) -> tuple[int, ...]:
    order = [a + len(axes) for a in axes]
    return tuple([order.index(i) - len(axes) for i in range(len(axes))])


permute = linear(
    "permute", permuted,
    [lambda xp, d, _y, _x, axes: xp.permute(d, (*range(len(d.shape) - len(axes)), *unpermuted(axes)))],
    [((2, 3, 4), {"axes": (-1, -3, -2)})], tidy=order_of, view=True, method=np.ndarray.transpose,
    peer=lambda torch, x, axes: torch.permute(x, axes),
)


# -- alias, convert
alias = linear("alias", lambda _xp, x: x[...], [lambda _xp, d, _y, _x: d], [((3,), {})], view=True)
compact = linear("compact", lambda _xp, x: x.copy(), [lambda _xp, d, _y, _x: d], [((3,), {})], title="CloneBackward0")
# The order in memory is kept, as far as the operand has one: an expanded axis has not, and NumPy would put it last.
clone = linear("clone", lambda _xp, x: x.copy("C" if 0 in x.strides else "K"), [lambda _xp, d, _y, _x: d], [((3,), {})])
astype = linear(
    "astype", lambda xp, x, dtype: xp.astype(x, dtype), [lambda _xp, d, _y, _x, dtype: d],
    [((3,), {"dtype": "float64"})], title="ToCopyBackward0",
    peer=lambda torch, x, dtype: x.to(getattr(torch, str(dtype))),
)
