"""Rows that normalise along axes: softmax and its logarithm, layer and batch normalisation."""

from typing import Any

from gradkit.families import general
from gradkit.primitives.fusible import fusible
from gradkit.primitives.shape import axis_from_end


# -- softmax
def softmax_over(x, dim=None, *, axis=None) -> dict[str, Any]:
    """PyTorch's and NumPy's name for the axis."""
    return {"axis": axis_from_end(x, dim if axis is None else axis)}


@fusible
def softmax_forward(xp, x, *, axis: int):
    if not x.size:
        return x.copy()
    e = xp.exp(x - xp.max(x, axis=axis, keepdims=True))
    return e / xp.sum(e, axis=axis, keepdims=True)


@fusible
def log_softmax_forward(xp, x, *, axis: int):
    if not x.size:
        return x.copy()
    c = x - xp.max(x, axis=axis, keepdims=True)
    return c - xp.log(xp.sum(xp.exp(c), axis=axis, keepdims=True))


@fusible
def softmax_vjp(xp, d, y, *, axis: int):
    return y * (d - xp.sum(d * y, axis=axis, keepdims=True))


@fusible
def log_softmax_vjp(xp, d, y, *, axis: int):
    return d - xp.exp(y) * xp.sum(d, axis=axis, keepdims=True)


ALONG = [((3, 4), {"axis": -1}), ((3, 4), {"axis": -2}), ((2, 3, 2), {"axis": -2})]

# The Jacobian of softmax is symmetric: it carries tangents as it carries cotangents.
softmax = general(
    "softmax", softmax_forward, lambda xp, d, y, _x, axis: [softmax_vjp(xp, d, y, axis=axis)],
    lambda xp, ts, y, _x, axis: softmax_vjp(xp, ts[0], y, axis=axis),
    ALONG, structure="axes", tidy=softmax_over, edges=[(0.0, 0.0), (1e4, -1e4)],
    peer=lambda torch, x, axis: torch.softmax(x, axis),
)
log_softmax = general(
    "log_softmax", log_softmax_forward, lambda xp, d, y, _x, axis: [log_softmax_vjp(xp, d, y, axis=axis)],
    lambda xp, ts, y, _x, axis: ts[0] - xp.sum(xp.exp(y) * ts[0], axis=axis, keepdims=True),
    ALONG, structure="axes", tidy=softmax_over, edges=[(0.0, 0.0), (1e4, -1e4)],
    peer=lambda torch, x, axis: torch.log_softmax(x, axis),
)


# -- layer and batch normalisation
def standardized(xp, x, axis: tuple[int, ...], eps: float) -> tuple[Any, Any]:
    """(x - mean) / sqrt(variance + eps), and 1 / sqrt(variance + eps)."""
    return over_root(xp, x - xp.mean(x, axis=axis, keepdims=True), axis, eps)


def over_root(xp, x, axis: tuple[int, ...], eps: float) -> tuple[Any, Any]:
    """x / sqrt(mean of squares + eps), and 1 / sqrt(mean of squares + eps)."""
    scale = 1 / xp.sqrt(xp.mean(x * x, axis=axis, keepdims=True) + eps)
    return x * scale, scale


def unstandardized(xp, d, n, scale, axis: tuple[int, ...]):
    """The symmetric Jacobian of `standardized` applied to `d` (Ba, Kiros and Hinton 2016)."""
    projected = xp.mean(d * n, axis=axis, keepdims=True)
    return scale * (d - xp.mean(d, axis=axis, keepdims=True) - n * projected)


def norm_forward(xp, x, w, b, *, axis: tuple[int, ...], eps: float):
    return standardized(xp, x, axis, eps)[0] * w + b


def norm_vjp(xp, d, x, w, *, axis: tuple[int, ...], eps: float) -> list[Any]:
    n, scale = standardized(xp, x, axis, eps)
    return [unstandardized(xp, d * w, n, scale, axis), d * n, d]


