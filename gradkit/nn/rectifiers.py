"""Activations that treat negative inputs otherwise than positive ones."""

import warnings
from typing import Any

from gradkit import creation
from gradkit.engine.tensor import Tensor
from gradkit.nn import functional as F, init
from gradkit.nn.applied import Applied, InPlace
from gradkit.nn.module import Module
from gradkit.nn.parameter import Parameter

__all__ = ["CELU", "ELU", "SELU", "Hardtanh", "LeakyReLU", "PReLU", "RReLU", "ReLU", "ReLU6", "Threshold"]


class ReLU(InPlace):
    """``max(0, input)``.

    >>> nn.ReLU()(gradkit.tensor([-1.0, 2.0]))
    tensor([0., 2.])
    """

    function = staticmethod(F.relu)


class ReLU6(InPlace):
    """``min(max(0, input), 6)``.

    >>> nn.ReLU6()(gradkit.tensor([-1.0, 2.0, 8.0]))
    tensor([0., 2., 6.])
    """

    function = staticmethod(F.relu6)


class SELU(InPlace):
    """`ELU` scaled so that mean 0 and variance 1 stay so; Klambauer et al., "Self-normalizing neural networks" (2017).

    >>> nn.SELU()(gradkit.tensor([-1.0, 2.0]))
    tensor([-1.1113,  2.1014])
    """

    function = staticmethod(F.selu)


class LeakyReLU(Applied):
    """``input`` where positive, ``negative_slope * input`` elsewhere.

    >>> nn.LeakyReLU(0.1)(gradkit.tensor([-1.0, 2.0]))
    tensor([-0.1000,  2.0000])
    """

    function = staticmethod(F.leaky_relu)

    def __init__(self, negative_slope: float = 1e-2, inplace: bool = False) -> None:
        super().__init__(negative_slope=negative_slope, inplace=inplace)


class ELU(Applied):
    """``input`` where positive, ``alpha * (exp(input) - 1)`` elsewhere.

    >>> nn.ELU()(gradkit.tensor([-1.0, 2.0]))
    tensor([-0.6321,  2.0000])
    """

    function = staticmethod(F.elu)

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        super().__init__(alpha=alpha, inplace=inplace)


class CELU(ELU):
    """``input`` where positive, ``alpha * (exp(input / alpha) - 1)`` elsewhere; Barron (2017).

    >>> nn.CELU(2.0)(gradkit.tensor([-1.0, 2.0]))
    tensor([-0.7869,  2.0000])
    """

    function = staticmethod(F.celu)


class Threshold(Applied):
    """``input`` above ``threshold``, ``value`` elsewhere.

    >>> nn.Threshold(1.0, 20.0)(gradkit.tensor([0.5, 2.0]))
    tensor([20.,  2.])
    """

    function = staticmethod(F.threshold)

    def __init__(self, threshold: float, value: float, inplace: bool = False) -> None:
        super().__init__(threshold=threshold, value=value, inplace=inplace)


class Hardtanh(Applied):
    """``input`` cut off to [min_val, max_val]. AssertionError unless ``max_val`` is the greater.

    PyTorch's former names ``min_value`` and ``max_value`` are understood, with a FutureWarning.

    >>> nn.Hardtanh()(gradkit.tensor([-3.0, 0.5]))
    tensor([-1.0000,  0.5000])
    """

    function = staticmethod(F.hardtanh)

    def __init__(
        self, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False, min_value: float | None = None,
        max_value: float | None = None,
    ) -> None:
        for former, name in ((min_value, "min_val"), (max_value, "max_val")):
            if former is not None:
                warnings.warn(f"keyword argument `{name}ue` is deprecated, use `{name}` instead", FutureWarning, stacklevel=2)
        min_val = min_val if min_value is None else min_value
        max_val = max_val if max_value is None else max_value
        if not max_val > min_val:
            raise AssertionError(f"max_val must be larger than min_val, got {max_val} and {min_val}")
        super().__init__(min_val=min_val, max_val=max_val, inplace=inplace)


class RReLU(Applied):
    """`LeakyReLU` with a slope drawn for each negative element evenly from [lower, upper); in evaluation the mean of both.

    Xu et al., "Empirical evaluation of rectified activations in convolutional network" (2015).

    >>> nn.RReLU(0.1, 0.3).eval()(gradkit.tensor([-1.0, 2.0]))
    tensor([-0.2000,  2.0000])
    """

    function: Any = staticmethod(F.rrelu)

    def __init__(self, lower: float = 1 / 8, upper: float = 1 / 3, inplace: bool = False) -> None:
        super().__init__(lower=lower, upper=upper, inplace=inplace)

    def forward(self, *inputs: Any) -> Any:
        return self.function(*inputs, self.lower, self.upper, self.training, self.inplace)


class PReLU(Module):
    """`LeakyReLU` whose slope is learned: one for all, or one for each of ``num_parameters`` channels, axis 1.

    ``weight`` (num_parameters,) starts at ``init``. He et al., "Delving deep into rectifiers" (2015).

    >>> nn.PReLU()(gradkit.tensor([-1.0, 2.0])).detach()
    tensor([-0.2500,  2.0000])
    """

    weight: Parameter

    def __init__(self, num_parameters: int = 1, init: float = 0.25, device: Any = None, dtype: Any = None) -> None:
        super().__init__()
        self.num_parameters = num_parameters
        self.init = init
        self.weight = Parameter(creation.empty(num_parameters, device=device, dtype=dtype))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        init.constant_(self.weight, self.init)

    def forward(self, input: Tensor) -> Tensor:
        return F.prelu(input, self.weight)

    def extra_repr(self) -> str:
        return f"num_parameters={self.num_parameters}"
