"""Programs of rows of the package (see `gradkit.primitives.fusible`) that run along the last axis in one kernel.

Each declines, by answering NotImplemented, what it does not serve: then the program itself runs.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from gradkit.backend.kernels.compiler import Compiler
from gradkit.backend.kernels.elementwise import SUMMED_IN, TYPES
from gradkit.backend.kernels.layout import BLOCKS_EACH, THREADS, VECTOR, packed, power_of_two

#: The kernel files, one for each program.
ROWWISE = (
    "log_softmax_forward", "log_softmax_vjp", "softmax_forward", "softmax_vjp", "cross_entropy_forward", "cross_entropy_vjp",
)  # fmt: skip
NONE_IGNORED = -(2**63)  # a target that no row has


class Programs:
    """The programs on raw CuPy arrays."""

    def __init__(self, compiler: Compiler) -> None:
        self.compiler, self.cupy = compiler, compiler.cupy
        self._counting = self.cupy.ReductionKernel(
            "int64 target, int64 ignored", "T count", "(double)(target != ignored)", "a + b", "count = a", "0",
            "gradkit_counted", reduce_type="double",
        )  # fmt: skip

    def fused(self) -> dict[str, Callable[..., Any]]:
        """All of them, as an array namespace offers them."""
        return {f"fused_{name}": getattr(self, name) for name in ROWWISE}

    def softmax_forward(self, x: Any, *, axis: int) -> Any:
        return self.along_rows("softmax_forward", axis, x)

    def log_softmax_forward(self, x: Any, *, axis: int) -> Any:
        return self.along_rows("log_softmax_forward", axis, x)

    def softmax_vjp(self, d: Any, y: Any, *, axis: int) -> Any:
        return self.along_rows("softmax_vjp", axis, d, y)

    def log_softmax_vjp(self, d: Any, y: Any, *, axis: int) -> Any:
        return self.along_rows("log_softmax_vjp", axis, d, y)

    def along_rows(self, name: str, axis: int, *operands: Any) -> Any:
        """A kernel from operands of one shape to an array of that shape."""
        if axis != -1 or not self.serves(*operands):
            return NotImplemented
        y = self.cupy.empty(operands[0].shape, operands[0].dtype)
        return y if self.launch(name, operands[0], (*operands, y)) else NotImplemented

    def cross_entropy_forward(
        self, x: Any, target: Any, *, axis: int, rank: int, ignore_index: int | None, reduction: str
    ) -> Any:
        if not self.serves_classes(x, target, axis, rank):
            return NotImplemented
        losses = self.cupy.empty(x.shape[:-1], x.dtype)
        ignored = NONE_IGNORED if ignore_index is None else ignore_index
        if not self.launch("cross_entropy_forward", x, (x, target, losses), np.int64(ignored)):
            return NotImplemented
        if reduction == "none":
            return losses
        total = losses.sum()
        if reduction == "sum":
            return total
        return (total / self.counted(x, target, ignore_index)).astype(x.dtype, copy=False)

    def cross_entropy_vjp(
        self, d: Any, x: Any, target: Any, *, axis: int, rank: int, ignore_index: int | None, reduction: str
    ) -> Any:
        if not self.serves_classes(x, target, axis, rank) or d.dtype != x.dtype or (d.ndim and not d.flags.c_contiguous):
            return NotImplemented
        count: Any = self.counted(x, target, ignore_index) if reduction == "mean" else 0
        y = self.cupy.empty(x.shape, x.dtype)
        ignored = NONE_IGNORED if ignore_index is None else ignore_index
        rest = np.int64(ignored), np.int32(d.ndim > 0), count
        return y if self.launch("cross_entropy_vjp", x, (d, x, target, y), *rest) else NotImplemented

    def counted(self, x: Any, target: Any, ignore_index: int | None) -> Any:
        """How many rows have a loss, in one element of what the dtype of `x` is computed in."""
        dtype = SUMMED_IN[TYPES[x.dtype.name]]
        if ignore_index is None:
            return self.cupy.full((), target.size, dtype)
        count = self.cupy.empty((), dtype)
        return self._counting(target, np.int64(ignore_index), count)

    # -- launching ---------------------------------------------------------------------------------------------------
    def serves(self, *operands: Any) -> bool:
        x = operands[0]
        return all([
            type(a) is self.cupy.ndarray and a.dtype == x.dtype and a.shape == x.shape and a.flags.c_contiguous
            for a in operands
        ]) and x.dtype.name in TYPES and x.ndim > 0 and x.size > 0 and x.shape[-1] < 2**31  # fmt: skip

    def serves_classes(self, x: Any, target: Any, axis: int, rank: int) -> bool:
        """One target for each row, and one sample, which has all the rows."""
        if axis != -1 or x.ndim != rank or not self.serves(x):
            return False
        return target.dtype == np.int64 and target.shape == x.shape[:-1] and bool(target.flags.c_contiguous)

    def launch(self, name: str, x: Any, arrays: tuple[Any, ...], *rest: Any) -> bool:
        """Run a kernel over the rows of `x`; False if it does not compile."""
        function = self.compiler.function(name, f"gradkit_{name}<{TYPES[x.dtype.name]}>")
        if function is None:
            return False
        length = x.shape[-1]
        count = x.size // length
        width = power_of_two(min(THREADS, max(8, -(-length * x.itemsize // VECTOR))))
        most = BLOCKS_EACH * self.cupy.cuda.Device().attributes["MultiProcessorCount"]
        blocks = min(most, -(-count * width // THREADS))
        function((blocks,), (THREADS,), (*arrays, packed("qii", count, length, width), *rest))
        return True
