"""The recorded graph: nodes and edges, hooks on several gradients at once, hooks on what is saved for backward."""

import weakref
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from gradkit.autograd.grad_mode import _Mode
from gradkit.engine import modes
from gradkit.engine.node import Handle, Node
from gradkit.engine.outputs import pick
from gradkit.engine.tensor import Tensor, wrap
from gradkit.engine.versions import owner, stamp, version_of

__all__ = [
    "GradientEdge", "Node", "allow_mutation_on_saved_tensors", "disable_saved_tensors_hooks", "get_gradient_edge",
    "increment_version", "register_multi_grad_hook", "save_on_cpu", "saved_tensors_hooks",
]


# -- edges
class GradientEdge(NamedTuple):
    """A place in the graph that a gradient comes through: output `output_nr` of `node`.

    `autograd.grad` and `backward` take it where they take a tensor. It keeps the graph alive, but no value.
    """

    node: Node
    output_nr: int
    ownership_token: Any = None

    def place(self) -> Node:
        """The engine's node for this output."""
        several = self.node.prim is not None and self.node.prim.outputs > 1
        return pick(self.node, self.output_nr) if several else self.node


def get_gradient_edge(tensor: Tensor) -> GradientEdge:
    """The edge that a tensor's gradient comes through. RuntimeError if the tensor requires no grad.

    >>> x = gradkit.tensor(3.0, requires_grad=True)
    >>> edge = gradkit.autograd.graph.get_gradient_edge(x * x)
    >>> gradkit.autograd.grad(edge, x)
    (tensor(6.),)
    """
    if tensor.node is None:
        raise RuntimeError("It is not possible to get the gradient edge for a Tensor that does not require gradients")
    return GradientEdge(tensor.node._whole(), tensor.output_nr)


def increment_version(tensor: Tensor | Iterable[Tensor]) -> None:
    """Say that memory was written in a way that gradkit does not see: a gradient that needs the old values then raises.

    >>> x = gradkit.ones(2)
    >>> gradkit.autograd.graph.increment_version(x)
    >>> x._version
    1
    """
    for t in [tensor] if isinstance(tensor, Tensor) else tensor:
        stamp(t.array, "increment_version()")


# -- several gradients at once
class _MultiHandle:
    """`remove()` takes the hooks on all tensors away. Usable in a with statement."""

    def __init__(self, handles: list[Handle]) -> None:
        self.handles = tuple(handles)

    def remove(self) -> None:
        """Take the hooks away; a second call does nothing."""
        for handle in self.handles:
            handle.remove()

    def __enter__(self) -> "_MultiHandle":
        return self

    def __exit__(self, *exception: object) -> None:
        self.remove()


def register_multi_grad_hook(tensors: Sequence[Tensor], fn: Callable[[Any], None], *, mode: str = "all") -> Any:
    """Call `fn` once in each walk: when all gradients of `tensors` that it computes are there, or ("any") the first is.

    With "all", `fn` is given a list with None for tensors the walk does not come to; with "any" one gradient. Returns a
    handle with `remove()`. ValueError for another mode, RuntimeError for a tensor that requires no grad.

    >>> a, b = gradkit.ones(1, requires_grad=True), gradkit.ones(1, requires_grad=True)
    >>> handle = gradkit.autograd.graph.register_multi_grad_hook((a, b), lambda grads: print(grads))
    >>> (a * 2).sum().backward()
    [tensor([2.]), None]
    """
    if mode not in ("all", "any"):
        raise ValueError(f"Expects mode to be one of ('all', 'any') but got {mode}")
    seen: weakref.WeakKeyDictionary[Any, Any] = weakref.WeakKeyDictionary()  # by walk

    def all_hook(i: int, grad: Tensor) -> None:
        walk = modes.local.walk
        expected = [t.node is not None and walk.reaches(t.node) for t in tensors]
        grads = seen.setdefault(walk, {})
        grads[i] = grad
        if len(grads) == sum(expected):
            del seen[walk]
            fn([grads.get(k) for k in range(len(expected))])

    def any_hook(grad: Tensor) -> None:
        if modes.local.walk not in seen:
            seen[modes.local.walk] = True
            fn(grad)

    hooks = [(lambda g, i=i: all_hook(i, g)) if mode == "all" else any_hook for i in range(len(tensors))]
    watched = [(t, hook) for t, hook in zip(tensors, hooks) if mode == "all" or t.requires_grad]
    return _MultiHandle([t.register_hook(hook) for t, hook in watched])


