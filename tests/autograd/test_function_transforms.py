"""Custom functions under forward mode and vmap, as PyTorch does."""

import importlib

import pytest

import gradkit

PROGRAMS = []


def program(function):
    PROGRAMS.append(function)
    return function


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda p: p.__name__)
def test_does_as_pytorch(program, alike):
    alike(program)


def define(m, forward, backward=None, **more):
    methods = {"forward": forward, "backward": backward, **more}
    body = {k: staticmethod(v) if callable(v) else v for k, v in methods.items() if v is not None}
    return type("Custom", (m.autograd.Function,), body)


def leaf(m, *shape):
    return m.full(shape or (2,), 2.0, requires_grad=True)


def no_setup(ctx, inputs, output):
    pass


def dual(m, function, *args):
    """The value and tangent of a function whose first argument carries ones."""
    forward_ad = importlib.import_module(f"{m.__name__}.autograd.forward_ad")
    with forward_ad.dual_level():
        y = function.apply(forward_ad.make_dual(args[0], m.ones(2)), *args[1:])
        ys = y if isinstance(y, tuple) else (y,)
        return [tuple(forward_ad.unpack_dual(one)) for one in ys]


# -- forward mode
@program
def jvp_is_missing(m):
    return dual(m, define(m, lambda ctx, x: x * 2), m.ones(2))


@program
def jvp_gives_too_many(m):
    return dual(m, define(m, lambda ctx, x: x * 2, jvp=lambda ctx, t: (t, t)), m.ones(2))


@program
def jvp_gives_another_shape(m):
    return dual(m, define(m, lambda ctx, x: x * 2, jvp=lambda ctx, t: m.ones(5)), m.ones(2))


@program
def tangents_of_arguments_that_have_none(m):
    seen = []
    function = define(m, lambda ctx, x, n, y: x * 2, jvp=lambda ctx, *ts: (seen.append(ts), ts[0] * 2)[1])
    return dual(m, function, m.ones(2), 3, m.ones(2)), seen


@program
def tangents_not_materialized(m):
    seen = []

    def forward(ctx, x, y):
        ctx.set_materialize_grads(False)
        return x * 2

    function = define(m, forward, jvp=lambda ctx, *ts: (seen.append(ts), ts[0] * 2)[1])
    return dual(m, function, m.ones(2), m.ones(2)), seen


@program
def jvp_reads_what_was_saved_for_forward(m):
    seen = []

    def forward(ctx, x):
        ctx.save_for_forward(x, x)
        ctx.save_for_backward(x)
        return x**2

    def jvp(ctx, t):
        seen.append(len(ctx.saved_tensors))
        return 2 * ctx.saved_tensors[0] * t

    return dual(m, define(m, forward, jvp=jvp), m.ones(2)), seen


@program
def jvp_with_several_outputs(m):
    return dual(m, define(m, lambda ctx, x: (x * 2, x * 3), jvp=lambda ctx, t: (t * 2, t * 3)), m.ones(2))


@program
def reverse_over_forward(m):
    forward_ad = importlib.import_module(f"{m.__name__}.autograd.forward_ad")

    def forward(ctx, x):
        ctx.save_for_forward(x)
        ctx.save_for_backward(x)
        return x**3

    cube = define(
        m, forward, lambda ctx, ct: ct * 3 * ctx.saved_tensors[0] ** 2, jvp=lambda ctx, t: t * 3 * ctx.saved_tensors[0] ** 2
    )
    x = leaf(m)
    with forward_ad.dual_level():
        tangent = forward_ad.unpack_dual(cube.apply(forward_ad.make_dual(x, m.ones(2)))).tangent
    return m.autograd.grad(tangent.sum(), x)


# -- vmap
@program
def vmap_with_both_rules(m):
    function = define(
        m, lambda x: x * 2, setup_context=no_setup, vmap=lambda info, dims, x: (x * 2, 0), generate_vmap_rule=True
    )
    return m.vmap(function.apply)(m.ones(3))


@program
def vmap_with_no_rule(m):
    return m.vmap(define(m, lambda x: x * 2, setup_context=no_setup).apply)(m.ones(3))


@program
def vmap_by_the_users_rule(m):
    seen = []

    def rule(info, dims, x, n):
        seen.append((info.batch_size, info.randomness, dims, tuple(x.shape)))
        return x * n, 0

    function = define(m, lambda x, n: x * n, setup_context=no_setup, vmap=rule)
    return m.vmap(lambda x: function.apply(x, 3))(m.ones(3, 2)), seen


@program
def vmap_rule_that_puts_the_batch_last(m):
    function = define(m, lambda x: x * 2, setup_context=no_setup, vmap=lambda info, dims, x: (x.movedim(0, 1) * 2, 1))
    return m.vmap(function.apply)(m.arange(6.0).reshape(3, 2))


