"""Losses of classification. Names and arguments are those of torch.nn.functional."""

from typing import Any

import numpy as np

from gradkit import errors
from gradkit.backend.numpy import on_host
from gradkit.engine.dtypes import is_floating
from gradkit.engine.tensor import Tensor
from gradkit.ops.losses import check_reduction, reduced
from gradkit.ops.normalization import log_softmax
from gradkit.ops.reducing import sum as total
from gradkit.primitives import elementwise as rows, losses as loss_rows
from gradkit.primitives.indexing import index
from gradkit.primitives.piecewise import where
from gradkit.primitives.selection import gather
from gradkit.primitives.shape import extents, reshape

__all__ = ["binary_cross_entropy_with_logits"]


# -- several classes
def cross_entropy(
    input: Tensor, target: Tensor, weight: Tensor | None = None, *, ignore_index: int = -100, reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Tensor:
    """The cross-entropy of logits with target classes: ``-log(softmax(input)[target])``, reduced.

    `input` is (C,), (N, C) or (N, C, d1, ...). `target` is the class indices, (), (N,) or (N, d1, ...), int64 or uint8;
    or class probabilities of the shape of `input`. `weight` (C,) weighs the classes; targets equal to `ignore_index` do
    not count; "mean" divides by the weight of what counts. `label_smoothing` mixes that share of the uniform
    distribution into the target (Szegedy et al. 2016). "none" gives the shape of the class indices.

    IndexError for a class that is none, RuntimeError for a target of another dtype, a weight of another shape or a
    smoothing outside [0, 1], ValueError for another `reduction` or if batch sizes differ.

    >>> F.cross_entropy(gradkit.zeros(2, 4), gradkit.tensor([0, 3]))
    tensor(1.3863)
    """
    check_reduction(reduction)
    shape = extents(input)
    if extents(target) == shape:
        return _with_probabilities(input, target, weight, ignore_index, reduction, label_smoothing)
    target, everything = _checked_classes(shape, target, ignore_index)
    _check_logits("cross_entropy", input)
    if weight is None and not label_smoothing:
        rank, ignored = len(shape), None if everything else ignore_index
        return loss_rows.cross_entropy(
            input, target, axis=-max(rank - 1, 1), rank=rank, ignore_index=ignored, reduction=reduction
        )
    _check_smoothing(label_smoothing)
    log_p = log_softmax(input, min(1, len(shape) - 1))
    hard = nll_loss(log_p, target, weight, ignore_index=ignore_index, reduction=reduction)
    if not label_smoothing:
        return hard
    soft = _smoothed(log_p, target, weight, ignore_index, reduction)
    return (1 - label_smoothing) * hard + (label_smoothing / shape[min(1, len(shape) - 1)]) * soft


def _with_probabilities(
    input: Tensor, target: Tensor, weight: Tensor | None, ignore_index: int, reduction: str, smoothing: float
) -> Tensor:
    shape = extents(input)
    if not is_floating(target.dtype):
        raise RuntimeError(f"Expected floating point type for target with class probabilities, got {target.dtype.name}")
    if ignore_index >= 0:
        raise RuntimeError("ignore_index is not supported for floating point target")
    _check_smoothing(smoothing)
    at = min(1, len(shape) - 1)
    classes = shape[at]
    if smoothing:
        target = target * (1 - smoothing) + smoothing / classes
    product = log_softmax(input, at) * target
    if weight is not None:
        product = product * _over_classes(weight, classes, len(shape))
    losses = -total(product, dim=at)
    if reduction == "mean":
        return total(losses) / max(losses.numel(), 1)
    return reduced(losses, reduction)


def nll_loss(
    input: Tensor, target: Tensor, weight: Tensor | None = None, *, ignore_index: int = -100, reduction: str = "mean"
) -> Tensor:
    """Minus the log-probability of the target class: ``-weight[target] * input[target]``, reduced.

    Shapes, dtypes and errors as for `cross_entropy` with class indices.

    >>> F.nll_loss(gradkit.tensor([[-0.5, -1.0]]), gradkit.tensor([1]))
    tensor(1.)
    """
    check_reduction(reduction)
    shape = extents(input)
    target, _ = _checked_classes(shape, target, ignore_index)
    _check_logits("nll_loss", input)
    counted = target != ignore_index
    classes = where(counted, target, 0)
    scale = counted.to(input.dtype)
    if weight is not None:
        _over_classes(weight, shape[min(1, len(shape) - 1)], 1)
        scale = scale * _of_class(weight, classes)
    losses = -_at_class(input, classes) * scale
    if reduction == "mean":
        return total(losses) / total(scale)
    return reduced(losses, reduction)


def _smoothed(log_p: Tensor, target: Tensor, weight: Tensor | None, ignore_index: int, reduction: str) -> Tensor:
    """The loss against the uniform distribution, times the number of classes."""
    shape = extents(log_p)
    at = min(1, len(shape) - 1)
    counted = target != ignore_index
    scale = counted.to(log_p.dtype)
    weighed = log_p if weight is None else log_p * _over_classes(weight, shape[at], len(shape))
    losses = -total(weighed, dim=at) * scale
    if reduction != "mean":
        return reduced(losses, reduction)
    if weight is not None:
        scale = scale * _of_class(weight, where(counted, target, 0))
    return total(losses) / total(scale)


def _check_logits(name: str, input: Tensor) -> None:
    if not is_floating(input.dtype):
        raise errors.not_implemented(name, input.dtype)


def _check_smoothing(smoothing: float) -> None:
    if not 0 <= smoothing <= 1:
        raise RuntimeError(f"label_smoothing must be between 0.0 and 1.0. Got: {smoothing}")


def _over_classes(weight: Tensor, classes: int, rank: int) -> Tensor:
    if extents(weight) != (classes,):
        raise RuntimeError(
            f"weight tensor should be defined either for all {classes} classes or no classes but got weight tensor of "
            f"shape: {list(extents(weight))}"
        )
    return weight if rank <= 2 else reshape(weight, (classes, *(1,) * (rank - 2)))


def _of_class(weight: Tensor, classes: Tensor) -> Tensor:
    return index(weight, classes, lead=0)


def _at_class(x: Tensor, classes: Tensor) -> Tensor:
    shape = extents(classes)
    beside = (*shape[:1], 1, *shape[1:]) if x.ndim > 1 else (1,)
    return reshape(gather(x, reshape(classes, beside), axis=-max(x.ndim - 1, 1)), shape)


def _checked_classes(shape: tuple[int, ...], target: Tensor, ignore_index: int) -> tuple[Tensor, bool]:
    """Class indices as int64, if they are what goes with logits of `shape`; and whether all of them count."""
    mine, kind = extents(target), target.dtype
    if mine != (*shape[:1], *shape[2:]) or len(shape) < 2:
        _check_shapes(shape, mine)
    if kind != np.int64 and kind != np.uint8:
        raise RuntimeError(
            f"expected target dtype to be int64 or uint8, but got {kind.name} of shape {mine}; class probabilities have "
            f"the shape of the input, {shape}"
        )
    raw = target.array
    everything = False
    if raw.size and on_host(raw):
        everything = _check_bounds(raw, shape[min(1, len(shape) - 1)], ignore_index)
    return target if kind == np.int64 else target.to(np.int64), everything


def _check_shapes(shape: tuple[int, ...], mine: tuple[int, ...]) -> None:
    if not shape:
        raise ValueError("Expected 1 or more dimensions (got 0)")
    if len(shape) == 1:
        if mine:
            raise ValueError(f"For 1D input, 1D target must have size 1, but got target size: {mine[0]}; pass a 0-d target")
        return
    if not mine or mine[0] != shape[0]:
        raise ValueError(f"Expected input batch_size ({shape[0]}) to match target batch_size ({mine[0] if mine else 'none'}).")
    raise RuntimeError(
        f"size mismatch: input of shape {list(shape)} goes with a target of {[*shape[:1], *shape[2:]]}, got {list(mine)}"
    )


def _check_bounds(target: Any, classes: int, ignore_index: int) -> bool:
    """Whether no target is `ignore_index`, as far as one pass tells; IndexError for a class that is none.

    Read as unsigned, a negative index is a great one: the pass finds both ends.
    """
    unsigned = target.view(np.uint64) if target.dtype == np.int64 else target
    if np.maximum.reduce(unsigned, None) < classes:
        return not 0 <= ignore_index < classes
    counted = np.atleast_1d(target)[np.atleast_1d(target != ignore_index)]
    wrong = counted[(counted < 0) | (counted >= classes)]
    if wrong.size:
        raise IndexError(f"Target {wrong[0]} is out of bounds: there are {classes} classes.")
    return False


# -- two classes
def binary_cross_entropy(input: Tensor, target: Tensor, weight: Tensor | None = None, *, reduction: str = "mean") -> Tensor:
    """``-(target * log(input) + (1 - target) * log(1 - input))`` of probabilities, reduced.

    The logarithms are cut off at -100, so that the loss is finite at 0 and 1. `weight` broadcasts. RuntimeError for
    an input outside [0, 1] or operands of different dtypes, ValueError if shapes differ or for another `reduction`.

    >>> F.binary_cross_entropy(gradkit.tensor([0.5, 1.0]), gradkit.tensor([1.0, 1.0]))
    tensor(0.3466)
    """
    check_reduction(reduction)
    if extents(input) != extents(target):
        raise ValueError(
            f"Using a target size {tuple(target.shape)} that is different to the input size {tuple(input.shape)} is "
            "not allowed. Please ensure they have the same size."
        )
    if input.dtype != target.dtype:
        raise RuntimeError(f"Found dtype {target.dtype.name} but expected {input.dtype.name}; convert with .to(input.dtype)")
    raw = input.array
    if on_host(raw) and not bool(((raw >= 0) & (raw <= 1)).all()):
        raise RuntimeError("all elements of input should be between 0 and 1")
    losses = loss_rows.binary_cross_entropy(input, target)
    return reduced(losses if weight is None else losses * weight, reduction)


def binary_cross_entropy_with_logits(
    input: Tensor, target: Tensor, weight: Tensor | None = None, *, reduction: str = "mean", pos_weight: Tensor | None = None
) -> Tensor:
    """The binary cross-entropy of ``sigmoid(input)``, in a form that neither over- nor underflows; reduced.

    `weight` and `pos_weight`, which weighs the part of target 1, broadcast. Gradients flow to `target` as well.
    ValueError if shapes differ or for another `reduction`, RuntimeError for a target of integers.

    >>> gradkit.binary_cross_entropy_with_logits(gradkit.tensor([0.0, 100.0]), gradkit.tensor([1.0, 0.0]), reduction="none")
    tensor([  0.6931, 100.0000])
    """
    check_reduction(reduction)
    if extents(input) != extents(target):
        raise ValueError(f"Target size ({tuple(target.shape)}) must be the same as input size ({tuple(input.shape)})")
    _check_logits("binary_cross_entropy_with_logits", input)
    if not is_floating(target.dtype):
        raise RuntimeError(f"the target must be floating, got {target.dtype.name}; convert with .to(input.dtype)")
    if pos_weight is None:
        losses = loss_rows.binary_cross_entropy_with_logits(input, target)
    else:
        positive = rows.mul(pos_weight - 1, target) + 1
        losses = (1 - target) * input + positive * loss_rows.binary_cross_entropy_with_logits(input, 1.0)
    return reduced(losses if weight is None else losses * weight, reduction)
