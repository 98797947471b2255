"""The product behind linear layers: one row, so that a weight is transposed by BLAS and never by the tape."""

import math

from gradkit.families import bilinear


def linear_forward(xp, x, w):
    return x.dot(w.T) if x.ndim == 2 else by_samples(xp, x, xp.matrix_transpose(w))


def x_ct(xp, d, _y, _x, w):
    return xp.matmul(d, w) if d.ndim == 2 else by_samples(xp, d, w)


def by_samples(xp, a, b):
    """``a @ b`` with batch axes in front: one product of matrices where all of `a` meets the same `b`."""
    if any([n != 1 for n in b.shape[:-2]]):
        return xp.matmul(a, b)
    y = xp.matmul(xp.reshape(a, (math.prod(a.shape[:-1]), a.shape[-1])), xp.reshape(b, b.shape[-2:]))
    return xp.reshape(y, (*a.shape[:-1], b.shape[-1]))


# x (k, n), w (m, n): (k, m)
linear = bilinear(
    "linear", linear_forward, [x_ct, lambda xp, d, _y, x, _w: xp.matmul(xp.matrix_transpose(d), x)],
    [((2, 3), (4, 3), {}), ((5, 2, 3), (1, 4, 3), {}), ((5, 2, 3), (5, 4, 3), {})],
    title="MmBackward0", peer=lambda torch, x, w: torch.matmul(x, w.mT),
)