def norm_jvp(xp, ts, y, x, w, _b, axis: tuple[int, ...], eps: float):
    x_t, w_t, b_t = ts
    n, scale = standardized(xp, x, axis, eps)
    moved = 0 if x_t is None else unstandardized(xp, x_t, n, scale, axis) * w
    scaled = moved if w_t is None else moved + n * w_t
    return scaled if b_t is None else xp.broadcast_to(scaled + b_t, y.shape)


@fusible
def standardize_forward(xp, x, *, axis: tuple[int, ...], eps: float):
    return standardized(xp, x, axis, eps)[0]


@fusible
def standardize_vjp(xp, d, x, *, axis: tuple[int, ...], eps: float):
    return unstandardized(xp, d, *standardized(xp, x, axis, eps), axis)


@fusible
def layer_norm_forward(xp, x, w, b, *, axis: tuple[int, ...], eps: float):
    return norm_forward(xp, x, w, b, axis=axis, eps=eps)


@fusible
def layer_norm_vjp(xp, d, x, w, *, axis: tuple[int, ...], eps: float) -> list[Any]:
    return norm_vjp(xp, d, x, w, axis=axis, eps=eps)


@fusible
def rms_norm_forward(xp, x, w, *, axis: tuple[int, ...], eps: float):
    return over_root(xp, x, axis, eps)[0] * w


@fusible
def rms_norm_vjp(xp, d, x, w, *, axis: tuple[int, ...], eps: float) -> list[Any]:
    n, scale = over_root(xp, x, axis, eps)
    return [unrooted(xp, d * w, n, scale, axis), d * n]


def unrooted(xp, d, n, scale, axis: tuple[int, ...]):
    """The symmetric Jacobian of `over_root` applied to `d` (Zhang and Sennrich 2019)."""
    return scale * (d - n * xp.mean(d * n, axis=axis, keepdims=True))


def rms_norm_jvp(xp, ts, _y, x, w, axis: tuple[int, ...], eps: float):
    x_t, w_t = ts
    n, scale = over_root(xp, x, axis, eps)
    moved = 0 if x_t is None else unrooted(xp, x_t, n, scale, axis) * w
    return moved if w_t is None else moved + n * w_t


@fusible
def batch_norm_forward(xp, x, w, b, *, axis: tuple[int, ...], eps: float):
    return norm_forward(xp, x, w, b, axis=axis, eps=eps)


@fusible
def batch_norm_vjp(xp, d, x, w, *, axis: tuple[int, ...], eps: float) -> list[Any]:
    return norm_vjp(xp, d, x, w, axis=axis, eps=eps)


@fusible
def batch_norm_eval_forward(xp, x, w, b, mean, var, *, axis: tuple[int, ...], eps: float):
    """By statistics that are given. Two passes over `x`: the rest is one number for each channel."""
    scale = w / xp.sqrt(var + eps)
    return x * scale + (b - mean * scale)


@fusible
def batch_norm_eval_vjp(xp, d, x, w, mean, var, *, axis: tuple[int, ...], eps: float) -> list[Any]:
    scale = 1 / xp.sqrt(var + eps)
    slope = w * scale
    b_ct = xp.sum(d, axis=axis, keepdims=True)
    w_ct = xp.sum(d * (x - mean), axis=axis, keepdims=True) * scale
    return [d * slope, w_ct, b_ct, -slope * b_ct, -0.5 * slope * scale * w_ct]


def batch_norm_eval_jvp(xp, ts, y, x, w, _b, mean, var, axis: tuple[int, ...], eps: float):
    scale = 1 / xp.sqrt(var + eps)
    slope, n = w * scale, (x - mean) * scale
    factors = slope, n, 1, -slope, -0.5 * slope * scale * n
    return xp.broadcast_to(sum([t * factor for t, factor in zip(ts, factors) if t is not None]), y.shape)


@fusible
def batch_moments(xp, x, *, axis: tuple[int, ...]) -> tuple[Any, Any]:
    """Mean and variance, for running statistics: on raw arrays, without a row."""
    centred = x - xp.mean(x, axis=axis, keepdims=True)
    return xp.mean(x, axis=axis), xp.mean(centred * centred, axis=axis)


