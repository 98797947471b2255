"""Loss functions as modules. Each holds the arguments of the function of the same meaning in `nn.functional`.

``reduction`` is "mean", "sum" or "none"; any other raises ValueError. PyTorch's deprecated ``size_average`` and
``reduce`` do not exist here, so what used to follow them is given by name.
"""

from gradkit.engine.tensor import Tensor
from gradkit.nn import functional as F
from gradkit.nn.module import Module


class _Loss(Module):
    def __init__(self, *, reduction: str = "mean") -> None:
        super().__init__()
        self.reduction = reduction


class _WeightedLoss(_Loss):
    """A loss with a weight for each class or element, which moves with the module."""

    weight: Tensor | None

    def __init__(self, weight: Tensor | None = None, *, reduction: str = "mean") -> None:
        super().__init__(reduction=reduction)
        self.register_buffer("weight", weight)


class MSELoss(_Loss):
    """``(input - target) ** 2``, reduced.

    >>> import gradkit
    >>> from gradkit import nn
    >>> nn.MSELoss()(gradkit.tensor([1.0, 3.0]), gradkit.tensor([1.0, 1.0]))
    tensor(2.)
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.mse_loss(input, target, reduction=self.reduction)


class L1Loss(_Loss):
    """``abs(input - target)``, reduced.

    >>> import gradkit
    >>> from gradkit import nn
    >>> nn.L1Loss()(gradkit.tensor([1.0, 3.0]), gradkit.tensor([1.0, 1.0]))
    tensor(1.)
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.l1_loss(input, target, reduction=self.reduction)


class SmoothL1Loss(_Loss):
    """``d**2 / (2 * beta)`` where ``d = abs(input - target) < beta``, else ``d - beta / 2``; reduced.

    >>> import gradkit
    >>> from gradkit import nn
    >>> nn.SmoothL1Loss(reduction="none")(gradkit.tensor([0.5, 3.0]), gradkit.zeros(2))
    tensor([0.1250, 2.5000])
    """

    def __init__(self, *, reduction: str = "mean", beta: float = 1.0) -> None:
        super().__init__(reduction=reduction)
        self.beta = beta

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.smooth_l1_loss(input, target, reduction=self.reduction, beta=self.beta)


class HuberLoss(_Loss):
    """``d**2 / 2`` where ``d = abs(input - target) < delta``, else ``delta * (d - delta / 2)``; reduced.

    >>> import gradkit
    >>> from gradkit import nn
    >>> nn.HuberLoss(reduction="none", delta=2.0)(gradkit.tensor([0.5, 3.0]), gradkit.zeros(2))
    tensor([0.1250, 4.0000])
    """

    def __init__(self, reduction: str = "mean", delta: float = 1.0) -> None:
        super().__init__(reduction=reduction)
        self.delta = delta

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.huber_loss(input, target, reduction=self.reduction, delta=self.delta)


class CrossEntropyLoss(_WeightedLoss):
    """The cross-entropy of logits (N, C, ...) or (C,) with class indices (N, ...) or class probabilities (N, C, ...).

    ``weight`` (C,) weighs the classes; targets equal to ``ignore_index`` do not count; ``label_smoothing`` in [0, 1]
    mixes that share of the uniform distribution into the target.

    >>> import gradkit
    >>> from gradkit import nn
    >>> nn.CrossEntropyLoss()(gradkit.zeros(2, 4), gradkit.tensor([0, 3]))
    tensor(1.3863)
    """

    def __init__(
        self,
        weight: Tensor | None = None,
        *,
        ignore_index: int = -100,
        reduction: str = "mean",
        label_smoothing: float = 0.0,
    ) -> None:
        super().__init__(weight, reduction=reduction)
        self.ignore_index = ignore_index
        self.label_smoothing = label_smoothing

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.cross_entropy(
            input,
            target,
            weight=self.weight,
            ignore_index=self.ignore_index,
            reduction=self.reduction,
            label_smoothing=self.label_smoothing,
        )


class NLLLoss(_WeightedLoss):
    """Minus the log-probability (N, C, ...) or (C,) of the target class (N, ...) or (); after `nn.LogSoftmax`.

    >>> import gradkit
    >>> from gradkit import nn
    >>> nn.NLLLoss()(gradkit.tensor([[-0.5, -1.0]]), gradkit.tensor([1]))
    tensor(1.)
    """

    def __init__(self, weight: Tensor | None = None, *, ignore_index: int = -100, reduction: str = "mean") -> None:
        super().__init__(weight, reduction=reduction)
        self.ignore_index = ignore_index

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.nll_loss(input, target, weight=self.weight, ignore_index=self.ignore_index, reduction=self.reduction)


class BCELoss(_WeightedLoss):
    """Binary cross-entropy of probabilities in [0, 1]; its logarithms are cut off at -100, as in PyTorch.

    >>> import gradkit
    >>> from gradkit import nn
    >>> nn.BCELoss()(gradkit.tensor([0.5]), gradkit.tensor([1.0]))
    tensor(0.6931)
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.binary_cross_entropy(input, target, weight=self.weight, reduction=self.reduction)


class BCEWithLogitsLoss(_WeightedLoss):
    """Binary cross-entropy of the sigmoid of logits, without its loss of precision; ``pos_weight`` weighs target 1.

    >>> import gradkit
    >>> from gradkit import nn
    >>> nn.BCEWithLogitsLoss()(gradkit.tensor([0.0]), gradkit.tensor([1.0]))
    tensor(0.6931)
    """

    pos_weight: Tensor | None

    def __init__(self, weight: Tensor | None = None, *, reduction: str = "mean", pos_weight: Tensor | None = None) -> None:
        super().__init__(weight, reduction=reduction)
        self.register_buffer("pos_weight", pos_weight)

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.binary_cross_entropy_with_logits(
            input, target, weight=self.weight, pos_weight=self.pos_weight, reduction=self.reduction
        )
