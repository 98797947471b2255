"""Making a batch of samples."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from gradkit.creation import as_tensor, tensor
from gradkit.engine import dtypes
from gradkit.engine.tensor import Tensor
from gradkit.ops.joining import stack


def default_collate(batch: Sequence[Any]) -> Any:
    """A list of samples as one sample of batches.

    Tensors and arrays are stacked, numbers become a Tensor (float64 from floats, int64 from ints), strings and bytes
    stay a list, dicts and sequences are collated entry by entry. TypeError for other samples, RuntimeError for
    sequences of different lengths or Tensors of different shapes.

    >>> data.default_collate([(1, "a"), (2, "b")])
    [tensor([1, 2]), ('a', 'b')]
    """
    first = batch[0]
    if isinstance(first, Tensor):
        return stack(list(batch))
    if isinstance(first, np.ndarray | np.generic) and not isinstance(first, str | bytes):
        if first.dtype.kind not in "biufc":
            raise _unknown(first.dtype)
        return as_tensor(np.stack(batch)) if first.ndim else as_tensor(np.asarray(batch))
    if isinstance(first, float):
        return tensor(batch, dtype=dtypes.float64)
    if isinstance(first, int):
        return tensor(batch)
    if isinstance(first, str | bytes):
        return batch
    if isinstance(first, Mapping):
        return {key: default_collate([sample[key] for sample in batch]) for key in first}
    if isinstance(first, Sequence):
        return _collate_sequences(first, batch)
    raise _unknown(type(first))


def _collate_sequences(first: Sequence[Any], batch: Sequence[Any]) -> Any:
    if any(len(sample) != len(first) for sample in batch):
        raise RuntimeError("each element in list of batch should be of equal size")
    columns = [default_collate(column) for column in zip(*batch, strict=True)]
    if isinstance(first, tuple) and hasattr(first, "_fields"):
        return type(first)(*columns)
    return columns


def default_convert(data: Any) -> Any:
    """A sample with its arrays as Tensors that share their memory; what is no array or container stays as it is.

    >>> data.default_convert({"x": np.zeros(2), "name": "a"})
    {'x': tensor([0., 0.], dtype=gradkit.float64), 'name': 'a'}
    """
    if isinstance(data, np.ndarray | np.generic):
        return data if data.dtype.kind in "SU" else as_tensor(data)
    if isinstance(data, Mapping):
        return {key: default_convert(value) for key, value in data.items()}
    if isinstance(data, tuple) and hasattr(data, "_fields"):
        return type(data)(*map(default_convert, data))
    if isinstance(data, tuple | list):
        return [default_convert(entry) for entry in data]
    return data


def pinned(batch: Any) -> Any:
    """A batch with its Tensors in pinned memory of the host; what is no Tensor or container stays as it is."""
    if isinstance(batch, Tensor):
        return batch if batch.is_cuda else batch.pin_memory()
    if isinstance(batch, Mapping):
        return {key: pinned(value) for key, value in batch.items()}
    if isinstance(batch, tuple) and hasattr(batch, "_fields"):
        return type(batch)(*map(pinned, batch))
    if isinstance(batch, tuple | list):
        return type(batch)([pinned(entry) for entry in batch])
    return batch


def _unknown(kind: object) -> TypeError:
    return TypeError(
        f"default_collate: batch must contain tensors, numpy arrays, numbers, dicts or lists; found {kind}; pass a "
        "collate_fn that makes a batch of your samples"
    )
