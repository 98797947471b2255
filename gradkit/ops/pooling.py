"""Pooling. Names and arguments are those of torch and torch.nn.functional."""

from typing import Any

from gradkit import errors
from gradkit.engine.dtypes import is_floating
from gradkit.engine.tensor import Tensor
from gradkit.ops.resampling import resampled
from gradkit.primitives import pooling as rows
from gradkit.primitives.selection import gather
from gradkit.primitives.shape import extents, reshape

__all__ = ["adaptive_avg_pool1d", "avg_pool1d", "max_pool1d", "max_pool2d", "max_pool3d"]

PerAxis = int | tuple[int, ...] | list[int]


# -- arguments
def per_axis(name: str, what: str, value: Any, axes: int, least: int) -> tuple[int, ...]:
    """A number for each axis; RuntimeError for another count or a number below `least`."""
    found = tuple(value) if isinstance(value, tuple | list) else (value,) * axes
    if len(found) == 1:
        found *= axes
    if len(found) != axes:
        raise RuntimeError(f"{name}: {what} must either be a single int, or a tuple of {axes} ints, got {value}")
    if min(found) < least:
        raise RuntimeError(f"{name}: {what} must be {'greater than zero' if least else 'non-negative'}, but got {what}={value}")
    return found


def windows_of(
    name: str, axes: int, input: Tensor, kernel_size: Any, stride: Any, padding: Any, dilation: Any, ceil_mode: bool
) -> dict[str, Any]:
    """The parameters of the windows, checked against each other and the input."""
    shape = extents(input)
    if len(shape) not in (axes + 1, axes + 2) or 0 in shape[-axes - 1 :]:
        raise RuntimeError(
            f"{name}: Expected {axes + 1}D or {axes + 2}D (batch mode) tensor with optional 0 dim batch size for input, but "
            f"got:{list(shape)}"
        )
    kernel = per_axis(name, "kernel_size", kernel_size, axes, 1)
    strides = kernel if stride is None or stride == () else per_axis(name, "stride", stride, axes, 1)
    pads = per_axis(name, "padding", padding, axes, 0)
    steps = per_axis(name, "dilation", dilation, axes, 1)
    for n, k, s, p, d in zip(shape[-axes:], kernel, strides, pads, steps):
        if 2 * p > k:
            raise RuntimeError(
                f"{name}: pad should be at most half of effective kernel size, but got pad={p}, kernel_size={k} and dilation={d}"
            )
        room = n + 2 * p - d * (k - 1) - 1
        if (-(-room // s) if ceil_mode else room // s) < 0:
            raise RuntimeError(
                f"{name}: a kernel of {list(kernel)} does not fit an input of {list(shape)}. Output size is too small"
            )
    return {"kernel": kernel, "stride": strides, "padding": pads, "dilation": steps, "ceil_mode": ceil_mode}


def check_float(name: str, input: Tensor) -> None:
    if not is_floating(input.dtype):
        raise errors.not_implemented(name, input.dtype)


# -- maximum
def _max_pool(name: str, axes: int, input: Tensor, *numbers: Any, return_indices: bool) -> Any:
    params = windows_of(name, axes, input, *numbers)
    y = rows.max_pool(input, **params)
    return (y, rows.max_pool_at(input, **params)) if return_indices else y


def max_pool1d(
    input: Tensor, kernel_size: PerAxis, stride: PerAxis | None = None, padding: PerAxis = 0, dilation: PerAxis = 1,
    ceil_mode: bool = False, return_indices: bool = False,
) -> Any:
    """The greatest element of each window: (N, C, L) or (C, L) to (N, C, L') or (C, L').

    `stride` is `kernel_size` if None. Padding counts as -infinity; `ceil_mode` adds a window that reaches beyond the end.
    With `return_indices` the result is (output, indices), places along L. Among equals the first gets the gradient, a nan
    is greater than all. RuntimeError for shapes and numbers that do not fit.

    >>> gradkit.max_pool1d(gradkit.tensor([[1.0, 3.0, 2.0, 0.0]]), 2)
    tensor([[3., 2.]])
    """
    check_float("max_pool1d", input)
    return _max_pool("max_pool1d", 1, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices=return_indices)


def max_pool2d(
    input: Tensor, kernel_size: PerAxis, stride: PerAxis | None = None, padding: PerAxis = 0, dilation: PerAxis = 1,
    ceil_mode: bool = False, return_indices: bool = False,
) -> Any:
    """`max_pool1d` over two axes: (N, C, H, W) or (C, H, W). Indices count in the flattened H x W plane.

    >>> gradkit.max_pool2d(gradkit.arange(16.0).reshape(1, 4, 4), 2)
    tensor([[[ 5.,  7.],
             [13., 15.]]])
    """
    return _max_pool("max_pool2d", 2, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices=return_indices)


def max_pool3d(
    input: Tensor, kernel_size: PerAxis, stride: PerAxis | None = None, padding: PerAxis = 0, dilation: PerAxis = 1,
    ceil_mode: bool = False, return_indices: bool = False,
) -> Any:
    """`max_pool1d` over three axes: (N, C, D, H, W) or (C, D, H, W). Indices count in the flattened volume.

    >>> gradkit.max_pool3d(gradkit.arange(8.0).reshape(1, 2, 2, 2), 2)
    tensor([[[[7.]]]])
    """
    return _max_pool("max_pool3d", 3, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices=return_indices)


# -- mean
def _avg_pool(
    name: str, axes: int, input: Tensor, kernel: Any, stride: Any, padding: Any, ceil: bool, include: bool, divisor: Any
) -> Tensor:
    check_float(name, input)
    params = windows_of(name, axes, input, kernel, stride, padding, 1, ceil)
    del params["dilation"]
    if divisor == 0:
        raise RuntimeError(f"{name}: divisor must be not zero")
    return rows.avg_pool(input, **params, include_pad=include, divisor=divisor)


def avg_pool1d(
    input: Tensor, kernel_size: PerAxis, stride: PerAxis | None = None, padding: PerAxis = 0, ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Tensor:
    """The mean of each window: (N, C, L) or (C, L) to (N, C, L') or (C, L').

    `stride` is `kernel_size` if None. Padding counts as zeros, or with ``count_include_pad=False`` not at all; what
    `ceil_mode` adds beyond it never counts. RuntimeError for shapes and numbers that do not fit,
    NotImplementedError for integers.

    >>> gradkit.avg_pool1d(gradkit.tensor([[1.0, 3.0, 2.0, 0.0]]), 2)
    tensor([[2., 1.]])
    """
    return _avg_pool("avg_pool1d", 1, input, kernel_size, stride, padding, ceil_mode, count_include_pad, None)


def avg_pool2d(
    input: Tensor, kernel_size: PerAxis, stride: PerAxis | None = None, padding: PerAxis = 0, ceil_mode: bool = False,
    count_include_pad: bool = True, divisor_override: int | None = None,
) -> Tensor:
    """`avg_pool1d` over two axes: (N, C, H, W) or (C, H, W). `divisor_override` divides the sums by another number.

    >>> F.avg_pool2d(gradkit.arange(16.0).reshape(1, 4, 4), 2)
    tensor([[[ 2.5000,  4.5000],
             [10.5000, 12.5000]]])
    """
    return _avg_pool("avg_pool2d", 2, input, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override)


def avg_pool3d(
    input: Tensor, kernel_size: PerAxis, stride: PerAxis | None = None, padding: PerAxis = 0, ceil_mode: bool = False,
    count_include_pad: bool = True, divisor_override: int | None = None,
) -> Tensor:
    """`avg_pool2d` over three axes: (N, C, D, H, W) or (C, D, H, W).

    >>> F.avg_pool3d(gradkit.arange(8.0).reshape(1, 2, 2, 2), 2)
    tensor([[[[3.5000]]]])
    """
    return _avg_pool("avg_pool3d", 3, input, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override)


# -- to a given size
def _target(name: str, axes: int, input: Tensor, output_size: Any) -> tuple[int, ...]:
    shape = extents(input)
    if len(shape) not in (axes + 1, axes + 2):
        raise RuntimeError(f"{name}(): Expected {axes + 1}D or {axes + 2}D tensor, but got {list(shape)}")
    sizes = tuple(output_size) if isinstance(output_size, tuple | list) else (output_size,) * axes
    if len(sizes) != axes:
        raise RuntimeError(f"{name}: output_size must be {axes} number(s), got {output_size}")
    sizes = tuple([n if size is None else size for n, size in zip(shape[-axes:], sizes)])
    if min(sizes) < 0:
        raise RuntimeError(f"{name}: elements of output_size must be greater than or equal to 0 but received {sizes}")
    if 0 in shape[-axes:]:
        raise RuntimeError(f"{name}(): Expected input to have non-zero size for its last {axes} dimension(s), but got {list(shape)}")
    check_float(name, input)
    return sizes


def _adaptive_avg_pool(name: str, axes: int, input: Tensor, output_size: Any) -> Tensor:
    sizes = _target(name, axes, input, output_size)
    given = extents(input)[-axes:]
    if all([size and n % size == 0 for n, size in zip(given, sizes)]):
        kernel = tuple([n // size for n, size in zip(given, sizes)])
        return rows.avg_pool(
            input, kernel=kernel, stride=kernel, padding=(0,) * axes, ceil_mode=False, include_pad=True, divisor=None
        )
    return resampled(input, "area", sizes)


def adaptive_avg_pool1d(input: Tensor, output_size: Any) -> Tensor:
    """Means over `output_size` windows that share the last axis out: (N, C, L) or (C, L) to (N, C, output_size).

    Window i runs from ``floor(i * L / size)`` to ``ceil((i + 1) * L / size)``. RuntimeError for shapes and sizes that
    do not fit, NotImplementedError for integers.

    >>> gradkit.adaptive_avg_pool1d(gradkit.tensor([[1.0, 2.0, 3.0]]), 2)
    tensor([[1.5000, 2.5000]])
    """
    return _adaptive_avg_pool("adaptive_avg_pool1d", 1, input, output_size)


def adaptive_avg_pool2d(input: Tensor, output_size: Any) -> Tensor:
    """`adaptive_avg_pool1d` over two axes: (N, C, H, W) or (C, H, W); `output_size` is a number or (H', W'), None keeps.

    >>> F.adaptive_avg_pool2d(gradkit.ones(1, 7, 5), (3, None)).shape
    gradkit.Size([1, 3, 5])
    """
    return _adaptive_avg_pool("adaptive_avg_pool2d", 2, input, output_size)


def adaptive_avg_pool3d(input: Tensor, output_size: Any) -> Tensor:
    """`adaptive_avg_pool1d` over three axes: (N, C, D, H, W) or (C, D, H, W).

    >>> F.adaptive_avg_pool3d(gradkit.ones(1, 4, 4, 4), 1)
    tensor([[[[1.]]]])
    """
    return _adaptive_avg_pool("adaptive_avg_pool3d", 3, input, output_size)


def adaptive_max_pool1d(input: Tensor, output_size: Any, return_indices: bool = False) -> Any:
    """The greatest element of the windows of `adaptive_avg_pool1d`; with `return_indices` (output, places along L).

    >>> F.adaptive_max_pool1d(gradkit.tensor([[1.0, 2.0, 3.0]]), 2)
    tensor([[2., 3.]])
    """
    sizes = _target("adaptive_max_pool1d", 1, input, output_size)
    y, index = _adaptive_max_pool(input.unsqueeze(-2), (1, *sizes))
    return (y.squeeze(-2), index.squeeze(-2)) if return_indices else y.squeeze(-2)


def adaptive_max_pool2d(input: Tensor, output_size: Any, return_indices: bool = False) -> Any:
    """The greatest element of the windows of `adaptive_avg_pool2d`; with `return_indices` (output, places in H x W).

    >>> F.adaptive_max_pool2d(gradkit.arange(9.0).reshape(1, 3, 3), 2)
    tensor([[[4., 5.],
             [7., 8.]]])
    """
    y, index = _adaptive_max_pool(input, _target("adaptive_max_pool2d", 2, input, output_size))
    return (y, index) if return_indices else y


def _adaptive_max_pool(input: Tensor, sizes: tuple[int, ...]) -> tuple[Tensor, Tensor]:
    shape = extents(input)
    index = rows.adaptive_max_pool_at(input, size=sizes)
    flat = reshape(input, (*shape[:-2], shape[-2] * shape[-1]))
    y = gather(flat, reshape(index, (*shape[:-2], sizes[0] * sizes[1])), axis=-1)
    return reshape(y, (*shape[:-2], *sizes)), index
