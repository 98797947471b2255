"""Products of vectors, matrices and more axes, by NumPy's signatures."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from gradkit.engine.dtypes import differentiable
from gradkit.engine.naming import named
from gradkit.engine.operands import tensor_xp as xp
from gradkit.engine.tensor import Tensor
from gradkit.numpy import reduction
from gradkit.numpy.calling import asarray, axes_in, axis_in, converted, plain, refuse, refuse_out, together
from gradkit.ops import complex as parts, contraction, joining, products as vector_products
from gradkit.primitives.shape import extents


# -- matrices
def times(a: Tensor, b: Tensor) -> Tensor:
    """The matrix product of operands of one dtype; a vector is a row on the left and a column on the right."""
    left, right = extents(a), extents(b)
    n, m = left[-1], right[-2:][0]
    if n != m:
        raise ValueError(f"matmul: shapes {left} and {right} do not fit: {n} is not {m}")
    rows = a if len(left) > 1 else xp.reshape(a, (1, n))
    columns = b if len(right) > 1 else xp.reshape(b, (m, 1))
    y = xp.matmul(rows, columns) if differentiable(a.dtype) else plain(np.matmul, rows, columns)
    if rows is a and columns is b:
        return y
    shape = y.shape[:-2] + (y.shape[-2:-1] if a.ndim > 1 else ()) + (y.shape[-1:] if b.ndim > 1 else ())
    return xp.reshape(y, shape)


def _product(function: np.ufunc, meaning: str, compute: Callable[[Tensor, Tensor], Tensor]) -> Callable[..., Any]:
    """A ufunc on vectors and matrices, whose leading axes broadcast."""
    name = function.__name__

    def call(x1: Any, x2: Any, /, out: Any = None, *, dtype: Any = None, **keywords: Any) -> Tensor:
        axes = {"axis": keywords.pop("axis")} if "axis" in keywords else {}
        if keywords or out is not None:
            refuse(name, {"out": out, **keywords})
        a, b = together((x1, x2), dtype)
        if not a.ndim or not b.ndim:
            raise ValueError(f"{name}: Input operand {int(a.ndim > 0)} does not have enough dimensions")
        return compute(a, b, **axes)

    call.ufunc = function  # type: ignore[attr-defined]
    return named(call, name, f"""{meaning} Leading axes broadcast, dtypes are promoted. ValueError if extents do not fit.

    >>> x, y = np.ones((2, 2)), np.eye(2)
    >>> np.array_equal(gnp.{name}(x, y), np.{name}(x, y))
    True
    """)


def _vecdot(a: Tensor, b: Tensor, axis: int = -1) -> Tensor:
    if axis != -1:
        a, b = xp.moveaxis(a, axis, -1), xp.moveaxis(b, axis, -1)
    y = _vecmat(a, xp.reshape(b, (*b.shape, 1)))
    return xp.reshape(y, y.shape[:-1])


def _vecmat(a: Tensor, b: Tensor) -> Tensor:
    a = parts.conj(a) if a.dtype.kind == "c" else a
    y = times(xp.reshape(a, (*a.shape[:-1], 1, a.shape[-1])), b)
    return xp.reshape(y, (*y.shape[:-2], y.shape[-1]))


def _matvec(a: Tensor, b: Tensor) -> Tensor:
    y = times(a, xp.reshape(b, (*b.shape, 1)))
    return xp.reshape(y, y.shape[:-1])


matmul = _product(np.matmul, "The matrix product; a vector is a row on the left and a column on the right.", times)
vecdot = _product(np.vecdot, "The dot product along `axis` (the last); the first operand is conjugated.", _vecdot)
matvec = _product(np.matvec, "Matrices times vectors.", _matvec)
vecmat = _product(np.vecmat, "Vectors, conjugated, times matrices.", _vecmat)


# -- sums of products over axes
def tensordot(a: Any, b: Any, axes: Any = 2) -> Tensor:
    """The sum of products over pairs of axes: the last `axes` of `a` with the first of `b`, or two lists of axes.

    ValueError if extents do not fit.

    >>> gnp.tensordot(gradkit.ones(2, 3, 4), gradkit.ones(4, 3), axes=([2, 1], [0, 1]))
    tensor([12., 12.])
    """
    x, y = together((a, b))
    if isinstance(axes, int | np.integer):
        pairs: Any = (range(x.ndim - axes, x.ndim), range(axes))
    else:
        pairs = [[i] if isinstance(i, int | np.integer) else i for i in axes]
    over_x, over_y = axes_in(tuple(pairs[0]), x.ndim), axes_in(tuple(pairs[1]), y.ndim)
    if [x.shape[i] for i in over_x] != [y.shape[i] for i in over_y]:
        raise ValueError("shape-mismatch for sum")
    rest_x, rest_y = [[i for i in range(-z.ndim, 0) if i not in over] for z, over in ((x, over_x), (y, over_y))]
    n = math.prod([x.shape[i] for i in over_x])
    shape_x, shape_y = [x.shape[i] for i in rest_x], [y.shape[i] for i in rest_y]
    left = xp.reshape(xp.permute(x, (*rest_x, *over_x)), (math.prod(shape_x), n))
    right = xp.reshape(xp.permute(y, (*over_y, *rest_y)), (n, math.prod(shape_y)))
    return xp.reshape(times(left, right), (*shape_x, *shape_y))


def dot(a: Any, b: Any, out: Any = None) -> Tensor:
    """The product of numbers, of vectors, of matrices; of more axes the sum over the last of `a` and the last but one
    of `b`.

    >>> gnp.dot(gradkit.ones(3), gradkit.ones(3))
    tensor(3.)
    """
    refuse_out("dot", out)
    x, y = together((a, b))
    if not x.ndim or not y.ndim:
        return x * y
    return times(x, y) if x.ndim < 3 and y.ndim < 3 else tensordot(x, y, (x.ndim - 1, max(y.ndim - 2, 0)))


def inner(a: Any, b: Any, /) -> Tensor:
    """The sum of products over the last axes.

    >>> gnp.inner(gradkit.ones(2, 3), gradkit.ones(3))
    tensor([3., 3.])
    """
    x, y = together((a, b))
    return x * y if not x.ndim or not y.ndim else tensordot(x, y, (-1, -1))


def vdot(a: Any, b: Any, /) -> Tensor:
    """The dot product of all elements in line, those of `a` conjugated.

    >>> gnp.vdot(gradkit.ones(2, 2), gradkit.ones(2, 2))
    tensor(4.)
    """
    return vecdot(*[xp.reshape(x, (-1,)) for x in together((a, b))])


def outer(a: Any, b: Any, out: Any = None) -> Tensor:
    """The products of all elements of `a` with all of `b`: a matrix.

    >>> gnp.outer(gradkit.tensor([1.0, 2.0]), gradkit.tensor([3.0, 4.0]))
    tensor([[3., 4.],
            [6., 8.]])
    """
    refuse_out("outer", out)
    x, y = together((a, b))
    return xp.reshape(x, (x.numel(), 1)) * xp.reshape(y, (1, y.numel()))


def kron(a: Any, b: Any) -> Tensor:
    """The Kronecker product: `b` times every element of `a`, laid out as they are. Axes that are missing come first.

    >>> gnp.kron(gradkit.tensor([1.0, 10.0]), gradkit.tensor([1.0, 2.0]))
    tensor([ 1.,  2., 10., 20.])
    """
    return vector_products.kron(*together((a, b)))


def cross(a: Any, b: Any, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: int | None = None) -> Tensor:
    """The vector product of vectors of three components along an axis. ValueError for another number of components.

    >>> gnp.cross(gradkit.tensor([1.0, 0.0, 0.0]), gradkit.tensor([0.0, 1.0, 0.0]))
    tensor([0., 0., 1.])
    """
    axisa, axisb, axisc = (axisa, axisb, axisc) if axis is None else (axis,) * 3
    x, y = together((a, b))
    x, y = xp.moveaxis(x, axis_in(axisa, x.ndim), -1), xp.moveaxis(y, axis_in(axisb, y.ndim), -1)
    if x.shape[-1] != 3 or y.shape[-1] != 3:
        raise ValueError(f"cross: vectors must have 3 components, not {x.shape[-1]} and {y.shape[-1]}")
    (x0, x1, x2), (y0, y1, y2) = joining.unbind(x, -1), joining.unbind(y, -1)
    made = xp.stack([x1 * y2 - x2 * y1, x2 * y0 - x0 * y2, x0 * y1 - x1 * y0], axis=-1)
    return xp.moveaxis(made, -1, axisc)


def einsum(*operands: Any, out: Any = None, optimize: Any = False, dtype: Any = None, **keywords: Any) -> Tensor:
    """Sums of products by Einstein's convention: ``einsum("ij,jk->ik", a, b)`` is the matrix product.

    Also with lists of ints in place of letters: ``einsum(a, [0, 1], b, [1, 2], [0, 2])``. Of more than two operands the
    pair with the smallest product goes first, whatever `optimize` says. ValueError for what does not fit.

    >>> gnp.einsum("ij,j", gradkit.ones(2, 3), gradkit.tensor([1.0, 2.0, 3.0]))
    tensor([6., 6.])
    """
    refuse("einsum", {"out": out, **keywords})
    named = isinstance(operands[0], str)
    tensors = together(operands[1:] if named else operands[: len(operands) // 2 * 2 : 2], dtype)
    result = tensors[0].dtype
    tensors = [converted(x, np.int64) for x in tensors] if result == np.bool_ else tensors
    if named:
        arguments = [operands[0], *tensors]
    else:
        arguments = [part for pair in zip(tensors, operands[1::2]) for part in pair]
        arguments += operands[-1:] if len(operands) % 2 else ()
    try:
        return converted(contraction.einsum(*arguments), result)
    except RuntimeError as reason:
        raise ValueError(str(reason)) from None


# -- diagonals
def diagonal(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Tensor:
    """The diagonal of the planes of two axes, which becomes the last axis. ValueError if the axes are the same.

    >>> gnp.diagonal(gradkit.arange(4).reshape(2, 2))
    tensor([0, 3])
    """
    x = asarray(a)
    if x.ndim < 2:
        raise ValueError("diag requires an array of at least two dimensions")
    first, second = axes_in((axis1, axis2), x.ndim)
    return xp.diagonal(x, offset=offset, axis1=first, axis2=second)


def trace(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1, dtype: Any = None, out: Any = None) -> Tensor:
    """The sum of the diagonal of the planes of two axes.

    >>> gnp.trace(gradkit.eye(3))
    tensor(3.)
    """
    refuse_out("trace", out)
    return reduction.sum(diagonal(a, offset, axis1, axis2), -1, dtype)


__all__ = [
    "cross", "diagonal", "dot", "einsum", "inner", "kron", "matmul", "matvec", "outer", "tensordot", "trace",
    "vdot", "vecdot", "vecmat",
]
