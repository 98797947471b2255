"""Products with Jacobians and Hessians, and these themselves, with the signatures of `torch.autograd.functional`."""

from collections.abc import Callable
from contextlib import suppress
from functools import wraps
from typing import Any, TypeVar

from gradkit.engine import modes
from gradkit.engine.node import reachable
from gradkit.engine.tangents import Unrecorded
from gradkit.engine.tensor import Tensor, wrap
from gradkit.func import chunks, jacobians
from gradkit.func.forward import apart, pushed
from gradkit.func.pulling import check_differentiable, check_real, fresh_leaf, ones, pull_lifted, zeros
from gradkit.func.reverse import recorded

F = TypeVar("F", bound=Callable[..., Any])
_STRATEGIES = ("reverse-mode", "forward-mode", "auto")


class UnknownStrategy(ValueError, AssertionError):
    """A strategy that there is not: PyTorch raises AssertionError for it."""


def _heeding(create_graph: int) -> Callable[[F], F]:
    """A transform that records under `no_grad` too if its argument at that place asks for it."""

    def decorated(transform: F) -> F:
        @wraps(transform)
        def run(*args: Any, **kwargs: Any) -> Any:
            if not (kwargs.get("create_graph") or (len(args) > create_graph and args[create_graph])):
                return transform(*args, **kwargs)
            with modes.mode(grad=True):
                return transform(*args, **kwargs)

        return run  # type: ignore[return-value]

    return decorated


@_heeding(create_graph=3)
def jvp(func: Callable[..., Any], inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False) -> Any:
    """``(func(*inputs), J v)``: the product of the Jacobian with a vector, by forward mode in one pass.

    `inputs` is a Tensor or a tuple; `v` the same with the same shapes, optional for one input with a single element.
    The results are Tensors or tuples as `func` returns them; with `create_graph` they can be differentiated again. With
    `strict` an output that does not depend on any input, or an input that no output depends on, raises RuntimeError;
    otherwise its product is zero. What `func` does under `no_grad` is constant, as in PyTorch. If a custom Function on the
    way has no jvp, or `func` takes gradients at its inputs or registers hooks, it is run again and differentiated backward.

    TypeError for what is no Tensor, RuntimeError for wrong sizes.

    >>> gradkit.jvp(lambda x: x.exp().sum(dim=1), gradkit.zeros(2, 2), gradkit.ones(2, 2))
    (tensor([2., 2.]), tensor([2., 2.]))
    """
    xs, _ = _inputs(inputs, "jvp")
    vs = _vectors(v, xs, "jvp", _BY_INPUT)
    xs = _prepared(xs, create_graph)
    info: dict[str, Any] = {}
    function = _tupled(func, "jvp", info)
    if strict:
        leaves = [fresh_leaf(x) for x in xs]
        _check_outputs(recorded(function, leaves), leaves)
    try:
        outs, moved = _moved(function, [fresh_leaf(x) for x in xs] if create_graph else xs, vs)  # `v` may hang on `xs`
    except (NotImplementedError, Unrecorded):  # a custom Function has no jvp, or `func` differentiates itself
        outs, moved = _transposed_twice(function, xs, vs)
    if strict and create_graph:
        _check_results(moved)
    return _answer(outs, info["tuple"], create_graph), _answer(moved, info["tuple"], create_graph)


@_heeding(create_graph=3)
def vjp(func: Callable[..., Any], inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False) -> Any:
    """``(func(*inputs), v^T J)``: the product of a vector with the Jacobian, by reverse mode.

    `v` has the shapes of the outputs; it is optional for one output with a single element. Otherwise as `jvp`.

    >>> gradkit.vjp(lambda x: x * x, gradkit.tensor([1.0, 2.0]), gradkit.ones(2))
    (tensor([1., 4.]), tensor([2., 4.]))
    """
    xs, single = _inputs(inputs, "vjp")
    info: dict[str, Any] = {}
    leaves = [fresh_leaf(x) for x in _prepared(xs, create_graph)]
    ys = recorded(_tupled(func, "vjp", info), leaves)
    if strict:
        _check_outputs(ys, leaves)
    vs = _vectors(v, ys, "vjp", "the user-provided function returns")
    if v is None:
        check_real("vjp", ys, leaves)
    found = pull_lifted(list(ys), leaves, list(vs), final=not create_graph)
    if strict and create_graph:
        _check_results(found)
    return _answer(ys, info["tuple"], create_graph), _answer(found, not single, create_graph)


