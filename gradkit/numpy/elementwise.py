"""NumPy's universal functions on tensors, under NumPy's names and the standard's, with NumPy's promotion."""

import math
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np

from gradkit.engine.naming import named
from gradkit.engine.operands import tensor_xp as xp
from gradkit.engine.tensor import Tensor, wrap
from gradkit.numpy.calling import NUMBERS, converted, kind_of, operand, plain, refuse
from gradkit.ops import arithmetic, complex as parts


# -- how one is made
@lru_cache(maxsize=4096)
def loop(function: np.ufunc, kinds: tuple[Any, ...], dtype: Any) -> tuple[np.dtype[Any], ...]:
    """The dtypes of the operands and results of NumPy's inner loop for operands of these kinds."""
    shape = (*kinds, *[None] * function.nout)
    signature = dtype and (*[None] * function.nin, *[np.dtype(dtype)] * function.nout)
    return function.resolve_dtypes(shape, signature=signature) if signature else function.resolve_dtypes(shape)


def ufunc(function: np.ufunc, row: str | Callable[..., Any] | None = None) -> Callable[..., Any]:
    """NumPy's `function` on tensors: the row of that name, or the composite `row`, in the dtype of NumPy's loop.

    Where NumPy answers in integers or bools there is no derivative, and its own function runs on the arrays.
    """
    name, nin = function.__name__, function.nin
    ready = set()  # kinds of operands that the row takes as they are: the hot path

    def call(*operands: Any, dtype: Any = None, **keywords: Any) -> Any:
        if keywords or len(operands) != nin:
            operands = _checked(name, nin, operands, keywords)
        operands = tuple([x if isinstance(x, Tensor) else operand(x) for x in operands])
        kinds = tuple([x.array.dtype if isinstance(x, Tensor) else type(x) for x in operands])
        if kinds in ready and dtype is None:
            return operation(*operands)
        if not any([isinstance(x, Tensor) for x in operands]):
            operands = tuple([wrap(np.asarray(x)) for x in operands])
        found = loop(function, tuple([kind_of(x) for x in operands]), dtype)
        if row is None or found[nin].kind in "biu":
            return plain(function, *operands, outputs=function.nout, **({} if dtype is None else {"dtype": dtype}))
        y = operation(*[converted(x, d) for x, d in zip(operands, found)])
        if function.nout == 1 and y.dtype != found[nin]:
            return converted(y, found[nin])
        if taken_as_they_are(kinds, found):
            ready.add(kinds)
        return y

    def operation(*operands: Any) -> Any:
        compute: Any = getattr(xp, row) if isinstance(row, str) else row
        return compute(*operands)

    call.ufunc = function  # type: ignore[attr-defined]
    return named(call, name, _describe(function, differentiable=row is not None))


def taken_as_they_are(kinds: tuple[Any, ...], found: tuple[Any, ...]) -> bool:
    """Whether operands of these kinds, tensors and numbers, need no conversion."""
    fits = [kind in (int, float) if isinstance(kind, type) else kind == d for kind, d in zip(kinds, found)]
    return all(fits) and not all([isinstance(kind, type) for kind in kinds])


def _checked(name: str, nin: int, operands: tuple[Any, ...], keywords: dict[str, Any]) -> tuple[Any, ...]:
    if len(operands) > nin:
        keywords["out"] = operands[nin:]
    refuse(name, keywords)
    if len(operands) < nin:
        raise TypeError(f"{name}() takes {nin} operands, but {len(operands)} were given")
    return operands[:nin]


def _describe(function: np.ufunc, differentiable: bool) -> str:
    name, signature = function.__name__, ", ".join(["x", "y"][: function.nin])
    value = {"arccosh": 1.5}.get(name, 0.5) if "d->" in " ".join(function.types) else 3
    fact = "Differentiable where its result is floating" if differentiable else "Without a derivative"
    return f"""`numpy.{name}({signature})` on tensors, arrays, numbers and nested lists, broadcast.

    Promotes by NumPy's rules. {fact}. TypeError for dtypes that NumPy refuses, and for ``out=`` and ``where=``.

    >>> x = y = np.array([{value}])
    >>> np.array_equal(gnp.{name}({signature}), np.{name}({signature}))
    True
    """


# -- composites
def _power(x1: Any, x2: Any) -> Tensor:
    if type(x2) in NUMBERS and type(x2) is not complex:
        return xp.pow_scalar(x1, exponent=x2)
    return xp.row_pow(x1, x2)


def _sign(x: Tensor) -> Tensor:
    """The row says 0 of nan, NumPy says nan."""
    return arithmetic.sgn(x) if x.dtype.kind == "c" else xp.where(xp.isnan(x), x, xp.signum(x))


def _cbrt(x: Tensor) -> Tensor:
    return xp.copysign(xp.pow_scalar(xp.abs(x), exponent=1 / 3), x)


def _modf(x: Tensor) -> tuple[Tensor, Tensor]:
    whole = xp.trunc(x)
    return xp.copysign(xp.where(xp.isinf(x), 0.0 * xp.signum(x), x - whole), x), whole


def _of_reals(function: np.ufunc) -> Callable[..., Any]:
    """The row of that name. Complex numbers, which NumPy rounds by parts and puts in lexicographic order, have none."""

    def compute(*operands: Any) -> Any:
        if "c" in [x.dtype.kind for x in operands if isinstance(x, Tensor)]:
            return plain(function, *operands)
        return getattr(xp, function.__name__)(*operands)

    return compute


