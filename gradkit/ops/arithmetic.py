"""Arithmetic with PyTorch's signatures: sums, products, quotients, powers, clamping, choosing."""

from collections.abc import Callable
from typing import Any

from gradkit import errors
from gradkit.engine import dtypes, inplace
from gradkit.engine.dtypes import constant, result_type
from gradkit.engine.tensor import Tensor
from gradkit.ops import comparison, complex as parts
from gradkit.ops.documentation import document
from gradkit.primitives import complex as complex_rows, elementwise as rows, piecewise
from gradkit.primitives.elementwise import floor_divide, mul, remainder
from gradkit.primitives.piecewise import in_dtype

__all__ = [
    "abs", "absolute", "add", "addcdiv", "addcmul", "clamp", "clamp_max", "clamp_min", "clip", "div", "divide",
    "float_power", "floor_divide", "lerp", "masked_fill", "mul", "multiply", "nan_to_num", "neg", "negative",
    "positive", "pow", "remainder", "rsub", "sgn", "sub", "subtract", "true_divide", "where",
]
METHODS = tuple([name for name in __all__ if name != "rsub"])
INPLACE = tuple([name for name in METHODS if name not in ("positive", "where")])

multiply, neg, negative = mul, rows.neg, rows.neg


# -- sums, products, quotients
def add(input: Tensor, other: Any, *, alpha: Any = 1) -> Tensor:
    """``input + alpha * other``, broadcast, in the dtype both promote to; bools are or-ed.

    RuntimeError for a fractional `alpha` with integers.

    >>> gradkit.add(gradkit.ones(2), gradkit.ones(2), alpha=2)
    tensor([3., 3.])
    """
    return rows.add(input, _scaled(input, other, alpha))


def sub(input: Any, other: Any, *, alpha: Any = 1) -> Tensor:
    """``input - alpha * other``, broadcast, in the dtype both promote to.

    RuntimeError for two bool tensors, and for a fractional `alpha` with integers.

    >>> gradkit.sub(gradkit.ones(2), 1, alpha=2)
    tensor([-1., -1.])
    """
    return rows.sub(input, _scaled(input, other, alpha))


def rsub(input: Tensor, other: Any, *, alpha: Any = 1) -> Tensor:
    """``other - alpha * input``, broadcast, in the dtype both promote to.

    >>> gradkit.rsub(gradkit.ones(2), 5)
    tensor([4., 4.])
    """
    return rows.sub(other, _scaled(other, input, alpha))


def add_(self: Tensor, other: Any, *, alpha: Any = 1) -> Tensor:
    """`add`, written into this tensor; returns it.

    >>> gradkit.ones(2).add_(gradkit.ones(2), alpha=2)
    tensor([3., 3.])
    """
    return inplace.write(self, rows.add, "add_", _scaled(self, other, alpha))


def sub_(self: Tensor, other: Any, *, alpha: Any = 1) -> Tensor:
    """`sub`, written into this tensor; returns it.

    >>> gradkit.ones(2).sub_(gradkit.ones(2), alpha=2)
    tensor([-1., -1.])
    """
    return inplace.write(self, rows.sub, "sub_", _scaled(self, other, alpha))


def _scaled(input: Any, other: Any, alpha: Any) -> Any:
    if type(alpha) is int and alpha == 1:
        return other
    a, b = _raw(input), _raw(other)
    if isinstance(alpha, float) and not _is_real(a) and result_type(a, b).kind in "biu":
        raise RuntimeError("For integral input tensors, argument alpha must not be a floating point number.")
    return mul(other, alpha) if isinstance(other, Tensor) else other * alpha


def _raw(x: Any) -> Any:
    return x.array if isinstance(x, Tensor) else x


def _is_real(raw: Any) -> bool:
    return hasattr(raw, "dtype") and raw.dtype.kind == "f"


