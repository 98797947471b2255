"""`Function`: an operation with derivatives of the user's own, entered through the same door as the rows.

A custom function becomes a primitive of its own whose step calls the user's backward. Forward mode and vmap take the
facets off first, as `bind` does for rows.
"""

import functools
import weakref
from collections.abc import Callable
from typing import Any

from gradkit.engine import batching, dtypes, modes
from gradkit.engine.node import Node, note
from gradkit.engine.operands import tensor_xp
from gradkit.engine.outputs import pick
from gradkit.engine.primitive import Primitive
from gradkit.engine.tangents import dual, strip, tangent
from gradkit.engine.tape import give
from gradkit.engine.tensor import Tensor, wrap
from gradkit.engine.versions import check_unwritten


class FunctionCtx:
    """What `forward` leaves for `backward` and `jvp`: saved tensors, flags, and any attribute the user sets."""

    def __init__(self) -> None:
        self.needs_input_grad: tuple[bool, ...] = ()
        self._kept: tuple[Any, ...] = ()  # Tensors and None as given; outputs are replaced by their number
        self._tangents_kept: tuple[Any, ...] = ()
        self._not_differentiable: set[int] = set()
        self._dirty: tuple[Any, ...] = ()
        self._materialize = True
        self._outputs: list[Any] = []
        self._batch: tuple[int, ...] = ()
        self._node: Any = lambda: None  # a weak reference, since the node holds this

    def save_for_backward(self, *tensors: Tensor | None) -> None:
        """Keep inputs, outputs or intermediate tensors for `backward`: writing them in place before it is an error."""
        self._kept = tensors

    def save_for_forward(self, *tensors: Tensor | None) -> None:
        """Keep tensors for `jvp`."""
        self._tangents_kept = tensors

    @property
    def saved_tensors(self) -> tuple[Any, ...]:
        """What was saved, as it was. RuntimeError if it was written in place since."""
        kept = self._kept or self._tangents_kept
        node = self._node()
        if node is not None:
            check_unwritten(node, [t.array for t in kept if isinstance(t, Tensor)])
        return tuple([self._output(k) if isinstance(k, int) else k for k in kept])

    def _output(self, i: int) -> Tensor:
        node = self._node()
        if node is not None and len(self._outputs) > 1:
            node = pick(node, i)
        return wrap(self._outputs[i], node, batch=self._batch)

    def mark_non_differentiable(self, *outputs: Tensor) -> None:
        """These outputs get no gradient."""
        self._not_differentiable = {id(t) for t in outputs}

    def mark_dirty(self, *inputs: Tensor) -> None:
        """These inputs were written in place and are returned."""
        self._dirty = inputs

    def set_materialize_grads(self, value: bool) -> None:
        """Whether `backward` is given zeros (the default) or None for outputs that were not used."""
        self._materialize = value


