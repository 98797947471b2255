"""Losses of regression, ranking and distance against PyTorch."""

import numpy as np
import pytest

import gradkit
from gradkit.nn import functional as F

REDUCTIONS = ("none", "mean", "sum")
REGRESSION = ("mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss")


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("name", REGRESSION)
@pytest.mark.parametrize("shape", [(3, 4), (3, 1), ()])
def test_regression(name, reduction, shape, matches, rng):
    matches(name, np.asarray(rng.normal(size=shape) * 2), rng.normal(size=(3, 4)) * 2, reduction=reduction)


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("name", ["mse_loss", "l1_loss", "huber_loss"])
def test_weighted_regression(name, reduction, matches, rng):
    x, y = rng.normal(size=(2, 3, 4))
    matches(name, x, y, reduction=reduction, weight=rng.uniform(0.1, 2, (3, 4)))


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("bound", [0.3, 2.0])
def test_where_the_parabola_ends(reduction, bound, matches, rng):
    x, y = rng.normal(size=(2, 3, 4))
    matches("smooth_l1_loss", x, y, reduction=reduction, beta=bound)
    matches("huber_loss", x, y, reduction, bound)


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("target", ["float16", "float32", "float64", "int64", "bool"])
@pytest.mark.parametrize("name", ["huber_loss", "soft_margin_loss"])
def test_dtype_is_that_of_the_input(name, target, reduction, torch):
    for dtype in ("float32", "float64"):
        found, expected = [
            getattr(functional, name)(
                library.tensor([0.3, -1.6], dtype=getattr(library, dtype)),
                library.tensor([1.0, 0.0]).to(getattr(library, target)), reduction=reduction,
            )
            for library, functional in ((gradkit, F), (torch, torch.nn.functional))
        ]
        assert found.numpy().dtype == expected.numpy().dtype
        np.testing.assert_allclose(found.numpy(), expected.numpy(), rtol=1e-6)


@pytest.mark.parametrize("name", ["huber_loss", "soft_margin_loss"])
@pytest.mark.parametrize("target", ["float32", "complex64"])
def test_losses_that_the_dtype_of_the_input_cannot_hold_raise(name, target, torch):
    for library, functional in ((gradkit, F), (torch, torch.nn.functional)):
        given = library.tensor([1, 0], dtype=library.int64 if target == "float32" else library.float32)
        with pytest.raises(RuntimeError):
            getattr(functional, name)(given, library.tensor([1.0, 0.0]).to(getattr(library, target)))


def test_smooth_l1_without_parabola_is_l1(matches, rng):
    matches("smooth_l1_loss", *rng.normal(size=(2, 5)), beta=0)


def test_kinks_of_regression(matches):
    at = np.array([0.0, 1.0, -1.0, 0.5, -0.5])
    for name in REGRESSION:
        matches(name, at, np.zeros(5), reduction="none", orders=1)


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("full", [False, True])
def test_poisson(reduction, full, matches, rng):
    for counts in ([0.0, 1.0, 2.0, 0.5, 5.0], np.array([0.3, 1.0, 2.0, 0.5, 5.0])):
        matches("poisson_nll_loss", rng.normal(size=5), counts, full=full, reduction=reduction)
        matches("poisson_nll_loss", rng.uniform(0.1, 3, 5), counts, log_input=False, full=full, reduction=reduction)


def test_gradient_of_a_count_of_zero_is_finite():  # PyTorch has nan, from the logarithm that it masks afterwards
    count = gradkit.zeros(1, requires_grad=True)
    F.poisson_nll_loss(gradkit.ones(1), count, full=True).backward()
    assert count.grad.tolist() == [-1.0]


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("shape", [(5, 2), (5, 1), (5,)])
def test_gaussian(reduction, full, shape, matches, rng):
    x, y = rng.normal(size=(2, 5, 2))
    matches("gaussian_nll_loss", x, y, rng.uniform(0.1, 2, shape), full=full, reduction=reduction)


def test_gaussian_of_a_number_and_of_a_tiny_variance(matches, rng):
    x, y = rng.normal(size=(2, 3, 2))
    matches("gaussian_nll_loss", x, y, 0.5)
    matches("gaussian_nll_loss", x, y, np.full((3, 2), 1e-9), rtol=1e-6)


@pytest.mark.parametrize("reduction", [*REDUCTIONS, "batchmean"])
def test_kl_div(reduction, matches, rng):
    x = rng.normal(size=(3, 4))
    matches("kl_div", x, rng.uniform(0.1, 1, (3, 4)), reduction=reduction)
    matches("kl_div", x, rng.normal(size=(3, 4)), reduction=reduction, log_target=True)


