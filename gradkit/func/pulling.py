"""The vjp of values that may carry tangents and batch axes: what every reverse transform stands on."""

import math
from dataclasses import replace
from typing import Any

import numpy as np

from gradkit.backend.protocol import beside
from gradkit.engine import modes
from gradkit.engine.batching import align, expand, over_active_batches
from gradkit.engine.node import Node, note, reachable
from gradkit.engine.tangents import dual, strip, tangent, top_level
from gradkit.engine.tape import pull
from gradkit.engine.tensor import Tensor, wrap
from gradkit.primitives.shape import alias, permute

#: What a leaf of a transform is on the tape when nothing is behind it: walks from outside end here.
_START = replace(alias.primitive, name="start", step=lambda *_: None, kept=False)


def fresh_leaf(x: Tensor) -> Tensor:
    """`x` again, as a place to differentiate at. Its history hangs behind it, so that outer transforms still see it."""
    if x.dtype.kind not in "fcV":
        raise RuntimeError(
            f"only Tensors of floating point and complex dtype can require gradients, got {x.dtype.name} of shape "
            f"{tuple(x.shape)}; convert it, e.g. with .float(), or name other arguments with argnums"
        )
    if x.dtype.kind == "c":
        modes.meet_complex()
    x = over_active_batches(x)
    like = (x.array.shape, x.dtype)
    if x.node is None:
        node = note(Node(), _START, (), (None, None), None, like)
    else:
        node = note(Node(), alias.primitive, (x.node,), (None, None), None, like)
    return wrap(x.array, node, x.tangents, x.batch)


def pull_lifted(ys: list[Tensor], leaves: list[Tensor], cts: list[Tensor]) -> list[Tensor]:
    """The cotangents of the leaves, when outputs and cotangents may carry tangents and batch axes.

    One line is forward over reverse: the tangent of ``vjp(y, ct)`` is ``vjp(y_t, ct) + vjp(y, ct_t)``.
    """
    level = top_level(*ys, *cts)
    if not level:
        return pull_plain(ys, leaves, cts)
    bare_ys, bare_cts = [strip(y, level) for y in ys], [strip(ct, level) for ct in cts]
    moved = [(tangent(y, level), ct) for y, ct in zip(ys, bare_cts)] + [
        (y, tangent(ct, level)) for y, ct in zip(bare_ys, cts)
    ]
    pairs = [(y, ct) for y, ct in moved if y is not None and ct is not None]
    primal = pull_lifted(bare_ys, leaves, bare_cts)
    if not pairs:
        return primal
    ts = pull_lifted([y for y, _ in pairs], leaves, [ct for _, ct in pairs])
    return [dual(c, level, t) for c, t in zip(primal, ts)]


def pull_plain(ys: list[Tensor], leaves: list[Tensor], cts: list[Tensor]) -> list[Tensor]:
    """The same without tangents. The tape knows nothing of batches: outputs' batch axes become ordinary leading axes,
    and those of the cotangents alone ride on top of the walk."""
    batched = {level for y in ys for level in y.batch}
    riding = tuple(sorted({level for ct in cts for level in ct.batch} - batched))
    seeds: dict[Any, Any] = {}
    for y, ct in zip(ys, cts):
        if y.node is None:
            continue
        ct = _seed(y, ct, riding)
        seeds[y.node] = seeds[y.node] + ct if y.node in seeds else ct
    wanted = {leaf.node for leaf in leaves}
    with np.errstate(all="ignore"):
        if any([ct.node is not None for ct in cts]) or entangled(seeds, leaves):
            with modes.mode(grad=True):
                found = pull(seeds, wanted, record=True, retain=True)
        elif riding:
            with modes.mode(mute=1, grad=False):
                found = pull(seeds, wanted, record=True, retain=True)
        else:
            found = pull({node: ct.array for node, ct in seeds.items()}, wanted, retain=True)
            found = {node: wrap(ct) for node, ct in found.items()}
    return [_gathered(found[leaf.node], leaf) if leaf.node in found else zeros(leaf) for leaf in leaves]


def entangled(seeds: Any, leaves: list[Tensor]) -> bool:
    """Whether somebody outside could differentiate the result: what led to it is older than its leaves."""
    wanted = {leaf.node for leaf in leaves}
    oldest = max([node.seq for node in wanted])
    if any([parent is not None for node in wanted for parent in node.parents]):
        return True
    for node in reachable(seeds, oldest):
        if node.prim is None or (node not in wanted and any([p is not None and p.seq > oldest for p in node.parents])):
            return True
    return False


def _seed(y: Tensor, ct: Tensor, riding: tuple[int, ...]) -> Tensor:
    levels = sorted({*riding, *ct.batch, *y.batch})
    order = (*riding, *[level for level in levels if level not in riding])
    ct = _reordered(align(ct, levels), levels, order)
    rank = len(riding)
    lead = tuple(ct.shape[:rank])
    ct = expand(ct, lead + y.array.shape)
    return wrap(ct.array, ct.node, None, riding)


def _gathered(g: Tensor, leaf: Tensor) -> Tensor:
    """A gradient with the leaf's batch axes back among its own, all in ascending order."""
    now = (*g.batch, *leaf.batch)
    if not now:
        return g
    ordered = tuple(sorted(now))
    g = _reordered(wrap(g.array, g.node), now, ordered)
    return wrap(g.array, g.node, None, ordered)


def _reordered(x: Tensor, now: Any, wanted: Any) -> Tensor:
    order = [now.index(level) for level in wanted] + list(range(len(now), x.ndim))
    return x if order == sorted(order) else permute(x, order)


def zeros(x: Tensor) -> Tensor:
    """Zeros of the shape, dtype and batch axes of `x`, without a history."""
    return wrap(beside(x.array, "zeros", x.array.shape, x.dtype), batch=x.batch)


def basis(x: Tensor) -> Tensor:
    """The unit tensors of the shape of `x`, along a new first axis."""
    n = math.prod(x.shape)
    return wrap(beside(x.array, "eye", n, dtype=x.dtype).reshape(n, *x.shape))
