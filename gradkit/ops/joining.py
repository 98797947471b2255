"""Several tensors as one, and one as several."""

import itertools
from collections.abc import Sequence
from functools import reduce
from typing import Any

from gradkit import errors
from gradkit.engine.dtypes import promote_types
from gradkit.engine.naming import named
from gradkit.engine.operands import one_device
from gradkit.engine.tensor import Tensor
from gradkit.ops.naming import also_named, numpy_names
from gradkit.ops.shaping import expand, reshape, transpose
from gradkit.primitives import arranging as rows
from gradkit.primitives.arranging import FULL
from gradkit.primitives.indexing import slice_
from gradkit.primitives.shape import astype, axis_from_end, extents

__all__ = [
    "atleast_1d", "atleast_2d", "atleast_3d", "cartesian_prod", "cat", "chunk", "column_stack", "concat",
    "concatenate", "dsplit", "dstack", "hsplit", "hstack", "meshgrid", "row_stack", "split", "split_with_sizes",
    "stack", "tensor_split", "unbind", "unsafe_chunk", "unsafe_split", "vsplit", "vstack",
]
METHODS = (
    "chunk", "dsplit", "hsplit", "split", "split_with_sizes", "tensor_split", "unbind", "unsafe_chunk",
    "unsafe_split", "vsplit",
)


# -- joining
def cat(tensors: Any, dim: int = 0, *, axis: int | None = None) -> Tensor:
    """Tensors joined along an axis that they have; in all other axes they must agree.

    A tensor of shape (0,) is left out. Their dtypes are promoted together. ValueError for no tensors, RuntimeError if
    shapes do not fit.

    >>> gradkit.cat([gradkit.zeros(2), gradkit.ones(1)])
    tensor([0., 0., 1.])
    """
    parts, shapes = _parts("cat", tensors)
    if not parts:
        raise ValueError("cat(): expected a non-empty list of Tensors")
    dim = dim if axis is None else axis
    if type(dim) is not int:
        dim = errors.checked_int("cat", "dim", dim)
    rank = len(shapes[0])
    if not rank or shapes.count(shapes[0]) < len(shapes):
        parts = _joinable(parts, shapes, dim)
        rank = parts[0].ndim
    if not -rank <= dim < rank:
        raise errors.out_of_range(dim, rank)
    return rows.cat(*parts, axis=dim if dim < 0 else dim - rank)


concat = concatenate = cat


def _joinable(parts: list[Tensor], shapes: list[tuple[int, ...]], dim: int) -> list[Tensor]:
    """The tensors that are to be joined, without those of shape (0,); RuntimeError if they do not fit."""
    first = next((s for s in shapes if s != (0,)), (0,))
    at = axis_from_end(next(x for x, s in zip(parts, shapes) if s == first), dim)
    for number, shape in enumerate(shapes):
        if not shape:
            raise RuntimeError(f"zero-dimensional tensor (at position {number}) cannot be concatenated")
        if shape == (0,):
            continue
        if len(shape) != len(first):
            raise RuntimeError(f"Tensors must have same number of dimensions: got {len(first)} and {len(shape)}")
        for i, (n, m) in enumerate(zip(shape, first)):
            if n != m and i - len(first) != at:
                raise RuntimeError(
                    f"Sizes of tensors must match except in dimension {at + len(first)}. Expected size {m} but got "
                    f"size {n} for tensor number {number} in the list."
                )
    dtype = reduce(promote_types, [x.dtype for x in parts])
    parts = [x for x, s in zip(parts, shapes) if s != (0,)]
    parts[0] = parts[0] if parts[0].dtype == dtype else astype(parts[0], dtype=dtype)
    return parts


def _parts(name: str, tensors: Any, filled: bool = False) -> tuple[list[Tensor], list[tuple[int, ...]]]:
    """The tensors of a list or tuple, and their shapes. TypeError for anything else, RuntimeError if one is needed."""
    if isinstance(tensors, Tensor) or not (type(tensors) in (list, tuple) or isinstance(tensors, Sequence)):
        raise TypeError(f"{name}(): argument 'tensors' (position 1) must be tuple of Tensors, not {type(tensors).__name__}")
    try:
        shapes = [x.array.shape if not x.batch else extents(x) for x in tensors]
    except AttributeError:
        i, x = next((i, x) for i, x in enumerate(tensors) if not isinstance(x, Tensor))
        raise TypeError(f"expected Tensor as element {i} in argument 0, but got {type(x).__name__}") from None
    if filled and not shapes:
        raise RuntimeError(f"{name} expects a non-empty TensorList")
    return list(tensors), shapes


