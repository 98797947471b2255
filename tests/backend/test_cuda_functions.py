"""What the device's namespace supplies, against NumPy's side of it: layouts, dtypes, empty arrays, edges."""

import numpy as np
import pytest

from gradkit.backend.numpy import NUMPY
from gradkit.backend.protocol import backend_named

INF, NAN = np.inf, np.nan


@pytest.fixture(autouse=True)
def on_a_gpu(device):
    if device != "cuda":
        pytest.skip("needs --device cuda")


@pytest.fixture
def ours():
    return backend_named("cuda").xp


def there(x):
    return backend_named("cuda").asarray(x) if isinstance(x, np.ndarray) else x


def back(y):
    return y.get()


def agree(ours, name, *args, rtol=1e-6, **params):
    """A function gives on the device what it gives on the host: values, shape and dtype."""
    want = getattr(NUMPY.xp, name)(*args, **params)
    got = getattr(ours, name)(*map(there, args), **params)
    assert got.dtype == np.asarray(want).dtype and got.shape == np.shape(want)
    np.testing.assert_allclose(back(got), want, rtol=rtol, atol=rtol)


def layouts(values):
    """The values as they come, transposed, with steps, in no dimension, and none of them."""
    x = np.array(values)
    grid = np.resize(x, (3, 4, 2))
    return {"plain": grid, "transposed": grid.T, "steps": grid[::2, ::-3], "one": x[:1].reshape(()), "none": grid[:0]}


UNARY = {
    "digamma": [0.3, 2.5, 7.0, -1.3, -20.7, 1.4616], "erf": [-3.0, 0.0, 0.5, 6.0, INF], "erfc": [-3.0, 0.5, 6.0, INF],
    "erfcx": [-3.0, 0.5, 6.0, 1e3], "erfinv": [-0.9, 0.0, 0.5, 1.0, -1.0, 2.0], "i0": [0.0, -3.0, 12.0, 80.0],
    "i0e": [0.0, -3.0, 12.0, 1e3, INF], "i1": [0.0, -3.0, 12.0, 80.0], "i1e": [0.0, -3.0, 12.0, 1e3, -INF],
    "lgamma": [0.3, 2.5, 70.0, -1.3, 0.0, -2.0], "log_ndtr": [-100.0, -3.0, 0.0, 5.0], "ndtr": [-10.0, 0.0, 3.0],
    "ndtri": [0.0, 1e-6, 0.2, 0.5, 0.9, 1.0, 1.5], "sigmoid": [-80.0, 0.0, 3.0, INF, -INF],
    "log_sigmoid": [-1000.0, 0.0, 30.0, -INF, INF], "softplus": [-30.0, 0.0, 19.0, 30.0, INF], "gelu": [-6.0, -1.0, 0.0, 2.0],
}  # fmt: skip


@pytest.mark.parametrize("kind", ["float16", "float32", "float64"])
@pytest.mark.parametrize("name", UNARY)
def test_functions_of_one_number(ours, name, kind):
    with np.errstate(all="ignore"):
        values = np.array(UNARY[name] + [NAN]).astype(kind)
        agree(ours, name, values, rtol={"float16": 2e-3, "float32": 2e-6, "float64": 2e-13}[kind])


@pytest.mark.parametrize("kind", ["float16", "float32", "int8", "uint8", "int64"])
def test_signs(ours, kind):
    agree(ours, "signum", np.array([-3, 0, 5]).astype(kind))
    agree(ours, "signum", np.array([-0.0, NAN, -INF]))


@pytest.mark.parametrize("layout", ["plain", "transposed", "steps", "one", "none"])
def test_functions_of_one_number_in_any_layout(ours, layout):
    for name in ("gelu", "i0e", "digamma"):
        agree(ours, name, layouts([0.5, 1.5, 3.0])[layout])


@pytest.mark.parametrize("order", [0, 1, 2, 5])
def test_polygamma(ours, order):
    x = np.array([0.1, 0.5, 3.0, 20.0, -0.7, -8.2])
    np.testing.assert_allclose(back(ours.polygamma(order, there(x))), NUMPY.xp.polygamma(order, x), rtol=1e-11)


def test_polygamma_of_negative_order_is_refused(ours):
    with pytest.raises(ValueError, match="must not be negative"):
        ours.polygamma(-1, there(np.ones(1)))


