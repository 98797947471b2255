"""Embeddings against PyTorch."""

import numpy as np
import pytest

import gradkit
from gradkit.func import vmap
from gradkit.nn import functional as F

PLACES = np.array([[0, 2], [2, 1]])


@pytest.mark.parametrize("padding_idx", [None, 2, -1])
def test_rows_and_their_gradients(padding_idx, matches, rng):
    w = rng.normal(size=(4, 3))
    for places in (PLACES, PLACES.astype(np.int32), np.array(1), np.zeros((0,), np.int64)):
        matches("embedding", places, w, padding_idx, orders=1)


def test_tangents_do_not_pass_the_padding():
    w, t = gradkit.ones(3, 2), gradkit.ones(3, 2)
    _, moved = gradkit.func.jvp(lambda w: F.embedding(gradkit.tensor([0, 1]), w, padding_idx=1), (w,), (t,))
    assert moved.tolist() == [[1.0, 1.0], [0.0, 0.0]]


def test_gradient_scaled_by_frequency(matches, rng):
    matches("embedding", PLACES, rng.normal(size=(4, 3)), scale_grad_by_freq=True, orders=1)


@pytest.mark.parametrize("norm_type", [1.0, 2.0])
def test_rows_are_cut_down_in_place(norm_type, torch, rng):
    start = rng.normal(size=(4, 3))
    tables = []
    for library in (gradkit, torch):
        w = library.tensor(start.copy(), requires_grad=True)
        library.nn.functional.embedding(library.tensor(PLACES), w, None, 0.5, norm_type)
        tables.append(w.detach().numpy())
        assert w._version == 1
    np.testing.assert_allclose(tables[0], tables[1], rtol=1e-9)
    np.testing.assert_array_equal(tables[0][3], start[3])


def test_a_table_for_each_sample():
    rng = np.random.default_rng(0)
    w, places = gradkit.tensor(rng.normal(size=(3, 4, 2))), gradkit.tensor([[0, 3, 3], [1, 1, 2], [2, 0, 0]])
    got = vmap(F.embedding)(places, w)
    np.testing.assert_array_equal(got.numpy(), [w.numpy()[i][places.numpy()[i]] for i in range(3)])
    shared = vmap(F.embedding, in_dims=(None, 0))(places[0], w)
    np.testing.assert_array_equal(shared.numpy(), w.numpy()[:, [0, 3, 3]])


W = np.ones((3, 2))


@pytest.mark.parametrize(
    "operands",
    [
        (np.ones(2), W),
        (np.array([1], np.uint8), W),
        (np.array([True]), W),
        (np.array([3]), W),
        (np.array([-1]), W),
        (np.array([-1], np.int32), W),
        (np.array([1]), W, 3),
        (np.array([1]), W, -4),
        (np.array([1]), np.ones(3)),
        (np.array([1]), np.ones((3, 2, 2))),
    ],
)
def test_errors(operands, refuses):
    refuses("embedding", *operands)


def test_sparse_gradients_are_refused():
    with pytest.raises(NotImplementedError, match="sparse"):
        F.embedding(gradkit.tensor([1]), gradkit.ones(3, 2), sparse=True)


# -- bags
LINE = np.array([0, 2, 2, 1, 3])


@pytest.mark.parametrize("mode", ["sum", "mean", "max"])
class TestBags:
    def test_of_equal_size(self, mode, matches, rng):
        matches("embedding_bag", PLACES, rng.normal(size=(4, 3)), mode=mode, orders=1)

    @pytest.mark.parametrize("offsets", [[0, 2], [0, 2, 2], [0]])
    def test_that_begin_at_offsets(self, mode, offsets, matches, rng):
        matches("embedding_bag", LINE, rng.normal(size=(4, 3)), offsets, mode=mode, orders=1)

    def test_with_the_last_offset(self, mode, matches, rng):
        matches("embedding_bag", LINE, rng.normal(size=(4, 3)), [0, 2, 5], mode=mode, include_last_offset=True, orders=1)

    def test_without_the_padding(self, mode, matches, rng):
        matches("embedding_bag", LINE, rng.normal(size=(4, 3)), [0, 2], mode=mode, padding_idx=2, orders=1)
        matches("embedding_bag", np.array([2, 2, 0]), rng.normal(size=(4, 3)), [0, 2], mode=mode, padding_idx=2, orders=1)


def test_weighted_bags(matches, rng):
    w = rng.normal(size=(4, 3))
    matches("embedding_bag", PLACES, w, mode="sum", per_sample_weights=rng.normal(size=(2, 2)), orders=1)
    matches("embedding_bag", LINE, w, [0, 2], mode="sum", per_sample_weights=rng.normal(size=5), orders=1)


@pytest.mark.parametrize(
    ("operands", "params"),
    [
        ((np.array([0, 1]), W), {}),
        ((PLACES % 3, W, np.array([0, 1])), {}),
        ((np.array([0, 1]), W, np.array([0])), {"mode": "median"}),
        ((np.array([0, 1]), W, np.array([0])), {"mode": "mean", "per_sample_weights": np.ones(2)}),
        ((np.array([0, 1]), W, np.array([0])), {"mode": "sum", "per_sample_weights": np.ones(3)}),
        ((np.array([0, 1]), W, np.array([1])), {}),
        ((np.zeros((1, 1, 1), np.int64), W), {}),
    ],
)
def test_errors_of_bags(operands, params, refuses):
    refuses("embedding_bag", *operands, **params)


@pytest.mark.parametrize("mode", ["sum", "mean", "max", None])
def test_gradients_per_sample(mode, rng):
    w, places = gradkit.tensor(rng.normal(size=(4, 3))), gradkit.tensor(np.stack([PLACES, [[3, 3], [3, 0]]]))

    def loss(w, i):
        bags = F.embedding_bag(i, w, mode=mode, padding_idx=2) if mode else F.embedding(i, w, scale_grad_by_freq=True)
        return bags.sin().sum()

    got = vmap(gradkit.func.grad(loss), in_dims=(None, 0))(w, places)
    np.testing.assert_allclose(got, gradkit.stack([gradkit.func.grad(loss)(w, i) for i in places]), rtol=1e-12)
