"""How an operation on tensors with tangents or batch axes becomes operations on plain ones, which the tape records.

`bind` takes off one facet at a time: tangents first (highest level first), then all batch axes at once.
"""

from typing import Any

from gradkit.engine import batching, dtypes, modes, tangents
from gradkit.engine.operands import raw_operands, tensor_xp
from gradkit.engine.primitive import Primitive
from gradkit.engine.tape import record
from gradkit.engine.tensor import Tensor, wrap


def bind(prim: Primitive, operands: Any, params: dict[str, Any]) -> Any:
    """Run a primitive on whatever its operands carry."""
    if not modes.lifted:
        return record(prim, operands, params)
    if modes.closed:
        operands = [batching.living(x) if isinstance(x, Tensor) else x for x in operands]
    level, batch = facets(operands)
    if not level and not batch:
        return record(prim, operands, params)
    if not level or len(operands) > 1:
        operands = uniform(prim, operands)
    if level:
        if modes.stilled and not modes.local.grad and level in modes.stilled:
            return bind(prim, [tangents.strip(x, level) for x in operands], params)
        return tangents.push(bind, prim, level, operands, params)
    return batching.spread(bind, prim, batch, operands, params)


def facets(operands: Any) -> tuple[int, tuple[int, ...]]:
    """The highest level of a tangent among the operands, 0 for none; and the levels of all their batch axes."""
    level, batch = 0, ()
    for x in operands:
        if isinstance(x, Tensor):
            if x.tangents:
                level = max(level, *x.tangents)
            if x.batch and x.batch != batch:
                batch = tuple(sorted({*batch, *x.batch})) if batch else x.batch
    return level, batch


def uniform(prim: Primitive, operands: Any) -> Any:
    """The operands as Tensors of one dtype: what `record` does to raw arrays, in a way that facets survive."""
    if prim.promote == "none":
        return [x if isinstance(x, Tensor) else wrap(x) for x in operands]
    numbers, dtype = 0, None
    for x in operands:
        if type(x) is float or type(x) is int:
            numbers += 1
        elif not isinstance(x, Tensor) or (dtype is not None and dtype is not x.array.dtype):
            return promoted(prim, operands)
        else:
            dtype = x.array.dtype
    if dtype is None or (dtype not in dtypes.real_constants and (numbers or prim.promote == "float")):
        return promoted(prim, operands)
    return [x if isinstance(x, Tensor) else wrap(dtypes.constant(x, dtype)) for x in operands] if numbers else operands


def promoted(prim: Primitive, operands: Any) -> list[Tensor]:
    logical = [_logical(x) for x in operands]
    raws, _ = raw_operands(prim, logical)
    dtype = raws[0].dtype
    return [
        wrap(raw) if not isinstance(x, Tensor) else x if x.dtype == dtype else tensor_xp.astype(x, dtype=dtype)
        for x, raw in zip(operands, raws)
    ]


def _logical(x: Any) -> Any:
    """An operand as promotion sees it: batch axes do not make a 0-d sample an array with axes."""
    if isinstance(x, Tensor) and x.batch and x.array.ndim == len(x.batch):
        return wrap(x.array[(0,) * x.array.ndim]) if x.array.size else wrap(dtypes.constant(0, x.dtype))
    return x
