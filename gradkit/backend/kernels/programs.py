"""Programs of rows of the package (see `gradkit.primitives.fusible`) that run in one kernel, most along the last axis.

Each declines, by answering NotImplemented, what it does not serve: then the program itself runs.
"""

from collections.abc import Callable
from functools import partial
from math import prod
from typing import Any

import numpy as np

from gradkit.backend.kernels.compiler import Compiler
from gradkit.backend.kernels.elementwise import SUMMED_IN, TYPES
from gradkit.backend.kernels.layout import SMALL, THREADS, VECTOR, block_count, packed, power_of_two

#: The kernel files, one for each program, and the suffixes of the kernels in them.
ROWWISE = {
    "log_softmax_forward": ("<T>",), "log_softmax_vjp": ("<T>",), "softmax_forward": ("<T>",), "softmax_vjp": ("<T>",),
    "cross_entropy_forward": ("<T>",), "cross_entropy_vjp": ("<T>",),
    "layer_norm_forward": ("<T>",), "layer_norm_vjp": ("<T>", "_columns<T>"), "dropout_forward": ("<T>",),
    "rms_norm_forward": ("<T>",), "rms_norm_vjp": ("<T>", "_columns<T>"), "standardize_forward": ("<T>",), "standardize_vjp": ("<T>",),
    "batch_norm_forward": ("<T>", "_moments<T>"), "batch_norm_vjp": ("<T>", "_sums<T>"),
    "batch_norm_eval_forward": ("<T>",), "batch_norm_eval_vjp": ("<T>",),
}
TILE = 32  # columns that a block sums, as in row_norm.cuh
NONE_IGNORED = -(2**63)  # a target that no row has


