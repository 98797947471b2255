"""Adam and AdamW."""

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from gradkit.optim.optimizer import WithKernel, begun, blocks, checked


class Adam(WithKernel):
    """Steps scaled by running means of the gradient and of its square.

    ``m = b1*m + (1-b1)*grad``, ``v = b2*v + (1-b2)*grad**2``, and at step t
    ``param -= lr * (m / (1-b1**t)) / (sqrt(v / (1-b2**t)) + eps)``; Kingma and Ba (2015). ``amsgrad`` divides by the
    greatest ``v`` so far; Reddi et al. (2018). ``weight_decay * param`` is added to the gradient or, with
    ``decoupled_weight_decay``, ``param`` shrinks by the factor ``1 - lr * weight_decay`` first. ValueError for
    negative options and betas outside [0, 1).

    >>> w = gradkit.tensor([1.0, -2.0], requires_grad=True)
    >>> optimizer = optim.Adam([w], lr=0.5)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w
    tensor([ 0.5000, -1.5000], requires_grad=True)
    """

    def __init__(
        self, params: Iterable[Any], lr: float = 1e-3, betas: tuple[float, float] = (0.9, 0.999), eps: float = 1e-8,
        weight_decay: float = 0, amsgrad: bool = False, *, foreach: bool | None = None, maximize: bool = False,
        capturable: bool = False, differentiable: bool = False, fused: bool | None = None,
        decoupled_weight_decay: bool = False,
    ) -> None:
        super().__init__(params, checked(locals()))

    kernel = "adam_step"

    def prepared(self, param: Any, state: dict[str, Any], group: dict[str, Any]) -> tuple[list[Any], tuple[Any, ...]]:
        amsgrad = group["amsgrad"]
        names = ("exp_avg", "exp_avg_sq", "max_exp_avg_sq") if amsgrad else ("exp_avg", "exp_avg_sq")
        step, arrays = begun(param, state, *names)
        lr, (beta1, beta2), weight_decay = float(group["lr"]), group["betas"], group["weight_decay"]
        shrink = 1.0
        if weight_decay and group["decoupled_weight_decay"]:
            shrink, weight_decay = 1 - lr * weight_decay, 0.0
        unbias = 1 / math.sqrt(1 - beta2**step)
        step_size = lr / (1 - beta1**step)
        rates = shrink, weight_decay, 1 - beta1, beta2, 1 - beta2, unbias, group["eps"], step_size
        return arrays if amsgrad else [*arrays, None], (*rates, group["maximize"], amsgrad)

    def apply(self, param: Any, grad: Any, arrays: list[Any], numbers: tuple[Any, ...]) -> None:
        shrink, weight_decay, rise1, keep2, rise2, unbias, eps, step_size, maximize, amsgrad = numbers
        mean, square, greatest = arrays
        for p, g, m, v, top in blocks(param, grad, mean, square, square if greatest is None else greatest):
            if maximize:
                g = -g
            if shrink != 1:
                p *= shrink
            if weight_decay:
                g = g + weight_decay * p
            change = g - m
            change *= rise1
            m += change
            change = g * g
            change *= rise2
            v *= keep2
            v += change
            if amsgrad:
                np.maximum(top, v, out=top)
            change = np.sqrt(top)
            change *= unbias
            change += eps
            change = m / change
            change *= step_size
            p -= change


class AdamW(Adam):
    """Adam with weight decay apart from the gradient: ``param`` first shrinks by ``1 - lr * weight_decay``.

    Loshchilov and Hutter, "Decoupled weight decay regularization" (2019). Arguments and errors as `Adam`.

    >>> w = gradkit.tensor([1.0], requires_grad=True)
    >>> optimizer = optim.AdamW([w], lr=0.1, weight_decay=1.0)
    >>> w.sum().backward()
    >>> optimizer.step()
    >>> w
    tensor([0.8000], requires_grad=True)
    """

    def __init__(
        self, params: Iterable[Any], lr: float = 1e-3, betas: tuple[float, float] = (0.9, 0.999), eps: float = 1e-8,
        weight_decay: float = 1e-2, amsgrad: bool = False, *, maximize: bool = False, foreach: bool | None = None,
        capturable: bool = False, differentiable: bool = False, fused: bool | None = None,
    ) -> None:
        super().__init__(
            params, lr, betas, eps, weight_decay, amsgrad, foreach=foreach, maximize=maximize, capturable=capturable,
            differentiable=differentiable, fused=fused, decoupled_weight_decay=True,
        )
