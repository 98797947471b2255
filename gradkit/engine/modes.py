"""What is switched on: thread-local modes, and the two global counts which are all that the hot path reads of them."""

import threading
from collections import deque
from itertools import count
from typing import Any


class Local(threading.local):
    grad = True  # are operations recorded?
    special = 0  # how many modes are open in this thread that unrolled operations do not serve
    inference: Any = False  # or the `Inference` that marks what is made now; None in a transform, which may save such
    packing: Any = ()  # the innermost (pack_hook, unpack_hook) for what is saved
    packing_refused: str | None = None  # why there may be none
    batches: tuple[tuple[int, int], ...] = ()  # (level, size) of the vmaps this thread is in, outermost first
    hidden: tuple[int, ...] = ()  # those of these levels that transforms opened for tangents of their own
    spread: list[Any] | None = None  # weak references to what was spread along these
    functions: tuple[Any, ...] = ()  # what surrounds those that func's transforms are in, innermost last
    written: dict[int, Any] | None = None  # in the innermost transform of func: weak references to roots that got a history
    devices: tuple[Any, ...] = ()  # entered in with statements, innermost last: where constructors make tensors
    beside: Any = None  # the device on which rules that run on Tensors make arrays; None: the CPU
    duals: tuple[int, ...] = ()  # levels of forward_ad entered and not yet left, innermost last
    randomness = "error"  # what random operations may do inside the innermost vmap
    anomaly = False
    both_ways: Any = None  # or the `BothWays` for which nodes keep what rows' jvps read, too
    check_nan = True  # in anomaly mode
    birth: str | None = None  # what the operation just run did in anomaly mode: a NaN or Inf from finite operands
    moving: Any = None  # the `Moving` of a walk whose cotangents are tangents of another's, or have some
    walk: Any = None  # while hooks on tensors run: the walk they belong to
    mutable: Any = None  # what copies saved values before they are written, if they may be
    selecting: Any = None  # what a checkpoint asks for results that it may have saved
    errstate = False  # is a walk or a transform already holding numpy's warnings back?


local = Local()

#: How many things are open, in all threads, that unrolled operations do not serve: levels, anomaly modes, a second
#: backend, complex gradients.
unusual = 0
#: How many levels (forward mode, vmap) are open in all threads.
lifted = 0
#: How many no_grads are open in all threads.
muted = 0

#: Those levels whose tangents stand for what is read off a tape twice: `no_grad` stops them, and they require grad.
stilled: set[int] = set()

_lock = threading.Lock()
new_level = count(1).__next__  # never reused: what outlives its transform is mistaken for no other


def shift(*, lift: int = 0, mute: int = 0, special: int = 0) -> None:
    """Move the global counts."""
    global lifted, muted, unusual
    with _lock:
        lifted += lift
        muted += mute
        unusual += lift + special
        if _outlived:
            _forget()


def _forget() -> None:
    global lifted, unusual
    while _outlived:
        lift, special = _outlived.pop()
        lifted -= lift
        unusual -= lift + special


def _outlive(lift: int, special: int) -> None:
    """Count out what nobody holds any more."""
    _outlived.append((lift, special))
    if _lock.acquire(blocking=False):
        _forget()
        _lock.release()


class mode:
    """Set thread-local state for a while; both state and counts are restored on an exception too. Usable once."""

    __slots__ = ("_before", "_counts", "_state")

    def __init__(self, *, lift: int = 0, mute: int = 0, special: int = 0, **state: Any) -> None:
        self._counts = lift, mute, special
        self._state = state

    def __enter__(self) -> Any:
        lift, mute, special = self._counts
        self._before = {name: getattr(local, name) for name in self._state}
        shift(lift=lift, mute=mute, special=special)
        local.special += special
        local.__dict__.update(self._state)

    def __exit__(self, *exception: object) -> None:
        lift, mute, special = self._counts
        local.__dict__.update(self._before)
        local.special -= special
        shift(lift=-lift, mute=-mute, special=-special)


class Inference:
    """What tensors made in an inference mode hold on to: while any of them lives, operations look for them."""

    def __init__(self) -> None:
        shift(special=1)

    def __del__(self) -> None:
        _outlive(0, 1)


_outlived: deque[tuple[int, int]] = deque()


class Level(int):
    """The number of a vmap. Its tensors hold on to it."""

    __slots__ = ()

    def __del__(self) -> None:
        if self in closed:
            closed.discard(self)
            _outlive(1, 0)


#: The vmaps that are over, and have tensors that are not: operations look for these.
closed: set[int] = set()


class samples(mode):
    """The scope of a vmap."""

    __slots__ = ("_level",)

    def __init__(self, level: Level, size: int, **state: Any) -> None:
        super().__init__(lift=1, batches=(*local.batches, (level, size)), **state)
        self._level = level

    def __enter__(self) -> Level:
        super().__enter__()
        return self._level

    def __exit__(self, *exception: object) -> None:
        if exception[0] is None:  # a traceback, too, holds tensors
            self._counts = 0, 0, 0
            closed.add(int(self._level))
        super().__exit__(*exception)



_met_complex = False


def meet_complex() -> None:
    """From the first complex value on the tape, operations look for them: cotangents of complex values conjugate."""
    global _met_complex
    if not _met_complex:
        _met_complex = True
        shift(special=1)
