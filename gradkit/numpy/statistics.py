"""Order statistics, covariances, and reductions that pass over nan."""

from collections.abc import Callable
from typing import Any

import numpy as np

from gradkit.engine.batching import by_sample
from gradkit.engine.device import CPU, moved
from gradkit.engine.dtypes import differentiable
from gradkit.engine.naming import named
from gradkit.engine.operands import tensor_xp as xp
from gradkit.engine.tensor import Tensor
from gradkit.numpy import elementwise, products, reduction
from gradkit.numpy.calling import answer, asarray, axes_in, beside, converted, refuse, refuse_out
from gradkit.numpy.joining import concatenate
from gradkit.numpy.manipulation import squeeze, transpose
from gradkit.numpy.numeric import real
from gradkit.numpy.reduction import flattened
from gradkit.numpy.searching import sort, take, where
from gradkit.ops.statistics import within_one

# -- order statistics
#: How a quantile between two places is made of the elements there (Hyndman & Fan 1996, type 7): by rounding ...
CHOOSING: dict[str, Callable[[Any], Any]] = {"lower": np.floor, "higher": np.ceil, "nearest": np.rint}
#: ... or by going from the one below a share of the way to the next.
BETWEEN: dict[str, Callable[[Any], Any]] = {
    "linear": lambda place: place - np.floor(place), "midpoint": lambda place: 0.5 * (place != np.floor(place)),
}


@by_sample("q")
def quantile(
    a: Any, q: Any, axis: Any = None, out: Any = None, overwrite_input: bool = False, method: str = "linear",
    keepdims: bool = False, *, weights: Any = None,
) -> Tensor:
    """The quantiles `q` (numbers from 0 to 1, constants) along `axis`; axes of `q` come first.

    `method` is "linear", "lower", "higher", "midpoint" or "nearest"; TypeError for NumPy's others and for weights. A
    run that has a nan has no other quantile. ValueError for a `q` outside.

    >>> gnp.quantile(gradkit.tensor([1.0, 2.0, 4.0]), 0.75)
    tensor(3.)
    """
    refuse("quantile", {"out": out, "overwrite_input": overwrite_input})
    if method not in {*CHOOSING, *BETWEEN} or weights is not None:
        given = " and weights" if weights is not None else ""
        raise TypeError(f"not differentiable yet: np.quantile with method {method!r}{given}")
    x = asarray(a)
    if x.dtype.kind == "c" or (x.dtype.kind == "b" and method in BETWEEN):
        raise TypeError(f"np.quantile with method {method!r} takes real numbers, not {x.dtype}")
    places = np.asarray(moved(asarray(q).array, CPU))
    if not ((places >= 0) & (places <= 1)).all():
        raise ValueError("Quantiles must be in the range [0, 1]")
    dtype = x.dtype if differentiable(x.dtype) or method in CHOOSING else np.dtype(np.float64)
    if not isinstance(q, int | float) and method not in CHOOSING:
        dtype = np.result_type(dtype, places.dtype)
    return _quantiles(converted(x, dtype), places, axis, method, keepdims)


def _quantiles(x: Tensor, q: Any, axis: Any, method: str, keepdims: bool) -> Tensor:
    axes = axes_in(axis, x.ndim)
    y = _at_quantiles(sort(flattened(x, axes), -1), q, method)
    y = xp.moveaxis(y, tuple(range(-q.ndim, 0)), tuple(range(q.ndim))) if q.ndim else y
    kept = tuple([1 if i in axes else n for i, n in enumerate(x.shape, -x.ndim)])
    return xp.reshape(y, (*q.shape, *kept)) if keepdims else y


