"""Gathering by index and its transposes, in which repeated places accumulate.

np.add.at is fast only on one-dimensional arrays, so rows are added through flat places; pairs of real numbers travel as
one complex number, which halves the places (0.14 of add.at's time on rows, 64 float32 each; 0.8 to 1.6 of PyTorch's).
Where scipy.sparse is loaded already, a product with a matrix of ones does it, in a third of that and in the same order
of addition, hence with the same bits.
"""

import sys
from math import prod
from typing import Any

import numpy as np

from gradkit.backend.cpu import Array

# Places in a block of rows.
_BLOCK = 1 << 14
# Elements from which the product with a sparse matrix pays for making the matrix.
_SPARSE = 1 << 13
# Columns from which rows are tested for being distinct, which makes the addition an assignment.
_DISTINCT = 4
_PAIRS = {"f": np.complex64, "d": np.complex128}
_FULL = slice(None)


def index_add(shape: tuple[int, ...], dtype: Any, key: Any, values: Array) -> Array:
    """Zeros of `shape` and `dtype` with `values` added at `key`: the transpose of ``x[key]``.

    `key` is anything NumPy indexes by; `values` has the shape of ``x[key]`` or broadcasts to it. float16 is added in
    float32.

    IndexError where `key` is out of bounds, ValueError where `values` do not broadcast.
    """
    if np.dtype(dtype).char in "eE":
        return index_add(shape, np.float32, key, np.asarray(values, np.float32)).astype(dtype)
    if isinstance(key, np.ndarray) and key.dtype.kind in "iu" and key.ndim:
        return _add_run(shape, 0, 1, [key], np.asarray(values, dtype))
    entries = key if isinstance(key, tuple) else (key,)
    kinds = [_kind(entry) for entry in entries]
    if "integers" not in kinds and kinds.count("mask") < 2:
        out = np.zeros(shape, dtype)
        out[key] = values  # every place is met once
        return out
    values = np.asarray(values, dtype)
    run = _integer_run(entries, kinds, len(shape))
    if run is not None:
        return _add_run(shape, *run, values)
    places = np.arange(prod(shape)).reshape(shape)[key]
    return add_places(shape, places, np.broadcast_to(values, places.shape))


def scatter_add(shape: tuple[int, ...], index: Array, values: Array, axis: int) -> Array:
    """Zeros of `shape` with ``values[i, ...]`` added at position ``index[i, ...]`` along `axis`.

    The transpose of `gather`: other axes keep their position, and may be shorter than those of `shape`. `index`
    broadcasts to the shape of `values`, whose dtype is kept; float16 is added in float32.

    IndexError where `index` is out of bounds.
    """
    if values.dtype.char in "eE":
        return scatter_add(shape, index, values.astype(np.float32), axis).astype(values.dtype)
    axis %= len(shape)
    line = _shared_line(index, axis)
    if line is not None and values.shape[:axis] + values.shape[axis + 1 :] == shape[:axis] + shape[axis + 1 :]:
        return _add_run(shape, axis, axis + 1, [line], values)
    return add_places(shape, _places(shape, np.broadcast_to(index, values.shape), axis), values)


def gather(x: Array, index: Array, axis: int) -> Array:
    """``x[..., index[i, ...], ...]`` with `index` along `axis` and every other axis at its own position.

    The result has the shape of `index`, whose other axes may be shorter than those of `x`. Negative indices count from
    the end. 0.5 to 1.1 of np.take_along_axis's time.

    IndexError where `index` is out of bounds.
    """
    axis %= x.ndim
    return x.reshape(-1).take(_places(x.shape, index, axis))


def put_along(out: Array, index: Array, values: Any, axis: int) -> Array:
    """Write `values` into `out` where `gather` with the same `index` would read, and return `out`.

    `values` broadcast to the shape of `index`. Where a place repeats, one of the values stays.

    IndexError where `index` is out of bounds.
    """
    axis %= out.ndim
    places = _places(out.shape, index, axis)
    if out.flags.c_contiguous:
        out.reshape(-1)[places] = values
    else:
        out.flat[places.reshape(-1)] = np.broadcast_to(values, places.shape).reshape(-1)
    return out


def fold_along(out: Array, index: Array, values: Array, axis: int, how: str) -> None:
    """Fold `values` into `out` where `gather` with the same `index` would read, by the ufunc named `how`.

    IndexError where `index` is out of bounds.
    """
    key: list[Any] = [np.arange(n).reshape(-1, *(1,) * (index.ndim - a - 1)) for a, n in enumerate(index.shape)]
    key[axis] = index
    getattr(np, how).at(out, tuple(key), values)


def segment_sum(values: Array, segments: Array, count: int) -> Array:
    """The (count, ...) sums of the rows of `values` that share a number in the one-dimensional `segments`."""
    return index_add((count, *values.shape[1:]), values.dtype, segments, values)


def add_places(shape: tuple[int, ...], places: Array, values: Array) -> Array:
    """Zeros of `shape` with `values` added at flat `places` of the same shape, which must lie inside."""
    out = np.zeros(shape, values.dtype)
    np.add.at(out.reshape(-1), places.reshape(-1), values.reshape(-1))
    return out


