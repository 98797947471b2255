"""linearize records once: its products are jvp's, in every composition, and run nothing again."""

from functools import partial

import numpy as np
import pytest

import gradkit
from gradkit.engine.tensor import Tensor
from gradkit.func import grad, hessian, jacfwd, jacrev, jvp, linearize, vjp, vmap
from gradkit.utils.checkpoint import checkpoint, create_selective_checkpoint_contexts

X = np.linspace(0.3, 1.4, 6).reshape(2, 3)


def f(x):
    return (x.sin() * x.exp()).sum(-1) / (1 + x * x).sum(-1)


def test_the_function_runs_once():
    calls = []

    def counted(x):
        calls.append(1)
        return f(x)

    _, push = linearize(counted, gradkit.tensor(X))
    for _ in range(3):
        push(gradkit.tensor(X))
    assert len(calls) == 1


def test_a_function_of_the_users_own_is_served_too():
    class Square(gradkit.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            ctx.save_for_forward(x)
            return x * x

        @staticmethod
        def backward(ctx, ct):
            return 2 * ctx.saved_tensors[0] * ct

        @staticmethod
        def jvp(ctx, t):
            return 2 * ctx.saved_tensors[0] * t

    _, push = linearize(Square.apply, gradkit.tensor(X))
    assert np.allclose(push(gradkit.tensor(X)).numpy(), 2 * X * X)


def powered(lib, x):
    with lib.no_grad():
        y = x * x
    return y + x


def written_under_no_grad(write):
    def f(lib, x):
        y = x * 2
        with lib.no_grad():
            write(y, x)
        return y * x

    return f


def decorated(lib, x):
    return lib.no_grad()(lambda x: lib.enable_grad()(lambda y: y * x)(x * x))(x)


def cubed_by_a_function(lib, x):
    class Cube(lib.autograd.Function):
        @staticmethod
        def forward(x):
            return x**3

        @staticmethod
        def setup_context(ctx, inputs, output):
            ctx.save_for_forward(*inputs)

        @staticmethod
        def jvp(ctx, t):
            return 3 * ctx.saved_tensors[0] ** 2 * t

    with lib.no_grad():
        return Cube.apply(x)


UNRECORDED = {
    "a product": powered,
    "decorated": decorated,
    "detached": lambda lib, x: lib.no_grad()(lambda: x.detach())() * x,
    "mul_": written_under_no_grad(lambda y, x: y.mul_(x)),
    "copy_": written_under_no_grad(lambda y, x: y.copy_(x)),
    "setitem of a number": written_under_no_grad(lambda y, x: y.__setitem__(0, 1.0)),
    "index_add_": written_under_no_grad(lambda y, x: y.index_add_(0, y[:, 0].long() * 0, x)),
    "a Function": cubed_by_a_function,
    "mapped": lambda lib, x: lib.func.vmap(lambda x: powered(lib, x))(x),
}


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore:Attempted to insert a get_attr:UserWarning")
@pytest.mark.parametrize("name", UNRECORDED)
def test_what_runs_under_no_grad_moves_as_in_pytorch(name, torch):
    found = []
    for lib in (gradkit, torch):
        f, x, t = partial(UNRECORDED[name], lib), lib.tensor(X), lib.tensor(X + 1)
        found.append(lib.func.jvp(f, (x,), (t,))[1].numpy())
        if lib is gradkit or name == "a product":  # PyTorch's takes a second
            found.append(lib.func.linearize(f, x)[1](t).numpy())
    for one in found[1:]:
        np.testing.assert_allclose(one, found[0], rtol=1e-12)


@pytest.mark.parametrize("inner", [lambda f, x: linearize(f, x)[0], lambda f, x: linearize(f, x)[1](x)])
def test_what_runs_under_no_grad_moves_in_products_of_products(inner):
    x, t = gradkit.tensor(X), gradkit.tensor(X + 1)
    function = lambda x: inner(lambda x: powered(gradkit, x), x)
    assert gradkit.allclose(linearize(function, x)[1](t), jvp(function, (x,), (t,))[1])


def test_what_runs_beside_under_no_grad_runs_once():
    calls = gradkit.zeros(1)

    def f(x):
        with gradkit.no_grad():
            calls.add_(1)
        return x * x

    _, push = linearize(f, gradkit.tensor(X))
    push(gradkit.tensor(X))
    assert calls.item() == 1


def test_trees_arrays_and_aux():
    def function(p, x):
        return {"y": p["w"] * x, "z": [x.sum()]}, x * 2

    p, x = {"w": X}, X + 1
    y, push, aux = linearize(function, p, x, has_aux=True)
    moved = push({"w": X}, np.zeros_like(X))
    assert type(y["y"]) is type(moved["y"]) is type(aux) is np.ndarray
    assert np.allclose(moved["y"], X * (X + 1)) and moved["z"][0] == 0.0 and np.array_equal(aux, x * 2)


def test_writes_in_place_are_pushed_through():
    def written(x):
        y = x * 2
        y[0] = y[1].exp()
        y += x
        return y

    _, push = linearize(written, gradkit.tensor(X))
    expected = jvp(written, (gradkit.tensor(X),), (gradkit.tensor(X + 1),))[1]
    np.testing.assert_allclose(push(gradkit.tensor(X + 1)).numpy(), expected.numpy())


def product(function):
    return lambda x: linearize(function, x)[1](x * x)


def product_by_jvp(function):
    return lambda x: jvp(function, (x,), (x * x,))[1]


AROUND = {
    "alone": lambda product: product(f),
    "its gradient": lambda product: grad(lambda x: product(f)(x).sum()),
    "its jvp": lambda product: lambda x: jvp(product(f), (x,), (x + 1,))[1],
    "its Jacobian": lambda product: jacfwd(product(f)),
    "its Jacobian in reverse": lambda product: jacrev(product(f)),
    "its Hessian": lambda product: hessian(lambda x: product(f)(x).sum()),
    "mapped": lambda product: vmap(product(f)),
    "of a gradient": lambda product: product(grad(lambda x: f(x).sum())),
    "of a product": lambda product: product(product(f)),
    "mapped gradient of it": lambda product: vmap(grad(product(f))),
    "of a mapped function": lambda product: product(vmap(f)),
    "gradient of the product of a product": lambda product: grad(lambda x: product(product(f))(x).sum()),
    "tangents mapped": lambda product: lambda x: vmap(
        lambda t: linearize(f, x)[1](t) if product is not product_by_jvp else jvp(f, (x,), (t,))[1]
    )(gradkit.stack([x, x * x])),
}


@pytest.mark.parametrize("name", AROUND)
def test_it_composes_as_jvp_does(name):
    x = gradkit.tensor(X)
    np.testing.assert_allclose(
        AROUND[name](product)(x).numpy(), AROUND[name](product_by_jvp)(x).numpy(), rtol=1e-9, atol=1e-12
    )


def test_a_product_can_be_differentiated_by_what_was_closed_over():
    w = gradkit.tensor(3.0, requires_grad=True)
    _, push = linearize(lambda x: w * x * x, gradkit.tensor(2.0))
    push(gradkit.tensor(1.0)).backward()
    assert w.grad.item() == 4.0


BAD = [
    (lambda: linearize(f, gradkit.tensor([1, 2])), RuntimeError, "floating point"),
    (lambda: linearize(f, 3.0), ValueError, "Tensor"),
    (lambda: linearize(lambda x: 3.0, gradkit.ones(2)), RuntimeError, "Tensor"),
    (lambda: linearize(f, gradkit.ones(2))[1](gradkit.ones(3)), RuntimeError, "shape"),
    (lambda: linearize(f, gradkit.ones(2))[1](gradkit.ones(2).double()), RuntimeError, "dtype"),
    (lambda: linearize(f, gradkit.ones(2))[1](gradkit.ones(2), gradkit.ones(2)), RuntimeError, "nested"),
]


@pytest.mark.parametrize("number", range(len(BAD)))
def test_bad_use_is_explained(number):
    call, kind, words = BAD[number]
    with pytest.raises(kind, match=words):
        call()


def test_vjp_pulls_any_number_of_times_and_runs_once():
    calls = []
    y, back = vjp(lambda x: calls.append(1) or f(x), gradkit.tensor(X))
    assert isinstance(y, Tensor)
    first, second = back(gradkit.ones(2).double())[0], back(gradkit.ones(2).double() * 2)[0]
    assert len(calls) == 1
    np.testing.assert_allclose(second.numpy(), 2 * first.numpy())


CHECKPOINTED = {
    "matmul": lambda x: (x @ x.T).tanh(),
    "softmax": lambda x: gradkit.softmax(x * x, -1),
    "layer_norm": lambda x: gradkit.nn.functional.layer_norm(x, (3,)),
    "sort": lambda x: gradkit.sort(x * x)[0].exp(),
    "prod": lambda x: x.prod(1) * x.sum(1),
    "solve": lambda x: gradkit.linalg.solve(x.T @ x + gradkit.eye(3, dtype=x.dtype), x.T),
    "nested": lambda x: checkpoint(lambda x: (x @ x.T).tanh(), x, use_reentrant=False),
}
CHECKPOINTS = {
    "plain": {},
    "selective": {"context_fn": partial(create_selective_checkpoint_contexts, [gradkit.matmul])},
    "to its end": {"early_stop": False},
}


@pytest.mark.parametrize("way", CHECKPOINTS)
@pytest.mark.parametrize("name", CHECKPOINTED)
def test_what_is_checkpointed_is_pushed_through(name, way):
    function, x = CHECKPOINTED[name], gradkit.tensor(X)

    def checkpointed(x):
        return checkpoint(function, x, use_reentrant=False, **CHECKPOINTS[way])

    def squared(x):
        return (linearize(checkpointed, x)[1](x) ** 2).sum()

    push, expected = linearize(checkpointed, x)[1], jvp(function, (x,), (x.cos(),))[1]
    for _ in range(2):
        np.testing.assert_allclose(push(x.cos()).numpy(), expected.numpy(), rtol=1e-12, atol=1e-12)
    jacobian = gradkit.autograd.functional.jacobian(checkpointed, x, strategy="auto")
    np.testing.assert_allclose(jacobian.numpy(), jacfwd(function)(x).numpy(), rtol=1e-12, atol=1e-12)
    both_ways = grad(lambda x: (jvp(function, (x,), (x,))[1] ** 2).sum())(x)
    np.testing.assert_allclose(grad(squared)(x).numpy(), both_ways.numpy(), rtol=1e-9, atol=1e-12)
