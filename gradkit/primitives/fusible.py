"""Array programs that a backend may run in one go."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from gradkit.engine.tensor import Tensor

#: Every fusible program by name; tests hold what a backend has for one to the program itself.
FUSIBLE: dict[str, Callable[..., Any]] = {}


def fusible(program: Callable[..., Any]) -> Callable[..., Any]:
    """Let a backend's namespace stand in for ``program(xp, *operands, **params)`` on its raw arrays.

    What it has under ``fused_<name of the program>`` is called with the operands and parameters, and may decline by
    answering NotImplemented. Everywhere else, and on Tensors, the program itself runs: it is the rule, and a fused form
    an optimisation of it. Raw arrays of half precision and bfloat16 it gets in float32, and is rounded once, at the end,
    but for a program ``-> None``, which writes into its operands.
    """
    name = program.__name__
    key = f"fused_{name}"
    writes = program.__annotations__.get("return", Any) is None

    @wraps(program)
    def call(xp, *operands, **params):
        fused = xp.__dict__.get(key)
        y = NotImplemented if fused is None else fused(*operands, **params)
        if y is not NotImplemented:
            return y
        given = operands[0].dtype
        if writes or given.char not in "eE" or any([isinstance(x, Tensor) for x in operands]):
            return program(xp, *operands, **params)
        y = program(xp, *[x.astype("f") if x.dtype == given else x for x in operands], **params)
        return [one.astype(given) for one in y] if isinstance(y, tuple | list) else y.astype(given)

    FUSIBLE[name] = program
    return call
