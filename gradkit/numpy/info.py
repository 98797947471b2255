"""What the namespace knows about itself: dtypes and their limits, promotion, constants, devices."""

from typing import Any

import numpy as np

from gradkit.backend.protocol import backends
from gradkit.engine.device import device, get_default_device
from gradkit.engine.tensor import Tensor
from gradkit.numpy import calling

e, inf, nan, newaxis, pi = np.e, np.inf, np.nan, np.newaxis, np.pi
euler_gamma = np.euler_gamma

bool_, bool = np.bool_, np.bool
int8, int16, int32, int64 = np.int8, np.int16, np.int32, np.int64
uint8, uint16, uint32, uint64 = np.uint8, np.uint16, np.uint32, np.uint64
float16, float32, float64, complex64, complex128 = np.float16, np.float32, np.float64, np.complex64, np.complex128
dtype = np.dtype


def dtype_of(x: Any) -> Any:
    return x.dtype if isinstance(x, Tensor) else x


def result_type(*arrays_and_dtypes: Any) -> np.dtype[Any]:
    """The dtype of an operation on tensors, arrays, dtypes and Python numbers together, by NumPy's rule.

    >>> gnp.result_type(gradkit.ones(2), gnp.int32)
    dtype('float64')
    """
    return calling.result_type(*arrays_and_dtypes)


def can_cast(from_: Any, to: Any, casting: str = "safe") -> Any:
    """Whether a dtype, or a tensor's dtype, converts to another by the rule `casting`.

    >>> gnp.can_cast(gradkit.ones(2), gnp.float16)
    False
    """
    return np.can_cast(dtype_of(from_), to, casting)  # type: ignore[arg-type]


def finfo(type: Any) -> Any:
    """The limits of a floating dtype, or of a tensor's.

    >>> gnp.finfo(gradkit.ones(2)).bits
    32
    """
    return np.finfo(dtype_of(type))


def iinfo(type: Any) -> Any:
    """The limits of an integer dtype, or of a tensor's.

    >>> gnp.iinfo(gnp.int8).max
    127
    """
    return np.iinfo(dtype_of(type))


def isdtype(dtype: Any, kind: Any) -> Any:
    """Whether a dtype is of a kind: "bool", "integral", "real floating", "numeric" ..., a dtype, or a tuple of such.

    >>> gnp.isdtype(gnp.float32, ("integral", "real floating"))
    True
    """
    return np.isdtype(dtype, kind)


def promote_types(type1: Any, type2: Any) -> np.dtype[Any]:
    """The smallest dtype to which both convert safely: NumPy's rule.

    >>> gnp.promote_types(gnp.int32, gnp.float32)
    dtype('float64')
    """
    return np.promote_types(type1, type2)


class Info:
    """What the standard's `__array_namespace_info__` answers: capabilities, devices, dtypes.

    >>> gnp.__array_namespace_info__().default_device()
    device(type='cpu')
    """

    __module__ = "gradkit.numpy"

    def capabilities(self) -> dict[str, Any]:
        """Whether bool indices and shapes that depend on data are served, and how many axes there may be.

        >>> gnp.__array_namespace_info__().capabilities()["boolean indexing"]
        True
        """
        return {"boolean indexing": True, "data-dependent shapes": True, "max dimensions": 64}

    def default_device(self) -> device:
        """The device that tensors are made on.

        >>> gnp.__array_namespace_info__().default_device()
        device(type='cpu')
        """
        return get_default_device()

    def default_dtypes(self, *, device: Any = None) -> dict[str, Any]:
        """The dtypes of Python numbers here: NumPy's, not PyTorch's.

        >>> gnp.__array_namespace_info__().default_dtypes()["real floating"]
        dtype('float64')
        """
        return dict(np.__array_namespace_info__().default_dtypes())

    def devices(self) -> list[device]:
        """The devices that are in use.

        >>> gnp.__array_namespace_info__().devices()
        [device(type='cpu')]
        """
        gpus: Any = backends.get("cuda")
        return [device("cpu"), *[device("cuda", i) for i in range(gpus.count if gpus else 0)]]

    def dtypes(self, *, device: Any = None, kind: Any = None) -> dict[str, Any]:
        """The dtypes by name, all or those of a `kind`.

        >>> sorted(gnp.__array_namespace_info__().dtypes(kind="complex floating"))
        ['complex128', 'complex64']
        """
        return np.__array_namespace_info__().dtypes(kind=kind)


def __array_namespace_info__() -> Info:
    """The standard's way to ask a namespace about itself.

    >>> gnp.__array_namespace_info__().default_device()
    device(type='cpu')
    """
    return Info()


__array_api_version__ = "2024.12"

__all__ = [
    "__array_api_version__", "__array_namespace_info__", "bool", "bool_", "can_cast", "complex64", "complex128",
    "dtype", "e", "euler_gamma", "finfo", "float16", "float32", "float64", "iinfo", "inf", "int8", "int16", "int32",
    "int64", "isdtype", "nan", "newaxis", "pi", "promote_types", "result_type", "uint8", "uint16", "uint32", "uint64",
]
