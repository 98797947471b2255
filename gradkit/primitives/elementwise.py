"""Arithmetic, powers, exponentials and logarithms: rows whose Jacobian is diagonal.

To add a primitive, write one row here: a name, the forward, a rule for each operand, and where to test it. All else
(gradients of every order, forward mode, vmap, tests) is read off the row.
"""

import math

from gradkit.backend.numpy import on_host
from gradkit.engine import dtypes
from gradkit.families import NO_BOOL, REAL_ONLY, elementwise
from gradkit.primitives.piecewise import maximum as maximum, where as where

inf, nan = math.inf, math.nan
POSITIVE = (0.3, 3.0)

# -- arithmetic
add = elementwise("add", "add", [lambda _xp, d, _y, _a, _b: d, lambda _xp, d, _y, _a, _b: d])
sub = elementwise("sub", "subtract", [lambda _xp, d, _y, _a, _b: d, lambda _xp, d, _y, _a, _b: -d], refuses="b")
mul = elementwise("mul", "multiply", [lambda _xp, d, _y, _a, b: d * b, lambda _xp, d, _y, a, _b: d * a])
div = elementwise(
    "div", "divide", [lambda _xp, d, _y, _a, b: d / b, lambda _xp, d, y, _a, b: -d * y / b],
    domain=[(-2, 2), POSITIVE], promote="float", rescues=True, edges=[(1.0, 0.0), (0.0, 0.0), (1.0, inf)],
)
neg = elementwise("neg", "negative", [lambda _xp, d, _y, _x: -d], refuses="b")
abs = elementwise("abs", "abs", [lambda xp, d, _y, x: d * xp.signum(x)], refuses=REAL_ONLY, edges=[0.0, inf, -inf, nan])
reciprocal = elementwise(
    "reciprocal", "reciprocal", [lambda _xp, d, y, _x: -d * (y * y)], domain=POSITIVE, promote="float", edges=[0.0, inf]
)
square = elementwise(
    "square", "square", [lambda _xp, d, _y, x: d * (x + x)], edges=[0.0, inf, nan],
    integers=lambda xp, x: xp.square(x if x.dtype.kind != "b" else x.astype(dtypes.int64)),
)
def part(xp, side, whole):
    """side / whole, and 0 where both are: there is no derivative, and squares of the whole then have the right one."""
    return xp.masked(whole != 0, side / xp.where(whole == 0, 1, whole))


# NumPy's square root of a sum of squares neither overflows nor underflows on its way.
hypot = elementwise(
    "hypot", "hypot", [lambda xp, d, y, a, _b: d * part(xp, a, y), lambda xp, d, y, _a, b: d * part(xp, b, y)],
    domain=[POSITIVE, POSITIVE], promote="float", refuses=REAL_ONLY,
    edges=[(0.0, 0.0), (-1.0, inf), (nan, 1.0), (3.0, -4.0)],
)


def between(xp, a, b, w):
    """From the nearer end, so that a weight of 1 gives the other end exactly."""
    if w.ndim or not on_host(w):
        return xp.where(xp.abs(w) < 0.5, a + w * (b - a), b - (b - a) * (1 - w))
    return a + w * (b - a) if xp.abs(w) < 0.5 else b - (b - a) * (1 - w)


lerp = elementwise(
    "lerp", between,
    [lambda _xp, d, _y, _a, _b, w: d * (1 - w), lambda _xp, d, _y, _a, _b, w: d * w, lambda _xp, d, _y, a, b, _w: d * (b - a)],
    promote="float", edges=[(0.0, 2.0, 0.5), (1.0, 2.0, 0.0), (1.0, 2.0, 1.0)],
)


# -- quotients that are rounded, and what they leave
def dividing(name: str):
    """The forward for integers: NumPy would give 0 for a division by zero."""

    def divide(xp, a, b):
        if on_host(b) and not b.all():  # on a device such a quotient is any number, as in PyTorch
            raise RuntimeError(f"ZeroDivisionError: {name} of {a.dtype.name} by 0")
        return getattr(xp, name)(a, b)

    return divide


