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
