"""A generator's numbers are PyTorch's for the same seed and the same calls."""

import copy
import itertools
import math
import pickle
import random
import sys
import threading

import numpy as np
import pytest

from gradkit.backend import rng
from gradkit.backend.ranges import rounded
from gradkit.backend.rng import Generator, default_generator
from gradkit.engine.device import device

SEEDS = [0, 1, 42, 2**31, 2**32 - 1, 2**32 + 42, 2**64 - 1, -1, -42, -(2**63)]
SIZES = [0, 1, 2, 3, 15, 16, 17, 31, 32, 100]
LARGE = 1_000_003
FLOATS = ["float16", "float32", "float64"]
INTEGERS = ["uint8", "int8", "int16", "int32", "int64"]


def seeded(seed):
    return Generator().manual_seed(seed)


def pair_of(torch, seed):
    """PyTorch's generator and ours from one seed."""
    peer = torch.Generator()
    peer.manual_seed(seed)
    return peer, seeded(seed)


def assert_in_step(torch, peer, ours):
    """The next words are the same: neither has drawn one more than the other."""
    words = torch.randint(0, 2**40, (5,), generator=peer).numpy()
    np.testing.assert_array_equal(ours.randint(0, 2**40, 5, np.int64), words)


def assert_exact(ours, theirs):
    theirs = theirs.numpy()
    assert ours.dtype == theirs.dtype
    assert ours.shape == theirs.shape
    np.testing.assert_array_equal(ours, theirs)


def assert_rounded(ours, theirs):
    """Equal up to log, log1p, cos and sin, whose last bits differ between libraries."""
    theirs = theirs.numpy()
    assert ours.dtype == theirs.dtype
    assert ours.shape == theirs.shape
    # A 16-bit number was rounded from float32: it is the same or the next.
    tolerance = np.finfo(theirs.dtype).eps * (1 if theirs.dtype == np.float16 else 8)
    np.testing.assert_allclose(ours, theirs, rtol=tolerance, atol=tolerance)


def draws(torch):
    """What can be drawn, by name: how to compare, then (size, PyTorch's generator) and (size, ours) -> numbers."""

    def filled(fill, dtype, *args):
        return lambda n, g: getattr(torch.empty(n, dtype=getattr(torch, dtype)), fill)(*args, generator=g)

    def entry(dtype, compare, fill, ours, *args):
        return compare, filled(fill, dtype, *args), lambda n, g: getattr(g, ours)(n, dtype, *args)

    def probabilities(n, dtype):
        return np.linspace(0, 1, n, dtype=dtype)

    table = {}
    for dtype in FLOATS:
        bounds_compare = assert_rounded if dtype == "float64" else assert_exact
        table[f"uniform {dtype}"] = entry(dtype, assert_exact, "uniform_", "uniform")
        table[f"uniform bounds {dtype}"] = entry(dtype, bounds_compare, "uniform_", "uniform", -0.3, 0.4)
        table[f"normal {dtype}"] = entry(dtype, assert_rounded, "normal_", "normal")
        table[f"normal mean std {dtype}"] = entry(dtype, assert_rounded, "normal_", "normal", 0.5, 0.25)
        table[f"exponential {dtype}"] = entry(dtype, assert_rounded, "exponential_", "exponential", 1.5)
        table[f"bernoulli array {dtype}"] = (
            assert_exact,
            lambda n, g, dtype=dtype: torch.bernoulli(torch.from_numpy(probabilities(n, dtype)), generator=g),
            lambda n, g, dtype=dtype: g.bernoulli(probabilities(n, dtype), n, dtype),
        )
    for dtype in [*FLOATS, *INTEGERS, "bool"]:
        table[f"bernoulli {dtype}"] = (
            assert_exact,
            filled("bernoulli_", dtype, 0.3),
            lambda n, g, dtype=dtype: g.bernoulli(0.3, n, dtype),
        )
        low, high = (0, 2) if dtype == "bool" else (3, 101)
        table[f"randint {dtype}"] = (
            assert_exact,
            lambda n, g, d=dtype, b=(low, high): torch.randint(*b, (n,), dtype=getattr(torch, d), generator=g),
            lambda n, g, d=dtype, b=(low, high): g.randint(*b, n, d),
        )
    for dtype in ["complex64", "complex128"]:
        table[f"uniform {dtype}"] = (
            assert_exact,
            lambda n, g, dtype=dtype: torch.rand(n, dtype=getattr(torch, dtype), generator=g),
            lambda n, g, dtype=dtype: g.uniform(n, dtype),
        )
        table[f"normal {dtype}"] = entry(dtype, assert_rounded, "normal_", "normal", 2.0, 3.0)
    for dtype in ["int32", "int64", "float32"]:
        table[f"randperm {dtype}"] = (
            assert_exact,
            lambda n, g, dtype=dtype: torch.randperm(n, dtype=getattr(torch, dtype), generator=g),
            lambda n, g, dtype=dtype: g.randperm(n, dtype),
        )
    return table


