"""Norms of vectors along axes. At 0 the subgradient is 0, to every order."""

import math

from gradkit.families import general
from gradkit.primitives.reduction import beside, deviate, real_product, squared, ties

inf = math.inf


def vector_norm_forward(xp, x, ord: float, axis, keepdims: bool):
    over = {"axis": axis, "keepdims": keepdims}
    if ord == 2:
        return xp.sqrt(xp.sum(squared(xp, x), **over))
    size = sizes(xp, x)
    if ord == inf:
        return xp.max(size, **over)
    if ord == -inf:
        return xp.min(size, **over)
    if ord == 0:
        return xp.astype(xp.sum(size != 0, **over), dtype=size.dtype)
    if ord == 1:
        return xp.sum(size, **over)
    return xp.sum(size**ord, **over) ** (1 / ord)


def sizes(xp, x):
    return xp.abs(x) if x.dtype.kind != "c" else xp.modulus(x)


def direction(xp, x):
    """x / abs(x), and 0 at 0."""
    return xp.signum(x) if x.dtype.kind != "c" else xp.sgn(x)


def weights(xp, y, x, ord: float, axis):
    """By what the derivative of the norm multiplies `direction`: (abs(x) / norm) ** (ord - 1), 0 where x is 0."""
    size = sizes(xp, x)
    if abs(ord) == inf:
        mine = ties(xp, size, y, axis)
        return mine / xp.sum(mine, axis=axis, keepdims=True)
    nil = size == 0
    if ord == 1:
        return xp.astype(xp.logical_not(nil), dtype=size.dtype)
    whole = beside(xp, y, x.shape, axis)
    # A negative power of an element that is 0 makes the norm 0 or inf: no element has a derivative then.
    return xp.masked((size != 0) & (whole != 0), ((size + nil) / (whole + (whole == 0))) ** (ord - 1))


def vector_norm_vjp(xp, d, y, x, ord: float, axis, keepdims: bool):
    if ord == 0:  # a count: no cotangent, so that none of its zeros becomes nan further back
        return [None]
    if ord == 2:
        return [beside(xp, deviate(xp, d, y), x.shape, axis) * x]
    return [beside(xp, d, x.shape, axis) * weights(xp, y, x, ord, axis) * direction(xp, x)]


def vector_norm_jvp(xp, ts, y, x, ord: float, axis, keepdims: bool):
    over = {"axis": axis, "keepdims": keepdims}
    if ord == 0:
        return None
    if ord == 2:
        return deviate(xp, xp.sum(real_product(xp, x, ts[0]), **over), y)
    return xp.sum(weights(xp, y, x, ord, axis) * real_product(xp, direction(xp, x), ts[0]), **over)


vector_norm = general(
    "vector_norm", vector_norm_forward, vector_norm_vjp, vector_norm_jvp,
    [((3, 4), {"ord": ord, "axis": (-1,), "keepdims": False}) for ord in (2, 1, 3, 0.5, -1, inf, -inf, 0)]
    + [((3, 4), {"ord": 2, "axis": (-2, -1), "keepdims": True})],
    structure="axes", holomorphic=False, title="LinalgVectorNormBackward0",
    peer=lambda torch, x, ord, axis, keepdims: torch.linalg.vector_norm(x, ord, axis, keepdims),
)
