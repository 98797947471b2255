"""A program that runs in one kernel gives what it gives in array operations, and declines what it does not serve."""

import cupy
import numpy as np
import pytest

import gradkit as gk
from gradkit.backend.kernels.catalogue import Kernels
from gradkit.backend.protocol import backend_named
from gradkit.primitives.fusible import FUSIBLE
from tests.kernels.philox import kept
from tests.primitives.test_fusible import CASES, PLAIN, drawn, summed

ALL = {key.removeprefix("fused_"): run for key, run in Kernels(cupy).programs().items()}
PROGRAMS = {name: run for name, run in ALL.items() if name in CASES}
inf, nan = np.inf, np.nan


@pytest.mark.parametrize("name", PROGRAMS)
@pytest.mark.parametrize(
    ("dtype", "offset", "rtol"), [("e", 0, 4e-3), ("f", 0, 2e-6), ("f", 40, 2e-6), ("d", 0, 1e-13), ("d", 40, 1e-13)]
)
def test_kernel_gives_what_the_program_gives(name, dtype, offset, rtol):
    if name.endswith(("norm_vjp", "standardize_vjp")):
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
        wide = [x.astype(np.longdouble) if x.dtype.kind == "f" else x for x in operands]
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


@pytest.mark.parametrize("rows", [1, 31, 5000])
@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_a_loss_of_many_rows_is_added_up_in_the_same_launch(rows, reduction, counting):
    rng = np.random.default_rng(rows)
    x, target = rng.normal(size=(rows, 7)), rng.integers(0, 7, rows)
    params = {"axis": -1, "rank": 2, "ignore_index": 3, "reduction": reduction}
    if rows == 1:
        target[:] = 2
    raws = cupy.asarray(x), cupy.asarray(target)
    PROGRAMS["cross_entropy_forward"](*raws, **params)
    with counting() as counts:
        got = PROGRAMS["cross_entropy_forward"](*raws, **params)
    assert counts["launch"] == 1 and got.shape == ()
    np.testing.assert_allclose(float(got), FUSIBLE["cross_entropy_forward"](PLAIN, x, target, **params), rtol=1e-13)


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
    # Forward, one; back: a one to start from, how many count, the cotangent.
    assert both["launch"] == 4 and backward["launch"] == 3
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


DROPPED = {"e": (np.float16, 0.3), "f": (np.float32, 0.5), "d": (np.float64, 0.9)}


@pytest.mark.parametrize("offset", [0, 1])
@pytest.mark.parametrize("size", [1, 3, 8, 1000, 5003])
@pytest.mark.parametrize("char", [*DROPPED, "bfloat16"])
def test_dropout_is_a_product_with_the_mask_that_the_generator_draws(char, size, offset):
    if char == "bfloat16":
        ml_dtypes = pytest.importorskip("ml_dtypes", reason="ml_dtypes is not installed: no bfloat16")
    dtype, p = (ml_dtypes.bfloat16, 0.3) if char == "bfloat16" else DROPPED[char]
    stream = backend_named("cuda").generator().manual_seed(5)
    stream.uniform(3, np.float32)
    mask = stream.mask(size, p, 1 / (1 - p))
    assert mask.start == 4 and stream._drawn == 4 + size
    x = cupy.asarray(np.random.default_rng(1).normal(size=size + offset).astype(np.float32)).astype(dtype)[offset:]
    got = ALL["dropout_forward"](x, mask=mask, lead=0)
    want = x * mask(cupy, x.shape, x.dtype)
    np.testing.assert_array_equal(got.astype("d").get(), want.astype("d").get())
    np.testing.assert_array_equal(want.get() != 0, kept(size, p, seed=5, start=4))


def test_dropout_beyond_32_bits_of_numbers_goes_on_counting():
    stream = backend_named("cuda").generator().manual_seed(2**63 + 1)
    stream._drawn = 2**34 - 4
    mask, x = stream.mask(100, 0.5, 2.0), cupy.ones(100, "f")
    got = ALL["dropout_forward"](x, mask=mask, lead=0).get()
    np.testing.assert_array_equal(got != 0, kept(100, 0.5, seed=2**63 + 1, start=2**34 - 4))


