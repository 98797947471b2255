"""logsumexp, softmax, log_softmax and logcumsumexp.

The textbook subtracts each row's maximum m first, for exp(x - m) cannot overflow. Here a block of rows is first tried
without: where every row's sum of exp(x) lies in a safe range the result is as accurate, and two passes are saved (0.7
of the time). Otherwise, infinities and NaN included, the block is done again with the maximum.
"""

from collections.abc import Iterator
from math import prod

import numpy as np

from gradkit.backend.cpu import Array, reduce

_BLOCK = 1 << 16  # elements
# A sum of exp(x) above the lower bound belongs to a row whose terms lose no digits to underflow unless their share is
# below the smallest normal number. For softmax the sum must only be finite; its logarithm must also be small, so that
# it has no larger rounding error than the logarithm of the shifted sum, which is up to log(n): where one element is far
# above the others its result is next to 0, and has few digits to lose.
_LOWEST = 0.1
_HIGHEST_OF_LOG = 150.0  # for each element of a row: its logarithm is at most 5 more than log(n)
_FEW = 1 << 13  # elements
_CALM = 60.0  # so many exponentials of it have a finite sum


def softmax(x: Array, axis: int = -1) -> Array:
    """``exp(x) / sum(exp(x))`` over `axis`: floating, any shape; the same shape and dtype.

    A row with +inf or NaN, or of -inf alone, gives NaN.
    """
    if x.dtype.char in "eE":
        return softmax(x.astype(np.float32), axis).astype(x.dtype)
    few = _of_few_rows(x, axis)
    if few is not None:
        e, sums = few
        e /= sums[:, np.newaxis]
        return e.reshape(x.shape)
    out = np.empty(x.shape, x.dtype)
    with np.errstate(all="ignore"):
        for source, target in _blocks(x, out, axis):
            _, total = _exponentials(source, target, np.finfo(x.dtype).max)
            target /= total
    return out if out.ndim else out[()]


def log_softmax(x: Array, axis: int = -1) -> Array:
    """``x - logsumexp(x)`` over `axis`: floating, any shape; the same shape and dtype."""
    if x.dtype.char in "eE":
        return log_softmax(x.astype(np.float32), axis).astype(x.dtype)
    if x.ndim == 0 or x.shape[axis] == 1:
        with np.errstate(all="ignore"):
            return x - x  # exactly 0, where it is finite
    few = _of_few_rows(x, axis)
    if few is not None:
        e, sums = few
        rows = x.reshape(e.shape)
        if sums.item(sums.argmax()) > _HIGHEST_OF_LOG * e.shape[1]:
            rows = rows - rows.max(1)[:, np.newaxis]
            sums = np.add.reduce(np.exp(rows, out=e), 1)
        return np.subtract(rows, np.log(sums)[:, np.newaxis], out=e).reshape(x.shape)
    out = np.empty(x.shape, x.dtype)
    with np.errstate(all="ignore"):
        for source, target in _blocks(x, out, axis):
            highest = _HIGHEST_OF_LOG * source.shape[1]
            top, total = _exponentials(source, target, np.finfo(x.dtype).max if source.ndim == 2 else highest)
            if top is None:
                np.subtract(source, np.log(total), out=target)
                if source.ndim == 2:
                    _repair(source, target, np.flatnonzero(total[:, 0] > highest))
            else:
                np.subtract(source, top, out=target)
                target -= np.log(total)
    return out if out.ndim else out[()]


@np.errstate(all="ignore")
def logsumexp(x: Array, axis: int | tuple[int, ...] | None = None, keepdims: bool = False) -> Array:
    """``log(sum(exp(x)))`` over `axis`, an int, a tuple, or None for all: floating, any shape; same dtype.

    -inf where there is nothing but -inf to add, also over an axis of no elements.
    """
    if x.dtype.char in "eE":
        return logsumexp(x.astype(np.float32), axis, keepdims).astype(x.dtype)
    axes = reduce.normalised(axis, x.ndim)
    kept = tuple(1 if a in axes else size for a, size in enumerate(x.shape))
    position = axes[0] if len(axes) == 1 else 1
    rows = x
    if len(axes) != 1:
        order = [a for a in range(x.ndim) if a not in axes]
        rows = x.transpose(*order, *axes).reshape(prod(kept), prod(x.shape[a] for a in axes))
    out = np.full(kept if keepdims else [size for a, size in enumerate(x.shape) if a not in axes], -np.inf, x.dtype)
    column = [1 if a == position else size for a, size in enumerate(rows.shape)]
    for source, target in _blocks(rows, out.reshape(column), position):
        top, total = _exponentials(source, np.empty_like(source), np.finfo(x.dtype).max)
        np.log(total, out=target)
        if top is not None:
            target += top
            np.copyto(target, top, where=np.isinf(top))  # inf - inf is NaN
    return out if out.ndim else out[()]


