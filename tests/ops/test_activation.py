"""Activations against PyTorch: values, gradients, second derivatives, kinks, in-place forms."""

import numpy as np
import pytest

import gradkit
from gradkit.autograd import grad
from gradkit.ops import activation as F

CALLS = {
    "relu": lambda f, x: f.relu(x),
    "relu6": lambda f, x: f.relu6(x),
    "hardtanh": lambda f, x: f.hardtanh(x, -0.5, 2.0),
    "threshold": lambda f, x: f.threshold(x, 0.5, -4.0),
    "hardsigmoid": lambda f, x: f.hardsigmoid(x),
    "hardswish": lambda f, x: f.hardswish(x),
    "hardshrink": lambda f, x: f.hardshrink(x, 0.7),
    "softshrink": lambda f, x: f.softshrink(x, 0.7),
    "leaky_relu": lambda f, x: f.leaky_relu(x),
    "leaky_relu steep": lambda f, x: f.leaky_relu(x, 3.0),
    "leaky_relu flat": lambda f, x: f.leaky_relu(x, 0.0),
    "leaky_relu negative": lambda f, x: f.leaky_relu(x, -0.5),
    "elu": lambda f, x: f.elu(x),
    "elu alpha": lambda f, x: f.elu(x, 2.5),
    "elu negative alpha": lambda f, x: f.elu(x, -1.5),
    "celu": lambda f, x: f.celu(x, 1.7),
    "celu negative": lambda f, x: f.celu(x, -1.7),
    "selu": lambda f, x: f.selu(x),
    "logsigmoid": lambda f, x: f.logsigmoid(x),
    "softplus": lambda f, x: f.softplus(x),
    "softplus beta": lambda f, x: f.softplus(x, 2.0, 3.0),
    "silu": lambda f, x: f.silu(x),
    "mish": lambda f, x: f.mish(x),
    "gelu": lambda f, x: f.gelu(x),
    "gelu tanh": lambda f, x: f.gelu(x, approximate="tanh"),
    "softsign": lambda f, x: f.softsign(x),
    "tanhshrink": lambda f, x: f.tanhshrink(x),
    "sigmoid": lambda f, x: f.sigmoid(x),
    "tanh": lambda f, x: f.tanh(x),
}
# PyTorch rounds 1/6 and 1/alpha to float32 in the derivatives of these.
EXACT = {
    "hardsigmoid": lambda torch, x: torch.nn.functional.relu6(x + 3) / 6,
    "celu": lambda torch, x: torch.where(x > 0, x, 1.7 * torch.expm1(x / 1.7)),
    "celu negative": lambda torch, x: torch.where(x > 0, x, -1.7 * torch.expm1(x / -1.7)),
}
X = np.linspace(-6.03, 6.07, 41)


