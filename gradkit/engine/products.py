"""Tangents that are not multiplied out: what is made of two large arrays only to be summed need not be made.

`pushed` names the levels where this may be: those of a transform that looks at nothing but what its function returns.
"""

import weakref
from typing import Any

import numpy as np

from gradkit.backend.numpy import NUMPY
from gradkit.engine.primitive import Primitive
from gradkit.engine.tensor import Tensor

LARGE = 1 << 18  # elements; the memory traffic of fewer costs less than thinking of it
levels: set[int] = set()
_pending: list[weakref.ref["Product"]] = []
_others: set[Primitive] = set()  # rows whose rule does more to a tangent than multiply it
_slot: Any = Tensor.array


class Product(Tensor):
    """The tangent ``left * right``. Its array is made when somebody asks for it."""

    __slots__ = ("factors",)

    def __init__(self, left: Any, right: Any) -> None:
        self.factors: Any = (left, right)
        self.node = None
        if len(_pending) > 64:
            _pending[:] = [ref for ref in _pending if ref() is not None]
        _pending.append(weakref.ref(self))

    @property
    def array(self) -> Any:
        factors = self.factors
        if factors is not None:
            _slot.__set__(self, np.multiply(*factors))
            self.factors = None
        return _slot.__get__(self)

    @array.setter
    def array(self, value: Any) -> None:
        self.factors = None
        _slot.__set__(self, value)


class Multiplied:
    """Stands for a tangent in a rule, and collects what the rule multiplies it by."""

    __slots__ = ("by",)
    __array_ufunc__ = None

    def __init__(self, by: Any = None) -> None:
        self.by = by

    def __mul__(self, other: Any) -> "Multiplied":
        return Multiplied(other if self.by is None else self.by * other)

    __rmul__ = __mul__


def product(prim: Primitive, t: Any, y: Any, raws: list[Any], params: dict[str, Any]) -> Product | None:
    """The tangent of an elementwise row with one operand, not multiplied out; None where its rule does not multiply."""
    if prim in _others or not prim.rules[0]:
        return None
    try:
        found = prim.rules[0](NUMPY.xp, Multiplied(), y, *raws, **params)
    except (AttributeError, TypeError):
        found = None
    if type(found) is not Multiplied:
        _others.add(prim)
        return None
    alike = type(found.by) is np.ndarray and found.by.shape == t.shape and found.by.dtype is t.dtype
    return Product(t, found.by) if alike else None


def settle() -> None:
    """Multiply out what is pending: memory is about to be written, and a factor may lie there."""
    while _pending:
        waiting = _pending.pop()()
        if waiting is not None:
            waiting.array  # noqa: B018
