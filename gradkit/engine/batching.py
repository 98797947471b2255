"""vmap: batch axes are ordinary leading axes of the array, hidden from the shape; operations run on all of them at once."""

from typing import Any

from gradkit.engine import modes
from gradkit.engine.primitive import Primitive
from gradkit.engine.tape import tensor_xp
from gradkit.engine.tensor import Tensor, wrap


def spread(bind: Any, prim: Primitive, levels: list[int], operands: Any, params: dict[str, Any]) -> Any:
    """Run a primitive with every batch axis of its operands as an ordinary leading axis.

    Parameters count axes from the end, so for most rows that is all; a row's `batching` edits the others' parameters.
    """
    extent = {l: n for x in operands for l, n in zip(x.batch, x.array.shape)}
    sizes = tuple([extent[l] for l in levels])
    rank = max([x.ndim for x in operands]) if prim.broadcasts else None
    physical = [align(x, levels, rank) for x in operands]
    if not prim.broadcasts and len(operands) > 1:
        physical = [expand(x, sizes + x.shape[len(sizes) :]) for x in physical]
    y = bind(prim, physical, prim.batching(sizes, **params) if prim.batching else params)
    batch = tuple(levels)
    if prim.outputs > 1:
        return [wrap(one.array, one.node, one.tangents, batch) for one in y]
    return wrap(y.array, y.node, y.tangents, batch)


def align(x: Tensor, levels: Any, rank: int | None = None) -> Tensor:
    """`x` with one leading axis for each level, of extent 1 for those it lacks, its own axes padded to `rank`."""
    sizes = dict(zip(x.batch, x.array.shape))
    front = tuple([sizes.get(l, 1) for l in levels])
    own = tuple(x.shape)
    shape = front + (1,) * ((rank or len(own)) - len(own)) + own
    plain = wrap(x.array, x.node)
    return plain if shape == x.array.shape else tensor_xp.reshape(plain, shape)


def expand(x: Tensor, shape: tuple[int, ...]) -> Tensor:
    return x if x.shape == shape else tensor_xp.broadcast_to(x, shape)


def over_active_batches(x: Tensor) -> Tensor:
    """`x` spread over every vmap this thread is in: a leaf must be, to receive one gradient per sample."""
    levels, sizes = zip(*modes.local.batches) if modes.local.batches else ((), ())
    if not levels:
        return x
    plain = expand(align(wrap(x.array, x.node, None, x.batch), levels), sizes + tuple(x.shape))
    return wrap(plain.array, plain.node, x.tangents, tuple(levels))


def enter(x: Tensor, level: int) -> Tensor:
    """The first axis of `x` becomes the batch axis of `level`, behind the batch axes it has: where it belongs."""
    ts = {l: enter(t, level) for l, t in (x.tangents or {}).items()}
    return wrap(x.array, x.node, ts, (*x.batch, level))


def leave(x: Tensor, level: int, size: int) -> Tensor:
    """The reverse. What does not depend on the batch is the same for every sample."""
    ts = {l: leave(t, level, size) for l, t in (x.tangents or {}).items()}
    if level not in x.batch:
        lower = wrap(x.array, x.node, None, x.batch)
        y = tensor_xp.broadcast_to(tensor_xp.reshape(lower, (1, *x.shape)), (size, *x.shape))
        return wrap(y.array, y.node, ts, x.batch)
    return wrap(x.array, x.node, ts, tuple([l for l in x.batch if l != level]))
