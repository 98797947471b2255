"""Writing in place: the memory changes, and so does the history of every view of it.

A write through a view or its root gives the root a new history, and every live view that history seen through its step.
"""

import weakref
from collections.abc import Callable
from typing import Any

import numpy as np

from gradkit.backend.protocol import backend_of, backends, beside
from gradkit.engine import modes
from gradkit.engine.bind import bind
from gradkit.engine.device import elsewhere
from gradkit.engine.dtypes import constant
from gradkit.engine.lending import keep_copies, lent, reclaim
from gradkit.engine.node import reachable
from gradkit.engine.operands import gathered, tensor_xp
from gradkit.engine.products import settle
from gradkit.engine.sharing import batched_like, check_own, spread
from gradkit.engine.tangents import tangent
from gradkit.engine.tape import remember
from gradkit.engine.tensor import Tensor, kept_alike, wrap
from gradkit.engine.versions import owner, stamp
from gradkit.engine.views import batched, chain, shown, turn, views_of

local = modes.local


# -- may it be written?
def check_writable(x: Tensor, name: str) -> None:
    """Raise RuntimeError for a leaf that requires grad, or a view whose writing would bypass its root's history."""
    if not local.grad:
        return
    if x._frozen:
        raise RuntimeError(f"{x._frozen} ({name} on shape {tuple(x.shape)}, {x.dtype.name})")
    root = x._view[1] if x._view else x
    if root.node is None:
        return
    if root.node.is_leaf:
        whose = "a view of a leaf Variable" if root is not x else "a leaf Variable"
        raise RuntimeError(
            f"{whose} that requires grad is being used in an in-place operation ({name} on shape {tuple(x.shape)}, "
            f"{x.dtype.name}); write under gradkit.no_grad(), or to a clone()"
        )
    if x.node is None:
        raise RuntimeError(
            f"A view was created in no_grad mode and is being modified inplace with grad mode enabled ({name}). Take "
            "the view and write to it both inside no_grad(), or both outside."
        )


def memory(x: Tensor, name: str) -> Any:
    """The raw array of `x`, made sure that it can be written."""
    if x._inference and not local.inference:
        raise RuntimeError(
            f"Inplace update to inference tensor outside InferenceMode is not allowed ({name} on shape "
            f"{tuple(x.shape)}, {x.dtype.name}). Write to a clone() of it."
        )
    if modes.lifted:
        settle()
    root = x._view[1] if x._view else x
    if lent or root.node is not None:
        rescue(root)
    if isinstance(x.array, np.generic):
        x.array = np.asarray(x.array)
    raw = x.array
    if modes.unusual and local.mutable is not None:
        local.mutable.before_write(raw)
    if (isinstance(raw, np.ndarray) and not raw.flags.writeable) or (0 in raw.strides and raw.size and overlaps(raw)):
        raise RuntimeError(
            "unsupported operation: more than one element of the written-to tensor refers to a single memory "
            f"location, or its memory is read-only. Please clone() the tensor before performing the operation ({name})."
        )
    return raw


def rescue(root: Tensor) -> None:
    """Copy, for whoever kept it, what is about to be written: where the row says so, and where a tangent was made of it."""
    if lent:
        reclaim(root.array)
    node = root.node
    if node is None or node.prim is None:
        return
    if node.picks:
        (node,) = node.parents
    if node.prim.rescues:
        keep_copies(node, root.array)
    for t in root.tangents.values() if root.tangents else ():
        for newer in reachable([t.node] if t.node else (), node.seq - 1):
            if newer.seq < node.seq:
                keep_copies(newer, root.array)


def overlaps(raw: Any) -> bool:
    return any([step == 0 and n > 1 for step, n in zip(raw.strides, raw.shape)])


def fitted(x: Tensor, y: Tensor, name: str) -> Tensor:
    """`y` in the dtype and shape, and with the batch axes, of `x`; RuntimeError if that would lose anything."""
    if y.shape != x.shape and np.broadcast_shapes(y.shape, x.shape) != tuple(x.shape):
        raise RuntimeError(
            f"output with shape {list(x.shape)} doesn't match the broadcast shape {list(y.shape)}: {name} writes into "
            "its first operand; use the operation that is not in place"
        )
    if _RANK[y.dtype.kind] > _RANK[x.dtype.kind]:
        raise RuntimeError(
            f"result type {y.dtype.name} can't be cast to the desired output type {x.dtype.name}: {name} writes into "
            "its first operand; convert that first"
        )
    if y.dtype != x.dtype:
        y = tensor_xp.astype(y, dtype=x.dtype)
    if y.shape != x.shape:
        y = tensor_xp.broadcast_to(y, tuple(x.shape))
    return y if x.batch == y.batch else batched_like(x, y)


_RANK = {"b": 0, "u": 1, "i": 1, "f": 2, "V": 2, "c": 3}  # what goes into what, without regard to width


def lifted(*operands: Any) -> bool:
    """Whether any operand carries tangents or batch axes."""
    return bool(modes.lifted) and any([isinstance(x, Tensor) and (x.tangents or x.batch) for x in operands])


