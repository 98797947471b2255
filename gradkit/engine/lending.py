"""Memory lent to nodes: what a rule reads where PyTorch's reads something else, so that there it may be written.

Whoever writes it gives these nodes a copy first.
"""

import weakref
from functools import partial
from typing import Any

import numpy as np

from gradkit.engine.versions import owner

_lent: dict[int, list[Any]] = {}  # id of the owner of memory -> weak references to the nodes


def lend(node: Any) -> None:
    """Note whose memory a node keeps."""
    for raw in node.saved:
        if hasattr(raw, "base") and not isinstance(raw, np.generic):
            key = id(owner(raw))
            _lent.setdefault(key, []).append(weakref.ref(node, partial(_forget, key)))


def _forget(key: int, reference: Any) -> None:
    references = _lent.get(key, [])
    if reference in references:
        references.remove(reference)
    if not references:
        _lent.pop(key, None)


def reclaim(raw: Any) -> None:
    """Copy what nodes keep of the memory under `raw`, which is about to be written."""
    if _lent:
        for reference in _lent.pop(id(owner(raw)), ()):
            node = reference()
            if node is not None:
                keep_copies(node, raw)


def keep_copies(node: Any, raw: Any) -> None:
    """Let a node keep copies of the memory under `raw`."""
    memory = owner(raw)
    if node.saved is not None:
        node.saved = tuple([copied(s, memory) for s in node.saved])


def copied(saved: Any, memory: Any) -> Any:
    if isinstance(saved, tuple | list):
        return type(saved)([copied(one, memory) for one in saved])
    shared = hasattr(saved, "base") and not isinstance(saved, np.generic) and owner(saved) is memory
    return saved.copy() if shared else saved
