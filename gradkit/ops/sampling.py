"""Random samples that gradients flow through. Names and arguments are those of torch.nn.functional."""

from typing import Any

import numpy as np

from gradkit.backend.protocol import backend_of
from gradkit.backend.rng import Generator
from gradkit.creation import arange
from gradkit.engine import inplace as writing
from gradkit.engine.operands import on_one_device
from gradkit.engine.tensor import Tensor
from gradkit.ops.activation import leaky_relu
from gradkit.ops.normalization import softmax
from gradkit.ops.reducing import argmax
from gradkit.primitives import elementwise as rows
from gradkit.primitives.shape import axis_from_end, extents, reshape
from gradkit.random import drawn

__all__: list[str] = []


def gumbel_softmax(logits: Tensor, tau: float = 1, hard: bool = False, eps: float = 1e-10, dim: int = -1) -> Tensor:
    """A sample of the Gumbel-Softmax distribution: `softmax` of ``(logits + noise) / tau`` along `dim`; the same shape.

    With `hard` it is one-hot, with the gradient of the soft sample. `eps` is not used. IndexError if there is no
    such axis. Jang, Gu and Poole, "Categorical reparameterization with Gumbel-Softmax" (2017).

    >>> F.gumbel_softmax(gradkit.tensor([0.0, 1000.0]), hard=True)
    tensor([0., 1.])
    """
    waiting = drawn(lambda generator, shape: generator.exponential(shape, logits.dtype), extents(logits), place=logits.device)
    soft = softmax((logits - rows.log(waiting)) / tau, dim)
    if not hard:
        return soft
    held = soft.detach()
    axis = axis_from_end(logits, dim)
    classes = reshape(arange(extents(logits)[axis], device=logits.device), (-1, *(1,) * (-1 - axis)))
    return (classes == argmax(held, dim, keepdim=True)).to(soft.dtype) - held + soft


def rrelu(input: Tensor, lower: float = 1 / 8, upper: float = 1 / 3, training: bool = False, inplace: bool = False) -> Tensor:
    """`input` where it is positive, elsewhere times a slope: drawn for each element evenly from [lower, upper) in training,
    their mean else. The same shape.

    On the CPU the slopes are PyTorch's for the same seed. RuntimeError unless lower <= upper. Xu et al., "Empirical
    evaluation of rectified activations in convolutional network" (2015).

    >>> F.rrelu(gradkit.tensor([-1.0, 2.0]), 0.1, 0.3)
    tensor([-0.2000,  2.0000])
    """
    if lower > upper:
        raise RuntimeError(f"Lower bound should be less than or equal to the upper bound, got {lower} and {upper}")
    if not training:
        return leaky_relu(input, (lower + upper) / 2, inplace)
    slopes = drawn(lambda generator, shape: _slopes(generator, shape, input, lower, upper), extents(input), place=input.device)
    return writing.write(input, lambda x: x * slopes, "rrelu_") if inplace else input * slopes


@on_one_device
def _slopes(generator: Generator, shape: tuple[int, ...], input: Tensor, lower: float, upper: float) -> Any:
    """On the CPU one draw for each element that is not positive, in their order, and 1 for the others; on a GPU any."""
    if input.is_cuda:
        xp = backend_of(input.array).xp
        return xp.where(input.array <= 0, generator.uniform(shape, input.dtype, lower, upper), input.dtype.type(1))
    bent = np.broadcast_to(input.array <= 0, shape)
    slopes = np.ones(shape, input.dtype)
    slopes[bent] = generator.uniform((int(bent.sum()),), np.float64, lower, upper)
    return slopes
