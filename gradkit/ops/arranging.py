"""Elements put elsewhere: flipped, rolled, repeated, on diagonals and in triangles."""

import math
from typing import Any

import numpy as np

from gradkit import creation
from gradkit.backend.numpy import on_host
from gradkit.backend.protocol import backend_of
from gradkit.engine import dtypes
from gradkit.engine.batching import by_sample
from gradkit.engine.device import moved
from gradkit.engine.naming import named
from gradkit.engine.operands import on_one_device
from gradkit.engine.tensor import Tensor, wrap
from gradkit.ops.joining import cat
from gradkit.ops.naming import numpy_names
from gradkit.ops.shaping import expand, reshape, transpose, unsqueeze
from gradkit.primitives import arranging as rows
from gradkit.primitives.arranging import along
from gradkit.primitives.indexing import index, slice_
from gradkit.primitives.shape import axes_from_end, axis_from_end, clone, extents, sizes_from

__all__ = [
    "block_diag", "clone", "diag", "diag_embed", "diagflat", "diagonal", "flip", "fliplr", "flipud", "narrow",
    "repeat_interleave", "roll", "rot90", "select", "tile", "tril", "tril_indices", "triu", "triu_indices",
]
METHODS = {*__all__, "repeat", "unfold"} - {"block_diag", "tril_indices", "triu_indices"}
INPLACE = ("tril", "triu")


# -- reversed, rolled, turned
def flip(input: Tensor, *positional: Any, dims: Any = None) -> Tensor:
    """A copy with these axes reversed. RuntimeError for one that comes twice, IndexError for one that is not there.

    >>> gradkit.flip(gradkit.tensor([1, 2, 3]), (0,)).tolist()
    [3, 2, 1]
    """
    if not positional and dims is None:
        raise TypeError('flip() missing 1 required positional arguments: "dims"')
    axes = sizes_from(positional if dims is None else (dims,))
    return rows.flip(input, axis=axes_from_end(input, axes) if axes else ())


def fliplr(input: Tensor) -> Tensor:
    """The second axis reversed. RuntimeError for less than two axes.

    >>> gradkit.fliplr(gradkit.tensor([[1, 2]])).tolist()
    [[2, 1]]
    """
    if len(extents(input)) < 2:
        raise RuntimeError("Input must be >= 2-d.")
    return flip(input, 1)


def flipud(input: Tensor) -> Tensor:
    """The first axis reversed. RuntimeError for a scalar.

    >>> gradkit.flipud(gradkit.tensor([1, 2])).tolist()
    [2, 1]
    """
    if not extents(input):
        raise RuntimeError("Input must be >= 1-d.")
    return flip(input, 0)


def roll(input: Tensor, shifts: Any, dims: Any = None) -> Tensor:
    """Elements moved on by `shifts` along `dims`; what leaves at the end comes back at the start.

    Without `dims` the tensor is rolled as if flattened. RuntimeError if there are not as many shifts as axes.

    >>> gradkit.roll(gradkit.arange(4), 1).tolist()
    [3, 0, 1, 2]
    """
    shift = (shifts,) if hasattr(shifts, "__index__") else tuple(shifts)
    if not shift:
        raise RuntimeError("`shifts` required")
    if dims is None or (not hasattr(dims, "__index__") and not dims and len(shift) == 1):
        shape = extents(input)
        return reshape(rows.roll(reshape(input, (math.prod(shape),)), shift=shift, axis=(-1,)), shape)
    axes = (dims,) if hasattr(dims, "__index__") else tuple(dims)
    if len(axes) != len(shift):
        raise RuntimeError(f"shifts and dimensions must align. shifts: {len(shift)}, dims:{len(axes)}")
    return rows.roll(input, shift=shift, axis=tuple([axis_from_end(input, a) for a in axes]))