# -- arithmetic
add = ufunc(np.add, "add")
subtract = ufunc(np.subtract, "sub")
multiply = ufunc(np.multiply, "mul")
divide = true_divide = ufunc(np.divide, "div")
floor_divide = ufunc(np.floor_divide, "floor_divide")
remainder = mod = ufunc(np.remainder, "remainder")
fmod = ufunc(np.fmod, "fmod")
divmod = ufunc(np.divmod, lambda x1, x2: (xp.floor_divide(x1, x2), xp.remainder(x1, x2)))
modf = ufunc(np.modf, _modf)
negative = ufunc(np.negative, "neg")
positive = ufunc(np.positive, "clone")
reciprocal = ufunc(np.reciprocal, "reciprocal")
absolute = abs = ufunc(np.absolute, arithmetic.abs)
fabs = ufunc(np.fabs, arithmetic.abs)
sign = ufunc(np.sign, _sign)
conjugate = conj = ufunc(np.conjugate, parts.conj)
hypot = ufunc(np.hypot, "hypot")
copysign = ufunc(np.copysign, "copysign")
heaviside = ufunc(np.heaviside, "heaviside")
nextafter = ufunc(np.nextafter)
spacing = ufunc(np.spacing)
frexp = ufunc(np.frexp)
ldexp = ufunc(np.ldexp, lambda x1, x2: x1 * converted(plain(np.exp2, converted(x2, np.float64)), x1.dtype))

# -- powers, exponentials and logarithms
power = pow = ufunc(np.power, _power)
float_power = ufunc(np.float_power, _power)
square = ufunc(np.square, "square")
sqrt = ufunc(np.sqrt, "sqrt")
cbrt = ufunc(np.cbrt, _cbrt)
exp = ufunc(np.exp, "exp")
exp2 = ufunc(np.exp2, "exp2")
expm1 = ufunc(np.expm1, "expm1")
log = ufunc(np.log, "log")
log2 = ufunc(np.log2, "log2")
log10 = ufunc(np.log10, "log10")
log1p = ufunc(np.log1p, "log1p")
logaddexp = ufunc(np.logaddexp, "logaddexp")
logaddexp2 = ufunc(np.logaddexp2, "logaddexp2")

# -- trigonometric and hyperbolic functions
sin = ufunc(np.sin, "sin")
cos = ufunc(np.cos, "cos")
tan = ufunc(np.tan, "tan")
arcsin = asin = ufunc(np.arcsin, "asin")
arccos = acos = ufunc(np.arccos, "acos")
arctan = atan = ufunc(np.arctan, "atan")
arctan2 = atan2 = ufunc(np.arctan2, "atan2")
sinh = ufunc(np.sinh, "sinh")
cosh = ufunc(np.cosh, "cosh")
tanh = ufunc(np.tanh, "tanh")
arcsinh = asinh = ufunc(np.arcsinh, "asinh")
arccosh = acosh = ufunc(np.arccosh, "acosh")
arctanh = atanh = ufunc(np.arctanh, "atanh")
deg2rad = ufunc(np.deg2rad, lambda x: x * (math.pi / 180))
radians = ufunc(np.radians, lambda x: x * (math.pi / 180))
rad2deg = ufunc(np.rad2deg, lambda x: x * (180 / math.pi))
degrees = ufunc(np.degrees, lambda x: x * (180 / math.pi))

# -- rounding, extremes
floor = ufunc(np.floor, "floor")
ceil = ufunc(np.ceil, "ceil")
trunc = ufunc(np.trunc, "trunc")
rint = ufunc(np.rint, _of_reals(np.rint))
maximum = ufunc(np.maximum, _of_reals(np.maximum))
minimum = ufunc(np.minimum, _of_reals(np.minimum))
fmax = ufunc(np.fmax, _of_reals(np.fmax))
fmin = ufunc(np.fmin, _of_reals(np.fmin))

# -- comparison, logic, bits: no derivatives
equal = ufunc(np.equal)
not_equal = ufunc(np.not_equal)
less = ufunc(np.less)
less_equal = ufunc(np.less_equal)
greater = ufunc(np.greater)
greater_equal = ufunc(np.greater_equal)
logical_and = ufunc(np.logical_and)
logical_or = ufunc(np.logical_or)
logical_xor = ufunc(np.logical_xor)
logical_not = ufunc(np.logical_not)
bitwise_and = ufunc(np.bitwise_and)
bitwise_or = ufunc(np.bitwise_or)
bitwise_xor = ufunc(np.bitwise_xor)
invert = bitwise_invert = bitwise_not = ufunc(np.invert)
left_shift = bitwise_left_shift = ufunc(np.left_shift)
right_shift = bitwise_right_shift = ufunc(np.right_shift)
bitwise_count = ufunc(np.bitwise_count)
gcd = ufunc(np.gcd)
lcm = ufunc(np.lcm)
isfinite = ufunc(np.isfinite)
isinf = ufunc(np.isinf)
isnan = ufunc(np.isnan)
signbit = ufunc(np.signbit)

#: What stands in the namespace: every ufunc made above.
__all__ = sorted([name for name, value in globals().items() if isinstance(getattr(value, "ufunc", None), np.ufunc)])