@np.errstate(all="ignore")
def logcumsumexp(x: Array, axis: int) -> Array:
    """The logarithm of the running sum of ``exp(x)`` along `axis`: floating or complex; same shape and dtype.

    In float64 and relative to the maximum, where the values lie near enough for that to be accurate (0.2 of
    logaddexp.accumulate's time); by logaddexp.accumulate elsewhere.
    """
    if not x.size or not x.ndim:
        return x.copy()
    if x.dtype.kind == "c":
        return _complex_logcumsumexp(x, axis)
    top = x.max(axis, keepdims=True)
    # The error is 1e-16 of the spread: none for the narrow types, and small if the spread is.
    if not np.all(top - x.min(axis, keepdims=True) <= (16 if x.dtype.char == "d" else 600)):
        return np.logaddexp.accumulate(x, axis, np.float64).astype(x.dtype, copy=False)
    terms = np.subtract(x, top, dtype=np.float64)
    np.exp(terms, out=terms)
    np.cumsum(terms, axis, out=terms)
    np.log(terms, out=terms)
    terms += top
    return terms.astype(x.dtype, copy=False)


def _of_few_rows(x: Array, axis: int) -> tuple[Array, Array] | None:
    """``exp(x)`` as rows along `axis` and their sums, where that takes few calls and needs no maximum; else None.

    At this size holding warnings back costs as much as the work, so it is made sure that there are none.
    """
    if not 0 < x.size <= _FEW or x.ndim == 0 or (axis != -1 and axis != x.ndim - 1) or x.dtype.kind != "f":
        return None
    if not x.item(x.argmax()) <= _CALM:  # also for NaN
        return None
    e = np.exp(x.reshape(-1, x.shape[-1]))
    sums = np.add.reduce(e, 1)
    return (e, sums) if sums.item(sums.argmin()) >= _LOWEST else None


def _complex_logcumsumexp(x: Array, axis: int) -> Array:
    """The larger real part comes out of each logarithm, with its imaginary part, as in PyTorch."""
    out = np.moveaxis(x.copy(), axis, 0)
    for k in range(1, len(out)):
        swapped = out[k].real < out[k - 1].real
        top, other = np.where(swapped, out[k - 1], out[k]), np.where(swapped, out[k], out[k - 1])
        out[k] = top + np.log1p(np.exp(other - top))
    return np.moveaxis(out, 0, axis)


def _repair(source: Array, out: Array, rows: Array) -> None:
    """The logarithms of softmax of some rows again, relative to the maximum of each."""
    if rows.size:
        z = source[rows]
        z -= z.max(1, keepdims=True)
        out[rows] = z - np.log(_totals(np.exp(z)))


def _exponentials(source: Array, out: Array, highest: float) -> tuple[Array | None, Array]:
    """Fill `out` with exp(source - top); return top, None for zero, and the sums of `out` along axis 1. It is real."""
    if source.dtype.kind == "c":
        top = source.real.max(1, keepdims=True)
        return top, _totals(np.exp(source - top, out=out))
    total = _totals(np.exp(source, out=out))
    if total.min() >= _LOWEST and total.max() <= highest:
        return None, total
    top = source.max(1, keepdims=True)
    return top, _totals(np.exp(source - top, out=out))


def _totals(terms: Array) -> Array:
    if terms.ndim == 2:
        return reduce.sum_rows(terms)[:, np.newaxis]
    return np.add.reduce(terms, 1, keepdims=True)


def _blocks(x: Array, out: Array, axis: int) -> Iterator[tuple[Array, Array]]:
    """Yield blocks of `x` and of `out` that hold whole rows along axis 1, two- or three-dimensional.

    `out` is contiguous and has the shape of `x`, or one with a length of 1 along `axis`.
    """
    if not x.size:
        return
    if x.ndim == 0:
        x, out, axis = x.reshape(1), out.reshape(1), 0
    (axis,) = reduce.normalised(axis, x.ndim)
    n, outer, inner = x.shape[axis], prod(x.shape[:axis]), prod(x.shape[axis + 1 :])
    source, target = x.reshape(outer, n, inner), out.reshape(outer, out.shape[axis], inner)
    if inner == 1:
        source, target = source[:, :, 0], target[:, :, 0]
    if n * inner <= _BLOCK or inner == 1:
        step = max(1, _BLOCK // (n * inner))
        for start in range(0, outer, step):
            yield source[start : start + step], target[start : start + step]
        return
    step = max(64, _BLOCK // n)
    for row in range(outer):
        for start in range(0, inner, step):
            part = np.s_[row : row + 1, :, start : start + step]
            yield source[part], target[part]
