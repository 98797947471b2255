"""The CPU: NumPy's arrays, and the functions that rules need which NumPy lacks or has only in a slow form."""

from typing import Any

import numpy as np

from gradkit.backend.protocol import Backend, Namespace, backends


def astype(x: Any, dtype: Any) -> Any:
    if x.dtype.kind == "c" and dtype.kind != "c" and dtype.kind != "b":
        x = x.real
    return x.astype(dtype)


def matmul(a: Any, b: Any) -> Any:
    return a.dot(b) if a.ndim == b.ndim == 2 else np.matmul(a, b)


def matrix_transpose(x: Any) -> Any:
    return x.swapaxes(-1, -2)


def zeros_like(x: Any) -> Any:
    return np.zeros(x.shape, x.dtype)


def index_add(shape: Any, dtype: Any, key: Any, values: Any) -> Any:
    z = np.zeros(shape, dtype)
    np.add.at(z, key, values)
    return z


class NumpyBackend(Backend):
    name = "cpu"
    array_types = (np.ndarray, np.generic)

    def __init__(self) -> None:
        self.xp = Namespace(
            np, astype=astype, index_add=index_add, matmul=matmul, matrix_transpose=matrix_transpose, zeros_like=zeros_like
        )

    def asarray(self, data: Any, dtype: Any = None, copy: bool | None = None) -> Any:
        return np.array(data, dtype) if copy else np.asarray(data, dtype)

    def to_host(self, array: Any) -> Any:
        return array

    def synchronize(self) -> None:
        """NumPy has finished when it returns."""

    def kernel(self, name: str) -> None:
        return None


NUMPY = backends["cpu"] = NumpyBackend()
