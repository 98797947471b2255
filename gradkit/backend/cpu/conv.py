"""Convolution over one, two or three spatial axes, and its two transposes, in PyTorch's conventions.

What is called convolution is cross-correlation, with x read as zero outside:

    y[n, o, t] = sum over c, k of w[o, c, k] x[n, c, t stride + k dilation - padding]

It is a matrix product with the columns of x (Chellapilla, Puri and Simard 2006), one column per output position, which
holds what the kernel meets there. Columns are written by one strided copy per kernel position, a block of images and
output rows at a time, so that they stay in cache whatever the size of x.
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import product
from math import prod
from typing import Any, NamedTuple

import numpy as np

from gradkit.backend.cpu import Array, half_in_single

PerAxis = int | Sequence[int]
Padding = int | Sequence[int | tuple[int, int]]

# Bytes of columns held at a time.
_BLOCK_BYTES = 1 << 22
# Output positions from which each image is a matrix product of its own. Below, images are laid side by side, which
# costs a transposed copy of the result (0.75 of the time for 512 channels of 7 x 7).
_OWN_PRODUCT = 256


class Geometry(NamedTuple):
    groups: int
    channels: int  # of the input
    features: int  # of the output
    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    padding: tuple[tuple[int, int], ...]
    dilation: tuple[int, ...]
    spatial: tuple[int, ...]  # of the input
    out: tuple[int, ...]  # spatial, of the output

    @property
    def depth(self) -> int:
        return self.channels // self.groups * prod(self.kernel)


@half_in_single
def conv_forward(x: Array, w: Array, stride: PerAxis = 1, padding: Padding = 0, dilation: PerAxis = 1, groups: int = 1) -> Array:
    """The convolution (*batch, O, *out) of `x` (*batch, C, *spatial) with `w` (O, C/groups, *kernel).

    An integer stands for all spatial axes; an entry of `padding` may be a pair (before, after). Any number of batch
    axes; real or complex, one dtype for both, which is kept; float16 is computed in float32.

    ValueError where channels and groups do not fit together or the kernel not into the padded input.
    """
    g = geometry(x.shape, w.shape, stride, padding, dilation, groups)
    shape = (*x.shape[: -len(g.spatial) - 1], g.features, *g.out)
    if not x.size or not w.size:
        return np.zeros(shape, x.dtype)
    out = np.empty(shape, x.dtype)
    matrix = _by_depth(w, g)
    results = _by_group(out, g)
    for images, places, columns in _columns(_as_images(x, g), g):
        target = results[images, :, :, places]
        if columns.ndim == 4:
            np.matmul(matrix, columns, out=target)
        else:
            count, _, features, length = target.shape
            target[...] = np.matmul(matrix, columns).reshape(groups, features, count, length).transpose(2, 0, 1, 3)
    return out


@half_in_single
def conv_input_ct(
    ct: Array, w: Array, x_shape: tuple[int, ...], stride: PerAxis = 1, padding: Padding = 0, dilation: PerAxis = 1,
    groups: int = 1,
) -> Array:
    """The cotangent, of shape `x_shape`, of the input of `conv_forward`, from that of its result.

    This is the transpose in `x`, and so the forward map of transposed convolution, whose output padding is in
    `x_shape`. Other arguments, dtypes and errors as in `conv_forward`; ValueError also where `ct` has another shape
    than the convolution.
    """
    g = geometry(x_shape, w.shape, stride, padding, dilation, groups)
    check_cotangent(ct, x_shape, g)
    if not ct.size or not prod(x_shape):
        return np.zeros(x_shape, ct.dtype)
    # With stride 1 it is itself a convolution, cheaper (0.75) unless its columns are more than twice as many.
    if set(g.stride) == {1} and g.features <= 2 * g.channels:
        reach = [d * (k - 1) for d, k in zip(g.dilation, g.kernel, strict=True)]
        around = tuple((r - low, r - high) for r, (low, high) in zip(reach, g.padding, strict=True))
        return conv_forward(ct, _mirrored(w, g), 1, around, dilation, groups)
    out = np.zeros(x_shape, ct.dtype)
    _add_columns(_as_images(out, g), _by_group(ct, g), _by_depth(w, g).swapaxes(1, 2), g)
    return out


@half_in_single
def conv_weight_ct(
    ct: Array, x: Array, w_shape: tuple[int, ...], stride: PerAxis = 1, padding: Padding = 0, dilation: PerAxis = 1,
    groups: int = 1,
) -> Array:
    """The cotangent, of shape `w_shape`, of the weight of `conv_forward`, from that of its result.

    The sum runs over all batch axes. Other arguments, dtypes and errors as in `conv_input_ct`.
    """
    g = geometry(x.shape, w_shape, stride, padding, dilation, groups)
    check_cotangent(ct, x.shape, g)
    out = np.zeros(w_shape, ct.dtype)
    if not ct.size or not x.size:
        return out
    total = out.reshape(groups, g.features // groups, g.depth)
    cts = _by_group(ct, g)
    for images, places, columns in _columns(_as_images(x, g), g):
        block = cts[images, :, :, places]
        if columns.ndim == 4:
            total += np.add.reduce(np.matmul(block, columns.swapaxes(2, 3)), 0)
        else:
            side_by_side = block.transpose(1, 2, 0, 3).reshape(*total.shape[:2], -1)
            total += np.matmul(side_by_side, columns.swapaxes(1, 2))
    return out


def geometry(
    x_shape: tuple[int, ...], w_shape: tuple[int, ...], stride: PerAxis, padding: Padding, dilation: PerAxis, groups: int
) -> Geometry:
    ndim = len(w_shape) - 2
    pads = tuple((p, p) if isinstance(p, int) else tuple(p) for p in _per_axis(padding, ndim))
    return _fitted(tuple(x_shape), tuple(w_shape), _per_axis(stride, ndim), pads, _per_axis(dilation, ndim), groups)


def _per_axis(value: Any, ndim: int) -> tuple[Any, ...]:
    return (value,) * ndim if isinstance(value, int) else tuple(value)


@lru_cache(maxsize=512)
def _fitted(
    x_shape: tuple[int, ...], w_shape: tuple[int, ...], strides: tuple[int, ...], pads: tuple[tuple[int, int], ...],
    dilations: tuple[int, ...], groups: int,
) -> Geometry:
    kernel = w_shape[2:]
    ndim = len(kernel)
    if len(x_shape) <= ndim:
        raise ValueError(f"an input of shape {x_shape} has no channel and {ndim} spatial axes")
    channels, spatial = x_shape[-ndim - 1], x_shape[-ndim:]
    if channels != w_shape[1] * groups or w_shape[0] % groups:
        raise ValueError(f"a weight of shape {w_shape} with groups={groups} does not fit {channels} input channels")
    if 0 in kernel:
        raise ValueError(f"a kernel of {kernel} has no elements")
    axes = zip(spatial, pads, dilations, kernel, strides, strict=True)
    out = tuple((n + low + high - d * (k - 1) - 1) // s + 1 for n, (low, high), d, k, s in axes)
    if min(out) < 1:
        raise ValueError(f"a kernel of {kernel} with dilation {dilations} is larger than the padded input, {spatial}")
    return Geometry(groups, channels, w_shape[0], kernel, strides, pads, dilations, spatial, out)


def check_cotangent(ct: Array, x_shape: tuple[int, ...], g: Geometry) -> None:
    expected = (*x_shape[: -len(g.spatial) - 1], g.features, *g.out)
    if ct.shape != expected:
        raise ValueError(f"the convolution has shape {expected}, its cotangent {ct.shape}")


def _as_images(x: Array, g: Geometry) -> Array:
    return x.reshape(-1, g.channels, *g.spatial)


# Both are operands of products, for which strides of zero or below would mean loops without BLAS.
def _by_depth(w: Array, g: Geometry) -> Array:
    return np.ascontiguousarray(w).reshape(g.groups, g.features // g.groups, g.depth)


def _by_group(y: Array, g: Geometry) -> Array:
    return np.ascontiguousarray(y).reshape(-1, g.groups, g.features // g.groups, prod(g.out))


def _mirrored(w: Array, g: Geometry) -> Array:
    """The weight of the convolution that is the transpose, for stride 1: reversed in space, channels exchanged."""
    flipped = np.flip(w, tuple(range(2, w.ndim)))
    exchanged = flipped.reshape(g.groups, -1, *w.shape[1:]).swapaxes(1, 2)
    return exchanged.reshape(g.channels, g.features // g.groups, *g.kernel)


def _block_sizes(count: int, g: Geometry, itemsize: int) -> tuple[int, int]:
    row = g.channels * prod(g.kernel) * prod(g.out[1:]) * itemsize
    if row * g.out[0] > 2 * _BLOCK_BYTES:
        return 1, max(1, _BLOCK_BYTES // row)
    return min(count, max(1, _BLOCK_BYTES // (row * g.out[0]))), g.out[0]


@lru_cache(maxsize=512)
def _windows(g: Geometry, start: int, rows: int) -> tuple[tuple[tuple[int, ...], tuple[slice, ...]], ...]:
    """Each kernel position and what it meets of a padded image, for `rows` output rows from `start` on."""
    counts = (rows, *g.out[1:])
    firsts = (start * g.stride[0], *(0 for _ in g.out[1:]))
    windows = []
    for position in product(*map(range, g.kernel)):
        lows = [f + p * d for f, p, d in zip(firsts, position, g.dilation, strict=True)]
        window = tuple(slice(a, a + s * (n - 1) + 1, s) for a, n, s in zip(lows, counts, g.stride, strict=True))
        windows.append((position, window))
    return tuple(windows)


def _columns(x: Array, g: Geometry) -> Iterator[tuple[slice, slice, Array]]:
    """Yield (images, places, columns): slices of the images and of the flat output, and the columns for them.

    Columns have the shape (images, groups, depth, places) or, side by side, (groups, depth, images * places).
    """
    count, inner, axes = len(x), prod(g.out[1:]), len(g.kernel)
    images, rows = _block_sizes(count, g, x.itemsize)
    own = images == 1 or prod(g.out) >= _OWN_PRODUCT
    pointwise = own and prod(g.kernel) * prod(g.stride) == 1 and g.spatial == g.out
    store = np.empty(0 if pointwise else images * g.groups * g.depth * rows * inner, x.dtype)
    for first in range(0, count, images):
        block = _padded(x[first : first + images], g)
        n = len(block)
        for start in range(0, g.out[0], rows):
            extent = (min(rows, g.out[0] - start), *g.out[1:])
            places = slice(start * inner, (start + extent[0]) * inner)
            if pointwise:
                columns = np.ascontiguousarray(block[:, :, start : start + rows])
            else:
                columns = store[: n * g.groups * g.depth * prod(extent)]
                order = (n, g.channels, *g.kernel) if own else (g.channels, *g.kernel, n)
                columns = columns.reshape(*order, *extent)
                target = columns if own else np.moveaxis(columns, 1 + axes, 0)
                for position, window in _windows(g, start, extent[0]):
                    target[:, :, *position] = block[:, :, *window]
            shape = (n, g.groups, g.depth, prod(extent)) if own else (g.groups, g.depth, n * prod(extent))
            yield slice(first, first + n), places, columns.reshape(shape)


def _add_columns(out: Array, cts: Array, matrix: Array, g: Geometry) -> None:
    """Add to the images `out` the columns that `matrix` makes of `cts`, each entry where `_columns` read it."""
    inner = prod(g.out[1:])
    images, rows = _block_sizes(len(out), g, out.itemsize)
    for first in range(0, len(out), images):
        part = out[first : first + images]
        block = np.zeros((len(part), g.channels, *padded_sizes(g)), out.dtype)
        for start in range(0, g.out[0], rows):
            extent = (min(rows, g.out[0] - start), *g.out[1:])
            ct = cts[first : first + images, :, :, start * inner : (start + extent[0]) * inner]
            columns = np.matmul(matrix, ct).reshape(len(part), g.channels, *g.kernel, *extent)
            for position, window in _windows(g, start, extent[0]):
                block[:, :, *window] += columns[:, :, *position]
        used, interior = interiors(g)
        part[:, :, *used] = block[:, :, *interior]


def _padded(images: Array, g: Geometry) -> Array:
    if not any(map(any, g.padding)):
        return images
    block = np.zeros((*images.shape[:2], *padded_sizes(g)), images.dtype)
    used, interior = interiors(g)
    block[:, :, *interior] = images[:, :, *used]
    return block


def padded_sizes(g: Geometry) -> tuple[int, ...]:
    return tuple(n + low + high for n, (low, high) in zip(g.spatial, g.padding, strict=True))


def interiors(g: Geometry) -> tuple[tuple[slice, ...], tuple[slice, ...]]:
    """The part of an image that is used, all of it unless a padding is negative, and its place when padded."""
    used, interior = [], []
    for n, (low, high) in zip(g.spatial, g.padding, strict=True):
        used.append(slice(max(0, -low), n + min(0, high)))
        interior.append(slice(max(0, low), n + low + min(0, high)))
    return tuple(used), tuple(interior)
