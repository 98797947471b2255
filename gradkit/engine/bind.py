"""How an operation on tensors with tangents or batch axes becomes operations on plain ones, which the tape records.

`bind` takes off one facet at a time: tangents first (highest level first), then all batch axes at once.
"""

from typing import Any

from gradkit.engine import batching, dtypes, modes, tangents
from gradkit.engine.primitive import Primitive
from gradkit.engine.tape import raw_operands, record, tensor_xp
from gradkit.engine.tensor import Tensor, wrap


def bind(prim: Primitive, operands: Any, params: dict[str, Any]) -> Any:
    """Run a primitive on whatever its operands carry."""
    if not modes.lifted:
        return record(prim, operands, params)
    level, levels = 0, set()
    for x in operands:
        if isinstance(x, Tensor):
            if x.tangents:
                level = max(level, *x.tangents)
            levels.update(x.batch)
    if not level and not levels:
        return record(prim, operands, params)
    operands = uniform(prim, operands)
    if level:
        return tangents.push(bind, prim, level, operands, params)
    return batching.spread(bind, prim, sorted(levels), operands, params)


def uniform(prim: Primitive, operands: Any) -> list[Tensor]:
    """The operands as Tensors of one dtype: what `record` does to raw arrays, in a way that facets survive."""
    if prim.promote == "none":
        return [x if isinstance(x, Tensor) else wrap(x) for x in operands]
    if already_uniform(prim, operands):
        return operands
    logical = [_logical(x) for x in operands]
    raws, _ = raw_operands(prim, logical)
    dtype = raws[0].dtype
    return [
        wrap(raw) if not isinstance(x, Tensor) else x if x.dtype == dtype else tensor_xp.astype(x, dtype=dtype)
        for x, raw in zip(operands, raws)
    ]


def already_uniform(prim: Primitive, operands: Any) -> bool:
    first = operands[0]
    if not isinstance(first, Tensor) or (prim.promote == "float" and first.array.dtype.kind not in "fc"):
        return False
    dtype = first.array.dtype
    return all([isinstance(x, Tensor) and x.array.dtype is dtype for x in operands])


def _logical(x: Any) -> Any:
    """An operand as promotion sees it: batch axes do not make a 0-d sample an array with axes."""
    if isinstance(x, Tensor) and x.batch and x.array.ndim == len(x.batch):
        return wrap(x.array[(0,) * x.array.ndim]) if x.array.size else wrap(dtypes.constant(0, x.dtype))
    return x
