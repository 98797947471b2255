"""The tape: how an operation on plain tensors is recorded, and how cotangents walk back along it.

No primitive is named here. `unrolled` has the same recording and stepping spelt out for one and two operands.
"""

import sys
from dataclasses import replace
from functools import cache
from heapq import heappop, heappush
from typing import Any

import numpy as np

from gradkit import errors
from gradkit.backend.numpy import NUMPY
from gradkit.backend.protocol import backend_of, backends
from gradkit.engine import dtypes, modes, versions
from gradkit.engine.node import Node, lines, note, streams
from gradkit.engine.operands import gathered, raw_operands, run_on, tensor_xp
from gradkit.engine.places import Places
from gradkit.engine.primitive import Primitive
from gradkit.engine.tensor import Tensor, wrap

local = modes.local
getrefcount = sys.getrefcount


# -- recording -------------------------------------------------------------------------------------------------------
def record(prim: Primitive, operands: Any, params: dict[str, Any]) -> Any:
    """Run a primitive on plain tensors, raw arrays and numbers; remember it if anything needs a gradient."""
    raws, backend = raw_operands(prim, operands)
    if backend is not NUMPY:
        operands, raws = gathered(prim, operands, raws, backend)
    try:
        y = prim.run(*raws, **params) if backend is NUMPY else run_on(backend, prim, raws, params)
    except errors.LinAlgError:
        raise
    except ValueError as reason:
        raise errors.unfit(prim.name, raws, reason) from None
    parents = tuple([x.node if isinstance(x, Tensor) else None for x in operands])
    if prim.step is None or not local.grad or not any(parents):
        return [wrap(one) for one in y] if prim.outputs > 1 else wrap(y)
    return remember(prim, operands, raws, y, parents, params)


def remember(prim: Primitive, operands: Any, raws: Any, y: Any, parents: Any, params: dict[str, Any]) -> Any:
    """The Tensors of an operation that was run, on the tape."""
    saved = keep(prim, parents, y, raws)
    if prim.kept and not any([s is not None and _user_array(s, x) for s, x in zip(saved, (None, *operands))]):
        prim = unkept(prim)
    several = prim.outputs > 1
    if any([_complex(one) for one in ((*y, *raws) if several else (y, *raws))]):
        modes.meet_complex()
        prim = conjugated(prim)
    like = [(one.shape, one.dtype) for one in y] if several else (y.shape, y.dtype)
    node = note(Node(), prim, parents, saved, params or None, like)
    if len(backends) > 1:
        note_stream(node, y)
    if local.anomaly:
        lines[node] = user_line()
    if not several:
        return wrap(y, node if dtypes.differentiable(y.dtype) else None)
    return [wrap(one, pick(node, i) if dtypes.differentiable(one.dtype) else None) for i, one in enumerate(y)]


def note_stream(node: Node, y: Any) -> None:
    """Remember the stream of an operation, on which its rule is to run; the default one goes without saying."""
    stream = backend_of(y[0] if type(y) is list else y).stream()
    if stream is not None:
        streams[node] = stream


def _complex(raw: Any) -> bool:
    return hasattr(raw, "dtype") and raw.dtype.kind == "c"


def _user_array(saved: Any, operand: Any) -> bool:
    return (hasattr(saved, "dtype") and (operand is None or isinstance(operand, Tensor))) or (
        isinstance(saved, tuple) and bool(saved) and hasattr(saved[0], "dtype")
    )


def keep(prim: Primitive, parents: Any, y: Any, raws: Any) -> tuple[Any, ...]:
    """What the rules of those operands that need a gradient read: a value, its shape, or None."""
    keeps = prim.keeps
    if len(keeps) == 1:
        needed = keeps[0]
    else:
        wanted = [flags for flags, parent in zip(keeps, parents) if parent is not None]
        needed = [max(flags) for flags in zip(*wanted)]
    if prim.arity is None:  # the last flag is for all operands that follow
        needed = [*needed, *needed[-1:] * (len(raws) + 1 - len(needed))]
    return tuple([v if flag == 2 else v.shape if flag else None for flag, v in zip(needed, (y, *raws))])


def user_line() -> str:
    """The nearest line that is not gradkit's own."""
    frame = sys._getframe(1)
    while frame.f_back and frame.f_globals.get("__name__", "").startswith("gradkit"):
        frame = frame.f_back
    return f"{frame.f_code.co_filename}:{frame.f_lineno}, in {frame.f_code.co_name}"


@cache
def unkept(prim: Primitive) -> Primitive:
    """The same for a node that holds no array of the user's: it may be walked again."""
    return replace(prim, kept=False)


