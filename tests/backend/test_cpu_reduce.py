"""Sums, variances and the softmax family: values, accuracy, layouts."""

import itertools
import math

import numpy as np
import pytest

from gradkit.backend.cpu import reduce, softmax

SHAPES = [
    (5,),
    (300, 40),
    (3, 4000, 10),
    (40, 30, 20, 2),
    (30_000, 3),
    (3, 30_000),
    (70, 80, 1, 9),
    (20_000, 1),
    (0, 5),
]
RELATIVE = {np.float16: 2e-3, np.float32: 1e-5, np.float64: 1e-13, np.complex64: 1e-5, np.complex128: 1e-13}


def some_axes(ndim):
    for count in range(1, ndim + 1):
        yield from itertools.combinations(range(ndim), count)


def layouts(x):
    return {"contiguous": x, "transposed": x.T, "reversed": x[::-1], "thinned": x[..., ::2]}


@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("dtype", RELATIVE)
def test_sum_over_any_axes(dtype, shape, keepdims):
    rng = np.random.default_rng(0)
    values = rng.standard_normal(shape) + (1j * rng.standard_normal(shape) if dtype(0).dtype.kind == "c" else 0)
    for x in layouts(values.astype(dtype)).values():
        wide = x.astype(complex)
        for axes in [None, -1, *some_axes(x.ndim)]:
            total = reduce.sum(x, axes, keepdims)
            exact, size = wide.sum(axes, keepdims=keepdims), np.abs(wide).sum(axes, keepdims=keepdims)
            assert total.dtype == dtype and total.shape == exact.shape
            assert np.all(np.abs(total - exact) <= RELATIVE[dtype] * size)


@pytest.mark.parametrize("dtype", [np.int32, np.bool_, np.uint8])
def test_integers_are_added_as_numpy_does(dtype):
    x = (np.arange(40_000) % 7).astype(dtype).reshape(400, 100)
    for axis in (None, 0, 1):
        np.testing.assert_array_equal(reduce.sum(x, axis), np.sum(x, axis), strict=True)


LONG = [((10_000_000,), None), ((10_000_000, 1), 0), ((1_000_000, 10), 0), ((5_000_000, 2), 0), ((10, 1_000_000), 1)]


@pytest.mark.parametrize(("shape", "axis"), [*LONG, ((4882, 2048), 0), ((100, 1000, 100), (0, 2))], ids=str)
def test_single_precision_sums_of_1e7_numbers(shape, axis):
    x = np.random.default_rng(1).uniform(0.5, 1.5, math.prod(shape)).astype(np.float32).reshape(shape)
    exact = x.sum(axis, dtype=np.float64)
    assert np.max(np.abs(reduce.sum(x, axis) - exact) / exact) < 1e-6


@pytest.mark.parametrize("value", [np.inf, -np.inf, np.nan])
@pytest.mark.parametrize("shape", [(8, 8), (300, 300)], ids=str)
def test_infinities_reach_their_own_sums_only(value, shape):
    x = np.ones(shape, np.float32)
    x[2, 3] = value
    for axis, place in ((0, 3), (1, 2)):
        total = reduce.sum(x, axis)
        np.testing.assert_array_equal(total[place], np.float32(value))
        assert np.all(np.delete(total, place) == shape[0])


@pytest.mark.parametrize("size", [3, 300])
@pytest.mark.parametrize("axis", [2, -3, (0, 2)])
def test_axis_out_of_range_raises(axis, size):
    with pytest.raises(np.exceptions.AxisError):
        reduce.sum(np.ones((size, size)), axis)


def test_repeated_axis_raises():
    with pytest.raises(ValueError, match="duplicate"):
        reduce.sum(np.ones((300, 300)), (0, -2))


@pytest.mark.parametrize("shape", [(16, 16), (300, 300), (40, 50, 60)], ids=str)
def test_sums_own_their_memory(shape):
    for axes in some_axes(len(shape) - 1):
        for keepdims in (False, True):
            total = reduce.sum(np.ones(shape, np.float32), axes, keepdims)
            assert total.base is None, "who gets a view cannot add to it in place"


