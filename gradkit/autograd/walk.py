"""`backward` and `grad`: seeds, a walk, and what becomes of the cotangents it brings back."""

import sys
import warnings
from collections.abc import Iterable
from typing import Any

import numpy as np

from gradkit import errors
from gradkit.autograd.graph import GradientEdge
from gradkit.backend.protocol import backends, beside
from gradkit.engine import modes, watching
from gradkit.engine.device import elsewhere
from gradkit.engine.inplace import lifted
from gradkit.engine.node import reachable
from gradkit.engine.products import settle
from gradkit.engine.tangents import no_history
from gradkit.engine.tape import OWNED, pull
from gradkit.engine.tensor import Tensor, wrap
from gradkit.engine.versions import stamp


def backward(
    tensors: Any, grad_tensors: Any = None, retain_graph: bool | None = None, create_graph: bool = False,
    grad_variables: Any = None, inputs: Any = None,
) -> None:
    """Add the gradient of the sum of `tensors`, each weighted with its `grad_tensors`, to `grad` of the leaves.

    `tensors` is a tensor, a `graph.GradientEdge` or several; `grad_tensors` has one of the same shape for each, or None
    for one with a single element. `retain_graph` (default: `create_graph`) keeps what the graph saved for another walk;
    `create_graph` records the walk, so that the gradients can be differentiated. With `inputs` (leaves or not) only
    these are written.

    RuntimeError if a tensor does not require grad, has several elements and no `grad_tensors`, or its graph was
    freed. Gradients are written when the whole walk has succeeded: after a failure all are as they were.

    >>> x = gradkit.tensor([1.0, 2.0], requires_grad=True)
    >>> gradkit.autograd.backward((x * x).sum())
    >>> x.grad
    tensor([2., 4.])
    """
    if grad_variables is not None:
        warnings.warn("`grad_variables` is deprecated. Use `grad_tensors` instead.", FutureWarning, stacklevel=2)
        if grad_tensors is not None:
            raise RuntimeError("'grad_tensors' and 'grad_variables' (deprecated) arguments both passed to backward(): pass one")
        grad_tensors = grad_variables
    roots = _sequence(tensors)
    weights = _sequence(grad_tensors, len(roots))
    if modes.lifted and any([isinstance(y, Tensor) and y.batch for y in roots]):
        raise RuntimeError("backward() called inside vmap, where `grad` has no place for every sample's; use gradkit.func.grad")
    wanted = None if inputs is None else _marked(_sequence(inputs))
    seeds = _seeds(_at(roots, weights), weights, create_graph)
    for own in [around.leaves for around in modes.local.functions if around.leaves]:
        if not own.isdisjoint(reachable(seeds, max([leaf.seq for leaf in own]))):
            raise RuntimeError(
                "backward() called inside a transform of gradkit.func is not supported: its arguments have no `grad`. Use "
                "gradkit.func.grad or vjp there too, or call backward() outside"
            )
    found = _walk(seeds, wanted, retain_graph, create_graph)
    leaves = [(node, leaf) for node in found if node.prim is None and (leaf := node.owner()) is not None]
    for node, _ in leaves:
        if node.hooks is not None and node.hooks.before:
            found[node] = _prehooked(node, found[node], create_graph)
    for node, leaf in leaves:
        _write(node, leaf, found, create_graph)


def _marked(targets: list[Any]) -> set[Any]:
    """The nodes of `inputs`; tensors that are not leaves keep their gradient from now on."""
    if not targets:
        raise RuntimeError("`inputs` argument to `backward()` cannot be empty.")
    for i, t in enumerate(targets):
        if not isinstance(t, Tensor | GradientEdge):
            raise TypeError(f"inputs[{i}] must be a Tensor or a GradientEdge, not {errors.type_of(t)}")
        if isinstance(t, Tensor) and t.node is None:
            raise no_history(
                t,
                f"One of the differentiated Tensors does not require grad: inputs[{i}], {_described(t)}; can't "
                "retain_grad on Tensor that has requires_grad=False",
            )
    for t in targets:
        if isinstance(t, Tensor):
            watching.retain_grad(t)
    return {t.node if isinstance(t, Tensor) else t.place() for t in targets}


