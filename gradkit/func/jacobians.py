"""Whole Jacobians and Hessians: rows by reverse mode, columns by forward mode, many at a time."""

import functools
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from gradkit.engine import batching, modes
from gradkit.engine.sharing import Surroundings, units
from gradkit.engine.tensor import Tensor, wrap
from gradkit.engine.versions import version_of
from gradkit.func import chunks, tree
from gradkit.func.forward import apart, pushed
from gradkit.func.pulling import basis, check_differentiable, check_real, fresh_leaf, pull_lifted, zeros
from gradkit.func.pushing import Tape, between, keeping_for_tangents, largest
from gradkit.func.reverse import freed, picked, recorded, rewrapped, with_aux
from gradkit.func.vmap import check_randomness
from gradkit.ops import shaping

local = modes.local


def jacrev(
    func: Callable[..., Any], argnums: Any = 0, *, has_aux: bool = False, chunk_size: int | str | None = None
) -> Callable[..., Any]:
    """The function that gives the Jacobian of `func` at its arguments, by reverse mode: a row for each output element.

    The result has the shape of the output followed by that of the argument. `chunk_size` rows are done at a time (None:
    all; 1: not batched; "auto": as many as `set_memory_budget` allows). RuntimeError for a complex output of a real argument.

    >>> gradkit.func.jacrev(lambda x: x * x)(gradkit.tensor([1.0, 2.0]))
    tensor([[2., 0.],
            [0., 4.]])
    """
    chunks.check(chunk_size, "jacrev")
    return _by_rows("jacrev", func, argnums, has_aux, chunk_size)


def _by_rows(name: str, func: Callable[..., Any], argnums: Any, has_aux: bool, chunk_size: Any = None) -> Callable[..., Any]:
    """`jacrev`, for the transform of this name."""

    @functools.wraps(func)
    def run(*args: Any, **kwargs: Any) -> Any:
        chosen, rest = picked(args, argnums)
        kind = tree.Kind()
        flat, spec = tree.flatten(chosen)
        leaves = [fresh_leaf(tree.tensor(kind.taken(x), f"an argument of {name}", ValueError)) for x in flat]
        result = recorded(lambda *xs: func(*rest(tree.unflatten(xs, spec)), **rewrapped(kwargs)), leaves, func)
        y, aux = with_aux(result, name) if has_aux else (result, None)
        ys, y_spec = tree.flatten(y)
        blocks = []
        for one in ys:
            check_real(name, [tree.tensor(one, f"the output of {name}'s function")], leaves)
            found = rows(one, leaves, chunk_size)
            nested = tree.unflatten([kind.given(*pair) for pair in zip(found, flat)], spec)
            blocks.append(nested if isinstance(argnums, tuple) else nested[0])
        jacobian = tree.unflatten(blocks, y_spec)
        return (jacobian, tree.mapped(lambda one: kind.given(freed(one, leaves)), aux)) if has_aux else jacobian

    return run


def rows(y: Tensor, leaves: list[Tensor], chunk_size: Any = None, final: bool = False, single: bool = False) -> list[Tensor]:
    """The Jacobian of an output with respect to each leaf, by pulling unit cotangents back, many at a time.

    With `single`, hooks and custom Functions on the way, which may look at its numbers, are given one after the other.
    """
    n = y.shape.numel()

    def run(start: int, stop: int) -> list[Tensor]:
        with several(stop - start) as level:
            ct = entered(basis(y, start, stop), level)
            return [left(g, level, stop - start) for g in pull_lifted([y], leaves, [ct], final)]

    nodes = between([y], leaves) if n > 1 and (single or chunk_size == "auto") else ()
    if single and any([node.hooks or (node.prim and node.prim.family == "custom") for node in nodes]):
        chunk_size = 1
    size = y.array.nbytes + sum([x.array.nbytes for x in leaves])
    found = chunks.in_chunks(run, n, chunk_size, y.device, size, largest(nodes))
    return [g.contiguous().reshape((*y.shape, *x.shape)) for g, x in zip(found, leaves)]


def jacfwd(
    func: Callable[..., Any], argnums: Any = 0, has_aux: bool = False, *, randomness: str = "error",
    chunk_size: int | str | None = None,
) -> Callable[..., Any]:
    """The function that gives the Jacobian of `func` at its arguments, by forward mode: a column for each input one.

    The result has the shape of the output followed by that of the argument. `chunk_size` columns are done at a time
    (None: all; 1: not batched; "auto": as many as `set_memory_budget` allows); `randomness` is as for `vmap`.

    >>> gradkit.func.jacfwd(lambda x: x * x)(gradkit.tensor([1.0, 2.0]))
    tensor([[2., 0.],
            [0., 4.]])
    """
    return _by_columns("jacfwd", func, argnums, has_aux, randomness, chunk_size)


