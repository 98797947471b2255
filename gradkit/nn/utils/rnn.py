"""Sequences of different lengths, for recurrent layers: padded to one length, or packed without padding."""

from collections.abc import Sequence
from typing import Any, NamedTuple, Self

import numpy as np

from gradkit import creation
from gradkit.engine.tensor import Tensor, wrap
from gradkit.ops.joining import cat


class PackedSequence(NamedTuple):
    """A batch of sequences step by step: all first elements, then all second ones, and so on, the longest sequence first.

    ``data`` is (total length, *), ``batch_sizes`` an int64 vector on the CPU that says how many sequences have each step.
    Made by `pack_padded_sequence` and `pack_sequence`; recurrent layers take it and return one.

    >>> packed = nn.utils.rnn.pack_sequence([gradkit.tensor([1, 2, 3]), gradkit.tensor([4, 5])])
    >>> packed.data, packed.batch_sizes
    (tensor([1, 4, 2, 5, 3]), tensor([2, 2, 1]))
    """

    data: Tensor
    batch_sizes: Tensor
    sorted_indices: Tensor | None = None
    unsorted_indices: Tensor | None = None

    def to(self, *args: Any, **kwargs: Any) -> Self:
        """The same with ``data`` in another dtype or on another device.

        >>> nn.utils.rnn.pack_sequence([gradkit.tensor([1, 2])]).to(gradkit.float64).data.dtype
        dtype('float64')
        """
        return self._replace(data=self.data.to(*args, **kwargs))


def pad_sequence(
    sequences: Sequence[Tensor], batch_first: bool = False, padding_value: float = 0.0, padding_side: str = "right"
) -> Tensor:
    """Sequences (L_i, *) side by side, filled up to the longest: (L, N, *), or (N, L, *) if ``batch_first``.

    ``padding_side`` is "right" (behind) or "left". RuntimeError for another word or no sequences.

    >>> nn.utils.rnn.pad_sequence([gradkit.tensor([1, 2, 3]), gradkit.tensor([4])], batch_first=True)
    tensor([[1, 2, 3],
            [4, 0, 0]])
    """
    if padding_side not in ("left", "right"):
        raise RuntimeError(f"Expected padding_side to be one of left or right, but got {padding_side}.")
    if not len(sequences):
        raise RuntimeError("received an empty list of sequences")
    length = max([s.shape[0] for s in sequences])
    padded = [_filled_up(s, length, padding_value, padding_side) for s in sequences]
    stacked = cat([s.unsqueeze(0 if batch_first else 1) for s in padded], 0 if batch_first else 1)
    return stacked


def _filled_up(s: Tensor, length: int, value: float, side: str) -> Tensor:
    missing = length - s.shape[0]
    if not missing:
        return s
    filling = creation.full((missing, *s.shape[1:]), value, dtype=s.dtype, device=s.device)
    return cat([s, filling] if side == "right" else [filling, s])


def unpad_sequence(padded_sequences: Tensor, lengths: Any, batch_first: bool = False) -> list[Tensor]:
    """What undoes `pad_sequence`: the sequences, as views, of these lengths.

    >>> nn.utils.rnn.unpad_sequence(gradkit.tensor([[1, 2, 3], [4, 0, 0]]), [3, 1], batch_first=True)
    [tensor([1, 2, 3]), tensor([4])]
    """
    by_sample = padded_sequences if batch_first else padded_sequences.transpose(0, 1)
    return [by_sample[i, :length] for i, length in enumerate(_integers(lengths))]


