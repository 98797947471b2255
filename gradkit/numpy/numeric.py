"""Elementwise functions of NumPy's that are no ufuncs: clipping, rounding, complex parts, closeness, differences."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from gradkit.engine import batching
from gradkit.engine.dtypes import differentiable
from gradkit.engine.naming import named
from gradkit.engine.operands import tensor_xp as xp
from gradkit.engine.tensor import Tensor
from gradkit.numpy import elementwise
from gradkit.numpy.calling import (
    NOT_GIVEN,
    NUMBERS,
    answer,
    asarray,
    axis_in,
    converted,
    operand,
    plain,
    refuse,
    refuse_out,
    result_type,
    together,
)
from gradkit.ops import arithmetic, complex as parts


# -- clipping and rounding
def clip(
    a: Any, a_min: Any = NOT_GIVEN, a_max: Any = NOT_GIVEN, out: Any = None, *, min: Any = NOT_GIVEN,
    max: Any = NOT_GIVEN, **keywords: Any,
) -> Tensor:
    """The elements of `a`, or the bound they exceed; None is no bound. Bounds are `a_min, a_max` or `min=, max=`.

    The derivative at a bound is that of `a`. The result promotes with the bounds' dtypes.

    >>> gnp.clip(gradkit.tensor([-2.0, 0.5, 2.0]), -1, 1)
    tensor([-1.0000,  0.5000,  1.0000])
    """
    refuse("clip", {"out": out, **keywords})
    low, high = [None if x is NOT_GIVEN or x is None else operand(x) for x in (_one(a_min, min), _one(a_max, max))]
    x = asarray(a)
    bounds = [b for b in (low, high) if b is not None]
    if not bounds:
        return xp.clone(x)
    dtype = result_type(x, *bounds)
    if dtype.kind in "biuc":
        x = x if low is None else elementwise.maximum(x, low)
        return x if high is None else elementwise.minimum(x, high)
    if not all([type(b) in NUMBERS for b in bounds]):
        low, high = [None if b is None else together((b,), dtype)[0] for b in (low, high)]
    return arithmetic.clamp(converted(x, dtype), low, high)


def _one(positional: Any, keyword: Any) -> Any:
    if positional is not NOT_GIVEN and keyword is not NOT_GIVEN:
        raise ValueError("Passing `min` or `max` keyword argument when `a_min` and `a_max` are provided is forbidden.")
    return positional if keyword is NOT_GIVEN else keyword


def round(a: Any, decimals: int = 0, out: Any = None) -> Tensor:
    """Rounded to `decimals`, halves to even; the derivative is 0.

    >>> gnp.round(gradkit.tensor([0.5, 1.5]))
    tensor([0., 2.])
    """
    refuse_out("round", out)
    x = asarray(a)
    if x.dtype.kind == "b" and decimals:
        raise TypeError("np.round: bools have no decimals")
    if x.dtype.kind in "biuc":
        return plain(np.round, x, decimals=decimals)
    return xp.rint(x) if decimals == 0 else xp.round_decimals(x, decimals=decimals)


around = round


def fix(x: Any, out: Any = None) -> Tensor:
    """Rounded towards 0; the derivative is 0.

    >>> gnp.fix(gradkit.tensor([-1.5, 1.5]))
    tensor([-1.,  1.])
    """
    refuse_out("fix", out)
    return elementwise.trunc(x)


def nan_to_num(x: Any, copy: bool = True, nan: float = 0.0, posinf: Any = None, neginf: Any = None) -> Tensor:
    """With numbers for nan and the infinities: 0 and the greatest and least of the dtype unless given.

    >>> gnp.nan_to_num(gradkit.tensor([1.0, float("nan")]))
    tensor([1., 0.])
    """
    refuse("nan_to_num", {"copy": copy})
    y = asarray(x)
    return arithmetic.nan_to_num(y, nan, posinf, neginf) if differentiable(y.dtype) else xp.clone(y)


def sinc(x: Any) -> Tensor:
    """``sin(pi x) / (pi x)``, 1 at 0.

    >>> gnp.sinc(gradkit.tensor([0.0, 0.5]))
    tensor([1.0000, 0.6366])
    """
    y = asarray(x)
    return xp.sinc(converted(y, answer(np.sinc, y.dtype)))


def i0(x: Any) -> Tensor:
    """The modified Bessel function of the first kind and order 0.

    >>> gnp.i0(gradkit.tensor([0.0]))
    tensor([1.])
    """
    y = asarray(x)
    return xp.i0(converted(y, answer(np.i0, y.dtype)))


def unwrap(p: Any, discont: float | None = None, axis: int = -1, *, period: float = 2 * math.pi) -> Tensor:
    """Phases along `axis` without the jumps by multiples of `period` that exceed `discont`, half a period unless given.

    >>> gnp.unwrap(gradkit.tensor([0.0, 3.0, 6.5]), period=3.0)
    tensor([0.0000, 0.0000, 0.5000])
    """
    x = asarray(p)
    at = axis_in(axis, x.ndim) - x.ndim
    y = plain(np.unwrap, x.detach(), discont=discont, axis=at, period=period, broadcasts=False)
    x = converted(x, y.dtype)
    return x + (y - x.detach())


# -- parts of complex numbers
def real(val: Any) -> Tensor:
    """The real part: `val` itself where it is real.

    >>> gnp.real(gradkit.tensor([1 + 2j]))
    tensor([1.])
    """
    x = asarray(val)
    return parts.real(x) if x.dtype.kind == "c" else x


def imag(val: Any) -> Tensor:
    """The imaginary part: zeros where `val` is real.

    >>> gnp.imag(gradkit.tensor([1 + 2j]))
    tensor([2.])
    """
    x = asarray(val)
    return parts.imag(x) if x.dtype.kind == "c" else xp.zeros_like(x)


def angle(z: Any, deg: bool = False) -> Tensor:
    """The angle of complex numbers, in degrees if `deg`; of real ones 0 or pi.

    >>> gnp.angle(gradkit.tensor([1j]), deg=True)
    tensor([90.])
    """
    x = asarray(z)
    y = parts.angle(converted(x, answer(np.angle, x.dtype) if x.dtype.kind != "c" else x.dtype))
    return y * (180 / math.pi) if deg else y


def iscomplexobj(x: Any) -> bool:
    """Whether the dtype is complex.

    >>> gnp.iscomplexobj(gradkit.ones(2))
    False
    """
    return asarray(x).dtype.kind == "c"


def isrealobj(x: Any) -> bool:
    """Whether the dtype is not complex.

    >>> gnp.isrealobj(gradkit.ones(2))
    True
    """
    return not iscomplexobj(x)


# -- tests of elements: bools
def _test(name: str, *, of: int = 1) -> Callable[..., Any]:
    function = getattr(np, name)

    def check(*operands: Any, **parameters: Any) -> Tensor:
        tensors = [asarray(x) for x in operands[:of]]
        return plain(function, *tensors, **dict(zip(("rtol", "atol", "equal_nan"), operands[of:])), **parameters)

    operands = ", ".join(("x", "y")[:of])
    return named(check, name, f"""`numpy.{name}` elementwise: bools.

    >>> x = y = np.array([0.0, float("inf")])
    >>> np.array_equal(gnp.{name}({operands}), np.{name}({operands}))
    True
    """)


isclose = _test("isclose", of=2)
isposinf = _test("isposinf")
isneginf = _test("isneginf")
isreal = _test("isreal")
iscomplex = _test("iscomplex")


def _verdict(name: str) -> Callable[..., Any]:
    function = getattr(np, name)

    def check(a: Any, b: Any, *args: Any, **parameters: Any) -> bool:
        what, remedy = f"calling np.{name}, which answers one bool", "use isclose, which answers a Tensor"
        raws = [batching.sole(asarray(x), what, remedy).array for x in (a, b)]
        return bool(function(*raws, *args, **parameters))

    return named(check, name, f"""`numpy.{name}` as a Python bool. RuntimeError inside vmap.

    >>> gnp.{name}(gradkit.ones(2), [1.0, 1.0])
    True
    """)


allclose, array_equal, array_equiv = _verdict("allclose"), _verdict("array_equal"), _verdict("array_equiv")

__all__ = [
    "allclose", "angle", "around", "array_equal", "array_equiv", "clip", "fix", "i0", "imag", "isclose", "iscomplex",
    "iscomplexobj", "isneginf", "isposinf", "isreal", "isrealobj", "nan_to_num", "real", "round", "sinc", "unwrap",
]
