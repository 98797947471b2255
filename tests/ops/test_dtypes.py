"""What each elementwise operation makes of each dtype: PyTorch's answer, in PyTorch's dtype, or an error as there."""

import sys
from functools import partial

import numpy as np
import pytest

import gradkit
from gradkit.ops import activation, arithmetic, comparison, functions

DTYPES = ("bool", "uint8", "int32", "int64", "float16", "float32", "float64", "complex64")
UNARY = [
    "abs", "acos", "acosh", "angle", "asin", "asinh", "atan", "atanh", "bitwise_not", "ceil", "conj",
    "conj_physical", "cos", "cosh", "deg2rad", "digamma", "erf", "erfc", "erfinv", "exp", "exp2", "expm1", "fix",
    "floor", "frac", "i0", "imag", "isfinite", "isinf", "isnan", "isneginf", "isposinf", "isreal", "lgamma", "log",
    "log10", "log1p", "log2", "logical_not", "nan_to_num", "neg", "positive", "rad2deg", "real", "reciprocal",
    "relu", "round", "rsqrt", "selu", "celu", "sgn", "sigmoid", "sign", "signbit", "sin", "sinc", "sinh", "sqrt",
    "square", "tan", "tanh", "trunc",
]  # fmt: skip
BINARY = [
    "add", "atan2", "bitwise_and", "bitwise_left_shift", "bitwise_or", "bitwise_right_shift", "bitwise_xor",
    "copysign", "div", "eq", "float_power", "floor_divide", "fmax", "fmin", "fmod", "ge", "gt", "heaviside",
    "hypot", "isclose", "le", "logaddexp", "logaddexp2", "logical_and", "logical_or", "logical_xor", "lt",
    "maximum", "minimum", "mul", "ne", "pow", "remainder", "sub", "xlogy",
]  # fmt: skip
FUNCTIONAL = [
    "celu", "elu", "gelu", "hardshrink", "hardsigmoid", "hardswish", "hardtanh", "leaky_relu", "logsigmoid", "mish",
    "relu", "relu6", "selu", "sigmoid", "silu", "softplus", "softshrink", "softsign", "tanh", "tanhshrink",
]  # fmt: skip
# Where PyTorch refuses a dtype, or a bool, and we answer what NumPy does: nothing is gained by an error.
ANSWERED = {
    ("abs", "bool"), ("sub", "bool"), ("softsign", "bool"), ("tanhshrink", "bool"), ("float_power_", "float32"),
    ("sub", "True"),
    *[(name, kind) for name in ("hypot", "logaddexp", "logaddexp2") for kind in ("bool", "uint8", "int32", "int64")],
}  # fmt: skip
# Where we refuse and PyTorch answers.
REFUSED = {("pow", "bool", True)}
CLOSE = {"float16": 2e-3, "float32": 2e-6, "float64": 1e-9, "complex64": 2e-6, "complex128": 1e-9}


def values(dtype, second=False):
    raw = np.array([1, 3, 2] if second else [2, 1, 0.25 if dtype.startswith(("f", "c")) else 1])
    return (raw + (0.5j if dtype == "complex64" else 0)).astype(dtype)


def outcome(call):
    """The result, or the kind of error."""
    try:
        with np.errstate(all="ignore"):
            return call()
    except (RuntimeError, TypeError) as error:
        return TypeError if isinstance(error, TypeError) else RuntimeError


def check(name, key, mine, theirs):
    if theirs in (RuntimeError, TypeError):
        assert mine in (RuntimeError, TypeError) or key in ANSWERED, f"{name} answered {mine}, where PyTorch raises"
        return
    if key in REFUSED:
        assert mine is RuntimeError
        return
    assert mine not in (RuntimeError, TypeError), f"{name} raised, where PyTorch answers {theirs}"
    assert mine.dtype.name == str(theirs.dtype).removeprefix("torch.")
    close = CLOSE.get(mine.dtype.name, 0)
    np.testing.assert_allclose(mine.array, theirs.resolve_conj().numpy(), rtol=close, atol=close)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", UNARY)
def test_one_operand(name, dtype, torch):
    raw = values(dtype)
    mine = outcome(lambda: getattr(gradkit, name)(gradkit.tensor(raw)))
    check(name, (name, dtype), mine, outcome(lambda: getattr(torch, name)(torch.tensor(raw))))


def of_pair(module, name, a, b):
    return getattr(module, name)(module.tensor(a), module.tensor(b))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", BINARY)
def test_two_operands(name, dtype, torch):
    a, b = values(dtype), values(dtype, second=True)
    mine, theirs = [outcome(partial(of_pair, module, name, a, b)) for module in (gradkit, torch)]
    check(name, (name, dtype), mine, theirs)


