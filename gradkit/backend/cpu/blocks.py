"""Elementwise kernels of many passes, run block by block so that their temporaries stay in cache."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Kernel = Callable[[Array, Array], object]

# A call into NumPy costs about as much as 3000 elements of work, and a kernel keeps up to a dozen temporaries of a
# block's size, which should fit in the second-level cache. Not a power of two: rows of a table of blocks would then
# compete for the same cache sets (0.9 of the time for float64 erf).
BLOCK_BYTES = 64_000


def blockwise(x: Array, single: Kernel, double: Kernel) -> Array:
    """Return the array that ``kernel(block, out)`` fills from `x`, block by block, in the dtype and shape of `x`.

    `single` gets float32 blocks, `double` float64 ones; float16 goes through `single`. Both arguments of a kernel are
    contiguous and one-dimensional; it must not write to the first. A 0-d input gives a NumPy scalar, as ufuncs do.
    Floating-point warnings are off inside: kernels meet infinities on their way to right answers.

    Raises TypeError where `x` is not float16, float32 or float64.
    """
    x = np.asarray(x)
    if x.flags.f_contiguous and x.ndim > 1:
        return blockwise(x.T, single, double).T if not x.flags.c_contiguous else _run(x, single, double)
    return _run(x, single, double)


@np.errstate(all="ignore")
def _run(x: Array, single: Kernel, double: Kernel) -> Array:
    kind = x.dtype.char
    if kind not in "efd":
        raise TypeError(f"expected an array of float16, float32 or float64, got {x.dtype}")
    kernel = double if kind == "d" else single
    flat = x.reshape(-1)
    out = np.empty(flat.size, x.dtype)
    step = BLOCK_BYTES // (8 if kind == "d" else 4)
    for start in range(0, flat.size, step):
        source, target = flat[start : start + step], out[start : start + step]
        if kind == "e":
            wide = np.empty(source.size, np.float32)
            kernel(source.astype(np.float32), wide)
            target[:] = wide
        else:
            kernel(source, target)
    return out.reshape(x.shape)[()]
