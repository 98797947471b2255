"""Embeddings: tables of vectors, looked up by integers. Names and arguments are those of torch.nn.functional."""

import numpy as np

from gradkit import creation
from gradkit.backend.numpy import on_host
from gradkit.backend.protocol import backend_of
from gradkit.engine import inplace
from gradkit.engine.batching import by_sample
from gradkit.engine.operands import on_one_device
from gradkit.engine.tensor import Tensor, wrap
from gradkit.ops.reducing import amax, sum as total
from gradkit.primitives import embedding as rows
from gradkit.primitives.indexing import index
from gradkit.primitives.piecewise import where
from gradkit.primitives.shape import extents, reshape

__all__: list[str] = []


def embedding(
    input: Tensor, weight: Tensor, padding_idx: int | None = None, max_norm: float | None = None,
    norm_type: float = 2.0, scale_grad_by_freq: bool = False, sparse: bool = False,
) -> Tensor:
    """The rows of `weight` (V, D) that `input`, int64 or int32 of any shape (*), names: (*, D).

    The row `padding_idx` gets no gradient. With `max_norm` the rows that are looked up are first, in place, cut down to
    this `norm_type`-norm. `scale_grad_by_freq` divides gradients by how often `input` names the row. RuntimeError
    for another dtype or a weight that is no matrix, IndexError for a row that is none, AssertionError for such a
    `padding_idx`, NotImplementedError for `sparse` gradients.

    >>> F.embedding(gradkit.tensor([1, 1]), gradkit.tensor([[1.0, 2.0], [3.0, 4.0]]))
    tensor([[3., 4.],
            [3., 4.]])
    """
    count = _check(input, weight, sparse)
    if padding_idx is not None:
        if not -count <= padding_idx < count:
            raise AssertionError(f"Padding_idx must be within num_embeddings: {padding_idx} for {count}")
        padding_idx %= count
    if max_norm is not None:
        _shorten(input, weight, max_norm, norm_type)
    y = rows.embedding(weight, input, lead=0, padding=padding_idx)
    return _scaled_by_frequency(y, input, count) if scale_grad_by_freq else y


def _check(input: Tensor, weight: Tensor, sparse: bool) -> int:
    if input.dtype != np.int64 and input.dtype != np.int32:
        raise RuntimeError(f"Expected indices of dtype int64 or int32, got {input.dtype.name}; convert with .long()")
    if weight.ndim != 2:
        raise RuntimeError(f"'weight' must be 2-D, got shape {tuple(weight.shape)}")
    if sparse:
        raise NotImplementedError("embedding has no sparse gradients; leave out sparse=True")
    count = extents(weight)[0]
    raw = input.array
    if raw.size and on_host(raw):
        unsigned = raw.view(np.uint64 if raw.dtype == np.int64 else np.uint32)  # a negative index is a great one
        if int(np.maximum.reduce(unsigned, None)) >= count:
            raise IndexError(f"index out of range in self: indices run from 0 to {count - 1}")
    return count


@on_one_device
def _shorten(input: Tensor, weight: Tensor, max_norm: float, norm_type: float) -> None:
    """Cut the rows that are looked up down to a norm, in place and outside the tape, as PyTorch does."""
    if weight.batch or input.batch:
        raise RuntimeError("vmap: embedding with max_norm looks at all places at once; do it outside of vmap")
    xp = backend_of(weight.array).xp
    used = xp.unique(input.array)
    norms = xp.linalg.norm(weight.array[used], norm_type, axis=1)
    shares = xp.where(norms > max_norm, max_norm / (norms + 1e-7), 1)
    weight.array[used] *= shares[:, None].astype(weight.dtype)
    inplace.written(weight, "embedding")


def _scaled_by_frequency(y: Tensor, input: Tensor, count: int) -> Tensor:
    """The same value, whose gradient is that of `y` over how often its row was looked up."""
    places = reshape(input, (-1,))
    often = creation.zeros(count, dtype=y.dtype, device=y.device)
    often = often.index_add(0, places, creation.ones_like(places, dtype=y.dtype))
    share = (1 / often[input]).unsqueeze(-1)
    return y * share + (y * (1 - share)).detach()


