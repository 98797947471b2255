"""Cross-entropy of logits with class indices, forward and backward, without an array of log-probabilities.

Backward takes the exponentials a second time: they cost what writing and reading them would, and no memory. A block of
rows is first tried without subtracting each row's maximum, which is as accurate where the sums of its exponentials lie
in a safe range, and saves two passes.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradkit.backend.cpu.normalization import BLOCK

Array = NDArray[Any]


# Sums of exponentials that have lost nothing to underflow; whose logarithm has no larger rounding error than usual.
LOWEST, HIGHEST = 0.1, 1e6


def served(x: Array, target: Array, rank: int) -> bool:
    """Whether logits are plain rows, in a dtype that BLAS knows."""
    return rank == x.ndim == 2 and target.ndim == 1 and x.dtype.kind == "f" and x.dtype != np.float16 and x.size > 0


def exponentials(block: Array, ones: Array, out: Array) -> tuple[Array, Array | None]:
    """``exp(block - top)`` in `out`; its row sums; and the greatest element of each row as `top`, or None for 0."""
    np.exp(block, out=out)
    sums = out.dot(ones)
    if np.minimum.reduce(sums) >= LOWEST and np.maximum.reduce(sums) <= HIGHEST:
        return sums, None
    top = np.maximum.reduce(block, 1, None, None, True)
    np.subtract(block, top, out=out)
    np.exp(out, out=out)
    return out.dot(ones), top


@np.errstate(all="ignore")
def cross_entropy_forward(
    x: Array, target: Array, *, axis: int, rank: int, ignore_index: int, reduction: str
) -> Array:
    """``log(sum(exp(x))) - x[target]`` for each row; 0, and not counted, where the target is `ignore_index`."""
    if not served(x, target, rank):
        return NotImplemented
    count, width = x.shape
    losses = np.empty(count, x.dtype)
    step, ones = max(1, BLOCK // width), np.ones(width, x.dtype)
    scratch = np.empty((min(step, count), width), x.dtype)
    for i in range(0, count, step):
        block, out = x[i : i + step], losses[i : i + step]
        sums, top = exponentials(block, ones, scratch[: len(block)])
        np.log(sums, out=out)
        if top is not None:
            out += top[:, 0]
    counted = target != ignore_index
    everything = np.count_nonzero(counted) == count
    losses -= x[np.arange(count), target if everything else np.where(counted, target, 0)]
    if not everything:
        losses = np.where(counted, losses, 0)
    if reduction == "none":
        return losses
    total = np.add.reduce(losses)
    return total if reduction == "sum" else total / x.dtype.type(np.count_nonzero(counted))


def cross_entropy_vjp(
    d: Array, x: Array, target: Array, *, axis: int, rank: int, ignore_index: int, reduction: str
) -> Array:
    """``d * (softmax(x) - one_hot(target))``, the rows that are ignored 0."""
    if not served(x, target, rank):
        return NotImplemented
    count, width = x.shape
    counted = target != ignore_index
    number = np.count_nonzero(counted)
    weight = np.empty(count, x.dtype)
    weight[...] = d / x.dtype.type(max(number, 1)) if reduction == "mean" else d
    if number != count:
        weight[~counted] = 0
        target = np.where(counted, target, 0)
    x_ct = np.empty_like(x)
    step, ones = max(1, BLOCK // width), np.ones(width, x.dtype)
    for i in range(0, count, step):
        block, out = x[i : i + step], x_ct[i : i + step]
        sums, _ = exponentials(block, ones, out)
        out *= (weight[i : i + step] / sums)[:, None]
    x_ct[np.arange(count), target] -= weight
    return x_ct
