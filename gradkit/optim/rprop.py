"""Rprop."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from gradkit.backend.protocol import beside
from gradkit.engine.tensor import wrap
from gradkit.optim.optimizer import Optimizer, begun, blocks, checked


class Rprop(Optimizer):
    """Steps against the sign of the gradient, each element's own size of them grown while the sign stays.

    A step size starts at ``lr``; it is multiplied by the second of ``etas`` where the sign is that of the last step, by the
    first where it is the other, and kept within ``step_sizes``. Where the sign has changed no step is made. Riedmiller and
    Braun (1993). ValueError for a negative rate and etas that are not below and above 1.

    >>> w = gradkit.tensor([1.0], requires_grad=True)
    >>> optimizer = optim.Rprop([w], lr=0.25)
    >>> (4 * w).sum().backward()
    >>> optimizer.step()
    >>> w
    tensor([0.7500], requires_grad=True)
    """

    def __init__(
        self, params: Iterable[Any], lr: float = 1e-2, etas: tuple[float, float] = (0.5, 1.2),
        step_sizes: tuple[float, float] = (1e-6, 50), *, capturable: bool = False, foreach: bool | None = None,
        maximize: bool = False, differentiable: bool = False,
    ) -> None:
        if not 0 < etas[0] < 1 < etas[1]:
            raise ValueError(f"Invalid eta values: {etas[0]}, {etas[1]}")
        super().__init__(params, checked(locals()))

    def update(self, param: Any, grad: Any, state: dict[str, Any], group: dict[str, Any]) -> None:
        if "step_size" not in state:
            state["step_size"] = wrap(beside(param, "full", param.shape, float(group["lr"]), param.dtype))
        _, arrays = begun(param, state, "prev", "step_size")
        (shrink, grow), (least, most) = group["etas"], group["step_sizes"]
        for p, g, last, size in blocks(param, grad, *arrays):
            if group["maximize"]:
                g = -g
            turned = np.sign(g * last)
            size *= np.where(turned > 0, grow, np.where(turned < 0, shrink, 1)).astype(size.dtype)
            np.clip(size, least, most, out=size)
            g = np.where(turned < 0, 0, g).astype(size.dtype)
            p -= np.sign(g) * size
            last[...] = g