class Function:
    """An operation with its own derivative: subclass it, and call ``apply``.

    Static methods: ``forward(ctx, *args)``, or ``forward(*args)`` with ``setup_context(ctx, inputs, output)``;
    ``backward(ctx, *grad_outputs)``, one result for each argument (None for what needs no gradient); for forward mode
    ``jvp(ctx, *tangents)``; for vmap ``vmap(info, in_dims, *args)`` returning (output, out_dims), or
    ``generate_vmap_rule = True`` if `forward` and `backward` are made of gradkit's operations.

    Written with gradkit's operations, `backward` can be differentiated again.

    >>> import gradkit
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

    @staticmethod
    def jvp(ctx: Any, *grad_inputs: Any) -> Any:
        raise NotImplementedError(
            "You must implement the jvp function for custom autograd.Function to use it with forward mode AD."
        )

    @staticmethod
    def vmap(info: Any, in_dims: Any, *args: Any) -> Any:
        raise NotImplementedError(
            "To use autograd.Function with vmap, define a staticmethod vmap(info, in_dims, *args), or set "
            "generate_vmap_rule = True if it is made of gradkit's operations."
        )

    @classmethod
    def apply(cls, *args: Any) -> Any:
        """Run the function on `args`, of which Tensors that require grad (or carry tangents) are differentiated."""
        level = max([l for x in args if isinstance(x, Tensor) and x.tangents for l in x.tangents], default=0)
        if level:
            return _pushed(cls, level, args)
        levels = sorted({l for x in args if isinstance(x, Tensor) for l in x.batch})
        if levels and not cls.generate_vmap_rule:
            return _mapped(cls, levels[-1], args)
        return _recorded(cls, args)[0]


class VmapInfo:
    """What `Function.vmap` is told: the size of the batch, and what random operations may do."""

    def __init__(self, batch_size: int, randomness: str) -> None:
        self.batch_size, self.randomness = batch_size, randomness

    def __repr__(self) -> str:
        return f"VmapInfo(batch_size={self.batch_size}, randomness={self.randomness!r})"


def _recorded(cls: Any, args: tuple[Any, ...]) -> tuple[Any, FunctionCtx]:
    """Run forward, unrecorded, and put one node on the tape for it."""
    ctx = FunctionCtx()
    tensors = [x for x in args if isinstance(x, Tensor)]
    record = modes.local.grad and any([t.node is not None for t in tensors])
    ctx.needs_input_grad = tuple([isinstance(x, Tensor) and x.node is not None for x in args])
    with modes.mode(mute=1, grad=False):
        if cls.setup_context is Function.setup_context:
            result = cls.forward(ctx, *args)
        else:
            result = cls.forward(*args)
            cls.setup_context(ctx, args, result)
    several = isinstance(result, tuple)
    outs = list(result) if several else [result]
    for i, y in enumerate(outs):
        if any([y is x for x in tensors]) and not any([y is d for d in ctx._dirty]):
            outs[i] = wrap(y.array, None, y.tangents, y.batch)  # an input returned as it is: a value of its own
    places = {id(y): i for i, y in enumerate(result if several else [result])}
    mine = [t for t in ctx._kept if isinstance(t, Tensor)]
    ctx._kept = tuple([_kept(t, places, tensors) for t in ctx._kept])
    ctx._outputs = [y.array if isinstance(y, Tensor) else None for y in outs]
    ctx._batch = outs[0].batch if isinstance(outs[0], Tensor) else ()
    if record:
        node = _node_for(cls, ctx, args, outs, bool(mine))
        for i, y in enumerate(outs):
            given = result[i] if several else result
            if isinstance(y, Tensor) and dtypes.differentiable(y.dtype) and id(given) not in ctx._not_differentiable:
                y.node = pick(node, i) if len(outs) > 1 else node
    return (tuple(outs) if several else outs[0]), ctx


def _kept(t: Any, outputs: dict[int, int], inputs: list[Tensor]) -> Any:
    """A saved tensor without a link back to its user-visible object: no cycle through `grad` arises."""
    if t is None or not isinstance(t, Tensor):
        return t
    if any([t is x for x in inputs]):
        return wrap(t.array, t.node, t.tangents, t.batch)
    return outputs.get(id(t), t)


def _node_for(cls: Any, ctx: FunctionCtx, args: Any, outs: list[Any], kept: bool) -> Node:
    places = [i for i, x in enumerate(args) if isinstance(x, Tensor)]
    parents = tuple([args[i].node for i in places])
    batches = [args[i].batch for i in places]
    prim = Primitive(
        name=cls.__name__, family="custom", arity=None, forward=cls.forward, run=cls.forward, jvp=None, keeps=(),
        outputs=len(outs), title=f"{cls.__name__}Backward", kept=kept,
        step=functools.partial(_step, cls, places, batches),
    )  # fmt: skip
    likes = [(y.array.shape, y.array.dtype) if isinstance(y, Tensor) else None for y in outs]
    node = note(Node(), prim, parents, (ctx,), None, likes if len(outs) > 1 else likes[0])
    ctx._node = weakref.ref(node)
    return node


def _step(
    cls: Any, places: Any, batches: Any, xp: Any, ct: Any, node: Node, saved: Any, cts: Any, heap: Any, needed: Any
) -> None:
    (ctx,) = saved
    record = xp is tensor_xp
    given = ct if node.prim.outputs > 1 else [ct]
    grads = [_given(ctx, i, c, record) for i, c in enumerate(given)]
    with modes.mode(grad=modes.local.grad and record, mute=0 if record else 1):
        found = cls.backward(ctx, *grads)
    found = found if isinstance(found, tuple | list) else (found,)
    if len(found) < len(ctx.needs_input_grad) or any([g is not None for g in found[len(ctx.needs_input_grad) :]]):
        raise RuntimeError(
            f"function {node.prim.title} returned an incorrect number of gradients (expected "
            f"{len(ctx.needs_input_grad)}, got {len(found)})"
        )
    for parent, place, batch in zip(node.parents, places, batches):
        g = found[place]
        if parent is None or g is None or (needed is not None and parent not in needed):
            continue
        if not isinstance(g, Tensor):
            raise TypeError(
                f"{node.prim.title}: backward must return Tensors or None, got {type(g).__name__} for argument {place}"
            )
        give(xp, parent, _physical(xp, g, batch, parent, record), cts, heap)


def _given(ctx: FunctionCtx, i: int, c: Any, record: bool) -> Any:
    if c is None:
        raw = ctx._outputs[i]
        return wrap(raw * 0, batch=ctx._batch) if ctx._materialize and raw is not None else None
    node = c.node if record else None
    riding = c.batch if record else ()
    return wrap(c.array if record else c, node, None, (*riding, *ctx._batch))


def _physical(xp: Any, g: Tensor, batch: Any, parent: Node, record: bool) -> Any:
    """A gradient in the layout of its argument's array: batch axes that only it has come first."""
    if g.batch:
        extra = tuple([l for l in g.batch if l not in batch])
        order = [l for l in g.batch if l in extra] + [l for l in g.batch if l in batch]
        axes = [g.batch.index(l) for l in order]
        raw = wrap(g.array, g.node)
        if axes != sorted(axes):
            raw = tensor_xp.permute(raw, (*axes, *range(len(axes), raw.ndim)))
        g = raw
    return g if record else g.array