def test_dropped_infinities_are_not_numbers_as_in_a_product():
    mask = backend_named("cuda").generator().mask(4, 1.0, 2.0)  # nothing is kept
    got = ALL["dropout_forward"](cupy.asarray([1.0, inf, nan, -1.0]), mask=mask, lead=0).get()
    np.testing.assert_array_equal(got, [0.0, nan, nan, -0.0])


def test_dropout_declines_what_does_not_lie_in_one_piece():
    mask = backend_named("cuda").generator().mask(24, 0.5, 2.0)
    x = cupy.ones((4, 6))
    for other in (x.T, x[:0], x.astype("F")):
        assert ALL["dropout_forward"](other, mask=mask, lead=0) is NotImplemented
    assert ALL["dropout_forward"](x, mask=mask, lead=1) is NotImplemented


def test_dropout_is_one_launch_each_way_keeps_no_mask_and_its_rule_draws_the_same(counting, monkeypatch):
    x = gk.tensor(np.random.default_rng(1).normal(size=(30, 40)).astype("f"), device="cuda", requires_grad=True)

    def there_and_back():
        gk.manual_seed(1)
        with counting() as forward:
            y = gk.nn.functional.dropout(x, 0.3)
        ct = gk.ones_like(y)
        with counting() as back:
            (grad,) = gk.autograd.grad(y, x, ct)
        return y.detach().cpu().numpy(), grad.cpu().numpy(), forward["launch"], back["launch"]

    there_and_back()
    y, grad, *launches = there_and_back()
    assert launches == [1, 1]
    monkeypatch.delitem(vars(backend_named("cuda").xp), "fused_dropout_forward")
    plain_y, plain_grad, *launches = there_and_back()
    assert launches == [2, 2]
    np.testing.assert_array_equal(y, plain_y)
    np.testing.assert_array_equal(grad, plain_grad)


def test_dropout_has_tangents_second_cotangents_and_batches_of_cotangents():
    x = gk.tensor(np.random.default_rng(1).normal(size=(5, 4)), device="cuda", requires_grad=True)
    gk.manual_seed(1)
    y = gk.nn.functional.dropout(x, 0.5)
    mask = (y / x).detach()
    ct = gk.randn(5, 4, dtype=gk.float64, device="cuda", requires_grad=True)
    (grad,) = gk.autograd.grad(y, x, ct, create_graph=True)
    np.testing.assert_allclose(grad.detach().cpu().numpy(), (ct * mask).detach().cpu().numpy())
    (back,) = gk.autograd.grad(grad.sum(), ct)
    np.testing.assert_allclose(back.cpu().numpy(), mask.cpu().numpy())
    cts = gk.randn(3, 5, 4, dtype=gk.float64, device="cuda")
    gk.manual_seed(1)
    (grads,) = gk.autograd.grad(gk.nn.functional.dropout(x, 0.5), x, cts, is_grads_batched=True)
    np.testing.assert_allclose(grads.cpu().numpy(), (cts * mask).cpu().numpy())
    gk.manual_seed(1)
    _, tangent = gk.func.jvp(lambda x: gk.nn.functional.dropout(x, 0.5), (x.detach(),), (ct.detach(),))
    np.testing.assert_allclose(tangent.cpu().numpy(), (ct.detach() * mask).cpu().numpy())


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


BATCHES = [(5, 1), (7, 3), (5000, 3), (300, 40), (2, 2100), (4, 3, 17), (3, 5, 64, 32), (1, 2, 30, 31), (600, 2, 4), (2, 1300, 3)]


def by_channels(x):
    return {"axis": (-x.ndim, *range(2 - x.ndim, 0))}


