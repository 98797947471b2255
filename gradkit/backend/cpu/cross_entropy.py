"""Cross-entropy of logits with class indices, forward and backward, without an array of log-probabilities.

Backward takes the exponentials a second time: they cost what writing and reading them would, and no memory.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradkit.backend.cpu.normalization import BLOCK

Array = NDArray[Any]

# Sums of exp(x) that neither overflow nor have lost terms that count: their shares need no shift by the maximum.
LOWEST, HIGHEST = 0.1, 1e30


def served(x: Array, target: Array, rank: int) -> bool:
    """Whether logits are plain rows, in a dtype that BLAS knows."""
    return rank == x.ndim == 2 and target.ndim == 1 and x.dtype.kind == "f" and x.dtype != np.float16 and x.size > 0


@np.errstate(all="ignore")
def cross_entropy_forward(
    x: Array, target: Array, *, axis: int, rank: int, ignore_index: int, reduction: str
) -> Array:
    """``log(sum(exp(x))) - x[target]`` for each row; 0, and not counted, where the target is `ignore_index`."""
    if not served(x, target, rank):
        return NotImplemented
    count, width = x.shape
    counted = target != ignore_index
    number = np.count_nonzero(counted)
    classes = target if number == count else np.where(counted, target, 0)
    losses, tops = np.empty((2, count), x.dtype)
    step, ones = max(1, BLOCK // width), np.ones(width, x.dtype)
    scratch = np.empty((min(step, count), width), x.dtype)
    for i in range(0, count, step):
        block, top = x[i : i + step], tops[i : i + step]
        np.maximum.reduce(block, 1, None, top)
        e = np.subtract(block, top[:, None], out=scratch[: len(block)])
        np.exp(e, out=e)
        np.dot(e, ones, out=losses[i : i + step])
    np.log(losses, out=losses)
    losses += tops - x[np.arange(count), classes]  # exact where the target has most of the weight
    if number != count:
        losses = np.where(counted, losses, 0)
    if reduction == "none":
        return losses
    total = np.add.reduce(losses)
    return total if reduction == "sum" else total / x.dtype.type(number)


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
    x_ct = np.empty(x.shape, x.dtype)
    step, ones = max(1, BLOCK // width), np.ones(width, x.dtype)
    for i in range(0, count, step):
        block, out = x[i : i + step], x_ct[i : i + step]
        np.exp(block, out=out)
        sums = out.dot(ones)
        if not (np.minimum.reduce(sums) >= LOWEST and np.maximum.reduce(sums) <= HIGHEST):
            np.subtract(block, np.maximum.reduce(block, 1, None, None, True), out=out)
            np.exp(out, out=out)
            sums = out.dot(ones)
        out *= (weight[i : i + step] / sums)[:, None]
    x_ct[np.arange(count), target] -= weight
    return x_ct
