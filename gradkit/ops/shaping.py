"""Shapes: the same elements with other axes. All are views of their operand's memory where that is possible."""

import math
import operator
from typing import Any

import numpy as np

from gradkit import errors
from gradkit.engine import dtypes
from gradkit.engine.tensor import Tensor, wrap
from gradkit.ops.naming import also_named
from gradkit.primitives import shape as rows
from gradkit.primitives.shape import axis_from_end, expansion, extents, order, reverse, shapes, sizes_from, swap

__all__ = [
    "adjoint", "broadcast_shapes", "broadcast_tensors", "broadcast_to", "flatten", "moveaxis", "movedim", "permute", "ravel", "reshape",
    "squeeze", "swapaxes", "swapdims", "t", "transpose", "unflatten", "unsqueeze",
]
METHODS = {*__all__, "expand", "expand_as", "reshape_as", "view", "view_as"} - {"broadcast_shapes", "broadcast_tensors"}
PROPERTIES = ("H", "T", "mH", "mT")


_reshape, _permute = rows.reshape.apply, rows.permute.apply


def axis_of(ndim: int, dim: int) -> int:
    """Counted from the front; IndexError, worded as PyTorch's, if there is no such axis."""
    n = ndim or 1
    if not -n <= dim < n:
        raise errors.out_of_range(dim, n)
    return dim + n if dim < 0 else dim


# -- the same elements in another shape
def reshape(input: Tensor, *sizes: Any, shape: Any = None) -> Tensor:
    """The same elements, in row-major order, in another shape; one extent may be -1. A view where that is possible.

    RuntimeError if the shape does not hold as many elements.

    >>> gradkit.arange(6).reshape(2, -1)
    tensor([[0, 1, 2],
            [3, 4, 5]])
    """
    if sizes and type(sizes[0]) is int and not input.batch:
        return _reshape(input, shapes[sizes], sizes)
    return rows.reshape(input, *sizes, shape=shape)


def view(input: Tensor, *shape: Any, size: Any = None, dtype: Any = None) -> Tensor:
    """The same memory in another shape (one extent may be -1), or read as another dtype.

    RuntimeError where that shape would take a copy: `reshape` makes one.

    >>> gradkit.arange(6).view(2, -1)
    tensor([[0, 1, 2],
            [3, 4, 5]])
    """
    if shape and type(shape[0]) is int:
        y = reshape(input, *shape)
    elif dtype is not None or (shape and isinstance(shape[0], np.dtype | type)):
        dtype = dtypes.known(dtype or shape[0])
        try:
            return wrap(input.array.view(dtype), batch=input.batch)
        except ValueError as reason:
            raise RuntimeError(f"view() of {errors.describe(input)} as {dtype.name}: {reason}") from None
    else:
        y = reshape(input, *shape) if size is None else reshape(input, size)
    if y._view is None and y.array.size and not input.batch:
        raise RuntimeError(
            "view size is not compatible with input tensor's size and stride (at least one dimension spans across two "
            "contiguous subspaces). Use .reshape(...) instead."
        )
    return y


def view_as(input: Tensor, other: Tensor) -> Tensor:
    """`view` in the shape of `other`.

    >>> gradkit.arange(4).view_as(gradkit.ones(2, 2)).shape
    gradkit.Size([2, 2])
    """
    return view(input, extents(other))


def reshape_as(input: Tensor, other: Tensor) -> Tensor:
    """`reshape` in the shape of `other`.

    >>> gradkit.arange(4).reshape_as(gradkit.ones(2, 2)).shape
    gradkit.Size([2, 2])
    """
    return reshape(input, extents(other))


def flatten(input: Tensor, start_dim: int = 0, end_dim: int = -1) -> Tensor:
    """The axes from `start_dim` to `end_dim`, both included, as one. A scalar becomes a vector of one element.

    IndexError for an axis that is not there, RuntimeError if `end_dim` comes before `start_dim`.

    >>> gradkit.ones(2, 3, 4).flatten(1).shape
    gradkit.Size([2, 12])
    """
    shape = extents(input)
    first, last = axis_of(len(shape), start_dim), axis_of(len(shape), end_dim)
    if last < first:
        raise RuntimeError("flatten() has invalid args: start_dim cannot come after end_dim")
    if shape and first == last:
        return input
    merged = (*shape[:first], math.prod(shape[first : last + 1]), *shape[last + 1 :])
    return _reshape(input, {"shape": merged})


def ravel(input: Tensor) -> Tensor:
    """All elements along one axis, in row-major order.

    >>> gradkit.ones(2, 3).ravel().shape
    gradkit.Size([6])
    """
    return reshape(input, (math.prod(extents(input)),))


