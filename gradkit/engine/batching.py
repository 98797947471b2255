"""vmap: batch axes are ordinary leading axes of the array, hidden from the shape; operations run on all at once."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from gradkit import errors
from gradkit.backend.numpy import NUMPY
from gradkit.backend.protocol import backend_of, backends
from gradkit.engine import modes
from gradkit.engine.lines import user_line
from gradkit.engine.operands import P, R, tensor_xp
from gradkit.engine.primitive import Primitive
from gradkit.engine.tensor import Tensor, kept_alike, wrap

local = modes.local


def spread(bind: Any, prim: Primitive, batch: tuple[int, ...], operands: Any, params: dict[str, Any]) -> Any:
    """Run a primitive with every batch axis of its operands as an ordinary leading axis.

    Parameters count axes from the end, so for most rows that is all; a row's `batching` edits the others' parameters.
    """
    plain = prim.step is None or not local.grad or not any([x.node for x in operands])
    if plain and on_host(operands) and not local.special:
        return _spread_raw(prim, batch, operands, params)
    sizes = extents(batch, operands)
    given = prim.batching(sizes, **params) if prim.batching else params
    rank = max([x.ndim for x in operands]) if prim.broadcasts else None
    physical = [align(x, batch, rank) for x in operands]
    if not prim.broadcasts and len(operands) > 1:
        physical = [expand(x, sizes + x.shape[len(sizes) :]) for x in physical]
    y = bind(prim, physical, given)
    if prim.outputs > 1:
        return [made_of(one.array, one.node, one.tangents, batch, operands) for one in y]
    return made_of(y.array, y.node, y.tangents, batch, operands)


def made_of(array: Any, node: Any, ts: Any, batch: tuple[int, ...], operands: Any) -> Tensor:
    """What was made of these operands, of which some may be alike in all samples."""
    t = wrap(array, node, ts, batch)
    for x in operands:
        if x._alike:
            t._alike = alike(batch, operands)
            break
    return t


def alike(batch: tuple[int, ...], operands: Any) -> tuple[int, ...]:
    """Those of the levels along which all samples of all operands are the same."""
    differ = {level for x in operands if x._alike != x.batch for level in x.batch if level not in x._alike}
    return tuple([level for level in batch if level not in differ]) if differ else batch


def single(x: Tensor, levels: tuple[int, ...]) -> Tensor:
    """`x` without the batch axes of these levels, along which all samples are the same: if there is any."""
    batch = tuple([level for level in x.batch if level not in levels])
    if batch == x.batch or 0 in x.array.shape[: len(x.batch)]:
        return x
    key = (..., *[slice(None) if level in batch else 0 for level in x.batch], *[slice(None)] * x.ndim)
    y = tensor_xp.slice(wrap(x.array, x.node), key=key)
    return wrap(y.array, y.node, x.tangents, batch)


def _spread_raw(prim: Primitive, batch: tuple[int, ...], operands: Any, params: Any) -> Any:
    """The same when nothing is recorded: on the raw arrays, without a Tensor in between."""
    if prim.batching:
        params = prim.batching(extents(batch, operands), **params)
    if len(operands) == 1:
        raws = [operands[0].array]
    elif prim.broadcasts:
        raws = beside(batch, operands, prim.structure == "diagonal")
    else:
        sizes = extents(batch, operands)
        raws = [stretched(x, batch, sizes) for x in operands]
    try:
        y = prim.run(*raws, **params)
    except errors.LinAlgError:
        raise
    except ValueError as reason:
        raise errors.unfit(prim.name, raws, reason) from None
    if prim.outputs > 1:
        return [made_of(one, None, None, batch, operands) for one in y]
    return made_of(y, None, None, batch, operands)


def extents(batch: tuple[int, ...], operands: Any) -> tuple[int, ...]:
    """How many samples there are at each level."""
    for x in operands:
        if x.batch == batch:
            return x.array.shape[: len(batch)]
    found = {level: n for x in operands for level, n in zip(x.batch, x.array.shape)}
    return tuple([found[level] for level in batch])


def beside(batch: tuple[int, ...], operands: Any, loose: bool) -> list[Any]:
    """Raw arrays that line up by NumPy's rule with batch axes in front; if `loose`, also by having none at all."""
    rank = max([x.array.ndim - len(x.batch) for x in operands])
    whole = rank + len(batch)
    return [
        x.array
        if (x.batch == batch and x.array.ndim == whole) or (loose and not x.batch)
        else x.array.reshape(aligned(x, batch, rank))
        for x in operands
    ]


def stretched(x: Tensor, batch: tuple[int, ...], sizes: tuple[int, ...]) -> Any:
    """The raw array of `x` with every batch axis at its full extent."""
    if x.batch == batch:
        return x.array
    raw = x.array.reshape(aligned(x, batch, None))
    return backend_of(raw).xp.broadcast_to(raw, sizes + raw.shape[len(sizes) :])


