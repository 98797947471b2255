"""A stream of MT19937 words (Matsumoto & Nishimura, 1998), and the numbers that PyTorch's CPU generator makes of them.

NumPy has the same engine: seeded alike, both give the same 32-bit words. What is left to match is how many of them a
number takes, which of their bits, and in which order; everything here keeps in step with PyTorch to the word.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.random import MT19937

Array = np.ndarray[Any, np.dtype[Any]]

_BLOCK = 1 << 15  # Numbers made at a time: many enough to hide the calls, few enough for the cache.
_STATE = np.dtype([("key", "<u4", 624), ("position", "<u4"), ("has_spare", "<u4"), ("spare", "<f8"), ("seed", "<u8")])


class Stream:
    """Words in PyTorch's order from a seed, with the half of a pair of normal numbers that has not been asked for yet.

    A stream is not safe to draw from in two threads at once; its owner holds a lock.
    """

    def __init__(self, seed: int) -> None:
        self._engine: MT19937 | None = None
        self.restart(seed)

    def restart(self, seed: int) -> None:
        """From a seed in [0, 2**64), of which the low 32 bits choose the words."""
        self.seed = seed
        self._spare: float | None = None
        self._stale = True

    def _started(self) -> MT19937:
        """NumPy's engine, made and seeded at the first draw: numpy.random takes longer to import than gradkit."""
        if self._engine is not None and not self._stale:
            return self._engine
        from numpy.random import MT19937, RandomState

        if self._engine is None:
            self._engine = MT19937(0)
        RandomState(self._engine).seed(self.seed & 0xFFFFFFFF)
        self._stale = False
        return self._engine

    def state(self) -> Array:
        engine = self._started().state["state"]
        spare = 0.0 if self._spare is None else self._spare
        record = (engine["key"], engine["pos"], self._spare is not None, spare, self.seed)
        return np.array([record], _STATE).view(np.uint8)

    def set_state(self, state: Array) -> None:
        """Go on from what `state` gave; RuntimeError for bytes that it cannot have given."""
        if state.shape != (_STATE.itemsize,):
            raise RuntimeError(f"a generator's state has shape ({_STATE.itemsize},), not {state.shape}")
        record = np.ascontiguousarray(state).view(_STATE)[0]
        if record["position"] > 624 or record["has_spare"] > 1 or not record["key"].any():
            raise RuntimeError("these bytes are no state of an MT19937 generator")
        self._started().state = {
            "bit_generator": "MT19937",
            "state": {"key": record["key"].astype(np.uint32), "pos": int(record["position"])},
        }
        self.seed = int(record["seed"])
        self._spare = float(record["spare"]) if record["has_spare"] else None

    def words(self, count: int) -> Array:
        return np.asarray(self._started().random_raw(count))

    def word_pairs(self, count: int) -> Array:
        """The next pairs of words as 64 bits each, the first word on top."""
        words = self.words(2 * count)
        pairs = words[::2] << np.uint64(32)
        pairs |= words[1::2]
        return pairs

    def units(self, count: int, dtype: np.dtype[Any]) -> Array:
        """Of [0, 1): float64 of 53 bits for that dtype, float32 of 24 bits for any other."""
        units = np.empty(count, np.float64 if dtype == np.float64 else np.float32)
        for start in range(0, count, _BLOCK):
            self._fill(units[start : start + _BLOCK])
        return units

    def _fill(self, units: Array) -> None:
        # Signed integers turn into floats faster than unsigned ones.
        if units.dtype == np.float64:
            pairs = self.word_pairs(units.size)
            pairs &= np.uint64(2**53 - 1)
            np.multiply(pairs.view(np.int64), 2.0**-53, out=units)
        else:
            words = self.words(units.size).astype(np.uint32)
            words &= np.uint32(2**24 - 1)
            np.copyto(units, words.view(np.int32), casting="unsafe")
            units *= 2.0**-24

    def below(self, p: float, count: int) -> Array:
        """Whether each of the next float64 units is less than p."""
        bound = np.uint64(math.ceil(p * 2.0**53))
        mask = np.empty(count, np.bool_)
        for start in range(0, count, _BLOCK):
            part = mask[start : start + _BLOCK]
            pairs = self.word_pairs(part.size)
            pairs &= np.uint64(2**53 - 1)
            np.less(pairs, bound, out=part)
        return mask

    def normals(self, count: int, dtype: np.dtype[Any]) -> Array:
        """As float32 or float64; PyTorch draws fewer than 16 otherwise than more."""
        return self._normal_pairs(count) if count < 16 else self._normal_blocks(count, dtype)

    def _normal_pairs(self, count: int) -> Array:
        drawn = [] if self._spare is None else [self._spare]
        pairs = (count - len(drawn) + 1) // 2
        units = self.units(2 * pairs, np.dtype(np.float64)).tolist()
        for v, u in zip(units[::2], units[1::2], strict=True):
            radius, angle = math.sqrt(-2 * math.log1p(-u)), 2 * math.pi * v
            drawn += [radius * math.cos(angle), radius * math.sin(angle)]
        self._spare = drawn.pop() if len(drawn) > count else None
        return np.array(drawn, np.float64)

    def _normal_blocks(self, count: int, dtype: np.dtype[Any]) -> Array:
        normals = np.empty(count, np.float64 if dtype == np.float64 else np.float32)
        tail = count % 16
        for start in range(0, count - tail, _BLOCK):
            part = normals[start : min(start + _BLOCK, count - tail)]
            self._fill(part)
            _box_muller(part)
        if tail:
            # PyTorch makes the last 16 numbers anew; float32 and float64 have drawn the units of the tail before that.
            if dtype.itemsize > 2:
                self.words(tail * normals.itemsize // 4)
            self._fill(normals[-16:])
            _box_muller(normals[-16:])
        return normals


def _box_muller(units: Array) -> None:
    """Turn every 16 units into normal numbers in place: 8 give radii, the next 8 angles (Box & Muller, 1958)."""
    blocks = units.reshape(-1, 2, 8)
    radii = 1 - blocks[:, 0]
    np.log(radii, out=radii)
    radii *= -2
    np.sqrt(radii, out=radii)
    angles = blocks[:, 1] * (2 * math.pi)
    np.multiply(radii, np.cos(angles), out=blocks[:, 0])
    np.multiply(radii, np.sin(angles), out=blocks[:, 1])


def shuffled(offsets: Array) -> Array:
    """What 0, 1, ..., n - 1 become when step i = 0, 1, ... swaps places i and i + offsets[i] (Fisher & Yates, 1938).

    The steps depend on each other, but few deep: place p is last written before step p by the last step with p as its
    target, so what stands there is found by following such steps back, all places at once. Few steps are just taken.
    """
    if offsets.size < _FEW_STEPS:
        return _stepped(offsets)
    target = np.arange(offsets.size) + offsets
    steps = np.flatnonzero(offsets)
    last = np.arange(offsets.size)
    last[target[steps]] = steps  # Of several steps with one target, the last one stays.
    content = last.take(last)
    moved = np.flatnonzero(content != last)
    while moved.size:
        nearer = content.take(moved)
        farther = content.take(nearer)
        content[moved] = farther
        moved = moved[farther != nearer]
    result = np.where(offsets == 0, content, target)
    # A step whose target was written before takes what the step before it left there.
    last = last.copy()
    steps = steps[last[target[steps]] != steps]
    while steps.size:
        places = target[steps]
        later = last[places]
        last[places] = steps
        newest = last[places] == steps
        result[later[newest]] = content[steps[newest]]
        steps = steps[~newest]
    return result


_FEW_STEPS = 500


def _stepped(offsets: Array) -> Array:
    places = list(range(offsets.size))
    for i, j in enumerate((np.arange(offsets.size) + offsets).tolist()):
        places[i], places[j] = places[j], places[i]
    return np.array(places, np.int64)
