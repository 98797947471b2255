"""What a custom function's `forward` leaves for its `backward` and `jvp`."""

from typing import Any

from gradkit import errors
from gradkit.engine import modes
from gradkit.engine.node import Node, note
from gradkit.engine.outputs import pick
from gradkit.engine.saving import Packed
from gradkit.engine.tensor import Tensor, wrap
from gradkit.engine.versions import check_unwritten


class Kept:
    """A saved tensor, without a link back to the object the user holds: no cycle through `grad` arises."""

    __slots__ = ("batch", "input", "node", "output", "value")

    def __init__(self, t: Tensor, inputs: tuple[Any, ...], outputs: list[Any]) -> None:
        self.value, self.batch, self.node = t.array, t.batch, t.node
        self.output = index_of(t, outputs)
        self.input = None if self.output is not None else index_of(t, inputs)

    def tensor(self, node: Node | None) -> Tensor:
        """The tensor again. An output belongs to the node of the function itself."""
        raw = self.value.opened().array if isinstance(self.value, Packed) else self.value
        if self.output is None:
            return wrap(raw, self.node, batch=self.batch)
        if node is not None and node.prim.outputs > 1:
            node = pick(node, self.output)
        return wrap(raw, node, batch=self.batch)


def index_of(t: Tensor, others: Any) -> int | None:
    for i, other in enumerate(others):
        if other is t:
            return i
    return None


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

    # -- what forward calls
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

    # -- what backward and jvp read
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

    # -- its node
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

    __slots__ = ("call", "ctx")

    ctx: FunctionCtx
    call: Any

    def __getattr__(self, name: str) -> Any:
        if name in Node.__slots__ or name in FunctionNode.__slots__:
            raise AttributeError(name)
        return getattr(self.ctx, name)

    def apart(self, places: tuple[Any, ...]) -> Node:
        other = FunctionNode()
        other.ctx, other.call = self.ctx, self.call
        return note(other, self.prim, places, self.saved, self.params, self.like)


def settle(ctx: FunctionCtx, args: tuple[Any, ...], results: list[Any], recorded: bool) -> Saved:
    """After `forward`: check what it said, and take up what it saved."""
    if ctx.dirty_tensors or ctx.non_differentiable:
        _check_marks(ctx, results)
    shown, ctx.to_save = ctx.to_save, ()
    if not shown and not ctx.saved_for_forward:
        return Saved(())
    dirty = ctx.dirty_tensors
    outputs = [None if among(y, args) and not among(y, dirty) else y for y in results]
    kept = _kept("save_for_backward", shown, args, outputs)
    if ctx.saved_for_forward:
        ctx.saved_for_forward = _kept("save_for_forward", ctx.saved_for_forward, args, outputs)
    if recorded and modes.unusual:
        _pack(shown, kept)
    return Saved(kept)


def _kept(name: str, tensors: tuple[Any, ...], args: tuple[Any, ...], outputs: list[Any]) -> tuple[Kept | None, ...]:
    for i, t in enumerate(tensors):
        if t is not None and not isinstance(t, Tensor):
            raise TypeError(f"{name} can only take Tensors, but argument {i} is of type {type(t).__name__}")
    return tuple([None if t is None else Kept(t, args, outputs) for t in tensors])


def _pack(shown: tuple[Any, ...], kept: tuple[Kept | None, ...]) -> None:
    """What hooks make of saved tensors. RuntimeError for one that was made in inference mode."""
    for t, k in zip(shown, kept):
        if k is None:
            continue
        if t._inference and modes.local.inference is False:
            raise errors.inference_saved(t)
        if modes.local.packing:
            k.value = Packed(t if k.output is None else wrap(t.array), *modes.local.packing)


def _check_marks(ctx: FunctionCtx, results: list[Any]) -> None:
    for name, marked in (("mark_dirty", ctx.dirty_tensors), ("mark_non_differentiable", ctx.non_differentiable)):
        for i, t in enumerate(marked):
            if t is not None and not isinstance(t, Tensor):
                raise RuntimeError(f"{name} can only take Tensors, but argument {i} is of type {type(t).__name__}")
    if not all([among(d, results) for d in ctx.dirty_tensors]):
        raise RuntimeError(
            "Some elements marked as dirty during the forward method were not returned as output. The inputs that are "
            "modified inplace must all be outputs of the Function."
        )


def among(x: Any, others: Any) -> bool:
    """Not by ==, which would compare values."""
    return index_of(x, others) is not None
