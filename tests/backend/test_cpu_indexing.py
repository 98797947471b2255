"""Gathering and its transposes: against NumPy's slow ways, PyTorch, and the adjoint identity."""

import sys
import types

import numpy as np
import pytest

from gradkit.backend.cpu import indexing

SHAPE = (7, 5, 4)
CLOSE = {np.float16: 2e-2, np.float32: 1e-5, np.float64: 1e-12, np.complex64: 1e-5, np.int64: 0}


def keys():
    rng = np.random.default_rng(0)
    rows, columns, grid = rng.integers(-7, 7, 50), rng.integers(-5, 5, 50), rng.integers(0, 7, (6, 50))
    last, mask = rng.integers(0, 4, 50), rng.random(7) < 0.5
    every = slice(None)
    return {
        "integer": 3,
        "negative integer": (every, -1),
        "slice": slice(1, 5),
        "reversed slice": slice(None, None, -2),
        "new axes": (None, 3, ..., None),
        "rows": rows,
        "rows in a tuple": (rows, ...),
        "grid of rows": grid,
        "list": [1, 1, -1],
        "empty list": [],
        "rows and columns": (rows, columns),
        "all axes": (rows, columns, last),
        "broadcast arrays": (grid, columns),
        "columns": (every, columns),
        "columns, then the rest": (every, columns, ...),
        "last axis": (..., last),
        "middle axis": (..., columns, every),
        "separated arrays": (rows, every, last),
        "array and integer": (rows, 2),
        "integer and array": (2, columns),
        "array and slice": (rows, slice(1, 3)),
        "slice and array": (slice(0, 5, 2), columns),
        "array and new axis": (rows, None),
        "mask": mask,
        "mask and integer": (mask, every, 1),
        "mask of columns": (every, rng.random(5) < 0.5),
        "mask of two axes": rng.random((7, 5)) < 0.5,
        "mask of all axes": rng.random(SHAPE) < 0.5,
        "array and mask": (np.array([1]), rng.random((5, 4)) < 0.3),
        "zero-dimensional array": np.array(3),
        "true": True,
        "no rows": rows[:0],
        "no columns": (every, columns[:0]),
    }


KEYS = keys()


@pytest.fixture(params=[True, False], ids=["with scipy.sparse", "without"])
def sparse_loaded(request, monkeypatch):
    """Whether the product with a sparse matrix may be used, which it is where scipy.sparse is imported already."""
    if request.param:
        pytest.importorskip("scipy.sparse", reason="scipy is not installed: no witness to compare with")
    else:
        monkeypatch.delitem(sys.modules, "scipy.sparse", raising=False)


@pytest.mark.parametrize("dtype", CLOSE)
@pytest.mark.parametrize("name", KEYS)
def test_index_add(name, dtype):
    key = KEYS[name]
    values = (4 * np.random.default_rng(1).standard_normal(np.empty(SHAPE)[key].shape)).astype(dtype)
    wide = np.complex128 if dtype == np.complex64 else np.float64
    for given in (values, values[:1], values[..., ::-1]) if values.ndim else (values,):
        expected = np.zeros(SHAPE, wide)
        np.add.at(expected, key, np.broadcast_to(given, values.shape))
        result = indexing.index_add(SHAPE, dtype, key, given)
        assert result.dtype == dtype
        np.testing.assert_allclose(result, expected, rtol=CLOSE[dtype], atol=20 * CLOSE[dtype])


@pytest.mark.usefixtures("sparse_loaded")
@pytest.mark.parametrize("dtype", CLOSE)
@pytest.mark.parametrize("width", [1, 2, 3, 5, 64])
@pytest.mark.parametrize("distinct", [True, False])
def test_index_add_of_many_rows(width, dtype, distinct):
    rng = np.random.default_rng(2)
    index = rng.permutation(700) if distinct else rng.integers(0, 700, 5000)
    values = rng.standard_normal((index.size, width)).astype(dtype)
    expected = np.zeros((700, width), np.complex128)
    np.add.at(expected, index, values)
    result = indexing.index_add((700, width), dtype, index, values)
    np.testing.assert_allclose(result, expected, rtol=CLOSE[dtype], atol=20 * CLOSE[dtype])
    assert result.base is None, "who gets a view cannot add to it in place"


def test_sparse_product_adds_in_the_same_order(monkeypatch):
    pytest.importorskip("scipy.sparse", reason="scipy is not installed: no witness to compare with")
    rng = np.random.default_rng(3)
    index, values = rng.integers(0, 50, 4000), rng.standard_normal((4000, 32)).astype(np.float32)
    with_sparse = indexing.index_add((50, 32), np.float32, index, values)
    monkeypatch.delitem(sys.modules, "scipy.sparse")
    np.testing.assert_array_equal(indexing.index_add((50, 32), np.float32, index, values), with_sparse)


