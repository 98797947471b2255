"""Rows that find places by the order of elements, and have no derivative: `gather` reads what stands there.

They answer with index arrays. NaN counts as the largest value, and equal values stay in the order they have.
"""

import math

from gradkit.families import general


def take_along(xp, x, index, axis: int):
    return xp.take_along_axis(x, index, axis=axis)


def sorting_order(xp, x, axis: int, descending: bool):
    if not descending:
        return xp.argsort(x, axis=axis, kind="stable")
    backwards = xp.argsort(xp.flip(x, axis=axis), axis=axis, kind="stable")
    return xp.flip(x.shape[axis] - 1 - backwards, axis=axis)


def first(x, k: int, axis: int):
    return x[(..., slice(0, k), *[slice(None)] * (-axis - 1))]


def top_places(xp, x, k: int, axis: int, largest: bool):
    """Of few out of many, a partition finds which they are, and only they are sorted."""
    n = x.shape[axis]
    if not k or k * 4 > n or n < 64:
        return first(sorting_order(xp, x, axis, largest), k, axis)
    parted = xp.argpartition(x, n - k if largest else k - 1, axis=axis)
    some = first(xp.flip(parted, axis=axis) if largest else parted, k, axis)
    return take_along(xp, some, sorting_order(xp, take_along(xp, x, some, axis), axis, largest), axis)


def kth_place(xp, x, k: int, axis: int):
    order = sorting_order(xp, x, axis, False)
    return order[(..., slice(k - 1, k), *[slice(None)] * (-axis - 1))]


def median_place(xp, x, axis: int, ignore_nan: bool):
    """Where the lower median stands; the first NaN, if there is one, unless it is to be ignored."""
    n = x.shape[axis]
    nans = xp.sum(x != x, axis=axis, keepdims=True)
    rank = xp.maximum(n - nans - 1, 0) // 2 if ignore_nan else xp.where(nans > 0, n - nans, (n - 1) // 2)
    return take_along(xp, sorting_order(xp, x, axis, False), rank, axis)


def mode_place(xp, x, axis: int):
    """Where the most frequent value, the least of several such, stands last."""
    x = xp.moveaxis(x, axis, -1)
    order = sorting_order(xp, x, -1, False)
    ordered = take_along(xp, x, order, -1)
    at = xp.arange(x.shape[-1])
    begins = xp.concatenate([xp.ones((*x.shape[:-1], 1), dtype=bool), ordered[..., 1:] != ordered[..., :-1]], axis=-1)
    length = at - xp.running_max(xp.where(begins, at, 0), axis=-1)
    ends = xp.argmax(length, axis=-1)[..., None]
    return xp.moveaxis(take_along(xp, order, ends, -1), -1, axis)


def search(xp, ordered, values, side: str):
    """Where values would stand in an ordered sequence; leading axes of both go together."""
    if ordered.ndim == 1:
        return xp.searchsorted(ordered, values, side=side)
    lead, n = ordered.shape[:-1], ordered.shape[-1]
    count = math.prod(lead)
    rows = values.reshape(count, *values.shape[len(lead) :])
    found = [xp.searchsorted(one, row, side=side) for one, row in zip(ordered.reshape(count, n), rows)]
    return xp.stack(found).reshape(values.shape) if found else xp.zeros(values.shape, dtype=xp.int64)


LAST = {"axis": -1}
sort_order = general(
    "sort_order", sorting_order, None, None,
    [((3, 4), {"axis": -1, "descending": True}), ((3, 4), {"axis": -2, "descending": False})], promote="none",
    peer=lambda torch, x, axis, descending: torch.argsort(x, dim=axis, descending=descending, stable=True),
)
top_order = general(
    "top_order", top_places, None, None,
    [((3, 4), {"k": 2, "largest": True, **LAST}), ((70, 2), {"k": 3, "axis": -2, "largest": False})],
    promote="none", peer=lambda torch, x, k, axis, largest: torch.topk(x, k, axis, largest).indices,
)
kth = general(
    "kth", kth_place, None, None, [((3, 4), {"k": 2, **LAST})], promote="none",
    peer=lambda torch, x, k, axis: torch.kthvalue(x, k, axis, True).indices,
)
median_index = general(
    "median_index", median_place, None, None,
    [((3, 4), {"ignore_nan": False, **LAST}), ((3, 4), {"ignore_nan": True, **LAST})],
    promote="none", peer=lambda torch, x, axis, ignore_nan: torch.median(x, axis, True).indices,
)
mode_index = general(
    "mode_index", mode_place, None, None, [([[1, 2, 2, 1, 3], [3, 3, 1, 3, 1]], LAST)], promote="none",
    peer=lambda torch, x, axis: torch.mode(x, axis, True).indices,
)
search_sorted = general(
    "search_sorted", search, None, None, [([1, 3, 5], [[0, 3], [6, 5]], {"side": "right"})], arity=2, promote="none",
    peer=lambda torch, ordered, values, side: torch.searchsorted(ordered, values, side=side),
)


# -- the middle of all
def middle(xp, x, ignore_nan: bool):
    """The lower median along the last axis; NaN of nothing."""
    if not x.shape[-1]:
        return xp.full(x.shape[:-1], xp.nan, dtype=x.dtype)
    return take_along(xp, x, median_place(xp, x, -1, ignore_nan), -1)[..., 0]


def shares(xp, y, x):
    """The derivative of the median of all: equal elements share it."""
    y = xp.reshape(y, (*y.shape, 1))
    same = xp.astype((x == y) | ((x != x) & (y != y)), dtype=x.dtype)
    return same / xp.sum(same, axis=-1, keepdims=True)


median_all = general(
    "median_all", middle, lambda xp, d, y, x, ignore_nan: [xp.reshape(d, (*y.shape, 1)) * shares(xp, y, x)],
    lambda xp, ts, y, x, ignore_nan: xp.sum(ts[0] * shares(xp, y, x), axis=-1, keepdims=False),
    [((5,), {"ignore_nan": False}), ((6,), {"ignore_nan": True})], promote="none", title="MedianBackward0",
    peer=lambda torch, x, ignore_nan: torch.median(x),
)
