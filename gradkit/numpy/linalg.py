"""`numpy.linalg` on tensors: stacks of matrices, in NumPy's dtypes (integers become float64; half precision is
refused).

What cannot be inverted or decomposed raises LinAlgError.
"""

import math
from typing import Any

import numpy as np

from gradkit.engine.operands import tensor_xp as xp
from gradkit.engine.tensor import Tensor
from gradkit.errors import LinAlgError
from gradkit.numpy import elementwise, products, reduction
from gradkit.numpy.calling import asarray, axes_in, beside, converted, refuse, refuse_out, together
from gradkit.numpy.manipulation import matrix_transpose
from gradkit.numpy.norms import cond, matrix_norm, norm, vector_norm
from gradkit.numpy.products import matmul, tensordot, vecdot
from gradkit.ops import complex as parts, contraction, return_types, solving


# -- operands
def inexact(*operands: Any) -> list[Tensor]:
    """Operands in the one dtype that NumPy's linear algebra computes in; TypeError for half precision."""
    tensors = together(operands)
    dtype = tensors[0].dtype
    if dtype == np.float16:
        raise TypeError("array type float16 is unsupported in linalg")
    return [converted(x, np.float64) for x in tensors] if dtype.kind in "biu" else tensors


def matrices(a: Any, square: bool = False) -> Tensor:
    (x,) = inexact(a)
    if x.ndim < 2:
        raise LinAlgError(f"{x.ndim}-dimensional array given. Array must be at least two-dimensional")
    if square and x.shape[-1] != x.shape[-2]:
        raise LinAlgError(f"Last 2 dimensions of the array must be square, not {x.shape[-2]} by {x.shape[-1]}")
    return x


def adjoint(x: Tensor) -> Tensor:
    y = xp.matrix_transpose(x)
    return parts.conj(y) if x.dtype.kind == "c" else y


# -- decompositions
def cholesky(a: Any, /, *, upper: bool = False) -> Tensor:
    """The lower triangular L with a = L L^H of Hermitian positive-definite matrices, or its adjoint if `upper`.

    Only the triangle in question is read. LinAlgError if a matrix is not positive-definite.

    >>> gnp.linalg.cholesky(gradkit.tensor([[4.0, 0.0], [0.0, 9.0]]))
    tensor([[2., 0.],
            [0., 3.]])
    """
    x = matrices(a, square=True)
    if upper:
        return adjoint(xp.linalg_cholesky(adjoint(x), triangle="L"))
    return xp.linalg_cholesky(x, triangle="L")


def qr(a: Any, mode: str = "reduced") -> Any:
    """Q with orthonormal columns and an upper triangular R whose product is `a`: a named tuple `Q, R`.

    `mode` is "reduced", "complete" (Q is square), or "r" for R alone; TypeError for "raw".

    >>> abs(gnp.linalg.qr(gradkit.eye(2)).R)
    tensor([[1., 0.],
            [0., 1.]])
    """
    if mode not in ("reduced", "complete", "r"):
        raise TypeError(f"not differentiable yet: np.linalg.qr with mode {mode!r}")
    q, r = xp.linalg_qr(matrices(a), mode="reduced" if mode == "r" else mode)
    return r if mode == "r" else return_types.linalg_qr(q, r)


def svd(a: Any, full_matrices: bool = True, compute_uv: bool = True, hermitian: bool = False) -> Any:
    """Singular value decomposition: a named tuple `U, S, Vh`, or the singular values alone unless `compute_uv`.

    >>> gnp.linalg.svd(gradkit.diag(gradkit.tensor([2.0, 3.0]))).S
    tensor([3., 2.])
    """
    refuse("svd", {"hermitian": hermitian})
    x = matrices(a)
    return return_types.linalg_svd(*xp.linalg_svd(x, full_matrices=full_matrices)) if compute_uv else xp.linalg_svdvals(x)


def svdvals(x: Any, /) -> Tensor:
    """The singular values, the greatest first.

    >>> gnp.linalg.svdvals(gradkit.diag(gradkit.tensor([2.0, 3.0])))
    tensor([3., 2.])
    """
    return xp.linalg_svdvals(matrices(x))


