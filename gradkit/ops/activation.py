"""Activations with PyTorch's signatures. Those that PyTorch has in `nn.functional` only stay out of `__all__`.

With `inplace` a function writes its result over its input, and returns that.
"""

from collections.abc import Callable
from typing import Any

from gradkit import errors
from gradkit.engine import inplace as writing
from gradkit.engine.tensor import Tensor
from gradkit.ops.documentation import document
from gradkit.ops.shaping import reshape
from gradkit.primitives import activation as rows
from gradkit.primitives.activation import sigmoid
from gradkit.primitives.comparison import gt
from gradkit.primitives.complex import modulus
from gradkit.primitives.elementwise import div, expm1, mul
from gradkit.primitives.piecewise import where
from gradkit.primitives.trigonometric import tanh

__all__ = ["celu", "hardshrink", "prelu", "relu", "selu", "sigmoid", "tanh", "threshold"]
METHODS = ("hardshrink", "prelu", "relu", "sigmoid", "tanh")
INPLACE = ("relu", "sigmoid", "tanh")

# So that the result has mean 0 and variance 1 where the input has (Klambauer et al. 2017, equation 14).
_SELU_ALPHA, _SELU_SCALE = 1.6732632423543772, 1.0507009873554805


def _written(inplace: bool, input: Tensor, name: str, op: Callable[..., Tensor], **params: Any) -> Tensor:
    return writing.write(input, lambda x: op(x, **params), f"{name}_") if inplace else op(input, **params)


# -- cut-offs
def relu(input: Tensor, inplace: bool = False) -> Tensor:
    """``max(0, input)``, of integers too; the derivative at 0 is 0. NotImplementedError for bools and complex numbers.

    >>> gradkit.relu(gradkit.tensor([-1.0, 2.0]))
    tensor([0., 2.])
    """
    return writing.write(input, rows.relu, "relu_") if inplace else rows.relu(input)


def relu6(input: Tensor, inplace: bool = False) -> Tensor:
    """``min(max(0, input), 6)``; the derivative is 0 at both ends.

    >>> F.relu6(gradkit.tensor([-1.0, 2.0, 9.0]))
    tensor([0., 2., 6.])
    """
    return hardtanh(input, 0.0, 6.0, inplace)


