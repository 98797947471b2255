"""Rows that put elements elsewhere: diagonals, triangles, windows, reversed and rolled axes, padding, joining."""

from typing import Any

from gradkit.families import general, linear
from gradkit.primitives.shape import in_front

FULL = tuple([(slice(None),) * n for n in range(65)])  # as many axes as NumPy has


def along(axis: int, part) -> tuple[Any, ...]:
    """The key that takes a part of one axis, counted from the end, and all of the others."""
    return (..., part, *FULL[-axis - 1])


# -- diagonals and triangles
def undiagonalised(xp, x, shape, offset: int, axis1: int, axis2: int):
    z = xp.zeros(shape, dtype=x.dtype)
    xp.diagonal(z, offset=offset, axis1=axis1, axis2=axis2)[...] = x
    return z


DIAGONAL = {"offset": 1, "axis1": -2, "axis2": -1}
diagonal = linear(
    "diagonal", "diagonal",
    [lambda xp, d, _y, x_shape, offset, axis1, axis2: xp.undiagonal(
        d, shape=x_shape, offset=offset, axis1=axis1, axis2=axis2)],
    [((3, 4), DIAGONAL), ((3, 2, 4), {"offset": -1, "axis1": -3, "axis2": -1})], view=True,
    peer=lambda torch, x, offset, axis1, axis2: torch.diagonal(x, offset, axis1, axis2),
)
undiagonal = linear(
    "undiagonal", undiagonalised,
    [lambda xp, d, _y, _x, shape, offset, axis1, axis2: xp.diagonal(
        d, offset=offset, axis1=axis1, axis2=axis2)],
    [((3,), {"shape": (3, 4), **DIAGONAL})], batching=in_front, title="DiagEmbedBackward0",
)
tril = linear(
    "tril", "tril", [lambda xp, d, _y, _x, k: xp.tril(d, k=k)], [((3, 4), {"k": 1}), ((2, 3, 3), {"k": 0})],
    peer=lambda torch, x, k: torch.tril(x, k),
)
triu = linear(
    "triu", "triu", [lambda xp, d, _y, _x, k: xp.triu(d, k=k)], [((3, 4), {"k": 1}), ((2, 3, 3), {"k": 0})],
    peer=lambda torch, x, k: torch.triu(x, k),
)


# -- windows
def windows(xp, x, axis: int, size: int, step: int):
    shape, strides = [*x.shape, size], [*x.strides, x.strides[axis]]
    shape[axis - 1] = (x.shape[axis] - size) // step + 1
    strides[axis - 1] *= step
    return xp.as_strided(x, shape, strides)


def overlapped(xp, d, shape, axis: int, size: int, step: int):
    z = xp.zeros(shape, dtype=d.dtype)
    span = step * (d.shape[axis - 1] - 1) + 1
    for i in range(size):
        z[along(axis, slice(i, i + span, step))] += d[..., i]
    return z


unfold = linear(
    "unfold", windows,
    [lambda xp, d, _y, x_shape, axis, size, step: xp.overlap_add(d, shape=x_shape, axis=axis, size=size, step=step)],
    [((7,), {"axis": -1, "size": 3, "step": 2}), ((5, 2), {"axis": -2, "size": 3, "step": 1})], view=True,
    peer=lambda torch, x, axis, size, step: x.unfold(axis, size, step),
)
overlap_add = linear(
    "overlap_add", overlapped,
    [lambda xp, d, _y, _x, shape, axis, size, step: xp.unfold(d, axis=axis, size=size, step=step)],
    [((3, 3), {"shape": (7,), "axis": -1, "size": 3, "step": 2})], batching=in_front, structure="dense",
    title="UnfoldBackwardBackward0",
)


# -- reversed and rolled axes
flip = linear(
    "flip", lambda xp, x, axis: xp.flip(x, axis=axis).copy(), [lambda xp, d, _y, _x, axis: xp.flip(d, axis=axis)],
    [((3, 4), {"axis": (-1,)}), ((3, 4), {"axis": (-2, -1)})], peer=lambda torch, x, axis: torch.flip(x, axis),
)
roll = linear(
    "roll", "roll", [lambda xp, d, _y, _x, shift, axis: xp.roll(d, shift=tuple([-s for s in shift]), axis=axis)],
    [((3, 4), {"shift": (1,), "axis": (-1,)}), ((3, 4), {"shift": (2, -1), "axis": (-2, -1)})],
    peer=lambda torch, x, shift, axis: torch.roll(x, shift, axis),
)


# -- padding
def padded(xp, x, pads: tuple[tuple[int, int], ...], value: float):
    """`pads` has (before, after) for each of the last axes; what is negative is cut off."""
    lead = x.ndim - len(pads)
    inside, outside, shape = [], [], list(x.shape)
    for i, (before, after) in enumerate(pads, lead):
        shape[i] += before + after
        inside.append(slice(max(-before, 0), x.shape[i] - max(-after, 0)))
        outside.append(slice(max(before, 0), shape[i] - max(after, 0)))
    z = xp.full(shape, value, dtype=x.dtype) if value else xp.zeros(shape, dtype=x.dtype)
    z[(..., *outside)] = x[(..., *inside)]
    return z


def unpad(xp, d, _y, _x, pads, value: float):
    return [xp.pad_constant(d, pads=tuple([(-before, -after) for before, after in pads]), value=0.0)]


def pad_tangent(xp, ts, _y, _x, pads, value: float):
    return xp.pad_constant(ts[0], pads=pads, value=0.0)


pad_constant = general(
    "pad_constant", padded, unpad, pad_tangent,
    [((3, 4), {"pads": ((1, 2),), "value": 0.0}), ((3, 4), {"pads": ((-1, 1), (0, -2)), "value": 1.5})],
    promote="same", structure="moves", title="ConstantPadNdBackward0",
    peer=lambda torch, x, pads, value: torch.nn.functional.pad(x, [n for p in pads[::-1] for n in p], value=value),
)


# -- joining
def uncat(xp, d, _y, *x_shapes, axis: int):
    parts, at = [], 0
    for shape in x_shapes:
        parts.append(xp.slice(d, key=along(axis, slice(at, at + shape[axis]))))
        at += shape[axis]
    return parts


def stacked(xp, *xs, axis: int):
    key = along(axis, None)
    return xp.concatenate([xp.asarray(x)[key] for x in xs], axis=axis)


def unstack(xp, d, _y, *_xs, axis: int):
    return [xp.slice(d, key=along(axis, i)) for i in range(len(_xs))]


cat = linear(
    "cat", lambda xp, *xs, axis: xp.concatenate(xs, axis=axis), uncat,
    [((2, 3), (4, 3), {"axis": -2}), ((2, 1), (2, 3), {"axis": -1})],
    arity=None, peer=lambda torch, *xs, axis: torch.cat(xs, axis),
)
stack_all = linear(
    "stack_all", stacked, unstack, [((3,), (3,), {"axis": -1}), ((2, 3), (2, 3), {"axis": -3})],
    arity=None, title="StackBackward0", peer=lambda torch, *xs, axis: torch.stack(xs, axis),
)
