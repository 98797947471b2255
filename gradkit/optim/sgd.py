"""Stochastic gradient descent."""

from collections.abc import Iterable
from typing import Any, NamedTuple

from gradkit.optim.optimizer import Optimizer, blocks, check_not_negative, one_implementation, zeros_for


class SgdNumbers(NamedTuple):
    """What a step reads besides arrays, in the order of kernels/sgd_step.cuh."""

    lr: float
    weight_decay: float
    momentum: float
    rise: float
    maximize: bool
    nesterov: bool
    first: bool


class SGD(Optimizer):
    """``param -= lr * grad``, with momentum and weight decay.

    ``weight_decay * param`` is added to the gradient, or to its negative if ``maximize``. With ``momentum`` the step is
    the buffer ``b = momentum * b + (1 - dampening) * grad`` (the first gradient undamped), with ``nesterov`` it is
    ``grad + momentum * b``. Sutskever et al., "On the importance of initialization and momentum" (2013), in the form
    that keeps ``lr`` outside the buffer. Raises ValueError for negative options, and for ``nesterov`` without momentum
    or with dampening.

    >>> import gradkit
    >>> from gradkit import optim
    >>> w = gradkit.tensor([1.0, -2.0], requires_grad=True)
    >>> optimizer = optim.SGD([w], lr=0.25)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w
    tensor([ 0.5000, -1.0000], requires_grad=True)
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        momentum: float = 0,
        dampening: float = 0,
        weight_decay: float = 0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        check_not_negative(lr=lr, momentum=momentum, weight_decay=weight_decay)
        if nesterov and (momentum <= 0 or dampening != 0):
            raise ValueError("Nesterov momentum requires a momentum and zero dampening")
        defaults = {
            "lr": lr,
            "momentum": momentum,
            "dampening": dampening,
            "weight_decay": weight_decay,
            "nesterov": nesterov,
            "maximize": maximize,
        }
        super().__init__(params, defaults | one_implementation(differentiable, foreach=foreach, fused=fused))

    kernel = "sgd_step"

    def update(self, param: Any, grad: Any, state: dict[str, Any], group: dict[str, Any]) -> None:
        self.apply(param, grad, *self.prepared(param, state, group))

    def prepared(self, param: Any, state: dict[str, Any], group: dict[str, Any]) -> tuple[list[Any], SgdNumbers]:
        momentum, first = group["momentum"], "momentum_buffer" not in state
        if momentum and first:
            state["momentum_buffer"] = zeros_for(param)
        numbers = SgdNumbers(
            lr=float(group["lr"]),
            weight_decay=group["weight_decay"],
            momentum=momentum,
            rise=1 - group["dampening"],
            maximize=bool(group["maximize"]),
            nesterov=bool(group["nesterov"]),
            first=bool(momentum and first),
        )
        return [state["momentum_buffer"].array if momentum else None], numbers

    def apply(self, param: Any, grad: Any, arrays: list[Any], by: SgdNumbers) -> None:
        (buffer,) = arrays
        for p, g, b in blocks(param, grad, param if buffer is None else buffer):
            step = -g if by.maximize else g
            if by.weight_decay:
                step = step + by.weight_decay * p
            if by.momentum:
                if by.first:
                    b[...] = step
                else:
                    b *= by.momentum
                    b += step if by.rise == 1 else by.rise * step
                step = step + by.momentum * b if by.nesterov else b
            p -= by.lr * step
