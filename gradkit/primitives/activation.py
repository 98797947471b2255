"""Activations. Where either serves, their rules keep the output, which the next layer keeps anyway, not the input."""

import math
from functools import cache
from typing import Any

from gradkit.backend.numpy import NUMPY
from gradkit.engine.dtypes import bool_
from gradkit.families import NO_BOOL, elementwise
from gradkit.primitives.fusible import fusible
from gradkit.primitives.piecewise import clamped

inf, nan = math.inf, math.nan
_KINKS = [-1.0, 0.0, 0.5, 1.0, inf, -inf]


def nonzero(xp, y):
    """Where what was cut off is not: a nan is not."""
    return xp.astype(y, dtype=bool_)


# -- cut-offs
@cache
def zero(dtype):
    return NUMPY.asarray(0, dtype)


def positive_part(xp, x):
    return clamped(xp, x, 0, None) if x.size > 1000 or xp is not NUMPY.xp else xp.maximum(x, zero(x.dtype))


relu = elementwise(
    "relu", positive_part, [lambda xp, d, y, _x: xp.masked(nonzero(xp, y), d)], refuses=NO_BOOL, edges=[*_KINKS, nan],
    fused="relu_vjp",
)
hardtanh = elementwise(
    "hardtanh", lambda xp, x, min_val, max_val: clamped(xp, x, min_val, max_val),
    [lambda xp, d, y, _x, min_val, max_val: xp.masked(xp.logical_not((y <= min_val) | (y >= max_val)), d)],
    params=[{"min_val": -1.0, "max_val": 1.0}, {"min_val": 0.0, "max_val": 6.0}], rescues=True, edges=[*_KINKS, nan],
    peer=lambda torch, x, min_val, max_val: torch.nn.functional.hardtanh(x, min_val, max_val),
)
hardsigmoid = elementwise(
    "hardsigmoid", lambda xp, x: clamped(xp, x + 3, 0, 6) / 6,
    [lambda xp, d, y, _x: xp.masked((y > 0) & (y < 1), d / 6)],
    domain=(-4, 4), promote="float", refuses=NO_BOOL, rescues=True, edges=[-3.0, 0.0, 3.0, inf, -inf],
    peer=lambda torch, x: torch.nn.functional.relu6(x + 3) / 6,  # hardsigmoid's own gradient is 1/6 in float32
)
hardswish = elementwise(
    "hardswish", lambda xp, x: x * (clamped(xp, x + 3, 0, 6) / 6),
    [lambda xp, d, _y, x: xp.masked((x > -3) & (x < 3), d * (x / 3 + 0.5)) + xp.masked(x >= 3, d)],
    domain=(-4, 4), promote="float", refuses=NO_BOOL, edges=[-3.0, 0.0, 3.0, inf],
    peer=lambda torch, x: torch.nn.functional.hardswish(x),
)
threshold = elementwise(
    "threshold", lambda xp, x, threshold, value: xp.where(x <= threshold, x.dtype.type(value), x),
    [lambda xp, d, _y, x, threshold, **_: xp.masked(xp.logical_not(x <= threshold), d)],
    params=[{"threshold": 0.5, "value": -3.0}], edges=[*_KINKS, nan],
)
softshrink = elementwise(
    "softshrink", lambda xp, x, lambd: x - clamped(xp, x, -lambd, lambd),
    [lambda xp, d, y, _x, **_: xp.masked(nonzero(xp, y), d)],
    params=[{"lambd": 0.5}], promote="float", rescues=True, edges=[-0.5, *_KINKS[:-2]],
    peer=lambda torch, x, lambd: torch.nn.functional.softshrink(x, lambd),
)
hardshrink = elementwise(
    "hardshrink", lambda xp, x, lambd: xp.masked(xp.logical_not((x >= -lambd) & (x <= lambd)), x),
    [lambda xp, d, y, _x, **_: xp.masked(nonzero(xp, y), d)],
    params=[{"lambd": 0.5}], promote="float", rescues=True, edges=[-0.5, *_KINKS, nan], title="HardshrinkBackward0",
)


