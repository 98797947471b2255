"""Rows that read and write places: slices (views), index arrays and masks, and the transposes of all of these."""

from operator import getitem
from typing import Any

import numpy as np

from gradkit.backend.numpy import NUMPY
from gradkit.engine.batching import depends_on_data
from gradkit.engine.bind import bind
from gradkit.engine.operands import tensor_xp
from gradkit.engine.versions import owner
from gradkit.families import general, linear, selection
from gradkit.primitives.fusible import fusible
from gradkit.primitives.shape import in_front


# -- slices
def take_slice(_xp, x, key):
    try:
        return x[key]
    except IndexError as reason:
        raise as_pytorch(reason) from None


def as_pytorch(reason: Exception) -> IndexError:
    return IndexError(str(reason).replace("for axis", "for dimension"))


def put_slice(xp, d, shape, key):
    z = xp.zeros(shape, dtype=d.dtype)
    z[key] = d
    return z


def add_slice(z, d, key) -> None:
    part = z[key]
    part += d


# A key names every axis, behind an ellipsis: batch axes in front do not disturb it, and what is 0-d stays a view.
slice_ = linear(
    "slice", take_slice, [lambda xp, d, _y, x_shape, key: xp.unslice(d, shape=x_shape, key=key)],
    [((3, 4), {"key": (..., slice(1, 3), slice(None))}), ((3, 4), {"key": (..., 1, None, slice(0, 4, 2))})],
    view=True, method=getitem, accumulate=add_slice, peer=lambda torch, x, key: x[key],
)
unslice = linear(
    "unslice", put_slice, [lambda xp, d, _y, _x, shape, key: xp.slice(d, key=key)],
    [((2, 4), {"shape": (3, 4), "key": (..., slice(0, 2), slice(None))})], batching=in_front,
)


# -- index arrays
# `axes` are the axes that the index arrays read, counted from the end; None: the first ones. The results' axes stand
# where these did if they were neighbours, else in front: NumPy's rule, but that numbers among them (which only vmap can
# give) are taken first, as PyTorch does. `lead` is the number of batch axes, which are paired off one to one.
Axes = tuple[int, ...] | None


class Places:
    """Index arrays as a key of NumPy's, and where the axes they give have to be moved."""

    __slots__ = ("into", "key", "out_of")

    def __init__(self, xp, index, axes: Axes, lead: int, shape: tuple[int, ...]) -> None:
        at = [a + len(shape) for a in axes] if axes else list(range(lead, lead + len(index)))
        index, paired = unbatched(index, lead)
        ranks = [i.ndim - paired for i in index]
        rank = max(ranks)
        key: list[Any] = [slice(None)] * len(shape)
        if paired:
            key[:lead] = [
                xp.reshape(xp.arange(n), (n,) + (1,) * (lead - j - 1 + rank)) for j, n in enumerate(shape[:lead])
            ]
            index = [xp.reshape(i, i.shape[:lead] + (1,) * (rank + lead - i.ndim) + i.shape[lead:]) for i in index]
        for a, i in zip(at, index):
            key[a] = i
        self.key = tuple(key)
        left = [a - ranks[:j].count(0) for j, a in enumerate(at) if ranks[j]]
        wanted = left[0] if left and neighbours(left) else lead
        given = lead if paired else at[0] if neighbours(at) else 0
        self.into = tuple(range(wanted, wanted + rank))
        self.out_of = tuple(range(given, given + rank))

    def read(self, xp, x):
        try:
            y = x[self.key]
        except (IndexError, ValueError) as reason:
            raise as_pytorch(reason) from None
        if not self.into:
            return y.copy()  # integers alone would give a view
        return y if self.out_of == self.into else xp.moveaxis(y, self.out_of, self.into)

    def placed(self, xp, values):
        """Values that are laid out as `read` gives them, as the key of NumPy's has them."""
        return values if self.out_of == self.into else xp.moveaxis(values, self.into, self.out_of)


def neighbours(axes: list[int]) -> bool:
    return axes[-1] - axes[0] == len(axes) - 1


def unbatched(index, lead: int) -> tuple[list[Any], int]:
    """Index arrays that are the same for all samples without their batch axes: there is nothing to pair then."""
    if lead and not any([any(i.strides[:lead]) or not i.size for i in index]):
        return [i[(0,) * lead] for i in index], 0
    return list(index), lead


