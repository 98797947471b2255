"""Hooks inside transforms: each runs in the walk of its own transform, and under vmap sees a sample, as in PyTorch."""

import numpy as np
import pytest

import gradkit

A = [[0.3, 0.5], [1.0, 2.0], [-1.0, 0.7]]


def on_tensor(x):
    y = x.sin()
    y.register_hook(lambda g: g * 3)
    return (y * y * x).sum()


def by_itself(x):
    y = x.exp()
    y.register_hook(lambda g: g * g)
    return (y * x).sum()


def on_argument(x):
    x.register_hook(lambda g: g * 3)
    return (x.sin() * x).sum()


def before_node(x):
    y = x.sin() * x
    y.grad_fn.register_prehook(lambda cts: (cts[0] * x,))
    return (y * y).sum()


def after_node(x):
    y = x.sum() * x
    y.grad_fn.register_hook(lambda grads, cts: (grads[0] * 2, grads[1] * cts[0]))
    return (y * y).sum()


def after_sum(x):
    y = x.sum()
    y.grad_fn.register_hook(lambda grads, cts: (grads[0] * x * cts[0],))
    return (y * y).sum()


def before_node_below(x):
    y = (x.sin() * x).exp()
    y.grad_fn.next_functions[0][0].register_prehook(lambda cts: (cts[0] * x,))
    return (y * y).sum()


def before_node_of_two(x):
    y = x.reshape(2, 1).max(0)
    y.values.grad_fn.register_prehook(lambda cts: (cts[0] * 3, *cts[1:]))
    return (y.values * y.values * x).sum()


def by_what_is_captured(x):
    y = x.sin()
    y.register_hook(lambda g: g * x.exp())
    return (y * y * x).sum()


def several(x):
    y = x.sin()
    y.register_hook(lambda g: g * g)
    y.register_hook(lambda g: g * 2 + x)
    z = y * y
    z.register_hook(lambda g: g.exp())
    return (z * x * y).sum()


def on_a_sum(x):
    u = x.sin()
    y = u + 1
    y.register_hook(lambda g: g * g)
    return (y * u * x).sum()


def scaled(g):
    return g * g + g


def on_two(x):
    y, z = x.sin(), x * x
    y.register_hook(scaled)
    z.register_hook(scaled)
    return (y * z * x).sum()


def removed(x):
    y = x.sin()
    with y.register_hook(lambda g: g * 5):
        z = y * y
    return (z * x).sum()


ON_TENSORS = [on_tensor, on_argument, by_what_is_captured, several, on_a_sum, on_two, removed]
FUNCTIONS = [*ON_TENSORS, by_itself, before_node, after_node, after_sum, before_node_below, before_node_of_two]


def of_gradient(func, f):
    return func.grad(lambda x: func.grad(f)(x).sum())


def plain(lib, f, x):
    x = x.clone().requires_grad_()
    return lib.autograd.grad(f(x), x)[0]


AROUND = {
    "grad": lambda lib, f, x: lib.func.grad(f)(x[0]),
    "grad of grad": lambda lib, f, x: of_gradient(lib.func, f)(x[0]),
    "third": lambda lib, f, x: of_gradient(lib.func, lambda x: lib.func.grad(f)(x).sum())(x[0]),
    "jacrev of grad": lambda lib, f, x: lib.func.jacrev(lib.func.grad(f))(x[0]),
    "jacrev of jacrev": lambda lib, f, x: lib.func.jacrev(lib.func.jacrev(f))(x[0]),
    "vjp in grad": lambda lib, f, x: lib.func.grad(lambda x: lib.func.vjp(f, x)[1](lib.ones(()))[0].sum())(x[0]),
    "vmap of grad": lambda lib, f, x: lib.func.vmap(lib.func.grad(f))(x),
    "vmap of grad of grad": lambda lib, f, x: lib.func.vmap(of_gradient(lib.func, f))(x),
    "backward through grad": lambda lib, f, x: plain(lib, lambda x: lib.func.grad(f)(x).sum(), x[0]),
    "autograd.grad in grad": lambda lib, f, x: lib.func.grad(
        lambda x: lib.autograd.grad(f(x), x, create_graph=True)[0].sum()
    )(x[0]),
}


@pytest.mark.filterwarnings("ignore:Full backward hook")
@pytest.mark.parametrize("around", AROUND)
@pytest.mark.parametrize("f", FUNCTIONS, ids=lambda f: f.__name__)
def test_a_hook_that_changes_gradients_gives_what_pytorch_gives(f, around, torch):
    ours, theirs = [AROUND[around](lib, f, lib.tensor(A)).detach().numpy() for lib in (gradkit, torch)]
    np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-5)


