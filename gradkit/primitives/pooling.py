"""Pooling over the last axes: the greatest element or the mean of each window."""

import math
from typing import Any

from gradkit.families import general, linear
from gradkit.primitives.fusible import fusible


# -- maximum: which element it is is found on the way back, and only then
def planes(xp, x, axes: int):
    """`x` with its spatial axes as one, and all others as one."""
    return xp.reshape(x, (-1, math.prod(x.shape[-axes:])))


@fusible
def max_pool_vjp(xp, d, x, **params):
    axes = len(params["kernel"])
    index = planes(xp, xp.max_pool_at(x, **params), axes)
    shape = (math.prod(x.shape[:-axes]), math.prod(x.shape[-axes:]))
    return xp.reshape(xp.ungather(planes(xp, d, axes), index, shape=shape, axis=-1), x.shape)


def max_pool_jvp(xp, ts, y, x, **params):
    axes = len(params["kernel"])
    index = planes(xp, xp.max_pool_at(x, **params), axes)
    return xp.reshape(xp.gather(planes(xp, ts[0], axes), index, axis=-1), y.shape)


def max_pool_peer(torch, x, ceil_mode: bool, **params):
    pool = getattr(torch, f"max_pool{len(params['kernel'])}d")
    return pool(x, *[params[k] for k in ("kernel", "stride", "padding", "dilation")], ceil_mode)


def windows(kernel, stride, padding, **more) -> dict[str, Any]:
    return {"kernel": kernel, "stride": stride, "padding": padding, "ceil_mode": False, **more}


_MAX = [
    ((2, 1, 5), windows((2,), (2,), (0,), dilation=(1,))),
    ((1, 2, 5, 4), windows((3, 2), (2, 1), (1, 0), dilation=(1, 2))),
    ((1, 1, 3, 4, 3), windows((2, 2, 2), (1, 2, 1), (0, 0, 1), dilation=(1, 1, 1))),
]
max_pool = general(
    "max_pool", "pool_max", lambda xp, d, _y, x, **params: [max_pool_vjp(xp, d, x, **params)], max_pool_jvp, _MAX,
    title="MaxPool2DWithIndicesBackward0", promote="same", structure="moves", peer=max_pool_peer,
)
max_pool_at = general("max_pool_at", "pool_max_at", None, None, _MAX, promote="same")


# -- maximum over windows of unequal size
def bounds(old: int, new: int) -> list[tuple[int, int]]:
    """Where each of `new` windows on `old` elements begins and ends; neighbours overlap where they must."""
    return [(i * old // new, -(-(i + 1) * old // new)) for i in range(new)]


def greatest_in_windows(xp, x, size: tuple[int, int]):
    """The place in the flattened last two axes of the greatest element of each window."""
    height, width = x.shape[-2:]
    index = xp.empty((*x.shape[:-2], *size), dtype=xp.int64)
    for i, (top, bottom) in enumerate(bounds(height, size[0])):
        for j, (left, right) in enumerate(bounds(width, size[1])):
            window = x[..., top:bottom, left:right]
            found = xp.argmax(xp.reshape(window, (*x.shape[:-2], (bottom - top) * (right - left))), axis=-1)
            across = right - left
            index[..., i, j] = (top + found // across) * width + left + found % across
    return index


adaptive_max_pool_at = general(
    "adaptive_max_pool_at", greatest_in_windows, None, None, [((2, 5, 4), {"size": (3, 2)})], promote="same"
)


# -- mean
def in_order(params: dict[str, Any]) -> list[Any]:
    return [params[k] for k in ("kernel", "stride", "padding", "ceil_mode", "include_pad", "divisor")]


def avg_pool_transpose(xp, d, _y, x_shape, **params):
    return xp.avg_pool_ct(d, size=tuple(x_shape[-len(params["kernel"]) :]), **params)


def avg_pool_peer(torch, x, **params):
    axes = len(params["kernel"])
    chosen = in_order(params)[:-1] if axes == 1 else in_order(params)
    return getattr(torch.nn.functional, f"avg_pool{axes}d")(x, *chosen)


_MEAN = [
    ((2, 1, 5), windows((2,), (2,), (0,), include_pad=True, divisor=None)),
    ((1, 2, 5, 4), windows((3, 2), (2, 1), (1, 0), include_pad=False, divisor=None)),
    ((1, 2, 5, 4), windows((2, 2), (2, 2), (1, 1), include_pad=True, divisor=3)),
]
avg_pool = linear(
    "avg_pool", lambda xp, x, **params: xp.pool_mean(x, *in_order(params)), [avg_pool_transpose], _MEAN,
    structure="dense", title="AvgPool2DBackward0", peer=avg_pool_peer,
)
avg_pool_ct = linear(
    "avg_pool_ct", lambda xp, d, size, **params: xp.pool_mean_ct(d, size, *in_order(params)),
    [lambda xp, d, _y, _d, size, **params: xp.avg_pool(d, **params)],
    [((2, 1, 2), {**_MEAN[0][1], "size": (5,)}), ((1, 2, 3, 3), {**_MEAN[1][1], "size": (5, 4)})],
    structure="dense", title="AvgPool2DBackward0",
)
