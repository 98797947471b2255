"""Arithmetic, choosing and clamping against PyTorch: arguments, gradients, conventions, errors."""

import operator
import sys

import numpy as np
import pytest

import gradkit
from gradkit.autograd import grad
from gradkit.engine.bind import bind
from tests.unasked import skip_unasked

inf, nan = float("inf"), float("nan")
X = [-1.7, -0.4, 0.3, 0.6, 2.5]
Y = [0.4, 1.3, -0.7, 2.2, 0.9]
W = [0.2, -0.5, 1.1, 0.7, -1.3]


def both(torch, raws, call, cts=W):
    """Value and gradients of ``call(module, *tensors)``, by gradkit and by PyTorch."""
    results = []
    for module in (gradkit, torch):
        xs = [module.tensor(raw, dtype=module.float64, requires_grad=True) for raw in raws]
        y = call(module, *xs)
        gs = module.autograd.grad(y, xs, module.tensor(cts, dtype=module.float64).expand(y.shape), allow_unused=True)
        results.append([y, *gs])
    return results


CALLS = {
    "add alpha": lambda m, x, y: m.add(x, y, alpha=2.5),
    "add number alpha": lambda m, x, y: m.add(x, 3, alpha=2) * y,
    "sub alpha": lambda _m, x, y: x.sub(y, alpha=-2),
    "rsub alpha": lambda m, x, y: m.rsub(x, y, alpha=3),
    "div": lambda m, x, y: m.div(x, y),
    "div floor": lambda m, x, y: m.div(x, y, rounding_mode="floor") + x * y,
    "div trunc": lambda _m, x, y: x.div(y, rounding_mode="trunc") + x * y,
    "true_divide": lambda m, x, y: m.true_divide(x, y),
    "remainder": lambda _m, x, y: x.remainder(y),
    "remainder of a number": lambda m, x, y: m.remainder(2.0, y.detach()) * x * y,
    "fmod": lambda m, x, y: m.fmod(x, y),
    "addcmul": lambda m, x, y: m.addcmul(x, x, y, value=0.5),
    "addcdiv": lambda m, x, y: m.addcdiv(x, x, y, value=-2),
    "lerp number": lambda m, x, y: m.lerp(x, y, 0.3),
    "lerp tensor": lambda m, x, y: m.lerp(x, y, x),
    "pow of a number": lambda m, x, y: m.pow(2.0, x) * y,
    "pow of tensors": lambda m, x, y: m.pow(y.abs(), x),
    "pow 2": lambda _m, x, y: x**2 * y,
    "pow -1.5": lambda _m, x, y: y.abs() ** -1.5 * x,
    "float_power": lambda _m, x, y: x.float_power(3) * y,
    "logit": lambda m, x, y: m.logit(y.abs() / 3) * x,
    "logit eps": lambda m, x, y: m.logit(y.abs() / 3, eps=0.2) * x,
    "deg2rad": lambda m, x, y: m.deg2rad(x) * m.rad2deg(y),
    "clamp numbers": lambda _m, x, y: x.clamp(-0.5, 0.5) * y,
    "clamp min number": lambda m, x, y: m.clamp(x, min=0.3) * y,
    "clamp max number": lambda m, x, y: m.clamp(x, max=0.3) * y,
    "clamp tensors": lambda m, x, y: m.clamp(x, y - 1, y),
    "clamp min tensor": lambda m, x, y: m.clamp(x, min=y),
    "clamp max tensor": lambda m, x, y: m.clamp_max(x, y),
    "clip": lambda m, x, y: m.clip(x, 0, 1) * y,
    "where": lambda m, x, y: m.where(x > y, x, y * 2),
    "where number": lambda m, x, y: m.where(x > 0, x * y, 3.0),
    "where first number": lambda m, x, y: m.where(x > 0, 3.0, x * y),
    "masked_fill": lambda _m, x, y: (x * y).masked_fill(x > 0, 5),
    "masked_fill tensor": lambda _m, x, y: x.masked_fill(y > 0.5, y.sum()),
    "round decimals": lambda m, x, y: m.round(x, decimals=1) * y,
    "nan_to_num": lambda m, x, y: m.nan_to_num(m.log(x), nan=1.5, posinf=2.0, neginf=-2.0) * y,
    "abs": lambda _m, x, y: abs(x) * y,
    "copysign number": lambda m, x, y: m.copysign(x, -1.0) * y,
    "copysign": lambda m, x, y: m.copysign(x, y),
    "heaviside": lambda m, x, y: m.heaviside(x.detach(), y.detach()) * x * y,
    "xlogy": lambda m, x, y: m.xlogy(x, y.abs()),
    "hypot": lambda m, x, y: m.hypot(x, y),
    "atan2": lambda _m, x, y: x.atan2(y),
    "logaddexp": lambda m, x, y: m.logaddexp(x, y),
    "logaddexp2": lambda m, x, y: m.logaddexp2(x, y),
    "polygamma": lambda m, x, y: m.polygamma(2, y.abs()) * x,
    "polygamma method": lambda _m, x, y: y.abs().polygamma(3) * x,
    "sgn": lambda m, x, y: m.sgn(x) * y,
    "floor_divide": lambda m, x, y: m.floor_divide(x.detach(), y.detach()) * x * y,
    "broadcast": lambda m, x, y: m.maximum(x.reshape(5, 1), y.reshape(1, 5)).sum(0) - m.fmin(x, y),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
@np.errstate(invalid="ignore")
def test_value_and_gradients(call, torch):
    mine, theirs = both(torch, (X, Y), call)
    for got, want in zip(mine, theirs, strict=True):
        np.testing.assert_allclose(got.detach().numpy(), want.detach().numpy(force=True), rtol=1e-10, atol=1e-12)


OPERATORS = {
    "~": lambda a, _b: ~a, "&": operator.and_, "|": operator.or_, "^": operator.xor, "<<": operator.lshift,
    ">>": operator.rshift, "//": operator.floordiv, "%": operator.mod, "abs": lambda a, _b: abs(a), "**": operator.pow,
    "3 &": lambda _a, b: 3 & b, "3 |": lambda _a, b: 3 | b, "3 ^": lambda _a, b: 3 ^ b, "3 <<": lambda _a, b: 3 << b,
    "100 >>": lambda _a, b: 100 >> b, "& 3": lambda a, _b: a & 3, "7 //": lambda _a, b: 7 // b,
    "7 %": lambda _a, b: 7 % b,
    "2 **": lambda _a, b: 2**b, "-": operator.sub, "10 -": lambda _a, b: 10 - b, "/": operator.truediv,
    "neg": lambda a, _b: -a,
}  # fmt: skip


@pytest.mark.parametrize("op", OPERATORS.values(), ids=OPERATORS)
def test_operators_on_integers(op, torch):
    a, b = [6, -5, 3], [3, 1, 2]
    got, want = op(gradkit.tensor(a), gradkit.tensor(b)), op(torch.tensor(a), torch.tensor(b))
    assert got.tolist() == want.tolist()
    assert got.dtype.name == str(want.dtype).removeprefix("torch.")


@pytest.mark.parametrize("symbol", ["iand", "ior", "ixor", "ilshift", "irshift"])
def test_augmented_operators(symbol, torch):
    a, t = gradkit.tensor([6, 5]), torch.tensor([6, 5])
    before = a
    a, t = getattr(operator, symbol)(a, 2), getattr(operator, symbol)(t, 2)
    assert a is before
    assert a.tolist() == t.tolist()


def test_divmod_is_floor_divide_and_remainder():
    quotient, rest = divmod(gradkit.tensor([7.0, -7.0]), 2)
    assert quotient.tolist() == [3.0, -4.0]
    assert rest.tolist() == [1.0, 1.0]
    assert divmod(7, gradkit.tensor([2.0]))[0].tolist() == [3.0]


def test_inverting_a_float_raises_type_error():
    with pytest.raises(TypeError, match="integer and Boolean"):
        ~gradkit.tensor([1.0])


ERRORS = {
    "neg bool": (lambda m: -m.tensor([True]), RuntimeError),
    "positive bool": (lambda m: m.positive(m.tensor([True])), RuntimeError),
    "sub bools": (lambda m: m.tensor([True]) - m.tensor([True]), RuntimeError),
    "and floats": (lambda m: m.tensor([1.0]) & 1, RuntimeError),
    "shift bools": (lambda m: m.tensor([True]) << m.tensor([True]), RuntimeError),
    "negative power": (lambda m: m.tensor([2]) ** -1, RuntimeError),
    "fractional alpha": (lambda m: m.add(m.tensor([1]), m.tensor([1]), alpha=0.5), RuntimeError),
    "floor_divide by 0": (lambda m: m.tensor([1]) // m.tensor([0]), RuntimeError),
    "remainder by 0": (lambda m: m.tensor([1]) % 0, RuntimeError),
    "fmod by 0": (lambda m: m.fmod(m.tensor([1]), 0), RuntimeError),
    "div trunc by 0": (lambda m: m.div(m.tensor([1]), 0, rounding_mode="trunc"), RuntimeError),
    "rounding_mode": (lambda m: m.div(m.tensor([1.0]), 1, rounding_mode="up"), RuntimeError),
    "clamp without bounds": (lambda m: m.clamp(m.tensor([1.0])), RuntimeError),
    "clamp complex": (lambda m: m.clamp(m.tensor([1j]), 0), NotImplementedError),
    "less complex": (lambda m: m.tensor([1j]) < m.tensor([1j]), NotImplementedError),
    "sign complex": (lambda m: m.sign(m.tensor([1j])), NotImplementedError),
    "maximum complex": (lambda m: m.maximum(m.tensor([1j]), m.tensor([1j])), RuntimeError),
    "where float condition": (lambda m: m.where(m.tensor([1.0]), m.tensor([1.0]), 2.0), RuntimeError),
    "masked_fill float mask": (lambda m: m.tensor([1.0]).masked_fill(m.tensor([1.0]), 0), RuntimeError),
    "masked_fill with axes": (lambda m: m.tensor([1.0]).masked_fill(m.tensor([True]), m.tensor([0.0])), RuntimeError),
    "masked_fill complex": (lambda m: m.tensor([1.0]).masked_fill(m.tensor([True]), 1j), RuntimeError),
    "lerp dtypes": (lambda m: m.lerp(m.tensor([1.0]), m.tensor([1.0], dtype=m.float64), 0.5), RuntimeError),
    "lerp integers": (lambda m: m.lerp(m.tensor([1]), m.tensor([1]), 0.5), NotImplementedError),
    "addcdiv integers": (lambda m: m.addcdiv(m.tensor([1]), m.tensor([1]), m.tensor([2])), RuntimeError),
    "round decimals of integers": (lambda m: m.round(m.tensor([15]), decimals=-1), NotImplementedError),
    "polygamma order": (lambda m: m.polygamma(-1, m.tensor([1.0])), RuntimeError),
    "frac integers": (lambda m: m.frac(m.tensor([1])), NotImplementedError),
}


@pytest.mark.parametrize(("call", "error"), ERRORS.values(), ids=ERRORS)
def test_refused_as_in_pytorch(call, error, torch):
    with pytest.raises(error) as want:
        call(torch)
    skip_unasked(want.value)
    with pytest.raises(error):
        call(gradkit)


@pytest.mark.parametrize(
    "expression",
    ["x == -1", "x < 300", "x >= -1", "x + 255", "x * 300", "x & -2", "x | 256", "x.fmod(-2)", "x.clamp(-1, 1)", "x.clamp(min=-1)"],
)
def test_numbers_beyond_an_integer_dtype_wrap(expression, torch):
    got, want = [eval(expression, {"x": m.tensor([0, 3, 255], dtype=m.uint8)}) for m in (gradkit, torch)]
    assert got.dtype.name == str(want.dtype).removeprefix("torch.") and got.tolist() == want.tolist()


def test_integer_tensor_to_negative_powers_cuts_to_zero(torch):
    base, exponent = [2, -1, 1, -1, 5], [-1, -3, -2, -2, 0]
    got = gradkit.tensor(base) ** gradkit.tensor(exponent)
    assert got.tolist() == (torch.tensor(base) ** torch.tensor(exponent)).tolist()


# -- where conventions decide
@pytest.mark.parametrize("name", ["relu", "where", "clamp", "maximum", "hardtanh", "fmax", "masked_fill", "nan_to_num"])
@pytest.mark.parametrize("ct", [inf, nan])
def test_what_a_mask_stops_stays_stopped(name, ct, torch):
    """A cotangent that is no number must not leak through places where the derivative is 0."""
    calls = {
        "relu": lambda m, x: m.relu(x), "where": lambda m, x: m.where(x > 0, x, 0),
        "clamp": lambda _m, x: x.clamp(0, 5),
        "maximum": lambda m, x: m.maximum(x, m.zeros_like(x)), "fmax": lambda m, x: m.fmax(x, m.zeros_like(x)),
        "hardtanh": lambda _m, x: x.clamp(-0.5, 0.5), "masked_fill": lambda _m, x: x.masked_fill(x < 0, 3),
        "nan_to_num": lambda m, x: m.nan_to_num(x / x.clamp(min=0).detach(), 0, 0, 0),
    }  # fmt: skip
    with np.errstate(all="ignore"):
        mine, theirs = both(torch, ([-1.0, 0.25, 2.0, 9.0],), calls[name], cts=[ct] * 4)
    np.testing.assert_array_equal(mine[1].numpy(), theirs[1].numpy())


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "complex64", "complex128"])
def test_masking_is_exact_in_every_dtype(dtype):
    x = gradkit.tensor(np.array([1, inf, nan, -0.0, 2.5]).astype(dtype), requires_grad=True)
    y = gradkit.where(gradkit.tensor([True, False, False, True, False]), x, 7)
    g = grad(y, x, gradkit.tensor(np.array([inf, inf, nan, 3, nan]).astype(dtype)))[0].array
    assert y.array[1:3].tolist() == [7, 7]
    assert g[1:3].tolist() == [0, 0]
    assert g[3] == 3 and np.isinf(g[0])


