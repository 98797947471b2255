"""The tape: how an operation on plain tensors is recorded, and how cotangents walk back along it.

No primitive is named here. `unrolled` has the same recording and stepping spelt out for one and two operands.
"""

import sys
from collections.abc import Callable
from dataclasses import replace
from functools import cache, partial
from heapq import heappop, heappush
from operator import attrgetter
from typing import Any

import numpy as np

from gradkit import errors
from gradkit.backend.numpy import NUMPY
from gradkit.backend.protocol import Backend, backend_of, backends
from gradkit.engine import dtypes, modes, versions, watching
from gradkit.engine.lending import lend
from gradkit.engine.lines import user_place
from gradkit.engine.node import Node, note, reachable, streams
from gradkit.engine.operands import gathered, raw_operands, run_on, tensor_xp
from gradkit.engine.outputs import PICK, pick
from gradkit.engine.places import Places
from gradkit.engine.primitive import Primitive
from gradkit.engine.saving import holds_values, keep, lift, packed, refuse_inference, shaped, unkept, unpacking
from gradkit.engine.tensor import Tensor, wrap

local = modes.local
getrefcount = sys.getrefcount
REAL = {np.ndarray, np.float16, np.float32, np.float64}


# -- recording
def record(prim: Primitive, operands: Any, params: dict[str, Any]) -> Any:
    """Run a primitive on plain tensors, raw arrays and numbers; remember it if anything needs a gradient."""
    if modes.unusual:
        if local.both_ways and not local.grad and prim.step is not None:
            local.both_ways.without(operands)
        if local.inference and not local.anomaly and prim.outputs == 1:
            t = inferred(prim, operands, params)
            if t is not None:
                return t
    raws, backend = raw_operands(prim, operands)
    if backend is not NUMPY:
        operands, raws = gathered(prim, operands, raws, backend)
    try:
        if modes.unusual and local.selecting is not None:
            y = local.selecting.result(prim, raws, params, partial(run_on, backend, prim, raws, params))
        else:
            y = prim.run(*raws, **params) if backend is NUMPY else run_on(backend, prim, raws, params)
    except errors.LinAlgError:
        raise
    except ValueError as reason:
        raise (reason if prim.view else errors.unfit(prim.name, raws, reason)) from None
    if modes.unusual and local.anomaly:
        watching.check_forward(prim, raws, y)
    parents = tuple([x.node if isinstance(x, Tensor) else None for x in operands])
    if prim.step is None or not local.grad or not any(parents) or (modes.unusual and local.inference):
        return [wrap(one) for one in y] if prim.outputs > 1 else wrap(y)
    return remember(prim, operands, raws, y, parents, params)


def inferred(prim: Primitive, operands: Any, params: dict[str, Any]) -> Tensor | None:
    """The result in inference mode, if all operands are real NumPy arrays of one dtype, or numbers that become such."""
    raws = [x.array if isinstance(x, Tensor) else x for x in operands]
    dtype = raws[0].dtype if type(raws[0]) in REAL else None
    if dtype is None or dtype.kind != "f" or prim.promote == "none":
        return None
    for i, raw in enumerate(raws):
        if type(raw) is float or type(raw) is int:
            raws[i] = dtypes.constant(raw, dtype)
        elif type(raw) not in REAL or raw.dtype is not dtype:
            return None
    try:
        y = prim.run(*raws, **params)
    except ValueError:
        return None
    t = Tensor()
    t.array = y
    t.node = None
    t._inference = local.inference
    return t


