"""grad, vjp, jvp, linearize, jacobians and hessians: functions to functions, nesting in every order."""

import functools
from collections.abc import Callable
from typing import Any

from gradkit.backend.protocol import beside
from gradkit.engine import modes
from gradkit.engine.tangents import dual, strip, tangent
from gradkit.engine.tensor import Tensor, wrap
from gradkit.func import tree
from gradkit.func.pulling import basis, fresh_leaf, pull_lifted, zeros
from gradkit.func.vmap import vmap
from gradkit.ops import shaping


def vjp(func: Callable[..., Any], *primals: Any, has_aux: bool = False) -> Any:
    """``func(*primals)`` and the function that pulls cotangents of that output back to the primals.

    Primals and outputs are nested tuples, lists and dictionaries of Tensors, or of arrays, which are then answered with
    arrays. With `has_aux`, `func` returns (output, aux) and so does this: (output, vjp_fn, aux). Returns (output,
    vjp_fn); vjp_fn takes cotangents nested like the output and returns a tuple with one entry for each primal.

    >>> import gradkit
    >>> from gradkit.func import vjp
    >>> y, back = vjp(lambda x: x * x, gradkit.tensor(3.0))
    >>> back(gradkit.tensor(1.0))
    (tensor(6.),)
    """
    kind = tree.Kind()
    flat, spec = tree.flatten(primals)
    with modes.mode(grad=True):
        leaves = [fresh_leaf(_tensor(kind.taken(x), "vjp")) for x in flat]
        result = func(*tree.unflatten(leaves, spec))
    y, aux = _with_aux(result, "vjp") if has_aux else (result, None)
    ys, y_spec = tree.flatten(y)
    ys = [_tensor(one, "the output of vjp's function") for one in ys]
    own = {leaf.node for leaf in leaves}

    def back(*cotangents: Any) -> Any:
        given = cotangents[0] if len(cotangents) == 1 else cotangents
        cts, _ = tree.flatten(given)
        if len(cts) != len(ys):
            raise RuntimeError(f"vjp: expected {len(ys)} cotangents, nested like the output, got {len(cts)}")
        cts = [_tensor(kind.taken(ct), "a cotangent") for ct in cts]
        for ct, one in zip(cts, ys):
            if ct.shape != one.shape:
                raise RuntimeError(f"vjp: a cotangent has shape {tuple(ct.shape)}, its output {tuple(one.shape)}")
        found = pull_lifted(ys, leaves, cts)
        return tree.unflatten([kind.given(g) for g in found], spec)

    outputs = tree.unflatten([kind.given(_outside(one, own)) for one in ys], y_spec)
    return (outputs, back, aux) if has_aux else (outputs, back)


def _outside(y: Tensor, own: set[Any]) -> Tensor:
    """An output as the caller sees it: on the tape only if something outside the transform put it there."""
    if y.node is None or _depends_on_outside(y.node, own):
        return y
    return wrap(y.array, None, y.tangents, y.batch)


def _depends_on_outside(node: Any, own: set[Any]) -> bool:
    seen, stack = {node}, [node]
    while stack:
        now = stack.pop()
        if now.prim is None:
            return True
        if now in own and not any(now.parents):
            continue
        for parent in now.parents:
            if parent is not None and parent not in seen:
                seen.add(parent)
                stack.append(parent)
    return False


def _tensor(x: Any, where: str) -> Tensor:
    if not isinstance(x, Tensor):
        raise TypeError(f"{where}: expected a Tensor or an array, got {type(x).__name__}")
    return x


def _with_aux(result: Any, name: str) -> tuple[Any, Any]:
    if not (isinstance(result, tuple) and len(result) == 2):
        raise RuntimeError(f"{name}: with has_aux=True the function must return a tuple (output, aux)")
    return result


def value_and_grad(func: Callable[..., Any], argnums: Any = 0, has_aux: bool = False) -> Callable[..., Any]:
    """The function that gives ``(gradient, value)``'s mirror: ``(value, gradient)`` of `func` at its arguments.

    `func` must return a single-element real Tensor (or, with `has_aux`, (that, aux): then the value is the pair).

    >>> import gradkit
    >>> from gradkit.func import value_and_grad
    >>> value_and_grad(lambda x: (x * x).sum())(gradkit.tensor([1.0, 2.0]))
    (tensor(5.), tensor([2., 4.]))
    """
    both = grad_and_value(func, argnums, has_aux)

    @functools.wraps(func)
    def run(*args: Any, **kwargs: Any) -> Any:
        gradient, value = both(*args, **kwargs)
        return value, gradient

    return run


