"""Norms of vectors and matrices, and distances. At 0 the gradient of a norm is 0, to every order."""

import math
from typing import Any

from gradkit.creation import eye
from gradkit.engine import dtypes
from gradkit.engine.tensor import Tensor
from gradkit.errors import LinAlgError
from gradkit.ops.naming import also_named
from gradkit.ops.solving import det, matrices
from gradkit.primitives import linalg, norm as rows
from gradkit.primitives.decomposition import linalg_svdvals
from gradkit.primitives.piecewise import where
from gradkit.primitives.reduction import amax, amin, reduce_over, sum as total
from gradkit.primitives.shape import astype, axes_from_end, permute, reshape

Dims = int | tuple[int, ...] | list[int] | None
inf = math.inf


# -- vectors
def vector_norm(
    x: Tensor, ord: float = 2, dim: Dims = None, keepdim: bool = False, *, dtype: Any = None, axis: Dims = None,
    keepdims: bool = False,
) -> Tensor:
    """sum(abs(x) ** ord) ** (1 / ord) over dimensions, by default all.

    An order of inf is the greatest absolute value, -inf the least, 0 the number of elements that are not 0. The result is
    real; `dtype` converts the elements first. RuntimeError for integers, for a `dtype` that is narrower, and for an order
    that is inf or negative where there are no elements.

    >>> gradkit.linalg.vector_norm(gradkit.tensor([3.0, 4.0]))
    tensor(5.)
    """
    x = converted("linalg.vector_norm", x, dtype)
    params = reduce_over(x, dim, keepdim, axis=axis, keepdims=keepdims)
    if (ord < 0 or ord == inf) and 0 in [x.shape[a] for a in params["axis"]]:
        raise RuntimeError(
            f"linalg.vector_norm cannot compute the {ord} norm of shape {tuple(x.shape)} over {list(params['axis'])}: there "
            "are no elements and the operation does not have an identity"
        )
    return rows.vector_norm(x, ord=ord, **params)


def converted(name: str, x: Tensor, dtype: Any) -> Tensor:
    if x.dtype.kind not in "fcV":
        raise RuntimeError(f"{name}: Expected a floating point or complex tensor as input. Got {x.dtype.name}")
    if dtype is None or dtype == x.dtype:
        return x
    if dtypes.promote_types(dtype, x.dtype) != dtype:
        raise RuntimeError(
            f"{name}: the dtype of the input ({x.dtype.name}) should be convertible without narrowing to the specified dtype "
            f"({dtype.name})"
        )
    return astype(x, dtype=dtype)


# -- matrices
def matrix_norm(
    A: Tensor, ord: Any = "fro", dim: Any = (-2, -1), keepdim: bool = False, *, dtype: Any = None, axis: Any = None,
    keepdims: bool = False,
) -> Tensor:
    """Norms of matrices, which are in the two dimensions `dim`.

    "fro" is the norm of all elements, "nuc" the sum of the singular values, 2 the greatest of them, 1 the greatest sum
    of absolute values of a column, inf that of a row; -2, -1, -inf are the least of these. RuntimeError for other orders,
    fewer than two dimensions, integers.

    >>> gradkit.linalg.matrix_norm(gradkit.tensor([[3.0, 0.0], [0.0, 4.0]]), ord=2)
    tensor(4.)
    """
    name = "linalg.matrix_norm"
    A = converted(name, A, dtype)
    if A.ndim < 2:
        raise RuntimeError(f"{name}: The input tensor A must have at least 2 dimensions.")
    dim = dim if axis is None else axis
    if not isinstance(dim, list | tuple) or len(dim) != 2:
        raise RuntimeError(f"{name}: dim must be a 2-tuple. Got {dim}")
    if dim[0] % A.ndim == dim[1] % A.ndim:
        raise RuntimeError(f"{name}: dims must be different. Got {tuple(dim)}")
    row, column = axes_from_end(A, dim)
    keepdim = keepdim or keepdims
    if ord == "fro":
        return rows.vector_norm(A, ord=2, axis=(row, column), keepdims=keepdim)
    if ord not in ("nuc", 1, -1, 2, -2, inf, -inf):
        raise RuntimeError(f"{name}: Order {ord} not supported.")
    if ord in ("nuc", 2, -2):
        others = [i for i in range(-A.ndim, 0) if i not in (row, column)]
        s = linalg_svdvals(permute(A, (*others, row, column)))
        y = total(s, -1) if ord == "nuc" else (amax if ord > 0 else amin)(s, -1)
    else:
        summed, chosen = (row, column) if abs(ord) == 1 else (column, row)
        sums = rows.vector_norm(A, ord=1, axis=(summed,), keepdims=True)
        y = (amax if ord > 0 else amin)(sums, (summed, chosen))
    return reshape(y, [1 if i - A.ndim in (row, column) else n for i, n in enumerate(A.shape)]) if keepdim else y


