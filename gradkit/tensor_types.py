"""FloatTensor and its like, PyTorch's former names for tensors of one dtype: to make them, and to ask for them."""

from typing import Any

import numpy as np

from gradkit import creation, errors
from gradkit.engine import dtypes
from gradkit.engine.device import Size
from gradkit.engine.operands import tensor_xp
from gradkit.engine.tensor import Tensor

__all__ = [
    "BoolTensor", "ByteTensor", "CharTensor", "DoubleTensor", "FloatTensor", "HalfTensor", "IntTensor", "LongTensor",
    "ShortTensor", "set_default_tensor_type",
]


class _TensorType(type):
    """``FloatTensor([1, 2])`` is the tensor of this data, ``FloatTensor(2, 3)`` one of this size, not filled."""

    dtype: np.dtype[Any]

    def __call__(cls, *args: Any, device: Any = None) -> Tensor:
        return _built(args, cls.dtype, device)

    def __instancecheck__(cls, x: object) -> bool:
        return isinstance(x, Tensor) and x.dtype == cls.dtype


def _built(args: tuple[Any, ...], dtype: Any, device: Any) -> Tensor:
    """The tensor of one sequence or array, or an unfilled one of so many sizes; a tensor is not copied."""
    (only,) = args if len(args) == 1 else (0,)
    if isinstance(only, Size):
        args = tuple(only)
    elif isinstance(only, Tensor) and only.dtype == dtype:
        return tensor_xp.alias(only)
    elif isinstance(only, Tensor | float | complex | bool | str | None):
        raise TypeError(f"new(): expected a sequence of numbers or sizes as data, got {errors.describe(only)}")
    elif not isinstance(only, int | np.integer):
        return creation.tensor(only, dtype=dtype, device=device)
    return creation.empty(args or (0,), dtype=dtype, device=device)


def _made(name: str, dtype: np.dtype[Any]) -> Any:
    doc = f"""Tensors of {dtype.name}: ``{name}(data)``, ``{name}(*sizes)``, ``isinstance(x, {name})``. Write
    ``gradkit.tensor(data, dtype=gradkit.{dtype.name})`` in new programs.

    >>> gradkit.{name}([1, 0]).dtype
    dtype('{dtype.name}')
    """
    return _TensorType(name, (), {"dtype": dtype, "__doc__": doc, "__module__": __name__})


FloatTensor, DoubleTensor = _made("FloatTensor", dtypes.float32), _made("DoubleTensor", dtypes.float64)
HalfTensor, BoolTensor = _made("HalfTensor", dtypes.float16), _made("BoolTensor", dtypes.bool_)
LongTensor, IntTensor = _made("LongTensor", dtypes.int64), _made("IntTensor", dtypes.int32)
ShortTensor, CharTensor = _made("ShortTensor", dtypes.int16), _made("CharTensor", dtypes.int8)
ByteTensor = _made("ByteTensor", dtypes.uint8)


def set_default_tensor_type(t: Any) -> None:
    """Make the dtype of a type, FloatTensor or its name for instance, what Python floats become: `set_default_dtype`.

    TypeError for a type that is not floating, or none.

    >>> gradkit.set_default_tensor_type(gradkit.DoubleTensor)
    >>> gradkit.tensor(1.5).dtype
    dtype('float64')
    >>> gradkit.set_default_tensor_type("gradkit.FloatTensor")
    """
    kind = globals().get(t.rpartition(".")[2]) if isinstance(t, str) else t
    if not isinstance(kind, _TensorType):
        raise TypeError(f"invalid type object: {t!r}; write e.g. gradkit.DoubleTensor, or use set_default_dtype")
    dtypes.set_default_dtype(kind.dtype)