PROMOTING = ["add", "mul", "div", "sub", "pow", "eq", "maximum", "floor_divide", "atan2", "logical_and"]
MIXED = (("bool", "int64"), ("uint8", "int32"), ("int64", "float16"), ("float16", "float32"), ("float32", "float64"),
         ("int32", "complex64"), ("float64", "complex64"))  # fmt: skip


@pytest.mark.parametrize("kinds", MIXED, ids="-".join)
@pytest.mark.parametrize("shapes", ["full", "0-d"])
@pytest.mark.parametrize("name", PROMOTING)
def test_mixed_dtypes(name, shapes, kinds, torch):
    a, b = values(kinds[0]), values(kinds[1], second=True)
    b = b if shapes == "full" else b[1]
    for x, y in ((a, b), (b, a)):
        mine, theirs = [outcome(partial(of_pair, module, name, x, y)) for module in (gradkit, torch)]
        refuses_bools = (name, "bool") in ANSWERED and "bool" in kinds
        check(name, (name, "bool" if refuses_bools else ""), mine, theirs)


WITH_NUMBERS = [
    "add", "sub", "mul", "div", "floor_divide", "remainder", "fmod", "pow", "float_power", "eq", "lt",
    "bitwise_and", "xlogy", "copysign",
]  # fmt: skip


# NumPy has no complex numbers of half precision.
PAIRS = [(d, n) for d in DTYPES for n in (2, 2.5, True, 1.5j) if (d, n) != ("float16", 1.5j)]


@pytest.mark.parametrize(("dtype", "number"), PAIRS, ids=lambda x: str(x))
@pytest.mark.parametrize("name", WITH_NUMBERS)
def test_tensor_and_number(name, dtype, number, torch):
    raw = values(dtype)
    mine = outcome(lambda: getattr(gradkit, name)(gradkit.tensor(raw), number))
    theirs = outcome(lambda: getattr(torch, name)(torch.tensor(raw), number))
    key = (name, dtype, True) if number is True and name == "pow" else (name, str(number) if number is True else dtype)
    check(name, key, mine, theirs)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", FUNCTIONAL)
def test_activations(name, dtype, torch):
    raw = values(dtype)
    mine = outcome(lambda: getattr(activation, name)(gradkit.tensor(raw)))
    theirs = outcome(lambda: getattr(torch.nn.functional, name)(torch.tensor(raw)))
    check(name, (name, dtype), mine, theirs)


def test_half_precision_and_a_complex_number_give_complex64():
    assert (gradkit.tensor([1.0], dtype=gradkit.float16) + 1.5j).dtype == gradkit.complex64


ALIASES_OF_TWO = [
    "arctan2", "divide", "greater", "greater_equal", "less", "less_equal", "multiply", "not_equal", "subtract",
    "true_divide",
]  # fmt: skip
IN_PLACE = [(topic, name) for topic in (arithmetic, functions, comparison, activation) for name in topic.INPLACE]
ARGUMENTS = {
    "addcdiv": ("other", "other"), "addcmul": ("other", "other"), "clamp": (0.5, 1.5), "clip": (0.5, 1.5),
    "clamp_max": (1.5,), "clamp_min": (0.5,), "lerp": ("other", 0.25), "polygamma": (1,), "masked_fill": ("mask", 7),
}  # fmt: skip


@pytest.mark.parametrize("dtype", ["int64", "float32"])
@pytest.mark.parametrize("name", sorted({name for _, name in IN_PLACE}))
def test_in_place(name, dtype, torch):
    if not hasattr(torch.Tensor, f"{name}_"):
        pytest.fail(f"PyTorch has no {name}_")
    given = ARGUMENTS.get(name, ("other",) if name in BINARY + ALIASES_OF_TWO else ())
    raw, other = values(dtype), values(dtype, second=True)

    def arguments(tensor):
        made = {"other": lambda: tensor(other), "mask": lambda: tensor(np.array([True, False, True]))}
        return [made[x]() if x in made else x for x in given]

    x, t = gradkit.tensor(raw), torch.tensor(raw)
    mine = outcome(lambda: getattr(x, f"{name}_")(*arguments(gradkit.tensor)))
    theirs = outcome(lambda: getattr(t, f"{name}_")(*arguments(torch.tensor)))
    check(f"{name}_", (f"{name}_", dtype), mine, theirs)
    if theirs not in (RuntimeError, TypeError):
        assert mine is x


@pytest.mark.parametrize("wish", [lambda: gradkit.bfloat16, lambda: gradkit.ones(2).bfloat16()], ids=["dtype", "cast"])
def test_bfloat16_without_its_package_says_what_to_install(wish, monkeypatch):
    monkeypatch.setitem(sys.modules, "ml_dtypes", None)
    with pytest.raises(ModuleNotFoundError, match=r"pip install 'gradkit\[bf16\]'"):
        wish()