def _prehooked(node: Any, ct: Any, recorded: bool) -> Any:
    with watching.grad_mode(recorded):
        (ct,) = watching.run_prehooks(node, (ct if recorded else wrap(ct),))
    return ct if recorded else ct.array


def _write(node: Any, leaf: Tensor, found: dict[Any, Any], recorded: bool) -> None:
    """Add a cotangent to `grad` of its leaf, with the hooks after it."""
    ct = found.pop(node)
    hooked = node.hooks is not None and bool(node.hooks.after)
    if not hooked and leaf._after_grad is None:
        accumulate(leaf, ct, recorded)
        return
    shown = ct if recorded or not hooked else wrap(ct.copy())
    accumulate(leaf, ct, recorded)
    with watching.grad_mode(recorded):
        for hook in list((leaf._after_grad or {}).values()):
            hook(leaf)
        if hooked:
            watching.run_posthooks(node, (), (shown,))


def grad(
    outputs: Any, inputs: Any, grad_outputs: Any = None, retain_graph: bool | None = None, create_graph: bool = False,
    only_inputs: bool = True, allow_unused: bool | None = None, is_grads_batched: bool = False,
    materialize_grads: bool = False,
) -> tuple[Any, ...]:
    """The gradients of the sum of `outputs`, each weighted with its `grad_outputs`, with respect to `inputs`.

    Outputs and inputs are tensors or `graph.GradientEdge`s, one or several. Returns a tuple with a tensor of each
    input's shape and dtype. An input that the outputs do not depend on raises RuntimeError, unless `allow_unused` (None
    is returned) or `materialize_grads` (zeros are). With `is_grads_batched` the first axis of each `grad_outputs`
    counts cotangents, and so does that of each result that depends on them.

    >>> x = gradkit.tensor(3.0, requires_grad=True)
    >>> gradkit.autograd.grad(x * x, x)
    (tensor(6.),)
    """
    roots, targets = _sequence(outputs), _sequence(inputs)
    if not targets:
        raise RuntimeError("`inputs` argument to `grad()` cannot be empty.")
    if not only_inputs:
        warnings.warn(
            "only_inputs argument is deprecated and is ignored now (defaults to True). To accumulate gradient for other "
            "parts of the graph, please use gradkit.autograd.backward.",
            FutureWarning,
            stacklevel=2,
        )
    if materialize_grads and allow_unused is False:
        raise ValueError(
            "Expected allow_unused to be True or not passed when materialize_grads=True, but got: allow_unused=False."
        )
    for i, t in enumerate(targets):
        if isinstance(t, GradientEdge):
            continue
        if not isinstance(t, Tensor):
            raise TypeError(f"inputs[{i}] must be a Tensor or a GradientEdge, not {errors.type_of(t)}")
        if t.node is None:
            raise no_history(
                t,
                f"One of the differentiated Tensors does not require grad: inputs[{i}], shape {tuple(t.shape)}; call "
                "requires_grad_() on it before computing the outputs",
            )
    weights = _sequence(grad_outputs, len(roots))
    roots, targets = _at(roots, weights), _at(targets, [])
    if modes.local.both_ways and not create_graph:
        modes.local.both_ways.without(roots)
    if is_grads_batched:
        found = _batched(roots, targets, weights, retain_graph, create_graph)
    elif lifted(*roots, *weights):
        found = _lifted(roots, targets, weights, create_graph)
    else:
        cts = _walk(_seeds(roots, weights, create_graph), {t.node for t in targets}, retain_graph, create_graph)
        found = [c if c is None or create_graph else wrap(c) for c in map(cts.get, [t.node for t in targets])]
    return tuple([_one(i, t, ct, create_graph, allow_unused, materialize_grads) for i, (t, ct) in enumerate(zip(targets, found))])


