"""Under vmap, and under the vmaps that Jacobians are made of, what no sample differs in may be asked for as one value."""

import numpy as np
import pytest

import gradkit

pytestmark = pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated:DeprecationWarning")

BRANCHES = {
    "if": lambda lib, x: (x**3).sum() if x[0] > 0 else (x**2).sum(),
    "while": lambda lib, x: lib.func.vmap(lambda v: v * x.sum())(x).sum() if (x * x).sum() > 1 else x.sum(),
    "item": lambda lib, x: (x**3).sum() * x[0].item(),
    "float of detached": lambda lib, x: (x**3).sum() * float(x.detach().sum()),
    "int": lambda lib, x: (x**3).sum() * int((x > 0).sum()),
    "tolist": lambda lib, x: (x**3).sum() * x.tolist()[1],
    "mask": lambda lib, x: (x[x > 0.5] ** 3).sum(),
    "mask written": lambda lib, x: masked(x),
    "nonzero": lambda lib, x: (x[lib.nonzero(x > 0.5)[:, 0]] ** 3).sum(),
    "allclose": lambda lib, x: (x**3).sum() * (2 if lib.allclose(x, x) else 1),
    "index": lambda lib, x: x[int(x.argmax())] ** 3 * x.sum(),
    "range": lambda lib, x: sum([x.sum() ** k for k in range((x > 0).sum())]),
}
AROUND = {
    "hessian": lambda func, f: func.hessian(f),
    "jacfwd of grad": lambda func, f: func.jacfwd(func.grad(f)),
    "jacfwd of hessian": lambda func, f: func.jacfwd(func.hessian(f)),
    "jacrev of hessian": lambda func, f: func.jacrev(func.hessian(f)),
    "vmap of grad at what is shared": lambda func, f: lambda x: func.vmap(lambda v: v.sum() * func.grad(f)(x))(x),
    "vmap of value": lambda func, f: lambda x: func.vmap(lambda v: v.sum() * func.grad_and_value(f)(x)[1])(x),
}


def masked(x):
    y = x * x
    y[y > 0.5] = x.sum()
    return (y * y).sum()


@pytest.mark.parametrize("around", AROUND)
@pytest.mark.parametrize("branch", BRANCHES)
def test_a_branch_on_what_samples_share_is_pytorchs(branch, around, torch):
    ours, theirs = [
        AROUND[around](lib.func, lambda x, lib=lib: BRANCHES[branch](lib, x))(lib.tensor([0.4, 0.9, 1.3]))
        for lib in (gradkit, torch)
    ]
    np.testing.assert_allclose(ours.numpy(), theirs.numpy(), rtol=2e-5, atol=1e-6)


SHARED = {
    "gradient": lambda lib, c, v: lib.func.grad(lambda x: (x * x).sum())(c),
    "value": lambda lib, c, v: lib.func.grad_and_value(lambda x: (x * x).sum())(c)[1],
    "hessian": lambda lib, c, v: lib.func.hessian(lambda x: (x**3).sum())(c),
    "jvp": lambda lib, c, v: lib.func.jvp(lambda x: x * x, (c,), (c,))[1],
    "vjp": lambda lib, c, v: lib.func.vjp(lambda x: x * x, c)[1](c)[0],
    "jacrev": lambda lib, c, v: lib.func.jacrev(lambda x: x * x)(c),
    "filled": lambda lib, c, v: lib.zeros(2).copy_(lib.func.grad(lambda x: (x * x).sum())(c)),
}


@pytest.mark.parametrize("name", SHARED)
def test_what_is_made_of_shared_values_is_shared(name, torch):
    ours, theirs = [
        lib.func.vmap(lambda v, lib=lib: SHARED[name](lib, lib.tensor([1.0, 2.0]), v), out_dims=None)(lib.ones(3, 2))
        for lib in (gradkit, torch)
    ]
    np.testing.assert_array_equal(ours.numpy(), theirs.numpy())


DIFFER = {
    "gradient": lambda c, v: gradkit.func.grad(lambda x: (x * v).sum())(c),
    "cotangent": lambda c, v: gradkit.func.vjp(lambda x: x * x, c)[1](v)[0],
    "tangent": lambda c, v: gradkit.func.jvp(lambda x: x * x, (c,), (v,))[1],
    "written": lambda c, v: gradkit.func.grad(lambda x: ((x * 1).mul_(v) * x).sum())(c),
    "written place": lambda c, v: gradkit.func.grad(lambda x: placed(x * 1, v).prod())(c),
    "random": lambda c, v: gradkit.func.grad(lambda x: (x * gradkit.rand(2)).sum())(c),
}


def placed(y, v):
    y[0] = v[0]
    return y


@pytest.mark.parametrize("name", DIFFER)
def test_what_differs_between_samples_is_not_shared(name):
    f, c, v = DIFFER[name], gradkit.tensor([1.0, 2.0]), gradkit.tensor([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    with pytest.raises(ValueError, match="differs between samples"):
        gradkit.func.vmap(lambda v: f(c, v), out_dims=None, randomness="different")(v)
    if name != "random":
        found = gradkit.func.vmap(lambda v: f(c, v))(v)
        np.testing.assert_allclose(found.numpy(), np.stack([f(c, one).numpy() for one in v]), rtol=1e-6)


def test_a_branch_on_what_was_written_with_a_samples_value_is_refused():
    def f(x, v):
        y = x * 1
        y[0] = v
        return y.sum() if y[0] > 0 else x.sum()

    with pytest.raises(RuntimeError, match="data-dependent"):
        gradkit.func.vmap(lambda v: gradkit.func.grad(f)(gradkit.ones(2), v))(gradkit.ones(3))


def test_what_others_take_to_be_shared_is_not_written_with_a_samples_value():
    def f(x, v):
        y = x * 1
        fixed = y.detach()
        y.mul_(v)
        return (fixed * y).sum()

    with pytest.raises(RuntimeError, match="not batched"):
        gradkit.func.vmap(lambda v: gradkit.func.grad(f)(gradkit.ones(2), v))(gradkit.ones(3))
