"""What a custom function's `forward` leaves for its `backward` and `jvp`."""

from typing import Any

from gradkit import errors
from gradkit.engine import modes
from gradkit.engine.node import Node
from gradkit.engine.outputs import pick
from gradkit.engine.saving import Packed
from gradkit.engine.tensor import Tensor, wrap
from gradkit.engine.versions import check_unwritten


class Kept:
    """A saved tensor, without a link back to the object the user holds: no cycle through `grad` arises."""

    __slots__ = ("batch", "input", "node", "output", "value")

    def __init__(self, t: Tensor, inputs: tuple[Any, ...], outputs: list[Any]) -> None:
        self.value, self.batch, self.node = t.array, t.batch, t.node
        self.output = next((i for i, y in enumerate(outputs) if y is t), None)
        self.input = next((i for i, x in enumerate(inputs) if x is t and self.output is None), None)

    def tensor(self, node: Node | None) -> Tensor:
        """The tensor again. An output belongs to the node of the function itself."""
        raw = self.value.opened().array if isinstance(self.value, Packed) else self.value
        if self.output is None:
            return wrap(raw, self.node, batch=self.batch)
        if node is not None and node.prim.outputs > 1:
            node = pick(node, self.output)
        return wrap(raw, node, batch=self.batch)


class Saved:
    """All that one call saved, as its node holds it: gone when a walk frees the node."""

    def __init__(self, kept: tuple[Kept | None, ...]) -> None:
        self.kept = kept


class FunctionCtx:
    """What `forward` leaves for `backward` and `jvp`: saved tensors, flags, and any attribute the user sets."""

    def __init__(self, needs_input_grad: tuple[bool, ...]) -> None:
        self.needs_input_grad = needs_input_grad
        self.materialize_grads = True
        self.to_save: tuple[Any, ...] = ()
        self.saved_for_forward: tuple[Any, ...] | None = None
        self.non_differentiable: tuple[Any, ...] = ()
        self.dirty_tensors: tuple[Any, ...] = ()
        self.selective = False  # during backward: does the walk ask for some gradients only?
        self._saved: Saved | None = None  # where no node holds it
        self._node: Any = lambda: None  # a weak reference, since the node holds this
        self._at: tuple[Any, ...] | None = None  # during jvp: the inputs and outputs as its level sees them

    # -- what forward calls ------------------------------------------------------------------------------------------
    def save_for_backward(self, *tensors: Tensor | None) -> None:
        """Keep inputs, outputs or intermediate tensors for `backward`: writing them in place before it is an error."""
        self.to_save = tensors

    def save_for_forward(self, *tensors: Tensor | None) -> None:
        """Keep tensors for `jvp`."""
        self.saved_for_forward = tensors

    def mark_non_differentiable(self, *outputs: Tensor) -> None:
        """These outputs get no gradient."""
        self.non_differentiable = outputs

    def mark_dirty(self, *inputs: Tensor) -> None:
        """These inputs were written in place, and are returned."""
        self.dirty_tensors = inputs

    def set_materialize_grads(self, value: bool) -> None:
        """Whether `backward` and `jvp` are given zeros (the default) or None for what has no gradient."""
        self.materialize_grads = value

    # -- what backward and jvp read ----------------------------------------------------------------------------------
    @property
    def saved_tensors(self) -> tuple[Any, ...]:
        """What was saved, as it was. RuntimeError if a walk has freed it or it was written in place since."""
        if self._at is not None:
            return self._seen_by_jvp()
        node, kept = self._node(), self._kept()
        if node is not None:
            check_unwritten(node, [k.value for k in kept if k is not None])
        return tuple([k and k.tensor(node) for k in kept])

    def _kept(self) -> tuple[Kept | None, ...]:
        node = self._node()
        if node is None:
            return self._saved.kept if self._saved else ()
        if node.saved is None:
            raise errors.freed(node)
        found: tuple[Kept | None, ...] = node.saved[1].kept
        return found

    def _seen_by_jvp(self) -> tuple[Any, ...]:
        """Inputs and outputs carry the tangents of the levels below; nothing else is known to depend on them."""
        inputs, outputs = self._at or ((), ())
        kept = self.saved_for_forward if self.saved_for_forward is not None else self._kept()
        return tuple([k and self._at_level(k, inputs, outputs) for k in kept])

    def _at_level(self, k: Kept, inputs: tuple[Any, ...], outputs: tuple[Any, ...]) -> Any:
        if k.output is not None:
            return outputs[k.output]
        if k.input is not None:
            return inputs[k.input]
        if any([isinstance(x, Tensor) and x.tangents for x in inputs]):
            raise RuntimeError(
                "under nested forward mode a custom Function must save inputs or outputs: a tensor that forward made "
                "on the way has lost the inner level's tangent. Compute it again in jvp from what is saved."
            )
        return k.tensor(None)

    # -- its node ----------------------------------------------------------------------------------------------------
    def name(self) -> str:
        """The name of the node."""
        return str(self._own_node().name())

    @property
    def next_functions(self) -> Any:
        return self._own_node().next_functions

    @property
    def metadata(self) -> dict[str, Any]:
        found: dict[str, Any] = self._own_node().metadata
        return found

    def _own_node(self) -> Any:
        node = self._node()
        if node is None:
            raise AttributeError("this context has no node: its function was not recorded, or its graph is gone")
        return node


