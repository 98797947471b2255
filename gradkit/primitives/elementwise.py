"""Arithmetic, powers, exponentials, trigonometry, comparison: rows whose Jacobian is diagonal.

To add a primitive, write one row here: a name, the forward, a rule for each operand, and where to test it. All else
(gradients of every order, forward mode, vmap, tests) is read off the row.
"""

import math

from gradkit.families import elementwise

inf, nan = math.inf, math.nan
POSITIVE = (0.3, 3.0)

# -- arithmetic ------------------------------------------------------------------------------------------------------
add = elementwise("add", "add", [lambda _xp, d, _y, _a, _b: d, lambda _xp, d, _y, _a, _b: d])
sub = elementwise("sub", "subtract", [lambda _xp, d, _y, _a, _b: d, lambda _xp, d, _y, _a, _b: -d])
mul = elementwise("mul", "multiply", [lambda _xp, d, _y, _a, b: d * b, lambda _xp, d, _y, a, _b: d * a])
div = elementwise(
    "div", "divide", [lambda _xp, d, _y, _a, b: d / b, lambda _xp, d, y, _a, b: -d * y / b],
    domain=[(-2, 2), POSITIVE], promote="float", edges=[(1.0, 0.0), (0.0, 0.0), (1.0, inf)],
)  # fmt: skip
neg = elementwise("neg", "negative", [lambda _xp, d, _y, _x: -d])
reciprocal = elementwise(
    "reciprocal", "reciprocal", [lambda _xp, d, y, _x: -d * (y * y)], domain=POSITIVE, promote="float", edges=[0.0, inf]
)
square = elementwise("square", "square", [lambda _xp, d, _y, x: d * (x + x)])
remainder = elementwise(
    "remainder", "remainder", [lambda _xp, d, _y, _a, _b: d, lambda xp, d, _y, a, b: -d * xp.floor_divide(a, b)],
    domain=[(0.1, 0.9), (1.1, 3.0)],
)  # fmt: skip
fmod = elementwise(
    "fmod", "fmod", [lambda _xp, d, _y, _a, _b: d, lambda xp, d, _y, a, b: -d * xp.trunc(a / b)],
    domain=[(0.1, 0.9), (1.1, 3.0)],
)  # fmt: skip
floor_divide = elementwise("floor_divide", "floor_divide", [None, None], domain=[(0.1, 0.9), (1.1, 3.0)])

# -- powers ----------------------------------------------------------------------------------------------------------
# Where 0 meets the exponent 0 the operand is guarded, not the result, so that higher derivatives are guarded too.
pow = elementwise(  # noqa: A001
    "pow", "pow",
    [
        lambda xp, d, _y, a, b: d * (b * xp.where((b == 0) & ((a == 0) | (a != a)), 1, a) ** (b - 1)),
        lambda xp, d, y, a, b: d * (y * xp.log(xp.where((a == 0) & (b >= 0), 1, a))),
    ],
    domain=[POSITIVE, (-2, 3)], edges=[(0.0, 0.0), (0.0, 1.0), (0.0, 2.0), (0.0, -1.0), (2.0, 0.0), (-2.0, 2.0), (1.0, inf)],
    title="PowBackward1",
)  # fmt: skip
pow_scalar = elementwise(
    "pow_scalar", lambda xp, x, exponent: xp.pow(x, exponent),
    [lambda xp, d, _y, x, exponent: d * (exponent * xp.pow(x, exponent - 1)) if exponent else xp.zeros_like(d)],
    domain=POSITIVE, params=[{"exponent": p} for p in (2, 3.0, 0.5, -1, 2.5, 0, 1, -0.5)],
    edges=[0.0, inf, -1.0], title="PowBackward0", peer="pow",
)  # fmt: skip
sqrt = elementwise(
    "sqrt", "sqrt", [lambda _xp, d, y, _x: d / (y + y)], domain=POSITIVE, promote="float", edges=[0.0, inf, -1.0]
)
rsqrt = elementwise(
    "rsqrt", lambda xp, x: xp.reciprocal(xp.sqrt(x)), [lambda _xp, d, y, _x: -0.5 * d * (y * y * y)],
    domain=POSITIVE, promote="float", edges=[0.0, inf],
)  # fmt: skip

# -- exponentials and logarithms -------------------------------------------------------------------------------------
exp = elementwise("exp", "exp", [lambda _xp, d, y, _x: d * y], promote="float", edges=[-inf, 0.0, inf, nan])
exp2 = elementwise("exp2", "exp2", [lambda _xp, d, y, _x: d * (y * math.log(2))], promote="float", edges=[-inf, 0.0])
expm1 = elementwise("expm1", "expm1", [lambda _xp, d, y, _x: d * (y + 1)], promote="float", edges=[-inf, 0.0, 1e-30])
log = elementwise(
    "log", "log", [lambda _xp, d, _y, x: d / x], domain=POSITIVE, promote="float", edges=[0.0, 1.0, inf, -1.0]
)
log1p = elementwise(
    "log1p", "log1p", [lambda _xp, d, _y, x: d / (x + 1)], domain=(-0.5, 2), promote="float", edges=[0.0, 1e-30, -1.0]
)
log2 = elementwise("log2", "log2", [lambda _xp, d, _y, x: d / (x * math.log(2))], domain=POSITIVE, promote="float")
log10 = elementwise("log10", "log10", [lambda _xp, d, _y, x: d / (x * math.log(10))], domain=POSITIVE, promote="float")

# -- trigonometric and hyperbolic ------------------------------------------------------------------------------------
sin = elementwise("sin", "sin", [lambda xp, d, _y, x: d * xp.cos(x)], promote="float", edges=[0.0])
cos = elementwise("cos", "cos", [lambda xp, d, _y, x: -(d * xp.sin(x))], promote="float", edges=[0.0])
tan = elementwise("tan", "tan", [lambda _xp, d, y, _x: d * (1 + y * y)], domain=(-1.2, 1.2), promote="float")
tanh = elementwise("tanh", "tanh", [lambda _xp, d, y, _x: d * (1 - y * y)], promote="float", edges=[-inf, 0.0, inf])
sinh = elementwise("sinh", "sinh", [lambda xp, d, _y, x: d * xp.cosh(x)], promote="float")
cosh = elementwise("cosh", "cosh", [lambda xp, d, _y, x: d * xp.sinh(x)], promote="float")

# -- piecewise -------------------------------------------------------------------------------------------------------
where = elementwise(
    "where", "where", [None, lambda xp, d, _y, c, _a, _b: xp.where(c, d, 0), lambda xp, d, _y, c, _a, _b: xp.where(c, 0, d)],
    domain=[(-1, 1), (-2, 2), (-2, 2)],
)  # fmt: skip
maximum = elementwise(  # a tie is shared
    "maximum", "maximum",
    [
        lambda xp, d, _y, a, b: xp.where(a < b, 0, xp.where(a == b, d / 2, d)),
        lambda xp, d, _y, a, b: xp.where(b < a, 0, xp.where(a == b, d / 2, d)),
    ],
    edges=[(1.0, 1.0), (inf, inf)],
)  # fmt: skip
eq = elementwise("eq", "equal", [None, None])
ne = elementwise("ne", "not_equal", [None, None])
lt = elementwise("lt", "less", [None, None])
le = elementwise("le", "less_equal", [None, None])
gt = elementwise("gt", "greater", [None, None])
ge = elementwise("ge", "greater_equal", [None, None])
