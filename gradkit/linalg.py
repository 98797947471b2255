"""Linear algebra by the names of PyTorch's linalg module."""

from gradkit.engine.tensor import Tensor
from gradkit.errors import LinAlgError
from gradkit.ops.arranging import diagonal as _diagonal
from gradkit.ops.contraction import multi_dot
from gradkit.ops.decomposing import cholesky, eig, eigh, eigvals, eigvalsh, qr, svd, svdvals
from gradkit.ops.norms import cond, matrix_norm, vector_norm
from gradkit.ops.norms import norm_of as norm
from gradkit.ops.products import matmul, vector_product
from gradkit.ops.shaping import broadcast_tensors
from gradkit.ops.solving import (
    det,
    inv,
    lstsq,
    matrix_exp,
    matrix_power,
    matrix_rank,
    pinv,
    slogdet,
    solve,
    solve_triangular,
)  # fmt: skip
from gradkit.primitives.complex import conj as _conj
from gradkit.primitives.linalg import rowdot as _rowdot

__all__ = [
    "LinAlgError", "cholesky", "cond", "cross", "det", "diagonal", "eig", "eigh", "eigvals", "eigvalsh", "inv", "lstsq",
    "matmul", "matrix_exp", "matrix_norm", "matrix_power", "matrix_rank", "multi_dot", "norm", "pinv", "qr", "slogdet",
    "solve", "solve_triangular", "svd", "svdvals", "vecdot", "vector_norm",
]  # fmt: skip


def cross(input: Tensor, other: Tensor, *, dim: int = -1) -> Tensor:
    """The vector product along a dimension of extent 3; the others broadcast. RuntimeError for another extent.

    >>> import gradkit
    >>> gradkit.linalg.cross(gradkit.tensor([1.0, 0.0, 0.0]), gradkit.tensor([0.0, 1.0, 0.0]))
    tensor([0., 0., 1.])
    """
    return vector_product(input, other, dim)


def diagonal(A: Tensor, *, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Tensor:
    """The diagonals of matrices, as a view of their memory.

    >>> import gradkit
    >>> gradkit.linalg.diagonal(gradkit.tensor([[1.0, 2.0], [3.0, 4.0]]))
    tensor([1., 4.])
    """
    return _diagonal(A, offset, dim1, dim2)


def vecdot(x: Tensor, y: Tensor, *, dim: int = -1) -> Tensor:
    """The sums over a dimension of the products of the elements of x, conjugated, and y; shapes broadcast.

    >>> import gradkit
    >>> gradkit.linalg.vecdot(gradkit.ones(2, 3), gradkit.ones(3))
    tensor([3., 3.])
    """
    x = _conj(x) if x.dtype.kind == "c" else x
    if not (x.ndim or y.ndim):
        return x * y
    if x.shape[-1:] != y.shape[-1:] or dim != -1:
        x, y = broadcast_tensors(x, y)
    if dim != -1:
        x, y = x.movedim(dim, -1), y.movedim(dim, -1)
    return _rowdot(x, y)