@pytest.mark.parametrize("kind", ["float16", "float32", "float64", "complex64", "int32"])
@pytest.mark.parametrize("exponent", [0, 1, 2, 3, 5, -1, -2, 0.5, 1.5, -0.5, 1.7])
def test_powers(ours, exponent, kind):
    if kind == "int32" and (exponent < 0 or exponent != int(exponent)):
        exponent = 4
    x = np.array([0.0, 1.0, 3.0, -2.0]).astype(kind)
    with np.errstate(all="ignore"):
        agree(ours, "power", x if kind != "complex64" else x[1:] + 1j, exponent, rtol=2e-3 if kind == "float16" else 1e-6)


@pytest.mark.parametrize("kind", ["float16", "float32", "float64", "int64"])
def test_quotients_are_numpys(ours, kind):
    values = [7.0, -7.0, 0.0, -0.0, 5.5] if kind == "int64" else [7.0, -7.0, 0.0, -0.0, INF, -INF, NAN, 5.5]
    a, b = np.meshgrid(np.array(values), np.array(values))
    with np.errstate(all="ignore"):
        a, b = a.astype(kind), b.astype(kind)
        b = np.where(b == 0, 1, b) if kind == "int64" else b
        agree(ours, "floor_divide", a, b)
        agree(ours, "remainder", a, b)


@pytest.mark.parametrize("bounds", [(-1.0, 1.0), (None, 0.5), (0.5, None), (1.0, -1.0)])
def test_clip_is_numpys_minimum_of_a_maximum(ours, bounds):
    x = np.array([NAN, -2.0, 0.0, 2.0, INF])
    low, high = bounds
    want = x if low is None else np.maximum(x, low)
    np.testing.assert_array_equal(back(ours.clip(there(x), low, high)), want if high is None else np.minimum(want, high))


