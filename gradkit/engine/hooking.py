"""Hooks under transforms: whose walk they run in, what they see under vmap, and how they move in forward over reverse."""

import sys
from functools import update_wrapper, wraps
from typing import Any

from gradkit import errors
from gradkit.engine import batching, modes
from gradkit.engine.node import Handle, Node, reachable
from gradkit.engine.operands import tensor_xp
from gradkit.engine.tangents import dual, strip, tangent
from gradkit.engine.tensor import Tensor, wrap

local = modes.local


class Inside:
    """A hook registered inside transforms: for walks of the innermost whose arguments its node is made of."""

    late = False  # is the tangent that this stands at read by others, or made of its primal?

    def __init__(self, hook: Any, of: Any = None, along: frozenset[int] = frozenset()) -> None:
        self.hook, self.transforms = hook, of.transforms if of else [f.leaves for f in reversed(local.functions)]
        self.of, self.along = of or self, along  # of the tensor whose tangent this stands at
        update_wrapper(self, hook)

    def __call__(self, *args: Any) -> Any:
        return None if self.along else self.hook(*args)

    def runs(self, node: Node, wanted: Any) -> bool:
        for leaves in self.transforms:
            if not leaves.isdisjoint(wanted):
                return True
            if leaves and not leaves.isdisjoint(reachable([node], max([leaf.seq for leaf in leaves]))):
                return any([f.leaves is leaves for f in local.functions])  # a walk of the function's own
        return True


def chosen(node: Node, hooks: dict[int, Any], walk: Any) -> list[Any]:
    """Those of a node's hooks that a walk runs."""
    return [hook for hook in hooks.values() if type(hook) is not Inside or hook.runs(node, walk.wanted if walk else ())]


def placed(hook: Any, batch: tuple[tuple[int, int], ...] = ()) -> Any:
    """A hook, as a node with these batch axes keeps it: under vmap it sees what the function there sees of the tensor."""
    if batch:
        hook = of_samples(hook, *zip(*batch))
    return Inside(hook) if local.functions or modes.lifted else hook


def of_samples(hook: Any, levels: tuple[int, ...], sizes: tuple[int, ...]) -> Any:
    def shown(ct: Any) -> Any:
        if isinstance(ct, tuple):
            return tuple(map(shown, ct))
        if ct is None or tuple(ct.shape[: len(sizes)]) != sizes:
            return ct
        seen = batching.ascending(ct, (*ct.batch, *levels))
        seen.tangents = {level: shown(t) for level, t in (ct.tangents or {}).items()}
        return seen

    def back(new: Any, ct: Any) -> Any:
        if isinstance(new, tuple) and isinstance(ct, tuple) and len(new) == len(ct):
            return tuple(map(back, new, ct))
        if not isinstance(new, Tensor) or ct is None:
            return new
        g = batching.physical(new, levels, {*ct.batch}, tuple(ct.shape))
        return wrap(g.array, g.node, {level: back(t, ct) for level, t in (new.tangents or {}).items()}, g.batch)

    @wraps(hook)
    def run(*cts: Any) -> Any:
        seen = tuple(map(shown, cts))
        every = [ct for one in seen for ct in (one if isinstance(one, tuple) else (one,))]
        with modes.mode(lift=1, batches=batching.sizes_of(every)):
            return back(hook(*seen), cts[0])

    return run


# -- forward over reverse
class Moving:
    """A walk whose cotangents are tangents along `levels`, out of `every`, of those of the first."""

    def __init__(self, before: "Moving | None", level: int) -> None:
        self.cts: dict[Any, Any] = before.cts if before else {}
        self.levels: frozenset[int] = before.levels if before else frozenset()
        self.every: frozenset[int] = (before.every if before else frozenset()) | {level}

    def along(self, level: int) -> "Moving":
        moving = Moving(self, level)
        moving.levels |= {level}
        return moving


def moved(hook: Any, node: Node, ct: Tensor) -> Tensor | None:
    """What a hook makes of a cotangent then: the tangent of what it makes of the dual number."""
    walk = local.moving
    key, hook = (hook.of, hook) if type(hook) is Inside else ((node, hook), Inside(hook))
    if not hook.along <= walk.levels:
        return None
    levels, cts = walk.levels - hook.along, walk.cts.setdefault(key, {})
    cts[levels] = wrap(ct.array.copy(), ct.node, None, ct.batch)
    with modes.mode(moving=None):
        new = hook.hook(numbers(cts, sorted(levels))) if not walk.levels or "changes" in cts else None
    if not isinstance(new, Tensor):
        return new
    if not walk.levels:
        cts["changes"] = True
    elif hook.late:
        raise NotImplementedError(
            f"the hook {errors.name_of(hook)!r} changes a gradient: it has no forward mode on a tensor that was used before, "
            "or that its derivative reads (exp); register it on 1 * x, at once"
        )
    for level in sorted(walk.every, reverse=True):
        bare, t = strip(new, level), tangent(new, level)
        new = bare if level not in levels else t if t is not None else tensor_xp.zeros_like(bare)
    return new


def numbers(cts: dict[Any, Any], levels: list[int], along: frozenset[int] = frozenset()) -> Any:
    if not levels:
        return cts.get(along)
    *rest, top = levels
    x, t = numbers(cts, rest, along), numbers(cts, rest, along | {top})
    return x if t is None else dual(tensor_xp.zeros_like(t) if x is None else x, top, t)


def hook_tensor(x: Tensor, hook: Any) -> Handle:
    """Register a hook on a tensor and on its tangents."""
    hook = placed(hook, tuple(zip(x.batch, x.array.shape)))
    if x.tangents and not x.node.is_leaf:
        hook_tangents(x, hook, frozenset(), [*x.node._hooks().tensor.values()], {x.node})
    return Handle(x.node._hooks().tensor, hook)


def hook_tangents(x: Tensor, hook: Inside, along: frozenset[int], others: list[Any], above: set[Node]) -> None:
    for level, t in x.tangents.items():
        if t.node is None:
            continue
        twin = Inside(hook.hook, hook.of, along | {level})
        if not any([one.of in others for one in t.node._hooks().tensor.values() if type(one) is Inside]):
            oldest = max([node.seq for node in above])
            twin.late = references(t) > _ALONE or not above.isdisjoint(reachable([t.node], oldest))
            t = tensor_xp.alias(t)  # other tensors may have this tangent too
            x.tangents = {**x.tangents, level: t}
        Handle(t.node._hooks().tensor, twin)
        if t.tangents:
            hook_tangents(t, hook, twin.along, others, above | {t.node})


def references(t: Tensor) -> int:
    return sys.getrefcount(t.node)


_ALONE = references(wrap(None, Node()))
