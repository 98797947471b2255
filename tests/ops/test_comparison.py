"""Comparisons and tests for closeness against PyTorch."""

import numpy as np
import pytest

import gradkit

inf, nan = float("inf"), float("nan")
VALUES = [0.0, -0.0, 1.0, -1.5, inf, -inf, nan]


TESTS_OF_ONE = ["isnan", "isinf", "isfinite", "isposinf", "isneginf", "signbit", "logical_not", "isreal"]


@pytest.mark.parametrize("name", TESTS_OF_ONE)
def test_of_special_numbers(name, torch):
    got, want = getattr(gradkit, name)(gradkit.tensor(VALUES)), getattr(torch, name)(torch.tensor(VALUES))
    assert got.tolist() == want.tolist()


@pytest.mark.parametrize("name", ["eq", "ne", "lt", "le", "gt", "ge", "logical_and", "logical_or", "logical_xor"])
def test_of_pairs(name, torch):
    mine, theirs = gradkit.tensor(VALUES), torch.tensor(VALUES)
    got = getattr(gradkit, name)(mine.reshape(7, 1), mine)
    assert got.tolist() == getattr(torch, name)(theirs.reshape(7, 1), theirs).tolist()
    assert not got.requires_grad


@pytest.mark.parametrize("tolerance", [{}, {"rtol": 0.1}, {"atol": 0.2}, {"equal_nan": True}], ids=str)
def test_closeness(tolerance, torch):
    a = [1.0, 1.0, 1.0, inf, inf, nan, -inf, 0.0, 3.0]
    b = [1.0, 1.05, 1.000001, inf, -inf, nan, 1.0, 0.1, nan]
    mine, theirs = [[m.tensor(x) for x in (a, b)] for m in (gradkit, torch)]
    assert gradkit.isclose(*mine, **tolerance).tolist() == torch.isclose(*theirs, **tolerance).tolist()
    for k in range(len(a)):
        pair = [x[k : k + 1] for x in (a, b)]
        got = gradkit.allclose(*map(gradkit.tensor, pair), **tolerance)
        assert got is torch.allclose(*map(torch.tensor, pair), **tolerance)


def test_closeness_of_integers(torch):
    a, b = [1, 100, 7], [1, 101, 9]
    got = gradkit.isclose(gradkit.tensor(a), gradkit.tensor(b), rtol=0.01)
    assert got.tolist() == torch.isclose(torch.tensor(a), torch.tensor(b), rtol=0.01).tolist()


def test_equal_compares_shapes_first(torch):
    cases = [([1.0, 2.0], [1.0, 2.0]), ([1.0], [1.0, 1.0]), ([nan], [nan]), ([1], [1.0]), ([], [])]
    for a, b in cases:
        assert gradkit.equal(gradkit.tensor(a), gradkit.tensor(b)) is torch.equal(torch.tensor(a), torch.tensor(b))


ERRORS = {
    "dtypes": (lambda m: m.isclose(m.tensor([1.0]), m.tensor([1.0], dtype=m.float64)), RuntimeError),
    "negative rtol": (lambda m: m.allclose(m.tensor([1.0]), m.tensor([1.0]), rtol=-1), RuntimeError),
    "equal to a number": (lambda m: m.equal(m.tensor([1.0]), 1.0), TypeError),
    "several elements": (lambda m: m.is_nonzero(m.tensor([1.0, 2.0])), RuntimeError),
}


@pytest.mark.parametrize(("call", "error"), ERRORS.values(), ids=ERRORS)
def test_refused_as_in_pytorch(call, error, torch):
    with pytest.raises(error):
        call(torch)
    with pytest.raises(error):
        call(gradkit)


def test_comparing_under_vmap():
    x = gradkit.tensor(np.arange(6.0).reshape(2, 3))
    y = gradkit.func.vmap(lambda row: gradkit.where(row > row[1], 1.0, row))(x)
    assert y.tolist() == [[0.0, 1.0, 1.0], [3.0, 4.0, 1.0]]