@cache
def conjugated(prim: Primitive) -> Primitive:
    """The same for complex values: where f is holomorphic, vjp(ct) = conj(f' conj(ct)) (Kreutz-Delgado 2009)."""
    step = prim.step
    if not prim.holomorphic or step is None:
        return prim

    def around(xp: Any, ct: Any, node: Any, saved: Any, cts: Any, heap: Any, needed: Any) -> None:
        mine: dict[Any, Any] = {}
        step(xp, xp.conj(ct), node, saved, mine, [], needed)
        for parent, c in mine.items():
            give(xp, parent, c if c.dtype.kind != "c" else xp.conj(c), cts, heap)

    return replace(prim, step=around)


# -- one output of several -------------------------------------------------------------------------------------------
def _pick_step(xp: Any, ct: Any, node: Any, saved: Any, cts: Any, heap: Any, needed: Any) -> None:
    (whole,) = node.parents
    if whole not in cts:
        cts[whole] = [None] * whole.prim.outputs
        heappush(heap, (whole.seq, whole))
    slots, i = cts[whole], node.params["output"]
    slots[i] = ct if slots[i] is None else slots[i] + ct


_PICK = Primitive(
    name="pick", family="pick", arity=1, forward=_pick_step, run=_pick_step, step=_pick_step, jvp=_pick_step, kept=False
)


def pick(whole: Node, i: int) -> Node:
    """A node for one output of an operation with several: it hands its cotangent to the whole."""
    return note(Node(), _PICK, (whole,), (None,), {"output": i}, whole.like[i])


# -- the walk back ---------------------------------------------------------------------------------------------------
def pull(
    seeds: dict[Node, Any],
    wanted: Any = None,
    *,
    record: bool = False,
    retain: bool = False,
) -> dict[Node, Any]:
    """Carry cotangents back from the seeds, newest node first; return those that reached the wanted nodes.

    `seeds` maps nodes to cotangents: raw arrays, or Tensors when the walk itself is to be recorded. Without `wanted`
    all leaves are. When a node comes off the heap its consumers, being newer, are done: no recursion, no pass to sort.
    The cotangents live in this call, so that two threads, or a hook, may walk one graph.
    """
    if len(backends) == 1:
        return walk(seeds, wanted, record, retain, None)
    places = Places()
    try:
        return walk(seeds, wanted, record, retain, places)
    finally:
        places.end()


def walk(seeds: dict[Node, Any], wanted: Any, record: bool, retain: bool, places: Any) -> dict[Node, Any]:
    found: dict[Node, Any] = {}
    cts = dict(seeds)
    heap = sorted([(node.seq, node) for node in seeds])
    last_write = versions.last_write
    running, needed = (None, None) if wanted is None else leading_to(wanted, seeds)
    anomaly = local.anomaly
    xp = tensor_xp if record else NUMPY.xp
    while heap:
        seq, node = heappop(heap)
        ct = cts[node]
        del cts[node]
        if node.hooks is not None:
            ct = run_hooks(node, ct, record)
        prim = node.prim
        if wanted is None:
            if prim is None:
                found[node] = ct
                continue
        elif node in wanted:
            found[node] = ct
        if prim is None or (running is not None and node not in running):
            continue
        saved = node.saved
        if saved is None:
            raise errors.freed(node.name(), node.line)
        if last_write < seq:
            versions.check_unwritten(node, saved)
        if places is not None:
            own = places.at(node, ct)
            xp = xp if record else own
        if (anomaly or node.hooks is not None) and prim is not _PICK:
            step_watched(xp, ct, node, lift(node) if record else saved, cts, heap, needed, record)
        else:
            prim.step(xp, ct, node, lift(node) if record else saved, cts, heap, needed)
        if prim.kept and not retain:
            node.saved = None
    return found


def leading_to(wanted: Any, seeds: Any) -> tuple[set[Node], set[Node]]:
    """The nodes whose step leads to a wanted one, and these with the wanted ones: the rest need not be visited."""
    seen = reachable(seeds, max([node.seq for node in wanted], default=1))
    running: set[Node] = set()
    needed = set(wanted)
    for node in sorted(seen, key=_age):
        for parent in node.parents:
            if parent in needed:
                running.add(node)
                needed.add(node)
                break
    return running, needed


def reachable(seeds: Any, oldest: int) -> set[Node]:
    """The nodes that the seeds were made from, as far back as the clock reading `oldest`."""
    seen, stack = set(seeds), list(seeds)
    while stack:
        for parent in stack.pop().parents:
            if parent is not None and parent not in seen and parent.seq <= oldest:
                seen.add(parent)
                stack.append(parent)
    return seen


def _age(node: Node) -> int:
    return -node.seq


def lift(node: Node) -> list[Any]:
    """The residuals as Tensors on the tape again: each is the output or an operand, so its node is known."""
    if node.prim.outputs > 1 and node.saved[0] is not None:
        y = [
            wrap(one, pick(node, i) if dtypes.differentiable(one.dtype) else None)
            for i, one in enumerate(node.saved[0])
        ]
        return [y, *[lifted(s, link) for s, link in zip(node.saved[1:], node.parents)]]
    return [lifted(s, link) for s, link in zip(node.saved, (node, *node.parents))]