def truncating(xp, a, b):
    return xp.floor_divide(a - dividing("fmod")(xp, a, b), b)


_AWAY_FROM_STEPS = [(0.1, 0.9), (1.1, 3.0)]
_STEPS = [(7.0, 2.0), (-7.0, 2.0), (7.0, -2.0), (1.0, 0.0), (1.0, inf), (inf, 2.0), (nan, 1.0)]
floor_divide = elementwise(
    "floor_divide", "floor_divide",
    [lambda xp, d, _y, _a, _b: xp.zeros_like(d), lambda xp, d, _y, _a, _b: xp.zeros_like(d)],
    domain=_AWAY_FROM_STEPS, refuses=NO_BOOL, integers=dividing("floor_divide"), edges=_STEPS,
    peer=lambda torch, a, b: torch.div(a, b, rounding_mode="floor"),
)
trunc_divide = elementwise(
    "trunc_divide", lambda xp, a, b: xp.trunc(a / b),
    [lambda xp, d, _y, _a, _b: xp.zeros_like(d), lambda xp, d, _y, _a, _b: xp.zeros_like(d)],
    domain=_AWAY_FROM_STEPS, refuses=NO_BOOL, integers=truncating, edges=_STEPS,
    peer=lambda torch, a, b: torch.div(a, b, rounding_mode="trunc"),
)
remainder = elementwise(
    "remainder", "remainder", [lambda _xp, d, _y, _a, _b: d, lambda xp, d, _y, a, b: -d * xp.floor_divide(a, b)],
    domain=_AWAY_FROM_STEPS, refuses=NO_BOOL, integers=dividing("remainder"), edges=_STEPS,
)
fmod = elementwise(
    "fmod", "fmod", [lambda _xp, d, _y, _a, _b: d, lambda xp, d, _y, a, b: -d * xp.trunc_divide(a, b)],
    domain=_AWAY_FROM_STEPS, refuses=NO_BOOL, integers=dividing("fmod"), edges=_STEPS,
)


# -- powers
def integer_pow(xp, a, b):
    """Integers to integers: what a negative exponent makes of 1 and -1 is an integer, of all others it is cut to 0."""
    y = xp.pow(a, xp.maximum(b, 0))
    if a.dtype.kind == "u":
        return y
    inverse = xp.where(a == 1, 1, xp.where(a == -1, 1 - 2 * (b & 1), 0))
    return xp.where(b < 0, xp.astype(inverse, a.dtype), y)


def not_negative(xp, x):
    return (xp.real(x) if x.dtype.kind == "c" else x) >= 0


# Where 0 meets the exponent 0 the operand is guarded, not the result, so that higher derivatives are guarded too.
pow = elementwise(
    "pow", "pow",
    [
        lambda xp, d, _y, a, b: d * (b * xp.where((b == 0) & ((a == 0) | (a != a)), 1, a) ** (b - 1)),
        lambda xp, d, y, a, b: d * (y * xp.log(xp.where((a == 0) & not_negative(xp, b), 1, a))),
    ],
    domain=[POSITIVE, (-2, 3)], refuses="b", integers=integer_pow, title="PowBackward1", fused="pow_vjp",
    edges=[
        (0.0, 0.0), (0.0, 1.0), (0.0, 2.0), (0.0, -1.0), (0.0, 0.5), (-2.0, 2.0), (1.0, inf), (nan, 0.0),
    ],
)


def power_rule(xp, d, _y, x, exponent):
    if exponent == 2:
        return d * (x + x)
    return d * (exponent * xp.power(x, exponent - 1)) if exponent else xp.zeros_like(d)


