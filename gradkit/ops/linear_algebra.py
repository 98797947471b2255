"""Linear algebra at PyTorch's top level: products added to something, older forms of decompositions, and the rest by name."""

from typing import Any

from gradkit.engine.tensor import Tensor
from gradkit.ops import decomposing, return_types
from gradkit.ops.products import bmm, cross, dot, ger, kron, matmul, mm, mv, outer, trace, vdot
from gradkit.ops.solving import (
    adjoint,
    cholesky_inverse,
    cholesky_solve,
    det,
    inverse,
    logdet,
    matrix_exp,
    matrix_power,
    pinverse,
    slogdet,
)
from gradkit.primitives.reduction import sum as total

__all__ = [
    "addbmm", "addmm", "addmv", "addr", "baddbmm", "bmm", "cholesky", "cholesky_inverse", "cholesky_solve", "cross", "det",
    "dot", "ger", "inverse", "kron", "logdet", "matmul", "matrix_exp", "matrix_power", "mm", "mv", "outer", "pinverse", "qr",
    "slogdet", "svd", "trace", "vdot",
]
METHODS = tuple(__all__)
INPLACE = ("addbmm", "addmm", "addmv", "addr", "baddbmm")


def added(input: Tensor, product: Tensor, beta: Any, alpha: Any) -> Tensor:
    """With a beta of 0, nan in `input` is ignored."""
    product = product if alpha == 1 else product * alpha
    if beta == 0:
        return product
    shape = tuple(product.shape)
    y = product + (input if beta == 1 else input * beta)
    if tuple(y.shape) != shape:
        raise RuntimeError(f"The expanded size of the tensor {shape} must match the existing size {tuple(input.shape)}")
    return y


def addmm(input: Tensor, mat1: Tensor, mat2: Tensor, *, beta: Any = 1, alpha: Any = 1) -> Tensor:
    """``beta * input + alpha * mm(mat1, mat2)``; `input` broadcasts.

    >>> gradkit.addmm(gradkit.ones(2), gradkit.ones(1, 3), gradkit.ones(3, 2))
    tensor([[4., 4.]])
    """
    return added(input, mm(mat1, mat2), beta, alpha)


def addmv(input: Tensor, mat: Tensor, vec: Tensor, *, beta: Any = 1, alpha: Any = 1) -> Tensor:
    """``beta * input + alpha * mv(mat, vec)``; `input` broadcasts.

    >>> gradkit.addmv(gradkit.ones(2), gradkit.ones(2, 3), gradkit.ones(3))
    tensor([4., 4.])
    """
    return added(input, mv(mat, vec), beta, alpha)


def addr(input: Tensor, vec1: Tensor, vec2: Tensor, *, beta: Any = 1, alpha: Any = 1) -> Tensor:
    """``beta * input + alpha * outer(vec1, vec2)``; `input` broadcasts.

    >>> gradkit.addr(gradkit.ones(1), gradkit.ones(1), gradkit.ones(2))
    tensor([[2., 2.]])
    """
    return added(input, outer(vec1, vec2), beta, alpha)


def addbmm(input: Tensor, batch1: Tensor, batch2: Tensor, *, beta: Any = 1, alpha: Any = 1) -> Tensor:
    """``beta * input + alpha * sum(bmm(batch1, batch2), 0)``; `input` broadcasts.

    >>> gradkit.addbmm(gradkit.ones(1), gradkit.ones(5, 1, 3), gradkit.ones(5, 3, 2))
    tensor([[16., 16.]])
    """
    return added(input, total(bmm(batch1, batch2), 0), beta, alpha)


def baddbmm(input: Tensor, batch1: Tensor, batch2: Tensor, *, beta: Any = 1, alpha: Any = 1) -> Tensor:
    """``beta * input + alpha * bmm(batch1, batch2)``; `input` broadcasts.

    >>> gradkit.baddbmm(gradkit.ones(1), gradkit.ones(1, 1, 3), gradkit.ones(1, 3, 2))
    tensor([[[4., 4.]]])
    """
    return added(input, bmm(batch1, batch2), beta, alpha)


# -- decompositions by their older names
def cholesky(input: Tensor, upper: bool = False) -> Tensor:
    """`gradkit.linalg.cholesky`.

    >>> gradkit.cholesky(gradkit.tensor([[4.0]]))
    tensor([[2.]])
    """
    return decomposing.cholesky(input, upper=upper)


def qr(input: Tensor, some: bool = True) -> Any:
    """`gradkit.linalg.qr`, "reduced" if `some`, else "complete".

    >>> gradkit.qr(gradkit.ones(3, 2)).Q.shape
    gradkit.Size([3, 2])
    """
    return return_types.qr(*decomposing.qr(input, "reduced" if some else "complete"))


def svd(input: Tensor, some: bool = True, compute_uv: bool = True) -> Any:
    """U, S and V with input = U diag(S) V^H, as a named tuple; V, not V^H as in `gradkit.linalg.svd`.

    With `some` U and V have as many columns as there are singular values, else they are square. Without `compute_uv` they
    are zeros, square and without a history.

    >>> gradkit.svd(gradkit.ones(3, 2)).V.shape
    gradkit.Size([2, 2])
    """
    if compute_uv:
        u, s, vh = decomposing.svd(input, full_matrices=not some)
        return return_types.svd(u, s, adjoint(vh))
    u, v = [input.detach().new_zeros((*input.shape[:-2], n, n)) for n in input.shape[-2:]]
    return return_types.svd(u, decomposing.svdvals(input), v)
