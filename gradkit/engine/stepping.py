"""Stepping, with every call and store spelt out: how a node's cotangent reaches its parents.

A call costs as much as all the stores of a node, so `give` appears here unrolled for one and two operands.
"""

from collections.abc import Callable
from heapq import heappush
from typing import Any

import numpy as np

from gradkit.engine.tape import OWNED, batched_buffer, fit, getrefcount, give, merge, own_buffer
from gradkit.engine.tensor import Tensor


def step_one(rule: Callable[..., Any]) -> Callable[..., None]:
    """The step of one operand and no parameters: ``rule(xp, ct, y, x)``."""

    def step(xp: Any, ct: Any, node: Any, saved: Any, cts: Any, heap: Any, needed: Any) -> None:
        (parent,) = node.parents
        y, x = saved
        c = rule(xp, ct, y, x)
        if node.like is not parent.like:
            c = fit(xp, c, *parent.like)
        if parent in cts:
            merge(cts, parent, c)
        else:
            cts[parent] = c
            heappush(heap, (parent.seq, parent))

    return step


def step_two(rule_a: Callable[..., Any], rule_b: Callable[..., Any]) -> Callable[..., None]:
    """The step of two operands and no parameters: ``rule(xp, ct, y, a, b)`` for each."""

    def step(xp: Any, ct: Any, node: Any, saved: Any, cts: Any, heap: Any, needed: Any) -> None:
        y, a, b = saved
        left, right = node.parents
        if left is not None and (needed is None or left in needed):
            c = rule_a(xp, ct, y, a, b)
            if node.like is not left.like:
                c = fit(xp, c, *left.like)
            if left in cts:
                merge(cts, left, c)
            else:
                cts[left] = c
                heappush(heap, (left.seq, left))
        if right is not None and (needed is None or right in needed):
            c = rule_b(xp, ct, y, a, b)
            if node.like is not right.like:
                c = fit(xp, c, *right.like)
            if right in cts:
                merge(cts, right, c)
            else:
                cts[right] = c
                heappush(heap, (right.seq, right))

    return step


def step_one_with(rule: Callable[..., Any], shape_only: bool) -> Callable[..., None]:
    """The step of one operand and parameters: ``rule(xp, ct, y, x, **params)``, or with the shape of `x`.

    There may be parameters with which nothing depends on the operand: then the rule gives None.
    """

    def step(xp: Any, ct: Any, node: Any, saved: Any, cts: Any, heap: Any, needed: Any) -> None:
        (parent,) = node.parents
        y, x = saved
        if shape_only:
            x = parent.like[0]
        c = rule(xp, ct, y, x, **node.params) if node.params else rule(xp, ct, y, x)
        if c is None:
            return
        if node.like is not parent.like:
            c = fit(xp, c, *parent.like)
        if parent in cts:
            merge(cts, parent, c)
        else:
            cts[parent] = c
            heappush(heap, (parent.seq, parent))

    return step


def step_into(alone: Callable[..., None], accumulate: Callable[..., None]) -> Callable[..., None]:
    """The same where a cotangent covers a part of its operand: a buffer that is waiting there takes it up in place."""

    def step(xp: Any, ct: Any, node: Any, saved: Any, cts: Any, heap: Any, needed: Any) -> None:
        (parent,) = node.parents
        if parent not in cts:
            alone(xp, ct, node, saved, cts, heap, needed)
            return
        if type(ct) is Tensor:
            buffer, part = batched_buffer(cts, parent, ct), ct.array
        else:
            buffer, part = own_buffer(cts, parent), ct
        if buffer is None:
            alone(xp, ct, node, saved, cts, heap, needed)
        else:
            accumulate(buffer, part, **node.params)

    return step


def step_all(rule: Callable[..., Any]) -> Callable[..., None]:
    """Any number of operands: ``rule(xp, ct, wanted, *saved, **params)`` gives a cotangent, or None, for each."""

    def step(xp: Any, ct: Any, node: Any, saved: Any, cts: Any, heap: Any, needed: Any) -> None:
        parents = node.parents
        wanted = [p is not None and (needed is None or p in needed) for p in parents]
        for parent, want, c in zip(parents, wanted, rule(xp, ct, wanted, *saved, **(node.params or {}))):
            if want and c is not None:
                give(xp, parent, c, cts, heap)

    return step


def step_reusing(otherwise: Callable[..., None], reuse: Callable[..., list[Any]]) -> Callable[..., None]:
    """The same where a cotangent goes on changed in a part only: if no one else can see it, in its own memory."""

    def step(xp: Any, ct: Any, node: Any, saved: Any, cts: Any, heap: Any, needed: Any) -> None:
        if getrefcount(ct) != CALLED or type(ct) is not np.ndarray or ct.base is not None:
            otherwise(xp, ct, node, saved, cts, heap, needed)
            return
        for parent, c in zip(node.parents, reuse(ct, **node.params)):
            if parent is not None and (needed is None or parent in needed):
                give(xp, parent, c, cts, heap)

    return step


def _count_in_a_call(array: Any) -> int:
    return getrefcount(array)


def _count_of_a_caller() -> int:
    array = np.zeros(1)
    return _count_in_a_call(array)


CALLED = _count_of_a_caller() if OWNED > 0 else -1  # that of an array which only a caller and what it calls can see
