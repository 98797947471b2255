"""One output of an operation with several: a node of its own, which hands its cotangent to the whole."""

import weakref
from heapq import heappush
from typing import Any

from gradkit.engine.node import Node, note
from gradkit.engine.primitive import Primitive


def _pick_step(xp: Any, ct: Any, node: Any, saved: Any, cts: Any, heap: Any, needed: Any) -> None:
    (whole,) = node.parents
    if whole not in cts:
        cts[whole] = [None] * whole.prim.outputs
        heappush(heap, (whole.seq, whole))
    slots, i = cts[whole], node.params["output"]
    slots[i] = ct if slots[i] is None else slots[i] + ct


PICK = Primitive(
    name="pick", family="pick", arity=1, forward=_pick_step, run=_pick_step, step=_pick_step, jvp=_pick_step, kept=False
)


def pick(whole: Node, i: int) -> Node:
    """The node of output `i`: always the same while anybody holds it, so that a graph can be asked about it."""
    picks = getattr(whole, "owner", None)
    if picks is None:
        picks = whole.owner = [None] * whole.prim.outputs
    node = picks[i] and picks[i]()
    if node is None:
        node = note(Node(), PICK, (whole,), (None,), {"output": i}, whole.like[i])
        picks[i] = weakref.ref(node)
    return node
