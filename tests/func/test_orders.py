"""Every order of grad, jvp, vjp, vmap and both Jacobians to depth three, against PyTorch's and JAX's.

Each transform takes a function of an array of any shape to another one, so that all compose with all. The function
closes over a number, which in turn requires grad, carries a tangent, or has a batch axis.
"""

import itertools
import warnings

import numpy as np
import pytest

import gradkit

# PyTorch's own forward mode still scripts its decompositions at first use.
pytestmark = pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated:DeprecationWarning")

X = np.linspace(0.3, 1.4, 4).reshape(2, 1, 2)
W = 0.7


def function(m, w):
    """Of an array of any shape, with all second and third derivatives."""
    return lambda x: m.sin(x * w) * (x * x).sum() + m.exp(-w * x) * w


TRANSFORMS = {
    "grad": lambda m, t, f: t.grad(lambda x: (f(x) * m.cos(f(x))).sum()),
    "jvp": lambda m, t, f: lambda x: t.jvp(f, (x,), (m.cos(x),))[1],
    "vjp": lambda m, t, f: lambda x: pulled(m, *t.vjp(f, x)),
    "vmap": lambda m, t, f: t.vmap(f),
    "jacrev": lambda m, t, f: t.jacrev(f),
    "jacfwd": lambda m, t, f: t.jacfwd(f),
}
PAIRS = list(itertools.product(TRANSFORMS, repeat=2))


def pulled(m, y, back):
    return back(m.sin(y))[0]


def composed(names, m, t, f):
    for name in names:
        f = TRANSFORMS[name](m, t, f)
    return f


CLOSURES = {
    "requires grad": lambda m, t, of: lambda w: t.grad(lambda w: of(w).sum())(w),
    "carries a tangent": lambda m, t, of: lambda w: t.jvp(of, (w,), (m.ones_like(w),))[1],
    "has a batch axis": lambda m, t, of: lambda w: t.vmap(of)(m.stack([w, w * 2, w - 1])),
}


def answer(m, t, make, names):
    """What a composition gives, as an array."""
    return np.asarray(composed(names, m, t, function(m, make(W)))(make(X)))


def answer_about_closure(m, t, make, names, closure):
    of = lambda w: composed(names, m, t, function(m, w))(make(X))
    return np.asarray(CLOSURES[closure](m, t, of)(make(W)))


def ours(array):
    return gradkit.tensor(array, dtype=gradkit.float64)


@pytest.fixture
def theirs(torch):
    return torch, torch.func, lambda array: torch.tensor(array, dtype=torch.float64)


@pytest.fixture(scope="session")
def jax():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        jax = pytest.importorskip("jax", reason="jax is not installed: no witness to compare with")
        jax.config.update("jax_enable_x64", True)
        return jax.numpy, jax, lambda array: jax.numpy.asarray(array, dtype="float64")


def agree(got, want):
    assert got.shape == want.shape
    np.testing.assert_allclose(got, want, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("last", TRANSFORMS)
@pytest.mark.parametrize("names", PAIRS, ids="-".join)
def test_depth_three_is_pytorchs(names, last, theirs):
    order = (*names, last)
    agree(answer(gradkit, gradkit.func, ours, order), answer(*theirs, order))


@pytest.mark.parametrize("names", PAIRS, ids="-".join)
@pytest.mark.parametrize("closure", CLOSURES)
def test_closed_over_value_is_pytorchs(closure, names, theirs):
    got = answer_about_closure(gradkit, gradkit.func, ours, names, closure)
    agree(got, answer_about_closure(*theirs, names, closure))


@pytest.mark.parametrize("names", PAIRS, ids="-".join)
@pytest.mark.parametrize("closure", CLOSURES)
def test_closed_over_value_is_jaxs(closure, names, jax):
    got = answer_about_closure(gradkit, gradkit.func, ours, names, closure)
    agree(got, answer_about_closure(*jax, names, closure))


@pytest.mark.parametrize("names", PAIRS, ids="-".join)
def test_leaf_that_is_closed_over_gets_its_gradient(names):
    """The tape sees through every transform: what backward leaves in `grad` is what func.grad gives."""
    w = gradkit.tensor(W, dtype=gradkit.float64, requires_grad=True)
    composed(names, gradkit, gradkit.func, function(gradkit, w))(ours(X)).sum().backward()
    agree(w.grad.numpy(), answer_about_closure(gradkit, gradkit.func, ours, names, "requires grad"))


# -- perturbations
def slope(f, x):
    return gradkit.func.jvp(f, (x,), (gradkit.ones_like(x),))[1]


def by_tape(f, x):
    return gradkit.func.grad(f)(x)


CONFUSIONS = {
    "x * d(x + y)/dy": (lambda outer, inner, x: outer(lambda x: x * inner(lambda y: x + y, ours(1.0)), x), 1.0),
    "x * d(x y)/dy": (lambda outer, inner, x: outer(lambda x: x * inner(lambda y: x * y, ours(2.0)), x), 6.0),
    "d(x y) at y = x": (lambda outer, inner, x: outer(lambda x: inner(lambda y: x * y, x), x), 1.0),
    "d(x y y) at y = x": (lambda outer, inner, x: outer(lambda x: inner(lambda y: x * y * y, x), x), 12.0),
    "inner of a constant": (lambda outer, inner, x: outer(lambda x: x + inner(lambda y: x * x + 0 * y, x), x), 1.0),
    "a function that returns a derivative": (
        lambda outer, inner, x: outer(lambda x: inner(lambda y: inner(lambda z: x * y * z, y), x), x), 1.0,
    ),
}  # fmt: skip


@pytest.mark.parametrize("inner", [slope, by_tape])
@pytest.mark.parametrize("outer", [slope, by_tape])
@pytest.mark.parametrize("name", CONFUSIONS)
def test_perturbations_are_not_confused(name, outer, inner):
    """Siskind and Pearlmutter 2005; Manzyuk et al. 2019."""
    f, want = CONFUSIONS[name]
    assert f(outer, inner, ours(3.0)).item() == want


def test_a_derivative_that_leaves_its_transform_has_lost_its_tangent():
    kept = []
    slope(lambda x: kept.append(x * x) or x, ours(3.0))
    assert slope(lambda y: y * kept[0], ours(2.0)).item() == 9.0
