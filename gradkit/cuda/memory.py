"""How much memory arrays take on a GPU."""

from collections.abc import Callable
from typing import Any

from gradkit.cuda.devices import backend, index_of, is_initialized, place_of
from gradkit.engine.naming import named


def _memory(kind: str, device: Any) -> int:
    return int(backend().memory.bytes(kind, place_of(device))) if is_initialized() else 0


def _counting(name: str, kind: str, what: str) -> Callable[..., int]:
    def count(device: Any = None) -> int:
        return _memory(kind, device)

    return named(count, name, f"""{what}

    >>> assert gradkit.cuda.{name}() >= 0
    """)


_SINCE = "at once since the GPU was first used, or `reset_peak_memory_stats`."
memory_allocated = _counting("memory_allocated", "used", "Bytes that arrays take on a GPU now.")
max_memory_allocated = _counting("max_memory_allocated", "peak", f"The most bytes that arrays took {_SINCE}")
memory_reserved = _counting("memory_reserved", "held", "Bytes that are held for arrays on a GPU, in use or not.")
max_memory_reserved = _counting("max_memory_reserved", "peak held", f"The most bytes that were held for arrays {_SINCE}")


def memory_stats(device: Any = None) -> dict[str, int]:
    """What is known of a GPU's memory, in bytes, under PyTorch's names; CuPy's pool does not tell the others.

    >>> sorted(gradkit.cuda.memory_stats())
    ['allocated_bytes.all.current', 'allocated_bytes.all.peak', 'reserved_bytes.all.current', 'reserved_bytes.all.peak']
    """
    kinds = {"allocated": ("used", "peak"), "reserved": ("held", "peak held")}
    return {
        f"{name}_bytes.all.{which}": _memory(kind, device)
        for name, pair in kinds.items() for which, kind in zip(("current", "peak"), pair)
    }


def memory_summary(device: Any = None, abbreviated: bool = False) -> str:
    """`memory_stats` as a table in MiB, for people; it is always short.

    >>> print(gradkit.cuda.memory_summary().splitlines()[-1].split()[0])
    reserved_bytes.all.peak
    """
    return "\n".join([f"{name:<28}{count / 2**20:12.1f} MiB" for name, count in memory_stats(device).items()])


def reset_peak_memory_stats(device: Any = None) -> None:
    """Begin `max_memory_allocated` anew.

    >>> if gradkit.cuda.is_available():
    ...     gradkit.cuda.reset_peak_memory_stats()
    """
    backend().memory.restart(place_of(device))


def empty_cache() -> None:
    """Give back the memory that is held but not in use.

    >>> gradkit.cuda.empty_cache()
    """
    if is_initialized():
        backend().memory.release()


def mem_get_info(device: Any = None) -> tuple[int, int]:
    """Bytes free, and bytes in all, on a GPU.

    >>> if gradkit.cuda.is_available():
    ...     free, total = gradkit.cuda.mem_get_info()
    """
    with backend().on(index_of(device)):
        free, total = backend().memory.on_device()
    return free, total
