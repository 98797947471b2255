"""Checkpointing: what a function saves for backward is thrown away and computed again when a walk needs it.

`use_reentrant=False` hangs on saved-tensor hooks: each saved tensor is replaced by a `Holder`, and the first holder that a
walk opens runs the function again, under hooks that hand the values out. `use_reentrant=True` is a custom Function that
runs forward unrecorded, and in its backward once more with a walk of its own.
"""

import warnings
import weakref
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from typing import Any

from gradkit.autograd import Function, backward, enable_grad
from gradkit.autograd.function import once_differentiable
from gradkit.autograd.graph import saved_tensors_hooks
from gradkit.engine import modes
from gradkit.engine.lines import user_line
from gradkit.engine.saving import Packed
from gradkit.engine.tensor import Tensor, wrap
from gradkit.engine.versions import version_of
from gradkit.random import get_rng_state, set_rng_state
from gradkit.utils.selective_checkpoint import (
    CheckpointPolicy,
    SelectiveCheckpointContext,
    create_selective_checkpoint_contexts,
)

__all__ = [
    "CheckpointError", "CheckpointFunction", "CheckpointPolicy", "SelectiveCheckpointContext", "check_backward_validity",
    "checkpoint", "checkpoint_sequential", "create_selective_checkpoint_contexts", "detach_variable", "get_device_states",
    "noop_context_fn", "set_checkpoint_debug_enabled", "set_checkpoint_early_stop", "set_device_states",
]

Contexts = tuple[AbstractContextManager[Any], AbstractContextManager[Any]]


class CheckpointError(RuntimeError):
    """The second run of a checkpointed function saved other tensors than the first."""


def noop_context_fn() -> Contexts:
    """Two contexts that do nothing: what `checkpoint` runs forward and its repetition in unless told otherwise."""
    return nullcontext(), nullcontext()


def checkpoint(
    function: Callable[..., Any], *args: Any, use_reentrant: bool | None = None,
    context_fn: Callable[[], Contexts] = noop_context_fn, determinism_check: str = "default", debug: bool = False,
    early_stop: bool = True, **kwargs: Any,
) -> Any:
    """``function(*args, **kwargs)``, of which only the arguments are kept; a walk runs it again for what it saved.

    Memory falls to that of the arguments and of one checkpointed function at a time, for a second forward pass. Nested
    checkpoints, gradients of gradients and several walks work; each runs the function again.

    `use_reentrant=True` is PyTorch's older way: `backward()` without `inputs` only, no second derivative, tensors among
    the positional arguments alone, no keywords. None means False. `preserve_rng_state=True` (a keyword) lets random
    operations draw the same numbers in both runs. `context_fn` gives two contexts: for the first run and for the
    repetition. `determinism_check` compares shapes, dtypes and devices of what both save ("default"), or not ("none").
    `debug` notes the lines that saved them, and errors show where they part. `early_stop` ends the repetition when all
    that is needed has been saved.

    CheckpointError if the repetition saves other tensors, RuntimeError if an argument was written in place
    meanwhile, ValueError for arguments that the way chosen does not take.

    >>> from gradkit.utils.checkpoint import checkpoint
    >>> x = gradkit.tensor([1.0, 2.0], requires_grad=True)
    >>> checkpoint(lambda x: (x.exp() * x).sum(), x, use_reentrant=False).backward()
    >>> x.grad
    tensor([ 5.4366, 22.1672])
    """
    preserve = kwargs.pop("preserve_rng_state", True)
    if determinism_check not in ("default", "none"):
        raise ValueError(f"determinism_check should be one of ['default', 'none'], but got {determinism_check}")
    if use_reentrant:
        if kwargs:
            raise ValueError(f"Unexpected keyword arguments: {','.join(kwargs)}: pass use_reentrant=False to use them")
        if context_fn is not noop_context_fn or debug:
            raise ValueError("Passing `context_fn` or `debug` is only supported when use_reentrant=False.")
        check_backward_validity(args)
        return CheckpointFunction.apply(function, preserve, *args)
    frame = _Frame(function, args, kwargs, context_fn, preserve, determinism_check == "default", debug, early_stop)
    with frame.first_run:
        return function(*args, **kwargs)


