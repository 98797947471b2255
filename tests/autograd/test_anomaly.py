"""Anomaly mode: which operation, made where, and which value was the first NaN or Inf."""

import threading
import warnings

import numpy as np
import pytest

import gradkit
from gradkit.autograd import detect_anomaly, set_detect_anomaly

PROGRAMS = []


def program(function):
    PROGRAMS.append(function)
    return function


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda p: p.__name__)
def test_behaves_as_pytorch(program, alike):
    with np.errstate(all="ignore"):
        alike(program)


def zeros(m):
    return m.zeros(2, requires_grad=True)


@program
def nan_in_backward(m):
    with m.autograd.detect_anomaly():
        (zeros(m).sqrt() * 0).sum().backward()


@program
def nan_in_backward_unchecked(m):
    x = zeros(m)
    with m.autograd.detect_anomaly(check_nan=False):
        (x.sqrt() * 0).sum().backward()
        flags = m.is_anomaly_enabled(), m.is_anomaly_check_nan_enabled()
    return x.grad, flags, m.is_anomaly_enabled(), m.is_anomaly_check_nan_enabled()


@program
def inf_in_backward_is_let_pass(m):
    x = zeros(m)
    with m.autograd.detect_anomaly():
        x.log().sum().backward()
    return x.grad


@program
def nan_from_outside(m):
    with m.autograd.detect_anomaly():
        zeros(m).sum().backward(m.tensor(float("nan")))


@program
def nan_from_outside_into_a_leaf(m):
    x = m.zeros((), requires_grad=True)
    with m.autograd.detect_anomaly():
        x.backward(m.tensor(float("nan")))
    return x.grad


@program
def nan_in_a_recorded_walk(m):
    x = zeros(m)
    with m.autograd.detect_anomaly():
        m.autograd.grad((x.sqrt() * 0).sum(), x, create_graph=True)


@program
def nan_within_a_custom_function(m):
    def backward(ctx, ct):
        return ct * float("nan")

    body = {"forward": staticmethod(lambda ctx, x: x * 1), "backward": staticmethod(backward)}
    with m.autograd.detect_anomaly():
        type("Custom", (m.autograd.Function,), body).apply(zeros(m)).sum().backward()


@program
def error_within_a_custom_function(m):
    body = {"forward": staticmethod(lambda ctx, x: x * 1), "backward": staticmethod(lambda ctx, ct: 1 / 0)}
    with m.autograd.detect_anomaly():
        type("Custom", (m.autograd.Function,), body).apply(zeros(m)).sum().backward()


@program
def switched_by_a_call(m):
    m.autograd.set_detect_anomaly(True)
    seen = m.is_anomaly_enabled()
    m.autograd.set_detect_anomaly(False)
    return seen, m.is_anomaly_enabled()


@program
def switched_for_a_while(m):
    with m.autograd.set_detect_anomaly(True, check_nan=False):
        seen = m.is_anomaly_enabled(), m.is_anomaly_check_nan_enabled()
    return seen, m.is_anomaly_enabled(), m.is_anomaly_check_nan_enabled()


# -- what PyTorch does not say
def test_backward_names_operand_index_and_line():
    x = gradkit.tensor([4.0, 1.0, 0.0], requires_grad=True)
    with detect_anomaly():
        root = x.sqrt()
        with pytest.raises(RuntimeError, match=r"'SqrtBackward0'.* 0th output.*test_anomaly\.py:\d+, in test_backward_names.*\(2,\)"):
            (root * 0).sum().backward()


def test_backward_names_the_operand_that_got_it():
    x = gradkit.ones(2, requires_grad=True)
    with detect_anomaly():
        y = gradkit.tensor([1.0, np.inf]) * x
        with pytest.raises(RuntimeError, match=r"'MulBackward0'.* 1th output.*index \(1,\)"):
            y.backward(gradkit.zeros(2))


def test_line_of_a_custom_function_is_named():
    body = {"forward": staticmethod(lambda ctx, x: x * 1), "backward": staticmethod(lambda ctx, ct: ct * float("nan"))}
    x = gradkit.ones(2, requires_grad=True)
    with detect_anomaly():
        y = type("Custom", (gradkit.autograd.Function,), body).apply(x)
        with pytest.raises(RuntimeError, match=r"'CustomBackward' .*test_anomaly\.py:\d+, in test_line_of"):
            y.sum().backward()


