"""Decompositions of matrices: Cholesky, QR, eigenvalues, singular values.

Rules are adjoints of each other under Re tr(x^H y), spelt out for complex matrices. Eigenvectors and singular vectors are
determined up to a phase: derivatives are right for functions that do not depend on it. Of equal eigenvalues the vectors
turn freely, and what reaches them does not tell how a function of the matrix moves (0 / 0): the derivative is nan, as in
PyTorch, unless the vectors have no part in it.
"""

from math import nan
from typing import Any

from numpy.linalg import LinAlgError

from gradkit.families import general
from gradkit.primitives.linalg import adjoint, complaining, diagonal, hermitian, on_diagonal, product


# -- Cholesky
# Of a Hermitian matrix PyTorch reads one triangle, and treats both alike in the derivative. `triangle` says which; None
# takes the Hermitian part, of which the derivative is that of what was computed for any matrix.
def read(xp, a, triangle: str | None):
    return hermitian(xp, a) if triangle is None else a


def is_indefinite(xp, a) -> str:
    for k in range(1, len(a) + 1):
        try:
            xp.linalg.cholesky(a[:k, :k])
        except LinAlgError:
            return (
                "The factorization could not be completed because the input is not positive-definite (the leading minor "
                f"of order {k} is not positive-definite)."
            )
    return ""


@complaining("linalg.cholesky", is_indefinite)
def cholesky_forward(xp, a, triangle: str | None):
    return xp.linalg.cholesky(read(xp, a, triangle))


def lower_half(xp, m):
    """The lower triangle with half of the diagonal."""
    return (xp.tril(m, k=0) + xp.tril(m, k=-1)) / 2


def between(xp, y, m):
    """y^-1 m y^-H"""
    left = xp.triangular_solve(y, m, upper=False, unit=False)
    return adjoint(xp, xp.triangular_solve(y, adjoint(xp, left), upper=False, unit=False))


def around(xp, y, m):
    """y^-H m y^-1"""
    y_h = adjoint(xp, y)
    left = xp.triangular_solve(y_h, m, upper=True, unit=False)
    return adjoint(xp, xp.triangular_solve(y_h, adjoint(xp, left), upper=True, unit=False))


# Murray 2016, sections 3.1 and 3.2; Giles 2008.
linalg_cholesky = general(
    "linalg_cholesky",
    cholesky_forward,
    lambda xp, d, y, _a, triangle: [hermitian(xp, around(xp, y, lower_half(xp, xp.matmul(adjoint(xp, y), d))))],
    lambda xp, ts, y, _a, triangle: xp.matmul(y, lower_half(xp, between(xp, y, hermitian(xp, ts[0])))),
    [
        ([[4.0, 1.0, 0.5], [1.0, 3.0, 0.2], [0.5, 0.2, 2.0]], {"triangle": None}),
        ([[[4.0, 1.0], [1.0, 3.0]], [[2.0, -1.0], [-1.0, 5.0]]], {"triangle": None}),
    ],
    structure="block", holomorphic=False, rescues=True, title="LinalgCholeskyExBackward0",
    peer=lambda torch, a, triangle: torch.linalg.cholesky((a + a.mH) / 2),
)


# -- QR
# Walter and Lehmann 2018, also for wide matrices: q and the square part of r come of the first columns x of a = [x z],
# and the rest of r is q^H z. With q = [q1 q2], k = dx r^-1 and the upper part n of q1^H k:
# dq1 = k - q1 n, dr = n r, dq2 = -q1 k^H q2.
def qr_forward(xp, a, mode: str):
    return tuple(xp.linalg.qr(a, mode=mode))


def block(xp, a, rows: slice, columns: slice):
    return xp.slice(a, key=(..., rows, columns))


def from_right(xp, r, m):
    """m r^-1"""
    r_h = adjoint(xp, r)
    return adjoint(xp, xp.triangular_solve(r_h, adjoint(xp, m), upper=False, unit=False))


def upper_part(xp, m):
    """The n of m = n + w, upper triangular and skew-Hermitian, with n real on the diagonal."""
    return xp.triu(m, k=1) + adjoint(xp, xp.tril(m, k=-1)) + real_diagonal(xp, m)


def upper_part_ct(xp, d):
    strict = xp.triu(d, k=1)
    return strict + adjoint(xp, strict) + real_diagonal(xp, d)


def real_diagonal(xp, m):
    v = diagonal(xp, m)
    return on_diagonal(xp, xp.astype(xp.real(v), dtype=v.dtype) if v.dtype.kind == "c" else v)


