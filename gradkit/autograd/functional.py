"""Products with Jacobians and Hessians, and these themselves, with the signatures of `torch.autograd.functional`."""

from collections.abc import Callable
from typing import Any

from gradkit.engine.node import reachable
from gradkit.engine.tensor import Tensor
from gradkit.func import tree
from gradkit.func.transforms import jacfwd as _jacfwd
from gradkit.func.transforms import jacrev as _jacrev
from gradkit.func.transforms import jvp as _jvp
from gradkit.func.transforms import vjp as _vjp

_STRATEGIES = ("reverse-mode", "forward-mode", "auto")


def jvp(func: Callable[..., Any], inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False) -> Any:
    """``(func(*inputs), J v)``: the product of the Jacobian with a vector, by forward mode in one pass.

    `inputs` is a Tensor or a tuple; `v` the same with the same shapes, optional for one input with a single element.
    The results are Tensors or tuples as `func` returns them; with `create_graph` they can be differentiated again. With
    `strict` an output that does not depend on any input raises RuntimeError; otherwise its product is zero.

    Raises TypeError for what is no Tensor, RuntimeError for wrong sizes.

    >>> import gradkit
    >>> gradkit.jvp(lambda x: x.exp().sum(dim=1), gradkit.zeros(2, 2), gradkit.ones(2, 2))
    (tensor([2., 2.]), tensor([2., 2.]))
    """
    xs, _ = _inputs(inputs, "jvp")
    vs = _vectors(v, xs, "v", "the input to the user-provided function")
    xs = _prepared(xs, create_graph)
    info: dict[str, Any] = {}
    outs, moved = _jvp(_tupled(func, "jvp", info), xs, vs, strict=False)
    if strict:
        _strict(func, xs)
    return _answer(outs, info["tuple"], create_graph), _answer(moved, info["tuple"], create_graph)


def vjp(func: Callable[..., Any], inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False) -> Any:
    """``(func(*inputs), v^T J)``: the product of a vector with the Jacobian, by reverse mode.

    `v` has the shapes of the outputs; it is optional for one output with a single element. Otherwise as `jvp`.

    >>> import gradkit
    >>> gradkit.vjp(lambda x: x * x, gradkit.tensor([1.0, 2.0]), gradkit.ones(2))
    (tensor([1., 4.]), tensor([2., 4.]))
    """
    xs, single = _inputs(inputs, "vjp")
    xs = _prepared(xs, create_graph)
    info: dict[str, Any] = {}
    outs, back = _vjp(_tupled(func, "vjp", info), *xs)
    if strict:
        _strict(func, xs)
    vs = _vectors(v, outs, "v", "the output of the user-provided function")
    found = back(vs)
    return _answer(outs, info["tuple"], create_graph), _answer(found, not single, create_graph)


def jacobian(
    func: Callable[..., Any],
    inputs: Any,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    strategy: str = "reverse-mode",
) -> Any:
    """The Jacobian of `func` at `inputs`: the shape of an output followed by that of an input.

    A Tensor for one output and one input, else a tuple over outputs of tuples over inputs (one level for one of
    either). `strategy` is "reverse-mode", "forward-mode", or "auto": by sizes. All combinations are supported, and all
    are batched: `vectorize` is accepted and makes no difference to the values.

    >>> import gradkit
    >>> gradkit.jacobian(lambda x: 2 * x, gradkit.ones(2))
    tensor([[2., 0.],
            [0., 2.]])
    """
    if strategy not in _STRATEGIES:
        raise ValueError(f"Expected strategy to be one of {', '.join(map(repr, _STRATEGIES))}. Hint: got {strategy!r}")
    xs, single = _inputs(inputs, "jacobian")
    xs = _prepared(xs, create_graph)
    info: dict[str, Any] = {}
    function = _tupled(func, "jacobian", info)
    if strict or strategy == "auto":
        outs, _ = _vjp(function, *xs)
        if strict:
            _strict(func, xs)
        if strategy == "auto":
            fewer = sum([x.numel() for x in xs]) < sum([y.numel() for y in outs])
            strategy = "forward-mode" if fewer else "reverse-mode"
    every = tuple(range(len(xs)))
    rows = (_jacfwd if strategy == "forward-mode" else _jacrev)(function, every)(*xs)
    if not create_graph:
        rows = tree.mapped(Tensor.detach, rows)
    blocks = [row[0] if single else tuple(row) for row in rows]
    return tuple(blocks) if info["tuple"] else blocks[0]


def hessian(
    func: Callable[..., Any],
    inputs: Any,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    outer_jacobian_strategy: str = "reverse-mode",
) -> Any:
    """The Hessian of `func`, which returns one number, at `inputs`: a Tensor, or for a tuple a tuple of tuples.

    >>> import gradkit
    >>> gradkit.autograd.functional.hessian(lambda x: (x ** 3).sum(), gradkit.ones(2))
    tensor([[6., 0.],
            [0., 6.]])
    """
    xs, single = _inputs(inputs, "hessian")

    def gradient(*xs: Tensor) -> Any:
        return _gradient(func, xs, "hessian", strict)

    found = jacobian(gradient, xs, create_graph, strict, vectorize, outer_jacobian_strategy)
    return found[0][0] if single else found


def hvp(func: Callable[..., Any], inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False) -> Any:
    """``(func(*inputs), H v)`` for `func` that returns one number: forward over reverse.

    >>> import gradkit
    >>> gradkit.autograd.functional.hvp(lambda x: (x ** 3).sum(), gradkit.ones(2), gradkit.ones(2))
    (tensor(2.), tensor([6., 6.]))
    """
    xs, single = _inputs(inputs, "hvp")
    vs = _vectors(v, xs, "v", "the input to the user-provided function")
    xs = _prepared(xs, create_graph)
    values: list[Tensor] = []

    def gradient(*xs: Tensor) -> Any:
        return _gradient(func, xs, "hvp", strict, values)

    _, moved = _jvp(gradient, xs, vs)
    value = _answer((_primal(values[0]),), False, create_graph)
    return value, _answer(moved, not single, create_graph)


