"""What a row states, and what follows from it: a family turns one fact into vjp, jvp and batching.

Every rule is an array program ``rule(xp, d, y, *operands, **params)``: on raw arrays it is the plain backward pass, on
Tensors it is recorded, pushed forward or batched like any other code. The names of its parameters say what is kept for
it: ``x`` the value, ``x_shape`` only its shape, ``_x`` nothing (None is passed). Axes in parameters count from the end,
so that batch axes in front disturb few rows.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, Protocol

import numpy as np

from gradkit.backend.numpy import NUMPY
from gradkit.engine import stepping, unrolled, views
from gradkit.engine.bind import bind
from gradkit.engine.lending import lend
from gradkit.engine.operands import tensor_xp
from gradkit.engine.primitive import Primitive, define

Rule = Callable[..., Any]
Forward = str | Callable[..., Any]
NOTHING, SHAPE, VALUE = 0, 1, 2


class Operation(Protocol):
    """What people, and rules on Tensors, call: it knows its row. `apply`, where it has one, takes tidied parameters."""

    primitive: Primitive
    apply: Callable[..., Any]

    def __call__(self, *args: Any, **kwargs: Any) -> Any: ...


# -- the five families
#: The kinds of numbers that elementwise rows refuse, as NumPy's dtypes name them.
REAL_ONLY, NO_BOOL, INTEGERS_ONLY = "c", "bc", "fcV"


def elementwise(
    name: str, forward: Forward, rules: list[Rule | None], *,
    domain: list[tuple[float, float]] | tuple[float, float] = (-2.0, 2.0), params: list[dict[str, Any]] | None = None,
    promote: str = "same", refuses: str = "", integers: Callable[..., Any] | None = None,
    samples: list[Any] | None = None, **more: Any,
) -> Operation:
    """``y[i]`` depends on the operands' ``[i]`` alone.

    One ``(xp, d, y, *operands) -> d * partial`` for each operand (None: no derivative) serves tangents and cotangents
    alike, the Jacobian being diagonal. `domain` is where the tests draw operands from, unless `samples` has them.
    `refuses` has the dtype kinds that raise NotImplementedError; `integers` is the forward for integers and bools where it
    is another.
    """
    if (refuses or integers) and len(rules) == 1 and params and promote != "float":
        raise TypeError(f"row {name!r}: with parameters, the unrolled path serves every kind unless the row promotes")
    domains = tuple(domain) if isinstance(domain, list) else (domain,) * len(rules)
    differentiable = any(rules)
    shapes = [(3, 4), (4,), (3, 1)][: len(rules)]

    def jvp(xp: Any, ts: Any, y: Any, *operands: Any, **params: Any) -> Any:
        t = total([rule(xp, t, y, *operands, **params) for rule, t in zip(rules, ts) if t is not None and rule])
        return t if t is None or t.shape == y.shape else xp.broadcast_to(t, y.shape)

    run = on_numpy(forward)
    prim = Primitive(
        name=name, family="elementwise", arity=len(rules), forward=program(forward), run=run,
        ufunc=run if isinstance(run, np.ufunc) else None,
        step=each(rules, with_params=params is not None) if differentiable else None, jvp=jvp,
        keeps=tuple([reads(rule, len(rules)) for rule in rules]), broadcasts=True, promote=promote,
        structure="diagonal", domain=domains, samples=tuple(samples or [(*shapes, given) for given in params or [{}]]),
        rules=tuple(rules), **more,
    )
    row = operation(prim, hot=params is None and all(rules) and len(rules) < 3)
    if refuses or integers:  # the unrolled paths, which serve real floats alone, hold the plain forward already
        prim.forward = by_kind(name, prim.forward, refuses, integers)
        prim.run = partial(prim.forward, NUMPY.xp)
    row.refuses = refuses  # type: ignore[attr-defined]
    return row


def linear(
    name: str, forward: Forward, transposes: list[Rule] | Rule, samples: list[Any], *, structure: str = "moves",
    arity: int | None = 1, **more: Any,
) -> Operation:
    """Linear in all operands together: jvp is the operation itself, vjp its transpose.

    `transposes` has a rule for each operand, or is one rule that answers for all.
    """
    joint_rule = transposes if callable(transposes) else None
    rules = [transposes] if callable(transposes) else transposes
    promote = more.pop("promote", "same")

    def jvp(xp: Any, ts: Any, _y: Any, *operands: Any, **params: Any) -> Any:
        if all([t is None for t in ts]):
            return None
        ts = [zeros_like(xp, x) if t is None else t for t, x in zip(ts, operands)]
        return bind(prim, ts, params)

    prim = Primitive(
        name=name, family="linear", linear=True, arity=arity, forward=program(forward), run=on_numpy(forward),
        step=joint(joint_rule, arity, more.get("reuse")) if joint_rule else each(rules, True, more.get("accumulate")),
        jvp=jvp, keeps=(reads(joint_rule, arity),) if joint_rule else tuple([reads(rule, arity) for rule in rules]),
        promote=promote, structure=structure, samples=tuple(samples), **more,
    )
    return operation(prim)


def bilinear(
    name: str, forward: Forward, rules: list[Rule], samples: list[Any], *, structure: str = "dense", **more: Any
) -> Operation:
    """Linear in each of two operands: jvp puts the tangent in the operand's place, the vjps are the two transposes."""
    with_params = any([given for *_, given in samples])

    def jvp(_xp: Any, ts: Any, _y: Any, a: Any, b: Any, **params: Any) -> Any:
        a_t, b_t = ts
        return total([bind(prim, pair, params) for t, pair in ((a_t, (a_t, b)), (b_t, (a, b_t))) if t is not None])

    prim = Primitive(
        name=name, family="bilinear", arity=2, forward=program(forward), run=on_numpy(forward),
        step=each(rules, with_params=with_params), jvp=jvp, keeps=tuple([reads(rule, 2) for rule in rules]),
        broadcasts=True, structure=structure, samples=tuple(samples), **more,
    )
    return operation(prim, hot=not with_params)