def on_host(operands: Any) -> bool:
    return len(backends) == 1 or all([backend_of(x.array) is NUMPY for x in operands])


def aligned(x: Tensor, levels: Any, rank: int | None) -> tuple[int, ...]:
    """The shape of `x` with one leading axis for each level (extent 1 where it lacks it), its own padded to `rank`."""
    sizes = dict(zip(x.batch, x.array.shape))
    own = x.array.shape[len(x.batch) :]
    return tuple([sizes.get(l, 1) for l in levels]) + (1,) * ((rank or len(own)) - len(own)) + own


def align(x: Tensor, levels: Any, rank: int | None = None) -> Tensor:
    """`x` in that shape. A 0-d operand that lines up with any shape stays as it is: on a GPU it may be a number."""
    if rank is not None and not x.array.ndim:
        return wrap(x.array, x.node)
    shape = aligned(x, levels, rank)
    plain = wrap(x.array, x.node)
    return plain if shape == x.array.shape else tensor_xp.reshape(plain, shape)


def expand(x: Tensor, shape: tuple[int, ...]) -> Tensor:
    return x if x.shape == shape else tensor_xp.broadcast_to(x, shape)


def over_active_batches(x: Tensor) -> Tensor:
    """`x` spread over every vmap this thread is in: a leaf must be, to receive one gradient per sample."""
    if modes.closed:
        x = living(x)
    levels, sizes = zip(*local.batches) if local.batches else ((), ())
    if not levels:
        return x
    plain = expand(align(wrap(x.array, x.node, None, x.batch), levels), sizes + tuple(x.shape))
    y = wrap(plain.array, plain.node, x.tangents, tuple(levels))
    y._alike = tuple([level for level in levels if level in x._alike or level not in x.batch])
    return y


def over(x: Tensor) -> tuple[int, ...]:
    """The vmaps that `x` has batch axes of and that have returned. A walk back is in them again."""
    here = dict(local.batches)
    return tuple([level for level in x.batch if level in modes.closed and level not in here])


def living(x: Tensor) -> Tensor:
    """`x` without what has escaped from its vmap: tangents, and axes along which samples are the same; RuntimeError if not."""
    gone = over(x)
    if not {*gone} <= {*x._alike}:
        raise RuntimeError(
            f"vmap: a Tensor of shape {tuple(x.shape)}, used in {user_line()}, has escaped from inside a function being "
            "vmapped, which has returned. It stands for many samples: return it, and use what vmap makes of it by out_dims"
        )
    if gone:
        x = single(x, gone)
    ts = {level: t for level, t in (x.tangents or {}).items() if not over(t)}
    return x if len(ts) == len(x.tangents or ()) else kept_alike(wrap(x.array, x.node, ts, x.batch), x)


def depends_on_data(what: str, remedy: str) -> RuntimeError:
    """The error of what needs one answer from a tensor that stands for many samples, each with its own."""
    if unasked():
        return RuntimeError(f"It looks like you're {what}, in {user_line()}, of {ROWS}. Else {remedy}")
    return RuntimeError(
        f"vmap: It looks like you're {what}, in {user_line()}. Inside vmap a tensor stands for many samples, which may "
        f"differ in this: {remedy}"
    )


ROWS = (
    "batched rows of the Jacobian; chunk_size=1, and for autograd.functional's in reverse mode vectorize=False, takes one "
    "row at a time"
)


def unasked() -> bool:
    """Whether the batch axes here are those of unit tensors alone, of which user code knows nothing."""
    return bool(local.hidden) and {level for level, _ in local.batches} <= {*local.hidden}


def sole(x: Any, what: str, remedy: str) -> Any:
    """`x`, if inside vmap as the one tensor that all samples share; else that error."""
    if not (isinstance(x, Tensor) and x.batch):
        return x
    if modes.closed:
        x = living(x)
    if x._alike != x.batch:
        raise depends_on_data(what, remedy)
    return single(x, x.batch)


