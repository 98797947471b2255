"""How many threads the products of matrices use: those of the BLAS that NumPy brings along."""

import ctypes
from functools import cache
from typing import Any

import numpy as np

__all__ = ["get_num_threads", "set_num_threads"]

#: What BLAS libraries call the two functions, the ones in NumPy's wheels first.
_NAMES = (
    ("scipy_openblas_set_num_threads64_", "scipy_openblas_get_num_threads64_"),
    ("scipy_openblas_set_num_threads", "scipy_openblas_get_num_threads"),
    ("openblas_set_num_threads64_", "openblas_get_num_threads64_"),
    ("openblas_set_num_threads", "openblas_get_num_threads"),
    ("MKL_Set_Num_Threads", "MKL_Get_Max_Threads"),
    ("bli_thread_set_num_threads", "bli_thread_get_num_threads"),
)


@cache
def _functions() -> tuple[Any, Any] | None:
    library = ctypes.CDLL(np._core._multiarray_umath.__file__)  # type: ignore[attr-defined]
    for set_name, get_name in _NAMES:
        if hasattr(library, set_name) and hasattr(library, get_name):
            return getattr(library, set_name), getattr(library, get_name)
    return None


@cache
def _controller() -> Any:
    """What threadpoolctl knows of, where it is installed; it looks through every library that is loaded."""
    try:
        import threadpoolctl
    except ImportError:
        return None
    return threadpoolctl.ThreadpoolController().select(user_api="blas")


def set_num_threads(num_threads: int) -> None:
    """Let products of matrices use so many threads, in this process, from now on.

    More threads than free cores make small products several times slower. RuntimeError for what is no integer of
    at least 1, and where NumPy's BLAS has no such function that can be found: set
    OPENBLAS_NUM_THREADS (or OMP_NUM_THREADS) before Python starts, or install threadpoolctl.

    >>> before = gradkit.get_num_threads()
    >>> gradkit.set_num_threads(1)
    >>> gradkit.get_num_threads()
    1
    >>> gradkit.set_num_threads(before)
    """
    if not isinstance(num_threads, int) or isinstance(num_threads, bool):
        raise RuntimeError(f"set_num_threads expects an int, but got {type(num_threads).__name__}")
    if num_threads < 1:
        raise RuntimeError(f"set_num_threads expects a positive integer, got {num_threads}")
    found = _functions()
    if found:
        found[0](ctypes.c_int(num_threads))
    elif _controller():
        _controller().limit(limits=num_threads)
    else:
        raise RuntimeError(
            "set_num_threads: NumPy's BLAS offers no way to set its threads; set OMP_NUM_THREADS before Python starts"
        )


def get_num_threads() -> int:
    """How many threads products of matrices may use; 1 where NumPy's BLAS does not tell.

    >>> gradkit.get_num_threads() >= 1
    True
    """
    found = _functions()
    if found:
        return int(found[1]())
    pools = _controller().info() if _controller() else []
    return max([pool["num_threads"] for pool in pools], default=1)