def eigh(a: Any, UPLO: str = "L") -> Any:
    """Eigenvalues, ascending, and orthonormal eigenvectors of Hermitian matrices, of which one triangle is read.

    A named tuple `eigenvalues, eigenvectors`.

    >>> gnp.linalg.eigh(gradkit.tensor([[2.0, 0.0], [0.0, 1.0]])).eigenvalues
    tensor([1., 2.])
    """
    return return_types.linalg_eigh(*xp.linalg_eigh(matrices(a, square=True), triangle=UPLO.upper()))


def eigvalsh(a: Any, UPLO: str = "L") -> Tensor:
    """The eigenvalues of Hermitian matrices, ascending.

    >>> gnp.linalg.eigvalsh(gradkit.tensor([[2.0, 0.0], [0.0, 1.0]]))
    tensor([1., 2.])
    """
    return xp.linalg_eigvalsh(matrices(a, square=True), triangle=UPLO.upper())


def eig(a: Any) -> Any:
    """Eigenvalues and eigenvectors of square matrices: a named tuple `eigenvalues, eigenvectors`.

    Of real matrices they are real if all of them happen to be; inside vmap always complex.

    >>> gnp.linalg.eig(gradkit.tensor([[2.0, 0.0], [0.0, 1.0]])).eigenvalues
    tensor([2., 1.])
    """
    x = matrices(a, square=True)
    w, v = xp.linalg_eig(x)
    if x.dtype.kind != "c" and not w.batch and not np.imag(w.array).any():
        w, v = parts.real(w), parts.real(v)
    return return_types.linalg_eig(w, v)


def eigvals(a: Any) -> Tensor:
    """The eigenvalues of square matrices, as `eig` gives them.

    >>> gnp.linalg.eigvals(gradkit.tensor([[2.0, 0.0], [0.0, 1.0]]))
    tensor([2., 1.])
    """
    values: Tensor = eig(a).eigenvalues
    return values


# -- determinants, inverses, equations
def det(a: Any) -> Tensor:
    """The determinant of square matrices; differentiable at singular ones too.

    >>> gnp.linalg.det(gradkit.tensor([[2.0, 0.0], [0.0, 3.0]]))
    tensor(6.)
    """
    return xp.linalg_det(matrices(a, square=True))


def slogdet(a: Any) -> Any:
    """The sign of the determinant and the logarithm of its size: a named tuple `sign, logabsdet`.

    >>> gnp.linalg.slogdet(-gradkit.eye(3)).sign
    tensor(-1.)
    """
    return return_types.slogdet(*xp.linalg_slogdet(matrices(a, square=True)))


def inv(a: Any) -> Tensor:
    """The inverse of square matrices. LinAlgError for a singular one.

    >>> gnp.linalg.inv(2 * gradkit.eye(2))
    tensor([[0.5000, 0.0000],
            [0.0000, 0.5000]])
    """
    return xp.linalg_inv(matrices(a, square=True))


def pinv(a: Any, rcond: Any = None, hermitian: bool = False, *, rtol: Any = None) -> Tensor:
    """The pseudo-inverse; singular values up to `rcond` (or `rtol`) times the greatest count as 0.

    >>> gnp.linalg.pinv(gradkit.tensor([[2.0], [0.0]]))
    tensor([[0.5000, 0.0000]])
    """
    refuse("pinv", {"hermitian": hermitian})
    x = matrices(a)
    if rcond is not None and rtol is not None:
        raise ValueError("`rtol` and `rcond` can't be both set.")
    share = rtol if rcond is None else rcond
    return solving.pinv(x, rtol=float(np.asarray(1e-15 if share is None else share)))