def rot90(input: Tensor, k: int = 1, dims: Any = (0, 1)) -> Tensor:
    """`k` quarter turns in the plane of two axes, from the first towards the second.

    RuntimeError unless there are two different ones.

    >>> gradkit.rot90(gradkit.tensor([[1, 2], [3, 4]])).tolist()
    [[2, 4], [1, 3]]
    """
    dims, ndim = tuple(dims), len(extents(input))
    if len(dims) != 2:
        raise RuntimeError(f"expected total rotation dims == 2, but got dims = {len(dims)}")
    if ndim < 2:
        raise RuntimeError(f"expected total dims >= 2, but got total dims = {ndim}")
    a, b = [axis_from_end(input, d) for d in dims]
    if a == b:
        raise RuntimeError(f"expected rotation dims to be different, but got dim0 = {dims[0]} and dim1 = {dims[1]}")
    turns = k % 4
    if turns == 0:
        return clone(input)
    if turns == 2:
        return flip(input, (a, b))
    return flip(transpose(input, a, b), a if turns == 1 else b)


# -- repeated
def repeat(input: Tensor, *positional: Any, repeats: Any = None) -> Tensor:
    """Copies of the whole tensor side by side, so many along each axis; further numbers in front give new axes.

    RuntimeError for less numbers than axes, or a negative one.

    >>> gradkit.tensor([1, 2]).repeat(2, 2).tolist()
    [[1, 2, 1, 2], [1, 2, 1, 2]]
    """
    times, shape = tuple(sizes_from(positional if repeats is None else (repeats,))), extents(input)
    if len(times) < len(shape):
        raise RuntimeError("Number of dimensions of repeat dims can not be smaller than number of dimensions of tensor")
    shape = (1,) * (len(times) - len(shape)) + tuple(shape)
    result = [n * k for n, k in zip(shape, times)]
    if any([k < 0 for k in times]):
        raise RuntimeError(f"Trying to create tensor with negative dimension {min(result)}: {result}")
    paired = [m for n in shape for m in (1, n)]
    spread = expand(reshape(input, paired), [m for n, k in zip(shape, times) for m in (k, n)])
    copy = reshape(spread, result)
    return clone(copy) if copy._view is not None else copy


def tile(input: Tensor, *positional: Any, dims: Any = None) -> Tensor:
    """`repeat`, where numbers that are missing in front are 1.

    >>> gradkit.tile(gradkit.tensor([[1], [2]]), (2,)).tolist()
    [[1, 1], [2, 2]]
    """
    times = tuple(sizes_from(positional if dims is None else (dims,)))
    return repeat(input, (1,) * (len(extents(input)) - len(times)) + times)


@numpy_names
@on_one_device
@by_sample("repeats")
def repeat_interleave(input: Tensor, repeats: Any = None, dim: int | None = None, *, output_size: int | None = None) -> Tensor:
    """Each element (or, with `dim`, each slice along it) repeated where it stands.

    `repeats` is a number, or a tensor of one for each. Given only such a tensor, the index that repeats each place so
    many times. RuntimeError for negative counts, or a tensor of counts of another length than the axis.

    >>> gradkit.repeat_interleave(gradkit.tensor([1, 2]), 2).tolist()
    [1, 1, 2, 2]
    """
    if repeats is None:
        return repeat_interleave(creation.arange(input.numel(), device=input.device), input, output_size=output_size)
    if dim is None:
        input, dim = reshape(input, (math.prod(extents(input)),)), 0
    shape = extents(input)
    axis = axis_from_end(input, dim)
    n = (shape or (1,))[axis]
    counts = repeats.array if isinstance(repeats, Tensor) else np.asarray(repeats)
    if counts.dtype.kind not in "iu":
        raise TypeError(f"repeat_interleave(): argument 'repeats' must be int or an integer tensor, not {counts.dtype.name}")
    if counts.size and on_host(counts) and counts.min() < 0:
        raise RuntimeError("repeats can not be negative" if counts.ndim else "Repeats must be non-negative")
    if counts.ndim and counts.size not in (1, n):
        raise RuntimeError(
            f"repeats must have the same size as input along dim, but got repeats.size(0) = {counts.size} and input.size(0) = {n}"
        )
    if not counts.ndim and shape:
        k, at = int(counts), axis + len(shape) + 1
        spread = expand(unsqueeze(input, at), (*shape[:at], k, *shape[at:]))
        merged = reshape(spread, (*shape[: at - 1], n * k, *shape[at:]))
        return clone(merged) if merged._view is not None else merged
    places = moved(_numbers_repeated(counts, output_size, n), input.device)
    return index(reshape(input, shape or (1,)), wrap(places), axes=(axis,), lead=0)