@pytest.mark.parametrize("seed", SEEDS)
def test_streams_are_pytorchs(torch, seed):
    for (name, (compare, theirs, ours)), size in itertools.product(draws(torch).items(), SIZES):
        peer, own = pair_of(torch, seed)
        expected = theirs(size, peer)
        try:
            compare(ours(size, own), expected)
            assert_in_step(torch, peer, own)
        except AssertionError as difference:
            raise AssertionError(f"{name}, size {size}") from difference


@pytest.mark.parametrize("seed", range(40))
def test_interleaved_calls_stay_in_step(torch, seed):
    table, order = draws(torch), random.Random(seed)
    peer, own = pair_of(torch, seed)
    for _ in range(60):
        compare, theirs, ours = table[order.choice(list(table))]
        size = order.choice([*SIZES, 700, 5000])
        compare(ours(size, own), theirs(size, peer))
    assert_in_step(torch, peer, own)


def test_long_streams_are_pytorchs(torch):
    peer, own = pair_of(torch, 7)
    table = draws(torch)
    for name in ["uniform float32", "normal float32", "bernoulli float32", "randint int64", "randperm int64"]:
        compare, theirs, ours = table[name]
        compare(ours(LARGE, own), theirs(LARGE, peer))
    assert_in_step(torch, peer, own)


@pytest.mark.parametrize(
    ("low", "high"),
    [(0, 1), (0, 2**28 - 1), (0, 2**28), (-(2**31), 2**31 - 1), (-(2**40), 2**50), (-(2**63), 2**63 - 1)],
)
def test_wide_ranges_take_two_words(torch, low, high):
    peer, own = pair_of(torch, 3)
    assert_exact(own.randint(low, high, (50, 4), np.int64), torch.randint(low, high, (50, 4), generator=peer))
    assert_in_step(torch, peer, own)


@pytest.mark.parametrize(
    ("dtype", "low", "high"),
    [
        ("float16", 0, 2051),
        ("float16", -2051, 2051),
        ("float16", -65504, 65505),
        ("float32", 0, 2**24 + 3),
        ("float32", -(2**25) - 1, 2**25),
        ("float32", 0, 2**28),
        ("float64", 0, 2**62 - 1),
    ],
)
def test_integers_that_a_float_cannot_hold_are_kept_within_bounds(torch, dtype, low, high):
    peer, own = pair_of(torch, 3)
    with pytest.warns(UserWarning, match="out of bounds"):
        expected = torch.randint(low, high, (1000,), dtype=getattr(torch, dtype), generator=peer)
    with pytest.warns(UserWarning, match=f"{dtype} does not hold all integers"):
        numbers = own.randint(low, high, 1000, dtype)
    assert_exact(numbers, expected)
    assert_in_step(torch, peer, own)


@pytest.mark.parametrize(("dtype", "low", "high"), [("float16", 0, 1), ("float16", -1, 3), ("float32", 1e8, 1e8 + 64)])
def test_uniform_never_reaches_its_end(torch, dtype, low, high):
    peer, own = pair_of(torch, 0)
    numbers = own.uniform(100_000, dtype, low, high)
    assert numbers.max() < high
    assert_exact(numbers, torch.empty(100_000, dtype=getattr(torch, dtype)).uniform_(low, high, generator=peer))


