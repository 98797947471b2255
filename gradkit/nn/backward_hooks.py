"""A module's backward hooks: nodes that pass on what goes back, at its inputs and at its outputs."""

import warnings
from collections.abc import Callable
from typing import Any

from gradkit.autograd import Function
from gradkit.creation import zeros
from gradkit.engine.tensor import Tensor


class BackwardHook(Function):
    """The same tensors again, on a node of their own."""

    generate_vmap_rule = True

    @staticmethod
    def forward(ctx: Any, *xs: Tensor) -> tuple[Tensor, ...]:
        ctx.set_materialize_grads(False)
        return xs

    @staticmethod
    def backward(ctx: Any, *cts: Tensor | None) -> tuple[Tensor | None, ...]:
        return cts

    jvp = backward


class BackwardHooks:
    """The hooks of a module around one call of it."""

    def __init__(self, module: Any) -> None:
        self.module = module
        self.before, self.after = list(module._backward_pre_hooks.values()), list(module._backward_hooks.values())
        self.cts: Any = None  # of the outputs, in a walk that has passed them
        self.count: int | None = None  # of inputs, if no gradient comes to them

    def inputs(self, args: tuple[Any, ...]) -> tuple[Any, ...]:
        likes = {i: (x.shape, x.dtype, x.device) for i, x in enumerate(args) if isinstance(x, Tensor)}
        found = _watched(args, self._leave, likes)
        self.count = len(args) if found is args else None
        return found

    def outputs(self, output: Any) -> Any:
        if isinstance(output, tuple):
            return _watched(output, self._enter, {})
        if isinstance(output, Tensor):
            return _watched((output,), self._enter, {})[0]
        warnings.warn(
            "For backward hooks to be called, module output should be a Tensor or a tuple of Tensors but received "
            f"{type(output)}",
            stacklevel=4,
        )
        return output

    def _enter(self, cts: tuple[Any, ...]) -> tuple[Any, ...]:
        for hook in self.before:
            cts = _replaced(hook(self.module, cts), cts, "pre hook returned an invalid number of grad_output")
        self.cts = cts
        for hook in self.after if self.count is not None else ():
            nothing = (None,) * (self.count or 0)
            if any([g is not None for g in _replaced(hook(self.module, nothing, cts), nothing, _WRONG)]):
                raise RuntimeError(
                    "Backward hook for Modules where no input requires gradient should always return None or None for all "
                    "gradients."
                )
        return cts

    def _leave(self, cts: tuple[Any, ...]) -> tuple[Any, ...]:
        given, self.cts = self.cts, None
        for hook in self.after if given is not None else ():
            cts = _replaced(hook(self.module, cts, given), cts, _WRONG)
        return cts


_WRONG = "hook returned an invalid number of grad_input"


def _replaced(new: Any, old: tuple[Any, ...], what: str) -> tuple[Any, ...]:
    new = old if new is None else new if isinstance(new, tuple) else (new,)
    if len(new) != len(old):
        raise RuntimeError(f"Backward {what}, got {len(new)}, but expected {len(old)}")
    return new


def _watched(values: tuple[Any, ...], hook: Callable[..., Any], likes: dict[int, Any]) -> tuple[Any, ...]:
    """`values`, of which those that are recorded pass their cotangents by `hook`, with zeros for the others that `likes`
    has, else None."""
    count, places = len(values), [i for i, x in enumerate(values) if isinstance(x, Tensor) and x.requires_grad]
    through = BackwardHook.apply(*[values[i] for i in places])
    node = through[0].grad_fn if places else None
    if node is None:
        return values

    def run(cts: tuple[Any, ...], _: Any) -> tuple[Any, ...]:
        given = dict(zip(places, cts))
        every = [given.get(i) for i in range(count)]
        for i, (shape, dtype, device) in likes.items():
            every[i] = zeros(shape, dtype=dtype, device=device) if every[i] is None else every[i]
        found = hook(tuple(every))
        return tuple([None if given[i] is None else found[i] for i in places])

    node.register_hook(run)
    passed = dict(zip(places, through))
    return tuple([passed.get(i, x) for i, x in enumerate(values)])
