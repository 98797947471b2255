"""Images in other sizes: every mode but the nearest is, for each axis, a product with a small matrix."""

import math
import warnings
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np

from gradkit.engine.device import moved
from gradkit.engine.tensor import Tensor, wrap
from gradkit.ops.neural import linear
from gradkit.ops.shaping import broadcast_to
from gradkit.primitives.selection import gather
from gradkit.primitives.shape import extents, permute, reshape

__all__: list[str] = []

#: The number of spatial axes that each mode takes.
MODES = {
    "nearest": (1, 2, 3), "nearest-exact": (1, 2, 3), "linear": (1,), "bilinear": (2,), "trilinear": (3,), "bicubic": (2,),
    "area": (1, 2, 3),
}
INTERPOLATING = ("linear", "bilinear", "trilinear", "bicubic")


def interpolate(
    input: Tensor, size: int | tuple[int, ...] | None = None, scale_factor: float | tuple[float, ...] | None = None,
    mode: str = "nearest", align_corners: bool | None = None, recompute_scale_factor: bool | None = None,
    antialias: bool = False,
) -> Tensor:
    """`input` (N, C, d1, ...), with one to three spatial axes, resampled to `size` or by `scale_factor`.

    `mode` is "nearest", "nearest-exact", "linear", "bilinear", "bicubic", "trilinear" (one mode for each number of axes) or
    "area". `align_corners` makes the centres of the corner elements meet instead of their outer edges;
    `recompute_scale_factor` takes the scale from the two sizes. ValueError for arguments that do not go together,
    NotImplementedError for a mode that does not serve that many axes and for `antialias`. Bicubic as Keys (1981), with
    a = -0.75.

    >>> F.interpolate(gradkit.tensor([[[1.0, 2.0]]]), scale_factor=2)
    tensor([[[1., 1., 2., 2.]]])
    """
    shape = extents(input)
    axes = len(shape) - 2
    if axes not in MODES.get(mode, ()):
        raise NotImplementedError(
            f"interpolate: mode {mode!r} does not serve an input of {len(shape)} axes; they are (N, C) and one to three "
            f"spatial ones: {MODES}"
        )
    if antialias:
        raise NotImplementedError("interpolate: there is no antialias=True yet; blur the input first")
    if align_corners is not None and mode not in INTERPOLATING:
        raise ValueError(f"align_corners option can only be set with the interpolating modes: {' | '.join(INTERPOLATING)}")
    sizes, scales = _sizes(shape[2:], size, scale_factor, bool(recompute_scale_factor))
    return resampled(input, mode, sizes, scales, bool(align_corners))


def resampled(input: Tensor, mode: str, sizes: Any, scales: Any = (None,) * 3, align_corners: bool = False) -> Tensor:
    shape = extents(input)
    for at, (n, scale) in enumerate(zip(sizes, scales), len(shape) - len(sizes)):
        if n != shape[at] or scale not in (None, 1.0):
            input = _along(input, at, mode, n, scale, align_corners)
    return input


def _sizes(given: tuple[int, ...], size: Any, scale_factor: Any, recompute: bool) -> tuple[list[int], list[Any]]:
    """The new spatial extents, and the scale to compute with where it is not the ratio of the extents."""
    if size is not None and scale_factor is not None:
        raise ValueError("only one of size or scale_factor should be defined")
    if size is not None:
        if recompute:
            raise ValueError("recompute_scale_factor is not meaningful with an explicit size.")
        return _each(size, len(given), "size"), [None] * len(given)
    if scale_factor is None:
        raise ValueError("either size or scale_factor should be defined")
    scales = [float(s) for s in _each(scale_factor, len(given), "scale_factor")]
    sizes = [math.floor(n * s) for n, s in zip(given, scales)]
    return sizes, [None] * len(given) if recompute else scales


