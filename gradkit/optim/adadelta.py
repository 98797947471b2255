"""Adadelta."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from gradkit.optim.optimizer import Optimizer, begun, blocks, checked, directed


class Adadelta(Optimizer):
    """Steps in the proportion of the running means of squared steps and squared gradients.

    ``v = rho*v + (1-rho)*grad**2``, ``d = sqrt(u + eps) / sqrt(v + eps) * grad``, ``u = rho*u + (1-rho)*d**2`` and
    ``param -= lr * d``; Zeiler (2012). ``weight_decay * param`` is added to the gradient. ValueError for negative
    options and a ``rho`` above 1.

    >>> w = gradkit.tensor([1.0], requires_grad=True)
    >>> optimizer = optim.Adadelta([w], rho=0.75, eps=1.0)
    >>> (2 * w).sum().backward()
    >>> optimizer.step()
    >>> w
    tensor([-0.4142], requires_grad=True)
    """

    def __init__(
        self, params: Iterable[Any], lr: float = 1.0, rho: float = 0.9, eps: float = 1e-6, weight_decay: float = 0,
        foreach: bool | None = None, *, capturable: bool = False, maximize: bool = False, differentiable: bool = False,
    ) -> None:
        if rho > 1:
            raise ValueError(f"Invalid rho value: {rho}")
        super().__init__(params, checked(locals()))

    def update(self, param: Any, grad: Any, state: dict[str, Any], group: dict[str, Any]) -> None:
        _, arrays = begun(param, state, "square_avg", "acc_delta")
        lr, rho, eps = float(group["lr"]), group["rho"], group["eps"]
        for p, g, v, u in blocks(param, grad, *arrays):
            g = directed(g, p, group)
            v *= rho
            v += (1 - rho) * g * g
            change = np.sqrt(u + eps) / np.sqrt(v + eps)
            change *= g
            u *= rho
            u += (1 - rho) * change * change
            p -= lr * change