# -- bent at the origin
def slopes(xp, y, slope: float):
    """1 where `y` is positive, else `slope`; clamping takes a tenth of the time of numpy.where."""
    steps = xp.astype(y > 0, dtype=y.dtype)
    return xp.clamp(steps, min=slope, max=None) if slope <= 1 else xp.where(steps > 0, steps, slope)


def bent(xp, x, negative_slope: float):
    below = x * x.dtype.type(negative_slope)  # bfloat16 times a Python float is float32 to NumPy and CuPy
    return xp.maximum(x, below) if negative_slope <= 1 else xp.where(x > 0, x, below)


# The output has the input's sign, since the slope is not negative: `gradkit.ops.activation` sees to that.
leaky_relu = elementwise(
    "leaky_relu", bent, [lambda xp, d, y, _x, negative_slope: d * slopes(xp, y, negative_slope)],
    params=[{"negative_slope": 0.01}, {"negative_slope": 2.0}], promote="float", rescues=True, edges=[*_KINKS, nan],
    peer=lambda torch, x, negative_slope: torch.nn.functional.leaky_relu(x, negative_slope),
)
prelu = elementwise(
    "prelu", lambda xp, x, weight: xp.where(x > 0, x, weight * x),
    [
        lambda xp, d, _y, x, weight: d * xp.where(x > 0, 1, weight),
        lambda xp, d, _y, x, _weight: xp.masked(xp.logical_not(x > 0), d * x),
    ],
    promote="float", refuses=NO_BOOL, edges=[(0.0, 0.25), (1.0, 0.25), (-1.0, 0.25), (-2.0, -0.5)],
    title="PreluKernelBackward0",
    peer=lambda torch, x, weight: torch.where(x > 0, x, weight * x),
)


def exponential_below(xp, x, alpha: float, scale: float, input_scale: float):
    below, above = clamped(xp, x, None, 0), clamped(xp, x, 0, None)
    kind = x.dtype.type
    return above * kind(scale) + xp.expm1(below * kind(input_scale)) * kind(alpha)


def elu_rule(xp, d, y, _x, alpha: float, scale: float, input_scale: float):
    """Below 0 the slope is (y + alpha) input_scale; its own slope counts from below 0 on, not at 0, as in PyTorch."""
    flat: Any = scale
    if alpha * input_scale != scale:
        above = xp.astype(y > 0, dtype=y.dtype)
        flat = above * scale + (1 - above) * (alpha * input_scale)
    return d * (xp.masked(y < 0, y * input_scale) + flat)


# Of negative inputs the output is negative, or 0: see `gradkit.ops.activation`.
elu = elementwise(
    "elu", exponential_below, [elu_rule], promote="float", rescues=True, edges=_KINKS,
    params=[
        {"alpha": 1.0, "scale": 1.0, "input_scale": 1.0}, {"alpha": 1.7, "scale": 1.05, "input_scale": 1.0},
        {"alpha": 2.0, "scale": 1.0, "input_scale": 0.5},
    ],
    peer=lambda torch, x, alpha, scale, input_scale: torch.ops.aten.elu(x, alpha / scale, scale, input_scale),
)

