"""Memory lent to nodes: what a rule reads where PyTorch's reads something else, so that there it may be written.

Whoever writes it gives these nodes a copy first.
"""

import weakref
from typing import Any

import numpy as np

from gradkit.engine.versions import owner

lent: dict[int, Any] = {}  # id of the owner of memory -> the nodes, weakly


class Borrower(weakref.ref):  # type: ignore[type-arg]
    """A node, known weakly, and for which memory."""

    __slots__ = ("key",)
    key: int


def lend(node: Any) -> None:
    """Note whose memory a node keeps, but for labels, which PyTorch keeps too."""
    for raw in node.saved:
        if hasattr(raw, "base") and raw.dtype.kind in "fc" and not isinstance(raw, np.generic):
            borrower = Borrower(node, _forget)
            borrower.key = key = id(owner(raw))
            if key in lent:
                lent[key].append(borrower)
            else:
                lent[key] = [borrower]


def _forget(borrower: Borrower) -> None:
    borrowers = lent.get(borrower.key, [])
    if borrower in borrowers:
        borrowers.remove(borrower)
    if not borrowers:
        lent.pop(borrower.key, None)


def reclaim(raw: Any) -> None:
    """Copy what nodes keep of the memory under `raw`, which is about to be written."""
    for borrower in lent.pop(id(owner(raw)), ()):
        node = borrower()
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