@also_named(input="A")
def norm_of(
    A: Tensor, ord: Any = None, dim: Dims = None, keepdim: bool = False, *, dtype: Any = None, axis: Dims = None,
    keepdims: bool = False,
) -> Tensor:
    """`vector_norm` if there is no `ord`, or one dimension; `matrix_norm` for two dimensions.

    Without `dim` that is the number of A's dimensions. RuntimeError for more than two.

    >>> gradkit.linalg.norm(gradkit.tensor([[3.0, 0.0], [0.0, 4.0]]))
    tensor(5.)
    """
    dim, keepdim = dim if axis is None else axis, keepdim or keepdims
    if ord is None:
        return vector_norm(A, 2, dim, keepdim, dtype=dtype)
    if dim is None and A.ndim > 2:
        raise RuntimeError(f"linalg.norm: If dim is not specified but ord is, the input must be 1D or 2D. Got {A.ndim}D.")
    dims = tuple(range(A.ndim)) if dim is None else tuple(dim) if isinstance(dim, tuple | list) else (dim,)
    if len(dims) not in (1, 2):
        raise RuntimeError(f"linalg.norm: If dim is specified, it must be of length 1 or 2. Got {list(dims)}")
    if len(dims) == 1 and not isinstance(ord, str):
        return vector_norm(A, ord, dims, keepdim, dtype=dtype)
    return matrix_norm(A, ord, dims, keepdim, dtype=dtype)


def norm(
    input: Tensor, p: Any = "fro", dim: Dims = None, keepdim: bool = False, dtype: Any = None, *, axis: Dims = None,
    keepdims: bool = False,
) -> Tensor:
    """The p-norm of all elements, or over dimensions: `gradkit.linalg.vector_norm`, "fro" being 2.

    "nuc" is the sum of the singular values of a matrix: `gradkit.linalg.matrix_norm`.

    >>> gradkit.norm(gradkit.tensor([[3.0, 0.0], [0.0, 4.0]]), p=1)
    tensor(7.)
    """
    dim, keepdim = dim if axis is None else axis, keepdim or keepdims
    if p == "nuc":
        return matrix_norm(input, p, tuple(range(input.ndim)) if dim is None else dim, keepdim, dtype=dtype)
    if isinstance(p, str) and p != "fro":
        raise RuntimeError(f"norm(): order {p!r} is not supported: choose a number, 'fro' or 'nuc'")
    return vector_norm(input, 2 if p in ("fro", None) else p, dim, keepdim, dtype=dtype)


def cond(A: Tensor, p: Any = None) -> Tensor:
    """The condition numbers of matrices: the norm times that of the inverse, inf for a singular matrix.

    `p` is an order of `matrix_norm`; for None, 2 and -2 it is a ratio of singular values, and A need not be square.

    >>> gradkit.linalg.cond(gradkit.tensor([[4.0, 0.0], [0.0, 2.0]]))
    tensor(2.)
    """
    if p in (None, 2, -2):
        matrices("linalg.cond", A)
        s = linalg_svdvals(A)
        if not s.shape[-1]:
            return s.sum(-1)
        greatest, least = s[..., 0], s[..., -1]
        return least / greatest if p == -2 else greatest / least
    matrices(f"linalg.cond(ord={p})", A, square=True)
    try:
        return matrix_norm(A, p) * matrix_norm(linalg.linalg_inv(A), p)
    except LinAlgError:
        singular = det(A.detach()) == 0
        safe = where(reshape(singular, (*singular.shape, 1, 1)), eye(A.shape[-1], dtype=A.dtype), A)
        return where(singular, math.inf, matrix_norm(safe, p) * matrix_norm(linalg.linalg_inv(safe), p))


# -- distances
def dist(input: Tensor, other: Tensor, p: float = 2) -> Tensor:
    """The p-norm of ``input - other``, whose shapes broadcast.

    >>> gradkit.dist(gradkit.tensor([3.0, 4.0]), gradkit.zeros(2))
    tensor(5.)
    """
    return vector_norm(input - other, p)


def cdist(x1: Tensor, x2: Tensor, p: float = 2.0, compute_mode: str | None = None) -> Tensor:
    """The p-norms of the differences of all pairs of vectors: (*, n, d) and (*, m, d) give (*, n, m).

    The differences are formed one by one: memory for n * m * d elements, and nothing is lost to cancellation whatever the
    `compute_mode`. RuntimeError for fewer than two dimensions or vectors of different lengths.

    >>> gradkit.cdist(gradkit.tensor([[0.0, 0.0], [3.0, 4.0]]), gradkit.zeros(1, 2))
    tensor([[0.],
            [5.]])
    """
    for name, x in (("X1", x1), ("X2", x2)):
        if x.ndim < 2:
            raise RuntimeError(f"cdist only supports at least 2D tensors, {name} got: {x.ndim}D")
    if x1.shape[-1] != x2.shape[-1]:
        raise RuntimeError(f"X1 and X2 must have the same number of columns. X1: {x1.shape[-1]} X2: {x2.shape[-1]}")
    left = reshape(x1, (*x1.shape[:-1], 1, x1.shape[-1]))
    right = reshape(x2, (*x2.shape[:-2], 1, *x2.shape[-2:]))
    return vector_norm(left - right, p, -1)
