"""Orders: sorting, ranks, distinct values, counting and searching."""

import math
from typing import Any

from gradkit import creation, errors
from gradkit.backend.numpy import on_host
from gradkit.backend.protocol import backend_of
from gradkit.engine import batching, dtypes
from gradkit.engine.operands import on_one_device
from gradkit.engine.tensor import Tensor, wrap
from gradkit.ops import return_types
from gradkit.ops.naming import numpy_names
from gradkit.ops.shaping import reshape, squeeze, unsqueeze
from gradkit.primitives import sorting as rows
from gradkit.primitives.comparison import eq
from gradkit.primitives.selection import gather
from gradkit.primitives.shape import astype, axis_from_end, extents

__all__ = [
    "argsort", "bincount", "bucketize", "kthvalue", "median", "mode", "msort", "nanmedian", "searchsorted", "sort",
    "topk", "unique", "unique_consecutive",
]
METHODS = set(__all__) - {"bucketize", "searchsorted"}


# -- orders
def _with_axis(x: Tensor, dim: int) -> tuple[Tensor, int, tuple[int, ...]]:
    shape = extents(x)
    if x.dtype.kind == "c":
        raise RuntimeError(f"Sort does not support complex dtypes: {x.dtype.name} has no order")
    return x if shape else reshape(x, (1,)), axis_from_end(x, dim), shape


@numpy_names
def sort(input: Tensor, dim: int = -1, descending: bool = False, stable: bool | None = None) -> Any:
    """The elements in order along `dim`, and where they stood: a tuple ``(values, indices)``.

    Equal elements stay in the order they have; NaN counts as the largest. IndexError for an axis that is not there.

    >>> gradkit.sort(gradkit.tensor([3, 1, 2])).indices
    tensor([1, 2, 0])
    """
    x, axis, shape = _with_axis(input, dim)
    indices = rows.sort_order(x, axis=axis, descending=bool(descending))
    values = gather(x, indices, axis=axis)
    return return_types.sort(*[y if shape else reshape(y, ()) for y in (values, indices)])


@numpy_names
def argsort(input: Tensor, dim: int = -1, descending: bool = False, stable: bool = False) -> Tensor:
    """Where the elements stand that come first, second and so on along `dim`: the indices of `sort`.

    >>> gradkit.argsort(gradkit.tensor([3, 1, 2]), descending=True)
    tensor([0, 2, 1])
    """
    x, axis, shape = _with_axis(input, dim)
    return reshape(rows.sort_order(x, axis=axis, descending=bool(descending)), shape)


def msort(input: Tensor) -> Tensor:
    """The elements in order along the first axis.

    >>> gradkit.msort(gradkit.tensor([3, 1, 2]))
    tensor([1, 2, 3])
    """
    return sort(input, 0).values


@numpy_names
def topk(input: Tensor, k: int, dim: int = -1, largest: bool = True, sorted: bool = True) -> Any:
    """The `k` largest (or smallest) elements along `dim`, in order, and where they stand: ``(values, indices)``.

    RuntimeError if there are not that many.

    >>> gradkit.topk(gradkit.tensor([1.0, 3.0, 2.0]), 2).values
    tensor([3., 2.])
    """
    x, axis, shape = _with_axis(input, dim)
    k = errors.checked_int("topk", "k", k)
    if not 0 <= k <= extents(x)[axis]:
        raise RuntimeError(f"selected index k out of range: {k} of {extents(x)[axis]}")
    indices = rows.top_order(x, k=k, axis=axis, largest=bool(largest))
    values = gather(x, indices, axis=axis)
    return return_types.topk(*[y if shape or not k else reshape(y, ()) for y in (values, indices)])


# -- ranks
def _picked(kind: Any, name: str, x: Tensor, dim: int, keepdim: bool, find: Any) -> Any:
    x, axis, shape = _with_axis(x, dim)
    if not extents(x)[axis]:
        raise IndexError(f"{name}(): Expected reduction dim {axis + x.ndim} to have non-zero size.")
    indices = find(x, axis)
    values = gather(x, indices, axis=axis)
    return kind(*[y if keepdim and shape else squeeze(y, axis) for y in (values, indices)])


@numpy_names
def kthvalue(input: Tensor, k: int, dim: int = -1, keepdim: bool = False) -> Any:
    """The `k`-th smallest element along `dim`, counted from 1, and where it stands: ``(values, indices)``.

    RuntimeError if there are not that many.

    >>> gradkit.kthvalue(gradkit.tensor([1.0, 3.0, 2.0]), 2).values
    tensor(2.)
    """
    axis, k = axis_from_end(input, dim), errors.checked_int("kthvalue", "k", k)
    n = (extents(input) or (1,))[axis]
    if n and not 1 <= k <= n:
        raise RuntimeError(f"kthvalue(): selected number k out of range for dimension {axis + max(input.ndim, 1)}")
    return _picked(return_types.kthvalue, "kthvalue", input, dim, keepdim, lambda x, axis: rows.kth(x, k=k, axis=axis))