@_heeding(create_graph=2)
def jacobian(
    func: Callable[..., Any], inputs: Any, create_graph: bool = False, strict: bool = False, vectorize: bool = False,
    strategy: str = "reverse-mode", *, chunk_size: int | str | None = "auto",
) -> Any:
    """The Jacobian of `func` at `inputs`: the shape of an output followed by that of an input.

    A Tensor for one output and one input, else a tuple over outputs of tuples over inputs (one level for one of
    either). `strategy` is "reverse-mode", "forward-mode", or "auto": by sizes. All combinations are supported, and all
    are batched; but without `vectorize` hooks and custom Functions on the way back, which may look at numbers, are given one
    row after the other. `chunk_size` rows or columns are done at a time (None: all; 1: not batched; "auto": as many as
    `gradkit.func.set_memory_budget` allows). With `strict` an output that does not depend on an input raises RuntimeError;
    otherwise its block is zero.

    TypeError for what is no Tensor; for an unknown strategy what is both ValueError and AssertionError.

    >>> gradkit.jacobian(lambda x: 2 * x, gradkit.ones(2))
    tensor([[2., 0.],
            [0., 2.]])
    """
    _check_strategy(strategy)
    chunks.check(chunk_size, "jacobian")
    xs, single = _inputs(inputs, "jacobian")
    xs = _prepared(xs, create_graph)
    info: dict[str, Any] = {}
    function = _tupled(func, "jacobian", info)
    if strict:
        leaves = [fresh_leaf(x) for x in xs]
        _check_outputs(recorded(function, leaves), leaves, pairs=True)
    found = None
    if strategy == "forward-mode" and xs:
        found = jacobians.by_columns(function, xs, chunk_size, not create_graph)
    elif strategy == "auto" and xs:
        with suppress(NotImplementedError):
            found = jacobians.cheapest(function, xs, chunk_size, final=not create_graph)
    if found is None:
        leaves = [fresh_leaf(x) for x in xs]
        ys = recorded(function, leaves)
        check_real("jacobian", ys, leaves)
        found = [jacobians.rows(y, leaves, chunk_size, not create_graph, not vectorize) for y in ys]
    if strict and create_graph:
        for row in found:
            _check_results(row)
    blocks = tuple([_answer(row, not single, create_graph) for row in found])
    return blocks if info["tuple"] else blocks[0]


@_heeding(create_graph=2)
def hessian(
    func: Callable[..., Any], inputs: Any, create_graph: bool = False, strict: bool = False, vectorize: bool = False,
    outer_jacobian_strategy: str = "reverse-mode", *, chunk_size: int | str | None = "auto",
) -> Any:
    """The Hessian of `func`, which returns one number, at `inputs`: a Tensor, or for a tuple a tuple of tuples.

    The options are those of `jacobian`, which is taken of the gradient; with `strict` a gradient that does not depend on
    the inputs raises RuntimeError.

    >>> gradkit.autograd.functional.hessian(lambda x: (x ** 3).sum(), gradkit.ones(2))
    tensor([[6., 0.],
            [0., 6.]])
    """
    xs, single = _inputs(inputs, "hessian")
    if strict:
        _check_gradient(func, xs, "hessian")

    def gradient(*xs: Tensor) -> Any:
        return _gradient(func, xs, "hessian")

    found = jacobian(gradient, xs, create_graph, strict, vectorize, outer_jacobian_strategy, chunk_size=chunk_size)
    return found[0][0] if single else found


@_heeding(create_graph=3)
def hvp(func: Callable[..., Any], inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False) -> Any:
    """``(func(*inputs), H v)`` for `func` that returns one number: forward over reverse, or `vhp` where a custom Function
    on the way has no jvp.

    >>> gradkit.autograd.functional.hvp(lambda x: (x ** 3).sum(), gradkit.ones(2), gradkit.ones(2))
    (tensor(2.), tensor([6., 6.]))
    """
    xs, single = _inputs(inputs, "hvp")
    vs = _vectors(v, xs, "hvp", _BY_INPUT)
    if strict:
        _check_gradient(func, xs, "hvp")
    xs = _prepared(xs, create_graph)
    values: list[Tensor] = []

    def gradient(*xs: Tensor) -> Any:
        return (*_gradient(func, xs, "hvp", values), values[-1])

    try:
        outs, moved = _moved(gradient, xs, vs)
    except NotImplementedError:  # a custom Function has no jvp
        return vhp(func, inputs, v, create_graph, strict)
    except Unrecorded:
        outs, moved = _transposed_twice(gradient, xs, vs)
    if strict and create_graph:
        _check_results(moved[:-1], "hessian")
    return _answer(outs[-1:], False, create_graph), _answer(moved[:-1], not single, create_graph)