def stack(tensors: Any, dim: int = 0, *, axis: int | None = None) -> Tensor:
    """Tensors of one shape joined along a new axis. RuntimeError if shapes differ or there is no tensor.

    >>> gradkit.stack([gradkit.zeros(2), gradkit.ones(2)])
    tensor([[0., 0.],
            [1., 1.]])
    """
    parts, shapes = _parts("stack", tensors, filled=True)
    first = shapes[0]
    if shapes.count(first) < len(shapes):
        i, shape = next((i, shape) for i, shape in enumerate(shapes) if shape != first)
        raise RuntimeError(
            f"stack expects each tensor to be equal size, but got {list(first)} at entry 0 and {list(shape)} at entry {i}"
        )
    return rows.stack_all(*parts, axis=axis_from_end(parts[0], dim if axis is None else axis, extra=1))


def hstack(tensors: Any) -> Tensor:
    """Tensors side by side: vectors along their one axis, others along the second.

    >>> gradkit.hstack([gradkit.zeros(2), gradkit.ones(1)])
    tensor([0., 0., 1.])
    """
    parts = atleast_1d(_parts("hstack", tensors, filled=True)[0])
    return cat(parts, 0 if parts[0].ndim == 1 else 1)


def vstack(tensors: Any) -> Tensor:
    """Tensors above one another: vectors as rows.

    >>> gradkit.vstack([gradkit.zeros(2), gradkit.ones(2)]).shape
    gradkit.Size([2, 2])
    """
    return cat(atleast_2d(_parts("vstack", tensors, filled=True)[0]), 0)


row_stack = vstack


def dstack(tensors: Any) -> Tensor:
    """Tensors behind one another, along the third axis.

    >>> gradkit.dstack([gradkit.zeros(2), gradkit.ones(2)]).shape
    gradkit.Size([1, 2, 2])
    """
    return cat(atleast_3d(_parts("dstack", tensors, filled=True)[0]), 2)


def column_stack(tensors: Any) -> Tensor:
    """Tensors side by side, scalars and vectors as columns.

    >>> gradkit.column_stack([gradkit.zeros(2), gradkit.ones(2)]).shape
    gradkit.Size([2, 2])
    """
    parts, _ = _parts("column_stack", tensors, filled=True)
    return cat([x if x.ndim > 1 else reshape(x, (x.numel(), 1)) for x in parts], 1)


def meshgrid(*tensors: Any, indexing: str = "ij") -> tuple[Tensor, ...]:
    """Coordinates of a grid: each vector spread over all of the others' axes.

    With `indexing` "xy" the first two axes of the results are exchanged. RuntimeError for a tensor with several axes.

    >>> x, y = gradkit.meshgrid(gradkit.arange(2), gradkit.arange(3), indexing="ij")
    >>> x
    tensor([[0, 0, 0],
            [1, 1, 1]])
    """
    parts, _ = _parts("meshgrid", tensors[0] if len(tensors) == 1 and not isinstance(tensors[0], Tensor) else tensors)
    if indexing not in ("ij", "xy"):
        raise RuntimeError(f'torch.meshgrid: indexing must be one of "xy" or "ij", but received: {indexing}')
    for x in parts:
        if x.ndim > 1:
            raise RuntimeError(f"torch.meshgrid: Expected 0D or 1D tensor in the tensor list but got: {errors.describe(x)}")
    one_device("meshgrid", *parts)
    n = len(parts)
    shape = tuple([x.numel() for x in parts])
    grid = [expand(reshape(x, [x.numel() if i == j else 1 for j in range(n)]), shape) for i, x in enumerate(parts)]
    return tuple([transpose(x, 0, 1) for x in grid] if indexing == "xy" and n > 1 else grid)


