"""Operators and Tensor methods, read off the rows and the operations."""

from collections.abc import Callable
from typing import Any

import numpy as np

from gradkit import conversion, creation, history, moving, random
from gradkit.backend.protocol import by_type
from gradkit.engine import dtypes, inplace
from gradkit.engine.dtypes import constant
from gradkit.engine.naming import named
from gradkit.engine.operands import tensor_xp as rows
from gradkit.engine.tensor import Tensor, wrap
from gradkit.ops import TOPICS, arithmetic, linear_algebra


# -- operators
def _operators() -> None:
    direct = {
        "add": rows.add, "sub": rows.sub, "mul": rows.mul, "truediv": rows.div, "pow": arithmetic.pow,
        "floordiv": rows.floor_divide, "mod": rows.remainder, "matmul": linear_algebra.matmul,
        "lt": rows.lt, "le": rows.le, "gt": rows.gt, "ge": rows.ge, "neg": rows.neg,
    }
    for symbol, op in direct.items():
        setattr(Tensor, f"__{symbol}__", op)
    for symbol in ("add", "mul"):  # commutative
        setattr(Tensor, f"__r{symbol}__", direct[symbol])
    for symbol in ("sub", "truediv", "pow", "floordiv", "mod", "matmul"):
        setattr(Tensor, f"__r{symbol}__", reflected(direct[symbol]))
    for symbol in ("add", "sub", "mul", "truediv", "pow", "floordiv", "mod"):
        setattr(Tensor, f"__i{symbol}__", written_by(direct[symbol], f"{symbol}_"))
    for symbol, op in arithmetic.OPERATORS.items():
        setattr(Tensor, f"__{symbol}__", op)
    for symbol in arithmetic.BOTH_SIDES:
        setattr(Tensor, f"__r{symbol}__", reflected(arithmetic.OPERATORS[symbol]))
    for symbol in arithmetic.AUGMENTED:
        setattr(Tensor, f"__i{symbol}__", written_by(arithmetic.OPERATORS[symbol], f"{symbol}_"))
    Tensor.__eq__ = comparable(rows.eq)  # type: ignore[method-assign]
    Tensor.__ne__ = comparable(rows.ne)  # type: ignore[method-assign]


def reflected(op: Callable[..., Any]) -> Callable[..., Any]:
    def call(self: Tensor, other: Any) -> Any:
        return op(_number(other, self), self)

    return call


def _number(other: Any, like: Tensor) -> Any:
    """A number or array on the left of an operator, as a tensor that promotes as the number does."""
    if isinstance(other, Tensor):
        return other
    if isinstance(other, dtypes.NUMBERS):
        return wrap(constant(other, dtypes.result_type(like.array, other)))
    return creation.as_tensor(other)


def comparable(op: Callable[..., Any]) -> Callable[..., Any]:
    def compare(self: Tensor, other: Any) -> Any:
        if isinstance(other, Tensor | np.ndarray | np.generic | bool | int | float | complex) or type(other) in by_type:
            return op(self, other)
        return NotImplemented

    return compare


def written_by(op: Callable[..., Any], name: str) -> Callable[..., Any]:
    """The form of an operation that writes into its first operand."""

    def call(self: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        return inplace.write(self, (lambda x, *others: op(x, *others, **kwargs)) if kwargs else op, name, *args)

    call.__wrapped__ = op  # type: ignore[attr-defined]  # it is called as that is
    return named(call, name, f"`{name[:-1]}`, written into this tensor; returns it.")


# -- attaching
def _attach() -> None:
    for topic in (*TOPICS, history, moving, conversion):
        for name in getattr(topic, "METHODS", ()):
            setattr(Tensor, name, getattr(topic, name))
    for topic in TOPICS:
        for name in getattr(topic, "PROPERTIES", ()):
            setattr(Tensor, name, property(getattr(topic, name)))
        for name in getattr(topic, "INPLACE", ()):
            own = getattr(topic, f"{name}_", None)
            setattr(Tensor, f"{name}_", own or written_by(getattr(topic, name), f"{name}_"))
    for table in (random.METHODS, random.FILLERS, moving.CONVERTERS, conversion.SPECIAL):
        for name, function in table.items():
            setattr(Tensor, name, function)


_operators()
_attach()
