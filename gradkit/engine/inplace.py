"""Views, and writing in place: the memory changes, and so does the history of every view of it.

A view remembers the tensor it was taken from and the step that took it; the root of all views knows them weakly. A
write through any of them gives the root a new history, and every live view that history seen through its step.
"""

import weakref
from collections.abc import Callable
from typing import Any

import numpy as np

from gradkit import errors
from gradkit.engine import dtypes, modes
from gradkit.engine.bind import bind
from gradkit.engine.node import Node
from gradkit.engine.primitive import Primitive
from gradkit.engine.tape import remember, tensor_xp
from gradkit.engine.tensor import Tensor, wrap
from gradkit.engine.unrolled import odd
from gradkit.engine.versions import owner, stamp, tick

local = modes.local


# -- views -----------------------------------------------------------------------------------------------------------
def view_of(prim: Primitive, otherwise: Callable[..., Any]) -> Callable[[Any, dict[str, Any]], Any]:
    """The operation of a row whose result may share its operand's memory: ``apply(input, params)``.

    It records as `unrolled.unary_with` does; where memory is shared, source and view then know each other.
    """
    run, ((_, keep_x),) = prim.run, prim.keeps

    def apply(input: Any, params: dict[str, Any]) -> Any:
        try:
            x = input.array
            parent = input.node
        except AttributeError:
            return otherwise(prim, (input,), params)
        if isinstance(x, np.generic):
            x = input.array = np.asarray(x)
        if modes.unusual and odd(input):
            t = otherwise(prim, (input,), params)
            y = t.array
        else:
            t = Tensor()
            t.array = y = run(x, **params)
            if parent is None or modes.muted and not local.grad:
                t.node = None
            else:
                t.node = node = Node()
                node.seq = tick()
                node.prim = prim
                node.parents = (parent,)
                node.saved = (None, x.shape if keep_x else None)
                node.like = (y.shape, y.dtype)
                node.params = params
                node.hooks = None
        base = y.base
        if base is not None and (base is x or base is x.base or owner(y) is owner(x)):
            root = input if input._view is None else input._view[1]
            t._view = (input, root, prim, params)
            views = root._views
            if views is None:
                root._views = views = Views()
            if len(views) > views.limit:
                views.prune()
            views.append(weakref.ref(t))
        return t

    return apply


class Views(list[Any]):
    """Weak references to the views of a root, oldest first; the dead are swept out before the list has doubled."""

    __slots__ = ("limit",)

    def __init__(self) -> None:
        self.limit = 32

    def prune(self) -> None:
        self[:] = [ref for ref in self if ref() is not None]
        self.limit = max(32, 2 * len(self))


# -- writing ---------------------------------------------------------------------------------------------------------
def write(x: Tensor, op: Callable[..., Tensor], name: str, *others: Any) -> Tensor:
    """Replace `x` by ``op(x, *others)`` in the memory it has, and return it.

    Where the history is recorded `op` works on a copy of the old value, since its derivative may keep it.
    """
    check_writable(x, name)
    recorded = modes.local.grad and (x.node is not None or any([isinstance(o, Tensor) and o.node for o in others]))
    y = op(wrap(x.array.copy(), x.node, x.tangents, x.batch) if recorded else x, *others)
    check_fits(x, y, name)
    if y.dtype != x.dtype:
        y = tensor_xp.astype(y, dtype=x.dtype)
    if y.shape != x.shape:
        y = tensor_xp.broadcast_to(y, tuple(x.shape))
    if x.batch != y.batch:
        y = batched_like(x, y)
    settle(x, y, name)
    return x