@pytest.mark.parametrize("misaligned", [False, True])
@pytest.mark.parametrize("dtype", ["f", "d"])
@pytest.mark.parametrize("shape", BATCHES, ids=str)
def test_batch_norm_of_any_shape_is_two_launches_and_three_back(shape, dtype, misaligned, counting):
    rng, beside = np.random.default_rng(1), (shape[1], *(1,) * (len(shape) - 2))
    x, d = [(rng.normal(size=shape) * 3 + offset).astype(dtype) for offset in (5, 0)]
    w, b = [rng.normal(size=beside).astype(dtype) for _ in range(2)]
    params = {**by_channels(x), "eps": 1e-5}
    raws = [cupy.asarray(a) for a in (d, x, w, b)]
    if misaligned:
        room = cupy.empty(x.size + 1, dtype)
        room[1:] = raws[1].ravel()
        raws[1] = room[1:].reshape(shape)
    forward, back = PROGRAMS["batch_norm_forward"], PROGRAMS["batch_norm_vjp"]
    forward(*raws[1:], **params), back(*raws[:3], **params)
    with counting() as there:
        y = forward(*raws[1:], **params)
    with counting() as and_back:
        found = back(*raws[:3], **params)
    assert (there["launch"], and_back["launch"]) == (2, 3) and there["memset"] == and_back["memset"] == 0
    exact = [a.astype(np.longdouble) for a in (d, x, w, b)]
    wants = [FUSIBLE["batch_norm_forward"](PLAIN, *exact[1:], **params), *FUSIBLE["batch_norm_vjp"](PLAIN, *exact[:3], **params)]
    rtol = 3e-5 if dtype == "f" else 1e-12
    for got, want in zip((y, *found), wants):
        want = summed(want, got.shape) if got.shape != want.shape else want
        np.testing.assert_allclose(got.get(), want, rtol=rtol, atol=rtol * float(np.abs(want).max()))


@pytest.mark.parametrize("running", [(True, True), (True, False), (False, True)])
@pytest.mark.parametrize("dtype", ["e", "f", "d"])
def test_running_statistics_move_in_one_launch(dtype, running, counting):
    x = (np.random.default_rng(1).normal(size=(30, 4, 5)) * 2 + 1).astype(dtype)
    before = [np.array([0.5, 1, 2, 3], dtype) if one else None for one in running]
    got = [None if one is None else cupy.asarray(one) for one in before]
    more = {**by_channels(x), "momentum": 0.25}
    move = ALL["statistics_moved"]
    move(cupy.asarray(x), *[None if one is None else one.copy() for one in got], **more)
    with counting() as counts:
        assert move(cupy.asarray(x), *got, **more) is None
    assert counts["launch"] == 1 and counts["memset"] == 0
    want = [None if one is None else one.astype("d") for one in before]
    FUSIBLE["statistics_moved"](PLAIN, x.astype("d"), *want, **more)
    for a, b in zip(got, want):
        if b is not None:
            np.testing.assert_allclose(a.get(), b, rtol={"e": 1e-3, "f": 2e-7, "d": 1e-14}[dtype])


def test_moments_of_numbers_far_from_zero_are_exact():
    x = np.random.default_rng(1).normal(size=(4000, 2, 8)) + 1e4
    x = x.astype("f").astype("d")
    found = [cupy.zeros(2, "f"), cupy.zeros(2, "f")]
    ALL["statistics_moved"](cupy.asarray(x.astype("f")), *found, **by_channels(x), momentum=1.0)
    np.testing.assert_allclose(found[0].get(), x.mean((0, 2)), rtol=2e-7)
    np.testing.assert_allclose(found[1].get(), x.var((0, 2), ddof=1), rtol=1e-4)


def test_batch_norm_declines_what_it_does_not_serve():
    x, w = cupy.ones((4, 3, 5)), cupy.ones((3, 1))
    forward = PROGRAMS["batch_norm_forward"]
    assert forward(x, w, w, axis=(-2, -1), eps=0.1) is NotImplemented
    assert forward(x.transpose(2, 1, 0), w, w, axis=(-3, -1), eps=0.1) is NotImplemented
    assert forward(x, w.astype("f"), w, axis=(-3, -1), eps=0.1) is NotImplemented
    assert forward(x[:0], w, w, axis=(-3, -1), eps=0.1) is NotImplemented
    assert ALL["statistics_moved"](x, cupy.ones(3, "f"), None, axis=(-3, -1), momentum=0.1) is NotImplemented
