"""Tangents that are not multiplied out give what multiplying them out gives, whatever is written in between."""

import tracemalloc

import numpy as np
import pytest

import gradkit
from gradkit.engine import products, tangents
from gradkit.engine.primitive import REGISTRY
from gradkit.func import jacfwd, jvp, vmap

SHAPE = 6, 256
X = np.linspace(0.1, 1.9, 6 * 256).reshape(SHAPE)
V = np.cos(np.arange(6 * 256.0)).reshape(SHAPE)

pytestmark = pytest.mark.cpu  # products wait on NumPy's arrays only


def both(monkeypatch, f, *, dtype=np.float64):
    """The tangent of f, with products pending wherever they can be, and multiplied out at once."""
    x, v = X.astype(dtype), V.astype(dtype)
    found = []
    for size in (1, 1 << 60):
        monkeypatch.setattr(tangents, "LARGE", size)
        found.append(jvp(f, (gradkit.tensor(x),), (gradkit.tensor(v),))[1])
    assert all(type(t) is gradkit.Tensor for t in found)
    return [t.numpy() for t in found]


FUNCTIONS = {
    "sum along rows": lambda x: x.exp().sum(dim=1),
    "sum along columns": lambda x: x.exp().sum(dim=0),
    "sum": lambda x: x.sin().sum(),
    "kept axes": lambda x: x.exp().sum(dim=-1, keepdim=True) + x.exp().sum(dim=(0, 1), keepdim=True),
    "of a view": lambda x: x.exp().t().sum(dim=1),
    "several products": lambda x: x.exp().sin().tanh().sum(1),
    "several factors": lambda x: x.sigmoid().sum(1),
    "used twice": lambda x: (lambda y: y.sum(1) + y.mean(1) * y.sum())(x.exp()),
    "returned": lambda x: x.exp(),
    "of other rows": lambda x: (-x).abs().relu().sum(1),
    "of two operands": lambda x: (x.exp() * x.log()).sum(1),
    "a tangent of zero": lambda x: x.exp().floor().sum(1),
}


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_pending_products_change_nothing(name, dtype, monkeypatch):
    pending, at_once = both(monkeypatch, FUNCTIONS[name], dtype=dtype)
    assert pending.dtype == at_once.dtype == dtype
    np.testing.assert_allclose(pending, at_once, rtol=1e-13 if dtype is np.float64 else 2e-6, atol=1e-5 if dtype is np.float32 else 1e-12)


@pytest.mark.parametrize("row", [row for row in REGISTRY.values() if row.contract], ids=repr)
@pytest.mark.parametrize("shape", [(3, 4), (4, 300), (2, 2, 512), (2048,)])
def test_a_row_that_contracts_does_what_it_does_to_the_product(row, shape):
    left, right = np.random.default_rng(0).normal(size=(2, *shape))
    for *_, params in row.samples:
        if min(params["axis"] or (0,)) < -len(shape):
            continue
        for one in (right, np.asfortranarray(right)):
            np.testing.assert_allclose(row.contract(left, one, **params), row.run(left * one, **params), rtol=1e-11)


def detached(x):
    y = x.exp()
    y.detach().zero_()
    return y.sum(1)


def itself(x):
    y = x.exp()
    total = y.sum(1)
    y.mul_(2)
    y += 1
    return total + y.sum(1)


def through_a_view(x):
    y = x.exp()
    y[0] = 3.0
    return y.sum(1)


@pytest.mark.parametrize("f", [detached, itself, through_a_view])
def test_what_is_written_was_multiplied_out_before(f, monkeypatch):
    pending, at_once = both(monkeypatch, f)
    np.testing.assert_allclose(pending, at_once, rtol=1e-13)
    assert np.abs(at_once).max() > 1


@pytest.mark.parametrize("accumulated", [1, 2])
def test_what_backward_adds_into_was_multiplied_out_before(accumulated, monkeypatch):
    """The factor of the pending tangent is the memory of a gradient."""
    w = gradkit.ones(SHAPE, dtype=gradkit.float64, requires_grad=True)

    def f(x):
        y = x.exp()
        w.grad = y.detach()
        for _ in range(accumulated):
            (w * 3).sum().backward()
        assert w.grad is not None and np.shares_memory(w.grad.array, y.array)
        return y

    pending, at_once = both(monkeypatch, f)
    np.testing.assert_array_equal(pending, at_once)
    np.testing.assert_allclose(pending, np.exp(X) * V, rtol=1e-14)


def test_the_users_tangent_may_be_written_meanwhile(monkeypatch):
    monkeypatch.setattr(tangents, "LARGE", 1)
    v = gradkit.tensor(V)

    def f(x):
        y = x.exp()
        v.zero_()
        return y.sum(1)

    np.testing.assert_allclose(jvp(f, (gradkit.tensor(X),), (v,))[1].numpy(), (np.exp(X) * V).sum(1), rtol=1e-13)


def test_a_dual_level_multiplies_at_once(monkeypatch):
    monkeypatch.setattr(tangents, "LARGE", 1)
    fw, v = gradkit.autograd.forward_ad, V.copy()
    with fw.dual_level():
        y = fw.make_dual(gradkit.tensor(X), gradkit.from_numpy(v)).exp()
        v[:] = 0
        np.testing.assert_allclose(fw.unpack_dual(y.sum(1)).tangent.numpy(), (np.exp(X) * V).sum(1), rtol=1e-13)


def test_higher_orders_and_batches_see_ordinary_tangents(monkeypatch):
    x = gradkit.tensor(X[0, :6])

    def f(x):
        return x.exp().sum() * x.sin().sum()

    expected = jacfwd(jacfwd(f))(x)
    pushed = jacfwd(lambda x: jvp(f, (x,), (x,))[1])(x)
    each = vmap(lambda x: jvp(f, (x,), (x,))[1])(gradkit.tensor(X[:, :6]))
    monkeypatch.setattr(tangents, "LARGE", 1)
    np.testing.assert_allclose(jacfwd(jacfwd(f))(x).numpy(), expected.numpy(), rtol=1e-13)
    np.testing.assert_allclose(jacfwd(lambda x: jvp(f, (x,), (x,))[1])(x).numpy(), pushed.numpy(), rtol=1e-13)
    np.testing.assert_allclose(vmap(lambda x: jvp(f, (x,), (x,))[1])(gradkit.tensor(X[:, :6])).numpy(), each.numpy(), rtol=1e-13)


def test_the_product_is_not_made(device):
    if device == "cuda":
        pytest.skip("shortcuts of one backend alone are not taken beside another")
    x = gradkit.tensor(np.ones((512, 1024)))
    assert x.array.size >= products.LARGE

    def peak(f):
        jvp(f, (x,), (x,))
        tracemalloc.start()
        jvp(f, (x,), (x,))
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most / x.array.nbytes

    assert peak(lambda x: x.exp().sum(1)) < 1.1 < 1.9 < peak(lambda x: x.exp().sum(0))


def test_levels_and_pending_products_are_forgotten(monkeypatch):
    monkeypatch.setattr(tangents, "LARGE", 1)
    for _ in range(200):
        jvp(lambda x: x.exp().sum(1), (gradkit.tensor(X),), (gradkit.tensor(V),))
    with pytest.raises(ZeroDivisionError):
        jvp(lambda x: x.exp() * (1 // 0), (gradkit.tensor(X),), (gradkit.tensor(V),))
    assert not products.levels and len(products._pending) <= 65
