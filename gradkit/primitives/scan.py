"""Running totals: rows whose every element depends on those before it along an axis."""

import math

from gradkit.families import general, linear
from gradkit.primitives.arranging import along
from gradkit.primitives.fusible import fusible
from gradkit.primitives.reduction import shifted

inf = math.inf
BACKWARDS = slice(None, None, -1)
FORTH_AND_BACK = [((3, 4), {"axis": -1, "reverse": False}), ((3, 4), {"axis": -2, "reverse": True})]


def turned(x, axis: int, reverse: bool):
    """The array seen from the other end of an axis, if `reverse`."""
    return x[along(axis, BACKWARDS)] if reverse else x


def running(name: str):
    """The forward that runs the namespace's own function along an axis."""

    def forward(xp, x, axis: int, reverse: bool):
        return turned(getattr(xp, name)(turned(x, axis, reverse), axis=axis), axis, reverse)

    return forward


# -- sums
running_sum = linear(
    "running_sum", running("cumsum"),
    [lambda xp, d, _y, _x, axis, reverse: xp.running_sum(d, axis=axis, reverse=not reverse)],
    FORTH_AND_BACK, structure="axes", title="CumsumBackward0",
    peer=lambda torch, x, axis, reverse: None if reverse else torch.cumsum(x, axis),
)


# -- linear recurrences: y[i] = a[i] y[i-1] + b[i]
def recur(xp, a, b, axis: int, reverse: bool):
    """By doubling (Hillis & Steele 1986): in step s every element takes in what the s before it have gathered.

    The products of many `a` may leave the range of the dtype where the result does not: then one step at a time.
    """
    a, b = [xp.moveaxis(turned(z, axis, reverse), axis, 0) for z in (a, b)]
    factor, y = a.copy(), b.copy()
    s = 1
    while s < len(y):
        y[s:] += factor[s:] * y[:-s]
        factor[s:] *= factor[:-s].copy()
        s *= 2
    return turned(xp.moveaxis(xp.recurrence_repaired(a, b, y), 0, axis), axis, reverse)


def recurrence_vjp(xp, d, y, a, _b, axis: int, reverse: bool):
    back = -1 if not reverse else 1
    b_ct = xp.recurrence(shifted(xp, a, axis, back, fill=0.0), d, axis=axis, reverse=not reverse)
    return [b_ct * shifted(xp, y, axis, -back, fill=0.0), b_ct]


def recurrence_jvp(xp, ts, y, a, _b, axis: int, reverse: bool):
    a_t, b_t = ts
    moved = 0 if b_t is None else b_t
    if a_t is not None:
        moved = moved + a_t * shifted(xp, y, axis, 1 if not reverse else -1, fill=0.0)
    return xp.recurrence(a, moved, axis=axis, reverse=reverse)


recurrence = general(
    "recurrence", recur, recurrence_vjp, recurrence_jvp,
    [((3, 4), (3, 4), {"axis": -1, "reverse": False}), ((3, 4), (3, 4), {"axis": -2, "reverse": True})],
    arity=2, structure="axes", peer=False,
)


# -- products
# y[i] = x[i] y[i-1]: what reaches x[i] is a recurrence from behind, times the product before it. Nothing is divided.
@fusible
def running_prod_vjp(xp, d, x, *, axis: int, reverse: bool):
    on = 1 if not reverse else -1
    y = xp.running_prod(x, axis=axis, reverse=reverse)
    gathered = xp.recurrence(shifted(xp, x, axis, -on, fill=0.0), d, axis=axis, reverse=not reverse)
    return gathered * shifted(xp, y, axis, on, fill=1.0)


def running_prod_jvp(xp, ts, y, x, axis: int, reverse: bool):
    before = shifted(xp, y, axis, 1 if not reverse else -1, fill=1.0)
    return xp.recurrence(x, ts[0] * before, axis=axis, reverse=reverse)


running_prod = general(
    "running_prod", running("cumprod"),
    lambda xp, d, _y, x, axis, reverse: [running_prod_vjp(xp, d, x, axis=axis, reverse=reverse)], running_prod_jvp,
    [*FORTH_AND_BACK, ([[2.0, 0.0, 3.0], [0.0, 0.0, 5.0]], {"axis": -1, "reverse": False})],
    structure="axes", promote="same", title="CumprodBackward0",
    peer=lambda torch, x, axis, reverse: None if reverse else torch.cumprod(x, axis),
)


# -- logarithms of running sums of exponentials
# With decay[i] = exp(y[i-1] - y[i]) <= 1 the tangent is a recurrence in which nothing can overflow.
def decay(xp, y, axis: int):
    before = shifted(xp, y, axis, 1, fill=-inf)
    return xp.exp(before - xp.masked(before != -inf, y))


def weight(xp, x, y):
    """exp(x - y); what is -inf has none, even where all before it are -inf too."""
    return xp.exp(x - xp.masked(x != -inf, y))


def log_cumulative_vjp(xp, d, y, x, axis: int):
    later = shifted(xp, decay(xp, y, axis), axis, -1, fill=0.0)
    return [weight(xp, x, y) * xp.recurrence(later, d, axis=axis, reverse=True)]


def log_cumulative_jvp(xp, ts, y, x, axis: int):
    return xp.recurrence(decay(xp, y, axis), weight(xp, x, y) * ts[0], axis=axis, reverse=False)


logcumsumexp = general(
    "logcumsumexp", "logcumsumexp", log_cumulative_vjp, log_cumulative_jvp, [((3, 4), {"axis": -1}), ((3, 4), {"axis": -2})],
    structure="axes", peer=lambda torch, x, axis: torch.logcumsumexp(x, axis),
)


# -- running extremes, and their places
def latest(name: str, reaches):
    """A tie goes to the later place."""

    def forward(xp, x, axis: int):
        y = getattr(xp, name)(x, axis=axis)
        place = xp.reshape(xp.arange(x.shape[axis]), (-1,) + (1,) * (-axis - 1))
        return y, xp.running_max(xp.where(reaches(x, y) | (x != x), place, 0), axis=axis)

    return forward


cummax, cummin = [
    general(
        name, latest(running, reaches),
        lambda xp, d, y, x_shape, axis: [xp.ungather(d[0], y[1], shape=x_shape, axis=axis)],
        lambda xp, ts, y, _x, axis: [xp.gather(ts[0], y[1], axis=axis), None],
        [((3, 4), {"axis": -1}), ((3, 4), {"axis": -2})], structure="axes", promote="same", outputs=2, rescues=True,
        peer=lambda torch, x, axis, name=name: tuple(getattr(torch, name)(x, axis)),
    )
    for name, running, reaches in (("cummax", "running_max", lambda x, y: x >= y), ("cummin", "running_min", lambda x, y: x <= y))
]
