"""How the elements lie in memory."""

from typing import Any

from gradkit.backend.numpy import on_host
from gradkit.engine.tensor import Tensor
from gradkit.engine.versions import owner
from gradkit.primitives.shape import axis_from_end, compact

__all__: list[str] = []
METHODS = ("contiguous", "is_contiguous", "storage_offset", "stride")


def contiguous(input: Tensor) -> Tensor:
    """A tensor whose elements lie in row-major order: itself if they do already.

    >>> gradkit.ones(2, 3).t().contiguous().stride()
    (2, 1)
    """
    return input if is_contiguous(input) else compact(input)


def is_contiguous(input: Tensor) -> bool:
    """Whether the elements lie in memory in row-major order without gaps.

    >>> gradkit.ones(2, 3).t().is_contiguous()
    False
    """
    return bool(input.array.flags.c_contiguous)


def storage_offset(input: Tensor) -> int:
    """How many elements after the beginning of its memory, which views share, the first element lies.

    >>> gradkit.arange(6).view(2, 3)[1:, 1].storage_offset()
    4
    """
    raw = input.array
    return (_address(raw) - _address(owner(raw))) // raw.itemsize if raw.size and raw.base is not None else 0


def _address(raw: Any) -> int:
    described = raw.__array_interface__ if on_host(raw) else raw.__cuda_array_interface__
    return int(described["data"][0])


def stride(input: Tensor, dim: int | None = None) -> Any:
    """How many elements apart neighbours along an axis lie: a tuple for all axes, or an int for `dim`.

    >>> gradkit.ones(2, 3).stride()
    (3, 1)
    """
    raw = input.array
    steps = tuple([s // raw.itemsize for s in raw.strides[len(input.batch) :]])
    return steps if dim is None else steps[axis_from_end(input, dim)]