def remember(prim: Primitive, operands: Any, raws: Any, y: Any, parents: Any, params: dict[str, Any]) -> Any:
    """The Tensors of an operation that was run, on the tape."""
    several = prim.outputs > 1
    y = list(y) if several else y
    saved = keep(prim, parents, y, raws)
    if prim.kept and not holds_values(saved, operands):
        prim = unkept(prim)
    if any([_complex(one) for one in ((*y, *raws) if several else (y, *raws))]):
        modes.meet_complex()
        prim = conjugated(prim)
    if modes.unusual:
        refuse_inference(saved[1:], operands)
        if local.both_ways and not (prim.rules or prim.linear):
            prim = shaped(prim)
        if local.packing and prim.kept:
            saved, prim = packed(saved, operands), unpacking(prim)
    like = [(one.shape, one.dtype) for one in y] if several else (y.shape, y.dtype)
    node = note(Node(), prim, parents, saved, params or None, like)
    if prim.lends:
        lend(node)
    if len(backends) > 1:
        note_stream(node, y)
    if local.anomaly:
        watching.note_forward(node)
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


# -- the walk back
def pull(
    seeds: dict[Node, Any], wanted: Any = None, *, record: bool = False, retain: bool = False, stops: Any = ()
) -> dict[Node, Any]:
    """Carry cotangents back from the seeds, newest node first; return those that reached the wanted nodes.

    `seeds` maps nodes to cotangents: raw arrays, or Tensors when the walk itself is to be recorded. Without `wanted`
    all leaves are. When a node comes off the heap its consumers, being newer, are done: no recursion, no pass to sort.
    The cotangents live in this call, so that two threads, or a hook, may walk one graph. With `wanted`, the walk goes no
    further back than nodes in `stops`.
    """
    if len(backends) == 1:
        return walk(seeds, wanted, record, retain, None, stops)
    places = Places()
    try:
        return walk(seeds, wanted, record, retain, places, stops)
    finally:
        places.end()


def walk(seeds: dict[Node, Any], wanted: Any, record: bool, retain: bool, places: Any, stops: Any) -> dict[Node, Any]:
    found: dict[Node, Any] = {}
    cts = dict(seeds)
    heap = sorted([(node.seq, node) for node in seeds])
    last_write = versions.last_write
    running, needed = (None, None) if wanted is None else leading_to(wanted, seeds, stops)
    this = watching.Walk(seeds, needed, wanted)
    watch = watching.Watch(seeds) if local.anomaly and local.check_nan else None
    place = None if retain else user_place()
    xp = tensor_xp if record else NUMPY.xp
    while heap:
        seq, node = heappop(heap)
        ct = cts[node]
        del cts[node]
        prim = node.prim
        if places is not None:
            if prim is not None:
                backend = places.at(node, ct)  # before its hooks run
            if type(ct) is not list and ct.dtype != node.like[1]:
                # bfloat16 times a Python float is float32 to CuPy
                ct = fit(xp if record else backend_of(ct).xp, ct, *node.like)
        if node.hooks is not None:
            ct = watching.run_hooks(node, ct, record, this)
        if wanted is None:
            if prim is None:
                found[node] = ct if ct.dtype is node.like[1] else fit(xp, ct, *node.like)
                continue
        elif node in wanted:
            found[node] = ct if type(ct) is list or ct.dtype is node.like[1] else fit(xp, ct, *node.like)
        if prim is None or (running is not None and node not in running):
            continue
        saved = node.saved
        if saved is None:
            if prim.family != "custom":  # whose backward may do without what it saved
                raise errors.freed(node)
            saved = ()
        if last_write < seq:
            versions.check_unwritten(node, saved)
        step = prim.step
        if places is not None and not record:
            xp = backend.xp
            step = step_on(backend, prim)
        if (watch is not None or node.hooks is not None) and prim is not PICK:
            for parent, c in watching.step(xp, ct, node, lift(node, saved) if record else saved, needed, this, record, watch):
                give(xp, parent, c, cts, heap)
        else:
            step(xp, ct, node, lift(node, saved) if record else saved, cts, heap, needed)
        if prim.kept and not retain:
            node.saved = None
            node.freed = place
    this.write_retained()
    return found