def div(input: Any, other: Any, *, rounding_mode: str | None = None) -> Tensor:
    """``input / other``, broadcast: exact (integers give float32), or rounded down ("floor") or towards 0 ("trunc").

    A rounded quotient has the operands' dtype and the derivative 0. RuntimeError for another `rounding_mode`,
    and for an integer divided by 0 and rounded.

    >>> gradkit.div(gradkit.tensor([7, -7]), 2)
    tensor([ 3.5000, -3.5000])
    >>> gradkit.div(gradkit.tensor([7, -7]), 2, rounding_mode="trunc")
    tensor([ 3, -3])
    """
    if rounding_mode is None:
        return rows.div(input, other)
    if rounding_mode == "floor":
        return floor_divide(input, other)
    if rounding_mode != "trunc":
        raise RuntimeError(f"div expected rounding_mode to be one of None, 'trunc', or 'floor' but found {rounding_mode!r}")
    return rows.trunc_divide(input, other)


divide, subtract = div, sub


def true_divide(input: Any, other: Any) -> Tensor:
    """``input / other``, broadcast; integers give the default floating dtype.

    >>> gradkit.true_divide(gradkit.tensor([7, -7]), 2)
    tensor([ 3.5000, -3.5000])
    """
    return rows.div(input, other)


def addcmul(input: Tensor, tensor1: Tensor, tensor2: Tensor, *, value: Any = 1) -> Tensor:
    """``input + value * tensor1 * tensor2``, broadcast.

    >>> gradkit.addcmul(gradkit.ones(2), gradkit.tensor([1.0, 2.0]), gradkit.tensor([3.0, 4.0]), value=0.5)
    tensor([2.5000, 5.0000])
    """
    product = mul(tensor1, tensor2)
    return rows.add(input, product if value == 1 else mul(product, value))


def addcdiv(input: Tensor, tensor1: Tensor, tensor2: Tensor, *, value: Any = 1) -> Tensor:
    """``input + value * tensor1 / tensor2``, broadcast. RuntimeError if both are integers.

    >>> gradkit.addcdiv(gradkit.zeros(2), gradkit.tensor([1.0, 2.0]), gradkit.tensor([4.0, 4.0]), value=2)
    tensor([0.5000, 1.0000])
    """
    if tensor1.dtype.kind in "biu" and tensor2.dtype.kind in "biu":
        raise RuntimeError("addcdiv does not divide integers by integers: convert tensor1 or tensor2 to floats first")
    quotient = rows.div(tensor1, tensor2)
    return rows.add(input, quotient if value == 1 else mul(quotient, value))


def lerp(input: Tensor, end: Tensor, weight: Any) -> Tensor:
    """``input + weight * (end - input)``, broadcast: from `input` at weight 0 to `end` at weight 1.

    RuntimeError if the dtypes of `input` and `end` differ, NotImplementedError for integers.

    >>> gradkit.lerp(gradkit.zeros(2), gradkit.tensor([10.0, 20.0]), 0.25)
    tensor([2.5000, 5.0000])
    """
    if input.dtype.kind in "biu":
        raise errors.not_implemented("lerp", input.dtype, "")
    if input.dtype != end.dtype:
        raise RuntimeError(f"expected dtype {input.dtype.name} for `end` but got dtype {end.dtype.name}")
    return rows.lerp(input, end, weight)


# -- signs
def abs(input: Tensor) -> Tensor:
    """The absolute value of each element: real also for complex numbers. Its derivative at 0 is 0.

    >>> gradkit.abs(gradkit.tensor([-1.5, 2.0, 3 + 4j]))
    tensor([1.5000, 2.0000, 5.0000])
    """
    return complex_rows.modulus(input) if input.array.dtype.kind == "c" else rows.abs(input)


absolute = abs


def sgn(input: Tensor) -> Tensor:
    """``input / abs(input)``, and 0 for 0: `sign`, also of complex numbers.

    >>> gradkit.sgn(gradkit.tensor([3 + 4j, 0j]))
    tensor([0.6000+0.8000j, 0.0000+0.0000j])
    """
    return complex_rows.sgn(input) if input.array.dtype.kind == "c" else piecewise.signum(input)


