"""A progress bar on a terminal: tqdm's if it is installed, else one line of our own. Elsewhere there is none."""

import sys
from collections.abc import Iterator
from time import monotonic
from typing import Any, Protocol

WIDTH = 30


class Countable(Protocol):
    """What can be gone through and says how much it is."""

    def __iter__(self) -> Iterator[Any]: ...
    def __len__(self) -> int: ...


def progress(items: Countable, label: str, *, shown: bool) -> Iterator[Any]:
    """Go through the items; if ``shown`` and standard error is a terminal, show how far that has come.

    >>> list(progress("ab", "letters", shown=False))
    ['a', 'b']
    """
    if not shown or not sys.stderr.isatty():
        yield from items
        return
    try:
        from tqdm import tqdm
    except ImportError:
        yield from _own_bar(items, label)
    else:
        yield from tqdm(items, label, leave=False)


def _own_bar(items: Countable, label: str) -> Iterator[Any]:
    total, drawn = len(items), 0.0
    for done, item in enumerate(items):
        if monotonic() - drawn > 0.1:
            filled = WIDTH * done // total
            sys.stderr.write(f"\r{label} [{'#' * filled}{'.' * (WIDTH - filled)}] {done}/{total}")
            sys.stderr.flush()
            drawn = monotonic()
        yield item
    sys.stderr.write("\r\x1b[K")
    sys.stderr.flush()
