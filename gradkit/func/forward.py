"""jvp and linearize: derivatives along tangents, in forward mode."""

from collections.abc import Callable
from typing import Any

from gradkit.engine import modes, products
from gradkit.engine.sharing import Surroundings
from gradkit.engine.tangents import dual, fitted, strip, tangent
from gradkit.engine.tensor import Tensor
from gradkit.func import tree
from gradkit.func.pulling import check_differentiable, fresh_leaf, zeros
from gradkit.func.pushing import Tape, keeping_for_tangents
from gradkit.func.reverse import freed, let_go, outside, parted, recorded, with_aux

local = modes.local


def jvp(func: Callable[..., Any], primals: Any, tangents: Any, *, strict: bool = False, has_aux: bool = False) -> Any:
    """``func(*primals)`` and its derivative along `tangents`, in one forward pass.

    `primals` and `tangents` are tuples, nested alike. Returns (output, output tangent), with aux as a third if
    `has_aux`. Tangents take the dtype of their primals. With `strict` an output that does not depend on the primals raises
    RuntimeError, as do tangents of another structure or shape, and complex ones of real primals.

    >>> gradkit.func.jvp(lambda x: x * x, (gradkit.tensor(3.0),), (gradkit.tensor(1.0),))
    (tensor(9.), tensor(6.))
    """
    if not isinstance(primals, tuple) or not isinstance(tangents, tuple):
        raise RuntimeError("jvp: primals and tangents must be tuples of the function's arguments, e.g. (x,), (t,)")
    kind = tree.Kind()
    flat, spec = tree.flatten(primals)
    flat_t, spec_t = tree.flatten(tangents)
    if spec != spec_t or not flat:
        what = "be nested alike" if flat else "contain at least one Tensor"
        raise RuntimeError(f"jvp: primals and tangents must {what}: got {len(flat)} and {len(flat_t)} leaves")
    xs, ts = _fitting("jvp", kind, flat, flat_t)
    level, result = pushed(lambda *xs: func(*tree.unflatten(xs, spec)), xs, ts, func)
    y, aux = with_aux(result, "jvp") if has_aux else (result, None)
    ys, y_spec = tree.flatten(y)
    outs, moved = [], []
    for one in ys:
        bare, t = apart(tree.tensor(one, "the output of jvp's function"), level)
        if t is None and strict:
            raise RuntimeError("jvp: an output does not depend on the inputs, which strict=True does not allow")
        outs.append(kind.given(bare))
        moved.append(kind.given(zeros(bare) if t is None else t))
    found = tree.unflatten(outs, y_spec), tree.unflatten(moved, y_spec)
    return (*found, tree.mapped(lambda one: kind.given(strip(one, level)), aux)) if has_aux else found


def _fitting(name: str, kind: tree.Kind, flat: list[Any], flat_t: list[Any]) -> tuple[list[Tensor], list[Tensor]]:
    xs = [tree.tensor(kind.taken(x), f"a primal of {name}") for x in flat]
    ts = [tree.tensor(tree.lifted(t), f"a tangent of {name}") for t in flat_t]
    for x, t in zip(xs, ts):
        check_differentiable(x, ValueError)
        if name == "linearize" and x.dtype != t.dtype:  # as in PyTorch, whose jvp takes others
            raise RuntimeError(f"{name}: a primal has dtype {x.dtype.name}, its tangent {t.dtype.name}")
    return xs, [fitted(name, x, t) for x, t in zip(xs, ts)]


def pushed(
    function: Callable[..., Any], xs: Any, ts: Any, inner: Callable[..., Any] | None = None, stilled: bool = False
) -> tuple[int, Any]:
    """What a function of flat arguments gives for these with tangents (None: zero), and the level of the tangents.

    It must not write what `inner` closes over. With `stilled` what it does under `no_grad`, if not all of it, does not move.
    """
    level, functions, written = modes.new_level(), local.functions, local.written
    if stilled:
        grad, local.grad = local.grad, True
        modes.stilled.add(level)
    local.written = {}
    if inner:
        local.functions = (*functions, Surroundings(inner))
    products.levels.add(level)
    modes.shift(lift=1)
    try:
        result = function(*[dual(x, level, t) for x, t in zip(xs, ts)])
        return level, parted(result) if local.written else result
    finally:
        if local.written:
            let_go(local.written, written, lambda t: strip(t, level))
        local.written = written
        modes.shift(lift=-1)
        products.levels.discard(level)
        local.functions = functions
        if stilled:
            local.grad = grad
            modes.stilled.discard(level)


def apart(y: Tensor, level: int) -> tuple[Tensor, Tensor | None]:
    """An output without its tangent of a level, and that tangent."""
    return strip(y, level), tangent(y, level)


def linearize(func: Callable[..., Any], *primals: Any, has_aux: bool = False) -> Any:
    """``func(*primals)`` and the function that applies its Jacobian there to tangents.

    `func` runs once; each application pushes tangents along what was recorded, nested like the primals. If a `Function`
    or `no_grad` kept some of it from being recorded, each runs `func` again. With `has_aux`, `func` returns (output, aux),
    and this (output, jvp_fn, aux).

    RuntimeError for primals that are neither floating nor complex and for tangents that do not fit.

    >>> y, push = gradkit.func.linearize(lambda x: x * x, gradkit.tensor(3.0))
    >>> push(gradkit.tensor(2.0)), push(gradkit.tensor(-1.0))
    (tensor(12.), tensor(-6.))
    """
    kind = tree.Kind()
    flat, spec = tree.flatten(primals)
    leaves = [fresh_leaf(tree.tensor(kind.taken(x), "a primal of linearize", ValueError)) for x in flat]
    with keeping_for_tangents() as record:
        result = recorded(lambda *xs: func(*tree.unflatten(xs, spec)), leaves, func)
    y, aux = with_aux(result, "linearize") if has_aux else (result, None)
    ys, y_spec = tree.flatten(y)
    ys = [tree.tensor(one, "the output of linearize's function") for one in ys]
    tape = Tape(ys, leaves)
    whole = record.whole and tape.complete()

    def push(*tangents: Any) -> Any:
        flat_t, spec_t = tree.flatten(tangents)
        if spec_t != spec:
            raise RuntimeError(f"linearize: expected tangents nested like the {len(flat)} primals, got {len(flat_t)}")
        _, ts = _fitting("linearize", kind, flat, flat_t)
        if not whole:
            return jvp(func, primals, tangents, has_aux=has_aux)[1]
        return tree.unflatten([kind.given(t) for t in tape.push(ts)], y_spec)

    outputs = tree.unflatten([kind.given(outside(one, leaves)) for one in ys], y_spec)
    return (outputs, push, tree.mapped(lambda one: kind.given(freed(one, leaves)), aux)) if has_aux else (outputs, push)
