"""Timing: contenders of a workload are checked against each other, then timed in turns."""

import gc
import statistics
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from time import perf_counter
from typing import Any

import numpy as np

from bench.libraries import LACKING, Library, to_numpy
from bench.workload import Work, Workload


@dataclass(frozen=True)
class Effort:
    """How long to measure: seconds in one sample, samples of each contender, seconds for a workload altogether."""

    sample_s: float
    rounds: int
    workload_s: float


THOROUGH = Effort(sample_s=0.04, rounds=21, workload_s=20.0)
QUICK = Effort(sample_s=0.002, rounds=3, workload_s=1.0)
FEWEST_ROUNDS = 3


@dataclass(frozen=True)
class Summary:
    """What is kept of the samples of one contender."""

    median: float
    low: float  # the lower and the upper quartile
    high: float
    least: float
    samples: int

    @classmethod
    def of(cls, samples: list[float]) -> "Summary":
        low, median, high = statistics.quantiles(samples, n=4, method="inclusive") if len(samples) > 1 else samples * 3
        return cls(median, low, high, min(samples), len(samples))

    as_dict = asdict


class WrongResult(Exception):
    """Two contenders computed different things, so that their times mean nothing."""


def build(workload: Workload, libraries: Mapping[str, Library]) -> tuple[dict[str, Work], dict[str, str]]:
    """The work of every contender whose library is here, run once and compared; and why the others are out."""
    ready: dict[str, Work] = {}
    results: dict[str, dict[str, np.ndarray]] = {}
    out: dict[str, str] = {}
    for label, builder in workload.contenders.items():
        library = libraries.get(label.split()[0])
        if library is None:
            continue
        try:
            work = builder(library.module)
            results[label] = {name: np.array(to_numpy(value)) for name, value in work().items()}
            ready[label] = work
        except LACKING as error:
            out[label] = f"{type(error).__name__}: {error}"
    compare(workload, results)
    return ready, out


def compare(workload: Workload, results: Mapping[str, Mapping[str, np.ndarray]]) -> None:
    """Hold every result to the one of the same name that another contender gave first."""
    first: dict[str, tuple[str, np.ndarray]] = {}
    for label, named in results.items():
        for name, value in named.items():
            if not (np.isfinite(value).all() and value.any()):
                raise WrongResult(f"{workload.name}: {name} of {label} is all zeros or not finite")
            other, expected = first.setdefault(name, (label, value))
            if value.shape != expected.shape:
                raise WrongResult(f"{workload.name}: {name} is {value.shape} of {label}, {expected.shape} of {other}")
            apart = np.abs(value.astype(np.float64) - expected).max() / np.abs(expected).max()
            if apart > workload.rtol:
                raise WrongResult(
                    f"{workload.name}: {name} of {label} and of {other} differ by {apart:.1e} of the largest "
                    f"magnitude, {workload.rtol:.0e} is allowed"
                )


def calibrate(work: Work, effort: Effort) -> tuple[int, float]:
    """How often to call the work for one sample, and the seconds that such a sample takes."""
    calls = 1
    while True:
        taken = seconds(work, calls)
        if taken >= effort.sample_s / 2:
            return max(1, round(calls * effort.sample_s / taken)), max(taken, effort.sample_s)
        calls *= 4


def seconds(work: Work, calls: int) -> float:
    begin = perf_counter()
    for _ in range(calls):
        work()
    return perf_counter() - begin


def sample(works: Mapping[str, Work], operations: int, effort: Effort) -> dict[str, Summary]:
    """Time the contenders in turns, forwards and backwards, so that a drift of the machine falls on all alike.

    The garbage collector stays on, as users have it; what was there before is none of its business.
    """
    gc.collect()
    gc.freeze()
    plans = {label: calibrate(work, effort) for label, work in works.items()}
    once = sum(taken for _, taken in plans.values())
    rounds = min(effort.rounds, max(FEWEST_ROUNDS, int(effort.workload_s / once)))
    taken: dict[str, list[float]] = {label: [] for label in works}
    order = list(works)
    for _ in range(rounds):
        for label in order:
            calls, _ = plans[label]
            taken[label].append(seconds(works[label], calls) / calls / operations)
        order.reverse()
    gc.unfreeze()
    return {label: Summary.of(samples) for label, samples in taken.items()}


def measure(
    workload: Workload, libraries: Mapping[str, Library], effort: Effort
) -> tuple[dict[str, Any], dict[str, str]]:
    """Build, compare and time a workload: the summaries of those that ran, the reasons of those that did not."""
    works, out = build(workload, libraries)
    return sample(works, workload.operations, effort) if works else {}, out
