"""Layer and batch normalisation, forward and backward, and the way back through softmax, in few passes over memory.

Ufuncs that broadcast a row or a column cost two to three times those on equal shapes, and BLAS writes a product of rank
two for half the price; so ``x * P + Q`` with P and Q of rank one stands for ``(x - mean) * scale * weight + bias``.
It runs over blocks of rows that stay in cache. What these functions do not serve they leave to the caller's own
formula, by answering NotImplemented.
"""

from collections.abc import Callable
from math import prod

import numpy as np

from gradkit.backend.cpu import Array, half_in_single
from gradkit.backend.cpu.reduce import ones

BLOCK = 1 << 17  # elements: smaller blocks stay in a nearer cache, but the calls for a block then weigh more
SMALL = 1 << 13  # elements up to which the number of calls decides, and the plain formula is the fastest
CANCELLING = 64  # mean**2 over variance beyond which E[x**2] - E[x]**2 loses more than two digits


def moments(rows: Array, eps: float) -> tuple[Array, Array, Array]:
    """The rows, centred first where cancellation threatens; their means; 1 / sqrt(variance + eps)."""
    mean, variance = raw_moments(rows)
    if (mean * mean > CANCELLING * variance).any():
        rows = rows - mean[:, None]
        mean, variance = raw_moments(rows)
    variance += eps
    np.sqrt(variance, out=variance)
    return rows, mean, np.reciprocal(variance, out=variance)


def raw_moments(rows: Array) -> tuple[Array, Array]:
    share = rows.dtype.type(1 / rows.shape[1])
    mean = rows.dot(np.ones(rows.shape[1], rows.dtype))
    mean *= share
    variance = np.vecdot(rows, rows)
    variance *= share
    variance -= mean * mean
    return mean, variance


def normal(rows: Array, eps: float) -> tuple[Array, Array]:
    share = rows.dtype.type(1 / rows.shape[1])
    mean = rows.dot(ones(rows.shape[1], rows.dtype))
    mean *= share
    n = rows - mean[:, None]
    scale = np.vecdot(n, n)
    scale *= share
    scale += eps
    np.sqrt(scale, out=scale)
    np.reciprocal(scale, out=scale)
    n *= scale[:, None]
    return n, scale


def unnormal(g: Array, n: Array, scale: Array) -> Array:
    """``scale * (g - mean(g) - n * mean(g * n))``, written over both g and n."""
    share = g.dtype.type(1 / g.shape[1])
    m1 = g.dot(ones(g.shape[1], g.dtype))
    m1 *= share
    m2 = np.vecdot(g, n)
    m2 *= share
    n *= m2[:, None]
    g -= n
    g -= m1[:, None]
    g *= scale[:, None]
    return g


def last_axes(x: Array, w: Array, axis: tuple[int, ...]) -> bool:
    """Whether `axis` is the last axes of `x`, and `w` has just these."""
    return axis == tuple(range(-len(axis), 0)) and w.shape == x.shape[-len(axis) :] and x.size > 0


