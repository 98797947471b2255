"""Which numbers the real dtypes hold, bfloat16 included, which numpy.finfo does not know."""

from __future__ import annotations

import functools
import sys
import warnings
from typing import Any

import numpy as np

#: Significant bits and largest value of the floating dtypes, by name.
_FLOATS = {
    "float16": (11, 65504.0),
    "bfloat16": (8, (2 - 2**-7) * 2.0**127),
    "float32": (24, (2 - 2**-23) * 2.0**127),
    "float64": (53, sys.float_info.max),
}


@functools.cache
def float_facts(dtype: np.dtype[Any], what: str, error: type[Exception] = NotImplementedError) -> tuple[int, float]:
    """Significant bits and largest value of a floating dtype; `what` takes no other."""
    if dtype.name not in _FLOATS:
        raise error(f"{what} takes a floating dtype, not {dtype.name}")
    return _FLOATS[dtype.name]


@functools.cache
def integer_bounds(dtype: np.dtype[Any], what: str, error: type[Exception] = NotImplementedError) -> tuple[int, int]:
    """The least and the greatest integer that a real dtype reaches to; `what` takes no other."""
    if dtype.name in _FLOATS:
        largest = int(_FLOATS[dtype.name][1])
        return -largest, largest
    if dtype.kind == "b":
        return 0, 1
    if dtype.kind not in "iu":
        raise error(f"{what} takes a boolean, integer or floating dtype, not {dtype.name}")
    facts = np.iinfo(dtype)
    return facts.min, facts.max


def held_bounds(low: int, high: int, dtype: np.dtype[Any]) -> tuple[int, int]:
    """Bounds moved inwards to numbers that a floating dtype holds, where rounding would cross them; warns there."""
    digits, _ = _FLOATS[dtype.name]
    if -(2**digits) <= low and high - 1 <= 2**digits:
        return low, high
    warnings.warn(
        f"{dtype.name} does not hold all integers from [{low}, {high}), only those from [-2**{digits}, 2**{digits}]; "
        "draw them as int64",
        stacklevel=3,
    )
    rounded_low, rounded_high = int(dtype.type(low + 1)), int(dtype.type(high - 1))
    if rounded_low < low:
        low = rounded_low + 2 ** ((low + 1).bit_length() - digits)
    if rounded_high >= high:
        high = rounded_high - 2 ** ((high - 1).bit_length() - digits)
    return low, high


def rounded(numbers: np.ndarray[Any, Any], dtype: np.dtype[Any]) -> np.ndarray[Any, Any]:
    """Numbers in another dtype; 16-bit floats by way of float32, as in PyTorch."""
    if dtype.itemsize == 2 and dtype.kind not in "iu":
        numbers = numbers.astype(np.float32, copy=False)
    return numbers.astype(dtype, copy=False)
