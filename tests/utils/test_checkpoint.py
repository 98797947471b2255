"""Checkpointing: PyTorch's answers, gradients of gradients, random numbers, and that memory falls."""

import importlib

import numpy as np
import pytest

import gradkit
from gradkit.utils.checkpoint import (
    CheckpointError,
    checkpoint,
    checkpoint_sequential,
    detach_variable,
    set_checkpoint_early_stop,
)

WAYS = [True, False]


def ck(m, *args, **kwargs):
    return importlib.import_module(f"{m.__name__}.utils.checkpoint").checkpoint(*args, **kwargs)


def leaf(m, *shape):
    return m.full(shape or (2,), 0.5, requires_grad=True)


PROGRAMS = []


def program(function):
    PROGRAMS.append(pytest.param(function, marks=getattr(function, "pytestmark", ())))
    return function


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda p: p.__name__)
def test_does_as_pytorch(program, alike):
    alike(program)


@pytest.mark.parametrize("way", WAYS)
def test_what_dropout_drops_is_dropped_again(way):
    x = gradkit.ones(100, requires_grad=True)
    y = checkpoint(lambda x: gradkit.nn.functional.dropout(x * x, 0.5), x, use_reentrant=way)
    gradkit.rand(3)
    y.sum().backward()
    assert 0 < y.count_nonzero() < 100 and gradkit.equal(x.grad, 2 * y)


def counted(m, seen):
    def f(x):
        seen.append(m.is_grad_enabled())
        return (x.exp() * x).sin()

    return f


@program
def several_walks_each_run_it_again(m):
    seen, x = [], leaf(m)
    y = ck(m, counted(m, seen), x, use_reentrant=False).sum()
    y.backward(retain_graph=True)
    y.backward()
    return seen, x.grad


@program
def freed_graph(m):
    y = ck(m, counted(m, []), leaf(m), use_reentrant=False).sum()
    y.backward()
    y.backward()


@program
def gradient_of_a_gradient(m):
    x = leaf(m)
    y = ck(m, counted(m, []), x, use_reentrant=False).sum()
    (g,) = m.autograd.grad(y, x, create_graph=True)
    return g, m.autograd.grad((g * g).sum(), x)


@program
def checkpoint_within_a_checkpoint(m):
    seen, x = [], leaf(m)

    def outer(x):
        y = x * x
        return ck(m, counted(m, seen), y, use_reentrant=False) * y

    y = ck(m, outer, x, use_reentrant=False).sum()
    y.backward()
    return seen[:1], x.grad


@program
def keywords_and_outputs_of_all_kinds(m):
    x = leaf(m)
    out = ck(m, lambda x, scale=1: (x.exp() * scale, 3, "a", {"b": x * 2}), x, use_reentrant=False, scale=2.0)
    (out[0] + out[3]["b"]).sum().backward()
    return out, x.grad


@program
def outputs_of_all_kinds_the_older_way(m):
    x = leaf(m)
    out = ck(m, lambda x, n: (x.exp() * n, 3, "a"), x, 2, use_reentrant=True)
    out[0].sum().backward()
    return out, x.grad


@program
def arguments_that_are_nested(m):
    x, w = leaf(m), leaf(m)
    ck(m, lambda xs, ws: xs[0].exp() * ws["w"], [x], {"w": w}, use_reentrant=False).sum().backward()
    return x.grad, w.grad


@program
def closed_over_weights_get_gradients(m):
    x, w = leaf(m), leaf(m)
    grads = []
    for way in WAYS:
        ck(m, lambda x: x.exp() * w, x, use_reentrant=way).sum().backward()
        grads.append((x.grad.clone(), w.grad.clone()))
    return grads


@program
def arguments_without_grad(m):
    w = leaf(m)
    ck(m, lambda x: x.exp() * w, m.ones(2), use_reentrant=False).sum().backward()
    return w.grad, ck(m, lambda x: x.exp() * w, m.ones(2), use_reentrant=True)


@program
def under_no_grad(m):
    with m.no_grad():
        return [ck(m, lambda x: x.exp(), leaf(m), use_reentrant=way) for way in WAYS]


