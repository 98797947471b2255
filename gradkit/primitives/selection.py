"""Rows that pick elements along one axis by an index of the operand's rank: gather and scatter."""

from typing import Any

from gradkit.families import general, selection
from gradkit.primitives.fusible import fusible
from gradkit.primitives.shape import in_front


def out_of_bounds(reason: IndexError) -> RuntimeError:
    return RuntimeError(str(reason).replace("for axis", "for dimension"))


def gathered(xp, x, index, axis: int):
    try:
        return xp.read_along(x, index, axis)
    except IndexError as reason:
        raise out_of_bounds(reason) from None


@fusible
def ungather_forward(xp, d, index, *, shape, axis: int):
    return xp.sum_along(shape, index, d, axis)


def scattered_sum(xp, d, index, shape, axis: int):
    try:
        return ungather_forward(xp, d, index, shape=shape, axis=axis)
    except IndexError as reason:
        raise out_of_bounds(reason) from None


def add_scattered(xp, z, values, index, axis: int) -> None:
    z += scattered_sum(xp, values, index, z.shape, axis)


_INDEX = [[2, 0], [1, 1], [0, 3]]
gather = selection(
    "gather", gathered, lambda xp, d, _y, x_shape, *index, axis: xp.ungather(d, *index, shape=x_shape, axis=axis),
    [((3, 4), _INDEX, {"axis": -1}), ((3, 4), [[2, 0, 1, 1]], {"axis": -2})], arity=None,
    peer=lambda torch, x, index, axis: torch.gather(x, axis, index),
)
ungather = selection(
    "ungather", scattered_sum, lambda xp, d, _y, _x, *index, shape, axis: xp.gather(d, *index, axis=axis),
    [((3, 2), _INDEX, {"shape": (3, 4), "axis": -1})], arity=None, batching=in_front, structure="dense",
)


# -- scatter: index and values have one shape
def scattered_add(xp, x, index, values, axis: int):
    z = x.copy()
    add_scattered(xp, z, values, index, axis)
    return z


scatter_add = general(
    "scatter_add", scattered_add,
    lambda xp, d, _y, _x, index, _v, axis: [d, None, xp.gather(d, index, axis=axis)],
    lambda xp, ts, _y, x, index, v, axis: xp.scatter_add(
        xp.zeros_like(x) if ts[0] is None else ts[0], index, xp.zeros_like(v) if ts[2] is None else ts[2], axis=axis),
    [((3, 4), _INDEX, (3, 2), {"axis": -1})], arity=3, promote="none",
    peer=lambda torch, x, index, v, axis: torch.scatter_add(x, axis, index, v),
)


def put_scattered(xp, z, values, index, axis: int) -> None:
    try:
        xp.put_along(z, index, values, axis)
    except IndexError as reason:
        raise out_of_bounds(reason) from None


def scattered(xp, x, index, values, axis: int):
    z = x.copy()
    put_scattered(xp, z, values, index, axis)
    return z


def last_scattered(xp, x, index, axis: int):
    """Of several writes into one place the last one stays: True for those."""
    numbers = xp.reshape(xp.arange(index.size), index.shape)
    table = scattered(xp, xp.zeros(x.shape, dtype=numbers.dtype), index, numbers, axis)
    return gathered(xp, table, index, axis) == numbers


def scatter_vjp(xp, d, _y, _x, index, _v, axis: int):
    # PyTorch gives every one of several writes into a place the place's cotangent; only the last has had any effect.
    read = xp.where(xp.last_scattered(d, index, axis=axis), xp.gather(d, index, axis=axis), 0)
    return [xp.scatter(d, index, xp.zeros_like(read), axis=axis), None, read]


scatter = general(
    "scatter", scattered, scatter_vjp,
    lambda xp, ts, _y, x, index, v, axis: xp.scatter(
        xp.zeros_like(x) if ts[0] is None else ts[0], index, xp.zeros_like(v) if ts[2] is None else ts[2], axis=axis),
    [((3, 4), [[2, 0], [1, 3], [0, 3]], (3, 2), {"axis": -1})], arity=3, promote="none",
    peer=lambda torch, x, index, v, axis: torch.scatter(x, axis, index, v),
)
last_scattered_ = general("last_scattered", last_scattered, None, None, [((3, 4), _INDEX, {"axis": -1})], arity=2, promote="none")


