"""Stochastic gradient descent."""

from collections.abc import Iterable
from typing import Any

from gradkit.optim.optimizer import WithKernel, blocks, checked, zeros_for


class SGD(WithKernel):
    """``param -= lr * grad``, with momentum and weight decay.

    ``weight_decay * param`` is added to the gradient, or to its negative if ``maximize``. With ``momentum`` the step is
    the buffer ``b = momentum * b + (1 - dampening) * grad`` (the first gradient undamped), with ``nesterov`` it is
    ``grad + momentum * b``. Sutskever et al., "On the importance of initialization and momentum" (2013), in the form
    that keeps ``lr`` outside the buffer. ValueError for negative options, and for ``nesterov`` without momentum
    or with dampening.

    >>> w = gradkit.tensor([1.0, -2.0], requires_grad=True)
    >>> optimizer = optim.SGD([w], lr=0.25)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w
    tensor([ 0.5000, -1.0000], requires_grad=True)
    """

    def __init__(
        self, params: Iterable[Any], lr: float = 1e-3, momentum: float = 0, dampening: float = 0,
        weight_decay: float = 0, nesterov: bool = False, *, maximize: bool = False, foreach: bool | None = None,
        differentiable: bool = False, fused: bool | None = None,
    ) -> None:
        if nesterov and (momentum <= 0 or dampening != 0):
            raise ValueError("Nesterov momentum requires a momentum and zero dampening")
        super().__init__(params, checked(locals()))

    kernel = "sgd_step"

    def prepared(self, param: Any, state: dict[str, Any], group: dict[str, Any]) -> tuple[list[Any], tuple[Any, ...]]:
        momentum, buffer, first = group["momentum"], None, False
        if momentum:
            first = "momentum_buffer" not in state
            if first:
                state["momentum_buffer"] = zeros_for(param)
            buffer = state["momentum_buffer"].array
        rise = 1 - group["dampening"]
        options = group["maximize"], group["nesterov"], first
        return [buffer], (float(group["lr"]), group["weight_decay"], momentum, rise, *options)

    def apply(self, param: Any, grad: Any, arrays: list[Any], numbers: tuple[Any, ...]) -> None:
        lr, weight_decay, momentum, rise, maximize, nesterov, first = numbers
        (buffer,) = arrays
        for p, g, b in blocks(param, grad, param if buffer is None else buffer):
            step = -g if maximize else g
            if weight_decay:
                step = step + weight_decay * p
            if momentum:
                if first:
                    b[...] = step
                else:
                    b *= momentum
                    b += step if rise == 1 else rise * step
                step = step + momentum * b if nesterov else b
            p -= lr * step
