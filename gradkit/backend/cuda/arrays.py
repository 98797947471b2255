"""Layout, dtypes and masks."""

from typing import Any

from gradkit.backend.cuda.compiling import elementwise

__all__ = [
    "argpartition", "argsort", "as_strided", "astype", "diagonal", "kept_by_mask", "logical_and", "logical_not", "logical_or",
    "logical_xor", "matmul", "matrix_transpose", "put_where", "spacing", "zeros_like",
]


def argpartition(cp: Any, x: Any, kth: Any, axis: int = -1, kind: Any = None) -> Any:
    """The order of all: CuPy's own asks the host after every step."""
    return cp.argsort(x, axis=axis)


def argsort(cp: Any, x: Any, axis: int = -1, kind: Any = None, stable: Any = None) -> Any:
    """CuPy's, which is always stable."""
    return cp.argsort(x, axis=axis)


def as_strided(_cp: Any, x: Any, shape: Any, strides: Any) -> Any:
    """A view that knows whose memory it has, as CuPy's own does not: what is written through it has to be seen."""
    y = x.view()
    y._set_shape_and_strides(shape, strides, True, True)
    return y


def astype(cp: Any, x: Any, dtype: Any) -> Any:
    """A copy in another dtype; of complex numbers the real part, where that cannot hold them."""
    dtype = cp.dtype(dtype)
    return (x.real if x.dtype.kind == "c" and dtype.kind not in "cb" else x).astype(dtype)


def diagonal(_cp: Any, x: Any, offset: int, axis1: int, axis2: int) -> Any:
    return x.diagonal(offset, axis1, axis2)


def matmul(cp: Any, a: Any, b: Any) -> Any:
    """CuPy's; where all of a stack meets one matrix, as one product, which takes no list of pointers."""
    if a.ndim > 2 == b.ndim:
        return cp.matmul(a.reshape(-1, a.shape[-1]), b).reshape(*a.shape[:-1], b.shape[-1])
    return cp.matmul(a, b)


def matrix_transpose(_cp: Any, x: Any) -> Any:
    return x.swapaxes(-1, -2)


def zeros_like(cp: Any, x: Any) -> Any:
    return cp.zeros(x.shape, x.dtype)


def spacing(cp: Any, x: Any) -> Any:
    """The distance to the next number, away from 0."""
    x = x.astype(cp.result_type(x.dtype, cp.float16), copy=False)
    return cp.nextafter(x, cp.copysign(x.dtype.type("inf"), x)) - x


def kept_by_mask(cp: Any, mask: Any, x: Any) -> Any:
    """`x` where the mask holds, else 0."""
    return cp.where(mask, x, x.dtype.type(0))


def put_where(cp: Any, z: Any, mask: Any, values: Any) -> None:
    """``z[mask] = values`` for one value or a list of them, without asking how many places the mask has.

    Where the list is too short, its last value is repeated.
    """
    if values.size == 1:
        cp.copyto(z, values.reshape(()), where=mask)
    elif values.size:
        ranks = cp.cumsum(mask.reshape(-1)).reshape(mask.shape)
        body = "if (mask) z = values[min((long long)rank, (long long)values.size()) - 1]"
        elementwise(cp, "put_where", "bool mask, int64 rank, raw T values", "T z", body)(mask, ranks, values, z)


# -- logic, of complex numbers too
def truth(x: Any) -> Any:
    return x != 0 if x.dtype.kind == "c" else x


def logical_and(cp: Any, a: Any, b: Any) -> Any:
    return cp.logical_and(truth(a), truth(b))


def logical_or(cp: Any, a: Any, b: Any) -> Any:
    return cp.logical_or(truth(a), truth(b))


def logical_xor(cp: Any, a: Any, b: Any) -> Any:
    return cp.logical_xor(truth(a), truth(b))


def logical_not(cp: Any, x: Any) -> Any:
    return cp.logical_not(truth(x))
