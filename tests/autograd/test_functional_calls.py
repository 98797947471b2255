"""autograd.functional and the user's own code: what runs on the way back or under no_grad, and how often it is called."""

import numpy as np
import pytest

import gradkit
from gradkit.autograd import functional as F

# PyTorch's own forward mode still scripts its decompositions at first use.
pytestmark = pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated:DeprecationWarning")

# -- what looks at numbers on the way back --------------------------------------------------------------------------------
def exp_of_arrays(m):
    class Exp(m.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            y = m.tensor(np.exp(x.detach().numpy()))
            ctx.save_for_backward(y)
            return y

        @staticmethod
        def backward(ctx, ct):
            (y,) = ctx.saved_tensors
            return m.tensor(ct.detach().numpy() * y.detach().numpy())

    return Exp.apply


def after(hook):
    def through(m):
        def f(x):
            y = x * x
            y.register_hook(hook)
            return y.exp()

        return f

    return through


LOOKING = {
    "a Function of arrays": exp_of_arrays,
    "a branch on the norm": after(lambda g: g / g.norm() if g.norm() > 1 else g),
    "a branch on the largest": after(lambda g: None if g.abs().max() == 0 else g * 2),
    "a number": after(lambda g: g * float(g[0])),
    "an item": after(lambda g: g * g.sum().item()),
    "a list": after(lambda g: g * sum(g.tolist())),
    "how many": after(lambda g: g * len(g[g != 0])),
}


@pytest.mark.parametrize("name", LOOKING)
@pytest.mark.parametrize("options", [{}, {"strict": True}, {"create_graph": True}])
def test_hooks_and_functions_see_one_row_at_a_time(name, options, alike):
    def program(m):
        return m.autograd.functional.jacobian(LOOKING[name](m), m.tensor([0.3, 0.5, -0.7], dtype=m.float64), **options).detach()

    alike(program)


def test_hessians_hooks_see_one_row_at_a_time(alike):
    def program(m):
        f = LOOKING["a branch on the norm"](m)
        return m.autograd.functional.hessian(lambda x: f(x).sum(), m.tensor([0.3, 0.5, -0.7], dtype=m.float64))

    alike(program)


@pytest.mark.parametrize("name", LOOKING)
def test_a_single_row_is_not_batched(name):
    f, x = LOOKING[name](gradkit), gradkit.tensor([0.3, 0.5, -0.7], dtype=gradkit.float64)
    want = F.jacobian(f, x)
    assert gradkit.equal(F.jacobian(f, x, vectorize=True, chunk_size=1), want)
    assert gradkit.equal(gradkit.func.jacrev(f, chunk_size=1)(x), want)


def test_a_single_column_is_not_batched():
    class Exp(gradkit.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.y = x.exp()
            return ctx.y

        @staticmethod
        def jvp(ctx, t):
            return gradkit.tensor(t.numpy() * ctx.y.numpy())

    x = gradkit.tensor([0.3, 0.5])
    want = gradkit.diag(x.exp())
    assert gradkit.allclose(gradkit.func.jacfwd(Exp.apply, chunk_size=1)(x), want)
    assert gradkit.allclose(F.jacobian(Exp.apply, x, strategy="forward-mode", chunk_size=1), want)


@pytest.mark.parametrize("name", ["a Function of arrays", "a branch on the norm", "a number"])
def test_batched_rows_say_how_to_take_one(name):
    with pytest.raises(RuntimeError, match=r"batched rows of the Jacobian.*chunk_size=1.*vectorize=False") as caught:
        F.jacobian(LOOKING[name](gradkit), gradkit.ones(3), vectorize=True)
    assert "vmap" not in str(caught.value)


@pytest.mark.parametrize("found", [1.0, ("a", 1.0)])
def test_outputs_that_are_no_tensors_are_named_as_pytorch_does(found, torch):
    def message(m):
        y = found if type(found) is float else (m.ones(1), found[1])
        with pytest.raises(TypeError) as caught:
            m.autograd.functional.jacobian(lambda x: y, m.ones(1))
        return str(caught.value)

    assert message(gradkit) == message(torch)


# -- no_grad inside -------------------------------------------------------------------------------------------------------
def half(m, x):
    with m.no_grad():
        s = x.sin()
    return x * s


def scaled_in_place(m, x):
    y = x * x
    with m.no_grad():
        y.mul_(3)
        y[0] = 5
        y[1:].add_(x[1:])
    return y * x


def averaged(m, x):
    buffer = m.ones(3, dtype=m.float64)
    with m.no_grad():
        buffer.mul_(0.9).add_(x)
    return x * buffer


def counted(m, x):
    with m.no_grad():
        k = x.numpy().sum()
    return x * float(k)


def enabled_again(m, x):
    with m.no_grad():
        with m.enable_grad():
            s = x.sin()
        return s * x + s


def function_of(m, x):
    with m.no_grad():
        y = exp_of_arrays(m)(x)
    return y * x


def jvp_inside(m, x):
    with m.no_grad():
        s = m.autograd.functional.jvp(lambda z: z * z * x, x, x)[1]
    return s * x


COUNTED = pytest.param(counted, marks=pytest.mark.cpu)  # it makes a NumPy array
UNDER_NO_GRAD = [half, scaled_in_place, averaged, COUNTED, enabled_again, function_of, jvp_inside]


def at(m):
    return m.tensor([0.3, 0.5, -0.7], dtype=m.float64)


@pytest.mark.parametrize("f", UNDER_NO_GRAD)
def test_what_no_grad_hides_is_constant_in_products(f, alike):
    alike(lambda m: m.autograd.functional.jvp(lambda x: f(m, x), at(m), at(m)))
    alike(lambda m: m.autograd.functional.hvp(lambda x: (f(m, x) ** 2).sum(), at(m), at(m)))


@pytest.mark.parametrize("f", [half, scaled_in_place, averaged, COUNTED])
def test_forward_mode_moves_what_no_grad_hides(f, alike):
    def program(m):
        return m.autograd.functional.jacobian(lambda x: f(m, x), at(m), vectorize=True, strategy="forward-mode")

    alike(program)


@pytest.mark.parametrize("f", UNDER_NO_GRAD)
def test_no_grad_around_a_product_changes_nothing(f, alike):
    def program(m):
        with m.no_grad():
            return m.autograd.functional.jvp(lambda x: f(m, x), at(m), at(m))

    alike(program)


def test_func_moves_what_no_grad_hides(alike):
    alike(lambda m: m.func.jvp(lambda x: half(m, x), (at(m),), (at(m),)))


# -- functions that differentiate -----------------------------------------------------------------------------------------
W = [1.0, 2.0, 3.0]


def force(m, x):
    return -m.autograd.grad((x[1:] * x[:-1]).sin().sum(), x, create_graph=True)[0]


def of_a_middle(m, x):
    y = x * x
    return y.exp() * m.autograd.grad(y.sin().sum(), y, create_graph=True)[0]


def of_a_weight(m, x):
    w = m.tensor(W, dtype=m.float64, requires_grad=True)
    return m.autograd.grad((x**2 * w**2).sum(), w, create_graph=True)[0] * x


def without_a_graph(m, x):
    return m.autograd.grad((x**3).sum(), x)[0] * x


def of_a_weight_without_a_graph(m, x):
    w = m.tensor(W, dtype=m.float64, requires_grad=True)
    return m.autograd.grad((x**2 * w**2).sum(), w)[0] * x


def asking(m, x):
    y = x * x
    return y if x.requires_grad and y.requires_grad else x


DIFFERENTIATING = [force, of_a_middle, of_a_weight, without_a_graph, of_a_weight_without_a_graph, asking]


@pytest.mark.parametrize("f", DIFFERENTIATING)
def test_functions_that_differentiate_can_be_differentiated(f, alike):
    def product(m):
        return m.autograd.functional.jvp(lambda x: f(m, x), at(m), at(m))

    def with_graph(m):
        x = at(m).requires_grad_()
        return m.autograd.grad(m.autograd.functional.jvp(lambda x: f(m, x), x, x, create_graph=True)[1].sum(), x)

    def forward(m):
        x = at(m).requires_grad_()
        return m.autograd.functional.jacobian(lambda x: f(m, x), x, vectorize=True, strategy="forward-mode").detach()

    for program in (product, with_graph, forward):
        alike(program)


@pytest.mark.parametrize("create_graph", [False, True])
@pytest.mark.parametrize("name", ["a branch on the norm", "a number", "a thrice larger cotangent"])
def test_hooks_inside_products_are_applied_as_in_two_walks_back(name, create_graph, alike):
    def program(m):
        f = {**LOOKING, "a thrice larger cotangent": after(lambda g: g * 3)}[name](m)
        products = m.autograd.functional
        x = at(m).requires_grad_()
        first = products.jvp(f, x, x, create_graph)[1]
        value, second = products.hvp(lambda x: (f(x) ** 2).sum(), x, x, create_graph)
        again = m.autograd.grad(first.sum() + second.sum() + value, x)[0] if create_graph else value
        return first.detach(), second.detach(), again.detach()

    alike(program)


# -- how often it is called -----------------------------------------------------------------------------------------------
@pytest.mark.parametrize("options", [{}, {"chunk_size": 1}, {"chunk_size": 2}, {"chunk_size": None}])
def test_forward_mode_calls_the_function_once(options):
    norm, calls = gradkit.nn.BatchNorm1d(3), []

    def f(x, y):
        calls.append(x)
        return norm(x) * y

    F.jacobian(f, (gradkit.randn(4, 3), gradkit.randn(4, 3)), vectorize=True, strategy="forward-mode", **options)
    assert len(calls) == norm.num_batches_tracked == 1


@pytest.mark.parametrize("options", [{}, {"chunk_size": 1}, {"chunk_size": None}])
def test_random_numbers_are_the_same_in_all_columns(options):
    def hidden(x):
        with gradkit.no_grad():
            y = x * gradkit.rand(5)
        return y.sum() * x

    found = F.jacobian(hidden, gradkit.ones(5), strategy="forward-mode", **options)
    off = found - gradkit.diag(found.diag())  # the same draw in each row but its own
    assert gradkit.allclose(off, off.sum(0) / 4 * (1 - gradkit.eye(5)))
