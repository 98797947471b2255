"""Datasets: what has a length and gives one sample for a number."""

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Self

import numpy as np

from gradkit.backend.rng import Generator, default_generator
from gradkit.engine.tensor import Tensor


class Dataset:
    """Base class: a dataset overrides ``__getitem__``, one sample by number, and ``__len__``.

    >>> class Squares(data.Dataset):
    ...     def __len__(self):
    ...         return 10
    ...
    ...     def __getitem__(self, index):
    ...         return index**2
    >>> Squares()[3]
    9
    """

    def __getitem__(self, index: Any) -> Any:
        raise NotImplementedError(f"{type(self).__name__} must implement __getitem__")

    def __add__(self, other: Any) -> Any:
        return ConcatDataset([self, other])

    def __class_getitem__(cls, _sample: Any) -> type[Self]:
        return cls  # Dataset[int] is the annotation that PyTorch's programs write


class IterableDataset(Dataset):
    """Base class of what has no numbers to ask for: a dataset overrides ``__iter__``, all samples in their order.

    A `DataLoader` takes it without shuffling and without a sampler, and fetches from it in one thread.

    >>> class Squares(data.IterableDataset):
    ...     def __iter__(self):
    ...         return iter([0, 1, 4])
    >>> list(data.DataLoader(Squares(), batch_size=2))
    [tensor([0, 1]), tensor([4])]
    """

    def __iter__(self) -> Iterator[Any]:
        raise NotImplementedError(f"{type(self).__name__} must implement __iter__")

    def __add__(self, other: Any) -> Any:
        return ChainDataset([self, other])


class ChainDataset(IterableDataset):
    """Datasets that are iterated, one after the other; ``a + b`` makes one too.

    AssertionError while iterating over what is no IterableDataset.

    >>> class Numbers(data.IterableDataset):
    ...     def __iter__(self):
    ...         return iter([1, 2])
    >>> list(Numbers() + Numbers())
    [1, 2, 1, 2]
    """

    def __init__(self, datasets: Iterable[Any]) -> None:
        self.datasets = datasets

    def __iter__(self) -> Iterator[Any]:
        for dataset in self.datasets:
            if not isinstance(dataset, IterableDataset):
                raise AssertionError(f"ChainDataset only supports IterableDataset, got {type(dataset).__name__}")
            yield from dataset

    def __len__(self) -> int:
        return sum(len(dataset) for dataset in self.datasets)


class StackDataset(Dataset):
    """Datasets side by side: sample i is the tuple of theirs, or the dict if they were given by name.

    ValueError without datasets or for both ways at once, and for datasets of different lengths.

    >>> data.StackDataset(image=["a", "b"], label=[0, 1])[1]
    {'image': 'b', 'label': 1}
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if bool(args) == bool(kwargs):
            raise ValueError("give StackDataset its datasets all by position or all by name, and at least one")
        self.datasets: Any = args or kwargs
        lengths = [len(dataset) for dataset in args or kwargs.values()]
        if len(set(lengths)) > 1:
            raise ValueError(f"Size mismatch between datasets: their lengths are {lengths}")
        self._length = lengths[0]

    def __getitem__(self, index: Any) -> Any:
        if isinstance(self.datasets, dict):
            return {name: dataset[index] for name, dataset in self.datasets.items()}
        return tuple([dataset[index] for dataset in self.datasets])

    def __len__(self) -> int:
        return self._length


class TensorDataset(Dataset):
    """Samples are the entries of Tensors along their first axis: ``dataset[i]`` is ``(a[i], b[i], ...)``.

    AssertionError for Tensors of different lengths.

    >>> data.TensorDataset(gradkit.tensor([[1.0], [2.0]]), gradkit.tensor([0, 1]))[1]
    (tensor([2.]), tensor(1))
    """

    def __init__(self, *tensors: Tensor) -> None:
        lengths = [t.shape[0] for t in tensors]
        if len(set(lengths)) > 1:
            raise AssertionError(f"Size mismatch between tensors: their first axes have the lengths {lengths}")
        self.tensors = tensors

    def __getitem__(self, index: Any) -> tuple[Tensor, ...]:
        return tuple([t[index] for t in self.tensors])

    def __len__(self) -> int:
        length: int = self.tensors[0].shape[0]
        return length


class Subset(Dataset):
    """The samples of another dataset at these numbers, in their order.

    >>> data.Subset(["a", "b", "c"], [2, 0])[0]
    'c'
    """

    def __init__(self, dataset: Any, indices: Sequence[int]) -> None:
        self.dataset = dataset
        self.indices = indices

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, list):
            return self.dataset[[self.indices[i] for i in index]]
        return self.dataset[self.indices[index]]

    def __len__(self) -> int:
        return len(self.indices)


class ConcatDataset(Dataset):
    """Datasets one after the other; ``a + b`` makes one too.

    >>> data.ConcatDataset([["a", "b"], ["c"]])[2]
    'c'
    """

    def __init__(self, datasets: Sequence[Any]) -> None:
        self.datasets = list(datasets)

    def __getitem__(self, index: int) -> Any:
        place = index + len(self) if index < 0 else index
        for dataset in self.datasets:
            if 0 <= place < len(dataset):
                return dataset[place]
            place -= len(dataset)
        raise IndexError(f"index {index} is out of range for {len(self)} samples")

    def __len__(self) -> int:
        return sum(len(dataset) for dataset in self.datasets)


def random_split(dataset: Any, lengths: Sequence[float], generator: Generator | None = None) -> list[Subset]:
    """Deal the samples at random into subsets of these lengths, or of these fractions if they add up to 1.

    What fractions leave over after rounding down goes one by one to the first subsets. ValueError for lengths
    that do not add up to that of the dataset.

    >>> parts = data.random_split(range(10), [0.7, 0.3], generator=gradkit.Generator().manual_seed(0))
    >>> [len(part) for part in parts]
    [7, 3]
    """
    total = len(dataset)
    if math.isclose(sum(lengths), 1) and sum(lengths) <= 1:
        if any(not 0 <= fraction <= 1 for fraction in lengths):
            raise ValueError(f"fractions must lie between 0 and 1, got {list(lengths)}")
        counts = [math.floor(total * fraction) for fraction in lengths]
        for i in range(total - sum(counts)):
            counts[i % len(counts)] += 1
    else:
        counts = [int(count) for count in lengths]
    if sum(counts) != total:
        raise ValueError(
            f"Sum of input lengths does not equal the length of the input dataset: {list(lengths)} for {total} samples"
        )
    order = (generator or default_generator).randperm(total, np.int64).tolist()
    starts = [sum(counts[:i]) for i in range(len(counts))]
    return [Subset(dataset, order[start : start + count]) for start, count in zip(starts, counts, strict=True)]
