"""Products of matrices, and what solves with them."""

import math
from collections.abc import Callable
from functools import wraps
from math import nan
from typing import Any

from numpy import ndindex
from numpy.linalg import LinAlgError

from gradkit import errors
from gradkit.families import bilinear, general
from gradkit.primitives.fusible import fusible


# -- small pieces
def adjoint(xp, a):
    """The conjugate transpose."""
    t = xp.matrix_transpose(a)
    return xp.conj(t) if a.dtype.kind == "c" else t


def product(xp, first, *factors):
    """A product of matrices, from the left."""
    for factor in factors:
        first = xp.matmul(first, factor)
    return first


def hermitian(xp, a):
    """The Hermitian part."""
    return (a + adjoint(xp, a)) / 2


def diagonal(xp, a):
    return xp.diagonal(a, offset=0, axis1=-2, axis2=-1)


def on_diagonal(xp, v):
    """Matrices that have `v` on the diagonal and 0 elsewhere."""
    return xp.undiagonal(v, shape=(*v.shape, v.shape[-1]), offset=0, axis1=-2, axis2=-1)


def complaining(name: str, complaint: Callable[[Any, Any], str]) -> Callable[..., Any]:
    """Have a forward raise our LinAlgError in place of NumPy's, which says what is wrong with which matrix of a stack.

    ``complaint(xp, a)`` is the text for one matrix, empty for one that has no fault.
    """

    def decorate(forward: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(forward)
        def guarded(xp, a, *rest, **params):
            try:
                return forward(xp, a, *rest, **params)
            except errors.LinAlgError:
                raise
            except LinAlgError as reason:
                raise errors.LinAlgError(f"{name}: {fault(xp, a) or reason}") from None

        return guarded

    def fault(xp, a) -> str:
        for number, place in enumerate(ndindex(a.shape[:-2])):
            text = complaint(xp, a[place])
            if text:
                return f"(Batch element {number}): {text}" if a.ndim > 2 else text
        return ""

    return decorate


def is_singular(xp, a) -> str:
    try:
        xp.linalg.inv(a)
    except LinAlgError:
        return "The input matrix is singular: it has no inverse."
    return ""


# -- products
matmul = bilinear(
    "matmul", "matmul",
    [
        lambda xp, d, _y, _a, b: xp.matmul(d, xp.matrix_transpose(b)),
        lambda xp, d, _y, a, _b: xp.matmul(xp.matrix_transpose(a), d),
    ],
    [((2, 3), (3, 4), {}), ((5, 2, 3), (3, 4), {}), ((2, 3), (5, 3, 4), {})],
    title="MmBackward0",
)


def row_products(xp, a, b):
    """The sum over the last axis of the products of `a` and `b`, which broadcast: one call of BLAS where there is one."""
    if b.ndim == 1:
        return xp.dot(a, b)
    if a.ndim == 1:
        return xp.dot(b, a)
    if b.shape[-2] == 1 or a.shape[-2] == 1:
        one, many = (b, a) if b.shape[-2] == 1 else (a, b)
        return xp.matmul(many, xp.matrix_transpose(one))[..., 0]
    return xp.matmul(a[..., None, :], b[..., None])[..., 0, 0]


def row_products_ct(xp, d, mine, other):
    """What reaches `mine`. Where that is one vector for all rows of a matrix, the sum over these is left to BLAS."""
    if len(other.shape) > 1 == len(mine.shape) == len(d.shape):
        return xp.rowdot(xp.matrix_transpose(other), d)
    if len(other.shape) > 1 and len(mine.shape) > 1 == mine.shape[-2]:
        return xp.matmul(xp.reshape(d, (*d.shape[:-1], 1, d.shape[-1])), other)
    return xp.reshape(d, (*d.shape, 1)) * other


# y = sum of a * b over the last axis: of two vectors, of a matrix and a vector, of stacks of them.
rowdot = bilinear(
    "rowdot", row_products,
    [lambda xp, d, _y, a, b: row_products_ct(xp, d, a, b), lambda xp, d, _y, a, b: row_products_ct(xp, d, b, a)],
    [((3,), (3,), {}), ((2, 3), (3,), {}), ((3,), (2, 3), {}), ((5, 2, 3), (2, 3), {}), ((5, 2, 3), (5, 1, 3), {})],
    title="DotBackward0", peer=lambda torch, a, b: (a * b).sum(-1),
)


# -- solving
# d(A^-1 b) = A^-1 (db - dA y); Giles 2008, section 2.3.1. All operands are stacks of matrices.
@complaining("linalg.solve", is_singular)
def solved(xp, a, b):
    return xp.linalg.solve(a, b)


def solve_vjp(xp, d, y, a, _b):
    b_ct = xp.linalg_solve(xp.matrix_transpose(a), d)
    return [-xp.matmul(b_ct, xp.matrix_transpose(y)), b_ct]


def solve_jvp(xp, ts, y, a, _b):
    a_t, b_t = ts
    if a_t is None:
        return xp.linalg_solve(a, b_t)
    moved = xp.matmul(a_t, y)
    return xp.linalg_solve(a, -moved if b_t is None else b_t - moved)


linalg_solve = general(
    "linalg_solve", solved, solve_vjp, solve_jvp,
    [((3, 3), (3, 2), {}), ((2, 3, 3), (3, 1), {})], arity=2, broadcasts=True, structure="block",
    rescues=True, title="LinalgSolveExBackward0", peer=lambda torch, a, b: torch.linalg.solve(a, b),
)


@complaining("linalg.inv", is_singular)
def inverted(xp, a):
    return xp.linalg.inv(a)


def inverted_or_nan(xp, a):
    """The inverses of the matrices of a stack that have one, nan for the others."""
    try:
        return xp.linalg.inv(a)
    except LinAlgError:
        singular = (xp.linalg.slogdet(a)[0] == 0)[..., None, None]
        return xp.where(singular, nan, xp.linalg.inv(xp.where(singular, xp.eye(a.shape[-1], dtype=a.dtype), a)))


def inv_vjp(xp, d, y, _a):
    y_transpose = xp.matrix_transpose(y)
    return [-product(xp, y_transpose, d, y_transpose)]


# What rules ask for is the second: one matrix without an inverse is no matter of the others in its stack.
linalg_inv, linalg_inv_ex = [
    general(
        name, forward, inv_vjp, lambda xp, ts, y, _a: -product(xp, y, ts[0], y), [((3, 3), {}), ((2, 3, 3), {})],
        structure="block", rescues=True, title="LinalgInvExBackward0", peer=peer,
    )
    for name, forward, peer in (
        ("linalg_inv", inverted, lambda torch, a: torch.linalg.inv(a)), ("linalg_inv_ex", inverted_or_nan, False)
    )
]

BLOCK = 64  # from this size on a triangle is halved: most of the work is then products of matrices


def triangle_solved(xp, a, b, upper: bool, unit: bool):
    """Of `a` only one triangle is read; a zero on its diagonal gives inf or nan, as PyTorch has it, and no error."""
    n = a.shape[-1]
    if n <= BLOCK:
        return small_triangle_solved(xp, a, b, upper=upper, unit=unit)
    h = n // 2
    first, last = (slice(h, None), slice(0, h)) if upper else (slice(0, h), slice(h, None))
    x = triangle_solved(xp, a[..., first, first], b[..., first, :], upper, unit)
    rest = b[..., last, :] - xp.matmul(a[..., last, first], x)
    y = triangle_solved(xp, a[..., last, last], rest, upper, unit)
    return xp.concat([y, x] if upper else [x, y], axis=-2)


@fusible
def small_triangle_solved(xp, a, b, *, upper: bool, unit: bool):
    n = a.shape[-1]
    a = triangle(xp, a, upper, unit)
    if unit:
        a = a + xp.eye(n, dtype=a.dtype)
    try:
        return xp.linalg.solve(a, b)
    except LinAlgError:
        pass
    x = xp.broadcast_to(b, (*xp.broadcast_shapes(a.shape[:-2], b.shape[:-2]), *b.shape[-2:])).copy()
    for i in reversed(range(n)) if upper else range(n):
        x[..., i, :] /= a[..., i, i, None]
        rest = slice(0, i) if upper else slice(i + 1, None)
        x[..., rest, :] -= a[..., rest, i, None] * x[..., i, None, :]
    return x


def triangle(xp, a, upper: bool, unit: bool):
    """The part of a matrix that a triangular solve reads."""
    return xp.triu(a, k=int(unit)) if upper else xp.tril(a, k=-int(unit))


def triangular_solve_vjp(xp, d, y, a, _b, upper: bool, unit: bool):
    b_ct = xp.triangular_solve(xp.matrix_transpose(a), d, upper=not upper, unit=unit)
    return [-triangle(xp, xp.matmul(b_ct, xp.matrix_transpose(y)), upper, unit), b_ct]


def triangular_solve_jvp(xp, ts, y, a, _b, upper: bool, unit: bool):
    a_t, b_t = ts
    if a_t is None:
        return xp.triangular_solve(a, b_t, upper=upper, unit=unit)
    moved = xp.matmul(triangle(xp, a_t, upper, unit), y)
    return xp.triangular_solve(a, -moved if b_t is None else b_t - moved, upper=upper, unit=unit)


triangular_solve = general(
    "triangular_solve", triangle_solved, triangular_solve_vjp, triangular_solve_jvp,
    [((3, 3), (3, 2), {"upper": upper, "unit": unit}) for upper in (True, False) for unit in (True, False)]
    + [((2, 3, 3), (3, 1), {"upper": True, "unit": False})],
    arity=2, broadcasts=True, structure="block", title="LinalgSolveTriangularBackward0",
    peer=lambda torch, a, b, upper, unit: torch.linalg.solve_triangular(a, b, upper=upper, unitriangular=unit),
)


# -- pseudo-inverse
def pseudo_inverted(xp, a, tolerance):
    """Singular values up to the first tolerance, or the second times the greatest, count as 0."""
    u, s, vh = xp.linalg.svd(a, full_matrices=False)
    atol, rtol = tolerance[..., :1], tolerance[..., 1:]
    kept = s > xp.maximum(atol, rtol * xp.max(s, axis=-1, keepdims=True)) if s.size else s > 0
    inverse = kept / (s + ~kept)
    return xp.matmul(adjoint(xp, vh) * inverse[..., None, :], adjoint(xp, u))


# Golub and Pereyra 1973, at constant rank.
def pinv_vjp(xp, d, y, a, _tolerance):
    y_h, d_h = adjoint(xp, y), adjoint(xp, d)
    left = product(xp, d_h, y, y_h)
    right = product(xp, y_h, y, d_h)
    a_ct = left - product(xp, a, y, left) + right - product(xp, right, y, a) - product(xp, y_h, d, y_h)
    return [a_ct, None]


def pinv_jvp(xp, ts, y, a, _tolerance):
    t = ts[0]
    if t is None:
        return None
    y_h, t_h = adjoint(xp, y), adjoint(xp, t)
    left = product(xp, y, y_h, t_h)
    right = product(xp, t_h, y_h, y)
    return left - product(xp, left, a, y) + right - product(xp, y, a, right) - product(xp, y, t, y)


linalg_pinv = general(
    "linalg_pinv", pseudo_inverted, pinv_vjp, pinv_jvp,
    [((4, 3), [0.0, 1e-6], {}), ((2, 2, 3), [[0.0, 1e-6], [0.0, 1e-5]], {})],
    arity=2, promote="none", structure="block", holomorphic=False,
    peer=lambda torch, a, tolerance: torch.linalg.pinv(a, atol=tolerance.detach()[..., 0], rtol=tolerance.detach()[..., 1]),
)


# -- exponential
# The numerator of the [13/13] Pade approximant; the bound on the norm up to which it is good to rounding in float64:
# Higham 2005, table 2.3.
PADE = [
    64764752532480000, 32382376266240000, 7771770303897600, 1187353796428800, 129060195264000, 10559470521600, 670442572800,
    33522128640, 1323241920, 40840800, 960960, 16380, 182, 1,
]
BOUND = 5.37


def exponential(xp, a):
    """By scaling and squaring (Higham 2005)."""
    if not a.size:
        return a.copy()
    norm = float(xp.max(xp.sum(xp.abs(a), axis=-2)))
    halvings = max(0, math.ceil(math.log2(norm / BOUND))) if math.isfinite(norm) and norm else 0
    a = a / 2**halvings
    powers = [xp.broadcast_to(xp.eye(a.shape[-1], dtype=a.dtype), a.shape), xp.matmul(a, a)]
    for _ in range(2):
        powers.append(xp.matmul(powers[-1], powers[1]))
    even, odd = [
        xp.matmul(powers[3], sum([c * p for c, p in zip(PADE[start + 8 :: 2], powers[1:])]))
        + sum([c * p for c, p in zip(PADE[start::2], powers)])
        for start in (0, 1)
    ]
    odd = xp.matmul(a, odd)
    y = powers[0] + 2 * xp.linalg.solve(even - odd, odd)  # (even + odd) / (even - odd), and exactly the identity of 0
    for _ in range(halvings):
        y = xp.matmul(y, y)
    return y


def frechet(xp, a, t):
    """The derivative of the exponential at `a` in the direction `t`: exp of [[a, t], [0, a]] has it top right (Mathias 1996)."""
    n = a.shape[-1]
    upper, lower = xp.cat(a, t, axis=-1), xp.cat(xp.zeros_like(a), a, axis=-1)
    whole = xp.matrix_exp(xp.cat(upper, lower, axis=-2))
    return xp.slice(whole, key=(..., slice(0, n), slice(n, 2 * n)))


matrix_exp = general(
    "matrix_exp", exponential, lambda xp, d, _y, a: [frechet(xp, xp.matrix_transpose(a), d)],
    lambda xp, ts, _y, a: frechet(xp, a, ts[0]), [((3, 3), {}), ((2, 2, 2), {})], structure="block",
    title="LinalgMatrixExpBackward0",
)
