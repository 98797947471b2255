"""Powers and activations against decimal arithmetic, and at their limits against PyTorch."""

from decimal import Decimal, localcontext

import numpy as np
import pytest

from gradkit.backend.cpu import elementary
from gradkit.backend.cpu.blocks import blockwise, in_blocks

FLOATS = [np.float16, np.float32, np.float64]
SPECIAL = [0, 1, 2, 3, 4, 5, -1, -2, -3, 0.5, 1.5, 2.5, -0.5, -1.5]


def last_place_errors(computed, witness, x):
    """Errors in units in the last place, the witness being a function of exact numbers."""
    tiny = np.finfo(computed.dtype).smallest_normal
    with localcontext(prec=40):
        exact = [witness(Decimal(float(v))) for v in x]
        units = np.spacing(np.maximum(np.abs(computed), tiny))
        triples = zip(computed, exact, units, strict=True)
        return [float(abs(Decimal(float(c)) - e) / Decimal(float(u))) for c, e, u in triples]


@pytest.mark.parametrize("p", [*SPECIAL, 6, 1.7, -4])
@pytest.mark.parametrize(("dtype", "bound"), [(np.float16, 0.51), (np.float32, 3), (np.float64, 3)])
def test_power_error_in_last_place(p, dtype, bound):
    x = np.exp(np.random.default_rng(0).uniform(-1.8, 1.8, 300)).astype(dtype)
    y = elementary.power(x, p)
    assert y.dtype == dtype
    exponent = Decimal(float(dtype(p)))  # what a 0-d array of that dtype would hold
    exact = exponent if dtype != np.float16 else Decimal(float(np.float32(p)))
    assert max(last_place_errors(y, lambda v: v**exact, x)) <= bound


@pytest.mark.parametrize("make", [int, float, np.float32, np.int64, np.array])
def test_exponent_may_be_any_scalar(make):
    x = np.linspace(1, 2, 5)
    np.testing.assert_array_equal(elementary.power(x, make(3)), x * x * x)


@pytest.mark.parametrize("p", [2, 3, 4, 5, 0, 1])
def test_integer_and_complex_powers(p):
    x = np.arange(-4, 5)
    np.testing.assert_array_equal(elementary.power(x, p), x**p, strict=True)
    z = x + 0.5j
    np.testing.assert_allclose(elementary.power(z, p), np.array([v**p for v in z.tolist()]), rtol=1e-14)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("p", [*SPECIAL, 1.7])
def test_power_at_its_edges_is_that_of_torch(p, torch):
    x = np.array([-np.inf, -2.0, -0.0, 0.0, 1.0, np.inf, np.nan, 1e-300, 1e300])
    keep = x != -np.inf if p in (1.5, 2.5, -1.5) else slice(None)  # stated in the docstring
    expected = torch.pow(torch.tensor(x), p).numpy()
    np.testing.assert_array_equal(elementary.power(x, p)[keep], expected[keep])


def test_multiplied_powers_neither_overflow_nor_underflow_early():
    x = np.array([1e-19, 1e19], np.float32)
    np.testing.assert_allclose(elementary.power(x, -2), x.astype(float) ** -2, rtol=1e-6)
    np.testing.assert_allclose(elementary.power(x, 1.5), x.astype(float) ** 1.5, rtol=1e-6)
    y = np.array([1e-15, 1e15], np.float32)
    np.testing.assert_allclose(elementary.power(y, 2.5), y.astype(float) ** 2.5, rtol=1e-6)


@pytest.mark.parametrize("n", range(1, 12))
def test_integer_power(n):
    x = np.linspace(-1.5, 1.5, 31)
    np.testing.assert_allclose(elementary.integer_power(x, n), x**n, rtol=1e-14)


def sigmoid(x):
    return 1 / (1 + (-x).exp())


def log_sigmoid(x):
    return -softplus(-x)


def softplus(x):
    # log(1 + e) for small e as its series, so that 40 digits are enough.
    e = (-abs(x)).exp()
    small = e - e * e / 2 + e**3 / 3 - e**4 / 4 if e < Decimal("1e-12") else (1 + e).ln()
    return max(x, Decimal(0)) + small


