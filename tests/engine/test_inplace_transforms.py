"""Writing in place inside a function that is differentiated forward, backward, twice, or for a batch."""

import numpy as np
import pytest

import gradkit

A, T = np.array([1.0, 2.0, 3.0]), np.array([0.5, -1.0, 2.0])


def written(x):
    """A function whose every line writes: whole tensors, views, single places, constants, index arrays."""
    y = x.clone()
    y[0] = x[1] * 2
    y[1:].mul_(x[:2])
    y.add_(1)
    y[[0, 2]] = y[[2, 0]] * x[1]
    y[-1:] *= y[:1] + 0.1
    y.view(3, 1)[1, 0] = 3.0
    return y * y


def pushed(lib):
    return lib.func.jvp(written, (lib.tensor(A),), (lib.tensor(T),))


def hessian(lib):
    return [lib.func.hessian(lambda x: written(x).sum())(lib.tensor(A))]


def forward_over_forward(lib):
    return [lib.func.jacfwd(lib.func.jacfwd(written))(lib.tensor(A))]


def reverse_over_reverse(lib):
    x = lib.tensor(A, requires_grad=True)
    slope = lib.autograd.grad(written(x).sum(), x, create_graph=True)[0]
    return [slope.detach(), lib.autograd.grad((slope * lib.tensor(T)).sum(), x)[0]]


def per_sample(lib):
    return [lib.func.vmap(lib.func.grad(lambda x: written(x).sum()))(lib.tensor(np.stack([A, T, A * T])))]


@pytest.mark.filterwarnings("ignore:.torch.jit.script. is deprecated:DeprecationWarning")
@pytest.mark.parametrize("transform", [pushed, hessian, forward_over_forward, reverse_over_reverse, per_sample])
def test_transform_agrees_with_pytorch(transform, torch):
    for got, want in zip(transform(gradkit), transform(torch)):
        np.testing.assert_allclose(got.numpy(), want.numpy(), rtol=1e-12)


def filling(make):
    """A function that fills a buffer of its own, whole and through a view."""

    def f(x):
        y = make(x)
        y[0] = x[0] ** 2
        tail = y[1:]
        tail.add_(x[1:] * x[0])
        y.mul_(x)
        return tail.sum() * y[0]

    return f


BUFFERS = {
    "zeros": lambda lib, x: lib.zeros(3, dtype=lib.float64),
    "zeros_like": lambda lib, x: lib.zeros_like(x),
    "new_zeros": lambda lib, x: x.new_zeros(3),
    "with a history": lambda lib, x: lib.zeros(3, dtype=lib.float64) + W[lib.__name__],
    "a copy of a constant": lambda lib, x: W[lib.__name__].detach().clone(),
}
W = {}
AROUND = {
    "grad": lambda func, f: func.grad(f),
    "hessian": lambda func, f: func.hessian(f),
    "jacfwd of grad": lambda func, f: func.jacfwd(func.grad(f)),
    "jacrev of grad": lambda func, f: func.jacrev(func.grad(f)),
    "jacrev of jacfwd": lambda func, f: func.jacrev(func.jacfwd(f)),
    "jacfwd of jacfwd": lambda func, f: func.jacfwd(func.jacfwd(f)),
    "jvp of hessian": lambda func, f: lambda x: func.jvp(func.hessian(f), (x,), (x,))[1],
    "jacfwd of hessian": lambda func, f: func.jacfwd(func.hessian(f)),
}


@pytest.mark.filterwarnings("ignore:.torch.jit.script. is deprecated:DeprecationWarning")
@pytest.mark.parametrize("around", AROUND)
@pytest.mark.parametrize("buffer", BUFFERS)
def test_a_buffer_made_inside_may_be_filled(buffer, around, torch):
    W.update({lib.__name__: lib.tensor(T, requires_grad=True) for lib in (gradkit, torch)})
    ours, theirs = [
        AROUND[around](lib.func, filling(lambda x, lib=lib: BUFFERS[buffer](lib, x)))(lib.tensor(A)).detach().numpy()
        for lib in (gradkit, torch)
    ]
    np.testing.assert_allclose(ours, theirs, rtol=1e-12)


def test_the_history_of_a_buffer_reaches_what_requires_grad_outside():
    w = gradkit.tensor(T, requires_grad=True)

    def f(x):
        y = gradkit.zeros(3, dtype=gradkit.float64) + w
        y[0] = x[0]
        return (y * y * x * w).sum()

    def plain(x):
        return (gradkit.cat([x[:1], w[1:]]) ** 2 * x * w).sum()

    found = [gradkit.autograd.grad(gradkit.func.hessian(g)(gradkit.tensor(A)).sum(), w)[0].numpy() for g in (f, plain)]
    np.testing.assert_allclose(*found, rtol=1e-12)


