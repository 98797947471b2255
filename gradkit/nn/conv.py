"""Convolutions and their transposes."""

from collections.abc import Callable
from typing import Any

from gradkit import creation
from gradkit.engine.tensor import Tensor
from gradkit.nn import functional as F
from gradkit.nn.linear import init_weight_and_bias
from gradkit.nn.module import Module
from gradkit.nn.parameter import Parameter

__all__ = ["Conv1d", "Conv2d", "Conv3d", "ConvTranspose1d", "ConvTranspose2d", "ConvTranspose3d"]

_Sizes = int | tuple[int, ...]


class _Conv(Module):
    """All but the number of spatial axes and which way they go."""

    spatial: int
    convolve: Callable[..., Tensor]
    weight: Parameter

    def __init__(
        self, in_channels: int, out_channels: int, kernel_size: _Sizes, stride: _Sizes = 1, padding: _Sizes | str = 0,
        dilation: _Sizes = 1, groups: int = 1, bias: bool = True, padding_mode: str = "zeros", device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        if groups <= 0:
            raise ValueError(f"groups must be a positive integer, got {groups}")
        for name, channels in (("in_channels", in_channels), ("out_channels", out_channels)):
            if channels % groups:
                raise ValueError(f"{name} must be divisible by groups, got {channels} and {groups}")
        if padding_mode not in ("zeros", "reflect", "replicate", "circular"):
            raise ValueError(f"padding_mode {padding_mode!r}: it is 'zeros', 'reflect', 'replicate' or 'circular'")
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.kernel_size = self._per_axis(kernel_size)
        self.stride = self._per_axis(stride)
        self.padding: tuple[int, ...] | str = padding if isinstance(padding, str) else self._per_axis(padding)
        self.dilation = self._per_axis(dilation)
        self.groups = groups
        self.padding_mode = padding_mode
        self._check_named_padding()
        shape = (*self._channels(), *self.kernel_size)
        self.weight = Parameter(creation.empty(shape, device=device, dtype=dtype))
        self.bias = Parameter(creation.empty(out_channels, device=device, dtype=dtype)) if bias else None
        self.reset_parameters()

    def _channels(self) -> tuple[int, int]:
        return self.out_channels, self.in_channels // self.groups

    def _per_axis(self, value: _Sizes) -> tuple[int, ...]:
        return tuple(value) if isinstance(value, tuple | list) else (value,) * self.spatial

    def _check_named_padding(self) -> None:
        if not isinstance(self.padding, str):
            return
        if self.padding not in ("valid", "same"):
            raise ValueError(f"Invalid padding string {self.padding!r}, should be 'valid' or 'same'")
        if self.padding == "same" and any(step != 1 for step in self.stride):
            raise ValueError("padding='same' is not supported for strided convolutions")

    def reset_parameters(self) -> None:
        init_weight_and_bias(self.weight, self.bias)

    def forward(self, input: Tensor) -> Tensor:
        padding = self.padding
        if self.padding_mode != "zeros":
            input = F.pad(input, self._pads(), mode=self.padding_mode)
            padding = (0,) * self.spatial
        return self.convolve(input, self.weight, self.bias, self.stride, padding, self.dilation, self.groups)

    def _pads(self) -> list[int]:
        """How much is added before and after each axis, last axis first."""
        if not isinstance(self.padding, str):
            return [part for amount in reversed(self.padding) for part in (amount, amount)]
        if self.padding == "valid":
            return [0, 0] * self.spatial
        totals = [d * (k - 1) for d, k in zip(self.dilation, self.kernel_size, strict=True)]
        return [part for total in reversed(totals) for part in (total // 2, total - total // 2)]  # the odd one comes last

    def extra_repr(self) -> str:
        shown = [f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, stride={self.stride}"]
        if isinstance(self.padding, str) or any(self.padding):
            shown.append(f"padding={self.padding}")
        if any(step != 1 for step in self.dilation):
            shown.append(f"dilation={self.dilation}")
        shown += self._more_repr()
        if self.groups != 1:
            shown.append(f"groups={self.groups}")
        if self.bias is None:
            shown.append("bias=False")
        if self.padding_mode != "zeros":
            shown.append(f"padding_mode={self.padding_mode}")
        return ", ".join(shown)

    def _more_repr(self) -> list[str]:
        return []


class Conv1d(_Conv):
    """Cross-correlation along one axis: (N, C_in, L) or (C_in, L) to (N, C_out, L_out) or (C_out, L_out).

    ``weight`` is (C_out, C_in / groups, kernel); it and ``bias`` start evenly from (-k, k),
    k = 1 / sqrt(C_in / groups * kernel). ``padding`` is a number, "valid" (none) or "same", of what
    ``padding_mode`` says: "zeros", "reflect", "replicate" or "circular". ValueError for channels that ``groups``
    does not divide and for padding it does not know.

    >>> nn.Conv1d(16, 33, 3, stride=2)(gradkit.randn(20, 16, 50)).shape
    gradkit.Size([20, 33, 24])
    """

    spatial = 1
    convolve = staticmethod(F.conv1d)


class Conv2d(_Conv):
    """Cross-correlation over images: (N, C_in, H, W) or (C_in, H, W) to (N, C_out, H_out, W_out) or without N.

    ``kernel_size``, ``stride``, ``padding`` and ``dilation`` are one number or one for each axis; ``padding`` may be
    "valid" (none) or "same". ``weight`` is (C_out, C_in / groups, *kernel); it and ``bias`` start evenly from (-k, k),
    k = 1 / sqrt(C_in / groups * prod(kernel)). Errors as `Conv1d`.

    >>> nn.Conv2d(3, 8, kernel_size=3, padding=1)(gradkit.randn(2, 3, 8, 8)).shape
    gradkit.Size([2, 8, 8, 8])
    """

    spatial = 2
    convolve = staticmethod(F.conv2d)


class Conv3d(_Conv):
    """Cross-correlation over volumes: (N, C_in, D, H, W) or (C_in, D, H, W); options, parameters and errors as `Conv2d`.

    >>> nn.Conv3d(2, 4, kernel_size=3, padding=1)(gradkit.randn(1, 2, 4, 4, 4)).shape
    gradkit.Size([1, 4, 4, 4, 4])
    """

    spatial = 3
    convolve = staticmethod(F.conv3d)


# -- transposed
class _ConvTranspose(_Conv):
    """``forward(input, output_size=None)``: `output_size` chooses the extents where ``stride`` leaves several possible."""

    def __init__(
        self, in_channels: int, out_channels: int, kernel_size: _Sizes, stride: _Sizes = 1, padding: _Sizes = 0,
        output_padding: _Sizes = 0, groups: int = 1, bias: bool = True, dilation: _Sizes = 1,
        padding_mode: str = "zeros", device: Any = None, dtype: Any = None,
    ) -> None:
        if padding_mode != "zeros":
            raise ValueError(f'Only "zeros" padding mode is supported for {type(self).__name__}, not {padding_mode!r}')
        super().__init__(
            in_channels, out_channels, kernel_size, stride, padding, dilation, groups, bias, padding_mode, device, dtype
        )
        self.output_padding = self._per_axis(output_padding)

    def _channels(self) -> tuple[int, int]:
        return self.in_channels, self.out_channels // self.groups

    def forward(self, input: Tensor, output_size: Any = None) -> Tensor:
        extra = self.output_padding if output_size is None else self._extra(input, list(output_size)[-self.spatial :])
        return self.convolve(input, self.weight, self.bias, self.stride, self.padding, extra, self.groups, self.dilation)

    def _extra(self, input: Tensor, size: list[int]) -> tuple[int, ...]:
        """The output padding that gives this size; ValueError if there is none below the stride."""
        given = input.shape[-self.spatial :]
        pads: Any = self.padding
        least = [
            (n - 1) * s - 2 * p + d * (k - 1) + 1
            for n, s, p, d, k in zip(given, self.stride, pads, self.dilation, self.kernel_size, strict=True)
        ]
        extra = tuple([n - low for n, low in zip(size, least, strict=True)])
        if any([not 0 <= e < s for e, s in zip(extra, self.stride, strict=True)]):
            most = [low + s - 1 for low, s in zip(least, self.stride, strict=True)]
            raise ValueError(
                f"requested an output size of {size}, but valid sizes range from {least} to {most} (for an input of "
                f"{list(given)})"
            )
        return extra

    def _more_repr(self) -> list[str]:
        return [f"output_padding={self.output_padding}"] if any(self.output_padding) else []


class ConvTranspose1d(_ConvTranspose):
    """The transpose of `Conv1d` in its input: (N, C_in, L) or (C_in, L) to (N, C_out, L_out) or (C_out, L_out).

    L_out = (L - 1) * stride - 2 * padding + dilation * (kernel - 1) + output_padding + 1. ``weight`` is
    (C_in, C_out / groups, kernel); it and ``bias`` start evenly from (-k, k), k = 1 / sqrt(C_out / groups * kernel).
    ValueError for channels that ``groups`` does not divide, padding other than with zeros, and an ``output_size``
    that is out of reach.

    >>> nn.ConvTranspose1d(4, 2, 3, stride=2)(gradkit.randn(1, 4, 5)).shape
    gradkit.Size([1, 2, 11])
    """

    spatial = 1
    convolve = staticmethod(F.conv_transpose1d)


class ConvTranspose2d(_ConvTranspose):
    """The transpose of `Conv2d` in its input: (N, C_in, H, W) or (C_in, H, W); options and errors as `ConvTranspose1d`.

    >>> nn.ConvTranspose2d(4, 2, 2, stride=2)(gradkit.randn(1, 4, 8, 8)).shape
    gradkit.Size([1, 2, 16, 16])
    """

    spatial = 2
    convolve = staticmethod(F.conv_transpose2d)


class ConvTranspose3d(_ConvTranspose):
    """The transpose of `Conv3d` in its input: (N, C_in, D, H, W) or (C_in, D, H, W); as `ConvTranspose1d`.

    >>> nn.ConvTranspose3d(2, 1, 2, stride=2)(gradkit.randn(1, 2, 2, 2, 2)).shape
    gradkit.Size([1, 1, 4, 4, 4])
    """

    spatial = 3
    convolve = staticmethod(F.conv_transpose3d)