def lifted(residual: Any, link: Any) -> Any:
    return wrap(residual, link) if hasattr(residual, "dtype") else residual


def give(xp: Any, parent: Node, c: Any, cts: dict[Any, Any], heap: list[Any]) -> None:
    """Hand a cotangent to a node, in its operand's shape and dtype."""
    c = fit(xp, c, *parent.like)
    if parent in cts:
        merge(cts, parent, c)
    else:
        cts[parent] = c
        heappush(heap, (parent.seq, parent))


def fit(xp: Any, c: Any, shape: tuple[int, ...], dtype: Any) -> Any:
    """Sum a cotangent over the axes along which its operand was broadcast, and give it its operand's dtype."""
    if c.shape != shape:
        lead = c.ndim - len(shape)
        stretched = [i - len(shape) for i, n in enumerate(shape) if n == 1 != c.shape[i + lead]]
        axes = (*range(-c.ndim, -len(shape)), *stretched)
        c = xp.reshape(xp.sum(c, axis=axes, keepdims=True), shape)
    return c if c.dtype == dtype else xp.astype(c, dtype=dtype)


def merge(cts: dict[Any, Any], node: Node, c: Any) -> None:
    """Add to a cotangent that is already waiting: in place, if no one but `cts` can see it."""
    old = cts[node]
    if type(c) is Tensor or getrefcount(old) != OWNED or old.base is not None or old.dtype != c.dtype:
        cts[node] = old + c
    else:
        old += c
        cts[node] = old  # NumPy scalars are immutable


def _count_of_one_owner(cts: dict[int, Any]) -> int:
    old = cts[0]
    return getrefcount(old)


def _refcounts_tell() -> bool:
    """Whether a reference count proves that nobody else holds an array: not where names borrow or counts wait."""
    return sys.version_info < (3, 14) and getattr(sys, "_is_gil_enabled", lambda: True)()


OWNED = _count_of_one_owner({0: np.zeros(1)}) if _refcounts_tell() else -1  # measured, not assumed


# -- hooks -----------------------------------------------------------------------------------------------------------
def run_hooks(node: Node, ct: Any, record: bool) -> Any:
    """The hooks on a cotangent, which is complete by now: each may replace it."""
    hooks = node.hooks
    for hook in list(hooks.tensor.values()):
        given = ct if record else wrap(ct)
        new = hook(given)
        if new is not None:
            check_replacement(node, new)
            ct = new if record else new.array
    owner = hooks.retain and hooks.retain()
    if owner is not None:
        grad = ct if record else wrap(ct.copy())
        owner._grad = grad if owner._grad is None else owner._grad + grad
    return ct


def check_replacement(node: Node, new: Any) -> None:
    shape, dtype = node.like
    if not isinstance(new, Tensor):
        raise TypeError(f"expected Variable, but hook returned '{type(new).__name__}'; return a Tensor or None")
    if tuple(new.array.shape) != shape or new.dtype != dtype:
        raise RuntimeError(
            f"hook has changed the size or type of value: {errors.describe(new)} instead of shape {shape}, {dtype.name}"
        )


def step_watched(xp: Any, ct: Any, node: Node, saved: Any, cts: Any, heap: Any, needed: Any, record: bool) -> None:
    """A step with hooks around it, or in anomaly mode."""
    hooks = node.hooks
    shown = tuple(ct) if type(ct) is list else (ct,)
    outputs = tuple([c if record or c is None else wrap(c) for c in shown])
    for hook in list(hooks.before.values()) if hooks else ():
        new = hook(outputs)
        if new is not None:
            outputs = tuple(new) if isinstance(new, tuple | list) else (new,)
            plain = [c if record or c is None else c.array for c in outputs]
            ct = plain if type(ct) is list else plain[0]
    mine: dict[Any, Any] = {}
    node.prim.step(xp, ct, node, saved, mine, [], needed)
    for hook in list(hooks.after.values()) if hooks else ():
        inputs = tuple([None if p not in mine else mine[p] if record else wrap(mine[p]) for p in node.parents])
        new = hook(inputs, outputs)
        if new is not None:
            mine = {p: c if record else c.array for p, c in zip(node.parents, new) if p is not None and c is not None}
    if local.anomaly and local.check_nan:
        for c in mine.values():
            check_finite(node, c)
    for parent, c in mine.items():
        give(xp, parent, c, cts, heap)


def check_finite(node: Node, c: Any) -> None:
    raw = c.array if isinstance(c, Tensor) else c
    if (raw != raw).any():
        made = f" The forward operation was made at {node.line}." if node.line else ""
        raise RuntimeError(f"Function '{node.name()}' returned nan values in its 0th output.{made}")
