"""The special functions against sums of their series in decimal arithmetic, far more digits than are compared."""

import functools
import math
from decimal import Decimal, localcontext
from fractions import Fraction
from types import SimpleNamespace

import numpy as np
import pytest

from gradkit.backend.numpy import SPECIAL

special = SimpleNamespace(**SPECIAL)

PI = Decimal("3.14159265358979323846264338327950288419716939937510582097494459230781640628620899")
HALF_PI_ROOT = Decimal("0.88622692545275801364908374167057259139877472806119356410690")


def at_precision(exact):
    """Run a witness with 60 digits, and return what it computes from the float it is given, exactly."""

    @functools.wraps(exact)
    def run(x, *args):
        with localcontext(prec=60):
            return exact(Decimal(float(x)), *args)

    return run


def erf_series(x):
    """2/sqrt(pi) exp(-x**2) times the sum of 2**n x**(2n+1) / (2n+1)!!, whose terms are of one sign."""
    term = total = x
    n = 0
    while abs(term) > abs(total) * Decimal("1e-60"):
        n += 1
        term *= 2 * x * x / (2 * n + 1)
        total += term
    return total * (-x * x).exp() / HALF_PI_ROOT


@at_precision
def erf(x):
    return erf_series(x)


@at_precision
def erfc(x):
    if x < 2:
        return 1 - erf_series(x)
    # The continued fraction of Laplace, from the inside out.
    tail = x
    for n in range(800, 0, -1):
        tail = x + Decimal(n) / 2 / tail
    return (-x * x).exp() / (2 * HALF_PI_ROOT * tail)


def erfcx(x):
    with localcontext(prec=60):
        return erfc(x) * (Decimal(float(x)) ** 2).exp()


def ndtr(x):
    with localcontext(prec=60):
        return erfc_of(-Decimal(float(x)) / Decimal(2).sqrt()) / 2


def erfc_of(x):
    return erfc.__wrapped__(x)


def log_ndtr(x):
    with localcontext(prec=60):
        return (1 - ndtr(-x)).ln() if x > 0 else ndtr(x).ln()


@functools.cache
def bernoulli(n):
    return -sum(Fraction(math.comb(n + 1, k)) * bernoulli(k) for k in range(n)) / (n + 1) if n else Fraction(1)


def decimal(fraction):
    return Decimal(fraction.numerator) / Decimal(fraction.denominator)


@at_precision
def lgamma(x):
    product, y = Decimal(1), x
    while y < 40:
        product *= y
        y += 1
    series = sum(decimal(bernoulli(2 * k)) / (2 * k * (2 * k - 1)) / y ** (2 * k - 1) for k in range(1, 30))
    return (y - Decimal("0.5")) * y.ln() - y + (2 * PI).ln() / 2 + series - product.ln()


@at_precision
def digamma(x):
    total, y = Decimal(0), x
    while y < 40:
        total -= 1 / y
        y += 1
    return total + y.ln() - 1 / (2 * y) - sum(decimal(bernoulli(2 * k)) / (2 * k) / y ** (2 * k) for k in range(1, 30))


@at_precision
def polygamma(x, n):
    s, total, y = n + 1, Decimal(0), x
    while y < 60:
        total += y**-s
        y += 1
    total += y ** (1 - s) / (s - 1) + y**-s / 2
    for k in range(1, 30):
        rising = math.factorial(s + 2 * k - 2) // math.factorial(s - 1)
        total += decimal(bernoulli(2 * k)) / math.factorial(2 * k) * rising * y ** (1 - s - 2 * k)
    return (-1) ** s * math.factorial(n) * total


def bessel(order, scaled):
    @at_precision
    def exact(x):
        term = total = (x / 2) ** order
        k = 0
        while abs(term) > abs(total) * Decimal("1e-60"):
            k += 1
            term *= x * x / 4 / (k * (k + order))
            total += term
        return total * (-abs(x)).exp() if scaled else total

    return exact