def _at_quantiles(runs: Tensor, q: Any, method: str) -> Tensor:
    """What lies at the places `q` of sorted runs: their axes come last."""
    n = runs.shape[-1]
    virtual = (n - 1) * q
    low = CHOOSING.get(method, np.floor)(virtual).astype(np.intp)
    y = take(runs, low, -1)
    if method in BETWEEN:
        share = converted(beside(runs, np.asarray(BETWEEN[method](virtual))), runs.dtype)
        y = y + (take(runs, np.minimum(low + 1, n - 1), -1) - y) * share
    if not differentiable(runs.dtype):
        return y
    last = xp.reshape(take(runs, n - 1, -1), (*runs.shape[:-1], *[1] * q.ndim))
    return where(elementwise.isnan(last), last, y)


@by_sample("q")
def percentile(
    a: Any, q: Any, axis: Any = None, out: Any = None, overwrite_input: bool = False, method: str = "linear",
    keepdims: bool = False, *, weights: Any = None,
) -> Tensor:
    """`quantile` with `q` from 0 to 100.

    >>> gnp.percentile(gradkit.tensor([1.0, 2.0, 4.0]), 75)
    tensor(3.)
    """
    q = q / 100 if isinstance(q, int | float) else np.true_divide(moved(asarray(q).array, CPU), 100)
    return quantile(a, q, axis, out, overwrite_input, method, keepdims, weights=weights)


def median(a: Any, axis: Any = None, out: Any = None, overwrite_input: bool = False, keepdims: bool = False) -> Tensor:
    """The element in the middle along `axis`, or the mean of the two there.

    >>> gnp.median(gradkit.tensor([4.0, 1.0, 2.0, 3.0]))
    tensor(2.5000)
    """
    refuse("median", {"out": out, "overwrite_input": overwrite_input})
    x = asarray(a)
    return _quantiles(converted(x, answer(np.mean, x.dtype)), np.asarray(0.5), axis, "midpoint", keepdims)


# -- how samples vary together
def cov(
    m: Any, y: Any = None, rowvar: bool = True, bias: bool = False, ddof: float | None = None, *, dtype: Any = None
) -> Tensor:
    """The covariances of variables, the rows of `m` (and of `y`), or its columns unless `rowvar`.

    Sums of products are divided by the number of samples less `ddof`: 1, or 0 if `bias`.

    >>> gnp.cov(gradkit.tensor([[1.0, 3.0], [2.0, 6.0]]), dtype=gnp.float32)
    tensor([[2., 4.],
            [4., 8.]])
    """
    variables = [_variables(x, rowvar) for x in (m, y) if x is not None]
    dtype = np.result_type(np.float64, *[x.dtype for x in variables]) if dtype is None else dtype
    x = concatenate(variables, dtype=dtype, casting="unsafe")
    left = x.shape[1] - ((0 if bias else 1) if ddof is None else ddof)
    off = x - reduction.mean(x, 1, keepdims=True)
    product = products.times(off, transpose(elementwise.conj(off)))
    return squeeze(product / max(left, 0))


def _variables(m: Any, rowvar: bool) -> Tensor:
    x = asarray(m)
    if x.ndim > 2:
        raise ValueError("m has more than 2 dimensions")
    rows = xp.reshape(x, (1, -1)) if x.ndim < 2 else x
    return rows if rowvar or rows.shape[0] == 1 else transpose(rows)


def corrcoef(x: Any, y: Any = None, rowvar: bool = True, *, dtype: Any = None) -> Tensor:
    """The correlation coefficients of variables: `cov` divided by the standard deviations.

    >>> gnp.corrcoef(gradkit.tensor([[1.0, 3.0], [2.0, 6.0]]), dtype=gnp.float32)
    tensor([[1., 1.],
            [1., 1.]])
    """
    c = cov(x, y, rowvar, dtype=dtype)
    if not c.ndim:
        return c / c
    spread = elementwise.sqrt(real(xp.diagonal(c, offset=0, axis1=-2, axis2=-1)))
    return within_one(c / xp.reshape(spread, (-1, 1)) / xp.reshape(spread, (1, -1)))


# -- passing over nan
def _without_nan(x: Any, instead: float) -> tuple[Tensor, Tensor]:
    """The operand with a number for nan, and where it had none; both as they are for integers."""
    x = asarray(x)
    there = elementwise.logical_not(elementwise.isnan(x))
    return (where(there, x, instead) if differentiable(x.dtype) else x), there


