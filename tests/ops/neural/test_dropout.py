"""Dropout and sampling: the random numbers are PyTorch's."""

import numpy as np
import pytest

import gradkit
from gradkit.func import vmap
from gradkit.nn import functional as F
from gradkit.ops.sampling import gumbel_softmax

KINDS = {
    "dropout": (33, 7), "dropout1d": (4, 5, 6), "dropout2d": (4, 5, 6, 2), "dropout3d": (4, 5, 2, 2, 2),
    "alpha_dropout": (5, 7),
}  # fmt: skip


@pytest.mark.cpu  # a GPU draws its own numbers
@pytest.mark.parametrize("p", [0.0, 0.1, 0.5, 0.9, 1.0])
@pytest.mark.parametrize("name", KINDS)
def test_falls_where_pytorch_drops(name, p, torch, seeded, rng):
    x = rng.normal(size=KINDS[name]).astype(np.float32)
    results = []
    for library in (gradkit, torch):
        seeded(3)
        leaf = library.tensor(x, requires_grad=True)
        y = getattr(library.nn.functional, name)(leaf, p, training=True)
        y.sum().backward()
        results.append((y.detach().numpy(), leaf.grad.numpy()))
    for got, want in zip(*results, strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-6, atol=1e-6)


@pytest.mark.cpu  # a GPU draws its own numbers
@pytest.mark.parametrize(("name", "shape"), [("dropout1d", (3, 5)), ("dropout3d", (3, 4, 2, 2))])
def test_fewer_axes(name, shape, torch, seeded):
    results = []
    for library in (gradkit, torch):
        seeded(1)
        results.append(getattr(library.nn.functional, name)(library.ones(*shape), 0.5).tolist())
    assert results[0] == results[1]


@pytest.mark.parametrize("name", KINDS)
def test_evaluation_returns_the_input_itself(name):
    x = gradkit.ones(*KINDS[name])
    assert getattr(F, name)(x, 0.5, training=False) is x


@pytest.mark.parametrize("name", KINDS)
def test_nothing_falls_and_nothing_is_drawn_with_probability_zero(name):
    x = gradkit.ones(3, *KINDS[name])
    np.testing.assert_array_equal(vmap(lambda x: getattr(F, name)(x, 0.0, training=True))(x), x)


def test_inplace_writes_over_the_input():
    x = gradkit.ones(50)
    assert F.dropout(x, 0.5, inplace=True) is x
    assert set(x.tolist()) == {0.0, 2.0}


def test_half_precision_stays():
    assert F.dropout(gradkit.ones(4, dtype=gradkit.float16)).dtype == np.float16


@pytest.mark.parametrize(
    ("name", "operands"),
    [
        ("dropout", (np.ones(2), 1.5)),
        ("dropout", (np.ones(2), -0.1)),
        ("dropout", (np.ones(2), 1.5, False)),
        ("dropout", (np.ones(2, np.int64), 0.5)),
        ("alpha_dropout", (np.ones(2), 1.5)),
        ("dropout1d", (np.ones((2, 3, 1, 1)),)),
    ],
)
def test_errors(name, operands, refuses):
    refuses(name, *operands)


def test_unusual_numbers_of_axes_warn():
    for shape in ((2, 3), (2, 3, 4)):
        with pytest.warns(UserWarning, match="dropout2d"):
            F.dropout2d(gradkit.ones(*shape))
    with pytest.warns(UserWarning, match="dropout3d"):
        F.dropout3d(gradkit.ones(2, 3, 4))


@pytest.mark.cpu  # a GPU draws its own numbers
@pytest.mark.parametrize("hard", [False, True])
@pytest.mark.parametrize("dim", [0, -1])
def test_gumbel_softmax_draws_what_pytorch_draws(hard, dim, torch, seeded, rng):
    x, d = rng.normal(size=(2, 5, 4))
    results = []
    for library, sample in ((gradkit, gumbel_softmax), (torch, torch.nn.functional.gumbel_softmax)):
        seeded(5)
        leaf = library.tensor(x, requires_grad=True)
        y = sample(leaf, 0.7, hard, dim=dim)
        (y * library.tensor(d)).sum().backward()
        results.append((y.detach().numpy(), leaf.grad.numpy()))
    for got, want in zip(*results, strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-9, atol=1e-12)


class TestUnderVmap:
    def test_randomness_is_an_error_unless_allowed(self):
        with pytest.raises(RuntimeError, match="randomness"):
            vmap(F.dropout)(gradkit.ones(3, 4))

    def test_same_mask_for_all(self):
        y = vmap(F.dropout, randomness="same")(gradkit.ones(3, 40))
        assert (y[0] == y[1]).all() and (y[0] == y[2]).all()

    def test_another_mask_for_each(self):
        y = vmap(F.dropout, randomness="different")(gradkit.ones(3, 40))
        assert not (y[0] == y[1]).all()