def take_at(xp, x, *index, axes: Axes = None, lead: int):
    if lead:
        (first, *others), paired = unbatched(index, lead)
        if others or paired:
            return Places(xp, index, axes, lead, x.shape).read(xp, x)
    else:
        first, *others = index
    try:
        return x[plain_key(index, axes, x.ndim)] if others else x.take(first, axes[0] if axes else lead)
    except (IndexError, ValueError) as reason:
        raise as_pytorch(reason) from None


def plain_key(index, axes: Axes, ndim: int) -> tuple[Any, ...]:
    """Index arrays without batch axes as NumPy's key."""
    if not axes:
        return tuple(index)
    key: list[Any] = [slice(None)] * ndim
    for a, i in zip(axes, index):
        key[a] = i
    return tuple(key)


@fusible
def unindex_forward(xp, d, *, shape, key):
    return xp.index_add(shape, d.dtype, key, d)


@fusible
def index_put_forward(xp, z, value, *, key) -> None:
    """Into the array itself."""
    xp.add_into(z, key, value)


def add_at(xp, d, *index, shape, axes: Axes = None, lead: int):
    if not lead:
        return unindex_forward(xp, d, shape=shape, key=plain_key(index, axes, len(shape)))
    places = Places(xp, index, axes, lead, shape)
    return unindex_forward(xp, places.placed(xp, d), shape=shape, key=places.key)


def put_at(xp, x, value, *index, axes: Axes = None, lead: int, accumulate: bool):
    z = xp.array(x)
    write_at(xp, z, value, *index, axes=axes, lead=lead, accumulate=accumulate)
    return z


def write_at(xp, z, value, *index, axes: Axes = None, lead: int, accumulate: bool) -> None:
    """What index_put does, into the array itself."""
    if not lead:
        key = plain_key(index, axes, z.ndim)
    else:
        places = Places(xp, index, axes, lead, z.shape)
        key, rank = places.key, max([i.ndim for i in index]) + z.ndim - lead - len(index)
        value = value.reshape(value.shape[:lead] + (1,) * (rank - value.ndim) + value.shape[lead:])
        value = places.placed(xp, value) if value.ndim == rank and rank > lead else value
    if not z.size and any([not n and getattr(entry, "size", 0) for n, entry in zip(z.shape, key)]):
        raise IndexError("index is out of bounds for dimension with size 0")  # a device would write beside the array
    try:
        if accumulate:
            index_put_forward(xp, z, value, key=key)
        else:
            z[key] = value
    except IndexError as reason:
        raise as_pytorch(reason) from None


def one_more_lead(sizes, lead: int, **rest) -> dict[str, Any]:
    if "shape" in rest:
        rest["shape"] = (*sizes, *rest["shape"])
    return {"lead": lead + len(sizes), **rest}


def last_written(xp, x, *index, axes: Axes = None, lead: int):
    """Of several writes into one place the last one stays: True for those."""
    y_shape = take_at(xp, xp.broadcast_to(xp.zeros((), dtype=bool), x.shape), *index, axes=axes, lead=lead).shape
    numbers = xp.reshape(xp.arange(_product(y_shape)), y_shape)
    table = xp.zeros(x.shape, dtype=numbers.dtype)
    write_at(xp, table, numbers, *index, axes=axes, lead=lead, accumulate=False)
    return take_at(xp, table, *index, axes=axes, lead=lead) == numbers


def _product(shape: tuple[int, ...]) -> int:
    n = 1
    for extent in shape:
        n *= extent
    return n


def index_put_vjp(
    xp, d, _y, _x, value_shape, *index, axes: Axes = None, lead: int, accumulate: bool
):
    where = {"axes": axes, "lead": lead}
    read = xp.index(d, *index, **where)
    if accumulate:
        return [d, unspread(xp, read, value_shape, lead)]
    zero = xp.broadcast_to(xp.zeros((), dtype=d.dtype), value_shape)
    # PyTorch gives every one of several writes into a place the place's cotangent; only the last has had any effect.
    kept = xp.where(xp.last_written(d, *index, **where), read, 0)
    return [xp.index_put(d, zero, *index, accumulate=False, **where), unspread(xp, kept, value_shape, lead)]