def _numbers_repeated(counts: Any, size: int | None, n: int) -> Any:
    """The numbers from 0 on, each as often as it says; on a device it need not be asked how many that are, given `size`."""
    if on_host(counts):
        return np.repeat(np.arange(n), counts)
    xp = backend_of(counts).xp
    ends = xp.cumsum(xp.broadcast_to(counts.reshape(-1), (n,)), axis=0)
    places = xp.arange((int(ends[-1]) if n else 0) if size is None else size)
    return xp.searchsorted(ends, places, side="right")


# -- parts
@numpy_names
def narrow(input: Tensor, dim: int, start: Any, length: int) -> Tensor:
    """A view of `length` elements from `start` on along `dim`.

    IndexError if `start` lies outside, RuntimeError if `length` is negative or leads outside.

    >>> gradkit.arange(5).narrow(0, 1, 3).tolist()
    [1, 2, 3]
    """
    shape = extents(input)
    if not shape:
        raise RuntimeError("narrow() cannot be applied to a 0-dim tensor.")
    if length < 0:
        raise RuntimeError("narrow(): length must be non-negative.")
    axis = axis_from_end(input, dim)
    n, first = shape[axis], int(start)
    if not -n <= first <= n:
        raise IndexError(f"start out of range (expected to be in range of [{-n}, {n}], but got {first})")
    first += n if first < 0 else 0
    if first + length > n:
        raise RuntimeError(f"start ({first}) + length ({length}) exceeds dimension size ({n}).")
    return slice_.apply(input, {"key": along(axis, slice(first, first + length))})


@numpy_names
def select(input: Tensor, dim: int, index: int) -> Tensor:
    """A view of the slice number `index` along `dim`, without that axis. IndexError if there is no such slice.

    >>> gradkit.arange(6).view(2, 3).select(1, 2).tolist()
    [2, 5]
    """
    shape = extents(input)
    if not shape:
        raise IndexError("select() cannot be applied to a 0-dim tensor.")
    axis, at = axis_from_end(input, dim), int(index)
    if not -shape[axis] <= at < shape[axis]:
        raise IndexError(f"select(): index {at} out of range for tensor of size {list(shape)} at dimension {axis + len(shape)}")
    return slice_.apply(input, {"key": along(axis, at)})


def unfold(input: Tensor, dimension: int, size: int, step: int) -> Tensor:
    """A view of all windows of `size` elements along an axis, `step` apart, each along a new last axis.

    RuntimeError for windows larger than the axis, or a step below 1.

    >>> gradkit.arange(5).unfold(0, 3, 2).tolist()
    [[0, 1, 2], [2, 3, 4]]
    """
    x = input if extents(input) else reshape(input, (1,))
    axis = axis_from_end(x, dimension)
    n = extents(x)[axis]
    if size > n:
        raise RuntimeError(f"maximum size for tensor at dimension {dimension} is {n} but size is {size}")
    if step <= 0:
        raise RuntimeError(f"step is {step} but must be > 0")
    windows = rows.unfold.apply(x, {"axis": axis, "size": size, "step": step})
    return windows if x is input else reshape(windows, (size,))


