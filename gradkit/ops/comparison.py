"""Comparisons, logic and bits with PyTorch's names."""

from typing import Any

from gradkit import errors
from gradkit.engine import batching
from gradkit.engine.tensor import Tensor
from gradkit.ops.documentation import document
from gradkit.primitives import comparison as rows
from gradkit.primitives.comparison import (
    bitwise_and,
    bitwise_left_shift,
    bitwise_not,
    bitwise_or,
    bitwise_right_shift,
    bitwise_xor,
    eq,
    ge,
    gt,
    isfinite,
    isinf,
    isnan,
    isneginf,
    isposinf,
    le,
    logical_and,
    logical_not,
    logical_or,
    logical_xor,
    lt,
    ne,
    signbit,
)

__all__ = [
    "allclose", "bitwise_and", "bitwise_left_shift", "bitwise_not", "bitwise_or", "bitwise_right_shift",
    "bitwise_xor", "eq", "equal", "ge", "greater", "greater_equal", "gt", "is_nonzero", "isclose", "isfinite",
    "isinf", "isnan", "isneginf", "isposinf", "le", "less", "less_equal", "logical_and", "logical_not",
    "logical_or", "logical_xor", "lt", "ne", "not_equal", "signbit",
]
METHODS = tuple(__all__)
INPLACE = tuple([name for name in __all__ if not name.startswith("is") and name not in ("allclose", "equal", "signbit")])

greater, greater_equal, less, less_equal, not_equal = gt, ge, lt, le, ne


def isclose(input: Tensor, other: Tensor, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> Tensor:
    """Where ``abs(input - other) <= atol + rtol * abs(other)``, broadcast; infinities are close to their equals only.

    With `equal_nan` two nans are close. RuntimeError for different dtypes and negative tolerances.

    >>> gradkit.isclose(gradkit.tensor([1.0, 2.0]), gradkit.tensor([1.0 + 1e-6, 2.1]))
    tensor([ True, False])
    """
    if input.dtype != other.dtype:
        raise RuntimeError(f"{input.dtype.name} did not match {other.dtype.name}")
    for name, tolerance in (("rtol", rtol), ("atol", atol)):
        if tolerance < 0:
            raise RuntimeError(f"{name} must be greater than or equal to zero, but got {tolerance}")
    return rows.isclose(input, other, rtol=rtol, atol=atol, equal_nan=equal_nan)


def allclose(input: Tensor, other: Tensor, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> bool:
    """Whether `isclose` holds everywhere.

    >>> gradkit.allclose(gradkit.ones(2), gradkit.tensor([1.0, 1.1]))
    False
    """
    if not isinstance(other, Tensor):
        raise errors.not_a_tensor("allclose", 1, other)
    close = isclose(input, other, rtol, atol, equal_nan)
    close = batching.sole(close, "calling allclose() on a Tensor", "write isclose(a, b).all(), a Tensor")
    return bool(close.all())


def equal(input: Tensor, other: Tensor) -> bool:
    """Whether two tensors have the same shape and, nan excepted, the same elements.

    >>> gradkit.equal(gradkit.ones(2), gradkit.ones(2))
    True
    """
    if not isinstance(other, Tensor):
        raise TypeError(f"equal(): argument 'other' must be Tensor, not {type(other).__name__}")
    input, other = [batching.sole(x, "calling equal() on a Tensor", "write (a == b).all(), a Tensor") for x in (input, other)]
    return input.shape == other.shape and bool(eq(input, other).all())


def is_nonzero(input: Tensor) -> bool:
    """Whether the one element is not 0. RuntimeError unless there is exactly one.

    >>> gradkit.is_nonzero(gradkit.tensor([0.0]))
    False
    """
    return bool(input)


def inverted(input: Any) -> Tensor:
    """The `~` operator. TypeError, where `bitwise_not` raises NotImplementedError, for what is no integer or bool.

    >>> ~gradkit.tensor([0, 5])
    tensor([-1, -6])
    """
    if input.dtype.kind not in "biu":
        raise TypeError("~ (operator.invert) is only implemented on integer and Boolean-type tensors")
    return bitwise_not(input)


document(globals())