def _by_columns(
    name: str, func: Callable[..., Any], argnums: Any, has_aux: bool, randomness: str, chunk_size: int | str | None
) -> Callable[..., Any]:
    """`jacfwd`, for the transform of this name."""
    chunks.check(chunk_size, name)
    check_randomness(randomness)

    @functools.wraps(func)
    def run(*args: Any, **kwargs: Any) -> Any:
        chosen, rest = picked(args, argnums)
        kind = tree.Kind()
        flat, spec = tree.flatten(chosen)
        xs = [tree.tensor(kind.taken(x), f"an argument of {name}", ValueError) for x in flat]
        for x in xs:
            check_differentiable(x, ValueError)
        if not xs:
            return _by_rows(name, func, argnums, has_aux)(*args, **kwargs)
        kept: dict[str, Any] = {}

        def flat_outputs(*xs: Tensor) -> list[Tensor]:
            result = func(*rest(tree.unflatten(xs, spec)), **rewrapped(kwargs))
            y, kept["aux"] = with_aux(result, name) if has_aux else (result, None)
            ys, kept["spec"] = tree.flatten(y)
            return [tree.tensor(one, f"the output of {name}'s function") for one in ys]

        function = repeatable(flat_outputs, xs)
        if randomness == "same" or (randomness == "error" and chunk_size == 1):
            function = chunks.repeating(function, xs[0].device)
        with modes.mode(functions=(*local.functions, Surroundings(func))):
            found = [columns(function, xs, j, chunk_size, randomness, kept) for j in range(len(xs))]
        blocks = []
        for i in range(len(found[0])):
            nested = tree.unflatten([kind.given(blocks_of[i], x) for blocks_of, x in zip(found, flat)], spec)
            blocks.append(nested if isinstance(argnums, tuple) else nested[0])
        jacobian = tree.unflatten(blocks, kept["spec"])
        return (jacobian, tree.mapped(kind.given, kept["aux"])) if has_aux else jacobian

    return run


def columns(
    function: Callable[..., Any], xs: list[Tensor], j: int, chunk_size: Any = None, randomness: str = "error",
    kept: dict[str, Any] | None = None, size: int | None = None,
) -> list[Tensor]:
    """The Jacobian of each output with respect to one input, by pushing unit tangents forward, many at a time.

    What the function left in ``kept["aux"]`` is freed of the levels used here. `size` is that of its largest array, if known.
    """
    x = xs[j]

    def run(start: int, stop: int) -> list[Tensor]:
        with several(stop - start, randomness=randomness) as batch_level:
            t = entered(basis(x, start, stop), batch_level)
            level, ys = pushed(function, xs, [t if k == j else None for k in range(len(xs))])
            pairs = [apart(y, level) for y in ys]
            moved = [still(y, x) if t is None else t for y, t in pairs]
            if kept and kept.get("aux") is not None:
                kept["aux"] = tree.mapped(lambda one: _freed_of(one, level, batch_level, stop - start), kept["aux"])
            return [left(t, batch_level, stop - start) for t in moved]

    found = chunks.in_chunks(run, x.shape.numel(), chunk_size, x.device, x.array.nbytes, size)
    return [shaping.movedim(t, 0, -1).reshape((*t.shape[1:], *x.shape)) for t in found]


def several(count: int, **state: Any) -> AbstractContextManager[modes.Level | None]:
    """A scope in which so many unit tensors are done at once, and its level; None for one, which is not batched."""
    return nullcontext() if count == 1 else units(modes.Level(modes.new_level()), count, **state)


def entered(unit: Tensor, level: modes.Level | None) -> Tensor:
    """The unit tensors along a first axis as what is done in that scope."""
    return batching.enter(unit, level) if level else wrap(unit.array.reshape(unit.shape[1:]))


def left(x: Tensor, level: modes.Level | None, count: int) -> Tensor:
    """The reverse, for what was made of them."""
    return batching.leave(x, level, count) if level else x.reshape((1, *x.shape))


