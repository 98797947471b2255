"""Softmax and normalisation. Names and arguments are those of torch and torch.nn.functional."""

import math
import warnings
from typing import Any

import numpy as np

from gradkit import creation, errors
from gradkit.backend.protocol import backend_of
from gradkit.engine import inplace, modes
from gradkit.engine.dtypes import is_floating
from gradkit.engine.operands import on_one_device, one_device
from gradkit.engine.tensor import Tensor
from gradkit.ops.reducing import mean
from gradkit.primitives import elementwise as arithmetic, normalization as rows
from gradkit.primitives.arranging import pad_constant, unfold
from gradkit.primitives.shape import axis_from_end, extents, reshape

__all__ = ["group_norm", "layer_norm", "log_softmax", "rms_norm", "softmax"]
METHODS = ("log_softmax", "softmax")


# -- softmax
def softmax(input: Tensor, dim: int | None = None, dtype: Any = None, *, axis: int | None = None) -> Tensor:
    """``exp(input) / exp(input).sum(dim)``: positive numbers that sum to 1 along `dim`; the same shape.

    `dtype` converts the input first. Without `dim` the axis is 0 for 0, 1 and 3 axes, else 1, with a UserWarning.
    IndexError if there is no such axis, NotImplementedError for integers.

    >>> gradkit.softmax(gradkit.tensor([0.0, 0.0]), dim=0)
    tensor([0.5000, 0.5000])
    """
    return _along("softmax", input, dim if axis is None else axis, dtype)


def log_softmax(input: Tensor, dim: int | None = None, dtype: Any = None, *, axis: int | None = None) -> Tensor:
    """The logarithm of `softmax`, without its loss of precision. Arguments and errors as there.

    >>> gradkit.log_softmax(gradkit.tensor([0.0, 0.0]), dim=0)
    tensor([-0.6931, -0.6931])
    """
    return _along("log_softmax", input, dim if axis is None else axis, dtype)


def softmin(input: Tensor, dim: int | None = None, dtype: Any = None, *, axis: int | None = None) -> Tensor:
    """`softmax` of ``-input``. Arguments and errors as there.

    >>> F.softmin(gradkit.tensor([0.0, 0.0]), dim=0)
    tensor([0.5000, 0.5000])
    """
    return _along("softmax", -input, dim if axis is None else axis, dtype)


def _along(name: str, input: Tensor, dim: int | None, dtype: Any) -> Tensor:
    if dtype is not None:
        input = input.to(dtype)
    if not is_floating(input.dtype):
        raise errors.not_implemented(name, input.dtype, "convert with .float() or dtype=")
    if dim is None:
        warnings.warn(
            f"Implicit dimension choice for {name} has been deprecated. Change the call to include dim=X as an argument.",
            UserWarning, stacklevel=3,
        )
        dim = 0 if input.ndim in (0, 1, 3) else 1
    if not input.ndim:
        axis_from_end(input, dim)
        return input * 0 + (1.0 if name == "softmax" else 0.0)
    row: Any = rows.softmax if name == "softmax" else rows.log_softmax
    return row.apply(input, {"axis": axis_from_end(input, dim)})


# -- over the last axes
def layer_norm(
    input: Tensor, normalized_shape: Any, weight: Tensor | None = None, bias: Tensor | None = None, eps: float = 1e-5
) -> Tensor:
    """``(input - mean) / sqrt(variance + eps) * weight + bias`` over the last axes, those of `normalized_shape`.

    `weight` and `bias` have that shape; the result has that of `input`, (*, *normalized_shape). RuntimeError where
    the shapes are others or the dtypes differ, NotImplementedError for integers. Ba, Kiros and Hinton, "Layer
    normalization" (2016).

    >>> gradkit.layer_norm(gradkit.tensor([[1.0, 3.0]]), (2,))
    tensor([[-1.0000,  1.0000]])
    """
    shape = _normalized("layer_norm", input, normalized_shape, weight=weight, bias=bias)
    axis = tuple(range(-len(shape), 0))
    if weight is None and bias is None:
        return rows.standardize(input, axis=axis, eps=eps)
    w = creation.ones_like(bias) if weight is None else weight
    return rows.layer_norm(input, w, creation.zeros_like(w) if bias is None else bias, axis=axis, eps=eps)


def rms_norm(input: Tensor, normalized_shape: Any, weight: Tensor | None = None, eps: float | None = None) -> Tensor:
    """``input / sqrt(mean(input**2) + eps) * weight`` over the last axes, those of `normalized_shape`.

    `eps` is the dtype's spacing at 1 if None; half precision and bfloat16 are computed in float32. Shapes and errors as
    for `layer_norm`. Zhang and Sennrich, "Root mean square layer normalization" (2019).

    >>> gradkit.rms_norm(gradkit.tensor([3.0, 3.0]), (2,))
    tensor([1., 1.])
    """
    shape = _normalized("rms_norm", input, normalized_shape, weight=weight)
    if eps is None:
        eps = float(np.finfo(np.float32 if input.dtype.itemsize == 2 else input.dtype).eps)
    w = creation.ones(shape, dtype=input.dtype, device=input.device) if weight is None else weight
    return rows.rms_norm(input, w, axis=tuple(range(-len(shape), 0)), eps=eps)