def unspread(xp, c, shape: tuple[int, ...], lead: int):
    """A cotangent summed over the axes that its value lacks, which go behind the batch axes."""
    missing = c.ndim - len(shape)
    return xp.sum(c, axis=tuple(range(lead - c.ndim, lead - c.ndim + missing))) if missing > 0 else c


def index_put_jvp(xp, ts, _y, x, value, *index, **params):
    x_t, value_t = [xp.zeros_like(v) if t is None else t for t, v in zip(ts, (x, value))]
    return xp.index_put(x_t, value_t, *index, **params)


FIRST, SECOND = {"axes": (-2,), "lead": 0}, {"axes": (-1,), "lead": 0}
index = selection(
    "index", take_at,
    lambda xp, d, _y, x_shape, *index, lead, axes=None: xp.unindex(d, *index, shape=x_shape, axes=axes, lead=lead),
    [
        ((3, 4), [2, 0, 2], FIRST), ((3, 4), [[2, 0], [1, 1]], SECOND),
        ((3, 4), [[2, 0], [1, 1]], [3, 3], {"axes": (-2, -1), "lead": 0}),
        ((3, 2, 4), [2, 0, 2], [3, 3, 1], {"axes": (-3, -1), "lead": 0}),
        ((2, 3), [[1, 1, 2], [0, 0, 0]], {"axes": (-1,), "lead": 1}),
    ],
    arity=None, batching=one_more_lead,
    peer=lambda torch, x, *index, axes, lead: None if lead else x[_key(x.ndim, index, axes)],
)
unindex = selection(
    "unindex", add_at, lambda xp, d, _y, _x, *index, shape, lead, axes=None: xp.index(d, *index, axes=axes, lead=lead),
    [((3, 4), [2, 0, 2], {"shape": (5, 4), **FIRST}), ((4, 3), [2, 0, 2], {"shape": (4, 5), **SECOND})],
    arity=None, batching=one_more_lead, structure="dense",
)
last_written_ = general(
    "last_written", last_written, None, None, [((3, 4), [2, 0, 2], FIRST)], arity=None, promote="none",
    batching=one_more_lead,
)
index_put = general(
    "index_put", put_at, index_put_vjp, index_put_jvp,
    [
        ((3, 4), (2, 4), [2, 0], {**FIRST, "accumulate": False}),
        ((3, 4), (3, 4), [2, 0, 2], {**FIRST, "accumulate": True}),
        ((3, 4), (2,), [2, 0], {**SECOND, "accumulate": False}), ((3, 4), (), [2, 2], {**SECOND, "accumulate": True}),
    ],
    arity=None, promote="none", batching=one_more_lead, structure="dense",
    peer=lambda torch, x, v, *index, axes, lead, accumulate: (
        torch.index_put(x, index, v, accumulate) if axes[0] == -x.ndim else None),
)


def _key(ndim: int, index, axes) -> tuple[Any, ...]:
    given = dict(zip(axes, index))
    return tuple([given.get(a, slice(None)) for a in range(-ndim, 0)])


# -- masks
def take_masked(_xp, x, mask, lead: int):
    y = x[mask]
    if not lead:
        return y
    counts = mask.sum(tuple(range(lead, mask.ndim)))
    if counts.size and counts.min() != counts.max():
        raise depends_on_data(
            "indexing with a mask that selects different numbers of elements from different samples",
            "write gradkit.where(mask, a, b), which keeps the shape",
        )
    return y.reshape(*x.shape[:lead], int(counts.max()) if counts.size else 0)


def put_masked(xp, d, mask, lead: int):
    z = xp.zeros(mask.shape, dtype=d.dtype)
    xp.put_where(z, mask, d.reshape(-1))
    return z


_MASK = [[True, False, True], [False, False, True]]
masked_select = selection(
    "masked_select", take_masked, lambda xp, d, _y, _x, *mask, lead: xp.masked_put(d, *mask, lead=lead),
    [((2, 3), _MASK, {"lead": 0})], batching=one_more_lead, arity=None,
    peer=lambda torch, x, mask, lead: torch.masked_select(x, mask),
)
masked_put = selection(
    "masked_put", put_masked, lambda xp, d, _y, _x, *mask, lead: xp.masked_select(d, *mask, lead=lead),
    [((3,), _MASK, {"lead": 0})], batching=one_more_lead, arity=None,
)


