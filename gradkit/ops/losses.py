"""Losses of regression, ranking and distance. Names and arguments are those of torch.nn.functional.

PyTorch's deprecated `size_average` and `reduce` do not exist here: what would follow them is given by name.
"""

import math
import warnings
from typing import Any

from gradkit import errors
from gradkit.backend.numpy import on_host
from gradkit.engine.tensor import Tensor
from gradkit.ops.arithmetic import abs as absolute
from gradkit.ops.reducing import mean, sum as total
from gradkit.ops.shaping import broadcast_tensors
from gradkit.primitives import elementwise as rows
from gradkit.primitives.piecewise import clamp, where
from gradkit.primitives.shape import astype

__all__: list[str] = []


def reduced(losses: Tensor, reduction: str) -> Tensor:
    """The mean or sum of all losses, or (none) the losses themselves; ValueError for another word."""
    if reduction == "mean":
        return mean(losses)
    if reduction == "sum":
        return total(losses)
    check_reduction(reduction)
    return losses


def check_reduction(reduction: str, *more: str) -> None:
    if reduction not in ("none", "mean", "sum", *more):
        raise ValueError(f"{reduction} is not a valid value for reduction: choose none, mean or sum")


def weighted(losses: Tensor, weight: Tensor | None, reduction: str) -> Tensor:
    """The losses times `weight`, reduced; their mean is that of the weights' distribution."""
    if weight is None:
        return reduced(losses, reduction)
    check_weight(weight, losses)
    if reduction == "mean":
        return total(losses * weight) / total(weight)
    return reduced(losses * weight, reduction)


def check_weight(weight: Tensor, losses: Tensor) -> None:
    if weight.shape != losses.shape:
        raise ValueError(
            f"Weights and input must have the same size, got weights of {tuple(weight.shape)} for {tuple(losses.shape)}"
        )


def difference(name: str, input: Tensor, target: Tensor) -> Tensor:
    """``input - target``, with PyTorch's warning where their shapes differ."""
    if input.shape != target.shape:
        warnings.warn(
            f"{name}: using a target size {tuple(target.shape)} that is different to the input size "
            f"{tuple(input.shape)}. This will likely lead to incorrect results due to broadcasting. Please ensure they "
            "have the same size.",
            UserWarning,
            stacklevel=3,
        )
        input, target = broadcast_tensors(input, target)  # of no axes, they would promote otherwise
    return input - target


# -- regression
def mse_loss(input: Tensor, target: Tensor, *, reduction: str = "mean", weight: Tensor | None = None) -> Tensor:
    """``(input - target) ** 2``, reduced: "none" gives the shape of the operands, "mean" and "sum" a 0-d tensor.

    `weight`, of the operands' shape, weighs the elements; "mean" then divides by its sum. Shapes that differ broadcast,
    with a UserWarning. NotImplementedError for integers, ValueError for another `reduction` or a `weight` of
    another shape.

    >>> F.mse_loss(gradkit.tensor([1.0, 3.0]), gradkit.tensor([1.0, 1.0]))
    tensor(2.)
    """
    d = difference("mse_loss", input, target)
    if d.dtype.kind not in "fV":
        raise errors.not_implemented("mse_loss", d.dtype)
    return weighted(rows.square(d), weight, reduction)


def l1_loss(input: Tensor, target: Tensor, *, reduction: str = "mean", weight: Tensor | None = None) -> Tensor:
    """``abs(input - target)``, reduced: "none" gives the shape of the operands, "mean" and "sum" a 0-d tensor.

    `weight` and errors as for `mse_loss`, but integers are taken.

    >>> F.l1_loss(gradkit.tensor([1.0, 3.0]), gradkit.tensor([1.0, 1.0]))
    tensor(1.)
    """
    return weighted(absolute(difference("l1_loss", input, target)), weight, reduction)


def smooth_l1_loss(input: Tensor, target: Tensor, *, reduction: str = "mean", beta: float = 1.0) -> Tensor:
    """``d**2 / (2 * beta)`` where ``d = abs(input - target) < beta``, else ``d - beta / 2``; reduced.

    With ``beta == 0`` it is `l1_loss`. Shapes that differ broadcast, with a UserWarning. RuntimeError for a
    negative `beta`, ValueError for another `reduction`. Girshick, "Fast R-CNN" (2015), equation 3.

    >>> F.smooth_l1_loss(gradkit.tensor([0.5, 3.0]), gradkit.zeros(2), reduction="none")
    tensor([0.1250, 2.5000])
    """
    if beta < 0:
        raise RuntimeError(f"smooth_l1_loss does not support negative values for beta, got {beta}")
    d = difference("smooth_l1_loss", input, target)
    far = rows.abs(d)
    if beta == 0:
        return reduced(far, reduction)
    return reduced(where(far < beta, d * d * (0.5 / beta), far - 0.5 * beta), reduction)


