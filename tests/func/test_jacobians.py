"""Jacobians and Hessians: chunks, the memory budget, aux, trees, complex numbers, errors of PyTorch's types."""

import tracemalloc
from collections import namedtuple

import numpy as np
import pytest

import gradkit
from gradkit.autograd import functional as F
from gradkit.func import (
    chunks,
    get_memory_budget,
    grad,
    grad_and_value,
    hessian,
    jacfwd,
    jacrev,
    jvp,
    linearize,
    set_memory_budget,
    value_and_grad,
    vjp,
    vmap,
)
from tests.memory import Memory

# PyTorch's own forward mode still scripts its decompositions at first use.
pytestmark = pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated:DeprecationWarning")

X = np.linspace(0.3, 1.4, 6).reshape(2, 3)
SIZES = [None, 1, 2, 4, 100, "auto"]


def f(x):
    return (x.sin() * x.exp()).cumsum(-1)


@pytest.fixture
def budget():
    yield set_memory_budget
    set_memory_budget(0.25)


@pytest.mark.parametrize("chunk_size", SIZES)
@pytest.mark.parametrize("tiny", [False, True])
def test_chunks_change_nothing(chunk_size, tiny, budget):
    if tiny:
        budget(1)
    x = gradkit.tensor(X)
    whole = jacrev(f)(x)
    curved = hessian(lambda x: f(x).sum())(x)
    for found in (
        jacrev(f, chunk_size=chunk_size)(x),
        jacfwd(f, chunk_size=chunk_size)(x),
        F.jacobian(f, x, chunk_size=chunk_size),
        F.jacobian(f, x, strategy="forward-mode", chunk_size=chunk_size),
        F.jacobian(f, x, strategy="auto", chunk_size=chunk_size),
        F.jacobian(f, x, create_graph=True, chunk_size=chunk_size).detach(),
    ):
        np.testing.assert_allclose(found.numpy(), whole.numpy(), rtol=1e-12)
    for found in (
        hessian(lambda x: f(x).sum(), chunk_size=chunk_size)(x),
        F.hessian(lambda x: f(x).sum(), x, chunk_size=chunk_size),
        F.hessian(lambda x: f(x).sum(), x, outer_jacobian_strategy="forward-mode", chunk_size=chunk_size),
    ):
        np.testing.assert_allclose(found.numpy(), curved.numpy(), rtol=1e-12)


def test_a_chunked_jacobian_can_be_differentiated():
    x = gradkit.tensor(X)
    third = jacrev(lambda x: jacrev(f, chunk_size=2)(x), chunk_size=3)(x)
    np.testing.assert_allclose(third.numpy(), jacfwd(jacfwd(f))(x).numpy(), rtol=1e-10, atol=1e-12)


SHARING = {  # one cotangent goes to several operands, or several add up where one is waiting
    "slices": lambda x: x[1:] + x[:-1] + x[1:] * x[0],
    "slices of a slice": lambda x: (x[2:][1:] + x[2:][:-1]).sin() + x[3:],
    "itself": lambda x: x + x - (-x),
    "a diamond": lambda x: (lambda y: y + y.exp() + (y + 1) + y.reshape(-1))(2 * x),
    "a diamond of slices": lambda x: (lambda y: y[1:] + y[:-1] + y[:-1] * y[1:])(x.sin()),
    "a view of the cotangent": lambda x: x.reshape(2, -1).sum(1) + x.reshape(2, -1).T[0] + x[:2],
}


@pytest.mark.parametrize("name", SHARING)
def test_rows_that_share_a_cotangent_are_each_themselves(name):
    x = gradkit.tensor(X.ravel()[:6].copy())
    g = SHARING[name]
    one_by_one = gradkit.stack([gradkit.autograd.grad(g(v := x.clone().requires_grad_())[i], v)[0] for i in range(len(g(x)))])
    for found in (jacrev(g)(x), F.jacobian(g, x), F.jacobian(g, x, create_graph=True).detach()):
        np.testing.assert_allclose(found.numpy(), one_by_one.numpy(), rtol=1e-12, atol=1e-14)
    twice = hessian(lambda x: g(x).sin().sum())(x)
    np.testing.assert_allclose(twice.numpy(), jacfwd(jacfwd(lambda x: g(x).sin().sum()))(x).numpy(), rtol=1e-11, atol=1e-12)