def _normalized(name: str, input: Tensor, shape: Any, **given: Tensor | None) -> tuple[int, ...]:
    if not isinstance(shape, tuple | list):
        raise TypeError(f"{name}(): normalized_shape must be a tuple of ints, not {type(shape).__name__}; pass ({shape},)")
    shape = tuple(shape)
    if not shape:
        raise RuntimeError("Expected normalized_shape to be at least 1-dimensional, but got normalized_shape = []")
    for what, t in given.items():
        if t is not None and extents(t) != shape:
            raise RuntimeError(
                f"Expected {what} to be of same shape as normalized_shape, but got {what} of shape {list(extents(t))} and "
                f"normalized_shape = {list(shape)}"
            )
    if extents(input)[-len(shape) :] != shape:
        raise RuntimeError(
            f"Given normalized_shape={list(shape)}, expected input with shape {['*', *shape]}, but got input of size "
            f"{list(extents(input))}"
        )
    _check_floats(name, input, *given.values())
    return shape


def _check_floats(name: str, input: Tensor, *given: Tensor | None) -> None:
    if not is_floating(input.dtype):
        raise errors.not_implemented(name, input.dtype)
    for t in given:
        if t is not None and t.dtype != input.dtype:
            raise RuntimeError(
                f"{name}: mixed dtypes: expect parameters to have dtype {input.dtype.name} as the input has, got {t.dtype.name}"
            )


# -- by channels
def batch_norm(
    input: Tensor, running_mean: Tensor | None, running_var: Tensor | None, weight: Tensor | None = None,
    bias: Tensor | None = None, training: bool = False, momentum: float = 0.1, eps: float = 1e-5,
) -> Tensor:
    """``(input - mean) / sqrt(variance + eps) * weight + bias`` by channels, axis 1 of (N, C, ...); the same shape.

    All others are (C,). In training mean and variance are those of the batch, and where there are running statistics
    they move towards these by `momentum`, the variance with Bessel's correction; else they are the running statistics.
    ValueError in training for a single value per channel, RuntimeError for other shapes, dtypes or missing
    statistics. Ioffe and Szegedy, "Batch normalization" (2015).

    >>> F.batch_norm(gradkit.tensor([[1.0], [3.0]]), None, None, training=True)
    tensor([[-1.0000],
            [ 1.0000]])
    """
    shape = extents(input)
    _check_floats("batch_norm", input)
    channels = shape[1] if len(shape) > 1 else 0
    given = {"running_mean": running_mean, "running_var": running_var, "weight": weight, "bias": bias}
    for what, t in given.items():
        if t is not None and t.numel() != channels:
            raise RuntimeError(f"{what} should contain {channels} elements not {t.numel()}")
    one_device("batch_norm", input, *given.values())
    if training and math.prod(shape) == channels:
        raise ValueError(f"Expected more than 1 value per channel when training, got input size {tuple(shape)}")
    for what in ("running_mean", "running_var"):
        if given[what] is None and not training:
            raise RuntimeError(f"{what} must be defined in evaluation mode")
    axis = (-len(shape), *range(2 - len(shape), 0))
    if training and (running_mean is not None or running_var is not None):
        _move(input, running_mean, running_var, axis, momentum)
    w = creation.ones(channels, dtype=input.dtype, device=input.device) if weight is None else weight
    b = creation.zeros(channels, dtype=input.dtype, device=input.device) if bias is None else bias
    by = [w, b] if training else [w, b, running_mean, running_var]
    if len(shape) > 2:
        by = [reshape(t, (channels, *(1,) * (len(shape) - 2))) for t in by]
    row: Any = rows.batch_norm if training else rows.batch_norm_eval
    return row(input, *by, axis=axis, eps=eps)


@on_one_device
def _move(input: Tensor, mean: Tensor | None, var: Tensor | None, axis: tuple[int, ...], momentum: float) -> None:
    kept = [running for running in (mean, var) if running is not None]
    if any([not set(input.batch).issubset(running.batch) for running in kept]):
        raise RuntimeError(
            "vmap: batch_norm would write batched statistics into running_mean and running_var, which all samples share; "
            "pass None for both, or map over them too"
        )
    if any([running.batch for running in kept]):
        x = input.detach()
        with modes.mode(mute=1, grad=False):
            for running, moment in ((mean, x.mean), (var, x.var)):
                if running is not None:
                    running.lerp_(moment(axis).to(running.dtype), momentum)
        return
    raws = [None if running is None else running.array for running in (mean, var)]
    rows.statistics_moved(backend_of(input.array).xp, input.array, *raws, axis=axis, momentum=momentum)
    for running in (mean, var):
        if running is not None:
            inplace.written(running, "batch_norm")


