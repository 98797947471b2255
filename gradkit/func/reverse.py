"""vjp and what stands on it: gradients, by pulling cotangents back."""

import functools
from collections.abc import Callable
from typing import Any

from gradkit.backend.protocol import beside
from gradkit.engine import modes
from gradkit.engine.batching import single
from gradkit.engine.sharing import Surroundings
from gradkit.engine.tensor import Tensor, kept_alike, wrap
from gradkit.engine.views import turn, views_of
from gradkit.errors import type_of
from gradkit.func import tree
from gradkit.func.pulling import entangled, fresh_leaf, ones, pull_lifted

local = modes.local


def recorded(function: Callable[..., Any], leaves: Any, inner: Callable[..., Any] | None = None) -> Any:
    """``function(*leaves)`` with recording on, whatever the mode outside. It must not write what `inner` closes over."""
    grad, functions, inference, written = local.grad, local.functions, local.inference, local.written
    local.grad, local.inference, local.written = True, None, {}
    if inner:
        local.functions = (*functions, Surroundings(inner, leaves))
    try:
        result = function(*leaves)
        return parted(result) if local.written else result
    finally:
        local.grad, local.functions, local.inference = grad, functions, inference
        if local.written:
            let_go(local.written, written, lambda t: _without(t, leaves))
        local.written = written


def _without(t: Tensor, leaves: list[Tensor]) -> Tensor:
    node = t.node if t.node is not None and entangled([t.node], leaves) else None
    return wrap(t.array, node, {level: _without(one, leaves) for level, one in (t.tangents or {}).items()})


def vjp(func: Callable[..., Any], *primals: Any, has_aux: bool = False) -> Any:
    """``func(*primals)`` and the function that pulls cotangents of that output back to the primals.

    Primals and outputs are nested tuples, lists and dictionaries of Tensors, or of arrays, which are then answered with
    arrays. With `has_aux`, `func` returns (output, aux) and so does this: (output, vjp_fn, aux). Returns (output,
    vjp_fn); vjp_fn takes cotangents nested like the output and returns a tuple with one entry for each primal. It may
    be called any number of times: `func` is not run again.

    RuntimeError for primals that are neither floating nor complex, and for cotangents nested or shaped otherwise
    than the output and for outputs that are no Tensors; ValueError for primals that are neither Tensors nor arrays.

    >>> y, back = gradkit.func.vjp(lambda x: x * x, gradkit.tensor(3.0))
    >>> back(gradkit.tensor(1.0))
    (tensor(6.),)
    """
    return _vjp(func, primals, has_aux, func, "a primal of vjp")


def _vjp(func: Callable[..., Any], primals: Any, has_aux: bool, inner: Callable[..., Any], where: str) -> Any:
    kind = tree.Kind()
    flat, spec = tree.flatten(primals)
    leaves = [fresh_leaf(tree.tensor(kind.taken(x), where, ValueError)) for x in flat]
    result = recorded(lambda *xs: func(*tree.unflatten(xs, spec)), leaves, inner)
    y, aux = with_aux(result, "vjp") if has_aux else (result, None)
    ys, y_spec = tree.flatten(y)
    ys = [tree.tensor(one, "the output of vjp's function") for one in ys]

    def back(*cotangents: Any, retain_graph: bool = True, create_graph: bool | None = None) -> Any:
        given = cotangents[0] if len(cotangents) == 1 else cotangents
        cts, ct_spec = tree.flatten(given)
        if len(cts) != len(ys) or (ct_spec != y_spec and len(cotangents) == 1 and not _alike(ct_spec, y_spec)):
            raise RuntimeError(
                f"vjp: expected {len(ys)} cotangents, nested like the output ({_shown(y_spec)}), got {len(cts)} "
                f"({_shown(ct_spec)})"
            )
        cts = [tree.tensor(tree.lifted(ct), "a cotangent of vjp") for ct in cts]
        for ct, one in zip(cts, ys):
            if ct.shape != one.shape:
                raise RuntimeError(f"vjp: a cotangent has shape {tuple(ct.shape)}, its output {tuple(one.shape)}")
        return tree.unflatten([kind.given(g, x) for g, x in zip(pull_lifted(ys, leaves, cts), flat)], spec)

    outputs = tree.unflatten([kind.given(outside(one, leaves)) for one in ys], y_spec)
    if not has_aux:
        return outputs, back
    return outputs, back, tree.mapped(lambda one: kind.given(freed(one, leaves)), aux)