def positive(input: Tensor) -> Tensor:
    """`input` itself. RuntimeError for bools.

    >>> gradkit.positive(gradkit.tensor([-1.0, 2.0]))
    tensor([-1.,  2.])
    """
    if input.dtype.kind == "b":
        raise RuntimeError("The `+` operator, on a bool tensor is not supported.")
    return input


# -- powers
def pow(input: Any, exponent: Any) -> Tensor:
    """``input ** exponent``, broadcast; one of them may be a number.

    Integers stay integers. RuntimeError for integers to the power of a negative integer.

    >>> gradkit.pow(gradkit.tensor([1.0, 2.0]), 3)
    tensor([1., 8.])
    """
    kind = type(exponent)
    if kind not in dtypes.NUMBERS or not isinstance(input, Tensor):
        return rows.pow(input, exponent)
    if kind is complex or input.array.dtype.kind not in "fc":
        dtype = result_type(input.array, exponent)
        if dtype.kind == "b":
            raise NotImplementedError("pow is not implemented for bool")
        if dtype.kind in "iu" and exponent < 0:
            raise RuntimeError("Integers to negative integer powers are not allowed.")
        input = in_dtype(input, dtype)
    return rows.pow_scalar.apply(input, {"exponent": exponent})


def float_power(input: Any, exponent: Any) -> Tensor:
    """``input ** exponent`` in float64, or complex128 if either is complex.

    >>> gradkit.float_power(gradkit.tensor([2, 3]), 0.5)
    tensor([1.4142, 1.7321], dtype=gradkit.float64)
    """
    operands = [x for x in (input, exponent) if isinstance(x, Tensor)]
    is_complex = any([x.dtype.kind == "c" for x in operands]) or complex in (type(input), type(exponent))
    dtype = dtypes.complex128 if is_complex else dtypes.float64
    base, power = [in_dtype(x, dtype) if isinstance(x, Tensor) else x for x in (input, exponent)]
    return pow(base if isinstance(base, Tensor) else constant(base, dtype), power)


# -- clamping, rounding, choosing
def clamp(input: Tensor, min: Any = None, max: Any = None) -> Tensor:
    """Each element, or the bound that it exceeds; a bound is a number, or a tensor that broadcasts with `input`.

    `max` wins where it is below `min`. The derivative is 1 on the bounds. Integers and fractional bounds give floats.
    RuntimeError without any bound, NotImplementedError for complex numbers.

    >>> gradkit.clamp(gradkit.tensor([-2.0, 0.5, 3.0]), min=-1, max=1)
    tensor([-1.0000,  0.5000,  1.0000])
    """
    if min is None and max is None:
        raise RuntimeError("clamp: at least one of 'min' or 'max' must not be None")
    numbers = not isinstance(min, Tensor) and not isinstance(max, Tensor)
    if numbers and input.array.dtype.kind == "f":
        return piecewise.clamp(input, min=min, max=max)
    if input.dtype.kind == "c":
        raise NotImplementedError("clamp is not supported for complex types")
    if numbers:
        dtype = result_type(input.array, *[bound for bound in (min, max) if bound is not None])
        return piecewise.clamp(in_dtype(input, dtype), min=min, max=max)
    if min is None and isinstance(max, Tensor):
        return piecewise.clamp_max_tensor(input, max)
    if max is None and isinstance(min, Tensor):
        return piecewise.clamp_min_tensor(input, min)
    return piecewise.clamp_tensor(input, min, max)


clip = clamp


def clamp_min(input: Tensor, min: Any) -> Tensor:
    """Each element, or `min` if that is larger: `clamp` with one bound.

    >>> gradkit.clamp_min(gradkit.tensor([-2.0, 3.0]), 0)
    tensor([0., 3.])
    """
    return clamp(input, min)


