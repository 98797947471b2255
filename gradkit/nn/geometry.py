"""Layers that rearrange or resize images, or compare vectors; none has parameters but Bilinear."""

import math
from typing import Any

from gradkit import creation
from gradkit.engine.tensor import Tensor
from gradkit.nn import functional as F, init
from gradkit.nn.applied import Applied
from gradkit.nn.module import Module
from gradkit.nn.parameter import Parameter

__all__ = [
    "Bilinear", "ChannelShuffle", "CosineSimilarity", "Fold", "PairwiseDistance", "PixelShuffle", "PixelUnshuffle", "Unfold",
    "Upsample", "UpsamplingBilinear2d", "UpsamplingNearest2d",
]

_Sizes = int | tuple[int, ...]


# -- images
class PixelShuffle(Applied):
    """(..., C * r**2, H, W) to (..., C, H * r, W * r), r the ``upscale_factor``; Shi et al. (2016).

    >>> nn.PixelShuffle(2)(gradkit.arange(4.0).reshape(4, 1, 1))
    tensor([[[0., 1.],
             [2., 3.]]])
    """

    function = staticmethod(F.pixel_shuffle)

    def __init__(self, upscale_factor: int) -> None:
        super().__init__(upscale_factor=upscale_factor)


class PixelUnshuffle(Applied):
    """The reverse of `PixelShuffle`: (..., C, H * r, W * r) to (..., C * r**2, H, W).

    >>> nn.PixelUnshuffle(2)(gradkit.arange(4.0).reshape(1, 2, 2)).shape
    gradkit.Size([4, 1, 1])
    """

    function = staticmethod(F.pixel_unshuffle)

    def __init__(self, downscale_factor: int) -> None:
        super().__init__(downscale_factor=downscale_factor)


class ChannelShuffle(Applied):
    """Deals the channels of (N, C, ...) out to ``groups`` in turn; Zhang et al. (2018).

    >>> nn.ChannelShuffle(2)(gradkit.arange(4.0).reshape(1, 4, 1, 1)).flatten()
    tensor([0., 2., 1., 3.])
    """

    function = staticmethod(F.channel_shuffle)

    def __init__(self, groups: int) -> None:
        super().__init__(groups=groups)


class Upsample(Applied):
    """Resizes (N, C, ...) to ``size``, or by ``scale_factor``, as `functional.interpolate` does in the same ``mode``.

    >>> nn.Upsample(scale_factor=2)(gradkit.tensor([[[1.0, 2.0]]]))
    tensor([[[1., 1., 2., 2.]]])
    """

    function = staticmethod(F.interpolate)

    def __init__(
        self, size: _Sizes | None = None, scale_factor: float | tuple[float, ...] | None = None, mode: str = "nearest",
        align_corners: bool | None = None, recompute_scale_factor: bool | None = None,
    ) -> None:
        if isinstance(scale_factor, tuple):
            scale_factor = tuple(map(float, scale_factor))
        elif scale_factor is not None:
            scale_factor = float(scale_factor)
        super().__init__(
            size=size, scale_factor=scale_factor, mode=mode, align_corners=align_corners,
            recompute_scale_factor=recompute_scale_factor,
        )

    def extra_repr(self) -> str:
        how = f"size={self.size!r}" if self.scale_factor is None else f"scale_factor={self.scale_factor!r}"
        return f"{how}, mode={self.mode!r}"


class UpsamplingNearest2d(Upsample):
    """`Upsample` of images by repeating their elements.

    >>> nn.UpsamplingNearest2d(scale_factor=2)(gradkit.ones(1, 1, 2, 3)).shape
    gradkit.Size([1, 1, 4, 6])
    """

    def __init__(self, size: _Sizes | None = None, scale_factor: float | tuple[float, ...] | None = None) -> None:
        super().__init__(size, scale_factor, mode="nearest")


