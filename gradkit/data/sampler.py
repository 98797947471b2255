"""Samplers: the order in which a loader visits a dataset, as numbers or as batches of numbers."""

from collections.abc import Iterable, Iterator, Sequence, Sized
from itertools import islice
from typing import Any, Self

import numpy as np

from gradkit.backend.rng import Generator, default_generator
from gradkit.creation import as_tensor
from gradkit.engine.dtypes import float64


class Sampler:
    """Base class: ``__iter__`` gives the numbers of one epoch; ``__len__``, if there is one, says how many they are.

    >>> class Backwards(data.Sampler):
    ...     def __init__(self, dataset):
    ...         self.count = len(dataset)
    ...
    ...     def __iter__(self):
    ...         return iter(range(self.count - 1, -1, -1))
    >>> list(Backwards("abc"))
    [2, 1, 0]
    """

    def __iter__(self) -> Iterator[Any]:
        raise NotImplementedError(f"{type(self).__name__} must implement __iter__")

    def __class_getitem__(cls, _number: Any) -> type[Self]:
        return cls  # Sampler[int] is the annotation that PyTorch's programs write


class SequentialSampler(Sampler):
    """0, 1, 2, ... to the end of the dataset.

    >>> list(data.SequentialSampler("abc"))
    [0, 1, 2]
    """

    def __init__(self, data_source: Sized) -> None:
        self.data_source = data_source

    def __iter__(self) -> Iterator[int]:
        return iter(range(len(self.data_source)))

    def __len__(self) -> int:
        return len(self.data_source)


class RandomSampler(Sampler):
    """The numbers of the dataset in random order, another in every epoch; PyTorch's orders for the same seed.

    ``num_samples`` (default: all) stops short, or goes round again; with ``replacement`` each number is drawn from all.
    TypeError for a ``replacement`` that is no bool, ValueError for a ``num_samples`` that is not positive.

    >>> list(data.RandomSampler("abcd", generator=gradkit.Generator().manual_seed(0)))
    [0, 1, 3, 2]
    """

    def __init__(
        self, data_source: Sized, replacement: bool = False, num_samples: int | None = None, generator: Generator | None = None
    ) -> None:
        self.data_source = data_source
        self.replacement = replacement
        self._num_samples = num_samples
        self.generator = generator
        if not isinstance(replacement, bool):
            raise TypeError(f"replacement should be a boolean value, but got replacement={replacement!r}")
        if not isinstance(self.num_samples, int) or self.num_samples <= 0:
            raise ValueError(f"num_samples should be a positive integer value, but got num_samples={self.num_samples}")

    @property
    def num_samples(self) -> int:
        return len(self.data_source) if self._num_samples is None else self._num_samples

    def __iter__(self) -> Iterator[int]:
        # Drawn in the portions in which PyTorch draws, down to a last permutation of which nothing may be used: a
        # generator that is shared goes on from where PyTorch's would.
        generator = self.generator or Generator().manual_seed(draw_seed(default_generator))
        count, wanted = len(self.data_source), self.num_samples
        if self.replacement:
            for start in range(0, wanted, 32):
                yield from generator.randint(0, count, min(32, wanted - start), np.int64).tolist()
            return
        for _ in range(wanted // count):
            yield from generator.randperm(count, np.int64).tolist()
        yield from generator.randperm(count, np.int64).tolist()[: wanted % count]

    def __len__(self) -> int:
        return self.num_samples


class SubsetRandomSampler(Sampler):
    """These numbers in random order, another in every epoch; PyTorch's orders for the same seed.

    >>> list(data.SubsetRandomSampler([5, 6, 7, 8], generator=gradkit.Generator().manual_seed(0)))
    [5, 6, 8, 7]
    """

    def __init__(self, indices: Sequence[int], generator: Generator | None = None) -> None:
        self.indices = indices
        self.generator = generator

    def __iter__(self) -> Iterator[int]:
        order = (self.generator or default_generator).randperm(len(self.indices), np.int64)
        return iter([self.indices[i] for i in order.tolist()])

    def __len__(self) -> int:
        return len(self.indices)


class WeightedRandomSampler(Sampler):
    """``num_samples`` numbers below ``len(weights)``, each drawn with a probability in proportion to its weight.

    ValueError for a ``num_samples`` that is no positive integer, a ``replacement`` that is no bool and weights that
    are no vector; RuntimeError while iterating for more samples than weights without replacement.

    >>> list(data.WeightedRandomSampler([0.0, 1.0, 0.0], 2))
    [1, 1]
    """

    def __init__(
        self, weights: Sequence[float], num_samples: int, replacement: bool = True, generator: Generator | None = None
    ) -> None:
        if not isinstance(num_samples, int) or isinstance(num_samples, bool) or num_samples <= 0:
            raise ValueError(f"num_samples should be a positive integer value, but got num_samples={num_samples}")
        if not isinstance(replacement, bool):
            raise ValueError(f"replacement should be a boolean value, but got replacement={replacement!r}")
        self.weights = as_tensor(weights, dtype=float64, device="cpu")
        if self.weights.ndim != 1:
            raise ValueError(f"weights should be a 1d sequence but given weights have shape {tuple(self.weights.shape)}")
        self.num_samples = num_samples
        self.replacement = replacement
        self.generator = generator

    def __iter__(self) -> Iterator[int]:
        generator = self.generator or default_generator
        return iter(generator.multinomial(self.weights.array, self.num_samples, self.replacement).tolist())

    def __len__(self) -> int:
        return self.num_samples


class BatchSampler(Sampler):
    """The numbers of another sampler in lists of ``batch_size``; ``drop_last`` leaves out a last one that is shorter.

    ValueError for a ``batch_size`` that is no positive integer and a ``drop_last`` that is no bool.

    >>> list(data.BatchSampler(range(5), batch_size=2, drop_last=False))
    [[0, 1], [2, 3], [4]]
    """

    def __init__(self, sampler: Iterable[int], batch_size: int, drop_last: bool) -> None:
        if not isinstance(batch_size, int) or isinstance(batch_size, bool) or batch_size <= 0:
            raise ValueError(f"batch_size should be a positive integer value, but got batch_size={batch_size}")
        if not isinstance(drop_last, bool):
            raise ValueError(f"drop_last should be a boolean value, but got drop_last={drop_last!r}")
        self.sampler = sampler
        self.batch_size = batch_size
        self.drop_last = drop_last

    def __iter__(self) -> Iterator[list[int]]:
        numbers = iter(self.sampler)
        while batch := list(islice(numbers, self.batch_size)):
            if self.drop_last and len(batch) < self.batch_size:
                return
            yield batch

    def __len__(self) -> int:
        samples = len(self.sampler)  # type: ignore[arg-type]
        return samples // self.batch_size if self.drop_last else -(-samples // self.batch_size)


def draw_seed(generator: Generator) -> int:
    """63 random bits, as PyTorch's samplers and loaders draw for a seed."""
    return int(generator.randint(-(2**63), 2**63 - 1, (), np.int64)) & (2**63 - 1)
