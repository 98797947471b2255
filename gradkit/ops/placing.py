"""Places named by numbers or masks: selecting, adding, copying and filling there."""

import math
from collections.abc import Callable
from functools import wraps
from typing import Any

import numpy as np

from gradkit.backend.numpy import on_host
from gradkit.engine import inplace
from gradkit.engine.device import moved
from gradkit.engine.tensor import Tensor, wrap
from gradkit.engine.unrolled import own_code
from gradkit.ops.indexing import carried, into, nonzero, selected_ndim
from gradkit.ops.naming import numpy_names
from gradkit.ops.shaping import broadcast_shapes, expand, reshape
from gradkit.primitives import elementwise, indexing as rows
from gradkit.primitives.shape import astype, axis_from_end, extents

__all__ = [
    "index_add", "index_copy", "index_fill", "index_put", "index_select", "masked_scatter", "masked_select", "put",
    "take",
]
METHODS = (*__all__, "index_add_", "index_copy_", "index_fill_", "index_put_", "put_")
INPLACE = ("masked_scatter",)
Plan = Callable[..., tuple[tuple[Tensor, ...], dict[str, Any]]]


def two_forms(row: Any, write: Any) -> Callable[[Plan], Any]:
    """What a plan (other operands and parameters of a row) gives as an operation; `in_place` is that which writes."""

    def decorate(plan: Plan) -> Any:
        def operation(input: Tensor, *args: Any, **kwargs: Any) -> Any:
            others, params = plan(input, *args, **kwargs)
            return row(input, *others, **params)

        def in_place(input: Tensor, *args: Any, **kwargs: Any) -> Tensor:
            x = vector(input)
            others, params = plan(x, *args, **kwargs)
            inplace.put(x, row, into(write), others, params, f"{plan.__name__}_")
            return input

        in_place.__doc__ = f"`{plan.__name__}`, written into this tensor; returns it."
        both: Any = numpy_names(wraps(plan)(scalar_too(own_code(operation, plan.__name__))))
        both.in_place = numpy_names(own_code(in_place, f"{plan.__name__}_"))
        return both

    return decorate


def vector(x: Tensor) -> Tensor:
    return x if extents(x) else reshape(x, (1,))


