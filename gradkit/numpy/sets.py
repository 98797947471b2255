"""Sets: the different elements of arrays. The derivative of an element goes to where it occurs first."""

from collections import namedtuple
from typing import Any

import numpy as np

from gradkit.engine.operands import tensor_xp as xp
from gradkit.engine.tensor import Tensor, wrap
from gradkit.numpy.calling import asarray, converted, gathered, on_raw, result_type, unbatched
from gradkit.numpy.joining import concatenate
from gradkit.numpy.searching import extract, isin, take

UniqueAllResult = namedtuple("UniqueAllResult", ("values", "indices", "inverse_indices", "counts"))
UniqueCountsResult = namedtuple("UniqueCountsResult", ("values", "counts"))
UniqueInverseResult = namedtuple("UniqueInverseResult", ("values", "inverse_indices"))


def unique(
    ar: Any, return_index: bool = False, return_inverse: bool = False, return_counts: bool = False,
    axis: int | None = None, *, equal_nan: bool = True,
) -> Any:
    """The different elements in ascending order, or the different slices along `axis`; on request also the place where
    each first occurs, the place among them of every element, and how often each occurs.

    The derivative goes to the first occurrence.

    >>> gnp.unique(gradkit.tensor([3.0, 1.0, 3.0]))
    tensor([1., 3.])
    """
    x = asarray(ar)
    raw = unbatched(x, "unique")
    asked = dict.fromkeys(["return_index", "return_inverse", "return_counts"], True)
    _, index, inverse, counts = on_raw(np.unique, raw, **asked, axis=axis, equal_nan=equal_nan)
    values = gathered(x, index) if axis is None else take(x, index, axis)
    wanted = ((return_index, index), (return_inverse, inverse), (return_counts, counts))
    more = [wrap(found) for wish, found in wanted if wish]
    return (values, *more) if more else values


def unique_values(x: Any, /) -> Tensor:
    """The different elements of `x`, in ascending order; nan counts as different from itself.

    >>> gnp.unique_values(gradkit.tensor([3.0, 1.0, 3.0]))
    tensor([1., 3.])
    """
    return unique(x, equal_nan=False)


def unique_counts(x: Any, /) -> UniqueCountsResult:
    """The different elements of `x`, and how often each occurs: a named tuple `values, counts`.

    >>> gnp.unique_counts(gradkit.tensor([3.0, 1.0, 3.0])).counts
    tensor([1, 2])
    """
    return UniqueCountsResult(*unique(x, return_counts=True, equal_nan=False))


def unique_inverse(x: Any, /) -> UniqueInverseResult:
    """The different elements of `x`, and the place among them of every element: a named tuple `values,
    inverse_indices`.

    >>> gnp.unique_inverse(gradkit.tensor([3.0, 1.0, 3.0])).inverse_indices
    tensor([1, 0, 1])
    """
    return UniqueInverseResult(*unique(x, return_inverse=True, equal_nan=False))


def unique_all(x: Any, /) -> UniqueAllResult:
    """All that `unique` can tell: a named tuple `values, indices, inverse_indices, counts`.

    >>> gnp.unique_all(gradkit.tensor([3.0, 1.0, 3.0])).indices
    tensor([1, 0])
    """
    return UniqueAllResult(*unique(x, True, True, True, equal_nan=False))


def union1d(ar1: Any, ar2: Any) -> Tensor:
    """The different elements of two arrays together, in ascending order.

    >>> gnp.union1d(gradkit.tensor([3.0, 1.0]), gradkit.tensor([2.0, 1.0]))
    tensor([1., 2., 3.])
    """
    return unique(concatenate((ar1, ar2), None))


def setdiff1d(ar1: Any, ar2: Any, assume_unique: bool = False) -> Tensor:
    """The different elements of `ar1` that are not in `ar2`, in ascending order (as they come if `assume_unique`).

    >>> gnp.setdiff1d(gradkit.tensor([3.0, 1.0]), gradkit.tensor([2.0, 1.0]))
    tensor([3.])
    """
    x = xp.reshape(asarray(ar1), (-1,)) if assume_unique else unique(ar1)
    return extract(isin(x, ar2, invert=True), x)


def intersect1d(ar1: Any, ar2: Any, assume_unique: bool = False, return_indices: bool = False) -> Any:
    """The different elements that two arrays share, in ascending order; on request their places in both.

    The derivative goes to the first occurrence in `ar1`.

    >>> gnp.intersect1d(gradkit.tensor([3.0, 1.0]), gradkit.tensor([2.0, 1.0]))
    tensor([1.])
    """
    x = asarray(ar1)
    raws = unbatched(x, "intersect1d"), unbatched(ar2, "intersect1d")
    _, first, second = on_raw(np.intersect1d, *raws, assume_unique=assume_unique, return_indices=True)
    values = gathered(x, first)
    return (converted(values, result_type(*raws)), wrap(first), wrap(second)) if return_indices else values


__all__ = ["intersect1d", "setdiff1d", "union1d", "unique", "unique_all", "unique_counts", "unique_inverse", "unique_values"]
