"""Linear algebra by the names of PyTorch's linalg module."""

from math import prod as _prod

from gradkit.creation import arange as _arange
from gradkit.engine.tensor import Tensor
from gradkit.errors import LinAlgError
from gradkit.ops.arranging import diagonal as _diagonal
from gradkit.ops.contraction import multi_dot
from gradkit.ops.decomposing import cholesky, eig, eigh, eigvals, eigvalsh, qr, svd, svdvals
from gradkit.ops.norms import cond, matrix_norm, norm_of as norm, vector_norm
from gradkit.ops.products import matmul, vector_product
from gradkit.ops.shaping import broadcast_tensors
from gradkit.ops.solving import det, inv, lstsq, matrix_exp, matrix_power, matrix_rank, pinv, slogdet, solve, solve_triangular
from gradkit.primitives.complex import conj as _conj
from gradkit.primitives.linalg import rowdot as _rowdot

__all__ = [
    "LinAlgError", "cholesky", "cond", "cross", "det", "diagonal", "eig", "eigh", "eigvals", "eigvalsh", "inv", "lstsq",
    "matmul", "matrix_exp", "matrix_norm", "matrix_power", "matrix_rank", "multi_dot", "norm", "pinv", "qr", "slogdet",
    "solve", "solve_triangular", "svd", "svdvals", "tensorinv", "tensorsolve", "vander", "vecdot", "vector_norm",
]


def vander(x: Tensor, *, N: int | None = None) -> Tensor:
    """The powers of the elements of vectors (*, n), a row each, from 0 up: (*, n, N), N being n if None.

    RuntimeError for an `N` below 2 and a scalar.

    >>> gradkit.linalg.vander(gradkit.tensor([2.0, 3.0]), N=3)
    tensor([[1., 2., 4.],
            [1., 3., 9.]])
    """
    count = x.shape[-1] if N is None and x.ndim else N or 0
    if not x.ndim or (N is not None and N < 2):
        raise RuntimeError(f"linalg.vander: x must have an axis and N be greater than 1, got shape {list(x.shape)} and N={N}")
    y = x.unsqueeze(-1) ** _arange(count, device=x.device)
    return y if x.dtype.kind in "fcV" else y.long()


def tensorsolve(A: Tensor, B: Tensor, dims: tuple[int, ...] | None = None) -> Tensor:
    """X with ``tensordot(A, X, X.ndim) = B``: A, its axes `dims` moved to the end, as a matrix with the rows that B has.

    RuntimeError where that matrix is not square, LinAlgError where it is singular.

    >>> A = gradkit.eye(6).reshape(2, 3, 6)
    >>> gradkit.linalg.tensorsolve(A, gradkit.ones(2, 3)).shape
    gradkit.Size([6])
    """
    if dims is not None:
        A = A.movedim(tuple(dims), tuple(range(A.ndim - len(dims), A.ndim)))
    shape = tuple(A.shape[B.ndim :])
    if A.numel() != B.numel() ** 2:
        raise RuntimeError(
            f"Expected self to satisfy the requirement prod(self.shape[other.ndim:]) == prod(self.shape[:other.ndim]), got "
            f"{list(A.shape)} and {list(B.shape)}"
        )
    return solve(A.reshape(B.numel(), B.numel()), B.reshape(-1)).reshape(shape)


def tensorinv(A: Tensor, ind: int = 2) -> Tensor:
    """The inverse of the map that ``tensordot(A, X, A.ndim - ind)`` is: axes from `ind` on come first.

    RuntimeError for an `ind` that is not positive or leaves no square matrix, LinAlgError for a singular one.

    >>> gradkit.linalg.tensorinv(gradkit.eye(6).reshape(2, 3, 6)).shape
    gradkit.Size([6, 2, 3])
    """
    if ind <= 0:
        raise RuntimeError("Expected a strictly positive integer for 'ind'")
    front, back = tuple(A.shape[:ind]), tuple(A.shape[ind:])
    if _prod(front) != _prod(back):
        raise RuntimeError(
            f"Expected self to satisfy the requirement prod(self.shape[ind:]) == prod(self.shape[:ind]), got {list(A.shape)}, ind={ind}"
        )
    return inv(A.reshape(_prod(front), -1)).reshape((*back, *front))


def cross(input: Tensor, other: Tensor, *, dim: int = -1) -> Tensor:
    """The vector product along a dimension of extent 3; the others broadcast. RuntimeError for another extent.

    >>> gradkit.linalg.cross(gradkit.tensor([1.0, 0.0, 0.0]), gradkit.tensor([0.0, 1.0, 0.0]))
    tensor([0., 0., 1.])
    """
    return vector_product(input, other, dim)


def diagonal(A: Tensor, *, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Tensor:
    """The diagonals of matrices, as a view of their memory.

    >>> gradkit.linalg.diagonal(gradkit.tensor([[1.0, 2.0], [3.0, 4.0]]))
    tensor([1., 4.])
    """
    return _diagonal(A, offset, dim1, dim2)


def vecdot(x: Tensor, y: Tensor, *, dim: int = -1) -> Tensor:
    """The sums over a dimension of the products of the elements of x, conjugated, and y; shapes broadcast.

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
