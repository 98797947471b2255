"""What is measured: the record of a workload, and the ratios that are aimed at."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

#: The work itself, called over and over; it returns what it computed, by name, to be compared between libraries.
Work = Callable[[], dict[str, Any]]


@dataclass(frozen=True)
class Target:
    """An aim and a floor for a ratio of times, or, against nothing, for the figure itself in the workload's unit."""

    aim: float
    floor: float
    against: str | None = "torch"
    threads: int | None = None  # counts only in a run with this many; None: in any

    def verdict(self, value: float) -> str:
        if value <= self.aim:
            return "aim"
        return "floor" if value <= self.floor else "MISS"


@dataclass(frozen=True)
class Workload:
    """Something to be timed. A contender is "<library>" or "<library> <variant>"; its builder is given the library."""

    name: str
    suite: str
    title: str
    contenders: Mapping[str, Callable[[Any], Work]]
    targets: tuple[Target, ...] = ()
    operations: int = 1  # in one call of the work; the times reported are for one operation
    rtol: float = 1e-4  # for float32: of the largest magnitude, since libraries round and order sums differently
    large: bool = False  # run only when asked for by --large
    unit: str = "s"


@dataclass(frozen=True)
class Measurement:
    """Something seen from outside: `measure(library, quick)` returns samples, none where they have no meaning."""

    name: str
    suite: str
    title: str
    measure: Callable[[str, bool], list[float]]
    targets: tuple[Target, ...] = ()
    unit: str = "s"
    large: bool = False


class NotAvailable(Exception):
    """A library has no such feature yet, or this machine does not let it be measured."""


def same(build: Callable[[Any], Work]) -> dict[str, Callable[[Any], Work]]:
    """One builder for the two libraries that share an interface: it is given the module."""
    return {"gradkit": build, "torch": build}


def normal(*shape: int, seed: int = 0, dtype: str = "float32") -> np.ndarray:
    """Seeded standard normal numbers: never zeros, which many units multiply faster."""
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


def uniform(*shape: int, low: float = 0.0, high: float = 1.0, seed: int = 0, dtype: str = "float32") -> np.ndarray:
    return np.random.default_rng(seed).uniform(low, high, shape).astype(dtype)


def integers(*shape: int, high: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, high, shape)