def test_kl_div_of_impossible_classes(matches, rng):
    matches("kl_div", rng.normal(size=(2, 3)), [[0.0, 1.0, 0.0], [0.0, 0.5, 0.5]], reduction="sum")


@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_ranking(reduction, matches, rng):
    signs = [1.0, -1.0, 1.0, -1.0]
    x, y = rng.normal(size=(2, 4))
    matches("soft_margin_loss", x, signs, reduction=reduction)
    matches("hinge_embedding_loss", x + 1, signs, margin=1.3, reduction=reduction)
    matches("margin_ranking_loss", x, y, signs, margin=0.3, reduction=reduction)


@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_cosine_embedding(reduction, matches, rng):
    x, y = rng.normal(size=(2, 4, 3))
    matches("cosine_embedding_loss", x, y, [1, -1, 1, -1], margin=0.1, reduction=reduction)
    matches("cosine_embedding_loss", x[0], y[0], np.array(-1), margin=0.1, reduction=reduction)


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("p", [1.0, 2.0, 3.0])
@pytest.mark.parametrize("swap", [False, True])
def test_triplet_margin(reduction, p, swap, matches, rng):
    matches("triplet_margin_loss", *rng.normal(size=(3, 4, 3)), p=p, swap=swap, reduction=reduction)


@pytest.mark.parametrize(
    ("name", "operands", "params"),
    [
        ("mse_loss", (np.ones((3, 2)), np.ones((3, 4))), {}),
        ("mse_loss", (np.array([1, 2]), np.array([1, 2])), {}),
        ("mse_loss", (np.ones(3), np.ones(3)), {"reduction": "average"}),
        ("mse_loss", (np.ones(3), np.ones(3)), {"weight": np.ones(1)}),
        ("l1_loss", (np.array([1, 2]), np.array([1, 2])), {}),
        ("smooth_l1_loss", (np.ones(3), np.ones(3)), {"beta": -1.0}),
        ("huber_loss", (np.ones(3), np.ones(3)), {"delta": 0.0}),
        ("kl_div", (np.ones(3), np.ones(3)), {"reduction": "average"}),
        ("poisson_nll_loss", (np.ones(3), np.ones(3)), {"reduction": "average"}),
        ("gaussian_nll_loss", (np.ones((3, 2)), np.ones((3, 2)), -np.ones((3, 2))), {}),
        ("gaussian_nll_loss", (np.ones((3, 2)), np.ones((3, 2)), np.ones(4)), {}),
        ("gaussian_nll_loss", (np.ones((3, 2)), np.ones((3, 2)), -0.5), {}),
        ("gaussian_nll_loss", (np.ones((3, 2)), np.ones((3, 2)), np.ones((3, 2))), {"reduction": "average"}),
        ("margin_ranking_loss", (np.ones(3), np.ones((3, 1)), np.ones(3)), {}),
        ("cosine_embedding_loss", (np.ones((3, 4)), np.ones((3, 4)), np.ones((3, 4))), {}),
        ("cosine_embedding_loss", (np.ones((3, 4)), np.ones((3, 4)), np.array(1)), {}),
        ("triplet_margin_loss", (np.ones((3, 4)), np.ones((3, 4)), np.ones((3, 4))), {"margin": -1.0}),
        ("triplet_margin_loss", (np.ones((3, 4)), np.ones((3, 4)), np.ones(4)), {}),
    ],
)
def test_errors(name, operands, params, refuses):
    refuses(name, *operands, **params)


@pytest.mark.parametrize("name", REGRESSION)
def test_broadcasting_a_target_warns(name):
    with pytest.warns(UserWarning, match="incorrect results due to broadcasting"):
        getattr(F, name)(gradkit.ones(3, 1), gradkit.ones(3))


def test_mean_of_kl_div_warns():
    with pytest.warns(UserWarning, match="batchmean"):
        F.kl_div(gradkit.ones(3), gradkit.ones(3))


@pytest.mark.filterwarnings("ignore:.*using a target size:UserWarning")
@pytest.mark.parametrize("name", ["l1_loss", "mse_loss", "smooth_l1_loss"])
def test_operand_without_axes_promotes_like_any_other(name, alike):
    alike(lambda lib: getattr(lib.nn.functional, name)(lib.ones(3), lib.tensor(0.5, dtype=lib.float64)))
