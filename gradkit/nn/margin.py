"""Losses that are zero once something lies further off than a margin; see `loss` for what all losses share."""

from collections.abc import Callable

from gradkit.engine.tensor import Tensor
from gradkit.nn import functional as F
from gradkit.nn.loss import _Loss, _ReducedLoss

__all__ = [
    "CosineEmbeddingLoss", "HingeEmbeddingLoss", "MarginRankingLoss", "MultiLabelMarginLoss", "MultiMarginLoss",
    "TripletMarginLoss", "TripletMarginWithDistanceLoss",
]


class HingeEmbeddingLoss(_Loss):
    """``input`` where the target is 1, ``max(0, margin - input)`` where it is -1: inputs are distances.

    >>> nn.HingeEmbeddingLoss(reduction="none")(gradkit.tensor([0.5, 0.5]), gradkit.tensor([1.0, -1.0]))
    tensor([0.5000, 0.5000])
    """

    function = staticmethod(F.hinge_embedding_loss)

    def __init__(self, margin: float = 1.0, *, reduction: str = "mean") -> None:
        super().__init__(margin=margin, reduction=reduction)


class MarginRankingLoss(_Loss):
    """``max(0, margin - target * (input1 - input2))``: target 1 wants the first greater, -1 the second.

    >>> nn.MarginRankingLoss()(gradkit.tensor([1.0]), gradkit.tensor([3.0]), gradkit.tensor([1]))
    tensor(2.)
    """

    function = staticmethod(F.margin_ranking_loss)

    def __init__(self, margin: float = 0.0, *, reduction: str = "mean") -> None:
        super().__init__(margin=margin, reduction=reduction)


class CosineEmbeddingLoss(_Loss):
    """``1 - cos`` of the angle between vectors where the target is 1, ``max(0, cos - margin)`` where it is -1.

    >>> x = gradkit.tensor([[3.0, 4.0]])
    >>> nn.CosineEmbeddingLoss()(x, x, gradkit.tensor([-1]))
    tensor(1.)
    """

    function = staticmethod(F.cosine_embedding_loss)

    def __init__(self, margin: float = 0.0, *, reduction: str = "mean") -> None:
        super().__init__(margin=margin, reduction=reduction)


class TripletMarginLoss(_Loss):
    """``max(0, margin + d(anchor, positive) - d(anchor, negative))``, d the ``p``-norm of the difference.

    With ``swap`` the distance from positive to negative counts where it is less. ValueError for a margin that is
    not positive. Balntas et al. (2016).

    >>> nn.TripletMarginLoss()(gradkit.zeros(1, 2), gradkit.zeros(1, 2), gradkit.tensor([[0.0, 0.5]]))
    tensor(0.5000)
    """

    function = staticmethod(F.triplet_margin_loss)

    def __init__(
        self, margin: float = 1.0, p: float = 2.0, eps: float = 1e-6, swap: bool = False, *, reduction: str = "mean"
    ) -> None:
        super().__init__(margin=margin, p=p, eps=eps, swap=swap, reduction=reduction)
        _check_margin(margin)


class TripletMarginWithDistanceLoss(_Loss):
    """`TripletMarginLoss` with a ``distance_function`` of one's own; by default the Euclidean distance.

    >>> loss = nn.TripletMarginWithDistanceLoss(distance_function=lambda a, b: (a - b).abs().sum(-1), margin=3.0)
    >>> loss(gradkit.zeros(1, 2), gradkit.zeros(1, 2), gradkit.ones(1, 2))
    tensor(1.)
    """

    function = staticmethod(F.triplet_margin_with_distance_loss)

    def __init__(
        self, *, distance_function: Callable[[Tensor, Tensor], Tensor] | None = None, margin: float = 1.0,
        swap: bool = False, reduction: str = "mean",
    ) -> None:
        super().__init__(distance_function=distance_function or F.pairwise_distance, margin=margin, swap=swap, reduction=reduction)
        _check_margin(margin)


def _check_margin(margin: float) -> None:
    if margin <= 0:
        raise ValueError(f"margin must be greater than 0, got {margin}")


class MultiMarginLoss(_Loss):
    """``max(0, margin - x[y] + x[j])**p`` summed over the classes j other than the target y, over their number.

    Input (N, C) or (C,), target (N,) or (). ValueError for a ``p`` that is neither 1 nor 2.

    >>> nn.MultiMarginLoss()(gradkit.tensor([[0.5, 1.0, 0.0]]), gradkit.tensor([1]))
    tensor(0.1667)
    """

    function = staticmethod(F.multi_margin_loss)

    def __init__(self, p: int = 1, margin: float = 1.0, weight: Tensor | None = None, *, reduction: str = "mean") -> None:
        super().__init__(weight=weight, p=p, margin=margin, reduction=reduction)
        if p not in (1, 2):
            raise ValueError(f"only p == 1 and p == 2 supported, got {p}")


class MultiLabelMarginLoss(_ReducedLoss):
    """``max(0, 1 - x[y] + x[j])`` summed over target classes y and other classes j, over the number of classes.

    Input and target (N, C) or (C,): the targets of a sample are its entries up to the first -1.

    >>> nn.MultiLabelMarginLoss()(gradkit.tensor([[0.1, 0.2, 0.4, 0.8]]), gradkit.tensor([[3, 0, -1, 1]]))
    tensor(0.8500)
    """

    function = staticmethod(F.multilabel_margin_loss)