def checkpoint_sequential(functions: Any, segments: int, input: Any, use_reentrant: bool | None = None, **kwargs: Any) -> Any:
    """The functions (a list or `nn.Sequential`) one after the other, in `segments` parts: all but the last checkpointed.

    `preserve_rng_state` is the one further keyword. ValueError for others.

    >>> from gradkit.utils.checkpoint import checkpoint_sequential
    >>> x = gradkit.ones(2, requires_grad=True)
    >>> checkpoint_sequential([gradkit.sin, gradkit.cos, gradkit.exp], 2, x, use_reentrant=False).sum().backward()
    """
    preserve = kwargs.pop("preserve_rng_state", True)
    if kwargs:
        raise ValueError(f"Unexpected keyword arguments: {','.join(kwargs)}")
    functions = list(functions.children()) if hasattr(functions, "children") else list(functions)
    size = len(functions) // segments

    def part(start: int, stop: int) -> Callable[[Any], Any]:
        def run(x: Any) -> Any:
            for function in functions[start:stop]:
                x = function(x)
            return x

        return run

    last = size * (segments - 1)
    for start in range(0, last, size or 1):
        input = checkpoint(part(start, start + size), input, use_reentrant=use_reentrant, preserve_rng_state=preserve)
    return part(last, len(functions))(input)


# -- settings
_early_stop = True
_debug: bool | None = None


@contextmanager
def set_checkpoint_early_stop(enable: bool) -> Iterator[None]:
    """Inside, `checkpoint` stops its repetitions early or not, whatever its own argument says if this is False.

    >>> from gradkit.utils.checkpoint import set_checkpoint_early_stop
    >>> with set_checkpoint_early_stop(False):
    ...     pass
    """
    global _early_stop
    before, _early_stop = _early_stop, enable
    try:
        yield
    finally:
        _early_stop = before


@contextmanager
def set_checkpoint_debug_enabled(enabled: bool | None) -> Iterator[None]:
    """Inside, `debug` of every `checkpoint` is this, unless it is None.

    >>> from gradkit.utils.checkpoint import set_checkpoint_debug_enabled
    >>> with set_checkpoint_debug_enabled(True):
    ...     pass
    """
    global _debug
    before, _debug = _debug, enabled
    try:
        yield
    finally:
        _debug = before


# -- state of random numbers
def get_device_states(*args: Any) -> tuple[list[int], list[Tensor]]:
    """The indices of the CUDA devices that tensors among `args` are on, and the states of their random numbers."""
    return _states_of(sorted({x.device.index or 0 for x in args if isinstance(x, Tensor) and x.is_cuda}))


def _states_of(devices: list[int]) -> tuple[list[int], list[Tensor]]:
    if not devices:
        return [], []
    from gradkit import cuda

    return devices, [cuda.get_rng_state(device) for device in devices]


def set_device_states(devices: list[int], states: list[Tensor], *, device_type: str | None = None) -> None:
    """Go on from what `get_device_states` gave."""
    if devices:
        from gradkit import cuda

        for device, state in zip(devices, states):
            cuda.set_rng_state(state, device)


class _Randomness:
    """The state of random numbers when this was made; in `again`, they are drawn once more from there."""

    def __init__(self, args: tuple[Any, ...]) -> None:
        self.host, self.devices = get_rng_state(), get_device_states(*args)

    @contextmanager
    def again(self) -> Iterator[None]:
        host, devices = get_rng_state(), _states_of(self.devices[0])
        set_rng_state(self.host)
        set_device_states(*self.devices)
        try:
            yield
        finally:
            set_rng_state(host)
            set_device_states(*devices)


# -- by saved-tensor hooks
class _Stop(BaseException):
    """Ends a repetition: all that is needed has been saved. No `except Exception` of the user's catches it."""