def spread(low, high, count=150):
    """Numbers from low to high, even and logarithmic, on both sides of zero where the range is."""
    rng = np.random.default_rng(7)
    even = rng.uniform(low, high, count)
    small = np.exp(rng.uniform(np.log(1e-12), np.log(high), count // 3))
    return np.concatenate([even, small, -small[::3] if low < 0 else small[:0]])


NEAR = np.linspace(-0.1, 0.1, 80)

# What is computed, the witness, numbers to try, and the largest error in units in the last place: float32, float64.
# Where a bound is 0.51, single precision is computed in double.
CASES = {
    "erf": (special.erf, erf, spread(-6, 6), 2.5, 2.5),
    "erfc": (special.erfc, erfc, spread(-6, 9), 1.5, 3.5),
    "erfc far out": (special.erfc, erfc, spread(9, 26)[:150], None, 3.5),
    "erfcx": (special.erfcx, erfcx, spread(-5, 40), 1.5, 3),
    "ndtr": (special.ndtr, ndtr, spread(-12, 8), 1.5, 4),
    "log_ndtr": (special.log_ndtr, log_ndtr, spread(-30, 12), 1.5, 4),
    "lgamma": (special.lgamma, lgamma, spread(1e-3, 15), 0.51, 3),
    "lgamma of large numbers": (special.lgamma, lgamma, spread(15, 1e5), 0.51, 3),
    "lgamma near its zeros": (special.lgamma, lgamma, np.r_[1 + NEAR, 2 + NEAR], 0.51, 3),
    "digamma": (special.digamma, digamma, spread(1e-3, 15), 0.51, 6),
    "digamma near its zero": (special.digamma, digamma, 1.4616 + NEAR, 0.51, 6),
    "digamma of large numbers": (special.digamma, digamma, spread(15, 1e5), 0.51, 3),
    "polygamma 1": (lambda x: special.polygamma(1, x), lambda x: polygamma(x, 1), spread(1e-2, 50), 0.51, 6),
    "polygamma 4": (lambda x: special.polygamma(4, x), lambda x: polygamma(x, 4), spread(1e-2, 50), 0.51, 10),
    "i0": (special.i0, bessel(0, scaled=False), spread(-60, 60), 0.51, 6),
    "i0e": (special.i0e, bessel(0, scaled=True), spread(-60, 60), 0.51, 6),
    "i1": (special.i1, bessel(1, scaled=False), spread(-60, 60), 0.51, 6),
    "i1e": (special.i1e, bessel(1, scaled=True), spread(-60, 60), 0.51, 6),
}


def last_place(values):
    return np.spacing(np.maximum(np.abs(values), np.finfo(values.dtype).smallest_normal))


def errors(computed, exact):
    with localcontext(prec=60):
        return [
            float(abs(Decimal(float(c)) - e) / Decimal(float(unit)))
            for c, e, unit in zip(computed, exact, last_place(computed), strict=True)
        ]


BOUNDS = [
    (name, dtype, bound)
    for name, (*_, single, double) in CASES.items()
    for dtype, bound in [(np.float16, 0.51), (np.float32, single), (np.float64, double)]
    if bound is not None
]


@pytest.mark.parametrize(("name", "dtype", "bound"), BOUNDS)
def test_error_in_last_place(name, dtype, bound):
    function, witness, numbers, *_ = CASES[name]
    largest = float(np.finfo(dtype).max)
    x = numbers[np.abs(numbers) <= largest].astype(dtype)
    x = x[x != 0]
    exact = [witness(v) for v in x]
    fits = np.array([abs(e) <= largest for e in exact])
    y = function(x)
    assert y.dtype == dtype
    assert max(errors(y[fits], [e for e, fit in zip(exact, fits, strict=True) if fit])) <= bound


@pytest.mark.parametrize(("dtype", "bound"), [(np.float16, 0.51), (np.float32, 2.6), (np.float64, 2.6)])
def test_erfinv_error_in_last_place(dtype, bound):
    near_one = 1 - np.exp(-np.linspace(1, {2: 7, 4: 16, 8: 36}[np.dtype(dtype).itemsize], 100))
    x = np.unique(np.concatenate([spread(-0.999, 0.999), near_one, -near_one]).astype(dtype))
    x = x[np.abs(x) < 1]
    y = special.erfinv(x)
    with localcontext(prec=60):
        # One Newton step from the result, whose error is the step.
        misses = [erfc(abs(b)) - (1 - abs(Decimal(float(a)))) for a, b in zip(x, y, strict=True)]
        steps = [float(abs(m) * HALF_PI_ROOT * (Decimal(float(b)) ** 2).exp()) for m, b in zip(misses, y, strict=True)]
    assert np.max(np.array(steps) / last_place(y)) <= bound


@pytest.mark.parametrize(("dtype", "bound"), [(np.float32, 0.51), (np.float64, 4)])
def test_ndtri_error_in_last_place(dtype, bound):
    tiny = np.exp(-np.linspace(1, 85 if dtype == np.float32 else 700, 100))
    p = np.unique(np.concatenate([np.linspace(0.001, 0.999, 200), tiny, 1 - tiny[:20]]).astype(dtype))
    p = p[(p > 0) & (p < 1)]
    x = special.ndtri(p)
    with localcontext(prec=60):
        steps = []
        for probability, quantile in zip(p, x, strict=True):
            density = (-(Decimal(float(quantile)) ** 2) / 2).exp() / (2 * PI).sqrt()
            steps.append(float(abs(ndtr(quantile) - Decimal(float(probability))) / density))
    assert np.max(np.array(steps) / last_place(x)) <= bound


LIMITS = {
    "erf": ([-np.inf, -0.0, 0.0, np.inf, np.nan], [-1, -0.0, 0, 1, np.nan]),
    "erfc": ([-np.inf, 0.0, 30.0, np.inf, np.nan], [2, 1, 0, 0, np.nan]),
    "erfcx": ([-np.inf, -30.0, 0.0, np.inf, np.nan], [np.inf, np.inf, 1, 0, np.nan]),
    "erfinv": ([-1.0, -0.0, 1.0, 1.5, -np.inf, np.nan], [-np.inf, -0.0, np.inf, np.nan, np.nan, np.nan]),
    "ndtr": ([-np.inf, 0.0, np.inf, np.nan], [0, 0.5, 1, np.nan]),
    "log_ndtr": ([-np.inf, np.inf, np.nan], [-np.inf, -0.0, np.nan]),
    "ndtri": ([0.0, 0.5, 1.0, -0.1, 1.1, np.nan], [-np.inf, 0, np.inf, np.nan, np.nan, np.nan]),
    "lgamma": ([0.0, 1.0, 2.0, -3.0, np.inf, -np.inf, np.nan], [np.inf, 0, 0, np.inf, np.inf, np.inf, np.nan]),
    "digamma": ([0.0, -0.0, -2.0, np.inf, np.nan], [-np.inf, np.inf, np.nan, np.inf, np.nan]),
    "i0": ([0.0, np.inf, -np.inf, np.nan], [1, np.inf, np.inf, np.nan]),
    "i0e": ([0.0, np.inf, -np.inf, np.nan], [1, 0, 0, np.nan]),
    "i1": ([0.0, np.inf, -np.inf, np.nan], [0, np.inf, -np.inf, np.nan]),
    "i1e": ([0.0, np.inf, -np.inf, np.nan], [0, 0, -0.0, np.nan]),
}


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("name", LIMITS)
def test_limits(name, dtype):
    x, y = LIMITS[name]
    result, expected = getattr(special, name)(np.array(x, dtype)), np.array(y, dtype)
    np.testing.assert_array_equal(result, expected, strict=True)
    np.testing.assert_array_equal(
        np.copysign(1, result)[~np.isnan(result)], np.copysign(1, expected[~np.isnan(result)])
    )


@pytest.mark.parametrize("name", ["erf", "erfc", "ndtr", "log_ndtr"])
@pytest.mark.parametrize(("dtype", "count"), [(np.float32, 2001), (np.float64, 200_001)])
def test_monotone_where_steps_exceed_the_error(name, dtype, count):
    steps = np.diff(getattr(special, name)(np.linspace(-7, 7, count, dtype=dtype)))
    assert np.all(steps <= 0) if name == "erfc" else np.all(steps >= 0)


@pytest.mark.parametrize("name", ["lgamma", "digamma"])
def test_negative_numbers_absolutely(name, scipy):
    # Relatively, the error grows without bound towards the zeros between the poles.
    x = -np.random.default_rng(3).uniform(0, 30, 500)
    witness = {"lgamma": scipy.special.gammaln, "digamma": scipy.special.digamma}[name](x)
    np.testing.assert_allclose(getattr(special, name)(x), witness, rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize("n", [1, 2, 3, 6])
def test_polygamma_of_negative_numbers_by_recurrence(n):
    # psi_n(x + 1) = psi_n(x) + (-1)**n n! / x**(n + 1), which relates each side of zero to the other.
    x = -np.random.default_rng(4).uniform(0.1, 0.9, 50)
    step = (-1) ** n * math.factorial(n) / x ** (n + 1)
    np.testing.assert_allclose(special.polygamma(n, x), special.polygamma(n, x + 1) - step, rtol=1e-12, atol=1e-12)


def test_polygamma_of_order_zero_is_digamma():
    x = np.linspace(0.1, 5, 20)
    np.testing.assert_array_equal(special.polygamma(0, x), special.digamma(x))


def test_negative_order_raises():
    with pytest.raises(ValueError, match="must not be negative, got -1"):
        special.polygamma(-1, np.ones(3))


@pytest.mark.parametrize("name", SPECIAL)
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_layouts_and_blocks(name, dtype):
    function = getattr(special, name) if name != "polygamma" else lambda x: special.polygamma(1, x)
    x = np.random.default_rng(5).uniform(0.05, 0.95, (70, 420)).astype(dtype)
    y = function(x.reshape(-1)).reshape(x.shape)
    # Columns of a matrix product may be rounded differently by where they stand.
    close = {"rtol": 8 * np.finfo(dtype).eps, "atol": 8 * np.finfo(dtype).eps}
    for view, expected in [(x.T, y.T), (x[::-2, 1::3], y[::-2, 1::3]), (x[:, ::-1], y[:, ::-1])]:
        result = function(view)
        assert result.dtype == dtype
        assert result.base is None
        np.testing.assert_allclose(result, expected, **close)
    assert function(x[:0]).shape == (0, 420)
    assert type(function(x[0, 0])) is dtype
    np.testing.assert_allclose(function(np.array(x[0, 0])), y[0, 0], **close)


@pytest.mark.parametrize("name", sorted(SPECIAL.keys() - {"polygamma"}))
def test_other_dtypes_raise(name):
    with pytest.raises(TypeError, match="float16, float32 or float64, got int64"):
        getattr(special, name)(np.arange(3))
