"""Pooling against PyTorch."""

import numpy as np
import pytest

import gradkit
from gradkit.nn import functional as F

WINDOWS = [{}, {"stride": 1}, {"stride": 2, "padding": 1}, {"ceil_mode": True}, {"ceil_mode": True, "stride": 2, "padding": 1}]
SHAPES = {1: (9,), 2: (7, 8), 3: (5, 6, 5)}


@pytest.mark.parametrize("params", [*WINDOWS, {"dilation": 2, "stride": 1}], ids=str)
@pytest.mark.parametrize("axes", SHAPES)
def test_max_pool(axes, params, matches, rng):
    kernel = 3 if axes < 3 else 2
    for lead in ((2, 3), (3,)):
        x = rng.normal(size=(*lead, *SHAPES[axes]))
        matches(f"max_pool{axes}d", x, kernel, **params)
        matches(f"max_pool{axes}d", x, kernel, return_indices=True, **params)


@pytest.mark.parametrize("params", WINDOWS, ids=str)
@pytest.mark.parametrize("include", [True, False])
@pytest.mark.parametrize("axes", SHAPES)
def test_avg_pool(axes, include, params, matches, rng):
    kernel = 3 if axes < 3 else 2
    for lead in ((2, 3), (3,)):
        matches(f"avg_pool{axes}d", rng.normal(size=(*lead, *SHAPES[axes])), kernel, count_include_pad=include, **params)


def test_windows_of_unequal_sides(matches, rng):
    x = rng.normal(size=(3, 7, 8))
    matches("max_pool2d", x, (3, 2), (1, 2), (1, 0))
    matches("avg_pool2d", x, (3, 2), (1, 2), (1, 0))
    matches("avg_pool2d", x, 3, divisor_override=5)
    matches("avg_pool3d", rng.normal(size=(1, 2, 4, 4, 4)), 2, divisor_override=5)


def test_ties_and_nans(matches, rng):
    matches("max_pool2d", np.round(rng.normal(size=(2, 3, 6, 6))), 2, return_indices=True)
    matches("max_pool2d", np.array([[[1.0, np.nan], [np.nan, 1.0]]]), 2, return_indices=True, orders=1)


def test_dtypes(matches, rng):
    x = rng.normal(size=(2, 3, 6, 6))
    for dtype, tolerance in ((np.float32, 1e-6), (np.float16, 2e-3)):
        matches("max_pool2d", x.astype(dtype), 2, orders=1, rtol=tolerance)
        matches("avg_pool2d", x.astype(dtype), 2, orders=1, rtol=tolerance, atol=tolerance)
    matches("max_pool2d", np.arange(16).reshape(1, 4, 4), 2)


@pytest.mark.parametrize("size", [3, (3, 5), (None, 5), (4, 2), 1, (9, 10)])
class TestToASize:
    def test_adaptive_avg_pool2d(self, size, matches, rng):
        for lead in ((2, 3), (3,)):
            matches("adaptive_avg_pool2d", rng.normal(size=(*lead, 8, 7)), size)

    def test_adaptive_max_pool2d(self, size, matches, rng):
        for lead in ((2, 3), (3,)):
            matches("adaptive_max_pool2d", rng.normal(size=(*lead, 8, 7)), size, return_indices=True)
            matches("adaptive_max_pool2d", rng.normal(size=(*lead, 8, 7)), size)


def test_to_a_size_over_one_and_three_axes(matches, rng):
    for size in (3, 4, (2,)):
        matches("adaptive_avg_pool1d", rng.normal(size=(2, 3, 8)), size)
        matches("adaptive_max_pool1d", rng.normal(size=(3, 8)), size, return_indices=True)
    matches("adaptive_avg_pool3d", rng.normal(size=(2, 3, 4, 5, 6)), (2, 3, 4))
    matches("adaptive_avg_pool3d", rng.normal(size=(2, 3, 4, 6, 6)), 2)
    matches("adaptive_avg_pool2d", rng.normal(size=(3, 8, 7)), 0, orders=0)


X = np.ones((2, 3, 8, 8))


@pytest.mark.parametrize(
    ("name", "operands", "params"),
    [
        ("max_pool2d", (np.ones((8, 8)), 2), {}),
        ("max_pool2d", (X, 2), {"padding": 2}),
        ("max_pool2d", (X, 2), {"padding": -1}),
        ("max_pool2d", (np.ones((2, 3, 2, 2)), 3), {}),
        ("max_pool2d", (X, 3), {"dilation": 0}),
        ("max_pool2d", (X, 3), {"stride": 0}),
        ("max_pool2d", (X, 3), {"stride": (1, 2, 3)}),
        ("max_pool2d", (X, 0), {}),
        ("max_pool2d", (X, (2, 2, 2)), {}),
        ("max_pool2d", (np.ones((2, 0, 8, 8)), 2), {}),
        ("max_pool1d", (np.ones(8), 2), {}),
        ("max_pool1d", (np.ones((2, 3, 8)), (2, 2)), {}),
        ("max_pool1d", (np.ones((2, 3, 2)), 3), {}),
        ("max_pool1d", (np.ones((2, 3, 8), np.int64), 2), {}),
        ("max_pool3d", (np.ones((4, 4, 4)), 2), {}),
        ("avg_pool2d", (X, 2), {"padding": 2}),
        ("avg_pool2d", (X, 2), {"divisor_override": 0}),
        ("avg_pool2d", (np.ones((2, 3, 2, 2)), 3), {}),
        ("avg_pool2d", (X, (2, 2, 2)), {}),
        ("avg_pool2d", (np.ones((1, 2, 3, 8, 8)), 2), {}),
        ("avg_pool1d", (np.ones(8), 3), {}),
        ("adaptive_avg_pool2d", (X, (3, 5, 2)), {}),
        ("adaptive_avg_pool2d", (np.ones((8, 8)), 3), {}),
        ("adaptive_avg_pool2d", (X, -1), {}),
        ("adaptive_avg_pool2d", (X.astype(np.int64), 2), {}),
        ("adaptive_avg_pool1d", (np.ones(8), 3), {}),
        ("adaptive_avg_pool1d", (np.ones((3, 8)), (3, 3)), {}),
    ],
)
def test_errors(name, operands, params, refuses):
    refuses(name, *operands, **params)


def test_max_pool_keeps_its_input_alone():
    x = gradkit.randn(1, 4, 4, requires_grad=True)
    assert F.max_pool2d(x, 2).grad_fn.saved == (None, x.array)