def test_forward_warns_of_the_first_value_that_is_not_finite():
    x = gradkit.tensor([1.0, 0.0], requires_grad=True)
    with detect_anomaly(), np.errstate(all="ignore"):
        with pytest.warns(UserWarning, match=r"first -inf of the forward pass was made from 0\.0 by log at index \(1,\).*\(2,\)") as seen:
            y = x.log()
        assert seen[0].filename == __file__
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            z = y * 0  # the operand had it already
        with pytest.raises(RuntimeError, match=r"In the forward pass: the first -inf .* by log .*, at .*test_anomaly\.py:\d+"):
            (z * z).sum().backward()


def test_forward_of_what_is_not_recorded_warns_too():
    with detect_anomaly(), np.errstate(all="ignore"), pytest.warns(UserWarning, match=r"first nan .* by div"):
        gradkit.zeros(2) / gradkit.zeros(2)


@pytest.mark.parametrize("make", [lambda x: x.masked_fill(x > 0, -np.inf), lambda x: x + np.inf, lambda x: x.sin()])
def test_forward_does_not_warn_of_what_the_user_put_there(make):
    with detect_anomaly():
        make(gradkit.ones(2, requires_grad=True))


def test_forward_is_not_checked_without_check_nan():
    with detect_anomaly(check_nan=False), np.errstate(all="ignore"):
        gradkit.zeros(2).log()


def test_first_inf_of_the_walk_is_named_before_the_nan():
    x = gradkit.zeros(2, requires_grad=True)
    with detect_anomaly(), np.errstate(all="ignore"):
        y = (x * 1).sqrt()
        with pytest.raises(RuntimeError, match=r"'MulBackward0' .*The first inf of the walk came from SqrtBackward0"):
            (y * gradkit.tensor([1.0, 1.0])).sum().backward(inputs=[nan_maker(x, y)])


def nan_maker(x, y):
    """Have the cotangent that is infinite meet a zero on its way to `x`."""
    y.grad_fn.next_functions[0][0].register_prehook(lambda cts: (cts[0] * gradkit.tensor([0.0, 1.0]),))
    return x


def test_modes_are_those_of_a_thread():
    seen = []
    with detect_anomaly():
        thread = threading.Thread(target=lambda: seen.append(gradkit.is_anomaly_enabled()))
        thread.start()
        thread.join()
    assert seen == [False]


def test_nested_modes_restore():
    with set_detect_anomaly(True):
        with detect_anomaly(check_nan=False):
            assert not gradkit.is_anomaly_check_nan_enabled()
        assert gradkit.is_anomaly_enabled() and gradkit.is_anomaly_check_nan_enabled()
    assert not gradkit.is_anomaly_enabled()


def test_written_residual_names_both_lines():
    x = gradkit.ones(2, requires_grad=True)
    with detect_anomaly():
        y = x * 1
        z = y * y
        y.add_(1)
        with pytest.raises(RuntimeError, match=r"MulBackward0 at .*test_anomaly\.py:\d+, in test_written.* add_ wrote it"):
            z.sum().backward()


FORWARD = {
    "vmap": lambda: gradkit.vmap(lambda x: x.log())(gradkit.tensor([1.0, 0.0])),
    "jvp": lambda: gradkit.func.jvp(lambda x: x.log(), (gradkit.tensor([1.0, 0.0]),), (gradkit.zeros(2),)),
    "jvp over vmap": lambda: gradkit.func.jvp(gradkit.vmap(gradkit.log), (gradkit.tensor([1.0, 0.0]),), (gradkit.zeros(2),)),
    "vmap over a gradient": lambda: gradkit.vmap(gradkit.func.grad(lambda x: x.log()))(gradkit.tensor([1.0, 0.0])),
}


@pytest.mark.parametrize("name", FORWARD)
def test_forward_pass_of_a_transform_is_watched(name):
    with detect_anomaly(), np.errstate(all="ignore"), warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        FORWARD[name]()
    assert "the first -inf of the forward pass was made from 0.0 by log at index (1,)" in str(seen[0].message)


def test_tangent_that_is_not_finite_is_noticed():
    with detect_anomaly(), np.errstate(all="ignore"), warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        gradkit.func.jvp(lambda x: x.sqrt() * 0, (gradkit.zeros(1),), (gradkit.ones(1),))
    assert any("inf of the forward pass" in str(w.message) for w in seen)
