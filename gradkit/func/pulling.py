"""The vjp of values that may carry tangents and batch axes: what every reverse transform stands on."""

import math
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np

from gradkit.backend.protocol import backends, beside
from gradkit.engine import modes
from gradkit.engine.batching import align, alike, enter, expand, leave, over_active_batches, single
from gradkit.engine.device import on_device_of
from gradkit.engine.hooking import Moving
from gradkit.engine.node import Node, note, reachable
from gradkit.engine.operands import tensor_xp
from gradkit.engine.sharing import units
from gradkit.engine.tangents import dual, strip, tangent, top_level
from gradkit.engine.tape import pull
from gradkit.engine.tensor import Tensor, kept_alike, wrap
from gradkit.primitives.shape import alias, permute

#: What a leaf of a transform is on the tape, which like any leaf must not be written in place.
LEAF = replace(alias.primitive, family="leaf")
#: The same when nothing is behind it: walks from outside end here.
START = replace(LEAF, name="start", step=lambda *_: None, kept=False)


def fresh_leaf(x: Tensor) -> Tensor:
    """`x` again, as a place to differentiate at. Its history hangs behind it, so that outer transforms still see it."""
    check_differentiable(x, RuntimeError)
    if x.dtype.kind == "c":
        modes.meet_complex()
    x = over_active_batches(x)
    like = (x.array.shape, x.dtype)
    if x.node is None:
        node = note(Node(), START, (), (None, None), None, like)
    else:
        node = note(Node(), LEAF, (x.node,), (None, None), None, like)
    return kept_alike(wrap(x.array, node, x.tangents, x.batch), x)


def check_differentiable(x: Tensor, error: type[Exception]) -> None:
    """Raise that error for a Tensor of integers or bools."""
    if x.array.dtype.kind not in "fcV":
        raise error(
            f"only Tensors of floating point and complex dtype can require gradients, got {x.dtype.name} of shape "
            f"{tuple(x.shape)}; convert it, e.g. with .float(), or name other arguments with argnums"
        )


def check_real(name: str, ys: Iterable[Tensor], leaves: list[Tensor]) -> None:
    """Raise RuntimeError for a complex output of real inputs: rows would hold the slopes of its real part alone."""
    found = [y.dtype.name for y in ys if y.is_complex()]
    if found and not all([x.is_complex() for x in leaves]):
        raise RuntimeError(
            f"{name}: Expected all outputs to be real where an input is: grad can be implicitly created only for real scalar "
            f"outputs but got {found[0]}. Differentiate y.real and y.imag apart, or y in forward mode, e.g. by jacfwd"
        )


def pull_lifted(ys: list[Tensor], leaves: list[Tensor], cts: list[Tensor], final: bool = False, record: bool = False) -> list[Tensor]:
    """The cotangents of the leaves, when outputs and cotangents may carry tangents and batch axes.

    One line is forward over reverse: the tangent of ``vjp(y, ct)`` is ``vjp(y_t, ct) + vjp(y, ct_t)``. With `final`
    nobody wants to differentiate them, whatever hangs behind the leaves; with `record` somebody does.
    """
    level = top_level(*ys, *cts)
    if not level:
        return pull_plain(ys, leaves, cts, final, record)
    bare_ys, bare_cts = [strip(y, level) for y in ys], [strip(ct, level) for ct in cts]
    moved = [(tangent(y, level), ct) for y, ct in zip(ys, bare_cts)] + [(y, tangent(ct, level)) for y, ct in zip(bare_ys, cts)]
    pairs = [(y, ct) for y, ct in moved if y is not None and ct is not None]
    still = Moving(modes.local.moving, level)
    with modes.mode(moving=still):
        primal = pull_lifted(bare_ys, leaves, bare_cts, final, record)
    if not pairs:
        return primal
    with modes.mode(moving=still.along(level)):
        ts = pull_lifted([y for y, _ in pairs], leaves, [ct for _, ct in pairs], final, record)
    return [dual(c, level, t) for c, t in zip(primal, ts)]


def pull_plain(ys: list[Tensor], leaves: list[Tensor], cts: list[Tensor], final: bool = False, record: bool = False) -> list[Tensor]:
    """The same without tangents. The tape knows nothing of batches: outputs' batch axes become ordinary leading axes,
    and those of the cotangents alone ride on top of the walk."""
    levels = {level for y in ys for level in y.batch}
    if levels and not all([levels.issubset(leaf.batch) for leaf in leaves]):
        return [_pull_apart(ys, leaf, cts, final, record, levels) for leaf in leaves]
    riding = on_top(ys, cts)
    seeds: dict[Any, Any] = {}
    for y, ct in zip(ys, cts):
        if y.node is None:
            continue
        ct = seated(y, ct, riding)
        seeds[y.node] = seeds[y.node] + ct if y.node in seeds else ct
    wanted = {leaf.node for leaf in leaves}
    stops = {node for leaf in leaves if leaf.tangents for node in tangent_nodes(leaf)}  # a leaf moves along them freely
    with np.errstate(all="ignore"):
        tied = modes.local.grad and not final and (any([ct.node is not None for ct in cts]) or entangled(seeds, leaves))
        if record or tied:
            with modes.mode(grad=True):
                found = pull(seeds, wanted, record=True, retain=True, stops=stops)
        elif riding:
            with modes.mode(mute=1, grad=False):
                found = pull(seeds, wanted, record=True, retain=True, stops=stops)
        else:
            found = pull({node: ct.array for node, ct in seeds.items()}, wanted, retain=True, stops=stops)
            found = {node: wrap(ct) for node, ct in found.items()}
    cs = [gathered(found[leaf.node], leaf) if leaf.node in found else zeros(leaf) for leaf in leaves]
    return [shared(c, alike(leaf._alike, [*ys, *cts])) if leaf._alike else c for c, leaf in zip(cs, leaves)]