def cartesian_prod(*tensors: Tensor) -> Tensor:
    """All combinations of the elements of several vectors, a row each. RuntimeError for what is no vector.

    >>> gradkit.cartesian_prod(gradkit.arange(2), gradkit.arange(2)).tolist()
    [[0, 0], [0, 1], [1, 0], [1, 1]]
    """
    for x in tensors:
        if x.ndim != 1:
            raise RuntimeError(f"Expect a 1D vector, but got shape {list(extents(x))}")
    if len(tensors) == 1:
        return tensors[0]
    return stack([reshape(x, (-1,)) for x in meshgrid(*tensors)], 1)


# -- at least so many axes
def _at_least(name: str, raised: Any) -> Any:
    def function(*tensors: Any) -> Any:
        if len(tensors) == 1 and isinstance(tensors[0], Tensor):
            return raised(tensors[0])
        return tuple([raised(x) for x in (tensors[0] if len(tensors) == 1 else tensors)])

    return named(function, name, f"""Each tensor with at least {name[8]} axes: what is missing has extent 1. A tuple for several.

    >>> gradkit.{name}(gradkit.tensor(1.0)).ndim
    {name[8]}
    """)


atleast_1d = _at_least("atleast_1d", lambda x: x if x.ndim else reshape(x, (1,)))
atleast_2d = _at_least("atleast_2d", lambda x: x if x.ndim > 1 else reshape(x, (1, *(extents(x) or (1,)))))
atleast_3d = _at_least(
    "atleast_3d", lambda x: x if x.ndim > 2 else reshape(x, (*((1,) * (x.ndim < 2)), *(extents(x) or (1,)), 1))
)


# -- splitting
def _pieces(x: Tensor, axis: int, bounds: list[int]) -> tuple[Tensor, ...]:
    """Views of what lies between neighbouring bounds along an axis."""
    take, tail = slice_.apply, FULL[-axis - 1]
    return tuple([take(x, {"key": (..., slice(a, b), *tail)}) for a, b in itertools.pairwise(bounds)])


@also_named(axis="dim", split_size="split_size_or_sections")
def split(tensor: Tensor, split_size_or_sections: Any, dim: int = 0) -> tuple[Tensor, ...]:
    """Views of a tensor's parts along `dim`: of one size (the last may be smaller), or of the sizes given.

    RuntimeError for a negative size, or sizes that do not sum up to the extent.

    >>> [part.tolist() for part in gradkit.arange(5).split(2)]
    [[0, 1], [2, 3], [4]]
    """
    if not isinstance(split_size_or_sections, int):
        return split_with_sizes(tensor, split_size_or_sections, dim)
    size, axis = split_size_or_sections, _split_axis(tensor, dim, "split")
    n = extents(tensor)[axis]
    if size < 0:
        raise RuntimeError(f"split expects split_size be non-negative, but got split_size={size}")
    if not size and n:
        raise RuntimeError(f"split_size can only be 0 if dimension size is 0, but got dimension size of {n}")
    return _pieces(tensor, axis, [*range(0, n, size or 1), n] if n else [0, 0])


@numpy_names
def split_with_sizes(input: Tensor, split_sizes: Any, dim: int = 0) -> tuple[Tensor, ...]:
    """Views of a tensor's parts along `dim`, of the sizes given. RuntimeError if these do not sum up to the extent.

    >>> [part.tolist() for part in gradkit.arange(5).split_with_sizes([1, 4])]
    [[0], [1, 2, 3, 4]]
    """
    axis, sizes = _split_axis(input, dim, "split"), list(split_sizes)
    n = extents(input)[axis]
    if any([size < 0 for size in sizes]):
        raise RuntimeError(f"split_with_sizes expects split_sizes have only non-negative entries, but got split_sizes={sizes}")
    if sum(sizes) != n:
        raise RuntimeError(
            f"split_with_sizes expects split_sizes to sum exactly to {n} (input tensor's size at dimension "
            f"{axis + input.ndim}), but got split_sizes={sizes}"
        )
    bounds = [0]
    for size in sizes:
        bounds.append(bounds[-1] + size)
    return _pieces(input, axis, bounds)


