"""What undoes pooling, and pooling by a norm. Names and arguments are those of torch.nn.functional."""

import math
from collections.abc import Callable
from typing import Any

from gradkit import creation
from gradkit.engine.tensor import Tensor
from gradkit.ops.activation import relu
from gradkit.ops.functions import sign
from gradkit.ops.gathering import scatter
from gradkit.ops.pooling import PerAxis, avg_pool1d, avg_pool2d, per_axis
from gradkit.primitives.shape import extents, reshape

__all__: list[str] = []


# -- by a norm
def _lp_pool(pool: Callable[..., Tensor], axes: int, input: Tensor, p: float, kernel: Any, *rest: Any) -> Tensor:
    count = math.prod(per_axis("lp_pool", "kernel_size", kernel, axes, 1))
    mean = pool(input**p, kernel, rest[0], 0, rest[1])
    return (sign(mean) * relu(abs(mean)) * count) ** (1 / p)


def lp_pool1d(
    input: Tensor, norm_type: float, kernel_size: PerAxis, stride: PerAxis | None = None, ceil_mode: bool = False
) -> Tensor:
    """``(sum of x**norm_type) ** (1 / norm_type)`` over each window: (N, C, L) or (C, L) to (..., L').

    A window whose sum is 0 has gradient 0 for ``norm_type`` 1 and nan or inf for others, as in PyTorch. Errors as for
    `avg_pool1d`.

    >>> F.lp_pool1d(gradkit.tensor([[3.0, 4.0]]), 2, 2)
    tensor([[5.]])
    """
    return _lp_pool(avg_pool1d, 1, input, norm_type, kernel_size, stride, ceil_mode)


def lp_pool2d(
    input: Tensor, norm_type: float, kernel_size: PerAxis, stride: PerAxis | None = None, ceil_mode: bool = False
) -> Tensor:
    """`lp_pool1d` over two axes: (N, C, H, W) or (C, H, W).

    >>> F.lp_pool2d(gradkit.ones(1, 2, 2), 1, 2)
    tensor([[[4.]]])
    """
    return _lp_pool(avg_pool2d, 2, input, norm_type, kernel_size, stride, ceil_mode)


# -- back to where it was
def _max_unpool(
    name: str, axes: int, input: Tensor, indices: Tensor, kernel: Any, stride: Any, padding: Any, output_size: Any
) -> Tensor:
    kernel = per_axis(name, "kernel_size", kernel, axes, 1)
    steps = kernel if stride is None else per_axis(name, "stride", stride, axes, 1)
    pads = per_axis(name, "padding", padding, axes, 0)
    shape = extents(input)
    if len(shape) not in (axes + 1, axes + 2):
        raise RuntimeError(f"{name}: Input should be {axes + 1}d or {axes + 2}d but got {list(shape)}")
    if indices.dtype.name != "int64" or extents(indices) != shape:
        raise RuntimeError(
            f"{name}: elements in indices should be type int64 in the shape of the input {list(shape)}, got "
            f"{indices.dtype.name} of shape {list(extents(indices))}"
        )
    usual = [(n - 1) * s + k - 2 * p for n, k, s, p in zip(shape[-axes:], kernel, steps, pads)]
    size = usual if output_size is None else list(output_size)[-axes:]
    for n, middle, step in zip(size, usual, steps):
        if not middle - step < n < middle + step:
            raise ValueError(
                f"invalid output_size {list(output_size)}: each of the last {axes} must lie less than stride from {usual}"
            )
    lead = shape[:-axes]
    places, values = [reshape(t, (*lead, math.prod(shape[-axes:]))) for t in (indices, input)]
    empty = creation.zeros((*lead, math.prod(size)), dtype=input.dtype, device=input.device)
    return reshape(scatter(empty, -1, places, values), (*lead, *size))


def max_unpool1d(
    input: Tensor, indices: Tensor, kernel_size: PerAxis, stride: PerAxis | None = None, padding: PerAxis = 0,
    output_size: Any = None,
) -> Tensor:
    """What `max_pool1d` took, back at the places `indices` says, among zeros: (N, C, L) or (C, L) to (..., L').

    `output_size` chooses where several extents would have given this input. ValueError for one that is none of
    them, RuntimeError for indices of another shape or dtype, or outside.

    >>> F.max_unpool1d(gradkit.tensor([[2.0, 4.0]]), gradkit.tensor([[1, 2]]), 2)
    tensor([[0., 2., 4., 0.]])
    """
    return _max_unpool("max_unpool1d", 1, input, indices, kernel_size, stride, padding, output_size)


def max_unpool2d(
    input: Tensor, indices: Tensor, kernel_size: PerAxis, stride: PerAxis | None = None, padding: PerAxis = 0,
    output_size: Any = None,
) -> Tensor:
    """`max_unpool1d` over two axes; indices count in the flattened H' x W' plane.

    >>> F.max_unpool2d(gradkit.tensor([[[3.0]]]), gradkit.tensor([[[3]]]), 2)
    tensor([[[0., 0.],
             [0., 3.]]])
    """
    return _max_unpool("max_unpool2d", 2, input, indices, kernel_size, stride, padding, output_size)


def max_unpool3d(
    input: Tensor, indices: Tensor, kernel_size: PerAxis, stride: PerAxis | None = None, padding: PerAxis = 0,
    output_size: Any = None,
) -> Tensor:
    """`max_unpool1d` over three axes; indices count in the flattened volume.

    >>> F.max_unpool3d(gradkit.ones(1, 1, 1, 1), gradkit.tensor([[[[7]]]]), 2).flatten().tolist()
    [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0]
    """
    return _max_unpool("max_unpool3d", 3, input, indices, kernel_size, stride, padding, output_size)
