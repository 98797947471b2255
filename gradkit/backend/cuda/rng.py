"""Random numbers on a device: Philox by counter (kernels/philox.cuh), so that a stream's state is its seed and a count."""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from gradkit.backend.kernels.source import kernel_root
from gradkit.backend.protocol import backend_named
from gradkit.backend.ranges import float_facts
from gradkit.backend.rng import Generator

#: What one element of each draw is, in terms of its number in the stream; F is float, or double for double, and `steps`
#: how many numbers of T a unit is cut down to, lest it be rounded up to 1.
_DRAWS = {
    "uniform": """
        y = (T)((F)low + ((F)high - (F)low) * (floor(gradkit::unit(seed, start + i, (F)0) * steps) / steps));
        y = (F)y < (F)(T)high ? y : (T)low""",
    "normal": "y = (T)((F)low + (F)high * gradkit::normal(seed, start + i, (F)0))",
    "exponential": "y = (T)(gradkit::waiting(seed, start + i, (F)0) / (F)low)",
    "randint": "y = (T)((long long)low + (long long)(gradkit::word(seed, start + i) % (unsigned long long)high))",
    "kept": "y = gradkit::kept(seed, start + i, (float)low) ? (T)high : (T)0",
    "words": "y = (T)gradkit::word(seed, start + i)",
}


class Mask(NamedTuple):
    """`value` with probability ``1 - p``, else 0: what `keep_mask` draws, to be drawn from where the stream stood."""

    stream: CudaGenerator
    seed: int
    start: int
    p: float
    value: float

    def __call__(self, _xp: Any, shape: Any, dtype: Any) -> Any:
        return self.stream._drawn_from("kept", self.seed, self.start, shape, dtype, self.p, self.value)