@numpy_names
def chunk(input: Tensor, chunks: int, dim: int = 0) -> tuple[Tensor, ...]:
    """At most `chunks` views of parts along `dim`, all of one size but perhaps the last. RuntimeError if `chunks` < 1.

    >>> [part.tolist() for part in gradkit.arange(5).chunk(2)]
    [[0, 1, 2], [3, 4]]
    """
    axis = _split_axis(input, dim, "chunk")
    if chunks < 1:
        raise RuntimeError(f"chunk expects `chunks` to be greater than 0, got: {chunks}")
    n = extents(input)[axis]
    size = -(-n // chunks)
    return _pieces(input, axis, [*range(0, n, size), n] if n else [0] * (chunks + 1))


unsafe_split, unsafe_chunk = split, chunk


def _split_axis(x: Tensor, dim: int, name: str) -> int:
    if not extents(x):
        raise RuntimeError(f"{name} expects at least a 1-dimensional tensor")
    return axis_from_end(x, dim)


@numpy_names
def tensor_split(input: Tensor, indices_or_sections: Any, dim: int = 0) -> tuple[Tensor, ...]:
    """Views of parts along `dim`: a number of them as equal as can be, or those that lie between the given indices.

    RuntimeError for a scalar, or a number below 1.

    >>> [part.tolist() for part in gradkit.arange(5).tensor_split((1, 3))]
    [[0], [1, 2], [3, 4]]
    """
    shape = extents(input)
    if not shape:
        raise RuntimeError("tensor_split expected at least a 1-dimensional tensor, but got a tensor with 0 dims")
    axis = axis_from_end(input, dim)
    if isinstance(indices_or_sections, Tensor):
        indices_or_sections = indices_or_sections.tolist()
    n = shape[axis]
    if isinstance(indices_or_sections, int):
        sections = indices_or_sections
        if sections < 1:
            raise RuntimeError(f"number of sections must be larger than 0, got {sections}")
        size, more = divmod(n, sections)
        return _pieces(input, axis, [i * size + min(i, more) for i in range(sections + 1)])
    bounds = [0, *indices_or_sections, n]
    return tuple([_pieces(input, axis, [a, b])[0] for a, b in itertools.pairwise(bounds)])


def _nd_split(name: str, least: int, dim: int) -> Any:
    def function(input: Tensor, indices_or_sections: Any) -> tuple[Tensor, ...]:
        shape = extents(input)
        if len(shape) < least:
            raise RuntimeError(
                f"torch.{name} requires a tensor with at least {least} dimension, but got a tensor with {len(shape)} dimensions!"
            )
        at = 0 if name == "hsplit" and len(shape) == 1 else dim
        if isinstance(indices_or_sections, int) and (not indices_or_sections or shape[at] % indices_or_sections):
            raise RuntimeError(
                f"torch.{name} attempted to split along dimension {at}, but the size of the dimension {shape[at]} is "
                f"not divisible by the split_size {indices_or_sections}!"
            )
        return tensor_split(input, indices_or_sections, at)

    return named(function, name, f"""`tensor_split` along axis {dim}{", or that of a vector," * (dim == 1)} into equal parts.

    RuntimeError for less than {least} axes, or if a number of parts does not divide the extent.

    >>> len(gradkit.ones(2, 2, 2).{name}(2))
    2
    """)


hsplit, vsplit, dsplit = _nd_split("hsplit", 1, 1), _nd_split("vsplit", 2, 0), _nd_split("dsplit", 3, 2)


@numpy_names
def unbind(input: Tensor, dim: int = 0) -> tuple[Tensor, ...]:
    """Views of all slices along `dim`, without that axis. IndexError for a scalar or an axis that is not there.

    >>> [x.item() for x in gradkit.arange(3).unbind()]
    [0, 1, 2]
    """
    shape = extents(input)
    if not shape:
        raise IndexError("Dimension specified as 0 but tensor has no dimensions")
    axis = axis_from_end(input, dim)
    take, tail = slice_.apply, FULL[-axis - 1]
    return tuple([take(input, {"key": (..., i, *tail)}) for i in range(shape[axis])])
