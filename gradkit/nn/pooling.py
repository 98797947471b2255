"""MaxPool2d and AvgPool2d."""

from typing import Any

from gradkit.engine.tensor import Tensor
from gradkit.nn import functional as F
from gradkit.nn.module import Module

_Sizes = int | tuple[int, int]


class MaxPool2d(Module):
    """The greatest element of each window: (N, C, H, W) or (C, H, W) to (..., H_out, W_out).

    ``stride`` is ``kernel_size`` if None. With ``return_indices`` the result is (output, indices), each index counted
    in the flattened H x W plane.

    >>> import gradkit
    >>> from gradkit import nn
    >>> nn.MaxPool2d(2)(gradkit.arange(16.0).reshape(1, 4, 4))
    tensor([[[ 5.,  7.],
             [13., 15.]]])
    """

    def __init__(
        self,
        kernel_size: _Sizes,
        stride: _Sizes | None = None,
        padding: _Sizes = 0,
        dilation: _Sizes = 1,
        return_indices: bool = False,
        ceil_mode: bool = False,
    ) -> None:
        super().__init__()
        self.kernel_size = kernel_size
        self.stride = kernel_size if stride is None else stride
        self.padding = padding
        self.dilation = dilation
        self.return_indices = return_indices
        self.ceil_mode = ceil_mode

    def forward(self, input: Tensor) -> Any:
        return F.max_pool2d(
            input,
            self.kernel_size,
            self.stride,
            self.padding,
            self.dilation,
            ceil_mode=self.ceil_mode,
            return_indices=self.return_indices,
        )

    def extra_repr(self) -> str:
        return (
            f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}, "
            f"dilation={self.dilation}, ceil_mode={self.ceil_mode}"
        )


class AvgPool2d(Module):
    """The mean of each window: (N, C, H, W) or (C, H, W) to (..., H_out, W_out).

    ``stride`` is ``kernel_size`` if None. Padding counts as zeros unless ``count_include_pad=False``;
    ``divisor_override`` divides the sum of a window by another number than its size.

    >>> import gradkit
    >>> from gradkit import nn
    >>> nn.AvgPool2d(2)(gradkit.arange(16.0).reshape(1, 4, 4))
    tensor([[[ 2.5000,  4.5000],
             [10.5000, 12.5000]]])
    """

    def __init__(
        self,
        kernel_size: _Sizes,
        stride: _Sizes | None = None,
        padding: _Sizes = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        divisor_override: int | None = None,
    ) -> None:
        super().__init__()
        self.kernel_size = kernel_size
        self.stride = kernel_size if stride is None else stride
        self.padding = padding
        self.ceil_mode = ceil_mode
        self.count_include_pad = count_include_pad
        self.divisor_override = divisor_override

    def forward(self, input: Tensor) -> Tensor:
        return F.avg_pool2d(
            input,
            self.kernel_size,
            self.stride,
            self.padding,
            self.ceil_mode,
            self.count_include_pad,
            self.divisor_override,
        )

    def extra_repr(self) -> str:
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"
