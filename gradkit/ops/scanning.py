"""Running sums, products and extremes with PyTorch's signatures."""

from typing import Any

import numpy as np

from gradkit.engine import dtypes
from gradkit.engine.tensor import Tensor
from gradkit.ops import return_types
from gradkit.ops.arranging import narrow
from gradkit.ops.joining import cat
from gradkit.primitives import scan as rows
from gradkit.primitives.selection import gather
from gradkit.primitives.shape import astype, axis_from_end

__all__ = ["cummax", "cummin", "cumprod", "cumsum", "diff", "logcumsumexp", "trapezoid", "trapz"]
METHODS = ("cummax", "cummin", "cumprod", "cumsum", "diff", "logcumsumexp")
INPLACE = ("cumprod", "cumsum")


def _ready(x: Tensor, dtype: Any) -> Tensor:
    wanted = dtype if dtype is not None or dtypes.differentiable(x.dtype) else dtypes.int64
    return x if wanted is None or x.dtype == wanted else astype(x, dtype=np.dtype(wanted))


def cumsum(input: Tensor, dim: Any = None, *, dtype: Any = None, axis: Any = None) -> Tensor:
    """Sums of the elements up to and with each place along `dim`; integers add up to int64.

    >>> import gradkit
    >>> gradkit.cumsum(gradkit.tensor([1.0, 2.0, 3.0]), dim=0)
    tensor([1., 3., 6.])
    """
    x = _ready(input, dtype)
    at = axis_from_end(x, dim if axis is None else axis)
    return rows.running_sum(x, axis=at, reverse=False) if x.ndim else x


def cumprod(input: Tensor, dim: Any = None, *, dtype: Any = None, axis: Any = None) -> Tensor:
    """Products of the elements up to and with each place along `dim`; the gradient is right at zeros too.

    >>> import gradkit
    >>> gradkit.cumprod(gradkit.tensor([1.0, 2.0, 3.0]), dim=0)
    tensor([1., 2., 6.])
    """
    x = _ready(input, dtype)
    at = axis_from_end(x, dim if axis is None else axis)
    return rows.running_prod(x, axis=at, reverse=False) if x.ndim else x


def logcumsumexp(input: Tensor, dim: int) -> Tensor:
    """The logarithm of the running sum of exponentials along `dim`, without overflow.

    >>> import gradkit
    >>> gradkit.logcumsumexp(gradkit.tensor([0.0, 0.0]), dim=0)
    tensor([0.0000, 0.6931])
    """
    at = axis_from_end(input, dim)
    return rows.logcumsumexp(input, axis=at) if input.ndim else input


def cummax(input: Tensor, dim: int) -> Any:
    """The greatest element up to each place along `dim`, and its index (the last of ties), as (values, indices).

    >>> import gradkit
    >>> gradkit.cummax(gradkit.tensor([1.0, 3.0, 2.0]), dim=0).values
    tensor([1., 3., 3.])
    """
    return _running(return_types.cummax, rows.cummax_at, input, dim)


def cummin(input: Tensor, dim: int) -> Any:
    """The least element up to each place along `dim`, and its index (the last of ties), as (values, indices).

    >>> import gradkit
    >>> gradkit.cummin(gradkit.tensor([1.0, 3.0, 0.0]), dim=0).indices
    tensor([0, 0, 2])
    """
    return _running(return_types.cummin, rows.cummin_at, input, dim)


def _running(answer: Any, places: Any, x: Tensor, dim: int) -> Any:
    at = axis_from_end(x, dim)
    if not x.ndim:
        return answer(x, astype(x * 0, dtype=dtypes.int64))
    index = places(x, axis=at)
    return answer(gather(x, index, axis=at), index)


def diff(input: Tensor, n: int = 1, dim: int = -1, prepend: Tensor | None = None, append: Tensor | None = None) -> Tensor:
    """Differences of neighbours along `dim`, taken `n` times, with `prepend` and `append` put at the ends before.

    >>> import gradkit
    >>> gradkit.diff(gradkit.tensor([1.0, 4.0, 9.0]))
    tensor([3., 5.])
    """
    if n < 0:
        raise RuntimeError(f"order must be non-negative but got {n}")
    parts = [part for part in (prepend, input, append) if part is not None]
    x = cat(parts, dim) if len(parts) > 1 else input
    for _ in range(n):
        length = x.shape[dim]
        x = narrow(x, dim, min(1, length), max(length - 1, 0)) - narrow(x, dim, 0, max(length - 1, 0))
    return x


def trapezoid(y: Tensor, x: Tensor | None = None, *, dx: float = 1.0, dim: int = -1) -> Tensor:
    """The integral of `y` along `dim` by the trapezoidal rule, at the places `x` or at steps of `dx`.

    >>> import gradkit
    >>> gradkit.trapezoid(gradkit.tensor([0.0, 1.0, 2.0]))
    tensor(2.)
    """
    n = y.shape[dim]
    means = (narrow(y, dim, 1, n - 1) + narrow(y, dim, 0, n - 1)) / 2
    if x is None:
        return (means * dx).sum(dim)  # type: ignore[attr-defined, no-any-return]
    steps = diff(x)
    if x.ndim == 1 and y.ndim > 1:
        steps = steps.reshape([-1 if a == axis_from_end(y, dim) else 1 for a in range(-y.ndim, 0)])  # type: ignore[attr-defined]
    return (means * steps).sum(dim)  # type: ignore[attr-defined, no-any-return]


trapz = trapezoid