@pytest.mark.parametrize("shape", [(7,), (300, 400), (40, 30, 20), (4, 5, 20_000)], ids=str)
@pytest.mark.parametrize("dtype", RELATIVE)
def test_var_and_std(dtype, shape):
    rng = np.random.default_rng(2)
    values = 5 + rng.standard_normal(shape) + (1j * rng.standard_normal(shape) if dtype(0).dtype.kind == "c" else 0)
    x = values.astype(dtype)
    wide = x.astype(complex)
    for axes in [None, -1, *some_axes(x.ndim)]:
        for correction, keepdims in ((1, False), (0, True), (2, False)):
            expected = wide.var(axes, ddof=correction, keepdims=keepdims)
            result = reduce.var(x, axes, correction, keepdims)
            assert result.dtype == dtype(0).real.dtype and result.shape == expected.shape
            np.testing.assert_allclose(result, expected, rtol=10 * RELATIVE[dtype])
            deviation = reduce.std(x, axes, correction, keepdims)
            np.testing.assert_allclose(deviation, np.sqrt(expected), rtol=10 * RELATIVE[dtype])


@pytest.mark.filterwarnings("ignore:.*degrees of freedom:UserWarning")
@pytest.mark.parametrize("correction", [1, 2])
def test_var_of_too_few_is_that_of_torch(correction, torch):
    x = np.array([[1.0], [2.0]])
    expected = torch.var(torch.tensor(x), 1, correction=correction).numpy()
    np.testing.assert_array_equal(reduce.var(x, 1, correction), expected)


def test_var_of_numbers_far_from_zero_keeps_its_digits():
    x = 1e8 + np.arange(1000.0)
    assert reduce.var(x) == np.var(np.arange(1000.0), ddof=1)


def with_edges(shape, scale, dtype):
    rng = np.random.default_rng(3)
    x = (scale * rng.standard_normal(shape)).astype(dtype)
    flat = x.reshape(-1)
    flat[3::11] = -np.inf
    if scale > 1:
        flat[5::97], flat[7::89] = np.inf, np.nan
    return x


@pytest.mark.parametrize("scale", [0.5, 30, 1000])
@pytest.mark.parametrize(
    "shape", [(50,), (12, 9), (700, 10), (3, 70_000), (2, 300, 200), (2, 5, 6, 7), (200, 1)], ids=str
)
@pytest.mark.parametrize(("dtype", "close"), [(np.float16, 2e-3), (np.float32, 3e-6), (np.float64, 1e-13)])
def test_softmax_family_is_that_of_torch(shape, dtype, close, scale, torch):
    x = with_edges(shape, scale, dtype)
    for view in (x, x.T, x[::-1]):
        for axis in range(-1, x.ndim - 1):
            # PyTorch adds half precision in half precision in places; its double is the better witness.
            wide = torch.tensor(view.astype(np.float64))
            for name in ("softmax", "log_softmax", "logsumexp", "logcumsumexp"):
                result = getattr(softmax, name)(view, axis)
                assert result.dtype == dtype
                expected = getattr(torch, name)(wide, axis).numpy()
                np.testing.assert_allclose(result, expected, rtol=close, atol=close, err_msg=f"{name} over {axis}")


def test_logsumexp_over_several_axes(torch):
    x = np.random.default_rng(4).standard_normal((3, 4, 5))
    for axes in [None, *some_axes(3), (0, -1)]:
        for keepdims in (False, True):
            expected = torch.logsumexp(torch.tensor(x), (0, 1, 2) if axes is None else axes, keepdims).numpy()
            np.testing.assert_allclose(softmax.logsumexp(x, axes, keepdims), expected, rtol=1e-14, strict=True)


def test_softmax_family_of_nothing_and_of_a_scalar():
    assert softmax.softmax(np.ones((0, 3))).shape == (0, 3)
    assert softmax.log_softmax(np.ones((3, 0)), 1).shape == (3, 0)
    np.testing.assert_array_equal(softmax.logsumexp(np.ones((2, 0)), 1), [-np.inf, -np.inf])
    assert softmax.softmax(np.array(3.0), 0) == 1
    assert softmax.log_softmax(np.array(3.0), 0) == 0
    assert softmax.logcumsumexp(np.ones((2, 0)), 1).shape == (2, 0)


@pytest.mark.parametrize("offset", [-200.0, -20.0, 0.0, 20.0, 80.0, 200.0])
def test_log_softmax_does_not_lose_digits_to_an_offset(offset):
    x = np.array([0.0, -15.0, -30.0], np.float32)
    exact = x - np.log(np.sum(np.exp(x.astype(np.float64))))
    np.testing.assert_allclose(softmax.log_softmax(x + np.float32(offset)), exact, rtol=1e-6, atol=5e-7)


def test_softmax_does_not_lose_small_shares_to_underflow():
    x = np.array([-60.0, -95.0], np.float32)
    np.testing.assert_allclose(softmax.softmax(x), [1, np.exp(-35.0)], rtol=1e-6)
