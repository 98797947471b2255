"""Adagrad."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from gradkit.backend.protocol import beside
from gradkit.engine.tensor import wrap
from gradkit.optim.optimizer import WithKernel, begun, blocks, checked, directed, memory, step_tensor


class Adagrad(WithKernel):
    """Steps divided by the root of the sum of all squared gradients so far.

    ``s += grad**2`` and ``param -= lr / (1 + (t-1)*lr_decay) * grad / (sqrt(s) + eps)`` at step t; Duchi, Hazan and
    Singer (2011). ``s`` starts at ``initial_accumulator_value``; ``weight_decay * param`` is added to the gradient.
    ValueError for negative options.

    >>> w = gradkit.tensor([1.0], requires_grad=True)
    >>> optimizer = optim.Adagrad([w], lr=0.5)
    >>> (4 * w).sum().backward()
    >>> optimizer.step()
    >>> w
    tensor([0.5000], requires_grad=True)
    """

    def __init__(
        self, params: Iterable[Any], lr: float = 1e-2, lr_decay: float = 0, weight_decay: float = 0,
        initial_accumulator_value: float = 0, eps: float = 1e-10, foreach: bool | None = None, *,
        maximize: bool = False, differentiable: bool = False, fused: bool | None = None,
    ) -> None:
        super().__init__(params, checked(locals()))

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        super().add_param_group(param_group)
        group = self.param_groups[-1]
        for param in group["params"]:
            first = group["initial_accumulator_value"] * (1 + 1j if param.is_complex() else 1)
            total = beside(memory(param), "full", param.shape, first, param.dtype)
            self.state[param] = {"step": step_tensor(), "sum": wrap(total)}

    kernel = "adagrad_step"

    def prepared(self, param: Any, state: dict[str, Any], group: dict[str, Any]) -> tuple[list[Any], tuple[Any, ...]]:
        step, arrays = begun(param, state, "sum")
        lr = float(group["lr"]) / (1 + (step - 1) * group["lr_decay"])
        return arrays, (lr, group["weight_decay"], group["eps"], group["maximize"])

    def apply(self, param: Any, grad: Any, arrays: list[Any], numbers: tuple[Any, ...]) -> None:
        lr, weight_decay, eps, maximize = numbers
        for p, g, total in blocks(param, grad, *arrays):
            g = directed(g, p, {"maximize": maximize, "weight_decay": weight_decay})
            total += g * g
            change = np.sqrt(total)
            change += eps
            change = g / change
            change *= lr
            p -= change
