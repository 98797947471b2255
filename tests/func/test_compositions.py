"""Every transform of every transform of every transform, around a function that closes over weights: as PyTorch's."""

import itertools
import sys

import numpy as np
import pytest

import gradkit

# PyTorch's own forward mode still scripts its decompositions at first use.
pytestmark = pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated:DeprecationWarning")

X, W = np.array([0.3, -0.7]), np.array([0.9, 0.4])

# Each takes a function of vectors to another such, in the library `t` (which has grad, jvp ...).
TRANSFORMS = {
    "grad": lambda t, f: t.grad(lambda x: f(x).sum()),
    "jvp": lambda t, f: lambda x: t.jvp(f, (x,), (x * x,))[1],
    "vjp": lambda t, f: lambda x: t.vjp(f, x)[1](x + 1)[0],
    "vmap": lambda t, f: lambda x: t.vmap(lambda s: f(x * s).sum())(x),  # over what it closes over, too
    "jacrev": lambda t, f: lambda x: t.jacrev(f)(x).sum(0),
    "jacfwd": lambda t, f: lambda x: t.jacfwd(f)(x) @ x,
    "hessian": lambda t, f: lambda x: t.hessian(lambda x: f(x).sum())(x).sum(0),
    "aux": lambda t, f: lambda x: t.grad(lambda y: ((x * y).sum(), f(y)), has_aux=True)(x)[1],
}


def asked(f, x, **how):
    """`autograd.grad` where a transform has its own tensor."""
    x = x + gradkit.zeros(2, dtype=x.dtype).requires_grad_()
    return gradkit.autograd.grad(f(x), x, create_graph=True, **how)[0]


OURS_ONLY = {  # PyTorch has them too, or names them otherwise, but slower than can be waited for, or refuses
    "linearize": (lambda t, f: lambda x: t.linearize(f, x)[1](x * x), "jvp"),
    "asked": (lambda t, f: lambda x: asked(lambda x: f(x).sum(), x), "grad"),
    "batched": (lambda t, f: lambda x: asked(f, x, grad_outputs=gradkit.eye(2, dtype=x.dtype), is_grads_batched=True).sum(0), "jacrev"),
    "chunks": (lambda t, f: lambda x: t.jacrev(f, chunk_size=1)(x).sum(0), "jacrev"),
}


def function(lib):
    w = lib.tensor(W)
    return lambda x: (x * w).sin() * x.exp() + x[0] * w


def applied(lib, names, transforms):
    found = function(lib)
    for name in reversed(names):
        found = transforms[name](lib.func, found)
    return found(lib.tensor(X)).detach().numpy()


@pytest.mark.parametrize("outer", TRANSFORMS)
def test_three_deep_is_pytorchs(outer, torch):
    for inner in itertools.product(TRANSFORMS, TRANSFORMS):
        names = (outer, *inner)
        ours, theirs = applied(gradkit, names, TRANSFORMS), applied(torch, names, TRANSFORMS)
        np.testing.assert_allclose(ours, theirs, rtol=1e-8, atol=1e-10, err_msg=" of ".join(names))


@pytest.mark.parametrize("name", OURS_ONLY)
def test_three_deep_is_what_it_stands_for(name):
    transform, same = OURS_ONLY[name]
    with_it, without = TRANSFORMS | {name: transform}, TRANSFORMS | {name: TRANSFORMS[same]}
    for names in itertools.product([*TRANSFORMS, name], repeat=3):
        if name in names:
            ours, expected = applied(gradkit, names, with_it), applied(gradkit, names, without)
            np.testing.assert_allclose(ours, expected, rtol=1e-8, atol=1e-10, err_msg=" of ".join(names))


def laplacian(lib, f, x):
    def curvature(v):
        return lib.func.jvp(lambda x: lib.func.jvp(f, (x,), (v,))[1], (x,), (v,))[1]

    return lib.func.vmap(curvature)(lib.eye(len(x), dtype=x.dtype)).sum()


def test_the_laplacian_is_the_trace_of_the_hessian():
    rng = np.random.default_rng(0)
    a, b = gradkit.tensor(rng.normal(size=(5, 7))), gradkit.tensor(rng.normal(size=7))
    x = gradkit.tensor(rng.normal(size=5))

    def f(x):
        return (x @ a).tanh() @ b

    trace = gradkit.func.hessian(f)(x).diagonal().sum()
    np.testing.assert_allclose(laplacian(gradkit, f, x).item(), trace.item())


def calls_of(work):
    """How many functions are called; what is worked out once and remembered is not counted."""
    work()
    count = 0

    def seen(frame, event, arg):
        nonlocal count
        count += event == "call"

    sys.setprofile(seen)
    try:
        work()
    finally:
        sys.setprofile(None)
    return count


def test_the_laplacian_costs_a_few_evaluations_whatever_the_dimension():
    def network(n):
        a = gradkit.tensor(np.ones((n, 4)))
        return (lambda x: ((x @ a).tanh() ** 2).sum()), gradkit.tensor(np.ones(n))

    few, many = [calls_of(lambda n=n: laplacian(gradkit, *network(n))) for n in (3, 30)]
    assert few == many  # all dimensions at once; the arrays grow, not the number of operations


@pytest.mark.parametrize("both", [False, True])
def test_grad_by_what_all_samples_share_is_each_samples_own(both):
    w, v = [gradkit.tensor(given, requires_grad=True) for given in (W, X)]
    xs = gradkit.tensor([X, W, X + W])

    def gradients(x):
        y = (w * x).sin().sum() * (v.sum() if both else 2.0)
        return gradkit.autograd.grad(y, (w, v) if both else w, create_graph=both)

    found = gradkit.func.vmap(gradients)(xs)
    for mine, expected in zip(found, zip(*map(gradients, xs))):
        np.testing.assert_allclose(mine.detach(), gradkit.stack(expected).detach())
        assert mine.requires_grad is both