@pytest.mark.parametrize("name", CALLS)
def test_value_gradient_and_second_derivative(name, torch):
    exact = EXACT.get(name, lambda torch, x: CALLS[name](torch.nn.functional, x))
    results = []
    for module, call in ((gradkit, lambda _, x: CALLS[name](F, x)), (torch, exact)):
        x = module.tensor(X, requires_grad=True)
        y = call(module, x)
        first = module.autograd.grad((y * y).sum(), x, create_graph=True)[0]
        second = module.autograd.grad((first * x).sum(), x)[0]
        results.append([y, first, second])
    for got, want in zip(*results, strict=True):
        np.testing.assert_allclose(got.detach().numpy(), want.detach().numpy(), rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
@pytest.mark.parametrize("dtype", ["float16", "float32"])
def test_short_floats_stay_short(call, dtype, torch):
    raw = X.astype(dtype)
    x, t = gradkit.tensor(raw, requires_grad=True), torch.tensor(raw, requires_grad=True)
    y, z = call(F, x), call(torch.nn.functional, t)
    close = 4e-3 if dtype == "float16" else 2e-6
    assert y.dtype.name == dtype
    np.testing.assert_allclose(y.detach().numpy(), z.detach().numpy(), rtol=close, atol=close)
    g = grad(y.sum(), x)[0]
    assert g.dtype.name == dtype
    np.testing.assert_allclose(g.numpy(), torch.autograd.grad(z.sum(), t)[0].numpy(), rtol=close, atol=close)


@pytest.mark.parametrize("shape", [(4,), (2, 3), (2, 3, 4), ()])
def test_prelu_has_a_weight_for_each_channel(shape, torch):
    raw = np.random.default_rng(0).normal(size=shape)
    for weights in ([0.3], np.linspace(-0.5, 0.5, shape[1]) if len(shape) > 1 else [0.2]):
        x, w = [gradkit.tensor(np.asarray(a), requires_grad=True) for a in (raw, weights)]
        t, v = [torch.tensor(np.asarray(a), requires_grad=True) for a in (raw, weights)]
        y, z = gradkit.prelu(x, w), torch.prelu(t, v)
        np.testing.assert_allclose(y.detach().numpy(), z.detach().numpy())
        mine, theirs = grad((y * y).sum(), (x, w)), torch.autograd.grad((z * z).sum(), (t, v))
        for got, want in zip(mine, theirs, strict=True):
            assert tuple(got.shape) == tuple(want.shape)
            np.testing.assert_allclose(got.numpy(), want.numpy(), rtol=1e-12)


def test_prelu_counts_its_channels():
    with pytest.raises(RuntimeError, match="parameter numbers = 2 and channel size = 3"):
        gradkit.prelu(gradkit.ones(4, 3), gradkit.ones(2))


IN_PLACE = [
    "relu", "relu6", "hardtanh", "hardsigmoid", "hardswish", "leaky_relu", "elu", "celu", "selu", "silu", "mish",
]  # fmt: skip


@pytest.mark.parametrize("name", IN_PLACE)
def test_inplace_writes_over_the_input_and_differentiates_the_same(name):
    function = getattr(F, name)
    x = gradkit.tensor(X, requires_grad=True)
    middle = x * 1.5
    y = function(middle, inplace=True)
    assert y is middle
    np.testing.assert_array_equal(y.detach().numpy(), function(gradkit.tensor(X * 1.5)).numpy())
    want = grad(function(x * 1.5).sum(), x)[0]
    np.testing.assert_array_equal(grad(y.sum(), x)[0].numpy(), want.numpy())


@pytest.mark.parametrize(("function", "slope"), [(F.leaky_relu, -0.5), (F.elu, -1.0)])
def test_inplace_refuses_what_hides_the_sign(function, slope):
    with pytest.raises(RuntimeError, match="negative slope"):
        function(gradkit.ones(2), slope, inplace=True)


ERRORS = {
    "gelu approximate": (lambda m, f: f.gelu(m.ones(2), approximate="fast"), RuntimeError),
    "softshrink lambd": (lambda m, f: f.softshrink(m.ones(2), -1.0), RuntimeError),
    "celu alpha": (lambda m, f: f.celu(m.ones(2), 0.0), RuntimeError),
    "hardtanh bounds": (lambda m, f: f.hardtanh(m.ones(2), 1.0, -1.0), ValueError),
    "relu of bools": (lambda m, f: f.relu(m.tensor([True])), RuntimeError),
    "elu of integers": (lambda m, f: f.elu(m.tensor([1])), RuntimeError),
}


@pytest.mark.parametrize(("call", "error"), ERRORS.values(), ids=ERRORS)
def test_refused_as_in_pytorch(call, error, torch):
    with pytest.raises(error):
        call(torch, torch.nn.functional)
    with pytest.raises(error):
        call(gradkit, F)


def test_sigmoid_and_its_logarithm_survive_very_negative_input():
    x = gradkit.tensor([-80.0, -30.0], requires_grad=True)
    np.testing.assert_allclose(gradkit.sigmoid(x).detach().numpy(), np.exp([-80.0, -30.0]), rtol=1e-6)
    np.testing.assert_allclose(grad(gradkit.log(gradkit.sigmoid(x)).sum(), x)[0].numpy(), [1, 1], rtol=1e-6)
    np.testing.assert_allclose(F.logsigmoid(x).detach().numpy(), [-80, -30], rtol=1e-6)


OF_THE_OUTPUT = [
    "relu", "relu6", "leaky_relu", "elu", "selu", "celu", "logsigmoid", "hardsigmoid", "tanh", "sigmoid",
]  # fmt: skip


@pytest.mark.parametrize("name", OF_THE_OUTPUT)
def test_what_is_kept_is_the_output_where_that_will_do(name):
    x = gradkit.tensor(X, requires_grad=True)
    y = getattr(F, name)(x)
    assert y.grad_fn.saved[0] is y.array
    assert y.grad_fn.saved[1] is None
