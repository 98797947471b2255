"""The Array API standard's names for the operations that rules run on when a walk is recorded.

Rules see operands of one dtype, so nothing here promotes: each name is a row, or a thin composite of rows. Where a row
already has a name of the standard's (``sum``, ``where``, ``exp`` ...), that is the one.
"""

from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np

from gradkit import creation
from gradkit.engine import modes
from gradkit.engine.device import CPU
from gradkit.engine.operands import tensor_xp
from gradkit.engine.tensor import Tensor
from gradkit.ops import shaping
from gradkit.primitives.shape import axis_from_end

#: The standard's (and NumPy's) spelling, and the row's where it is another.
SPELLINGS = {
    "add": "add", "subtract": "sub", "multiply": "mul", "divide": "div", "negative": "neg", "equal": "eq",
    "not_equal": "ne", "less": "lt", "less_equal": "le", "greater": "gt", "greater_equal": "ge", "power": "pow",
    "arccos": "acos", "arccosh": "acosh", "arcsin": "asin", "arcsinh": "asinh", "arctan": "atan", "arctan2": "atan2",
    "arctanh": "atanh", "bitwise_invert": "bitwise_not", "invert": "bitwise_not", "permute_dims": "permute",
    "max": "amax", "min": "amin", "conjugate": "conj",
}


def made_beside(make: Callable[..., Tensor], **defaults: Any) -> Callable[..., Tensor]:
    """A constructor for rules: they make arrays on the device of their operands, whatever the user's default is."""

    def made(*args: Any, device: Any = None, **params: Any) -> Tensor:
        return make(*args, device=device or modes.local.beside or CPU, **{**defaults, **params})

    return made


def asarray(x: Any, *, dtype: Any = None, copy: bool | None = None) -> Tensor:
    y = creation.as_tensor(x) if dtype is None else creation.as_tensor(x, dtype=dtype)
    return tensor_xp.clone(y) if copy and y is x else y


def concat(arrays: Any, *, axis: int = 0) -> Tensor:
    return tensor_xp.cat(*arrays, axis=axis_from_end(arrays[0], axis))


def stack(arrays: Any, *, axis: int = 0) -> Tensor:
    return tensor_xp.stack_all(*arrays, axis=axis_from_end(arrays[0], axis, extra=1))


def matrix_transpose(x: Tensor) -> Tensor:
    return shaping.transpose(x, -2, -1)


def pow(x1: Any, x2: Any) -> Tensor:
    if isinstance(x2, int | float):
        return tensor_xp.pow_scalar(x1, exponent=x2)
    return tensor_xp.row_pow(x1, x2)


def supply() -> None:
    """Give the standard's names to the namespace that recorded rules run on."""
    for name, row in SPELLINGS.items():
        setattr(tensor_xp, name, getattr(tensor_xp, row))
    tensor_xp.row_pow = tensor_xp.pow
    composites = {
        "arange": made_beside(creation.arange), "asarray": asarray, "broadcast_to": shaping.broadcast_to, "concat": concat,
        "concatenate": concat, "empty": made_beside(creation.empty), "expand_dims": shaping.unsqueeze, "eye": made_beside(creation.eye),
        "full": made_beside(creation.full), "full_like": creation.full_like, "linspace": made_beside(creation.linspace),
        "matrix_transpose": matrix_transpose, "moveaxis": shaping.movedim, "ones": made_beside(creation.ones, dtype=np.float64),
        "ones_like": creation.ones_like, "pow": pow, "power": pow, "squeeze": shaping.squeeze, "stack": stack,
        "swapaxes": shaping.swapaxes, "zeros": made_beside(creation.zeros, dtype=np.float64), "zeros_like": creation.zeros_like,
    }
    for name, function in composites.items():
        setattr(tensor_xp, name, function)
    type(tensor_xp).__getattr__ = on_demand


def on_demand(_namespace: Any, name: str) -> Any:
    """What no row has, and rules seldom want: the function of `gradkit.numpy`."""
    if name.startswith("__"):
        raise AttributeError(name)
    try:
        found = getattr(import_module("gradkit.numpy"), name)
    except AttributeError:
        raise AttributeError(f"neither a primitive nor a function of gradkit.numpy is called {name!r}") from None
    setattr(tensor_xp, name, found)
    return found


supply()
