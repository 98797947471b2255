"""BatchNorm and LayerNorm; `group_normalization` has the others."""

from typing import Any

from gradkit import creation
from gradkit.engine import dtypes
from gradkit.engine.tensor import Tensor
from gradkit.nn import functional as F, init
from gradkit.nn.module import Module
from gradkit.nn.parameter import Parameter

__all__ = ["BatchNorm1d", "BatchNorm2d", "BatchNorm3d", "LayerNorm"]


class _Normalization(Module):
    """A weight that starts at 1 and a bias that starts at 0, either of which may be missing."""

    weight: Parameter | None
    bias: Parameter | None

    def _make(self, shape: int | tuple[int, ...], weight: bool, bias: bool, **place: Any) -> None:
        self.weight = Parameter(creation.ones(shape, **place)) if weight else None
        self.bias = Parameter(creation.zeros(shape, **place)) if weight and bias else None

    def reset_parameters(self) -> None:
        if self.weight is not None:
            init.ones_(self.weight)
        if self.bias is not None:
            init.zeros_(self.bias)


class _BatchNorm(_Normalization):
    """What BatchNorm1d, 2d and 3d share: everything but the number of axes they take.

    Training normalises by the batch's own mean and (biased) variance and moves the running ones, the variance there
    unbiased, by ``momentum``; None gives all batches the same weight. Evaluation uses the running ones, if they are
    kept. Ioffe and Szegedy, "Batch normalization" (2015).
    """

    input_ndims: tuple[int, ...]
    running_mean: Tensor | None
    running_var: Tensor | None
    num_batches_tracked: Tensor | None

    def __init__(
        self, num_features: int, eps: float = 1e-5, momentum: float | None = 0.1, affine: bool = True,
        track_running_stats: bool = True, device: Any = None, dtype: Any = None, *, bias: bool = True,
    ) -> None:
        super().__init__()
        self.num_features = num_features
        self.eps = eps
        self.momentum = momentum
        self.affine = affine
        self.track_running_stats = track_running_stats
        place = {"device": device, "dtype": dtype}
        self._make(num_features, affine, bias, **place)
        tracked = track_running_stats
        count = creation.tensor(0, dtype=dtypes.int64, device=device) if tracked else None
        self.register_buffer("running_mean", creation.zeros(num_features, **place) if tracked else None)
        self.register_buffer("running_var", creation.ones(num_features, **place) if tracked else None)
        self.register_buffer("num_batches_tracked", count)

    def reset_running_stats(self) -> None:
        """Forget the running statistics: mean 0, variance 1, no batches seen.

        >>> norm = nn.BatchNorm1d(1)
        >>> _ = norm(gradkit.tensor([[1.0], [3.0]]))
        >>> norm.running_mean
        tensor([0.2000])
        >>> norm.reset_running_stats()
        >>> norm.running_mean
        tensor([0.])
        """
        if self.running_mean is not None and self.running_var is not None and self.num_batches_tracked is not None:
            self.running_mean.zero_()
            self.running_var.fill_(1)
            self.num_batches_tracked.zero_()

    def reset_parameters(self) -> None:
        self.reset_running_stats()
        super().reset_parameters()

    def forward(self, input: Tensor) -> Tensor:
        if input.ndim not in self.input_ndims:
            wanted = " or ".join(f"{n}D" for n in self.input_ndims)
            raise ValueError(f"expected {wanted} input (got {input.ndim}D input of shape {tuple(input.shape)})")
        momentum = 0.0 if self.momentum is None else self.momentum
        if self.training and self.num_batches_tracked is not None:
            self.num_batches_tracked.add_(1)
            if self.momentum is None:
                momentum = 1 / int(self.num_batches_tracked)
        by_batch = self.training or self.running_mean is None
        keeps = not self.training or self.track_running_stats
        return F.batch_norm(
            input, self.running_mean if keeps else None, self.running_var if keeps else None, self.weight, self.bias,
            by_batch, momentum, self.eps,
        )

    def extra_repr(self) -> str:
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, affine={self.affine}, "
            f"bias={self.bias is not None}, track_running_stats={self.track_running_stats}"
        )


class BatchNorm1d(_BatchNorm):
    """Normalises each feature over the batch: (N, C) or (N, C, L), the same shape out.

    ``weight`` starts at 1 and ``bias`` at 0, both (C,); ``affine=False`` leaves them out. The buffers
    ``running_mean``, ``running_var`` (C,) and ``num_batches_tracked`` serve evaluation. ValueError for another
    number of axes, and in training for one value per feature.

    >>> nn.BatchNorm1d(1)(gradkit.tensor([[1.0], [3.0]])).tolist()
    [[-0.9999949932098389], [0.9999949932098389]]
    """

    input_ndims = (2, 3)


class BatchNorm2d(_BatchNorm):
    """Normalises each channel over batch and plane: (N, C, H, W), the same shape out.

    Parameters, buffers and errors as `BatchNorm1d`.

    >>> y = nn.BatchNorm2d(3)(gradkit.randn(4, 3, 5, 5))
    >>> bool((y.mean(dim=(0, 2, 3)).abs() < 1e-5).all())
    True
    """

    input_ndims = (4,)


class BatchNorm3d(_BatchNorm):
    """Normalises each channel over batch and volume: (N, C, D, H, W), the same shape out.

    Parameters, buffers and errors as `BatchNorm1d`.

    >>> nn.BatchNorm3d(3)(gradkit.randn(4, 3, 2, 2, 2)).shape
    gradkit.Size([4, 3, 2, 2, 2])
    """

    input_ndims = (5,)


class LayerNorm(_Normalization):
    """Normalises the last axes, those of ``normalized_shape``, to mean 0 and variance 1; the same shape out.

    ``weight`` starts at 1 and ``bias`` at 0, both of ``normalized_shape``; ``elementwise_affine=False`` leaves both
    out, ``bias=False`` the second. RuntimeError for an input that does not end in ``normalized_shape``. Ba,
    Kiros and Hinton, "Layer normalization" (2016).

    >>> y = nn.LayerNorm(8)(gradkit.randn(4, 8))
    >>> bool((y.mean(dim=-1).abs() < 1e-5).all())
    True
    """

    def __init__(
        self, normalized_shape: int | tuple[int, ...] | list[int], eps: float = 1e-5, elementwise_affine: bool = True,
        bias: bool = True, device: Any = None, dtype: Any = None,
    ) -> None:
        super().__init__()
        shape = (normalized_shape,) if isinstance(normalized_shape, int) else tuple(normalized_shape)
        self.normalized_shape = shape
        self.eps = eps
        self.elementwise_affine = elementwise_affine
        self._make(shape, elementwise_affine, bias, device=device, dtype=dtype)

    def forward(self, input: Tensor) -> Tensor:
        return F.layer_norm(input, self.normalized_shape, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        return (
            f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}, bias={self.bias is not None}"
        )