def _lifted(roots: list[Tensor], targets: list[Tensor], weights: list[Any], recorded: bool) -> list[Tensor | None]:
    """The gradients of outputs that carry tangents or batch axes, which the gradients carry too. Nothing is freed."""
    from gradkit.func.pulling import pull_lifted, tangent_nodes

    _seeds(roots, weights, recorded)
    cts = [_weight(y, w, i) for i, (y, w) in enumerate(zip(roots, weights))]
    found = pull_lifted(roots, targets, cts, record=recorded)
    oldest = max([t.node.seq for t in targets])
    reached = reachable({node for y in roots for node in (y.node, *tangent_nodes(y))}, oldest)
    gradients = found if recorded else [_unrecorded(g) for g in found]
    return [g if t.node in reached else None for t, g in zip(targets, gradients)]


def _unrecorded(g: Tensor) -> Tensor:
    ts = {level: _unrecorded(t) for level, t in (g.tangents or {}).items() if level not in modes.stilled}
    return wrap(g.array, None, ts, g.batch)


def _one(i: int, t: Tensor, ct: Any, recorded: bool, allow_unused: bool | None, materialize: bool) -> Any:
    if ct is not None:
        return ct
    if materialize:
        zeros = wrap(beside(t.array, "zeros", t.array.shape, t.dtype))
        return zeros.requires_grad_() if recorded else zeros
    if not allow_unused:
        raise RuntimeError(
            f"The differentiated Tensor at index {i} appears to not have been used in the graph: one {_described(t)}. Set "
            "allow_unused=True if this is the desired behavior."
        )
    return None


def _sequence(x: Any, count: int = 0) -> list[Any]:
    if isinstance(x, Tensor):
        return [x]
    if x is None:
        return [None] * count
    return [x] if isinstance(x, GradientEdge | np.ndarray) or not isinstance(x, Iterable) else list(x)


def _at(places: list[Any], weights: list[Any]) -> list[Any]:
    """Edges as tensors: what stands there has the node, shape and dtype, no memory, and the device of its weight."""
    if not any([isinstance(place, GradientEdge) for place in places]):
        return places
    near = [w.array if isinstance(w, Tensor) else np.empty(0) for w in weights] + [np.empty(0)] * len(places)
    return [_standing_in(p, w) if isinstance(p, GradientEdge) else p for p, w in zip(places, near)]


def _standing_in(edge: GradientEdge, near: Any) -> Tensor:
    node = edge.place()
    shape, dtype = node.like
    return wrap(beside(near, "broadcast_to", beside(near, "zeros", (), dtype=dtype), shape), node)


def _seeds(roots: list[Tensor], weights: list[Any], recorded: bool) -> dict[Any, Any]:
    if len(weights) != len(roots):
        raise RuntimeError(f"got {len(roots)} tensors and {len(weights)} gradients")
    seeds: dict[Any, Any] = {}
    for i, (root, weight) in enumerate(zip(roots, weights)):
        if not isinstance(root, Tensor):
            raise TypeError(f"element {i} of tensors must be Tensor, not {errors.type_of(root)}")
        if root.node is None:
            raise no_history(
                root,
                f"element {i} of tensors does not require grad and does not have a grad_fn: {_described(root)}. Was it "
                "computed under no_grad(), detached, or made from tensors without requires_grad=True?",
            )
        ct = _weight(root, weight, i)
        ct = ct if recorded else ct.array
        seeds[root.node] = ct if root.node not in seeds else seeds[root.node] + ct
    return seeds


