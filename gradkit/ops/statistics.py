"""Variance, covariance and what is made of them."""

from typing import Any

from gradkit.engine.tensor import Tensor
from gradkit.primitives import reduction as rows
from gradkit.primitives.complex import complex, conj
from gradkit.primitives.linalg import matmul
from gradkit.primitives.piecewise import clamp, maximum
from gradkit.primitives.shape import permute, reshape

Dims = int | tuple[int, ...] | list[int] | None


def spread_over(name: str, input: Tensor, dim: Any, unbiased: Any, keepdim: bool, correction: Any, axis: Any) -> dict[str, Any]:
    """The parameters of var and std out of all that PyTorch and NumPy call them."""
    if input.dtype.kind not in "fcV":
        raise RuntimeError(f"{name}: std and var only support floating point and complex dtypes, not {input.dtype.name}")
    if isinstance(dim, bool):  # var(input, unbiased)
        dim, unbiased = None, dim
    if correction is None:
        correction = 1 if unbiased is None else int(unbiased)
    elif unbiased is not None:
        raise TypeError(f"{name}(): pass correction or unbiased, not both")
    return {"correction": correction, **rows.reduce_over(input, dim, keepdim, axis=axis)}


def var(
    input: Tensor, dim: Dims | bool = None, unbiased: bool | None = None, keepdim: bool = False, *,
    correction: float | None = None, axis: Dims = None, keepdims: bool = False,
) -> Tensor:
    """The variance over dimensions: the mean squared distance from the mean, over n - `correction` (default 1).

    `unbiased` is PyTorch's older name: True is a correction of 1, False of 0. Without degrees of freedom the result is
    nan. RuntimeError for integers.

    >>> gradkit.var(gradkit.tensor([1.0, 2.0, 3.0]))
    tensor(1.)
    """
    params = spread_over("var", input, dim, unbiased, keepdim or keepdims, correction, axis)
    return rows.var(input, **params)


def std(
    input: Tensor, dim: Dims | bool = None, unbiased: bool | None = None, keepdim: bool = False, *,
    correction: float | None = None, axis: Dims = None, keepdims: bool = False,
) -> Tensor:
    """The standard deviation over dimensions: the square root of `var`, whose arguments it has.

    Where it is 0 the gradient is 0.

    >>> gradkit.std(gradkit.tensor([1.0, 3.0, 5.0]))
    tensor(2.)
    """
    params = spread_over("std", input, dim, unbiased, keepdim or keepdims, correction, axis)
    return rows.std(input, **params)


def var_mean(
    input: Tensor, dim: Dims | bool = None, unbiased: bool | None = None, keepdim: bool = False, *,
    correction: float | None = None, axis: Dims = None, keepdims: bool = False,
) -> tuple[Tensor, Tensor]:
    """`var` and the mean over the same dimensions.

    >>> gradkit.var_mean(gradkit.tensor([1.0, 2.0, 3.0]))
    (tensor(1.), tensor(2.))
    """
    params = spread_over("var_mean", input, dim, unbiased, keepdim or keepdims, correction, axis)
    return rows.var(input, **params), rows.mean(input, axis=params["axis"], keepdims=params["keepdims"])


def std_mean(
    input: Tensor, dim: Dims | bool = None, unbiased: bool | None = None, keepdim: bool = False, *,
    correction: float | None = None, axis: Dims = None, keepdims: bool = False,
) -> tuple[Tensor, Tensor]:
    """`std` and the mean over the same dimensions.

    >>> gradkit.std_mean(gradkit.tensor([1.0, 3.0, 5.0]))
    (tensor(2.), tensor(3.))
    """
    params = spread_over("std_mean", input, dim, unbiased, keepdim or keepdims, correction, axis)
    return rows.std(input, **params), rows.mean(input, axis=params["axis"], keepdims=params["keepdims"])


def cov(input: Tensor, *, correction: int = 1, fweights: Tensor | None = None, aweights: Tensor | None = None) -> Tensor:
    """The covariances of the variables that are the rows of a matrix (m, n), as (m, m); a vector is one variable,
    and the covariance of one variable is 0-d.

    `fweights` says how often each of the n observations counts, `aweights` how much. RuntimeError for more than two
    dimensions or weights of another length.

    >>> gradkit.cov(gradkit.tensor([[0.0, 1.0, 2.0], [2.0, 1.0, 0.0]]))
    tensor([[ 1., -1.],
            [-1.,  1.]])
    """
    if input.ndim > 2:
        raise RuntimeError(f"cov(): expected input to have two or fewer dimensions but got an input with {input.ndim} dimensions")
    x = input if input.ndim == 2 else reshape(input, (1, -1))
    weights = [w for w in (fweights, aweights) if w is not None]
    for w in weights:
        if tuple(w.shape) != (x.shape[1],):
            raise RuntimeError(f"cov(): expected weights of shape ({x.shape[1]},), one for each observation, not {tuple(w.shape)}")
    if not weights:
        x = x - rows.mean(x, -1, True)
        y = matmul(x, conj(permute(x, (1, 0)))) / max(x.shape[1] - correction, 0)
    else:
        w = weights[0] if len(weights) == 1 else weights[0] * weights[1]
        whole = rows.sum(w)
        x = x - rows.sum(x * w, -1, True) / whole
        lost = correction if aweights is None else correction * rows.sum(w * aweights) / whole
        y = matmul(x * w, conj(permute(x, (1, 0)))) / maximum(whole - lost, 0)
    return reshape(y, ()) if x.shape[0] == 1 else y


def corrcoef(input: Tensor) -> Tensor:
    """The correlation coefficients of the variables that are the rows of a matrix (m, n), as (m, m): see `cov`.

    >>> gradkit.corrcoef(gradkit.tensor([[0.0, 1.0, 2.0], [2.0, 1.0, 0.0]]))
    tensor([[ 1., -1.],
            [-1.,  1.]])
    """
    c = cov(input)
    if not c.ndim:
        return c / c
    deviations = c.diagonal().real ** 0.5
    return within_one(c / deviations / reshape(deviations, (-1, 1)))


def within_one(r: Tensor) -> Tensor:
    """Coefficients without what rounding adds."""
    if r.dtype.kind == "c":
        return complex(within_one(r.real), within_one(r.imag))
    return clamp(r, min=-1.0, max=1.0)