def test_halves_are_rounded_from_singles(torch):
    between = np.array([1 + 2.0**-11 + 2.0**-30, -0.1, 70_000 / 7])
    assert_exact(rounded(between, np.dtype("float16")), torch.from_numpy(between).half())


@pytest.mark.parametrize("p", [0.0, 0.1, 0.5, 1.0])
def test_keep_mask_is_pytorchs_dropout(torch, p):
    own = seeded(11)
    with torch.random.fork_rng():
        torch.manual_seed(11)
        for shape in [(), (5,), (3, 0), (200, 200)]:
            kept = torch.nn.functional.dropout(torch.ones(shape), p) != 0
            assert_exact(own.keep_mask(shape, p), kept)
        assert_in_step(torch, torch.default_generator, own)


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize(("num_samples", "replacement"), [(1, True), (1, False), (2, True), (50, True), (2, False)])
def test_multinomial_is_pytorchs(torch, dtype, num_samples, replacement):
    # Weights are unlike each other, lest float16 ties: which of two equals comes first is nobody's promise.
    weights = (1.37 ** np.arange(12)).astype(dtype)
    tables = [weights, np.stack([weights, weights[::-1]]), weights[None, :0:-2]]
    for seed, probs in itertools.product(range(20), tables):
        peer, own = pair_of(torch, seed)
        expected = torch.multinomial(torch.from_numpy(probs.copy()), num_samples, replacement, generator=peer)
        assert_exact(own.multinomial(probs, num_samples, replacement), expected)
        assert_in_step(torch, peer, own)


@pytest.mark.parametrize("replacement", [True, False])
def test_multinomial_of_no_rows_is_empty(torch, replacement):
    assert_exact(seeded(0).multinomial(np.ones((0, 3)), 2, replacement), torch.multinomial(torch.ones(0, 3), 2))


@pytest.mark.parametrize("replacement", [True, False])
def test_many_multinomial_samples_are_pytorchs(torch, replacement):
    peer, own = pair_of(torch, 5)
    probs = np.linspace(1, 2, 1000, dtype=np.float32)
    expected = torch.multinomial(torch.from_numpy(probs), 1000, replacement, generator=peer)
    assert_exact(own.multinomial(probs, 1000, replacement), expected)


@pytest.mark.parametrize("seed", [*SEEDS, 2**64, -(2**63) - 1, 1.5, "1", None, True])
def test_seeds_are_taken_and_refused_as_in_pytorch(torch, seed):
    def outcome(generator):
        try:
            generator.manual_seed(seed)
        except Exception as refusal:
            return type(refusal)
        return generator.initial_seed()

    assert outcome(Generator()) == outcome(torch.Generator())


def test_fresh_generators_start_alike(torch):
    assert Generator().initial_seed() == torch.Generator().initial_seed()
    assert_in_step(torch, torch.Generator(), Generator())


@pytest.mark.parametrize("seed", range(3))
def test_bfloat16_is_pytorchs(torch, seed):
    bfloat16 = pytest.importorskip("ml_dtypes", reason="ml_dtypes is not installed: no bfloat16 to draw").bfloat16
    peer, own = pair_of(torch, seed)

    def empty():
        return torch.empty(37, dtype=torch.bfloat16)

    pairs = [
        (own.uniform(37, bfloat16, -0.3, 0.7), empty().uniform_(-0.3, 0.7, generator=peer)),
        (own.normal(37, bfloat16, 0.5, 0.25), empty().normal_(0.5, 0.25, generator=peer)),
        (own.exponential(37, bfloat16), empty().exponential_(generator=peer)),
        (own.bernoulli(0.4, 37, bfloat16), empty().bernoulli_(0.4, generator=peer)),
        (own.randint(-9, 200, 37, bfloat16), empty().random_(-9, 200, generator=peer)),
        (own.randperm(37, bfloat16), torch.randperm(37, dtype=torch.bfloat16, generator=peer)),
    ]
    for ours, theirs in pairs:
        assert ours.dtype == bfloat16
        np.testing.assert_array_equal(ours.astype(np.float32), theirs.float().numpy())
    assert_in_step(torch, peer, own)


