"""Elementwise kernels of many passes, run block by block so that their temporaries stay in cache."""

from collections.abc import Callable

import numpy as np

from gradkit.backend.cpu import Array

Kernel = Callable[[Array, Array], object]

# A call into NumPy costs about as much as 3000 elements of work, and a kernel keeps up to a dozen temporaries of a
# block's size, which should fit in the second-level cache. Not a power of two: rows of a table of blocks would then
# compete for the same cache sets (0.9 of the time for float64 erf).
BLOCK_BYTES = 64_000
# For kernels that work in place and so touch two blocks only.
LARGE_BLOCK_BYTES = 256_000


def in_blocks(kernel: Kernel, x: Array, block_bytes: int = LARGE_BLOCK_BYTES) -> Array:
    """The array that ``kernel(block, out)`` fills from `x`, block by block, in the shape and dtype of `x`.

    Both arguments of the kernel are contiguous and one-dimensional; it must not write to the first. float16 and
    bfloat16 reach it as float32. A 0-d input gives a NumPy scalar, as ufuncs do.
    """
    x = np.asarray(x)
    transposed = x.flags.fnc  # contiguous the other way round
    out = np.empty(x.shape, x.dtype, order="F" if transposed else "C")
    source, target = (x.T.reshape(-1), out.T.reshape(-1)) if transposed else (x.reshape(-1), out.reshape(-1))
    if x.dtype.char in "eE":
        kernel = _narrowed(kernel)
    step = block_bytes // x.itemsize
    if source.size <= step:
        kernel(source, target)
    else:
        for start in range(0, source.size, step):
            kernel(source[start : start + step], target[start : start + step])
    return out if out.ndim else out[()]


@np.errstate(all="ignore")
def blockwise(x: Array, single: Kernel, double: Kernel) -> Array:
    """`in_blocks` of the kernel for the precision of `x`, without floating-point warnings.

    `single` gets float32 blocks, also for float16 and bfloat16, and `double` float64 ones. Warnings are off because
    kernels meet infinities on their way to right answers.

    TypeError where `x` is not float16, bfloat16, float32 or float64.
    """
    kind = np.asarray(x).dtype.char
    if kind not in "eEfd":
        raise TypeError(f"expected an array of float16, bfloat16, float32 or float64, got {np.asarray(x).dtype}")
    return in_blocks(double if kind == "d" else single, x, BLOCK_BYTES)


def widened(kernel: Kernel) -> Kernel:
    """The float32 kernel that computes in float64 by the float64 `kernel`."""

    def single(x: Array, out: Array) -> None:
        wide = np.empty(x.size, np.float64)
        kernel(x.astype(np.float64), wide)
        out[:] = wide

    return single


def _narrowed(kernel: Kernel) -> Kernel:
    def half(x: Array, out: Array) -> None:
        wide = np.empty(x.size, np.float32)
        kernel(x.astype(np.float32), wide)
        out[:] = wide

    return half
