"""Losses of classes that should win, or lose, by a margin. Names and arguments are those of torch.nn.functional."""

from collections.abc import Callable

import numpy as np

from gradkit.backend.protocol import beside
from gradkit.engine.operands import on_one_device
from gradkit.engine.tensor import Tensor, wrap
from gradkit.ops.activation import logsigmoid
from gradkit.ops.distance import pairwise_distance
from gradkit.ops.gathering import gather
from gradkit.ops.losses import check_reduction, reduced
from gradkit.ops.reducing import mean, sum as total
from gradkit.primitives.piecewise import clamp, minimum
from gradkit.primitives.shape import extents

__all__: list[str] = []


def multi_margin_loss(
    input: Tensor, target: Tensor, p: int = 1, margin: float = 1.0, weight: Tensor | None = None, *, reduction: str = "mean"
) -> Tensor:
    """``sum over j != y of max(0, margin - x[y] + x[j])**p / C``, y the target class; reduced over the samples.

    `input` is (N, C) or (C,), `target` (N,) or 0-d, `weight` (C,) weighs each sample by its target class. ValueError
    for a `p` that is neither 1 nor 2 and another `reduction`, RuntimeError for other shapes.

    >>> F.multi_margin_loss(gradkit.tensor([0.5, 1.0, 0.0]), gradkit.tensor(1))
    tensor(0.1667)
    """
    check_reduction(reduction)
    if p not in (1, 2):
        raise ValueError(f"only p == 1 and p == 2 supported, got {p}")
    shape = extents(input)
    if len(shape) not in (1, 2) or extents(target) not in (shape[:-1], (*shape[:-1], *[1] * (len(shape) == 1))):
        raise RuntimeError(
            f"inconsistent target size: {list(extents(target))} for an input of size {list(shape)}; expected {list(shape[:-1])}"
        )
    if weight is not None and extents(weight) != shape[-1:]:
        raise RuntimeError(f"inconsistent weight size: expected {list(shape[-1:])}, got {list(extents(weight))}")
    labels = target.reshape(shape[:-1]).unsqueeze(-1)
    losses = clamp(margin - gather(input, -1, labels) + input, min=0, max=None)
    if p == 2:
        losses = losses * losses
    if weight is not None:
        losses = losses * weight[labels]
    return reduced(total(losses * _others(labels, shape[-1]), dim=-1) / shape[-1], reduction)


@on_one_device
def _others(labels: Tensor, classes: int) -> Tensor:
    """1 for each class but the target."""
    return wrap((beside(labels.array, "arange", classes) != labels.array).astype(np.float32), batch=labels.batch)


@on_one_device
def multilabel_margin_loss(input: Tensor, target: Tensor, *, reduction: str = "mean") -> Tensor:
    """``sum over targets y and other classes j of max(0, 1 - x[y] + x[j]) / C``; reduced over the samples.

    `input` and `target` are (N, C) or (C,); the targets of a sample are its entries up to the first -1. RuntimeError for
    other shapes, ValueError for another `reduction`.

    >>> F.multilabel_margin_loss(gradkit.tensor([0.1, 0.2, 0.4, 0.8]), gradkit.tensor([3, 0, -1, 1]))
    tensor(0.8500)
    """
    check_reduction(reduction)
    shape = extents(input)
    if len(shape) not in (1, 2) or extents(target) != shape:
        raise RuntimeError(f"inconsistent target size: {list(extents(target))} for an input of size {list(shape)}")
    raw = target.array
    given = (raw >= 0).cumprod(-1).astype(bool)
    labels = given * raw
    is_target = (given[..., None] & (labels[..., None] == beside(raw, "arange", shape[-1]))).any(-2)
    pairs = wrap((given[..., :, None] & ~is_target[..., None, :]).astype(input.dtype), batch=target.batch)
    chosen = gather(input, -1, wrap(labels, batch=target.batch))
    losses = clamp(1 - chosen.unsqueeze(-1) + input.unsqueeze(-2), min=0, max=None) * pairs
    return reduced(total(losses, dim=(-2, -1)) / shape[-1], reduction)


def multilabel_soft_margin_loss(
    input: Tensor, target: Tensor, weight: Tensor | None = None, *, reduction: str = "mean"
) -> Tensor:
    """Binary cross-entropy of the logits (N, C) or (C,), averaged over the classes, then reduced.

    `target` has the shape of `input`, `weight` broadcasts against it. ValueError for another `reduction`.

    >>> F.multilabel_soft_margin_loss(gradkit.zeros(1, 3), gradkit.tensor([[1.0, 0.0, 1.0]]))
    tensor(0.6931)
    """
    check_reduction(reduction)
    losses = -(target * logsigmoid(input) + (1 - target) * logsigmoid(-input))
    return reduced(mean(losses if weight is None else losses * weight, dim=-1), reduction)


def triplet_margin_loss(
    anchor: Tensor, positive: Tensor, negative: Tensor, margin: float = 1.0, p: float = 2, eps: float = 1e-6,
    swap: bool = False, *, reduction: str = "mean",
) -> Tensor:
    """``max(0, margin + d(anchor, positive) - d(anchor, negative))``, d the p-norm of the difference; reduced.

    Vectors run along the last axis; shapes broadcast. With `swap` the distance from positive to negative counts where it
    is less than that from the anchor (Balntas et al. 2016). ValueError for a margin that is not positive or
    another `reduction`, RuntimeError for different numbers of axes.

    >>> F.triplet_margin_loss(gradkit.zeros(1, 2), gradkit.zeros(1, 2), gradkit.tensor([[0.0, 0.5]]))
    tensor(0.5000)
    """
    return triplet_margin_with_distance_loss(
        anchor, positive, negative, distance_function=lambda a, b: pairwise_distance(a, b, p, eps), margin=margin,
        swap=swap, reduction=reduction,
    )


def triplet_margin_with_distance_loss(
    anchor: Tensor, positive: Tensor, negative: Tensor, *,
    distance_function: Callable[[Tensor, Tensor], Tensor] | None = None, margin: float = 1.0, swap: bool = False,
    reduction: str = "mean",
) -> Tensor:
    """`triplet_margin_loss` with a distance of one's own, a function of two tensors; by default the Euclidean one.

    ValueError for a margin that is not positive and another `reduction`, RuntimeError for different numbers of axes.

    >>> x, y = gradkit.zeros(1, 2), gradkit.ones(1, 2)
    >>> F.triplet_margin_with_distance_loss(x, x, y, distance_function=lambda a, b: (a - b).abs().sum(-1), margin=3.0)
    tensor(1.)
    """
    check_reduction(reduction)
    if margin <= 0:
        raise ValueError(f"margin must be greater than 0, got {margin}")
    if not anchor.ndim == positive.ndim == negative.ndim:
        raise RuntimeError(
            "The anchor, positive, and negative tensors are expected to have the same number of dimensions, but got: "
            f"anchor {anchor.ndim}D, positive {positive.ndim}D, and negative {negative.ndim}D inputs"
        )
    distance = distance_function or pairwise_distance
    near, far = distance(anchor, positive), distance(anchor, negative)
    if swap:
        far = minimum(far, distance(positive, negative))
    return reduced(clamp(near - far + margin, min=0, max=None), reduction)
