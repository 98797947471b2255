"""Choosing, clipping and rounding: rows with kinks and steps, where PyTorch's conventions decide."""

import math

from gradkit.backend.numpy import NUMPY
from gradkit.engine import dtypes
from gradkit.engine.operands import tensor_xp
from gradkit.engine.tensor import Tensor
from gradkit.families import NO_BOOL, REAL_ONLY, elementwise, linear
from gradkit.primitives.fusible import fusible
from gradkit.primitives.shape import astype

inf, nan = math.inf, math.nan
_MASK = [True, False, True]


# -- choosing
# The transpose of choosing: a cotangent goes where the mask holds.
masked = elementwise(
    "masked", "kept_by_mask", [None, lambda xp, d, _y, mask, _x: xp.masked(mask, d)], promote="none",
    samples=[(_MASK, (3,), {}), (_MASK, (2, 3), {}), (_MASK, (2, 1), {})],
    peer=lambda torch, mask, x: torch.where(mask, x, 0),
)
_where = elementwise(
    "where", "where",
    [
        None,
        lambda xp, d, _y, mask, _a, _b: xp.masked(mask, d),
        lambda xp, d, _y, mask, _a, _b: xp.masked(xp.logical_not(mask), d),
    ],
    promote="none", samples=[(_MASK, (3,), (2, 3), {}), (_MASK, (), (3,), {}), ([[True], [False]], (3,), (3,), {})],
)


def where(condition, input, other):
    """The row on operands of the dtype that both promote to; the condition keeps its own."""
    dtype = common_dtype(input, other)
    return _where(condition, in_dtype(input, dtype), in_dtype(other, dtype))


def common_dtype(a, b):
    a, b = [x.array if isinstance(x, Tensor) else x for x in (a, b)]
    for x, other in ((a, b), (b, a)):
        if type(x) in (int, float) and hasattr(other, "dtype") and other.dtype.kind == "f":
            return other.dtype
    return dtypes.result_type(a, b)


def in_dtype(x, dtype):
    """A tensor, array or number in a dtype."""
    if isinstance(x, Tensor):
        return x if x.array.dtype == dtype else astype(x, dtype=dtype)
    return x.astype(dtype) if hasattr(x, "dtype") else dtypes.constant(x, dtype)


tensor_xp.where = where


@fusible
def dropout_forward(xp, x, *, mask, lead: int):
    """`x` times what ``mask(xp, shape, dtype)`` draws, the same numbers each time, for all of `lead` batch axes."""
    return x * mask(xp, x.shape[lead:], x.dtype)


# Its own transpose, so that nothing is kept for the way back.
dropout = linear(
    "dropout", dropout_forward, [lambda xp, d, _y, _x, mask, lead: xp.dropout(d, mask=mask, lead=lead)],
    [((3, 4), {"mask": lambda xp, shape, dtype: xp.reshape(xp.arange(12, dtype=dtype) % 3, shape), "lead": 0})],
    structure="diagonal", batching=lambda sizes, mask, lead: {"mask": mask, "lead": lead + len(sizes)},
    title="NativeDropoutBackward0", peer=lambda torch, x, mask, lead: x * (torch.arange(12, dtype=x.dtype) % 3).reshape(x.shape),
)

# -- the larger and the smaller
_TIES = [(1.0, 1.0), (inf, inf), (nan, 1.0), (1.0, nan), (0.0, -0.0), (2.0, 1.0)]
maximum = elementwise(  # a tie is shared, and a nan goes to both
    "maximum", "maximum",
    [
        lambda xp, d, _y, a, b: xp.masked(xp.logical_not(a < b), xp.where(a == b, d / 2, d)),
        lambda xp, d, _y, a, b: xp.masked(xp.logical_not(b < a), xp.where(a == b, d / 2, d)),
    ],
    refuses=REAL_ONLY, edges=_TIES,
)
minimum = elementwise(
    "minimum", "minimum",
    [
        lambda xp, d, _y, a, b: xp.masked(xp.logical_not(a > b), xp.where(a == b, d / 2, d)),
        lambda xp, d, _y, a, b: xp.masked(xp.logical_not(b > a), xp.where(a == b, d / 2, d)),
    ],
    refuses=REAL_ONLY, edges=_TIES,
)
fmax = elementwise(  # a tie is the first operand's
    "fmax", "fmax",
    [
        lambda xp, d, _y, a, b: xp.masked((a >= b) | (b != b), d),
        lambda xp, d, _y, a, b: xp.masked(xp.logical_not((a >= b) | (b != b)), d),
    ],
    refuses=REAL_ONLY, edges=_TIES,
)
fmin = elementwise(
    "fmin", "fmin",
    [
        lambda xp, d, _y, a, b: xp.masked((a <= b) | (b != b), d),
        lambda xp, d, _y, a, b: xp.masked(xp.logical_not((a <= b) | (b != b)), d),
    ],
    refuses=REAL_ONLY, edges=_TIES,
)


# -- clipping
def number(value, x):
    """A number beside `x`; as a remembered 0-d array NumPy takes it in half the time."""
    return dtypes.constant(value, x.dtype)


_LARGE = 1000  # From here on one pass of clip is faster than a maximum with a number, which NumPy does not vectorise.


def clamped(xp, x, min, max):
    if xp is not NUMPY.xp:
        return xp.clip(x, *[bound if bound is None else number(bound, x) for bound in (min, max)])
    if x.size > _LARGE and x.dtype.kind == "f":
        return x.clip(number(-inf if min is None else min, x), number(inf if max is None else max, x))
    if min is not None:
        x = xp.maximum(x, number(min, x))
    return x if max is None else xp.minimum(x, number(max, x))