# -- writing
def write(x: Tensor, op: Callable[..., Tensor], name: str, *others: Any) -> Tensor:
    """Replace `x` by ``op(x, *others)`` in the memory it has, and return it.

    Where the history is recorded `op` works on a copy of the old value, since its derivative may keep it.
    """
    check_writable(x, name)
    recorded = local.grad and any([isinstance(o, Tensor) and (o.node or o.tangents) for o in (x, *others)])
    if len(backends) > 1 and (there := elsewhere(x.array)):
        with there:
            return write(x, op, name, *others)
    if not recorded and written_at_once(x, op, others, name):
        return x
    if recorded and lifted(x, *others):  # what becomes of tangents may keep any operand
        others = tuple([copied(o) if isinstance(o, Tensor) and owner(o.array) is owner(x.array) else o for o in others])
    y = op(copied(x) if recorded else x, *others)
    if any([y is o for o in others]) and not lifted(x, y):
        return assign(x, y, name)
    if local.functions:
        check_own(x, name, y)
    if modes.lifted and y.batch:
        spread(x, y)
    raw = memory(x, name)
    if y.array.dtype is not raw.dtype or y.array.shape != raw.shape or x.batch or y.batch:
        y = fitted(x, y, name)
    raw[...] = y.array
    stamp(raw, name)
    revise(x, y)
    return x


def copied(x: Tensor) -> Tensor:
    return kept_alike(wrap(x.array.copy(), x.node, x.tangents, x.batch), x)


def written_at_once(x: Tensor, op: Callable[..., Tensor], others: tuple[Any, ...], name: str) -> bool:
    """Whether the result could be written into the memory of `x` as it came: of a row that is a ufunc, in one dtype."""
    prim = getattr(op, "primitive", None)
    if prim is None or prim.ufunc is None or len(others) + 1 != prim.arity or (modes.unusual and (local.special or lifted(x, *others))):
        return False
    if type(x.array) is np.ndarray:
        ufunc, number = prim.ufunc, constant
    else:
        backend = backend_of(x.array)
        ufunc, number = backend.ufunc(prim.ufunc.__name__), backend.operand
    dtype = x.array.dtype
    if ufunc is None or dtype.kind != "f":
        return False
    raws = [o.array if isinstance(o, Tensor) else number(o, dtype) if type(o) in (int, float) else o for o in others]
    if any([getattr(raw, "dtype", None) is not dtype for raw in raws]):
        return False
    raw = memory(x, name)
    try:
        ufunc(raw, *raws, raw)
    except (TypeError, ValueError):
        return False  # operands that do not fit: nothing was written
    stamp(raw, name)
    return True


def assign(x: Tensor, value: Any, name: str, steps: tuple[Any, ...] = ()) -> Tensor:
    """Put a tensor or number into what `steps` (view rows with their parameters) show of `x`, and return `x`.

    It is cast and broadcast. The old value is not read, so nothing is copied.
    """
    if len(backends) > 1 and (there := elsewhere(x.array)):
        with there:
            return assign(x, value, name, steps)
    traced = isinstance(value, Tensor)
    if lifted(x, value):
        value = value if traced else wrap(beside(x.array, "full", (), value, x.dtype))
        return write(x, lambda x, v: overwritten(x, v, steps), name, value)
    if len(backends) > 1 and traced and value.device != x.device:  # what is copied may come from another device
        value = tensor_xp.to_device(value, target=x.device)
    if local.functions:
        check_own(x, name, value)
    target = shown(memory(x, name), steps)
    check_writable(x, name)
    put_values(target, value.array if traced else value)
    stamp(x.array, name)
    if local.grad and (x.node is not None or (traced and value.node is not None)):
        revise(x, value if traced else wrap(beside(x.array, "zeros", (), x.dtype)), steps, whole=False)
    return x


def put(x: Tensor, row: Any, into: Callable[..., None], others: tuple[Tensor, ...], params: Any, name: str) -> Tensor:
    """Replace `x` by ``row(x, *others, **params)``; ``into(xp, raw, *others, **params)`` changes the memory itself.

    The row's rule must not read `x`, whose old value is gone, nor the result.
    """
    if len(backends) > 1 and (there := elsewhere(x.array)):
        with there:
            return put(x, row, into, others, params, name)
    if lifted(x, *others):
        return write(x, lambda x, *others: row(x, *others, **params), name, *others)
    check_writable(x, name)
    if local.functions:
        check_own(x, name, *others)
    raw = memory(x, name)
    raws = [o.array for o in others]
    for backend in {backend_of(one) for one in (raw, *raws)} if len(backends) > 1 else ():
        if backend.switches:
            (_, *others), (_, *raws) = gathered(row.primitive, (x, *others), [raw, *raws], backend)
    into(backend_of(raw).xp, raw, *raws, **params)
    stamp(raw, name)
    parents = (x.node, *[o.node for o in others])
    if local.grad and any(parents):
        revise(x, remember(row.primitive, (x, *others), [raw, *raws], raw, parents, params))
    return x


