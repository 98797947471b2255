"""Cross-entropies and negative log-likelihoods against PyTorch."""

import numpy as np
import pytest

import gradkit
from gradkit.backend.cpu import cross_entropy as fused
from gradkit.func import vmap
from gradkit.nn import functional as F

REDUCTIONS = ("none", "mean", "sum")
TARGETS = {
    "one": ((5,), np.array(3)),
    "rows": ((4, 5), np.array([0, 2, 4, 1])),
    "line": ((2, 5, 3), np.array([[1, 2, 0], [2, 2, 4]])),
    "image": ((2, 5, 2, 2), np.array([[[1, 2], [0, 4]], [[2, 2], [3, 0]]])),
}


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("ignore_index", [-100, 2])
@pytest.mark.parametrize("kind", TARGETS)
class TestClassIndices:
    def test_cross_entropy(self, kind, ignore_index, reduction, matches, rng):
        shape, target = TARGETS[kind]
        matches("cross_entropy", rng.normal(size=shape) * 3, target, ignore_index=ignore_index, reduction=reduction)

    @pytest.mark.parametrize("smoothing", [0.0, 0.2])
    def test_weighted_and_smoothed(self, kind, smoothing, ignore_index, reduction, matches, rng):
        shape, target = TARGETS[kind]
        matches(
            "cross_entropy", rng.normal(size=shape), target, weight=[0.5, 2.0, 1.0, 0.1, 3.0], ignore_index=ignore_index,
            reduction=reduction, label_smoothing=smoothing,
        )  # fmt: skip
        matches(
            "cross_entropy", rng.normal(size=shape), target, ignore_index=ignore_index, reduction=reduction,
            label_smoothing=smoothing,
        )  # fmt: skip

    def test_nll_loss(self, kind, ignore_index, reduction, matches, rng):
        shape, target = TARGETS[kind]
        for weight in (None, [0.5, 2.0, 1.0, 0.1, 3.0]):
            matches(
                "nll_loss", rng.normal(size=shape), target, weight=weight, ignore_index=ignore_index, reduction=reduction
            )


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("smoothing", [0.0, 0.2])
@pytest.mark.parametrize("shape", [(5,), (4, 5), (2, 5, 3)])
def test_class_probabilities(shape, smoothing, reduction, matches, rng):
    target = rng.dirichlet(np.ones(5), shape[:1] + shape[2:]) if len(shape) > 1 else rng.dirichlet(np.ones(5))
    target = np.moveaxis(target, -1, 1) if len(shape) > 2 else target
    for weight in (None, [0.5, 2.0, 1.0, 0.1, 3.0]):
        matches(
            "cross_entropy", rng.normal(size=shape), target, weight=weight, reduction=reduction, label_smoothing=smoothing
        )


def test_nothing_to_count(matches):
    matches("cross_entropy", np.ones((2, 5)), np.array([-100, -100]))
    matches("cross_entropy", np.zeros((0, 5)), np.zeros(0, np.int64), orders=0)
    matches("cross_entropy", np.zeros((0, 5)), np.zeros(0, np.int64), reduction="sum", orders=1)


@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_logits_out_of_the_range_of_exp(reduction, matches, rng):
    target = np.array([0, 2, 4, 1])
    matches("cross_entropy", rng.normal(size=(4, 5)) * 400, target, reduction=reduction)
    matches("cross_entropy", (rng.normal(size=(4, 5)) * 400).astype(np.float32), target, reduction=reduction, orders=1, rtol=1e-5)
    matches("cross_entropy", rng.normal(size=(4, 5)) - 1000, target, reduction=reduction)


@pytest.mark.parametrize("odd", [-np.inf, np.inf, np.nan])
def test_logits_that_are_not_finite(odd, matches, rng):
    x = rng.normal(size=(4, 5))
    x[1, 2] = odd
    for target in ([0, 1, 4, 1], [0, 2, 4, 1]):
        matches("cross_entropy", x, np.array(target), reduction="none", orders=1)


@pytest.mark.parametrize(("dtype", "rtol"), [(np.float16, 5e-3), (np.float32, 1e-5)])
def test_narrow_dtypes(dtype, rtol, matches, rng):
    x, target = rng.normal(size=(4, 5)).astype(dtype), np.array([0, 2, 4, 1])
    matches("cross_entropy", x, target, orders=1, rtol=rtol, atol=rtol)
    matches("cross_entropy", x, target.astype(np.uint8), orders=1, rtol=rtol, atol=rtol)


@pytest.mark.parametrize("block", [4, 1 << 16])
def test_blocks_of_rows(block, matches, rng, monkeypatch):
    monkeypatch.setattr(fused, "BLOCK", block)
    x = rng.normal(size=(7, 3))
    x[4] *= 500
    matches("cross_entropy", x, np.array([0, 2, 1, 1, 0, 2, 2]))


