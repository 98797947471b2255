"""Counters by which the blocks of a launch tell who of them is the last."""

from threading import get_ident
from typing import Any

from gradkit.backend.kernels.layout import BLOCKS_EACH

PER_THREAD = 2  # the default stream that each thread has of its own


class Tickets:
    """Counters for each stream: zero, as each launch leaves them."""

    def __init__(self, cupy: Any) -> None:
        self.cupy = cupy
        self.made: dict[tuple[int, ...], Any] = {}

    def most(self) -> int:
        return BLOCKS_EACH * int(self.cupy.cuda.Device().attributes["MultiProcessorCount"])

    def here(self) -> Any:
        """Those of the current stream, enough for as many tiles as there are blocks."""
        stream = self.cupy.cuda.get_current_stream()
        key = (self.cupy.cuda.runtime.getDevice(), stream.ptr, get_ident() if stream.ptr == PER_THREAD else 0)
        found = self.made.get(key)
        if found is None:
            found = self.made[key] = self.cupy.zeros(self.most(), "I")
        return found