def grad_and_value(func: Callable[..., Any], argnums: Any = 0, has_aux: bool = False) -> Callable[..., Any]:
    """The function that gives ``(gradient, value)`` of `func` at its arguments, in PyTorch's order.

    >>> import gradkit
    >>> from gradkit.func import grad_and_value
    >>> grad_and_value(lambda x: (x * x).sum())(gradkit.tensor([1.0, 2.0]))
    (tensor([2., 4.]), tensor(5.))
    """

    @functools.wraps(func)
    def run(*args: Any, **kwargs: Any) -> Any:
        chosen, rest = _chosen(args, argnums)

        def of_chosen(*xs: Any) -> Any:
            value = func(*rest(xs), **kwargs)
            y = _with_aux(value, "grad")[0] if has_aux else value
            if not isinstance(y, Tensor) or y.numel() != 1 or y.dtype.kind == "c":
                got = (
                    f"a Tensor of shape {tuple(y.shape)}, {y.dtype.name}" if isinstance(y, Tensor) else type(y).__name__
                )
                raise RuntimeError(f"grad: expected the function to return one real number as a Tensor, got {got}")
            return value

        y, back, *aux = vjp(of_chosen, *chosen, has_aux=has_aux)
        one = _one_like(y)
        found = back(one)
        gradient = found if isinstance(argnums, tuple) else found[0]
        return gradient, (y, aux[0]) if has_aux else y

    return run


def _one_like(y: Any) -> Any:
    if not isinstance(y, Tensor):
        return beside(y, "ones_like", y)
    return wrap(beside(y.array, "ones", y.array.shape, y.dtype), batch=y.batch)


def grad(func: Callable[..., Any], argnums: Any = 0, has_aux: bool = False) -> Callable[..., Any]:
    """The function that gives the gradient of `func`, which returns one real number, at its arguments.

    `argnums` is an int, or a tuple of them for a tuple of gradients. With `has_aux` the function returns (value, aux),
    and this one (gradient, aux). Arrays in, arrays out.

    >>> import numpy as np, gradkit
    >>> gradkit.func.grad(lambda x: (x ** 3).sum())(np.array([1.0, 2.0]))
    array([ 3., 12.])
    """
    both = grad_and_value(func, argnums, has_aux)

    @functools.wraps(func)
    def run(*args: Any, **kwargs: Any) -> Any:
        gradient, value = both(*args, **kwargs)
        return (gradient, value[1]) if has_aux else gradient

    return run


def _chosen(args: tuple[Any, ...], argnums: Any) -> tuple[tuple[Any, ...], Callable[[Any], list[Any]]]:
    """The arguments to differentiate, and how to put them back among the others."""
    nums = argnums if isinstance(argnums, tuple) else (argnums,)
    for n in nums:
        if not -len(args) <= n < len(args):
            raise RuntimeError(f"Got argnum={n}, but only {len(args)} positional inputs")
    places = [n % len(args) for n in nums]

    def rest(xs: Any) -> list[Any]:
        whole = list(args)
        for place, x in zip(places, xs):
            whole[place] = x
        return whole

    return tuple([args[place] for place in places]), rest


def jvp(func: Callable[..., Any], primals: Any, tangents: Any, *, strict: bool = False, has_aux: bool = False) -> Any:
    """``func(*primals)`` and its derivative along `tangents`, in one forward pass.

    `primals` and `tangents` are tuples, nested alike. Returns (output, output tangent), with aux as a third if
    `has_aux`. With `strict` an output that does not depend on the primals raises RuntimeError.

    >>> import gradkit
    >>> from gradkit.func import jvp
    >>> jvp(lambda x: x * x, (gradkit.tensor(3.0),), (gradkit.tensor(1.0),))
    (tensor(9.), tensor(6.))
    """
    if not isinstance(primals, tuple) or not isinstance(tangents, tuple):
        raise RuntimeError("jvp: primals and tangents must be tuples of the function's arguments, e.g. (x,), (t,)")
    kind = tree.Kind()
    flat, spec = tree.flatten(primals)
    flat_t, spec_t = tree.flatten(tangents)
    if spec != spec_t:
        raise RuntimeError("jvp: primals and tangents must be nested alike")
    level = modes.new_level()
    with modes.mode(lift=1):
        duals = [_dual(kind.taken(x), level, kind.taken(t)) for x, t in zip(flat, flat_t)]
        result = func(*tree.unflatten(duals, spec))
        y, aux = _with_aux(result, "jvp") if has_aux else (result, None)
        ys, y_spec = tree.flatten(y)
        outs = []
        for one in ys:
            t = tangent(_tensor(one, "the output of jvp's function"), level)
            if t is None and strict:
                raise RuntimeError("jvp: an output does not depend on the inputs, which strict=True does not allow")
            bare = strip(one, level)
            outs.append((bare, zeros(bare) if t is None else t))
    y = tree.unflatten([kind.given(one) for one, _ in outs], y_spec)
    y_t = tree.unflatten([kind.given(t) for _, t in outs], y_spec)
    return (y, y_t, aux) if has_aux else (y, y_t)


def _dual(x: Any, level: int, t: Any) -> Tensor:
    x, t = _tensor(x, "a primal of jvp"), _tensor(t, "a tangent of jvp")
    if x.shape != t.shape:
        raise RuntimeError(f"jvp: a primal has shape {tuple(x.shape)}, its tangent {tuple(t.shape)}")
    if x.dtype != t.dtype:
        raise RuntimeError(f"jvp: a primal has dtype {x.dtype.name}, its tangent {t.dtype.name}")
    return dual(x, level, t)