def test_printed_digits_of_seed_42():
    own = seeded(42)
    drawn = np.concatenate([own.uniform(2, np.float32) for _ in range(3)])
    np.testing.assert_array_equal(drawn.round(4), np.float32([0.8823, 0.9150, 0.3829, 0.9593, 0.3904, 0.6009]))
    np.testing.assert_allclose(seeded(42).normal(3, np.float32), [0.3367, 0.1288, 0.2345], atol=5e-5)
    np.testing.assert_allclose(seeded(42).normal(20, np.float32)[:3], [1.9269, 1.4873, 0.9007], atol=5e-5)


def test_shapes_are_filled_in_order():
    flat, shaped = seeded(0), seeded(0)
    for shape in [(), (7,), (3, 5), (2, 0, 4), (2, 3, 4)]:
        size = math.prod(shape)
        np.testing.assert_array_equal(shaped.normal(shape, np.float32), flat.normal(size, np.float32).reshape(shape))
        np.testing.assert_array_equal(shaped.uniform(shape, "c8"), flat.uniform(size, "c8").reshape(shape))
        np.testing.assert_array_equal(shaped.keep_mask(shape, 0.5), flat.keep_mask(size, 0.5).reshape(shape))
        np.testing.assert_array_equal(
            shaped.bernoulli(np.full(shape, 0.5), shape, np.int8), flat.bernoulli(0.5, size, np.int8).reshape(shape)
        )


def test_long_permutations_are_permutations(monkeypatch):
    monkeypatch.setattr(rng, "_WIDE_PERMUTATION", 100)
    narrow, wide = seeded(0).randperm(99, np.int64), seeded(0).randperm(100, np.int64)
    assert sorted(wide) == list(range(100))
    assert narrow[:20].tolist() != wide[:20].tolist()


@pytest.mark.parametrize("through", ["state", "clone", "copy", "deepcopy", "pickle"])
@pytest.mark.parametrize("before", [0, 1, 3, 623, 624])
def test_copies_go_on_from_the_same_place(through, before):
    original = Generator("cpu:0").manual_seed(-5)
    original.uniform(before, np.float32)
    original.normal(3, np.float32)
    other = Generator()
    if through == "state":
        other.set_state(original.get_state())
    else:
        ways = {"clone": Generator.clone_state, "copy": copy.copy, "deepcopy": copy.deepcopy}
        other = ways.get(through, lambda g: pickle.loads(pickle.dumps(g)))(original)
        assert other.device == original.device == device("cpu:0")
    original.clone_state().uniform(9, np.float32)
    assert other.initial_seed() == original.initial_seed() == 2**64 - 5
    for _ in range(2):
        np.testing.assert_array_equal(other.normal(3, np.float64), original.normal(3, np.float64))
        np.testing.assert_array_equal(other.uniform(700, np.float32), original.uniform(700, np.float32))


def test_manual_seed_forgets_the_second_of_a_pair():
    own = seeded(1)
    first = own.normal(3, np.float64)
    np.testing.assert_array_equal(own.manual_seed(1).normal(3, np.float64), first)


def test_seed_is_drawn_anew():
    own = Generator()
    assert len({own.seed() for _ in range(4)}) == 4
    assert 0 <= own.initial_seed() < 2**64
    assert default_generator.initial_seed() != Generator().initial_seed()