def _pull_apart(ys: list[Tensor], leaf: Tensor, cts: list[Tensor], final: bool, record: bool, levels: set[int]) -> Tensor:
    """The same at one leaf. What all samples of a level share would get their sum: there each sample takes a walk of its own."""
    level = max(levels.difference(leaf.batch), default=None)
    if level is None:
        return pull_plain(ys, [leaf], cts, final, record)[0]
    size = next(y.array.shape[y.batch.index(level)] for y in ys if level in y.batch)
    own = modes.Level(modes.new_level())
    with units(own, size):
        mask = enter(enter(wrap(made(ys[0], "eye", size, None, 0, bool)), level), own)
        pairs = [
            (leave(y, level, size), leave(tensor_xp.masked(mask, ct), level, size)) if level in y.batch else (y, ct)
            for y, ct in zip(ys, cts)
        ]
        (c,) = pull_plain([y for y, _ in pairs], [leaf], [ct for _, ct in pairs], final, record)
        return enter(leave(c, own, size), level)


def shared(x: Tensor, levels: tuple[int, ...]) -> Tensor:
    """`x`, which is alike in all samples of those levels, as one; but batched where it hangs on leaves that are."""
    if x.node is None:
        return single(x, levels)
    x._alike = levels
    return x


def tangent_nodes(x: Tensor) -> list[Any]:
    """The nodes of the tangents of a tensor, and of theirs."""
    ts = (x.tangents or {}).values()
    return [node for t in ts for node in (t.node, *tangent_nodes(t)) if node is not None]


def entangled(nodes: Iterable[Node], leaves: list[Tensor]) -> bool:
    """Whether somebody outside could differentiate what these nodes lead to: something behind them is older than the leaves."""
    oldest = max([leaf.node.seq for leaf in leaves], default=-math.inf)
    for node in reachable(nodes, oldest):
        if node.prim is None or node.seq > oldest or any([p is not None and p.seq > oldest for p in node.parents]):
            return True
    return False


def on_top(on_tape: list[Tensor], moving: list[Tensor]) -> tuple[int, ...]:
    """The batch levels of what moves along the tape which what is on it has not."""
    here = {level for x in on_tape for level in x.batch}
    return tuple(sorted({level for x in moving for level in x.batch} - here))


def seated(x: Tensor, moving: Tensor, riding: tuple[int, ...]) -> Tensor:
    """A tangent or cotangent of `x` as the tape sees it: in the shape of the array of `x`, `riding` levels on top."""
    if not x.batch and moving.batch == riding:
        return moving if not moving.tangents else wrap(moving.array, moving.node, None, riding)
    levels = sorted({*riding, *moving.batch, *x.batch})
    order = (*riding, *[level for level in levels if level not in riding])
    moving = _reordered(align(moving, levels), levels, order)
    lead = tuple(moving.shape[: len(riding)])
    moving = expand(moving, lead + x.array.shape)
    return wrap(moving.array, moving.node, None, riding)


def gathered(c: Tensor, x: Tensor) -> Tensor:
    """The reverse: with the batch axes of `x` back among its own, all in ascending order."""
    now = (*c.batch, *x.batch)
    if not x.batch:
        return c
    ordered = tuple(sorted(now))
    c = _reordered(wrap(c.array, c.node), now, ordered)
    return wrap(c.array, c.node, None, ordered)


def _reordered(x: Tensor, now: Any, wanted: Any) -> Tensor:
    order = [now.index(level) for level in wanted] + list(range(len(now), x.ndim))
    return x if order == sorted(order) else permute(x, order)


def zeros(x: Tensor) -> Tensor:
    """Zeros of the shape, dtype and batch axes of `x`, without a history."""
    return wrap(made(x, "zeros", x.array.shape, x.array.dtype), None, None, x.batch)


def ones(x: Tensor) -> Tensor:
    """Ones likewise."""
    return wrap(made(x, "ones", x.array.shape, x.array.dtype), None, None, x.batch)


def made(x: Tensor, name: str, *args: Any) -> Any:
    """A raw array on the device of `x`."""
    return getattr(np, name)(*args) if len(backends) == 1 else beside(x.array, name, *args)


def basis(x: Tensor, start: int = 0, stop: int | None = None) -> Tensor:
    """The unit tensors of the shape of `x` from one number to another, along a new first axis."""
    n = math.prod(x.shape)
    stop = n if stop is None else stop
    raw = made(x, "zeros", (stop - start, n), x.dtype)
    with on_device_of(raw):
        raw.ravel()[start :: n + 1] = 1
    return wrap(raw.reshape(stop - start, *x.shape))