@numpy_names
def median(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Any:
    """The lower median of all elements, or along `dim` with where it stands: ``(values, indices)``.

    NaN if there is one. Of all elements, equal ones share the gradient. IndexError for an axis without elements.

    >>> gradkit.median(gradkit.tensor([1.0, 4.0, 2.0, 3.0]))
    tensor(2.)
    """
    return _median(return_types.median, "median", input, dim, keepdim, False)


@numpy_names
def nanmedian(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Any:
    """`median` of the elements that are not NaN.

    >>> gradkit.nanmedian(gradkit.tensor([1.0, float("nan"), 3.0]))
    tensor(1.)
    """
    return _median(return_types.nanmedian, "nanmedian", input, dim, keepdim, True)


def _median(kind: Any, name: str, x: Tensor, dim: int | None, keepdim: bool, ignore_nan: bool) -> Any:
    if dim is None:
        return rows.median_all(reshape(x, (math.prod(extents(x)),)), ignore_nan=ignore_nan)
    return _picked(kind, name, x, dim, keepdim, lambda x, axis: rows.median_index(x, axis=axis, ignore_nan=ignore_nan))


@numpy_names
def mode(input: Tensor, dim: int = -1, keepdim: bool = False) -> Any:
    """The most frequent element along `dim`, the least of several, and where it stands last: ``(values, indices)``.

    >>> gradkit.mode(gradkit.tensor([3, 1, 2, 2, 1]))
    gradkit.return_types.mode(
    values=tensor(1),
    indices=tensor(4))
    """
    return _picked(return_types.mode, "mode", input, dim, keepdim, lambda x, axis: rows.mode_index(x, axis=axis))


# -- distinct values
@numpy_names
@on_one_device
def unique(
    input: Tensor, sorted: bool = True, return_inverse: bool = False, return_counts: bool = False, dim: int | None = None
) -> Any:
    """The distinct elements in order, or the distinct slices along `dim`; each NaN is distinct.

    With `return_inverse` also the number of each element among them, with `return_counts` how often each occurs: a
    tuple then. There is no gradient.

    >>> gradkit.unique(gradkit.tensor([3, 1, 3]), return_counts=True)
    (tensor([1, 3]), tensor([1, 2]))
    """
    raw = _plain(input, "unique")
    axis = None if dim is None else axis_from_end(input, dim)
    values, inverse, counts = backend_of(raw).xp.unique(raw, return_inverse=True, return_counts=True, axis=axis, equal_nan=False)
    return _distinct(values, inverse.reshape(raw.shape if axis is None else -1), counts, return_inverse, return_counts)


@numpy_names
@on_one_device
def unique_consecutive(input: Tensor, return_inverse: bool = False, return_counts: bool = False, dim: int | None = None) -> Any:
    """The first of each run of equal elements, or slices along `dim`; otherwise as `unique`.

    >>> gradkit.unique_consecutive(gradkit.tensor([1, 1, 2, 1]))
    tensor([1, 2, 1])
    """
    raw = _plain(input, "unique_consecutive")
    xp = backend_of(raw).xp
    lines = raw.reshape(-1) if dim is None else xp.moveaxis(raw, dim, 0)
    differs = (lines[1:] != lines[:-1]).any(tuple(range(1, lines.ndim)))
    begins = xp.concatenate([xp.ones(min(len(lines), 1), dtype=bool), differs])
    places = xp.flatnonzero(begins)
    inverse = xp.cumsum(begins, axis=0) - 1
    values = lines[places] if dim is None else xp.moveaxis(lines[places], 0, dim)
    counts = xp.diff(xp.concatenate([places, xp.full(1, len(lines), dtype=places.dtype)]))
    return _distinct(values, inverse.reshape(raw.shape) if dim is None else inverse, counts, return_inverse, return_counts)


def _distinct(values: Any, inverse: Any, counts: Any, with_inverse: bool, with_counts: bool) -> Any:
    found = [wrap(values)] + [wrap(inverse)] * with_inverse + [wrap(counts)] * with_counts
    return tuple(found) if len(found) > 1 else found[0]


def _plain(x: Tensor, name: str) -> Any:
    if not isinstance(x, Tensor):
        raise errors.not_a_tensor(name, 0, x)
    return batching.sole(x, f"calling {name}(), whose shape depends on the data", "do it outside of vmap, or say the size").array


# -- counting and searching
@batching.by_sample()
@on_one_device
def bincount(input: Tensor, weights: Tensor | None = None, minlength: int = 0) -> Tensor:
    """How often each number from 0 on occurs in a vector of integers, or the sums of `weights` there.

    RuntimeError for negative numbers, more axes than one, or weights of another shape. There is no gradient.

    >>> gradkit.bincount(gradkit.tensor([0, 1, 1, 3]))
    tensor([1, 2, 0, 1])
    """
    raw = _plain(input, "bincount")
    if raw.dtype.kind not in "iu":
        raise NotImplementedError(f"bincount() counts integers, not {raw.dtype.name}")
    if minlength < 0:
        raise RuntimeError("minlength should be >= 0")
    if raw.ndim != 1 or (raw.size and on_host(raw) and raw.min() < 0):
        raise RuntimeError("bincount only supports 1-d non-negative integral inputs.")
    xp = backend_of(raw).xp
    if weights is not None and weights.array.shape != raw.shape:
        raise RuntimeError("weights should be 1-d and have the same length as input")
    try:
        sums = xp.bincount(raw, None if weights is None else weights.array, minlength)
    except ValueError as reason:  # CuPy looks at the numbers itself
        raise RuntimeError(f"bincount only supports 1-d non-negative integral inputs: {reason}") from None
    if weights is None:
        return wrap(sums)
    return wrap(sums.astype(weights.dtype) if weights.dtype == dtypes.float32 else sums)


def searchsorted(
    sorted_sequence: Tensor, input: Any, *, out_int32: bool = False, right: bool = False, side: str | None = None,
    sorter: Any = None,
) -> Tensor:
    """Where numbers would have to stand in a sequence that is in order along its last axis, so that it stays so.

    Before equal elements, or behind them with `right` (or `side` "right"). `sorter` is the `argsort` of a sequence
    that is not in order. All axes but the last agree, or the sequence has one axis; RuntimeError otherwise. NaN counts
    as the largest number.

    >>> gradkit.searchsorted(gradkit.tensor([1, 3, 5]), gradkit.tensor([0, 3, 6]))
    tensor([0, 1, 3])
    """
    if side not in (None, "left", "right") or (side == "left" and right):
        raise RuntimeError(
            f"torch.searchsorted(): side and right can't be set to opposites, got side of {side} while right was {right}"
        )
    values = input if isinstance(input, Tensor) else creation.tensor(input)
    if sorter is not None:
        sorted_sequence = gather(sorted_sequence, sorter, axis=-1)
    if sorted_sequence.ndim > 1 and extents(sorted_sequence)[:-1] != extents(values)[:-1]:
        raise RuntimeError(
            "torch.searchsorted(): boundaries tensor should be 1 dimension or the first N-1 dimensions of boundaries "
            f"tensor and input value tensor must match, but we got boundaries tensor {list(extents(sorted_sequence))} "
            f"and input value tensor {list(extents(values))}"
        )
    found = rows.search_sorted(sorted_sequence, values, side="right" if right or side == "right" else "left")
    return astype(found, dtype=dtypes.int32) if out_int32 else found


def bucketize(input: Any, boundaries: Tensor, *, out_int32: bool = False, right: bool = False) -> Tensor:
    """The number of the bucket each element falls into, given the buckets' boundaries in order.

    An element that is a boundary is in the bucket below, or above it with `right`. RuntimeError unless `boundaries` is
    a vector.

    >>> gradkit.bucketize(gradkit.tensor([0, 3, 6]), gradkit.tensor([1, 3, 5]))
    tensor([0, 1, 3])
    """
    if boundaries.ndim != 1:
        raise RuntimeError(f"boundaries tensor must be 1 dimension, but got dim({boundaries.ndim})")
    return searchsorted(boundaries, input, out_int32=out_int32, right=right)


@on_one_device
def one_hot(tensor: Tensor, num_classes: int = -1) -> Tensor:
    """For each class number a vector of `num_classes` (one more than the largest, if not given) zeros with a one there.

    RuntimeError for numbers that are no int64, negative, or not below `num_classes`.

    >>> gradkit.nn.functional.one_hot(gradkit.tensor([0, 2])).tolist()
    [[1, 0, 0], [0, 0, 1]]
    """
    if tensor.dtype != dtypes.int64:
        raise RuntimeError(f"one_hot is only applicable to index tensor of type int64, not {tensor.dtype.name}")
    raw = tensor.array
    if not raw.size and num_classes <= 0:
        raise RuntimeError("Can not infer total number of classes from empty tensor.")
    if raw.size and on_host(raw) and raw.min() < 0:
        raise RuntimeError("Class values must be non-negative.")
    if num_classes == -1:
        tensor = batching.sole(tensor, "calling one_hot() without num_classes", "say how many classes there are")
        num_classes = int(raw.max()) + 1
    if raw.size and on_host(raw) and raw.max() >= num_classes:
        raise RuntimeError("Class values must be smaller than num_classes.")
    return astype(eq(unsqueeze(tensor, -1), creation.arange(num_classes, device=tensor.device)), dtype=dtypes.int64)
