"""The CPU: NumPy's arrays, and the functions that rules need which NumPy lacks or has only in a slow form."""

from collections.abc import Callable
from functools import lru_cache
from importlib import import_module
from typing import Any

import numpy as np

from gradkit.backend.cpu import cross_entropy, elementary, indexing, normalization, products, reduce, softmax
from gradkit.backend.cpu.memory import Memory
from gradkit.backend.protocol import Backend, Namespace, enter


def astype(x: Any, dtype: Any) -> Any:
    if x.dtype.kind == "c" and dtype.kind != "c" and dtype.kind != "b":
        x = x.real
    return x.astype(dtype)


def matmul(a: Any, b: Any) -> Any:
    if a.ndim == b.ndim == 2:
        return a.dot(b)
    if b.size and a.ndim > 1 < b.ndim and a.shape[-1] == b.shape[-2]:
        m, k, n = *a.shape[-2:], b.shape[-1]
        if m == 1 and b.size == k * n and a.ndim >= b.ndim:  # vectors and one matrix: NumPy takes one after the other
            return a.reshape(-1, k).dot(b.reshape(k, n)).reshape(*a.shape[:-1], n)
        if n == 1 and a.size == m * k:
            return matmul(b.mT, a.mT).mT
    y = np.matmul(a, b)
    return y.astype(a.dtype) if a.dtype.char == "E" else y  # of bfloat16 it is float32


def matrix_transpose(x: Any) -> Any:
    return x.swapaxes(-1, -2)


def reshape(x: Any, shape: Any) -> Any:
    return x.reshape(shape)


def zeros_like(x: Any) -> Any:
    return np.zeros(x.shape, x.dtype)


def broadcast_to(x: Any, shape: Any) -> Any:
    """NumPy's, at a tenth of the cost where the memory is in one piece; writeable as `x` is."""
    try:
        return np.ndarray(shape, x.dtype, x, 0, stretched(x.shape, x.strides, tuple(shape)))
    except ValueError:
        y = np.broadcast_to(x, shape)
        y.flags.writeable = x.flags.writeable
        return y


@lru_cache(maxsize=4096)
def stretched(shape: tuple[int, ...], strides: tuple[int, ...], wanted: tuple[int, ...]) -> tuple[int, ...]:
    """The strides that show an array in a larger shape. ValueError if it does not broadcast."""
    new = len(wanted) - len(shape)
    if new < 0 or any([n != m and n != 1 for n, m in zip(shape, wanted[new:])]):
        raise ValueError(f"{shape} does not broadcast to {wanted}")
    return (0,) * new + tuple([0 if n == 1 else s for n, s in zip(shape, strides)])


def diagonal(x: Any, offset: int, axis1: int, axis2: int) -> Any:
    """NumPy's, writeable if `x` is."""
    y = x.diagonal(offset, axis1, axis2)
    y.flags.writeable = x.flags.writeable
    return y


def cholesky(a: Any) -> Any:
    """NumPy's; raises for a nan too, which goes through to the last element."""
    y = np.linalg.cholesky(a)
    if np.isnan(y[..., -1:, -1:]).any():
        raise np.linalg.LinAlgError("Matrix is not positive definite")
    return y


# -- reductions, in the dtypes that PyTorch gives them
#: What is added up in another dtype; half precision is rounded once, at the end.
ADDED_IN = {np.dtype(d): np.int64 for d in ("?", "b", "h", "i", "l", "q", "B", "H", "I", "L", "Q")}
ADDED_IN[np.dtype("e")] = np.float32
FEW = 9216  # elements up to which an array's sum is one product with ones, and its maximum is read where argmax says
MANY = 1 << 17  # the same for the sums of a matrix over one axis, and its maxima over the last
BITS = {2: np.dtype(np.int16), 4: np.dtype(np.int32), 8: np.dtype(np.int64)}
RUN = 1024  # how many elements of a larger array are summed at a time
ONES = {np.dtype(d): np.ones(RUN, d) for d in ("f", "d")}
OVER_ROWS = {(-2,): True, (0,): True, -2: True, 0: True, (-1,): False, (1,): False, -1: False, 1: False}

