"""Reductions and running totals by NumPy's signatures, in the dtypes in which NumPy answers."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from gradkit.engine.dtypes import differentiable
from gradkit.engine.naming import named
from gradkit.engine.operands import tensor_xp as xp
from gradkit.engine.tensor import Tensor
from gradkit.numpy import elementwise
from gradkit.numpy.calling import answer, asarray, axes_in, axis_in, beside, converted, in_line, plain, refuse, refuse_out
from gradkit.numpy.joining import concatenate


def entering(function: Callable[..., Any], a: Any, dtype: Any = None, where: Any = True, identity: Any = None) -> Tensor:
    """The operand in the dtype in which `function` answers; the `identity` where the mask does not hold."""
    x = asarray(a)
    if dtype is not None or not differentiable(x.dtype):
        x = converted(x, answer(function, x.dtype) if dtype is None else dtype)
    if where is True:
        return x
    if identity is None:
        raise TypeError(f"{function.__name__}: where= is not supported on tensors without initial=")
    return xp.where(asarray(where), x, xp.astype(asarray(identity), dtype=x.dtype))


def reduced(function: Callable[..., Any], row: str, x: Tensor, axis: Any, keepdims: Any, **params: Any) -> Tensor:
    """The row along the axes, or NumPy's own function on integers and bools."""
    axes = axes_in(axis, x.ndim)
    if not differentiable(x.dtype):
        return converted(plain(function, x, axis=axes, keepdims=bool(keepdims), broadcasts=False), x.dtype)
    if not axes:
        return xp.clone(x)
    return getattr(xp, row)(x, axis=axes, keepdims=bool(keepdims), **params)


def flattened(x: Tensor, axes: tuple[int, ...]) -> Tensor:
    others = tuple([i for i in range(-x.ndim, 0) if i not in axes])
    shape = x.shape
    y = xp.permute(x, (*others, *axes))
    return xp.reshape(y, (*[shape[i] for i in others], math.prod([shape[i] for i in axes])))


def with_axes(y: Tensor, shape: Any, axes: tuple[int, ...], keepdims: Any) -> Tensor:
    return xp.reshape(y, tuple([1 if i in axes else n for i, n in enumerate(shape, -len(shape))])) if keepdims else y


# -- sums and products
def sum(
    a: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: Any = False, initial: Any = 0, where: Any = True
) -> Tensor:
    """The sum along `axis`, of those elements for which `where` holds, plus `initial`.

    Small integers are summed as int64 or uint64. AxisError if there is no such axis.

    >>> gnp.sum(gradkit.tensor([[1, 2], [3, 4]], dtype=gradkit.int8), axis=0)
    tensor([4, 6])
    """
    refuse_out("sum", out)
    y = reduced(np.sum, "sum", entering(np.sum, a, dtype, where, 0), axis, keepdims)
    return y if isinstance(initial, int) and initial == 0 else converted(elementwise.add(y, initial), y.dtype)


def prod(
    a: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: Any = False, initial: Any = 1, where: Any = True
) -> Tensor:
    """The product along `axis`, of those elements for which `where` holds, times `initial`.

    Differentiable at zeros too. Small integers are multiplied as int64 or uint64.

    >>> gnp.prod(gradkit.tensor([2.0, 3.0]))
    tensor(6.)
    """
    refuse_out("prod", out)
    x = entering(np.prod, a, dtype, where, 1)
    axes = axes_in(axis, x.ndim)
    if not differentiable(x.dtype):
        y = converted(plain(np.prod, x, axis=axes, keepdims=bool(keepdims), broadcasts=False), x.dtype)
    elif not axes:
        y = xp.clone(x)
    else:
        y = with_axes(xp.prod(flattened(x, axes), axis=-1, keepdims=False), tuple(x.shape), axes, keepdims)
    return y if isinstance(initial, int) and initial == 1 else converted(elementwise.multiply(y, initial), y.dtype)


# -- extremes
def _extreme(name: str, word: str, row: str) -> Callable[..., Any]:
    function, pairwise = getattr(np, name), getattr(elementwise, f"{name}imum")

    def reduce(
        a: Any, axis: Any = None, out: Any = None, keepdims: Any = False, initial: Any = None, where: Any = True
    ) -> Tensor:
        refuse_out(name, out)
        x = entering(function, a, None, where, initial)
        y = reduced(function, row, x, axis, keepdims)
        return y if initial is None else converted(pairwise(y, initial), y.dtype)

    return named(reduce, name, f"""The {word} of the elements along `axis`, and of `initial` if given.

    Elements that tie share the derivative evenly. ValueError for no elements and no `initial`, which `where` needs too.

    >>> gnp.{name}(gradkit.tensor([[1, 2], [3, 4]]), axis=0)
    tensor([{"3, 4" if name == "max" else "1, 2"}])
    """)


