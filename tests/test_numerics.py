"""Where PyTorch gives nan or a wrong derivative although the derivative exists, ours is right: the table of docs/numerics.md."""

import math

import numpy as np
import pytest

import gradkit
from tests.programs.rows import row


def of_row(name, **params):
    return lambda lib, *xs: row(lib, name, *xs, **params)[0]


# A function, a point, the order of the derivative by its last operand, and what it is there.
POINTS = {
    "logaddexp far apart": (of_row("logaddexp"), (1e4, 1.0), 2, 0.0),
    "logaddexp2 far apart": (of_row("logaddexp2"), (1e4, 1.0), 2, 0.0),
    "0 ** y": (of_row("pow"), (0.0, 2.0), 2, 0.0),
    "x ** 0 at 0": (lambda lib, x: lib.pow(x, lib.zeros_like(x.detach())), (0.0,), 2, 0.0),
    "sinc at 0": (lambda lib, x: lib.sinc(x), (0.0,), 2, -math.pi**2 / 3),
    "sinc near 0": (lambda lib, x: lib.sinc(x), (1e-8,), 2, -math.pi**2 / 3),
    "mish far right": (of_row("mish"), (1e4,), 2, 0.0),
    "expm1 far left": (of_row("expm1"), (-40.0,), 2, math.exp(-40)),
    "log_sigmoid far right": (of_row("log_sigmoid"), (40.0,), 2, -math.exp(-40)),
    "log_ndtr far left": (of_row("log_ndtr"), (-1e8,), 1, 1e8),
    "log_ndtr far left, bending": (of_row("log_ndtr"), (-1e4,), 2, -1.0),
    "hypot at the origin, squared": (lambda lib, x: lib.hypot(x, 0 * x) ** 2, (0.0,), 1, 0.0),
    "hypot of tiny sides": (lambda lib, x: lib.hypot(x, 4e-170 + 0 * x) * 1e-160, (3e-170,), 2, 1e-160 * 16 / 125 * 1e170),
    "clamp between equal bounds": (lambda lib, x: lib.clamp(x, 1.0, 1.0), (1.0,), 1, 0.0),
    "distance of equal points": (lambda lib, x: lib.dist(x, x * 2 - x), (3.0,), 2, 0.0),
    "determinant of 0": (lambda lib, x: lib.linalg.det(x * lib.eye(2, dtype=x.dtype)), (0.0,), 2, 2.0),
    "polar with a negative modulus": (lambda lib, x: lib.polar(x, 0.5 + 0 * x).real, (-1.0,), 1, math.cos(0.5)),
}


def derivative(lib, function, point, order):
    xs = [lib.tensor(np.array([x]), requires_grad=True) for x in point]
    y = function(lib, *xs).sum()
    for _ in range(order):
        (y,) = lib.autograd.grad(y, [xs[-1]], create_graph=True)
        y = y.sum()
    return y.item()


@pytest.mark.parametrize("name", POINTS)
@np.errstate(all="ignore")
def test_derivative_that_exists_is_right(name):
    function, point, order, want = POINTS[name]
    np.testing.assert_allclose(derivative(gradkit, function, point, order), want, rtol=2e-5, atol=1e-30)


@pytest.mark.parametrize("name", POINTS)
@np.errstate(all="ignore")
def test_forward_mode_is_right_there_too(name):
    function, point, order, want = POINTS[name]
    slope = lambda x: function(gradkit, *[gradkit.tensor(np.array([p])) for p in point[:-1]], x)
    for _ in range(order):
        slope = lambda x, inner=slope: gradkit.func.jvp(inner, (x,), (gradkit.ones_like(x),))[1]
    np.testing.assert_allclose(slope(gradkit.tensor(np.array([point[-1]]))).sum().item(), want, rtol=2e-5, atol=1e-30)


@pytest.mark.parametrize("name", POINTS)
@np.errstate(all="ignore")
def test_pytorch_is_still_wrong_there(name, torch):
    """Once it is not, the point belongs out of the table."""
    function, point, order, want = POINTS[name]
    try:
        got = derivative(torch, function, point, order)
    except RuntimeError:
        return
    assert not math.isclose(got, want, rel_tol=1e-3, abs_tol=1e-30)


@pytest.mark.filterwarnings("ignore:.torch.jit.script. is deprecated:DeprecationWarning")
def test_the_jacobian_by_the_last_argument_is_not_0(torch):
    """PyTorch's jacfwd counts from the front only."""

    def of_two(x, y):
        return x * y**2

    for lib, right in ((gradkit, True), (torch, False)):
        x, y = lib.tensor([1.0, 2.0]), lib.tensor([3.0, 5.0])
        assert lib.func.jacfwd(of_two, argnums=-1)(x, y).diagonal().tolist() == ([6.0, 20.0] if right else [0.0, 0.0])


@pytest.mark.parametrize("tensor", [False, True])
def test_log_softmax_keeps_its_digits_next_to_zero(tensor):
    """As accurate as with the maximum subtracted, wherever that is done."""
    rows = np.array([[12.0, 0.0, -3.0], [8.0, -2.0, 0.5], [0.1, 0.2, 0.3], [30.0, 0.0, -1.0]])
    rows = np.concatenate([rows] * 5000) if tensor else rows
    want = rows - rows.max(1, keepdims=True)
    want = want - np.log1p(np.exp(np.sort(want, 1)[:, :-1]).sum(1, keepdims=True))
    got = gradkit.log_softmax(gradkit.tensor(rows), 1).numpy()
    np.testing.assert_allclose(got, want, rtol=0, atol=4e-16 * 30)
    top = np.abs(want) < 1e-4
    np.testing.assert_allclose(got[top], want[top], rtol=0, atol=3e-16)