def write_masked(xp, z, value, mask, lead: int) -> None:
    """A number, or a list of as many as the mask has places, put into these."""
    if lead and value.ndim == lead:
        z[...] = xp.where(mask, value.reshape(value.shape + (1,) * (z.ndim - lead)), z)
    else:
        xp.put_where(z, mask, value.reshape(-1) if lead else value)


def mask_written(xp, x, value, mask, lead: int):
    z = xp.array(x)
    write_masked(xp, z, value, mask, lead)
    return z


def mask_put_vjp(xp, d, _y, _x, value_shape, mask, lead: int):
    one = len(value_shape) == lead  # samples may have put it into different numbers of places
    placed = xp.where(mask, d, 0) if one else xp.masked_select(d, mask, lead=lead)
    return [xp.where(mask, 0, d), unspread(xp, placed, value_shape, lead), None]


mask_put = general(
    "mask_put", mask_written, mask_put_vjp,
    lambda xp, ts, _y, x, value, mask, lead: xp.mask_put(
        *[xp.zeros_like(v) if t is None else t for t, v in zip(ts, (x, value))], mask, lead=lead),
    [((2, 3), (3,), _MASK, {"lead": 0}), ((2, 3), (), _MASK, {"lead": 0})],
    arity=3, promote="none", batching=one_more_lead, title="IndexPutBackward0",
)
# For each place of a flattened mask: how many places before it are set, that is, which value of a list goes there.
mask_ranks = general(
    "mask_ranks", lambda xp, mask: xp.maximum(xp.cumsum(mask, axis=-1) - 1, 0), None, None,
    [([True, False, True, True], {})], promote="none",
)


# -- writing a region
def region(xp, x, steps):
    """What a chain of view steps, (primitive, parameters) each, shows of `x`."""
    for prim, params in steps:
        x = bind(prim, (x,), params) if xp is tensor_xp else prim.forward(xp, x, **params)
    return x


def overwritten(xp, x, value, steps):
    return put_in_region(xp, xp.array(x), value, steps)  # an array also of a scalar


def put_in_region(xp, z, value, steps):
    """`z` with a value in the part that steps show of it, in its own memory if in this order there the part is a view."""
    part = region(xp, z, steps)
    if owner(part) is not owner(z):
        z = z.copy("C")
        part = region(xp, z, steps)
    if value.dtype.kind == "c" != part.dtype.kind:
        value = value.real  # the real part of a complex array
    if owner(part) is owner(z):
        part[...] = value
    else:
        z.reshape(-1)[region(xp, xp.reshape(xp.arange(z.size), z.shape), steps)] = value
    return z


def batched_steps(sizes, steps) -> dict[str, Any]:
    return {"steps": tuple([(p, p.batching(sizes, **given) if p.batching else given) for p, given in steps])}


def overwrite_vjp(xp, d, _y, _x, value_shape, steps):
    zero = xp.zeros((), dtype=d.dtype)
    if not steps:
        return [xp.broadcast_to(zero, d.shape), d]
    return [xp.overwrite(d, xp.broadcast_to(zero, value_shape), steps=steps), region(xp, d, steps)]


_ZERO = np.zeros(())


def overwrite_reusing(d, steps) -> list[Any]:
    """The same in the memory of `d`, which no one else can see: so that a loop of writes copies no whole buffer."""
    part = d
    for prim, params in steps:
        part = prim.run(part, **params)
    value_ct = part.copy()
    return [put_in_region(NUMPY.xp, d, _ZERO, steps), value_ct]


overwrite = linear(
    "overwrite", overwritten, overwrite_vjp,
    [((3, 4), (4,), {"steps": ((slice_.primitive, {"key": (..., 1, slice(None))}),)}), ((3, 4), (3, 4), {"steps": ()})],
    arity=2, promote="none", batching=batched_steps, reuse=overwrite_reusing, holomorphic=False, title="CopySlices",
)