FORWARD = {
    "jacfwd of grad": lambda func, f, x: func.jacfwd(func.grad(f))(x[0]),
    "hessian": lambda func, f, x: func.hessian(f)(x[0]),
    "jvp of grad": lambda func, f, x: func.jvp(func.grad(f), (x[0],), (x[1],))[1],
    "jvp of jvp of grad": lambda func, f, x: func.jvp(
        lambda x: func.jvp(func.grad(f), (x,), (x,))[1], (x[0],), (x[1],)
    )[1],
    "jacfwd of hessian": lambda func, f, x: func.jacfwd(func.hessian(f))(x[0]),
    "grad of hessian": lambda func, f, x: func.grad(lambda x: func.hessian(f)(x).sum())(x[0]),
    "vmap of hessian": lambda func, f, x: func.vmap(func.hessian(f))(x),
    "vmap of jvp of grad": lambda func, f, x: func.vmap(lambda t: func.jvp(func.grad(f), (x[0],), (t,))[1])(x),
}


@pytest.mark.filterwarnings("ignore:.torch.jit.script. is deprecated:DeprecationWarning")
@pytest.mark.parametrize("around", FORWARD)
@pytest.mark.parametrize("f", ON_TENSORS, ids=lambda f: f.__name__)
def test_a_hook_on_a_tensor_moves_in_forward_over_reverse_as_in_pytorch(f, around, torch):
    ours, theirs = [FORWARD[around](lib.func, f, lib.tensor(A)).numpy() for lib in (gradkit, torch)]
    np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-4)


def test_a_hook_that_looks_on_sees_each_cotangent_once():
    seen = []

    def f(x):
        y = x.sin()
        y.register_hook(lambda g: seen.append(tuple(g.shape)))
        return (y * y * x).sum()

    gradkit.func.hessian(gradkit.func.hessian(f))(gradkit.tensor(A[0]))
    assert seen == [(2,)]


def after_its_tensor_was_used(x):
    y = x.sin()
    z = y * x
    y.register_hook(lambda g: g * 2)
    return (y * z).sum()


def on_a_node(x):
    y = x.sin()
    y.grad_fn.register_hook(lambda grads, cts: grads)
    return (y * x).sum()


@pytest.mark.parametrize("f", [by_itself, after_its_tensor_was_used, on_a_node])
def test_forward_over_reverse_refuses_what_it_cannot_move(f):
    for transform in (gradkit.func.hessian, lambda f: gradkit.func.jacfwd(gradkit.func.hessian(f))):
        with pytest.raises(NotImplementedError, match="forward mode"):
            transform(f)(gradkit.tensor(A[0]))


def test_what_reads_its_result_is_hooked_on_a_copy(torch):
    def f(x):
        y = 1 * x.exp()
        y.register_hook(lambda g: g * g)
        return (y * x).sum()

    for transform in ("hessian", "jacrev"):
        ours, theirs = [
            getattr(lib.func, transform)(lib.func.grad(f) if transform == "jacrev" else f)(lib.tensor(A[0])).numpy()
            for lib in (gradkit, torch)
        ]
        np.testing.assert_allclose(ours, theirs, rtol=1e-4)


def on_outer_value(func, x, hook):
    y = x.sin()

    def inner(z):
        y.register_hook(hook)
        return (y * y * z * z).sum()

    return func.grad(inner)(x).sum()


def on_inner_result(func, x, hook):
    z = func.grad(lambda x: (x**3).sum())(x)
    z.register_hook(hook)
    return (z * z).sum()


@pytest.mark.parametrize("f", [on_outer_value, on_inner_result])
@pytest.mark.parametrize("times", [1, 2])
def test_a_hook_runs_once_in_the_walk_of_the_innermost_its_tensor_depends_on(f, times, torch):
    found = []
    for lib in (gradkit, torch):
        calls = []

        def g(x, lib=lib, calls=calls):
            return f(lib.func, x, lambda g: (calls.append(1), g * 3)[1])

        around = lib.func.grad(g) if times == 1 else of_gradient(lib.func, g)
        found.append((around(lib.tensor(A[0])).numpy(), len(calls)))
    np.testing.assert_allclose(found[0][0], found[1][0], rtol=1e-5)
    assert found[0][1] == found[1][1] == 1


def test_node_hooks_see_the_shapes_of_a_sample(torch):
    found = []
    for lib in (gradkit, torch):
        seen = []

        def f(x, lib=lib, seen=seen):
            y = x * lib.ones(2)
            y.grad_fn.register_prehook(lambda cts: seen.append([tuple(c.shape) for c in cts]))
            y.grad_fn.register_hook(lambda grads, cts: seen.append([g if g is None else tuple(g.shape) for g in (*grads, *cts)]))
            return (y * y).sum()

        lib.func.vmap(lib.func.grad(f))(lib.tensor(A))
        lib.func.jacrev(lib.func.jacrev(f))(lib.tensor(A[0]))
        found.append(seen)
    assert found[0] == found[1]


def test_a_hook_of_a_tensor_outside_runs_in_the_walk_outside():
    calls = []
    w = gradkit.ones(2, requires_grad=True)

    def f(x):
        w.register_hook(lambda g: calls.append(1))
        return (w * x * x).sum()

    gradient = gradkit.func.grad(f)(gradkit.tensor(A[0]))
    assert not calls
    gradient.sum().backward()
    assert calls == [1]
