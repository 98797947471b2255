"""Forward mode: tangents of a level stand beside the primal, and an operation pushes them through its row's jvp."""

from typing import Any

from gradkit.engine.primitive import Primitive
from gradkit.engine.tape import tensor_xp
from gradkit.engine.tensor import Tensor, wrap


def top_level(*tensors: Tensor) -> int:
    """The highest level at which any of them has a tangent; 0 for none."""
    return max([level for x in tensors if x.tangents for level in x.tangents], default=0)


def tangent(x: Any, level: int) -> Tensor | None:
    """The tangent of `x` at a level, None where it is zero."""
    return x.tangents.get(level) if isinstance(x, Tensor) and x.tangents else None


def strip(x: Any, level: int) -> Any:
    """`x` as an inner computation sees it: without its tangent of this level."""
    if tangent(x, level) is None:
        return x
    return wrap(x.array, x.node, {l: t for l, t in x.tangents.items() if l != level}, x.batch)


def dual(x: Tensor, level: int, t: Tensor | None) -> Tensor:
    """`x` with a tangent at a level."""
    return x if t is None else wrap(x.array, x.node, {**(x.tangents or {}), level: t}, x.batch)


def push(bind: Any, prim: Primitive, level: int, operands: Any, params: dict[str, Any]) -> Any:
    """Run a primitive on operands stripped of a level, and its jvp on their tangents of that level."""
    primals = [strip(x, level) for x in operands]
    y = bind(prim, primals, params)
    if prim.step is None:
        return y
    t = prim.jvp(tensor_xp, [tangent(x, level) for x in operands], y, *primals, **params)
    if prim.outputs > 1:
        return [dual(one, level, t_one) for one, t_one in zip(y, t or [None] * len(y))]
    return dual(y, level, t)
