"""Inverses, systems of equations, determinants and functions of square matrices: PyTorch's linalg functions.

Matrices, dtypes and errors are those of `decomposing`; LinAlgError is raised for a matrix that is singular.
"""

from typing import Any

import numpy as np

from gradkit.creation import eye
from gradkit.engine.operands import on_one_device
from gradkit.engine.tensor import Tensor, wrap
from gradkit.ops import return_types
from gradkit.ops.joining import stack
from gradkit.ops.naming import also_named
from gradkit.ops.placing import like
from gradkit.ops.products import matmul
from gradkit.ops.shaping import broadcast_shapes, broadcast_tensors, expand
from gradkit.primitives import determinant, linalg as rows
from gradkit.primitives.complex import conj
from gradkit.primitives.decomposition import linalg_svdvals
from gradkit.primitives.elementwise import log
from gradkit.primitives.piecewise import maximum, where
from gradkit.primitives.reduction import sum as total
from gradkit.primitives.shape import clone, permute, reshape


# -- what is accepted
def matrices(name: str, *operands: Tensor, which: str = "AB", square: bool = False) -> None:
    """RuntimeError unless the operands are stacks of matrices of one dtype, the first of them square if `square`."""
    for letter, x in zip(which, operands):
        if x.ndim < 2:
            raise RuntimeError(f"{name}: The input tensor {letter} must have at least 2 dimensions.")
        if x.dtype.name not in ("float32", "float64", "complex64", "complex128"):
            raise RuntimeError(f"{name}: Expected a floating point or complex tensor as input. Got {x.dtype.name}")
    first = operands[0]
    for letter, x in zip(which[1:], operands[1:]):
        if x.dtype != first.dtype:
            raise RuntimeError(
                f"{name}: Expected {which[0]} and {letter} to have the same dtype, but found {which[0]} of type "
                f"{first.dtype.name} and {letter} of type {x.dtype.name} instead"
            )
    m, n = first.shape[-2:]
    if square and m != n:
        raise RuntimeError(f"{name}: {which[0]} must be batches of square matrices, but they are {m} by {n} matrices")


def transposed(x: Tensor) -> Tensor:
    return permute(x, (*range(x.ndim - 2), -1, -2))


def adjoint(x: Tensor) -> Tensor:
    return conj(transposed(x)) if x.dtype.kind == "c" else transposed(x)


# -- inverses and systems
def inv(A: Tensor) -> Tensor:
    """The inverses of square matrices. LinAlgError for a singular one.

    >>> gradkit.linalg.inv(gradkit.tensor([[2.0, 0.0], [0.0, 4.0]]))
    tensor([[0.5000, 0.0000],
            [0.0000, 0.2500]])
    """
    matrices("linalg.inv", A, square=True)
    return rows.linalg_inv(A)


def inverse(input: Tensor) -> Tensor:
    """`gradkit.linalg.inv`.

    >>> gradkit.inverse(gradkit.tensor([[2.0]]))
    tensor([[0.5000]])
    """
    return inv(input)


def solve(A: Tensor, B: Tensor, *, left: bool = True) -> Tensor:
    """The X with A X = B for square matrices A, or X A = B without `left`; the axes before the last two broadcast.

    B of shape (*, n, k), or (n,) or (*, n) where A has (*, n, n): then its rows are vectors. LinAlgError if A is singular.

    >>> gradkit.linalg.solve(gradkit.tensor([[2.0, 0.0], [0.0, 4.0]]), gradkit.tensor([2.0, 2.0]))
    tensor([1.0000, 0.5000])
    """
    vectors = B.ndim == 1 or (A.ndim - 1 == B.ndim and tuple(B.shape) == tuple(A.shape[:-1]))
    b = reshape(B, (*B.shape, 1)) if vectors else B
    matrices("linalg.solve", A, b, square=True)
    n = A.shape[-1]
    if b.shape[-2 if left else -1] != n:
        raise RuntimeError(
            f"linalg.solve: Incompatible shapes of A and B for the equation {'AX' if left else 'XA'} = B "
            f"({n}x{n} and {b.shape[-2]}x{b.shape[-1]})"
        )
    x = rows.linalg_solve(A, b) if left else transposed(rows.linalg_solve(transposed(A), transposed(b)))
    return reshape(x, tuple(x.shape[:-1])) if vectors else x