class _Holder:
    """What stands for a saved tensor: which it was, and during a walk its value."""

    __slots__ = ("__weakref__", "frame", "like", "line", "place", "value")

    def __init__(self, frame: "_Frame", place: int, t: Tensor, line: str) -> None:
        self.frame, self.place, self.like, self.line = frame, place, like(t), line
        self.value: Tensor | None = None

    def opened(self) -> Tensor:
        """The value, which is then given up: who needs it twice has it computed twice."""
        value, self.value = self.value, None
        return self.frame.repeated(self) if value is None else value


def like(t: Tensor) -> tuple[Any, ...]:
    return tuple(t.array.shape), t.dtype.name, str(t.device)


class _Frame:
    """One call of a checkpointed function: how to run it again, and who waits for what it saved."""

    def __init__(
        self, function: Any, args: Any, kwargs: Any, context_fn: Any, preserve: bool, check: bool, debug: bool, early: bool
    ) -> None:
        first, self.context = context_fn()
        self.function = function
        self.args = [_Argument(x) for x in args]
        self.kwargs = {name: _Argument(x) for name, x in kwargs.items()}
        self.randomness = _Randomness(args) if preserve else None
        self.check, self.debug = check, debug if _debug is None else _debug
        self.early_stop = early and _early_stop
        self.holders: list[weakref.ref[_Holder]] = []
        local = modes.local
        self.lifted = {name: getattr(local, name) for name in ("batches", "hidden", "duals", "randomness", "both_ways")}
        self.first_run = ExitStack()
        self.first_run.enter_context(saved_tensors_hooks(self._hold, _Holder.opened))
        self.first_run.enter_context(first)

    def _hold(self, t: Tensor) -> _Holder:
        holder = _Holder(self, len(self.holders), t, user_line() if self.debug else "")
        self.holders.append(weakref.ref(holder))
        return holder

    def repeated(self, wanted: _Holder) -> Tensor:
        """Run the function again. All who wait for a value are given theirs; that of `wanted` is returned."""
        args = [a.value() for a in self.args]
        kwargs = {name: a.value() for name, a in self.kwargs.items()}
        run = _Repetition(self, wanted)
        again = nullcontext() if self.randomness is None else self.randomness.again()
        with again, enable_grad(), modes.mode(lift=1, **self.lifted):
            try:
                with saved_tensors_hooks(run.save, lambda t: t), self.context:
                    self.function(*args, **kwargs)
            except _Stop as stop:
                if stop.args[0] is not run:
                    raise
        if run.count < len(self.holders):
            raise CheckpointError(
                "checkpoint: a different number of tensors was saved during the original forward and recomputation: "
                f"{len(self.holders)} during forward, {run.count} during recomputation.{run.comparison()}"
            )
        assert run.found is not None
        return run.found


class _Repetition:
    """A second run: what it saves goes to the holders of the first. What it is for stays here: threads share holders."""

    def __init__(self, frame: _Frame, wanted: _Holder) -> None:
        self.frame, self.wanted, self.count = frame, wanted, 0
        self.lines: list[str] = []
        self.found: Tensor | None = None

    def save(self, t: Tensor) -> Any:
        place, holders = self.count, self.frame.holders
        self.count += 1
        if self.frame.debug:
            self.lines.append(user_line())
        if place >= len(holders):
            raise CheckpointError(
                "checkpoint: trying to save more tensors during recomputation than during the original forward pass: "
                f"more than {len(holders)}.{self.comparison()}"
            )
        holder = holders[place]()
        if holder is not None:
            if self.frame.check and like(t) != holder.like:
                raise CheckpointError(
                    "checkpoint: Recomputed values for the following tensors have different metadata than during the "
                    f"forward pass. Tensor at position {place}: saved {holder.like}, recomputed {like(t)}.{self.comparison()}"
                )
            if holder is self.wanted:
                self.found = wrap(t.array)
            else:
                holder.value = wrap(t.array)
        if self.frame.early_stop and self.count == len(holders):
            raise _Stop(self)
        return t

    def comparison(self) -> str:
        """Where the two runs part, if that was noted."""
        if not self.frame.debug:
            return " Pass debug=True to checkpoint() to see which lines saved them."
        first = [holder.line if (holder := ref()) else "(freed)" for ref in self.frame.holders]
        rows = [f"\n  {i}: {a or '-'} | {b or '-'}" for i, (a, b) in enumerate(_side_by_side(first, self.lines))]
        return "\nSaved by forward | by recomputation:" + "".join(rows)


