"""`Function`: an operation with derivatives of the user's own, entered through the same door as the rows.

A custom function becomes a primitive of its own whose step calls the user's backward. Forward mode and vmap take the
facets off first, as `bind` does for rows.
"""

import functools
import inspect
import warnings
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np

from gradkit.autograd.function_context import FunctionCtx, FunctionNode, Saved, among, settle
from gradkit.autograd.function_walk import Call, step
from gradkit.backend.protocol import backends, beside
from gradkit.engine import batching, dtypes, inplace, modes, watching
from gradkit.engine.node import Node, note
from gradkit.engine.operands import on_one_device
from gradkit.engine.outputs import pick
from gradkit.engine.primitive import Primitive
from gradkit.engine.tangents import dual, halted, strip, tangent, top_level
from gradkit.engine.tape import note_stream
from gradkit.engine.tensor import Tensor, wrap
from gradkit.engine.versions import owner, stamp


class Function:
    """An operation with its own derivative: subclass it, and call ``apply``.

    Static methods: ``forward(ctx, *args)``, or ``forward(*args)`` with ``setup_context(ctx, inputs, output)``;
    ``backward(ctx, *grad_outputs)``, also named `vjp`, one result for each argument (None for what needs no gradient);
    for forward mode ``jvp(ctx, *tangents)``; for vmap ``vmap(info, in_dims, *args)`` returning (output, out_dims), or
    ``generate_vmap_rule = True`` if `forward` and `backward` are made of gradkit's operations.

    Written with gradkit's operations, `backward` can be differentiated again.

    >>> class Cube(gradkit.autograd.Function):
    ...     @staticmethod
    ...     def forward(ctx, x):
    ...         ctx.save_for_backward(x)
    ...         return x * x * x
    ...     @staticmethod
    ...     def backward(ctx, ct):
    ...         x, = ctx.saved_tensors
    ...         return ct * 3 * x * x
    >>> x = gradkit.tensor(2.0, requires_grad=True)
    >>> Cube.apply(x).backward(); x.grad
    tensor(12.)
    """

    generate_vmap_rule = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        warnings.warn(
            f"{type(self)} should not be instantiated. Methods on autograd functions are all static, so invoke them on "
            "the class itself: use apply().",
            DeprecationWarning,
            stacklevel=2,
        )

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        raise RuntimeError(
            "Legacy autograd function with non-static forward method is deprecated. Make forward and backward static "
            f"methods and call {type(self).__name__}.apply(...)."
        )

    @staticmethod
    def forward(*args: Any, **kwargs: Any) -> Any:
        raise NotImplementedError("You must implement the forward function for custom autograd.Function.")

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Any) -> Any:
        raise NotImplementedError("setup_context is not implemented.")

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Any) -> Any:
        raise NotImplementedError(
            "You must implement either the backward or vjp method for your custom autograd.Function to use it with "
            "backward mode AD."
        )

    vjp = backward

    @staticmethod
    def jvp(ctx: Any, *grad_inputs: Any) -> Any:
        raise NotImplementedError(
            "You must implement the jvp function for custom autograd.Function to use it with forward mode AD."
        )

    @staticmethod
    def vmap(info: Any, in_dims: Any, *args: Any) -> Any:
        raise NotImplementedError("To use autograd.Function with vmap, define vmap or set generate_vmap_rule = True.")

    @classmethod
    def apply(cls, *args: Any, **kwargs: Any) -> Any:
        """Run the function on `args`, of which Tensors that require grad (or carry tangents) are differentiated.

        Keywords are put in their place among the arguments of `forward`.
        """
        if kwargs or (cls.setup_context is not Function.setup_context and _parameters(cls.forward) > len(args)):
            args = _in_order(cls, args, kwargs)
        out, ctx = _run(cls, args)
        if ctx is not None:
            ctx.saved_for_forward = None
        return out


