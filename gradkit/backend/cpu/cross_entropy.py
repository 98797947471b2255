"""Cross-entropy of logits with class indices, forward and backward, without an array of log-probabilities.

Backward takes the exponentials a second time: they cost what writing and reading them would, and no memory. At the sizes
of a training step the number of calls decides, so that there are few of them.
"""

from functools import lru_cache
from typing import Any

import numpy as np

from gradkit.backend.cpu import Array
from gradkit.backend.cpu.normalization import BLOCK
from gradkit.backend.cpu.reduce import ones

# Sums of exp(x) that neither overflow nor have lost terms that count: their shares need no shift by the maximum.
LOWEST, HIGHEST = 0.1, 1e30


@lru_cache(maxsize=64)
def numbers(n: int) -> Array:
    return np.arange(n)


def served(x: Array, target: Array, rank: int) -> bool:
    return rank == x.ndim == 2 and target.ndim == 1 and x.dtype.kind == "f" and x.dtype != np.float16 and x.size > 0


def cross_entropy_forward(x: Array, target: Array, *, axis: int, rank: int, ignore_index: int | None, reduction: str) -> Array:
    """``log(sum(exp(x))) - x[target]`` for each row; 0, and not counted, where the target is `ignore_index`."""
    if not served(x, target, rank):
        return NotImplemented
    count = number = len(x)
    if ignore_index is not None:
        counted = target != ignore_index
        number, target = np.count_nonzero(counted), np.where(counted, target, 0)
    step = max(1, BLOCK // x.shape[1])
    parts = [losses_of_rows(x[i : i + step], target[i : i + step]) for i in range(0, count, step)]
    losses = parts[0] if len(parts) == 1 else np.concatenate(parts)
    if number != count:
        losses = np.where(counted, losses, 0)
    if reduction == "none":
        return losses
    total = np.add.reduce(losses)
    return total if reduction == "sum" else total / x.dtype.type(number)


def losses_of_rows(x: Array, target: Array) -> Array:
    e = x - np.maximum.reduce(x, 1, None, None, True)
    chosen = e[numbers(len(e)), target]  # exact, so that a loss near 0 has its digits
    np.exp(e, e)
    sums = np.add.reduce(e, 1)
    losses = np.log(sums, sums)
    losses -= chosen
    return losses


def cross_entropy_vjp(
    d: Array, x: Array, target: Array, *, axis: int, rank: int, ignore_index: int | None, reduction: str
) -> Array:
    """``d * (softmax(x) - one_hot(target))``, the rows that are ignored 0."""
    if not served(x, target, rank):
        return NotImplemented
    count = number = len(x)
    if ignore_index is not None:
        counted = target != ignore_index
        number, target = np.count_nonzero(counted), np.where(counted, target, 0)
    weight = d / x.dtype.type(max(number, 1)) if reduction == "mean" else d
    if number != count:
        weight = np.where(counted, weight, x.dtype.type(0))
    x_ct = np.empty(x.shape, x.dtype)
    step = max(1, BLOCK // x.shape[1])
    for i in range(0, count, step):
        part = slice(i, i + step)
        shares = weight[part] if np.ndim(weight) else weight
        shares_of_rows(x[part], shares, x_ct[part])
    x_ct[numbers(count), target] -= weight
    return x_ct


def shares_of_rows(x: Array, weight: Any, out: Array) -> None:
    np.exp(x, out)
    sums = out.dot(ones(x.shape[1], x.dtype))
    if not (np.minimum.reduce(sums) >= LOWEST and np.maximum.reduce(sums) <= HIGHEST):
        np.subtract(x, np.maximum.reduce(x, 1, None, None, True), out)
        np.exp(out, out)
        sums = out.dot(ones(x.shape[1], x.dtype))
    np.divide(weight, sums, sums)
    out *= sums[:, None]