@pytest.fixture
def eager_switching():
    """Threads take turns as often as the interpreter can make them."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("eager_switching")
def test_threads_share_a_generator():
    own, parts = seeded(0), []
    threads = [threading.Thread(target=lambda: parts.append(own.uniform(200_000, np.float32))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    whole = seeded(0).uniform((8, 200_000), np.float32)
    assert sorted(map(bytes, parts)) == sorted(map(bytes, whole))


F32, I64 = np.float32, np.int64


@pytest.mark.parametrize(
    ("error", "text", "call"),
    [
        (RuntimeError, "low <= high", lambda g: g.uniform(3, F32, 1, 0)),
        (RuntimeError, "within the range of float16", lambda g: g.uniform(3, np.float16, 0, 7e4)),
        (RuntimeError, "within the range", lambda g: g.uniform(3, F32, -3e38, 3e38)),
        (RuntimeError, "within the range", lambda g: g.uniform(3, F32, math.nan, 1)),
        (NotImplementedError, "uniform.. takes a floating dtype, not int64", lambda g: g.uniform(3, I64)),
        (RuntimeError, "std >= 0, not -1", lambda g: g.normal(3, F32, 0, -1)),
        (RuntimeError, "std >= 0, not nan", lambda g: g.normal(30, F32, 0, math.nan)),
        (NotImplementedError, "normal.. takes a floating dtype", lambda g: g.normal(3, np.bool_)),
        (RuntimeError, "lambd > 0", lambda g: g.exponential(3, F32, 0)),
        (RuntimeError, "exponential.. takes a floating dtype", lambda g: g.exponential(3, np.complex64)),
        (RuntimeError, "low < high", lambda g: g.randint(3, 3, 2, I64)),
        (RuntimeError, "within the range of uint8", lambda g: g.randint(-1, 3, 2, np.uint8)),
        (RuntimeError, "within the range of int8", lambda g: g.randint(0, 129, 2, np.int8)),
        (RuntimeError, "boolean, integer or floating dtype, not complex64", lambda g: g.randint(0, 1, 2, np.complex64)),
        (ValueError, "bounds in", lambda g: g.randint(0, 2**63, 2, I64)),
        (TypeError, "integer", lambda g: g.randint(0, 1.5, 2, I64)),
        (RuntimeError, "not -1", lambda g: g.randperm(-1, I64)),
        (RuntimeError, "for int8, not 129", lambda g: g.randperm(129, np.int8)),
        (RuntimeError, "for float16, not 2050", lambda g: g.randperm(2050, np.float16)),
        (NotImplementedError, "boolean", lambda g: g.randperm(2, np.bool_)),
        (RuntimeError, "p in .0, 1., not 1.5", lambda g: g.bernoulli(1.5, 3, F32)),
        (RuntimeError, "p in", lambda g: g.bernoulli(np.array([0.5, math.nan]), 2, F32)),
        (RuntimeError, "cannot broadcast", lambda g: g.bernoulli(np.array([0.5, 0.5]), 3, F32)),
        (NotImplementedError, "array p takes a floating dtype", lambda g: g.bernoulli(np.array([1, 0]), 2, F32)),
        (NotImplementedError, "bernoulli", lambda g: g.bernoulli(0.5, 2, np.complex64)),
        (RuntimeError, "p in .0, 1., not -0.5", lambda g: g.keep_mask(3, -0.5)),
        (RuntimeError, "floating dtype", lambda g: g.multinomial(np.array([1, 2]), 1)),
        (RuntimeError, "1 or 2 dimensions", lambda g: g.multinomial(np.ones((1, 1, 1)), 1)),
        (RuntimeError, "at least one sample", lambda g: g.multinomial(np.ones(3), 0)),
        (RuntimeError, "without replacement", lambda g: g.multinomial(np.ones(3), 4)),
        (RuntimeError, "finite", lambda g: g.multinomial(np.array([1, math.inf]), 1)),
        (RuntimeError, "finite", lambda g: g.multinomial(np.array([1.0, -1]), 2, True)),
        (RuntimeError, "positive sum", lambda g: g.multinomial(np.eye(2, 3) * [[1], [0]], 1)),
        (TypeError, "uint8", lambda g: g.set_state(np.zeros(3))),
        (TypeError, "not a list", lambda g: g.set_state([0])),
        (RuntimeError, "shape", lambda g: g.set_state(np.zeros(3, np.uint8))),
        (RuntimeError, "no state", lambda g: g.set_state(np.zeros_like(g.get_state()))),
        (RuntimeError, "Expected one of cpu, cuda", lambda _: Generator("tpu")),
    ],
)
def test_errors_say_what_was_given(error, text, call):
    own = seeded(0)
    with pytest.raises(error, match=text):
        call(own)
    np.testing.assert_array_equal(own.uniform(3, F32), seeded(0).uniform(3, F32))
