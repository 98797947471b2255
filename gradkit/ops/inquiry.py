"""What a tensor is, and what would come of several."""

from typing import Any

import numpy as np

from gradkit.engine import dtypes
from gradkit.engine.naming import named
from gradkit.engine.tensor import Tensor
from gradkit.primitives.shape import extents

__all__ = ["can_cast", "get_device", "is_inference", "is_same_size", "is_signed", "is_tensor", "numel", "result_type"]
METHODS = ("get_device", "is_same_size", "is_signed")
PROPERTIES = ("is_cpu", "is_meta", "is_nested", "is_quantized", "is_sparse", "is_sparse_csr")


def is_tensor(obj: Any) -> bool:
    """Whether this is a Tensor.

    >>> gradkit.is_tensor(gradkit.ones(1)), gradkit.is_tensor([1.0])
    (True, False)
    """
    return isinstance(obj, Tensor)


def numel(input: Tensor) -> int:
    """The number of elements.

    >>> gradkit.numel(gradkit.zeros(2, 3))
    6
    """
    return input.numel()


def is_inference(input: Tensor) -> bool:
    """Whether the tensor was made in inference mode.

    >>> gradkit.is_inference(gradkit.ones(1))
    False
    """
    return bool(input.is_inference())


def is_signed(input: Tensor) -> bool:
    """Whether the dtype has negative numbers.

    >>> gradkit.ones(1).is_signed(), gradkit.ones(1, dtype=gradkit.uint8).is_signed()
    (True, False)
    """
    return input.dtype.kind not in "bu"


def is_same_size(input: Tensor, other: Tensor) -> bool:
    """Whether two tensors have the same shape.

    >>> gradkit.ones(2).is_same_size(gradkit.ones(2, 1))
    False
    """
    return extents(input) == extents(other)


def get_device(input: Tensor) -> int:
    """The number of the GPU that the tensor is on, -1 on the CPU.

    >>> gradkit.ones(1).get_device()
    -1
    """
    return input.device.index or 0 if input.is_cuda else -1


def result_type(tensor1: Any, tensor2: Any) -> np.dtype[Any]:
    """The dtype of an operation on two, tensors or Python numbers, by PyTorch's rule.

    >>> gradkit.result_type(gradkit.tensor([1, 2]), 1.0)
    dtype('float32')
    """
    return dtypes.result_type(*[x.array if isinstance(x, Tensor) else x for x in (tensor1, tensor2)])


def can_cast(from_: Any, to: Any) -> bool:
    """Whether a conversion is allowed within an operation: not from complex to real, floating to integer, number to bool.

    >>> gradkit.can_cast(gradkit.float64, gradkit.float32), gradkit.can_cast(gradkit.float32, gradkit.int64)
    (True, False)
    """
    source, target = np.dtype(from_), np.dtype(to)
    rank = {"b": 0, "u": 1, "i": 1, "f": 2, "V": 2, "c": 3}
    return rank[source.kind] <= rank[target.kind]


# -- what no tensor here is
def is_cpu(input: Tensor) -> bool:
    return not input.is_cuda


def _never(name: str) -> Any:
    def flag(input: Tensor) -> bool:
        return False

    return named(flag, name, flag.__doc__)


is_meta, is_nested, is_quantized = [_never(name) for name in ("is_meta", "is_nested", "is_quantized")]
is_sparse, is_sparse_csr = _never("is_sparse"), _never("is_sparse_csr")