@program
def vmap_rule_with_several_outputs(m):
    function = define(
        m, lambda x: (x * 2, x * 3), setup_context=no_setup, vmap=lambda info, dims, x: ((x * 2, x * 3), (0, 0))
    )
    return m.vmap(function.apply)(m.ones(3, 2))


@program
def vmap_rule_that_gives_no_dims(m):
    function = define(m, lambda x: x * 2, setup_context=no_setup, vmap=lambda info, dims, x: x * 2)
    return m.vmap(function.apply)(m.ones(3, 2))


@program
def vmap_of_grad_by_a_generated_rule(m):
    def setup(ctx, inputs, output):
        ctx.save_for_backward(*inputs)

    function = define(
        m, lambda x, y: x * y, lambda ctx, ct: (ct * ctx.saved_tensors[1], ct * ctx.saved_tensors[0]),
        setup_context=setup, generate_vmap_rule=True,
    )  # fmt: skip
    f = m.func.grad(lambda x, y: function.apply(x, y).sum(), argnums=(0, 1))
    return m.vmap(f, in_dims=(0, None))(m.arange(6.0).reshape(3, 2), m.ones(2))


@program
def grad_of_vmap_by_the_users_rule(m):
    def setup(ctx, inputs, output):
        ctx.save_for_backward(*inputs)

    def rule(info, dims, x):
        return cube(x), 0

    function = define(
        m, lambda x: x**3, lambda ctx, ct: ct * 3 * ctx.saved_tensors[0] ** 2, setup_context=setup, vmap=rule
    )
    cube = function.apply
    return m.func.grad(lambda x: m.vmap(cube)(x).sum())(m.tensor([1.0, 2.0]))


# -- every other way to a Jacobian
def with_derivative(m, **more):
    """A cube that also gives its derivative, as PyTorch's notes write it."""

    def setup(ctx, inputs, output):
        ctx.save_for_backward(inputs[0], output[1])
        ctx.save_for_forward(inputs[0], output[1])

    def backward(ctx, ct, slope_ct):
        x, slope = ctx.saved_tensors
        return ct * slope + slope_ct * 6 * x

    def jvp(ctx, t):
        x, slope = ctx.saved_tensors
        return t * slope, t * 6 * x

    cube = define(m, lambda x: (x**3, 3 * x**2), backward, setup_context=setup, jvp=jvp, generate_vmap_rule=True, **more)
    return lambda x: cube.apply(x)[0]


@program
def jacobians_and_hessians(m):
    cube, x = with_derivative(m), m.tensor([1.0, 2.0, 3.0])
    func = importlib.import_module(f"{m.__name__}.func")
    total = lambda x: cube(x).sum()
    return (
        func.jacrev(cube)(x), func.jacfwd(cube)(x), func.hessian(total)(x), func.jacrev(func.jacrev(total))(x),
        func.vmap(func.grad(total))(x.reshape(3, 1)), func.vmap(func.jacrev(cube))(m.ones(2, 3)),
    )  # fmt: skip


@program
def batched_cotangents(m):
    cube, x = with_derivative(m), m.tensor([1.0, 2.0, 3.0], requires_grad=True)
    return m.autograd.grad(cube(x), x, m.eye(3), is_grads_batched=True)


@program
def vmap_over_one_argument_of_two(m):
    def setup(ctx, inputs, output):
        ctx.save_for_backward(*inputs)

    function = define(
        m, lambda x, w: x * w, lambda ctx, ct: (ct * ctx.saved_tensors[1], ct * ctx.saved_tensors[0]),
        setup_context=setup, generate_vmap_rule=True,
    )  # fmt: skip
    w = leaf(m)
    y = m.vmap(lambda x: function.apply(x, w))(m.arange(6.0).reshape(3, 2))
    (y * m.arange(3.0).reshape(3, 1)).sum().backward()
    return y, w.grad


@program
def gradient_that_does_not_depend_on_the_sample(m):
    function = define(
        m, lambda x: x * 2, lambda ctx, ct: m.ones(2), setup_context=no_setup, generate_vmap_rule=True
    )
    x = leaf(m, 3, 2)
    m.vmap(function.apply)(x).sum().backward()
    return x.grad


@program
def output_kept_on_the_context_has_a_history(m):
    forward_ad = importlib.import_module(f"{m.__name__}.autograd.forward_ad")

    def forward(ctx, x):
        ctx.result = m.exp(x)
        return ctx.result

    def jvp(ctx, t):
        result, ctx.result = ctx.result, None
        return t * result

    x = leaf(m)
    with forward_ad.dual_level():
        y = define(m, forward, jvp=jvp).apply(forward_ad.make_dual(x, m.ones(2)))
        return forward_ad.unpack_dual(y).tangent