def test_power_zero_has_the_right_second_derivative():
    """d/dp (p x**(p-1)) at p = 0 is 1/x, where PyTorch answers 0."""
    x, p = [gradkit.tensor(v, dtype=gradkit.float64, requires_grad=True) for v in (2.0, 0.0)]
    first = grad(x**p, x, create_graph=True)[0]
    assert grad(first, p)[0].item() == 0.5


def test_sinc_keeps_its_digits_near_zero():
    """PyTorch's formula for the derivative cancels: at 1e-4 it has 9 digits left."""
    x = gradkit.tensor([0.0, 1e-4, 1e-8], dtype=gradkit.float64, requires_grad=True)
    first = grad(gradkit.sinc(x).sum(), x, create_graph=True)[0]
    np.testing.assert_allclose(first.detach().numpy(), -(np.pi**2) / 3 * x.detach().numpy(), rtol=1e-7)
    second = grad(first.sum(), x)[0]
    np.testing.assert_allclose(second.numpy(), -(np.pi**2) / 3, rtol=1e-7)


def test_gradient_of_asin_keeps_its_digits_near_one():
    x = gradkit.tensor(1 - 1e-6, dtype=gradkit.float32, requires_grad=True)
    exact = 1 / np.sqrt(1 - np.float64(x.item()) ** 2)
    assert grad(gradkit.asin(x), x)[0].item() == pytest.approx(exact, rel=1e-6)