@by_sample("offsets")
def embedding_bag(
    input: Tensor, weight: Tensor, offsets: Tensor | None = None, max_norm: float | None = None, norm_type: float = 2,
    scale_grad_by_freq: bool = False, mode: str = "mean", sparse: bool = False,
    per_sample_weights: Tensor | None = None, include_last_offset: bool = False, padding_idx: int | None = None,
) -> Tensor:
    """The "sum", "mean" or "max" of bags of rows of `weight` (V, D): (B, D).

    `input` is (B, L), a bag a row; or (N,) with `offsets` (B,), where each bag starts (and with `include_last_offset` where
    the last ends). Rows `padding_idx` do not count; an empty bag is 0. `per_sample_weights`, for "sum" alone, has the
    shape of `input`. Errors as for `embedding`, and ValueError or RuntimeError where these do not fit together.

    >>> F.embedding_bag(gradkit.tensor([0, 1, 1]), gradkit.tensor([[1.0], [3.0]]), gradkit.tensor([0, 2]))
    tensor([[2.],
            [3.]])
    """
    if mode not in ("sum", "mean", "max"):
        raise ValueError("mode has to be one of sum, mean or max")
    if per_sample_weights is not None and mode != "sum":
        raise NotImplementedError(f"embedding_bag: per_sample_weights are for mode='sum' only, got mode={mode!r}")
    if per_sample_weights is not None and per_sample_weights.shape != input.shape:
        raise ValueError(
            f"embedding_bag: expected per_sample_weights ({tuple(per_sample_weights.shape)}) to have the same shape as "
            f"input ({tuple(input.shape)})"
        )
    places, filled = _bags(input, offsets, include_last_offset)
    bags = index(reshape(input, (-1,)), places, lead=0)
    found = embedding(bags, weight, padding_idx, max_norm, norm_type, scale_grad_by_freq, sparse)
    if padding_idx is not None:
        filled = filled & (bags != padding_idx % weight.shape[0])
    there = filled.unsqueeze(-1)
    if mode == "max":
        most = amax(where(there, found, -np.inf), dim=1) if found.shape[1] else total(found, dim=1)
        return where(there.any(1), most, 0.0)
    kept = there.to(weight.dtype)
    if per_sample_weights is not None:
        kept = kept * index(reshape(per_sample_weights, (-1,)), places, lead=0).unsqueeze(-1)
    y = total(found * kept, dim=1)
    return y if mode == "sum" else y / there.sum(1).clip(1).to(weight.dtype)


@on_one_device
def _bags(input: Tensor, offsets: Tensor | None, include_last: bool) -> tuple[Tensor, Tensor]:
    """The places in the flattened input of each bag's elements, (B, L), and which of them are there."""
    if input.ndim == 2:
        if offsets is not None:
            raise ValueError("if input is 2D, then offsets has to be None, as input is treated as bags of fixed length")
        shape = extents(input)
        places = creation.arange(shape[0] * shape[1], device=input.device).reshape(shape)
        return places, creation.ones_like(places, dtype=bool)
    if input.ndim != 1:
        raise ValueError(f"input has to be 1D or 2D Tensor, but got Tensor of dimension {input.ndim}")
    if offsets is None or offsets.ndim != 1:
        raise ValueError("offsets has to be a 1D Tensor if input is 1D")
    starts = offsets.array
    xp = backend_of(starts).xp
    if starts.size and on_host(starts) and starts[0] != 0:
        raise RuntimeError(f"offsets[0] has to be 0, i.e., the first sequence has to start from position 0, got {starts[0]}")
    ends = starts[1:] if include_last else xp.concatenate([starts[1:], xp.full(1, input.numel(), dtype=starts.dtype)])
    starts = starts[: len(ends)]
    steps = xp.arange(max(int((ends - starts).max()), 1) if starts.size else 1)
    places = starts[:, None] + steps
    filled = places < ends[:, None]
    return wrap(xp.where(filled, places, 0)), wrap(filled)
