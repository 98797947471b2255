"""Determinants. They are polynomials, so their derivatives exist at singular matrices too, and are computed there."""

from math import nan
from typing import Any

from gradkit.families import general
from gradkit.primitives.linalg import adjoint, diagonal, inverted_or_nan, product


# -- the derivatives of a determinant
def all_but_one(xp, x):
    """The product of all other elements along the last axis."""
    ones = xp.ones((*x.shape[:-1], 1), dtype=x.dtype)
    before = xp.cumprod(xp.concat([ones, x[..., :-1]], axis=-1), axis=-1)
    behind = xp.cumprod(xp.concat([ones, x[..., :0:-1]], axis=-1), axis=-1)[..., ::-1]
    return before * behind


def rotations(xp, a) -> tuple[Any, Any, Any, Any]:
    """The singular value decomposition, and what its two unitary factors contribute to a determinant: nan if `a` is not finite."""
    finite = xp.all(xp.isfinite(a), axis=(-2, -1))[..., None, None]
    u, s, vh = xp.linalg.svd(xp.where(finite, a, 0))
    return u, s, vh, xp.where(finite, (xp.linalg.det(u) * xp.linalg.det(vh))[..., None, None], nan)


def cofactors(xp, a):
    """The matrix of cofactors, det(a) times the transposed inverse: by the inverse where that is far from singular.

    Elsewhere by cof(U S V) = cof(U) cof(S) cof(V); of a unitary U it is det(U) conj(U), of a diagonal S the products of
    all other elements.
    """
    if a.size:
        inverse = inverted_or_nan(xp, a)
        condition = xp.linalg.norm(a, 1, axis=(-2, -1)) * xp.linalg.norm(inverse, 1, axis=(-2, -1))
        if condition.max() < xp.finfo(a.dtype).eps ** -0.5:
            return xp.linalg.det(a)[..., None, None] * xp.matrix_transpose(inverse)
    u, s, vh, sign = rotations(xp, a)
    return sign * xp.matmul(xp.conj(u) * all_but_one(xp, s)[..., None, :], xp.conj(vh))


def cofactors_moved(xp, a, t):
    """The derivative of the cofactors in the direction `t`: what `cofactors` does, with products of all but two."""
    u, s, vh, sign = rotations(xp, a)
    n = s.shape[-1]
    eye = xp.eye(n, dtype=bool)
    pairs = xp.where(eye, 0, all_but_one(xp, xp.where(eye, 1, s[..., None, :])))
    t = product(xp, adjoint(xp, u), t, adjoint(xp, vh))
    inner = -pairs * xp.matrix_transpose(t)
    diagonal(xp, inner)[...] = xp.matmul(pairs, diagonal(xp, t)[..., None])[..., 0]
    return sign * product(xp, xp.conj(u), inner, xp.conj(vh))


def third(xp, a, s, t):
    """The gradient of the second derivative of det in the directions `s` and `t`, where `a` has an inverse."""
    x = xp.linalg_inv_ex(a)
    xs, xt = xp.matmul(x, s), xp.matmul(x, t)
    trace_s, trace_t, trace_st = [keep_sum(xp, diagonal(xp, m)) for m in (xs, xt, xp.matmul(xs, xt))]
    both = xp.matmul(xs, xt) + xp.matmul(xt, xs)
    y = (trace_s * trace_t - trace_st) * x + xp.matmul(both - trace_t * xs - trace_s * xt, x)
    det = xp.reshape(xp.linalg_det(a), (*a.shape[:-2], 1, 1))
    return det * xp.matrix_transpose(y)


def keep_sum(xp, v):
    """The sum over the last axis, with two axes of extent 1."""
    return xp.reshape(xp.sum(v, axis=(-1,)), (*v.shape[:-1], 1, 1))


def cofactor_along_jvp(xp, ts, _y, a, t):
    a_t, t_t = ts
    moved = 0 if t_t is None else xp.cofactor_along(a, t_t)
    return moved if a_t is None else moved + third(xp, a, t, a_t)


# The second derivative of det is a symmetric form, so what carries tangents carries cotangents.
cofactor = general(
    "cofactor", cofactors, lambda xp, d, _y, a: [xp.cofactor_along(a, d)], lambda xp, ts, _y, a: xp.cofactor_along(a, ts[0]),
    [((3, 3), {}), ((2, 2, 2), {})], structure="block", peer=False,
)
cofactor_along = general(
    "cofactor_along", cofactors_moved, lambda xp, d, _y, a, t: [third(xp, a, t, d), xp.cofactor_along(a, d)], cofactor_along_jvp,
    [((3, 3), (3, 3), {})], arity=2, structure="block", peer=False,
)


# -- rows
linalg_det = general(
    "linalg_det", lambda xp, a: xp.linalg.det(a),
    lambda xp, d, _y, a: [xp.reshape(d, (*d.shape, 1, 1)) * xp.cofactor(a)],
    lambda xp, ts, _y, a: xp.sum(ts[0] * xp.cofactor(a), axis=(-2, -1)), [((3, 3), {}), ((2, 2, 2), {})],
    title="LinalgDetBackward0", peer=lambda torch, a: torch.linalg.det(a),
)


def slogdet_vjp(xp, d, y, a):
    """Of a complex determinant the phase moves too: d sign = i sign Im tr(a^-1 da), d log = Re tr(a^-1 da)."""
    sign_ct, log_ct = d
    scale = xp.zeros_like(y[1]) if log_ct is None else log_ct
    if a.dtype.kind == "c" and sign_ct is not None:
        scale = xp.complex(scale, -xp.imag(xp.conj(sign_ct) * y[0]))
    return [xp.reshape(scale, (*scale.shape, 1, 1)) * adjoint(xp, xp.linalg_inv_ex(a))]


def slogdet_jvp(xp, ts, y, a):
    trace = xp.sum(diagonal(xp, xp.matmul(xp.linalg_inv_ex(a), ts[0])), axis=(-1,))
    if a.dtype.kind != "c":
        return [None, trace]
    turn = xp.imag(trace)
    return [y[0] * xp.complex(xp.zeros_like(turn), turn), xp.real(trace)]


linalg_slogdet = general(
    "linalg_slogdet", lambda xp, a: tuple(xp.linalg.slogdet(a)), slogdet_vjp, slogdet_jvp,
    [((3, 3), {}), ((2, 2, 2), {})], outputs=2, holomorphic=False, rescues=True, title="LinalgSlogdetBackward0",
    peer=lambda torch, a: torch.linalg.slogdet(a),
)
