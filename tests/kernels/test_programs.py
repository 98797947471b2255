"""A program that runs in one kernel gives what it gives in array operations, and declines what it does not serve."""

import cupy
import numpy as np
import pytest

import gradkit as gk
from gradkit.backend.kernels.catalogue import Kernels
from gradkit.primitives.fusible import FUSIBLE
from tests.primitives.test_fusible import CASES, PLAIN, drawn, summed

PROGRAMS = {key.removeprefix("fused_"): run for key, run in Kernels(cupy).programs().items()}
inf, nan = np.inf, np.nan


@pytest.mark.parametrize("name", PROGRAMS)
@pytest.mark.parametrize(
    ("dtype", "offset", "rtol"), [("e", 0, 4e-3), ("f", 0, 2e-6), ("f", 40, 2e-6), ("d", 0, 1e-13), ("d", 40, 1e-13)]
)
def test_kernel_gives_what_the_program_gives(name, dtype, offset, rtol):
    if name == "layer_norm_vjp":
        rtol *= 10  # operands of 40 make products of 1600, whose mean is taken off
    rng = np.random.default_rng(5)
    served = 0
    for shapes, params in CASES[name]:
        operands = [drawn(shape, rng, dtype, offset) for shape in shapes]
        got = PROGRAMS[name](*map(cupy.asarray, operands), **params)
        if got is NotImplemented:
            assert params["axis"] not in (-1, (-1,), (-2, -1))
            continue
        served += 1
        wide = [x.astype(np.float64) if x.dtype.kind == "f" else x for x in operands]
        want = FUSIBLE[name](PLAIN, *wide, **params)
        for a, b in zip(got, want) if isinstance(got, list) else [(got, want)]:
            b = summed(b, a.shape) if a.shape != b.shape else b
            assert a.dtype == dtype and a.shape == b.shape
            scale = max(1.0, float(np.abs(b).max(initial=0)))
            np.testing.assert_allclose(a.get(), b, rtol=rtol, atol=rtol * scale * (1 + offset))
    assert served


@pytest.mark.parametrize("length", [1, 2, 3, 7, 8, 33, 1000, 5000])
@pytest.mark.parametrize("name", ["log_softmax_forward", "softmax_vjp"])
def test_rows_of_any_length(name, length):
    rng = np.random.default_rng(1)
    operands = [rng.normal(size=(17, length)) for _ in range(1 + name.endswith("vjp"))]
    got = PROGRAMS[name](*map(cupy.asarray, operands), axis=-1)
    want = FUSIBLE[name](PLAIN, *operands, axis=-1)
    np.testing.assert_allclose(got.get(), want, rtol=1e-13, atol=1e-13 * np.abs(want).max())


ROWS = [[1e4, -1e4, 0.0], [-inf, 1.0, 2.0], [-inf] * 3, [nan, 1.0, 2.0], [inf, 1.0, 2.0]]


@pytest.mark.parametrize("name", ["log_softmax_forward", "softmax_forward"])
def test_edges_are_those_of_the_program(name):
    x = np.array(ROWS)
    with np.errstate(all="ignore"):
        want = FUSIBLE[name](PLAIN, x, axis=-1)
    np.testing.assert_allclose(PROGRAMS[name](cupy.asarray(x), axis=-1).get(), want, rtol=1e-14)


LOSS = {"axis": -1, "rank": 2, "reduction": "mean"}


def test_losses_without_a_counted_row():
    x, target = cupy.ones((2, 3)), cupy.asarray([1, 1])
    assert np.isnan(float(PROGRAMS["cross_entropy_forward"](x, target, ignore_index=1, **LOSS)))
    found = PROGRAMS["cross_entropy_vjp"](cupy.ones(()), x, target, ignore_index=1, **LOSS)
    assert not found.any()


@pytest.mark.parametrize("name", ["log_softmax_forward", "softmax_forward"])
def test_what_does_not_lie_row_after_row_is_declined(name):
    x = cupy.ones((4, 6))
    assert PROGRAMS[name](x, axis=-2) is NotImplemented
    assert PROGRAMS[name](x[:, ::2], axis=-1) is NotImplemented
    assert PROGRAMS[name](x.T, axis=-1) is NotImplemented
    assert PROGRAMS[name](x[:0], axis=-1) is NotImplemented
    assert PROGRAMS[name](x.astype("F"), axis=-1) is NotImplemented


def test_loss_and_its_gradient_take_few_launches(counting):
    x = gk.tensor(np.random.default_rng(1).normal(size=(64, 10)).astype("f"), device="cuda", requires_grad=True)
    target = gk.tensor(np.arange(64) % 10, device="cuda")

    def step():
        x.grad = None
        loss = gk.nn.functional.cross_entropy(x, target)
        with counting() as backward:
            loss.backward()
        return loss, backward

    step()
    with counting() as both:
        loss, backward = step()
    # Forward: losses, their sum, how many count, the division; back: a one to start from, how many, the cotangent.
    assert both["launch"] == 7 and backward["launch"] == 3
    c = x.detach().cpu().requires_grad_()
    want = gk.nn.functional.cross_entropy(c, target.cpu())
    want.backward()
    assert both["dtoh"] == both["htod"] == 0
    np.testing.assert_allclose(loss.detach().cpu().numpy(), want.detach().numpy(), rtol=1e-6)
    np.testing.assert_allclose(x.grad.cpu().numpy(), c.grad.numpy(), rtol=1e-5, atol=1e-8)


def test_recorded_walk_runs_the_program_itself():
    x = gk.tensor(np.random.default_rng(1).normal(size=(3, 4)), device="cuda", requires_grad=True)
    y = gk.log_softmax(x, dim=-1)
    (grad,) = gk.autograd.grad((y * y).sum(), x, create_graph=True)
    (second,) = gk.autograd.grad(grad.sum(), x)
    assert second.shape == (3, 4)


@pytest.mark.parametrize("rows", [1, 7, 3000])
@pytest.mark.parametrize("length", [5, 32, 700])
def test_layer_norm_of_any_size_is_two_launches_back(rows, length, counting):
    rng = np.random.default_rng(1)
    operands = [rng.normal(size=(rows, length)), rng.normal(size=(rows, length)), rng.normal(size=length)]
    raws, params = [cupy.asarray(x) for x in operands], {"axis": (-1,), "eps": 1e-5}
    PROGRAMS["layer_norm_vjp"](*raws, **params)
    with counting() as counts:
        got = PROGRAMS["layer_norm_vjp"](*raws, **params)
    assert counts["launch"] == 2 and counts["memset"] == 0
    for a, b in zip(got, FUSIBLE["layer_norm_vjp"](PLAIN, *operands, **params)):
        b = summed(b, a.shape) if a.shape != b.shape else b
        np.testing.assert_allclose(a.get(), b, rtol=1e-11, atol=1e-11)