# -- diagonals and triangles
def diagonal(input: Tensor, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Tensor:
    """A view of the diagonal of two axes, along a new last axis; `offset` counts the parallels, upwards.

    RuntimeError if both are one axis, IndexError for an axis that is not there.

    >>> gradkit.diagonal(gradkit.tensor([[1, 2], [3, 4]])).tolist()
    [1, 4]
    """
    axis1, axis2 = axis_from_end(input, dim1), axis_from_end(input, dim2)
    if axis1 == axis2:
        raise RuntimeError(f"diagonal dimensions cannot be identical {dim1}, {dim2}")
    return rows.diagonal.apply(input, {"offset": offset, "axis1": axis1, "axis2": axis2})


def diag(input: Tensor, diagonal: int = 0) -> Tensor:
    """The matrix with a vector on its diagonal, or the (or a parallel) diagonal of a matrix.

    RuntimeError for other numbers of axes.

    >>> gradkit.diag(gradkit.tensor([1, 2])).tolist()
    [[1, 0], [0, 2]]
    """
    ndim = len(extents(input))
    if ndim not in (1, 2):
        raise RuntimeError(f"diag(): Supports 1D or 2D tensors. Got {ndim}D")
    return diag_embed(input, diagonal) if ndim == 1 else clone(rows.diagonal(input, offset=diagonal, axis1=-2, axis2=-1))


def diag_embed(input: Tensor, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Tensor:
    """Vectors (along the last axis) put on the diagonals of new matrices, whose axes are `dim1` and `dim2`.

    >>> gradkit.diag_embed(gradkit.ones(5, 2)).shape
    gradkit.Size([5, 2, 2])
    """
    shape = extents(input)
    axis1, axis2 = axis_from_end(input, dim1, extra=1), axis_from_end(input, dim2, extra=1)
    if axis1 == axis2:
        raise RuntimeError(f"diagonal dimensions cannot be identical {dim1}, {dim2}")
    n = shape[-1] + abs(offset)
    full = list(shape[:-1])
    for at in sorted([axis1 + len(shape) + 1, axis2 + len(shape) + 1]):
        full.insert(at, n)
    return rows.undiagonal(input, shape=tuple(full), offset=offset, axis1=axis1, axis2=axis2)


def diagflat(input: Tensor, offset: int = 0) -> Tensor:
    """The matrix with all elements of a tensor on its diagonal.

    >>> gradkit.diagflat(gradkit.ones(2, 2)).shape
    gradkit.Size([4, 4])
    """
    return diag_embed(reshape(input, (math.prod(extents(input)),)), offset)


def block_diag(*tensors: Tensor) -> Tensor:
    """The matrix with the given ones on its diagonal, zeros elsewhere; scalars and vectors count as rows.

    >>> gradkit.block_diag(gradkit.ones(1, 2), gradkit.ones(1, 1)).tolist()
    [[1.0, 1.0, 0.0], [0.0, 0.0, 1.0]]
    """
    parts = [x if x.ndim == 2 else reshape(x, (1, -1)) for x in tensors]
    width = sum([extents(x)[1] for x in parts])
    strips, before = [], 0
    for x in parts:
        n = extents(x)[1]
        strips.append(rows.pad_constant(x, pads=((before, width - before - n),), value=0.0))
        before += n
    return cat(strips)


def _triangle(name: str, row: Any, side: str) -> Any:
    def function(input: Tensor, diagonal: int = 0) -> Tensor:
        if len(extents(input)) < 2:
            raise RuntimeError(f"{name}: input tensor must have at least 2 dimensions")
        return row(input, k=diagonal)

    return named(function, name, f"""Matrices with zeros {side} their diagonal, or the parallel one number `diagonal`.

    RuntimeError for less than two axes.

    >>> gradkit.{name}(gradkit.ones(2, 2)).sum()
    tensor(3.)
    """)


tril, triu = _triangle("tril", rows.tril, "above"), _triangle("triu", rows.triu, "below")


def _triangle_indices(name: str, find: Any) -> Any:
    def function(row: int, col: int, offset: int = 0, *, dtype: Any = dtypes.int64, device: Any = None) -> Tensor:
        return creation.as_tensor(np.stack(find(row, offset, col)), dtype=dtype, device=device)

    return named(function, name, f"""Rows and columns of the places that `{name[:4]}` keeps of a `row` by `col` matrix: (2, n).

    >>> gradkit.{name}(2, 2).shape
    gradkit.Size([2, 3])
    """)


tril_indices, triu_indices = (
    _triangle_indices("tril_indices", np.tril_indices),
    _triangle_indices("triu_indices", np.triu_indices),
)
