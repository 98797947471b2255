"""`backward` and `grad`: seeds, a walk, and what becomes of the cotangents it brings back."""

import sys
from collections.abc import Sequence
from typing import Any

import numpy as np

from gradkit.backend.protocol import beside
from gradkit.engine import modes
from gradkit.engine.device import on_device_of
from gradkit.engine.tape import OWNED, pull
from gradkit.engine.tensor import Tensor, wrap
from gradkit.engine.versions import stamp


def backward(
    tensors: Any,
    grad_tensors: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    grad_variables: Any = None,
    inputs: Any = None,
) -> None:
    """Add the gradient of the sum of `tensors`, each weighted with its `grad_tensors`, to `grad` of the leaves.

    `tensors` is a tensor or a sequence; `grad_tensors` has one of the same shape for each, or None for one with a
    single element. `retain_graph` (default: `create_graph`) keeps what the graph saved for another walk; `create_graph`
    records the walk, so that the gradients can be differentiated. With `inputs` only these leaves are written.

    Raises RuntimeError if a tensor does not require grad, has several elements and no `grad_tensors`, or its graph was
    freed. Gradients are written when the whole walk has succeeded: after a failure all are as they were.

    >>> import gradkit
    >>> x = gradkit.tensor([1.0, 2.0], requires_grad=True)
    >>> gradkit.autograd.backward((x * x).sum())
    >>> x.grad
    tensor([2., 4.])
    """
    if grad_variables is not None:
        if grad_tensors is not None:
            raise RuntimeError(
                "'grad_tensors' and 'grad_variables' (deprecated) arguments both passed to backward(): pass one"
            )
        grad_tensors = grad_variables
    roots = _sequence(tensors)
    targets = None
    if inputs is not None:
        targets = _sequence(inputs)
        if not targets:
            raise RuntimeError("'inputs' argument to backward() cannot be empty.")
        for i, t in enumerate(targets):
            if not t.requires_grad:
                raise RuntimeError(f"One of the differentiated Tensors (inputs[{i}]) does not require grad")
    seeds = _seeds(roots, _sequence(grad_tensors, len(roots)), create_graph)
    wanted = None if targets is None else {t.node for t in targets}
    found = _walk(seeds, wanted, retain_graph, create_graph)
    owners = {t.node: t for t in targets or ()}
    while found:
        node, ct = found.popitem()
        leaf = owners.get(node) or node.owner()
        if leaf is not None:
            accumulate(leaf, ct, create_graph)


def grad(
    outputs: Any,
    inputs: Any,
    grad_outputs: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    only_inputs: bool = True,
    allow_unused: bool | None = None,
    is_grads_batched: bool = False,
    materialize_grads: bool = False,
) -> tuple[Any, ...]:
    """The gradients of the sum of `outputs`, each weighted with its `grad_outputs`, with respect to `inputs`.

    Returns a tuple with a tensor of each input's shape and dtype. An input that the outputs do not depend on raises
    RuntimeError, unless `allow_unused` (None is returned) or `materialize_grads` (zeros are). With `is_grads_batched`
    the first axis of each `grad_outputs` counts cotangents, and so does that of each result.

    >>> import gradkit
    >>> x = gradkit.tensor(3.0, requires_grad=True)
    >>> gradkit.autograd.grad(x * x, x)
    (tensor(6.),)
    """
    roots, targets = _sequence(outputs), _sequence(inputs)
    if not targets:
        raise ValueError("grad requires non-empty inputs.")
    if not only_inputs:
        raise FutureWarning("only_inputs argument is deprecated and is ignored now; use autograd.backward")
    if materialize_grads and allow_unused is False:
        raise ValueError(
            "Expected allow_unused to be True or not passed when materialize_grads=True, but got: allow_unused=False."
        )
    for i, t in enumerate(targets):
        if not isinstance(t, Tensor):
            raise TypeError(f"inputs[{i}] must be a Tensor, not {type(t).__name__}")
        if not t.requires_grad:
            raise RuntimeError(
                f"One of the differentiated Tensors does not require grad: inputs[{i}], shape {tuple(t.shape)}; call "
                "requires_grad_() on it before computing the outputs"
            )
    weights = _sequence(grad_outputs, len(roots))
    if is_grads_batched:
        return _batched(roots, targets, weights, create_graph, allow_unused or materialize_grads, materialize_grads)
    seeds = _seeds(roots, weights, create_graph)
    found = _walk(seeds, {t.node for t in targets}, retain_graph, create_graph)
    return tuple([_one(t, found.get(t.node), create_graph, allow_unused, materialize_grads) for t in targets])