_ones: dict[Any, Any] = {}


def ones_for(n: int, dtype: Any) -> Any:
    """None for dtypes that BLAS does not serve."""
    found = _ones.get((n, dtype))
    if found is None and dtype.char in "fd" and n <= FEW and len(_ones) < 256:
        found = _ones[n, dtype] = np.ones(n, dtype)
    return found


def total(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The sum: of small arrays, and of small matrices over one axis, as a product with ones."""
    if axis is None or (type(axis) is tuple and len(axis) == x.ndim):
        ones = None if keepdims else ones_for(x.size, x.dtype)
        if ones is not None:
            return x.ravel().dot(ones)
        if not keepdims and x.dtype in ONES and FEW < x.size <= 4 * MANY:
            return sum_of_runs(x.ravel())
    elif x.ndim == 2 and x.size <= MANY:
        rows = OVER_ROWS.get(axis)
        ones = None if rows is None else ones_for(x.shape[not rows], x.dtype)
        if ones is not None:
            y = ones.dot(x) if rows else x.dot(ones)
            return y.reshape((1, -1) if rows else (-1, 1)) if keepdims else y
    wide = ADDED_IN.get(x.dtype)
    if wide is None:
        return in_rows(reduce.sum(x, axis, keepdims))
    y = in_rows(np.add.reduce(x, axis, wide, None, keepdims))
    return y.astype(x.dtype) if wide is np.float32 else y


def in_rows(y: Any) -> Any:
    """A result in row-major order whatever that of the operands was, as PyTorch's: what follows may take views."""
    return y if y.ndim < 2 or y.flags.c_contiguous else np.ascontiguousarray(y)


def laid_in_rows(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *args, **kwargs: in_rows(function(*args, **kwargs))


def total_of_product(left: Any, right: Any, axis: Any, keepdims: bool) -> Any:
    """The sum of ``left * right``, which is not made where runs of one of them can be multiplied by runs of the other."""
    shape, every = left.shape, axis is None or len(axis) == left.ndim
    if left.dtype.char in "fd" and left.flags.c_contiguous and right.flags.c_contiguous:
        if every and not left.size % RUN:
            y = np.vecdot(left.reshape(-1, RUN), right.reshape(-1, RUN)).sum()
            return y.reshape((1,) * len(shape)) if keepdims else y
        if axis == (-1,) and RUN // 8 <= shape[-1] <= FEW:
            y = np.vecdot(left, right)
            return y[..., None] if keepdims else y
    return total(left * right, axis, keepdims)


def concatenate(xs: Any, axis: int = 0) -> Any:
    y = np.concatenate(xs, axis)
    return y if y.ndim < 2 or y.flags.c_contiguous else np.ascontiguousarray(y)


def sum_of_runs(x: Any) -> Any:
    ones = ONES[x.dtype]
    count = x.size // RUN
    y = x[: count * RUN].reshape(count, RUN).dot(ones).dot(ones[:count])
    rest = x[count * RUN :]
    return y + rest.dot(ones[: rest.size]) if rest.size else y


def average(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    y = total(x, axis, keepdims)
    return y / (x.size // y.size) if y.size else y


def extreme(ufunc: Any, find: str) -> Callable[..., Any]:
    """A maximum or minimum: of small arrays, and of the rows of small matrices, where argmax or argmin finds it."""

    place_of = getattr(np.ndarray, find)

    def over(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
        if not keepdims and x.size <= MANY:
            if axis is None or (type(axis) is tuple and len(axis) == x.ndim):
                if x.size <= FEW:
                    return x.ravel()[getattr(x, find)()]
            elif axis == (-1,) and x.ndim == 2 and x.size:
                places = place_of(x, -1)
                places += starts(*x.shape)
                return x.take(places)
        return in_rows(ufunc.reduce(x, axis, None, None, keepdims))

    return over


@lru_cache(maxsize=64)
def starts(rows: int, columns: int) -> Any:
    return np.arange(0, rows * columns, columns)


def argmax(x: Any, axis: int, keepdims: bool = False) -> Any:
    return x.argmax(axis, keepdims=keepdims)


def argmin(x: Any, axis: int, keepdims: bool = False) -> Any:
    return x.argmin(axis, keepdims=keepdims)


def product(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    wide = ADDED_IN.get(x.dtype)
    y = in_rows(np.multiply.reduce(x, axis, wide, None, keepdims))
    return y.astype(x.dtype) if wide is np.float32 else y


def running(ufunc: Any) -> Any:
    """Totals along an axis, in row-major order like all that is reduced."""

    def accumulated(x: Any, axis: int) -> Any:
        wide = ADDED_IN.get(x.dtype)
        if x.ndim > 1 and x.dtype.kind in "fc" and not x.flags.c_contiguous:
            y = ufunc.accumulate(x, axis, wide, np.empty(x.shape, wide or x.dtype))
        else:
            y = ufunc.accumulate(x, axis, wide)
        return y.astype(x.dtype) if wide is np.float32 else y

    return accumulated


def running_max(x: Any, axis: int) -> Any:
    return np.maximum.accumulate(x, axis)


def running_min(x: Any, axis: int) -> Any:
    return np.minimum.accumulate(x, axis)


def signum(x: Any) -> Any:
    """1, 0 or -1; that of nan is 0, where NumPy's is nan."""
    return ((x > 0).view(np.int8) - (x < 0).view(np.int8)).astype(x.dtype)


def kept_by_mask(mask: Any, x: Any) -> Any:
    """`x` where the mask holds, else 0, be `x` infinite or nan there: its bits, as integers, times 1 or 0.

    That takes a sixth of the time of numpy.where, whose branch mispredicts.
    """
    bits = BITS.get(x.dtype.itemsize) if x.dtype.kind in "fcV" else x.dtype
    if bits is None:
        return np.where(mask, x, x.dtype.type(0))
    return (x.view(bits) * mask.astype(bits)).view(x.dtype)


def put_where(z: Any, mask: Any, values: Any) -> None:
    z[mask] = values


def recurrence_repaired(a: Any, b: Any, y: Any) -> Any:
    """``y[i] = a[i] y[i-1] + b[i]`` along the first axis: `y`, unless it has left the range of its dtype."""
    if not np.isfinite(y).all():
        y = b.copy()
        for i in range(1, len(y)):
            y[i] += a[i] * y[i - 1]
    return y


def add_into(z: Any, key: Any, values: Any) -> None:
    """``z[key] += values``, also where a place comes several times. add.at is for few values: it is slow, but in place."""
    if 8 * values.size < z.size or z.dtype.kind not in "fc":
        np.add.at(z, key, values)
    else:
        z += indexing.index_add(z.shape, z.dtype, key, values)


#: What stands in for programs of the rows on raw arrays: see `gradkit.primitives.fusible`.
FUSED = {
    "fused_batch_moments": normalization.batch_moments,
    "fused_batch_norm_forward": normalization.batch_norm_forward, "fused_batch_norm_vjp": normalization.batch_norm_vjp,
    "fused_cross_entropy_forward": cross_entropy.cross_entropy_forward,
    "fused_cross_entropy_vjp": cross_entropy.cross_entropy_vjp,
    "fused_layer_norm_forward": normalization.layer_norm_forward, "fused_layer_norm_vjp": normalization.layer_norm_vjp,
    "fused_logsumexp_forward": softmax.logsumexp, "fused_product_of_others": products.product_of_others,
    "fused_running_prod_vjp": products.running_prod_vjp,
    "fused_log_softmax_forward": softmax.log_softmax, "fused_log_softmax_vjp": normalization.log_softmax_vjp,
    "fused_softmax_forward": softmax.softmax, "fused_softmax_vjp": normalization.softmax_vjp,
    "fused_standardize_forward": normalization.standardize_forward,
    "fused_standardize_vjp": normalization.standardize_vjp,
}


def deferred(module: str, name: str) -> Callable[..., Any]:
    """A function of `gradkit.backend.cpu` whose module is imported when it is first called."""
    found = None

    def call(*args: Any, **params: Any) -> Any:
        nonlocal found
        if found is None:
            found = getattr(import_module(f"gradkit.backend.cpu.{module}"), name)
        return found(*args, **params)

    return call


IN_ROWS = (
    reduce.var, reduce.std, np.any, np.all, np.roll, np.tril, np.triu, running_max, running_min,
    softmax.logcumsumexp,
)
#: Functions that NumPy lacks, or (powers) computes slowly.
ELEMENTARY = {name: getattr(elementary, name) for name in ("power", "sigmoid", "log_sigmoid", "softplus", "gelu")}
SPECIAL = {
    name: deferred(module, name)
    for module, names in {
        "bessel": ("i0", "i0e", "i1", "i1e"), "erf": ("erf", "erfc", "erfcx", "erfinv"),
        "gamma": ("digamma", "lgamma", "polygamma"), "normal": ("log_ndtr", "ndtr", "ndtri"),
    }.items()
    for name in names
}


CONVOLUTION = {
    "conv_forward": deferred("conv", "conv_forward"), "conv_input": deferred("conv", "conv_input_ct"),
    "conv_weight": deferred("conv", "conv_weight_ct"),
}
POOLING = {
    "pool_max": deferred("pooling", "max_pool"), "pool_max_at": deferred("pooling", "max_pool_indices"),
    "pool_mean": deferred("pooling", "avg_pool"), "pool_mean_ct": deferred("pooling", "avg_pool_ct"),
}


class NumpyBackend(Backend):
    name = "cpu"
    array_types = (np.ndarray, np.generic)
    memory = Memory()

    def __init__(self) -> None:
        self.xp = Namespace(
            np, add_into=add_into, as_strided=np.lib.stride_tricks.as_strided, read_along=indexing.gather,
            sum_along=indexing.scatter_add, put_along=indexing.put_along, fold_along=indexing.fold_along,
            astype=astype, index_add=indexing.index_add, matmul=matmul, matrix_transpose=matrix_transpose,
            zeros_like=zeros_like, reshape=reshape,
            broadcast_to=broadcast_to, diagonal=diagonal, sum=total, mean=average,
            max=extreme(np.maximum, "argmax"), min=extreme(np.minimum, "argmin"), argmax=argmax, argmin=argmin,
            put_where=put_where, kept_by_mask=kept_by_mask, signum=signum, recurrence_repaired=recurrence_repaired,
            concatenate=concatenate, linalg=Namespace(np.linalg, cholesky=cholesky),
            prod=product, cumsum=running(np.add), cumprod=running(np.multiply),
            **{one.__name__: laid_in_rows(one) for one in IN_ROWS}, **FUSED, **ELEMENTARY, **SPECIAL, **CONVOLUTION, **POOLING,
        )

    def asarray(self, data: Any, dtype: Any = None, copy: bool | None = None) -> Any:
        return np.array(data, dtype) if copy else np.asarray(data, dtype)

    def to_host(self, array: Any, non_blocking: bool = False) -> Any:
        return array

    def synchronize(self, index: int | None = None) -> None:
        """NumPy has finished when it returns."""

    def kernel(self, name: str) -> None:
        return None


NUMPY = enter(NumpyBackend())


def on_host(array: Any) -> bool:
    """Whether the host can look at a raw array without waiting for a device."""
    return isinstance(array, NUMPY.array_types)


# glibc gives every freed block above 128 KiB back to the system, and takes the next one from it page by page: half the
# time of a program that makes and drops arrays. It stops once it has seen a larger block freed (its mmap threshold then
# is that size, up to 32 MiB): here is one, which is never touched.
np.empty((1 << 25) - (1 << 14), np.uint8)