# -- smooth
sigmoid = elementwise(
    "sigmoid", "sigmoid", [lambda _xp, d, y, _x: d * (y * (1 - y))], promote="float",
    edges=[-inf, -30.0, 0.0, 30.0, inf, nan], fused="sigmoid_vjp",
)
log_sigmoid = elementwise(
    "log_sigmoid", "log_sigmoid", [lambda xp, d, y, _x: -d * xp.expm1(y)], promote="float", refuses=NO_BOOL,
    rescues=True, edges=[-inf, -30.0, 0.0, inf], title="LogSigmoidBackward0", peer=lambda torch, x: torch.nn.functional.logsigmoid(x),
)
# Above the threshold the function is x itself: whether it is there, only x can tell.
softplus = elementwise(
    "softplus", lambda xp, x, beta, threshold: xp.softplus(x, beta, threshold),
    [lambda xp, d, _y, x, beta, threshold: d * xp.where(x * beta > threshold, 1, xp.sigmoid(beta * x))],
    domain=(-4, 4), promote="float",
    params=[{"beta": b, "threshold": t} for b, t in ((1.0, 20.0), (2.0, 3.0), (2.0, 0.5))],
    edges=[-inf, -30.0, 0.0, 30.0, inf],
    peer=lambda torch, x, beta, threshold: torch.nn.functional.softplus(x, beta, threshold),
)


def silu_rule(xp, d, _y, x):
    s = xp.sigmoid(x)
    return d * (s * (1 + x * (1 - s)))


@fusible
def silu_forward(xp, x):
    return x * xp.sigmoid(x)


silu = elementwise(
    "silu", silu_forward, [silu_rule], promote="float", edges=[-30.0, 0.0, 30.0, inf], fused="silu_vjp",
    peer=lambda torch, x: torch.nn.functional.silu(x),
)


def mish_rule(xp, d, _y, x):
    t = xp.tanh(xp.softplus(x, beta=1.0, threshold=20.0))
    return d * (t + x * (1 - t * t) * xp.sigmoid(x))


mish = elementwise(
    "mish", lambda xp, x: x * xp.tanh(xp.softplus(x, beta=1.0, threshold=20.0)), [mish_rule], promote="float",
    refuses=NO_BOOL, edges=[-30.0, 0.0, 30.0, inf], peer=lambda torch, x: torch.nn.functional.mish(x),
)

_SQRT_HALF, _SQRT_2_PI, _SQRT_2_OVER_PI = math.sqrt(0.5), math.sqrt(2 * math.pi), math.sqrt(2 / math.pi)
_CUBIC = 0.044715


def gelu_rule(xp, d, _y, x, approximate: str):
    """Of x Phi(x), Phi the normal distribution function, or of its approximation (Hendrycks and Gimpel 2016)."""
    if approximate == "none":
        return d * (0.5 + 0.5 * xp.erf(x * _SQRT_HALF) + x * (xp.exp(-0.5 * (x * x)) / _SQRT_2_PI))
    square = x * x
    t = xp.tanh(x * (_SQRT_2_OVER_PI + _SQRT_2_OVER_PI * _CUBIC * square))
    inner = _SQRT_2_OVER_PI + 3 * _SQRT_2_OVER_PI * _CUBIC * square
    return d * (0.5 + 0.5 * t + 0.5 * (x * (1 - t * t) * inner))


gelu = elementwise(
    "gelu", lambda xp, x, approximate: xp.gelu(x, approximate), [gelu_rule],
    params=[{"approximate": "none"}, {"approximate": "tanh"}], promote="float", edges=[-30.0, 0.0, 30.0], fused="gelu_vjp",
    peer=lambda torch, x, approximate: torch.nn.functional.gelu(x, approximate=approximate),
)
softsign = elementwise(
    "softsign", lambda xp, x: x / (1 + xp.abs(x)), [lambda xp, d, _y, x: d / xp.square(1 + xp.abs(x))], promote="float",
    refuses=NO_BOOL, edges=[0.0, 1.0, -3.0], peer=lambda torch, x: torch.nn.functional.softsign(x),
)
tanhshrink = elementwise(
    "tanhshrink", lambda xp, x: x - xp.tanh(x), [lambda xp, d, _y, x: d * xp.square(xp.tanh(x))], promote="float",
    lends=True, edges=[0.0, 1.0, inf, -inf], peer=lambda torch, x: torch.nn.functional.tanhshrink(x),
)