def _passing_over(name: str, reduce: Callable[..., Any], instead: float) -> Callable[..., Any]:
    def function(a: Any, axis: Any = None, *args: Any, **keywords: Any) -> Tensor:
        return reduce(_without_nan(a, instead)[0], axis, *args, **keywords)

    return named(function, name, f"""`{name[3:]}` that takes nan for {instead}.

    >>> float(gnp.{name}(gradkit.tensor([2.0, float("nan")])){"[0]" if "cum" in name else ""})
    2.0
    """)


nansum = _passing_over("nansum", reduction.sum, 0)
nanprod = _passing_over("nanprod", reduction.prod, 1)
nancumsum = _passing_over("nancumsum", reduction.cumsum, 0)
nancumprod = _passing_over("nancumprod", reduction.cumprod, 1)


def _nan_extreme(name: str, reduce: Callable[..., Any], instead: float) -> Callable[..., Any]:
    def function(a: Any, axis: Any = None, out: Any = None, keepdims: Any = False) -> Tensor:
        refuse_out(name, out)
        x, there = _without_nan(a, instead)
        y = reduce(x, axis, keepdims=keepdims)
        return where(reduction.any(there, axis, keepdims=keepdims), y, np.nan) if differentiable(x.dtype) else y

    return named(function, name, f"""`{name[3:]}` that passes over nan; where there is nothing else, nan.

    >>> gnp.{name}(gradkit.tensor([2.0, float("nan")]))
    tensor(2.)
    """)


nanmax = _nan_extreme("nanmax", reduction.max, -np.inf)
nanmin = _nan_extreme("nanmin", reduction.min, np.inf)


def nanmean(a: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: Any = False) -> Tensor:
    """`mean` of what is not nan; where there is nothing else, nan.

    >>> gnp.nanmean(gradkit.tensor([1.0, 3.0, float("nan")]))
    tensor(2.)
    """
    refuse_out("nanmean", out)
    x, there = _without_nan(a, 0)
    x = reduction.entering(np.mean, x, dtype)
    return reduction.sum(x, axis, keepdims=keepdims) / reduction.sum(there, axis, x.dtype, keepdims=keepdims)


def _nan_spread(name: str, finish: Callable[..., Any]) -> Callable[..., Any]:
    def function(
        a: Any, axis: Any = None, dtype: Any = None, out: Any = None, ddof: float = 0, keepdims: Any = False, *,
        correction: float | None = None,
    ) -> Tensor:
        refuse_out(name, out)
        x, there = _without_nan(a, 0)
        x = reduction.entering(np.mean, x, dtype)
        count = reduction.sum(there, axis, np.int64, keepdims=True)
        off = where(there, x - converted(reduction.sum(x, axis, keepdims=True) / count, x.dtype), 0)
        squares = reduction.sum(elementwise.square(elementwise.abs(off)), axis, keepdims=True)
        left = elementwise.subtract(count, ddof if correction is None else correction)
        y = finish(squares / converted(where(elementwise.greater(left, 0), left, np.nan), squares.dtype))
        axes = axes_in(axis, x.ndim)
        return y if keepdims else xp.reshape(y, tuple([n for i, n in enumerate(x.shape, -x.ndim) if i not in axes]))

    return named(function, name, f"""`{name[3:]}` of what is not nan; where no more is left than `ddof` takes away, nan.

    >>> gnp.{name}(gradkit.tensor([1.0, 5.0, float("nan")]))
    tensor({4 if name == "nanvar" else 2}.)
    """)


nanvar, nanstd = _nan_spread("nanvar", lambda y: y), _nan_spread("nanstd", elementwise.sqrt)

__all__ = [
    "corrcoef", "cov", "median", "nancumprod", "nancumsum", "nanmax", "nanmean", "nanmin", "nanprod", "nanstd",
    "nansum", "nanvar", "percentile", "quantile",
]
