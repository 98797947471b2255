"""Pooling over the last one, two or three axes, in PyTorch's conventions.

Windows are never laid out: each position of the kernel is one strided slice of the input, and slices are combined
elementwise, values one axis at a time. Padding is not written either: each slice is restricted to the windows in which
it lies inside the input. Images are taken in blocks that stay in cache.
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import product
from math import prod
from typing import Any, NamedTuple

import numpy as np

from gradkit.backend.cpu import Array, half_in_single

PerAxis = int | Sequence[int]

_BLOCK_BYTES = 1 << 18


class Axis(NamedTuple):
    n: int
    kernel: int
    stride: int
    padding: int
    dilation: int
    out: int


class _Meeting(NamedTuple):
    """A kernel position on one axis, with the outputs whose windows have it inside the input, and what it meets."""

    position: int
    outputs: slice
    inputs: slice


def max_pool(
    x: Array, kernel: Sequence[int], stride: PerAxis | None = None, padding: PerAxis = 0, dilation: PerAxis = 1,
    ceil_mode: bool = False,
) -> Array:
    """The maxima (*batch, *out) of the windows of `x` (*batch, *spatial); NaN where a window has one.

    There are as many spatial axes as numbers in `kernel`, one to three. `stride` defaults to `kernel`; an integer
    stands for all axes. Any real dtype, which is kept.

    ValueError where `padding` exceeds half the kernel, or where there is no window.
    """
    axes = axes_of(x.shape, kernel, stride, padding, dilation, ceil_mode)
    out = np.empty((*x.shape[: -len(axes)], *(a.out for a in axes)), x.dtype)
    for source, target in _blocks(axes, x, out):
        target[...] = _maxima(source, axes)
    return out


def max_pool_indices(
    x: Array, kernel: Sequence[int], stride: PerAxis | None = None, padding: PerAxis = 0, dilation: PerAxis = 1,
    ceil_mode: bool = False,
) -> Array:
    """Where `max_pool` finds its maxima: int64 places in the flattened spatial axes, of shape (*batch, *out).

    Among equal maxima the first in scan order counts, among NaN the last, as in PyTorch. Arguments and errors as in
    `max_pool`.
    """
    axes = axes_of(x.shape, kernel, stride, padding, dilation, ceil_mode)
    shape = (*x.shape[: -len(axes)], *(a.out for a in axes))
    values, indices = np.empty(shape, x.dtype), np.empty(shape, np.int64)
    corners, offsets = _plane_places(axes)
    for source, best, target in _blocks(axes, x, values, indices):
        best[...] = _maxima(source, axes)
        np.take(offsets, _scan_ranks(source, best, axes), out=target, mode="clip")
        target += corners
    return indices


@half_in_single
def avg_pool(
    x: Array, kernel: Sequence[int], stride: PerAxis | None = None, padding: PerAxis = 0, ceil_mode: bool = False,
    count_include_pad: bool = True, divisor_override: int | None = None,
) -> Array:
    """The means (*batch, *out) of the windows of `x` (*batch, *spatial), zeros being padded.

    The divisor of a window is `divisor_override`, or the number of its places, those in the padding included if
    `count_include_pad`, but not those beyond it. Floating or complex; dtype kept, float16 added in float32. Shapes and
    errors as in `max_pool`.
    """
    axes = axes_of(x.shape, kernel, stride, padding, 1, ceil_mode)
    out = np.empty((*x.shape[: -len(axes)], *(a.out for a in axes)), x.dtype)
    divisor = _divisor(axes, count_include_pad, divisor_override, x.real.dtype)
    for source, target in _blocks(axes, x, out):
        np.divide(_sums(source, axes), divisor, out=target)
    return out


@half_in_single
def avg_pool_ct(
    ct: Array, spatial: Sequence[int], kernel: Sequence[int], stride: PerAxis | None = None, padding: PerAxis = 0,
    ceil_mode: bool = False, count_include_pad: bool = True, divisor_override: int | None = None,
) -> Array:
    """The cotangent (*batch, *spatial) of the input of `avg_pool` from that of its result, `ct`: its transpose."""
    axes = axes_of(tuple(spatial), kernel, stride, padding, 1, ceil_mode)
    out = np.empty((*ct.shape[: ct.ndim - len(axes)], *spatial), ct.dtype)
    divisor = _divisor(axes, count_include_pad, divisor_override, ct.real.dtype)
    for target, source in _blocks(axes, out, ct):
        spread = source / divisor
        for position in range(-len(axes), 0):
            spread = _spread_axis(spread, axes[position], position)
        target[...] = spread
    return out


def axes_of(
    shape: tuple[int, ...], kernel: Sequence[int], stride: PerAxis | None, padding: PerAxis, dilation: PerAxis, ceil_mode: bool
) -> tuple[Axis, ...]:
    ndim = len(kernel)
    strides = _per_axis(kernel if stride is None else stride, ndim)
    numbers = zip(shape[-ndim:], kernel, strides, _per_axis(padding, ndim), _per_axis(dilation, ndim), strict=True)
    return tuple(_fitted(*of_axis, ceil_mode) for of_axis in numbers)


def _per_axis(value: PerAxis, ndim: int) -> tuple[int, ...]:
    return (value,) * ndim if isinstance(value, int) else tuple(value)


def _fitted(n: int, kernel: int, stride: int, padding: int, dilation: int, ceil_mode: bool) -> Axis:
    if not 0 <= 2 * padding <= kernel:
        raise ValueError(f"the padding, {padding}, should be at most half of the kernel, {kernel}")
    room = n + 2 * padding - dilation * (kernel - 1) - 1
    out = (-(-room // stride) if ceil_mode else room // stride) + 1
    if ceil_mode and (out - 1) * stride >= n + padding:
        out -= 1  # the last window would begin beyond the input
    if out < 1:
        raise ValueError(f"a kernel of {kernel} with dilation {dilation} is larger than the padded input, {n}")
    return Axis(n, kernel, stride, padding, dilation, out)


@lru_cache(maxsize=512)
def _meetings(axis: Axis) -> tuple[_Meeting, ...]:
    meetings = []
    for position in range(axis.kernel):
        first = position * axis.dilation - axis.padding  # what the first window has there
        low = max(0, -(first // axis.stride))
        high = min(axis.out, (axis.n - 1 - first) // axis.stride + 1)
        if low < high:
            begin, end = first + low * axis.stride, first + (high - 1) * axis.stride + 1
            meetings.append(_Meeting(position, slice(low, high), slice(begin, end, axis.stride)))
    return tuple(meetings)


def _blocks(axes: tuple[Axis, ...], *arrays: Array) -> Iterator[tuple[Array, ...]]:
    """Yield blocks of images of all `arrays`, their batch axes in one; those of contiguous arrays are views."""
    if not all(array.size for array in arrays):
        return
    images = [array.reshape(-1, *array.shape[array.ndim - len(axes) :]) for array in arrays]
    step = max(1, _BLOCK_BYTES * len(images[0]) // max(array.nbytes for array in arrays))
    for start in range(0, len(images[0]), step):
        yield tuple(array[start : start + step] for array in images)


def _at(part: slice, position: int) -> tuple[Any, ...]:
    """The index that takes `part` of the axis at the negative `position`, and the others whole."""
    return (..., part, *(slice(None),) * (-1 - position))


def _maxima(x: Array, axes: tuple[Axis, ...]) -> Array:
    lowest = -np.inf if x.dtype.kind in "fV" else np.iinfo(x.dtype).min
    for position in range(-len(axes), 0):
        axis = axes[position]
        shape = list(x.shape)
        shape[position] = axis.out
        best = np.full(shape, lowest, x.dtype)
        for _, outputs, inputs in _meetings(axis):
            part = best[_at(outputs, position)]
            np.maximum(part, x[_at(inputs, position)], out=part)
        x = best
    return x


def _sums(x: Array, axes: tuple[Axis, ...]) -> Array:
    for position in range(-len(axes), 0):
        axis = axes[position]
        shape = list(x.shape)
        shape[position] = axis.out
        total = np.zeros(shape, x.dtype)
        for _, outputs, inputs in _meetings(axis):
            total[_at(outputs, position)] += x[_at(inputs, position)]
        x = total
    return x


def _spread_axis(ct: Array, axis: Axis, position: int) -> Array:
    shape = list(ct.shape)
    shape[position] = axis.n
    spread = np.zeros(shape, ct.dtype)
    for _, outputs, inputs in _meetings(axis):
        spread[_at(inputs, position)] += ct[_at(outputs, position)]
    return spread


def _divisor(axes: tuple[Axis, ...], count_include_pad: bool, override: int | None, dtype: np.dtype[Any]) -> Array:
    if override is not None:
        return np.array(override, dtype)
    divisor = np.ones((), dtype)
    for axis in axes:
        begin = np.arange(axis.out) * axis.stride - axis.padding
        end = begin + axis.kernel
        if count_include_pad:
            count = np.minimum(end, axis.n + axis.padding) - begin
        else:
            count = np.minimum(end, axis.n) - np.maximum(begin, 0)
        divisor = divisor[..., np.newaxis] * count.astype(dtype)
    return divisor


@lru_cache(maxsize=64)
def _plane_places(axes: tuple[Axis, ...]) -> tuple[Array, Array]:
    """The flat places of the windows' corners, and what each kernel position in scan order adds to them."""
    corners, offsets = np.zeros((), np.int64), np.zeros((), np.int64)
    for axis in axes:
        corners = corners[..., np.newaxis] * axis.n + np.arange(axis.out) * axis.stride - axis.padding
        offsets = offsets[..., np.newaxis] * axis.n + np.arange(axis.kernel) * axis.dilation
    return corners, offsets.reshape(-1)