def columns(xp, q, k: int) -> tuple[Any, Any]:
    """The first k columns, and those beyond; None if there are none."""
    if q.shape[-1] == k:
        return q, None
    return block(xp, q, slice(None), slice(0, k)), block(xp, q, slice(None), slice(k, None))


def square(xp, r) -> tuple[Any, Any]:
    """The triangle of r, and what is beside it."""
    k = min(r.shape[-2:])
    return columns(xp, r if r.shape[-2] == k else block(xp, r, slice(0, k), slice(None)), k)


def qr_vjp(xp, d, y, _a, mode: str):
    q_ct, r_ct = [xp.zeros_like(one) if ct is None else ct for ct, one in zip(d, y)]
    (r, z), (r_ct, z_ct) = square(xp, y[1]), square(xp, r_ct)
    (q1, q2), (q1_ct, q2_ct) = [columns(xp, q, r.shape[-1]) for q in (y[0], q_ct)]
    if z is not None:
        q1_ct = q1_ct + product(xp, q1, z, adjoint(xp, z_ct))
    n_ct = xp.matmul(r_ct, adjoint(xp, r)) - xp.matmul(adjoint(xp, q1), q1_ct)
    k_ct = q1_ct + xp.matmul(q1, upper_part_ct(xp, n_ct))
    if q2 is not None:
        k_ct = k_ct - product(xp, q2, adjoint(xp, q2_ct), q1)
    x_ct = adjoint(xp, xp.triangular_solve(r, adjoint(xp, k_ct), upper=True, unit=False))
    return [x_ct if z is None else xp.cat(x_ct, xp.matmul(q1, z_ct), axis=-1)]


def qr_jvp(xp, ts, y, _a, mode: str):
    r, z = square(xp, y[1])
    size = r.shape[-1]
    q1, q2 = columns(xp, y[0], size)
    k = from_right(xp, r, block(xp, ts[0], slice(None), slice(0, size)))
    n = upper_part(xp, xp.matmul(adjoint(xp, q1), k))
    q_t, r_t = k - xp.matmul(q1, n), xp.matmul(n, r)
    if z is not None:
        z_t = xp.matmul(adjoint(xp, q1), block(xp, ts[0], slice(None), slice(size, None)))
        r_t = xp.cat(r_t, z_t + product(xp, adjoint(xp, q_t), q1, z), axis=-1)
    if q2 is not None:
        q_t = xp.cat(q_t, -product(xp, q1, adjoint(xp, k), q2), axis=-1)
        r_t = xp.pad_constant(r_t, pads=((0, q2.shape[-1]), (0, 0)), value=0.0)
    return [q_t, r_t]


linalg_qr = general(
    "linalg_qr", qr_forward, qr_vjp, qr_jvp,
    [
        ((4, 3), {"mode": "reduced"}), ((3, 3), {"mode": "reduced"}), ((2, 2, 4), {"mode": "reduced"}),
        ((4, 3), {"mode": "complete"}),
    ],
    structure="block", outputs=2, holomorphic=False, title="LinalgQrBackward0", peer=False,
)


# -- eigenvalues of Hermitian matrices
def gaps(xp, w):
    """w[j] - w[i]"""
    return xp.reshape(w, (*w.shape[:-1], 1, w.shape[-1])) - xp.reshape(w, (*w.shape, 1))


def sums(xp, w):
    """w[j] + w[i]"""
    return xp.reshape(w, (*w.shape[:-1], 1, w.shape[-1])) + xp.reshape(w, (*w.shape, 1))


def off_diagonal(xp, m, by):
    """m / by, 0 on the diagonal, nan elsewhere where `by` is 0."""
    by = by + on_diagonal(xp, 1 - diagonal(xp, by))
    return (m - on_diagonal(xp, diagonal(xp, m))) * (1 / xp.where(by == 0, nan, by))


def scaled(xp, v, w):
    """v diag(w)"""
    return v * xp.reshape(w, (*w.shape[:-1], 1, w.shape[-1]))


def real_part(xp, x):
    return xp.real(x) if x.dtype.kind == "c" else x


def eigh_vjp(xp, d, y, _a, triangle: str | None):
    """Giles 2008, section 3.1. Of v^H v_ct the Hermitian part would cancel: left in, it would drown the rest where
    eigenvalues lie close together."""
    (w, v), (w_ct, v_ct) = y, d
    a_ct = 0 if w_ct is None else scaled(xp, v, w_ct)
    if v_ct is not None:
        a_ct = a_ct + xp.matmul(v, off_diagonal(xp, skew(xp, xp.matmul(adjoint(xp, v), v_ct)), gaps(xp, w)))
    return [hermitian(xp, xp.matmul(a_ct, adjoint(xp, v)))]


