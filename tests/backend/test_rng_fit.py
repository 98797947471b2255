"""What a generator draws fits the distribution that was asked for. The seeds are fixed: no test fails by bad luck."""

import math

import numpy as np
import pytest

from gradkit.backend.rng import Generator


def seeded(seed):
    return Generator().manual_seed(seed)


def largest_gap(numbers, distribution):
    """Kolmogorov and Smirnov's statistic times sqrt(n): above 1.95 once in a thousand samples."""
    expected = distribution(np.sort(numbers.astype(np.float64)))
    places = np.arange(numbers.size + 1) / numbers.size
    return max(np.abs(expected - places[1:]).max(), np.abs(expected - places[:-1]).max()) * math.sqrt(numbers.size)


def normal_distribution(x):
    return np.array([math.erfc(-each / math.sqrt(2)) / 2 for each in x])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_numbers_fit_their_distributions(dtype):
    own = seeded(2024)
    assert largest_gap(own.uniform(20_000, dtype, -2, 3), lambda x: (x + 2) / 5) < 1.95
    assert largest_gap(own.normal(20_000, dtype, 3, 2), lambda x: normal_distribution((x - 3) / 2)) < 1.95
    few = np.concatenate([own.normal(7, dtype) for _ in range(1000)])
    assert largest_gap(few, normal_distribution) < 1.95
    assert largest_gap(own.exponential(20_000, dtype, 3.0), lambda x: 1 - np.exp(-3 * x)) < 1.95


def chi_squared(counts, expected):
    """Pearson's statistic in standard deviations from its mean; above 4 about once in ten thousand samples."""
    statistic = ((counts - expected) ** 2 / expected).sum()
    freedom = len(counts) - 1
    return (statistic - freedom) / math.sqrt(2 * freedom)


def test_counts_fit_their_distributions():
    own = seeded(7)
    assert chi_squared(np.bincount(own.randint(0, 37, 37_000, np.int64)), np.full(37, 1000)) < 4
    weights = np.arange(1.0, 11)
    for counts in [
        np.bincount(own.multinomial(weights, 55_000, replacement=True)),
        np.bincount(own.multinomial(np.tile(weights, (55_000, 1)), 2)[:, 0]),
    ]:
        assert chi_squared(counts, weights * 1000) < 4
    orders = [tuple(own.randperm(4, np.int64)) for _ in range(4800)]
    assert chi_squared(np.unique(orders, axis=0, return_counts=True)[1], np.full(24, 200)) < 4
    for ones in [own.bernoulli(0.3, 10_000, np.bool_), own.bernoulli(np.float32(0.3), 10_000, np.bool_)]:
        assert chi_squared(np.bincount(ones), np.array([7000, 3000])) < 4
    assert chi_squared(np.bincount(own.keep_mask(10_000, 0.8)), np.array([8000, 2000])) < 4
