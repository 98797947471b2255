"""Layout, dtypes and masks."""

from typing import Any

from gradkit.backend.cuda.compiling import elementwise

__all__ = [
    "argpartition", "argsort", "as_strided", "astype", "diagonal", "kept_by_mask", "logical_and", "logical_not", "logical_or",
    "logical_xor", "matmul", "matrix_transpose", "put_where", "roll", "spacing", "tril", "triu", "unique", "where", "zeros_like",
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
    """Complex numbers give their real part where the dtype cannot hold them."""
    dtype = cp.dtype(dtype)
    return (x.real if x.dtype.kind == "c" and dtype.kind not in "cb" else x).astype(dtype)


def diagonal(_cp: Any, x: Any, offset: int, axis1: int, axis2: int) -> Any:
    return x.diagonal(offset, axis1, axis2)


def matmul(cp: Any, a: Any, b: Any) -> Any:
    """CuPy's; where all of a stack meets one matrix, as one product, which takes no list of pointers.

    Other stacks of bfloat16, which CuPy refuses, are multiplied as float32.
    """
    if a.ndim > 2 == b.ndim and b.size:
        return cp.matmul(a.reshape(-1, a.shape[-1]), b).reshape(*a.shape[:-1], b.shape[-1])
    if a.dtype.char == "E" and (a.ndim > 2 or b.ndim > 2):
        return cp.matmul(a.astype("f"), b.astype("f")).astype(a.dtype)
    return cp.matmul(a, b)


def matrix_transpose(_cp: Any, x: Any) -> Any:
    return x.swapaxes(-1, -2)


def zeros_like(cp: Any, x: Any) -> Any:
    return cp.zeros(x.shape, x.dtype)


def roll(cp: Any, x: Any, shift: Any, axis: Any) -> Any:
    return cp.ascontiguousarray(cp.roll(x, shift, axis))


def spacing(cp: Any, x: Any) -> Any:
    x = x.astype(cp.result_type(x.dtype, cp.float16), copy=False)
    return cp.nextafter(x, cp.copysign(x.dtype.type("inf"), x)) - x


def kept_by_mask(cp: Any, mask: Any, x: Any) -> Any:
    return where(cp, mask, x, x.dtype.type(0))


def where(cp: Any, condition: Any, *pair: Any) -> Any:
    """CuPy's, whose answer to bfloat16 is float32."""
    kind = next((x.dtype for x in pair if hasattr(x, "dtype") and x.dtype.char == "E"), None)
    if kind is None:
        return cp.where(condition, *pair)
    a, b = [x if hasattr(x, "dtype") else kind.type(x) for x in pair]
    return elementwise(cp, "where", "bool condition, T a, T b", "T y", "y = condition ? a : b")(condition, a, b)


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


def tril(cp: Any, x: Any, k: int = 0) -> Any:
    return triangle(cp.tril, x, k)


def triu(cp: Any, x: Any, k: int = 0) -> Any:
    return triangle(cp.triu, x, k)


def triangle(cut: Any, x: Any, k: int) -> Any:
    """CuPy's; of bfloat16, for which it would answer with float32, by its bits."""
    return cut(x.view("H"), k).view(x.dtype) if x.dtype.char == "E" else cut(x, k)


def unique(cp: Any, x: Any, **options: Any) -> Any:
    """CuPy's, which subtracts along an axis, and so refuses bools there."""
    if x.dtype.kind != "b" or options.get("axis") is None:
        return cp.unique(x, **options)
    values, *more = cp.unique(x.view("B"), **options)
    return values.view("?"), *more


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