ACTIVATIONS = {
    "sigmoid": (elementary.sigmoid, sigmoid),
    "log_sigmoid": (elementary.log_sigmoid, log_sigmoid),
    "softplus": (lambda x: elementary.softplus(x, threshold=np.inf), softplus),
}


@pytest.mark.parametrize(("dtype", "bound"), [(np.float16, 0.51), (np.float32, 3.5), (np.float64, 3)])
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activation_error_in_last_place(name, dtype, bound):
    function, witness = ACTIVATIONS[name]
    x = np.concatenate([np.linspace(-9, 9, 200), np.linspace(-80, 80, 100)]).astype(dtype)
    assert max(last_place_errors(function(x), witness, x)) <= bound


@pytest.mark.parametrize("dtype", FLOATS)
def test_activations_at_infinity(dtype):
    x = np.array([-np.inf, np.inf, np.nan], dtype)
    np.testing.assert_array_equal(elementary.sigmoid(x), np.array([0, 1, np.nan], dtype), strict=True)
    np.testing.assert_array_equal(elementary.log_sigmoid(x), np.array([-np.inf, 0, np.nan], dtype), strict=True)
    np.testing.assert_array_equal(elementary.softplus(x), np.array([0, np.inf, np.nan], dtype), strict=True)


def test_sigmoid_of_complex_numbers(torch):
    z = np.random.default_rng(1).standard_normal((6000, 2)) @ np.array([1, 1j])
    np.testing.assert_allclose(elementary.sigmoid(z), torch.sigmoid(torch.tensor(z)).numpy(), rtol=1e-12)


@pytest.mark.parametrize(("beta", "threshold"), [(1.0, 20.0), (2.0, 5.0), (0.5, 1.0), (-1.0, 20.0)])
def test_softplus_is_that_of_torch(beta, threshold, torch):
    x = np.linspace(-30, 30, 241)
    expected = torch.nn.functional.softplus(torch.tensor(x), beta, threshold).numpy()
    np.testing.assert_allclose(elementary.softplus(x, beta, threshold), expected, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("approximate", ["none", "tanh"])
@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float16, 1e-3), (np.float32, 5e-7), (np.float64, 1e-15)])
def test_gelu_is_that_of_torch(approximate, dtype, tolerance, torch):
    x = np.linspace(-8, 8, 801).astype(dtype)
    expected = torch.nn.functional.gelu(torch.tensor(x.astype(float)), approximate=approximate).numpy()
    np.testing.assert_allclose(elementary.gelu(x, approximate), expected, rtol=4 * np.finfo(dtype).eps, atol=tolerance)


@pytest.mark.parametrize("size", [0, 1, 5, 4096, 4097, 70_000])
@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("name", ["sigmoid", "log_sigmoid", "softplus", "gelu"])
def test_blocks_leave_no_seam(name, dtype, size):
    function = getattr(elementary, name)
    x = np.random.default_rng(2).standard_normal(size).astype(dtype)
    y = function(x)
    assert y.shape == x.shape and y.dtype == dtype and y.base is None
    np.testing.assert_allclose(y[::37], function(x[::37]), rtol=8 * np.finfo(dtype).eps, atol=8 * np.finfo(dtype).eps)


@pytest.mark.parametrize("shape", [(), (7,), (300, 500), (0, 3)])
def test_in_blocks_keeps_order_and_owns_its_memory(shape):
    x = np.random.default_rng(3).standard_normal(shape)
    for view in (x, x.T, x[::-1] if shape else x, x[..., ::2] if shape else x):
        y = in_blocks(lambda source, out: np.multiply(source, 2, out=out), view)
        np.testing.assert_array_equal(y, 2 * view)
        assert not isinstance(y, np.ndarray) if shape == () else y.base is None


def test_blockwise_gives_half_precision_as_single():
    seen = []

    def single(x, out):
        seen.append((x.dtype, out.dtype))
        out[:] = x

    assert blockwise(np.ones(3, np.float16), single, double=None).dtype == np.float16
    assert seen == [(np.float32, np.float32)]