# -- reductions
KINDS = ["float16", "float32", "float64", "complex64", "int32", "uint8", "bool"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("over", [{}, {"axis": (-1,)}, {"axis": (-3, -1), "keepdims": True}, {"axis": -2}])
@pytest.mark.parametrize("name", ["sum", "prod", "mean", "max", "min", "var", "std", "count_nonzero"])
def test_reductions(ours, name, over, kind):
    x = np.random.default_rng(0).uniform(-2, 2, (2, 3, 4)).astype(kind)
    if name in ("mean", "var", "std") and x.dtype.kind not in "fc":
        x = x.astype("float32")
    if name in ("max", "min") and x.dtype.kind == "c":
        x = x.real
    agree(ours, name, x, rtol=4e-3 if kind == "float16" else 1e-5, **over)


@pytest.mark.parametrize("correction", [0, 1, 1.5, 3, 4])
def test_variance_with_any_correction(ours, correction):
    with np.errstate(all="ignore"):
        agree(ours, "var", np.arange(6.0).reshape(2, 3) ** 2, axis=(-1,), correction=correction)


@pytest.mark.parametrize("kind", ["float16", "float32", "int32", "bool"])
@pytest.mark.parametrize("axis", [-1, -2])
@pytest.mark.parametrize("name", ["cumsum", "cumprod", "running_max", "running_min", "logcumsumexp"])
def test_running_values(ours, name, axis, kind):
    x = np.random.default_rng(1).uniform(-2, 2, (3, 37)).astype(kind)
    if (name == "logcumsumexp" and x.dtype.kind != "f") or (name.startswith("running") and kind == "bool"):
        x = x.astype("float32")
    agree(ours, name, x, axis=axis, rtol=4e-3 if kind == "float16" else 1e-5)


def test_running_extremes_keep_nan(ours):
    agree(ours, "running_max", np.array([1.0, NAN, 3.0, 2.0]), axis=-1)


def test_logcumsumexp_of_numbers_far_apart(ours):
    agree(ours, "logcumsumexp", np.array([-INF, -1000.0, 0.0, 1000.0, INF]), axis=-1)


def test_a_recurrence_out_of_range_is_done_again(ours):
    a, b = np.full((4, 2), 1e200), np.array([[1.0, 0.0]] * 4) * 1e-300
    doubled = np.array([[1e-300, 0.0], [1e-100, NAN], [1e100, NAN], [INF, NAN]])
    agree(ours, "recurrence_repaired", a, b, doubled)


# -- places
INDEX = np.array([[2, 0], [1, 1], [-1, 3]])


@pytest.mark.parametrize("kind", KINDS)
def test_gather_and_its_transpose(ours, kind):
    x = np.random.default_rng(2).uniform(0, 3, (3, 4)).astype(kind)
    agree(ours, "read_along", x, INDEX, -1)
    agree(ours, "read_along", x.T, INDEX.T, 0)
    agree(ours, "read_along", x, INDEX[:2, :1], 1)
    agree(ours, "sum_along", (3, 4), INDEX, x[:, :2], -1, rtol=2e-3 if kind == "float16" else 1e-6)
    agree(ours, "sum_along", (4, 5), INDEX[:, :1], x[:, :2], 0, rtol=2e-3 if kind == "float16" else 1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_writing_along_an_axis(ours, kind):
    index = np.array([[2, 0], [1, 3]])
    values = np.random.default_rng(3).uniform(0, 3, (2, 2)).astype(kind)
    want, got = np.zeros((3, 4), kind), there(np.zeros((3, 4), kind))
    NUMPY.xp.put_along(want, index, values, -1)
    ours.put_along(got, there(index), there(values), -1)
    np.testing.assert_array_equal(back(got), want)
    ours.put_along(got, there(index), 1, -1)
    assert back(got)[0, 2] == 1


@pytest.mark.parametrize("kind", ["float16", "float32", "float64", "int64", "uint8"])
@pytest.mark.parametrize("how", ["maximum", "minimum", "multiply"])
def test_folding_along_an_axis(ours, how, kind):
    values = np.array([[3, 2], [2, 3], [1, 5]], kind)
    want = np.arange(12).reshape(3, 4).astype(kind)
    got = there(want)
    NUMPY.xp.fold_along(want, INDEX, values, -1, how)
    ours.fold_along(got, there(INDEX), there(values), -1, how)
    np.testing.assert_array_equal(back(got), want)


def test_folding_complex128_is_refused(ours):
    z = there(np.zeros((1, 1), complex))
    with pytest.raises(TypeError, match="impossible on cuda"):
        ours.fold_along(z, there(np.array([[0]])), z, -1, "multiply")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "key", [(slice(None, 2),), (INDEX[:, 0],), (slice(None), INDEX[:, 0]), (INDEX[:, 0], INDEX[:, 1]), (1, INDEX)], ids=str
)
def test_adding_at_a_key(ours, key, kind):
    x = np.random.default_rng(4).uniform(0, 3, (4, 5)).astype(kind)
    values = x[key]
    on_device = tuple(map(there, key))
    got = ours.index_add((4, 5), x.dtype, on_device, there(values))
    np.testing.assert_allclose(back(got), NUMPY.xp.index_add((4, 5), x.dtype, key, values), rtol=2e-3)
    z, moved = x.copy(), there(x)
    NUMPY.xp.add_into(z, key, values)
    ours.add_into(moved, on_device, there(values))
    np.testing.assert_allclose(back(moved), z, rtol=2e-3)


@pytest.mark.parametrize("values", [np.array(7.0), np.array([1.0, 2.0, 3.0])], ids=["one", "list"])
def test_values_where_a_mask_holds(ours, values):
    mask = np.array([[True, False], [False, True], [True, False]])
    want, got = np.zeros((3, 2)), there(np.zeros((3, 2)))
    NUMPY.xp.put_where(want, mask, values)
    ours.put_where(got, there(mask), there(values))
    np.testing.assert_array_equal(back(got), want)


# -- windows
@pytest.mark.parametrize("kind", ["float16", "float32", "int64"])
@pytest.mark.parametrize("ceil_mode", [False, True])
@pytest.mark.parametrize("spatial", [1, 2, 3])
def test_pooling(ours, spatial, ceil_mode, kind):
    x = np.random.default_rng(5).integers(0, 4, (2, 3, 7, 6, 5)[: 2 + spatial]).astype(kind)
    window = {"kernel": (3,) * spatial, "stride": (2,) * spatial, "padding": (1,) * spatial, "ceil_mode": ceil_mode}
    for name in ("pool_max", "pool_max_at"):
        agree(ours, name, x, **window)
    if kind == "int64":
        return
    for more in ({}, {"count_include_pad": False}, {"divisor_override": 5}):
        agree(ours, "pool_mean", x, **window, **more, rtol=2e-3)
        ct = NUMPY.xp.pool_mean(x, **window, **more)
        agree(ours, "pool_mean_ct", ct, x.shape[2:], **window, **more, rtol=2e-3)


def test_pooling_finds_the_last_nan(ours):
    agree(ours, "pool_max_at", np.array([[1.0, NAN, NAN, 0.0], [2.0, 2.0, 1.0, 0.0]]), kernel=(4,))
    agree(ours, "pool_max_at", np.array([[1.0, -INF, -INF, -INF]]), kernel=(2,), dilation=2)


CONVOLUTIONS = [
    {"stride": 1, "padding": 0, "dilation": 1, "groups": 1},
    {"stride": 2, "padding": 1, "dilation": 1, "groups": 2},
    {"stride": 1, "padding": (2, 1), "dilation": 2, "groups": 1},
    {"stride": (2, 3), "padding": ((1, 0), (-1, 2)), "dilation": 1, "groups": 1},
]


@pytest.mark.parametrize("kind", ["float16", "float32", "complex64"])
@pytest.mark.parametrize("settings", CONVOLUTIONS, ids=range(len(CONVOLUTIONS)))
def test_convolution_and_its_transposes(ours, settings, kind):
    rng = np.random.default_rng(6)
    x, w = rng.normal(size=(2, 4, 7, 8)).astype(kind), rng.normal(size=(6, 4 // settings["groups"], 3, 2)).astype(kind)
    rtol = 2e-2 if kind == "float16" else 1e-5
    agree(ours, "conv_forward", x, w, **settings, rtol=rtol)
    ct = rng.normal(size=NUMPY.xp.conv_forward(x, w, **settings).shape).astype(kind)
    agree(ours, "conv_input", ct, w, x.shape, **settings, rtol=rtol)
    agree(ours, "conv_weight", ct, x, w.shape, **settings, rtol=3 * rtol)


LAUNCHES = {"conv_forward": 3, "conv_input": 2, "conv_weight": 3}


@pytest.mark.parametrize("name", LAUNCHES)
def test_launches_of_a_convolution(ours, name):
    hostcuda = pytest.importorskip("hostcuda", reason="only hostcuda can count and refuse copies")
    x, w = there(np.ones((4, 3, 8, 8), "f")), there(np.ones((6, 3, 3, 3), "f"))
    y = ours.conv_forward(x, w, padding=1)
    operands = {"conv_forward": (x, w), "conv_input": (y, w, x.shape), "conv_weight": (y, x, w.shape)}[name]
    getattr(ours, name)(*operands, padding=1)
    with hostcuda.counting() as counts:
        getattr(ours, name)(*operands, padding=1)
    assert counts["launch"] == LAUNCHES[name] and counts["library"] == 1


@pytest.mark.parametrize("shapes", [((2, 3), (3, 4)), ((5, 2, 3), (3, 4)), ((2, 3), (5, 3, 4)), ((0, 2, 3), (3, 4)), ((3,), (3, 4))])
@pytest.mark.parametrize("kind", ["float32", "complex64", "int32"])
def test_products(ours, shapes, kind):
    a, b = [np.random.default_rng(12).uniform(-3, 3, shape).astype(kind) for shape in shapes]
    agree(ours, "matmul", a, b, rtol=1e-5)


# -- linear algebra
@pytest.mark.parametrize("name", ["inv", "solve", "cholesky"])
@pytest.mark.parametrize("lead", [(), (2,)])
def test_a_matrix_that_cannot_be_solved_with_raises(ours, name, lead):
    a = there(np.zeros((*lead, 3, 3)))
    with pytest.raises(np.linalg.LinAlgError):
        getattr(ours.linalg, name)(*[a] * (2 if name == "solve" else 1))


def test_solve_broadcasts(ours):
    a = np.random.default_rng(7).normal(size=(2, 1, 3, 3)) + 3 * np.eye(3)
    b = np.random.default_rng(8).normal(size=(4, 3, 2))
    np.testing.assert_allclose(back(ours.linalg.solve(there(a), there(b))), np.linalg.solve(a, b), rtol=1e-10)


@pytest.mark.parametrize("upper", [True, False])
@pytest.mark.parametrize("unit", [True, False])
def test_substitution(ours, upper, unit):
    a = np.random.default_rng(9).normal(size=(2, 1, 5, 5)) + 3 * np.eye(5)
    b = np.random.default_rng(10).normal(size=(4, 5, 2))
    triangle = np.triu(a, int(unit)) if upper else np.tril(a, -int(unit))
    want = np.linalg.solve(triangle + unit * np.eye(5), b)
    got = ours.fused_small_triangle_solved(there(a), there(b), upper=upper, unit=unit)
    np.testing.assert_allclose(back(got), want, rtol=1e-10)


def test_substitution_on_a_zero_gives_what_dividing_does(ours):
    got = ours.fused_small_triangle_solved(there(np.zeros((1, 1))), there(np.array([[1.0, 0.0]])), upper=True, unit=False)
    np.testing.assert_array_equal(back(got), [[INF, NAN]])
