"""The array namespace over Tensors: the Array API standard's names and semantics. Recorded rules run on it."""

from typing import Any

import numpy as np

from gradkit import creation
from gradkit.engine.dtypes import constant
from gradkit.engine.tape import tensor_xp
from gradkit.engine.tensor import Tensor, wrap
from gradkit.ops.shaping import broadcast_to as _broadcast_to
from gradkit.primitives import elementwise as rows
from gradkit.primitives.shape import permute, reshape


def zeros(shape: Any, *, dtype: Any = None, device: Any = None) -> Tensor:
    """Zeros; the default dtype is float64, as the standard has it for NumPy.

    >>> import gradkit.numpy as gnp
    >>> gnp.zeros(2).dtype
    dtype('float64')
    """
    return creation.zeros(shape, dtype=np.float64 if dtype is None else dtype, device=device)


def broadcast_to(x: Tensor, shape: Any) -> Tensor:
    """`x` seen in a larger shape.

    >>> import gradkit, gradkit.numpy as gnp
    >>> gnp.broadcast_to(gradkit.ones(2), (3, 2)).shape
    gradkit.Size([3, 2])
    """
    return _broadcast_to(x, shape)


def where(condition: Any, x1: Any, x2: Any) -> Tensor:
    """`x1` where the condition holds, else `x2`.

    >>> import gradkit, gradkit.numpy as gnp
    >>> gnp.where(gradkit.tensor([True, False]), gradkit.ones(2), 0.0)
    tensor([1., 0.])
    """
    return rows.where(condition, x1, x2)


def _supply() -> None:
    """Give the standard's names to the namespace that recorded rules run on, where a row does not have them already."""
    standard = {
        "add": rows.add, "subtract": rows.sub, "multiply": rows.mul, "divide": rows.div, "negative": rows.neg,
        "permute_dims": permute, "broadcast_to": broadcast_to, "zeros": zeros, "zeros_like": creation.zeros_like,
        "ones_like": creation.ones_like, "pow": _pow, "matrix_transpose": _matrix_transpose,
        "less": rows.lt, "greater": rows.gt, "equal": rows.eq, "reshape": reshape,
    }  # fmt: skip
    for name, function in standard.items():
        setattr(tensor_xp, name, function)


def _pow(x1: Any, x2: Any) -> Tensor:
    return rows.pow_scalar(x1, exponent=x2) if isinstance(x2, int | float) else rows.pow(x1, x2)


def _matrix_transpose(x: Tensor) -> Tensor:
    return permute(x, (*range(x.ndim - 2), -1, -2))


_supply()
