"""RMSprop."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from gradkit.optim.optimizer import WithKernel, begun, blocks, checked, directed


class RMSprop(WithKernel):
    """Steps divided by the root of a running mean of the squared gradient.

    ``v = alpha*v + (1-alpha)*grad**2`` and ``param -= lr * grad / (sqrt(v) + eps)``; Tieleman and Hinton, lecture 6.5
    (2012). ``centered`` subtracts the squared running mean of the gradient from ``v``; Graves (2013). With ``momentum``
    the quotients are summed in a buffer ``b = momentum*b + quotient`` first. ``weight_decay * param`` is added to the
    gradient. ValueError for negative options.

    >>> w = gradkit.tensor([1.0], requires_grad=True)
    >>> optimizer = optim.RMSprop([w], lr=0.1, alpha=0.75)
    >>> w.sum().backward()
    >>> optimizer.step()
    >>> w
    tensor([0.8000], requires_grad=True)
    """

    def __init__(
        self, params: Iterable[Any], lr: float = 1e-2, alpha: float = 0.99, eps: float = 1e-8, weight_decay: float = 0,
        momentum: float = 0, centered: bool = False, capturable: bool = False, foreach: bool | None = None,
        maximize: bool = False, differentiable: bool = False,
    ) -> None:
        super().__init__(params, checked(locals()))

    kernel = "rmsprop_step"

    def prepared(self, param: Any, state: dict[str, Any], group: dict[str, Any]) -> tuple[list[Any], tuple[Any, ...]]:
        wanted = {"square_avg": True, "momentum_buffer": group["momentum"], "grad_avg": group["centered"]}
        _, found = begun(param, state, *[name for name, there in wanted.items() if there])
        arrays = [found.pop(0) if there else None for there in wanted.values()]
        alpha, rates = group["alpha"], (float(group["lr"]), group["weight_decay"], group["momentum"])
        return arrays, (*rates, alpha, 1 - alpha, group["eps"], group["maximize"], group["centered"])

    def apply(self, param: Any, grad: Any, arrays: list[Any], numbers: tuple[Any, ...]) -> None:
        lr, weight_decay, momentum, alpha, rise, eps, maximize, centered = numbers
        for p, g, v, b, m in blocks(param, grad, *[arrays[0] if x is None else x for x in arrays]):
            g = directed(g, p, {"maximize": maximize, "weight_decay": weight_decay})
            change = g * g
            change *= rise
            v *= alpha
            v += change
            if centered:
                change = g - m
                change *= rise
                m += change
                change = np.sqrt(v - m * m)
            else:
                change = np.sqrt(v)
            change += eps
            change = g / change
            if momentum:
                b *= momentum
                b += change
                change = lr * b
            else:
                change *= lr
            p -= change