def unflatten(input: Tensor, dim: int, sizes: Any) -> Tensor:
    """The axis `dim` as several of the given sizes, of which one may be -1: the reverse of `flatten`.

    RuntimeError if the sizes do not multiply up to the axis' extent.

    >>> gradkit.ones(2, 12).unflatten(1, (3, -1)).shape
    gradkit.Size([2, 3, 4])
    """
    shape = extents(input)
    at = axis_from_end(input, dim) + len(shape)
    sizes = tuple(sizes)
    if not sizes:
        raise RuntimeError("unflatten: sizes must be non-empty")
    known = math.prod([n for n in sizes if n != -1])
    if known != shape[at] if -1 not in sizes else not known or shape[at] % known:
        raise RuntimeError(
            f"unflatten: Provided sizes {list(sizes)} don't multiply up to the size of dim {at} ({shape[at]}) in the input tensor"
        )
    whole = [shape[at] // known if n == -1 else n for n in sizes]
    return reshape(input, (*shape[:at], *whole, *shape[at + 1 :]))


def squeeze(input: Tensor, dim: Any = None, *, axis: Any = None) -> Tensor:
    """Without the axes of extent 1: all of them, or those of `dim` (an int or a tuple) that have that extent.

    IndexError for an axis that is not there.

    >>> gradkit.ones(1, 2, 1).squeeze(0).shape
    gradkit.Size([2, 1])
    """
    shape, dim = extents(input), dim if axis is None else axis
    if dim is None:
        left = tuple([n for n in shape if n != 1])
    elif hasattr(dim, "__index__"):
        at = axis_of(len(shape), dim)
        left = shape[:at] + shape[at + 1 :] if shape and shape[at] == 1 else shape
    else:
        gone = {axis_of(len(shape), d) for d in dim}
        left = tuple([n for i, n in enumerate(shape) if n != 1 or i not in gone])
    return _reshape(input, {"shape": left})


def unsqueeze(input: Tensor, dim: int | None = None, *, axis: int | None = None) -> Tensor:
    """A new axis of extent 1 at `dim`. IndexError if `dim` leads outside the new shape.

    >>> gradkit.unsqueeze(gradkit.ones(3), 0).shape
    gradkit.Size([1, 3])
    """
    dim = dim if axis is None else axis
    if dim is None:
        raise TypeError('unsqueeze() missing 1 required positional arguments: "dim"')
    shape = extents(input)
    n = len(shape)
    if not -n - 1 <= dim <= n:
        raise errors.out_of_range(dim, n + 1)
    if dim < 0:
        dim += n + 1
    return _reshape(input, {"shape": (*shape[:dim], 1, *shape[dim:])})


# -- larger shapes
def expand(input: Tensor, *sizes: Any, size: Any = None) -> Tensor:
    """`input` seen in a larger shape without a copy: axes of extent 1 and new axes in front are repeated.

    -1 keeps an extent. RuntimeError if another axis would have to change.

    >>> gradkit.ones(3, 1).expand(-1, 4).shape
    gradkit.Size([3, 4])
    """
    return rows.expand.apply(input, expansion(extents(input), *sizes_from(sizes if size is None else (size,))))


def expand_as(input: Tensor, other: Tensor) -> Tensor:
    """`expand` to the shape of `other`.

    >>> gradkit.ones(3, 1).expand_as(gradkit.ones(3, 4)).shape
    gradkit.Size([3, 4])
    """
    return expand(input, extents(other))


def broadcast_to(input: Tensor, size: Any) -> Tensor:
    """`input` seen in a larger shape, without copying: `expand`.

    >>> gradkit.broadcast_to(gradkit.ones(3), (2, 3)).shape
    gradkit.Size([2, 3])
    """
    return expand(input, tuple(size))


def broadcast_tensors(*tensors: Tensor) -> tuple[Tensor, ...]:
    """All tensors in the shape that they broadcast to together. RuntimeError if there is none.

    >>> a, b = gradkit.broadcast_tensors(gradkit.ones(3, 1), gradkit.ones(4))
    >>> a.shape == b.shape == (3, 4)
    True
    """
    shape = broadcast_shapes(*map(extents, tensors))
    return tuple([expand(x, shape) for x in tensors])


def broadcast_shapes(*shapes: tuple[int, ...]) -> tuple[int, ...]:
    """The shape that arrays of these shapes broadcast to; RuntimeError if there is none."""
    found: tuple[int, ...] = ()
    for shape in shapes:
        try:
            found = np.broadcast_shapes(found, shape)
        except ValueError:
            at, a, b = _clash(found, shape)
            raise RuntimeError(
                f"The size of tensor a ({a}) must match the size of tensor b ({b}) at non-singleton dimension {at}"
            ) from None
    return found


def _clash(left: tuple[int, ...], right: tuple[int, ...]) -> tuple[int, int, int]:
    n = max(len(left), len(right))
    pairs = [(left[-i], right[-i], n - i) for i in range(1, min(len(left), len(right)) + 1)]
    return next((at, a, b) for a, b, at in pairs if a != b and 1 not in (a, b))


# -- other orders of the axes
def permute(input: Tensor, *dims: Any, **named: Any) -> Tensor:
    """A view with the axes in another order: ``permute(x, (2, 0, 1))`` or ``x.permute(2, 0, 1)``.

    RuntimeError unless `dims` has each axis once, IndexError for one that is not there.

    >>> gradkit.ones(2, 3, 4).permute(2, 0, 1).shape
    gradkit.Size([4, 2, 3])
    """
    if named:
        (dims,) = named.values()
    return _permute(input, order(len(extents(input)), *sizes_from(dims)))


def transpose(input: Tensor, dim0: int, dim1: int) -> Tensor:
    """With the axes `dim0` and `dim1` exchanged. IndexError for an axis that is not there.

    >>> gradkit.ones(2, 3, 4).transpose(0, 2).shape
    gradkit.Size([4, 3, 2])
    """
    return _permute(input, swap(len(extents(input)), dim0, dim1))


swapaxes = swapdims = also_named(axis0="dim0", axis1="dim1")(transpose)


def t(input: Tensor) -> Tensor:
    """The transpose of a matrix; a vector or scalar as it is. RuntimeError for more than two axes.

    >>> gradkit.t(gradkit.ones(2, 3)).shape
    gradkit.Size([3, 2])
    """
    ndim = len(extents(input))
    if ndim > 2:
        raise RuntimeError(f"t() expects a tensor with <= 2 dimensions, but self is {ndim}D")
    return _permute(input, swap(ndim, 0, -1))


def movedim(input: Tensor, source: Any, destination: Any) -> Tensor:
    """With the axes `source` (an int or several) standing at `destination`, the others in their order.

    RuntimeError if the two do not have the same number of axes or one appears twice.

    >>> gradkit.ones(2, 3, 4).movedim(0, -1).shape
    gradkit.Size([3, 4, 2])
    """
    ndim = len(extents(input))
    sources, targets = [[operator.index(dims)] if hasattr(dims, "__index__") else list(dims) for dims in (source, destination)]
    if len(sources) != len(targets):
        raise RuntimeError(
            f"movedim: Invalid source or destination dims: source ({sources} dims) should contain the same number of "
            f"dims as destination ({targets} dims)"
        )
    places = {}
    for name, dims in (("source", sources), ("destination", targets)):
        places[name] = [axis_from_end(input, d) + ndim for d in dims]
        if len(set(places[name])) != len(dims):
            raise RuntimeError(f"movedim: repeated dim in `{name}` ({dims})")
    fixed = dict(zip(places["destination"], places["source"]))
    others = iter([i for i in range(ndim) if i not in fixed.values()])
    return permute(input, tuple([fixed[i] if i in fixed else next(others) for i in range(ndim)]))


moveaxis = movedim


def adjoint(input: Tensor) -> Tensor:
    """Matrices transposed and conjugated. RuntimeError for less than two axes.

    >>> gradkit.adjoint(gradkit.ones(5, 2, 3)).shape
    gradkit.Size([5, 3, 2])
    """
    return _conjugate(_of_matrices(input, "adjoint()"))


def _of_matrices(x: Tensor, name: str) -> Tensor:
    ndim = len(extents(x))
    if ndim == 1 or (ndim == 0 and name == "adjoint()"):
        raise RuntimeError(f"tensor.{name} is only supported on matrices or batches of matrices. Got {ndim}-D tensor.")
    return _permute(x, swap(ndim, -2, -1)) if ndim else x


def _conjugate(x: Tensor) -> Tensor:
    return x.conj() if x.dtype.kind == "c" else x


def T(input: Tensor) -> Tensor:
    """All axes in reverse order.

    >>> gradkit.ones(2, 3).T.shape
    gradkit.Size([3, 2])
    """
    return _permute(input, reverse(len(extents(input))))


def mT(input: Tensor) -> Tensor:
    """The last two axes exchanged. RuntimeError for a vector.

    >>> gradkit.ones(5, 2, 3).mT.shape
    gradkit.Size([5, 3, 2])
    """
    return _of_matrices(input, "mT")


def H(input: Tensor) -> Tensor:
    """The conjugate transpose of a matrix. RuntimeError for other numbers of axes.

    >>> gradkit.tensor([[1j, 2]]).H.tolist()
    [[-1j], [(2-0j)]]
    """
    ndim = len(extents(input))
    if ndim not in (0, 2):
        more = " For batches of matrices, consider using tensor.mH" if ndim > 2 else ""
        raise RuntimeError(f"tensor.H is only supported on matrices (2-D tensors). Got {ndim}-D tensor.{more}")
    return _conjugate(t(input))


def mH(input: Tensor) -> Tensor:
    """Matrices transposed and conjugated. RuntimeError for a vector.

    >>> gradkit.ones(5, 2, 3).mH.shape
    gradkit.Size([5, 3, 2])
    """
    return _conjugate(_of_matrices(input, "mH"))
