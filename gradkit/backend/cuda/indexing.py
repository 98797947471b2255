"""Gathering by index and its transposes.

An index out of bounds reads or writes some other place of the array: to find it would be to wait for the device. Where
several values are put into one place, one of them stays; where they are added up, they are added in any order, unless
`gradkit.backend.kernels.scattering` does it.
"""

from math import prod as product
from typing import Any

import numpy as np

from gradkit.backend.cuda.compiling import elementwise

__all__ = ["add_into", "fold_along", "index_add", "put_along", "read_along", "sum_along"]

# What atomics do not add in its own dtype, and half precision and bfloat16, which are rounded once, at the end.
_WIDER = {"e": "f", "E": "f", "?": "i", "b": "i", "h": "i", "B": "I", "H": "I"}

# The place in `part` of element i of `index`, which has `count` entries along an axis of `extent`.
_PLACE = (
    "const long long left = index % extent, wrapped = left < 0 ? left + extent : left;"
    "const long long place = (i / (count * inner) * extent + wrapped) * inner + i % inner;"
)
_SIZES = "int64 extent, int64 count, int64 inner"


def beside(x: Any, shape: Any, axis: int) -> tuple[Any, tuple[int, int, int]]:
    """The part of `x` that an index of a shape can reach along `axis`, and the sizes that `_PLACE` reads."""
    axis %= x.ndim
    if not x.shape[axis] and 0 not in shape:
        raise IndexError(f"index out of bounds for axis {axis} of size 0")
    part = x[tuple([slice(None) if a == axis else slice(n) for a, n in enumerate(shape)])]
    inner = 1
    for n in shape[axis + 1 :]:
        inner *= n
    return part, (part.shape[axis], shape[axis], inner)


def read_along(cp: Any, x: Any, index: Any, axis: int) -> Any:
    """``x[..., index[i, ...], ...]`` with `index` along `axis`, every other axis at its own position."""
    part, sizes = beside(x, index.shape, axis)
    kernel = elementwise(cp, "read_along", f"raw T part, S index, {_SIZES}", "T y", f"{_PLACE} y = part[place]")
    return kernel(part, index, *sizes)


def sum_along(cp: Any, shape: Any, index: Any, values: Any, axis: int) -> Any:
    """Zeros of `shape` with `values` added where `read_along` with the same `index` would read."""
    out = cp.zeros(shape, _WIDER.get(values.dtype.char, values.dtype))
    index = cp.broadcast_to(index, values.shape)
    if out.dtype.kind == "c":
        pairs = [(out.real, values.real), (out.imag, values.imag)]
    else:
        pairs = [(out, values.astype(out.dtype, copy=False))]
    kernel = elementwise(cp, "sum_along", f"S index, T value, {_SIZES}", "raw T part", f"{_PLACE} atomicAdd(&part[place], value)")
    for target, source in pairs:
        part, sizes = beside(target, values.shape, axis)
        kernel(index, source, *sizes, part)
    return out.astype(values.dtype, copy=False)


def put_along(cp: Any, out: Any, index: Any, values: Any, axis: int) -> Any:
    """Write `values` into `out` where `read_along` with the same `index` would read, and return `out`."""
    part, sizes = beside(out, index.shape, axis)
    if hasattr(values, "astype"):
        values = cp.broadcast_to(values.astype(out.dtype, copy=False), index.shape)
    else:
        values = out.dtype.type(values)
    kernel = elementwise(cp, "put_along", f"S index, T value, {_SIZES}", "raw T part", f"{_PLACE} part[place] = value")
    kernel(index, values, *sizes, part)
    return out


# A nan stays, and replaces what is there.
_FOLDS = {
    "maximum": "old != old || old >= value ? old : value",
    "minimum": "old != old || old <= value ? old : value",
    "multiply": "old * value",
}
_FOLD = """{place} typedef {word} W; W* word = (W*)&part[place]; W seen = *word, before;
do {{
    before = seen;
    const T old = *(T*)&before, fresh = {fold};
    seen = atomicCAS(word, before, *(W*)&fresh);
}} while (seen != before)"""