class UpsamplingBilinear2d(Upsample):
    """`Upsample` of images along straight lines, the corners staying where they are.

    >>> nn.UpsamplingBilinear2d((1, 3))(gradkit.tensor([[[[0.0, 1.0]]]]))
    tensor([[[[0.0000, 0.5000, 1.0000]]]])
    """

    def __init__(self, size: _Sizes | None = None, scale_factor: float | tuple[float, ...] | None = None) -> None:
        super().__init__(size, scale_factor, mode="bilinear", align_corners=True)


class Unfold(Applied):
    """The patches of images: (N, C, H, W) to (N, C * KH * KW, L), L the number of places.

    >>> nn.Unfold(2)(gradkit.ones(1, 3, 4, 4)).shape
    gradkit.Size([1, 12, 9])
    """

    function = staticmethod(F.unfold)

    def __init__(self, kernel_size: _Sizes, dilation: _Sizes = 1, padding: _Sizes = 0, stride: _Sizes = 1) -> None:
        super().__init__(kernel_size=kernel_size, dilation=dilation, padding=padding, stride=stride)


class Fold(Applied):
    """Patches added up where they lie: (N, C * KH * KW, L) to (N, C, *output_size).

    >>> nn.Fold((4, 4), 2)(gradkit.ones(1, 12, 9)).shape
    gradkit.Size([1, 3, 4, 4])
    """

    function = staticmethod(F.fold)

    def __init__(
        self, output_size: _Sizes, kernel_size: _Sizes, dilation: _Sizes = 1, padding: _Sizes = 0, stride: _Sizes = 1
    ) -> None:
        super().__init__(output_size=output_size, kernel_size=kernel_size, dilation=dilation, padding=padding, stride=stride)


# -- pairs of vectors
class CosineSimilarity(Applied):
    """The cosine of the angle between vectors along ``dim``: two inputs that broadcast.

    >>> nn.CosineSimilarity()(gradkit.tensor([[3.0, 4.0]]), gradkit.tensor([[6.0, 8.0]]))
    tensor([1.])
    """

    function = staticmethod(F.cosine_similarity)
    shown = ()

    def __init__(self, dim: int = 1, eps: float = 1e-8) -> None:
        super().__init__(dim=dim, eps=eps)


class PairwiseDistance(Applied):
    """The ``p``-norm of the difference of two vectors (N, D) or (D,), with ``eps`` added to it.

    >>> nn.PairwiseDistance()(gradkit.zeros(1, 2), gradkit.tensor([[3.0, 4.0]]))
    tensor([5.0000])
    """

    function = staticmethod(F.pairwise_distance)
    shown = ()

    def __init__(self, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False) -> None:
        super().__init__(p=p, eps=eps, keepdim=keepdim)


class Bilinear(Module):
    """``x1.T @ A @ x2 + b``: (*, in1_features) and (*, in2_features) to (*, out_features).

    ``weight`` (out_features, in1_features, in2_features) and ``bias`` start evenly from (-k, k),
    k = 1 / sqrt(in1_features).

    >>> nn.Bilinear(2, 3, 4)(gradkit.ones(5, 2), gradkit.ones(5, 3)).shape
    gradkit.Size([5, 4])
    """

    weight: Parameter

    def __init__(
        self, in1_features: int, in2_features: int, out_features: int, bias: bool = True, device: Any = None, dtype: Any = None
    ) -> None:
        super().__init__()
        if in1_features <= 0:
            raise ValueError(f"in1_features must be > 0, but got {in1_features}")
        self.in1_features = in1_features
        self.in2_features = in2_features
        self.out_features = out_features
        place = {"device": device, "dtype": dtype}
        self.weight = Parameter(creation.empty((out_features, in1_features, in2_features), **place))
        self.bias = Parameter(creation.empty(out_features, **place)) if bias else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        bound = 1 / math.sqrt(self.in1_features)
        for param in self.parameters():
            init.uniform_(param, -bound, bound)

    def forward(self, input1: Tensor, input2: Tensor) -> Tensor:
        return F.bilinear(input1, input2, self.weight, self.bias)

    def extra_repr(self) -> str:
        return (
            f"in1_features={self.in1_features}, in2_features={self.in2_features}, "
            f"out_features={self.out_features}, bias={self.bias is not None}"
        )
