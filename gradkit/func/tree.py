"""Nested tuples, lists, deques, dictionaries and named tuples of leaves: taking them apart and putting them together again."""

from collections import defaultdict, deque
from typing import Any

import numpy as np

from gradkit.backend.protocol import backend_of
from gradkit.engine.tensor import Tensor, wrap
from gradkit.errors import type_of

#: How to put a container together again: its type, its keys or None, the same for each child, and a defaultdict's factory or
#: a deque's maxlen; None for a leaf.
Spec = tuple[Any, Any, tuple[Any, ...], Any] | None

_NOTHING: Spec = (type(None), None, (), None)


def flatten(tree: Any) -> tuple[list[Any], Spec]:
    """The leaves from left to right, and how they hung together. Dictionaries keep their order; None has no leaves."""
    leaves: list[Any] = []
    return leaves, _collect(tree, leaves)


def _collect(tree: Any, leaves: list[Any]) -> Spec:
    if isinstance(tree, Tensor):
        leaves.append(tree)
        return None
    if isinstance(tree, tuple | list | deque):
        return type(tree), None, tuple([_collect(child, leaves) for child in tree]), getattr(tree, "maxlen", None)
    if isinstance(tree, dict):
        children = tuple([_collect(child, leaves) for child in tree.values()])
        return type(tree), tuple(tree), children, getattr(tree, "default_factory", None)
    if tree is None:
        return _NOTHING
    leaves.append(tree)
    return None


def unflatten(leaves: list[Any] | tuple[Any, ...], spec: Spec) -> Any:
    """The reverse of `flatten`."""
    return leaves[0] if spec is None else _built(iter(leaves), spec)


def _built(leaves: Any, spec: Spec) -> Any:
    if spec is None:
        return next(leaves)
    kind, keys, specs, extra = spec
    if kind is tuple:
        return tuple([next(leaves) if child is None else _built(leaves, child) for child in specs])
    if kind is type(None):
        return None
    children = [_built(leaves, child) for child in specs]
    if keys is not None:
        pairs = zip(keys, children)
        return kind(extra, pairs) if issubclass(kind, defaultdict) else kind(pairs)
    if issubclass(kind, deque):
        return kind(children, extra)
    return kind(*children) if hasattr(kind, "_fields") else kind(children)


def mapped(function: Any, *trees: Any) -> Any:
    """`function` of the leaves of one tree, or of corresponding leaves of several."""
    flat = [flatten(tree) for tree in trees]
    return unflatten([function(*leaves) for leaves in zip(*[f[0] for f in flat], strict=True)], flat[0][1])


def count(spec: Spec) -> int:
    """How many leaves."""
    return 1 if spec is None else sum([count(child) for child in spec[2]])


def broadcast(prefix: Any, spec: Spec, name: str) -> list[Any]:
    """A tree that stops early (as vmap's in_dims may), as one entry for each leaf of the whole.

    ValueError if it does not fit.
    """
    if type(prefix) is int or prefix is None:
        return [prefix] * count(spec)
    unlike = spec is None or not isinstance(prefix, tuple | list | deque | dict) or len(prefix) != len(spec[2])
    if unlike or (isinstance(prefix, dict) and (spec[1] is None or set(prefix) != set(spec[1]))):  # type: ignore[index]
        raise ValueError(f"{name} does not fit the structure of what it describes: {prefix!r}")
    keys, children = spec[1], spec[2]  # type: ignore[index]
    below = [prefix[key] for key in keys] if isinstance(prefix, dict) else prefix
    return [entry for one, child in zip(below, children) for entry in broadcast(one, child, name)]


class Kind:
    """Whether a caller wrote arrays or Tensors, so that the answer is of the same kind: derivatives in that of their own
    argument, values as arrays if all arguments are: an array and a Tensor together make a Tensor."""

    arrays = tensors = False

    def taken(self, leaf: Any) -> Any:
        """A leaf of the arguments as a Tensor; numbers and other objects as they are. TypeError for another library's array."""
        found = lifted(leaf)
        self.tensors |= isinstance(leaf, Tensor)
        self.arrays |= found is not leaf
        return found

    def given(self, leaf: Any, like: Any = None) -> Any:
        """A leaf of the answer, or of the derivatives by the argument `like`."""
        arrays = self.arrays and not self.tensors if like is None else not isinstance(like, Tensor)
        if not arrays or not isinstance(leaf, Tensor) or leaf.requires_grad or leaf.tangents or leaf.batch:
            return leaf
        return np.asarray(leaf.array) if isinstance(leaf.array, np.generic) else leaf.array


def lifted(leaf: Any) -> Any:
    """A leaf as a Tensor if it is an array."""
    if isinstance(leaf, Tensor) or not (hasattr(leaf, "dtype") and hasattr(leaf, "shape")):
        return leaf
    backend_of(leaf)
    return wrap(leaf)


def tensor(x: Any, where: str, error: type[Exception] = RuntimeError) -> Tensor:
    """`x`, which must be a Tensor."""
    if not isinstance(x, Tensor):
        raise error(f"{where}: expected a Tensor or an array, got {type_of(x)}")
    return x