@_heeding(create_graph=3)
def vhp(func: Callable[..., Any], inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False) -> Any:
    """``(func(*inputs), v^T H)`` for `func` that returns one number: reverse over reverse.

    >>> gradkit.autograd.functional.vhp(lambda x: (x ** 3).sum(), gradkit.ones(2), gradkit.ones(2))
    (tensor(2.), tensor([6., 6.]))
    """
    xs, single = _inputs(inputs, "vhp")
    vs = _vectors(v, xs, "vhp", _BY_INPUT)
    if strict:
        _check_gradient(func, xs, "vhp")
    leaves = [fresh_leaf(x) for x in _prepared(xs, create_graph)]
    values: list[Tensor] = []
    gradients = recorded(lambda *xs: _gradient(func, xs, "vhp", values), leaves)
    found = pull_lifted(list(gradients), leaves, list(vs), final=not create_graph)
    if strict and create_graph:
        _check_results(found, "hessian")
    return _answer(values, False, create_graph), _answer(found, not single, create_graph)


# -- pieces
_BY_INPUT = "the input to the user-provided function is"


def _moved(function: Any, xs: Any, vs: Any) -> tuple[list[Tensor], list[Tensor]]:
    """Outputs and their jvp by forward mode."""
    level, ys = pushed(function, xs, vs, stilled=True)
    outs, moved = [], []
    for one in ys:
        y, t = apart(one, level)
        outs.append(y)
        moved.append(zeros(y) if t is None else t)
    return outs, moved


def _transposed_twice(function: Any, xs: Any, vs: Any) -> tuple[list[Tensor], list[Tensor]]:
    """Outputs and their jvp by reverse mode alone: v^T J is linear in v, and the transpose of that is J."""
    leaves = [fresh_leaf(x) for x in xs]
    ys = list(recorded(function, leaves))
    cts = [fresh_leaf(zeros(y)) for y in ys]
    with modes.mode(grad=True):
        return ys, pull_lifted(pull_lifted(ys, leaves, cts), cts, list(vs))


def _gradient(func: Any, xs: Any, name: str, values: list[Tensor] | None = None) -> tuple[Tensor, ...]:
    leaves = [fresh_leaf(x) for x in xs]
    (y,) = recorded(_tupled(func, name, {}, one=True), leaves)
    check_real(name, [y], leaves)
    if values is not None:
        values.append(y)
    return tuple(pull_lifted([y], leaves, [ones(y)]))


def _inputs(inputs: Any, name: str, what: str = "inputs") -> tuple[tuple[Tensor, ...], bool]:
    single = not isinstance(inputs, tuple)
    xs = (inputs,) if single else inputs
    for i, x in enumerate(xs):
        if not isinstance(x, Tensor):
            where = f"the given {what} has type" if single else f"the value at index {i} has type"
            advice = "; the transforms of gradkit.func take arrays" if hasattr(x, "dtype") else ""
            raise TypeError(
                f"The {what} given to {name} must be either a Tensor or a tuple of Tensors but {where} {type(x)}{advice}."
            )
    return xs, single


def _prepared(xs: tuple[Tensor, ...], create_graph: bool) -> tuple[Tensor, ...]:
    """With `create_graph` inputs with their history, or as leaves; otherwise cut off from it, tangents included."""
    for x in xs:
        check_differentiable(x, RuntimeError)
    if not create_graph:
        return tuple([wrap(x.array, batch=x.batch) for x in xs])
    return tuple([x if x.requires_grad else wrap(x.array, None, x.tangents, x.batch).requires_grad_() for x in xs])


