"""Trigonometric and hyperbolic functions and their inverses."""

import math

from gradkit.families import REAL_ONLY, elementwise
from gradkit.primitives.fusible import fusible

inf, nan = math.inf, math.nan

# -- of an angle
sin = elementwise("sin", "sin", [lambda xp, d, _y, x: d * xp.cos(x)], promote="float", edges=[0.0])
cos = elementwise("cos", "cos", [lambda xp, d, _y, x: -(d * xp.sin(x))], promote="float", edges=[0.0])
tan = elementwise("tan", "tan", [lambda _xp, d, y, _x: d * (1 + y * y)], domain=(-1.2, 1.2), promote="float", edges=[0.0])

# -- of a length
# In factors, so that nothing cancels near 1; as a row of its own, so that its derivative there is no 0 times inf.
one_minus_square = elementwise("one_minus_square", lambda _xp, x: (1 - x) * (1 + x), [lambda _xp, d, _y, x: d * (-2 * x)])
asin = elementwise(
    "asin", "arcsin", [lambda xp, d, _y, x: d / xp.sqrt(xp.one_minus_square(x))], domain=(-0.9, 0.9), promote="float",
    edges=[0.0, 1.0, -1.0, 3.0],
)
acos = elementwise(
    "acos", "arccos", [lambda xp, d, _y, x: -d / xp.sqrt(xp.one_minus_square(x))], domain=(-0.9, 0.9), promote="float",
    edges=[0.0, 1.0, -1.0, 3.0],
)
atan = elementwise("atan", "arctan", [lambda _xp, d, _y, x: d / (x * x + 1)], promote="float", edges=[0.0, inf, -inf])


def squared_radius(xp, a, b):
    """1 at the origin, where no direction is the right one and PyTorch says 0."""
    r = a * a + b * b
    return xp.where(r == 0, 1, r)


atan2 = elementwise(
    "atan2", "arctan2",
    [lambda xp, d, _y, a, b: d * (b / squared_radius(xp, a, b)), lambda xp, d, _y, a, b: d * (-a / squared_radius(xp, a, b))],
    domain=[(0.3, 2), (-2, 2)], promote="float", refuses=REAL_ONLY,
    edges=[(0.0, 0.0), (1.0, 0.0), (0.0, -1.0), (nan, 1.0)],
)

# -- hyperbolic
sinh = elementwise("sinh", "sinh", [lambda xp, d, _y, x: d * xp.cosh(x)], promote="float", edges=[0.0])
cosh = elementwise("cosh", "cosh", [lambda xp, d, _y, x: d * xp.sinh(x)], promote="float", edges=[0.0])
tanh = elementwise(
    "tanh", "tanh", [lambda _xp, d, y, _x: d * (1 - y * y)], promote="float", edges=[-inf, 0.0, inf, nan], fused="tanh_vjp"
)
asinh = elementwise("asinh", "arcsinh", [lambda xp, d, _y, x: d / xp.sqrt(x * x + 1)], promote="float", edges=[0.0, inf, -inf])


def acosh_rule(xp, d, _y, x):
    """Complex numbers need the branches of two roots."""
    return d / (xp.sqrt(x - 1) * xp.sqrt(x + 1) if x.dtype.kind == "c" else xp.sqrt(0 - xp.one_minus_square(x)))


acosh = elementwise("acosh", "arccosh", [acosh_rule], domain=(1.2, 3), promote="float", edges=[1.0, inf, 0.0])
atanh = elementwise(
    "atanh", "arctanh", [lambda xp, d, _y, x: d / xp.one_minus_square(x)], domain=(-0.9, 0.9), promote="float",
    edges=[0.0, 1.0, -1.0, 2.0],
)


# -- sinc
@fusible
def sinc_derivative_of(xp, x, order: int):
    """The derivative of sin(pi x) / (pi x) of some order, with t = pi x.

    Far from 0 by t f_n = sin(t + n pi/2) - n f_(n-1), which follows from t f_0 = sin t by Leibniz' rule; up to
    t = order + 1, where that cancels, by the power series of sin(t) / t, differentiated term by term.
    """
    t = math.pi * x
    near = xp.abs(t) < order + 1
    far = xp.where(near, order + 1, t)
    f = xp.sin(far) / far
    for n in range(1, order + 1):
        f = (xp.sin(far + n * (math.pi / 2)) - n * f) / far
    small = xp.where(near, t, 0)
    lowest, series = (order + 1) // 2, 0 * small
    for k in reversed(range(lowest, lowest + 12 + 2 * order)):
        series = series * (small * small) + (-1) ** k / (math.factorial(2 * k - order) * (2 * k + 1))
    return math.pi**order * xp.where(near, series * small if order % 2 else series, f)


sinc_derivative = elementwise(
    "sinc_derivative", sinc_derivative_of, [lambda xp, d, _y, x, order: d * xp.sinc_derivative(x, order=order + 1)],
    domain=(-3, 3), params=[{"order": 1}, {"order": 2}], promote="float", edges=[0.0],
)


@fusible
def sinc_of(xp, x):
    return xp.sinc(x)


sinc = elementwise(
    "sinc", sinc_of, [lambda xp, d, _y, x: d * xp.sinc_derivative(x, order=1)], promote="float", edges=[0.0, 1.0, -3.0]
)