WIDE = {
    "jacrev": lambda x: jacrev(lambda x: (x.sin() * x).exp().reshape(64, -1).sum(1), chunk_size="auto")(x),
    "jacfwd": lambda x: jacfwd(lambda x: (gradkit.stack([x] * 200).sin() * x).exp().sum(1), chunk_size="auto")(x[:128]),
    "functional.jacobian": lambda x: F.jacobian(lambda x: (x.sin() * x).exp().reshape(64, -1).sum(1), x),
    "functional.hessian": lambda x: F.hessian(lambda x: (gradkit.stack([x] * 100).sin() * x).exp().sum(), x[:64]),
    "functional.jacobian, forward": lambda x: F.jacobian(
        lambda x: (gradkit.stack([x] * 200).sin() * x).exp().sum(1), x[:128], vectorize=True, strategy="forward-mode"
    ),
    "functional.hessian, forward": lambda x: F.hessian(
        lambda x: (gradkit.stack([x] * 100).sin() * x).exp().sum(), x[:64], vectorize=True,
        outer_jacobian_strategy="forward-mode",
    ),
    "vmap": lambda x: vmap(lambda x: (gradkit.stack([x] * 20).sin() * x).exp().sum(), chunk_size="auto")(
        x.reshape(64, -1)
    ),
    "what vmap closes over": lambda x: vmap(lambda s: (s * x).sin().sum(), chunk_size="auto")(x[:64]),
    "what jacfwd closes over": lambda x: jacfwd(lambda s: (s[:, None] * x[:2048]).sin().sum(1), chunk_size="auto")(x[:16]),
}


@pytest.mark.parametrize("name", WIDE)
def test_the_most_memory_alive_stays_within_the_budget(name, budget):
    x = gradkit.tensor(np.linspace(0.0, 1.0, 32 * 1024))
    limit = 3 << 20
    unbounded = peak_beside_result(lambda: WIDE[name](x))
    budget(limit)
    bounded = peak_beside_result(lambda: WIDE[name](x))
    assert unbounded > 2 * limit, "the test's function is too small to show anything"
    assert bounded < 1.25 * limit


def peak_beside_result(work):
    """In a second run: what is made once is not counted."""
    work()
    with Memory() as memory:
        result = work()
    return memory.most - result.array.nbytes


