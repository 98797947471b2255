"""Adamax."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from gradkit.optim.optimizer import Optimizer, begun, blocks, checked, directed


class Adamax(Optimizer):
    """Adam with the greatest gradient so far, fading, in place of the mean of squares.

    ``m = b1*m + (1-b1)*grad``, ``u = max(b2*u, abs(grad) + eps)`` and ``param -= lr / (1-b1**t) * m / u`` at step t;
    Kingma and Ba (2015), section 7.1. ``weight_decay * param`` is added to the gradient. ValueError for negative
    options and betas outside [0, 1).

    >>> w = gradkit.tensor([1.0], requires_grad=True)
    >>> optimizer = optim.Adamax([w], lr=0.25)
    >>> (4 * w).sum().backward()
    >>> optimizer.step()
    >>> w
    tensor([0.7500], requires_grad=True)
    """

    def __init__(
        self, params: Iterable[Any], lr: float = 2e-3, betas: tuple[float, float] = (0.9, 0.999), eps: float = 1e-8,
        weight_decay: float = 0, foreach: bool | None = None, *, maximize: bool = False, differentiable: bool = False,
        capturable: bool = False,
    ) -> None:
        super().__init__(params, checked(locals()))

    def update(self, param: Any, grad: Any, state: dict[str, Any], group: dict[str, Any]) -> None:
        step, arrays = begun(param, state, "exp_avg", "exp_inf")
        beta1, beta2 = group["betas"]
        step_size = float(group["lr"]) / (1 - beta1**step)
        for p, g, m, u in blocks(param, grad, *arrays):
            g = directed(g, p, group)
            m += (1 - beta1) * (g - m)
            u *= beta2
            np.maximum(u, np.abs(g) + group["eps"], out=u)
            p -= step_size * (m / u)
