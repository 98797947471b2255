"""What a walk does besides stepping: hooks on cotangents and around steps, and the checks of anomaly mode."""

import warnings
import weakref
from typing import Any

import numpy as np

from gradkit import errors
from gradkit.backend.protocol import backend_of
from gradkit.engine import modes
from gradkit.engine.device import on_device_of
from gradkit.engine.hooking import chosen, moved
from gradkit.engine.lines import lines, user_frame, user_line
from gradkit.engine.node import Node, note, reachable
from gradkit.engine.operands import tensor_xp
from gradkit.engine.primitive import Primitive
from gradkit.engine.saving import lift
from gradkit.engine.tensor import Tensor, wrap
from gradkit.engine.versions import check_unwritten

local = modes.local


class Walk:
    """One walk, as hooks know it."""

    def __init__(self, seeds: Any, needed: Any, wanted: Any) -> None:
        self.seeds, self._needed, self.wanted = seeds, needed, wanted or ()
        self.retained: list[tuple[Tensor, Any]] = []

    def reaches(self, node: Node) -> bool:
        """Whether a cotangent comes to a node."""
        if self._needed is None:
            self._needed = reachable(self.seeds, 1)
        return node in self._needed

    def write_retained(self) -> None:
        """Gradients of tensors that retain theirs are written when the walk has succeeded."""
        for owner, grad in self.retained:
            owner._grad = grad if owner._grad is None else owner._grad + grad


def retain_grad(t: Tensor) -> None:
    """Have walks fill `grad` of a tensor that is not a leaf."""
    if not t.is_leaf and not t._retains:
        t._retains = True
        t.node._hooks().retain = weakref.ref(t)


# -- hooks
def run_hooks(node: Node, ct: Any, record: bool, walk: Walk) -> Any:
    """The hooks on a cotangent, which is complete by now: each may replace it."""
    hooks = node.hooks
    if hooks.tensor:
        with grad_mode(record, walk=walk):
            for hook in chosen(node, hooks.tensor, walk):
                shown = ct if record else wrap(ct)
                new = hook(shown) if local.moving is None else moved(hook, node, shown)
                if new is not None:
                    check(hook, new, *node.like)
                    ct = new if record else new.array
    owner = hooks.retain and hooks.retain()
    if owner is not None:
        walk.retained.append((owner, ct if record else wrap(ct.copy())))
    return ct


def grad_mode(record: bool, **state: Any) -> Any:
    """Hooks are recorded as the walk is."""
    return modes.mode(**state) if record else modes.mode(mute=1, grad=False, **state)


def run_prehooks(node: Node, cts: tuple[Any, ...], walk: Any = None) -> tuple[Any, ...]:
    """The hooks before a node's step, on Tensors: each may replace the cotangents of its outputs."""
    for hook in chosen(node, node.hooks.before, walk):
        new = hook(cts)
        if new is not None:
            new = new if isinstance(new, tuple) else (new,)
            cts = replaced(hook, new, cts)
    return cts


def run_posthooks(node: Node, inputs: tuple[Any, ...], outputs: tuple[Any, ...], walk: Any = None) -> tuple[Any, ...]:
    """The hooks after a node's step, on Tensors: each may replace the cotangents of its operands."""
    for hook in chosen(node, node.hooks.after, walk):
        new = hook(inputs, outputs)
        if new is not None:
            if not isinstance(new, tuple):
                raise TypeError(f"expected tuple, but hook returned {type(new).__name__!r}")
            inputs = replaced(hook, new, inputs)
    return inputs


def replaced(hook: Any, new: tuple[Any, ...], old: tuple[Any, ...]) -> tuple[Any, ...]:
    if local.moving and local.moving.levels:
        raise NotImplementedError(f"the hook {errors.name_of(hook)!r} changes a gradient: it has no forward mode")
    if len(new) != len(old):
        raise RuntimeError(
            f"hook {errors.name_of(hook)!r} has returned an incorrect number of values (got {len(new)}, but expected {len(old)})"
        )
    for one, before in zip(new, old):
        if one is None:
            continue
        if before is None:
            raise RuntimeError("can't replace a None gradient with a non-None value")
        check(hook, one, before.shape, before.dtype)
    return new


def check(hook: Any, new: Any, shape: Any, dtype: Any) -> None:
    """Raise an error for what a hook must not put in the place of a cotangent."""
    errors.check_hooked(hook, new, shape, dtype)


def step(
    xp: Any, ct: Any, node: Node, saved: Any, needed: Any, walk: Walk, record: bool, watch: "Watch | None"
) -> list[tuple[Node, Any]]:
    """A node's step with its hooks around it: the cotangents for its parents, one for each operand."""
    hooked = node.hooks is not None
    shown: tuple[Any, ...] = ()
    if hooked:
        shown = tuple([c if record or c is None else wrap(c) for c in (ct if type(ct) is list else (ct,))])
        with grad_mode(record):
            shown = run_prehooks(node, shown, walk)
        plain = [c if record or c is None else c.array for c in shown]
        ct = plain if type(ct) is list else plain[0]
    apart, needed = told_apart(node, needed)
    mine: dict[Any, Any] = {}
    node.prim.step(xp, ct, apart, saved, mine, [], needed)
    found = [mine.get(parent) for parent in apart.parents]
    if watch is not None:
        for i, c in enumerate(found):
            watch.check(node, i, c)
    if hooked:
        inputs = tuple([c if record or c is None else wrap(c) for c in found])
        with grad_mode(record):
            inputs = run_posthooks(node, inputs, shown, walk)
        found = [c if record or c is None else c.array for c in inputs]
    return [(parent, c) for parent, c in zip(node.parents, found) if c is not None]


