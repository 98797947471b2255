"""Version counters: they belong to memory, so that views share them and only memory that is written pays for one."""

import weakref
from itertools import count
from typing import Any

import numpy as np

from gradkit import errors

#: One clock for nodes and in-place writes. It runs down, so that a heap pops the newest node first.
tick = count(0, -1).__next__

_writes: dict[int, tuple[int, int, str, Any]] = {}  # id of the owner -> (when, how often, by what, weak reference)
last_write = 1  # when memory was last written, by anybody; 1: never


def owner(array: Any) -> Any:
    """The array whose memory this is. Views know it themselves, so sharing a version costs nothing."""
    kind = type(array)
    base = array.base
    while base is not None:
        if type(base) is not kind:
            base = getattr(base, "base", None)  # what as_strided puts in between
            if type(base) is not kind:
                break
        array, base = base, base.base
    return array


def version_of(array: Any) -> int:
    """How often the memory under `array` was written in place."""
    if isinstance(array, np.generic) or not _writes:
        return 0
    return _writes.get(id(owner(array)), (0, 0))[1]


def stamp(array: Any, writer: str) -> None:
    """Note that `writer` wrote the memory under `array` just now."""
    global last_write
    memory = owner(array)
    key = id(memory)
    found = _writes.get(key)
    last_write = tick()
    if found is None:
        _writes[key] = last_write, 1, writer, weakref.ref(memory, lambda _: _writes.pop(key, None))
    else:
        _writes[key] = last_write, found[1] + 1, writer, found[3]


def check_unwritten(node: Any, saved: Any) -> None:
    """Raise RuntimeError if what a node kept was written in place after it was kept."""
    for residual in saved:
        if isinstance(residual, tuple | list) and residual and hasattr(residual[0], "base"):
            check_unwritten(node, residual)
        elif hasattr(residual, "base"):
            written = None if isinstance(residual, np.generic) else _writes.get(id(owner(residual)))
            if written is not None and written[0] < node.seq:
                raise errors.modified(node.name(), node.line, written[2], written[1])