max = amax = _extreme("max", "greatest", "amax")
min = amin = _extreme("min", "least", "amin")


def ptp(a: Any, axis: Any = None, out: Any = None, keepdims: Any = False) -> Tensor:
    """The distance from the least to the greatest element along `axis`.

    >>> gnp.ptp(gradkit.tensor([1.0, 4.0]))
    tensor(3.)
    """
    refuse_out("ptp", out)
    return elementwise.subtract(max(a, axis, keepdims=keepdims), min(a, axis, keepdims=keepdims))


def _place(name: str) -> Callable[..., Any]:
    function = getattr(np, name)

    def find(a: Any, axis: int | None = None, out: Any = None, *, keepdims: Any = False) -> Tensor:
        refuse_out(name, out)
        x = asarray(a)
        if axis is not None:
            return plain(function, x, axis=axis_in(axis, x.ndim) - x.ndim, keepdims=bool(keepdims), broadcasts=False)
        y = plain(function, xp.reshape(x, (-1,)), axis=-1, broadcasts=False)
        return xp.reshape(y, (1,) * x.ndim) if keepdims else y

    word = "greatest" if name == "argmax" else "least"
    return named(find, name, f"""The place of the {word} element along `axis`, or among all; the first of those that tie.

    >>> gnp.{name}(gradkit.tensor([1.0, 3.0, 2.0]))
    tensor({1 if name == "argmax" else 0})
    """)


argmax, argmin = _place("argmax"), _place("argmin")


# -- whether, how many
def _truth(name: str) -> Callable[..., Any]:
    function = getattr(np, name)

    def reduce(a: Any, axis: Any = None, out: Any = None, keepdims: Any = False, *, where: Any = True) -> Tensor:
        refuse_out(name, out)
        x = xp.astype(asarray(a), dtype=np.dtype(bool))
        x = x if where is True else xp.where(asarray(where), x, asarray(name == "all"))
        return plain(function, x, axis=axes_in(axis, x.ndim), keepdims=bool(keepdims), broadcasts=False)

    return named(reduce, name, f"""Whether {name} element{"s" * (name == "all")} along `axis` hold true.

    >>> gnp.{name}(gradkit.tensor([[True, False], [True, True]]), axis=0)
    tensor([{"True, True" if name == "any" else " True, False"}])
    """)


all, any = _truth("all"), _truth("any")


def count_nonzero(a: Any, axis: Any = None, *, keepdims: bool = False) -> Tensor:
    """How many elements along `axis` are not 0.

    >>> gnp.count_nonzero(gradkit.tensor([0.0, 2.0]))
    tensor(1)
    """
    x = elementwise.not_equal(asarray(a), 0)
    return plain(np.sum, x, axis=axes_in(axis, x.ndim), keepdims=keepdims, broadcasts=False)


# -- means
def mean(a: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: Any = False, *, where: Any = True) -> Tensor:
    """The mean along `axis`, of those elements for which `where` holds.

    Integers are averaged as float64.

    >>> gnp.mean(gradkit.tensor([1, 2]))
    tensor(1.5000, dtype=gradkit.float64)
    """
    refuse_out("mean", out)
    x = entering(np.mean, a, dtype)
    if where is True:
        return reduced(np.mean, "mean", x, axis, keepdims)
    count = sum(xp.broadcast_to(asarray(where), tuple(x.shape)), axis, x.dtype, keepdims=keepdims)
    return sum(x, axis, keepdims=keepdims, where=where) / count


def _spread(name: str) -> Callable[..., Any]:
    function = getattr(np, name)

    def reduce(
        a: Any, axis: Any = None, dtype: Any = None, out: Any = None, ddof: float = 0, keepdims: Any = False, *,
        correction: float | None = None, **more: Any,
    ) -> Tensor:
        refuse(name, {"out": out, **more})
        x = asarray(a)
        x = converted(x, (x.dtype if differentiable(x.dtype) else np.float64) if dtype is None else dtype)
        return reduced(function, name, x, axis, keepdims, correction=ddof if correction is None else correction)

    word = "standard deviation" if name == "std" else "variance"
    return named(reduce, name, f"""The {word} along `axis`.

    The sum of squares is divided by the number of elements less `ddof`, which the standard calls `correction`: 0, where
    PyTorch's methods take 1. Integers are taken as float64.

    >>> gnp.{name}(gradkit.tensor([1.0, 5.0]))
    tensor({2 if name == "std" else 4}.)
    """)