def pack_padded_sequence(input: Tensor, lengths: Any, batch_first: bool = False, enforce_sorted: bool = True) -> PackedSequence:
    """The first ``lengths[i]`` elements of each sequence of (L, N, *), or (N, L, *) if ``batch_first``, packed.

    The lengths fall; with ``enforce_sorted=False`` the sequences are put in order, and back by who unpacks them.
    RuntimeError for lengths that are not positive, too many or too few, or not in order.

    >>> nn.utils.rnn.pack_padded_sequence(gradkit.tensor([[1, 2, 3], [4, 0, 0]]), [3, 1], batch_first=True).data
    tensor([1, 4, 2, 3])
    """
    counts = np.asarray(_integers(lengths))
    steps = input.transpose(0, 1) if batch_first else input
    if counts.shape != (steps.shape[1],):
        raise RuntimeError(
            f"Expected `len(lengths)` to be equal to batch_size, but got {len(counts)} (batch_size={steps.shape[1]})"
        )
    if counts.min(initial=1) <= 0:
        raise RuntimeError("Length of all samples has to be greater than 0, but found an element in 'lengths' that is <= 0")
    order = None
    if not enforce_sorted:
        order = np.argsort(-counts, kind="stable")
        counts = counts[order]
        steps = steps[:, wrap(order)]
    elif (np.diff(counts) > 0).any():
        raise RuntimeError(
            "`lengths` array must be sorted in decreasing order when `enforce_sorted` is True. You can pass "
            "`enforce_sorted=False` to pack_padded_sequence and/or pack_sequence to sidestep this requirement."
        )
    sizes = [int((counts > t).sum()) for t in range(int(counts.max()))]
    data = cat([steps[t, :size] for t, size in enumerate(sizes)])
    indices = (None, None) if order is None else (wrap(order), wrap(np.argsort(order)))
    return PackedSequence(data, creation.tensor(sizes), *indices)


def pack_sequence(sequences: Sequence[Tensor], enforce_sorted: bool = True) -> PackedSequence:
    """Sequences (L_i, *), packed: `pack_padded_sequence` of `pad_sequence`, with its errors.

    >>> nn.utils.rnn.pack_sequence([gradkit.tensor([1]), gradkit.tensor([2, 3])], enforce_sorted=False).data
    tensor([2, 1, 3])
    """
    lengths = [s.shape[0] for s in sequences]
    return pack_padded_sequence(pad_sequence(sequences), lengths, enforce_sorted=enforce_sorted)


def pad_packed_sequence(
    sequence: PackedSequence, batch_first: bool = False, padding_value: float = 0.0, total_length: int | None = None
) -> tuple[Tensor, Tensor]:
    """What undoes `pack_padded_sequence`: the padded sequences and their lengths, in the order they had.

    ``total_length`` pads further than to the longest; ValueError if it is less than that.

    >>> nn.utils.rnn.pad_packed_sequence(nn.utils.rnn.pack_sequence([gradkit.tensor([1, 2]), gradkit.tensor([3])]), batch_first=True)
    (tensor([[1, 2],
            [3, 0]]), tensor([2, 1]))
    """
    sizes = sequence.batch_sizes.tolist()
    length = len(sizes) if total_length is None else total_length
    if length < len(sizes):
        raise ValueError(
            "Expected total_length to be at least the length of the longest sequence in input, but got "
            f"total_length={length} and max sequence length being {len(sizes)}"
        )
    steps = [_filled_up(step, sizes[0], padding_value, "right") for step in sequence.data.split(sizes)]
    padded = _filled_up(cat([step.unsqueeze(0) for step in steps]), length, padding_value, "right")
    lengths = wrap(np.array([sum([size > i for size in sizes]) for i in range(sizes[0])]))
    if sequence.unsorted_indices is not None:
        padded, lengths = padded[:, sequence.unsorted_indices], lengths[sequence.unsorted_indices]
    return padded.transpose(0, 1) if batch_first else padded, lengths


def unpack_sequence(packed_sequences: PackedSequence) -> list[Tensor]:
    """What undoes `pack_sequence`: the sequences.

    >>> nn.utils.rnn.unpack_sequence(nn.utils.rnn.pack_sequence([gradkit.tensor([1, 2]), gradkit.tensor([3])]))
    [tensor([1, 2]), tensor([3])]
    """
    return unpad_sequence(*pad_packed_sequence(packed_sequences))


def _integers(lengths: Any) -> list[int]:
    return [int(n) for n in (lengths.tolist() if isinstance(lengths, Tensor) else lengths)]
