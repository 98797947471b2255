"""Random numbers as NumPy arrays, from the stream that PyTorch's CPU generator has for the same seed."""

from __future__ import annotations

import math
import operator
import os
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from gradkit.backend import protocol
from gradkit.backend.mt19937 import Array, Stream, shuffled
from gradkit.backend.ranges import float_facts, held_bounds, integer_bounds, rounded

if TYPE_CHECKING:
    from numpy.typing import DTypeLike

Shape = int | Sequence[int]

_WIDE_RANGE = 1 << 28  # Integers from a range this long take 64 bits each.
_WIDE_PERMUTATION = (2**32 - 1) // 20  # So do permutations of this length, lest the modulo favour small numbers.


class Generator:
    """A stream of random numbers: PyTorch's `torch.Generator` on the CPU, drawing raw NumPy arrays.

    The streams are PyTorch's for the same seed and the same calls; each method says how exactly. Every call holds the
    generator's lock, so that threads may share one; which thread gets which numbers is then a matter of timing, so
    give each thread its own where runs have to be repeatable. Copies and pickles go on independently from the same
    place. On a GPU, ``Generator("cuda")``, the numbers are made there, and are not PyTorch's. RuntimeError for a
    device that cannot be used.

    >>> Generator().manual_seed(42).uniform(2, np.float32)
    array([0.88226926, 0.91500396], dtype=float32)
    """

    def __new__(cls, device: Any = "cpu") -> Generator:
        if cls is Generator and str(device).partition(":")[0] == "cuda":
            from gradkit.backend.cuda.rng import CudaGenerator

            return super().__new__(CudaGenerator)
        return super().__new__(cls)

    def __init__(self, device: Any = "cpu") -> None:
        if str(device).partition(":")[0] not in ("cpu", "cuda"):
            raise RuntimeError(f"Expected one of cpu, cuda device type at start of device string: {device}")
        self._place = str(device)
        self._lock = threading.Lock()
        self._stream = Stream(67280421310721)

    @property
    def device(self) -> Any:
        """Where the numbers are made, as a `gradkit.device`."""
        return protocol.as_device(self._place)

    def manual_seed(self, seed: int) -> Generator:
        """Restart the stream from a seed in [-2**63, 2**64) and return the generator; -1 is another name for 2**64 - 1.

        Only the low 32 bits of the seed choose the stream, as in PyTorch. RuntimeError for what is not an
        integer and ValueError for one outside the range.

        >>> Generator().manual_seed(-1).initial_seed() == 2**64 - 1
        True
        """
        if isinstance(seed, bool | np.bool_) or not hasattr(seed, "__index__"):
            raise RuntimeError(f"manual_seed() takes an int, not {type(seed).__name__}")
        seed = operator.index(seed)
        if not -(2**63) <= seed < 2**64:
            raise ValueError(f"manual_seed() takes a seed in [-2**63, 2**64), not {seed}")
        with self._lock:
            self._stream.restart(seed % 2**64)
        return self

    def seed(self) -> int:
        """Restart the stream from 64 bits of the system's randomness, and return them.

        >>> generator = Generator()
        >>> generator.seed() == generator.initial_seed()
        True
        """
        return self.manual_seed(int.from_bytes(os.urandom(8), "little")).initial_seed()

    def initial_seed(self) -> int:
        """The seed that the stream was last started from, in [0, 2**64).

        >>> Generator().initial_seed()
        67280421310721
        """
        return self._stream.seed

    def get_state(self) -> Array:
        """Where the stream stands, as a uint8 array for `set_state`; the layout is gradkit's, not PyTorch's.

        >>> generator = Generator().manual_seed(0)
        >>> state = generator.get_state()
        >>> first = generator.uniform(3, np.float32)
        >>> generator.set_state(state)
        >>> bool((generator.uniform(3, np.float32) == first).all())
        True
        """
        with self._lock:
            return self._stream.state()

    def set_state(self, state: Array) -> None:
        """Go on from where `get_state` was called, on this generator or another.

        TypeError for what is not a uint8 array and RuntimeError for one that no `get_state` can have made.

        >>> ahead = Generator().manual_seed(0)
        >>> skipped = ahead.uniform(100, np.float32)
        >>> generator = Generator()
        >>> generator.set_state(ahead.get_state())
        >>> generator.normal(3, np.float32) == ahead.normal(3, np.float32)
        array([ True,  True,  True])
        """
        kind = type(state).__name__ + (f" of {state.dtype.name}" if isinstance(state, np.ndarray) else "")
        if kind != "ndarray of uint8":
            raise TypeError(f"a generator's state is a uint8 array, not a {kind}")
        with self._lock:
            self._stream.set_state(state)

    def clone_state(self) -> Generator:
        """A new generator that goes on independently from where this one stands.

        >>> generator = Generator().manual_seed(0)
        >>> generator.clone_state().randperm(4, np.int64) == generator.randperm(4, np.int64)
        array([ True,  True,  True,  True])
        """
        clone = type(self)(self._place)
        clone.set_state(self.get_state())
        return clone

    def __getstate__(self) -> tuple[Any, Array]:
        return self._place, self.get_state()

    def __setstate__(self, saved: tuple[Any, Array]) -> None:
        device, state = saved
        Generator.__init__(self, device)
        self.set_state(state)

    def uniform(self, shape: Shape, dtype: DTypeLike, low: float = 0.0, high: float = 1.0) -> Array:
        """Numbers spread evenly over [low, high): float16, bfloat16, float32, float64, or pairs of them as complex.

        PyTorch's bit for bit: the low 24 bits of a word, or the low 53 of two for float64. On other bounds than 0 and
        1 this is so where PyTorch fuses the multiplication and the addition, as on most processors; but for float64,
        rounded twice here, whose last bit may differ. RuntimeError when low > high or the dtype cannot hold the
        bounds, NotImplementedError for other dtypes.
        """
        shape, dtype = _resolved(shape, dtype)
        if dtype.kind == "c":
            return self.uniform((*shape, 2), _part_of(dtype), low, high).view(dtype).reshape(shape)
        _, largest = float_facts(dtype, "uniform()")
        if not (-largest <= low <= high <= largest and high - low <= largest):
            raise RuntimeError(f"uniform() takes low <= high within the range of {dtype.name}, not [{low}, {high})")
        with self._lock:
            units = self._stream.units(math.prod(shape), dtype)
        if (low, high) != (0, 1):
            # In float64 the product of two float32 is exact: rounded once, as by a fused multiplication and addition.
            start = units.dtype.type(low)
            length = float(units.dtype.type(high) - start)
            units = np.add(np.multiply(units, length, dtype=np.float64), float(start)).astype(units.dtype)
        elif units.dtype == dtype:
            return units.reshape(shape)
        numbers = units.astype(dtype, copy=False)
        # The interval is half open: what was rounded up to its end is moved to its start.
        numbers[numbers == dtype.type(high)] = dtype.type(low)
        return numbers.reshape(shape)

    def normal(self, shape: Shape, dtype: DTypeLike, mean: float = 0.0, std: float = 1.0) -> Array:
        """Normal numbers: float16, bfloat16, float32, float64; complex has the mean and half the variance in each part.

        By Box & Muller (1958): sqrt(-2 log(1 - u)) cos(2 pi v), and the same with sin. PyTorch's numbers to rounding,
        for log and cos are not the same to the last bit everywhere. Fewer than 16 come in pairs, in float64; the second
        of a pair that is not needed is kept for the next such call. RuntimeError unless std >= 0,
        NotImplementedError for other dtypes.
        """
        shape, dtype = _resolved(shape, dtype)
        if dtype.kind == "c":
            parts = self.normal((*shape, 2), _part_of(dtype), mean, std / math.sqrt(2))
            return parts.view(dtype).reshape(shape)
        float_facts(dtype, "normal()")
        if not std >= 0:
            raise RuntimeError(f"normal() takes std >= 0, not {std}")
        with self._lock:
            numbers = self._stream.normals(math.prod(shape), dtype)
        if std != 1:
            numbers *= std
        if mean != 0:
            numbers += mean
        return rounded(numbers, dtype).reshape(shape)

    def exponential(self, shape: Shape, dtype: DTypeLike, lambd: float = 1.0) -> Array:
        """Exponential numbers of rate lambd, -log(1 - u) / lambd with u in float64, rounded to a floating dtype.

        PyTorch's to rounding: log1p differs in the last bit of a float64 here and there. RuntimeError unless
        lambd > 0 and the dtype is floating.
        """
        shape, dtype = _resolved(shape, dtype)
        float_facts(dtype, "exponential()", RuntimeError)
        if not lambd > 0:
            raise RuntimeError(f"exponential() takes lambd > 0, not {lambd}")
        with self._lock:
            numbers = self._stream.units(math.prod(shape), np.dtype(np.float64))
        np.negative(numbers, out=numbers)
        np.log1p(numbers, out=numbers)
        numbers *= -1 / lambd
        return rounded(numbers, dtype).reshape(shape)

    def randint(self, low: int, high: int, shape: Shape, dtype: DTypeLike) -> Array:
        """Integers from [low, high) as a boolean, integer or floating dtype.

        PyTorch's bit for bit (for a floating dtype, up to bounds of 2**62): low + a word % (high - low), or two words
        from a range of 2**28 on; floating dtypes get numbers that they hold. TypeError for bounds that are no
        integers, ValueError for those outside int64, RuntimeError unless low < high within the range of a real dtype.
        """
        shape, dtype = _resolved(shape, dtype)
        low, high = operator.index(low), operator.index(high)
        if not -(2**63) <= min(low, high) <= max(low, high) < 2**63:
            raise ValueError(f"randint() takes bounds in [-2**63, 2**63), not [{low}, {high})")
        lowest, largest = integer_bounds(dtype, "randint()", RuntimeError)
        if not lowest <= low < high <= largest + 1:
            raise RuntimeError(f"randint() takes low < high within the range of {dtype.name}, not [{low}, {high})")
        if dtype.kind not in "biu":
            low, high = held_bounds(low, high, dtype)
        size, length = math.prod(shape), high - low
        with self._lock:
            if length < _WIDE_RANGE:
                offsets = self._stream.words(size).astype(np.uint32) % np.uint32(length)
            else:
                offsets = self._stream.word_pairs(size) % np.uint64(length)
        numbers = offsets.astype(np.int64)
        numbers += low  # Wraps around to the right number where the range is longer than int64's half.
        return rounded(numbers, dtype).reshape(shape)

    def randperm(self, n: int, dtype: DTypeLike) -> Array:
        """The numbers 0 to n - 1, shuffled, as a 1-d array of an integer or floating dtype.

        PyTorch's bit for bit for n < 2**32 / 20; longer permutations take two words a step, by another algorithm than
        PyTorch's. RuntimeError for a negative n or where the dtype cannot tell the numbers apart,
        NotImplementedError for other dtypes.
        """
        n, (_, dtype) = operator.index(n), _resolved((), dtype)
        _, largest = integer_bounds(dtype, "randperm()")
        if dtype.kind == "b":
            raise NotImplementedError("randperm() makes no boolean arrays")
        if dtype.kind not in "iu":
            largest = 1 << float_facts(dtype, "randperm()")[0]
        if not 0 <= n <= largest + 1:
            raise RuntimeError(f"randperm() takes n in [0, {largest + 1}] for {dtype.name}, not {n}")
        steps = max(n - 1, 0)
        with self._lock:
            if n < _WIDE_PERMUTATION:
                words = self._stream.words(steps).astype(np.uint32)
            else:
                words = self._stream.word_pairs(steps)
        offsets = np.zeros(n, np.int64)
        offsets[:-1] = words % np.arange(n, 1, -1).astype(words.dtype)
        return rounded(shuffled(offsets), dtype)

    def bernoulli(self, p: float | Array, shape: Shape, dtype: DTypeLike) -> Array:
        """Ones with probability p, else zeros, of a real dtype; p is a number or a floating array to broadcast.

        PyTorch's bit for bit: u < p with u in float64, or in float32 where p is an array of less than float64.
        RuntimeError for a p outside [0, 1] or that does not broadcast, NotImplementedError for other dtypes.
        """
        shape, dtype = _resolved(shape, dtype)
        integer_bounds(dtype, "bernoulli()")
        size = math.prod(shape)
        if isinstance(p, int | float):
            if not 0 <= p <= 1:
                raise RuntimeError(f"bernoulli() takes p in [0, 1], not {p}")
            with self._lock:
                return self._stream.below(p, size).astype(dtype, copy=False).reshape(shape)
        float_facts(p.dtype, "bernoulli() with an array p")
        if not ((p >= 0) & (p <= 1)).all():
            raise RuntimeError("bernoulli() takes p in [0, 1], which an element of it is not")
        try:
            p = np.broadcast_to(p, shape)
        except ValueError:
            raise RuntimeError(f"bernoulli() cannot broadcast p of shape {p.shape} to {shape}") from None
        with self._lock:
            units = self._stream.units(size, p.dtype)
        return (units.reshape(shape) < p.astype(units.dtype, copy=False)).astype(dtype, copy=False)

    def keep_mask(self, shape: Shape, p: float, dtype: DTypeLike = np.bool_, value: float = 1) -> Array:
        """`value` with probability 1 - p, else zero: what a dropout of probability p multiplies with.

        PyTorch's choice bit for bit; nothing is drawn for a p of 0 or 1. RuntimeError for a p outside [0, 1].
        """
        shape, dtype = _resolved(shape, dtype)
        if not 0 <= p <= 1:
            raise RuntimeError(f"keep_mask() takes p in [0, 1], not {p}")
        if p in (0, 1):
            kept = np.full(shape, p == 0)
        else:
            with self._lock:
                kept = self._stream.below(1 - p, math.prod(shape)).reshape(shape)
        kept = kept.astype(dtype, copy=False)
        if value != 1:
            kept *= dtype.type(value)
        return kept

    def multinomial(self, probs: Array, num_samples: int, replacement: bool = False) -> Array:
        """Indices drawn with the given weights, int64: shape (num_samples,) from (n,), or (m, num_samples) from (m, n).

        PyTorch's numbers, up to the order of ties. One sample, or several without replacement, are the largest of
        weight / exponential number (the exponential race: Efraimidis & Spirakis, 2006); several with replacement are
        looked up in the cumulative weights. RuntimeError for weights that are not floating, 1-d or 2-d, finite
        and >= 0 with a positive sum, for no samples, and for more than n without replacement.
        """
        _check_multinomial(probs, num_samples, replacement)
        if num_samples > 1 and replacement:
            return self._multinomial_lookup(probs, num_samples)
        with np.errstate(all="ignore"):
            losing = -(probs / self.exponential(probs.shape, probs.dtype))
        first = np.argpartition(losing, num_samples - 1, axis=-1)[..., :num_samples]
        first.sort(axis=-1)
        order = np.argsort(np.take_along_axis(losing, first, axis=-1), axis=-1, kind="stable")
        return np.take_along_axis(first, order, axis=-1)

    def _multinomial_lookup(self, probs: Array, num_samples: int) -> Array:
        rows = np.atleast_2d(probs)
        cumulative = np.cumsum(rows, axis=-1, dtype=np.float64 if rows.dtype == np.float64 else np.float32)
        cumulative = np.divide(cumulative, cumulative[:, -1:])
        with self._lock:
            units = self._stream.units(len(rows) * num_samples, np.dtype(np.float64)).reshape(-1, num_samples)
        found = np.empty(units.shape, np.int64)
        for index, (row, unit) in enumerate(zip(cumulative.astype(np.float64, copy=False), units, strict=True)):
            found[index] = np.searchsorted(row, unit)
        return found.reshape(*probs.shape[:-1], num_samples)


