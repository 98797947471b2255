"""Recording, with every call and store spelt out: the heartbeat.

A call costs as much as all the stores of a node, so `record` appears here unrolled, for each kind of row. Whatever these
paths do not serve (levels, other backends, complex values, mixed dtypes) they hand to `otherwise`.
"""

import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from gradkit import errors
from gradkit.engine import modes
from gradkit.engine.dtypes import NUMBERS, constant, differentiable, real_constants
from gradkit.engine.lending import lend
from gradkit.engine.naming import named
from gradkit.engine.node import Node, note
from gradkit.engine.outputs import pick
from gradkit.engine.primitive import Primitive
from gradkit.engine.saving import unkept
from gradkit.engine.tape import remember
from gradkit.engine.tensor import Tensor, wrap
from gradkit.engine.versions import tick

local = modes.local
_NUMPY = (np.ndarray, np.float32, np.float64, np.float16)
_REAL = "f"
ndarray = np.ndarray
NO_VALUE = (None, None)  # what a node with one operand keeps whose rule reads shapes at most: its parent knows them
_ZEROS = {dtype: constant(0, dtype) for dtype in real_constants}
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


def compared(prim: Primitive, otherwise: Callable[..., Any]) -> Callable[[Any, Any], Any]:
    """The operation of a row with two operands, or an operand and a number, and no derivative."""
    ufunc = prim.ufunc

    def operation(input: Any, other: Any) -> Any:
        try:
            x = input.array
            zero = _ZEROS[x.dtype]
            kind = type(other)
            if kind is float or kind is int:
                z = constant(other, x.dtype) if other else zero
            else:
                z = other.array
        except (AttributeError, KeyError):
            return otherwise(prim, (input, other), {})
        if z.dtype is not x.dtype or (modes.unusual and (odd(input) or (isinstance(other, Tensor) and odd(other)))):
            return otherwise(prim, (input, other), {})
        t = Tensor()
        try:
            t.array = ufunc(x, z)
        except (TypeError, ValueError):
            return otherwise(prim, (input, other), {})
        t.node = None
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
        if parent is None or (modes.muted and not local.grad):
            t.node = None
            return t
        kind = y.dtype.kind
        if kind != _REAL:
            if kind in "biu":
                t.node = None
                return t
            if kind == "c":
                modes.meet_complex()
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


def several(prim: Primitive, otherwise: Callable[..., Any]) -> Callable[[Any, dict[str, Any]], Any]:
    """The operation of any row: ``apply(operands, params)``. What is kept depends on who needs a gradient, by a plan."""
    as_they_come, kinds = prim.promote == "none", _REAL if prim.promote == "float" else "fiub"
    plans: dict[Any, Any] = {}
    lends = prim.lends

    def apply(operands: Any, params: dict[str, Any]) -> Any:
        raws, parents, dtype = [], [], None
        for one in operands:
            if isinstance(one, Tensor):
                raw = one.array
                if dtype is None:
                    dtype = raw.dtype
                if raw.dtype.kind == "c" if as_they_come else raw.dtype is not dtype:
                    return otherwise(prim, operands, params)
                raws.append(raw)
                parents.append(one.node)
            elif as_they_come and (type(one) is ndarray or type(one) in NUMBERS):
                raws.append(one)
                parents.append(None)
            else:
                return otherwise(prim, operands, params)
        if dtype is None or not (as_they_come or dtype.kind in kinds):
            return otherwise(prim, operands, params)
        if modes.unusual and any([isinstance(one, Tensor) and odd(one) for one in operands]):
            return otherwise(prim, operands, params)
        try:
            y = prim.run(*raws, **params)
        except ValueError:
            return otherwise(prim, operands, params)
        if prim.step is None or parents.count(None) == len(parents) or (modes.muted and not local.grad):
            return wrap(y) if prim.outputs == 1 else [wrap(one) for one in y]
        if "c" in ([one.dtype.kind for one in y] if prim.outputs > 1 else y.dtype.kind):
            return remember(prim, operands, raws, y, tuple(parents), params)
        key = tuple([2 if p else isinstance(x, Tensor) for p, x in zip(parents, operands)])
        plan = plans.get(key)
        if plan is None:
            plan = plans[key] = planned(prim, key)
        flags, row = plan
        if prim.outputs > 1:
            y = list(y)
        saved = tuple([v if flag == 2 else v.shape if flag else None for flag, v in zip(flags, (y, *raws))])
        if prim.outputs > 1:
            node = note(Node(), row, tuple(parents), saved, params, [(one.shape, one.dtype) for one in y])
            return [wrap(one, pick(node, i) if differentiable(one.dtype) else None) for i, one in enumerate(y)]
        if not differentiable(y.dtype):
            return wrap(y)
        node = note(Node(), row, tuple(parents), saved, params, (y.shape, y.dtype))
        if lends:
            lend(node)
        return wrap(y, node)

    return own_code(apply, prim.name)


def planned(prim: Primitive, key: tuple[int, ...]) -> tuple[Any, Primitive]:
    """What `keep` would flag where operands are raw (0), Tensors (1), or Tensors that need a gradient (2); and the row."""
    wanted = [flags for flags, code in zip(prim.keeps, key) if code == 2] if len(prim.keeps) > 1 else prim.keeps
    flags = [max(column) for column in zip(*wanted)]
    if prim.arity is None:
        flags += flags[-1:] * (len(key) + 1 - len(flags))
    values = flags[0] == 2 or any([flag == 2 and code for flag, code in zip(flags[1:], key)])
    return tuple(flags), prim if values else unkept(prim)


def own_code(function: Callable[..., Any], name: str) -> Callable[..., Any]:
    """A closure's own copy of its code: CPython's inline caches live there, and tracebacks show its name."""
    function.__code__ = function.__code__.replace(co_name=name)
    return named(function, name, function.__doc__)