def check_writable(x: Tensor, name: str) -> None:
    if not modes.local.grad:
        return
    if x.node is not None and x.node.prim is None:
        raise RuntimeError(
            f"a leaf Variable that requires grad is being used in an in-place operation ({name} on shape "
            f"{tuple(x.shape)}, {x.dtype.name}); write under gradkit.no_grad(), or to a clone()"
        )
    root = x._view[1] if x._view else None
    if root is not None and root.node is not None and root.node.prim is None:
        raise RuntimeError(
            "a view of a leaf Variable that requires grad is being used in an in-place operation "
            f"({name}); write under gradkit.no_grad(), or to a clone()"
        )


def check_fits(x: Tensor, y: Tensor, name: str) -> None:
    if y.shape != x.shape and np.broadcast_shapes(y.shape, x.shape) != tuple(x.shape):
        raise RuntimeError(
            f"output with shape {list(x.shape)} doesn't match the broadcast shape {list(y.shape)}: {name} writes into "
            "its first operand; use the operation that is not in place"
        )
    if y.dtype != x.dtype and dtypes.promote_types(x.dtype, y.dtype).kind != x.dtype.kind:
        raise RuntimeError(
            f"result type {y.dtype.name} can't be cast to the desired output type {x.dtype.name}: {name} writes into "
            "its first operand; convert that first"
        )


def batched_like(x: Tensor, y: Tensor) -> Tensor:
    """`y` with exactly the batch axes of `x`; a sample's value cannot be written into memory all samples share."""
    if not set(y.batch) <= set(x.batch):
        raise RuntimeError(
            "vmap: an in-place operation writes a batched value into a tensor that is not batched; make the tensor "
            "inside the function from a batched one, e.g. x.new_zeros(...), or use the operation that is not in place"
        )
    return y + tensor_xp.zeros_like(x)


def settle(x: Tensor, y: Tensor, name: str) -> None:
    """Put `y` into the memory of `x`, and its history into that of all who see this memory."""
    node, ts = x.node, x.tangents
    if isinstance(x.array, np.generic):
        x.array = np.asarray(x.array)
    raw = x.array
    if not (isinstance(raw, np.ndarray) and not raw.flags.writeable):
        raw[...] = y.array
    else:
        raise RuntimeError(
            f"{name}: more than one element of the written-to tensor refers to a single memory location, or its memory "
            "is read-only; please clone() the tensor before performing the operation"
        )
    stamp(raw, name)
    root = x._view[1] if x._view else x
    changed = node is not y.node or ts or y.tangents
    if not modes.local.grad and not (ts or y.tangents) or not changed:
        return
    if root is x:
        x.node, x.tangents = y.node, y.tangents
    else:
        rewrite(root, y, chain(x))
    for ref in root._views or ():
        t = ref()
        if t is not None:
            see_again(t)


def chain(x: Tensor) -> tuple[Any, ...]:
    """The steps from the root to a view of it."""
    steps = []
    while x._view is not None:
        x, _, prim, params = x._view
        steps.append((prim, params))
    return tuple(reversed(steps))


def rewrite(root: Tensor, y: Tensor, steps: tuple[Any, ...]) -> None:
    """The history of the root after `y` was written into the region that the steps lead to."""
    overwrite = tensor_xp.overwrite
    if root.tangents or y.tangents or root.batch:
        new = overwrite(root, y, steps=steps)
        root.node, root.tangents = new.node, new.tangents
        return
    parents = (root.node, y.node)
    if any(parents):
        raws = (root.array, y.array)
        root.node = remember(overwrite.primitive, (root, y), raws, root.array, parents, {"steps": steps}).node


def see_again(t: Tensor) -> None:
    """A view's history, from its source's."""
    source, _, prim, params = t._view
    if source.tangents or source.batch:
        new = bind(prim, (source,), params)
        t.node, t.tangents = new.node, new.tangents
    elif source.node is not None:
        t.node = remember(prim, (source,), (source.array,), t.array, (source.node,), params).node
        t.tangents = None


def written(x: Tensor, name: str = "a raw write") -> None:
    """Say that the memory of `x` was written by raw array operations, as optimisers do."""
    stamp(x.array, name)