class CudaGenerator(Generator):
    """A stream of random numbers on a GPU, drawing CuPy arrays there. Its numbers are not PyTorch's."""

    def __init__(self, device: Any = "cuda") -> None:
        name, _, index = str(device).partition(":")
        self._cuda: Any = backend_named(name)
        self._index = int(index) if index else self._cuda.current()
        self._cuda.on(self._index)  # raises where there is no such device
        self._cp = self._cuda.module
        super().__init__()
        self._place = f"{name}:{self._index}"
        self._seed, self._drawn = super().initial_seed(), 0

    # -- where the stream stands
    def manual_seed(self, seed: int) -> CudaGenerator:
        super().manual_seed(seed)
        with self._lock:
            self._seed, self._drawn = super().initial_seed(), 0
        return self

    def get_state(self) -> Any:
        with self._lock:
            return np.array([self._seed, self._drawn], np.uint64).view(np.uint8)

    def set_state(self, state: Any) -> None:
        if not isinstance(state, np.ndarray) or state.dtype != np.uint8:
            raise TypeError(f"a generator's state is a uint8 array, not {type(state).__name__}")
        if state.shape != (16,):
            raise RuntimeError(f"the state of a generator on a GPU has 16 bytes, not shape {state.shape}")
        with self._lock:
            self._seed, self._drawn = [int(n) for n in state.view(np.uint64)]

    def initial_seed(self) -> int:
        return self._seed

    def __setstate__(self, saved: tuple[Any, Any]) -> None:
        device, state = saved
        CudaGenerator.__init__(self, device)
        self.set_state(state)

    # -- draws
    def _fill(self, draw: str, shape: Any, dtype: Any, low: Any = 0, high: Any = 0) -> Any:
        shape = tuple(shape) if isinstance(shape, Sequence) else (operator.index(shape),)
        return self._drawn_from(draw, *self._next(math.prod(shape)), shape, dtype, low, high)

    def _next(self, count: int, step: int = 1) -> tuple[int, int]:
        with self._lock:
            start = -(-self._drawn // step) * step
            self._drawn = start + count
            return self._seed, start

    def _drawn_from(self, draw: str, seed: int, start: int, shape: Any, dtype: Any, low: Any, high: Any) -> Any:
        with self._cuda.on(self._index):
            y = self._cp.empty(shape, dtype)
            dtype = np.dtype(dtype)
            kernel = _kernel(self._cp, draw, float_facts(dtype, draw)[0] if dtype.kind in "fV" else 24)
            kind = np.int64 if draw == "randint" else np.float64
            if draw == "randint":
                high = np.uint64(high).astype(np.int64)
            kernel(np.uint64(seed), np.uint64(start), kind(low), kind(high), y)
        return y

    def _real(self, draw: str, shape: Any, dtype: Any, low: float, high: float) -> Any:
        dtype = np.dtype(dtype)
        if dtype.kind == "c":
            parts = np.dtype(f"f{dtype.itemsize // 2}")
            return self._fill(draw, (*shape, 2), parts, low, high).view(dtype)[..., 0]
        if dtype.kind not in "fV":
            raise NotImplementedError(f"{draw}() is not implemented for {dtype.name}; draw floats and convert them")
        return self._fill(draw, shape, dtype, low, high)

    def uniform(self, shape: Any, dtype: Any, low: float = 0.0, high: float = 1.0) -> Any:
        if low > high:
            raise RuntimeError(f"uniform_ expects to return a [from, to) range, but found from={low} > to={high}")
        return self._real("uniform", shape, dtype, low, high)

    def normal(self, shape: Any, dtype: Any, mean: float = 0.0, std: float = 1.0) -> Any:
        if std < 0:
            raise RuntimeError(f"normal expects std >= 0.0, but found std {std}")
        if np.dtype(dtype).kind == "c":  # each part has half of the variance
            std = std / math.sqrt(2)
        return self._real("normal", shape, dtype, mean, std)

    def exponential(self, shape: Any, dtype: Any, lambd: float = 1.0) -> Any:
        if lambd <= 0:
            raise RuntimeError(f"exponential_ expects lambda > 0.0, but found lambda={lambd}")
        return self._real("exponential", shape, dtype, lambd, 0.0)

    def randint(self, low: int, high: int, shape: Any, dtype: Any) -> Any:
        low, high = operator.index(low), operator.index(high)
        if low >= high:
            raise RuntimeError(f"random_ expects 'from' to be less than 'to', but got from={low} >= to={high}")
        return self._fill("randint", shape, dtype, low, high - low)

    def randperm(self, n: int, dtype: Any) -> Any:
        if n < 0:
            raise RuntimeError(f"randperm() takes n >= 0, not {n}")
        with self._cuda.on(self._index):
            return self._fill("words", (n,), np.int64).argsort().astype(dtype)

    def bernoulli(self, p: Any, shape: Any, dtype: Any) -> Any:
        """PyTorch's checks of a probability on the host; an array of them is not looked at, which would wait for it."""
        if isinstance(p, int | float) and not 0 <= p <= 1:
            raise RuntimeError(f"bernoulli_ expects p to be in [0, 1], but got p={p}")
        kind = np.float64 if getattr(p, "dtype", None) == np.float64 else np.float32
        with self._cuda.on(self._index):
            return (self._fill("uniform", shape, kind, 0.0, 1.0) < p).astype(dtype)

    def keep_mask(self, shape: Any, p: float, dtype: Any = np.bool_, value: float = 1) -> Any:
        """As on the CPU; of a complex dtype it is real."""
        if not 0 <= p <= 1:
            raise RuntimeError(f"keep_mask() takes p in [0, 1], not {p}")
        dtype = np.dtype(dtype)
        shape = tuple(shape) if isinstance(shape, Sequence) else (operator.index(shape),)
        real = np.dtype(f"f{dtype.itemsize // 2}") if dtype.kind == "c" else dtype
        return self.mask(math.prod(shape), p, value)(self._cp, shape, real)

    def mask(self, count: int, p: float, value: float) -> Mask:
        """The mask of the next `count` elements, which may be drawn when it is wanted, and again. Four share a block."""
        return Mask(self, *self._next(count, step=4), p, value)

    def multinomial(self, probs: Any, num_samples: int, replacement: bool = False) -> Any:
        """As on the CPU: the exponential race (Efraimidis and Spirakis, 2006), or a search in the cumulative weights."""
        if probs.ndim not in (1, 2) or num_samples <= 0:
            raise RuntimeError(f"multinomial() draws at least one sample from weights of 1 or 2 dimensions, not {probs.ndim}")
        if not replacement and num_samples > probs.shape[-1]:
            raise RuntimeError(f"multinomial() cannot draw {num_samples} of {probs.shape[-1]} without replacement")
        cp = self._cp
        if not replacement or num_samples == 1:
            racing = self.exponential(probs.shape, np.float64) / probs
            return cp.argsort(racing, axis=-1)[..., :num_samples]
        rows = cp.cumsum(probs.reshape(-1, probs.shape[-1]), axis=-1, dtype=np.float64)
        units = self.uniform((len(rows), num_samples), np.float64) * rows[:, -1:]
        found = (units[:, :, None] >= rows[:, None, :]).sum(-1)
        return found.reshape(*probs.shape[:-1], num_samples)


@cache
def _kernel(cp: Any, draw: str, digits: int) -> Any:
    source = kernel_root().joinpath("philox.cuh").read_text(encoding="utf-8").replace("#pragma once", "")
    kind = "int64" if draw == "randint" else "float64"
    return cp.ElementwiseKernel(
        f"uint64 seed, uint64 start, {kind} low, {kind} high", "T y", _DRAWS[draw],
        f"gradkit_{draw}_{digits}",
        preamble=f"{source}\ntypedef {'double' if digits == 53 else 'float'} F;\nconstexpr F steps = {2**digits};",
    )
