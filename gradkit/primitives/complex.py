"""Parts of complex numbers, and numbers of parts.

None of these functions is holomorphic, so their rules are spelt out. The cotangent of z = a + ib is that of a plus i
times that of b: PyTorch's convention, twice the conjugate Wirtinger derivative of a real result (Kreutz-Delgado 2009).
"""

from typing import Any

from gradkit.families import general, linear

_Z = [1.0 + 2.0j, -0.5 + 1.5j, 2.0 - 1.0j]
_WITH_ORIGIN = [(_Z, {}), ([0j, 3.0 + 4.0j], {})]


def complex_dtype(real):
    """The dtype of complex numbers whose parts have this one."""
    return (real.type(0) + 1j).dtype if real.itemsize > 2 else "complex64"


def real_dtype(complex):
    return complex.type(0).real.dtype


def along(xp, direction, t):
    """The part of `t` along a direction, numbers seen as vectors in the plane."""
    return xp.real(xp.conj(direction) * t)


def zeros_for_none(xp, ts, xs) -> list[Any]:
    return [xp.zeros_like(x) if t is None else t for t, x in zip(ts, xs)]


# -- parts
# A real cotangent is made complex where it is handed to a complex operand.
real = linear("real", "real", [lambda _xp, d, _y, _x: d], [(_Z, {})], holomorphic=False, view=True, structure="diagonal")
imag = linear(
    "imag", "imag", [lambda xp, d, _y, _x: xp.complex(xp.zeros_like(d), d)], [(_Z, {})], holomorphic=False, view=True,
    structure="diagonal",
)
conj = linear("conj", "conj", [lambda xp, d, _y, _x: xp.conj(d)], [(_Z, {})], holomorphic=False, structure="diagonal")


def put_together(xp, a, b):
    z = xp.empty(xp.broadcast_shapes(a.shape, b.shape), dtype=complex_dtype(a.dtype))
    z.real, z.imag = a, b
    return z


def complex_jvp(xp, ts, _y, a, b):
    return xp.complex(*zeros_for_none(xp, ts, (a, b)))


complex = general(
    "complex", put_together, lambda xp, d, _y, _a, _b: [xp.real(d), xp.imag(d)], complex_jvp,
    [((3, 4), (4,), {}), ((), (3,), {})], arity=2, broadcasts=True, holomorphic=False, structure="diagonal",
)


def direction(xp, angle):
    return xp.complex(xp.cos(angle), xp.sin(angle))


def polar_jvp(xp, ts, y, r, angle):
    r_t, angle_t = zeros_for_none(xp, ts, (r, angle))
    return direction(xp, angle) * xp.complex(r_t, r * angle_t)


polar = general(
    "polar", lambda xp, r, angle: xp.complex(r * xp.cos(angle), r * xp.sin(angle)),
    lambda xp, d, y, _r, angle: [along(xp, direction(xp, angle), d), along(xp, 1j * y, d)], polar_jvp,
    [((3,), (3,), {}), ((), (3,), {})], arity=2, domain=((0.5, 2.0), (-2.0, 2.0)), broadcasts=True, holomorphic=False,
    structure="diagonal", lends=True,
)


# -- pairs of parts
def apart(_xp, z):
    return z[..., None].view(real_dtype(z.dtype))


def joined(xp, x):
    """A view where the two parts lie side by side."""
    beside = x if x.strides[-1] == x.dtype.itemsize else xp.ascontiguousarray(x)
    return beside.view(complex_dtype(x.dtype))[..., 0]


view_as_real = linear(
    "view_as_real", apart, [lambda xp, d, _y, _x: xp.view_as_complex(d)], [(_Z, {})], holomorphic=False, view=True
)
view_as_complex = linear(
    "view_as_complex", joined, [lambda xp, d, _y, _x: xp.view_as_real(d)], [((3, 2), {})], holomorphic=False, view=True,
    structure="dense",
)


# -- size and direction
modulus = general(
    "modulus", "abs", lambda xp, d, _y, x: [d * xp.sgn(x)], lambda xp, ts, _y, x: along(xp, xp.sgn(x), ts[0]),
    _WITH_ORIGIN[:1], holomorphic=False, structure="diagonal", peer="abs", title="AbsBackward0",
)


def unit(xp, x):
    r = xp.abs(x)
    return xp.asarray(x / xp.where(r == 0, 1, r), dtype=x.dtype)


def turned(xp, t, y, x):
    """What of a change turns the direction y of x: the part across it. At the origin PyTorch's convention is 0."""
    r = xp.modulus(x)
    origin = r == 0
    return xp.masked(xp.logical_not(origin), (t - y * along(xp, y, t)) / xp.where(origin, 1, r))


sgn = general(
    "sgn", unit, lambda xp, d, y, x: [turned(xp, d, y, x)], lambda xp, ts, y, x: turned(xp, ts[0], y, x),
    _WITH_ORIGIN[:1], holomorphic=False, structure="diagonal",
)


def gradient_of_angle(xp, x):
    """i x / abs(x)**2, 0 at the origin."""
    a, b = xp.real(x), xp.imag(x)
    square = a * a + b * b
    square = xp.where(square == 0, 1, square)
    return xp.complex(-b / square, a / square)


def angle_vjp(xp, d, _y, x):
    """0 for real numbers, whose angle jumps and stays: also where `d` is infinite."""
    return [d * gradient_of_angle(xp, x) if x.dtype.kind == "c" else xp.zeros_like(d)]


def angle_jvp(xp, ts, _y, x):
    return along(xp, gradient_of_angle(xp, x), ts[0]) if x.dtype.kind == "c" else xp.zeros_like(ts[0])


angle = general(
    "angle", lambda xp, x: xp.angle(x if x.dtype.kind == "c" else x + 0),  # a real -0 is no negative number
    angle_vjp, angle_jvp, [(_Z, {}), ([0.5, -2.0], {})], holomorphic=False, structure="diagonal",
)