def scalar_too(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """The same for a first operand without axes, as for a vector of one element."""

    @wraps(function)
    def call(input: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        x = vector(input)
        y = function(x, *args, **kwargs)
        return y if x is input else reshape(y, ())

    return call


# -- along one axis
@numpy_names
@scalar_too
def index_select(input: Tensor, dim: int, index: Tensor) -> Tensor:
    """The slices along `dim` whose numbers are in the vector `index`, in its order. RuntimeError for one out of bounds.

    >>> gradkit.index_select(gradkit.tensor([[1, 2, 3]]), 1, gradkit.tensor([2, 0])).tolist()
    [[3, 1]]
    """
    axis, numbers = axis_and_numbers(input, dim, index, "index_select")
    try:
        return rows.index(input, numbers, axes=(axis,), lead=0)
    except IndexError as reason:
        raise RuntimeError(str(reason)) from None


def axis_and_numbers(x: Tensor, dim: int, index: Tensor, name: str) -> tuple[int, Tensor]:
    if index.ndim > 1:
        raise IndexError(f"{name}(): Index is supposed to be a vector, got shape {list(index.shape)}")
    if index.dtype.kind not in "iu":
        raise RuntimeError(f"{name}(): Expected dtype int32 or int64 for index, got {index.dtype.name}")
    return axis_from_end(x, dim), vector(index)


def _along(x: Tensor, dim: int, index: Tensor, source: Tensor, name: str) -> tuple[Tensor, dict[str, Any], Tensor]:
    axis, numbers = axis_and_numbers(x, dim, index, name)
    shape, given = extents(x), extents(source) or (1,)
    n = extents(numbers)[0]
    if len(given) == len(shape) and given[axis] != n:
        kind = IndexError if name == "index_copy" else RuntimeError
        raise kind(
            f"{name}_(): Number of indices ({n}) should be equal to source.size(dim): ({given[axis]}), for dim: {dim}"
        )
    others, own = [[*sizes[:axis], *sizes[len(shape) + axis + 1 :]] for sizes in (given, shape)]
    if len(given) != len(shape) or others != own:
        raise RuntimeError(
            "source tensor shape must match self tensor shape, excluding the specified dimension. Got self.shape = "
            f"{list(shape)} source.shape = {list(given)}"
        )
    if source.dtype != x.dtype:
        raise RuntimeError(
            f"{name}_(): self ({x.dtype.name}) and source ({source.dtype.name}) must have the same scalar type"
        )
    return numbers, {"axes": (axis,), "lead": 0}, source


@two_forms(rows.index_put, rows.write_at)
def index_add(input: Tensor, dim: int, index: Tensor, source: Tensor, *, alpha: Any = 1) -> Any:
    """`input` with the slices of `source`, times `alpha`, added to those along `dim` whose numbers are in `index`.

    A number that comes twice is added to twice. RuntimeError for other shapes or dtypes, IndexError out of bounds.

    >>> gradkit.index_add(gradkit.zeros(3), 0, gradkit.tensor([0, 2, 2]), gradkit.ones(3))
    tensor([1., 0., 2.])
    """
    numbers, params, source = _along(input, dim, index, source, "index_add")
    if alpha != 1:
        source = elementwise.mul(source, alpha)
    return (source, numbers), {**params, "accumulate": True}


@two_forms(rows.index_put, rows.write_at)
def index_copy(input: Tensor, dim: int, index: Tensor, source: Tensor) -> Any:
    """`input` with the slices of `source` instead of those along `dim` whose numbers are in `index`.

    IndexError out of bounds, or for another number of slices than indices.

    >>> gradkit.index_copy(gradkit.zeros(3), 0, gradkit.tensor([2]), gradkit.ones(1))
    tensor([0., 0., 1.])
    """
    numbers, params, source = _along(input, dim, index, source, "index_copy")
    return (source, numbers), {**params, "accumulate": False}


@two_forms(rows.index_put, rows.write_at)
def index_fill(input: Tensor, dim: int, index: Tensor, value: Any) -> Any:
    """`input` with one number in all slices along `dim` whose numbers are in `index`.

    RuntimeError for a value with axes, IndexError out of bounds.

    >>> gradkit.index_fill(gradkit.zeros(3), 0, gradkit.tensor([0, 2]), 5)
    tensor([5., 0., 5.])
    """
    if isinstance(value, Tensor) and value.ndim:
        raise RuntimeError(
            f"index_fill_ only supports a 0-dimensional value tensor, but got tensor with {value.ndim} dimension(s)."
        )
    axis, numbers = axis_and_numbers(input, dim, index, "index_fill")
    return (like(value, input), numbers), {"axes": (axis,), "lead": 0, "accumulate": False}


def like(value: Any, x: Tensor) -> Tensor:
    if not isinstance(value, Tensor):
        return wrap(moved(np.asarray(value, x.dtype), x.device))
    return value if value.dtype == x.dtype else astype(value, dtype=x.dtype)


# -- anywhere
@two_forms(rows.index_put, rows.write_at)
def index_put(input: Tensor, indices: Any, values: Tensor, accumulate: bool = False) -> Any:
    """`input` with `values` at the places that index tensors for the first axes name together; added if `accumulate`.

    RuntimeError for another dtype or a shape that does not broadcast, IndexError out of bounds.

    >>> rows, columns = gradkit.tensor([0, 1]), gradkit.tensor([1, 0])
    >>> gradkit.index_put(gradkit.zeros(2, 2), (rows, columns), gradkit.tensor([1.0, 2.0]))
    tensor([[0., 1.],
            [2., 0.]])
    """
    if values.dtype != input.dtype:
        raise RuntimeError(
            f"Index put requires the source and destination dtypes match, got {input.dtype.name} for the destination "
            f"and {values.dtype.name} for the source."
        )
    places: list[Tensor] = []
    for one in indices:
        places += [carried(i, input) for i in ([one] if one.dtype != bool else nonzero(one, as_tuple=True))]
    if len(places) > input.ndim:
        raise IndexError(f"too many indices for tensor of dimension {input.ndim} (got {len(places)})")
    if len(extents(values)) > selected_ndim(input, places):
        raise RuntimeError(
            f"shape mismatch: value tensor of shape {list(extents(values))} cannot be broadcast to indexing result of "
            f"{selected_ndim(input, places)} dimension(s): reshape it"
        )
    axes = tuple(range(-input.ndim, len(places) - input.ndim))
    return (values, *places), {"axes": axes, "lead": 0, "accumulate": accumulate}


def take(input: Tensor, index: Tensor) -> Tensor:
    """The elements with these numbers, as if the tensor were flattened, in the shape of `index`.

    RuntimeError for an index that is no integer, IndexError out of bounds.

    >>> gradkit.take(gradkit.tensor([[1, 2], [3, 4]]), gradkit.tensor([0, 3])).tolist()
    [1, 4]
    """
    if index.dtype.kind not in "iu":
        raise RuntimeError(f"take(): Expected a long tensor for index, but got {index.dtype.name}")
    return rows.index(reshape(input, (math.prod(extents(input)),)), index, axes=(-1,), lead=0)


def put(input: Tensor, index: Tensor, source: Tensor, accumulate: bool = False) -> Tensor:
    """`input` with the elements of `source` at the places with these numbers, as if it were flattened.

    They are added there if `accumulate`. IndexError if there are not as many of both, or for one out of bounds.

    >>> gradkit.zeros(2, 2).put(gradkit.tensor([1, 2]), gradkit.tensor([5.0, 6.0])).tolist()
    [[0.0, 5.0], [6.0, 0.0]]
    """
    flat, numbers = reshape(input, (math.prod(extents(input)),)), reshape(index, (math.prod(extents(index)),))
    if source.numel() != index.numel():
        raise IndexError(
            "put_(): Expected source and index to have the same number of elements, but got source.numel() = "
            f"{source.numel()}, index.numel() = {index.numel()}"
        )
    values = reshape(source, extents(numbers))
    y = rows.index_put(flat, values, numbers, axes=(-1,), lead=0, accumulate=accumulate)
    return reshape(y, extents(input))


def put_(input: Tensor, index: Tensor, source: Tensor, accumulate: bool = False) -> Tensor:
    """`put`, written into this tensor; returns it."""
    return inplace.write(input, lambda x, index, source: put(x, index, source, accumulate), "put_", index, source)


# -- masks
def masked_select(input: Tensor, mask: Tensor) -> Tensor:
    """The elements where a mask holds, as a vector; both are broadcast.

    RuntimeError for a mask that is not of dtype bool.

    >>> gradkit.masked_select(gradkit.tensor([1, 2, 3]), gradkit.tensor([True, False, True]))
    tensor([1, 3])
    """
    if mask.dtype != bool:
        raise RuntimeError("masked_select: expected BoolTensor for mask")
    shape = broadcast_shapes(extents(input), extents(mask))
    x, places = [one if extents(one) == shape else expand(one, shape) for one in (input, mask)]
    return rows.masked_select(vector(x), vector(places), lead=0)


def masked_scatter(input: Tensor, mask: Tensor, source: Tensor) -> Tensor:
    """`input` with the elements of `source`, one after the other, where a mask holds.

    RuntimeError if there are too few of them, they are of another dtype, or the mask is not of dtype bool.

    >>> gradkit.zeros(3).masked_scatter(gradkit.tensor([True, False, True]), gradkit.tensor([5.0, 6.0]))
    tensor([5., 0., 6.])
    """
    if mask.dtype != bool:
        raise RuntimeError(f"masked_scatter_ only supports boolean masks, but got mask with dtype {mask.dtype.name}")
    if source.dtype != input.dtype:
        raise RuntimeError(
            f"masked_scatter: expected self and source to have same dtypes but got {input.dtype.name} and "
            f"{source.dtype.name}"
        )
    shape = broadcast_shapes(extents(input), extents(mask))
    x, places = expand(input, shape), expand(mask, shape)
    if not places.batch and on_host(places.array) and np.count_nonzero(places.array) > source.numel():
        raise RuntimeError(
            "masked_scatter: expected source to have at least as many elements as the mask has set places"
        )
    n = math.prod(shape)
    if not n or not source.numel():
        return x
    ranks = rows.mask_ranks(reshape(places, (n,)))
    values = rows.index(reshape(source, (source.numel(),)), reshape(ranks, shape), axes=(-1,), lead=0)
    return elementwise.where(places, values, x)


index_add_, index_copy_, index_fill_, index_put_ = [
    op.in_place for op in (index_add, index_copy, index_fill, index_put)
]