def repeatable(function: Callable[..., Any], xs: list[Tensor]) -> Callable[..., Any]:
    """`function`, which may be run several times: RuntimeError if it has written its arguments in place before."""
    before = [version_of(x.array) for x in xs]

    def run(*args: Tensor) -> Any:
        if [version_of(x.array) for x in xs] != before:
            raise RuntimeError("the function writes its arguments in place, and must be run again: write to a clone()")
        return function(*args)

    return run


def still(y: Tensor, x: Tensor) -> Tensor:
    """The tangent of an output that does not move, in the dtype of `x` if its own is an integer's."""
    return zeros(y) if y.dtype.kind in "fcV" else zeros(y.to(x.dtype))


def by_columns(function: Callable[..., Any], xs: Any, chunk_size: Any, final: bool) -> list[list[Tensor]]:
    """All blocks, a list over outputs of lists over inputs, by forward mode.

    The function is run once, and recorded. If a `Function` or `no_grad` kept some of it from being so, it is run again.
    """
    leaves = [fresh_leaf(x) for x in xs]
    function = repeatable(function, xs)
    with keeping_for_tangents() as record:
        tape = Tape(list(recorded(function, leaves)), leaves)
    complete = tape.complete()
    if record.whole and complete:
        found = [columns_along(tape, j, chunk_size, final) for j in range(len(xs))]
    else:
        function, size, places = chunks.repeating(function, xs[0].device), largest(tape.nodes()), leaves if complete else xs
        found = [columns(function, places, j, chunk_size, "same", size=size) for j in range(len(xs))]
    return [list(row) for row in zip(*found)]


def cheapest(function: Callable[..., Any], xs: Any, chunk_size: Any, final: bool) -> list[list[Tensor]]:
    """The same by whichever mode takes fewer rows or columns, of as many columns; the function is recorded once for both.

    As many columns are done along the tape in 0.9 of the time of rows: no cotangent waits there to be added to. Of functions
    of complex numbers the two differ by conjugation: there rows are the answer.
    """
    if sum([x.shape.numel() for x in xs]) == 1:
        found = by_columns(function, xs, chunk_size, final)
        if not any([x.is_complex() for x in xs]):
            return found
    leaves = [fresh_leaf(x) for x in xs]
    ys = recorded(function, leaves)
    fewer = sum([y.shape.numel() for y in ys]) < sum([x.shape.numel() for x in xs])
    if any([x.is_complex() for x in xs]) or (fewer and not any([y.is_complex() for y in ys])):
        check_real("jacobian", ys, leaves)
        return [rows(y, leaves, chunk_size, final) for y in ys]
    tape = Tape(list(ys), leaves)
    if not tape.complete():
        return by_columns(function, xs, chunk_size, final)
    found = [columns_along(tape, j, chunk_size, final) for j in range(len(xs))]
    return [list(row) for row in zip(*found)]


def columns_along(tape: Tape, j: int, chunk_size: Any, final: bool) -> list[Tensor]:
    """`columns` of what is on a tape."""
    x = tape.leaves[j]

    def run(start: int, stop: int) -> list[Tensor]:
        with several(stop - start) as level:
            t = entered(basis(x, start, stop), level)
            moved = tape.push([t if k == j else None for k in range(len(tape.leaves))], final)
            return [left(t if t.dtype.kind in "fcV" else still(t, x), level, stop - start) for t in moved]

    size = x.array.nbytes + sum([y.array.nbytes for y in tape.ys])
    found = chunks.in_chunks(run, x.shape.numel(), chunk_size, x.device, size, largest(tape.nodes()))
    return [shaping.movedim(t, 0, -1).reshape((*t.shape[1:], *x.shape)) for t in found]


def _freed_of(aux: Any, level: int, batch_level: Any, count: int) -> Any:
    if not isinstance(aux, Tensor):
        return aux
    bare, _ = apart(aux, level)
    return batching.leave(bare, batch_level, count)[0] if batch_level in bare.batch else bare


def hessian(
    func: Callable[..., Any], argnums: Any = 0, *, has_aux: bool = False, randomness: str = "error",
    chunk_size: int | str | None = None,
) -> Callable[..., Any]:
    """The function that gives the Hessian of `func` at its arguments: forward over reverse.

    `chunk_size` columns are done at a time (None: all; "auto": as many as `set_memory_budget` allows).

    >>> gradkit.func.hessian(lambda x: (x ** 3).sum())(gradkit.tensor([1.0, 2.0]))
    tensor([[ 6.,  0.],
            [ 0., 12.]])
    """
    gradient = _by_rows("hessian", func, argnums, has_aux)
    return _by_columns("hessian", gradient, argnums, has_aux, randomness, chunk_size)
