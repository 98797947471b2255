"""Reductions with PyTorch's signatures. `dim` and `axis`, `keepdim` and `keepdims` are two names each for one thing."""

import math
from typing import Any

import numpy as np

from gradkit.engine import dtypes
from gradkit.engine.tensor import Tensor
from gradkit.ops import return_types
from gradkit.ops.shaping import reshape, squeeze
from gradkit.primitives import reduction as rows
from gradkit.primitives.comparison import ne
from gradkit.primitives.elementwise import mul
from gradkit.primitives.norm import vector_norm
from gradkit.primitives.piecewise import maximum, minimum, where
from gradkit.primitives.reduction import amax, amin
from gradkit.primitives.selection import gather
from gradkit.primitives.shape import astype, axes_from_end, axis_from_end

__all__ = [
    "all", "amax", "amin", "aminmax", "any", "argmax", "argmin", "count_nonzero", "logsumexp", "max", "mean", "min",
    "nanmean", "nansum", "norm", "prod", "std", "std_mean", "sum", "var", "var_mean",
]  # fmt: skip
METHODS = tuple([name for name in __all__ if name not in ("std_mean", "var_mean")])
INPLACE: tuple[str, ...] = ()


# -- arguments -------------------------------------------------------------------------------------------------------
def refuse_nothing(name: str, x: Tensor, dim: Any) -> None:
    """Raise for a reduction without an identity of a tensor without elements."""
    if x.array.size == 0 and x.array.ndim - len(x.batch) and dim is None:
        raise RuntimeError(
            f"{name}(): Expected reduction dim to be specified for input.numel() == 0. Specify the reduction dim with "
            f"the 'dim' argument (shape {tuple(x.shape)})."
        )
    if dim is not None and isinstance(dim, int) and x.ndim and x.shape[axis_from_end(x, dim)] == 0:
        raise IndexError(f"{name}(): Expected reduction dim {dim} to have non-zero size (shape {tuple(x.shape)}).")


def into(x: Tensor, dtype: Any) -> Tensor:
    return x if dtype is None or x.dtype == dtype else astype(x, dtype=np.dtype(dtype))


# -- sums ------------------------------------------------------------------------------------------------------------
def sum(input: Tensor, dim: Any = None, keepdim: bool = False, *, dtype: Any = None, axis: Any = None, keepdims: bool = False) -> Tensor:
    """The sum over `dim` (an int, several, or all axes); integers and booleans add up to int64.

    >>> import gradkit
    >>> gradkit.sum(gradkit.ones(2, 3), dim=1)
    tensor([3., 3.])
    """
    if dtype is not None:
        input = into(input, dtype)
    return rows.sum(input, dim, keepdim, axis=axis, keepdims=keepdims)


def mean(input: Tensor, dim: Any = None, keepdim: bool = False, *, dtype: Any = None, axis: Any = None, keepdims: bool = False) -> Tensor:
    """The mean over `dim` (an int, several, or all axes). RuntimeError for integers, unless `dtype` is floating.

    >>> import gradkit
    >>> gradkit.mean(gradkit.tensor([1.0, 2.0]))
    tensor(1.5000)
    """
    input = into(input, dtype)
    if isinstance(input, Tensor) and not dtypes.differentiable(input.array.dtype):
        raise RuntimeError(
            "mean(): could not infer output dtype. Input dtype must be either a floating point or complex dtype. Got: "
            f"{input.dtype.name}; write x.float().mean() or pass dtype="
        )
    return rows.mean(input, dim, keepdim, axis=axis, keepdims=keepdims)


