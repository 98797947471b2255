"""A recorded operation, as the tape holds it and as `grad_fn` shows it."""

import weakref
from collections.abc import Callable
from itertools import count
from typing import Any

from gradkit.engine.lines import Place, line_of, lines
from gradkit.engine.versions import tick

#: The stream a node was recorded on, where it was not the device's default one.
streams: "weakref.WeakKeyDictionary[Node, Any]" = weakref.WeakKeyDictionary()

_numbers = count()


class Handle:
    """What registering a hook returns: `remove()` takes the hook away again. Usable in a with statement."""

    def __init__(self, hooks: dict[int, Any], hook: Any) -> None:
        self.id = next(_numbers)  # not id(self): the handle may be dropped at once
        self._hooks = hooks
        hooks[self.id] = hook

    def remove(self) -> None:
        """Take the hook away; a second call does nothing."""
        self._hooks.pop(self.id, None)

    def __enter__(self) -> "Handle":
        return self

    def __exit__(self, *exception: object) -> None:
        self.remove()


class Node:
    """One recorded operation: its operands' nodes, what its rules read (raw), and its output's (shape, dtype).

    A leaf is a node without a primitive; it knows the tensor that owns `grad` weakly.
    """

    __slots__ = ("__weakref__", "freed", "hooks", "like", "owner", "params", "parents", "prim", "saved", "seq")

    seq: int  # newest first
    prim: Any
    parents: tuple[Any, ...]
    saved: Any  # None once freed
    params: dict[str, Any] | None
    like: Any  # (shape, dtype) of the output; shared between nodes, so that comparing is cheap
    hooks: Any  # None, or Hooks
    owner: Any  # of a leaf: a weak reference to its tensor; of an operation with several outputs: to their nodes
    freed: Place | None  # where the walk was called that freed what this node had saved

    @property
    def line(self) -> str | None:
        return lines.get(self)

    def freed_at(self) -> str:
        """Where the walk was called that freed what this node had saved."""
        place = getattr(self, "freed", None)
        return line_of(place) if place else "an unknown line"

    @property
    def is_leaf(self) -> bool:
        """Whether this is a leaf's node, or that of a transform's argument: not to be written in place."""
        return self.prim is None or self.prim.family == "leaf"

    @property
    def picks(self) -> bool:
        """Whether this is one output of an operation that has several."""
        return self.prim is not None and self.prim.family == "pick"

    # -- PyTorch's view of it
    def name(self) -> str:
        """The operation's name as `grad_fn` prints it.

        >>> x = gradkit.ones(2, requires_grad=True)
        >>> (x * x).grad_fn.name()
        'MulBackward0'
        """
        if self.picks:
            return self.parents[0].name()
        return "AccumulateGrad" if self.prim is None else self.prim.title

    @property
    def next_functions(self) -> tuple[tuple["Node | None", int], ...]:
        """The nodes its cotangents go to, each with the number of that node's output."""
        node = self._whole()
        batch = node.hooks.batch if node.hooks else ()
        sizes = tuple([n for _, n in batch])
        for p in node.parents if batch else ():
            if p and p.prim and p.like[0][: len(sizes)] == sizes:
                p._whole()._hooks().batch = batch
        return tuple([(p.parents[0], p.params["output"]) if p and p.picks else (p, 0) for p in node.parents])

    @property
    def variable(self) -> Any:
        """Of a leaf's node, AccumulateGrad: the leaf; None if it is gone. AttributeError for other nodes."""
        if self.prim is not None:
            raise AttributeError(f"{self.name()} is the node of an operation: only AccumulateGrad has a variable")
        return self.owner()

    def __call__(self, *cts: Any) -> Any:
        """What its step makes of cotangents of its outputs: one for each operand, None where none is wanted.

        A leaf's node adds its own to `grad`, and gives (). No hooks run and nothing is freed. TypeError for another
        number of cotangents, RuntimeError if what was saved is gone.
        """
        from gradkit.engine.watching import called

        return called(self._whole(), cts)

    @property
    def metadata(self) -> dict[str, Any]:
        """A dictionary for the user's own notes."""
        return self._whole()._hooks().metadata

    def register_hook(self, fn: Callable[..., Any]) -> Handle:
        """Call `fn(grad_inputs, grad_outputs)` after this node has run; what it returns replaces `grad_inputs`."""
        return self._hooked("after", fn)

    def register_prehook(self, fn: Callable[..., Any]) -> Handle:
        """Call `fn(grad_outputs)` before this node runs; what it returns replaces `grad_outputs`."""
        return self._hooked("before", fn)

    def _hooked(self, when: str, fn: Callable[..., Any]) -> Handle:
        from gradkit.engine.hooking import placed

        hooks = self._whole()._hooks()
        return Handle(getattr(hooks, when), placed(fn, hooks.batch))

    @property
    def requires_grad(self) -> bool:
        return True

    def _sequence_nr(self) -> int:
        return -self.seq

    @property
    def _saved_self(self) -> Any:
        return self._saved(1)

    @property
    def _saved_other(self) -> Any:
        return self._saved(2)

    @property
    def _saved_result(self) -> Any:
        return self._saved(0)

    def _saved(self, i: int) -> Any:
        from gradkit.engine.saving import saved_by

        return saved_by(self._whole(), i)

    def apart(self, places: tuple[Any, ...]) -> "Node":
        """This node with other parents."""
        return note(Node(), self.prim, places, self.saved, self.params, self.like)

    def _whole(self) -> "Node":
        """The node that steps: one output of several leaves that to its operation."""
        return self.parents[0] if self.picks else self

    def _hooks(self) -> "Hooks":
        if self.hooks is None:
            self.hooks = Hooks()
        return self.hooks

    def __repr__(self) -> str:
        return f"<{self.name()} object at {id(self):#x}>"


class Hooks:
    """What few nodes have: hooks on the cotangent of their output, and around their own step."""

    __slots__ = ("after", "batch", "before", "metadata", "retain", "tensor")

    def __init__(self) -> None:
        self.tensor: dict[int, Any] = {}  # Tensor.register_hook: see and may replace the cotangent
        self.before: dict[int, Any] = {}
        self.after: dict[int, Any] = {}
        self.batch: tuple[tuple[int, int], ...] = ()  # the leading axes of the output that count samples: (level, size)
        self.retain: Any = None  # Tensor.retain_grad: a weak reference to the tensor
        self.metadata: dict[str, Any] = {}


def note(node: Node, prim: Any, parents: Any, saved: Any, params: Any, like: Any) -> Node:
    """Fill in a node. Hot paths spell these stores out."""
    node.seq = tick()
    node.prim = prim
    node.parents = parents
    node.saved = saved
    node.params = params
    node.like = like
    node.hooks = None
    return node


def reachable(seeds: Any, oldest: float) -> set[Node]:
    """The nodes that the seeds were made from, as far back as the clock reading `oldest`."""
    seen, stack = set(seeds), list(seeds)
    while stack:
        for parent in stack.pop().parents:
            if parent is not None and parent not in seen and parent.seq <= oldest:
                seen.add(parent)
                stack.append(parent)
    return seen
