"""Random numbers inside operations: one draw for all samples of a vmap, or one for each, as it allows."""

from collections.abc import Callable
from typing import Any

from gradkit.backend.rng import Generator, default_generator
from gradkit.creation import arange
from gradkit.engine import modes
from gradkit.engine.tensor import Tensor, wrap
from gradkit.ops.normalization import softmax
from gradkit.ops.reducing import argmax
from gradkit.primitives import elementwise as rows
from gradkit.primitives.shape import axis_from_end, extents, reshape

__all__: list[str] = []
METHODS: tuple[str, ...] = ()
INPLACE: tuple[str, ...] = ()


def drawn(draw: Callable[[Generator, tuple[int, ...]], Any], shape: tuple[int, ...]) -> Tensor:
    """``draw(generator, shape)`` as a tensor; RuntimeError inside a vmap that does not allow it."""
    if modes.local.batches and modes.local.randomness == "error":
        raise RuntimeError(
            "vmap: called random operation while in randomness error mode. Please either use the 'same' or 'different' "
            "randomness flags on vmap or perform the randomness operation out of vmap"
        )
    if modes.local.batches and modes.local.randomness == "different":
        levels, sizes = zip(*modes.local.batches)
        return wrap(draw(default_generator, (*sizes, *shape)), batch=tuple(levels))
    return wrap(draw(default_generator, shape))


def gumbel_softmax(logits: Tensor, tau: float = 1, hard: bool = False, eps: float = 1e-10, dim: int = -1) -> Tensor:
    """A sample of the Gumbel-Softmax distribution: `softmax` of ``(logits + noise) / tau`` along `dim`; the same shape.

    With `hard` it is one-hot, with the gradient of the soft sample. `eps` is not used. Raises IndexError if there is no
    such axis. Jang, Gu and Poole, "Categorical reparameterization with Gumbel-Softmax" (2017).

    >>> import gradkit
    >>> from gradkit.nn.functional import gumbel_softmax
    >>> gumbel_softmax(gradkit.tensor([0.0, 1000.0]), hard=True)
    tensor([0., 1.])
    """
    waiting = drawn(lambda generator, shape: generator.exponential(shape, logits.dtype), extents(logits))
    soft = softmax((logits - rows.log(waiting)) / tau, dim)
    if not hard:
        return soft
    held = soft.detach()
    axis = axis_from_end(logits, dim)
    classes = reshape(arange(extents(logits)[axis]), (-1, *(1,) * (-1 - axis)))
    return (classes == argmax(held, dim, keepdim=True)).to(soft.dtype) - held + soft
