"""Tangents along a tape: what was recorded once gives the Jacobian's products with any number of vectors."""

import math
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import numpy as np

from gradkit import errors
from gradkit.backend.numpy import NUMPY
from gradkit.backend.protocol import backends
from gradkit.engine import device, modes, versions
from gradkit.engine.node import Node, reachable
from gradkit.engine.operands import tensor_xp
from gradkit.engine.places import beside
from gradkit.engine.primitive import REGISTRY, Primitive
from gradkit.engine.saving import BothWays, Packed, lift, relinked
from gradkit.engine.tangents import dual, strip, tangent, top_level
from gradkit.engine.tensor import Tensor, wrap
from gradkit.families import VALUE, reads
from gradkit.func.pulling import entangled, gathered, on_top, seated, zeros


@contextmanager
def keeping_for_tangents() -> Iterator[BothWays]:
    """A scope in which nodes keep what rows' jvps read, which may be more than what their vjps do."""
    outer, record = modes.local.both_ways, BothWays()
    with modes.mode(special=1, both_ways=record, packing=()):
        yield record
    if outer and not record.whole:
        outer.whole = False


class Tape:
    """What lies between leaves and outputs, in the order in which it was recorded."""

    def __init__(self, ys: list[Tensor], leaves: list[Tensor]) -> None:
        self.ys, self.leaves, self._final = ys, leaves, False
        self._orders: dict[Any, tuple[list[Node], dict[Node, Node]]] = {}

    def complete(self) -> bool:
        """Whether every node has a row's jvp, and kept what that reads."""
        return all([serves(node) for node in self.nodes()])

    def nodes(self) -> list[Node]:
        """All of them, oldest first."""
        return self._order(every(self.ys))[0]

    def push(self, ts: list[Any], final: bool = False) -> list[Tensor]:
        """The tangents of the outputs for these of the leaves, None being zero.

        With `final` nobody wants to differentiate them, whatever hangs behind the leaves.
        """
        self._final = final
        return [zeros(y) if t is None else t for y, t in zip(self.ys, self._lifted(self.ys, ts))]

    def _lifted(self, ys: list[Tensor], ts: list[Any]) -> list[Tensor | None]:
        """When outputs and tangents may themselves carry tangents, of levels outside: the product rule."""
        level = top_level(*ys, *[t for t in ts if t is not None])
        if not level:
            return self._plain(ys, ts)
        bare_ys, bare_ts = [strip(y, level) for y in ys], [strip(t, level) for t in ts]
        primal = self._lifted(bare_ys, bare_ts)
        by_ts = self._lifted(bare_ys, [tangent(t, level) for t in ts])
        slopes = [tangent(y, level) for y in ys]
        by_ys = iter(self._lifted([y for y in slopes if y is not None], bare_ts))
        found: list[Tensor | None] = []
        for p, slope, a in zip(primal, slopes, by_ts):
            b = next(by_ys) if slope is not None else None
            moved = a if b is None else b if a is None else a + b
            found.append(p if moved is None else dual(zeros(moved) if p is None else p, level, moved))
        return found

    def _plain(self, ys: list[Tensor], ts: list[Any]) -> list[Tensor | None]:
        given = [(leaf, t) for leaf, t in zip(self.leaves, ts) if t is not None]
        riding = on_top(self.leaves, [t for _, t in given])
        order, last_reader = self._order(ys)
        moved: dict[Node, Any] = {leaf.node: seated(leaf, t, riding) for leaf, t in given}
        outer = modes.local.grad and not self._final and (
            any([t.node is not None for _, t in given]) or entangled([y.node for y in ys if y.node], self.leaves)
        )
        wanted = {y.node for y in ys}
        with np.errstate(all="ignore"), modes.mode(mute=not outer, grad=outer):
            for node in order:
                t = step(node, moved, outer)
                if t is not None:
                    moved[node] = t
                for parent in node.parents:
                    if last_reader.get(parent) is node and parent not in wanted:
                        moved.pop(parent, None)
        return [gathered(moved[y.node], y) if y.node in moved else None for y in ys]

    def _order(self, ys: list[Tensor]) -> tuple[list[Node], dict[Node, Node]]:
        """The nodes between, oldest first, and which one reads each of them last."""
        roots = tuple([y.node for y in ys if y.node is not None])
        if roots not in self._orders:
            own = {leaf.node for leaf in self.leaves}
            seen = reachable(roots, max([node.seq for node in own], default=1)) - own
            order = sorted(seen, key=lambda node: -node.seq)
            readers = {parent: node for node in order for parent in node.parents if parent is not None}
            self._orders[roots] = order, readers
        return self._orders[roots]


