"""Linear, Identity, Flatten and Unflatten."""

import math
from typing import Any

from gradkit import creation
from gradkit.engine.tensor import Tensor
from gradkit.nn import functional as F, init
from gradkit.nn.applied import Applied
from gradkit.nn.module import Module
from gradkit.nn.parameter import Parameter
from gradkit.ops.shaping import flatten

__all__ = ["Flatten", "Identity", "Linear", "Unflatten"]


class Identity(Module):
    """Returns its input. Arguments are accepted and ignored, so that it can stand in for any layer.

    >>> nn.Identity(54, unused=True)(3)
    3
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__()

    def forward(self, input: Any) -> Any:
        return input


class Linear(Module):
    """``input @ weight.T + bias``: shape (*, in_features) to (*, out_features).

    ``weight`` (out_features, in_features) and ``bias`` (out_features) start evenly from (-k, k),
    k = 1 / sqrt(in_features). RuntimeError for an input whose last axis has another length.

    >>> nn.Linear(20, 30)(gradkit.randn(128, 20)).shape
    gradkit.Size([128, 30])
    """

    in_features: int
    out_features: int
    weight: Parameter

    def __init__(self, in_features: int, out_features: int, bias: bool = True, device: Any = None, dtype: Any = None) -> None:
        super().__init__()
        self.in_features = in_features
        self.out_features = out_features
        self.weight = Parameter(creation.empty((out_features, in_features), device=device, dtype=dtype))
        self.bias = Parameter(creation.empty(out_features, device=device, dtype=dtype)) if bias else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        init_weight_and_bias(self.weight, self.bias)

    def forward(self, input: Tensor) -> Tensor:
        return F.linear(input, self.weight, self.bias)

    def extra_repr(self) -> str:
        return f"in_features={self.in_features}, out_features={self.out_features}, bias={self.bias is not None}"


def init_weight_and_bias(weight: Tensor, bias: Tensor | None) -> None:
    """The start of linear and convolution layers: both even in (-k, k), k = 1 / sqrt(fan_in)."""
    init.kaiming_uniform_(weight, a=math.sqrt(5))
    fan_in = math.prod(weight.shape[1:])
    if bias is not None:
        bound = 1 / math.sqrt(fan_in) if fan_in else 0.0
        init.uniform_(bias, -bound, bound)


class Flatten(Applied):
    """Makes the axes ``start_dim`` to ``end_dim`` (included) one; by default all but the first.

    >>> nn.Flatten()(gradkit.zeros(8, 4, 3)).shape
    gradkit.Size([8, 12])
    """

    function = staticmethod(flatten)

    def __init__(self, start_dim: int = 1, end_dim: int = -1) -> None:
        super().__init__(start_dim=start_dim, end_dim=end_dim)


class Unflatten(Module):
    """Splits the axis ``dim`` into axes of the lengths ``unflattened_size``, one of which may be -1.

    >>> nn.Unflatten(1, (4, 3))(gradkit.zeros(8, 12)).shape
    gradkit.Size([8, 4, 3])
    """

    def __init__(self, dim: int, unflattened_size: tuple[int, ...]) -> None:
        super().__init__()
        self.dim = dim
        self.unflattened_size = tuple(unflattened_size)

    def forward(self, input: Tensor) -> Tensor:
        return input.unflatten(self.dim, self.unflattened_size)

    def extra_repr(self) -> str:
        return f"dim={self.dim}, unflattened_size={self.unflattened_size}"