pow_scalar = elementwise(
    "pow_scalar", lambda xp, x, exponent: xp.power(x, exponent), [power_rule],
    domain=POSITIVE, params=[{"exponent": p} for p in (2, 3.0, 0.5, -1, 2.5, 0, 1, -0.5, 1.7)],
    edges=[0.0, inf, -1.0, nan], title="PowBackward0", peer="pow", fused="pow_scalar_vjp",
)
sqrt = elementwise("sqrt", "sqrt", [lambda _xp, d, y, _x: d / (y + y)], domain=POSITIVE, promote="float", edges=[0.0, inf, -1.0])
rsqrt = elementwise(
    "rsqrt", lambda xp, x: xp.reciprocal(xp.sqrt(x)), [lambda _xp, d, y, _x: -0.5 * d * (y * y * y)],
    domain=POSITIVE, promote="float", edges=[0.0, inf, -1.0],
)

# -- exponentials and logarithms
exp = elementwise("exp", "exp", [lambda _xp, d, y, _x: d * y], promote="float", edges=[-inf, 0.0, inf, nan], fused="exp_vjp")
exp2 = elementwise("exp2", "exp2", [lambda _xp, d, y, _x: d * (y * math.log(2))], promote="float", edges=[-inf, 0.0])
expm1 = elementwise("expm1", "expm1", [lambda xp, d, _y, x: d * xp.exp(x)], promote="float", lends=True, edges=[-inf, 0.0, 1e-30])
log = elementwise("log", "log", [lambda _xp, d, _y, x: d / x], domain=POSITIVE, promote="float", edges=[0.0, 1.0, inf, -1.0])
log1p = elementwise(
    "log1p", "log1p", [lambda _xp, d, _y, x: d / (x + 1)], domain=(-0.5, 2), promote="float", edges=[0.0, 1e-30, -1.0]
)
log2 = elementwise("log2", "log2", [lambda _xp, d, _y, x: d / (x * math.log(2))], domain=POSITIVE, promote="float")
log10 = elementwise("log10", "log10", [lambda _xp, d, _y, x: d / (x * math.log(10))], domain=POSITIVE, promote="float")
# The share of an operand in a sum of exponentials: 1 / (1 + exp(b - a)), also where one of them is infinite.
def log_add_exp(xp, a, b):
    """NumPy's for real numbers. Of complex ones the larger real part comes out of the logarithm, with its imaginary part:
    that of the result need not lie between -pi and pi."""
    if a.dtype.kind != "c":
        return xp.logaddexp(a, b)
    swapped = xp.real(a) < xp.real(b)
    top, other = xp.where(swapped, b, a), xp.where(swapped, a, b)
    return top + xp.log1p(xp.exp(other - top))


logaddexp = elementwise(
    "logaddexp", log_add_exp,
    [lambda xp, d, _y, a, b: d * xp.sigmoid(a - b), lambda xp, d, _y, a, b: d * xp.sigmoid(b - a)],
    promote="float", edges=[(1.0, 1.0), (-1.0, inf), (-inf, 2.0), (nan, 1.0)],
)
logaddexp2 = elementwise(
    "logaddexp2", "logaddexp2",
    [
        lambda xp, d, _y, a, b: d * xp.sigmoid((a - b) * math.log(2)),
        lambda xp, d, _y, a, b: d * xp.sigmoid((b - a) * math.log(2)),
    ],
    promote="float", refuses=REAL_ONLY, edges=[(1.0, 1.0), (-1.0, inf), (-inf, 2.0), (nan, 1.0)],
)


def x_log_y(xp, a, b):
    nothing = (a == 0) & (b == b)
    return xp.where(nothing, 0, a * xp.log(xp.where(nothing, 1, b)))


xlogy = elementwise(
    "xlogy", x_log_y,
    [lambda xp, d, _y, a, b: d * xp.log(xp.where((a == 0) & (b <= 0), 1, b)), lambda _xp, d, _y, a, b: d * (a / b)],
    domain=[(-2, 2), POSITIVE], promote="float", refuses=REAL_ONLY,
    edges=[(0.0, 0.0), (0.0, -1.0), (0.0, nan), (1.0, 0.0), (nan, 1.0), (0.0, 2.0), (2.0, inf)],
)

