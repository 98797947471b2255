"""``python -m tests.programs --seed S --count N``: run random programs; print the failures, shrunk, as scripts."""

import argparse
import collections
import importlib.util
import multiprocessing
import os
import re
import sys
import time
from typing import Any

from tests.programs.drawing import drawable
from tests.programs.judging import ARBITRATED, Failure, judge
from tests.programs.program import Program
from tests.programs.shrinking import shrink


def run(seed: int) -> tuple[str | None, dict[str, int]]:
    """The program of a seed: a script that shows its failure, if it fails, and how it was judged."""
    torch = witness()
    counts: dict[str, int] = {}
    program = drawable(torch, seed)
    failure = settled(torch, program, counts)
    for what in [what for what in counts if what.endswith(ARBITRATED)]:
        counts[f"{what}: {', '.join(wrong_there(torch, program, what))} (seed {seed})"] = counts.pop(what)
    return (failure and shown(torch, seed, program, failure)), counts


def witness() -> Any:
    import torch

    torch.set_num_threads(1)
    return torch


def verdict(torch: Any, program: Program, counts: dict[str, int] | None = None) -> Failure | None:
    return judge(torch, program.function(), list(program.inputs.values()), counts)


def settled(torch: Any, program: Program, counts: dict[str, int] | None = None) -> Failure | None:
    """The same, of a program that may be one which neither library can run: that is another failure."""
    try:
        return verdict(torch, program, counts)
    except Exception as reason:
        return Failure("no program", str(reason))


def wrong_there(torch: Any, program: Program, what: str) -> list[str]:
    """The operations of the smallest program in which the third witness sides with gradkit, as `what` counts it."""

    def decided(smaller: Program) -> bool:
        counts: dict[str, int] = {}
        return settled(torch, smaller, counts) is None and what in counts

    source = shrink(program, decided).source()
    called = re.findall(r"(?<=row\(lib, ')\w+|(?<=\.)\w+(?=\()|\*\*", source)
    return sorted({name for name in called if name != "clone"})


def shown(torch: Any, seed: int, program: Program, failure: Failure) -> str:
    """The smallest program that fails in the same check, as a script."""

    def fails(smaller: Program) -> bool:
        found = settled(torch, smaller)
        return found is not None and found.check == failure.check

    smallest = shrink(program, fails)
    found = settled(torch, smallest) or failure
    return smallest.script(f"Seed {seed}: {found.check}: {found.text}")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.programs", description=__doc__)
    parser.add_argument("--seed", type=int, default=0, help="the first program's")
    parser.add_argument("--count", type=int, default=1000, help="how many programs")
    parser.add_argument("--processes", type=int, default=os.cpu_count())
    options = parser.parse_args()
    if importlib.util.find_spec("torch") is None:
        print("random programs need PyTorch to compare with: pip install torch==2.13.0")
        return 1 if "torch" in os.environ.get("GRADKIT_REQUIRE", "").split(",") else 0
    begin, failed, counts = time.perf_counter(), 0, collections.Counter[str]()
    with multiprocessing.get_context("fork").Pool(options.processes) as pool:
        seeds = range(options.seed, options.seed + options.count)
        for script, found in pool.imap_unordered(run, seeds, chunksize=10):
            counts.update(found)
            if script:
                failed += 1
                print(script, "-" * 100, sep="\n", flush=True)
    for what, number in sorted(counts.items()):
        print(f"{number:6d}  {what}")
    seconds = time.perf_counter() - begin
    print(f"{options.count} programs from seed {options.seed} in {seconds:.0f} s: {failed} failed")
    return min(failed, 1)


if __name__ == "__main__":
    sys.exit(main())
