"""Loss functions as modules. Each holds the arguments of the function of the same meaning in `nn.functional`.

``reduction`` is "mean", "sum" or "none"; any other raises ValueError. PyTorch's deprecated ``size_average`` and
``reduce`` do not exist here, so what used to follow them is given by name.
"""

from typing import Any

from gradkit.engine.tensor import Tensor
from gradkit.nn import functional as F
from gradkit.nn.applied import Applied

__all__ = [
    "BCELoss", "BCEWithLogitsLoss", "CTCLoss", "CrossEntropyLoss", "GaussianNLLLoss", "HuberLoss", "KLDivLoss", "L1Loss",
    "MSELoss", "MultiLabelSoftMarginLoss", "NLLLoss", "PoissonNLLLoss", "SmoothL1Loss", "SoftMarginLoss",
]


class _Loss(Applied):
    shown = ()
    buffered = ("weight", "pos_weight")


class _ReducedLoss(_Loss):
    def __init__(self, *, reduction: str = "mean") -> None:
        super().__init__(reduction=reduction)


class _WeightedLoss(_Loss):
    def __init__(self, weight: Tensor | None = None, *, reduction: str = "mean") -> None:
        super().__init__(weight=weight, reduction=reduction)


class MSELoss(_ReducedLoss):
    """``(input - target) ** 2``, reduced.

    >>> nn.MSELoss()(gradkit.tensor([1.0, 3.0]), gradkit.tensor([1.0, 1.0]))
    tensor(2.)
    """

    function = staticmethod(F.mse_loss)


class L1Loss(_ReducedLoss):
    """``abs(input - target)``, reduced.

    >>> nn.L1Loss()(gradkit.tensor([1.0, 3.0]), gradkit.tensor([1.0, 1.0]))
    tensor(1.)
    """

    function = staticmethod(F.l1_loss)


class SmoothL1Loss(_Loss):
    """``d**2 / (2 * beta)`` where ``d = abs(input - target) < beta``, else ``d - beta / 2``; reduced.

    >>> nn.SmoothL1Loss(reduction="none")(gradkit.tensor([0.5, 3.0]), gradkit.zeros(2))
    tensor([0.1250, 2.5000])
    """

    function = staticmethod(F.smooth_l1_loss)

    def __init__(self, *, reduction: str = "mean", beta: float = 1.0) -> None:
        super().__init__(beta=beta, reduction=reduction)


class HuberLoss(_Loss):
    """``d**2 / 2`` where ``d = abs(input - target) < delta``, else ``delta * (d - delta / 2)``; reduced.

    >>> nn.HuberLoss(reduction="none", delta=2.0)(gradkit.tensor([0.5, 3.0]), gradkit.zeros(2))
    tensor([0.1250, 4.0000])
    """

    function = staticmethod(F.huber_loss)

    def __init__(self, reduction: str = "mean", delta: float = 1.0) -> None:
        super().__init__(delta=delta, reduction=reduction)


class CrossEntropyLoss(_Loss):
    """The cross-entropy of logits (N, C, ...) or (C,) with class indices (N, ...) or class probabilities (N, C, ...).

    ``weight`` (C,) weighs the classes; targets equal to ``ignore_index`` do not count; ``label_smoothing`` in [0, 1]
    mixes that share of the uniform distribution into the target.

    >>> nn.CrossEntropyLoss()(gradkit.zeros(2, 4), gradkit.tensor([0, 3]))
    tensor(1.3863)
    """

    function = staticmethod(F.cross_entropy)

    def __init__(
        self, weight: Tensor | None = None, *, ignore_index: int = -100, reduction: str = "mean", label_smoothing: float = 0.0
    ) -> None:
        super().__init__(weight=weight, ignore_index=ignore_index, label_smoothing=label_smoothing, reduction=reduction)


class NLLLoss(_Loss):
    """Minus the log-probability (N, C, ...) or (C,) of the target class (N, ...) or (); after `nn.LogSoftmax`.

    >>> nn.NLLLoss()(gradkit.tensor([[-0.5, -1.0]]), gradkit.tensor([1]))
    tensor(1.)
    """

    function = staticmethod(F.nll_loss)

    def __init__(self, weight: Tensor | None = None, *, ignore_index: int = -100, reduction: str = "mean") -> None:
        super().__init__(weight=weight, ignore_index=ignore_index, reduction=reduction)