def test_where_takes_the_dtype_both_promote_to(torch):
    for a, b in ((1, 2.5), (1.5, 2), (True, 3), (1, 2)):
        got = gradkit.where(gradkit.tensor([True, False]), a, b)
        want = torch.where(torch.tensor([True, False]), a, b)
        assert got.dtype.name == str(want.dtype).removeprefix("torch.")
        assert got.tolist() == want.tolist()


def test_lerp_reaches_both_ends_exactly():
    a, b = gradkit.tensor([0.1, 1e8]), gradkit.tensor([0.7, -3.0])
    assert gradkit.lerp(a, b, 1.0).tolist() == b.tolist()
    assert gradkit.lerp(a, b, 0).tolist() == a.tolist()


@pytest.mark.cpu
def test_hot_operations_are_unrolled():
    """What a training step calls most goes past `bind`."""
    x = gradkit.ones(3, requires_grad=True)
    hot = (lambda: x + 1.5, lambda: x * x, lambda: x**2, x.relu, x.sigmoid, x.tanh, x.exp, lambda: x < 0)
    assert [passes_through(bind, op) for op in hot] == [False] * len(hot)
    assert passes_through(bind, lambda: x < x.double())


def passes_through(function, op):
    seen = []

    def watch(frame, event, _arg):
        if event == "call":
            seen.append(frame.f_code)

    sys.setprofile(watch)
    try:
        op()
    finally:
        sys.setprofile(None)
    return function.__code__ in seen
