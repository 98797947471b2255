"""Custom functions in every composition, what their nodes hold, and what is left after an error."""

import gc
import weakref

import numpy as np
import pytest

import gradkit
from gradkit.autograd import Function, gradcheck, gradgradcheck


def leaf():
    return gradkit.full((2,), 2.0, requires_grad=True)


def define(forward, backward, **more):
    methods = {"forward": forward, "backward": backward, **more}
    return type("Custom", (Function,), {name: staticmethod(method) for name, method in methods.items()})


def same(ctx, ct):
    return ct


def double(ctx, x):
    return x * 2


def reading(ctx, ct):
    return ct * 2 if ctx.saved_tensors is not None else None


class Power(Function):
    """x ** n, by hand in every mode."""

    generate_vmap_rule = True

    @staticmethod
    def forward(x, n):
        return x**n

    @staticmethod
    def setup_context(ctx, inputs, output):
        x, ctx.n = inputs
        ctx.save_for_backward(x)
        ctx.save_for_forward(x)

    @staticmethod
    def backward(ctx, ct):
        (x,) = ctx.saved_tensors
        return ct * ctx.n * Power.apply(x, ctx.n - 1), None

    @staticmethod
    def jvp(ctx, x_t, _):
        (x,) = ctx.saved_tensors
        return x_t * ctx.n * Power.apply(x, ctx.n - 1)


def cube(x):
    return Power.apply(x, 3)


def test_custom_function_passes_gradcheck_in_both_modes():
    x = gradkit.tensor([0.5, 1.5], dtype=gradkit.float64, requires_grad=True)
    assert gradcheck(cube, x, check_forward_ad=True) and gradgradcheck(cube, x, check_fwd_over_rev=True)


@pytest.mark.parametrize("outer", ["grad", "jvp"])
@pytest.mark.parametrize("inner", ["grad", "jvp"])
def test_nested_transforms_of_a_custom_function(inner, outer):
    transforms = {"grad": gradkit.func.grad, "jvp": lambda f: lambda x: gradkit.func.jvp(f, (x,), (gradkit.ones(()),))[1]}
    x = gradkit.tensor(2.0)
    assert transforms[outer](transforms[inner](cube))(x).item() == 12.0
    third = transforms["jvp"](transforms[outer](transforms[inner](cube)))
    assert third(x).item() == 6.0
    batched = gradkit.vmap(transforms[outer](transforms[inner](cube)))(gradkit.tensor([1.0, 2.0]))
    assert batched.tolist() == [6.0, 12.0]


def test_nested_forward_mode_refuses_an_intermediate_that_lost_its_tangent():
    def forward(ctx, x):
        ctx.save_for_forward(x * x)
        return x**3

    f = define(forward, same, jvp=lambda ctx, t: 3 * ctx.saved_tensors[0] * t).apply
    one = gradkit.tensor(1.0)

    def once(x):
        return gradkit.func.jvp(f, (x,), (one,))[1]

    assert once(gradkit.tensor(2.0)).item() == 12.0
    with pytest.raises(RuntimeError, match="save inputs or outputs"):
        gradkit.func.jvp(once, (gradkit.tensor(2.0),), (one,))


def test_what_was_saved_is_gone_with_the_walk():
    kept = []

    def forward(ctx, x):
        mine = x * 5
        kept.append(weakref.ref(mine.array))
        ctx.save_for_backward(mine)
        return x * 2

    gc.disable()
    try:
        y = define(forward, reading).apply(leaf())
        assert kept[0]() is not None
        y.sum().backward()
        assert kept[0]() is None and y.grad_fn is not None
    finally:
        gc.enable()


def test_outputs_are_not_held_by_the_node():
    gc.disable()
    try:
        y = define(double, same).apply(leaf())
        array, node = weakref.ref(y.array), y.grad_fn
        del y
        assert array() is None and node.name() == "CustomBackward"
    finally:
        gc.enable()


def test_a_context_attribute_named_like_an_array_property_is_the_users():
    def forward(ctx, x):
        ctx.dtype, ctx.shape, ctx.base = x.dtype, x.shape, 7
        return x * 2

    x = leaf()
    y = define(forward, lambda ctx, ct: ct * ctx.base).apply(x)
    (g,) = gradkit.autograd.grad(y.sum(), x, create_graph=True)
    assert g.tolist() == [7.0, 7.0]


def test_a_leaf_that_forward_returns_stays_a_leaf():
    weight, x = leaf(), leaf()
    y = define(lambda ctx, x: weight, same).apply(x)
    y.sum().backward()
    assert weight.is_leaf and weight.grad is None and x.grad.tolist() == [1.0, 1.0]


def test_error_in_backward_leaves_every_grad_as_it_was():
    x, w = leaf(), leaf()
    y = define(double, lambda ctx, ct: 1 / 0).apply(x)
    with pytest.raises(ZeroDivisionError):
        (y * w).sum().backward()
    assert x.grad is None and w.grad is None and gradkit.is_grad_enabled()
    np.testing.assert_array_equal(x.detach().numpy(), [2, 2])