def test_one_output_given_twice_has_both_cotangents():
    def forward(ctx, x):
        y = x * 2
        return y, y

    x = leaf(gradkit)
    a, b = define(gradkit, forward, lambda ctx, a_ct, b_ct: a_ct * 2 + b_ct * 20).apply(x)
    (a + b * 2).sum().backward()
    assert x.grad.tolist() == [42.0, 42.0]  # PyTorch gives both cotangents to the second


def test_nested_forward_mode_through_a_saved_output():
    cube, x, ones = with_derivative(gradkit), gradkit.tensor([1.0, 2.0]), gradkit.ones(2)
    twice = gradkit.func.jvp(lambda x: gradkit.func.jvp(cube, (x,), (ones,))[1], (x,), (ones,))[1]
    assert twice.tolist() == [6.0, 12.0]  # zeros in PyTorch


@pytest.mark.parametrize("batched", [(0, None), (None, 0), (0, 0)])
def test_three_levels_of_batch_axes_are_told_apart(batched):
    def setup(ctx, inputs, output):
        ctx.save_for_backward(*inputs)

    function = define(
        gradkit, lambda x, w: x * w * w,
        lambda ctx, ct: (ct * ctx.saved_tensors[1] ** 2, ct * 2 * ctx.saved_tensors[0] * ctx.saved_tensors[1]),
        setup_context=setup, generate_vmap_rule=True,
    ).apply  # fmt: skip
    jac, vmap = gradkit.func.jacrev, gradkit.vmap
    x, w = gradkit.arange(6.0).reshape(2, 3) + 1, gradkit.arange(6.0).reshape(2, 3) + 2
    args = [t if d == 0 else t[0] for t, d in zip((x, w), batched)]
    got = vmap(jac(jac(function, 1), (0, 1)), in_dims=batched)(*args)
    want = vmap(jac(jac(lambda x, w: x * w * w, 1), (0, 1)), in_dims=batched)(*args)
    for a, b in zip(got, want):
        assert gradkit.equal(a, b)


def test_argument_of_a_transform_cannot_be_marked_dirty():
    class Double(gradkit.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.mark_dirty(x)
            return x.mul_(2)

        @staticmethod
        def backward(ctx, ct):
            return ct * 2

    with pytest.raises(RuntimeError, match="a leaf Variable that requires grad"):
        gradkit.func.grad(lambda x: Double.apply(x).sum())(gradkit.ones(2))


def test_vmap_rule_with_too_few_out_dims_says_so():
    class Two(gradkit.autograd.Function):
        @staticmethod
        def forward(x):
            return x, x

        @staticmethod
        def vmap(info, in_dims, x):
            return (x, x), (0,)

    with pytest.raises(RuntimeError, match="Two.vmap returned 2 outputs and out_dims="):
        gradkit.vmap(Two.apply)(gradkit.ones(2))


def sharing(x, w):
    return (x * w).sin() * x.sum(-1, keepdim=True)


def mapped(function):
    def vmap(info, in_dims, *args):
        spread = [a.expand(info.batch_size, *a.shape) if d is None else a.movedim(d, 0) for a, d in zip(args, in_dims)]
        return function().apply(*spread), 0

    return vmap


@pytest.mark.parametrize("shared", [0, 1])
@pytest.mark.parametrize("generated", [True, False])
@pytest.mark.parametrize("derivative", ["grad", "jacfwd", "hessian"])
def test_derivatives_of_samples_that_share_an_operand(derivative, generated, shared):
    function = define(
        gradkit, lambda *args: sharing(*args), lambda ctx, g: gradkit.func.vjp(sharing, *ctx.saved_tensors)[1](g),
        setup_context=lambda ctx, inputs, output: ctx.save_for_backward(*inputs),
        jvp=lambda ctx, *ts: gradkit.func.jvp(sharing, ctx.saved_tensors, ts)[1],
        **({"generate_vmap_rule": True} if generated else {"vmap": mapped(lambda: function)}),
    )  # fmt: skip
    samples, other = gradkit.tensor([[0.3, 0.7], [0.2, -0.5], [1.0, 0.4]]), gradkit.tensor([2.0, 3.0])
    both = (lambda x: (other, x)) if shared == 0 else (lambda x: (x, other))
    derived = getattr(gradkit.func, derivative)
    found = gradkit.vmap(derived(lambda x: function.apply(*both(x)).sum()))(samples)
    want = gradkit.stack([derived(lambda x: sharing(*both(x)).sum())(x) for x in samples])
    assert gradkit.allclose(found, want, rtol=1e-4, atol=1e-5)
    ahead = gradkit.func.grad(lambda xs: gradkit.vmap(lambda x: function.apply(*both(x)))(xs).sum())(samples)
    assert gradkit.allclose(ahead, gradkit.stack([gradkit.func.grad(lambda x: sharing(*both(x)).sum())(x) for x in samples]))
