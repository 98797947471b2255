"""Starting values: functions that fill a Tensor in place, outside the tape, and return it.

With the same `manual_seed` they give PyTorch's numbers. Fans: a weight of shape (out, in, *kernel) has
fan_in = in * prod(kernel) and fan_out = out * prod(kernel).
"""

import math
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from gradkit import creation
from gradkit.autograd import no_grad
from gradkit.engine.operands import on_one_device
from gradkit.engine.tensor import Tensor, wrap
from gradkit.ops.arithmetic import where

_GAINS = {
    "linear": 1.0,
    "conv1d": 1.0,
    "conv2d": 1.0,
    "conv3d": 1.0,
    "conv_transpose1d": 1.0,
    "conv_transpose2d": 1.0,
    "conv_transpose3d": 1.0,
    "sigmoid": 1.0,
    "tanh": 5 / 3,
    "relu": math.sqrt(2),
    "selu": 3 / 4,
}


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """The factor that keeps the variance of a layer's output level, for the nonlinearity that follows it.

    ``param`` is the negative slope of "leaky_relu", 0.01 by default; its gain is sqrt(2 / (1 + slope**2)), see He et
    al., "Delving deep into rectifiers" (2015). ValueError for a name it does not know or a slope that is no
    number.

    >>> nn.init.calculate_gain("leaky_relu", 0.0)
    1.4142135623730951
    """
    if nonlinearity == "leaky_relu":
        if param is not None and (isinstance(param, bool) or not isinstance(param, int | float)):
            raise ValueError(f"negative_slope {param!r} is not a valid number")
        return math.sqrt(2 / (1 + (0.01 if param is None else param) ** 2))
    if nonlinearity not in _GAINS:
        raise ValueError(f"Unsupported nonlinearity {nonlinearity!r}; known are {', '.join([*_GAINS, 'leaky_relu'])}")
    return _GAINS[nonlinearity]


@no_grad()
def uniform_(tensor: Tensor, a: float = 0.0, b: float = 1.0, generator: Any = None) -> Tensor:
    """Fill with numbers drawn evenly from [a, b).

    >>> x = nn.init.uniform_(gradkit.empty(100), -1.0, 1.0)
    >>> bool(((x >= -1) & (x < 1)).all())
    True
    """
    return tensor.uniform_(a, b, generator=generator)


@no_grad()
def normal_(tensor: Tensor, mean: float = 0.0, std: float = 1.0, generator: Any = None) -> Tensor:
    """Fill with numbers drawn from the normal distribution.

    >>> nn.init.normal_(gradkit.empty(2, 3), std=0.02).shape
    gradkit.Size([2, 3])
    """
    return tensor.normal_(mean, std, generator=generator)


@no_grad()
def trunc_normal_(
    tensor: Tensor, mean: float = 0.0, std: float = 1.0, a: float = -2.0, b: float = 2.0, generator: Any = None
) -> Tensor:
    """Fill with numbers drawn from the normal distribution, cut off outside [a, b].

    What falls outside is drawn again. Where that would happen often, candidates are drawn evenly from [a, b] and
    accepted with the probability that the normal density there has relative to its greatest value in the interval.
    Warns if the mean lies more than two ``std`` outside.

    >>> x = nn.init.trunc_normal_(gradkit.empty(100), std=3.0)
    >>> bool((x.abs() <= 2).all())
    True
    """
    if mean < a - 2 * std or mean > b + 2 * std:
        warnings.warn(f"trunc_normal_: mean {mean} is more than 2 std from [{a}, {b}]", stacklevel=3)
    peak = ((max(a, min(mean, b)) - mean) / std) ** 2 / 2

    def cut_normal() -> tuple[Tensor, Tensor]:
        candidates = creation.empty_like(tensor).normal_(mean, std, generator=generator)
        return candidates, (candidates < a) | (candidates > b)

    def weighed_uniform() -> tuple[Tensor, Tensor]:
        candidates = creation.empty_like(tensor).uniform_(a, b, generator=generator)
        log_chance = peak - ((candidates - mean) / std) ** 2 / 2
        return candidates, creation.empty_like(tensor).uniform_(generator=generator).log() > log_chance

    inside = (math.erf((b - mean) / std / math.sqrt(2)) - math.erf((a - mean) / std / math.sqrt(2))) / 2
    propose: Callable[[], tuple[Tensor, Tensor]] = cut_normal if inside > 0.3 else weighed_uniform
    values, pending = propose()
    while pending.any():
        candidates, rejected = propose()
        values = where(pending, candidates, values)
        pending = pending & rejected
    return tensor.copy_(values)


