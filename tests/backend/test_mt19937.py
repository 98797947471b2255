"""The words are MT19937's, and the swaps of a shuffle are made one after another, whatever the order of the work."""

import subprocess
import sys

import numpy as np
import pytest

from gradkit.backend.mt19937 import Stream, shuffled


@pytest.mark.parametrize("seed", [0, 5489, 2**32 - 1])
def test_words_are_those_of_the_reference_engine(seed):
    expected = np.random.RandomState(seed).randint(0, 2**32, 2000, np.uint32)
    np.testing.assert_array_equal(Stream(seed).words(2000), expected)
    np.testing.assert_array_equal(Stream(seed + 2**40).words(2000), expected)


def test_ten_thousandth_word_is_the_published_one():
    # ISO C++ [rand.predef] states it for the default seed, 5489.
    assert Stream(5489).words(10_000)[-1] == 4123659995


def test_first_word_of_a_pair_is_on_top():
    high, low = Stream(3).words(2).tolist()
    assert Stream(3).word_pairs(1).tolist() == [high << 32 | low]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_units_do_not_depend_on_blocks(dtype):
    whole, parts = Stream(1), Stream(1)
    counts = [1, 2**15 - 1, 2**15, 2**15 + 1, 5]
    drawn = [parts.units(count, np.dtype(dtype)) for count in counts]
    np.testing.assert_array_equal(np.concatenate(drawn), whole.units(sum(counts), np.dtype(dtype)))


@pytest.mark.parametrize("p", [0.0, 2.0**-53, 0.3, 1 - 2.0**-53, 1.0])
def test_below_compares_as_floats_do(p):
    np.testing.assert_array_equal(Stream(1).below(p, 40_000), Stream(1).units(40_000, np.dtype("float64")) < p)


def test_shuffled_makes_the_swaps_in_order():
    random_numbers = np.random.default_rng(0)
    for n in [*range(8), 100, 1000]:
        offsets = random_numbers.integers(0, 2**32, n) % np.arange(n, 0, -1)
        expected = list(range(n))
        for i, offset in enumerate(offsets.tolist()):
            expected[i], expected[i + offset] = expected[i + offset], expected[i]
        assert shuffled(offsets).tolist() == expected


def test_numpy_random_waits_for_the_first_draw():
    program = """if True:
        import sys
        from gradkit.backend import rng
        rng.default_generator.manual_seed(3)
        assert "numpy.random" not in sys.modules
        rng.default_generator.uniform(1, "float32")
        assert "numpy.random" in sys.modules
    """
    subprocess.run([sys.executable, "-c", program], check=True)
