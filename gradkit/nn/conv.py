"""Conv1d and Conv2d."""

from collections.abc import Callable
from typing import Any

from gradkit import creation
from gradkit.engine.tensor import Tensor
from gradkit.nn import functional as F
from gradkit.nn.linear import init_weight_and_bias
from gradkit.nn.module import Module
from gradkit.nn.parameter import Parameter


class _Conv(Module):
    """What Conv1d and Conv2d share: everything but the number of spatial axes."""

    spatial: int
    convolve: Callable[..., Tensor]
    weight: Parameter

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | tuple[int, ...],
        stride: int | tuple[int, ...] = 1,
        padding: int | tuple[int, ...] | str = 0,
        dilation: int | tuple[int, ...] = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        device: Any = None,
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
        shape = (out_channels, in_channels // groups, *self.kernel_size)
        self.weight = Parameter(creation.empty(shape, device=device, dtype=dtype))
        self.bias = Parameter(creation.empty(out_channels, device=device, dtype=dtype)) if bias else None
        self.reset_parameters()

    def _per_axis(self, value: int | tuple[int, ...]) -> tuple[int, ...]:
        return (value,) * self.spatial if isinstance(value, int) else tuple(value)

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
        if self.groups != 1:
            shown.append(f"groups={self.groups}")
        if self.bias is None:
            shown.append("bias=False")
        if self.padding_mode != "zeros":
            shown.append(f"padding_mode={self.padding_mode}")
        return ", ".join(shown)


class Conv1d(_Conv):
    """Cross-correlation along one axis: (N, C_in, L) or (C_in, L) to (N, C_out, L_out) or (C_out, L_out).

    ``weight`` is (C_out, C_in / groups, kernel); it and ``bias`` start evenly from (-k, k),
    k = 1 / sqrt(C_in / groups * kernel). ``padding`` is a number, "valid" (none) or "same", of what
    ``padding_mode`` says: "zeros", "reflect", "replicate" or "circular". Raises ValueError for channels that ``groups``
    does not divide and for padding it does not know.

    >>> import gradkit
    >>> from gradkit import nn
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

    >>> import gradkit
    >>> from gradkit import nn
    >>> nn.Conv2d(3, 8, kernel_size=3, padding=1)(gradkit.randn(2, 3, 8, 8)).shape
    gradkit.Size([2, 8, 8, 8])
    """

    spatial = 2
    convolve = staticmethod(F.conv2d)
