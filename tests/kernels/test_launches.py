"""Rung 3: launched through CuPy, a kernel gives what the row's rule gives, however its operands lie."""

import cupy
import numpy as np
import pytest

from gradkit.backend.kernels import layout
from gradkit.backend.kernels.catalogue import Kernels
from tests.kernels.cases import CASES, ROWS, by_rule, params_of, tolerance

KERNELS = Kernels(cupy)


def dtype_of(form):
    if form.name != "bfloat16":
        return np.dtype(form.dtype)
    return np.dtype(pytest.importorskip("ml_dtypes", reason="ml_dtypes is not installed: no bfloat16").bfloat16)


def on_device(x, form):
    stored = form.stored(x)
    return cupy.asarray(stored).view(dtype_of(form)) if form.name == "bfloat16" else cupy.asarray(stored)


def on_host(x, form):
    return form.read(cupy.asnumpy(x.view(np.uint16) if form.name == "bfloat16" else x))


def misaligned(x):
    room = cupy.empty(x.size + 1, x.dtype)
    room[1:] = x.ravel()
    return room[1:].reshape(x.shape)


def every_other(x):
    room = cupy.empty((*x.shape, 2), x.dtype)
    room[..., 0] = x
    return room[..., 0]


def one_head_each(x):
    """Of operands made one after another, each lies otherwise than the one before."""
    one_head_each.count = getattr(one_head_each, "count", 0) + 1
    room = cupy.empty(x.size + one_head_each.count % 3, x.dtype)
    view = room[room.size - x.size :].reshape(x.shape)
    view[...] = x
    return view


LIES = {"contiguous": lambda x: x, "misaligned": misaligned, "strided": every_other, "apart": one_head_each}


@pytest.mark.parametrize("lies", LIES)
@pytest.mark.parametrize(("name", "i", "form"), CASES, ids=lambda x: getattr(x, "name", str(x)))
def test_kernel_gives_what_the_rule_gives(name, i, form, lies):
    prim = ROWS[name]
    params = params_of(prim)[i]
    ct, saved, wants = by_rule(prim, params, form)
    raws = [LIES[lies](on_device(x, form)) for x in (ct, *saved)]
    wanted = [(ct.shape, raws[0].dtype)] * len(wants)
    found = KERNELS.get(prim.fused)(raws[0], raws[1:], params, wanted, [None] * len(wants))
    for got, want in zip(found, wants):
        np.testing.assert_allclose(on_host(got, form), form.rounded(want), **tolerance(form, params))


@pytest.mark.parametrize("lies", LIES)
@pytest.mark.parametrize(("name", "i", "form"), [c for c in CASES if c[1] == 0], ids=lambda x: getattr(x, "name", str(x)))
def test_kernel_adds_into_what_is_there(name, i, form, lies):
    prim = ROWS[name]
    params = params_of(prim)[i]
    ct, saved, wants = by_rule(prim, params, form)
    raws = [LIES[lies](on_device(x, form)) for x in (ct, *saved)]
    buffers = [LIES[lies](on_device(np.full(ct.shape, 0.5), form)) for _ in wants]
    found = KERNELS.get(prim.fused)(raws[0], raws[1:], params, [(ct.shape, raws[0].dtype)] * len(wants), buffers)
    assert found == [None] * len(wants)
    for got, want in zip(buffers, wants):
        np.testing.assert_allclose(on_host(got, form), form.rounded(want + 0.5), **tolerance(form, params))


# -- pow, broadcast
def power_cts(ct, a, b):
    return [ct * (b * a ** (b - 1)), ct * (a**b * np.log(a))]


def summed(ct, shape):
    ct = ct.sum(tuple(range(ct.ndim - len(shape))))
    return ct.sum(tuple([i for i, n in enumerate(shape) if n == 1 != ct.shape[i]]), keepdims=True)


BROADCAST = [  # the operands' shapes, and how many launches both cotangents take
    ((1003,), (), 1), ((), (1003,), 1), ((200_000,), (), 1), ((30, 50), (50,), 1), ((3000, 50), (50,), 1),
    ((3000, 50), (3000, 1), 1), ((70_000, 3), (70_000, 1), 1), ((2, 30, 5, 7), (30, 1, 1), 1), ((2, 3, 4, 5), (2, 1, 4, 1), 1),
    ((30, 1), (50,), 2), ((5, 1, 3), (4, 1), 2), ((1,), (), 1), ((), (), 1),
]  # fmt: skip


@pytest.mark.parametrize("adds", [False, True])
@pytest.mark.parametrize("dtype", ["e", "f", "d"])
@pytest.mark.parametrize(("a_shape", "b_shape", "launches"), BROADCAST)
def test_broadcast_operands_are_summed_in_the_same_launch(a_shape, b_shape, launches, dtype, adds, counting):
    rng = np.random.default_rng(2)
    shape = np.broadcast_shapes(a_shape, b_shape)
    hosts = [rng.normal(size=shape), rng.uniform(0.5, 2, a_shape), rng.uniform(-2, 2, b_shape)]
    hosts = [np.asarray(x).astype(dtype) for x in hosts]
    ct, a, b = map(cupy.asarray, hosts)
    buffers = [cupy.ones_like(a), cupy.ones_like(b)] if adds else [None, None]
    kernel, wanted = KERNELS.get("pow_vjp"), [(a.shape, a.dtype), (b.shape, b.dtype)]
    kernel(ct, (None, a, b), None, wanted, [None, None])  # compiles, and makes the counters
    with counting() as counts:
        found = kernel(ct, (None, a, b), None, wanted, buffers)
    assert counts["launch"] == launches and counts["memset"] == counts["dtoh"] == counts["sync"] == 0
    wants = power_cts(*[x.astype(np.float64) for x in hosts])
    for got, buffer, want, like in zip(found, buffers, wants, (a, b)):
        want = summed(want, like.shape) + adds
        scale = np.abs(want).max() if want.size else 1
        tolerance = {"e": 4e-3, "f": 1e-5, "d": 1e-12}[dtype]
        np.testing.assert_allclose((buffer if adds else got).get(), want, rtol=tolerance, atol=tolerance * scale)


