"""How much of the host's memory is free, and how much of it some work takes."""

from collections.abc import Callable
from typing import Any


class Memory:
    def free(self, _index: int | None) -> int:
        """Bytes that could be allocated without swapping; 4 GiB where the system does not say."""
        try:
            with open("/proc/meminfo", encoding="ascii") as lines:
                return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable"))
        except (OSError, StopIteration, ValueError):
            return 4 << 30

    def taken_by(self, work: Callable[[], Any], _index: int | None) -> tuple[Any, int]:
        """What `work` returns, and the most that was alive meanwhile beside what was before; 0 if a peak hides it that the
        user is after."""
        import tracemalloc

        running = tracemalloc.is_tracing()
        if not running:
            tracemalloc.start()
        try:
            before, highest = tracemalloc.get_traced_memory()
            found = work()
            _, peak = tracemalloc.get_traced_memory()
        finally:
            if not running:
                tracemalloc.stop()
        return found, peak - before if peak > highest else 0
