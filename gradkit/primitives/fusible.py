"""Array programs that a backend may run in one go."""

from collections.abc import Callable
from functools import wraps
from typing import Any

#: Every fusible program by name; tests hold what a backend has for one to the program itself.
FUSIBLE: dict[str, Callable[..., Any]] = {}


def fusible(program: Callable[..., Any]) -> Callable[..., Any]:
    """Let a backend's namespace stand in for ``program(xp, *operands, **params)`` on its raw arrays.

    What it has under ``fused_<name of the program>`` is called with the operands and parameters, and may decline by
    answering NotImplemented. Everywhere else, and on Tensors, the program itself runs: it is the rule, and a fused form
    an optimisation of it.
    """
    name = program.__name__
    key = f"fused_{name}"

    @wraps(program)
    def call(xp, *operands, **params):
        fused = xp.__dict__.get(key)
        y = NotImplemented if fused is None else fused(*operands, **params)
        return program(xp, *operands, **params) if y is NotImplemented else y

    FUSIBLE[name] = program
    return call
