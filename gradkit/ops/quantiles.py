"""Quantiles and histograms. Names and arguments are those of torch."""

import math
from typing import Any

import numpy as np

from gradkit import errors
from gradkit.backend.numpy import on_host
from gradkit.backend.protocol import backend_of
from gradkit.engine.batching import by_sample
from gradkit.engine.device import moved
from gradkit.engine.operands import on_one_device
from gradkit.engine.tensor import Tensor, wrap
from gradkit.ops import return_types
from gradkit.ops.comparison import isnan
from gradkit.ops.gathering import gather
from gradkit.ops.reducing import sum as total
from gradkit.ops.sorting import sort
from gradkit.primitives.piecewise import ceil, floor, where
from gradkit.primitives.shape import astype, axis_from_end, extents, reshape

__all__ = ["histc", "histogram", "nanquantile", "quantile"]
METHODS = tuple(__all__)

_INTERPOLATIONS = ("linear", "lower", "higher", "midpoint", "nearest")


def quantile(input: Tensor, q: Any, dim: int | None = None, keepdim: bool = False, *, interpolation: str = "linear") -> Tensor:
    """The quantiles `q`, a number or a vector of numbers from 0 to 1, along `dim` or of all; the axis of `q` comes first.

    Between two elements `interpolation` goes "linear", or takes the "lower", "higher", "nearest" or the mean ("midpoint").
    A run with a nan has no other quantile. RuntimeError for another dtype than float32 and float64, `q` of another
    dtype, with more than one axis or outside [0, 1], and another word. Hyndman and Fan (1996), type 7.

    >>> gradkit.quantile(gradkit.tensor([1.0, 2.0, 4.0]), 0.75)
    tensor(3.)
    """
    return _quantiles("quantile", input, q, dim, keepdim, interpolation, ignore_nan=False)


def nanquantile(input: Tensor, q: Any, dim: int | None = None, keepdim: bool = False, *, interpolation: str = "linear") -> Tensor:
    """`quantile` of what is not nan; nan where nothing else is.

    >>> gradkit.nanquantile(gradkit.tensor([1.0, float("nan"), 3.0]), 0.5)
    tensor(2.)
    """
    return _quantiles("nanquantile", input, q, dim, keepdim, interpolation, ignore_nan=True)


@on_one_device
def _quantiles(name: str, input: Tensor, q: Any, dim: int | None, keepdim: bool, interpolation: str, ignore_nan: bool) -> Tensor:
    places = _checked(name, input, q, interpolation)
    shape = extents(input)
    if dim is None:
        x, axis, kept = reshape(input, (-1,)), -1, (1,) * len(shape)
    else:
        axis = axis_from_end(input, dim) if shape else -1
        x = input.movedim(axis, -1) if shape else reshape(input, (1,))
        kept = (*shape[:axis], 1, *shape[len(shape) + axis + 1 :]) if shape else ()
    y = _at(sort(x, -1)[0], reshape(places, (-1,)), interpolation, ignore_nan)  # (*, q)
    y = y.movedim(-1, 0)
    return reshape(y, (*places.shape, *(kept if keepdim else extents(y)[1:])))


def _checked(name: str, input: Tensor, q: Any, interpolation: str) -> Tensor:
    if input.dtype.name not in ("float32", "float64"):
        raise RuntimeError(f"{name}() input tensor must be either float or double dtype, got {input.dtype.name}")
    if not input.numel():
        raise RuntimeError(f"{name}() input tensor must be non-empty")
    if interpolation not in _INTERPOLATIONS:
        raise RuntimeError(f"{name}() interpolation must be one of {', '.join(_INTERPOLATIONS)}, but got {interpolation}")
    if isinstance(q, Tensor) and q.dtype != input.dtype:
        raise RuntimeError(f"{name}() q tensor must be same dtype as the input tensor, got {q.dtype.name}")
    places = q if isinstance(q, Tensor) else wrap(np.asarray(q, np.float64))
    if places.ndim > 1:
        raise RuntimeError(f"{name}() q must be a scalar or 1D tensor, got shape {tuple(places.shape)}")
    if on_host(places.array) and not ((places.array >= 0) & (places.array <= 1)).all():
        raise RuntimeError(f"{name}() q must be in the range [0, 1] but got {q}")
    return places.double() if isinstance(q, Tensor) else wrap(moved(places.array, input.device))


