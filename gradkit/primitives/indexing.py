"""Rows that read and write places: slices (views), index arrays, and their transposes."""

from typing import Any

from gradkit.engine.bind import bind
from gradkit.engine.tape import tensor_xp
from gradkit.families import general, linear, selection
from gradkit.primitives.shape import in_front


def take_slice(_xp: Any, x: Any, key: Any) -> Any:
    return x[key]


def put_slice(xp: Any, x: Any, shape: Any, key: Any) -> Any:
    z = xp.zeros(shape, dtype=x.dtype)
    z[key] = x
    return z


# A key names every axis, behind an ellipsis: batch axes in front do not disturb it.
slice_ = linear(
    "slice", take_slice, [lambda xp, d, _y, x_shape, key: xp.unslice(d, shape=x_shape, key=key)],
    [((3, 4), {"key": (..., slice(1, 3), slice(None))}), ((3, 4), {"key": (..., 1, None, slice(0, 4, 2))})],
    view=True, peer=lambda torch, x, key: x[key],
)  # fmt: skip
unslice = linear(
    "unslice", put_slice, [lambda xp, d, _y, _x, shape, key: xp.slice(d, key=key)],  # noqa: ARG005
    [((2, 4), {"shape": (3, 4), "key": (..., slice(0, 2), slice(None))})], batching=in_front,
)  # fmt: skip


# -- index arrays ----------------------------------------------------------------------------------------------------
def places(xp: Any, index: Any, lead: int, sizes: Any) -> tuple[Any, ...]:
    """Index arrays for axes ``lead, lead + 1 ...``, as a key: batch axes in front are paired off one to one."""
    if not lead:
        return tuple(index)
    rank = max([i.ndim for i in index])
    padded = [xp.reshape(i, i.shape[:lead] + (1,) * (rank - i.ndim) + i.shape[lead:]) for i in index]
    own = [xp.reshape(xp.arange(n), (1,) * j + (n,) + (1,) * (rank - j - 1)) for j, n in enumerate(sizes[:lead])]
    return (*own, *padded)


def take_at(xp: Any, x: Any, *index: Any, lead: int) -> Any:
    return x[places(xp, index, lead, x.shape)]


def add_at(xp: Any, x: Any, *index: Any, shape: Any, lead: int) -> Any:
    return xp.index_add(shape, x.dtype, places(xp, index, lead, shape), x)


def put_at(xp: Any, x: Any, value: Any, *index: Any, lead: int, accumulate: bool) -> Any:
    key = places(xp, index, lead, x.shape)
    if accumulate:
        return x + xp.index_add(x.shape, x.dtype, key, xp.broadcast_to(value, x[key].shape))
    z = xp.asarray(x, copy=True)
    z[key] = value
    return z


def one_more_lead(sizes: Any, lead: int, **rest: Any) -> dict[str, Any]:
    if "shape" in rest:
        rest["shape"] = (*sizes, *rest["shape"])
    return {"lead": lead + len(sizes), **rest}


def index_put_vjp(xp: Any, d: Any, _y: Any, _x: Any, value_shape: Any, *index: Any, lead: int, accumulate: bool) -> Any:
    zero = xp.zeros((), dtype=d.dtype)
    x_ct = d if accumulate else xp.index_put(d, xp.broadcast_to(zero, value_shape), *index, lead=lead, accumulate=False)
    return [x_ct, xp.index(d, *index, lead=lead)]


def index_put_jvp(xp: Any, ts: Any, _y: Any, x: Any, value: Any, *index: Any, **params: Any) -> Any:
    x_t, value_t = [xp.zeros_like(v) if t is None else t for t, v in zip(ts, (x, value))]
    return xp.index_put(x_t, value_t, *index, **params)


_ROWS = ((3,), [2, 0, 2])
index = selection(
    "index", take_at, lambda xp, d, _y, x_shape, *index, lead: xp.unindex(d, *index, shape=x_shape, lead=lead),
    [((3, 4), [2, 0, 2], {"lead": 0}), ((3, 4), [[2, 0], [1, 1]], [3, 3], {"lead": 0}), ((2, 3), [[1, 1, 2], [0, 0, 0]], {"lead": 1})],
    arity=None, batching=one_more_lead, peer=lambda torch, x, *index, lead: x[index] if not lead else None,
)  # fmt: skip
unindex = selection(
    "unindex", add_at, lambda xp, d, _y, _x, *index, shape, lead: xp.index(d, *index, lead=lead),  # noqa: ARG005
    [((3, 4), [2, 0, 2], {"shape": (5, 4), "lead": 0})], arity=None, batching=one_more_lead, structure="dense",
)  # fmt: skip
index_put = general(
    "index_put", put_at, index_put_vjp, index_put_jvp,
    [((3, 4), (2, 4), [2, 0], {"lead": 0, "accumulate": False}), ((3, 4), (3, 4), [2, 0, 2], {"lead": 0, "accumulate": True})],
    arity=None, promote="none", batching=one_more_lead,
    peer=lambda torch, x, v, *index, lead, accumulate: torch.index_put(x, index, v, accumulate),
)  # fmt: skip


# -- writing a region ------------------------------------------------------------------------------------------------
def region(xp: Any, x: Any, steps: Any) -> Any:
    """What a chain of view steps, (primitive, parameters) each, shows of `x`."""
    for prim, params in steps:
        x = bind(prim, (x,), params) if xp is tensor_xp else prim.forward(xp, x, **params)
    return x


def overwritten(xp: Any, x: Any, value: Any, steps: Any) -> Any:
    z = xp.asarray(x, copy=True)
    region(xp, z, steps)[...] = value
    return z


def batched_steps(sizes: Any, steps: Any) -> dict[str, Any]:
    return {"steps": tuple([(p, p.batching(sizes, **given) if p.batching else given) for p, given in steps])}


def overwrite_vjp(xp: Any, d: Any, _y: Any, _x: Any, value_shape: Any, steps: Any) -> Any:
    zero = xp.broadcast_to(xp.zeros((), dtype=d.dtype), value_shape)
    return [xp.overwrite(d, zero, steps=steps), region(xp, d, steps)]


overwrite = linear(
    "overwrite", overwritten, overwrite_vjp,
    [((3, 4), (4,), {"steps": ((slice_.primitive, {"key": (..., 1, slice(None))}),)})],
    arity=2, batching=batched_steps, structure="moves",
)  # fmt: skip