def clamp_max(input: Tensor, max: Any) -> Tensor:
    """Each element, or `max` if that is smaller: `clamp` with one bound.

    >>> gradkit.clamp_max(gradkit.tensor([-2.0, 3.0]), 0)
    tensor([-2.,  0.])
    """
    return clamp(input, None, max)


def nan_to_num(input: Tensor, nan: float | None = 0.0, posinf: float | None = None, neginf: float | None = None) -> Tensor:
    """`input` with nan replaced by a number, and infinities by numbers or the largest ones of the dtype.

    The derivative is 0 where something was replaced. Integers have nothing to replace.

    >>> gradkit.nan_to_num(gradkit.tensor([float("nan"), float("inf"), 1.0]), posinf=9.0)
    tensor([0., 9., 1.])
    """
    given = {"nan": 0.0 if nan is None else nan, "posinf": posinf, "neginf": neginf}
    if input.dtype.kind == "c":
        return parts.complex(*[nan_to_num(part, **given) for part in (parts.real(input), parts.imag(input))])
    return piecewise.nan_to_num(input, **given)


def where(condition: Any, input: Any = None, other: Any = None) -> Any:
    """`input` where the condition holds, `other` elsewhere, broadcast; either may be a number.

    The result has the dtype both promote to. With the condition alone, the indices where it holds, as `nonzero` has
    them with ``as_tuple=True``. RuntimeError for a condition that is not boolean.

    >>> x = gradkit.tensor([-1.0, 2.0])
    >>> gradkit.where(x > 0, x, 0.0)
    tensor([0., 2.])
    """
    if input is None and other is None:
        from gradkit.ops.indexing import nonzero

        return nonzero(condition, as_tuple=True)
    if not hasattr(condition, "dtype"):
        raise errors.not_a_tensor("where", 0, condition)
    if condition.dtype.kind != "b":
        raise RuntimeError(f"where expected condition to be a boolean tensor, but got a tensor with dtype {condition.dtype.name}")
    return piecewise.where(condition, input, other)


def masked_fill(input: Tensor, mask: Tensor, value: Any) -> Tensor:
    """`input` with a number, or 0-d tensor, in the places where the mask holds, in the dtype of `input`.

    RuntimeError for a mask that is not boolean, a `value` with axes, and a complex one for real `input`.

    >>> gradkit.masked_fill(gradkit.ones(3), gradkit.tensor([True, False, True]), 5)
    tensor([5., 1., 5.])
    """
    if mask.dtype.kind != "b":
        raise RuntimeError(f"masked_fill_ only supports boolean masks, but got mask with dtype {mask.dtype.name}")
    if isinstance(value, Tensor) and value.ndim:
        raise RuntimeError(
            f"masked_fill_ only supports a 0-dimensional value tensor, but got tensor with {value.ndim} dimension(s)."
        )
    if result_type(_raw(value)).kind == "c" != input.dtype.kind:
        raise RuntimeError(f"value cannot be converted to type {input.dtype.name} without overflow")
    return piecewise.where(mask, in_dtype(value, input.dtype), input)


def _quotient_and_remainder(input: Any, other: Any) -> tuple[Tensor, Tensor]:
    """What `divmod` answers, on PyTorch's `floor_divide` and `remainder`; PyTorch itself has no such operator."""
    return floor_divide(input, other), remainder(input, other)


#: Python's operators by the stem of their special method; those in BOTH_SIDES take a number on the left, too.
OPERATORS: dict[str, Callable[..., Any]] = {
    "abs": abs, "invert": comparison.inverted, "and": comparison.bitwise_and, "or": comparison.bitwise_or,
    "xor": comparison.bitwise_xor, "lshift": comparison.bitwise_left_shift, "rshift": comparison.bitwise_right_shift,
    "divmod": _quotient_and_remainder,
}
BOTH_SIDES = ("and", "or", "xor", "lshift", "rshift", "divmod")
AUGMENTED = ("and", "or", "xor", "lshift", "rshift")

document(globals())