def _one(t: Tensor, ct: Any, recorded: bool, allow_unused: bool | None, materialize: bool) -> Any:
    if ct is not None:
        return ct if recorded else wrap(ct)
    if materialize:
        return wrap(beside(t.array, "zeros", t.array.shape, t.dtype))
    if not allow_unused:
        raise RuntimeError(
            "One of the differentiated Tensors appears to not have been used in the graph "
            f"(shape {tuple(t.shape)}, {t.dtype.name}). Set allow_unused=True if this is the desired behavior."
        )
    return None


def _sequence(x: Any, count: int | None = None) -> list[Any]:
    if x is None:
        return [None] * (count or 0)
    return list(x) if isinstance(x, Sequence) and not isinstance(x, Tensor) else [x]


def _seeds(roots: list[Tensor], weights: list[Any], recorded: bool) -> dict[Any, Any]:
    if len(weights) != len(roots):
        raise RuntimeError(f"got {len(roots)} tensors and {len(weights)} gradients")
    seeds: dict[Any, Any] = {}
    for i, (root, weight) in enumerate(zip(roots, weights)):
        if not isinstance(root, Tensor):
            raise TypeError(f"element {i} of tensors must be Tensor, not {type(root).__name__}")
        if root.node is None:
            raise RuntimeError(
                f"element {i} of tensors does not require grad and does not have a grad_fn: {_described(root)}. Was it "
                "computed under no_grad(), detached, or made from tensors without requires_grad=True?"
            )
        ct = _weight(root, weight, i)
        ct = ct if recorded else ct.array
        seeds[root.node] = ct if root.node not in seeds else seeds[root.node] + ct
    return seeds


def _weight(root: Tensor, weight: Any, i: int) -> Tensor:
    if weight is None:
        if root.array.size != 1:
            raise RuntimeError(
                f"grad can be implicitly created only for scalar outputs, and element {i} is {_described(root)}; "
                "reduce it, e.g. with .sum(), or pass a gradient of its shape, e.g. backward(gradkit.ones_like(y))"
            )
        if root.dtype.kind == "c":
            raise RuntimeError(f"grad can be implicitly created only for real scalar outputs but got {root.dtype.name}")
        if isinstance(root.array, np.ndarray | np.generic):
            return wrap(np.ones(root.array.shape, root.dtype))
        return wrap(beside(root.array, "ones", root.array.shape, root.dtype))
    if not isinstance(weight, Tensor):
        raise TypeError(f"gradients can be either Tensors or None, but got {type(weight).__name__}")
    if weight.shape != root.shape:
        raise RuntimeError(
            f"Mismatch in shape: grad_output[{i}] has a shape of {weight.shape} and output[{i}] has a shape of "
            f"{root.shape}."
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
    old = leaf._grad
    if recorded:
        leaf._grad = ct if old is None else old + ct
    elif old is None:
        alone = not isinstance(ct, np.generic) and ct.base is None and sys.getrefcount(ct) <= OWNED
        leaf._grad = wrap(ct if alone else ct.copy())
    else:
        with on_device_of(ct):
            if old.node is not None or isinstance(old.array, np.generic):
                leaf._grad = wrap(old.array + ct)
            else:
                old.array += ct
                stamp(old.array, "backward()")
    for hook in list((leaf._after_grad or {}).values()):
        hook(leaf)


def _batched(
    roots: Any, targets: Any, weights: Any, recorded: bool, unused: bool, materialize: bool
) -> tuple[Any, ...]:
    from gradkit.func.vmap import vmap

    def one(*cts: Tensor) -> tuple[Any, ...]:
        found = grad(roots, targets, cts, True, True, allow_unused=unused, materialize_grads=materialize)
        return tuple([None if g is None else g for g in found])

    results = vmap(one)(*weights)
    return results if recorded else tuple([None if r is None else r.detach() for r in results])