def _alike(a: tree.Spec, b: tree.Spec) -> bool:
    """Whether two structures differ only in tuples against lists."""
    if a is None or b is None:
        return a is b
    sequences = (tuple, list)
    same_kind = a[0] is b[0] or (a[0] in sequences and b[0] in sequences)
    return same_kind and a[1] == b[1] and len(a[2]) == len(b[2]) and all(map(_alike, a[2], b[2]))


def _shown(spec: tree.Spec) -> str:
    return repr(tree.unflatten(["*"] * tree.count(spec), spec)).replace("'*'", "*")


def parted(result: Any) -> Any:
    """What a transform's function, which wrote in place, returned: as tensors of their own."""
    flat, spec = tree.flatten(result)
    return tree.unflatten([kept_alike(wrap(y.array, y.node, y.tangents, y.batch), y) if isinstance(y, Tensor) else y for y in flat], spec)


def let_go(written: dict[int, Any], before: dict[int, Any] | None, free: Callable[[Tensor], Tensor]) -> None:
    """Leave a transform: what it wrote and outlives it keeps of its history what `free` does."""
    for key, ref in written.items():
        root = ref()
        for t in (root, *views_of(root)) if root is not None else ():
            bare = free(t)
            turn(t, bare.node, bare.tangents)
        if before is not None:
            before[key] = ref


def outside(y: Tensor, leaves: list[Tensor]) -> Tensor:
    """An output as the caller sees it: on the tape only if something outside the transform put it there; its tangents,
    which inside depend on the leaves too, likewise. Where all samples are alike it is one."""
    ts = {level: outside(t, leaves) for level, t in (y.tangents or {}).items()}
    if y.node is None or (local.grad and entangled([y.node], leaves)):
        return y if not ts else kept_alike(wrap(y.array, y.node, ts, y.batch), y)
    return single(wrap(y.array, None, ts, y.batch), y._alike)


def freed(aux: Any, leaves: list[Tensor]) -> Any:
    """A leaf of aux likewise."""
    return outside(aux, leaves) if isinstance(aux, Tensor) else aux


def with_aux(result: Any, name: str) -> tuple[Any, Any]:
    """What a function with has_aux=True returned; RuntimeError if it is no pair."""
    if not (isinstance(result, tuple) and len(result) == 2):
        raise RuntimeError(f"{name}: with has_aux=True the function must return a tuple (output, aux)")
    return result


def value_and_grad(func: Callable[..., Any], argnums: Any = 0, has_aux: bool = False) -> Callable[..., Any]:
    """The function that gives ``(value, gradient)`` of `func` at its arguments, in JAX's order.

    `func` must return a single-element real Tensor (or, with `has_aux`, (that, aux): then the value is the pair).

    >>> gradkit.func.value_and_grad(lambda x: (x * x).sum())(gradkit.tensor([1.0, 2.0]))
    (tensor(5.), tensor([2., 4.]))
    """
    both = _both("value_and_grad", func, argnums, has_aux)

    @functools.wraps(func)
    def run(*args: Any, **kwargs: Any) -> Any:
        gradient, value = both(*args, **kwargs)
        return value, gradient

    return run


def grad_and_value(func: Callable[..., Any], argnums: Any = 0, has_aux: bool = False) -> Callable[..., Any]:
    """The function that gives ``(gradient, value)`` of `func` at its arguments, in PyTorch's order.

    >>> gradkit.func.grad_and_value(lambda x: (x * x).sum())(gradkit.tensor([1.0, 2.0]))
    (tensor([2., 4.]), tensor(5.))
    """
    return _both("grad_and_value", func, argnums, has_aux)