def nansum(input: Tensor, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Tensor:
    """The sum over `dim` of what is not NaN.

    >>> import gradkit
    >>> gradkit.nansum(gradkit.tensor([1.0, float("nan")]))
    tensor(1.)
    """
    return sum(where(ne(input, input), 0, input), dim, keepdim, dtype=dtype)


def nanmean(input: Tensor, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Tensor:
    """The mean over `dim` of what is not NaN.

    >>> import gradkit
    >>> gradkit.nanmean(gradkit.tensor([1.0, 3.0, float("nan")]))
    tensor(2.)
    """
    counts = sum(astype(input == input, dtype=input.dtype), dim, keepdim)
    return nansum(input, dim, keepdim, dtype=dtype) / counts


def prod(input: Tensor, dim: Any = None, keepdim: bool = False, *, dtype: Any = None, axis: Any = None, keepdims: bool = False) -> Tensor:
    """The product over one axis, or of all elements; integers and booleans multiply in int64.

    The gradient is right where elements are 0 too.

    >>> import gradkit
    >>> gradkit.prod(gradkit.tensor([2.0, 3.0]))
    tensor(6.)
    """
    input = into(input, dtype if dtype is not None or dtypes.differentiable(input.dtype) else dtypes.int64)
    dim = dim if axis is None else axis
    if dim is None:
        return rows.prod(reshape(input, (-1,)), -1)
    return rows.prod(input, dim, keepdim or keepdims) if input.ndim else input


# -- extremes --------------------------------------------------------------------------------------------------------
def max(input: Tensor, dim: Any = None, keepdim: bool = False, *, axis: Any = None, keepdims: bool = False) -> Any:
    """The greatest element; with `dim` (values, indices) along that axis; with another tensor the elementwise maximum.

    Ties share the gradient of the first form evenly; of the second the first of them has it all. NaN counts as the
    greatest. RuntimeError without elements.

    >>> import gradkit
    >>> x = gradkit.tensor([[1.0, 3.0], [2.0, 0.0]])
    >>> gradkit.max(x)
    tensor(3.)
    >>> gradkit.max(x, dim=1).indices
    tensor([1, 0])
    """
    return _extreme("max", rows.amax, rows.argmax, maximum, input, dim if axis is None else axis, keepdim or keepdims)


def min(input: Tensor, dim: Any = None, keepdim: bool = False, *, axis: Any = None, keepdims: bool = False) -> Any:
    """The least element; with `dim` (values, indices) along that axis; with another tensor the elementwise minimum.

    >>> import gradkit
    >>> gradkit.min(gradkit.tensor([[1.0, 3.0], [2.0, 0.0]]), dim=1).values
    tensor([1., 0.])
    """
    return _extreme("min", rows.amin, rows.argmin, minimum, input, dim if axis is None else axis, keepdim or keepdims)


def _extreme(name: str, whole: Any, at: Any, pairwise: Any, x: Tensor, dim: Any, keepdim: bool) -> Any:
    if isinstance(dim, Tensor):
        return pairwise(x, dim)
    refuse_nothing(name, x, dim)
    if dim is None:
        return whole(x)
    if not x.ndim:
        return getattr(return_types, name)(x, astype(x * 0, dtype=dtypes.int64))
    index = at(x, dim, True)
    values = gather(x, index, axis=axis_from_end(x, dim))
    if not keepdim:
        values, index = squeeze(values, dim), squeeze(index, dim)
    return getattr(return_types, name)(values, index)


def aminmax(input: Tensor, *, dim: Any = None, keepdim: bool = False) -> Any:
    """The least and the greatest element, of all or along `dim`, as (min, max).

    >>> import gradkit
    >>> gradkit.aminmax(gradkit.tensor([1.0, 3.0])).max
    tensor(3.)
    """
    return return_types.aminmax(rows.amin(input, dim, keepdim), rows.amax(input, dim, keepdim))


def argmax(input: Tensor, dim: Any = None, keepdim: bool = False, *, axis: Any = None, keepdims: bool = False) -> Tensor:
    """The index of the greatest element along `dim`, or in the flattened tensor; the first of ties, int64.

    >>> import gradkit
    >>> gradkit.argmax(gradkit.tensor([1.0, 3.0, 3.0]))
    tensor(1)
    """
    return _place("argmax", rows.argmax, input, dim if axis is None else axis, keepdim or keepdims)


def argmin(input: Tensor, dim: Any = None, keepdim: bool = False, *, axis: Any = None, keepdims: bool = False) -> Tensor:
    """The index of the least element along `dim`, or in the flattened tensor; the first of ties, int64.

    >>> import gradkit
    >>> gradkit.argmin(gradkit.tensor([1.0, 0.0]))
    tensor(1)
    """
    return _place("argmin", rows.argmin, input, dim if axis is None else axis, keepdim or keepdims)


def _place(name: str, at: Any, x: Tensor, dim: Any, keepdim: bool) -> Tensor:
    refuse_nothing(name, x, dim)
    if dim is None or not x.ndim:
        found = at(reshape(x, (-1,)), -1)
        return reshape(found, (1,) * x.ndim) if keepdim else found
    return at(x, dim, keepdim)


# -- whether, how many -----------------------------------------------------------------------------------------------
def all(input: Tensor, dim: Any = None, keepdim: bool = False, *, axis: Any = None, keepdims: bool = False) -> Tensor:
    """Whether every element along `dim` is true (not 0); uint8 stays uint8.

    >>> import gradkit
    >>> gradkit.all(gradkit.tensor([True, False]))
    tensor(False)
    """
    found = rows.all(input, dim, keepdim, axis=axis, keepdims=keepdims)
    return astype(found, dtype=input.dtype) if input.dtype == dtypes.uint8 else found


def any(input: Tensor, dim: Any = None, keepdim: bool = False, *, axis: Any = None, keepdims: bool = False) -> Tensor:
    """Whether any element along `dim` is true (not 0); uint8 stays uint8.

    >>> import gradkit
    >>> gradkit.any(gradkit.tensor([True, False]))
    tensor(True)
    """
    found = rows.any(input, dim, keepdim, axis=axis, keepdims=keepdims)
    return astype(found, dtype=input.dtype) if input.dtype == dtypes.uint8 else found


def count_nonzero(input: Tensor, dim: Any = None) -> Tensor:
    """How many elements along `dim` are not 0, int64.

    >>> import gradkit
    >>> gradkit.count_nonzero(gradkit.tensor([1.0, 0.0, 2.0]))
    tensor(2)
    """
    return rows.count_nonzero(input, dim)


# -- spread ----------------------------------------------------------------------------------------------------------
def _spread(row: Any, x: Tensor, dim: Any, unbiased: Any, correction: Any, keepdim: bool) -> Tensor:
    if isinstance(dim, bool):  # var(x, unbiased)
        dim, unbiased = None, dim
    if unbiased is not None:
        correction = int(unbiased)
    name = row.primitive.name
    if not dtypes.differentiable(x.dtype):
        raise RuntimeError(f"{name} only support floating point and complex dtypes, got {x.dtype.name}; write x.float().{name}()")
    return row(x, axis=axes_from_end(x, dim), correction=1 if correction is None else correction, keepdims=keepdim)


def var(
    input: Tensor, dim: Any = None, unbiased: Any = None, keepdim: bool = False, *, correction: Any = None, axis: Any = None,
    keepdims: bool = False,
) -> Tensor:  # fmt: skip
    """The variance over `dim`: squared distances from the mean over n - `correction` (1 unless given).

    RuntimeError for integers.

    >>> import gradkit
    >>> gradkit.var(gradkit.tensor([1.0, 2.0, 3.0]))
    tensor(1.)
    """
    return _spread(rows.var, input, dim if axis is None else axis, unbiased, correction, keepdim or keepdims)


def std(
    input: Tensor, dim: Any = None, unbiased: Any = None, keepdim: bool = False, *, correction: Any = None, axis: Any = None,
    keepdims: bool = False,
) -> Tensor:  # fmt: skip
    """The standard deviation over `dim`: the root of `var`. Where it is 0 its gradient is 0.

    >>> import gradkit
    >>> gradkit.std(gradkit.tensor([1.0, 2.0, 3.0]))
    tensor(1.)
    """
    return _spread(rows.std, input, dim if axis is None else axis, unbiased, correction, keepdim or keepdims)


def var_mean(input: Tensor, dim: Any = None, unbiased: Any = None, keepdim: bool = False, *, correction: Any = None) -> Any:
    """`var` and `mean` over `dim`.

    >>> import gradkit
    >>> gradkit.var_mean(gradkit.tensor([1.0, 2.0, 3.0]))
    (tensor(1.), tensor(2.))
    """
    return var(input, dim, unbiased, keepdim, correction=correction), mean(input, _axes(dim), keepdim)


def std_mean(input: Tensor, dim: Any = None, unbiased: Any = None, keepdim: bool = False, *, correction: Any = None) -> Any:
    """`std` and `mean` over `dim`.

    >>> import gradkit
    >>> gradkit.std_mean(gradkit.tensor([1.0, 2.0, 3.0]))
    (tensor(1.), tensor(2.))
    """
    return std(input, dim, unbiased, keepdim, correction=correction), mean(input, _axes(dim), keepdim)


def _axes(dim: Any) -> Any:
    return None if isinstance(dim, bool) else dim


# -- logarithms and norms ----------------------------------------------------------------------------------------------
def logsumexp(input: Tensor, dim: Any = None, keepdim: bool = False, *, axis: Any = None, keepdims: bool = False) -> Tensor:
    """The logarithm of the sum of the exponentials over `dim`, without overflow.

    >>> import gradkit
    >>> gradkit.logsumexp(gradkit.tensor([1000.0, 1000.0]), dim=0)
    tensor(1000.6931)
    """
    return rows.logsumexp(input, dim, keepdim, axis=axis, keepdims=keepdims)


def norm(input: Tensor, p: Any = "fro", dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Tensor:
    """The p-norm of vectors: of all elements, or along `dim`; "fro" is 2, "nuc" the sum of the singular values.

    Where it is 0 its gradient is 0. RuntimeError for integers.

    >>> import gradkit
    >>> gradkit.norm(gradkit.tensor([3.0, 4.0]))
    tensor(5.)
    """
    input = into(input, dtype)
    if not dtypes.differentiable(input.dtype):
        raise RuntimeError(f"norm(): the input tensor must be floating point or complex, got {input.dtype.name}")
    if p == "nuc":
        from gradkit.primitives.decomposition import linalg_svdvals

        return sum(linalg_svdvals(input), -1)
    order = 2 if p is None or p == "fro" else p
    return vector_norm(input, ord=order, axis=axes_from_end(input, dim), keepdims=keepdim)
