"""Activations that are smooth or fall back to zero, and those along an axis; `rectifiers` has the others."""

from gradkit.engine.tensor import Tensor
from gradkit.nn import functional as F
from gradkit.nn.applied import Applied, InPlace

__all__ = [
    "GELU", "GLU", "Hardshrink", "Hardsigmoid", "Hardswish", "LogSigmoid", "LogSoftmax", "Mish", "SiLU", "Sigmoid", "Softmax",
    "Softmax2d", "Softmin", "Softplus", "Softshrink", "Softsign", "Tanh", "Tanhshrink",
]


class Sigmoid(Applied):
    """``1 / (1 + exp(-input))``.

    >>> nn.Sigmoid()(gradkit.tensor([0.0, 2.0]))
    tensor([0.5000, 0.8808])
    """

    function = staticmethod(F.sigmoid)


class LogSigmoid(Applied):
    """The logarithm of `Sigmoid`, without its loss of precision.

    >>> nn.LogSigmoid()(gradkit.tensor([0.0, -100.0]))
    tensor([  -0.6931, -100.0000])
    """

    function = staticmethod(F.logsigmoid)


class Tanh(Applied):
    """The hyperbolic tangent.

    >>> nn.Tanh()(gradkit.tensor([0.0, 2.0]))
    tensor([0.0000, 0.9640])
    """

    function = staticmethod(F.tanh)


class Tanhshrink(Applied):
    """``input - tanh(input)``.

    >>> nn.Tanhshrink()(gradkit.tensor([0.0, 2.0]))
    tensor([0.0000, 1.0360])
    """

    function = staticmethod(F.tanhshrink)


class Softsign(Applied):
    """``input / (1 + abs(input))``.

    >>> nn.Softsign()(gradkit.tensor([-1.0, 3.0]))
    tensor([-0.5000,  0.7500])
    """

    function = staticmethod(F.softsign)


class Softplus(Applied):
    """``log(1 + exp(beta * input)) / beta``; above ``beta * input > threshold`` the input itself.

    >>> nn.Softplus()(gradkit.tensor([-1.0, 2.0]))
    tensor([0.3133, 2.1269])
    """

    function = staticmethod(F.softplus)

    def __init__(self, beta: float = 1.0, threshold: float = 20.0) -> None:
        super().__init__(beta=beta, threshold=threshold)


class GELU(Applied):
    """``input * Phi(input)``, Phi the normal distribution function; ``approximate="tanh"`` approximates it by tanh.

    Hendrycks and Gimpel, "Gaussian error linear units" (2016).

    >>> nn.GELU()(gradkit.tensor([-1.0, 2.0]))
    tensor([-0.1587,  1.9545])
    """

    function = staticmethod(F.gelu)

    def __init__(self, approximate: str = "none") -> None:
        super().__init__(approximate=approximate)


class SiLU(InPlace):
    """``input * sigmoid(input)``.

    >>> nn.SiLU()(gradkit.tensor([-1.0, 2.0]))
    tensor([-0.2689,  1.7616])
    """

    function = staticmethod(F.silu)


class Mish(InPlace):
    """``input * tanh(softplus(input))``; Misra, "Mish" (2019).

    >>> nn.Mish()(gradkit.tensor([-1.0, 2.0]))
    tensor([-0.3034,  1.9440])
    """

    function = staticmethod(F.mish)


class Hardsigmoid(InPlace):
    """``input / 6 + 1 / 2``, cut off to [0, 1].

    >>> nn.Hardsigmoid()(gradkit.tensor([-4.0, 0.0, 1.5]))
    tensor([0.0000, 0.5000, 0.7500])
    """

    function = staticmethod(F.hardsigmoid)
    shown = ()


class Hardswish(InPlace):
    """``input * Hardsigmoid(input)``; Howard et al., "Searching for MobileNetV3" (2019).

    >>> nn.Hardswish()(gradkit.tensor([-4.0, 1.5, 4.0]))
    tensor([-0.0000,  1.1250,  4.0000])
    """

    function = staticmethod(F.hardswish)
    shown = ()


class Hardshrink(Applied):
    """``input`` outside [-lambd, lambd], 0 inside.

    >>> nn.Hardshrink()(gradkit.tensor([-1.0, 0.2]))
    tensor([-1.,  0.])
    """

    function = staticmethod(F.hardshrink)

    def __init__(self, lambd: float = 0.5) -> None:
        super().__init__(lambd=lambd)

    def extra_repr(self) -> str:
        return f"{self.lambd}"


class Softshrink(Hardshrink):
    """``input`` moved by ``lambd`` towards 0, which it does not pass.

    >>> nn.Softshrink()(gradkit.tensor([-1.0, 0.2]))
    tensor([-0.5000,  0.0000])
    """

    function = staticmethod(F.softshrink)


class GLU(Applied):
    """The first half along ``dim`` times the sigmoid of the second; Dauphin et al. (2017).

    >>> nn.GLU()(gradkit.tensor([3.0, 0.0]))
    tensor([1.5000])
    """

    function = staticmethod(F.glu)

    def __init__(self, dim: int = -1) -> None:
        super().__init__(dim=dim)


# -- along an axis
class Softmax(Applied):
    """``exp(input) / exp(input).sum(dim)``: positive numbers that sum to 1 along ``dim``.

    >>> nn.Softmax(dim=1)(gradkit.tensor([[0.0, 1.0]]))
    tensor([[0.2689, 0.7311]])
    """

    function = staticmethod(F.softmax)

    def __init__(self, dim: int | None = None) -> None:
        super().__init__(dim=dim)


class LogSoftmax(Softmax):
    """The logarithm of `Softmax`, without its loss of precision.

    >>> nn.LogSoftmax(dim=1)(gradkit.tensor([[0.0, 1.0]]))
    tensor([[-1.3133, -0.3133]])
    """

    function = staticmethod(F.log_softmax)


class Softmin(Softmax):
    """`Softmax` of ``-input``.

    >>> nn.Softmin(dim=1)(gradkit.tensor([[0.0, 1.0]]))
    tensor([[0.7311, 0.2689]])
    """

    function = staticmethod(F.softmin)


class Softmax2d(Applied):
    """`Softmax` over the channels of (N, C, H, W) or (C, H, W). ValueError for another number of axes.

    >>> nn.Softmax2d()(gradkit.zeros(2, 1, 1)).flatten()
    tensor([0.5000, 0.5000])
    """

    def forward(self, *inputs: Tensor) -> Tensor:
        (input,) = inputs
        if input.ndim not in (3, 4):
            raise ValueError(f"Softmax2d: expected input to be 3D or 4D, got {input.ndim}D of shape {tuple(input.shape)}")
        return F.softmax(input, -3)
