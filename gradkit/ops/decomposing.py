"""Decompositions of matrices: PyTorch's linalg functions.

Matrices are the last two axes of a tensor, (*, m, n); the axes before them count matrices. Dtypes are float32, float64,
complex64 and complex128. Raised are RuntimeError for other dtypes and shapes that do not fit, and LinAlgError, which is a
RuntimeError too, for a matrix that has no such decomposition.

Eigenvectors and singular vectors are determined up to a sign, a phase, or a rotation among those of equal values. The
derivative is right for functions that do not depend on the choice; of the others it says nothing.
"""

from typing import Any

from gradkit.engine.tensor import Tensor
from gradkit.ops import return_types
from gradkit.ops.solving import adjoint, matrices
from gradkit.primitives import decomposition as rows


def cholesky(A: Tensor, *, upper: bool = False) -> Tensor:
    """The lower triangular L with L L^H = A, for positive-definite Hermitian matrices; with `upper` the U with U^H U = A.

    Only that triangle of A is read, and the gradient is Hermitian. LinAlgError for a matrix that is not
    positive-definite.

    >>> gradkit.linalg.cholesky(gradkit.tensor([[4.0, 2.0], [2.0, 2.0]]))
    tensor([[2., 0.],
            [1., 1.]])
    """
    matrices("linalg.cholesky", A, square=True)
    if upper:
        return adjoint(rows.linalg_cholesky(adjoint(A), triangle="L"))
    return rows.linalg_cholesky(A, triangle="L")


def qr(A: Tensor, mode: str = "reduced") -> Any:
    """Q with orthonormal columns and upper triangular R with Q R = A, as a named tuple (Q, R).

    For A of shape (*, m, n) with k = min(m, n): "reduced" gives (*, m, k) and (*, k, n), "complete" (*, m, m) and
    (*, m, n), "r" an empty Q. The derivative exists where the first k columns are independent. RuntimeError for another
    mode.

    >>> gradkit.linalg.qr(gradkit.tensor([[3.0], [4.0]])).R.abs()
    tensor([[5.]])
    """
    if mode not in ("reduced", "complete", "r"):
        raise RuntimeError(f"qr received unrecognized mode '{mode}' but expected one of 'reduced' (default), 'r', or 'complete'")
    matrices("linalg.qr", A)
    q, r = rows.linalg_qr(A, mode="complete" if mode == "complete" else "reduced")
    return return_types.linalg_qr(q.detach().new_zeros(0) if mode == "r" else q, r)


def eigh(A: Tensor, UPLO: str = "L") -> Any:
    """The eigenvalues of Hermitian matrices in ascending order, real, (*, n), and their eigenvectors as columns,
    (*, n, n): a named tuple (eigenvalues, eigenvectors).

    Only the lower triangle of A is read, or the upper with "U", and the gradient is Hermitian. RuntimeError for another
    UPLO.

    >>> gradkit.linalg.eigh(gradkit.tensor([[2.0, 0.0], [0.0, 1.0]])).eigenvalues
    tensor([1., 2.])
    """
    matrices("linalg.eigh", A, square=True)
    return return_types.linalg_eigh(*rows.linalg_eigh(A, triangle=triangle_of(UPLO)))


def eigvalsh(A: Tensor, UPLO: str = "L") -> Tensor:
    """The eigenvalues of Hermitian matrices alone: see `eigh`. Their gradient is computed by eigenvectors.

    >>> gradkit.linalg.eigvalsh(gradkit.tensor([[2.0, 0.0], [0.0, 1.0]]))
    tensor([1., 2.])
    """
    matrices("linalg.eigvalsh", A, square=True)
    return rows.linalg_eigvalsh(A, triangle=triangle_of(UPLO))


def triangle_of(uplo: str) -> str:
    if uplo.upper() not in ("L", "U"):
        raise RuntimeError(f"Expected UPLO argument to be 'L' or 'U', but got {uplo}")
    return uplo.upper()


def eig(A: Tensor) -> Any:
    """The eigenvalues of square matrices, (*, n), and their eigenvectors of length 1 as columns, (*, n, n), both complex:
    a named tuple (eigenvalues, eigenvectors).

    >>> gradkit.linalg.eig(gradkit.tensor([[2.0, 0.0], [0.0, 1.0]])).eigenvalues
    tensor([2.+0.j, 1.+0.j])
    """
    matrices("linalg.eig", A, square=True)
    return return_types.linalg_eig(*rows.linalg_eig(A))


def eigvals(A: Tensor) -> Tensor:
    """The eigenvalues of square matrices, (*, n), complex and in no order: see `eig`.

    >>> gradkit.linalg.eigvals(gradkit.tensor([[0.0, -1.0], [1.0, 0.0]])).abs()
    tensor([1., 1.])
    """
    return eig(A).eigenvalues


def svd(A: Tensor, full_matrices: bool = True, *, driver: str | None = None) -> Any:
    """The singular values S of matrices in descending order, real, and U and Vh with orthonormal columns and rows, so
    that A = U diag(S) Vh: a named tuple (U, S, Vh).

    For A of shape (*, m, n) with k = min(m, n): (*, m, m), (*, k), (*, n, n), or without `full_matrices` (*, m, k), (*, k),
    (*, k, n).

    >>> gradkit.linalg.svd(gradkit.tensor([[3.0, 0.0], [0.0, -2.0]])).S
    tensor([3., 2.])
    """
    matrices("linalg.svd", A)
    return return_types.linalg_svd(*rows.linalg_svd(A, full_matrices=full_matrices))


def svdvals(A: Tensor, *, driver: str | None = None) -> Tensor:
    """The singular values of matrices in descending order, (*, min(m, n)). Their gradient is computed by `svd`.

    >>> gradkit.linalg.svdvals(gradkit.tensor([[3.0, 0.0], [0.0, -2.0]]))
    tensor([3., 2.])
    """
    matrices("linalg.svdvals", A)
    return rows.linalg_svdvals(A)

