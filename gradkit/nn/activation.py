"""Activations: layers without parameters that apply one function."""

from gradkit.engine.tensor import Tensor
from gradkit.nn import functional as F
from gradkit.nn.module import Module


class _InplaceActivation(Module):
    """An activation that can write its result over its input."""

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace

    def extra_repr(self) -> str:
        return "inplace=True" if self.inplace else ""


class ReLU(_InplaceActivation):
    """``max(0, input)``.

    >>> import gradkit
    >>> from gradkit import nn
    >>> nn.ReLU()(gradkit.tensor([-1.0, 2.0]))
    tensor([0., 2.])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.relu(input, inplace=self.inplace)


class SiLU(_InplaceActivation):
    """``input * sigmoid(input)``.

    >>> import gradkit
    >>> from gradkit import nn
    >>> nn.SiLU()(gradkit.tensor([-1.0, 2.0]))
    tensor([-0.2689,  1.7616])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.silu(input, inplace=self.inplace)


class Sigmoid(Module):
    """``1 / (1 + exp(-input))``.

    >>> import gradkit
    >>> from gradkit import nn
    >>> nn.Sigmoid()(gradkit.tensor([0.0, 2.0]))
    tensor([0.5000, 0.8808])
    """

    def forward(self, input: Tensor) -> Tensor:
        output: Tensor = F.sigmoid(input)
        return output


class Tanh(Module):
    """The hyperbolic tangent.

    >>> import gradkit
    >>> from gradkit import nn
    >>> nn.Tanh()(gradkit.tensor([0.0, 2.0]))
    tensor([0.0000, 0.9640])
    """

    def forward(self, input: Tensor) -> Tensor:
        output: Tensor = F.tanh(input)
        return output


class GELU(Module):
    """``input * Phi(input)``, Phi the normal distribution function; ``approximate="tanh"`` approximates it by tanh.

    >>> import gradkit
    >>> from gradkit import nn
    >>> nn.GELU()(gradkit.tensor([-1.0, 2.0]))
    tensor([-0.1587,  1.9545])
    """

    def __init__(self, approximate: str = "none") -> None:
        super().__init__()
        self.approximate = approximate

    def forward(self, input: Tensor) -> Tensor:
        return F.gelu(input, approximate=self.approximate)

    def extra_repr(self) -> str:
        return f"approximate={self.approximate!r}"


class LeakyReLU(Module):
    """``input`` where positive, ``negative_slope * input`` elsewhere.

    >>> import gradkit
    >>> from gradkit import nn
    >>> nn.LeakyReLU(0.1)(gradkit.tensor([-1.0, 2.0]))
    tensor([-0.1000,  2.0000])
    """

    def __init__(self, negative_slope: float = 1e-2, inplace: bool = False) -> None:
        super().__init__()
        self.negative_slope = negative_slope
        self.inplace = inplace

    def forward(self, input: Tensor) -> Tensor:
        return F.leaky_relu(input, self.negative_slope, self.inplace)

    def extra_repr(self) -> str:
        return f"negative_slope={self.negative_slope}" + (", inplace=True" if self.inplace else "")


class ELU(Module):
    """``input`` where positive, ``alpha * (exp(input) - 1)`` elsewhere.

    >>> import gradkit
    >>> from gradkit import nn
    >>> nn.ELU()(gradkit.tensor([-1.0, 2.0]))
    tensor([-0.6321,  2.0000])
    """

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        super().__init__()
        self.alpha = alpha
        self.inplace = inplace

    def forward(self, input: Tensor) -> Tensor:
        return F.elu(input, self.alpha, self.inplace)

    def extra_repr(self) -> str:
        return f"alpha={self.alpha}" + (", inplace=True" if self.inplace else "")


class Softplus(Module):
    """``log(1 + exp(beta * input)) / beta``; above ``beta * input > threshold`` the input itself.

    >>> import gradkit
    >>> from gradkit import nn
    >>> nn.Softplus()(gradkit.tensor([-1.0, 2.0]))
    tensor([0.3133, 2.1269])
    """

    def __init__(self, beta: float = 1.0, threshold: float = 20.0) -> None:
        super().__init__()
        self.beta = beta
        self.threshold = threshold

    def forward(self, input: Tensor) -> Tensor:
        return F.softplus(input, self.beta, self.threshold)

    def extra_repr(self) -> str:
        return f"beta={self.beta}, threshold={self.threshold}"


class _Normalizer(Module):
    """An activation along one axis."""

    def __init__(self, dim: int | None = None) -> None:
        super().__init__()
        self.dim = dim

    def extra_repr(self) -> str:
        return f"dim={self.dim}"


class Softmax(_Normalizer):
    """``exp(input) / exp(input).sum(dim)``: positive numbers that sum to 1 along ``dim``.

    >>> import gradkit
    >>> from gradkit import nn
    >>> nn.Softmax(dim=1)(gradkit.tensor([[0.0, 1.0]]))
    tensor([[0.2689, 0.7311]])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.softmax(input, self.dim)


class LogSoftmax(_Normalizer):
    """The logarithm of `Softmax`, without its loss of precision.

    >>> import gradkit
    >>> from gradkit import nn
    >>> nn.LogSoftmax(dim=1)(gradkit.tensor([[0.0, 1.0]]))
    tensor([[-1.3133, -0.3133]])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.log_softmax(input, self.dim)