std, var = _spread("std"), _spread("var")


def average(a: Any, axis: Any = None, weights: Any = None, returned: bool = False, *, keepdims: Any = False) -> Any:
    """The mean along `axis` with `weights`, of the shape of `a` or of that axis; the sum of the weights too if
    `returned`.

    ZeroDivisionError if the weights add up to 0.

    >>> gnp.average(gradkit.tensor([1.0, 4.0]), weights=[2, 1])
    tensor(2., dtype=gradkit.float64)
    """
    x = asarray(a)
    if weights is None:
        y = mean(x, axis, keepdims=keepdims)
        return (y, beside(y, np.full(y.shape, x.numel() // y.numel(), y.dtype))) if returned else y
    w = asarray(weights)
    if w.shape != x.shape:
        w = xp.reshape(w, tuple([n if i in axes_in(axis, x.ndim) else 1 for i, n in enumerate(x.shape, -x.ndim)]))
    dtype = np.result_type(x.dtype, w.dtype, *([] if differentiable(x.dtype) else [np.float64]))
    x, w = converted(x, dtype), xp.broadcast_to(converted(w, dtype), tuple(x.shape))
    scale = sum(w, axis, keepdims=keepdims)
    if not scale.batch and (scale.array == 0).any():
        raise ZeroDivisionError("Weights sum to zero, can't be normalized")
    y = sum(x * w, axis, keepdims=keepdims) / scale
    return (y, scale) if returned else y


# -- running totals
def _running(function: Callable[..., Any], row: str, a: Any, axis: int | None, dtype: Any) -> Tensor:
    x, axis = in_line(entering(function, a, dtype), axis)
    at = axis - x.ndim
    if not differentiable(x.dtype):
        return converted(plain(function, x, axis=at, broadcasts=False), x.dtype)
    return getattr(xp, row)(x, axis=at, reverse=False)


def cumsum(a: Any, axis: int | None = None, dtype: Any = None, out: Any = None) -> Tensor:
    """Running sums along `axis`, or over all elements in line.

    >>> gnp.cumsum(gradkit.tensor([[1, 2], [3, 4]]))
    tensor([ 1,  3,  6, 10])
    """
    refuse_out("cumsum", out)
    return _running(np.cumsum, "running_sum", a, axis, dtype)


def cumprod(a: Any, axis: int | None = None, dtype: Any = None, out: Any = None) -> Tensor:
    """Running products along `axis`, or over all elements in line; differentiable at zeros too.

    >>> gnp.cumprod(gradkit.tensor([1.0, 2.0, 3.0]))
    tensor([1., 2., 6.])
    """
    refuse_out("cumprod", out)
    return _running(np.cumprod, "running_prod", a, axis, dtype)


def _cumulative(name: str, running: Callable[..., Any], first: int) -> Callable[..., Any]:
    def function(
        x: Any, /, *, axis: int | None = None, dtype: Any = None, out: Any = None, include_initial: bool = False
    ) -> Tensor:
        refuse_out(name, out)
        x = asarray(x)
        if axis is None and x.ndim != 1:
            raise ValueError(f"{name}: axis must be given for arrays that do not have just one")
        at = axis_in(-1 if axis is None else axis, x.ndim)
        y = running(x, at, dtype)
        if not include_initial:
            return y
        return concatenate([beside(y, np.full((*x.shape[:at], 1, *x.shape[at + 1 :]), first, y.dtype)), y], at)

    word = "sums" if first == 0 else "products"
    return named(function, name, f"""Running {word} along `axis`, with a leading {first} if `include_initial`.

    ValueError without `axis` unless there is just one.

    >>> gnp.{name}(gradkit.tensor([1, 2]), include_initial=True)
    tensor([{"0, 1, 3" if first == 0 else "1, 1, 2"}])
    """)


cumulative_sum = _cumulative("cumulative_sum", cumsum, 0)
cumulative_prod = _cumulative("cumulative_prod", cumprod, 1)

__all__ = [
    "all", "amax", "amin", "any", "argmax", "argmin", "average", "count_nonzero", "cumprod", "cumsum",
    "cumulative_prod", "cumulative_sum", "max", "mean", "min", "prod", "ptp", "std", "sum", "var",
]
