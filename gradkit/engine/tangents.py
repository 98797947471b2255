"""Forward mode: tangents of a level stand beside the primal, and an operation pushes them through its row's jvp."""

from typing import Any

import numpy as np

from gradkit import errors
from gradkit.backend.numpy import NUMPY
from gradkit.backend.protocol import backends
from gradkit.engine import batching, dtypes, modes
from gradkit.engine.operands import tensor_xp
from gradkit.engine.places import beside
from gradkit.engine.primitive import Primitive
from gradkit.engine.products import LARGE, Product, levels, product
from gradkit.engine.tensor import Tensor, kept_alike, wrap

local = modes.local


def top_level(*tensors: Tensor) -> int:
    """The highest level at which any of them has a tangent; 0 for none."""
    return max([level for x in tensors if x.tangents for level in x.tangents], default=0)


def tangent(x: Any, level: int) -> Tensor | None:
    """The tangent of `x` at a level, None where it is zero."""
    t = x.tangents.get(level) if isinstance(x, Tensor) and x.tangents else None
    return wrap(t.array) if type(t) is Product else t


def open_tangents(x: Tensor) -> dict[int, Tensor]:
    """The tangents of `x` whose levels are open."""
    ts = (x.tangents or {}).items()
    return {level: t for level, t in ts if (level in levels or level in local.duals) and not halted(level)}


def halted(level: int) -> bool:
    """Whether operations do not move the tangents of this level."""
    return level in modes.stilled and not local.grad


class Unrecorded(RuntimeError):
    """What a transform follows forward was asked for its history: it has to be run again with one."""


def no_history(x: Tensor, message: str) -> RuntimeError:
    """The error of a tensor that does not require grad, or not yet."""
    return (RuntimeError if modes.stilled.isdisjoint(x.tangents or ()) else Unrecorded)(message)


def strip(x: Any, level: int) -> Any:
    """`x` as an inner computation sees it: without its tangent of this level."""
    ts = x.tangents if isinstance(x, Tensor) else None
    if not ts or level not in ts:
        return x
    rest = None if len(ts) == 1 else {l: t for l, t in ts.items() if l != level}
    return kept_alike(wrap(x.array, x.node, rest, x.batch), x)


def dual(x: Tensor, level: int, t: Tensor | None) -> Tensor:
    """`x` with a tangent at a level, if it can move: integers cannot."""
    if t is None or not dtypes.differentiable(x.array.dtype):
        return x
    return kept_alike(wrap(x.array, x.node, {**(x.tangents or {}), level: t}, x.batch), x)


def fitted(name: str, x: Tensor, t: Tensor) -> Tensor:
    """A tangent as it was given, in the dtype of its primal."""
    a, b = x.array, t.array
    if a.dtype is b.dtype and a.shape == b.shape and not x.batch and not t.batch and a.dtype.kind in "fc":
        return t
    if not dtypes.differentiable(t.dtype):
        raise ValueError(f"Expected tangent to be floating point or complex, but got: {t.dtype.name}")
    if x.shape != t.shape or t.dtype.kind == "c" != x.dtype.kind:
        raise RuntimeError(f"{name}: the tangent is a {errors.describe(t)}; it must be like its primal, a {errors.describe(x)}")
    return t if t.dtype == x.dtype else t.to(x.dtype)


def push(bind: Any, prim: Primitive, level: int, operands: Any, params: dict[str, Any]) -> Any:
    """Run a primitive on operands stripped of a level, and its jvp on their tangents of that level."""
    ts = [x.tangents.get(level) if x.tangents else None for x in operands]
    if (prim.rules or prim.linear) and bare(operands, ts) and not local.anomaly:
        return _push_bare(prim, level, ts, operands, params)
    primals = [x if t is None else strip(x, level) for x, t in zip(operands, ts)]
    y = bind(prim, primals, params)
    if prim.step is None:
        return y
    if prim.rules and plain(y, ts) and batching.on_host((y,)) and not local.anomaly:
        return dual(y, level, _push_raw(prim, ts, y, primals, params))
    if len(backends) == 1:
        t = prim.jvp(tensor_xp, ts, y, *primals, **params)
    else:
        t = beside(y, prim.jvp, tensor_xp, ts, y, *primals, **params)
    if prim.outputs > 1:
        return [dual(one, level, t_one) for one, t_one in zip(y, t or [None] * len(y))]
    return dual(y, level, t)