def _each(value: Any, axes: int, what: str) -> list[Any]:
    found = list(value) if isinstance(value, tuple | list) else [value] * axes
    if len(found) != axes:
        raise ValueError(f"Input and {what} must have the same number of spatial dimensions, got {axes} and {found}")
    return found


def _along(x: Tensor, at: int, mode: str, new: int, scale: float | None, align_corners: bool) -> Tensor:
    shape = extents(x)
    if mode.startswith("nearest"):
        places = wrap(on_device(nearest, x.device, mode, shape[at], new, scale))
        index = broadcast_to(reshape(places, (new, *(1,) * (len(shape) - at - 1))), (*shape[:at], new, *shape[at + 1 :]))
        return gather(x, index, axis=at - len(shape))
    w = wrap(on_device(weights, x.device, mode, shape[at], new, scale, align_corners, x.dtype))
    order = (*range(at), *range(at + 1, len(shape)), at)
    back = (*range(at), len(shape) - 1, *range(at, len(shape) - 1))
    return permute(linear(permute(x, order), w), back)


@lru_cache(maxsize=256)
def on_device(table: Callable[..., Any], place: Any, *given: Any) -> Any:
    """What one of the tables below has for the numbers given, in the memory of a device."""
    return moved(table(*given), place)


@lru_cache(maxsize=256)
def nearest(mode: str, old: int, new: int, scale: float | None) -> Any:
    shift = 0.5 if mode == "nearest-exact" else 0.0
    return np.minimum(np.floor((np.arange(new) + shift) * (1 / scale if scale else old / new)).astype(int), old - 1)


@lru_cache(maxsize=256)
def weights(mode: str, old: int, new: int, scale: float | None, align_corners: bool, dtype: Any) -> Any:
    """How much of each old element is in each new one: (new, old)."""
    if mode == "area":
        return averages(old, new, dtype)
    step = 1 / scale if scale else old / new
    if align_corners:
        step = (old - 1) / (new - 1) if new > 1 else 0.0
    matrix = np.zeros((new, old), dtype)
    rows = np.arange(new)
    source = rows * step if align_corners else (rows + 0.5) * step - 0.5
    if mode != "bicubic":
        source = np.maximum(source, 0)
    first = np.floor(source).astype(int)
    taps = cubic(source - first) if mode == "bicubic" else [(0, 1 - (source - first)), (1, source - first)]
    for offset, share in taps:
        np.add.at(matrix, (rows, np.clip(first + offset, 0, old - 1)), share.astype(dtype))
    return matrix


def cubic(t: Any) -> list[tuple[int, Any]]:
    """Keys' kernel at the four neighbours of a place `t` beyond the second one."""
    a = -0.75

    def near(d: Any) -> Any:
        return ((a + 2) * d - (a + 3)) * d * d + 1

    def far(d: Any) -> Any:
        return ((a * d - 5 * a) * d + 8 * a) * d - 4 * a

    return [(-1, far(t + 1)), (0, near(t)), (1, near(1 - t)), (2, far(2 - t))]


@lru_cache(maxsize=256)
def averages(old: int, new: int, dtype: Any) -> Any:
    """The means over `new` windows that share `old` elements out, overlapping where they must: (new, old)."""
    matrix = np.zeros((new, old), dtype)
    for i in range(new):
        first, last = i * old // new, -(-(i + 1) * old // new)
        matrix[i, first:last] = 1 / (last - first)
    return matrix


def upsample(
    input: Tensor, size: Any = None, scale_factor: Any = None, mode: str = "nearest", align_corners: Any = None
) -> Tensor:
    """`interpolate` under its old name, with a UserWarning.

    >>> import warnings
    >>> with warnings.catch_warnings(action="ignore"):
    ...     F.upsample(gradkit.ones(1, 1, 2), 4).shape
    gradkit.Size([1, 1, 4])
    """
    warnings.warn("upsample is deprecated. Use interpolate instead.", UserWarning, stacklevel=2)
    return interpolate(input, size, scale_factor, mode, align_corners)
