"""Connectionist temporal classification: the likelihood of a label sequence that no one has aligned with the input."""

from typing import Any

import numpy as np

from gradkit.backend.protocol import backend_of
from gradkit.engine.batching import by_sample
from gradkit.engine.device import moved
from gradkit.engine.tensor import Tensor, wrap
from gradkit.ops.joining import cat, stack
from gradkit.ops.losses import check_reduction, reduced
from gradkit.ops.reducing import logsumexp
from gradkit.primitives.piecewise import where
from gradkit.primitives.selection import gather
from gradkit.primitives.shape import extents

__all__: list[str] = []

#: The logarithm of what is impossible: a finite number, so that its differences are numbers too.
NEVER = -1e30


@by_sample("targets", "input_lengths", "target_lengths")
def ctc_loss(
    log_probs: Tensor, targets: Tensor, input_lengths: Any, target_lengths: Any, blank: int = 0,
    reduction: str = "mean", zero_infinity: bool = False,
) -> Tensor:
    """Minus the log-likelihood of label sequences, summed over all ways to write them with repeats and blanks.

    `log_probs` are (T, N, C) or (T, C), `targets` (N, S), or all sequences one after the other, with their
    `target_lengths` (N,); of each input the first `input_lengths` steps count. The "mean" is that of the losses over their
    target lengths. A target too long for its input has the loss inf, or 0 with `zero_infinity`. RuntimeError for
    lengths and a `blank` that do not fit, ValueError for another `reduction`. Graves et al. (2006).

    >>> log_probs = gradkit.full((2, 1, 2), 0.5).log()
    >>> F.ctc_loss(log_probs, gradkit.tensor([[1]]), [2], [1]).exp()
    tensor(1.3333)
    """
    check_reduction(reduction)
    single = log_probs.ndim == 2
    x = log_probs.unsqueeze(1) if single else log_probs
    steps, count, classes = extents(x)
    lengths, sizes = _lengths(input_lengths, count, "input_lengths"), _lengths(target_lengths, count, "target_lengths")
    if not 0 <= blank < classes:
        raise RuntimeError(f"blank must be in label range: got {blank} for {classes} classes")
    if lengths.size and lengths.max() > steps:
        raise RuntimeError(f"Expected input_lengths to have value at most {steps}, but got value {lengths.max()}")
    labels, may_skip = _with_blanks(on_the_host(targets), sizes, blank)
    losses = -_log_likelihood(x, labels, may_skip, lengths, sizes)
    impossible = losses > -NEVER / 2
    losses = where(impossible, 0.0 if zero_infinity else np.inf, losses)
    if reduction == "mean":
        losses = losses / beside(x, np.maximum(sizes, 1).astype(x.dtype))
    elif single and reduction == "none":
        return losses[0]
    return reduced(losses, reduction)


def on_the_host(given: Any) -> Any:
    """Lengths and labels as NumPy's arrays: how the labels are laid out is worked out on the host."""
    return np.asarray(backend_of(given.array).to_host(given.array) if isinstance(given, Tensor) else given)


def beside(x: Tensor, table: Any) -> Tensor:
    return wrap(moved(table, x.device))


def _lengths(given: Any, count: int, name: str) -> Any:
    lengths = np.atleast_1d(on_the_host(given)).astype(np.int64)
    if lengths.shape != (count,):
        raise RuntimeError(f"{name} must be of size batch_size: got {lengths.shape[0]} for {count} samples")
    if lengths.size and lengths.min() < 0:
        raise RuntimeError(f"Expected {name} to have value at least 0, but got value {lengths.min()}")
    return lengths


def _with_blanks(targets: Any, sizes: Any, blank: int) -> tuple[Any, Any]:
    """The targets with a blank before, between and behind: (N, 2 S + 1); and where the one before last may lead on."""
    most = int(sizes.max(initial=0))
    padded = np.full((len(sizes), most), blank, np.int64)
    starts = np.concatenate([[0], np.cumsum(sizes)])
    for i, size in enumerate(sizes):
        own = targets[i] if targets.ndim == 2 else targets[starts[i] :]
        padded[i, :size] = own[:size]
    labels = np.full((len(sizes), 2 * most + 1), blank, np.int64)
    labels[:, 1::2] = padded
    may_skip = np.zeros(labels.shape, bool)
    may_skip[:, 3::2] = padded[:, 1:] != padded[:, :-1]
    return labels, may_skip


def _log_likelihood(x: Tensor, labels: Any, may_skip: Any, lengths: Any, sizes: Any) -> Tensor:
    """The forward recursion over the steps; each sample's sums stay as they are once its input has ended."""
    steps, count, _ = extents(x)
    width = labels.shape[1]
    emitted = gather(x, beside(x, np.broadcast_to(labels, (steps, count, width))), axis=-1)
    never = beside(x, np.full((count, 2), NEVER, x.dtype))
    skips = beside(x, may_skip)
    first = beside(x, np.broadcast_to(np.arange(width) < 2, (count, width)))
    sums = where(first, emitted[0], NEVER)
    running = beside(x, np.arange(steps)[:, None, None] < lengths[:, None])
    for t in range(1, steps):
        before = cat([never, sums], 1)
        ways = [sums, before[:, 1:-1], where(skips, before[:, :-2], NEVER)]
        sums = where(running[t], logsumexp(stack(ways), 0) + emitted[t], sums)
    last = np.stack([2 * sizes, np.maximum(2 * sizes - 1, 0)], 1)
    ends = gather(sums, beside(x, last), axis=-1)
    alone = beside(x, np.stack([np.zeros(count, bool), sizes == 0], 1))  # without labels there is one way to end
    return logsumexp(where(alone, NEVER, ends), 1)
