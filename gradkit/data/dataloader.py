"""DataLoader: a dataset in batches."""

import warnings
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from gradkit.backend import probe
from gradkit.backend.rng import Generator, default_generator
from gradkit.data.collate import default_collate, default_convert, pinned
from gradkit.data.dataset import IterableDataset, Subset, TensorDataset
from gradkit.data.sampler import BatchSampler, RandomSampler, SequentialSampler, draw_seed
from gradkit.engine.tensor import Tensor, wrap

#: PyTorch's options for its worker processes, which threads have no use for.
_OF_PROCESSES = {"timeout", "worker_init_fn", "multiprocessing_context", "persistent_workers", "pin_memory_device", "in_order"}


class DataLoader:
    """Batches of a dataset, in order or shuffled anew in every epoch (in PyTorch's order for the same seed).

    A batch is what ``collate_fn`` makes of a list of samples; `default_collate` stacks them. ``batch_size=None`` gives
    single samples. ``sampler`` gives the numbers of an epoch, ``batch_sampler`` lists of them. With ``num_workers``
    that many threads fetch ``prefetch_factor`` (2) batches each ahead, which pays where ``dataset[i]`` waits or uses
    NumPy. With ``pin_memory`` the Tensors of a batch are in memory that a GPU can copy from while the host goes on; it
    warns and changes nothing where no GPU can be used. ``timeout``, ``worker_init_fn`` and what else PyTorch has for its
    processes is accepted and has no meaning here.

    ValueError for options that exclude each other and for numbers out of range.

    >>> loader = data.DataLoader(data.TensorDataset(gradkit.arange(5)), batch_size=2)
    >>> for (batch,) in loader:
    ...     print(batch)
    tensor([0, 1])
    tensor([2, 3])
    tensor([4])
    """

    def __init__(
        self, dataset: Any, batch_size: int | None = 1, shuffle: bool | None = None,
        sampler: Iterable[Any] | None = None, batch_sampler: Iterable[list[Any]] | None = None, num_workers: int = 0,
        collate_fn: Callable[[Any], Any] | None = None, pin_memory: bool = False, drop_last: bool = False, *,
        generator: Generator | None = None, prefetch_factor: int | None = None, **of_processes: Any,
    ) -> None:
        if not of_processes.keys() <= _OF_PROCESSES:
            raise TypeError(f"DataLoader got an unexpected keyword argument '{min(of_processes.keys() - _OF_PROCESSES)}'")
        if num_workers < 0:
            raise ValueError(f"num_workers should be non-negative, got {num_workers}; 0 fetches as it is needed")
        if prefetch_factor is not None and (num_workers == 0 or prefetch_factor < 1):
            raise ValueError("prefetch_factor must be a positive number of batches, and needs num_workers > 0")
        if sampler is not None and shuffle:
            raise ValueError("sampler option is mutually exclusive with shuffle")
        if batch_sampler is not None and (batch_size != 1 or shuffle or sampler is not None or drop_last):
            raise ValueError("batch_sampler option is mutually exclusive with batch_size, shuffle, sampler, and drop_last")
        if batch_size is None and drop_last:
            raise ValueError("batch_size=None option disables auto-batching and is mutually exclusive with drop_last")
        if isinstance(dataset, IterableDataset):
            for name, given in (("shuffle", shuffle), ("sampler", sampler), ("batch_sampler", batch_sampler)):
                if given:
                    raise ValueError(f"DataLoader with IterableDataset: expected unspecified {name} option, but got {given}")
        elif sampler is None:
            sampler = RandomSampler(dataset, generator=generator) if shuffle else SequentialSampler(dataset)
        if batch_sampler is None and batch_size is not None and sampler is not None:
            batch_sampler = BatchSampler(sampler, batch_size, drop_last)
        self.dataset = dataset
        self.batch_size = batch_size
        self.sampler = sampler
        self.batch_sampler = batch_sampler
        self.num_workers = num_workers
        self.collate_fn = collate_fn or (default_collate if batch_sampler is not None or batch_size is not None else default_convert)
        self.pin_memory = pin_memory
        self.drop_last = drop_last
        self.generator = generator
        self.prefetch_factor = 2 if prefetch_factor is None and num_workers else prefetch_factor

    def __len__(self) -> int:
        return len(self._numbers())

    def __iter__(self) -> Iterator[Any]:
        # PyTorch draws a seed for its workers here, before the sampler draws; without it the orders would differ.
        draw_seed(self.generator or default_generator)
        batches = self._batches()
        if not self.pin_memory:
            return batches
        reason = probe.why_not()
        if reason is None:
            return map(pinned, batches)
        warnings.warn(f"pin_memory is True, but no CUDA device can be used: {reason}", UserWarning, stacklevel=2)
        return batches

    def _batches(self) -> Iterator[Any]:
        if isinstance(self.dataset, IterableDataset):
            return map(self.collate_fn, self._numbers())
        return self._prefetched(self._numbers()) if self.num_workers else map(self._fetcher(), self._numbers())

    def _numbers(self) -> Any:
        """The numbers of an epoch, in batches or single; where there are none, the samples themselves."""
        if self.batch_sampler is not None:
            return self.batch_sampler
        if self.sampler is not None:
            return self.sampler
        return self.dataset if self.batch_size is None else BatchSampler(self.dataset, self.batch_size, self.drop_last)

    def _fetcher(self) -> Callable[[Any], Any]:
        """What makes a batch of a list of numbers, or a sample of a number."""
        dataset, collate_fn = self.dataset, self.collate_fn
        if self.batch_sampler is None:
            return lambda number: collate_fn(dataset[number])
        take = _taker(dataset) if collate_fn is default_collate else None
        if take is not None:
            return lambda numbers: take(np.asarray(numbers))
        return lambda numbers: collate_fn([dataset[number] for number in numbers])

    def _prefetched(self, numbers: Iterable[Any]) -> Iterator[Any]:
        from concurrent.futures import Future, ThreadPoolExecutor

        fetch, ahead = self._fetcher(), self.num_workers * (self.prefetch_factor or 1)
        pool = ThreadPoolExecutor(self.num_workers, "gradkit-data")
        try:
            pending: deque[Future[Any]] = deque()
            for batch in numbers:
                pending.append(pool.submit(fetch, batch))
                if len(pending) > ahead:
                    yield pending.popleft().result()
            while pending:
                yield pending.popleft().result()
        finally:
            pool.shutdown(cancel_futures=True)


def _taker(dataset: Any) -> Callable[[Any], list[Tensor]] | None:
    """A function that takes a whole batch out of the Tensors behind a dataset at once, if there is nothing but Tensors.

    A class that overrides ``__getitem__`` is asked sample by sample.
    """
    own_access = type(dataset).__getitem__ if hasattr(type(dataset), "__getitem__") else None
    if own_access is TensorDataset.__getitem__:
        return lambda numbers: [t[wrap(numbers)] for t in dataset.tensors]
    if own_access is Subset.__getitem__ and (inner := _taker(dataset.dataset)):
        indices = np.asarray(dataset.indices)
        return lambda numbers: inner(indices[numbers])
    return None



def get_worker_info() -> None:
    """None, as in PyTorch outside of a worker process: there are only threads here, which share the dataset.

    >>> data.get_worker_info() is None
    True
    """
    return None
