"""Tensors that outlive the transform they were made in: what stands for many samples raises, the rest are ordinary."""

import numpy as np
import pytest

import gradkit
from gradkit.engine import modes
from gradkit.func import grad, hessian, jacfwd, jacrev, jvp, vmap

A = np.array([1.0, 2.0, 3.0])
SAMPLES = gradkit.tensor([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])


def escaped(around, *args, inside=lambda x: x * 2):
    kept = []

    def f(x):
        kept.append(inside(x))
        return x.sum()

    around(f)(*args)
    return kept[0]


class Doubled(gradkit.autograd.Function):
    @staticmethod
    def forward(x):
        return 2 * x

    @staticmethod
    def setup_context(ctx, inputs, output):
        pass

    @staticmethod
    def vmap(info, in_dims, x):
        return 2 * x, in_dims[0]


USES = {
    "an operation": lambda k: k + 1,
    "with a tensor of the shape of the array": lambda k: SAMPLES * k,
    "a reduction": lambda k: k.sum(),
    "a view": lambda k: k[0],
    "detach": lambda k: k.detach(),
    "a write": lambda k: k.add_(1),
    "a write of numbers": lambda k: k.fill_(1.0),
    "into another": lambda k: gradkit.zeros(2).add_(k),
    "a comparison": lambda k: k == 1,
    "tolist": lambda k: k.tolist(),
    "numpy": lambda k: k.numpy(),
    "item": lambda k: k[0].item(),
    "a branch": lambda k: bool(k),
    "another vmap": lambda k: vmap(lambda y: y * k)(SAMPLES),
    "as another's argument": lambda k: vmap(lambda y: y * 2)(k),
    "a gradient": lambda k: grad(lambda y: (y * k).sum())(gradkit.ones(2)),
    "at it": lambda k: grad(lambda y: (y * 2).sum())(k),
    "a jvp": lambda k: jvp(lambda y: y * k, (gradkit.ones(2),), (gradkit.ones(2),)),
    "a Function": Doubled.apply,
    "NumPy's function": np.sin,
}


@pytest.mark.parametrize("use", USES)
def test_a_sample_that_escaped_from_its_vmap_raises_and_says_so(use):
    k = escaped(vmap, SAMPLES)
    with pytest.raises(RuntimeError, match=r"(?s)escaped from inside a function being vmapped.*return it.*out_dims") as raised:
        USES[use](k)
    assert "test_escaping.py" in str(raised.value)


def test_from_an_inner_vmap_too():
    def outer(x):
        return escaped(vmap, x) * x

    with pytest.raises(RuntimeError, match="escaped"):
        vmap(outer)(gradkit.ones(2, 3, 4))


def test_it_still_has_a_shape_and_can_be_printed():
    k = escaped(vmap, SAMPLES)
    assert k.shape == (2,) and "a batch axis" in repr(k)


def test_operations_look_for_it_no_longer_than_it_lives():
    before = modes.lifted, modes.unusual
    k = escaped(vmap, SAMPLES)
    assert modes.closed and modes.lifted == before[0] + 1
    del k
    assert not modes.closed and (modes.lifted, modes.unusual) == before


def test_an_exception_inside_leaves_nothing_open():
    before = modes.lifted
    with pytest.raises(ZeroDivisionError) as raised:
        vmap(lambda x: 1 / 0)(SAMPLES)
    assert modes.lifted == before and raised


TRANSFORMS = {
    "grad": lambda func: func.grad,
    "vjp": lambda func: lambda f: lambda x: func.vjp(f, x),
    "jvp": lambda func: lambda f: lambda x: func.jvp(f, (x,), (x,)),
    "jacrev": lambda func: func.jacrev,
    "jacfwd": lambda func: func.jacfwd,
    "hessian": lambda func: func.hessian,
    "jacfwd of jacfwd": lambda func: lambda f: func.jacfwd(func.jacfwd(f)),
    "grad of jvp": lambda func: lambda f: func.grad(lambda x: func.jvp(f, (x,), (x,))[1]),
}
ASKED = ("grad", "vjp", "jvp", "jacrev", "jacfwd")  # of PyTorch, which fails an assertion of its own for the others
ORDINARY = {
    "an operation": lambda func, k: (k + 1).tolist(),
    "a vmap": lambda func, k: func.vmap(lambda y: y * k.sum())(k.detach()).tolist(),
    "a gradient": lambda func, k: func.grad(lambda y: (y * k).sum())(k.detach()).tolist(),
    "a jvp": lambda func, k: [t.tolist() for t in func.jvp(lambda y: y * k, (k.detach(),), (k.detach(),))],
    "an array": lambda func, k: k.detach().numpy().tolist(),
}


@pytest.mark.filterwarnings("ignore:.torch.jit.script. is deprecated:DeprecationWarning")
@pytest.mark.parametrize("transform", TRANSFORMS)
@pytest.mark.parametrize("use", ORDINARY)
def test_what_escaped_from_other_transforms_is_an_ordinary_value(use, transform, torch):
    for lib in (gradkit, torch) if transform in ASKED else (gradkit,):
        k = escaped(TRANSFORMS[transform](lib.func), lib.tensor(A))
        plain = lib.tensor(2 * A)
        assert ORDINARY[use](lib.func, k) == ORDINARY[use](lib.func, plain)


@pytest.mark.parametrize("transform", ["jvp", "jacfwd", "jacfwd of jacfwd"])
def test_its_tangent_is_gone(transform):
    k = escaped(TRANSFORMS[transform](gradkit.func), gradkit.tensor(A))
    assert repr(k) == repr(gradkit.tensor(2 * A))
    assert k.numpy().tolist() == [2.0, 4.0, 6.0]
    level = gradkit.autograd.forward_ad.dual_level()
    with level:
        d = gradkit.autograd.forward_ad.make_dual(gradkit.tensor(A), gradkit.tensor(A))
        assert "tangent=" in repr(d)
        with pytest.raises(RuntimeError, match="tangent would be lost"):
            d.numpy()
    assert d.numpy().tolist() == A.tolist() and "tangent=" not in repr(d)


def test_losses_of_every_column_are_logged():
    losses = []

    def f(x):
        losses.append((x * x).sum())
        return losses[-1]

    x = gradkit.tensor(A)
    jacfwd(f)(x)
    hessian(f)(x)
    jacrev(f)(x)
    vmap(lambda t: jvp(f, (x,), (t,))[1])(gradkit.eye(3).double())
    assert sum(losses).item() == 14 * len(losses)


def test_a_walk_back_through_samples_is_no_escape():
    seen = []
    w = gradkit.ones(3, 2, requires_grad=True)

    class Squared(gradkit.autograd.Function):
        generate_vmap_rule = True

        @staticmethod
        def forward(x):
            return x * x

        @staticmethod
        def setup_context(ctx, inputs, output):
            ctx.save_for_backward(*inputs)

        @staticmethod
        def backward(ctx, ct):
            return 2 * ct * ctx.saved_tensors[0]

    def f(x):
        y = Squared.apply(x)
        y.register_hook(lambda g: seen.append(g.shape) or g * 2)
        return y.sum()

    vmap(f)(w).sum().backward()
    assert w.grad.tolist() == [[4.0, 4.0]] * 3 and seen == [(2,)]


def test_a_scalar_with_many_tangents_prints():
    printed = []
    jacfwd(lambda x: printed.append(repr(x.sum())) or x)(gradkit.tensor(A))
    assert "a batch axis" in printed[0]