class Programs:
    def __init__(self, compiler: Compiler) -> None:
        self.compiler, self.cupy = compiler, compiler.cupy
        self._counting = self.cupy.ReductionKernel(
            "int64 target, int64 ignored", "T count", "(double)(target != ignored)", "a + b", "count = a", "0",
            "gradkit_counted", reduce_type="double",
        )

    def fused(self) -> dict[str, Callable[..., Any]]:
        alike = {
            **dict.fromkeys(("softmax_forward", "log_softmax_forward", "softmax_vjp", "log_softmax_vjp"), self.along_rows),
            **dict.fromkeys(("layer_norm_forward", "rms_norm_forward", "standardize_forward"), self.normed),
            **dict.fromkeys(("layer_norm_vjp", "rms_norm_vjp"), self.norm_vjp),
        }
        own = {f"fused_{name}": getattr(self, name) for name in (*ROWWISE, "statistics_moved") if name not in alike}
        return own | {f"fused_{name}": partial(run, name) for name, run in alike.items()}

    def along_rows(self, name: str, *operands: Any, axis: int) -> Any:
        return self.like(operands[0], name, operands) if axis == -1 and self.serves(*operands) else NotImplemented

    def like(self, x: Any, name: str, operands: tuple[Any, ...], *rest: Any, length: int = 0) -> Any:
        y = self.cupy.empty(x.shape, x.dtype)
        return y if self.launch(name, x, length or x.shape[-1], (*operands, y), *rest) else NotImplemented

    def cross_entropy_forward(
        self, x: Any, target: Any, *, axis: int, rank: int, ignore_index: int | None, reduction: str
    ) -> Any:
        if not self.serves_classes(x, target, axis, rank):
            return NotImplemented
        ignored = NONE_IGNORED if ignore_index is None else ignore_index
        alone, tickets = reduction == "none", self.compiler.tickets
        y = self.cupy.empty(x.shape[:-1] if alone else (), x.dtype)
        parts = 0 if alone else self.cupy.empty(2 * tickets.most(), SUMMED_IN[TYPES[x.dtype.name]])
        rest = np.int64(ignored), np.int32(reduction == "mean"), parts, tickets.here()
        return y if self.launch("cross_entropy_forward", x, x.shape[-1], (x, target, y), *rest) else NotImplemented

    def cross_entropy_vjp(
        self, d: Any, x: Any, target: Any, *, axis: int, rank: int, ignore_index: int | None, reduction: str
    ) -> Any:
        if not self.serves_classes(x, target, axis, rank) or d.dtype != x.dtype or (d.ndim and not d.flags.c_contiguous):
            return NotImplemented
        count: Any = self.counted(x, target, ignore_index) if reduction == "mean" else 0
        ignored = NONE_IGNORED if ignore_index is None else ignore_index
        return self.like(x, "cross_entropy_vjp", (d, x, target), np.int64(ignored), np.int32(d.ndim > 0), count)

    def counted(self, x: Any, target: Any, ignore_index: int | None) -> Any:
        """How many rows have a loss, in one element of what the dtype of `x` is computed in."""
        dtype = SUMMED_IN[TYPES[x.dtype.name]]
        if ignore_index is None:
            return self.cupy.full((), target.size, dtype)
        count = self.cupy.empty((), dtype)
        return self._counting(target, np.int64(ignore_index), count)

    def normed(self, name: str, x: Any, *weights: Any, axis: tuple[int, ...], eps: float) -> Any:
        if not self.serves_normalised(x, axis, *weights):
            return NotImplemented
        return self.like(x, name, (x, *weights), np.float64(eps), length=prod(x.shape[axis[0] :]))

    def standardize_vjp(self, d: Any, x: Any, *, axis: tuple[int, ...], eps: float) -> Any:
        if not self.serves_normalised(x, axis) or not self.serves(x, d):
            return NotImplemented
        return self.like(x, "standardize_vjp", (d, x), np.float64(eps), length=prod(x.shape[axis[0] :]))

    def norm_vjp(self, name: str, d: Any, x: Any, w: Any, *, axis: tuple[int, ...], eps: float) -> Any:
        """The cotangents of x and of what is added up over rows: w, and b where there is one."""
        if not self.serves_normalised(x, axis, w) or not self.serves(x, d):
            return NotImplemented
        dtype = SUMMED_IN[TYPES[x.dtype.name]]
        w_ct, *b_ct = [self.cupy.empty_like(w) for _ in range(1 + (name == "layer_norm_vjp"))]
        length, most = w.size, self.compiler.tickets.most()
        count, tiles = x.size // length, -(-length // TILE)
        chunks = max(1, min(most // tiles, -(-count * TILE // (4 * THREADS))))
        moments, parts = self.cupy.empty((count, 2), dtype), self.cupy.empty((2, chunks, length), dtype)
        columns = self.function(name, x, "_columns")
        y = columns and self.like(x, name, (d, x, w, moments), np.float64(eps), length=length)
        if y is None or y is NotImplemented:
            return NotImplemented
        sizes = np.int64(count), np.int32(length)
        columns((tiles, chunks), (THREADS,), (d, x, moments, w_ct, *(b_ct or (0,)), *sizes, parts, self.compiler.tickets.here()))
        return [y, w_ct, *b_ct]

    def batch_norm_forward(self, x: Any, w: Any, b: Any, *, axis: tuple[int, ...], eps: float) -> Any:
        moments = self.moments(x, axis, eps) if self.serves_channels(x, axis, w, b) else None
        if moments is None:
            return NotImplemented
        length, channels = rows_of_channels(x)
        return self.like(x, "batch_norm_forward", (x, w, b, moments), channels, length=length)

    def batch_norm_vjp(self, d: Any, x: Any, w: Any, *, axis: tuple[int, ...], eps: float) -> Any:
        serves = self.serves_channels(x, axis, w) and self.serves(x, d)
        sums, moments = serves and self.function("batch_norm_vjp", x, "_sums"), serves and self.moments(x, axis, eps)
        if not serves or sums is None or moments is None:
            return NotImplemented
        w_ct, b_ct = self.cupy.empty_like(w), self.cupy.empty_like(w)
        found = self.cupy.empty((w.size, 3), moments.dtype)
        self.over_channels(sums, (x, d), (d, x, w_ct, b_ct, moments, found))
        length, channels = rows_of_channels(x)
        rest = channels, np.int64(x.size // w.size)
        y = self.like(x, "batch_norm_vjp", (d, x, w, moments, found), *rest, length=length)
        return y if y is NotImplemented else [y, w_ct, b_ct]

    def batch_norm_eval_forward(
        self, x: Any, w: Any, b: Any, mean: Any, var: Any, *, axis: tuple[int, ...], eps: float
    ) -> Any:
        if not self.serves_channels(x, axis, w, b, mean, var):
            return NotImplemented
        length, channels = rows_of_channels(x)
        return self.like(x, "batch_norm_eval_forward", (x, w, b, mean, var), channels, np.float64(eps), length=length)

    def batch_norm_eval_vjp(
        self, d: Any, x: Any, w: Any, mean: Any, var: Any, *, axis: tuple[int, ...], eps: float
    ) -> Any:
        serves = self.serves_channels(x, axis, w, mean, var) and self.serves(x, d)
        kernel = self.function("batch_norm_eval_vjp", x) if serves else None
        if kernel is None:
            return NotImplemented
        found = [self.cupy.empty(x.shape, x.dtype), *[self.cupy.empty_like(w) for _ in range(4)]]
        self.over_channels(kernel, (x, d, found[0]), (d, x, w, mean, var, *found), np.float64(eps))
        return found

    def statistics_moved(self, x: Any, mean: Any, var: Any, *, axis: tuple[int, ...], momentum: float) -> Any:
        """None when it is done."""
        there = [s for s in (mean, var) if s is not None]
        if not self.serves_channels(x, axis, *there):
            return NotImplemented
        found = self.moments(x, axis, 0, 0 if mean is None else mean, 0 if var is None else var, momentum)
        return NotImplemented if found is None else None

    def moments(self, x: Any, axis: tuple[int, ...], eps: float, mean: Any = 0, var: Any = 0, momentum: float = 0) -> Any:
        """Mean and 1 / sqrt(variance + eps) of each channel; running statistics move towards mean and variance."""
        kernel = self.function("batch_norm_forward", x, "_moments")
        if kernel is None:
            return None
        found = self.cupy.empty((x.shape[1], 2), SUMMED_IN[TYPES[x.dtype.name]])
        self.over_channels(kernel, (x,), (x, found, mean, var), np.float64(eps), np.float64(momentum))
        return found

    def over_channels(self, kernel: Any, touched: tuple[Any, ...], arrays: tuple[Any, ...], *rest: Any) -> None:
        """Run a kernel that merges three numbers over each channel of what it touches."""
        x, most = touched[0], self.compiler.tickets.most()
        channels, inner = x.shape[1], prod(x.shape[2:])
        count = x.size // channels
        wide = inner * x.itemsize % VECTOR == 0 and not any([a.data.ptr % VECTOR for a in touched])
        across = TILE if inner == 1 else 1
        tiles = -(-channels // across)
        terms = count * x.itemsize // VECTOR if wide else count
        chunks = max(1, min(most // tiles, -(-terms * across // (4 * THREADS))))
        parts = self.cupy.empty((chunks, channels, 3), SUMMED_IN[TYPES[x.dtype.name]])
        how = packed("qiiii", count, channels, inner, across, wide)
        kernel((tiles, chunks), (THREADS,), (*arrays, how, *rest, parts, self.compiler.tickets.here()))

    def dropout_forward(self, x: Any, *, mask: Any, lead: int) -> Any:
        function = self.function("dropout_forward", x) if not lead and self.serves(x) and isinstance(mask, tuple) else None
        if function is None:
            return NotImplemented
        y, (_, seed, start, p, value) = self.cupy.empty(x.shape, x.dtype), mask
        grid = block_count(-(-x.nbytes // VECTOR), self.compiler.tickets.most())
        numbers = np.int64(x.size), np.uint64(seed), np.uint64(start), np.float64(p), np.float64(value)
        function((grid,), (THREADS,), (x, y, *numbers))
        return y

    # -- launching
    def serves(self, *operands: Any) -> bool:
        x = operands[0]
        return all([
            type(a) is self.cupy.ndarray and a.dtype == x.dtype and a.shape == x.shape and a.flags.c_contiguous
            for a in operands
        ]) and x.dtype.name in TYPES and x.ndim > 0 and x.size > 0 and x.shape[-1] < 2**31

    def serves_classes(self, x: Any, target: Any, axis: int, rank: int) -> bool:
        """One target for each row, and one sample, which has all the rows."""
        if axis != -1 or x.ndim != rank or not self.serves(x):
            return False
        return target.dtype == np.int64 and target.shape == x.shape[:-1] and bool(target.flags.c_contiguous)

    def serves_normalised(self, x: Any, axis: tuple[int, ...], *weights: Any) -> bool:
        """The last axes, and weights along all of them."""
        if axis != tuple(range(-len(axis), 0)) or not self.serves(x):
            return False
        return all([w.shape == x.shape[axis[0] :] and w.dtype == x.dtype and w.flags.c_contiguous for w in weights])

    def serves_channels(self, x: Any, axis: tuple[int, ...], *weights: Any) -> bool:
        """All axes but the second, and weights along that one."""
        if x.ndim < 2 or axis != (-x.ndim, *range(2 - x.ndim, 0)) or not self.serves(x) or prod(x.shape[1:]) >= SMALL:
            return False
        return all([w.size == x.shape[1] and w.dtype == x.dtype and w.flags.c_contiguous for w in weights])

    def function(self, name: str, x: Any, suffix: str = "") -> Any:
        return self.compiler.function(name, f"gradkit_{name}{suffix}<{TYPES[x.dtype.name]}>")

    def launch(self, name: str, x: Any, length: int, arrays: tuple[Any, ...], *rest: Any) -> bool:
        """False if the kernel does not compile."""
        function = self.function(name, x)
        if function is None:
            return False
        count = x.size // length
        width = power_of_two(min(THREADS, max(8, -(-length * x.itemsize // VECTOR))))
        blocks = min(self.compiler.tickets.most(), -(-count * width // THREADS))
        function((blocks,), (THREADS,), (*arrays, packed("qii", count, length, width), *rest))
        return True


def rows_of_channels(x: Any) -> tuple[int, Any]:
    """How long the rows are that a kernel takes, and of how many channels one after another, 0 where these are the columns."""
    inner = prod(x.shape[2:])
    return (x.shape[1], np.int32(0)) if inner == 1 else (inner, np.int32(x.shape[1]))
