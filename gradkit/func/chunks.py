"""How many rows of a batch are done at a time, so that they fit into memory."""

import time
import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np

from gradkit.engine.tensor import Tensor, wrap
from gradkit.ops import joining

#: A guess, before anything was measured, at the memory that a row needs while it is done, in sizes of the row itself.
_GENEROUS = 64
_KEPT_FOR = 1.0  # seconds that a reading of the free memory is good for

_budget: float = 0.25
_reading: tuple[float, int] = (-_KEPT_FOR, 0)


def set_memory_budget(budget: int | float) -> None:
    """Let ``chunk_size="auto"`` use so many bytes (an int), or such a fraction of the memory that is free (a float).

    It bounds what is alive beside inputs and result: with one row at a time it may still be exceeded. The default is
    0.25. It holds for all threads. ValueError for what is not positive and for fractions above 1.

    >>> from gradkit.func import get_memory_budget, set_memory_budget
    >>> set_memory_budget(100_000_000)
    >>> get_memory_budget()
    100000000
    >>> set_memory_budget(0.25)
    """
    global _budget
    if budget <= 0 or (isinstance(budget, float) and budget > 1):
        raise ValueError(f"expected a positive number of bytes, or a fraction of the free memory up to 1.0, got {budget}")
    _budget = budget


def get_memory_budget() -> int:
    """The bytes that ``chunk_size="auto"`` may use now: see `set_memory_budget`.

    >>> from gradkit.func import get_memory_budget
    >>> get_memory_budget() > 0
    True
    """
    return int(_budget * free_memory()) if isinstance(_budget, float) else _budget


def free_memory() -> int:
    """Bytes that could be allocated without swapping; 4 GiB where the system does not say. Read once a second."""
    global _reading
    now = time.monotonic()
    if now - _reading[0] > _KEPT_FOR:
        _reading = now, _read_free_memory()
    return _reading[1]


def _read_free_memory() -> int:
    try:
        with open("/proc/meminfo", encoding="ascii") as lines:
            return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable"))
    except (OSError, StopIteration, ValueError):
        return 4 << 30


def check(chunk_size: Any, name: str) -> None:
    """ValueError for a chunk size that is none."""
    if chunk_size is None or chunk_size == "auto" or (type(chunk_size) is int and chunk_size > 0):
        return
    raise ValueError(f'{name}: `chunk_size` should be greater than 0, None or "auto", got {chunk_size!r}')


def in_chunks(run: Callable[[int, int], list[Tensor]], n: int, chunk_size: Any, row_bytes: int) -> list[Tensor]:
    """The results of ``run(start, stop)`` for rows 0 to n, joined along their first axis.

    With "auto" all are done at once if that is safe in any case; if not, a few are tried and what they took is measured.
    `row_bytes` is the size of what a row starts from.
    """
    if chunk_size is None or (chunk_size != "auto" and chunk_size >= n):
        return run(0, n)
    if chunk_size != "auto":
        return _joined(run, n, chunk_size, 0, None)
    budget = get_memory_budget()
    if n * row_bytes * _GENEROUS <= budget:
        return run(0, n)
    few = min(n, max(1, budget // (4 * _GENEROUS * max(row_bytes, 1))))
    first, taken = measured(run, few)
    kept = sum([y.array.nbytes for y in first])
    chunk = max(1, int(few * budget // max(taken, kept, 1)))
    return first if few == n else _joined(run, n, chunk, few, first)


def measured(run: Callable[[int, int], list[Tensor]], n: int) -> tuple[list[Tensor], int]:
    """The first n rows, and the most memory that was alive while they were done."""
    running = tracemalloc.is_tracing()
    if running:
        tracemalloc.reset_peak()
    else:
        tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        first = run(0, n)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        if not running:
            tracemalloc.stop()
    return first, peak - before


def _joined(run: Any, n: int, chunk: int, start: int, first: list[Tensor] | None) -> list[Tensor]:
    """Plain results go straight to their places in the whole; those with a history are joined at the end."""
    parts: list[list[Tensor]] = [] if first is None else [first]
    whole: list[Any] | None = None
    if first is None:
        first, start = run(0, min(chunk, n)), min(chunk, n)
        parts.append(first)
    if all([isinstance(y.array, np.ndarray) and y.node is None and not y.tangents and not y.batch for y in first]):
        whole = [np.empty((n, *y.array.shape[1:]), y.dtype) for y in first]
        _put(whole, 0, start, parts.pop())
    first = None
    while start < n:
        stop = min(start + chunk, n)
        if whole is None:
            parts.append(run(start, stop))
        else:
            _put(whole, start, stop, run(start, stop))
        start = stop
    return [wrap(y) for y in whole] if whole is not None else [joining.cat(pieces) for pieces in zip(*parts)]


def _put(whole: list[Any], start: int, stop: int, rows: list[Tensor]) -> None:
    for y, part in zip(whole, rows):
        y[start:stop] = part.array