def fold_along(cp: Any, z: Any, index: Any, values: Any, axis: int, how: str) -> None:
    """Fold `values` by "maximum", "minimum" or "multiply" into `z` where `read_along` with the same `index` would read.

    TypeError for complex128, of which the device compares and exchanges no element in one go.
    """
    if z.itemsize > 8:
        raise TypeError(f"{how} into places of a {z.dtype} array is impossible on cuda; use complex64, or .cpu()")
    if z.itemsize < 4:
        wide = z.astype(_WIDER[z.dtype.char])
        fold_along(cp, wide, index, values.astype(wide.dtype), axis, how)
        z[...] = wide
        return
    part, sizes = beside(z, index.shape, axis)
    word = "unsigned int" if z.itemsize == 4 else "unsigned long long"
    body = _FOLD.format(place=_PLACE, word=word, fold=_FOLDS[how])
    elementwise(cp, f"fold_{how}", f"S index, T value, {_SIZES}", "raw T part", body)(
        index, cp.broadcast_to(values, index.shape), *sizes, part
    )


# -- where rows go
def places_along(cp: Any, index: Any, extent: int, axis: int) -> Any:
    """The flat place of each element of an index along an axis of `extent`, other axes being as long as the index's."""
    _, sizes = beside(index, index.shape, axis)
    kernel = elementwise(cp, "places_along", f"S index, {_SIZES}", "int64 y", f"{_PLACE} y = place")
    return kernel(index, extent, *sizes[1:]).reshape(-1)


def places_in(cp: Any, shape: tuple[int, ...], key: Any) -> tuple[Any, int, int] | None:
    """The places that a key of index arrays, and full slices, reads: numbers within the axes from a first to a last.

    Those of a single array are as they stand, not wrapped; where slices stand between arrays, they are numbers within all
    axes. None if the key has anything else.
    """
    entries = key if isinstance(key, tuple) else (key,)
    arrays = [(a, e) for a, e in enumerate(entries) if not isinstance(e, slice)]
    if not arrays or any([getattr(e, "dtype", np.dtype("O")).kind not in "iu" for _, e in arrays]):
        return None
    first, last = arrays[0][0], arrays[-1][0] + 1
    if any([isinstance(e, slice) and e != slice(None) for e in entries]):
        return None
    if len(arrays) < last - first:
        return cp.arange(product(shape)).reshape(shape)[key], 0, len(shape)
    if len(arrays) == 1:
        return arrays[0][1].astype("q", copy=False), first, last
    places: Any = np.int64(0)
    for a, index in arrays:
        places = wrapped(cp, places, index, shape[a])
    return places, first, last


def wrapped(cp: Any, before: Any, index: Any, extent: int, dtype: str = "int64") -> Any:
    body = "const long long left = index % extent; y = before * extent + (left < 0 ? left + extent : left)"
    return elementwise(cp, f"wrapped_{dtype}", "int64 before, S index, int64 extent", f"{dtype} y", body)(before, index, extent)


# -- any key
def index_add(cp: Any, shape: Any, dtype: Any, key: Any, values: Any) -> Any:
    dtype = cp.dtype(dtype)
    out = cp.zeros(shape, _WIDER.get(dtype.char, dtype))
    entries = key if isinstance(key, tuple) else (key,)
    if any([hasattr(entry, "dtype") and entry.dtype.kind in "iu" and entry.ndim for entry in entries]):
        add_at(cp, out, key, values)
    else:
        out[key] = values  # every place is met once
    return out.astype(dtype, copy=False)


def add_into(cp: Any, z: Any, key: Any, values: Any) -> None:
    if z.dtype.char in _WIDER:
        z += index_add(cp, z.shape, z.dtype, key, values)
    else:
        add_at(cp, z, key, values)


def add_at(cp: Any, z: Any, key: Any, values: Any) -> None:
    values = values.astype(z.dtype, copy=False) if hasattr(values, "astype") else z.dtype.type(values)
    if z.dtype.kind == "c":
        cp.add.at(z.real, key, values.real)
        cp.add.at(z.imag, key, values.imag)
    else:
        cp.add.at(z, key, values)
