"""Nested tuples, lists, dictionaries and named tuples of leaves: taking them apart and putting them together again."""

from typing import Any

import numpy as np

from gradkit.engine.tensor import Tensor, wrap

#: How to put a container together again: its type, its keys or None, and the same for each child; None for a leaf.
Spec = tuple[Any, Any, tuple[Any, ...]] | None


def flatten(tree: Any) -> tuple[list[Any], Spec]:
    """The leaves from left to right, and how they hung together. Dictionaries keep their order; None has no leaves."""
    kind: Any
    keys: tuple[Any, ...] | None
    if isinstance(tree, dict):
        kind, keys, children = type(tree), tuple(tree), list(tree.values())
    elif isinstance(tree, tuple | list) and not isinstance(tree, np.ndarray):
        kind, keys, children = type(tree), None, list(tree)
    elif tree is None:
        return [], (type(None), None, ())
    else:
        return [tree], None
    leaves, specs = [], []
    for child in children:
        below, spec = flatten(child)
        leaves += below
        specs.append(spec)
    return leaves, (kind, keys, tuple(specs))


def unflatten(leaves: list[Any], spec: Spec) -> Any:
    """The reverse of `flatten`."""
    return _built(iter(leaves), spec)


def _built(leaves: Any, spec: Spec) -> Any:
    if spec is None:
        return next(leaves)
    kind, keys, specs = spec
    if kind is type(None):
        return None
    children = [_built(leaves, child) for child in specs]
    if keys is not None:
        return kind(zip(keys, children))
    return kind(*children) if hasattr(kind, "_fields") else kind(children)


def mapped(function: Any, *trees: Any) -> Any:
    """`function` of the leaves of one tree, or of corresponding leaves of several."""
    flat = [flatten(tree) for tree in trees]
    return unflatten([function(*leaves) for leaves in zip(*[f[0] for f in flat], strict=True)], flat[0][1])


def count(spec: Spec) -> int:
    """How many leaves."""
    return 1 if spec is None else sum([count(child) for child in spec[2]])


def broadcast(prefix: Any, spec: Spec, name: str) -> list[Any]:
    """A tree that stops early (as vmap's in_dims may), as one entry for each leaf of the whole."""
    if isinstance(prefix, int) or prefix is None:
        return [prefix] * count(spec)
    if spec is None or not isinstance(prefix, tuple | list | dict) or len(prefix) != len(spec[2]):
        raise ValueError(f"{name} does not fit the structure of what it describes: {prefix!r}")
    below = prefix.values() if isinstance(prefix, dict) else prefix
    return [entry for one, child in zip(below, spec[2]) for entry in broadcast(one, child, name)]


class Kind:
    """Whether a caller wrote arrays or Tensors, so that the answer is of the same kind."""

    def __init__(self) -> None:
        self.arrays = False

    def taken(self, leaf: Any) -> Any:
        """A leaf as a Tensor; numbers and other objects as they are."""
        if isinstance(leaf, Tensor) or not (hasattr(leaf, "dtype") and hasattr(leaf, "shape")):
            return leaf
        self.arrays = True
        return wrap(leaf)

    def given(self, leaf: Any) -> Any:
        """A leaf of the answer."""
        plain = self.arrays and isinstance(leaf, Tensor) and not (leaf.requires_grad or leaf.tangents or leaf.batch)
        return np.asarray(leaf.array) if plain and isinstance(leaf.array, np.generic) else leaf.array if plain else leaf
