"""How many rows of a batch are done at a time, so that they fit into memory."""

import time
from collections.abc import Callable
from functools import partial
from typing import Any

from gradkit.backend.protocol import beside
from gradkit.backend.rng import default_generator
from gradkit.engine.device import CPU, backend_for, device as Device, get_default_device, on_device_of
from gradkit.engine.tensor import Tensor, wrap
from gradkit.ops import joining

#: A guess, before anything was measured, at the memory that a row needs while it is done, in sizes of the row itself.
_GENEROUS = 64
_ALIVE = 16  # the same in sizes of its largest array
_CACHE = 1 << 21  # bytes: beyond, a table of 400 x 400 float32 took 1.1 to 1.8 of the time for each row
_PROBED = 8  # rows that are tried together, to tell what each of them takes from what all share
_KEPT_FOR = 1.0  # seconds that a reading of the free memory is good for

_budget: float = 0.25
_readings: dict[Device, tuple[float, int]] = {}


def set_memory_budget(budget: int | float) -> None:
    """Let ``chunk_size="auto"`` use so many bytes (an int), or such a fraction of the memory that is free (a float).

    It bounds what is alive beside inputs and result: with one row at a time it may still be exceeded. The default is
    0.25. It holds for all threads. ValueError for what is not positive and for fractions above 1.

    >>> gradkit.func.set_memory_budget(100_000_000)
    >>> gradkit.func.get_memory_budget()
    100000000
    >>> gradkit.func.set_memory_budget(0.25)
    """
    global _budget
    if not budget > 0 or (isinstance(budget, float) and budget > 1):
        raise ValueError(f"expected a positive number of bytes, or a fraction of the free memory up to 1.0, got {budget}")
    _budget = budget


def get_memory_budget(device: Any = None) -> int:
    """The bytes that ``chunk_size="auto"`` may use now on a device, by default the default one: see `set_memory_budget`.

    >>> gradkit.func.get_memory_budget() > 0
    True
    """
    place = get_default_device() if device is None else Device(device)
    return int(_budget * free_memory(place)) if isinstance(_budget, float) else _budget


def free_memory(place: Device) -> int:
    """Bytes that could be allocated on a device. Read once a second."""
    now = time.monotonic()
    then, free = _readings.get(place, (-_KEPT_FOR, 0))
    if now - then > _KEPT_FOR:
        then, free = _readings[place] = now, backend_for(place).memory.free(place.index)
    return free


def check(chunk_size: Any, name: str) -> None:
    """ValueError for a chunk size that is none."""
    if chunk_size is None or chunk_size == "auto" or (type(chunk_size) is int and chunk_size > 0):
        return
    raise ValueError(f'{name}: `chunk_size` should be greater than 0, None or "auto", got {chunk_size!r}')


def in_chunks(
    run: Callable[[int, int], list[Tensor]], n: int, chunk_size: Any, place: Device, row_bytes: int, largest: int | None = None
) -> list[Tensor]:
    """The results of ``run(start, stop)`` for rows 0 to n, on the device `place`, joined along their first axis.

    With "auto" the CPU does no more at once than its cache holds of a row's `largest` array, if that is known: beyond,
    there is nothing to gain. If so many are sure to stay within the budget, that is all. If not, or if `largest` is not known,
    for a row may meet what the function closes over, one row is tried, and then a few, and what they took is measured.
    `row_bytes` is the size of what a row starts from.
    """
    if chunk_size is None or (chunk_size != "auto" and chunk_size >= n):
        return run(0, n)
    whole = Whole(n)
    if chunk_size != "auto":
        return whole.filled(run, chunk_size)
    budget, most = get_memory_budget(place), max(1, _CACHE // (largest or 1)) if place == CPU else n
    guess = max(row_bytes * _GENEROUS, (largest or 1) * _ALIVE)
    if n <= 1 or (largest and min(n, most) * guess <= budget):
        return run(0, n) if n <= most else whole.filled(run, most)
    alone = measured(run, whole, 1, place) or guess
    if min(n, most) * alone <= budget:
        return whole.filled(run, most)
    few = min(budget // alone, _PROBED, n - 1)
    if few < 2:
        return whole.filled(run, 1)
    together = measured(run, whole, few, place)
    row = max(1, (together - alone) // (few - 1)) if together else guess
    return whole.filled(run, min(most, max(1, int(budget - alone) // row)))


def repeating(run: Callable[..., Any], place: Device) -> Callable[..., Any]:
    """`run`, of which every call draws the random numbers that the first draws."""
    streams = [default_generator] if place == CPU else [default_generator, backend_for(place).generator(place.index)]
    states = [stream.get_state() for stream in streams]

    def again(*args: Any) -> Any:
        for stream, state in zip(streams, states):
            stream.set_state(state)
        return run(*args)

    return again


class Whole:
    """The rows of the results, from the first on. Plain ones go straight to their places; those with a history are joined."""

    def __init__(self, n: int) -> None:
        self.n, self.done = n, 0
        self.places: list[Any] | None = None
        self.parts: list[list[Tensor]] = []

    def take(self, rows: list[Tensor], count: int) -> None:
        """The next `count` rows."""
        if not self.done and all([plain(y) for y in rows]):
            self.places = [beside(y.array, "empty", (self.n, *y.array.shape[1:]), y.dtype) for y in rows]
        if self.places is None:
            self.parts.append(rows)
        for place, y in zip(self.places or (), rows):
            with on_device_of(place):
                place[self.done : self.done + count] = y.array
        self.done += count

    def filled(self, run: Callable[[int, int], list[Tensor]], chunk: int) -> list[Tensor]:
        """All rows, the missing ones by chunks."""
        while self.done < self.n:
            count = min(chunk, self.n - self.done)
            self.take(run(self.done, self.done + count), count)
        if self.places is not None:
            return [wrap(y) for y in self.places]
        return [joining.cat(pieces) for pieces in zip(*self.parts)]


def plain(y: Tensor) -> bool:
    return y.node is None and not y.tangents and not y.batch


def measured(run: Callable[[int, int], list[Tensor]], whole: Whole, count: int, place: Device) -> int:
    """Do the next rows; return the most memory that was alive meanwhile, 0 where that is not known."""
    work = partial(run, whole.done, whole.done + count)
    rows, taken = backend_for(place).memory.taken_by(work, place.index)
    whole.take(rows, count)
    return taken
