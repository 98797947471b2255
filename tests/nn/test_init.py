"""Starting values: torch's numbers for the same seed, and their distributions."""

import numpy as np
import pytest

import gradkit
from gradkit import nn

SHAPES = [(8, 5), (5, 8), (6, 4, 3, 3), (3, 2, 4)]
UNIFORM = {
    "uniform": lambda init, t: init.uniform_(t, -0.3, 0.7),
    "xavier": lambda init, t: init.xavier_uniform_(t, gain=1.7),
    "kaiming": lambda init, t: init.kaiming_uniform_(t),
    "kaiming fan_out": lambda init, t: init.kaiming_uniform_(t, 0.2, "fan_out"),
    "kaiming relu": lambda init, t: init.kaiming_uniform_(t, nonlinearity="relu"),
}
NORMAL = {
    "normal": lambda init, t: init.normal_(t, 0.5, 2.0),
    "xavier": lambda init, t: init.xavier_normal_(t, gain=0.7),
    "kaiming": lambda init, t: init.kaiming_normal_(t, mode="fan_out", nonlinearity="tanh"),
    "truncated": lambda init, t: init.trunc_normal_(t, 0.5, 2.0, -1.0, 3.0),
    "truncated far": lambda init, t: init.trunc_normal_(t, 1.0, 1.0, -2.0, 0.3),
    "orthogonal": lambda init, t: init.orthogonal_(t, 1.5),
}


def both(fill, torch, shape):
    theirs, mine = torch.empty(shape), gradkit.empty(shape)
    torch.manual_seed(3)
    fill(torch.nn.init, theirs)
    gradkit.manual_seed(3)
    assert fill(nn.init, mine) is mine
    return mine.numpy(), theirs.numpy()


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("name", UNIFORM)
def test_uniform_starts_are_those_of_torch(name, shape, torch):
    np.testing.assert_array_equal(*both(UNIFORM[name], torch, shape))


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("name", NORMAL)
def test_normal_starts_are_those_of_torch(name, shape, torch):
    # log, cos and QR differ in their last bits from one library to another.
    np.testing.assert_allclose(*both(NORMAL[name], torch, shape), rtol=2e-5, atol=2e-6)


@pytest.mark.cpu
def test_generator_is_drawn_from():
    draw = lambda: nn.init.uniform_(gradkit.empty(4), generator=gradkit.Generator().manual_seed(1)).tolist()
    assert draw() == draw()


@pytest.mark.parametrize(
    ("fill", "expected"),
    [
        (lambda t: nn.init.constant_(t, 0.5), [[0.5, 0.5], [0.5, 0.5]]),
        (nn.init.ones_, [[1, 1], [1, 1]]),
        (nn.init.zeros_, [[0, 0], [0, 0]]),
        (nn.init.eye_, [[1, 0], [0, 1]]),
    ],
)
def test_fixed_fillings(fill, expected):
    t = gradkit.empty(2, 2)
    assert fill(t) is t and t.tolist() == expected


@pytest.mark.parametrize(("shape", "groups"), [((4, 3, 3), 1), ((4, 3, 3), 2), ((2, 5, 4, 3), 1), ((6, 2, 3, 1, 2), 3)], ids=str)
def test_dirac_is_that_of_torch(shape, groups, torch):
    assert nn.init.dirac_(gradkit.empty(shape), groups).tolist() == torch.nn.init.dirac_(torch.empty(shape), groups).tolist()
    for library in (gradkit, torch):
        with pytest.raises(ValueError):
            library.nn.init.dirac_(library.empty(3, 3))
        with pytest.raises(ValueError):
            library.nn.init.dirac_(library.empty(3, 3, 3), 2)


def test_filling_is_not_recorded():
    leaf = gradkit.empty(3, 3, requires_grad=True)
    for name in ("uniform_", "normal_", "ones_", "eye_", "orthogonal_", "trunc_normal_"):
        getattr(nn.init, name)(leaf)
        assert leaf.is_leaf and leaf.requires_grad


@pytest.mark.parametrize("shape", [(4, 9), (9, 4), (3, 2, 4)], ids=str)
def test_orthogonal_is(shape):
    w = nn.init.orthogonal_(gradkit.empty(shape, dtype=gradkit.float64), gain=2.0).numpy().reshape(shape[0], -1)
    gram = w @ w.T if w.shape[0] <= w.shape[1] else w.T @ w
    np.testing.assert_allclose(gram, 4 * np.eye(len(gram)), atol=1e-12)


@pytest.mark.parametrize(("a", "b"), [(-1.0, 1.0), (2.0, 3.0)])
def test_truncated_normal_has_its_moments(a, b, scipy):
    gradkit.manual_seed(0)
    x = nn.init.trunc_normal_(gradkit.empty(40_000), 0.0, 1.0, a, b).numpy()
    assert a <= x.min() and x.max() <= b
    expected = scipy.stats.truncnorm(a, b)
    assert abs(x.mean() - expected.mean()) < 5 * expected.std() / 200
    assert abs(x.std() - expected.std()) < 0.01


def test_gains_are_those_of_torch(torch):
    names = ["linear", "conv1d", "conv2d", "conv3d", "sigmoid", "tanh", "relu", "selu", "leaky_relu"]
    for name in names:
        assert nn.init.calculate_gain(name) == pytest.approx(torch.nn.init.calculate_gain(name), rel=1e-15)
    assert nn.init.calculate_gain("leaky_relu", 0.3) == pytest.approx(torch.nn.init.calculate_gain("leaky_relu", 0.3))


@pytest.mark.parametrize(
    ("act", "text"),
    [
        (lambda: nn.init.kaiming_uniform_(gradkit.empty(3)), "fewer than 2 dimensions"),
        (lambda: nn.init.xavier_normal_(gradkit.empty(3)), "fewer than 2 dimensions"),
        (lambda: nn.init.kaiming_uniform_(gradkit.empty(3, 2), mode="fan"), "Mode fan not supported"),
        (lambda: nn.init.orthogonal_(gradkit.empty(3)), "2 or more dimensions"),
        (lambda: nn.init.eye_(gradkit.empty(3)), "2 dimensions"),
        (lambda: nn.init.calculate_gain("cube"), "Unsupported nonlinearity"),
        (lambda: nn.init.calculate_gain("leaky_relu", True), "not a valid number"),
    ],
)
def test_misuse_raises(act, text):
    with pytest.raises(ValueError, match=text):
        act()


def test_hopeless_truncation_warns():
    with pytest.warns(UserWarning, match="more than 2 std"):
        nn.init.trunc_normal_(gradkit.empty(3), 5.0)