class VmapInfo:
    """What `Function.vmap` is told: the size of the batch, and what random operations may do."""

    def __init__(self, batch_size: int, randomness: str) -> None:
        self.batch_size, self.randomness = batch_size, randomness

    def __repr__(self) -> str:
        return f"VmapInfo(batch_size={self.batch_size}, randomness={self.randomness!r})"


def _parameters(function: Any) -> int:
    code = getattr(function, "__code__", None)
    return code.co_argcount if code else 0


def _in_order(cls: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, ...]:
    """Keywords among the positional arguments; with `setup_context`, defaults as well."""
    signature = inspect.signature(cls.forward)
    if cls.setup_context is not Function.setup_context:
        bound = signature.bind(*args, **kwargs)
        bound.apply_defaults()
        return bound.args
    return signature.bind(None, *args, **kwargs).args[1:]


def _run(cls: Any, args: tuple[Any, ...]) -> tuple[Any, FunctionCtx | None]:
    levels = sorted({level for x in args if isinstance(x, Tensor) for level in x.batch})
    if levels and not _generates_vmap_rule(cls):
        return _mapped(cls, levels[-1], args), None
    level = top_level(*[x for x in args if isinstance(x, Tensor)])
    return _pushed(cls, level, args) if level else _recorded(cls, args)


# -- the plain case
def _recorded(cls: Any, args: tuple[Any, ...]) -> tuple[Any, FunctionCtx]:
    """Run forward, unrecorded, and put one node on the tape for it."""
    needs = tuple([isinstance(x, Tensor) and x.node is not None for x in args])
    if modes.local.both_ways and not modes.local.grad:
        modes.local.both_ways.without(args)
    ctx = FunctionCtx(needs)
    record = modes.local.grad and any(needs) and not modes.local.inference
    with modes.mode(mute=1, grad=False):
        if cls.setup_context is Function.setup_context:
            result = cls.forward(ctx, *args)
        else:
            result = cls.forward(*args)
            cls.setup_context(ctx, args, result)
    several = isinstance(result, tuple)
    results = list(result) if several else [result]
    saved = settle(ctx, args, results, record)
    for d in ctx.dirty_tensors:
        _check_dirty(cls, d, record)
    if not record or not any([isinstance(y, Tensor) for y in results]):
        ctx._saved = saved
        return result, ctx
    outs = [y if not isinstance(y, Tensor) else _own(y, args, ctx.dirty_tensors, results[:i]) for i, y in enumerate(results)]
    node = _node_for(cls, ctx, args, outs, saved)
    for i, (y, given) in enumerate(zip(outs, results)):
        if not isinstance(y, Tensor) or not dtypes.differentiable(y.dtype):
            continue
        if among(given, ctx.non_differentiable):
            continue
        place = pick(node, i) if len(outs) > 1 else node
        if among(y, ctx.dirty_tensors):  # all views of its memory get the new history
            inplace.revise(y, wrap(y.array, place))
        else:
            y.node = place
    return (tuple(outs) if several else outs[0]), ctx


def _check_dirty(cls: Any, d: Tensor, record: bool) -> None:
    if record and d.node is not None and d.node.is_leaf:
        raise RuntimeError(
            f"a leaf Variable that requires grad has been used in an in-place operation: {cls.__name__} marked it "
            "dirty; apply it to a clone()"
        )
    if isinstance(d.array, np.generic):
        d.array = np.asarray(d.array)
    stamp(d.array, cls.__name__)


def _own(y: Tensor, args: tuple[Any, ...], dirty: tuple[Tensor, ...], before: list[Any]) -> Tensor:
    """An output as a tensor of its own. One that shows an input's memory must not be written: `backward` is the user's."""
    if dirty and among(y, dirty):
        return y
    if y.node is not None or among(y, args) or among(y, before):
        y = wrap(y.array, None, y.tangents, y.batch)
    if y._view is not None:
        y._view = None
    memory = owner(y.array)
    if any([isinstance(x, Tensor) and memory is owner(x.array) for x in args]):
        y._frozen = (
            "Output of a custom Function is a view of its input and is being modified inplace, which would override "
            "the Function's backward. Return a clone() from forward"
        )
    return y