@fusible
def statistics_moved(xp, x, mean, var, *, axis: tuple[int, ...], momentum: float) -> None:
    """Running statistics, or None, moved towards those of a batch in their own memory; the variance with Bessel's correction."""
    found = batch_moments(xp, x, axis=axis)
    count = x.size // found[0].size
    for running, now, factor in ((mean, found[0], 1.0), (var, found[1], count / (count - 1))):
        if running is not None:
            running *= 1 - momentum
            running += now * (momentum * factor)


standardize = general(
    "standardize", standardize_forward, lambda xp, d, _y, x, axis, eps: [standardize_vjp(xp, d, x, axis=axis, eps=eps)],
    lambda xp, ts, _y, x, axis, eps: standardize_vjp(xp, ts[0], x, axis=axis, eps=eps),
    [((3, 4), {"axis": (-1,), "eps": 1e-5}), ((3, 2, 2), {"axis": (-3, -1), "eps": 1e-2})],
    structure="axes", title="NativeGroupNormBackward0",
)
# One function, in two rows for the sake of their fused forms: weight and bias run along the normalised axes in one, along
# the axis that is left in the other.
layer_norm = general(
    "layer_norm", layer_norm_forward,
    lambda xp, d, _y, x, w, _b, axis, eps: layer_norm_vjp(xp, d, x, w, axis=axis, eps=eps), norm_jvp,
    [((3, 4), (4,), (4,), {"axis": (-1,), "eps": 1e-5}), ((3, 2, 2), (2, 2), (2, 2), {"axis": (-2, -1), "eps": 1e-2})],
    arity=3, broadcasts=True, title="NativeLayerNormBackward0",
    peer=lambda torch, x, w, b, axis, eps: torch.layer_norm(x, x.shape[axis[0]:], w, b, eps),
)
rms_norm = general(
    "rms_norm", rms_norm_forward, lambda xp, d, _y, x, w, axis, eps: rms_norm_vjp(xp, d, x, w, axis=axis, eps=eps), rms_norm_jvp,
    [((3, 4), (4,), {"axis": (-1,), "eps": 1e-5}), ((3, 2, 2), (2, 2), {"axis": (-2, -1), "eps": 1e-2})],
    arity=2, broadcasts=True, title="MulBackward0",
    peer=lambda torch, x, w, axis, eps: torch.rms_norm(x, x.shape[axis[0]:], None, eps) * w,  # given it, w's imaginary part is lost
)
batch_norm = general(
    "batch_norm", batch_norm_forward,
    lambda xp, d, _y, x, w, _b, axis, eps: batch_norm_vjp(xp, d, x, w, axis=axis, eps=eps),
    norm_jvp,
    [((4, 3), (3,), (3,), {"axis": (-2,), "eps": 1e-5}), ((3, 2, 5), (2, 1), (2, 1), {"axis": (-3, -1), "eps": 1e-2})],
    arity=3,
    broadcasts=True,
    title="NativeBatchNormBackward0",
    peer=lambda torch, x, w, b, axis, eps: torch.nn.functional.batch_norm(
        x, None, None, w.reshape(-1), b.reshape(-1), True, 0.0, eps
    ),
)
batch_norm_eval = general(
    "batch_norm_eval", batch_norm_eval_forward,
    lambda xp, d, _y, x, w, _b, mean, var, axis, eps: batch_norm_eval_vjp(xp, d, x, w, mean, var, axis=axis, eps=eps),
    batch_norm_eval_jvp,
    [((4, 3), (3,), (3,), (3,), (3,), {"axis": (-2,), "eps": 1e-5}),
     ((3, 2, 5), (2, 1), (2, 1), (2, 1), (2, 1), {"axis": (-3, -1), "eps": 1e-2})],
    arity=5, broadcasts=True, title="NativeBatchNormBackward0", domain=((-2, 2), (-2, 2), (-2, 2), (-2, 2), (0.5, 2)),
    peer=lambda torch, x, w, b, mean, var, axis, eps: x * (scale := w / torch.sqrt(var + eps)) + (b - mean * scale),
)  # fmt: skip