def eigh_jvp(xp, ts, y, _a, triangle: str | None):
    w, v = y
    inner = product(xp, adjoint(xp, v), hermitian(xp, ts[0]), v)
    return [real_part(xp, diagonal(xp, inner)), xp.matmul(v, off_diagonal(xp, inner, gaps(xp, w)))]


def eigvalsh_vjp(xp, d, _y, a, triangle: str | None):
    _, v = xp.linalg_eigh(a, triangle=triangle)
    return [xp.matmul(scaled(xp, v, d), adjoint(xp, v))]


def eigvalsh_jvp(xp, ts, _y, a, triangle: str | None):
    _, v = xp.linalg_eigh(a, triangle=triangle)
    return real_part(xp, diagonal(xp, product(xp, adjoint(xp, v), hermitian(xp, ts[0]), v)))


HERMITIAN = [((3, 3), {"triangle": None}), ((2, 2, 2), {"triangle": None})]
linalg_eigh = general(
    "linalg_eigh", lambda xp, a, triangle: tuple(xp.linalg.eigh(read(xp, a, triangle), UPLO=triangle or "L")),
    eigh_vjp, eigh_jvp, HERMITIAN, structure="block", outputs=2, holomorphic=False, title="LinalgEighBackward0", peer=False,
)
linalg_eigvalsh = general(
    "linalg_eigvalsh", lambda xp, a, triangle: xp.linalg.eigvalsh(read(xp, a, triangle), UPLO=triangle or "L"),
    eigvalsh_vjp, eigvalsh_jvp, HERMITIAN, structure="block", holomorphic=False, lends=True, title="LinalgEighBackward0",
    peer=lambda torch, a, triangle: torch.linalg.eigvalsh((a + a.mH) / 2),
)


# -- singular values
# With p = u^H da v: half the sum of the rotations of u and v is the Hermitian part of p over s[j] - s[i], half the
# difference the skew part over s[j] + s[i]. What u gains outside its columns is (1 - u u^H) da v / s; columns beyond those
# of the thin decomposition turn against it.
def skew(xp, m):
    return (m - adjoint(xp, m)) / 2


def apart(xp, m, s):
    """The skew part over s[j] + s[i]; on the diagonal it turns the phase of complex vectors."""
    m, by = skew(xp, m), sums(xp, s)
    return m / by if m.dtype.kind == "c" else off_diagonal(xp, m, by)


def divided(xp, v, s):
    """v diag(s)^-1"""
    return v / xp.reshape(s, (*s.shape[:-1], 1, s.shape[-1]))


def beyond(xp, m, u):
    """(1 - u u^H) m"""
    return m - product(xp, u, adjoint(xp, u), m)


def outside_ct(xp, u: tuple[Any, Any], ct: tuple[Any, Any], s):
    """What reaches da v: from u beyond its columns, and from the columns that turn against them."""
    (u1, u2), (ct1, ct2) = u, ct
    k_ct = beyond(xp, ct1, u1)
    return divided(xp, k_ct if u2 is None else k_ct - product(xp, u2, adjoint(xp, ct2), u1), s)


def svd_vjp(xp, d, y, a_shape, full_matrices: bool):
    (u, s, vh), (u_ct, s_ct, vh_ct) = y, d
    k = s.shape[-1]
    u, v = columns(xp, u, k), columns(xp, adjoint(xp, vh), k)
    p_ct = on_diagonal(xp, xp.zeros_like(s) if s_ct is None else s_ct)
    if u_ct is None and vh_ct is None:
        return [product(xp, u[0], p_ct, adjoint(xp, v[0]))]
    u_ct = columns(xp, xp.zeros_like(y[0]) if u_ct is None else u_ct, k)
    v_ct = columns(xp, adjoint(xp, xp.zeros_like(vh) if vh_ct is None else vh_ct), k)
    x, z = xp.matmul(adjoint(xp, u[0]), u_ct[0]), xp.matmul(adjoint(xp, v[0]), v_ct[0])
    p_ct = p_ct + off_diagonal(xp, skew(xp, x + z), gaps(xp, s)) + apart(xp, x - z, s)
    a_ct = product(xp, u[0], p_ct, adjoint(xp, v[0]))
    if a_shape[-2] > k and d[0] is not None:
        a_ct = a_ct + xp.matmul(outside_ct(xp, u, u_ct, s), adjoint(xp, v[0]))
    if a_shape[-1] > k and d[2] is not None:
        a_ct = a_ct + xp.matmul(u[0], adjoint(xp, outside_ct(xp, v, v_ct, s)))
    return [a_ct]