@pytest.mark.parametrize("wanted", [(True, False), (False, True)])
def test_one_operand_alone(wanted):
    rng = np.random.default_rng(2)
    ct, a, b = rng.normal(size=(30, 50)), rng.uniform(0.5, 2, (30, 50)), rng.uniform(-2, 2, (50,))
    raws = [cupy.asarray(x) for x in (ct, a, b)]
    likes = [(x.shape, x.dtype) if want else None for x, want in zip(raws[1:], wanted)]
    found = KERNELS.get("pow_vjp")(raws[0], (None, *raws[1:]), None, likes, [None, None])
    for got, want, like in zip(found, power_cts(ct, a, b), likes):
        assert (got is None) == (like is None)
        if like:
            np.testing.assert_allclose(got.get(), summed(want, like[0]), rtol=1e-12, atol=1e-12)


def test_sums_come_out_the_same_bit_for_bit():
    rng = np.random.default_rng(2)
    x, p = cupy.asarray(rng.uniform(0.5, 2, (999, 77)).astype("f")), cupy.asarray(rng.uniform(-2, 2, 77).astype("f"))
    wanted = [None, (p.shape, p.dtype)]
    first, *others = [KERNELS.get("pow_vjp")(x, (None, x, p), None, wanted, [None, None])[1].get() for _ in range(3)]
    assert all((first == other).all() for other in others)


# -- sizes, indices, streams
def test_nothing_is_launched_for_no_elements(counting):
    x, p = cupy.ones((0, 3)), cupy.ones(3)
    with counting() as counts:
        (got,) = KERNELS.get("exp_vjp")(x, (x, None), None, [(x.shape, x.dtype)], [None])
    assert got.shape == (0, 3) and counts["launch"] == 0
    assert KERNELS.get("pow_vjp")(x, (None, x, p), None, [None, (p.shape, p.dtype)], [None, None])[1].get().tolist() == [0] * 3


def test_cotangent_of_a_sum_is_read_once():
    y = cupy.arange(1000.0, dtype="f")
    ct = cupy.broadcast_to(cupy.asarray(np.float32(2)), y.shape)
    np.testing.assert_array_equal(KERNELS.get("exp_vjp")(ct, (y, None), None, [(y.shape, y.dtype)], [None])[0].get(), 2 * y.get())


@pytest.fixture
def few_small_indices(monkeypatch):
    monkeypatch.setattr(layout, "SMALL", 10)
    layout.plan.cache_clear()
    yield
    layout.plan.cache_clear()


@pytest.mark.parametrize("b_shape", [(30, 50), (50,), ()])
@pytest.mark.usefixtures("few_small_indices")
def test_large_operands_take_64_bit_indices(b_shape):
    rng = np.random.default_rng(2)
    ct, a, b = rng.normal(size=(30, 50)), rng.uniform(0.5, 2, (30, 50)), rng.uniform(-2, 2, b_shape)
    for lies in (lambda x: x, every_other):
        raws = [lies(cupy.asarray(x)) for x in (ct, a, b)]
        found = KERNELS.get("pow_vjp")(raws[0], (None, *raws[1:]), None, [(x.shape, x.dtype) for x in raws[1:]], [None, None])
        for got, want in zip(found, power_cts(ct, a, b)):
            np.testing.assert_allclose(got.get(), summed(want, got.shape), rtol=1e-12, atol=1e-11)


def test_streams_have_their_own_counters():
    x = cupy.full(100_000, 1.5, "f")
    p = cupy.full((), 2.0, "f")
    kernel, wanted = KERNELS.get("pow_vjp"), [None, ((), p.dtype)]
    here = kernel(x, (None, x, p), None, wanted, [None, None])[1]
    with cupy.cuda.Stream(non_blocking=True) as stream:
        there = kernel(x, (None, x, p), None, wanted, [None, None])[1]
        stream.synchronize()
    assert float(here) == float(there) and len(kernel.compiler.tickets.made) >= 2


@pytest.mark.parametrize("dtype", ["i", "F", "?"])
def test_kernels_decline_other_dtypes(dtype):
    x = cupy.ones(3, dtype)
    assert KERNELS.get("exp_vjp")(x, (x, None), None, [(x.shape, x.dtype)], [None]) is NotImplemented


def test_kernels_decline_operands_of_another_dtype():
    x, y = cupy.ones(3, "f"), cupy.ones(3, "d")
    assert KERNELS.get("exp_vjp")(x, (y, None), None, [(x.shape, x.dtype)], [None]) is NotImplemented