def solve(a: Any, b: Any) -> Tensor:
    """The x with a x = b: a vector if `b` is one, else a stack of matrices. LinAlgError for a singular matrix.

    >>> gnp.linalg.solve(2 * gradkit.eye(2), gradkit.tensor([2.0, 4.0]))
    tensor([1., 2.])
    """
    x, y = inexact(a, b)
    matrices(x, square=True)
    if y.ndim != 1:
        return xp.linalg_solve(x, y)
    solved = xp.linalg_solve(x, xp.reshape(y, (*y.shape, 1)))
    return xp.reshape(solved, solved.shape[:-1])


def lstsq(a: Any, b: Any, rcond: Any = None) -> Any:
    """The x for which the norm of b - a x is least, the squares of these norms, the rank of `a`, its singular values.

    The squares are there only where the rank is full and there are more equations than unknowns.

    >>> gnp.linalg.lstsq(gradkit.tensor([[2.0], [0.0]]), gradkit.tensor([4.0, 1.0]))[0]
    tensor([2.])
    """
    x, y = inexact(a, b)
    m, n = matrices(x).shape
    share = np.finfo(x.dtype).eps * max(m, n) if rcond is None else max(rcond, 0)
    columns = xp.reshape(y, (m, 1)) if y.ndim == 1 else y
    found = xp.matmul(solving.pinv(x, rtol=float(share)), columns)
    s = xp.linalg_svdvals(x)
    rank = int((s.array > share * s.array[:1]).sum())
    off = elementwise.abs(columns - xp.matmul(x, found))
    squares = reduction.sum(off * off, 0) if rank == n < m else beside(off, np.empty(0, off.dtype))
    return (xp.reshape(found, (n,)) if y.ndim == 1 else found), squares, rank, s


def tensorsolve(a: Any, b: Any, axes: Any = None) -> Tensor:
    """The x with ``tensordot(a, x, x.ndim) == b``, after the axes `axes` of `a` have moved to the end.

    >>> gnp.linalg.tensorsolve(gradkit.eye(6).reshape(2, 3, 6), gradkit.ones(2, 3)).shape
    gradkit.Size([6])
    """
    x, y = inexact(a, b)
    if axes is not None:
        x = xp.moveaxis(x, axes_in(tuple(axes), x.ndim), tuple(range(-len(axes), 0)))
    shape = tuple(x.shape[y.ndim :])
    n = math.prod(shape)
    if n != y.numel():
        raise LinAlgError(f"prod(a.shape[b.ndim:]) must be b.size, but {n} is not {y.numel()}")
    return xp.reshape(solve(xp.reshape(x, (n, n)), xp.reshape(y, (n,))), shape)


def tensorinv(a: Any, ind: int = 2) -> Tensor:
    """The inverse of `a` as a map of tensors, whose first `ind` axes are those of its values.

    >>> gnp.linalg.tensorinv(gradkit.eye(6).reshape(2, 3, 6)).shape
    gradkit.Size([6, 2, 3])
    """
    if ind <= 0:
        raise ValueError("Invalid ind argument.")
    (x,) = inexact(a)
    shape = tuple(x.shape)
    return xp.reshape(inv(xp.reshape(x, (math.prod(shape[:ind]), -1))), (*shape[ind:], *shape[:ind]))


# -- powers, ranks, chains
def matrix_power(a: Any, n: int) -> Tensor:
    """The product of `n` times the same square matrices, or for a negative `n` of their inverses.

    >>> gnp.linalg.matrix_power(gradkit.tensor([[1, 1], [0, 1]]), 5)
    tensor([[1, 5],
            [0, 1]])
    """
    x = asarray(a)
    if n < 0:
        x = matrices(x, square=True)
    if x.ndim < 2 or x.shape[-1] != x.shape[-2]:
        raise LinAlgError("Last 2 dimensions of the array must be square")
    if n == 0:
        return xp.broadcast_to(beside(x, np.eye(x.shape[-1], dtype=x.dtype)), tuple(x.shape))
    square, n = (x, n) if n > 0 else (inv(x), -n)
    made: Tensor | None = None
    while n:
        if n & 1:
            made = square if made is None else products.times(made, square)
        n >>= 1
        square = products.times(square, square) if n else square
    return made  # type: ignore[return-value]