def within(x, min, max):
    """Where clamping to the bounds leaves x as it is; a bound belongs to what it bounds."""
    if max is None:
        return x >= min
    if min is None:
        return x <= max
    return (x >= min) & (x <= max) if min < max else x < x  # between equal bounds, everything is constant


clamp = elementwise(
    "clamp", clamped, [lambda xp, d, _y, x, min, max: xp.masked(within(x, min, max), d)],
    params=[{"min": -1.0, "max": 1.0}, {"min": None, "max": 0.5}, {"min": 0.0, "max": None}, {"min": 1.0, "max": -1.0}],
    edges=[-1.0, 0.0, 0.5, 1.0, inf, nan],
)
clamp_tensor = elementwise(
    "clamp_tensor", lambda xp, x, low, high: xp.minimum(xp.maximum(x, low), high),
    [
        lambda xp, d, _y, x, low, high: xp.masked((x >= low) & (x <= high) & (low < high), d),
        lambda xp, d, _y, x, low, high: xp.masked((x < low) & (low < high), d),
        lambda xp, d, _y, x, low, high: xp.masked((x > high) | (high < low), d),
    ],
    domain=[(-3, 3), (-2, -0.5), (0.5, 2)], refuses=REAL_ONLY,
    edges=[(0.0, 0.0, 1.0), (1.0, 0.0, 1.0), (0.5, 3.0, 1.0), (nan, 0.0, 1.0), (2.0, 1.0, 1.0), (0.0, 1.0, 1.0)],
    peer="clamp", title="ClampBackward1",
)
clamp_min_tensor = elementwise(
    "clamp_min_tensor", "maximum",
    [lambda xp, d, _y, x, low: xp.masked(x >= low, d), lambda xp, d, _y, x, low: xp.masked(x < low, d)],
    refuses=REAL_ONLY, edges=_TIES, peer=lambda torch, x, low: torch.clamp(x, min=low), title="ClampMinBackward1",
)
clamp_max_tensor = elementwise(
    "clamp_max_tensor", "minimum",
    [lambda xp, d, _y, x, high: xp.masked(x <= high, d), lambda xp, d, _y, x, high: xp.masked(x > high, d)],
    refuses=REAL_ONLY, edges=_TIES, peer=lambda torch, x, high: torch.clamp(x, max=high), title="ClampMaxBackward1",
)
nan_to_num = elementwise(
    "nan_to_num", "nan_to_num", [lambda xp, d, _y, x, **_: xp.masked(xp.isfinite(x), d)],
    params=[{"nan": 0.0, "posinf": None, "neginf": None}, {"nan": 1.0, "posinf": 2.0, "neginf": -2.0}],
    edges=[inf, -inf, nan, 0.0],
)


# -- signs and steps
signum = elementwise(
    "signum", "signum", [lambda xp, d, _y, _x: xp.zeros_like(d)], domain=(0.5, 2), refuses=REAL_ONLY,
    edges=[0.0, -0.0, inf, -inf, nan, -3.0], peer="sign", title="SignBackward0",
)
copysign = elementwise(
    "copysign", "copysign",
    [lambda xp, d, y, a, _b: d * (xp.signum(a) * xp.signum(y)), lambda xp, d, _y, _a, _b: xp.zeros_like(d)],
    domain=[(-2, 2), (0.5, 2)], promote="float", refuses=REAL_ONLY,
    edges=[(0.0, -1.0), (1.0, -0.0), (-2.0, 0.0), (nan, 1.0), (1.0, nan)],
)
heaviside = elementwise(
    "heaviside", "heaviside",
    [lambda xp, d, _y, _x, _value: xp.zeros_like(d), lambda xp, d, _y, x, _value: xp.masked(x == 0, d)],
    domain=[(0.5, 2), (-2, 2)], refuses=REAL_ONLY, edges=[(0.0, 0.5), (-1.0, 0.5), (nan, 0.5)],
    integers=lambda xp, x, value: xp.where(x == 0, value, (x > 0).astype(x.dtype)),
    peer=lambda torch, x, value: torch.where(x == 0, value, (x > 0).to(x.dtype)) + 0 * x,
)

_HALVES = [0.5, -0.5, 1.5, 2.5, 1.0, -1.0, 0.0, inf, nan]


def copied(xp, x):
    return xp.positive(x)


floor, ceil, trunc = [
    elementwise(
        name, name, [lambda xp, d, _y, _x: xp.zeros_like(d)], domain=(0.1, 0.9), refuses=NO_BOOL, integers=copied, edges=_HALVES
    )
    for name in ("floor", "ceil", "trunc")
]
rint = elementwise(
    "rint", "rint", [lambda xp, d, _y, _x: xp.zeros_like(d)], domain=(0.6, 1.4), refuses=NO_BOOL, integers=copied,
    edges=_HALVES, peer="round", title="RoundBackward0",
)
round_decimals = elementwise(
    "round_decimals", lambda xp, x, decimals: xp.round(x, decimals), [lambda xp, d, _y, _x, **_: xp.zeros_like(d)],
    domain=(0.61, 0.64), params=[{"decimals": 1}, {"decimals": -1}], promote="float", title="RoundBackward1",
    edges=[1.25, 15.0, nan], peer=lambda torch, x, decimals: torch.round(x, decimals=decimals),
)
frac = elementwise(
    "frac", lambda xp, x: x - xp.trunc(x), [lambda _xp, d, _y, _x: d], domain=(0.1, 0.9), refuses="biuc", edges=_HALVES[:-2]
)
