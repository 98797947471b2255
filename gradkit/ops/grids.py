"""Images seen through a grid of points. Names and arguments are those of torch.nn.functional."""

import itertools
import math
import warnings
from typing import Any

import numpy as np

from gradkit.engine.device import moved
from gradkit.engine.tensor import Tensor, wrap
from gradkit.ops.arithmetic import clamp, remainder, where
from gradkit.ops.functions import floor, round as rounded
from gradkit.ops.products import matmul
from gradkit.primitives.selection import gather
from gradkit.primitives.shape import extents, reshape

__all__: list[str] = []


def affine_grid(theta: Tensor, size: Any, align_corners: bool | None = None) -> Tensor:
    """The points of an image of `size` (N, C, H, W) under the affine maps `theta` (N, 2, 3): (N, H, W, 2), for `grid_sample`.

    Or of a volume (N, C, D, H, W) under (N, 3, 4): (N, D, H, W, 3). Coordinates, x first, run from -1 to 1; with
    `align_corners` these are the middles of the outermost pixels, else their edges. ValueError for a `theta` that is
    not floating and shapes that do not fit. Jaderberg et al., "Spatial transformer networks" (2015).

    >>> F.affine_grid(gradkit.tensor([[[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]]), (1, 1, 1, 2), align_corners=False)
    tensor([[[[-0.5000,  0.0000],
              [ 0.5000,  0.0000]]]])
    """
    _warn_of_corners("affine_grid", align_corners)
    if theta.dtype.kind not in "fV":
        raise ValueError(f"Expected theta to have floating point type, but got {theta.dtype.name}")
    axes = len(size) - 2
    if axes not in (2, 3) or extents(theta) != (size[0], axes, axes + 1):
        raise ValueError(
            f"Expected a batch of {axes}D affine matrices of shape Nx{axes}x{axes + 1} for size {tuple(size)}. Got "
            f"{tuple(theta.shape)}."
        )
    lines = [np.linspace(-1, 1, n) * (1 if align_corners else (n - 1) / n) if n > 1 else np.zeros(1) for n in size[2:]]
    meshed = np.meshgrid(*lines, indexing="ij")[::-1]
    base = np.stack([*meshed, np.ones_like(meshed[0])], -1).reshape(-1, axes + 1).astype(theta.dtype)
    return reshape(matmul(wrap(moved(base, theta.device)), theta.transpose(-2, -1)), (size[0], *size[2:], axes))


def grid_sample(
    input: Tensor, grid: Tensor, mode: str = "bilinear", padding_mode: str = "zeros", align_corners: bool | None = None
) -> Tensor:
    """`input` (N, C, H, W) at the points of `grid` (N, H', W', 2): (N, C, H', W'); or volumes, with one axis more.

    Coordinates are those of `affine_grid`. `mode` is "bilinear" or "nearest"; outside there are "zeros", the "border" or the
    "reflection" of the image. ValueError for another word, RuntimeError for shapes and dtypes that do not fit,
    NotImplementedError for mode "bicubic".

    >>> image = gradkit.arange(4.0).reshape(1, 1, 2, 2)
    >>> F.grid_sample(image, gradkit.zeros(1, 1, 1, 2), align_corners=False).item()
    1.5
    """
    if mode not in ("bilinear", "nearest", "bicubic"):
        raise ValueError(f"expected mode to be 'bilinear', 'nearest' or 'bicubic', but got: '{mode}'")
    if padding_mode not in ("zeros", "border", "reflection"):
        raise ValueError(f"expected padding_mode to be 'zeros', 'border', or 'reflection', but got: '{padding_mode}'")
    if mode == "bicubic":
        raise NotImplementedError("grid_sample: there is no mode 'bicubic' yet; use 'bilinear'")
    _warn_of_corners("grid_sample", align_corners)
    shape, points = extents(input), extents(grid)
    axes = len(shape) - 2
    if axes not in (2, 3) or len(points) != axes + 2 or points[0] != shape[0] or points[-1] != axes:
        raise RuntimeError(
            f"grid_sampler(): expected grid to have size ({shape[0]}, ..., {axes}) and as many dimensions as input of size "
            f"{list(shape)}, but got grid of size {list(points)}"
        )
    if input.dtype != grid.dtype:
        raise RuntimeError(f"grid_sampler(): expected input and grid to have same dtype, got {input.dtype.name} and {grid.dtype.name}")
    places = [
        _pixels(grid[..., axes - 1 - i], n, padding_mode, bool(align_corners)) for i, n in enumerate(shape[2:])
    ]
    flat = reshape(input, (*shape[:2], math.prod(shape[2:])))
    if mode == "nearest":
        return _at([rounded(p) for p in places], flat, shape)
    lower = [floor(p) for p in places]
    shares = [p - low for p, low in zip(places, lower)]
    total: Any = 0
    for corner in itertools.product((0, 1), repeat=axes):
        weight: Any = 1
        for upper, share in zip(corner, shares):
            weight = weight * (share if upper else 1 - share)
        total = total + _at([low + upper for low, upper in zip(lower, corner)], flat, shape) * weight.unsqueeze(1)
    return total


def _pixels(x: Tensor, n: int, padding: str, aligned: bool) -> Tensor:
    """Coordinates from -1 to 1 as places among n pixels."""
    place = (x + 1) / 2 * (n - 1) if aligned else ((x + 1) * n - 1) / 2
    if padding == "zeros":
        return place
    if padding == "reflection":
        low, high = (0.0, n - 1.0) if aligned else (-0.5, n - 0.5)
        span = high - low
        place = place * 0 if not span else _folded((place - low).abs(), span) + low
    return clamp(place, 0, n - 1)


def _folded(distance: Tensor, span: float) -> Tensor:
    """A distance that goes to and fro over a span."""
    rest = remainder(distance, span)
    back = remainder(floor(distance / span), 2.0) > 0
    return where(back, span - rest, rest)


def _at(places: list[Tensor], flat: Tensor, shape: Any) -> Tensor:
    """The elements at places given by whole numbers, one tensor for each axis; 0 outside: (N, C, *points)."""
    count, channels, *sizes = shape
    inside, number = None, None
    for place, n in zip(places, sizes):
        fits = (place >= 0) & (place <= n - 1)
        inside = fits if inside is None else inside & fits
        at = clamp(place.detach(), 0, n - 1).long()
        number = at if number is None else number * n + at
    assert inside is not None and number is not None
    points = extents(number)[1:]
    index = reshape(number, (count, 1, math.prod(points))).expand(count, channels, math.prod(points))
    found = reshape(gather(flat, index, axis=-1), (count, channels, *points))
    return found * inside.unsqueeze(1).to(flat.dtype)


def _warn_of_corners(name: str, align_corners: bool | None) -> None:
    if align_corners is None:
        warnings.warn(
            f"Default {name} behavior has changed to align_corners=False since 1.3.0. Please specify align_corners=True if the "
            "old behavior is desired.",
            UserWarning,
            stacklevel=3,
        )
