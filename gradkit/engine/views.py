"""Views: results that may share their operand's memory.

A view remembers the tensor it was taken from and the step that took it; the root of all views knows them weakly, for
`inplace` to rewrite their history.
"""

import threading
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np

from gradkit.backend.protocol import backend_of
from gradkit.engine import modes
from gradkit.engine.node import Node
from gradkit.engine.primitive import Primitive
from gradkit.engine.saving import unkept
from gradkit.engine.tensor import Tensor
from gradkit.engine.unrolled import NO_VALUE, odd, own_code
from gradkit.engine.versions import owner, tick

local = modes.local


def view_of(prim: Primitive, otherwise: Callable[..., Any]) -> Callable[..., Any]:
    """The operation of a row whose result may share its operand's memory: ``apply(input, params)``.

    `written` is the only parameter as the user wrote it, where `params` were looked up by it: 6.0 finds what 6 does.
    It records as `unrolled.unary_with` does; where memory is shared, source and view then know each other.
    """
    run, quick, on_tape = prim.run, prim.method, unkept(prim)
    new_reference, ndarray, last_counts = weakref.ref, np.ndarray, prim.last_counts
    sole = next(iter(prim.samples[0][-1]), "") if quick else ""

    def apply(input: Any, params: dict[str, Any], written: Any = None) -> Any:
        try:
            x = input.array
            parent = input.node
        except AttributeError:
            return otherwise(prim, (input,), params)
        if type(x) is not ndarray and isinstance(x, np.generic):
            x = input.array = np.asarray(x)
        if modes.unusual and odd(input):
            t = otherwise(prim, (input,), {sole: written} if written else params)
            y = t.array
            mark_as_source(t, input)
        else:
            t = Tensor()
            try:
                y = quick(x, written or params[sole]) if quick else run(x, **params)
            except (IndexError, TypeError, ValueError):
                y = run(x, **({sole: written} if written else params))  # it knows how to say what is wrong
            t.array = y
            if parent is None or (modes.muted and not local.grad):
                t.node = None
            else:
                t.node = node = Node()
                node.seq = tick()
                node.prim = on_tape
                node.parents = (parent,)
                node.saved = NO_VALUE
                node.like = (y.shape, y.dtype)
                node.params = params
                node.hooks = None
        base = y.base
        if base is not None and (base is x or base is x.base or owner(y) is owner(x)):
            above = input._view
            if above is None:
                source = root = input
            else:
                source, root = above[0] if last_counts and above[2] is prim else input, above[1]
            t._view = (source, root, prim, params)
            views = root._views
            if views is None:
                root._views = [new_reference(t)]
            else:
                if not len(views) & 31 and len(views) > root._room:  # looked at in every 32nd turn
                    forget_dead(root)
                views.append(new_reference(t))
        return t

    return own_code(apply, prim.name)


_sweeping = threading.Lock()


def forget_dead(root: Tensor) -> None:
    """Sweep the dead out of the views of a root, oldest first, before the list has doubled.

    Only one thread sweeps, and only what was there when it began: others may be adding to the list.
    """
    if _sweeping.acquire(blocking=False):
        views = root._views
        n = len(views)
        alive = [ref for ref in views[:n] if ref() is not None]
        views[:n] = alive
        root._room = max(32, 2 * len(alive))
        _sweeping.release()


def chain(x: Tensor) -> tuple[Any, ...]:
    """The steps from the root to a view of it."""
    steps = []
    while x._view is not None:
        x, _, prim, params = x._view
        steps.append((prim, params))
    return tuple(reversed(steps))


def shown(raw: Any, steps: tuple[Any, ...]) -> Any:
    """What steps show of a raw array."""
    for prim, params in steps:
        raw = prim.on(backend_of(raw))(raw, **params)
    return raw


def batched(x: Tensor, steps: tuple[Any, ...]) -> tuple[Any, ...]:
    """Steps as they act on an array with the batch axes of `x`."""
    sizes = x.array.shape[: len(x.batch)]
    return tuple([(prim, prim.batching(sizes, **params) if prim.batching and sizes else params) for prim, params in steps])


def views_of(root: Tensor) -> list[Tensor]:
    """Those that somebody holds, oldest first."""
    return [t for ref in root._views or () if (t := ref()) is not None]


def turn(t: Tensor, node: Any, ts: Any = None) -> None:
    """Give a tensor another history. Hooks stay with the old one, but `retain_grad` follows the tensor."""
    if t._retains and node is not None and node is not t.node:
        t.node.hooks.retain = None
        node._hooks().retain = weakref.ref(t)
    t.node = node
    if ts or t.tangents:
        t.tangents = ts


def mark_as_source(t: Tensor, source: Tensor) -> None:
    """A view is an inference tensor if what it shows is one. One taken inside the mode must not be written outside."""
    if not (local.inference or source._inference) or owner(t.array) is not owner(source.array):
        return
    t._inference = source._inference
    if local.inference and not source._inference:
        t._frozen = VIEWED_IN_INFERENCE


VIEWED_IN_INFERENCE = (
    "A view was created in inference mode and is being modified inplace in normal mode. Take the view and write to it "
    "both inside the mode, or both outside"
)
