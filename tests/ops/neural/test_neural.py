"""Linear maps, gates and shuffles against PyTorch."""

import numpy as np
import pytest

import gradkit
from gradkit.func import vmap
from gradkit.nn import functional as F


@pytest.mark.parametrize("x", [(2, 3), (3,), (5, 2, 3), (2, 2, 2, 3), (0, 3)], ids=str)
@pytest.mark.parametrize("bias", [None, (4,), (1,), ()], ids=str)
def test_linear(x, bias, matches, rng):
    b = None if bias is None else np.asarray(rng.normal(size=bias))
    matches("linear", rng.normal(size=x), rng.normal(size=(4, 3)), b)


@pytest.mark.parametrize("x", [(2, 3), (3,), (5, 2, 3)])
def test_linear_with_a_vector(x, matches, rng):
    matches("linear", rng.normal(size=x), rng.normal(size=3))


def test_linear_of_integers(matches):
    matches("linear", np.array([[1, 2]]), np.array([[1, 2], [3, 4]]), np.array([1, 2]))


@pytest.mark.parametrize("in_dims", [(0, None, None), (0, 0, None), (None, 0, 0)], ids=str)
@pytest.mark.parametrize("x", [(3,), (2, 3), (5, 2, 3)], ids=str)
def test_linear_of_each_sample(x, in_dims):
    rng = np.random.default_rng(0)
    arrays = [rng.normal(size=(4, *s) if d == 0 else s) for s, d in zip((x, (6, 3), (6,)), in_dims)]
    got = vmap(F.linear, in_dims)(*map(gradkit.tensor, arrays)).numpy()
    samples = [[a[i] if d == 0 else a for a, d in zip(arrays, in_dims)] for i in range(4)]
    np.testing.assert_allclose(got, [x @ w.T + b for x, w, b in samples], rtol=1e-10)


@pytest.mark.parametrize(
    "operands",
    [
        (np.ones((2, 3)), np.ones(2)),
        (np.ones((2, 3)), np.ones((4, 2))),
        (np.ones((5, 2, 3)), np.ones((4, 2))),
        (np.ones(3), np.ones((4, 2))),
        (np.ones((2, 3)), np.ones((4, 3)), np.ones(3)),
        (np.ones((2, 3)), np.ones((2, 4, 3))),
        (np.ones((2, 3)), np.ones((4, 3), np.float32)),
        (np.array(1.0), np.ones((4, 3))),
    ],
)
def test_linear_errors(operands, refuses):
    refuses("linear", *operands)


def test_linear_names_what_is_no_tensor():
    with pytest.raises(TypeError, match=r"linear\(\): argument 2 must be Tensor"):
        F.linear(gradkit.ones(2), [1.0, 2.0])


def test_bilinear(matches, rng):
    w, b = rng.normal(size=(5, 3, 4)), rng.normal(size=5)
    for lead in ((2,), (2, 6), ()):
        matches("bilinear", rng.normal(size=(*lead, 3)), rng.normal(size=(*lead, 4)), w, b)
    matches("bilinear", rng.normal(size=(2, 3)), rng.normal(size=(2, 4)), w)


@pytest.mark.parametrize(
    "operands",
    [
        (np.ones((2, 3)), np.ones((2, 5)), np.ones((5, 3, 4))),
        (np.ones((2, 2)), np.ones((2, 4)), np.ones((5, 3, 4))),
        (np.ones((2, 3)), np.ones((3, 4)), np.ones((5, 3, 4))),
        (np.ones((2, 3)), np.ones((2, 4)), np.ones((5, 3, 4)), np.ones(4)),
    ],
)
def test_bilinear_errors(operands, refuses):
    refuses("bilinear", *operands)


def test_glu(matches, rng):
    for dim in (0, 1, -1, -2):
        matches("glu", rng.normal(size=(4, 6)), dim)


def test_glu_errors(refuses):
    refuses("glu", np.ones(3))
    refuses("glu", np.array(1.0))
    refuses("glu", np.ones(4), 3)


@pytest.mark.parametrize("lead", [(), (2,), (2, 3)])
def test_shuffles(lead, matches, rng):
    matches("pixel_shuffle", rng.normal(size=(*lead, 8, 3, 2)), 2)
    matches("pixel_unshuffle", rng.normal(size=(*lead, 2, 4, 6)), 2)
    matches("channel_shuffle", rng.normal(size=(2, 6, 3, 2)), 3)


@pytest.mark.parametrize(
    ("name", "operands"),
    [
        ("pixel_shuffle", (np.ones((2, 7, 3, 3)), 2)),
        ("pixel_shuffle", (np.ones((3, 3)), 2)),
        ("pixel_shuffle", (np.ones((2, 8, 3, 3)), -2)),
        ("pixel_unshuffle", (np.ones((2, 8, 3, 3)), 2)),
        ("channel_shuffle", (np.ones((2, 5, 3, 3)), 2)),
    ],
)
def test_shuffle_errors(name, operands, refuses):
    refuses(name, *operands)