def _side_by_side(a: list[str], b: list[str]) -> list[tuple[str, str]]:
    n = max(len(a), len(b))
    return list(zip(a + [""] * (n - len(a)), b + [""] * (n - len(b))))


class _Argument:
    """An argument of a checkpointed function. A tensor within an outer checkpoint is saved as that one wishes."""

    def __init__(self, x: Any) -> None:
        self.x = x
        self.node = x.node if isinstance(x, Tensor) else None
        self.version = version_of(x.array) if isinstance(x, Tensor) else 0
        if self.node is not None and modes.local.packing and modes.local.grad and not (x.tangents or x.batch):
            self.x = Packed(x, *modes.local.packing)

    def value(self) -> Any:
        if isinstance(self.x, Packed):
            return wrap(self.x.opened().array, self.node)
        if isinstance(self.x, Tensor) and version_of(self.x.array) != self.version:
            raise RuntimeError(
                "one of the variables needed for gradient computation has been modified by an inplace operation: an "
                f"argument of a checkpointed function, shape {tuple(self.x.shape)}, {self.x.dtype.name}. Pass a clone() "
                "of it, or write to another tensor."
            )
        return self.x


# -- reentrant
def detach_variable(inputs: tuple[Any, ...]) -> tuple[Any, ...]:
    """The tensors of a tuple as leaves that require grad where they did, and the rest of it as it is."""
    return tuple([x.detach().requires_grad_(x.requires_grad) if isinstance(x, Tensor) else x for x in inputs])


def check_backward_validity(inputs: Iterable[Any]) -> None:
    """Warn (UserWarning) if no tensor among `inputs` requires grad."""
    if not any([isinstance(x, Tensor) and x.requires_grad for x in inputs]):
        warnings.warn("None of the inputs have requires_grad=True. Gradients will be None", stacklevel=3)


class CheckpointFunction(Function):
    """The older way: an unrecorded forward, and in backward a recorded one with a walk of its own."""

    @staticmethod
    def forward(ctx: Any, run: Callable[..., Any], preserve: bool, *args: Any) -> Any:
        ctx.run, ctx.randomness = run, _Randomness(args) if preserve else None
        ctx.args = [None if isinstance(x, Tensor) else x for x in args]
        ctx.save_for_backward(*[x if isinstance(x, Tensor) else None for x in args])
        return run(*args)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *cts: Any) -> Any:
        if ctx.selective:
            raise RuntimeError(
                "When use_reentrant=True, checkpoint is incompatible with .grad() or passing an `inputs` parameter to "
                ".backward(). Set use_reentrant=False, or call .backward() without `inputs`."
            )
        inputs = detach_variable(tuple([x if t is None else t for x, t in zip(ctx.args, ctx.saved_tensors)]))
        with nullcontext() if ctx.randomness is None else ctx.randomness.again(), enable_grad():
            outputs = ctx.run(*inputs)
            outputs = outputs if isinstance(outputs, tuple) else (outputs,)
            pairs = [(y, ct) for y, ct in zip(outputs, cts) if isinstance(y, Tensor) and y.requires_grad]
            if not pairs:
                raise RuntimeError("none of output has requires_grad=True, this checkpoint() is not necessary")
            backward([y for y, _ in pairs], [ct for _, ct in pairs])
        return (None, None, *[x.grad if isinstance(x, Tensor) else None for x in inputs])