def _at(runs: Tensor, q: Tensor, interpolation: str, ignore_nan: bool) -> Tensor:
    """What lies at the places `q` of runs that are sorted, nan last: (*, n) to (*, q)."""
    missing = total(isnan(runs).long(), dim=-1, keepdim=True)
    place = (runs.shape[-1] - 1 - missing * ignore_nan).clamp(min=0) * q
    if interpolation == "nearest":
        place = place.round()
    start = floor(place)
    low, high = [gather(runs, -1, end.long()) for end in (start, ceil(place))]
    share = {"lower": 0.0, "higher": 1.0, "midpoint": 0.5, "nearest": 0.0}.get(interpolation)
    y = low + (high - low) * (astype(place - start, dtype=runs.dtype) if share is None else share)
    y = where(start == place, low, y)
    return y if ignore_nan else where(missing > 0, math.nan, y)


# -- histograms
@by_sample()
@on_one_device
def histc(input: Tensor, bins: int = 100, min: float = 0, max: float = 0) -> Tensor:
    """How many elements fall into each of `bins` intervals of one length from `min` to `max`, both included.

    Where both are the same they are the least and the greatest element. The dtype is that of `input`; there is no
    gradient. RuntimeError for less than one bin, integers, bounds that are not finite or in the wrong order.

    >>> gradkit.histc(gradkit.tensor([1.0, 2.0, 1.0]), bins=4, min=0, max=3)
    tensor([0., 2., 1., 0.])
    """
    if input.dtype.kind != "f":
        raise errors.not_implemented("histc", input.dtype)
    if bins <= 0:
        raise RuntimeError(f"bins must be > 0, got {bins}")
    counts, _ = _histogram("histc", backend_of(input.array).xp.asarray(input.array), bins, (min, max), None)
    return wrap(counts.astype(input.dtype))


@by_sample()
@on_one_device
def histogram(input: Tensor, bins: Any, *, range: Any = None, weight: Tensor | None = None, density: bool = False) -> Any:
    """How much of `input` falls into each interval, and where the intervals end: (hist, bin_edges).

    `bins` is a number of intervals of one length over `range` (by default from the least to the greatest element), or a
    tensor of edges. `weight` says how much each element counts; with `density` the integral is 1. Errors as for `histc`.

    >>> gradkit.histogram(gradkit.tensor([1.0, 2.0, 1.0]), bins=4, range=(0.0, 3.0)).hist
    tensor([0., 2., 1., 0.])
    """
    xp = backend_of(input.array).xp
    raw = xp.asarray(input.array)
    weights = None if weight is None else xp.asarray(weight.array).ravel()
    if isinstance(bins, Tensor):
        edges = xp.asarray(bins.array)
        counts, _ = xp.histogram(raw.ravel(), edges, weights=weights)
    else:
        if bins <= 0:
            raise RuntimeError(f"bins must be > 0, got {bins}")
        counts, edges = _histogram("histogram", raw, bins, range or (0, 0), weights)
    counts = counts.astype(input.dtype)
    if density:
        counts = counts / counts.sum() / xp.diff(edges).astype(input.dtype)
    return return_types.histogram(wrap(counts), wrap(edges.astype(input.dtype)))


def _histogram(name: str, raw: Any, bins: int, bounds: Any, weights: Any) -> tuple[Any, Any]:
    low, high = map(float, bounds)
    if low == high and raw.size:
        low, high = float(raw.min()), float(raw.max())
    if low == high:
        low, high = low - 1, high + 1
    if not (math.isfinite(low) and math.isfinite(high)):
        raise RuntimeError(f"{name}: range of [{low}, {high}] is not finite")
    if low > high:
        raise RuntimeError(f"{name}: max must be larger than min, got {high} and {low}")
    return backend_of(raw).xp.histogram(raw.ravel(), bins, (low, high), weights=weights)