def matrix_rank(A: Any, tol: Any = None, hermitian: bool = False, *, rtol: Any = None) -> Tensor:
    """How many singular values exceed `tol`, or `rtol` times the greatest: integers, without a derivative.

    >>> gnp.linalg.matrix_rank(gradkit.ones(2, 2))
    tensor(1)
    """
    (x,) = inexact(A)
    if x.ndim < 2:
        return converted(reduction.any(x), np.int64)
    s = xp.linalg_svdvals(x)
    if tol is None:
        share = max(x.shape[-2:]) * np.finfo(x.dtype).eps if rtol is None else rtol
        tol = elementwise.multiply(reduction.max(s, -1), share)
    return reduction.count_nonzero(elementwise.greater(s, xp.expand_dims(asarray(tol), -1)), -1)


def multi_dot(arrays: Any, *, out: Any = None) -> Tensor:
    """The product of several matrices, of which the first and the last may be vectors.

    >>> gnp.linalg.multi_dot([gradkit.ones(2), gradkit.ones(2, 3), gradkit.ones(3)])
    tensor(6.)
    """
    refuse_out("multi_dot", out)
    factors = together(arrays)
    if len(factors) < 2:
        raise ValueError("Expecting at least two arrays.")
    for x, least in zip(factors, (1, *[2] * (len(factors) - 2), 1)):
        if not least <= x.ndim <= 2:
            raise LinAlgError(f"{x.ndim}-dimensional array given. Array must be two-dimensional")
    sizes = [factors[0].shape[0] if factors[0].ndim == 2 else 1, *[x.shape[-1] for x in factors[:-1]]]
    splits = contraction.best_splits([*sizes, factors[-1].shape[1] if factors[-1].ndim == 2 else 1])

    def product(i: int, j: int) -> Tensor:
        return factors[i] if i == j else products.times(product(i, splits[i, j]), product(splits[i, j] + 1, j))

    return product(0, len(factors) - 1)


# -- under the standard's names: always of the last axes
def cross(x1: Any, x2: Any, /, *, axis: int = -1) -> Tensor:
    """The vector product along `axis`. ValueError unless there are three components.

    >>> gnp.linalg.cross(gradkit.tensor([1.0, 0.0, 0.0]), gradkit.tensor([0.0, 1.0, 0.0]))
    tensor([0., 0., 1.])
    """
    return products.cross(x1, x2, axis=axis)


def outer(x1: Any, x2: Any, /) -> Tensor:
    """The products of all elements of one vector with all of another. ValueError for other ranks.

    >>> gnp.linalg.outer(gradkit.ones(2), gradkit.ones(3)).shape
    gradkit.Size([2, 3])
    """
    x, y = asarray(x1), asarray(x2)
    if x.ndim != 1 or y.ndim != 1:
        raise ValueError(f"Input arrays must be one-dimensional, but they have {x.ndim} and {y.ndim} axes")
    return products.outer(x, y)


def diagonal(x: Any, /, *, offset: int = 0) -> Tensor:
    """The diagonals of matrices.

    >>> gnp.linalg.diagonal(gradkit.ones(5, 2, 3)).shape
    gradkit.Size([5, 2])
    """
    return products.diagonal(x, offset, -2, -1)


def trace(x: Any, /, *, offset: int = 0, dtype: Any = None) -> Tensor:
    """The sums of the diagonals of matrices.

    >>> gnp.linalg.trace(gradkit.ones(5, 2, 3)).shape
    gradkit.Size([5])
    """
    return products.trace(x, offset, -2, -1, dtype)


__all__ = [
    "LinAlgError", "cholesky", "cond", "cross", "det", "diagonal", "eig", "eigh", "eigvals", "eigvalsh", "inv",
    "lstsq", "matmul", "matrix_norm", "matrix_power", "matrix_rank", "matrix_transpose", "multi_dot", "norm", "outer",
    "pinv", "qr", "slogdet", "solve", "svd", "svdvals", "tensordot", "tensorinv", "tensorsolve", "trace", "vecdot",
    "vector_norm",
]