def linearize(func: Callable[..., Any], *primals: Any) -> tuple[Any, Callable[..., Any]]:
    """``func(*primals)`` and the function that applies its Jacobian there to tangents.

    >>> import gradkit
    >>> from gradkit.func import linearize
    >>> y, push = linearize(lambda x: x * x, gradkit.tensor(3.0))
    >>> push(gradkit.tensor(2.0))
    tensor(12.)
    """
    y = func(*primals)

    def push(*tangents: Any) -> Any:
        return jvp(func, primals, tangents)[1]

    return y, push


def jacrev(
    func: Callable[..., Any], argnums: Any = 0, *, has_aux: bool = False, chunk_size: int | None = None
) -> Callable[..., Any]:
    """The function that gives the Jacobian of `func` at its arguments, by reverse mode: a row for each output element.

    The result has the shape of the output followed by that of the argument.

    >>> import gradkit
    >>> from gradkit.func import jacrev
    >>> jacrev(lambda x: x * x)(gradkit.tensor([1.0, 2.0]))
    tensor([[2., 0.],
            [0., 4.]])
    """

    @functools.wraps(func)
    def run(*args: Any, **kwargs: Any) -> Any:
        chosen, rest = _chosen(args, argnums)
        kind = tree.Kind()
        flat, spec = tree.flatten(chosen)
        flat = [kind.taken(x) for x in flat]

        def of_flat(*xs: Any) -> Any:
            return func(*rest(tree.unflatten(list(xs), spec)), **kwargs)

        y, back, *aux = vjp(of_flat, *flat, has_aux=has_aux)
        ys, y_spec = tree.flatten(y)
        blocks = []
        for i, one in enumerate(ys):
            rows = vmap(functools.partial(_row, back, ys, y_spec, i), chunk_size=chunk_size)(basis(one))
            found = [kind.given(g.reshape((*one.shape, *x.shape))) for g, x in zip(rows, flat)]
            nested = tree.unflatten(found, spec)
            blocks.append(nested if isinstance(argnums, tuple) else nested[0])
        result = tree.unflatten(blocks, y_spec)
        return (result, aux[0]) if has_aux else result

    return run


def _row(back: Any, ys: Any, spec: Any, i: int, ct: Tensor) -> Any:
    cts = [ct if j == i else zeros(y) for j, y in enumerate(ys)]
    return back(tree.unflatten(cts, spec))


def jacfwd(
    func: Callable[..., Any],
    argnums: Any = 0,
    has_aux: bool = False,
    *,
    randomness: str = "error",
    chunk_size: int | None = None,
) -> Callable[..., Any]:
    """The function that gives the Jacobian of `func` at its arguments, by forward mode: a column for each input one.

    The result has the shape of the output followed by that of the argument.

    >>> import gradkit
    >>> from gradkit.func import jacfwd
    >>> jacfwd(lambda x: x * x)(gradkit.tensor([1.0, 2.0]))
    tensor([[2., 0.],
            [0., 4.]])
    """

    @functools.wraps(func)
    def run(*args: Any, **kwargs: Any) -> Any:
        chosen, rest = _chosen(args, argnums)
        kind = tree.Kind()
        flat, spec = tree.flatten(chosen)
        flat = [_tensor(kind.taken(x), "jacfwd") for x in flat]
        kept: list[Any] = []

        def column(j: int, t: Tensor) -> Any:
            ts = [t if k == j else zeros(x) for k, x in enumerate(flat)]
            given = lambda *xs: func(*rest(tree.unflatten(list(xs), spec)), **kwargs)
            _, y_t, *aux = jvp(given, tuple(flat), tuple(ts), has_aux=has_aux)
            kept[:] = aux
            return y_t

        columns = []
        for j, x in enumerate(flat):
            moved = vmap(functools.partial(column, j), randomness=randomness, chunk_size=chunk_size)(basis(x))
            ys, y_spec = tree.flatten(moved)
            columns.append([shaping.movedim(y, 0, -1).reshape((*y.shape[1:], *x.shape)) for y in ys])
        blocks = []
        for i in range(len(columns[0])):
            nested = tree.unflatten([kind.given(c[i]) for c in columns], spec)
            blocks.append(nested if isinstance(argnums, tuple) else nested[0])
        result = tree.unflatten(blocks, y_spec)
        return (result, kept[0]) if has_aux else result

    return run


def hessian(func: Callable[..., Any], argnums: Any = 0) -> Callable[..., Any]:
    """The function that gives the Hessian of `func`, which returns one number, at its arguments: forward over reverse.

    >>> import gradkit
    >>> from gradkit.func import hessian
    >>> hessian(lambda x: (x ** 3).sum())(gradkit.tensor([1.0, 2.0]))
    tensor([[ 6.,  0.],
            [ 0., 12.]])
    """
    return jacfwd(jacrev(func, argnums), argnums)