# -- scatter with a reduction
def reduced(xp, x, index, values, axis: int, largest: bool):
    z = x.copy()
    xp.fold_along(z, index, values, axis, "maximum" if largest else "minimum")
    return z


def ties(xp, y, x, index, v, axis: int) -> tuple[Any, Any, Any]:
    """Which elements and values have the extreme that came out, and how many share it."""
    own, theirs = xp.astype(x == y, dtype=y.dtype), xp.astype(v == xp.gather(y, index, axis=axis), dtype=y.dtype)
    return own, theirs, xp.maximum(xp.scatter_add(own, index, theirs, axis=axis), 1)


def scatter_extreme_vjp(xp, d, y, x, index, v, axis: int, largest: bool):
    own, theirs, count = ties(xp, y, x, index, v, axis)
    share = d / count
    return [share * own, None, xp.gather(share, index, axis=axis) * theirs]


def scatter_extreme_jvp(xp, ts, y, x, index, v, axis: int, largest: bool):
    own, theirs, count = ties(xp, y, x, index, v, axis)
    x_t, v_t = [xp.zeros_like(one) if t is None else t for t, one in ((ts[0], x), (ts[2], v))]
    return xp.scatter_add(x_t * own, index, v_t * theirs, axis=axis) / count


scatter_extreme = general(
    "scatter_extreme", reduced, scatter_extreme_vjp, scatter_extreme_jvp,
    [((3, 4), _INDEX, (3, 2), {"axis": -1, "largest": True}), ((3, 4), _INDEX, (3, 2), {"axis": -1, "largest": False})],
    arity=3, promote="none", title="ScatterReduceBackward0",
    peer=lambda torch, x, index, v, axis, largest: (
        torch.scatter_reduce(x, axis, index, v, "amax" if largest else "amin")),
)


def multiplied(xp, x, index, values, axis: int):
    z = x.copy()
    xp.fold_along(z, index, values, axis, "multiply")
    return z


def factors(xp, x, index, v, axis: int) -> tuple[Any, Any]:
    """For each element and each value, the product of all others: without the zeros, and 0 where others are zero."""
    x_zero, v_zero = x == 0, v == 0
    zeros = xp.scatter_add(xp.astype(x_zero, dtype=x.dtype), index, xp.astype(v_zero, dtype=x.dtype), axis=axis)
    x_safe, v_safe = xp.where(x_zero, 1, x), xp.where(v_zero, 1, v)
    rest = xp.scatter_prod(x_safe, index, v_safe, axis=axis)
    others = xp.gather(zeros, index, axis=axis) - xp.astype(v_zero, dtype=x.dtype)
    of_x = xp.where(zeros - xp.astype(x_zero, dtype=x.dtype) > 0, 0, rest / x_safe)
    return of_x, xp.where(others > 0, 0, xp.gather(rest, index, axis=axis) / v_safe)


def scatter_prod_vjp(xp, d, _y, x, index, v, axis: int):
    of_x, of_v = factors(xp, x, index, v, axis)
    return [d * of_x, None, xp.gather(d, index, axis=axis) * of_v]


def scatter_prod_jvp(xp, ts, _y, x, index, v, axis: int):
    of_x, of_v = factors(xp, x, index, v, axis)
    x_t, v_t = [xp.zeros_like(one) if t is None else t for t, one in ((ts[0], x), (ts[2], v))]
    return xp.scatter_add(x_t * of_x, index, v_t * of_v, axis=axis)


scatter_prod = general(
    "scatter_prod", multiplied, scatter_prod_vjp, scatter_prod_jvp, [((3, 4), _INDEX, (3, 2), {"axis": -1})],
    arity=3, promote="none", title="ScatterReduceBackward0",
    peer=lambda torch, x, index, v, axis: torch.scatter_reduce(x, axis, index, v, "prod"),
)
