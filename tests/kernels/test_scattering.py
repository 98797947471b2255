"""Sums by place: what NumPy's add.at gives, in an order that is written down, so that the bits are the same each time."""

import cupy
import numpy as np
import pytest

import gradkit as gk
from gradkit.backend.kernels import scattering
from gradkit.backend.kernels.catalogue import Kernels
from gradkit.backend.protocol import backend_named
from gradkit.primitives.indexing import index_put_forward, unindex_forward

PROGRAMS = Kernels(cupy).programs()
ADD, PUT, ALONG = [PROGRAMS[f"fused_{name}_forward"] for name in ("unindex", "index_put", "ungather")]
FULL = slice(None)


@pytest.fixture(params=["one block sorts", "many sort"])
def either_sort(request, monkeypatch):
    monkeypatch.setattr(scattering, "FEW", 1 << 16 if request.param == "one block sorts" else 0)


def added(shape, key, values):
    """In the order in which the values come."""
    out = np.zeros(shape, values.dtype)
    np.add.at(out, key, values)
    return out


def as_kernels_add(rows, places, values):
    """Row by row in their order; where a whole chunk of the sorted rows has one place, it is summed ahead."""
    order = np.argsort(places, kind="stable")
    length = max(scattering.CHUNK, 1 << (int(len(places) ** 0.5) - 1).bit_length())
    out = np.zeros((rows, values.shape[1]), values.dtype)
    for place in range(rows):
        begin, end = np.searchsorted(places[order], [place, place + 1])
        at, total = begin, np.zeros(values.shape[1], values.dtype)
        while at < end:
            ahead = len(places) >= 2 * length and at % length == 0 and at + length <= end
            more = np.zeros_like(total)
            for k in order[at : at + length] if ahead else ():
                more += values[k]
            total += more if ahead else values[order[at]]
            at += length if ahead else 1
        out[place] = total
    return out