def _scan_ranks(x: Array, best: Array, axes: tuple[Axis, ...]) -> Array:
    """The position in the kernel, counted in scan order, at which each window of `x` has its maximum, `best`.

    A match at position r scores size - r, so that the highest score is the first match's: masks and scores are bytes,
    of which a vector instruction takes 64 at a time.
    """
    size = prod(a.kernel for a in axes)
    scores = np.zeros(best.shape, np.min_scalar_type(size))
    for rank, outputs, inputs in _ranked(axes):
        _score(scores[outputs], x[inputs] == best[outputs], size - rank)
    ranks = size - scores
    if x.dtype.kind in "fV" and np.isnan(best).any():
        scores[...] = 0
        for rank, outputs, inputs in _ranked(axes):
            _score(scores[outputs], np.isnan(x[inputs]), rank + 1)
        np.copyto(ranks, scores - 1, where=scores > 0)
    return ranks


@lru_cache(maxsize=64)
def _ranked(axes: tuple[Axis, ...]) -> tuple[tuple[int, tuple[Any, ...], tuple[Any, ...]], ...]:
    ranked = []
    for meetings in product(*map(_meetings, axes)):
        rank = 0
        for meeting, axis in zip(meetings, axes, strict=True):
            rank = rank * axis.kernel + meeting.position
        ranked.append((rank, (..., *(m.outputs for m in meetings)), (..., *(m.inputs for m in meetings))))
    return tuple(ranked)


def _score(scores: Array, matches: Array, value: int) -> None:
    np.maximum(scores, np.multiply(matches, value, dtype=scores.dtype), out=scores)
