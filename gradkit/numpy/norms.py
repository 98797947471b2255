"""The norms of `numpy.linalg`, for vectors and matrices, and what is made of them."""

import math
from typing import Any

import numpy as np

from gradkit.engine.operands import tensor_xp as xp
from gradkit.engine.tensor import Tensor
from gradkit.errors import LinAlgError
from gradkit.numpy import elementwise, reduction
from gradkit.numpy.calling import asarray, axes_in, converted
from gradkit.numpy.reduction import with_axes

inf = math.inf


def _floating(x: Any) -> Tensor:
    y = asarray(x)
    return converted(y, np.float64) if y.dtype.kind in "biu" else y


def vector_norm(x: Any, /, *, axis: Any = None, keepdims: bool = False, ord: float = 2) -> Tensor:
    """The norm of order `ord` along `axis`: ``sum(abs(x) ** ord) ** (1 / ord)``.

    Of order inf the greatest, of order -inf the least size, of order 0 how many are not 0. The subgradient at 0 is 0.

    >>> gnp.linalg.vector_norm(gradkit.tensor([3.0, 4.0]))
    tensor(5.)
    """
    y = _floating(x)
    axes = axes_in(axis, y.ndim)
    return xp.vector_norm(y, ord=ord, axis=axes, keepdims=keepdims) if axes else elementwise.abs(y)


def matrix_norm(x: Any, /, *, keepdims: bool = False, ord: Any = "fro") -> Tensor:
    """The norm of matrices, the last two axes: "fro" (of all elements), "nuc" (the sum of the singular values), 2 and
    -2 (the greatest and the least of them), 1, -1, inf, -inf (of the sums of sizes over columns or rows).

    ValueError for another order.

    >>> gnp.linalg.matrix_norm(gradkit.tensor([[3.0, 0.0], [0.0, 4.0]]))
    tensor(5.)
    """
    y = _floating(x)
    return _matrix_norm(y, ord, -2, -1, keepdims)


def _matrix_norm(x: Tensor, ord: Any, row: int, column: int, keepdims: bool) -> Tensor:
    if ord in ("fro", None, "f"):
        return xp.vector_norm(x, ord=2, axis=(row, column), keepdims=keepdims)
    if ord in ("nuc", 2, -2):
        s = xp.linalg_svdvals(xp.moveaxis(x, (row, column), (-2, -1)))
        y = (reduction.sum if ord == "nuc" else reduction.max if ord == 2 else reduction.min)(s, -1)
    elif ord in (1, -1, inf, -inf):
        first, second = (row, column) if abs(ord) == 1 else (column, row)
        sums = reduction.sum(elementwise.abs(x), first, keepdims=True)
        y = (reduction.max if ord > 0 else reduction.min)(sums, (first, second))
    else:
        raise ValueError(f"Invalid norm order for matrices: {ord!r}")
    return with_axes(y, tuple(x.shape), (row, column), keepdims)


def norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Tensor:
    """The norm of vectors along one axis, or of matrices along two; without both `ord` and `axis` that of all elements.

    ValueError for an order or a number of axes that there is no norm for.

    >>> gnp.linalg.norm(gradkit.tensor([[3.0, 0.0], [4.0, 0.0]]), axis=0)
    tensor([5., 0.])
    """
    y = _floating(x)
    of_all = ord is None or (ord in ("fro", "f") and y.ndim == 2) or (ord == 2 and y.ndim == 1)
    if axis is None and of_all:
        return vector_norm(y, keepdims=keepdims)
    axes = axes_in(axis, y.ndim)
    if len(axes) == 1:
        if isinstance(ord, str):
            raise ValueError(f"Invalid norm order {ord!r} for vectors")
        return vector_norm(y, axis=axes, keepdims=keepdims, ord=2 if ord is None else ord)
    if len(axes) != 2:
        raise ValueError("Improper number of dimensions to norm.")
    return _matrix_norm(y, ord, *axes, keepdims)


def cond(x: Any, p: Any = None) -> Tensor:
    """The condition number: the ratio of the extreme singular values, or in the norm `p` that of x times that of its
    inverse.

    >>> gnp.linalg.cond(gradkit.tensor([[4.0, 0.0], [0.0, 2.0]]))
    tensor(2.)
    """
    y = _floating(x)
    if y.ndim < 2:
        raise LinAlgError(f"{y.ndim}-dimensional array given. Array must be at least two-dimensional")
    if p in (None, 2, -2):
        s = xp.linalg_svdvals(y)
        greatest, least = reduction.max(s, -1), reduction.min(s, -1)
        return least / greatest if p == -2 else greatest / least
    return matrix_norm(y, ord=p) * matrix_norm(xp.linalg_inv(y), ord=p)