def hardtanh(input: Tensor, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> Tensor:
    """``min(max(min_val, input), max_val)``; the derivative is 0 at both ends, where that of `clamp` is 1.

    ValueError if `min_val` is above `max_val`, NotImplementedError for bools, complex numbers,
    and unsigned integers with a negative `min_val`.

    >>> F.hardtanh(gradkit.tensor([-2.0, 0.5]))
    tensor([-1.0000,  0.5000])
    """
    if min_val > max_val:
        raise ValueError("min_val cannot be greater than max_val")
    _check_numbers("hardtanh", input, "bcu" if min_val < 0 else "bc")
    return _written(inplace, input, "hardtanh", rows.hardtanh, min_val=min_val, max_val=max_val)


def _check_numbers(name: str, input: Tensor, refused: str = "biuc") -> None:
    if input.dtype.kind in refused:
        raise errors.not_implemented(name, input.dtype, "")


def threshold(input: Tensor, threshold: float, value: float, inplace: bool = False) -> Tensor:
    """`input` where it is above the threshold, `value` elsewhere.

    >>> gradkit.threshold(gradkit.tensor([0.5, 2.0]), 1.0, -1.0)
    tensor([-1.,  2.])
    """
    _check_numbers("threshold", input, "bc")
    return _written(inplace, input, "threshold", rows.threshold, threshold=threshold, value=value)


def hardsigmoid(input: Tensor, inplace: bool = False) -> Tensor:
    """``min(max(0, input + 3), 6) / 6``: a broken line for sigmoid.

    >>> F.hardsigmoid(gradkit.tensor([-4.0, 0.0, 1.5]))
    tensor([0.0000, 0.5000, 0.7500])
    """
    _check_numbers("hardsigmoid", input)
    return _written(inplace, input, "hardsigmoid", rows.hardsigmoid)


def hardswish(input: Tensor, inplace: bool = False) -> Tensor:
    """``input * min(max(0, input + 3), 6) / 6``. Source: Howard et al. 2019.

    >>> F.hardswish(gradkit.tensor([-1.0, 1.0, 4.0]))
    tensor([-0.3333,  0.6667,  4.0000])
    """
    _check_numbers("hardswish", input)
    return _written(inplace, input, "hardswish", rows.hardswish)


def hardshrink(input: Tensor, lambd: float = 0.5) -> Tensor:
    """`input` where its absolute value is above `lambd`, else 0.

    >>> gradkit.hardshrink(gradkit.tensor([-0.4, 2.0]))
    tensor([0., 2.])
    """
    _check_numbers("hardshrink", input)
    return rows.hardshrink(input, lambd=lambd)


def softshrink(input: Tensor, lambd: float = 0.5) -> Tensor:
    """`input` moved by `lambd` towards 0, and 0 where that would cross it. RuntimeError for a negative `lambd`.

    >>> F.softshrink(gradkit.tensor([-0.25, 2.0]))
    tensor([0.0000, 1.5000])
    """
    if lambd < 0:
        raise RuntimeError(f"lambda must be greater or equal to 0, but found to be {lambd}.")
    _check_numbers("softshrink", input)
    return rows.softshrink(input, lambd=lambd)


# -- bent at the origin
def leaky_relu(input: Tensor, negative_slope: float = 0.01, inplace: bool = False) -> Tensor:
    """``input`` where it is positive, else ``negative_slope * input``.

    RuntimeError in place with a negative slope, whose derivative cannot be read off the result.

    >>> F.leaky_relu(gradkit.tensor([-1.0, 2.0]), 0.1)
    tensor([-0.1000,  2.0000])
    """
    _check_numbers("leaky_relu", input)
    if negative_slope < 0:
        return _bent(input, mul(input, negative_slope), "leaky_relu", inplace)
    return _written(inplace, input, "leaky_relu", rows.leaky_relu, negative_slope=negative_slope)


def _bent(input: Tensor, below: Tensor, name: str, inplace: bool) -> Tensor:
    """The input's own sign decides where that of the output does not tell."""
    if inplace:
        raise RuntimeError(f"{name}: in place with a negative slope the derivative could not be told from the result")
    return where(gt(input, 0), input, below)


def prelu(input: Tensor, weight: Tensor) -> Tensor:
    """``input`` where it is positive, else ``weight * input``, with one weight, or one for each channel (axis 1).

    RuntimeError for another number of weights. Source: He et al. 2015.

    >>> gradkit.prelu(gradkit.tensor([-1.0, 2.0]), gradkit.tensor([0.25]))
    tensor([-0.2500,  2.0000])
    """
    if weight.numel() != 1:
        channels = input.shape[1] if input.ndim > 1 else 1
        if weight.ndim != 1 or weight.shape[0] != channels:
            raise RuntimeError(
                f"Mismatch of parameter numbers and input channel size. Found parameter numbers = {weight.numel()} and "
                f"channel size = {channels}."
            )
        weight = reshape(weight, (channels, *[1] * (input.ndim - 2)))
    elif weight.ndim > input.ndim:
        weight = reshape(weight, ())
    return rows.prelu(input, weight)


def elu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """``input`` where it is positive, else ``alpha * (exp(input) - 1)``. Source: Clevert et al. 2016.

    >>> F.elu(gradkit.tensor([-1.0, 2.0]))
    tensor([-0.6321,  2.0000])
    """
    _check_numbers("elu", input)
    if alpha < 0:
        return _bent(input, mul(expm1(input), alpha), "elu", inplace)
    return _written(inplace, input, "elu", rows.elu, alpha=alpha, scale=1.0, input_scale=1.0)


def celu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """``input`` where it is positive, else ``alpha * (exp(input / alpha) - 1)``: smooth for every `alpha`.

    RuntimeError for an `alpha` of 0. Source: Barron 2017.

    >>> gradkit.celu(gradkit.tensor([-1.0, 2.0]), 2.0)
    tensor([-0.7869,  2.0000])
    """
    _check_numbers("celu", input)
    if alpha == 0:
        raise RuntimeError("ZeroDivisionError: alpha cannot be 0 for CELU")
    return _written(inplace, input, "celu", rows.elu, alpha=alpha, scale=1.0, input_scale=1 / alpha)


def selu(input: Tensor, inplace: bool = False) -> Tensor:
    """`elu` with an alpha and a scale that keep mean 0 and variance 1. Source: Klambauer et al. 2017.

    >>> gradkit.selu(gradkit.tensor([-1.0, 2.0]))
    tensor([-1.1113,  2.1014])
    """
    _check_numbers("selu", input)
    alpha = _SELU_ALPHA * _SELU_SCALE
    return _written(inplace, input, "selu", rows.elu, alpha=alpha, scale=_SELU_SCALE, input_scale=1.0)


# -- smooth
def logsigmoid(input: Tensor) -> Tensor:
    """``log(sigmoid(input))``, without overflow or cancellation.

    >>> F.logsigmoid(gradkit.tensor([-1000.0, 0.0]))
    tensor([-1.0000e+03, -6.9315e-01])
    """
    _check_numbers("logsigmoid", input)
    return rows.log_sigmoid(input)


def softplus(input: Tensor, beta: float = 1.0, threshold: float = 20.0) -> Tensor:
    """``log(1 + exp(beta * input)) / beta``; `input` itself where ``beta * input`` is above the threshold.

    >>> F.softplus(gradkit.tensor([0.0, 30.0]))
    tensor([ 0.6931, 30.0000])
    """
    _check_numbers("softplus", input)
    return rows.softplus(input, beta=beta, threshold=threshold)


def silu(input: Tensor, inplace: bool = False) -> Tensor:
    """``input * sigmoid(input)``, known as swish. Source: Elfwing et al. 2018.

    >>> F.silu(gradkit.tensor([-1.0, 2.0]))
    tensor([-0.2689,  1.7616])
    """
    _check_numbers("silu", input, "biu")
    return _written(inplace, input, "silu", rows.silu)


def mish(input: Tensor, inplace: bool = False) -> Tensor:
    """``input * tanh(softplus(input))``. Source: Misra 2020.

    >>> F.mish(gradkit.tensor([-1.0, 2.0]))
    tensor([-0.3034,  1.9440])
    """
    _check_numbers("mish", input)
    return _written(inplace, input, "mish", rows.mish)


def gelu(input: Tensor, approximate: str = "none") -> Tensor:
    """``input * Phi(input)``, Phi the normal distribution function; "tanh" approximates it by a hyperbolic tangent.

    RuntimeError for another `approximate`. Source: Hendrycks and Gimpel 2016.

    >>> F.gelu(gradkit.tensor([-1.0, 2.0]))
    tensor([-0.1587,  1.9545])
    """
    if approximate not in ("none", "tanh"):
        raise RuntimeError("approximate argument must be either none or tanh.")
    _check_numbers("gelu", input)
    return rows.gelu(input, approximate=approximate)


def softsign(input: Tensor) -> Tensor:
    """``input / (1 + abs(input))``.

    >>> F.softsign(gradkit.tensor([-1.0, 3.0]))
    tensor([-0.5000,  0.7500])
    """
    if input.is_complex():
        return div(input, modulus(input) + 1)
    return rows.softsign(input)


def tanhshrink(input: Tensor) -> Tensor:
    """``input - tanh(input)``.

    >>> F.tanhshrink(gradkit.tensor([-1.0, 3.0]))
    tensor([-0.2384,  2.0049])
    """
    return rows.tanhshrink(input)


document({"sigmoid": sigmoid, "tanh": tanh})
