"""Convolution and its two transposes: three forms of one trilinear form, each bilinear with the others as transposes.

Arrays are x (N, C, *size), w (O, C / groups, *kernel), y (N, O, *out); stride, padding and dilation have an entry for each
spatial axis, that of padding a number or a pair (before, after). A backend's functions take more axes like N. Batch axes
in front of w, or of its cotangent, are looped over.
"""

import math
from collections.abc import Callable
from typing import Any

from gradkit.families import bilinear


def own_rank(params: dict[str, Any]) -> int:
    """How many axes an operand has without batch axes."""
    return 2 + len(params["stride"])


def spatial(x, params: dict[str, Any]) -> tuple[int, ...]:
    """The spatial extents of an operand, of which its shape is given, or itself if the other rule wants that."""
    return tuple(getattr(x, "shape", x)[-len(params["stride"]) :])


def with_one_kernel(xp, run: Callable[..., Any], a, w, params: dict[str, Any]):
    """``run(a, w)``, at once where all of `a` meets the same kernel."""
    own = own_rank(params)
    if math.prod(w.shape[:-own]) == 1:
        return run(a, xp.reshape(w, w.shape[-own:]))
    return one_by_one(xp, run, a, w, own)


def one_by_one(xp, run: Callable[..., Any], a, b, own: int):
    """``run(a, b)`` for each place of the batch axes in front of their `own` ones."""
    if a.ndim == own:
        return run(a, b)
    lead = tuple([m if n == 1 else n for n, m in zip(a.shape[:-own], b.shape[:-own])])
    count = math.prod(lead)
    if not count:  # one of zeros says what shape there would be
        y = run(*[xp.zeros(x.shape[-own:], dtype=x.dtype) for x in (a, b)])
        return xp.broadcast_to(y, lead + y.shape)
    pairs = zip(*[xp.reshape(xp.broadcast_to(x, lead + x.shape[-own:]), (count, *x.shape[-own:])) for x in (a, b)])
    y = xp.stack([run(*pair) for pair in pairs])
    return xp.reshape(y, lead + y.shape[1:])


def forward(xp, x, w, **params):
    return with_one_kernel(xp, lambda x, w: xp.conv_forward(x, w, **params), x, w, params)


def to_input(xp, d, w, *, size: tuple[int, ...], **params):
    def run(d, w):
        shape = (*d.shape[: 1 - own_rank(params)], w.shape[1] * params["groups"], *size)
        return xp.conv_input(d, w, shape, **params)

    return with_one_kernel(xp, run, d, w, params)


def to_weight(xp, x, d, *, kernel: tuple[int, ...], **params):
    own = own_rank(params)

    def run(x, d):
        return xp.conv_weight(d, x, (d.shape[1 - own], x.shape[1 - own] // params["groups"], *kernel), **params)

    return one_by_one(xp, run, x, d, own)


def settings(stride, padding, dilation, groups: int = 1, **more) -> dict[str, Any]:
    return {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups, **more}


def peer(torch, x, w, **params):
    return getattr(torch, f"conv{len(params['stride'])}d")(x, w, **params)


convolution = bilinear(
    "convolution", forward,
    [
        lambda xp, d, _y, x_shape, w, **params: xp.conv_input_ct(d, w, size=spatial(x_shape, params), **params),
        lambda xp, d, _y, x, w_shape, **params: xp.conv_weight_ct(x, d, kernel=spatial(w_shape, params), **params),
    ],
    [
        ((2, 2, 5), (3, 2, 3), settings((1,), (1,), (1,))),
        ((2, 4, 5, 4), (2, 2, 2, 3), settings((2, 1), (1, 0), (1, 1), groups=2)),
        ((1, 2, 6, 5), (2, 2, 2, 2), settings((1, 2), (0, 1), (3, 2))),
        ((1, 1, 3, 3, 3), (1, 1, 2, 2, 2), settings((1, 1, 1), (0, 0, 0), (1, 1, 1))),
    ],
    title="ConvolutionBackward0", peer=peer,
)
conv_input_ct = bilinear(
    "conv_input_ct", to_input,
    [
        lambda xp, c, _y, _d, w, size, **params: xp.convolution(c, w, **params),
        lambda xp, c, _y, d, w_shape, size, **params: xp.conv_weight_ct(c, d, kernel=spatial(w_shape, params), **params),
    ],
    [
        ((2, 3, 5), (3, 2, 3), settings((1,), (1,), (1,), size=(5,))),
        ((2, 2, 3, 2), (2, 2, 2, 3), settings((2, 1), (1, 0), (1, 1), groups=2, size=(5, 4))),
        ((1, 2, 2, 2), (2, 1, 2, 2), settings((2, 2), (0, 0), (1, 1), size=(5, 4))),
    ],
    title="ConvolutionBackward0",
)
conv_weight_ct = bilinear(
    "conv_weight_ct", to_weight,
    [
        lambda xp, c, _y, x_shape, d, kernel, **params: xp.conv_input_ct(d, c, size=spatial(x_shape, params), **params),
        lambda xp, c, _y, x, _d, kernel, **params: xp.convolution(x, c, **params),
    ],
    [
        ((2, 2, 5), (2, 3, 5), settings((1,), (1,), (1,), kernel=(3,))),
        ((2, 4, 5, 4), (2, 2, 3, 2), settings((2, 1), (1, 0), (1, 1), groups=2, kernel=(2, 3))),
    ],
    title="ConvolutionBackward0",
)