class FunctionNode(Node):
    """The node of a custom function. What the user put on the context can be read from it, as from `grad_fn`."""

    __slots__ = ("ctx",)

    ctx: FunctionCtx

    def __getattr__(self, name: str) -> Any:
        if name in Node.__slots__ or name == "ctx":
            raise AttributeError(name)
        return getattr(self.ctx, name)


def settle(ctx: FunctionCtx, args: tuple[Any, ...], results: list[Any], recorded: bool) -> Saved:
    """After `forward`: check what it said, and take up what it saved."""
    for t in ctx.to_save:
        if t is not None and not isinstance(t, Tensor):
            raise _only_tensors("save_for_backward", ctx.to_save)
        if recorded and t is not None and t._inference and not modes.local.inference:
            raise errors.inference_saved(t)
    for name in ("saved_for_forward", "dirty_tensors", "non_differentiable"):
        if any([t is not None and not isinstance(t, Tensor) for t in getattr(ctx, name) or ()]):
            raise _only_tensors(name, getattr(ctx, name))
    if any([all([d is not y for y in results]) for d in ctx.dirty_tensors]):
        raise RuntimeError(
            "Some elements marked as dirty during the forward method were not returned as output. The inputs that are "
            "modified inplace must all be outputs of the Function."
        )
    dirty = ctx.dirty_tensors
    outputs = [y if all([y is not x for x in args]) or any([y is d for d in dirty]) else None for y in results]
    shown, ctx.to_save = ctx.to_save, ()
    kept = tuple([None if t is None else Kept(t, args, outputs) for t in shown])
    if ctx.saved_for_forward is not None:
        ctx.saved_for_forward = tuple([None if t is None else Kept(t, args, outputs) for t in ctx.saved_for_forward])
    if recorded and modes.local.packing:
        for t, k in zip(shown, kept):
            if k is not None:
                k.value = Packed(t if k.output is None else wrap(t.array), *modes.local.packing)
    return Saved(kept)


_CALLS = {
    "save_for_backward": "save_for_backward", "saved_for_forward": "save_for_forward", "dirty_tensors": "mark_dirty",
    "non_differentiable": "mark_non_differentiable",
}  # fmt: skip


def _only_tensors(name: str, given: tuple[Any, ...]) -> Exception:
    i, x = next((i, x) for i, x in enumerate(given) if x is not None and not isinstance(x, Tensor))
    kind = TypeError if name.startswith("save") else RuntimeError
    return kind(f"{_CALLS[name]} can only take Tensors, but argument {i} is of type {type(x).__name__}")