def _both(name: str, func: Callable[..., Any], argnums: Any, has_aux: bool) -> Callable[..., Any]:
    """The function that gives gradient and value, for the transform of this name."""

    @functools.wraps(func)
    def run(*args: Any, **kwargs: Any) -> Any:
        chosen, rest = picked(args, argnums)

        def of_chosen(*xs: Any) -> Any:
            value = func(*rest(xs), **rewrapped(kwargs))
            _one_number(with_aux(value, name)[0] if has_aux else value, name)
            return value

        y, back, *aux = _vjp(of_chosen, chosen, has_aux, func, f"an argument of {name}")
        found = back(_one_like(y))
        gradient = found if isinstance(argnums, tuple) else found[0]
        return gradient, (y, aux[0]) if has_aux else y

    return run


def _one_number(y: Any, name: str) -> None:
    if isinstance(y, Tensor) and y.numel() == 1 and y.dtype.kind != "c":
        return
    got = f"a Tensor of shape {tuple(y.shape)}, {y.dtype.name}" if isinstance(y, Tensor) else type_of(y)
    raise RuntimeError(f"{name}: expected the function to return one real number as a Tensor, got {got}; use vjp or jacrev for others")


def _one_like(y: Any) -> Any:
    return ones(y) if isinstance(y, Tensor) else beside(y, "ones_like", y)


def grad(func: Callable[..., Any], argnums: Any = 0, has_aux: bool = False) -> Callable[..., Any]:
    """The function that gives the gradient of `func`, which returns one real number, at its arguments.

    `argnums` is an int, or a tuple of them for a tuple of gradients. With `has_aux` the function returns (value, aux),
    and this one (gradient, aux). Arrays in, arrays out.

    RuntimeError for another output and for an argument that there is not.

    >>> gradkit.func.grad(lambda x: (x ** 3).sum())(np.array([1.0, 2.0]))
    array([ 3., 12.])
    """
    both = _both("grad", func, argnums, has_aux)

    @functools.wraps(func)
    def run(*args: Any, **kwargs: Any) -> Any:
        gradient, value = both(*args, **kwargs)
        return (gradient, value[1]) if has_aux else gradient

    return run


def picked(args: tuple[Any, ...], argnums: Any) -> tuple[tuple[Any, ...], Callable[[Any], list[Any]]]:
    """The arguments to differentiate, and how to put them back among the others."""
    nums = argnums if isinstance(argnums, tuple) else (argnums,)
    if not nums:
        raise RuntimeError("argnums must be non-empty: name an argument to differentiate, e.g. argnums=0")
    for n in nums:
        if type(n) is not int:
            raise RuntimeError(f"argnums must be int or Tuple[int, ...], got: {type(n)}")
        if not -len(args) <= n < len(args):
            raise RuntimeError(f"Got argnum={n}, but only {len(args)} positional inputs")
    places = [n % len(args) for n in nums]
    if len(set(places)) != len(places):
        raise RuntimeError(f"argnums elements must be unique, got {argnums}")

    def rest(xs: Any) -> list[Any]:
        whole = [None if i in places else rewrapped(x) for i, x in enumerate(args)]
        for place, x in zip(places, xs):
            whole[place] = x
        return whole

    return tuple([args[place] for place in places]), rest


def rewrapped(x: Any) -> Any:
    """Plain tensors, alone or in containers, as others over the same memory: what a function writes there leaves the caller's
    without a history."""
    if type(x) is not Tensor:
        flat, spec = tree.flatten(x)
        return tree.unflatten([rewrapped(one) for one in flat], spec) if spec and Tensor in map(type, flat) else x
    return wrap(x.array) if x.node is None and not (x.tangents or x.batch) else x