def selection(
    name: str, forward: Forward, scatter: Rule, samples: list[Any], *, arity: int | None = 2, structure: str = "moves",
    **more: Any,
) -> Operation:
    """``y`` is ``x`` at places that index operands give: gather one way, scatter-add (the rule) the other.

    Only the first operand is differentiable; of it the rule usually needs the shape alone.
    """

    def jvp(_xp: Any, ts: Any, _y: Any, _x: Any, *index: Any, **params: Any) -> Any:
        return None if ts[0] is None else bind(prim, (ts[0], *index), params)

    prim = Primitive(
        name=name, family="selection", arity=arity, forward=program(forward), run=on_numpy(forward),
        step=each([scatter, None], with_params=True), jvp=jvp, keeps=(reads(scatter, arity),), promote="none",
        structure=structure, samples=tuple(samples), **more,
    )
    return operation(prim)


def general(
    name: str, forward: Forward, vjp: Rule | None, jvp: Rule | None, samples: list[Any], *, arity: int | None = 1,
    promote: str = "float", **more: Any,
) -> Operation:
    """vjp, for all operands at once (a list, one for each), and jvp ``(xp, ts, y, *operands)`` side by side.

    With several outputs, `d` and `y` are lists. Without a vjp the row is not differentiable.
    """
    prim = Primitive(
        name=name, family="general", arity=arity, forward=program(forward), run=on_numpy(forward),
        step=joint(vjp, arity) if vjp else None, jvp=jvp, keeps=(reads(vjp, arity),), promote=promote,
        samples=tuple(samples), **more,
    )
    return operation(prim)


# -- what a row becomes
def operation(prim: Primitive, hot: bool = False) -> Operation:
    """Enter the row; return the function that people, and rules on Tensors, call.

    Rows with parameters are called as ``f(x, *args, **kwargs)``, which their `tidy` turns into parameters, or without
    a `tidy` as ``f(*operands, **params)``.
    """
    define(prim)
    call: Callable[..., Any]
    if prim.lends and prim.rules:
        quick = unrolled.unary(prim, bind)

        def call(input: Any) -> Any:
            t = quick(input)
            if t.node is not None and t.node.prim is prim:  # else it was lent when it was recorded
                lend(t.node)
            return t
    elif prim.lends and prim.arity == 1:
        call = tidied(lambda input, params: bind(prim, (input,), params), prim.tidy)
    elif hot and not any([SHAPE in flags for flags in prim.keeps]):
        call = (unrolled.unary, unrolled.binary)[len(prim.keeps) - 1](prim, bind)
    elif prim.view:
        call = tidied(unrolled.own_code(views.view_of(prim, bind), prim.name), prim.tidy)
    elif prim.family == "selection" and prim.keeps[0][1] < VALUE and not prim.tidy:
        call = unrolled.selecting(prim, bind)
    elif prim.family == "linear" and prim.arity is None and VALUE not in prim.keeps[0]:
        call = unrolled.joining(prim, bind)
    elif prim.arity == 1 and prim.outputs == 1 and prim.step:
        call = tidied(unrolled.unary_with(prim, bind), prim.tidy)
    elif prim.ufunc and prim.arity == 2 and not prim.step:
        call = unrolled.compared(prim, bind)
    elif prim.tidy:
        tidy, apply = prim.tidy, unrolled.several(prim, bind)

        def call(x: Any, *args: Any, **kwargs: Any) -> Any:
            return apply((x,), tidy(x, *args, **kwargs))
    elif prim.arity == 1:
        call = tidied(lambda input, params: bind(prim, (input,), params), None)
    else:
        apply = unrolled.several(prim, bind)

        def call(*operands: Any, **params: Any) -> Any:
            return apply(operands, params)

    unrolled.own_code(call, prim.name)
    call.primitive = prim  # type: ignore[attr-defined]
    setattr(tensor_xp, prim.name, call)
    return call


