"""NAdam and RAdam."""

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from gradkit.engine.tensor import wrap
from gradkit.optim.optimizer import Optimizer, begun, blocks, checked, directed


def averaged(param: Any, grad: Any, mean: Any, square: Any, group: dict[str, Any]) -> Any:
    """Move the running means of a gradient, which is returned with its weight decay; decoupled, that shrinks ``param``."""
    beta1, beta2 = group["betas"]
    grad = directed(grad, param, group)
    if group["weight_decay"] and group["decoupled_weight_decay"]:
        param *= 1 - float(group["lr"]) * group["weight_decay"]
    mean += (1 - beta1) * (grad - mean)
    square *= beta2
    square += (1 - beta2) * grad * grad
    return grad


class NAdam(Optimizer):
    """Adam with Nesterov's momentum, whose weight grows over time.

    With ``mu_t = b1 * (1 - 0.96**(t * momentum_decay) / 2)``, m and v as in Adam and ``M_t`` the product of the mu so far,
    the step is ``lr / (sqrt(v / (1-b2**t)) + eps)`` times ``mu_{t+1} * m / (1 - M_{t+1}) + (1 - mu_t) * grad / (1 - M_t)``;
    Dozat (2016). Weight decay is added to the gradient, or decoupled as in AdamW. ValueError for negative options
    and betas outside [0, 1).

    >>> w = gradkit.tensor([1.0], requires_grad=True)
    >>> optimizer = optim.NAdam([w], lr=0.25)
    >>> (4 * w).sum().backward()
    >>> optimizer.step()
    >>> w
    tensor([0.7359], requires_grad=True)
    """

    def __init__(
        self, params: Iterable[Any], lr: float = 2e-3, betas: tuple[float, float] = (0.9, 0.999), eps: float = 1e-8,
        weight_decay: float = 0, momentum_decay: float = 4e-3, decoupled_weight_decay: bool = False, *,
        foreach: bool | None = None, maximize: bool = False, capturable: bool = False, differentiable: bool = False,
    ) -> None:
        super().__init__(params, checked(locals()))

    def update(self, param: Any, grad: Any, state: dict[str, Any], group: dict[str, Any]) -> None:
        state.setdefault("mu_product", wrap(np.ones((), np.float32)))
        step, arrays = begun(param, state, "exp_avg", "exp_avg_sq")
        lr, (beta1, beta2) = float(group["lr"]), group["betas"]
        now, then = [beta1 * (1 - 0.5 * 0.96 ** (t * group["momentum_decay"])) for t in (step, step + 1)]
        state["mu_product"].array[...] *= now
        product = float(state["mu_product"].array)
        unbias = 1 / (1 - beta2**step)
        for p, g, m, v in blocks(param, grad, *arrays):
            g = averaged(p, g, m, v, group)
            below = np.sqrt(v * unbias) + group["eps"]
            p -= (lr * (1 - now) / (1 - product)) * (g / below)
            p -= (lr * then / (1 - product * then)) * (m / below)


class RAdam(Optimizer):
    """Adam that waits with the division by the root of squares until there are enough of them to tell it.

    With ``n = 2 / (1-b2) - 1`` and ``r = n - 2 t b2**t / (1 - b2**t)``, m and v as in Adam, the step is ``lr * m / (1-b1**t)``,
    and where r > 5 this times ``sqrt((r-4)(r-2)n / ((n-4)(n-2)r)) * sqrt(1-b2**t) / (sqrt(v) + eps)``; Liu et al. (2020).
    Weight decay is added to the gradient, or decoupled as in AdamW. Errors as `NAdam`.

    >>> w = gradkit.tensor([1.0], requires_grad=True)
    >>> optimizer = optim.RAdam([w], lr=0.25)
    >>> w.sum().backward()
    >>> optimizer.step()
    >>> w
    tensor([0.7500], requires_grad=True)
    """

    def __init__(
        self, params: Iterable[Any], lr: float = 1e-3, betas: tuple[float, float] = (0.9, 0.999), eps: float = 1e-8,
        weight_decay: float = 0, decoupled_weight_decay: bool = False, *, foreach: bool | None = None,
        maximize: bool = False, capturable: bool = False, differentiable: bool = False,
    ) -> None:
        super().__init__(params, checked(locals()))

    def update(self, param: Any, grad: Any, state: dict[str, Any], group: dict[str, Any]) -> None:
        step, arrays = begun(param, state, "exp_avg", "exp_avg_sq")
        lr, (beta1, beta2) = float(group["lr"]), group["betas"]
        rest = 1 - beta2**step
        most = 2 / (1 - beta2) - 1
        length = most - 2 * step * beta2**step / rest
        rectified = length > 5
        scale = math.sqrt((length - 4) * (length - 2) * most / ((most - 4) * (most - 2) * length) * rest) if rectified else 1.0
        for p, g, m, v in blocks(param, grad, *arrays):
            g = averaged(p, g, m, v, group)
            change = m * (lr * scale / (1 - beta1**step))
            p -= change / (np.sqrt(v) + group["eps"]) if rectified else change