@pytest.mark.parametrize("width", [1, 3, 4, 32, 1100])
@pytest.mark.parametrize(("count", "rows"), [(1, 1), (5, 3), (700, 9), (700, 300), (300, 70_000)])
def test_sums_are_those_of_add_at_bit_for_bit(count, rows, width, either_sort):
    width = min(width, (1 << 18) // rows)
    rng = np.random.default_rng(count)
    places, values = rng.integers(0, rows, count), rng.normal(size=(count, width)).astype("f")
    got = ADD(cupy.asarray(values), shape=(rows, width), key=(cupy.asarray(places),))
    assert got.get().tobytes() == added((rows, width), (places,), values).tobytes()


@pytest.mark.parametrize("skew", ["all equal", "half equal", "even", "two"])
@pytest.mark.parametrize("count", [1023, 1024, 5000, 40_000])
def test_long_segments_are_summed_in_chunks_of_a_fixed_order(count, skew, either_sort):
    rng, rows = np.random.default_rng(count), 6
    places = rng.integers(0, {"all equal": 1, "two": 2}.get(skew, rows), count)
    if skew == "half equal":
        places[rng.random(count) < 0.5] = 4
    values = rng.normal(size=(count, 5)).astype("f")
    got = ADD(cupy.asarray(values), shape=(rows, 5), key=(cupy.asarray(places),))
    assert got.get().tobytes() == as_kernels_add(rows, places, values).tobytes()


@pytest.mark.parametrize("char", ["e", "f", "d", "F", "D", "bfloat16"])
@pytest.mark.parametrize("wide", [True, False])
def test_every_dtype_rounds_a_sum_once(char, wide):
    if char == "bfloat16":
        char = pytest.importorskip("ml_dtypes", reason="ml_dtypes is not installed: no bfloat16").bfloat16
    rng = np.random.default_rng(1)
    places, width = rng.integers(0, 5, 300), 16 if wide else 7
    values = rng.normal(size=(300, width)) + (1j * rng.normal(size=(300, width)) if char in ("F", "D") else 0)
    values = values.astype(char)
    got = ADD(cupy.asarray(values), shape=(5, width), key=(cupy.asarray(places),))
    kind = np.dtype(char)
    exact = values.astype({"F": "F", "D": "D", "d": "d"}.get(kind.char, "f"))
    want = added((5, width), (places,), exact).astype(kind)
    assert got.dtype == kind and got.get().tobytes() == want.tobytes()


KEYS = {
    "middle axis": lambda i: (FULL, i(4, 6), FULL),
    "last axis": lambda i: (FULL, FULL, i(5, 6)),
    "two axes": lambda i: (FULL, i(4, 2, 3), i(5, 3)),
    "axes apart": lambda i: (i(3, 6), FULL, i(5, 6)),
    "first": lambda i: i(3, 2, 2),
    "one place": lambda i: (FULL, i(4)),
    "bytes": lambda i: (i(3, 6).astype("B"),),
    "nothing": lambda i: (i(3, 0),),
}


@pytest.mark.parametrize("name", KEYS)
@pytest.mark.parametrize("into", [False, True])
@pytest.mark.parametrize("shared", [False, True])
def test_every_key_of_arrays_and_full_slices(name, into, shared):
    rng = np.random.default_rng(2)
    key = KEYS[name](lambda n, *shape: np.asarray(rng.integers(0, n, shape)))
    shape = (3, 4, 5)
    seen = np.empty(shape)[key].shape
    values = rng.normal(size=seen[-1:] if shared else seen)
    on_device = tuple([cupy.asarray(e) if hasattr(e, "dtype") else e for e in (key if type(key) is tuple else (key,))])
    start = rng.normal(size=shape) if into else np.zeros(shape)
    want = start + added(shape, key, np.broadcast_to(values, seen))
    if into:
        got = cupy.asarray(start)
        assert PUT(got, cupy.asarray(values), key=on_device) is None
    else:
        wide = cupy.broadcast_to(cupy.asarray(values), seen)
        got = ADD(wide, shape=shape, key=on_device)
    np.testing.assert_array_equal(got.get(), want)


def test_into_what_does_not_lie_in_one_piece():
    z, places, values = np.ones((4, 6)), np.array([1, 1, 3]), np.arange(12.0).reshape(3, 4)
    device = cupy.asarray(z)
    PUT(device.T, cupy.asarray(values), key=(cupy.asarray(places),))
    np.add.at(z.T, places, values)
    np.testing.assert_array_equal(device.get(), z)


def test_places_beyond_the_ends_are_where_reading_finds_them():
    places = cupy.asarray([-1, 4, 5, -6, 0])
    read = cupy.arange(4.0).take(places)
    got = ADD(cupy.ones(5), shape=(4,), key=(places,))
    np.testing.assert_array_equal(got.get(), np.bincount(read.get().astype(int), minlength=4))
    along = ALONG(cupy.ones(3), cupy.asarray([-1, 0, -4]), shape=(4,), axis=0)
    np.testing.assert_array_equal(along.get(), [2, 0, 0, 1])


def test_misaligned_rows():
    places, room = np.array([2, 0, 2]), np.random.default_rng(1).normal(size=25).astype("f")
    values = cupy.asarray(room)[1:].reshape(3, 8)
    got = ADD(values, shape=(3, 8), key=(cupy.asarray(places),))
    np.testing.assert_array_equal(got.get(), added((3, 8), (places,), room[1:].reshape(3, 8)))


@pytest.mark.parametrize("shape", [(6, 5), (9, 5)])
@pytest.mark.parametrize("axis", [0, 1, -1])
@pytest.mark.parametrize("line", [False, True])
def test_along_an_axis(axis, shape, line):
    rng = np.random.default_rng(3)
    values = rng.normal(size=(6, 5))
    index = rng.integers(0, shape[axis], (6, 5))
    if line:
        index = index[:, :1] if axis == 0 else index[:1]
    got = ALONG(cupy.asarray(values), cupy.asarray(index), shape=shape, axis=axis)
    want, rest = np.zeros(shape), np.arange(5)[None] if axis == 0 else np.arange(6)[:, None]
    full = np.broadcast_to(index, (6, 5))
    np.add.at(want, (full, rest) if axis == 0 else (rest, full), values)
    np.testing.assert_array_equal(got.get(), want)


def test_nothing_is_launched_for_nothing(counting):
    none = cupy.empty((0, 4)), (cupy.empty(0, "l"),)
    with counting() as counts:
        got = ADD(none[0], shape=(3, 4), key=none[1])
        PUT(got, none[0], key=none[1])
        ADD(cupy.empty((2, 0)), shape=(3, 0), key=(cupy.empty(2, "l"),))
    assert counts["launch"] <= 1 and not got.any()  # zeros


def test_what_is_not_served_is_declined():
    places = cupy.asarray([1, 1])
    assert ADD(cupy.ones(2, "l"), shape=(3,), key=(places,)) is NotImplemented
    assert ADD(cupy.ones(2), shape=(3,), key=(slice(0, 2),)) is NotImplemented
    assert ADD(cupy.ones(2), shape=(3,), key=(cupy.asarray([True, False, True]),)) is NotImplemented
    assert ADD(cupy.ones((2, 2)), shape=(3, 4), key=(places, slice(0, 2))) is NotImplemented
    assert unindex_forward(backend_named("cuda").xp, cupy.ones(2, "l"), shape=(3,), key=(places,)).tolist() == [0, 2, 0]
    z = cupy.zeros(3, "l")
    index_put_forward(backend_named("cuda").xp, z, 2, key=(places,))
    assert z.tolist() == [0, 4, 0]


WAYS_BACK = {
    "embedding": lambda x, i: gk.nn.functional.embedding(i, x),
    "index": lambda x, i: x[i],
    "index_select": lambda x, i: gk.index_select(x, 1, i % 4),
    "gather": lambda x, i: gk.gather(x, 0, i[:, None] + gk.zeros(1, 4, dtype=gk.int64)),
    "index_add": lambda x, i: gk.index_add(gk.zeros(50, 4, dtype=x.dtype), 0, i, x[i] * x[i]),
    "scatter_add": lambda x, i: gk.scatter_add(gk.zeros(50, 4, dtype=x.dtype), 0, i[:, None].expand(-1, 4), x[i] ** 3),
}


@pytest.mark.parametrize("name", WAYS_BACK)
@pytest.mark.parametrize("count", [200, 3000])
def test_the_way_back_of_indexing_gives_the_cpus_values_and_waits_for_nothing(name, count, hostcuda_forbids):
    rng = np.random.default_rng(5)
    x, index = rng.normal(size=(50, 4)), rng.integers(0, 50, count)
    grads = []
    for device in ("cpu", "cuda"):
        leaf, places = gk.tensor(x, device=device, requires_grad=True), gk.tensor(index, device=device)
        with gk.device(device):
            for _ in range(2):
                y = WAYS_BACK[name](leaf, places)
                leaf.grad = None
                ct = gk.linspace(0.5, 2, y.numel(), dtype=gk.float64).reshape(y.shape)
                with hostcuda_forbids():
                    y.backward(ct)
        grads.append(leaf.grad.cpu().numpy())
    np.testing.assert_allclose(*grads, rtol=1e-12, atol=1e-12)