def tidied(apply: Callable[..., Any], tidy: Callable[..., dict[str, Any]] | None) -> Callable[..., Any]:
    """An operation that takes what people write."""
    if tidy is None:

        def call(input: Any, **params: Any) -> Any:
            return apply(input, params)
    else:

        def call(input: Any, *args: Any, **kwargs: Any) -> Any:
            return apply(input, tidy(input, *args, **kwargs) if kwargs else tidy(input, *args))

    call.apply = apply  # type: ignore[attr-defined]
    return call


def by_kind(name: str, forward: Callable[..., Any], refuses: str, integers: Any) -> Callable[..., Any]:
    def forward_of_kind(xp: Any, *operands: Any, **params: Any) -> Any:
        kind = operands[0].dtype.kind
        if kind in refuses:
            given = operands[0]
            remedy = "use logical_xor, logical_not or ~, or convert it" if kind == "b" else "convert it"
            raise NotImplementedError(
                f"{name} is not implemented for {given.dtype.name} (Tensor of shape {tuple(given.shape)}): {remedy}, e.g. with "
                ".float()"
            )
        return (integers if integers and kind in "biu" else forward)(xp, *operands, **params)

    return forward_of_kind


def program(forward: Forward) -> Callable[..., Any]:
    if callable(forward):
        return forward

    def named(xp: Any, *operands: Any, **params: Any) -> Any:
        return getattr(xp, forward)(*operands, **params)

    return named


def on_numpy(forward: Forward) -> Callable[..., Any]:
    """The forward on NumPy's arrays, with nothing between the caller and NumPy where a name says it all."""
    return partial(forward, NUMPY.xp) if callable(forward) else getattr(NUMPY.xp, forward)


def each(rules: list[Rule | None], with_params: bool, accumulate: Rule | None = None) -> Callable[..., None]:
    """The step of one rule per operand, run only for an operand that needs it."""
    if len(rules) == 1 and rules[0]:
        if not with_params:
            return unrolled.own_code(stepping.step_one(rules[0]), "step")
        step = sole(rules[0], rules[0])
        return unrolled.own_code(stepping.step_into(step, accumulate), "step") if accumulate else step
    if len(rules) == 2 and all(rules) and not with_params:
        return unrolled.own_code(stepping.step_two(*rules), "step")
    return stepping.step_all(
        lambda xp, ct, wanted, *saved, **params: [
            rule(xp, ct, *saved, **params) if want and rule else None for want, rule in zip(wanted, rules)
        ]
    )


def joint(rule: Rule, arity: int | None, reuse: Rule | None = None) -> Callable[..., None]:
    """The step of one rule that answers for all operands, where they share work."""
    if arity == 1:
        return sole(rule, lambda xp, ct, y, x, **params: rule(xp, ct, y, x, **params)[0])
    step = stepping.step_all(lambda xp, ct, _wanted, *saved, **params: rule(xp, ct, *saved, **params))
    return stepping.step_reusing(step, reuse) if reuse else step


def sole(rule: Rule, answer: Rule) -> Callable[..., None]:
    """The step of one operand and parameters; `answer` is the cotangent that the row's `rule` gives."""
    return unrolled.own_code(stepping.step_one_with(answer, reads(rule, 1)[1] == SHAPE), "step")


def reads(rule: Rule | None, arity: int | None) -> tuple[int, ...]:
    """What a rule wants of (y, *operands): NOTHING, the SHAPE or the VALUE, read off its parameter names.

    With any number of operands the last flag is that of the rule's ``*operands``.
    """
    if rule is None:
        return (NOTHING,) * (arity + 1 if arity is not None else 2)
    code = rule.__code__
    names = list(code.co_varnames[2 : code.co_argcount])
    if code.co_flags & 4:
        names.append(code.co_varnames[code.co_argcount + code.co_kwonlyargcount])
    if arity is not None:
        names = (names + names[-1:] * arity)[: arity + 1] if code.co_flags & 4 else names[: arity + 1]
        if len(names) <= arity:
            raise TypeError(f"the rule at line {code.co_firstlineno} takes {names}, not y and {arity} operands")
    return tuple([_wish(name) for name in names])


def _wish(name: str) -> int:
    if name.startswith("_"):
        return NOTHING
    return SHAPE if name.endswith(("_shape", "_shapes")) else VALUE


# -- small pieces
def total(terms: list[Any]) -> Any:
    return sum(terms[1:], terms[0]) if terms else None


def zeros_like(xp: Any, x: Any) -> Any:
    """Zeros of the shape and dtype of `x` that take no memory."""
    return xp.broadcast_to(xp.zeros((), dtype=x.dtype), x.shape)