def by_sample(*of: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """For a function that cannot do many samples at once: under vmap it does one after the other, and the answers are stacked.

    With `of` only where one of these operands is mapped.
    """

    def decorate(function: Any) -> Any:
        @wraps(function)
        def call(*args: Any, **kwargs: Any) -> Any:
            given = [_shared(x) if isinstance(x, Tensor) else x for x in (*args, *kwargs.values())]
            names = (*function.__code__.co_varnames[: len(args)], *kwargs) if of else given
            asked = [x for name, x in zip(names, given) if isinstance(x, Tensor) and (not of or name in of)]
            level = max([level for x in asked for level in x.batch], default=0)
            if not level:
                return function(*given[: len(args)], **dict(zip(kwargs, given[len(args) :])))
            size, ys = dict(local.batches)[level], []
            fronts = [leave(x, level, size) if isinstance(x, Tensor) and level in x.batch else None for x in given]
            for i in range(size) or [None]:
                one = [x if front is None else _sample(front, i) for x, front in zip(given, fronts)]
                ys.append(call(*one[: len(args)], **dict(zip(kwargs, one[len(args) :]))))
            if isinstance(ys[0], Tensor):
                return stacked(function.__name__, ys, level, size)
            return ys[0]._make([stacked(function.__name__, column, level, size) for column in zip(*ys)])

        return call

    return decorate


def _shared(x: Tensor) -> Tensor:
    if modes.closed:
        x = living(x)
    return single(x, x._alike) if x.node is None else x


def _sample(front: Tensor, i: int | None) -> Tensor:
    """One of the samples along the first axis, or for the shape of what becomes of it one of zeros."""
    if i is None:
        key = (..., slice(0), *[slice(None)] * (front.ndim - 1))
        front, i = tensor_xp.unslice(front, shape=(1, *front.shape[1:]), key=key), 0
    return front[i]


def stacked(name: str, ys: Any, level: int, size: int) -> Tensor:
    """What there is for each sample as one tensor. RuntimeError if shapes differ."""
    shapes = {tuple(y.shape) for y in ys}
    if len(shapes) > 1:
        raise RuntimeError(
            f"vmap: {name}() in {user_line()} has results of the shapes {sorted(shapes)} for different samples, which no "
            "Tensor can hold: say the size, or do it outside of vmap"
        )
    return enter(tensor_xp.stack_all(*ys, axis=-1 - ys[0].ndim)[:size], level)


def enter(x: Tensor, level: int) -> Tensor:
    """The first axis of `x` becomes the batch axis of `level`, behind the batch axes it has: where it belongs."""
    ts = {l: enter(t, level) for l, t in (x.tangents or {}).items()}
    y = ascending(x, (*x.batch, level))
    return wrap(y.array, y.node, ts, y.batch)


def leave(x: Tensor, level: int, size: int) -> Tensor:
    """The reverse. What does not depend on the batch is the same for every sample."""
    ts = {l: leave(t, level, size) for l, t in (x.tangents or {}).items()}
    if level not in x.batch:
        lower = wrap(x.array, x.node, None, x.batch)
        y = tensor_xp.broadcast_to(tensor_xp.reshape(lower, (1, *x.shape)), (size, *x.shape))
        return wrap(y.array, y.node, ts, x.batch)
    rest, raw = tuple([l for l in x.batch if l != level]), x
    if level != x.batch[-1]:  # a tangent that an inner transform spread
        order = [x.batch.index(l) for l in (*rest, level)]
        raw = tensor_xp.permute(wrap(x.array, x.node), (*order, *range(len(order), x.array.ndim)))
    return wrap(raw.array, raw.node, ts, rest)


def sizes_of(xs: Any) -> tuple[tuple[int, int], ...]:
    """The batch axes of tensors, as a thread knows its vmaps: what walks back later is in them again."""
    return tuple(sorted({place for x in xs if x is not None for place in zip(x.batch, x.array.shape)}))


def ascending(ct: Tensor, levels: tuple[int, ...]) -> Tensor:
    """A cotangent whose first axes belong to these levels, as a Tensor with batch axes in ascending order."""
    raw, ordered = wrap(ct.array, ct.node), tuple(sorted(levels))
    if ordered != levels:
        raw = tensor_xp.permute(raw, (*[levels.index(level) for level in ordered], *range(len(levels), raw.ndim)))
    return wrap(raw.array, raw.node, batch=ordered)


def physical(g: Tensor, batch: tuple[int, ...], riding: set[int], shape: tuple[int, ...]) -> Tensor:
    """A gradient in the layout of its argument's array: what rides on the walk, then batch axes that only it has, first."""
    if g.batch or batch:
        on_top = [level for level in g.batch if level in riding]
        levels = (*on_top, *[level for level in g.batch if level not in riding and level not in batch], *batch)
        order = [g.batch.index(level) for level in levels if level in g.batch]
        raw = wrap(g.array, g.node)
        if order != sorted(order):
            raw = tensor_xp.permute(raw, (*order, *range(len(order), raw.ndim)))
        sizes = dict(zip(g.batch, g.array.shape))
        lead, own = [sizes.get(level, 1) for level in levels], tuple(g.shape)
        raw = tensor_xp.reshape(raw, (*lead, *own)) if len(lead) > len(order) else raw
        lead[len(lead) - len(batch) :] = shape[: len(batch)]
        raw = raw if raw.shape == (*lead, *own) else tensor_xp.broadcast_to(raw, (*lead, *own))
        g = wrap(raw.array, raw.node, batch=tuple(on_top))
    return g
