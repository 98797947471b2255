"""Recording and stepping for one and two operands, with every call and store spelt out: the heartbeat.

A call costs as much as all the stores of a node, so `record` and `give` appear here unrolled. Whatever these paths do
not serve (levels, other backends, complex values, mixed dtypes) they hand to `otherwise`.
"""

import operator
from collections.abc import Callable
from heapq import heappush
from typing import Any

import numpy as np

from gradkit import errors
from gradkit.engine import modes
from gradkit.engine.dtypes import constant, real_constants
from gradkit.engine.node import Node
from gradkit.engine.primitive import Primitive
from gradkit.engine.saving import unkept
from gradkit.engine.tape import OWNED, fit, getrefcount, give, merge
from gradkit.engine.tensor import Tensor
from gradkit.engine.versions import tick

local = modes.local
_NUMPY = (np.ndarray, np.float32, np.float64, np.float16)
_REAL = "f"
ndarray = np.ndarray
NO_VALUE = (None, None)  # what a node with one operand keeps whose rule reads shapes at most: its parent knows them
#: What Python's operators do to NumPy scalars (0-d results) takes a tenth of what the functions do.
_OPERATORS: dict[Any, Any] = {
    np.add: operator.add,
    np.subtract: operator.sub,
    np.multiply: operator.mul,
    np.divide: operator.truediv,
}


def odd(x: Any) -> bool:
    """Whether an operand is one that the unrolled paths do not serve. Asked only while something unusual is open."""
    special = x.tangents or x.batch or x._inference or local.special
    return bool(special) or type(x.array) not in _NUMPY or x.array.dtype.kind == "c"


def unary(prim: Primitive, otherwise: Callable[..., Any]) -> Callable[[Any], Any]:
    """The operation of a row with one operand and no parameters."""
    run, ((keep_y, keep_x),) = prim.run, prim.keeps
    keep_y, keep_x = keep_y == 2, keep_x == 2

    def operation(input: Any) -> Any:
        try:
            x = input.array
            parent = input.node
        except AttributeError:
            return otherwise(prim, (input,), {})
        if modes.unusual and odd(input):
            return otherwise(prim, (input,), {})
        t = Tensor()
        if parent is None or (modes.muted and not local.grad):
            if x.dtype.kind != _REAL:
                return otherwise(prim, (input,), {})
            t.array = run(x)
            t.node = None
            return t
        t.array = y = run(x)
        t.node = node = Node()
        node.seq = tick()
        node.prim = prim
        node.parents = (parent,)
        node.saved = (y if keep_y else None, x if keep_x else None)
        node.like = parent.like
        node.params = node.hooks = None
        return t

    return operation


def binary(prim: Primitive, otherwise: Callable[..., Any]) -> Callable[[Any, Any], Any]:
    """The operation of a row with two operands, or an operand and a number, and no parameters."""
    run, ((a_y, a_a, a_b), (b_y, b_a, b_b)) = prim.run, prim.keeps
    a_y, a_a, a_b, b_y, b_a, b_b = a_y == 2, a_a == 2, a_b == 2, b_y == 2, b_a == 2, b_b == 2
    any_y, any_a, any_b = a_y or b_y, a_a or b_a, a_b or b_b
    by_constant = prim if a_y or a_a else unkept(prim)
    alike = prim.structure == "diagonal"  # operands of one shape then give that shape
    operate = _OPERATORS.get(run, run)

    def operation(input: Any, other: Any) -> Any:
        try:
            x = input.array
            left = input.node
        except AttributeError:
            return otherwise(prim, (input, other), {})
        if modes.unusual and (odd(input) or (isinstance(other, Tensor) and odd(other))):
            return otherwise(prim, (input, other), {})
        kind = type(other)
        if kind is float or kind is int:
            if type(x) is not ndarray and x.dtype.kind == _REAL:
                t = Tensor()
                t.array = y = operate(x, other)
                z = other
            else:
                table = real_constants.get(x.dtype)
                if table is None:
                    return otherwise(prim, (input, other), {})
                z = table.get(other)
                if z is None:
                    z = constant(other, x.dtype)
                t = Tensor()
                t.array = y = run(x, z)
            if left is None or (modes.muted and not local.grad):
                t.node = None
                return t
            t.node = node = Node()
            node.seq = tick()
            node.prim = by_constant
            node.parents = (left, None)
            node.saved = (y if a_y else None, x if a_a else None, z if a_b else None)
            node.like = left.like
            node.params = node.hooks = None
            return t
        try:
            z = other.array
            right = other.node
        except AttributeError:
            return otherwise(prim, (input, other), {})
        if left is not None and right is not None and left.like is right.like:
            like = left.like if alike else None
        elif x.dtype is z.dtype and x.dtype.kind == _REAL:
            like = None
        else:
            return otherwise(prim, (input, other), {})
        t = Tensor()
        try:
            t.array = y = run(x, z) if type(x) is ndarray else operate(x, z)
        except ValueError as reason:
            raise errors.unfit(prim.name, (x, z), reason) from None
        if (left is None and right is None) or (modes.muted and not local.grad):
            t.node = None
            return t
        t.node = node = Node()
        node.seq = tick()
        node.prim = prim
        node.parents = (left, right)
        if right is None:  # an operand is kept for its partner's rule, and only if that partner needs a gradient
            node.saved = (y if a_y else None, x if a_a else None, z if a_b else None)
        elif left is None:
            node.saved = (y if b_y else None, x if b_a else None, z if b_b else None)
        else:
            node.saved = (y if any_y else None, x if any_a else None, z if any_b else None)
        if like is None:  # shared where it can be, so that comparing is cheap on the way back
            shape = y.shape
            if left is not None and left.like[0] == shape:
                like = left.like
            elif right is not None and right.like[0] == shape:
                like = right.like
            else:
                like = shape, y.dtype
        node.like = like
        node.params = node.hooks = None
        return t

    return operation