def test_a_vectorized_hessian_of_what_fills_a_buffer():
    f = filling(lambda x: gradkit.zeros(3, dtype=gradkit.float64))
    x = gradkit.tensor(A)
    hessian = gradkit.autograd.functional.hessian
    by_columns = hessian(f, x, vectorize=True, outer_jacobian_strategy="forward-mode")
    np.testing.assert_allclose(by_columns.numpy(), hessian(f, x).numpy(), rtol=1e-12)


class Filling(gradkit.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x * 2

    @staticmethod
    def backward(ctx, ct):
        filled = gradkit.zeros(3, dtype=gradkit.float64)
        filled[1:] = ct[1:] * 2
        filled[0] = ct[0] * 2
        return filled


def test_a_backward_fills_a_buffer_for_many_cotangents_at_once():
    assert gradkit.func.jacrev(Filling.apply)(gradkit.tensor(A)).tolist() == (2 * np.eye(3)).tolist()


WRITES = {
    "add_": lambda c, x: c.add_(x),
    "__setitem__": lambda c, x: c.__setitem__(0, x[1]),
    "mul_ of a view": lambda c, x: c[1:].mul_(x[1:]),
    "copy_": lambda c, x: c.copy_(x),
    "index_add_": lambda c, x: c.index_add_(0, gradkit.tensor([0, 1, 2]), x),
}
TRANSFORMS = {
    "grad": lambda func, f: func.grad(f),
    "vjp": lambda func, f: lambda x: func.vjp(f, x),
    "jvp": lambda func, f: lambda x: func.jvp(f, (x,), (x,)),
    "jacfwd": lambda func, f: func.jacfwd(f),
    "jacrev": lambda func, f: func.jacrev(f),
    "hessian": lambda func, f: func.hessian(f),
    "vmap of grad": lambda func, f: lambda x: func.vmap(func.grad(f))(x.expand(2, 3)),
}


@pytest.mark.parametrize("transform", TRANSFORMS)
@pytest.mark.parametrize("write", WRITES)
def test_what_the_function_closes_over_is_not_written(write, transform):
    captured, x = gradkit.zeros(3, dtype=gradkit.float64), gradkit.tensor(A)

    def f(x):
        WRITES[write](captured, x)
        return (captured * x).sum()

    with pytest.raises(RuntimeError, match=r"(mutate a captured Tensor|(?s:.)*not batched)") as raised:
        TRANSFORMS[transform](gradkit.func, f)(x)
    assert "test_inplace_transforms.py" in str(raised.value)
    assert captured.tolist() == [0.0, 0.0, 0.0] and not captured.requires_grad and not captured.tangents


def test_what_an_outer_function_made_is_captured_by_an_inner_one():
    def outer(w):
        made = w * 1
        return gradkit.func.grad(lambda x: made.add_(x).sum())(w).sum()

    with pytest.raises(RuntimeError, match="captured"):
        gradkit.func.grad(outer)(gradkit.ones(2))


@pytest.mark.parametrize("transform", [gradkit.func.grad, gradkit.func.jacrev])
def test_what_other_arguments_hold_may_be_written(transform):
    def f(x, found):
        found["sum"].mul_(x)
        return (found["sum"] * x).sum()

    x, found = gradkit.full((2, 3), 2.0), {"sum": gradkit.full((2, 3), 3.0)}
    assert gradkit.vmap(transform(f))(x, found).tolist() == [[12.0] * 3] * 2
    assert transform(f)(x, found).tolist() == [[24.0] * 3] * 2
    assert found["sum"].tolist() == [[12.0] * 3] * 2 and not found["sum"].requires_grad


def test_a_name_outside_may_be_given_to_what_was_made_inside():
    made, kept = None, {}

    def f(x):
        nonlocal made
        made, kept["made"] = x * 1, gradkit.zeros(2)
        kept["made"].add_(x)
        return (made.add_(x) * kept["made"].mul_(x)).sum()

    x = gradkit.tensor([1.0, 2.0])
    assert gradkit.func.grad(f)(x).tolist() == [6.0, 24.0]
    assert gradkit.func.jvp(f, (x,), (x,))[1].item() == 54.0
    assert gradkit.func.hessian(f)(x).diagonal().tolist() == [12.0, 24.0]


def test_numbers_may_be_counted_in_what_is_captured():
    calls = gradkit.zeros(1)

    def f(x):
        calls.add_(1)
        return (x * x).sum()

    gradkit.func.grad(f)(gradkit.ones(2))
    assert calls.item() == 1


@pytest.mark.parametrize("by_name", [False, True])
def test_an_argument_that_is_not_differentiated_is_written_and_stays_plain(by_name, torch):
    def f(x, buffer):
        buffer.add_(x)
        return (buffer * buffer).sum()

    found = []
    for lib in (gradkit, torch):
        buffer = lib.ones(2)
        x = lib.tensor([1.0, 2.0])
        g = lib.func.grad(f)(x, buffer=buffer) if by_name else lib.func.grad(f)(x, buffer)
        found.append((g.tolist(), buffer.tolist(), buffer.requires_grad))
    assert found[0] == found[1]


def test_batched_value_is_not_written_into_what_all_samples_share():
    def f(x):
        shared = gradkit.zeros(2)
        shared[0] = x
        return shared

    with pytest.raises(RuntimeError, match=r"vmap.*test_inplace_transforms.py.*new_zeros"):
        gradkit.func.vmap(f)(gradkit.ones(3))


@pytest.mark.parametrize("write", [lambda y, x: y.mul_(x), lambda y, x: y.div_(x + 3), lambda y, x: y[1:].mul_(x[:-1])])
def test_a_jvp_through_writes_is_differentiated_by_its_tangents(write):
    def moved(x, t, clone):
        def f(x):
            y = x * 1
            write(y, x)
            return y.exp_() if not clone else y.exp()

        return (gradkit.func.jvp(f, (x,), (t,))[1] ** 2).sum()

    x, t = gradkit.tensor([0.3, -0.7, 1.1]), gradkit.tensor([1.0, 2.0, -1.0])
    found, expected = [gradkit.func.grad(moved, argnums=(0, 1))(x, t, clone) for clone in (False, True)]
    along = gradkit.func.grad(lambda t: moved(x, t, False))(t)
    for a, b in zip((*found, along), (*expected, expected[1])):
        np.testing.assert_allclose(a, b, rtol=1e-5)


@pytest.mark.parametrize("transform", [gradkit.func.hessian, lambda f: gradkit.func.jacfwd(gradkit.func.grad(f))])
def test_buffer_of_an_object_is_one_value_again_after_a_hessian(transform):
    class Holder:
        buffer = gradkit.zeros(3)

    def cubes(x):
        Holder.buffer[:] = x**2
        return (Holder.buffer * x).sum()

    view = Holder.buffer[1:]
    found = transform(cubes)(gradkit.tensor([0.0, 1.0, 2.0]))
    assert found.tolist() == [[0, 0, 0], [0, 6, 0], [0, 0, 12]]
    assert Holder.buffer.tolist() == [0, 1, 4]
    assert (view + 1).tolist() == [2, 5]


def test_buffer_that_outlives_the_rows_of_a_jacobian_keeps_its_value_where_they_differ():
    class Holder:
        buffer = gradkit.tensor([5.0, 6.0])

    class Doubled(gradkit.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return 2 * x

        @staticmethod
        def backward(ctx, ct):
            Holder.buffer[:] = ct
            return 2 * ct

    view = Holder.buffer[1:]
    with pytest.raises(RuntimeError, match="writes a batched value into a tensor"):
        gradkit.autograd.functional.jacobian(Doubled.apply, gradkit.ones(2), vectorize=True)
    assert Holder.buffer.tolist() == [5, 6]
    assert (view + 1).tolist() == [7]


BY_THEMSELVES = {
    "mul_": (lambda y, x: y.mul_(y), lambda y, x: y * y),
    "mul_ by a view": (lambda y, x: y.mul_(y.flip(0).view(3)), lambda y, x: y * y.flip(0)),
    "mul_ of a view": (lambda y, x: y[1:].mul_(y[:-1]), lambda y, x: gradkit.cat([y[:1], y[1:] * y[:-1]])),
    "mul_ by what is detached": (lambda y, x: y.mul_(y.detach()), lambda y, x: y * y.detach()),
    "div_": (lambda y, x: y.div_(y).mul_(x), lambda y, x: y / y * x),
    "pow_": (lambda y, x: y.pow_(y), lambda y, x: y**y),
    "hypot_": (lambda y, x: y.hypot_(y), lambda y, x: y.hypot(y)),
    "addcmul_": (lambda y, x: y.addcmul_(y, y), lambda y, x: y + y * y),
    "lerp_": (lambda y, x: y.lerp_(x, y), lambda y, x: y.lerp(x, y)),
    "three times": (lambda y, x: y.mul_(y).exp_().mul_(y), lambda y, x: (y * y).exp() ** 2),
}


@pytest.mark.parametrize("name", BY_THEMSELVES)
def test_what_is_written_by_itself_moves_as_out_of_place_and_is_differentiated_by_its_tangents(name):
    in_place, apart = BY_THEMSELVES[name]

    def written(x):
        y = x * 1.5
        in_place(y, x)
        return y * x

    def moved(function):
        return lambda x, t: (gradkit.func.jvp(function, (x,), (t,))[1] * x).sum()

    x, t = gradkit.tensor([0.3, 0.7, 1.1]).double(), gradkit.tensor([1.0, 2.0, -1.0]).double()
    for along in (lambda f: f(x, t), lambda f: gradkit.stack(gradkit.func.grad(f, argnums=(0, 1))(x, t))):
        found, expected = [along(moved(f)) for f in (written, lambda x: apart(x * 1.5, x) * x)]
        np.testing.assert_allclose(found, expected, rtol=1e-10)
