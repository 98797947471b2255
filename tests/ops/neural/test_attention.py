"""Attention against PyTorch."""

import numpy as np
import pytest

import gradkit
from gradkit.nn import functional as F

NAME = "scaled_dot_product_attention"
MASK = np.array([[True, False, True, True, False], [False] * 5, [True] * 5])


@pytest.fixture
def qkv(rng):
    return [rng.normal(size=shape) for shape in ((2, 2, 3, 4), (2, 2, 5, 4), (2, 2, 5, 6))]


def test_without_a_mask(matches, qkv):
    matches(NAME, *qkv)
    matches(NAME, *qkv, scale=0.3)
    matches(NAME, *[x[0, 0] for x in qkv])


def test_causal(matches, qkv):
    matches(NAME, *qkv, is_causal=True, orders=1)
    matches(NAME, qkv[0], qkv[0], qkv[0], is_causal=True, orders=1)


def test_masked_by_booleans(matches, qkv):
    matches(NAME, *qkv, MASK.tolist(), orders=1)


def test_masked_by_numbers(matches, qkv, rng):
    matches(NAME, *qkv, rng.normal(size=(3, 5)))
    matches(NAME, *qkv, rng.normal(size=(3, 5)).astype(np.float32), orders=1, atol=1e-6)
    matches(NAME, *qkv, np.where(MASK, 0.0, -np.inf).tolist(), orders=1)


def test_a_query_that_sees_nothing_gets_zero_to_second_order():
    q, k, v = [gradkit.randn(n, 4, requires_grad=True) for n in (3, 5, 5)]
    y = F.scaled_dot_product_attention(q, k, v, gradkit.tensor(MASK))
    assert y[1].tolist() == [0.0] * 4
    first = gradkit.autograd.grad(y.sum(), (q, k, v), create_graph=True)
    second = gradkit.autograd.grad(sum([(g * g).sum() for g in first]), (q, k, v))
    assert all(np.isfinite(g.detach().numpy()).all() for g in (*first, *second))


def test_heads_that_share_keys(matches, rng):
    q, k, v = rng.normal(size=(1, 8, 3, 4)), rng.normal(size=(1, 2, 5, 4)), rng.normal(size=(1, 2, 5, 6))
    matches(NAME, q, k, v, enable_gqa=True)


def test_dropout_of_weights():
    q = gradkit.zeros(1, 2)
    y = F.scaled_dot_product_attention(q, gradkit.zeros(4, 2), gradkit.ones(4, 1), dropout_p=1.0)
    assert y.tolist() == [[0.0]]


Q, K, V = np.ones((2, 3, 4)), np.ones((2, 5, 4)), np.ones((2, 5, 6))


@pytest.mark.parametrize(
    ("operands", "params"),
    [
        ((Q, np.ones((2, 5, 5)), V), {}),
        ((Q, K, np.ones((2, 4, 6))), {}),
        ((np.ones(4), np.ones(4), np.ones(4)), {}),
        ((Q, K.astype(np.float32), V), {}),
        ((Q, K, V, np.ones((3, 5), np.int64)), {}),
        ((*[x.astype(np.float32) for x in (Q, K, V)], np.ones((3, 5))), {}),
        ((Q, K, V, np.ones((3, 5))), {"is_causal": True}),
    ],
)
def test_errors(operands, params, refuses):
    refuses(NAME, *operands, **params)
