"""RMSprop."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from gradkit.optim.optimizer import Optimizer, begun, blocks, checked, directed


class RMSprop(Optimizer):
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
        options = checked(
            lr=lr, momentum=momentum, alpha=alpha, eps=eps, centered=centered, weight_decay=weight_decay, maximize=maximize,
            capturable=capturable, foreach=foreach, differentiable=differentiable,
        )
        super().__init__(params, options)

    def update(self, param: Any, grad: Any, state: dict[str, Any], group: dict[str, Any]) -> None:
        lr, alpha, eps, momentum = float(group["lr"]), group["alpha"], group["eps"], group["momentum"]
        names = "momentum_buffer" if momentum else "square_avg", "grad_avg" if group["centered"] else "square_avg"
        _, arrays = begun(param, state, "square_avg", *names)
        for p, g, v, b, m in blocks(param, grad, *arrays):
            g = directed(g, p, group)
            change = g * g
            change *= 1 - alpha
            v *= alpha
            v += change
            if group["centered"]:
                change = g - m
                change *= 1 - alpha
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
