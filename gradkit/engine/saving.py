"""What a node keeps for its rules: which values, whether hooks pack them away, and how they become Tensors again."""

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

from gradkit import errors
from gradkit.engine import dtypes, modes
from gradkit.engine.node import Node
from gradkit.engine.outputs import pick
from gradkit.engine.primitive import Primitive
from gradkit.engine.tensor import Tensor, wrap
from gradkit.engine.versions import version_of

local = modes.local


def keep(prim: Primitive, parents: Any, y: Any, raws: Any) -> tuple[Any, ...]:
    """What the rules of those operands that need a gradient read: a value, its shape, or None."""
    keeps = prim.keeps
    if local.both_ways and not prim.rules:  # a jvp may read any operand; a linear one only shapes
        return (None, *[x.shape for x in raws]) if prim.linear else (y, *raws)
    if len(keeps) == 1:
        needed = keeps[0]
    else:
        wanted = [flags for flags, parent in zip(keeps, parents) if parent is not None]
        needed = [max(flags) for flags in zip(*wanted)]
    if prim.arity is None:  # the last flag is for all operands that follow
        needed = [*needed, *needed[-1:] * (len(raws) + 1 - len(needed))]
    return tuple([v if flag == 2 else v.shape if flag else None for flag, v in zip(needed, (y, *raws))])


class BothWays:
    """A record that tangents are to follow, and whether it is whole: an operation under `no_grad` moves, and has no node."""

    whole = True

    def without(self, operands: Any) -> None:
        if any([isinstance(x, Tensor) and x.node is not None for x in operands]):
            self.whole = False


def holds_values(saved: Any, operands: Any) -> bool:
    """Whether an array of the user's is among what is kept."""
    return any([s is not None and _user_array(s, x) for s, x in zip(saved, (None, *operands))])


def _user_array(saved: Any, operand: Any) -> bool:
    return (hasattr(saved, "dtype") and (operand is None or isinstance(operand, Tensor))) or (
        isinstance(saved, tuple | list) and bool(saved) and hasattr(saved[0], "dtype")
    )


@cache
def unkept(prim: Primitive) -> Primitive:
    """The same for a node that holds no array of the user's: it may be walked again."""
    return replace(prim, kept=False)


@cache
def shaped(prim: Primitive) -> Primitive:
    """The same for a node that kept values, for its jvp, where its step reads shapes alone."""
    flags = [max(of_slot) for of_slot in zip(*prim.keeps)]

    def step(xp: Any, ct: Any, node: Any, saved: Any, *rest: Any) -> None:
        known = [tuple(s.shape) if flag == 1 else s for s, flag in zip(saved, flags)]
        prim.step(xp, ct, node, [*known, *saved[len(flags) :]], *rest)

    return replace(prim, step=step)


# -- Tensors again, when a walk is recorded
def lift(node: Node, saved: Any) -> Any:
    """The residuals as Tensors on the tape again: each is the output or an operand, so its node is known."""
    return [None if s is None else relinked(s, link) for s, link in zip(saved, (node, *node.parents))]


def relinked(residual: Any, link: Any) -> Any:
    kind = type(residual)
    if kind is tuple:  # a shape
        return residual
    if kind is list:  # the outputs of one operation
        return [relinked(one, _output(link, i)) for i, one in enumerate(residual)]
    if kind is Packed:
        return wrap(residual.opened().array, link)
    return wrap(residual, link) if hasattr(residual, "dtype") else residual


def _output(node: Node, i: int) -> Any:
    return pick(node, i) if dtypes.differentiable(node.like[i][1]) else None


def saved_by(node: Node, i: int) -> Any:
    """What a node keeps of its output (0) or an operand (1, 2 ...), as a Tensor; AttributeError if it keeps nothing."""
    if node.saved is None:
        raise errors.freed(node)
    found = lift(node, node.saved)[i] if i < len(node.saved) else None
    if not isinstance(found, Tensor):
        raise AttributeError(f"{node.name()} saves no such tensor")
    leaf = found.node.variable if found.node is not None and found.node.prim is None else None
    return found if leaf is None or leaf.array is not found.array else leaf


# -- inference tensors
def refuse_inference(saved: Any, operands: Any) -> None:
    """Raise RuntimeError if what is about to be kept was made in inference mode."""
    for s, x in zip(saved, operands):
        if isinstance(x, Tensor) and x._inference and modes.local.inference is False and hasattr(s, "dtype"):
            raise errors.inference_saved(x)


# -- hooks on what is saved
class Packed:
    """What a pack hook made of a saved value, and the hook that undoes it."""

    __slots__ = ("device", "held", "shape", "unpack")

    def __init__(self, shown: Tensor, pack: Callable[[Tensor], Any], unpack: Callable[[Any], Tensor]) -> None:
        version = version_of(shown.array)
        with modes.mode(mute=1, grad=False):
            self.held = pack(shown)
        if version_of(shown.array) != version:
            raise RuntimeError(
                "A saved tensor pack hook is modifying its input in place: other parts of the program see that tensor "
                "too. Pack a clone() of it."
            )
        self.shape, self.device, self.unpack = tuple(shown.array.shape), shown.device, unpack

    def opened(self) -> Tensor:
        found = self.unpack(self.held)
        if not isinstance(found, Tensor):
            raise TypeError(
                f"Output of saved tensor unpack_hook expected to be a Tensor but got result of type {type(found).__name__}"
            )
        if tuple(found.array.shape) != self.shape:
            raise RuntimeError(
                f"saved tensor unpack_hook gave back a Tensor of shape {tuple(found.array.shape)} for one of shape {self.shape}"
            )
        if found.device != self.device:
            raise RuntimeError(
                f"saved tensor unpack_hook gave back a Tensor on {found.device} for one on {self.device}: move it with "
                f".to({str(self.device)!r})"
            )
        return found


def packed(saved: Any, operands: Any) -> tuple[Any, ...]:
    """What is kept, as the innermost pack hook gives it. It sees the operands themselves, and outputs detached."""
    y, *others = saved
    ys = [_packed(one, None) for one in y] if isinstance(y, list) else _packed(y, None)
    return (ys, *[_packed(s, x) if isinstance(x, Tensor) else s for s, x in zip(others, operands)])


def _packed(saved: Any, operand: Any) -> Any:
    if not hasattr(saved, "dtype"):
        return saved
    return Packed(operand if operand is not None and operand.array is saved else wrap(saved), *local.packing)


@cache
def unpacking(prim: Primitive) -> Primitive:
    """The same for a node whose residuals hooks have packed: its step unpacks what `lift` has not."""
    step = prim.step
    assert step is not None

    def unpack(xp: Any, ct: Any, node: Any, saved: Any, cts: Any, heap: Any, needed: Any) -> None:
        opened = [[_opened(s) for s in one] if type(one) is list else _opened(one) for one in saved]
        step(xp, ct, node, opened, cts, heap, needed)

    return replace(prim, step=unpack)


def _opened(residual: Any) -> Any:
    if type(residual) is not Packed:
        return residual
    with modes.mode(mute=1, grad=False):
        return residual.opened().array
