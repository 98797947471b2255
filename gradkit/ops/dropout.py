"""Dropout: random zeros in training, nothing in evaluation. Names and arguments are those of torch.nn.functional.

On the CPU the elements that fall are those that PyTorch drops after the same `manual_seed`.
"""

import math
import warnings
from typing import Any

from gradkit.engine import inplace as writing, modes
from gradkit.engine.tensor import Tensor
from gradkit.primitives import piecewise as rows
from gradkit.primitives.shape import extents
from gradkit.random import drawn, stream_for

__all__ = ["alpha_dropout", "dropout", "feature_alpha_dropout"]

# What SELU tends to for inputs that tend to -infinity: -scale * alpha (Klambauer et al. 2017).
_SATURATED = -1.7580993408473766


def dropout(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """In training, zeroes each element with probability `p` and divides the others by ``1 - p``; else `input` itself.

    With `inplace` the result is written over `input`. ValueError for a `p` outside [0, 1]. Hinton et al., "Improving
    neural networks by preventing co-adaptation of feature detectors" (2012).

    >>> sorted(set(gradkit.dropout(gradkit.ones(100), 0.5).tolist()))
    [0.0, 2.0]
    """
    return _dropped("dropout", input, p, training, inplace, extents(input))


def dropout1d(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """`dropout` of whole channels of (N, C, L) or (C, L). RuntimeError for other numbers of axes.

    >>> F.dropout1d(gradkit.ones(2, 3), 1.0)
    tensor([[0., 0., 0.],
            [0., 0., 0.]])
    """
    if input.ndim not in (2, 3):
        raise RuntimeError(f"dropout1d: Expected 2D or 3D input, but received a {input.ndim}D input; use dropout instead")
    return _dropped("dropout1d", input, p, training, inplace, _channels(input, input.ndim == 3))


def dropout2d(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """`dropout` of whole channels of (N, C, H, W); other numbers of axes get a UserWarning, three are taken for (N, C, L).

    Tompson et al., "Efficient object localization using convolutional networks" (2015).

    >>> F.dropout2d(gradkit.ones(1, 1, 1, 2), 1.0)
    tensor([[[[0., 0.]]]])
    """
    _warn_of_axes("dropout2d", input, (4,))
    return _dropped("dropout2d", input, p, training, inplace, _channels(input, True))


def dropout3d(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """`dropout` of whole channels of (N, C, D, H, W) or (C, D, H, W), with a UserWarning for other numbers of axes.

    >>> F.dropout3d(gradkit.ones(1, 1, 1, 1, 2), 1.0)
    tensor([[[[[0., 0.]]]]])
    """
    _warn_of_axes("dropout3d", input, (4, 5))
    return _dropped("dropout3d", input, p, training, inplace, _channels(input, input.ndim != 4))


def alpha_dropout(input: Tensor, p: float = 0.5, training: bool = False, inplace: bool = False) -> Tensor:
    """Dropout for SELU networks: what falls takes the value SELU saturates at; mean and variance are kept.

    ValueError for a `p` outside [0, 1]. Klambauer et al., "Self-normalizing neural networks" (2017).

    >>> gradkit.alpha_dropout(gradkit.ones(2), 0.5, training=False)
    tensor([1., 1.])
    """
    return _saturated("alpha_dropout", input, p, training, inplace, extents(input))


def feature_alpha_dropout(input: Tensor, p: float = 0.5, training: bool = False, inplace: bool = False) -> Tensor:
    """`alpha_dropout` of whole channels of (N, C, ...). RuntimeError, in training, for less than two axes.

    >>> gradkit.feature_alpha_dropout(gradkit.ones(1, 2, 2), 0.5, training=False)
    tensor([[[1., 1.],
             [1., 1.]]])
    """
    if not training:
        return input
    if input.ndim < 2:
        raise RuntimeError(f"Feature dropout requires at least 2 dimensions in the input, got {input.ndim}")
    return _saturated("feature_alpha_dropout", input, p, training, inplace, _channels(input, True))


def _saturated(name: str, input: Tensor, p: float, training: bool, inplace: bool, shape: Any) -> Tensor:
    _check_probability(p)
    if not training or p == 0:
        return input
    if p == 1:
        return _result(input, input * 0, inplace, name)
    kept = _mask(input, shape, p, 1)
    a = (1 / ((1 - p) * (1 + p * _SATURATED**2))) ** 0.5
    return _result(input, input * (kept * a) + (1 - kept) * (a * _SATURATED) - a * _SATURATED * p, inplace, name)


def _dropped(name: str, input: Tensor, p: float, training: bool, inplace: bool, shape: Any) -> Tensor:
    _check_probability(p)
    if not training or p == 0:
        return input
    if input.dtype.kind not in "fcV":
        raise RuntimeError(f"{name}: the result cannot be of dtype {input.dtype.name}; convert with .float()")
    if p == 1:
        return _result(input, input * 0, inplace, name)
    return _result(input, _thinned(input, shape, p, 1 / (1 - p)), inplace, name)


def _thinned(input: Tensor, shape: tuple[int, ...], p: float, value: float) -> Tensor:
    """`input` times a mask; where numbers are drawn by counting, and each element has its own, the mask is never stored."""
    draw = getattr(stream_for(None, input.device), "mask", None)
    if draw and shape == extents(input) and not modes.local.batches and input.dtype.kind != "c":
        return rows.dropout(input, mask=draw(math.prod(shape), p, value), lead=0)
    return input * _mask(input, shape, p, value)


def _result(input: Tensor, y: Tensor, inplace: bool, name: str) -> Tensor:
    return writing.write(input, lambda _: y, f"{name}_") if inplace else y


def _check_probability(p: float) -> None:
    if not 0 <= p <= 1:
        raise ValueError(f"dropout probability has to be between 0 and 1, but got {p}")


def _channels(input: Tensor, batched: bool) -> tuple[int, ...]:
    shape = extents(input)
    lead = 2 if batched else 1
    return (*shape[:lead], *(1,) * (len(shape) - lead))


def _warn_of_axes(name: str, input: Tensor, usual: tuple[int, ...]) -> None:
    if input.ndim not in usual:
        warnings.warn(
            f"{name}: received a {input.ndim}-D input, which is deprecated; use dropout or dropout1d instead, or an input "
            f"with {' or '.join(map(str, usual))} axes.",
            UserWarning,
            stacklevel=3,
        )


def _mask(input: Tensor, shape: tuple[int, ...], p: float, value: float) -> Tensor:
    """`value` with probability ``1 - p``, else zero, in the dtype and on the device of `input`."""
    return drawn(lambda generator, shape: generator.keep_mask(shape, p, input.dtype, value), shape, place=input.device)