def _resolved(shape: Shape, dtype: DTypeLike) -> tuple[tuple[int, ...], np.dtype[Any]]:
    return tuple(shape) if isinstance(shape, Sequence) else (operator.index(shape),), np.dtype(dtype)


def _part_of(dtype: np.dtype[Any]) -> np.dtype[Any]:
    return np.dtype(f"f{dtype.itemsize // 2}")


def _check_multinomial(probs: Array, num_samples: int, replacement: bool) -> None:
    float_facts(probs.dtype, "multinomial()", RuntimeError)
    if probs.ndim not in (1, 2):
        raise RuntimeError(f"multinomial() takes weights of 1 or 2 dimensions, not {probs.ndim}")
    if num_samples <= 0:
        raise RuntimeError(f"multinomial() draws at least one sample, not {num_samples}")
    if not replacement and num_samples > probs.shape[-1]:
        raise RuntimeError(f"multinomial() cannot draw {num_samples} of {probs.shape[-1]} without replacement")
    if not (np.isfinite(probs) & (probs >= 0)).all():
        raise RuntimeError("multinomial() takes weights that are finite and >= 0, which one of them is not")
    if not (probs > 0).any(axis=-1).all():
        raise RuntimeError("multinomial() takes weights of a positive sum, which are all zero here")


#: What draws when no generator is given; seeded by the system's randomness until `manual_seed` is called.
default_generator = Generator()
default_generator.seed()
