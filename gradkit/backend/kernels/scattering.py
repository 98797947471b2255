"""Adding rows up where several belong to one place, the same bits each time: the way back of indexing.

The places are sorted on the device by kernels of our own, since CuPy's sort makes the host wait; then each row that comes
out is the sum of those that belong to it, in the order in which they came. What is not served, such as integers, whose
sums do not depend on the order, declines by answering NotImplemented.
"""

from collections.abc import Callable
from math import isqrt, prod
from typing import Any

import numpy as np

from gradkit.backend.cuda.indexing import places_along, places_in, wrapped
from gradkit.backend.kernels.compiler import Compiler
from gradkit.backend.kernels.elementwise import SUMMED_IN, TYPES
from gradkit.backend.kernels.layout import SMALL, THREADS, VECTOR, packed, power_of_two

NAME = "unindex_forward"
FORMS = ("<T>", "_chunks<T>", "_order", "_count", "_place")
FEW = 1 << 13  # entries that one block sorts
CHUNK = 512  # rows that are summed ahead if they have one place, at least


class Scattering:
    """Programs on raw CuPy arrays, as `gradkit.primitives.fusible` says."""

    def __init__(self, compiler: Compiler) -> None:
        self.compiler, self.cupy = compiler, compiler.cupy

    def fused(self) -> dict[str, Callable[..., Any]]:
        names = ("unindex_forward", "ungather_forward", "index_put_forward")
        return {f"fused_{name}": getattr(self, name) for name in names}

    def unindex_forward(self, d: Any, *, shape: Any, key: Any) -> Any:
        return self.sums(d, tuple(shape), key)

    def index_put_forward(self, z: Any, values: Any, *, key: Any) -> Any:
        """Into the array itself: None when it is done."""
        values = values.astype(z.dtype, copy=False) if hasattr(values, "astype") else z.dtype.type(values)
        if type(z) is self.cupy.ndarray and z.flags.c_contiguous:
            found = self.sums(values, z.shape, key, z)
        else:
            found = self.sums(values, z.shape, key)
            if found is not NotImplemented:
                z += found
        return NotImplemented if found is NotImplemented else None

    def ungather_forward(self, d: Any, index: Any, *, shape: Any, axis: int) -> Any:
        if not self.serves(d, shape):
            return NotImplemented
        axis %= d.ndim
        part = (*d.shape[:axis], shape[axis], *d.shape[axis + 1 :])
        index = self.cupy.broadcast_to(index, d.shape)
        if d.size and not any([n > 1 and s for a, (n, s) in enumerate(zip(d.shape, index.strides)) if a != axis]):
            line = index[tuple([slice(None) if a == axis else 0 for a in range(d.ndim)])]  # one for all
            found = self.sums(d, part, (*[slice(None)] * axis, line))
        else:
            places = places_along(self.cupy, index, shape[axis], axis)
            found = self.added(d.reshape(1, -1, 1), places, 1, prod(part), part)
        if found is NotImplemented or part == tuple(shape):
            return found
        out = self.cupy.zeros(shape, d.dtype)
        out[tuple([slice(n) for n in part])] = found
        return out

    def serves(self, values: Any, shape: Any) -> bool:
        return type(values) is self.cupy.ndarray and real(values.dtype).name in TYPES and prod(shape) > 0

    def sums(self, values: Any, shape: tuple[int, ...], key: Any, into: Any = None) -> Any:
        """What ``out[key] += values`` makes of zeros of a shape, or of `into`, which it changes."""
        if not self.serves(values, shape):
            return NotImplemented
        found = places_in(self.cupy, shape, key)
        if found is None:
            return NotImplemented
        places, first, last = found
        seen = (*shape[:first], *places.shape, *shape[last:])
        values = self.cupy.broadcast_to(values, seen).reshape(prod(shape[:first]), places.size, prod(shape[last:]))
        return self.added(values, places.reshape(-1), len(values), prod(shape[first:last]), shape, into)

    def added(self, values: Any, places: Any, outer: int, rows: int, shape: Any, into: Any = None) -> Any:
        """`values` are (outer, count, width), `places` say for their `count` rows to which of `rows` each is added."""
        cupy, parts = self.cupy, real(values.dtype)
        count, width = values.shape[1:]
        width *= values.itemsize // parts.itemsize
        if max(rows, count) >= SMALL:
            return NotImplemented
        out = cupy.empty(shape, values.dtype) if into is None else into
        if not values.size:
            return out if into is not None else zeroed(out)
        kind = TYPES[parts.name]
        function, chunks = [self.compiler.function(NAME, f"gradkit_{NAME}{form}<{kind}>") for form in ("", "_chunks")]
        sort = self.sorted_places(places, rows) if function and chunks else None
        if sort is None:
            return NotImplemented
        values = cupy.ascontiguousarray(values)
        wide = not (width * parts.itemsize % VECTOR or (values.data.ptr | out.data.ptr) % VECTOR)
        columns = width * parts.itemsize // VECTOR if wide else width
        length, most = max(CHUNK, power_of_two(isqrt(count))), self.compiler.tickets.most()
        tile = max(1, min(THREADS, 16 * THREADS // columns, outer * rows // most))
        how = packed("qqiiiiii", outer, rows, width, count, length, tile, wide, into is not None)
        ahead: Any = 0
        if count >= 2 * length:
            ahead = cupy.empty(outer * (count // length) * width, SUMMED_IN[kind])
            chunks((min(most, -(-ahead.size // THREADS)),), (THREADS,), (values, *sort, ahead, how))
        function((min(most, outer * -(-rows // tile)),), (THREADS,), (values, out, *sort, ahead, how))
        return out

    def sorted_places(self, places: Any, rows: int) -> Any:
        cupy, count = self.cupy, places.size
        names = ("_order",) if count <= FEW else ("_count", "_place")
        functions = [self.compiler.function(NAME, f"gradkit_{NAME}{form}") for form in names]
        if None in functions:
            return None
        passes = max(1, -(-(rows - 1).bit_length() // 8))
        buffers = [cupy.empty((2, count), "i") for _ in range(2)]
        moved = [packed("PP", keys.data.ptr, order.data.ptr) for keys, order in buffers]
        if count <= FEW:
            numbers = np.int64(rows), np.int32(count), np.int32(passes)
            functions[0]((1,), (1024,), (cupy.ascontiguousarray(places), *numbers, *moved))
        else:
            self.sort_many(wrapped(cupy, np.int64(0), places, rows, "int32"), passes, buffers, moved, functions)
        keys, order = buffers[1 - passes % 2]
        return order, keys

    def sort_many(self, keys: Any, passes: int, buffers: list[Any], moved: list[Any], functions: list[Any]) -> None:
        count, order = keys.size, 0
        run = max(CHUNK, -(-count // self.compiler.tickets.most()))
        runs = -(-count // run)
        counts, grid = self.cupy.empty(256 * runs, "i"), (-(-runs // 8),)
        sizes = np.int32(count), np.int32(run), np.int32(runs)
        for i in range(passes):
            shift = np.int32(8 * i)
            functions[0](grid, (THREADS,), (keys, *sizes, shift, counts))
            ends = self.cupy.cumsum(counts, dtype="i")
            functions[1](grid, (THREADS,), (keys, order, *sizes, shift, ends, moved[i % 2]))
            keys, order = buffers[i % 2]


def zeroed(out: Any) -> Any:
    out.fill(0)
    return out


def real(dtype: Any) -> Any:
    return np.dtype(f"f{dtype.itemsize // 2}") if dtype.kind == "c" else dtype