def unary_with(prim: Primitive, otherwise: Callable[..., Any]) -> Callable[[Any, dict[str, Any]], Any]:
    """The operation of a row with one operand and parameters: ``apply(input, params)``."""
    run, ((keep_y, keep_x),) = prim.run, prim.keeps
    integers_too = prim.promote != "float"
    valueless = keep_y == 0 and keep_x < 2

    def apply(input: Any, params: dict[str, Any]) -> Any:
        try:
            x = input.array
            parent = input.node
        except AttributeError:
            return otherwise(prim, (input,), params)
        if (modes.unusual and odd(input)) or not (integers_too or x.dtype.kind == _REAL):
            return otherwise(prim, (input,), params)
        t = Tensor()
        t.array = y = run(x, **params)
        if parent is None or (modes.muted and not local.grad) or y.dtype.kind in "biu":
            t.node = None
            return t
        t.node = node = Node()
        node.seq = tick()
        node.prim = prim
        node.parents = (parent,)
        if valueless:
            node.saved = NO_VALUE
        else:
            node.saved = (y if keep_y == 2 else y.shape if keep_y else None, x if keep_x == 2 else None)
        node.like = (y.shape, y.dtype)
        node.params = params
        node.hooks = None
        return t

    return apply


def selecting(prim: Primitive, otherwise: Callable[..., Any]) -> Callable[..., Any]:
    """The operation of a row that reads or writes its first operand at places which the others, raw or not, give."""
    run, flags = prim.run, prim.keeps[0]
    keep_x, keep_index, without = flags[1], flags[-1] == 2, unkept(prim)

    def operation(input: Any, *index: Any, **params: Any) -> Any:
        try:
            x = input.array
            parent = input.node
        except AttributeError:
            return otherwise(prim, (input, *index), params)
        if modes.unusual and any([isinstance(one, Tensor) and odd(one) for one in (input, *index)]):
            return otherwise(prim, (input, *index), params)
        raws = [one.array if isinstance(one, Tensor) else one for one in index]
        t = Tensor()
        t.array = y = run(x, *raws, **params)
        if parent is None or (modes.muted and not local.grad):
            t.node = None
            return t
        t.node = node = Node()
        node.seq = tick()
        node.prim = prim if keep_index and any([isinstance(one, Tensor) for one in index]) else without
        node.parents = (parent, *[None] * len(index))
        node.saved = (None, x.shape if keep_x else None, *raws) if keep_index else (None,) * (len(index) + 2)
        node.like = (y.shape, y.dtype)
        node.params = params
        node.hooks = None
        return t

    return operation


def joining(prim: Primitive, otherwise: Callable[..., Any]) -> Callable[..., Any]:
    """The operation of a row with any number of operands of one dtype, of which no value is kept."""
    run, keep_shapes, without = prim.run, prim.keeps[0][-1], unkept(prim)

    def operation(*operands: Any, **params: Any) -> Any:
        try:
            raws = [x.array for x in operands]
            dtype = raws[0].dtype
        except (AttributeError, IndexError):
            return otherwise(prim, operands, params)
        if [raw for raw in raws if raw.dtype is not dtype] or (modes.unusual and any(map(odd, operands))):
            return otherwise(prim, operands, params)
        t = Tensor()
        t.array = y = run(*raws, **params)
        parents = tuple([x.node for x in operands])
        if parents.count(None) == len(parents) or (modes.muted and not local.grad):
            t.node = None
            return t
        t.node = node = Node()
        node.seq = tick()
        node.prim = without
        node.parents = parents
        node.saved = (None, *[raw.shape for raw in raws]) if keep_shapes else (None,) * (len(raws) + 1)
        node.like = (y.shape, y.dtype)
        node.params = params
        node.hooks = None
        return t

    return operation


def own_code(function: Callable[..., Any], name: str) -> Callable[..., Any]:
    """A closure's own copy of its code: CPython's inline caches live there, and tracebacks show its name."""
    function.__code__ = function.__code__.replace(co_name=name)
    function.__name__ = function.__qualname__ = name
    return function


# -- stepping --------------------------------------------------------------------------------------------------------
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
    """The step of one operand and parameters: ``rule(xp, ct, y, x, **params)``, or with the shape of `x`."""

    def step(xp: Any, ct: Any, node: Any, saved: Any, cts: Any, heap: Any, needed: Any) -> None:
        (parent,) = node.parents
        y, x = saved
        if shape_only:
            x = parent.like[0]
        c = rule(xp, ct, y, x, **node.params) if node.params else rule(xp, ct, y, x)
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
        buffer = own_buffer(cts, parent) if parent in cts else None
        if buffer is None:
            alone(xp, ct, node, saved, cts, heap, needed)
        else:
            accumulate(buffer, ct, **node.params)

    return step


def own_buffer(cts: dict[Any, Any], node: Node) -> Any:
    """The raw array that waits for a node, if no one but `cts` can see it."""
    old = cts[node]
    return old if type(old) is np.ndarray and getrefcount(old) == OWNED and old.base is None else None


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