def _written(input: Tensor, losses: Tensor) -> Tensor:
    """Losses in the dtype of `input`, as PyTorch's kernels write them. RuntimeError if that cannot hold them."""
    if input.dtype.kind in "biu" or losses.dtype.kind == "c" != input.dtype.kind:
        raise RuntimeError(
            f"result type {losses.dtype.name} can't be cast to the desired output type {input.dtype.name}: convert the input"
        )
    return losses if losses.dtype == input.dtype else astype(losses, dtype=input.dtype)


def huber_loss(
    input: Tensor, target: Tensor, reduction: str = "mean", delta: float = 1.0, weight: Tensor | None = None
) -> Tensor:
    """``d**2 / 2`` where ``d = abs(input - target) <= delta``, else ``delta * (d - delta / 2)``; reduced.

    `weight`, of the operands' shape, weighs the elements; "mean" divides by their number all the same. Shapes that differ
    broadcast, with a UserWarning; the dtype is that of `input`. RuntimeError for integers there and a `delta` that is not
    positive, ValueError for another `reduction` or a `weight` of another shape. Huber, "Robust estimation of a location
    parameter" (1964).

    >>> F.huber_loss(gradkit.tensor([0.5, 3.0]), gradkit.zeros(2), reduction="none", delta=2.0)
    tensor([0.1250, 4.0000])
    """
    if delta <= 0:
        raise RuntimeError(f"huber_loss does not support non-positive values for delta, got {delta}")
    d = difference("huber_loss", input, target)
    far = rows.abs(d)
    losses = _written(input, where(far <= delta, d * d * 0.5, delta * (far - 0.5 * delta)))
    if weight is None:
        return reduced(losses, reduction)
    check_weight(weight, losses)
    return reduced(losses * weight, reduction)


def poisson_nll_loss(
    input: Tensor, target: Tensor, log_input: bool = True, full: bool = False, *, eps: float = 1e-8, reduction: str = "mean"
) -> Tensor:
    """Minus the log-likelihood of counts `target` under Poisson distributions; shapes broadcast.

    `input` is the logarithm of the rate (``exp(input) - target * input``), or with ``log_input=False`` the rate itself
    (``input - target * log(input + eps)``). `full` adds Stirling's formula for ``log(target!)`` where ``target > 1``.
    ValueError for another `reduction`.

    >>> F.poisson_nll_loss(gradkit.zeros(2), gradkit.tensor([1.0, 2.0]))
    tensor(1.)
    """
    check_reduction(reduction)
    losses = rows.exp(input) - target * input if log_input else input - target * rows.log(input + eps)
    if full:
        many = target > 1
        n = where(many, target, 1.0)
        losses = losses + where(many, n * rows.log(n) - n + 0.5 * rows.log(2 * math.pi * n), 0.0)
    return reduced(losses, reduction)


def gaussian_nll_loss(
    input: Tensor, target: Tensor, var: Any, full: bool = False, eps: float = 1e-6, reduction: str = "mean"
) -> Tensor:
    """``(log(var) + (input - target)**2 / var) / 2``: minus the log-likelihood of normal distributions.

    `var` is a number, or a tensor of the shape of `input`, of one with a last axis of extent 1 or without it. It is taken
    as `eps` where it is less, which its gradient does not see. `full` adds ``log(2 pi) / 2``. ValueError for
    another shape, a negative variance, another `reduction`. Nix and Weigend (1994).

    >>> F.gaussian_nll_loss(gradkit.zeros(2), gradkit.ones(2), gradkit.ones(2))
    tensor(0.5000)
    """
    if reduction not in ("none", "mean", "sum"):
        raise ValueError(f"{reduction} is not valid: choose none, mean or sum")
    if not isinstance(var, Tensor):
        if var < 0:
            raise ValueError("var has negative entry/entries")
        var = var + 0 * input.detach()
    var = _beside(var, input)
    if on_host(var.array) and bool((var.array < 0).any()):
        raise ValueError("var has negative entry/entries")
    held = var.detach()
    var = var + (clamp(held, min=eps, max=None) - held)
    d = input - target
    losses = 0.5 * (rows.log(var) + d * d / var)
    return reduced(losses + 0.5 * math.log(2 * math.pi) if full else losses, reduction)


def _beside(var: Tensor, input: Tensor) -> Tensor:
    """`var` in a shape that broadcasts to that of `input` along one axis at most."""
    mine, wanted = tuple(var.shape), tuple(input.shape)
    if mine == wanted[:-1] and mine != wanted:
        return var.unsqueeze(-1)
    if len(mine) != len(wanted) or [n for n, m in zip(mine, wanted) if n != m] not in ([], [1]):
        raise ValueError(f"var is of incorrect size: {mine}, for input of {wanted}")
    return var


