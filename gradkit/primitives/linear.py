"""The product behind linear layers: one row, so that a weight is transposed by BLAS and never by the tape."""

from typing import Any

from gradkit.families import bilinear


def flat(xp: Any, x: Any) -> Any:
    """All axes but the last as one: a product of matrices is one call of BLAS, a stack of them is many."""
    return x if x.ndim == 2 else xp.reshape(x, (-1, x.shape[-1]))


def shared(w: Any) -> bool:
    """Whether one matrix serves all of the other operand: it has no batch axes, or none of them has any extent."""
    return all([n == 1 for n in w.shape[:-2]])


def linear_forward(xp: Any, x: Any, w: Any) -> Any:
    if x.ndim == w.ndim == 2:
        return x.dot(w.T)
    if not shared(w):
        return xp.matmul(x, xp.matrix_transpose(w))
    y = xp.matmul(flat(xp, x), xp.matrix_transpose(xp.reshape(w, w.shape[-2:])))
    return xp.reshape(y, (*x.shape[:-1], w.shape[-2]))


def x_ct(xp: Any, d: Any, _y: Any, _x: Any, w: Any) -> Any:
    if d.ndim == w.ndim == 2 or not shared(w):
        return xp.matmul(d, w)
    return xp.reshape(xp.matmul(flat(xp, d), xp.reshape(w, w.shape[-2:])), (*d.shape[:-1], w.shape[-1]))


def w_ct(xp: Any, d: Any, _y: Any, x: Any, w_shape: Any) -> Any:
    if len(getattr(w_shape, "shape", w_shape)) == 2:  # the value, if the other rule wants that
        return xp.matmul(xp.matrix_transpose(flat(xp, d)), flat(xp, x))
    return xp.matmul(xp.matrix_transpose(d), x)


# x (..., n), w (m, n): (..., m)
linear = bilinear(
    "linear", linear_forward, [x_ct, w_ct],
    [((2, 3), (4, 3), {}), ((5, 2, 3), (4, 3), {}), ((2, 5, 2, 3), (1, 1, 4, 3), {}), ((5, 2, 3), (5, 4, 3), {})],
    title="MmBackward0", peer=lambda torch, x, w: torch.matmul(x, w.mT),
)  # fmt: skip