def _pushed(cls: Any, level: int, args: tuple[Any, ...]) -> Any:
    """Forward mode: forward on the primals, then the user's jvp on the tangents."""
    primals = tuple([strip(x, level) for x in args])
    ts = tuple([tangent(x, level) for x in args])
    if any([isinstance(x, Tensor) and x.tangents for x in primals]):
        raise RuntimeError(f"{cls.__name__}: a custom Function under nested forward mode is not supported")
    out, ctx = _recorded(cls, primals)
    if ctx._materialize:
        ts = tuple([_zero_tangent(x) if t is None else t for x, t in zip(primals, ts)])
    moved = cls.jvp(ctx, *ts)
    if not isinstance(out, tuple):
        return dual(out, level, moved)
    return tuple([dual(y, level, t) if isinstance(y, Tensor) else y for y, t in zip(out, moved)])


def _zero_tangent(x: Any) -> Tensor | None:
    return wrap(x.array * 0, batch=x.batch) if isinstance(x, Tensor) and dtypes.differentiable(x.dtype) else None


def _mapped(cls: Any, level: int, args: tuple[Any, ...]) -> Any:
    """vmap by the user's rule: the batch axis of the innermost level as an ordinary first axis."""
    size = next(x.array.shape[x.batch.index(level)] for x in args if isinstance(x, Tensor) and level in x.batch)
    in_dims = tuple([0 if isinstance(x, Tensor) and level in x.batch else None for x in args])
    plain = [batching.leave(x, level, size) if d == 0 else x for x, d in zip(args, in_dims)]
    out, out_dims = cls.vmap(VmapInfo(size, modes.local.randomness), in_dims, *plain)
    if not isinstance(out, tuple):
        return _entered(out, out_dims, level)
    dims = out_dims if isinstance(out_dims, tuple) else (out_dims,) * len(out)
    return tuple([_entered(y, d, level) for y, d in zip(out, dims)])


def _entered(y: Any, dim: int | None, level: int) -> Any:
    if dim is None or not isinstance(y, Tensor):
        return y
    return batching.enter(y if dim == 0 else y.movedim(dim, 0), level)


def once_differentiable(backward: Callable[..., Any]) -> Callable[..., Any]:
    """For a `backward` that is not made of gradkit's operations: differentiating its result again raises RuntimeError.

    >>> import gradkit
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
    )  # fmt: skip
    return wrap(g.array, note(Node(), prim, (), (None,), None, (g.array.shape, g.array.dtype)), g.tangents, g.batch)
