"""A kernel runs where a walk is not recorded, adds into what the walk owns, and nowhere else."""

import numpy as np
import pytest

import gradkit as gk
from gradkit.backend.protocol import backend_named


@pytest.fixture
def asked(monkeypatch):
    """The kernels that are run, by name; each as it would run."""
    kernels = backend_named("cuda").kernels
    names = []
    for name, kernel in kernels._by_name.items():
        def noting(*args, name=name, kernel=kernel):
            names.append(name)
            return kernel(*args)

        monkeypatch.setitem(kernels._by_name, name, noting)
    return names


def leaf(*shape, seed=1):
    x = np.random.default_rng(seed).uniform(0.5, 2, shape).astype(np.float32)
    return gk.tensor(x, device="cuda", requires_grad=True)


PROGRAMS = {
    "exp": lambda x: x.exp().sum(), "pow_scalar": lambda x: (x**2.5).sum(), "pow": lambda x: (x**x.detach()).sum(),
    "relu": lambda x: x.relu().sum(), "sigmoid": lambda x: x.sigmoid().sum(), "tanh": lambda x: x.tanh().sum(),
    "silu": lambda x: gk.nn.functional.silu(x).sum(), "gelu": lambda x: gk.nn.functional.gelu(x).sum(),
}  # fmt: skip


@pytest.mark.parametrize("name", PROGRAMS)
def test_plain_walk_runs_the_kernel_in_one_launch(name, asked, counting):
    x = leaf(30, 40)
    PROGRAMS[name](x).backward()
    asked.clear()
    y = PROGRAMS[name](x)
    seed = gk.ones_like(y)
    with counting() as counts:
        (grad,) = gk.autograd.grad(y, x, seed)
    assert asked == [f"{name}_vjp"] and counts["launch"] == 1 and counts["dtoh"] == counts["sync"] == 0
    (want,) = gk.autograd.grad(PROGRAMS[name](x), x, create_graph=True)
    np.testing.assert_allclose(grad.cpu().numpy(), want.detach().cpu().numpy(), rtol=2e-6)


@pytest.mark.parametrize("name", PROGRAMS)
def test_recorded_walk_runs_the_rule(name, asked):
    x = leaf(5)
    gk.autograd.grad(PROGRAMS[name](x), x, create_graph=True)
    assert asked == []


def test_cotangents_of_one_leaf_are_added_by_the_kernels_that_make_them(asked, counting):
    x = leaf(30, 40)
    program = lambda: (x.exp() + x.tanh() + x**3 + x.sigmoid()).sum()
    program().backward()
    asked.clear()
    y, x.grad = program(), None
    seed = gk.ones_like(y)
    with counting() as counts:
        y.backward(seed)
    assert len(asked) == 4 and counts["launch"] == 4 and counts["dtod"] == 0
    c = x.detach().cpu().requires_grad_()
    (c.exp() + c.tanh() + c**3 + c.sigmoid()).sum().backward()
    np.testing.assert_allclose(x.grad.cpu().numpy(), c.grad.numpy(), rtol=2e-6)


def test_cotangent_that_somebody_else_sees_is_not_written():
    x = leaf(100)
    seen = []
    y = x * 1
    y.register_hook(lambda ct: seen.append(ct))
    (y.sum() + x.exp().sum()).backward()
    np.testing.assert_array_equal(seen[0].cpu().numpy(), np.ones(100, np.float32))


def test_operand_used_twice_gets_both_cotangents():
    x = leaf(50)
    (grad,) = gk.autograd.grad((x**x).sum(), x)
    values = x.detach().cpu().numpy().astype(np.float64)
    np.testing.assert_allclose(grad.cpu().numpy(), values**values * (np.log(values) + 1), rtol=1e-5)


def test_broadcast_exponent_is_summed_by_the_kernel(asked, counting):
    x, p = leaf(300, 40), leaf(40, seed=2)
    gk.autograd.grad((x**p).sum(), (x, p))
    asked.clear()
    y = (x**p).sum()
    seed = gk.ones_like(y)
    with counting() as counts:
        grads = gk.autograd.grad(y, (x, p), seed)
    assert asked == ["pow_vjp"] and counts["launch"] == 1
    c = [t.detach().cpu().requires_grad_() for t in (x, p)]
    for got, want in zip(grads, gk.autograd.grad((c[0] ** c[1]).sum(), c)):
        np.testing.assert_allclose(got.cpu().numpy(), want.numpy(), rtol=2e-5)


def test_mixed_dtypes_come_back_in_their_own():
    x, p = leaf(30, 40), leaf(40, seed=2).detach().double().requires_grad_()
    grads = gk.autograd.grad((x**p).sum(), (x, p))
    assert [g.dtype for g in grads] == [gk.float32, gk.float64]


def test_number_to_a_tensor_is_not_copied_to_the_device(counting):
    x = leaf(40)
    gk.autograd.grad((2.0**x).sum(), x)
    with counting() as counts:
        gk.autograd.grad((2.0**x).sum(), x)
    assert counts["htod"] == 0


def test_complex_powers_run_the_rule():
    z = gk.tensor(np.array([1 + 2j, 0.5 - 1j]), device="cuda", requires_grad=True)
    z.exp().abs().sum().backward()
    assert z.grad.dtype == gk.complex128


def test_forward_mode_and_vmap_never_ask_for_a_kernel(asked):
    x = leaf(5).detach()
    gk.func.jvp(lambda x: x.exp().sum(), (x,), (x,))
    gk.func.vmap(lambda x: x.exp())(x)
    assert asked == []
