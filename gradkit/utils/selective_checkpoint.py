"""What a checkpoint keeps although it is to be computed again: results of the operations that a policy names."""

import enum
from collections.abc import Callable
from typing import Any

from gradkit.engine import modes
from gradkit.engine.primitive import REGISTRY, Primitive
from gradkit.engine.tensor import wrap
from gradkit.engine.versions import version_of


class CheckpointPolicy(enum.Enum):
    """What to do with an operation's result: save it, or compute it again. Nothing here overrides a preference."""

    MUST_SAVE = 0
    PREFER_SAVE = 1
    MUST_RECOMPUTE = 2
    PREFER_RECOMPUTE = 3


class SelectiveCheckpointContext:
    """What a policy is told of the run: whether it is the repetition."""

    def __init__(self, *, is_recompute: bool) -> None:
        self.is_recompute = is_recompute


def create_selective_checkpoint_contexts(policy_fn_or_list: Any, allow_cache_entry_mutation: bool = False) -> tuple[Any, Any]:
    """The two contexts for `checkpoint(context_fn=...)` in which some operations are not computed again.

    A policy is called as ``policy(ctx, op, *operands, **params)`` before an operation runs, with the row's name (as in
    `gradkit.engine.primitive.REGISTRY`) for `op`, and returns a `CheckpointPolicy`, or True to save. A list of names, or of
    functions of these names, saves those. Views are always taken again.

    ValueError for a name that no row has; RuntimeError, when it is wanted, for a saved result that was written in
    place, unless `allow_cache_entry_mutation`.

    >>> from functools import partial
    >>> from gradkit.utils.checkpoint import checkpoint, create_selective_checkpoint_contexts
    >>> x = gradkit.ones(2, 2, requires_grad=True)
    >>> keep_products = partial(create_selective_checkpoint_contexts, [gradkit.matmul])
    >>> checkpoint(lambda x: (x @ x).exp().sum(), x, use_reentrant=False, context_fn=keep_products).backward()
    """
    policy = _policy(policy_fn_or_list)
    saved: dict[Any, Any] = {}
    first, again = [_Selecting(policy, saved, recompute, allow_cache_entry_mutation) for recompute in (False, True)]
    return first, again


def _policy(given: Any) -> Callable[..., Any]:
    if callable(given):
        return given
    names = {getattr(op, "__name__", op) for op in given}
    if unknown := names - set(REGISTRY):
        raise ValueError(f"no operation is named {', '.join(map(str, sorted(unknown)))}: see gradkit.engine.primitive.REGISTRY")
    return lambda _ctx, op, *_operands, **_params: op in names


_SAVES = (True, CheckpointPolicy.MUST_SAVE, CheckpointPolicy.PREFER_SAVE)


class _Selecting:
    """A run in which results are saved, or found again: the n-th of a name is the n-th of that name in the first run."""

    def __init__(self, policy: Callable[..., Any], saved: dict[Any, Any], recompute: bool, mutable: bool) -> None:
        self.policy, self.saved, self.mutable = policy, saved, mutable
        self.context = SelectiveCheckpointContext(is_recompute=recompute)

    def __enter__(self) -> None:
        self.counts: dict[str, int] = {}
        self.scope: Any = modes.mode(special=1, selecting=self)
        self.scope.__enter__()

    def __exit__(self, *exception: object) -> None:
        scope, self.scope = self.scope, None  # which holds this
        scope.__exit__(*exception)

    def result(self, prim: Primitive, raws: list[Any], params: dict[str, Any], compute: Callable[[], Any]) -> Any:
        """What an operation gives: computed, or what was saved of it."""
        if prim.view:
            return compute()
        n = self.counts[prim.name] = self.counts.get(prim.name, 0) + 1
        with modes.mode(special=0, selecting=None):
            shown = [wrap(raw) if hasattr(raw, "dtype") else raw for raw in raws]
            saves = self.policy(self.context, prim.name, *shown, **params) in _SAVES
        if not self.context.is_recompute:
            y = compute()
            if saves:
                self.saved[prim.name, n] = y, _versions(y)
            return y
        if (prim.name, n) not in self.saved:
            return compute()
        y, versions = self.saved[prim.name, n]
        if not self.mutable and versions != _versions(y):
            raise RuntimeError(
                "Tensor cached during selective activation checkpoint has been mutated: a result of "
                f"{prim.name} was written in place. Write to a clone() of it, or pass allow_cache_entry_mutation=True."
            )
        return y


def _versions(y: Any) -> list[int]:
    return [version_of(one) for one in (y if isinstance(y, tuple | list) else (y,))]