def solve_triangular(A: Tensor, B: Tensor, *, upper: bool, left: bool = True, unitriangular: bool = False) -> Tensor:
    """The X with A X = B for triangular matrices A, or X A = B without `left`; the axes before the last two broadcast.

    Only the triangle that `upper` says is read, with `unitriangular` not its diagonal, which then counts as 1. A zero
    on the diagonal gives inf or nan.

    >>> A = gradkit.tensor([[2.0, 0.0], [1.0, 1.0]])
    >>> gradkit.linalg.solve_triangular(A, gradkit.tensor([[2.0], [3.0]]), upper=False)
    tensor([[1.],
            [2.]])
    """
    matrices("linalg.solve_triangular", A, B, square=True)
    if B.shape[-2 if left else -1] != A.shape[-1]:
        raise RuntimeError(
            f"linalg.solve_triangular: Incompatible shapes of A and B for the equation {'AX' if left else 'XA'} = B "
            f"({A.shape[-2]}x{A.shape[-1]} and {B.shape[-2]}x{B.shape[-1]})"
        )
    if left:
        return rows.triangular_solve(A, B, upper=upper, unit=unitriangular)
    return transposed(rows.triangular_solve(transposed(A), transposed(B), upper=not upper, unit=unitriangular))


def cholesky_solve(B: Tensor, L: Tensor, upper: bool = False) -> Tensor:
    """The X with L L^H X = B, given the Cholesky factor L; with `upper` U^H U X = B.

    >>> gradkit.cholesky_solve(gradkit.tensor([[8.0]]), gradkit.tensor([[2.0]]))
    tensor([[2.]])
    """
    matrices("cholesky_solve", L, B, which="LB", square=True)
    if upper:
        L = adjoint(L)
    y = rows.triangular_solve(L, B, upper=False, unit=False)
    return rows.triangular_solve(adjoint(L), y, upper=True, unit=False)


def cholesky_inverse(L: Tensor, upper: bool = False) -> Tensor:
    """The inverse of L L^H, given the Cholesky factor L; with `upper` that of U^H U.

    >>> gradkit.cholesky_inverse(gradkit.tensor([[2.0]]))
    tensor([[0.2500]])
    """
    return cholesky_solve(eye(L.shape[-1], dtype=L.dtype), L, upper)


def pinv(A: Tensor, rcond: Any = None, hermitian: bool = False, *, atol: Any = None, rtol: Any = None) -> Tensor:
    """The pseudo-inverses (Moore-Penrose) of matrices, by singular values: those up to max(atol, rtol * the greatest)
    count as 0. Shape (*, n, m) for (*, m, n).

    `rtol` (also as `rcond`) is max(m, n) times the dtype's epsilon unless one of the two is given. They are numbers, or
    tensors that broadcast to shape (*). With `hermitian` the Hermitian part is taken. The derivative is that at constant
    rank.

    >>> gradkit.linalg.pinv(gradkit.tensor([[2.0, 0.0], [0.0, 0.0]]))
    tensor([[0.5000, 0.0000],
            [0.0000, 0.0000]])
    """
    matrices("linalg.pinv", A, square=hermitian)
    if hermitian:
        A = (A + adjoint(A)) / 2
    bounds = tolerances(A, atol, rcond if rtol is None else rtol)
    if bounds.ndim > 1:
        A = expand(A, (*broadcast_shapes(A.shape[:-2], bounds.shape[:-1]), *A.shape[-2:]))
    return rows.linalg_pinv(A, expand(bounds, (*A.shape[:-2], 2)))


def tolerances(A: Tensor, atol: Any, rtol: Any) -> Tensor:
    """Both as one tensor of shape (*, 2)."""
    if rtol is None:
        rtol = float(max(A.shape[-2:]) * np.finfo(A.dtype).eps)
        rtol = where(atol > 0, 0.0, rtol) if isinstance(atol, Tensor) else 0.0 if atol else rtol
    reals = A.real
    both = [like(0.0 if bound is None else bound, reals).detach() for bound in (atol, rtol)]
    return stack(broadcast_tensors(*both), -1)


def pinverse(input: Tensor, rcond: float = 1e-15) -> Tensor:
    """`gradkit.linalg.pinv` with singular values up to `rcond` times the greatest counting as 0.

    >>> gradkit.pinverse(gradkit.tensor([[2.0]]))
    tensor([[0.5000]])
    """
    return pinv(input, rtol=rcond)