# -- what is saved
class saved_tensors_hooks(_Mode):
    """Inside, what operations save for backward goes through `pack_hook`, and through `unpack_hook` when it is needed.

    `pack_hook` takes a Tensor and returns anything; `unpack_hook` takes that and returns a Tensor of the same values,
    each time a walk needs it. Operands are shown as they are, results detached. Of nested hooks the innermost alone are
    used. Neither may write to its argument in place; where hooks are used, writes after saving are not noticed.

    TypeError if a hook is not callable or `unpack_hook` returns no Tensor, RuntimeError if that has another
    shape, if `pack_hook` writes in place, and within `disable_saved_tensors_hooks`.

    >>> x = gradkit.tensor([2.0], requires_grad=True)
    >>> with gradkit.autograd.graph.saved_tensors_hooks(lambda t: t.numpy(force=True), gradkit.tensor):
    ...     y = x * x
    >>> y.backward(); x.grad
    tensor([4.])
    """

    def __init__(self, pack_hook: Callable[[Tensor], Any], unpack_hook: Callable[[Any], Tensor]) -> None:
        super().__init__()
        for name, hook in (("pack_hook", pack_hook), ("unpack_hook", unpack_hook)):
            if not callable(hook):
                raise TypeError(f"saved_tensors_hooks: {name} must be callable, not {type(hook).__name__}")
        self.pack_hook, self.unpack_hook = pack_hook, unpack_hook

    def _scope(self) -> Any:
        if modes.local.packing_refused is not None:
            raise RuntimeError(modes.local.packing_refused)
        return modes.mode(special=1, packing=(self.pack_hook, self.unpack_hook))


class save_on_cpu(saved_tensors_hooks):
    """Inside, what operations save for backward waits in the host's memory, and returns to its device when needed.

    Saves memory of a device at the price of copies; without one it changes nothing. `pin_memory` lets the copies back
    overlap with computation; the host's memory is not page-locked for it.

    >>> x = gradkit.tensor([2.0], requires_grad=True)
    >>> with gradkit.autograd.graph.save_on_cpu():
    ...     y = x * x
    >>> y.backward(); x.grad
    tensor([4.])
    """

    def __init__(self, pin_memory: bool = False, device_type: str = "cuda") -> None:
        def pack(t: Tensor) -> tuple[Any, Tensor]:
            return t.device, t.cpu()

        def unpack(packed: tuple[Any, Tensor]) -> Tensor:
            place, t = packed
            return t.to(place, non_blocking=pin_memory)

        super().__init__(pack, unpack)


@contextmanager
def disable_saved_tensors_hooks(error_message: str) -> Iterator[None]:
    """Inside, hooks on saved tensors raise RuntimeError with this message; so does entering while some are open.

    >>> with gradkit.autograd.graph.disable_saved_tensors_hooks("not here"):
    ...     gradkit.autograd.graph.save_on_cpu().__enter__()
    Traceback (most recent call last):
        ...
    RuntimeError: not here
    """
    if modes.local.packing:
        raise RuntimeError(error_message)
    with modes.mode(packing_refused=error_message):
        yield


class _Original:
    """A saved tensor, until its memory is about to be written: then a copy of it."""

    __slots__ = ("__weakref__", "raw", "version")

    def __init__(self, raw: Any) -> None:
        self.raw, self.version = raw, version_of(raw)


class _AllowMutationOnSavedContext:
    """The saved tensors of the operations inside, by the memory they lie in."""

    def __init__(self) -> None:
        self._by_memory: dict[int, list[Any]] = {}

    def pack(self, t: Tensor) -> _Original:
        saved = _Original(t.array)
        self._by_memory.setdefault(id(owner(t.array)), []).append(weakref.ref(saved))
        return saved

    def unpack(self, saved: _Original) -> Tensor:
        if version_of(saved.raw) != saved.version:
            raise RuntimeError("a tensor saved within allow_mutation_on_saved_tensors was written after the context was left")
        return wrap(saved.raw)

    def before_write(self, raw: Any) -> None:
        for ref in self._by_memory.pop(id(owner(raw)), ()):
            saved = ref()
            if saved is not None:
                saved.raw, saved.version = saved.raw.copy(), 0


@contextmanager
def allow_mutation_on_saved_tensors() -> Iterator[_AllowMutationOnSavedContext]:
    """Inside, tensors saved for backward may be written in place: what is written is copied first, and nothing else.

    >>> a = gradkit.tensor([2.0], requires_grad=True)
    >>> with gradkit.autograd.graph.allow_mutation_on_saved_tensors():
    ...     b = a.clone()
    ...     y = (b * b).sum()
    ...     _ = b.sin_()
    >>> y.backward(); a.grad
    tensor([4.])
    """
    context = _AllowMutationOnSavedContext()
    if modes.local.packing_refused is not None:
        raise RuntimeError(modes.local.packing_refused)
    with modes.mode(special=1, packing=(context.pack, context.unpack), mutable=context):
        yield context
