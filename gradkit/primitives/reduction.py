"""Sums and what is like them: rows that run along axes and leave one element of each run."""

import math
from typing import Any

from gradkit.backend.numpy import NUMPY, total_of_product
from gradkit.families import general, linear
from gradkit.primitives.fusible import fusible
from gradkit.primitives.shape import axes_from_end, axis_from_end, in_front

inf = math.inf


# -- axes
def kept(shape, axis) -> tuple[int, ...]:
    """The shape with the reduced axes of extent 1."""
    return tuple([1 if i - len(shape) in axis else n for i, n in enumerate(shape)])


def extent(shape, axis) -> int:
    """How many elements each result is made of."""
    return math.prod([shape[a] for a in axis])


def left(shape, axis) -> tuple[int, ...]:
    """The shape without the reduced axes."""
    return tuple([n for i, n in enumerate(shape) if i - len(shape) not in axis])


def beside(xp, y, shape, axis):
    """A reduction's result with its axes back, to stand beside what it was made of."""
    return xp.reshape(y, kept(shape, axis))


_worked_out: dict[Any, dict[str, Any]] = {}


def reduce_over(x, dim=None, keepdim: bool = False, *, axis=None, keepdims: bool = False):
    """PyTorch's and NumPy's names for the same two things; worked out once for each rank."""
    key = (x.array.ndim - len(x.batch), dim if axis is None else axis, keepdim or keepdims)
    try:
        return _worked_out[key]
    except (KeyError, TypeError):  # a list of axes is no key
        params = {"axis": reduced_axes(x, key[1]), "keepdims": key[2]}
    if isinstance(key[1], int | tuple | None) and len(_worked_out) < 1024:
        _worked_out[key] = params
    return params


def reduced_axes(x, dim) -> tuple[int, ...]:
    """Axes counted from the end. A scalar has a dimension 0, and none to take away."""
    if dim is not None and not x.ndim:
        for one in (dim,) if hasattr(dim, "__index__") else dim:
            axis_from_end(x, one)
    return axes_from_end(x, dim)


def reduce_one(x, dim=None, keepdim: bool = False, *, axis=None, keepdims: bool = False):
    return {"axis": axis_from_end(x, dim if axis is None else axis), "keepdims": keepdim or keepdims}


def shifted(xp, x, axis: int, by: int, fill: float):
    """Runs moved along by one place (1, or -1 towards the front): what is behind the end is lost, the gap filled."""
    return xp.pad_constant(x, pads=((by, -by), *[(0, 0)] * (-axis - 1)), value=fill)


REDUCTIONS = [((3, 4), {"axis": (-1,), "keepdims": False}), ((3, 4), {"axis": (-2, -1), "keepdims": True})]
ALONG_LAST = {"axis": -1, "keepdims": False}
ALONG_ONE = [((3, 4), ALONG_LAST), ((3, 4), {"axis": -2, "keepdims": True})]
FEW = 1 << 14  # elements up to which NumPy writes a value out faster than a view with strides of zero costs later


# -- sums
def spread(xp, x, shape, axis):
    x = beside(xp, x, shape, axis)
    if math.prod(shape) > FEW or xp is not NUMPY.xp:
        return xp.broadcast_to(x, shape)
    y = xp.empty(shape, dtype=x.dtype)
    y[...] = x
    return y


sum = linear(
    "sum", "sum", [lambda xp, d, _y, x_shape, axis, keepdims: xp.unsum(d, shape=x_shape, axis=axis)],
    REDUCTIONS, structure="axes", tidy=reduce_over, contract=total_of_product,
    peer=lambda torch, x, axis, keepdims: torch.sum(x, axis, keepdims),
)
# The transpose of sum: axes that a sum took away (or left with extent 1) at full extent again.
unsum = linear(
    "unsum", spread, [lambda xp, d, _y, x_shape, shape, axis: xp.reshape(xp.sum(d, axis=axis), x_shape)],
    [((3,), {"shape": (3, 4), "axis": (-1,)}), ((1, 4), {"shape": (3, 4), "axis": (-2,)}), ((), {"shape": (3,), "axis": (-1,)})],
    batching=in_front, title="ExpandBackward0",
)
mean = linear(
    "mean", "mean",
    [lambda xp, d, _y, x_shape, axis, keepdims: xp.unsum(d / extent(x_shape, axis), shape=x_shape, axis=axis)],
    REDUCTIONS, structure="axes", tidy=reduce_over, promote="float",
    peer=lambda torch, x, axis, keepdims: torch.mean(x, axis, keepdims),
)