@no_grad()
def constant_(tensor: Tensor, val: float) -> Tensor:
    """Fill with one number.

    >>> nn.init.constant_(gradkit.empty(2), 0.5)
    tensor([0.5000, 0.5000])
    """
    return tensor.fill_(val)


def ones_(tensor: Tensor) -> Tensor:
    """Fill with 1.

    >>> nn.init.ones_(gradkit.empty(2))
    tensor([1., 1.])
    """
    return constant_(tensor, 1.0)


def zeros_(tensor: Tensor) -> Tensor:
    """Fill with 0.

    >>> nn.init.zeros_(gradkit.empty(2))
    tensor([0., 0.])
    """
    return constant_(tensor, 0.0)


@no_grad()
def eye_(tensor: Tensor) -> Tensor:
    """Make a matrix the identity. ValueError for a Tensor that has not two dimensions.

    >>> nn.init.eye_(gradkit.empty(2, 2))
    tensor([[1., 0.],
            [0., 1.]])
    """
    if tensor.ndim != 2:
        raise ValueError(f"eye_: only tensors with 2 dimensions are supported, got shape {tuple(tensor.shape)}")
    return tensor.copy_(creation.eye(*tensor.shape, dtype=tensor.dtype, device=tensor.device))


@no_grad()
def dirac_(tensor: Tensor, groups: int = 1) -> Tensor:
    """Make a convolution's weight (out, in, *kernel) pass on as many channels as it can, in each of ``groups``.

    ValueError for another number of axes than 3, 4 and 5, and for an extent that ``groups`` does not divide.

    >>> nn.init.dirac_(gradkit.empty(2, 2, 3))
    tensor([[[0., 1., 0.],
             [0., 0., 0.]],
            [[0., 0., 0.],
             [0., 1., 0.]]])
    """
    if tensor.ndim not in (3, 4, 5):
        raise ValueError(f"Only tensors with 3, 4, or 5 dimensions are supported, got shape {tuple(tensor.shape)}")
    outputs, inputs, *kernel = tensor.shape
    if outputs % groups:
        raise ValueError(f"dim 0 must be divisible by groups, got {outputs} and {groups}")
    tensor.zero_()
    middle = tuple([n // 2 for n in kernel])
    for group in range(groups):
        for channel in range(min(outputs // groups, inputs)):
            tensor[(group * (outputs // groups) + channel, channel, *middle)] = 1
    return tensor


def xavier_uniform_(tensor: Tensor, gain: float = 1.0, generator: Any = None) -> Tensor:
    """Fill evenly from (-bound, bound), bound = gain * sqrt(6 / (fan_in + fan_out)); Glorot and Bengio (2010).

    ValueError for a Tensor of fewer than two dimensions.

    >>> bool((nn.init.xavier_uniform_(gradkit.empty(3, 3)).abs() < 1).all())
    True
    """
    bound = gain * math.sqrt(6 / sum(_fans(tensor)))
    return uniform_(tensor, -bound, bound, generator)


def xavier_normal_(tensor: Tensor, gain: float = 1.0, generator: Any = None) -> Tensor:
    """Fill from the normal distribution of std gain * sqrt(2 / (fan_in + fan_out)); Glorot and Bengio (2010).

    ValueError for a Tensor of fewer than two dimensions.

    >>> nn.init.xavier_normal_(gradkit.empty(3, 5)).shape
    gradkit.Size([3, 5])
    """
    return normal_(tensor, 0.0, gain * math.sqrt(2 / sum(_fans(tensor))), generator)


def kaiming_uniform_(
    tensor: Tensor, a: float = 0, mode: str = "fan_in", nonlinearity: str = "leaky_relu", generator: Any = None
) -> Tensor:
    """Fill evenly from (-bound, bound), bound = gain * sqrt(3 / fan); He et al. (2015).

    ``mode`` is "fan_in" or "fan_out", the gain that of ``nonlinearity`` with parameter ``a``. ValueError for
    another mode and for a Tensor of fewer than two dimensions; warns and does nothing if there are no elements.

    >>> bool((nn.init.kaiming_uniform_(gradkit.empty(3, 6)).abs() < 1).all())
    True
    """
    std = _kaiming_std(tensor, a, mode, nonlinearity)
    bound = None if std is None else math.sqrt(3) * std
    return tensor if bound is None else uniform_(tensor, -bound, bound, generator)


def kaiming_normal_(
    tensor: Tensor, a: float = 0, mode: str = "fan_in", nonlinearity: str = "leaky_relu", generator: Any = None
) -> Tensor:
    """Fill from the normal distribution of std gain / sqrt(fan); arguments and errors as `kaiming_uniform_`.

    >>> nn.init.kaiming_normal_(gradkit.empty(8, 3, 5, 5), nonlinearity="relu").shape
    gradkit.Size([8, 3, 5, 5])
    """
    std = _kaiming_std(tensor, a, mode, nonlinearity)
    return tensor if std is None else normal_(tensor, 0.0, std, generator)


@no_grad()
@on_one_device
def orthogonal_(tensor: Tensor, gain: float = 1, generator: Any = None) -> Tensor:
    """Fill so that the rows, or the columns if there are fewer, are orthonormal, times ``gain``.

    Axes after the first count as one. The matrix is the Q of a QR decomposition of normal numbers, with R's diagonal
    made positive, which makes it uniform among orthogonal matrices; Saxe, McClelland and Ganguli (2014).
    ValueError for a Tensor of fewer than two dimensions.

    >>> w = nn.init.orthogonal_(gradkit.empty(3, 5))
    >>> gradkit.allclose(w @ w.T, gradkit.eye(3), atol=1e-6)
    True
    """
    if tensor.ndim < 2:
        raise ValueError(f"Only tensors with 2 or more dimensions are supported, got shape {tuple(tensor.shape)}")
    if tensor.numel() == 0:
        return tensor
    rows = tensor.shape[0]
    columns = tensor.numel() // rows
    draw = creation.empty_like(tensor).reshape(rows, columns).normal_(generator=generator).array
    q, r = np.linalg.qr(draw if rows >= columns else draw.T)
    q = q * np.sign(np.diagonal(r))
    return tensor.copy_(wrap((q if rows >= columns else q.T).reshape(tensor.shape))).mul_(gain)


def _fans(tensor: Tensor) -> tuple[int, int]:
    if tensor.ndim < 2:
        raise ValueError(
            f"Fan in and fan out can not be computed for tensor with fewer than 2 dimensions, got shape {tuple(tensor.shape)}"
        )
    outputs, inputs, *kernel = tensor.shape
    return inputs * math.prod(kernel), outputs * math.prod(kernel)


def _kaiming_std(tensor: Tensor, a: float, mode: str, nonlinearity: str) -> float | None:
    """None: there is nothing to fill."""
    if 0 in tensor.shape:
        warnings.warn("Initializing zero-element tensors is a no-op", stacklevel=4)
        return None
    fans = dict(zip(("fan_in", "fan_out"), _fans(tensor), strict=True))
    if mode not in fans:
        raise ValueError(f"Mode {mode} not supported, please use one of ['fan_in', 'fan_out']")
    return calculate_gain(nonlinearity, a) / math.sqrt(fans[mode])