def refused(name, **kwargs):
    def case(m):
        return ck(m, lambda x: x.exp(), leaf(m), **kwargs)

    case.__name__ = name
    program(case)


refused("keywords_the_older_way", use_reentrant=True, scale=2)
refused("debug_the_older_way", use_reentrant=True, debug=True)
refused("unknown_determinism_check", use_reentrant=False, determinism_check="some")


@program
def grad_the_older_way(m):
    x = leaf(m)
    return m.autograd.grad(ck(m, lambda x: x.exp(), x, use_reentrant=True).sum(), x)


@program
def early_stop(m):
    seen, x = [], leaf(m)

    def f(x):
        y = x.exp()
        seen.append(1)
        return y + 1

    module = importlib.import_module(f"{m.__name__}.utils.checkpoint")
    for stop in (True, False):
        ck(m, f, x, use_reentrant=False, early_stop=stop).sum().backward()
        seen.append("|")
    with module.set_checkpoint_early_stop(False):
        ck(m, f, x, use_reentrant=False).sum().backward()
    return seen


@program
@pytest.mark.cpu  # a GPU draws its own numbers
def dropout_draws_the_same_again(m):
    x = leaf(m, 100)
    seen = []
    for way in WAYS:
        m.manual_seed(0)
        x.grad = None
        y = ck(m, lambda x: m.nn.functional.dropout(x * x, 0.5), x, use_reentrant=way)
        m.rand(3)
        y.sum().backward()
        seen.append((y, x.grad, m.rand(2)))
    return seen


@program
def contexts_of_the_users(m):
    import contextlib

    seen = []

    @contextlib.contextmanager
    def noted(name):
        seen.append(name)
        yield

    x = leaf(m)
    ck(m, lambda x: x.exp(), x, use_reentrant=False, context_fn=lambda: (noted("first"), noted("again"))).sum().backward()
    return seen, x.grad


@program
def hooks_on_saved_tensors_outside(m):
    seen, x = [], leaf(m)
    with m.autograd.graph.saved_tensors_hooks(lambda t: (seen.append("pack"), t)[1], lambda t: t):
        y = ck(m, lambda x: x.exp().sin(), x, use_reentrant=False)
    y.sum().backward()
    return bool(seen), x.grad


@program
def custom_functions_inside(m):
    def forward(ctx, x):
        y = x.exp()
        ctx.save_for_backward(x, y)
        return y

    def backward(ctx, ct):
        x, y = ctx.saved_tensors
        return ct * y + 0 * x

    function = type("Custom", (m.autograd.Function,), {"forward": staticmethod(forward), "backward": staticmethod(backward)})
    x = leaf(m)
    y = ck(m, lambda x: function.apply(x * x).sin(), x, use_reentrant=False).sum()
    (g,) = m.autograd.grad(y, x, create_graph=True)
    return g, m.autograd.grad(g.sum(), x)


def changing(m, *functions):
    calls = iter(functions)
    return lambda x: next(calls)(x)


@program
def repetition_that_saves_more(m):
    f = changing(m, lambda x: x.exp(), lambda x: x.exp().exp().exp())
    ck(m, f, leaf(m), use_reentrant=False, early_stop=False).sum().backward()


@program
def repetition_that_saves_less(m):
    f = changing(m, lambda x: x.exp().exp(), lambda x: x.exp())
    ck(m, f, leaf(m), use_reentrant=False).sum().backward()


@program
def repetition_that_saves_other_shapes(m):
    f = changing(m, lambda x: x.exp(), lambda x: x[:1].exp())
    ck(m, f, leaf(m), use_reentrant=False).sum().backward()


@program
def sequence_in_segments(m):
    module = importlib.import_module(f"{m.__name__}.utils.checkpoint")
    x = leaf(m)
    grads = []
    for segments in (1, 2, 3, 5):
        for way in WAYS:
            functions = [m.exp, m.sin, m.cos, m.exp, m.tanh]
            y = module.checkpoint_sequential(functions, segments, x * 1, use_reentrant=way)
            y.sum().backward()
            grads.append(x.grad.clone())
    return grads