@on_one_device
def lstsq(A: Tensor, B: Tensor, rcond: float | None = None, *, driver: str | None = None) -> Any:
    """The X of least norm among those for which A X - B has the least norm, as a named tuple (solution, residuals, rank,
    singular_values).

    B of shape (*, m, k), or (*, m) for A of shape (*, m, n). Singular values up to `rcond` times the greatest count as
    0. Residuals (k sums of squares) are there if m > n and all matrices have full rank, else empty.

    >>> A, B = gradkit.tensor([[1.0], [1.0]]), gradkit.tensor([[1.0], [3.0]])
    >>> gradkit.linalg.lstsq(A, B).rank
    tensor(1)
    """
    vectors = A.ndim - 1 == B.ndim
    b = reshape(B, (*B.shape, 1)) if vectors else B
    matrices("linalg.lstsq", A, b)
    m, n = A.shape[-2:]
    if b.shape[-2] != m:
        raise RuntimeError(f"linalg.lstsq: input.size(-2) should match other.size(-2): {m} and {b.shape[-2]}")
    s = linalg_svdvals(A).detach()
    x = matmul(pinv(A, rcond), b)
    rank = count_above(s, tolerances(A, None, rcond))
    full = m > n and bool((rank.array == n).all())
    error = matmul(A, x) - b
    squares = (error * conj(error)).real if error.dtype.kind == "c" else error * error
    residuals = total(squares, -2) if full else squares.detach().new_zeros(0)
    return return_types.linalg_lstsq(reshape(x, tuple(x.shape[:-1])) if vectors else x, residuals, rank, s)


def count_above(s: Tensor, bounds: Tensor) -> Tensor:
    if not s.shape[-1]:
        return total(s > 0, -1)
    return total(s > maximum(bounds[..., :1], s.amax(-1, True) * bounds[..., 1:]), -1)


def matrix_rank(A: Tensor, tol: Any = None, hermitian: bool = False, *, atol: Any = None, rtol: Any = None) -> Tensor:
    """How many singular values of matrices are above max(atol, rtol * the greatest), as int64: see `pinv`. `tol` is
    `atol`, with an `rtol` of 0.

    >>> gradkit.linalg.matrix_rank(gradkit.ones(2, 2))
    tensor(1)
    """
    matrices("linalg.matrix_rank", A, square=hermitian)
    return count_above(linalg_svdvals(A.detach()), tolerances(A, *(atol, rtol) if tol is None else (tol, 0.0)))


# -- determinants
@also_named(input="A")
def det(A: Tensor) -> Tensor:
    """The determinants of square matrices; first and second derivatives are right at singular ones too.

    >>> gradkit.linalg.det(gradkit.tensor([[1.0, 2.0], [3.0, 4.0]]))
    tensor(-2.)
    """
    matrices("linalg.det", A, square=True)
    return determinant.linalg_det(A)


@also_named(input="A")
def slogdet(A: Tensor) -> Any:
    """The sign of determinants, or their phase, and the logarithm of their absolute value: a named tuple (sign,
    logabsdet).

    Of a singular matrix they are 0 and -inf, and there is no derivative: the gradient is nan.

    >>> gradkit.linalg.slogdet(gradkit.tensor([[-1.0]]))
    gradkit.return_types.slogdet(
    sign=tensor(-1.),
    logabsdet=tensor(0.))
    """
    matrices("linalg.slogdet", A, square=True)
    return return_types.slogdet(*determinant.linalg_slogdet(A))


def logdet(input: Tensor) -> Tensor:
    """The logarithms of determinants; -inf where that is 0, nan where it is negative.

    >>> gradkit.logdet(gradkit.tensor([[2.0]]))
    tensor(0.6931)
    """
    matrices("logdet", input, square=True)
    sign, size = determinant.linalg_slogdet(input)
    return log(sign.detach() if input.dtype.kind != "c" else sign) + size


# -- functions of a matrix
@also_named(input="A")
def matrix_power(A: Tensor, n: int) -> Tensor:
    """The nth powers of square matrices, by repeated squaring; of their inverses for a negative n.

    TypeError for an n that is no int, LinAlgError for a negative one and a singular matrix.

    >>> gradkit.linalg.matrix_power(gradkit.tensor([[1.0, 1.0], [0.0, 1.0]]), 3)
    tensor([[1., 3.],
            [0., 1.]])
    """
    if not isinstance(n, int):
        raise TypeError(f"linalg_matrix_power(): argument 'n' (position 2) must be int, not {type(n).__name__}")
    matrices("linalg.matrix_power", A, square=True)
    if n < 0:
        A, n = rows.linalg_inv(A), -n
    y = None
    if n == 1:
        return clone(A)
    while n:
        if n & 1:
            y = A if y is None else rows.matmul(y, A)
        n >>= 1
        if n:
            A = rows.matmul(A, A)
    return where(wrap(np.asarray(True)), eye(A.shape[-1], dtype=A.dtype), A) if y is None else y


def matrix_exp(A: Tensor) -> Tensor:
    """The exponentials of square matrices, by scaling and squaring (Higham 2005).

    >>> gradkit.linalg.matrix_exp(gradkit.zeros(2, 2))
    tensor([[1., 0.],
            [0., 1.]])
    """
    matrices("linalg.matrix_exp", A, square=True)
    return rows.matrix_exp(A)
