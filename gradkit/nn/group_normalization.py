"""Normalisations of each sample by itself: GroupNorm, InstanceNorm, RMSNorm, LocalResponseNorm."""

from typing import Any, ClassVar

from gradkit import creation
from gradkit.engine.tensor import Tensor
from gradkit.nn import functional as F, init
from gradkit.nn.applied import Applied
from gradkit.nn.module import Module
from gradkit.nn.normalization import _BatchNorm, _Normalization
from gradkit.nn.parameter import Parameter

__all__ = ["GroupNorm", "InstanceNorm1d", "InstanceNorm2d", "InstanceNorm3d", "LocalResponseNorm", "RMSNorm"]


class GroupNorm(_Normalization):
    """Normalises each of ``num_groups`` groups of channels of (N, C, ...) to mean 0 and variance 1; the same shape out.

    ``weight`` starts at 1 and ``bias`` at 0, both (C,); ``affine=False`` leaves them out. ValueError for channels
    that ``num_groups`` does not divide. Wu and He, "Group normalization" (2018).

    >>> nn.GroupNorm(2, 6)(gradkit.randn(4, 6, 3, 3)).shape
    gradkit.Size([4, 6, 3, 3])
    """

    def __init__(
        self, num_groups: int, num_channels: int, eps: float = 1e-5, affine: bool = True, device: Any = None,
        dtype: Any = None, *, bias: bool = True,
    ) -> None:
        super().__init__()
        if num_channels % num_groups:
            raise ValueError(f"num_channels ({num_channels}) must be divisible by num_groups ({num_groups})")
        self.num_groups = num_groups
        self.num_channels = num_channels
        self.eps = eps
        self.affine = affine
        self._make(num_channels, affine, bias, device=device, dtype=dtype)

    def forward(self, input: Tensor) -> Tensor:
        return F.group_norm(input, self.num_groups, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        return f"{self.num_groups}, {self.num_channels}, eps={self.eps}, affine={self.affine}, bias={self.bias is not None}"


class _InstanceNorm(_BatchNorm):
    """`BatchNorm1d` with mean and variance of each sample by itself; the running ones, if kept, serve evaluation."""

    unbatched: ClassVar[int]  # how many axes one sample has

    def __init__(
        self, num_features: int, eps: float = 1e-5, momentum: float = 0.1, affine: bool = False,
        track_running_stats: bool = False, device: Any = None, dtype: Any = None, *, bias: bool = True,
    ) -> None:
        super().__init__(num_features, eps, momentum, affine, track_running_stats, device, dtype, bias=bias)

    def forward(self, input: Tensor) -> Tensor:
        if input.ndim not in (self.unbatched, self.unbatched + 1):
            raise ValueError(
                f"expected {self.unbatched}D or {self.unbatched + 1}D input (got {input.ndim}D input of shape "
                f"{tuple(input.shape)})"
            )
        channels = input.shape[-self.unbatched]
        if channels != self.num_features and self.affine:
            raise ValueError(
                f"expected input's size at dim={input.ndim - self.unbatched} to match num_features ({self.num_features}), "
                f"but got: {channels}."
            )
        x = input.unsqueeze(0) if input.ndim == self.unbatched else input
        by_sample = self.training or not self.track_running_stats
        y = F.instance_norm(
            x, self.running_mean, self.running_var, self.weight, self.bias, by_sample, self.momentum or 0.0, self.eps
        )
        return y.squeeze(0) if input.ndim == self.unbatched else y


class InstanceNorm1d(_InstanceNorm):
    """Normalises each channel of each sample: (N, C, L) or (C, L), the same shape out.

    ``affine=True`` adds ``weight`` and ``bias`` (C,), ``track_running_stats=True`` running statistics for evaluation.
    ValueError for another number of axes or channels. Ulyanov, Vedaldi and Lempitsky (2016).

    >>> nn.InstanceNorm1d(1)(gradkit.tensor([[[1.0, 3.0]]]))
    tensor([[[-1.0000,  1.0000]]])
    """

    unbatched = 2


class InstanceNorm2d(_InstanceNorm):
    """Normalises each channel of each image: (N, C, H, W) or (C, H, W); the rest as `InstanceNorm1d`.

    >>> nn.InstanceNorm2d(3)(gradkit.randn(2, 3, 4, 4)).shape
    gradkit.Size([2, 3, 4, 4])
    """

    unbatched = 3


class InstanceNorm3d(_InstanceNorm):
    """Normalises each channel of each volume: (N, C, D, H, W) or (C, D, H, W); the rest as `InstanceNorm1d`.

    >>> nn.InstanceNorm3d(3)(gradkit.randn(2, 3, 2, 2, 2)).shape
    gradkit.Size([2, 3, 2, 2, 2])
    """

    unbatched = 4


class RMSNorm(Module):
    """``input / sqrt(mean(input**2) + eps) * weight`` over the last axes, those of ``normalized_shape``.

    ``eps`` is the dtype's spacing at 1 if None; ``weight`` starts at 1. Zhang and Sennrich (2019).

    >>> nn.RMSNorm(2)(gradkit.tensor([3.0, 3.0])).detach()
    tensor([1., 1.])
    """

    weight: Parameter | None

    def __init__(
        self, normalized_shape: int | tuple[int, ...] | list[int], eps: float | None = None,
        elementwise_affine: bool = True, device: Any = None, dtype: Any = None,
    ) -> None:
        super().__init__()
        shape = (normalized_shape,) if isinstance(normalized_shape, int) else tuple(normalized_shape)
        self.normalized_shape = shape
        self.eps = eps
        self.elementwise_affine = elementwise_affine
        self.weight = Parameter(creation.ones(shape, device=device, dtype=dtype)) if elementwise_affine else None

    def reset_parameters(self) -> None:
        if self.weight is not None:
            init.ones_(self.weight)

    def forward(self, input: Tensor) -> Tensor:
        return F.rms_norm(input, self.normalized_shape, self.weight, self.eps)

    def extra_repr(self) -> str:
        return f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}"


class LocalResponseNorm(Applied):
    """``input / (k + alpha * m)**beta``, m being the mean of squares over ``size`` neighbouring channels of (N, C, ...).

    Krizhevsky, Sutskever and Hinton (2012), section 3.3.

    >>> nn.LocalResponseNorm(1, alpha=1.0, beta=1.0)(gradkit.ones(1, 1, 1))
    tensor([[[0.5000]]])
    """

    function = staticmethod(F.local_response_norm)

    def __init__(self, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> None:
        super().__init__(size=size, alpha=alpha, beta=beta, k=k)

    def extra_repr(self) -> str:
        return f"{self.size}, alpha={self.alpha}, beta={self.beta}, k={self.k}"