def _node_for(cls: Any, ctx: FunctionCtx, args: Any, outs: list[Any], saved: Saved) -> Node:
    places = [i for i, x in enumerate(args) if isinstance(x, Tensor)]
    parents = tuple([args[i].node for i in places])
    batches = [args[i].batch for i in places]
    likes = [(y.array.shape, y.array.dtype) if isinstance(y, Tensor) else None for y in outs]
    shown = [(y.array.shape, y.array.dtype, y.batch) if isinstance(y, Tensor) else None for y in outs]
    first = next(y.array for y in outs if isinstance(y, Tensor))
    near = None if isinstance(first, np.ndarray | np.generic) else beside(first, "empty", 0)
    node = FunctionNode()
    node.ctx = ctx
    node.call = Call(_backward_of(cls), ctx, places, batches, shown, near)
    prim = _row_of(cls, len(outs), bool(saved.kept))
    note(node, prim, parents, (None, saved), None, likes if len(outs) > 1 else likes[0])
    if len(backends) > 1:
        note_stream(node, first)
    ctx._node = weakref.ref(node)
    if modes.local.anomaly:
        watching.note_forward(node)
    return node


def _row_of(cls: Any, outputs: int, kept: bool) -> Primitive:
    """What stands for a class of functions on the tape: made once, for making one costs as much as a node."""
    rows = cls.__dict__.get("_rows")
    if rows is None:
        cls._rows = rows = {}
    row: Primitive | None = rows.get((outputs, kept))
    if row is None:
        row = rows[outputs, kept] = Primitive(
            name=cls.__name__, family="custom", arity=None, forward=cls.forward, run=cls.forward, jvp=None, keeps=(),
            outputs=outputs, title=f"{cls.__name__}Backward", kept=kept, step=step,
        )
    return row


def _backward_of(cls: Any) -> Callable[..., Any]:
    if cls.backward is Function.backward:
        return cls.vjp
    if cls.vjp is not Function.vjp:
        raise RuntimeError(
            f"Implementing both 'backward' and 'vjp' for a custom Function is not allowed ({cls.__name__}). You should "
            "only implement one of them."
        )
    return cls.backward


# -- forward mode
def _pushed(cls: Any, level: int, args: tuple[Any, ...]) -> tuple[Any, FunctionCtx | None]:
    """The function of the primals, then the user's jvp on the tangents. The primals may carry those of lower levels."""
    primals = tuple([strip(x, level) for x in args])
    if halted(level):
        return _run(cls, primals)
    ts = tuple([tangent(x, level) for x in args])
    out, ctx = _run(cls, primals)
    assert ctx is not None
    outs = out if isinstance(out, tuple) else (out,)
    if ctx.materialize_grads:
        ts = tuple([_zero_tangent(x) if t is None else t for x, t in zip(primals, ts)])
    ctx._at = primals, outs
    try:
        moved = cls.jvp(ctx, *ts)
    finally:
        ctx._at = None
    moved = moved if isinstance(moved, tuple) else (moved,)
    if len(moved) != len(outs):
        raise RuntimeError(
            f"Function's jvp returned an invalid number of forward gradients (expected {len(outs)} but got "
            f"{len(moved)}): {cls.__name__}"
        )
    both = tuple([_dual(cls, y, level, t) for y, t in zip(outs, moved)])
    return (both if isinstance(out, tuple) else both[0]), ctx


def _dual(cls: Any, y: Any, level: int, t: Any) -> Any:
    if t is None or not isinstance(y, Tensor):
        return y
    if not isinstance(t, Tensor):
        raise TypeError(f"{cls.__name__}.jvp must return Tensors or None, got {type(t).__name__}")
    if t.shape != y.shape:
        raise RuntimeError(
            "Trying to set a forward gradient that has a different size than that of the original Tensor: "
            f"{cls.__name__}.jvp gave shape {tuple(t.shape)} for an output of shape {tuple(y.shape)}"
        )
    return dual(y, level, t)