def test_half_imported_sparse_is_left_alone(monkeypatch):
    monkeypatch.setitem(sys.modules, "scipy.sparse", types.ModuleType("scipy.sparse"))
    index = np.zeros(200, int)
    assert np.all(indexing.index_add((3, 64), np.float64, index, np.ones((200, 64)))[0] == 200)


def test_infinity_stays_in_its_row():
    values = np.ones((9000, 4), np.float32)
    values[5] = np.inf
    total = indexing.index_add((3, 4), np.float32, np.arange(9000) % 3, values)
    assert np.all(np.isinf(total[2])) and np.all(total[:2] == 3000)


ALONG = [
    ((5, 6, 7), (5, 3, 7), 1),
    ((5, 6, 7), (2, 3, 4), 1),
    ((5, 6, 7), (9, 6, 7), 0),
    ((5, 6, 7), (5, 6, 20), -1),
    ((5, 6, 7), (5, 0, 7), 1),
    ((8,), (20,), 0),
    ((300, 200), (300, 30), 1),
]


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.complex64])
@pytest.mark.parametrize(("shape", "index_shape", "axis"), ALONG, ids=str)
def test_along_an_axis_as_torch(shape, index_shape, axis, dtype, torch):
    rng = np.random.default_rng(4)
    x, values = rng.standard_normal(shape).astype(dtype), rng.standard_normal(index_shape).astype(dtype)
    index = rng.integers(0, shape[axis], index_shape)
    places = torch.tensor(index)
    zeros = torch.zeros(shape, dtype=torch.complex128 if dtype == np.complex64 else torch.float64)
    summed = zeros.scatter_add(axis, places, torch.tensor(values).to(zeros.dtype)).numpy()
    result = indexing.scatter_add(shape, index, values, axis)
    np.testing.assert_allclose(result, summed, rtol=CLOSE[dtype], atol=4 * CLOSE[dtype])
    assert result.dtype == dtype
    for view in (x, np.asfortranarray(x), np.ascontiguousarray(x[::-1])[::-1]):
        gathered = torch.gather(torch.tensor(x), axis, places).numpy()
        np.testing.assert_array_equal(indexing.gather(view, index, axis), gathered, strict=True)
        copy = view.copy(order="K")
        assert indexing.put_along(copy, index, 5, axis) is copy
        np.testing.assert_array_equal(copy, torch.tensor(x).scatter(axis, places, 5).numpy())


@pytest.mark.parametrize("index_shape", [(50, 1, 1), (50, 6, 4)])
def test_a_shared_line_of_indices(index_shape):
    rng = np.random.default_rng(5)
    line, values = rng.integers(0, 9, (50, 1, 1)), rng.standard_normal((50, 6, 4))
    result = indexing.scatter_add((9, 6, 4), np.broadcast_to(line, index_shape), values, 0)
    np.testing.assert_allclose(result, indexing.index_add((9, 6, 4), float, line.ravel(), values), rtol=1e-13)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_scatter_add_is_the_transpose_of_gather(axis):
    rng = np.random.default_rng(6)
    shape = (4, 5, 6)
    index_shape = tuple(11 if a == axis else n for a, n in enumerate(shape))
    index = rng.integers(-shape[axis], shape[axis], index_shape)
    x, ct = rng.standard_normal(shape), rng.standard_normal(index_shape)
    left = np.vdot(indexing.gather(x, index, axis), ct)
    assert left == pytest.approx(np.vdot(x, indexing.scatter_add(shape, index, ct, axis)), rel=1e-13)


def test_segment_sum():
    values = np.arange(12.0).reshape(4, 3)
    np.testing.assert_array_equal(
        indexing.segment_sum(values, np.array([2, 0, 2, 0]), 3), [[12, 14, 16], [0] * 3, [6, 8, 10]]
    )


@pytest.mark.parametrize("bad", [7, -8])
def test_out_of_bounds_raises(bad):
    column = np.array([[bad]])
    calls = [
        lambda: indexing.index_add((7, 5), float, np.array([bad]), np.ones((1, 5))),
        lambda: indexing.index_add((2, 7, 5), float, (slice(0, 1), np.array([bad])), np.ones((1, 1, 5))),
        lambda: indexing.index_add((2, 7), float, (np.array([0]), np.array([bad])), np.ones(1)),
        lambda: indexing.scatter_add((7, 5), column, np.ones((1, 1)), 0),
        lambda: indexing.gather(np.ones((7, 5)), column, 0),
        lambda: indexing.put_along(np.ones((7, 5)), column, 1, 0),
    ]
    for call in calls:
        with pytest.raises(IndexError, match="out of bounds"):
            call()


def test_values_that_do_not_broadcast_raise():
    with pytest.raises(ValueError, match="broadcast"):
        indexing.index_add((7, 5), float, np.array([0, 1]), np.ones((3, 5)))