def leading_to(wanted: Any, seeds: Any, stops: Any) -> tuple[set[Node], set[Node]]:
    """The nodes whose step leads to a wanted one, and these with the wanted ones: the rest need not be visited."""
    seen = reachable(seeds, max([node.seq for node in wanted], default=1))
    running: set[Node] = set()
    needed = set(wanted)
    for node in sorted(seen, key=attrgetter("seq"), reverse=True):
        for parent in node.parents if node not in stops else ():
            if parent in needed:
                running.add(node)
                needed.add(node)
                break
    return running, needed


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
        if stretched or not shape:
            c = xp.reshape(xp.sum(c, axis=axes, keepdims=True), shape)
        else:  # an array of its own, which may go on as a gradient without a copy
            c = xp.sum(c, axis=axes)
    return c if c.dtype == dtype else xp.astype(c, dtype=dtype)


def merge(cts: dict[Any, Any], node: Node, c: Any) -> None:
    """Add to a cotangent that is already waiting: in place, if no one but `cts` can see it."""
    if type(c) is Tensor:
        buffer = batched_buffer(cts, node, c)
        if buffer is None or buffer.shape != c.array.shape:
            cts[node] = cts[node] + c
        else:
            buffer += c.array
        return
    old = cts[node]
    if getrefcount(old) != OWNED or old.base is not None or old.dtype != c.dtype:
        cts[node] = old + c
    else:
        old += c
        cts[node] = old  # NumPy scalars are immutable


def own_buffer(cts: dict[Any, Any], node: Node, array: type = np.ndarray) -> Any:
    """The raw array that waits for a node, if no one but `cts` can see it."""
    old = cts[node]
    return old if type(old) is array and getrefcount(old) == OWNED and old.base is None else None


def batched_buffer(cts: dict[Any, Any], node: Node, c: Tensor) -> Any:
    """The raw array of a Tensor that waits for a node, if nothing is recorded and no one but `cts` can see them.

    A walk is on Tensors without being recorded where its cotangents have batch axes: the rows of a Jacobian.
    """
    old = cts[node]
    if getrefcount(old) != OWNED or local.grad or old.batch != c.batch or old.tangents or c.tangents:
        return None
    array = old.array
    owned = type(array) is np.ndarray and getrefcount(array) == OWNED and array.base is None
    return array if owned and array.dtype is c.array.dtype else None


def _count_of_one_owner(cts: dict[int, Any]) -> int:
    old = cts[0]
    return getrefcount(old)


def _refcounts_tell() -> bool:
    """Whether a reference count proves that nobody else holds an array: not where names borrow or counts wait."""
    return sys.version_info < (3, 14) and getattr(sys, "_is_gil_enabled", lambda: True)()


OWNED = _count_of_one_owner({0: np.zeros(1)}) if _refcounts_tell() else -1  # measured, not assumed


# -- kernels
def step_on(backend: Backend, prim: Primitive) -> Callable[..., None]:
    """The step of a row on raw arrays: by the backend's kernel, if the row names one that it has."""
    kernel = backend.kernel(prim.fused) if prim.fused else None
    return prim.step if kernel is None else partial(step_by_kernel, kernel)


def step_by_kernel(
    kernel: Callable[..., Any], xp: Any, ct: Any, node: Node, saved: Any, cts: Any, heap: Any, needed: Any
) -> None:
    """The step by a kernel, which also adds into a buffer that is waiting; by the rule if it declines."""
    parents = node.parents
    wanted = [None if p is None or (needed is not None and p not in needed) else p.like for p in parents]
    buffers = [
        None if like is None or p not in cts or parents.count(p) > 1 else own_buffer(cts, p, type(ct))
        for p, like in zip(parents, wanted)
    ]
    found = kernel(ct, saved, node.params, wanted, buffers)
    if found is NotImplemented:
        node.prim.step(xp, ct, node, saved, cts, heap, needed)
        return
    for parent, c in zip(parents, found):
        if c is not None:
            give(xp, parent, c, cts, heap)