def bare(operands: Any, ts: list[Tensor | None]) -> bool:
    """Whether there is nothing about but NumPy's arrays with tangents of one level: the usual case of a jvp."""
    for x, t in zip(operands, ts):
        if x.node is not None or x.batch:
            return False
        if t is None:
            if x.tangents:
                return False
        elif t.node is not None or t.tangents or t.batch or len(x.tangents) > 1:
            return False
    return batching.on_host(operands)


def _push_bare(prim: Primitive, level: int, ts: Any, operands: Any, params: dict[str, Any]) -> Any:
    raws = [x.array for x in operands]
    try:
        y = prim.run(*raws, **params)
    except ValueError as reason:
        raise errors.unfit(prim.name, raws, reason) from None
    if prim.step is None:
        return wrap(y)
    if len(ts) == 1:
        rules, (t,) = prim.rules, ts
        if not rules:
            if not dtypes.differentiable(y.dtype):
                return wrap(y)
            factors = t.factors if type(t) is Product else None
            c = prim.contract(*factors, **params) if factors and prim.contract else prim.run(t.array, **params)
        elif level in levels and y.size >= LARGE and (whole := product(prim, t.array, y, raws, params)) is not None:
            return wrap(y, None, {level: whole})
        else:
            c = rules[0](NUMPY.xp, t.array, y, *raws, **params) if rules[0] else None
    elif prim.rules:
        c = None
        for rule, t in zip(prim.rules, ts):
            if rule and t is not None:
                term = rule(NUMPY.xp, t.array, y, *raws, **params)
                c = term if c is None else c + term
    else:
        c = prim.run(*[np.zeros(x.shape, x.dtype) if t is None else t.array for x, t in zip(raws, ts)], **params)
    if c is None:
        return wrap(y)
    if prim.rules and c.shape != y.shape:
        c = NUMPY.xp.broadcast_to(c, y.shape)
    pushed, t = Tensor(), Tensor()
    pushed.array, t.array = y, c
    pushed.node = t.node = None
    pushed.tangents = {level: t}
    if local.inference:
        pushed._inference = t._inference = local.inference
    return pushed


def plain(y: Tensor, ts: list[Tensor | None]) -> bool:
    """Whether nobody records or pushes forward what becomes of the tangents."""
    if y.tangents or y.node is not None:
        return False
    seen = [t for t in ts if t is not None and (t.tangents or (t.node is not None and local.grad))]
    return not seen


def _push_raw(prim: Primitive, ts: Any, y: Tensor, primals: Any, params: Any) -> Tensor | None:
    """The tangent of an elementwise row's `y` then: its rules on raw arrays, batch axes in front."""
    batch = y.batch
    given = [y, *primals, *[t for t in ts if t is not None]]
    for t in ts:
        if t is not None and t.batch != batch:
            batch = tuple(sorted({*batch, *t.batch}))
    if not batch:
        y_raw, raws = y.array, [x.array for x in primals]
        raw_ts = [None if t is None else t.array for t in ts]
    else:
        y_raw, *raws = batching.beside(batch, given, loose=True)
        raws, moved = raws[: len(primals)], iter(raws[len(primals) :])
        raw_ts = [None if t is None else next(moved) for t in ts]
    terms = [rule(NUMPY.xp, t, y_raw, *raws, **params) for rule, t in zip(prim.rules, raw_ts) if t is not None and rule]
    if not terms:
        return None
    c = terms[0] if len(terms) == 1 else sum(terms[1:], terms[0])
    shape = y.array.shape
    if y.batch != batch:
        shape = batching.extents(batch, given) + shape[len(y.batch) :]
    return batching.made_of(c if c.shape == shape else NUMPY.xp.broadcast_to(c, shape), None, None, batch, given)