def instance_norm(
    input: Tensor, running_mean: Tensor | None = None, running_var: Tensor | None = None, weight: Tensor | None = None,
    bias: Tensor | None = None, use_input_stats: bool = True, momentum: float = 0.1, eps: float = 1e-5,
) -> Tensor:
    """`batch_norm` with mean and variance of each sample by itself: (N, C, d1, ...), the same shape.

    Running statistics move towards the mean over the samples. ValueError for a single value per channel,
    RuntimeError for missing statistics. Ulyanov, Vedaldi and Lempitsky (2016).

    >>> F.instance_norm(gradkit.tensor([[[1.0, 3.0]]]))
    tensor([[[-1.0000,  1.0000]]])
    """
    shape = extents(input)
    if not use_input_stats:
        if running_mean is None or running_var is None:
            raise RuntimeError("Expected running_mean and running_var to be defined when use_input_stats is false")
        return batch_norm(input, running_mean, running_var, weight, bias, False, momentum, eps)
    _check_floats("instance_norm", input, weight, bias)
    one_device("instance_norm", input, running_mean, running_var, weight, bias)
    spatial = tuple(range(2 - len(shape), 0))
    if math.prod(shape[2:]) == 1:
        raise ValueError(f"Expected more than 1 spatial element when training, got input size {tuple(shape)}")
    if running_mean is not None or running_var is not None:
        _move_by_samples(input, running_mean, running_var, spatial, momentum)
    return _scaled_by_channel(rows.standardize(input, axis=spatial, eps=eps), weight, bias)


def _move_by_samples(input: Tensor, mean: Any, var: Any, spatial: tuple[int, ...], momentum: float) -> None:
    from gradkit.ops.reducing import var as variance

    x = input.detach()
    for running, now in ((mean, x.mean(spatial)), (var, variance(x, spatial))):
        if running is not None:
            running.mul_(1 - momentum).add_(now.mean(0) * momentum)


def group_norm(
    input: Tensor, num_groups: int, weight: Tensor | None = None, bias: Tensor | None = None, eps: float = 1e-5
) -> Tensor:
    """Normalises each of `num_groups` groups of channels to mean 0 and variance 1: (N, C, ...), the same shape.

    `weight` and `bias` are (C,). RuntimeError for channels that `num_groups` does not divide and parameters of
    another shape, ValueError for a single value per group. Wu and He, "Group normalization" (2018).

    >>> gradkit.group_norm(gradkit.tensor([[1.0, 3.0, 5.0, 9.0]]), 2)
    tensor([[-1.0000,  1.0000, -1.0000,  1.0000]])
    """
    shape = extents(input)
    if len(shape) < 2:
        raise RuntimeError(f"Expected at least 2 dimensions for input tensor but received {len(shape)}")
    if num_groups <= 0 or shape[1] % num_groups:
        raise RuntimeError(
            "Expected number of channels in input to be divisible by num_groups, but got input of shape "
            f"{list(shape)} and num_groups={num_groups}"
        )
    for what, t in (("weight", weight), ("bias", bias)):
        if t is not None and extents(t) != shape[1:2]:
            raise RuntimeError(
                f"Expected {what} to be a vector of size equal to the number of channels in input, but got {what} of shape "
                f"{list(extents(t))} and input of shape {list(shape)}"
            )
    _check_floats("group_norm", input, weight, bias)
    if math.prod(shape[1:]) == num_groups:
        raise ValueError(f"Expected more than 1 value per channel when training, got input size {list(shape)}")
    groups = reshape(input, (shape[0], num_groups, math.prod(shape[1:]) // num_groups))
    return _scaled_by_channel(reshape(rows.standardize(groups, axis=(-1,), eps=eps), shape), weight, bias)


def _scaled_by_channel(y: Tensor, weight: Tensor | None, bias: Tensor | None) -> Tensor:
    beside = (-1, *(1,) * (y.ndim - 2))
    if weight is not None:
        y = y * reshape(weight, beside)
    return y if bias is None else y + reshape(bias, beside)


def local_response_norm(input: Tensor, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> Tensor:
    """``input / (k + alpha * m)**beta``, m being the mean of squares over `size` neighbouring channels, axis 1.

    Shape (N, C, ...), the same out; beyond the first and last channel there are zeros. ValueError for less than
    three axes. Krizhevsky, Sutskever and Hinton (2012), section 3.3.

    >>> F.local_response_norm(gradkit.ones(1, 1, 1), 1, alpha=1.0, beta=1.0)
    tensor([[[0.5000]]])
    """
    if input.ndim < 3:
        raise ValueError(f"Expected 3D or higher dimensionality input (got {input.ndim} dimensions)")
    rest = ((0, 0),) * (input.ndim - 2)
    squares = pad_constant(input * input, pads=((size // 2, (size - 1) // 2), *rest), value=0.0)
    neighbours = unfold(squares, axis=1 - input.ndim, size=size, step=1)
    return input / arithmetic.pow_scalar(mean(neighbours, dim=-1) * alpha + k, exponent=beta)