# -- extremes: those that tie share the derivative evenly
def ties(xp, x, y, axis):
    """1 where an element is its run's result, else 0."""
    return xp.astype(x == beside(xp, y, x.shape, axis), dtype=x.dtype)


def extreme_vjp(xp, d, y, x, axis, keepdims):
    mine = ties(xp, x, y, axis)
    return [beside(xp, d, x.shape, axis) / xp.sum(mine, axis=axis, keepdims=True) * mine]


def extreme_jvp(xp, ts, y, x, axis, keepdims):
    """What moves infinitely fast elsewhere does not matter."""
    mine = ties(xp, x, y, axis)
    moved = xp.sum(xp.masked(mine != 0, ts[0]), axis=axis, keepdims=keepdims)
    return moved / xp.sum(mine, axis=axis, keepdims=keepdims)


amax, amin = [
    general(
        name, forward, extreme_vjp, extreme_jvp, REDUCTIONS, structure="axes", tidy=reduce_over, promote="same",
        peer=lambda torch, x, axis, keepdims, name=name: getattr(torch, name)(x, axis, keepdims),
    )
    for name, forward in (("amax", "max"), ("amin", "min"))
]


# -- the first extreme along one axis, and its place
def first(name: str, find: str):
    def forward(xp, x, axis: int, keepdims: bool):
        return getattr(xp, name)(x, axis=(axis,), keepdims=keepdims), getattr(xp, find)(x, axis=axis, keepdims=keepdims)

    return forward


def first_vjp(xp, d, y, x_shape, axis: int, keepdims: bool):
    value, place = [beside(xp, one, x_shape, (axis,)) for one in (d[0], y[1])]
    return [xp.ungather(value, place, shape=x_shape, axis=axis)]


def first_jvp(xp, ts, y, x, axis: int, keepdims: bool):
    t = xp.gather(ts[0], beside(xp, y[1], x.shape, (axis,)), axis=axis)
    return [t if keepdims else xp.reshape(t, y[1].shape), None]


max_along, min_along = [
    general(
        f"{name}_along", first(name, f"arg{name}"), first_vjp, first_jvp, ALONG_ONE, structure="axes", promote="same",
        outputs=2, rescues=True, tidy=reduce_one, title=f"{name.capitalize()}Backward0",
        peer=lambda torch, x, axis, keepdims, name=name: tuple(getattr(torch, name)(x, axis, keepdims)),
    )
    for name in ("max", "min")
]


# -- products
@fusible
def product_of_others(xp, x, *, axis: int):
    """The product of all other elements of a run, without dividing: right at zeros, to every order."""
    before = shifted(xp, xp.running_prod(x, axis=axis, reverse=False), axis, 1, fill=1.0)
    behind = shifted(xp, xp.running_prod(x, axis=axis, reverse=True), axis, -1, fill=1.0)
    return before * behind


prod = general(
    "prod", lambda xp, x, axis, keepdims: xp.prod(x, axis=axis, keepdims=keepdims),
    lambda xp, d, _y, x, axis, keepdims: [beside(xp, d, x.shape, (axis,)) * product_of_others(xp, x, axis=axis)],
    lambda xp, ts, _y, x, axis, keepdims: xp.sum(ts[0] * product_of_others(xp, x, axis=axis), axis=axis, keepdims=keepdims),
    [*ALONG_ONE, ([[2.0, 0.0, 3.0], [0.0, 0.0, 5.0]], ALONG_LAST)], structure="axes", tidy=reduce_one, promote="same",
    peer=lambda torch, x, axis, keepdims: torch.prod(x, axis, keepdims),
)


# -- spread about the mean
def deviation(xp, x, axis):
    return x - xp.mean(x, axis=axis, keepdims=True)


def freedom(shape, axis, correction: float) -> float:
    """The degrees of freedom; none left is 0, by which dividing gives nan, or inf if there is something to divide."""
    return max(extent(shape, axis) - correction, 0)