def put_values(target: Any, value: Any) -> None:
    """``target[...] = value``, with PyTorch's errors."""
    kind = value.dtype.kind if hasattr(value, "dtype") else ""
    if kind == "c" and target.dtype.kind != "c":
        value = value.real
    try:
        if kind and kind != target.dtype.kind:
            with np.errstate(invalid="ignore"):
                target[...] = value
        else:
            target[...] = value
    except (OverflowError, TypeError, ValueError):
        raise unfit(target, value) from None


def unfit(target: Any, value: Any) -> RuntimeError:
    if not hasattr(value, "shape"):
        return RuntimeError(f"value {value!r} cannot be converted to type {target.dtype.name} without overflow")
    at, n, m = next((i, n, m) for i, (n, m) in enumerate(zip(target.shape[::-1], value.shape[::-1])) if n != m != 1)
    at = target.ndim - 1 - at
    return RuntimeError(
        f"The expanded size of the tensor ({n}) must match the existing size ({m}) at non-singleton dimension {at}.  "
        f"Target sizes: {list(target.shape)}.  Tensor sizes: {list(value.shape)}"
    )


def overwritten(x: Tensor, value: Tensor, steps: tuple[Any, ...]) -> Tensor:
    shape = shown(x.array, batched(x, steps)).shape[len(x.batch) :]
    if value.dtype != x.dtype:
        value = tensor_xp.astype(value, dtype=x.dtype)
    return tensor_xp.overwrite(x, tensor_xp.broadcast_to(value, shape), steps=steps)


# -- history
def revise(x: Tensor, y: Tensor, steps: tuple[Any, ...] = (), whole: bool = True) -> None:
    """Give the history of `y`, just written into what steps show of `x`, to all who see this memory.

    If `y` is the `whole` of `x`, made for it, its history is taken as it stands.
    """
    root = x
    if x._view is not None:
        root, steps = x._view[1], chain(x) + steps
        whole = False
    if local.written is not None:
        local.written[id(root)] = weakref.ref(root)
    if root.tangents or y.tangents or root.batch:
        new = tensor_xp.overwrite(root, y, steps=steps) if steps else y
        if local.grad:
            turn(root, new.node, new.tangents)
        else:
            ts = {level: unrecorded(t, root, level) for level, t in (new.tangents or {}).items()}
            turn(root, root.node, ts | {level: t for level, t in (root.tangents or {}).items() if level in modes.stilled})
    elif not local.grad or y.node is root.node:
        return
    elif whole and y.node is not None:
        turn(root, y.node)
    else:
        raws, parents = (root.array, y.array), (root.node, y.node)
        turn(root, remember(tensor_xp.overwrite.primitive, (root, y), raws, root.array, parents, {"steps": steps}).node)
    for t in views_of(root) if root._views else ():
        see_again(t)


def unrecorded(t: Tensor, root: Tensor, level: int) -> Tensor:
    """A tangent as a write under no_grad leaves it: with the history of the one that was there."""
    old = tangent(root, level)
    return wrap(t.array, old.node if old is not None else None, t.tangents, t.batch)


def see_again(t: Tensor) -> None:
    """A view's history, from its source's."""
    source, _, prim, params = t._view
    if source.tangents or source.batch:
        with modes.mode(grad=True):  # whoever writes: it is the source that has a history or none
            new = bind(prim, (source,), params)
        turn(t, new.node, new.tangents)
    elif source.node is not None:
        turn(t, remember(prim, (source,), (source.array,), t.array, (source.node,), params).node)


def become(x: Tensor, op: Callable[[Tensor], Tensor], name: str) -> Tensor:
    """Let `x` be what ``op(x)``, a view of it, is: another shape of its memory. Return `x`."""
    check_writable(x, name)
    old = wrap(x.array, x.node, x.tangents, x.batch)
    old._view, old._views = x._view, x._views
    with modes.mode(grad=True):
        y = op(old)
    stamp(y.array, name)
    x.array = y.array
    if x.node is not None and x.node.prim is None:
        x.node.like = (y.array.shape, y.dtype)
        return x
    turn(x, y.node, y.tangents)
    stand_in(x, old, y)
    return x


def stand_in(x: Tensor, old: Tensor, y: Tensor) -> None:
    """Put `old` where `x` was among views and their sources, if there are any, and `x` where `y`, a view of it, is."""
    root = y._view[1]
    alive = [t for ref in root._views if (t := ref()) is not None and t is not y]
    x._views = None
    if root is old and not alive:
        return
    for t in alive:
        source, base, prim, params = t._view
        t._view = (old if source is x else source, old if base is x else base, prim, params)
    x._view = (old, *y._view[1:])
    root._views[:] = [weakref.ref(old if t is x else t) for t in alive] + [weakref.ref(x)]


def written(x: Tensor, name: str = "a raw write") -> None:
    """Say that the memory of `x` was written by raw array operations, as optimisers do."""
    stamp(x.array, name)