def test_cross_entropy_keeps_the_logits_alone():
    x = gradkit.ones(2, 3, requires_grad=True)
    saved = F.cross_entropy(x, gradkit.tensor([0, 1])).grad_fn.saved
    assert saved[0] is None and saved[1] is x.array


def test_cross_entropy_of_each_sample():
    x, target = gradkit.tensor(np.random.default_rng(0).normal(size=(3, 4, 5))), gradkit.tensor([[0, 1, 2, -100]] * 3)
    each = vmap(F.cross_entropy)(x, target)
    shared = vmap(F.cross_entropy, in_dims=(0, None))(x, target[0])
    loop = [F.cross_entropy(x[i], target[i]).item() for i in range(3)]
    np.testing.assert_allclose(each.numpy(), loop, rtol=1e-12)
    np.testing.assert_allclose(shared.numpy(), loop, rtol=1e-12)


X35, CLASSES = np.ones((3, 5)), np.array([1, 2, 3])


@pytest.mark.parametrize("name", ["cross_entropy", "nll_loss"])
@pytest.mark.parametrize(
    ("input", "target"),
    [
        (X35, np.array([1, 2, 5])),
        (X35, np.array([1, 2, -1])),
        (X35, np.array([1, 2])),
        (X35, CLASSES.astype(np.int32)),
        (X35, np.array([True, False, True])),
        (X35, np.ones(3)),
        (X35.astype(np.int64), CLASSES),
        (np.ones(5), np.array([1, 2])),
        (np.array(1.0), np.array(1)),
        (np.ones((3, 5, 2, 2)), np.ones((3, 2, 3), np.int64)),
        (np.ones((3, 5, 2, 2)), np.ones((3, 2), np.int64)),
    ],
)
def test_operands_that_do_not_fit(name, input, target, refuses):
    refuses(name, input, target)


@pytest.mark.parametrize(
    ("target", "params"),
    [
        (CLASSES, {"weight": np.ones(4)}),
        (CLASSES, {"label_smoothing": 1.5}),
        (CLASSES, {"reduction": "average"}),
        (X35, {"ignore_index": 1}),
        (X35.astype(np.int64), {}),
    ],
)
def test_arguments_that_do_not_fit(target, params, refuses):
    refuses("cross_entropy", X35, target, **params)


# -- two classes
@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("weight", [None, [0.5, 2.0, 1.0, 0.1]])
class TestTwoClasses:
    def test_of_probabilities(self, weight, reduction, matches, rng):
        x, t = rng.uniform(0.05, 0.95, (2, 3, 4))
        matches("binary_cross_entropy", x, t, weight, reduction=reduction)

    def test_of_logits(self, weight, reduction, matches, rng):
        x, t = rng.normal(size=(3, 4)) * 5, rng.uniform(size=(3, 4))
        matches("binary_cross_entropy_with_logits", x, t, weight, reduction=reduction)
        matches("binary_cross_entropy_with_logits", x, t, weight, reduction=reduction, pos_weight=[3.0, 0.2, 1.0, 2.0])


def test_certain_probabilities(matches):
    x, t = np.array([0.0, 1.0, 0.0, 1.0]), [0.0, 1.0, 1.0, 0.0]
    matches("binary_cross_entropy", x, t, reduction="none", orders=1)


@pytest.mark.parametrize("x", [0.0, 1e4, -1e4, np.inf, -np.inf])
def test_extreme_logits(x, matches):
    if np.isfinite(x):
        matches("binary_cross_entropy_with_logits", np.array([x, x]), [0.0, 1.0], reduction="none")
    matches("binary_cross_entropy_with_logits", np.array([x]), [0.5], reduction="none", orders=0)


def test_gradients_reach_a_target_beside_a_constant_input(matches):
    matches("binary_cross_entropy_with_logits", np.array(1.0), np.array(0.7))
    y = gradkit.tensor(1.0)
    prediction = gradkit.tensor(0.7, requires_grad=True)
    F.binary_cross_entropy_with_logits(y, prediction).backward()
    assert prediction.grad.item() == -1.0


@pytest.mark.parametrize(
    ("name", "operands"),
    [
        ("binary_cross_entropy", (np.full(3, 1.5), np.ones(3))),
        ("binary_cross_entropy", (np.full(3, np.nan), np.ones(3))),
        ("binary_cross_entropy", (np.ones((3, 1)), np.ones(3))),
        ("binary_cross_entropy", (np.ones(3), np.ones(3, np.float32))),
        ("binary_cross_entropy", (np.ones(3), np.ones(3, np.int64))),
        ("binary_cross_entropy_with_logits", (np.ones((3, 1)), np.ones(3))),
        ("binary_cross_entropy_with_logits", (np.ones(3), np.ones(3, np.int64))),
        ("binary_cross_entropy_with_logits", (np.ones(3, np.int64), np.ones(3, np.int64))),
    ],
)
def test_binary_errors(name, operands, refuses):
    refuses(name, *operands)
