"""Grad modes and inference mode, as PyTorch has them."""

import threading

import pytest

import gradkit
from gradkit.engine import modes

PROGRAMS = []


def program(function):
    PROGRAMS.append(function)
    return function


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda p: p.__name__)
def test_behaves_as_pytorch(program, alike):
    alike(program)


def leaf(m, *shape):
    return m.full(shape or (2,), 2.0, requires_grad=True)


def inferred(m):
    with m.inference_mode():
        return m.ones(2)


# -- recording or not
@program
def generator_in_no_grad(m):
    @m.no_grad()
    def steps():
        for _ in range(2):
            yield m.is_grad_enabled()

    return [(inside, m.is_grad_enabled()) for inside in steps()]


@program
def generator_is_sent_values(m):
    @m.no_grad()
    def steps():
        got = yield m.is_grad_enabled()
        got = yield (got, m.is_grad_enabled())
        return got

    g = steps()
    seen = [next(g), g.send(3)]
    try:
        g.send(5)
    except StopIteration as stop:
        seen.append(stop.value)
    return seen


@program
def generator_is_thrown_an_exception(m):
    @m.no_grad()
    def steps():
        try:
            yield 1
        except ValueError:
            yield "caught", m.is_grad_enabled()

    g = steps()
    next(g)
    return g.throw(ValueError()), m.is_grad_enabled()


@program
def generator_is_closed(m):
    seen = []

    @m.no_grad()
    def steps():
        try:
            yield 1
        finally:
            seen.append(m.is_grad_enabled())

    g = steps()
    next(g)
    g.close()
    return seen


@program
def enable_grad_within_no_grad_within_a_function(m):
    @m.no_grad()
    def outer():
        @m.enable_grad()
        def inner():
            return m.is_grad_enabled()

        return inner(), m.is_grad_enabled()

    return outer(), m.is_grad_enabled()


@program
def set_grad_enabled_entered_later(m):
    mode = m.set_grad_enabled(False)
    seen = [m.is_grad_enabled()]
    m.set_grad_enabled(True)
    with mode:
        seen.append(m.is_grad_enabled())
    return seen, m.is_grad_enabled()


@program
def set_grad_enabled_as_decorator(m):
    @m.set_grad_enabled(False)
    def f():
        return m.is_grad_enabled()

    return f(), m.is_grad_enabled()


@program
def recursion_through_a_decorated_function(m):
    @m.no_grad()
    def f(n):
        return [m.is_grad_enabled(), *(f(n - 1) if n else [])]

    return f(3), m.is_grad_enabled()


# -- inference mode
@program
def what_is_an_inference_tensor(m):
    x = leaf(m)
    with m.inference_mode():
        made = [
            x * 2, m.ones(2), x.view(2), x.detach(), x.view(2).clone(), m.ones(2, requires_grad=True), m.rand(2) < 0, x[0],
            x.sum(), m.stack([x, x]), x.reshape(1, 2).softmax(1), m.tensor([1.0]), m.arange(3),
        ]  # fmt: skip
        flags = m.is_grad_enabled(), m.is_inference_mode_enabled()
    return [t.is_inference() for t in made], flags, m.is_inference_mode_enabled()


@program
def modes_within_inference_mode(m):
    x = leaf(m)
    seen = []
    for within in (m.enable_grad(), m.inference_mode(False), m.inference_mode(), m.no_grad()):
        with m.inference_mode(), within:
            y = x * 2
            seen.append((y.requires_grad, y.is_inference(), m.is_grad_enabled(), m.is_inference_mode_enabled()))
    return seen


@program
def inference_mode_off_within_no_grad_records(m):
    x = leaf(m)
    with m.no_grad(), m.inference_mode(False):
        return x * 2, m.is_grad_enabled()


@program
def inference_mode_as_decorator(m):
    @m.inference_mode()
    def f():
        return m.ones(2).is_inference()

    @m.inference_mode
    def g():
        return m.ones(2).is_inference()

    @m.inference_mode(mode=False)
    def h():
        return m.ones(2).is_inference()

    @m.inference_mode()
    def steps():
        yield m.ones(2).is_inference()
        yield m.is_inference_mode_enabled()

    return f(), g(), h(), list(steps()), m.ones(2).is_inference()


@program
def inference_tensor_in_what_saves_nothing(m):
    y = inferred(m)
    r = leaf(m) + y
    return r, r.is_inference(), y.view(2).is_inference(), y.clone().is_inference(), (y * 2).is_inference(), y.detach().is_inference()


def refused(name, action):
    def case(m):
        return action(m, inferred(m))

    case.__name__ = name
    program(case)


refused("inference_tensor_saved", lambda m, y: leaf(m) * y)
refused("inference_tensor_saved_by_a_product", lambda m, y: leaf(m, 2, 2) @ y)
refused("inference_tensor_written", lambda m, y: y.add_(1))
refused("inference_tensor_written_at_an_index", lambda m, y: y.__setitem__(0, 1))
refused("inference_tensor_view_written", lambda m, y: y.view(2).zero_())
refused("inference_tensor_version", lambda m, y: y._version)
refused("inference_tensor_made_a_leaf", lambda m, y: y.requires_grad_())
refused("inference_tensor_copied_from", lambda m, y: (leaf(m) * 1).copy_(y))
refused("inference_tensor_read_in_place", lambda m, y: m.ones(2).add_(y))


@program
def inference_tensor_written_under_no_grad(m):
    y = inferred(m)
    with m.no_grad():
        y.add_(1)


@program
def inference_tensor_saved_by_a_custom_function(m):
    def forward(ctx, x, y):
        ctx.save_for_backward(y)
        return x * 1

    function = type("Custom", (m.autograd.Function,), {"forward": staticmethod(forward)})
    return function.apply(leaf(m), inferred(m))


@program
def normal_tensors_written_within(m):
    x, p = m.ones(2), leaf(m)
    with m.inference_mode():
        x.add_(1)
        p.add_(1)
        y = m.ones(2)
        y.add_(1)
        y.requires_grad_()
    return x, x.is_inference(), x._version, p, y


@program
def view_taken_within_and_written_outside(m):
    x = leaf(m) * 1
    with m.inference_mode():
        v = x[0]
    v.add_(1)


@program
def backward_within(m):
    x = leaf(m)
    y = (x * x).sum()
    with m.inference_mode():
        y.backward()
    return x.grad, x.grad.is_inference()


# -- what needs more than a program
def test_modes_are_those_of_a_thread():
    seen = []
    with gradkit.inference_mode(), gradkit.no_grad():
        thread = threading.Thread(target=lambda: seen.append((gradkit.is_grad_enabled(), gradkit.ones(2).is_inference())))
        thread.start()
        thread.join()
    assert seen == [(True, False)]


def test_operations_stop_looking_for_inference_tensors_when_the_last_is_gone():
    modes.shift()
    before = modes.unusual
    with gradkit.inference_mode():
        y = gradkit.ones(2) * 2
        z = y + 1
    del z
    assert modes.unusual == before + 1
    del y
    modes.shift()
    assert modes.unusual == before


def test_no_grad_used_again_while_open_restores():
    mode = gradkit.no_grad()
    with mode:
        with mode:
            pass
        assert not gradkit.is_grad_enabled()
    assert gradkit.is_grad_enabled()


def test_inference_mode_after_an_exception():
    with pytest.raises(ZeroDivisionError), gradkit.inference_mode():
        1 / 0  # noqa: B018
    assert not gradkit.is_inference_mode_enabled() and gradkit.is_grad_enabled()
