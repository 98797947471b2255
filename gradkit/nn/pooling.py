"""Pooling layers: windows of a signal, image or volume, reduced to one element each."""

from typing import Any

from gradkit.nn import functional as F
from gradkit.nn.applied import Applied

__all__ = [
    "AdaptiveAvgPool1d", "AdaptiveAvgPool2d", "AdaptiveAvgPool3d", "AdaptiveMaxPool1d", "AdaptiveMaxPool2d", "AvgPool1d",
    "AvgPool2d", "AvgPool3d", "LPPool1d", "LPPool2d", "MaxPool1d", "MaxPool2d", "MaxPool3d", "MaxUnpool1d", "MaxUnpool2d",
    "MaxUnpool3d",
]

_Sizes = int | tuple[int, ...]


class MaxPool1d(Applied):
    """The greatest element of each window: (N, C, L) or (C, L) to (..., L_out).

    ``stride`` is ``kernel_size`` if None. With ``return_indices`` the result is (output, indices), each index counted
    along L, as `MaxUnpool1d` takes them.

    >>> nn.MaxPool1d(2)(gradkit.arange(4.0).reshape(1, 4))
    tensor([[1., 3.]])
    """

    function = staticmethod(F.max_pool1d)
    shown = ("kernel_size", "stride", "padding", "dilation", "ceil_mode")

    def __init__(
        self, kernel_size: _Sizes, stride: _Sizes | None = None, padding: _Sizes = 0, dilation: _Sizes = 1,
        return_indices: bool = False, ceil_mode: bool = False,
    ) -> None:
        super().__init__(
            kernel_size=kernel_size, stride=kernel_size if stride is None else stride, padding=padding,
            dilation=dilation, ceil_mode=ceil_mode, return_indices=return_indices,
        )


class MaxPool2d(MaxPool1d):
    """The greatest element of each window: (N, C, H, W) or (C, H, W) to (..., H_out, W_out).

    Sizes are one number or one for each axis. Indices, where asked for, count in the flattened H x W plane.

    >>> nn.MaxPool2d(2)(gradkit.arange(16.0).reshape(1, 4, 4))
    tensor([[[ 5.,  7.],
             [13., 15.]]])
    """

    function = staticmethod(F.max_pool2d)


class MaxPool3d(MaxPool1d):
    """The greatest element of each window: (N, C, D, H, W) or (C, D, H, W) to (..., D_out, H_out, W_out).

    >>> nn.MaxPool3d(2)(gradkit.arange(8.0).reshape(1, 2, 2, 2))
    tensor([[[[7.]]]])
    """

    function = staticmethod(F.max_pool3d)


class AvgPool1d(Applied):
    """The mean of each window: (N, C, L) or (C, L) to (..., L_out).

    ``stride`` is ``kernel_size`` if None. Padding counts as zeros unless ``count_include_pad=False``.

    >>> nn.AvgPool1d(2)(gradkit.arange(4.0).reshape(1, 4))
    tensor([[0.5000, 2.5000]])
    """

    function = staticmethod(F.avg_pool1d)
    shown = ("kernel_size", "stride", "padding")

    def __init__(
        self, kernel_size: _Sizes, stride: _Sizes | None = None, padding: _Sizes = 0, ceil_mode: bool = False,
        count_include_pad: bool = True,
    ) -> None:
        sizes = {"kernel_size": kernel_size, "stride": kernel_size if stride is None else stride, "padding": padding}
        # One number is printed as a tuple, as PyTorch prints it for this layer alone.
        sizes = {name: size if isinstance(size, tuple | list) else (size,) for name, size in sizes.items()}
        super().__init__(**sizes, ceil_mode=ceil_mode, count_include_pad=count_include_pad)


class AvgPool2d(AvgPool1d):
    """The mean of each window: (N, C, H, W) or (C, H, W) to (..., H_out, W_out).

    ``stride`` is ``kernel_size`` if None. Padding counts as zeros unless ``count_include_pad=False``;
    ``divisor_override`` divides the sum of a window by another number than its size.

    >>> nn.AvgPool2d(2)(gradkit.arange(16.0).reshape(1, 4, 4))
    tensor([[[ 2.5000,  4.5000],
             [10.5000, 12.5000]]])
    """

    function = staticmethod(F.avg_pool2d)

    def __init__(
        self, kernel_size: _Sizes, stride: _Sizes | None = None, padding: _Sizes = 0, ceil_mode: bool = False,
        count_include_pad: bool = True, divisor_override: int | None = None,
    ) -> None:
        Applied.__init__(
            self, kernel_size=kernel_size, stride=kernel_size if stride is None else stride, padding=padding,
            ceil_mode=ceil_mode, count_include_pad=count_include_pad, divisor_override=divisor_override,
        )


class AvgPool3d(AvgPool2d):
    """The mean of each window: (N, C, D, H, W) or (C, D, H, W) to (..., D_out, H_out, W_out).

    >>> nn.AvgPool3d(2)(gradkit.arange(8.0).reshape(1, 2, 2, 2))
    tensor([[[[3.5000]]]])
    """

    function = staticmethod(F.avg_pool3d)