def _kind(entry: Any) -> str:
    if entry is None or entry is Ellipsis or isinstance(entry, (slice, int, np.integer)):
        return "basic" if not isinstance(entry, bool) else "mask"
    array = np.asarray(entry)
    if array.dtype.kind == "b":
        return "mask"
    return "integers" if array.ndim else "basic"


def _integer_run(entries: tuple[Any, ...], kinds: list[str], ndim: int) -> tuple[int, int, list[Array]] | None:
    """Return (start, stop, arrays) for a key of integer arrays at the axes from start to stop, and else full slices."""
    if "integers" not in kinds:
        return None
    first = kinds.index("integers")
    count = kinds.count("integers")
    rest = entries[:first] + entries[first + count :]
    whole = all(e is Ellipsis or (isinstance(e, slice) and e == _FULL) for e in rest)
    if "integers" in kinds[first + count :] or not whole:
        return None
    start = first if Ellipsis not in entries[:first] else ndim - (len(entries) - first)
    return start, start + count, [np.asarray(e) for e in entries[first : first + count]]


def _wrapped(index: Array, n: int) -> Array:
    """`index` with negative entries counted from the end, as intp; raises IndexError out of bounds."""
    index = index.astype(np.intp, copy=False)
    # Read as unsigned, negative numbers are large: one pass finds both kinds of trouble.
    if index.size and index.view(np.uintp).max() >= n:
        if index.min() < -n or index.max() >= n:
            wrong = index[(index < -n) | (index >= n)][0]
            raise IndexError(f"index out of bounds for an axis of size {n}: {wrong}, which is not in [{-n}, {n - 1}]")
        index = index + n * (index < 0)
    return index


def _shared_line(index: Array, axis: int) -> Array | None:
    """The one line of `index` along `axis` if all others repeat it, being broadcast or of length 1."""
    others = [a for a in range(index.ndim) if a != axis]
    if any(index.shape[a] != 1 and index.strides[a] != 0 for a in others) or not index.size:
        return None
    return index[tuple(_FULL if a == axis else 0 for a in range(index.ndim))]


def _places(shape: tuple[int, ...], index: Array, axis: int) -> Array:
    """The flat places in an array of `shape` that `index` along `axis` stands for."""
    places = _wrapped(index, shape[axis]) * prod(shape[axis + 1 :])
    for a, size in enumerate(shape):
        if a != axis and size > 1:
            steps = np.arange(index.shape[a]) * prod(shape[a + 1 :])
            places += steps.reshape(-1, *(1,) * (len(shape) - a - 1))
    return places


def _add_run(shape: tuple[int, ...], start: int, stop: int, arrays: list[Array], values: Array) -> Array:
    """Add `values` at integer `arrays` for the axes from `start` to `stop`, other axes being taken whole."""
    lengths = shape[start:stop]
    index = _wrapped(arrays[0], lengths[0])
    for array, n in zip(arrays[1:], lengths[1:], strict=True):
        index = index * n + _wrapped(array, n)
    before, n, after = prod(shape[:start]), prod(lengths), prod(shape[stop:])
    expected = shape[:start] + index.shape + shape[stop:]
    if values.shape != expected:
        values = np.broadcast_to(values, expected)
    if not values.size:
        return np.zeros(shape, values.dtype)
    index = index.reshape(-1)
    if before > 1:
        index = (np.arange(before)[:, np.newaxis] * n + index).reshape(-1)
    return _add_rows(shape, before * n, index, values.reshape(-1, after))


def _add_rows(shape: tuple[int, ...], n: int, index: Array, values: Array) -> Array:
    """Zeros of `shape`, seen as `n` rows, with rows of `values` added where `index` says; 0 <= index < n."""
    count, width = values.shape
    csc_array = getattr(sys.modules.get("scipy.sparse"), "csc_array", None)
    if csc_array is not None and width > 1 and values.size >= _SPARSE and values.dtype.kind in "fc":
        ones = np.ones(count, values.dtype)
        product: Array = csc_array((ones, index, np.arange(count + 1)), shape=(n, count)) @ values
        return product if product.shape == shape else product.reshape(shape)
    out = np.zeros(shape, values.dtype)
    rows = out.reshape(n, width)
    if width >= _DISTINCT and count <= n:
        met = np.zeros(n, bool)
        met[index] = True
        if np.count_nonzero(met) == count:
            rows[index] = values
            return out
    pair = _PAIRS.get(values.dtype.char)
    if pair is not None and width % 2 == 0:
        _add_flat(rows.view(pair), index, np.ascontiguousarray(values).view(pair))
    else:
        _add_flat(rows, index, values)
    return out


def _add_flat(out: Array, index: Array, values: Array) -> None:
    count, width = values.shape
    flat, step = out.reshape(-1), max(1, _BLOCK // width)
    if width == 1:
        np.add.at(flat, index, values.reshape(-1))
        return
    columns, index = np.arange(width), index * width
    for start in range(0, count, step):
        places = index[start : start + step, np.newaxis] + columns
        np.add.at(flat, places.reshape(-1), values[start : start + step].reshape(-1))