@program
def sequence_with_unknown_keywords(m):
    module = importlib.import_module(f"{m.__name__}.utils.checkpoint")
    return module.checkpoint_sequential([m.exp], 1, leaf(m), use_reentrant=False, scale=1)


# -- what needs more than a program
def test_second_derivative_the_older_way_raises_and_is_not_wrong():
    x = leaf(gradkit)
    y = checkpoint(lambda x: x.exp(), x, use_reentrant=True)
    weight = gradkit.ones(2, requires_grad=True)
    (y * y * weight).sum().backward(create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        (x.grad * x.grad).sum().backward()


def test_argument_written_meanwhile_raises():
    x = leaf(gradkit) * 1
    y = checkpoint(lambda x: x.exp().sin(), x, use_reentrant=False)
    x.add_(1)
    with pytest.raises(RuntimeError, match="argument of a checkpointed function"):
        y.sum().backward()


def test_debug_shows_the_lines_where_the_runs_part():
    f = changing(gradkit, lambda x: x.exp().exp(), lambda x: x.exp())
    y = checkpoint(f, leaf(gradkit), use_reentrant=False, debug=True)
    with pytest.raises(CheckpointError, match=r"1: .*test_checkpoint\.py:\d+, in <lambda> \| -"):
        y.sum().backward()


def test_error_in_the_repetition_leaves_grads_modes_and_random_numbers():
    def fails(x):
        raise ZeroDivisionError

    x = leaf(gradkit)
    y = checkpoint(changing(gradkit, lambda x: x.exp().sin(), fails), x, use_reentrant=False)
    state = gradkit.get_rng_state()
    with pytest.raises(ZeroDivisionError):
        y.sum().backward()
    assert x.grad is None and gradkit.is_grad_enabled() and gradkit.equal(state, gradkit.get_rng_state())


def test_user_code_that_catches_exceptions_does_not_stop_the_early_stop():
    def careful(x):
        try:
            y = x.exp()
        except Exception:
            return x
        return y * 1

    x = leaf(gradkit)
    checkpoint(careful, x, use_reentrant=False).sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), np.exp([0.5, 0.5]), rtol=1e-6)


def test_saved_tensors_may_be_read_twice():
    def backward(ctx, ct):
        return ct * ctx.saved_tensors[0] * ctx.saved_tensors[0]

    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * 1

    body = {"forward": staticmethod(forward), "backward": staticmethod(backward)}
    function = type("Custom", (gradkit.autograd.Function,), body)
    x = leaf(gradkit)
    checkpoint(lambda x: function.apply(x * 2), x, use_reentrant=False).sum().backward()
    assert x.grad.tolist() == [2.0, 2.0]


def test_early_stop_setting_is_restored():
    with pytest.raises(ZeroDivisionError), set_checkpoint_early_stop(False):
        1 / 0  # noqa: B018
    seen = []
    checkpoint(lambda x: (x.exp(), seen.append(1))[0] + 1, leaf(gradkit), use_reentrant=False).sum().backward()
    assert seen == [1]


def test_sequence_of_a_module():
    model = gradkit.nn.Sequential(gradkit.nn.Linear(3, 3), gradkit.nn.ReLU(), gradkit.nn.Linear(3, 1))
    x = gradkit.ones(2, 3)
    model(x).sum().backward()
    want = [p.grad.numpy().copy() for p in model.parameters()]
    model.zero_grad()
    checkpoint_sequential(model, 2, x, use_reentrant=False).sum().backward()
    for p, w in zip(model.parameters(), want):
        np.testing.assert_allclose(p.grad.numpy(), w, rtol=1e-6)


def test_reentrant_checkpoint_warns_that_there_is_nothing_to_do():
    with pytest.warns(UserWarning, match="None of the inputs have requires_grad=True"):
        checkpoint(gradkit.sin, gradkit.ones(2), use_reentrant=True)


def test_detached_variables_still_require_grad():
    x, y, n = detach_variable((gradkit.ones(2, requires_grad=True) * 2, gradkit.ones(1), 3))
    assert x.is_leaf and x.requires_grad and not y.requires_grad and n == 3