def test_the_budget_is_bytes_or_a_fraction_of_what_is_free(budget):
    budget(12345)
    assert get_memory_budget() == 12345
    budget(0.5)
    assert abs(get_memory_budget() - chunks.free_memory(gradkit.get_default_device()) // 2) <= 1
    for wrong in (0, -1, 1.5, 0.0, float("nan")):
        with pytest.raises(ValueError, match="fraction"):
            budget(wrong)


def test_a_measurement_leaves_the_counts_as_they_were(budget):
    budget(1)
    before = gradkit.cuda.max_memory_allocated()
    jacrev(f, chunk_size="auto")(gradkit.tensor(X))
    assert not tracemalloc.is_tracing()
    assert gradkit.cuda.max_memory_allocated() >= before


Pair = namedtuple("Pair", "a b")


def test_trees_in_and_out():
    p = {"w": gradkit.tensor(X), "b": (gradkit.tensor(X[0]), [gradkit.tensor(2.0)])}

    def function(p):
        return Pair((p["w"] * p["b"][0]).sum(1), {"s": p["b"][1][0] * p["w"].sum()})

    reverse, forward = jacrev(function)(p), jacfwd(function)(p)
    assert type(reverse) is type(forward) is Pair
    assert reverse.a["w"].shape == (2, 2, 3) and reverse.a["b"][1][0].shape == (2,) and reverse.b["s"]["w"].shape == (2, 3)
    np.testing.assert_allclose(reverse.a["w"].numpy(), forward.a["w"].numpy())
    np.testing.assert_allclose(reverse.b["s"]["b"][1][0].item(), X.sum())
    assert forward.a["b"][1][0].tolist() == [0.0, 0.0]


def test_several_arguments():
    x, y = gradkit.tensor(X), gradkit.tensor(X[0])
    both = jacrev(lambda x, y: (x * y).sum(1), argnums=(0, 1))(x, y)
    ahead = jacfwd(lambda x, y: (x * y).sum(1), argnums=(0, 1))(x, y)
    assert type(both) is type(ahead) is tuple
    for a, b in zip(both, ahead):
        np.testing.assert_allclose(a.numpy(), b.numpy())
    last = jacrev(lambda x, y: (x * y).sum(1), argnums=-1)(x, y)
    np.testing.assert_allclose(last.numpy(), both[1].numpy())


AUX = {
    "grad": lambda f, x: grad(f, has_aux=True)(x)[1],
    "grad_and_value": lambda f, x: grad_and_value(f, has_aux=True)(x)[1][1],
    "value_and_grad": lambda f, x: value_and_grad(f, has_aux=True)(x)[0][1],
    "vjp": lambda f, x: vjp(f, x, has_aux=True)[2],
    "jvp": lambda f, x: jvp(f, (x,), (x,), has_aux=True)[2],
    "linearize": lambda f, x: linearize(f, x, has_aux=True)[2],
    "jacrev": lambda f, x: jacrev(f, has_aux=True)(x)[1],
    "jacfwd": lambda f, x: jacfwd(f, has_aux=True)(x)[1],
    "hessian": lambda f, x: hessian(f, has_aux=True)(x)[1],
}


@pytest.mark.parametrize("array", [False, True])
@pytest.mark.parametrize("name", AUX)
def test_aux_comes_out_bare(name, array):
    def function(x):
        return (x * x).sum(), {"twice": x * 2, "word": "word", "sizes": [x.shape[0]]}

    aux = AUX[name](function, X if array else gradkit.tensor(X))
    assert aux["word"] == "word" and aux["sizes"] == [2]
    twice = aux["twice"]
    assert type(twice) is (np.ndarray if array else gradkit.Tensor)
    assert np.array_equal(np.asarray(twice), 2 * X)
    if not array:
        assert not twice.requires_grad and not twice.tangents and not twice.batch


def test_aux_still_belongs_to_transforms_outside():
    def outer(x):
        _, aux = grad(lambda y: ((x * y).sum(), x * y), has_aux=True)(x)
        return aux.sum()

    x = gradkit.tensor(X)
    np.testing.assert_allclose(grad(outer)(x).numpy(), 2 * X)
    np.testing.assert_allclose(jvp(outer, (x,), (x,))[1].item(), 2 * (X * X).sum())


Z = np.array([1 + 2j, 3j])
COMPLEX = {
    "jacobian": lambda F, t: F.jacobian(lambda z: z * z, t(Z), vectorize=True),
    "jacobian forward": lambda F, t: F.jacobian(lambda z: z * z, t(Z), vectorize=True, strategy="forward-mode"),
    "jacobian of abs": lambda F, t: F.jacobian(lambda z: z.abs(), t(Z)),
    "jvp": lambda F, t: F.jvp(lambda z: z * z.conj() * z, t(Z), t(Z * 1j))[1],
    "vjp": lambda F, t: F.vjp(lambda z: z.exp() * z, t(Z), t(Z * 1j))[1],
    "vjp of real": lambda F, t: F.vjp(lambda x: x * t(Z), t(np.array([1.0, 2.0])), t(Z))[1],
    "hvp": lambda F, t: F.hvp(lambda z: (z.abs() ** 4).sum(), t(Z), t(Z * 1j))[1],
}


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("name", COMPLEX)
def test_complex_derivatives_are_pytorchs(name, torch):
    ours, theirs = COMPLEX[name](F, gradkit.tensor), COMPLEX[name](torch.autograd.functional, torch.tensor)
    assert ours.dtype == theirs.numpy().dtype
    np.testing.assert_allclose(ours.numpy(), theirs.resolve_conj().numpy(), rtol=1e-10, atol=1e-12)


def scalar(x):
    return (x**2).sum()


BAD = {
    "argnums twice": (lambda g, t: g.grad(scalar, argnums=(0, 0))(t(X)), RuntimeError),
    "no argnums": (lambda g, t: g.grad(scalar, argnums=())(t(X)), RuntimeError),
    "argnums a float": (lambda g, t: g.jacrev(scalar, argnums=1.0)(t(X)), RuntimeError),
    "no such argument": (lambda g, t: g.jacfwd(scalar, argnums=5)(t(X)), RuntimeError),
    "no pair": (lambda g, t: g.grad(lambda x: (scalar(x), 1, 2), has_aux=True)(t(X)), RuntimeError),
    "returns a number": (lambda g, t: g.grad(lambda x: 3.0)(t(X)), RuntimeError),
    "vjp of a number": (lambda g, t: g.vjp(lambda x: 3.0, t(X)), RuntimeError),
    "jvp of a number": (lambda g, t: g.jvp(lambda x: 3.0, (t(X),), (t(X),)), RuntimeError),
    "jacrev of a number": (lambda g, t: g.jacrev(lambda x: 3.0)(t(X)), RuntimeError),
    "jacfwd of a number": (lambda g, t: g.jacfwd(lambda x: 3.0)(t(X)), RuntimeError),
    "takes a number": (lambda g, t: g.grad(scalar)(3.0), ValueError),
    "cotangent's shape": (lambda g, t: g.vjp(scalar, t(X))[1](t(X)), RuntimeError),
    "cotangents' structure": (lambda g, t: g.vjp(lambda x: (x, x), t(X))[1](t(X)), RuntimeError),
    "no primals": (lambda g, t: g.jvp(lambda: t(X), (), ()), RuntimeError),
    "tangents' structure": (lambda g, t: g.jvp(scalar, (t(X),), (t(X), t(X))), RuntimeError),
    "tangent's shape": (lambda g, t: g.jvp(scalar, (t(X),), (t(X[0]),)), RuntimeError),
    "tangent a number": (lambda g, t: g.jvp(scalar, (t(X),), (3.0,)), RuntimeError),
    "primals no tuple": (lambda g, t: g.jvp(scalar, t(X), t(X)), RuntimeError),
    "chunk of none": (lambda g, t: g.jacrev(scalar, chunk_size=0)(t(X)), ValueError),
    "integers": (lambda g, t: g.grad(scalar)(t(np.array([1, 2]))), RuntimeError),
}


@pytest.mark.parametrize("name", BAD)
def test_errors_are_of_pytorchs_types(name, torch):
    call, kind = BAD[name]
    for lib in (torch.func, gradkit.func):
        with pytest.raises(kind):
            call(lib, torch.tensor if lib is torch.func else gradkit.tensor)


def test_a_measurement_leaves_the_users_peak_alone(budget):
    budget(1 << 20)
    tracemalloc.start()
    try:
        bytearray(30_000_000)
        WIDE["vmap"](gradkit.ones(32 * 1024))
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert 30_000_000 <= most < 40_000_000


CONVENTIONS = {
    "holomorphic": (lambda x: gradkit.cat([x * x, x]), [1 + 2j, 3 - 1j]),
    "one number": (lambda x: gradkit.stack([x * x, x.conj()]), 1 + 2j),
    "of an absolute value": (lambda x: gradkit.cat([x.abs(), x.abs() * 2]), [1 + 2j, 3 - 1j]),
}


@pytest.mark.parametrize("name", CONVENTIONS)
def test_auto_keeps_to_the_convention_of_reverse_mode(name):
    f, z = CONVENTIONS[name]
    x = gradkit.tensor(z)
    assert gradkit.equal(F.jacobian(f, x, strategy="auto"), F.jacobian(f, x))


@pytest.mark.parametrize("chunk_size", [None, 1])
def test_all_columns_are_of_the_same_draw(chunk_size):
    def f(x, y):
        return (x * y * gradkit.rand(3)).sum() ** 2

    h = gradkit.func.hessian(f, (0, 1), randomness="same", chunk_size=chunk_size)(gradkit.ones(3), gradkit.ones(3))
    assert gradkit.allclose(h[0][1], h[1][0].T)
    assert gradkit.allclose(h[0][0], h[0][0].T)
    assert gradkit.allclose(h[0][0], h[1][1])


@pytest.mark.parametrize(
    "whole", [lambda x: x.long(), lambda x: x.to(gradkit.int8), lambda x: gradkit.zeros(2, dtype=gradkit.int64).copy_(x)]
)
def test_integers_do_not_move(whole):
    x = gradkit.tensor([1.5, -2.5])
    assert gradkit.equal(gradkit.func.jacfwd(lambda x: whole(x).float() * x)(x), gradkit.diag(whole(x)).float())


@pytest.mark.parametrize("make", [hessian, lambda f: jacrev(jacrev(f)), lambda f: jacfwd(jacfwd(f))])
def test_of_nothing_the_hessian_is_empty(make):
    assert make(lambda x: (x**3).sum())(gradkit.ones(0)).shape == (0, 0)
    assert vmap(make(lambda x: (x**3).sum()))(gradkit.ones(0, 2)).shape == (0, 2, 2)


def test_a_flat_view_of_a_samples_jacobian_follows_writes():
    def f(a):
        found = jacrev(lambda t: t.sin() * a)(a)
        copied = found.clone()
        flat = copied.reshape(-1)
        copied *= found
        return flat

    xs = gradkit.tensor([[0.3, 0.5], [1.1, 0.7]])
    np.testing.assert_allclose(vmap(f)(xs).numpy(), np.stack([f(x).numpy() for x in xs]), rtol=1e-6)