# -- layer_norm
@half_in_single
def layer_norm_forward(x: Array, w: Array, b: Array, *, axis: tuple[int, ...], eps: float) -> Array:
    """``(x - mean) / sqrt(variance + eps) * w + b`` over the last axes."""
    if not last_axes(x, w, axis) or b.shape != w.shape:
        return NotImplemented
    if x.size <= SMALL:
        n, _ = normal(x.reshape(-1, w.size), eps)
        n *= w.ravel()
        n += b.ravel()
        return n.reshape(x.shape)
    rows, mean, scale = moments(x.reshape(-1, w.size), eps)
    y = np.empty(x.shape, x.dtype)
    y_rows = y.reshape(rows.shape)
    count, width = rows.shape
    step = max(1, BLOCK // width)
    right = np.stack([w.ravel(), b.ravel()])
    scaled = np.stack([right[0], np.zeros_like(right[0])])
    left = np.stack([scale, np.ones_like(scale)], 1)
    shifts = np.stack([-mean * scale, np.ones_like(scale)], 1)
    scratch = np.empty((min(step, count), width), x.dtype)
    for i in range(0, count, step):
        out = np.dot(left[i : i + step], scaled, out=y_rows[i : i + step])
        out *= rows[i : i + step]
        out += np.dot(shifts[i : i + step], right, out=scratch[: len(out)])
    return y


@half_in_single
def layer_norm_vjp(d: Array, x: Array, w: Array, *, axis: tuple[int, ...], eps: float) -> list[Array]:
    """The cotangents of x, w and b.

    With n = (x - mean) * scale and the means m1, m2 of d * w and d * w * n over a row, that of x is
    ``scale * (d * w - m1 - n * m2)``: (Ba, Kiros and Hinton 2016), written here as ``d * P - x * A + B``.
    """
    if not last_axes(x, w, axis):
        return NotImplemented
    d_rows, flat_w = d.reshape(-1, w.size), w.ravel()
    if x.size <= SMALL:
        n, scale = normal(x.reshape(-1, w.size), eps)
        sums = ones(len(n), x.dtype)
        w_ct, b_ct = sums.dot(d_rows * n), sums.dot(d_rows)
        return [unnormal(d_rows * flat_w, n, scale).reshape(x.shape), w_ct.reshape(w.shape), b_ct.reshape(w.shape)]
    rows, mean, scale = moments(x.reshape(-1, w.size), eps)
    x_ct = np.empty(x.shape, x.dtype)
    ct_rows = x_ct.reshape(rows.shape)
    count, width = rows.shape
    step, share = max(1, BLOCK // width), x.dtype.type(1 / width)
    scaled = np.stack([flat_w, np.zeros_like(flat_w)])
    left = np.stack([scale, np.ones_like(scale)], 1)
    over_rows = np.stack([-mean * scale, np.ones_like(scale)])
    sums = np.zeros((2, width), x.dtype)  # of d * n, and of d
    scratch = np.empty((min(step, count), width), x.dtype)
    for i in range(0, count, step):
        part = slice(i, i + step)
        block, d_block, out, factor = rows[part], d_rows[part], ct_rows[part], scale[part]
        products = np.multiply(d_block, block, out=scratch[: len(out)])
        sums += over_rows[:, part].dot(d_block)
        sums[0] += factor.dot(products)
        m1 = d_block.dot(flat_w) * share
        a = (products.dot(flat_w) * share - mean[part] * m1) * (factor * factor * factor)
        np.dot(left[part], scaled, out=out)
        out *= d_block
        out -= np.multiply(block, a[:, None], out=products)
        out += (a * mean[part] - m1 * factor)[:, None]
    return [x_ct, sums[0].reshape(w.shape), sums[1].reshape(w.shape)]


# -- the same without weight and bias
@half_in_single
def standardize_forward(x: Array, *, axis: tuple[int, ...], eps: float) -> Array:
    """``(x - mean) / sqrt(variance + eps)`` over the last axes."""
    if axis != tuple(range(-len(axis), 0)) or not x.size:
        return NotImplemented
    rows, mean, scale = moments(x.reshape(-1, prod(x.shape[-len(axis) :])), eps)
    y = np.empty(x.shape, x.dtype)
    y_rows = y.reshape(rows.shape)
    step, shift = max(1, BLOCK // rows.shape[1]), mean * scale
    for i in range(0, len(rows), step):
        out = np.multiply(rows[i : i + step], scale[i : i + step, None], out=y_rows[i : i + step])
        out -= shift[i : i + step, None]
    return y


@half_in_single
def standardize_vjp(d: Array, x: Array, *, axis: tuple[int, ...], eps: float) -> Array:
    """``scale * (d - mean(d) - n * mean(d * n))``, n being the standardized x."""
    if axis != tuple(range(-len(axis), 0)) or not x.size:
        return NotImplemented
    rows, mean, scale = moments(x.reshape(-1, prod(x.shape[-len(axis) :])), eps)
    d_rows, width = d.reshape(rows.shape), rows.shape[1]
    x_ct = np.empty(x.shape, x.dtype)
    ct_rows = x_ct.reshape(rows.shape)
    step, ones, share = max(1, BLOCK // width), np.ones(width, x.dtype), x.dtype.type(1 / width)
    for i in range(0, len(rows), step):
        part = slice(i, i + step)
        block, d_block, out, factor = rows[part], d_rows[part], ct_rows[part], scale[part]
        m1 = d_block.dot(ones) * share
        a = (np.vecdot(d_block, block) * share - mean[part] * m1) * (factor * factor)
        np.multiply(block, a[:, None], out=out)
        np.subtract(d_block, out, out=out)
        out += (a * mean[part] - m1)[:, None]
        out *= factor[:, None]
    return x_ct


# -- batch_norm
def channels(x: Array, axis: tuple[int, ...], *given: Array) -> tuple[int, int, int] | None:
    """The extents (before, channels, after) of `x` if one axis is kept, and all others given run along it; else None."""
    kept = [i for i in range(-x.ndim, 0) if i not in axis]
    if len(kept) != 1 or not x.size or any([w.size != x.shape[kept[0]] or w.ndim > x.ndim for w in given]):
        return None
    at = kept[0] + x.ndim
    return prod(x.shape[:at]), x.shape[at], prod(x.shape[at + 1 :])


def blocks(form: tuple[int, int, int]) -> list[slice]:
    before, count, after = form
    step = max(1, BLOCK // (count * after))
    return [slice(i, i + step) for i in range(0, before, step)]


def sum_to_channels(x: Array) -> Array:
    before, count, after = x.shape
    if after == 1:
        return np.ones(before, x.dtype).dot(x.reshape(before, count))
    sums = x.reshape(-1, after).dot(np.ones(after, x.dtype)).reshape(before, count)
    return np.ones(before, x.dtype).dot(sums)


def dot_to_channels(a: Array, b: Array) -> Array:
    before, count, after = a.shape
    if after == 1:
        return sum_to_channels(a * b)
    products = np.vecdot(a.reshape(-1, after), b.reshape(-1, after)).reshape(before, count)
    return np.ones(before, a.dtype).dot(products)


def channel_moments(x: Array, eps: float) -> tuple[Array, Array, Array, Array]:
    """The array, centred first where cancellation threatens; means and variances by channel; 1 / sqrt(variance + eps)."""
    share = x.dtype.type(x.shape[1] / x.size)
    mean = sum_to_channels(x) * share
    variance = dot_to_channels(x, x) * share - mean * mean
    if (mean * mean > CANCELLING * variance).any():
        x = x - mean[:, None]
        mean = sum_to_channels(x) * share
        variance = dot_to_channels(x, x) * share - mean * mean
    return x, mean, variance, 1 / np.sqrt(variance + x.dtype.type(eps))


def batch_moments(x: Array, *, axis: tuple[int, ...]) -> tuple[Array, Array]:
    form = channels(x, axis)
    if form is None or x.dtype.char in "eE":
        return NotImplemented
    seen = x.reshape(form)
    _, _, variance, _ = channel_moments(seen, 1.0)
    return sum_to_channels(seen) * x.dtype.type(form[1] / x.size), variance


@half_in_single
def batch_norm_forward(x: Array, w: Array, b: Array, *, axis: tuple[int, ...], eps: float) -> Array:
    """``(x - mean) / sqrt(variance + eps) * w + b`` over all axes but one, which w and b run along."""
    form = channels(x, axis, w, b)
    if form is None:
        return NotImplemented
    seen, mean, _, scale = channel_moments(x.reshape(form), eps)
    scale *= w.ravel()
    shift = b.ravel() - mean * scale
    y = np.empty(x.shape, x.dtype)
    results = y.reshape(form)
    for part in blocks(form):
        out = np.multiply(seen[part], scale[:, None], out=results[part])
        out += shift[:, None]
    return y


@half_in_single
def batch_norm_vjp(d: Array, x: Array, w: Array, *, axis: tuple[int, ...], eps: float) -> list[Array]:
    """The cotangents of x, w and b: those of `layer_norm_vjp` with rows and columns exchanged."""
    form = channels(x, axis, w)
    if form is None:
        return NotImplemented
    seen, mean, _, scale = channel_moments(x.reshape(form), eps)
    d_seen, share = d.reshape(form), x.dtype.type(form[1] / x.size)
    b_ct = sum_to_channels(d_seen)
    w_ct = (dot_to_channels(d_seen, seen) - mean * b_ct) * scale
    across = scale * w.ravel()
    along = across * scale * w_ct * share
    shift = along * mean - across * b_ct * share
    x_ct = np.empty(x.shape, x.dtype)
    results = x_ct.reshape(form)
    for part in blocks(form):
        out = np.multiply(d_seen[part], across[:, None], out=results[part])
        out -= seen[part] * along[:, None]
        out += shift[:, None]
    return [x_ct, w_ct.reshape(w.shape), b_ct.reshape(w.shape)]


# -- softmax
def softmax_vjp(d: Array, y: Array, *, axis: int) -> Array:
    """``y * (d - sum(d * y))``."""

    def write(d: Array, y: Array, out: Array) -> None:
        np.subtract(d, np.vecdot(d, y)[:, None], out=out)
        out *= y

    return by_rows(write, d, y, axis)


def log_softmax_vjp(d: Array, y: Array, *, axis: int) -> Array:
    """``d - exp(y) * sum(d)``."""

    def write(d: Array, y: Array, out: Array) -> None:
        np.exp(y, out=out)
        out *= d.dot(ones(d.shape[1], d.dtype))[:, None]
        np.subtract(d, out, out=out)

    return by_rows(write, d, y, axis)


def by_rows(write: Callable[[Array, Array, Array], None], d: Array, y: Array, axis: int) -> Array:
    """What ``write(d, y, out)`` makes of blocks of rows along the last axis."""
    if axis != -1 or y.dtype.char in "eE" or not y.size:
        return NotImplemented
    x_ct = np.empty(y.shape, y.dtype)
    rows = [a.reshape(-1, y.shape[-1]) for a in (d, y, x_ct)]
    step = max(1, BLOCK // y.shape[-1])
    if len(rows[0]) <= step:
        write(*rows)
        return x_ct
    for i in range(0, len(rows[0]), step):
        write(*[a[i : i + step] for a in rows])
    return x_ct