class LPPool1d(Applied):
    """``(sum of x**norm_type) ** (1 / norm_type)`` over each window: (N, C, L) or (C, L) to (..., L_out).

    >>> nn.LPPool1d(2, 2)(gradkit.tensor([[3.0, 4.0]]))
    tensor([[5.]])
    """

    function = staticmethod(F.lp_pool1d)

    def __init__(self, norm_type: float, kernel_size: _Sizes, stride: _Sizes | None = None, ceil_mode: bool = False) -> None:
        super().__init__(norm_type=norm_type, kernel_size=kernel_size, stride=stride, ceil_mode=ceil_mode)


class LPPool2d(LPPool1d):
    """`LPPool1d` over two axes: (N, C, H, W) or (C, H, W) to (..., H_out, W_out).

    >>> nn.LPPool2d(1, 2)(gradkit.ones(1, 2, 2))
    tensor([[[4.]]])
    """

    function = staticmethod(F.lp_pool2d)


class MaxUnpool1d(Applied):
    """What `MaxPool1d` took, back at its place among zeros: ``unpool(output, indices)``.

    ``output_size`` names the extent where several would give this output. ValueError for one that does not fit.

    >>> y, places = nn.MaxPool1d(2, return_indices=True)(gradkit.tensor([[1.0, 2.0, 4.0, 3.0]]))
    >>> nn.MaxUnpool1d(2)(y, places)
    tensor([[0., 2., 4., 0.]])
    """

    function: Any = staticmethod(F.max_unpool1d)
    axes = 1

    def __init__(self, kernel_size: _Sizes, stride: _Sizes | None = None, padding: _Sizes = 0) -> None:
        sizes = {"kernel_size": kernel_size, "stride": kernel_size if stride is None else stride, "padding": padding}
        super().__init__(**{name: n if isinstance(n, tuple | list) else (n,) * self.axes for name, n in sizes.items()})

    def forward(self, *inputs: Any, output_size: Any = None) -> Any:
        return self.function(*inputs[:2], self.kernel_size, self.stride, self.padding, *inputs[2:] or (output_size,))


class MaxUnpool2d(MaxUnpool1d):
    """`MaxUnpool1d` over two axes; indices count in the flattened H x W plane.

    >>> y, places = nn.MaxPool2d(2, return_indices=True)(gradkit.arange(4.0).reshape(1, 2, 2))
    >>> nn.MaxUnpool2d(2)(y, places)
    tensor([[[0., 0.],
             [0., 3.]]])
    """

    function = staticmethod(F.max_unpool2d)
    axes = 2


class MaxUnpool3d(MaxUnpool1d):
    """`MaxUnpool1d` over three axes; indices count in the flattened volume.

    >>> y, places = nn.MaxPool3d(2, return_indices=True)(gradkit.arange(8.0).reshape(1, 2, 2, 2))
    >>> nn.MaxUnpool3d(2)(y, places).flatten().tolist()
    [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 7.0]
    """

    function = staticmethod(F.max_unpool3d)
    axes = 3


# -- to a given size
class AdaptiveAvgPool1d(Applied):
    """Means over ``output_size`` windows that share the axis out: (N, C, L) or (C, L) to (..., output_size).

    >>> nn.AdaptiveAvgPool1d(2)(gradkit.tensor([[1.0, 2.0, 3.0]]))
    tensor([[1.5000, 2.5000]])
    """

    function = staticmethod(F.adaptive_avg_pool1d)

    def __init__(self, output_size: Any) -> None:
        super().__init__(output_size=output_size)


class AdaptiveAvgPool2d(AdaptiveAvgPool1d):
    """`AdaptiveAvgPool1d` over two axes; ``output_size`` is a number or (H_out, W_out), None keeps an extent.

    >>> nn.AdaptiveAvgPool2d((1, None))(gradkit.ones(1, 8, 5, 3)).shape
    gradkit.Size([1, 8, 1, 3])
    """

    function = staticmethod(F.adaptive_avg_pool2d)


class AdaptiveAvgPool3d(AdaptiveAvgPool1d):
    """`AdaptiveAvgPool1d` over three axes.

    >>> nn.AdaptiveAvgPool3d(1)(gradkit.ones(2, 4, 4, 4)).shape
    gradkit.Size([2, 1, 1, 1])
    """

    function = staticmethod(F.adaptive_avg_pool3d)


class AdaptiveMaxPool1d(Applied):
    """The greatest elements of the windows of `AdaptiveAvgPool1d`; with ``return_indices`` (output, indices).

    >>> nn.AdaptiveMaxPool1d(2)(gradkit.tensor([[1.0, 2.0, 3.0]]))
    tensor([[2., 3.]])
    """

    function = staticmethod(F.adaptive_max_pool1d)
    shown = ("output_size",)

    def __init__(self, output_size: Any, return_indices: bool = False) -> None:
        super().__init__(output_size=output_size, return_indices=return_indices)


class AdaptiveMaxPool2d(AdaptiveMaxPool1d):
    """The greatest elements of the windows of `AdaptiveAvgPool2d`; with ``return_indices`` (output, indices).

    >>> nn.AdaptiveMaxPool2d(1)(gradkit.arange(4.0).reshape(1, 2, 2))
    tensor([[[3.]]])
    """

    function = staticmethod(F.adaptive_max_pool2d)
