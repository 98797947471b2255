"""dtypes under PyTorch's names, and PyTorch's rule for what they promote to."""

from functools import cache
from typing import Any

import numpy as np

__all__ = [
    "bool", "cdouble", "cfloat", "complex64", "complex128", "double", "float", "float16", "float32", "float64",
    "get_default_dtype", "half", "int", "int8", "int16", "int32", "int64", "long", "promote_types", "set_default_dtype",
    "short", "uint8", "uint16", "uint32", "uint64",
]

_bool, _int, _float = bool, int, float  # Python's, before PyTorch's names take their place here

bool = bool_ = np.dtype("bool")
uint8 = np.dtype("uint8")
uint16 = np.dtype("uint16")
uint32 = np.dtype("uint32")
uint64 = np.dtype("uint64")
int8 = np.dtype("int8")
int16 = short = np.dtype("int16")
int32 = int = np.dtype("int32")
int64 = long = np.dtype("int64")
float16 = half = np.dtype("float16")
float32 = float = np.dtype("float32")
float64 = double = np.dtype("float64")
complex64 = cfloat = np.dtype("complex64")
complex128 = cdouble = np.dtype("complex128")

_CATEGORY = {"b": 0, "u": 1, "i": 1, "f": 2, "V": 2, "c": 3}  # "V": bfloat16 of ml_dtypes
_default = float32


def brain_float() -> np.dtype[Any]:
    """bfloat16, which NumPy knows by another package. ModuleNotFoundError without that."""
    try:
        from ml_dtypes import bfloat16
    except ModuleNotFoundError:
        raise ModuleNotFoundError("bfloat16 needs the package ml_dtypes: pip install 'gradkit[bf16]'") from None
    return np.dtype(bfloat16)


def get_default_dtype() -> np.dtype[Any]:
    """The dtype that Python floats become: float32 unless `set_default_dtype` changed it.

    >>> gradkit.get_default_dtype()
    dtype('float32')
    """
    return _default


def set_default_dtype(d: Any) -> None:
    """Make Python floats become dtype `d` from now on, in all threads.

    TypeError for a dtype that is not floating.

    >>> gradkit.set_default_dtype(gradkit.float64)
    >>> gradkit.tensor(1.5).dtype
    dtype('float64')
    >>> gradkit.set_default_dtype(gradkit.float32)
    """
    global _default
    d = known(d)
    if d.kind != "f":
        raise TypeError(f"only floating-point types are supported as the default type, got {d.name}")
    _default = d


def known(d: Any) -> np.dtype[Any]:
    """A dtype that tensors can have, of what `dtype=` names; TypeError for NumPy's others: strings, dates, objects."""
    found = np.dtype(d)
    if found.kind not in "biufc" and found.name != "bfloat16":
        raise TypeError(f"dtype must be one of booleans, integers, floating or complex numbers, not {found.name}")
    return found


def default_complex() -> np.dtype[Any]:
    return complex128 if _default == float64 else complex64


def of_number(value: Any) -> np.dtype[Any]:
    """The dtype a Python number has on its own."""
    kind = type(value)
    if kind is _bool:
        return bool_
    if kind is _int:
        return int64
    return default_complex() if kind is complex else _default


NUMBERS = (_bool, _int, _float, complex)


@cache
def promote_types(type1: Any, type2: Any) -> np.dtype[Any]:
    """The smallest dtype both convert to, by PyTorch's rule: an integer takes a float's dtype, whatever their widths.

    >>> gradkit.promote_types(gradkit.int64, gradkit.float16)
    dtype('float16')
    """
    a, b = np.dtype(type1), np.dtype(type2)
    ca, cb = _CATEGORY[a.kind], _CATEGORY[b.kind]
    if ca != cb and min(ca, cb) < 2 <= max(ca, cb):
        return a if ca > cb else b
    return np.promote_types(a, b)


def result_type(*operands: Any) -> np.dtype[Any]:
    """The dtype of an operation on raw arrays, 0-d arrays and Python numbers together, by PyTorch's rule.

    Arrays with axes decide; a 0-d array, and after it a Python number, changes the result only when its category
    (bool, integer, floating, complex) is higher.
    """
    ranks: list[np.dtype[Any] | None] = [None, None, None]
    for x in operands:
        rank = 2 if not hasattr(x, "dtype") else 1 if x.ndim == 0 else 0
        d = of_number(x) if rank == 2 else x.dtype
        ranks[rank] = d if ranks[rank] is None else promote_types(ranks[rank], d)
    result = None
    for d in ranks:
        if d is not None:
            result = d if result is None else _raised(result, d)
    return _default if result is None else result


@cache
def _raised(high: np.dtype[Any], low: np.dtype[Any]) -> np.dtype[Any]:
    """`high`, unless the category of `low` is above its own."""
    if _CATEGORY[low.kind] <= _CATEGORY[high.kind]:
        return high
    if low.kind == "c":  # a complex number takes the precision of the array it meets
        return np.promote_types(high, complex64) if high.kind == "f" else low
    return low


def is_floating(d: Any) -> _bool:
    return d.kind == "f" or d.kind == "V"


def differentiable(d: Any) -> _bool:
    return d.kind in "fcV"


def floated(d: Any) -> np.dtype[Any]:
    """The dtype in which a function such as exp answers: integers become the default dtype."""
    return d if differentiable(d) else _default


#: Python numbers as 0-d arrays, by dtype and number: NumPy is twice as fast on them as on the numbers.
real_constants: dict[Any, dict[Any, Any]] = {float16: {}, float32: {}, float64: {}}
_other_constants: dict[Any, dict[Any, Any]] = {}


def constant(value: Any, dtype: np.dtype[Any]) -> Any:
    """`value` as a 0-d array, remembered. 0.0 and -0.0 are equal as keys but not as numbers, so they are not."""
    table = real_constants.get(dtype)
    if table is None:
        table = _other_constants.setdefault(dtype, {})
    found = table.get(value)
    if found is None or type(value) is _bool:
        if isinstance(value, str):
            raise TypeError(f"expected a number or a Tensor, not str {value!r}")
        found = np.array(value).astype(dtype) if type(value) is _int and dtype.kind in "iu" else np.array(value, dtype)
        found.flags.writeable = False
        if value and value == value and len(table) < 1024 and type(value) is not _bool:
            table[value] = found
    return found
