"""Custom functions that write their inputs, and those differentiated twice, as PyTorch has them."""

import importlib

import pytest

PROGRAMS = []


def program(function):
    PROGRAMS.append(pytest.param(function, marks=getattr(function, "pytestmark", ())))
    return function


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda p: p.__name__)
def test_does_as_pytorch(program, alike):
    alike(program)


def leaf(m, *shape):
    return m.full(shape or (2,), 2.0, requires_grad=True)


def define(m, forward, backward):
    return type("Custom", (m.autograd.Function,), {"forward": staticmethod(forward), "backward": staticmethod(backward)})


# -- writing inputs
def doubling(ctx, x):
    ctx.mark_dirty(x)
    return x.mul_(2)


def twice(ctx, ct):
    return ct * 2


@program
def dirty_input(m):
    x = leaf(m)
    y = x * 1
    z = define(m, doubling, twice).apply(y)
    z.sum().backward()
    return z is y, x.grad, y, y._version


@program
def dirty_leaf(m):
    return define(m, doubling, twice).apply(leaf(m))


@program
def dirty_input_that_is_not_returned(m):
    def forward(ctx, x):
        ctx.mark_dirty(x)
        return x.mul_(2) * 1

    return define(m, forward, twice).apply(leaf(m) * 1)


@program
def dirty_view_changes_its_base(m):
    x = leaf(m, 2, 2)
    y = x * 1
    v = y[0]
    z = define(m, doubling, twice).apply(v)
    (y * y).sum().backward()
    return z is v, y, x.grad


@program
def dirty_input_without_grad_beside_one_with(m):
    def forward(ctx, x, y):
        ctx.mark_dirty(x)
        return x.mul_(y)

    x, y = m.ones(2), leaf(m)
    z = define(m, forward, lambda ctx, ct: (None, ct * 2)).apply(x, y)
    z.sum().backward()
    return z is x, x, y.grad


@program
@pytest.mark.cpu  # NumPy shares no other memory
def dirty_by_another_way_counts_a_version(m):
    def forward(ctx, x):
        x.numpy()[...] = 5
        ctx.mark_dirty(x)
        return x

    x = m.ones(2)
    return define(m, forward, twice).apply(x), x._version


# -- derivatives of derivatives
@program
def once_differentiable(m):
    bar = importlib.import_module(f"{m.__name__}.autograd.function").once_differentiable

    def forward(ctx, x, y):
        ctx.save_for_backward(x, y)
        return x * y

    def backward(ctx, ct):
        x, y = ctx.saved_tensors
        return ct * y, ct * x

    x, w = leaf(m), leaf(m)
    y = define(m, forward, bar(backward)).apply(x, w)
    (g,) = m.autograd.grad((y * y).sum(), x, create_graph=True)
    assert g.requires_grad
    g.sum().backward()


@program
def double_backward_through_a_saved_output(m):
    def forward(ctx, x):
        y = x.exp()
        ctx.save_for_backward(y)
        return y

    x = leaf(m)
    y = define(m, forward, lambda ctx, ct: ct * ctx.saved_tensors[0]).apply(x)
    (g,) = m.autograd.grad((y * y).sum(), x, create_graph=True)
    return g, m.autograd.grad((g * g).sum(), x)


@program
def double_backward_reaches_an_output_among_several(m):
    def forward(ctx, x):
        a, b = x * x, x * x * x
        ctx.save_for_backward(x, b)
        return a, b

    def backward(ctx, a, b):
        x, y = ctx.saved_tensors
        return a * 2 * x + b * 3 * y / x

    x = leaf(m)
    a, b = define(m, forward, backward).apply(x)
    (g,) = m.autograd.grad((a * b).sum(), x, create_graph=True)
    return m.autograd.grad(g.sum(), [x, b])
