"""PyTorch's switches for exact and repeatable arithmetic: the CPU is always both, so they are kept and change nothing."""

__all__ = [
    "are_deterministic_algorithms_enabled", "get_float32_matmul_precision", "set_float32_matmul_precision",
    "use_deterministic_algorithms",
]

_state = {"deterministic": False, "precision": "highest"}


def use_deterministic_algorithms(mode: bool, *, warn_only: bool = False) -> None:
    """Ask for operations that give the same numbers every time; on the CPU all do, on GPUs all but those in docs/gpu.md.

    >>> gradkit.use_deterministic_algorithms(True)
    >>> gradkit.are_deterministic_algorithms_enabled()
    True
    >>> gradkit.use_deterministic_algorithms(False)
    """
    _state["deterministic"] = bool(mode)


def are_deterministic_algorithms_enabled() -> bool:
    """Whether `use_deterministic_algorithms` asked for them.

    >>> gradkit.are_deterministic_algorithms_enabled()
    False
    """
    return bool(_state["deterministic"])


def set_float32_matmul_precision(precision: str) -> None:
    """Allow products of float32 matrices to be less exact, "high" or "medium" in place of "highest"; on the CPU none are.

    RuntimeError for another word.

    >>> gradkit.set_float32_matmul_precision("highest")
    """
    if precision not in ("highest", "high", "medium"):
        raise RuntimeError(f"{precision!r} is not one of 'highest', 'high', 'medium'")
    _state["precision"] = precision


def get_float32_matmul_precision() -> str:
    """What `set_float32_matmul_precision` allowed.

    >>> gradkit.get_float32_matmul_precision()
    'highest'
    """
    return str(_state["precision"])