def told_apart(node: Node, needed: Any) -> tuple[Node, Any]:
    """The node as if its operands were all different: x * x has two cotangents for x, and hooks see both."""
    parents = [p for p in node.parents if p is not None]
    if len(set(parents)) == len(parents):
        return node, needed
    places = tuple([p and note(Node(), None, (), (), None, p.like) for p in node.parents])
    wanted = None if needed is None else {q for p, q in zip(node.parents, places) if p in needed}
    return node.apart(places), wanted


def called(node: Node, cts: tuple[Any, ...]) -> Any:
    """A node's step on Tensors, outside of a walk."""
    outputs = 1 if node.prim is None else node.prim.outputs
    if len(cts) != outputs:
        raise TypeError(f"expected {outputs} arguments, got {len(cts)} instead")
    if node.prim is None:
        leaf = node.owner()
        if leaf is not None:
            leaf._grad = cts[0].clone() if leaf._grad is None else leaf._grad + cts[0]
        return ()
    if node.saved is None:
        raise errors.freed(node)
    check_unwritten(node, node.saved)
    apart, _ = told_apart(node, None)
    mine: dict[Any, Any] = {}
    with np.errstate(all="ignore"):
        ct = list(cts) if outputs > 1 else cts[0]
        node.prim.step(tensor_xp, ct, apart, lift(node, node.saved), mine, [], None)
    found = tuple([mine.get(parent) for parent in apart.parents])
    return found[0] if len(found) == 1 else found


# -- anomaly mode
#: The nodes of operations that made a NaN or Inf from finite operands, and what was seen there.
births: "weakref.WeakKeyDictionary[Node, str]" = weakref.WeakKeyDictionary()


def check_forward(prim: Primitive, raws: Any, y: Any) -> None:
    """Warn of an operation whose output has a NaN or Inf while its operands have none."""
    local.birth = None
    if not local.check_nan:
        return
    found = next((one for one in (y if prim.outputs > 1 else (y,)) if first_bad(one) is not None), None)
    if found is None or any([first_bad(raw) is not None for raw in raws]):
        return
    at = first_bad(found)
    operands = [f"{raw[at] if np.ndim(raw) else raw}" for raw in raws if np.shape(raw) in (found.shape, ())]
    of = f" from {', '.join(operands)}" if operands else ""
    frame = user_frame()
    local.birth = (
        f"the first {found[at]} of the forward pass was made{of} by {prim.name} at index {at} of its output of shape "
        f"{tuple(found.shape)}, {found.dtype.name}"
    )
    registry = frame.f_globals.setdefault("__warningregistry__", {})
    warnings.warn_explicit(
        f"Anomaly detection: {local.birth}.", UserWarning, frame.f_code.co_filename, frame.f_lineno, registry=registry
    )


def note_forward(node: Node) -> None:
    lines[node] = user_line()
    if local.birth is not None:
        births[node] = f"{local.birth}, at {lines[node]}"
        local.birth = None


def first_bad(raw: Any) -> tuple[int, ...] | None:
    """The index of the first NaN or Inf."""
    if not hasattr(raw, "dtype"):
        return () if isinstance(raw, float | complex) and not np.isfinite(raw) else None
    if raw.dtype.kind not in "fcV":
        return None
    with on_device_of(raw):
        bad = ~backend_of(raw).xp.isfinite(raw)
        return tuple([int(i) for i in np.unravel_index(int(bad.argmax()), bad.shape)]) if bad.any() else None


class Watch:
    """A walk in anomaly mode: it remembers the first Inf, and stops at a NaN."""

    def __init__(self, seeds: Any) -> None:
        self.seeds = seeds
        self.first = ""

    def check(self, node: Node, i: int, c: Any) -> None:
        raw = c.array if isinstance(c, Tensor) else c
        at = None if raw is None else first_bad(raw)
        if at is None:
            return
        made = f", whose forward operation was made at {node.line}" if node.line else ""
        if not bool((raw != raw).any()):
            self.first = self.first or f" The first {raw[at]} of the walk came from {node.name()}{made}, at index {at}."
            return
        at = tuple([int(k) for k in np.unravel_index(int((raw != raw).argmax()), raw.shape)])
        raise RuntimeError(
            f"Function '{node.name()}' returned nan values in its {i}th output{made}; the first is at index {at} of "
            f"shape {tuple(raw.shape)}, {raw.dtype.name}.{self.first}{self._birth()}"
        )

    def _birth(self) -> str:
        born = [node for node in reachable(self.seeds, 1) if node in births]
        return f" In the forward pass: {births[max(born, key=lambda node: node.seq)]}." if born else ""