def kl_div(input: Tensor, target: Tensor, *, reduction: str = "mean", log_target: bool = False) -> Tensor:
    """``target * (log(target) - input)``, reduced: the Kullback-Leibler divergence of log-probabilities `input`.

    Where the target is 0 so is the loss. With `log_target` the target is given as logarithms too. "batchmean" divides the
    sum by the first extent, as the definition has it; "mean" by the number of elements, with a UserWarning.
    ValueError for another `reduction`.

    >>> F.kl_div(gradkit.tensor([[0.5, 0.5]]).log(), gradkit.tensor([[0.0, 1.0]]), reduction="batchmean")
    tensor(0.6931)
    """
    check_reduction(reduction, "batchmean")
    if reduction == "mean":
        warnings.warn(
            "kl_div: reduction 'mean' divides by the number of elements; 'batchmean' divides by the batch size, as the "
            "definition of the divergence has it.",
            UserWarning,
            stacklevel=2,
        )
    losses = rows.exp(target) * (target - input) if log_target else rows.xlogy(target, target) - target * input
    if reduction == "batchmean":
        return total(losses) / (input.shape[0] if input.ndim else 1)
    return reduced(losses, reduction)


# -- ranking and embedding
def soft_margin_loss(input: Tensor, target: Tensor, *, reduction: str = "mean") -> Tensor:
    """``log(1 + exp(-target * input))`` for targets 1 and -1, reduced, in the dtype of `input`.

    RuntimeError for integers there, ValueError for another `reduction`.

    >>> F.soft_margin_loss(gradkit.zeros(2), gradkit.tensor([1.0, -1.0]))
    tensor(0.6931)
    """
    return reduced(_written(input, rows.logaddexp(-(target * input), input * 0)), reduction)


def hinge_embedding_loss(input: Tensor, target: Tensor, margin: float = 1.0, *, reduction: str = "mean") -> Tensor:
    """The distance `input` where the target is 1, ``max(0, margin - input)`` where it is -1; reduced.

    Shapes broadcast. ValueError for another `reduction`.

    >>> F.hinge_embedding_loss(gradkit.tensor([0.5, 0.5]), gradkit.tensor([1, -1]), reduction="none")
    tensor([0.5000, 0.5000])
    """
    apart = where(target != 1, clamp(margin - input, min=0, max=None), 0.0)
    return reduced(apart + where(target != -1, input, 0.0), reduction)


def margin_ranking_loss(input1: Tensor, input2: Tensor, target: Tensor, margin: float = 0, *, reduction: str = "mean") -> Tensor:
    """``max(0, margin - target * (input1 - input2))``: target 1 wants the first greater, -1 the second; reduced.

    The three have the same number of axes and broadcast. RuntimeError if they have not, ValueError for another
    `reduction`.

    >>> F.margin_ranking_loss(gradkit.tensor([1.0]), gradkit.tensor([3.0]), gradkit.tensor([1]))
    tensor(2.)
    """
    check_reduction(reduction)
    if not input1.ndim == input2.ndim == target.ndim:
        raise RuntimeError(
            "margin_ranking_loss : All input tensors should have same dimension but got sizes: input1: "
            f"{tuple(input1.shape)}, input2: {tuple(input2.shape)}, target: {tuple(target.shape)}"
        )
    return reduced(clamp(-target * (input1 - input2) + margin, min=0, max=None), reduction)


def cosine_embedding_loss(
    input1: Tensor, input2: Tensor, target: Tensor, margin: float = 0, *, reduction: str = "mean"
) -> Tensor:
    """``1 - cos`` of the angle between vectors where the target is 1, ``max(0, cos - margin)`` where it is -1; reduced.

    `input1` and `input2` are (N, D) and `target` (N,), or (D,) and 0-d. RuntimeError for other numbers of axes,
    ValueError for another `reduction`.

    >>> x = gradkit.tensor([[3.0, 4.0]])
    >>> F.cosine_embedding_loss(x, x, gradkit.tensor([-1]))
    tensor(1.)
    """
    check_reduction(reduction)
    if target.ndim > 1:
        raise RuntimeError("0D or 1D target tensor expected, multi-target not supported")
    if not input1.ndim == input2.ndim == target.ndim + 1:
        raise RuntimeError(
            f"{target.ndim}D target tensor expects {target.ndim + 1}D input tensors, but found inputs with sizes "
            f"{list(input1.shape)} and {list(input2.shape)}."
        )
    tiny = 1e-12
    squares = (total(input1 * input1, dim=-1) + tiny) * (total(input2 * input2, dim=-1) + tiny)
    cosine = total(input1 * input2, dim=-1) / rows.sqrt(squares)
    together = where(target == 1, 1 - cosine, 0.0)
    return reduced(together + where(target == -1, clamp(cosine - margin, min=0, max=None), 0.0), reduction)
