"""Tensor methods that concern the tape: detach, backward, retained gradients, hooks."""

from collections.abc import Callable
from typing import Any

import numpy as np

from gradkit.autograd import walk
from gradkit.engine import batching, modes, watching
from gradkit.engine.hooking import hook_tensor
from gradkit.engine.node import Handle
from gradkit.engine.tangents import no_history
from gradkit.engine.tensor import Tensor, kept_alike, wrap

METHODS = ("backward", "detach", "detach_", "register_hook", "register_post_accumulate_grad_hook", "retain_grad")


def detach(self: Tensor) -> Tensor:
    """This tensor's values without their history: shares memory and version counter, requires no grad, has no tangent.

    >>> x = gradkit.ones(2, requires_grad=True)
    >>> x.detach().requires_grad
    False
    """
    if isinstance(self.array, np.generic):
        self.array = np.asarray(self.array)
    if modes.closed:
        self = batching.living(self)
    t = wrap(self.array, batch=self.batch)
    if modes.unusual:
        t._inference = self._inference
        kept_alike(t, self)
        t._aliased = (self._view[1] if self._view else self)._aliased = bool(t._alike)
    return t


def detach_(self: Tensor) -> Tensor:
    """Cut this tensor off its history, in place. RuntimeError for a view, whose history is its base's.

    >>> x = gradkit.ones(2, requires_grad=True) * 2
    >>> x.detach_().is_leaf
    True
    """
    if self._view is not None:
        raise RuntimeError("Can't detach views in-place. Use detach() instead.")
    self.node = None
    return self


def backward(
    self: Tensor, gradient: Any = None, retain_graph: bool | None = None, create_graph: bool = False, inputs: Any = None
) -> None:
    """Add the gradient of this tensor, weighted with `gradient`, to `grad` of the leaves: `gradkit.autograd.backward`.

    >>> x = gradkit.tensor([1.0, 2.0], requires_grad=True)
    >>> (x * x).backward(gradkit.ones(2))
    >>> x.grad
    tensor([2., 4.])
    """
    walk.backward(self, gradient, retain_graph, create_graph, inputs=inputs)


def retain_grad(self: Tensor) -> None:
    """Have backward() fill `grad` of this tensor although it is not a leaf. RuntimeError if it requires no grad.

    >>> x = gradkit.ones(2, requires_grad=True)
    >>> y = x * 2; y.retain_grad(); y.sum().backward(); y.grad
    tensor([1., 1.])
    """
    if self.node is None:
        raise no_history(self, "can't retain_grad on Tensor that has requires_grad=False")
    watching.retain_grad(self)


def register_hook(self: Tensor, hook: Callable[[Tensor], Any]) -> Handle:
    """Call `hook` with this tensor's gradient once it is complete; what it returns, if anything, replaces it.

    Returns a handle whose `remove()` undoes this. RuntimeError if the tensor requires no grad.

    >>> x = gradkit.ones(2, requires_grad=True)
    >>> handle = x.register_hook(lambda g: g * 10)
    >>> x.sum().backward(); x.grad
    tensor([10., 10.])
    """
    if self.node is None or modes.stilled.intersection(self.tangents or ()):
        raise no_history(self, "cannot register a hook on a tensor that doesn't require gradient")
    return hook_tensor(self, hook)


def register_post_accumulate_grad_hook(self: Tensor, hook: Callable[[Tensor], None]) -> Handle:
    """Call `hook` with this leaf after backward() has written its `grad`. RuntimeError if it is no leaf.

    >>> x = gradkit.ones(2, requires_grad=True)
    >>> handle = x.register_post_accumulate_grad_hook(lambda leaf: print(leaf.grad))
    >>> x.sum().backward()
    tensor([1., 1.])
    """
    if self.node is None:
        raise RuntimeError("cannot register a hook on a tensor that doesn't require gradient")
    if not self.is_leaf:
        raise RuntimeError("post accumulate grad hooks cannot be registered on non-leaf tensors")
    if self._after_grad is None:
        self._after_grad = {}
    return Handle(self._after_grad, hook)