def vhp(func: Callable[..., Any], inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False) -> Any:
    """``(func(*inputs), v^T H)`` for `func` that returns one number: reverse over reverse.

    >>> import gradkit
    >>> gradkit.autograd.functional.vhp(lambda x: (x ** 3).sum(), gradkit.ones(2), gradkit.ones(2))
    (tensor(2.), tensor([6., 6.]))
    """
    xs, single = _inputs(inputs, "vhp")
    vs = _vectors(v, xs, "v", "the input to the user-provided function")
    xs = _prepared(xs, create_graph)
    values: list[Tensor] = []
    _, back = _vjp(lambda *xs: _gradient(func, xs, "vhp", strict, values), *xs)
    found = back(vs)
    return _answer((values[0].detach(),), False, create_graph), _answer(found, not single, create_graph)


# -- pieces ----------------------------------------------------------------------------------------------------------
def _gradient(func: Any, xs: Any, name: str, strict: bool, values: list[Tensor] | None = None) -> tuple[Tensor, ...]:
    info: dict[str, Any] = {}
    (y,), back = _vjp(_tupled(func, name, info, one=True), *xs)
    if strict:
        _strict(func, xs)
    if values is not None:
        values.append(y)
    from gradkit.creation import ones_like

    return back((ones_like(y),))


def _primal(y: Tensor) -> Tensor:
    return y if not y.tangents else type(y).detach(_bare(y))


def _bare(y: Tensor) -> Tensor:
    from gradkit.engine.tensor import wrap

    return wrap(y.array, y.node, None, y.batch)


def _inputs(inputs: Any, name: str) -> tuple[tuple[Tensor, ...], bool]:
    single = not isinstance(inputs, tuple)
    xs = (inputs,) if single else inputs
    for i, x in enumerate(xs):
        if not isinstance(x, Tensor):
            where = f"The inputs given to {name}" if single else f"Element {i} of the inputs given to {name}"
            advice = f"; gradkit.func.{name} takes arrays" if hasattr(x, "dtype") else ""
            raise TypeError(f"{where} must be either a Tensor or a tuple of Tensors but is {type(x).__name__}{advice}")
    return xs, single


def _prepared(xs: tuple[Tensor, ...], create_graph: bool) -> tuple[Tensor, ...]:
    """With `create_graph` inputs with their history, or as leaves; otherwise cut off from it."""
    return tuple([x if create_graph and x.requires_grad else _leaf(x) if create_graph else x.detach() for x in xs])


def _leaf(x: Tensor) -> Tensor:
    return x.detach().requires_grad_()


def _tupled(func: Any, name: str, info: dict[str, Any], one: bool = False) -> Callable[..., tuple[Tensor, ...]]:
    """`func` with a tuple of outputs, which are checked; `info` learns whether it was one already."""

    def run(*xs: Tensor) -> tuple[Tensor, ...]:
        y = func(*xs)
        info["tuple"] = isinstance(y, tuple)
        ys = y if isinstance(y, tuple) else (y,)
        for i, out in enumerate(ys):
            if not isinstance(out, Tensor):
                where = f"Element {i} of the outputs" if info["tuple"] else "The outputs"
                raise TypeError(
                    f"{where} of the user-provided function given to {name} must be either a Tensor or a tuple of "
                    f"Tensors but is {type(out).__name__}."
                )
        if one and (info["tuple"] or ys[0].numel() != 1):
            raise RuntimeError(
                f"The {'tuple of Tensors' if info['tuple'] else 'Tensor'} returned by the function given to {name} "
                f"should contain a single element{'' if info['tuple'] else f', not {tuple(ys[0].shape)}'}"
            )
        return ys

    return run


def _vectors(v: Any, like: Any, name: str, whose: str) -> tuple[Tensor, ...]:
    if v is None:
        if len(like) != 1 or like[0].numel() != 1:
            raise RuntimeError(
                f"The vector {name} can only be None if {whose} is a single Tensor with a single element."
            )
        from gradkit.creation import ones_like

        return (ones_like(like[0]),)
    vs, _ = _inputs(v, name)
    if len(vs) != len(like):
        raise RuntimeError(f"{name} is a tuple of invalid length: should be {len(like)} but got {len(vs)}.")
    for i, (given, x) in enumerate(zip(vs, like)):
        if given.shape != x.shape:
            entry = f"Entry {i} in {name}" if len(vs) > 1 else name
            raise RuntimeError(f"{entry} has invalid size: should be {x.shape} but got {given.shape}.")
    return tuple([given if given.dtype == x.dtype else given.to(x.dtype) for given, x in zip(vs, like)])


def _answer(ys: Any, as_tuple: bool, create_graph: bool) -> Any:
    ys = tuple([y if create_graph else y.detach() for y in ys])
    return ys if as_tuple else ys[0]


def _strict(func: Any, xs: Any) -> None:
    """Raise RuntimeError where an output does not depend on an input."""
    for j in range(len(xs)):
        leaves = [x.detach().requires_grad_() if i == j else x.detach() for i, x in enumerate(xs)]
        y = func(*leaves)
        for i, out in enumerate(y if isinstance(y, tuple) else (y,)):
            if out.node is None or leaves[j].node not in reachable([out.node], leaves[j].node.seq):
                raise RuntimeError(
                    f"Output {i} of the user-provided function is independent of input {j}. This is not allowed in "
                    "strict mode."
                )