class BCELoss(_WeightedLoss):
    """Binary cross-entropy of probabilities in [0, 1]; its logarithms are cut off at -100, as in PyTorch.

    >>> nn.BCELoss()(gradkit.tensor([0.5]), gradkit.tensor([1.0]))
    tensor(0.6931)
    """

    function = staticmethod(F.binary_cross_entropy)


class BCEWithLogitsLoss(_Loss):
    """Binary cross-entropy of the sigmoid of logits, without its loss of precision; ``pos_weight`` weighs target 1.

    >>> nn.BCEWithLogitsLoss()(gradkit.tensor([0.0]), gradkit.tensor([1.0]))
    tensor(0.6931)
    """

    function = staticmethod(F.binary_cross_entropy_with_logits)

    def __init__(self, weight: Tensor | None = None, *, reduction: str = "mean", pos_weight: Tensor | None = None) -> None:
        super().__init__(weight=weight, pos_weight=pos_weight, reduction=reduction)


class KLDivLoss(_Loss):
    """``target * (log(target) - input)``, input being log-probabilities; "batchmean" divides the sum by the first extent.

    With ``log_target`` the target is given as logarithms too. Kullback and Leibler (1951).

    >>> nn.KLDivLoss(reduction="batchmean")(gradkit.tensor([[0.5, 0.5]]).log(), gradkit.tensor([[1.0, 0.0]]))
    tensor(0.6931)
    """

    function = staticmethod(F.kl_div)

    def __init__(self, *, reduction: str = "mean", log_target: bool = False) -> None:
        super().__init__(log_target=log_target, reduction=reduction)


class PoissonNLLLoss(_Loss):
    """Minus the log-likelihood of counts under Poisson distributions whose (logarithmic) means are given.

    ``exp(input) - target * input`` with ``log_input``, else ``input - target * log(input + eps)``; ``full`` adds Stirling's
    approximation of the logarithm of the factorial.

    >>> nn.PoissonNLLLoss()(gradkit.tensor([0.0]), gradkit.tensor([3.0]))
    tensor(1.)
    """

    function = staticmethod(F.poisson_nll_loss)

    def __init__(self, log_input: bool = True, full: bool = False, *, eps: float = 1e-8, reduction: str = "mean") -> None:
        super().__init__(log_input=log_input, full=full, eps=eps, reduction=reduction)

    def forward(self, log_input: Tensor, target: Tensor) -> Any:
        return super().forward(log_input, target)


class GaussianNLLLoss(_Loss):
    """``(log(max(var, eps)) + (input - target)**2 / max(var, eps)) / 2``; ``full`` adds ``log(2 pi) / 2``.

    Called with input, target and var. Nix and Weigend (1994).

    >>> nn.GaussianNLLLoss()(gradkit.zeros(2), gradkit.tensor([1.0, 3.0]), gradkit.ones(2))
    tensor(2.5000)
    """

    function = staticmethod(F.gaussian_nll_loss)

    def __init__(self, *, full: bool = False, eps: float = 1e-6, reduction: str = "mean") -> None:
        super().__init__(full=full, eps=eps, reduction=reduction)


class SoftMarginLoss(_ReducedLoss):
    """``log(1 + exp(-target * input))``, targets being 1 and -1.

    >>> nn.SoftMarginLoss()(gradkit.tensor([0.0]), gradkit.tensor([1.0]))
    tensor(0.6931)
    """

    function = staticmethod(F.soft_margin_loss)


class MultiLabelSoftMarginLoss(_WeightedLoss):
    """Binary cross-entropy of logits (N, C), averaged over the classes.

    >>> nn.MultiLabelSoftMarginLoss()(gradkit.zeros(1, 2), gradkit.tensor([[1.0, 0.0]]))
    tensor(0.6931)
    """

    function = staticmethod(F.multilabel_soft_margin_loss)


class CTCLoss(_Loss):
    """Minus the log-likelihood of label sequences, summed over all ways to align them with the input.

    Called with log-probabilities (T, N, C), targets (N, S) or one after the other, input lengths and target lengths (N,).
    Graves et al., "Connectionist temporal classification" (2006).

    >>> nn.CTCLoss()(gradkit.full((2, 1, 2), 0.5).log(), gradkit.tensor([[1]]), [2], [1]).exp()
    tensor(1.3333)
    """

    function = staticmethod(F.ctc_loss)

    def __init__(self, blank: int = 0, reduction: str = "mean", zero_infinity: bool = False) -> None:
        super().__init__(blank=blank, zero_infinity=zero_infinity, reduction=reduction)