@on_one_device
def _zero_tangent(x: Any) -> Tensor | None:
    return wrap(x.array * 0, batch=x.batch) if isinstance(x, Tensor) and dtypes.differentiable(x.dtype) else None


# -- vmap
def _generates_vmap_rule(cls: Any) -> bool:
    own = cls.vmap is not Function.vmap
    if cls.generate_vmap_rule and own:
        raise RuntimeError(
            f"You tried to vmap over {cls.__name__}, but it has both generate_vmap_rule=True and an overridden vmap "
            "staticmethod. Set generate_vmap_rule=False or delete the vmap staticmethod."
        )
    if not cls.generate_vmap_rule and not own:
        raise RuntimeError(
            f"You tried to vmap over {cls.__name__}, but it does not have vmap support. Implement the vmap "
            "staticmethod, or set generate_vmap_rule=True if it is made of gradkit's operations."
        )
    return bool(cls.generate_vmap_rule)


def _mapped(cls: Any, level: int, args: tuple[Any, ...]) -> Any:
    """vmap by the user's rule: the batch axis of the innermost level as an ordinary first axis."""
    if modes.closed:
        args = tuple([batching.living(x) if isinstance(x, Tensor) else x for x in args])
    size = next(x.array.shape[x.batch.index(level)] for x in args if isinstance(x, Tensor) and level in x.batch)
    in_dims = tuple([0 if isinstance(x, Tensor) and level in x.batch else None for x in args])
    plain = [batching.leave(x, level, size) if d == 0 else x for x, d in zip(args, in_dims)]
    with modes.mode(batches=tuple([place for place in modes.local.batches if place[0] != level])):
        found = cls.vmap(VmapInfo(size, modes.local.randomness), in_dims, *plain)
    if not isinstance(found, tuple) or len(found) != 2:
        raise RuntimeError(
            "Expected the vmap staticmethod to have two returns, an output and out_dims with pytree structure "
            f"compatible with the output. {cls.__name__} gave {type(found)} instead"
        )
    out, out_dims = found
    if not isinstance(out, tuple):
        return _entered(out, out_dims, level)
    dims = out_dims if isinstance(out_dims, tuple) else (out_dims,) * len(out)
    if len(dims) != len(out):
        raise RuntimeError(f"{cls.__name__}.vmap returned {len(out)} outputs and out_dims={out_dims}: one is needed for each")
    return tuple([_entered(y, d, level) for y, d in zip(out, dims)])


def _entered(y: Any, dim: int | None, level: int) -> Any:
    if dim is None or not isinstance(y, Tensor):
        return y
    return batching.enter(y if dim == 0 else y.movedim(dim, 0), level)


def once_differentiable(backward: Callable[..., Any]) -> Callable[..., Any]:
    """For a `backward` that is not made of gradkit's operations: differentiating its result again raises RuntimeError.

    >>> from gradkit.autograd.function import once_differentiable
    >>> once_differentiable(lambda ctx, ct: ct * 2)(None, gradkit.ones(1))
    tensor([2.])
    """

    @functools.wraps(backward)
    def run(ctx: Any, *grads: Any) -> Any:
        recorded = modes.local.grad
        with modes.mode(mute=1, grad=False):
            found = backward(ctx, *grads)
        if not recorded or not any([isinstance(g, Tensor) and g.requires_grad for g in grads]):
            return found
        several = isinstance(found, tuple)
        barred = [_barred(g) if isinstance(g, Tensor) else g for g in (found if several else (found,))]
        return tuple(barred) if several else barred[0]

    return run


def _barred(g: Tensor) -> Tensor:
    def step(*_: Any) -> None:
        raise RuntimeError("trying to differentiate twice a function that was marked with @once_differentiable")

    prim = Primitive(
        name="once_differentiable", family="custom", arity=1, forward=step, run=step, jvp=None, step=step,
        title="OnceDifferentiableBackward",
    )
    return wrap(g.array, note(Node(), prim, (), (None,), None, (g.array.shape, g.array.dtype)), g.tangents, g.batch)