def variance_vjp(xp, d, _y, x, axis, correction: float, keepdims: bool):
    scale = beside(xp, d + d, x.shape, axis) / freedom(x.shape, axis, correction)
    return [scale * deviation(xp, x, axis)]


def variance_jvp(xp, ts, _y, x, axis, correction: float, keepdims: bool):
    moved = xp.sum(real_product(xp, deviation(xp, x, axis), ts[0]), axis=axis, keepdims=keepdims)
    return (moved + moved) / freedom(x.shape, axis, correction)


def deviate(xp, d, y):
    """d / y, and 0 where y is 0: there the subgradient is 0, to every order."""
    return xp.masked(y != 0, d) / (y + (y == 0))


def standard_vjp(xp, d, y, x, axis, correction: float, keepdims: bool):
    scale = beside(xp, deviate(xp, d, y), x.shape, axis) / freedom(x.shape, axis, correction)
    return [scale * deviation(xp, x, axis)]


def standard_jvp(xp, ts, y, x, axis, correction: float, keepdims: bool):
    moved = xp.sum(real_product(xp, deviation(xp, x, axis), ts[0]), axis=axis, keepdims=keepdims)
    return deviate(xp, moved, y) / freedom(x.shape, axis, correction)


def squared(xp, x):
    return x * x if x.dtype.kind != "c" else xp.square(xp.real(x)) + xp.square(xp.imag(x))


def real_product(xp, x, t):
    """Elementwise products as of vectors in the plane."""
    return x * t if x.dtype.kind != "c" else xp.real(xp.conj(x) * t)


SPREADS = [
    ((3, 4), {"axis": (-1,), "correction": 1, "keepdims": False}),
    ((3, 4), {"axis": (-2, -1), "correction": 0.5, "keepdims": True}),
]
var = general(
    "var", "var", variance_vjp, variance_jvp, SPREADS, structure="axes", holomorphic=False,
    peer=lambda torch, x, axis, correction, keepdims: torch.var(x, axis, correction=correction, keepdim=keepdims),
)
std = general(
    "std", "std", standard_vjp, standard_jvp, SPREADS, structure="axes", holomorphic=False,
    peer=lambda torch, x, axis, correction, keepdims: torch.std(x, axis, correction=correction, keepdim=keepdims),
)


# -- logarithm of a sum of exponentials
@fusible
def logsumexp_forward(xp, x, *, axis, keepdims: bool):
    """Shifted by the greatest. A sum of nothing, or of exp(-inf) alone, is 0: its logarithm is not asked for."""
    if not extent(x.shape, axis):
        return xp.sum(x, axis=axis, keepdims=keepdims) - inf
    greatest = xp.max(xp.real(x), axis=axis, keepdims=True)
    sums = xp.sum(xp.exp(x - xp.where(xp.isfinite(greatest), greatest, 0)), axis=axis, keepdims=True)
    y = xp.log(sums + (sums == 0)) + greatest
    return y if keepdims else xp.reshape(y, left(x.shape, axis))


logsumexp = general(
    "logsumexp", logsumexp_forward,
    lambda xp, d, y, x, axis, keepdims: [
        beside(xp, d, x.shape, axis) * xp.exp(x - beside(xp, y, x.shape, axis))],
    lambda xp, ts, y, x, axis, keepdims: xp.sum(
        ts[0] * xp.exp(x - beside(xp, y, x.shape, axis)), axis=axis, keepdims=keepdims),
    REDUCTIONS, structure="axes", tidy=reduce_over,
    peer=lambda torch, x, axis, keepdims: torch.logsumexp(x, axis, keepdims),
)


# -- where, whether, how many: no derivatives
argmax, argmin = [
    general(name, name, None, None, ALONG_ONE, structure="axes", promote="same", tidy=reduce_one) for name in ("argmax", "argmin")
]
any, all = [
    general(name, name, None, None, REDUCTIONS, structure="axes", promote="same", tidy=reduce_over) for name in ("any", "all")
]
count_nonzero = general(
    "count_nonzero", "count_nonzero", None, None, REDUCTIONS[:1], structure="axes", promote="same", tidy=reduce_over,
    peer=lambda torch, x, axis, keepdims: torch.count_nonzero(x, axis),
)