def turned(xp, u: tuple[Any, Any], rotation, k):
    """The tangent of all columns of u, `k` being da v / s."""
    u1, u2 = u
    t = xp.matmul(u1, rotation)
    if k is None:
        return t
    t = t + beyond(xp, k, u1)
    return t if u2 is None else xp.cat(t, -product(xp, u1, adjoint(xp, k), u2), axis=-1)


def svd_jvp(xp, ts, y, a, full_matrices: bool):
    s = y[1]
    size, (m, n), t = s.shape[-1], a.shape[-2:], ts[0]
    u, v = columns(xp, y[0], size), columns(xp, adjoint(xp, y[2]), size)
    p = product(xp, adjoint(xp, u[0]), t, v[0])
    together, opposed = off_diagonal(xp, hermitian(xp, p), gaps(xp, s)), apart(xp, p, s)
    of_u = divided(xp, xp.matmul(t, v[0]), s) if m > size else None
    of_v = divided(xp, xp.matmul(adjoint(xp, t), u[0]), s) if n > size else None
    u_t, v_t = turned(xp, u, together + opposed, of_u), turned(xp, v, together - opposed, of_v)
    return [u_t, real_part(xp, diagonal(xp, p)), adjoint(xp, v_t)]


def singular_vjp(xp, d, _y, a):
    u, _, vh = xp.linalg_svd(a, full_matrices=False)
    return [xp.matmul(scaled(xp, u, d), vh)]


def singular_jvp(xp, ts, _y, a):
    u, _, vh = xp.linalg_svd(a, full_matrices=False)
    return real_part(xp, diagonal(xp, product(xp, adjoint(xp, u), ts[0], adjoint(xp, vh))))


THIN, FULL = {"full_matrices": False}, {"full_matrices": True}
linalg_svd = general(
    "linalg_svd", lambda xp, a, full_matrices: tuple(xp.linalg.svd(a, full_matrices=full_matrices)), svd_vjp, svd_jvp,
    [((4, 3), THIN), ((2, 2, 3), THIN), ((3, 3), FULL), ((4, 3), FULL), ((2, 3), FULL)],
    structure="block", outputs=3, holomorphic=False, title="LinalgSvdBackward0", peer=False,
)
linalg_svdvals = general(
    "linalg_svdvals", lambda xp, a: xp.linalg.svd(a, compute_uv=False), singular_vjp, singular_jvp,
    [((4, 3), {}), ((2, 2, 3), {})], structure="block", holomorphic=False, lends=True, title="LinalgSvdBackward0",
    peer=lambda torch, a: torch.linalg.svdvals(a),
)


# -- eigenvalues of any square matrix
# With p = v^-1 da v: dw is the diagonal of p, and dv = v m - v diag(Re(v^H v m)) with m[i, j] = p[i, j] / (w[j] - w[i]),
# the columns of v having norm 1 (Giles 2008, section 3.1; Boeddeker et al. 2017).
def eig_vjp(xp, d, y, _a):
    (w, v), (w_ct, v_ct) = y, d
    p_ct = 0 if w_ct is None else on_diagonal(xp, w_ct)
    if v_ct is not None:
        v_h = adjoint(xp, v)
        along = xp.matmul(v_h, v_ct)
        real = xp.astype(xp.real(diagonal(xp, along)), dtype=v.dtype)
        m_ct = along - scaled(xp, xp.matmul(v_h, v), real)
        p_ct = p_ct + off_diagonal(xp, m_ct, xp.conj(gaps(xp, w)))
    v_h = adjoint(xp, v)
    return [xp.linalg_solve(v_h, xp.matmul(p_ct, v_h))]


def eig_jvp(xp, ts, y, _a):
    w, v = y
    p = xp.linalg_solve(v, xp.matmul(xp.astype(ts[0], dtype=v.dtype), v))
    m = off_diagonal(xp, p, gaps(xp, w))
    v_m = xp.matmul(v, m)
    length = xp.real(diagonal(xp, xp.matmul(adjoint(xp, v), v_m)))
    return [diagonal(xp, p), v_m - scaled(xp, v, xp.astype(length, dtype=v.dtype))]


def eig_forward(xp, a):
    """NumPy answers in real numbers if all eigenvalues happen to be real."""
    w, v = xp.linalg.eig(a)
    dtype = xp.result_type(a.dtype, xp.complex64)
    return w.astype(dtype), v.astype(dtype)


linalg_eig = general(
    "linalg_eig", eig_forward, eig_vjp, eig_jvp, [([[1.0, 2.0, 0.5], [0.5, 3.0, 1.0], [0.3, 1.0, -2.0]], {})],
    structure="block", outputs=2, holomorphic=False, title="LinalgEigBackward0", peer=False,
)