def _tupled(func: Any, name: str, info: dict[str, Any], one: bool = False) -> Callable[..., tuple[Tensor, ...]]:
    """`func` with a tuple of outputs, which are checked; `info` learns whether it was one already."""

    def run(*xs: Tensor) -> tuple[Tensor, ...]:
        y = func(*xs)
        info["tuple"] = isinstance(y, tuple)
        ys = (y,) if type(y) is Tensor else _inputs(y, name, "outputs of the user-provided function")[0]
        if one and info["tuple"]:
            raise RuntimeError(f"The function given to {name} should return a single Tensor, not a tuple of {len(ys)}")
        if one and ys[0].numel() != 1:
            raise RuntimeError(
                f"The Tensor returned by the function given to {name} should contain a single element, not "
                f"{ys[0].numel()} of shape {tuple(ys[0].shape)}; reduce it, e.g. with .sum()"
            )
        return ys

    return run


def _vectors(v: Any, like: Any, name: str, whose: str) -> tuple[Tensor, ...]:
    if v is None:
        if len(like) != 1 or like[0].numel() != 1:
            raise RuntimeError(f"The vector v can only be None if {whose} a single Tensor with a single element.")
        return (ones(like[0]),)
    vs, _ = _inputs(v, name, "v")
    if len(vs) != len(like):
        raise RuntimeError(f"v is a tuple of invalid length: should be {len(like)} but got {len(vs)}.")
    for i, (given, x) in enumerate(zip(vs, like)):
        if (given.array.shape != x.array.shape or given.batch or x.batch) and given.shape != x.shape:
            entry = f"Entry {i} in v" if len(vs) > 1 else "v"
            raise RuntimeError(f"{entry} has invalid size: should be {x.shape} but got {given.shape}.")
        if (given.array.dtype.kind == "c") != (x.array.dtype.kind == "c"):
            raise RuntimeError(f"v and what it belongs to must both be complex or both real: got {given.dtype} for {x.dtype}.")
    return tuple([given if given.array.dtype is x.array.dtype else given.to(x.dtype) for given, x in zip(vs, like)])


def _answer(ys: Any, as_tuple: bool, create_graph: bool) -> Any:
    ys = tuple(ys) if create_graph else tuple([wrap(y.array, batch=y.batch) for y in ys])
    return ys if as_tuple else ys[0]


# -- strict
def _check_strategy(strategy: str) -> None:
    if strategy not in _STRATEGIES:
        raise UnknownStrategy(
            f'Expected strategy to be either "forward-mode" or "reverse-mode", or "auto", which takes forward-mode for '
            f"more outputs than inputs. Got {strategy!r}"
        )


def _check_outputs(ys: Any, leaves: list[Tensor], pairs: bool = False) -> None:
    """Raise RuntimeError where nothing depends on an input, or an output on nothing; with `pairs` on some input."""
    oldest = max([leaf.node.seq for leaf in leaves], default=1)
    behind = [set() if y.node is None else reachable([y.node], oldest) for y in ys]
    for i, (y, nodes) in enumerate(zip(ys, behind)):
        if y.node is None:
            raise RuntimeError(
                f"Output {i} of the user-provided function does not require gradients. "
                "The outputs must be computed in a differentiable manner from the input when running in strict mode."
            )
        for j, leaf in enumerate(leaves if pairs else ()):
            if leaf.node not in nodes:
                raise RuntimeError(
                    f"Output {i} of the user-provided function is independent of input {j}. This is not allowed in strict mode."
                )
    for j, leaf in enumerate(leaves):
        if not any([leaf.node in nodes for nodes in behind]):
            raise RuntimeError(
                f"The output of the user-provided function is independent of input {j}. This is not allowed in strict mode."
            )


def _check_results(found: Any, what: str = "jacobian") -> None:
    for j, g in enumerate(found):
        if not g.requires_grad:
            raise RuntimeError(
                f"The {what} of the user-provided function is independent of input {j}. This is not allowed in strict "
                "mode when create_graph=True."
            )


def _check_gradient(func: Any, xs: Any, name: str) -> None:
    """Raise RuntimeError where the gradient is independent of the inputs."""
    leaves = [fresh_leaf(x.detach()) for x in xs]
    (y,) = recorded(_tupled(func, name, {}, one=True), leaves)
    _check_outputs((y,), leaves, pairs=False)
    gradients = recorded(lambda *xs: _gradient(func, xs, name), leaves)
    for j, g in enumerate(gradients):
        if g.node is None:
            raise RuntimeError(
                f"While computing the hessian, found that the jacobian of the user-provided function with respect to input "
                f"{j} is independent of the input. This is not allowed in strict mode. You should ensure that your function "
                "is twice differentiable and that its gradient depends on the inputs, e.g. is not linear in them."
            )