def between(ys: list[Tensor], leaves: list[Tensor]) -> set[Node]:
    """The nodes that a cotangent may meet on its way from the outputs to the leaves."""
    return reachable([y.node for y in every(ys) if y.node], max([leaf.node.seq for leaf in leaves], default=1))


def largest(nodes: Iterable[Node]) -> int:
    """The size in bytes of the largest array that a tangent or cotangent fills at one of these nodes."""
    likes = {id(node.like): node.like for node in nodes}  # shared between nodes, and slow to hash
    return max([math.prod(l[0]) * l[1].itemsize for l in likes.values() if type(l) is tuple], default=1)


def every(ys: list[Tensor]) -> list[Tensor]:
    """Tensors with their tangents and these tangents' own."""
    return [y for one in ys for y in (one, *every(list((one.tangents or {}).values())))]


def serves(node: Node) -> bool:
    """Whether its row's jvp can be run on what it kept: a user's Function has none, and hooks may have packed it away."""
    prim = node.prim
    if prim is None or node.picks:
        return True
    if prim.name not in REGISTRY or REGISTRY[prim.name].jvp is not prim.jvp or node.saved is None:
        return False
    pairs = zip(node.saved, read(prim, len(node.parents)))
    return all([not wanted or (s is not None and not (wanted == VALUE and type(s) is tuple)) for s, wanted in pairs])


@cache
def read(prim: Primitive, operands: int) -> tuple[int, ...]:
    """What the jvp of a row reads of (y, *operands) that its nodes do not keep in any case."""
    if prim.rules:
        return ()
    if prim.linear:
        return (0, *[operands > 1] * operands)
    found = reads(prim.jvp, prim.arity)
    return (*found, *found[-1:] * (operands + 1 - len(found)))


def step(node: Node, moved: dict[Node, Any], outer: bool) -> Any:
    """The tangent of a node's output from those of its operands; None for zero."""
    ts = [moved.get(parent) for parent in node.parents]
    if all([t is None for t in ts]):
        return None
    if node.picks:
        whole: Any = ts[0]
        return whole[(node.params or {})["output"]]
    if node.saved is None:
        raise errors.freed(node)
    if versions.last_write < node.seq:
        versions.check_unwritten(node, node.saved)
    if node.prim.rules and not outer and len(backends) == 1 and Packed not in map(type, node.saved):
        return step_raw(node, ts)
    y, *operands = lift(node, node.saved) if outer else [wrapped(one) for one in node.saved]
    params = node.params or {}
    if node.prim.rules:
        terms = [rule(tensor_xp, t, y, *operands, **params) for rule, t in zip(node.prim.rules, ts) if rule and t is not None]
        t = sum(terms[1:], terms[0]) if terms else None
        return t if t is None or t.shape == node.like[0] else tensor_xp.broadcast_to(t, node.like[0])
    near = next(t for t in ts if t is not None)
    if node.prim.linear:
        operands = [wrap(device.moved(np.zeros(x, near.dtype), near.device)) if isinstance(x, tuple) else x for x in operands]
    return beside([near], node.prim.jvp, tensor_xp, ts, y, *operands, **params)


def step_raw(node: Node, ts: list[Any]) -> Tensor | None:
    """The step of an elementwise row where nothing is recorded: its rules on raw arrays, batch axes in front."""
    shape, params = node.like[0], node.params or {}
    batch = next(t.batch for t in ts if t is not None)
    terms = []
    for rule, t in zip(node.prim.rules, ts):
        if rule is None or t is None:
            continue
        sizes, own = t.array.shape[: len(batch)], t.array.shape[len(batch) :]
        raw = t.array if len(own) == len(shape) else t.array.reshape(sizes + (1,) * (len(shape) - len(own)) + own)
        terms.append(rule(NUMPY.xp, raw, *node.saved, **params))
    if not terms:
        return None
    c = terms[0] if len(terms) == 1 else sum(terms[1:], terms[0])
    return wrap(c if c.shape == sizes + shape else NUMPY.xp.broadcast_to(c, sizes + shape), None, None, batch)


def wrapped(saved: Any) -> Any:
    if isinstance(saved, list):
        return [relinked(one, None) for one in saved]
    return relinked(saved, None)
