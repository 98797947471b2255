"""The step of a custom function: its user's `backward`, and checks of what that gives back."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradkit.autograd.function_context import FunctionCtx
from gradkit.backend.protocol import beside
from gradkit.engine import modes
from gradkit.engine.batching import ascending, physical, sizes_of
from gradkit.engine.node import Node
from gradkit.engine.operands import tensor_xp
from gradkit.engine.tape import give
from gradkit.engine.tensor import Tensor, wrap


def step(xp: Any, ct: Any, node: Any, saved: Any, cts: Any, heap: Any, needed: Any) -> None:
    """The step of every custom function, called as those of rows are: see `engine.unrolled`."""
    node.call.walk(xp, ct, node, cts, heap, needed)


@dataclass(slots=True)
class Call:
    """One call of a custom function, as the walk knows it."""

    backward: Callable[..., Any]
    ctx: FunctionCtx
    places: list[int]  # of the tensors among the arguments
    batches: list[tuple[int, ...]]  # the batch axes of these tensors
    outputs: list[Any]  # (shape, dtype, batch axes) of each, None for what is no tensor
    near: Any  # an empty array on the outputs' device; None for the host

    def walk(self, xp: Any, ct: Any, node: Node, cts: Any, heap: Any, needed: Any) -> None:
        record = xp is tensor_xp
        given = ct if node.prim.outputs > 1 else [ct]
        grads = [self.given(i, c, record) for i, c in enumerate(given)]
        riding = {level for c in given if record and c is not None for level in c.batch}
        self.ctx.selective = needed is not None
        samples = sizes_of(grads)
        state: dict[str, Any] = {"grad": modes.local.grad and record, "batches": samples}
        with modes.mode(mute=0 if record else 1, lift=1 if samples else 0, **state):
            found = self.backward(self.ctx, *grads)
        found = checked(node, self.ctx, found if isinstance(found, tuple | list) else (found,), self.places)
        for i, (parent, place, batch) in enumerate(zip(node.parents, self.places, self.batches)):
            g = found[place]
            if parent is None or g is None or (needed is not None and parent not in needed):
                continue
            if not isinstance(g, Tensor):
                raise RuntimeError(f"{node.name()}: expected Variable or None (got {type(g).__name__}) for argument {place}")
            g = physical(g, batch, riding, parent.like[0])
            raw = g if record else g.array
            _check_fits(node, i, raw, *parent.like)
            give(xp, parent, raw, cts, heap)

    def given(self, i: int, c: Any, record: bool) -> Tensor | None:
        """The cotangent of an output as `backward` sees it."""
        if self.outputs[i] is None:
            return None
        shape, dtype, batch = self.outputs[i]
        if c is not None:
            return ascending(c, (*c.batch, *batch)) if record else wrap(c, batch=batch)
        if not self.ctx.materialize_grads:
            return None
        return wrap(np.zeros(shape, dtype) if self.near is None else beside(self.near, "zeros", shape, dtype), batch=batch)


def checked(node: Node, ctx: FunctionCtx, found: Any, places: list[int]) -> Any:
    """RuntimeError unless there is a gradient for each argument, and None for those that are no tensors."""
    count = len(ctx.needs_input_grad)
    if len(found) < count or any([g is not None for g in found[count:]]):
        raise RuntimeError(
            f"function {node.name()} returned an incorrect number of gradients (expected {count}, got {len(found)})"
        )
    for i in range(count):
        if i not in places and found[i] is not None:
            raise RuntimeError(
                f"function {node.name()} returned a gradient different than None at position {i + 1}, but the "
                "corresponding forward input was not a Variable"
            )
    return found


def _check_fits(node: Node, i: int, raw: Any, shape: Any, dtype: Any) -> None:
    """A gradient may have more axes, or longer ones, where its argument was broadcast; nothing else."""
    if raw.shape != shape:
        try:
            fits = np.broadcast_shapes(raw.shape, shape) == raw.shape
        except ValueError:
            fits = False
        if not fits:
            raise RuntimeError(
                f"Function {node.name()} returned an invalid gradient at index {i} - got {list(raw.shape)} but expected "
                f"shape compatible with {list(shape)}"
            )
    if raw.dtype.kind == "c" != dtype.kind:
        raise RuntimeError(
            f"Function {node.name()} returned a {raw.dtype.name} gradient at index {i} for an input of {dtype.name}; "
            "return its real part"
        )