def _weight(root: Tensor, weight: Any, i: int) -> Tensor:
    if weight is None:
        if root.numel() != 1:
            raise RuntimeError(
                f"grad can be implicitly created only for scalar outputs, and element {i} is {_described(root)}; "
                "reduce it, e.g. with .sum(), or pass a gradient of its shape, e.g. backward(gradkit.ones_like(y))"
            )
        if root.dtype.kind == "c":
            raise RuntimeError(f"grad can be implicitly created only for real scalar outputs but got {root.dtype.name}")
        if isinstance(root.array, np.ndarray | np.generic):
            return wrap(np.ones(root.array.shape, root.dtype), batch=root.batch)
        return wrap(beside(root.array, "ones", root.array.shape, root.dtype), batch=root.batch)
    if not isinstance(weight, Tensor):
        raise TypeError(f"gradients can be either Tensors or None, but got {type(weight).__name__}")
    if weight.shape != root.shape:
        raise RuntimeError(
            f"Mismatch in shape: grad_output[{i}] has a shape of {weight.shape} and output[{i}] has a shape of {root.shape}."
        )
    if (weight.dtype.kind == "c") != (root.dtype.kind == "c"):
        raise RuntimeError(
            "For complex Tensors, both grad_output and output are required to have the same dtype. Mismatch in dtype: "
            f"grad_output[{i}] has a dtype of {weight.dtype.name} and output[{i}] has a dtype of {root.dtype.name}."
        )
    if weight.device != root.device:
        raise RuntimeError(
            f"Mismatch in device: grad_output[{i}] is on {weight.device} and output[{i}] is on {root.device}; move it with "
            f".to('{root.device}')"
        )
    if weight.dtype != root.dtype:
        return wrap(weight.array.astype(root.dtype)) if weight.node is None else weight.to(root.dtype)
    return weight


def _described(t: Tensor) -> str:
    return f"of shape {tuple(t.shape)}, {t.dtype.name}"


def _walk(seeds: Any, wanted: Any, retain_graph: bool | None, create_graph: bool) -> dict[Any, Any]:
    retain = create_graph if retain_graph is None else retain_graph
    with np.errstate(all="ignore"):
        if not create_graph:
            return pull(seeds, wanted, retain=retain)
        with modes.mode(grad=True):
            return pull(seeds, wanted, record=True, retain=retain)


def accumulate(leaf: Tensor, ct: Any, recorded: bool) -> None:
    """Add a cotangent to `grad`: into the buffer that is there, or as the new one if nobody else holds it."""
    if len(backends) > 1 and not recorded and (there := elsewhere(ct)):
        with there:
            return accumulate(leaf, ct, recorded)
    old = leaf._grad
    if recorded:
        leaf._grad = ct if old is None else old + ct
    elif old is None:
        alone = not isinstance(ct, np.generic) and ct.base is None and sys.getrefcount(ct) <= OWNED
        leaf._grad = wrap(ct if alone else ct.copy())
    elif old.node is not None or isinstance(old.array, np.generic):
        leaf._grad = wrap(old.array + ct)
    else:
        if modes.lifted:
            settle()
        old.array += ct
        stamp(old.array, "backward()")


def _batched(roots: Any, targets: Any, weights: Any, retain_graph: bool | None, create_graph: bool) -> list[Any]:
    """One walk for all cotangents: the first axis of each weight is a batch axis."""
    from gradkit.func.vmap import vmap

    for i, (root, weight) in enumerate(zip(roots, weights)):
        if isinstance(weight, Tensor) and tuple(weight.shape[1:]) != tuple(root.shape):
            raise RuntimeError(
                "If `is_grads_batched=True`, we interpret the first dimension of each grad_output as the batch dimension. "
                "The sizes of the remaining dimensions are expected to match the shape of corresponding output, but a "
                f"mismatch was detected: grad_output[{i}] has a shape of {weight.shape} and output[{i}] has a shape of "
                f"{root.shape}."
            )
    retain = create_graph if retain_graph is None else retain_graph

    def one(*cts: Tensor) -> list[Any]:
        if lifted(*roots):
            return _lifted(roots, targets, list(cts), create_graph)
        recording = modes.mode(grad=True) if create_graph else modes.mode(mute=1, grad=False)
        seeds = _seeds(roots, list(cts), True)
        with np.errstate(all="ignore"), recording:
            found = pull(seeds, {t.node for t in targets}, record=True, retain=retain)
        return [found.get(t.node) for t in targets]

    results: list[Any] = vmap(one, in_dims=tuple([0 if isinstance(w, Tensor) else None for w in weights]))(*weights)
    return results
