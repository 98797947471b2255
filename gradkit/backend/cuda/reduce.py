"""Sums, extremes and variances, in the dtypes that PyTorch gives them, and what runs along an axis."""

from collections.abc import Callable
from functools import cache
from math import prod as product
from typing import Any

from gradkit.backend.cpu.reduce import normalised
from gradkit.backend.cuda.compiling import elementwise

__all__ = [
    "argmax", "argmin", "count_nonzero", "cumprod", "cumsum", "logcumsumexp", "max", "mean", "min", "prod",
    "recurrence_repaired", "running_max", "running_min", "std", "sum", "var",
]


def added_in(x: Any) -> str | None:
    """What is added up in another dtype: integers and bools in int64."""
    return "int64" if x.dtype.kind in "biu" else None


def sum(cp: Any, x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    return cp.sum(x, axis, added_in(x), keepdims=keepdims)


def mean(cp: Any, x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    return cp.mean(x, axis, keepdims=keepdims)


def prod(cp: Any, x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    return cp.prod(x, axis, added_in(x), keepdims=keepdims)


def max(cp: Any, x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    return cp.amax(x, axis, keepdims=keepdims)


def min(cp: Any, x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    return cp.amin(x, axis, keepdims=keepdims)


def argmax(cp: Any, x: Any, axis: int | None = None, keepdims: bool = False) -> Any:
    """The first of equal ones, or the first NaN: CuPy's own answers with any NaN."""
    return found(cp, ">", x, axis, keepdims)


def argmin(cp: Any, x: Any, axis: int | None = None, keepdims: bool = False) -> Any:
    return found(cp, "<", x, axis, keepdims)


def found(cp: Any, sign: str, x: Any, axis: int | None, keepdims: bool) -> Any:
    if not (x.size if axis is None else x.shape[axis]):
        raise ValueError("attempt to get argmax or argmin of an empty sequence")
    return place(cp, sign)(x, axis=axis, keepdims=keepdims)


_FOUND = """
template<typename T> struct Found {{
    T value; long long index;
    __device__ Found() : value(), index(-1) {{}}
    __device__ Found(T value, long long index) : value(value), index(index) {{}}
    __device__ bool before(const Found& other) const {{
        if (other.index < 0 || index < 0) return index >= 0;
        const bool is_nan = value != value, other_is = other.value != other.value;
        if (is_nan != other_is) return is_nan;
        return is_nan || value == other.value ? index < other.index : value {sign} other.value;
    }}
}};
"""


@cache
def place(cp: Any, sign: str) -> Any:
    name = "gradkit_argmax" if sign == ">" else "gradkit_argmin"
    return cp.ReductionKernel(
        "T x", "int64 y", "Found<T>(x, _J)", "a.before(b) ? a : b", "y = a.index", "Found<T>()", name,
        reduce_type="Found<T>", preamble=_FOUND.format(sign=sign),
    )


def count_nonzero(cp: Any, x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    return cp.sum(x != 0, axis, "int64", keepdims=keepdims)


def var(cp: Any, x: Any, axis: Any = None, correction: float = 1, keepdims: bool = False) -> Any:
    """The mean squared distance from the mean, over n - `correction`: NaN or inf if that leaves nothing, as in PyTorch."""
    return spread(cp, x, axis, correction, keepdims, root="")


def std(cp: Any, x: Any, axis: Any = None, correction: float = 1, keepdims: bool = False) -> Any:
    return spread(cp, x, axis, correction, keepdims, root="sqrt")


def spread(cp: Any, x: Any, axis: Any, correction: float, keepdims: bool, root: str) -> Any:
    given = x.dtype
    x = x.astype("f") if given.char in "eE" else x
    axes = normalised(axis, x.ndim)
    freedom = product([x.shape[a] for a in axes]) - correction
    kernel = squares(cp, "norm(x - m)" if x.dtype.kind == "c" else "(x - m) * (x - m)", root)
    out = cp.empty(reduced_shape(x.shape, axes, keepdims), x.real.dtype)
    kernel(x, cp.mean(x, axes, keepdims=True), freedom if freedom > 0 else 0, out, axis=axes, keepdims=keepdims)
    return out.astype(given) if given.char in "eE" else out


def reduced_shape(shape: Any, axes: tuple[int, ...], keepdims: bool) -> tuple[int, ...]:
    return tuple([1 if a in axes else n for a, n in enumerate(shape) if keepdims or a not in axes])


@cache
def squares(cp: Any, distance: str, root: str) -> Any:
    return cp.ReductionKernel(
        "T x, T m, float64 freedom", "R y", distance, "a + b", f"y = {root}(a / R(freedom))", "0", "gradkit_var", reduce_type="R"
    )


# -- along an axis
def cumsum(cp: Any, x: Any, axis: int) -> Any:
    return running(x, lambda x: cp.ascontiguousarray(cp.cumsum(x, axis, added_in(x))))


def cumprod(cp: Any, x: Any, axis: int) -> Any:
    return running(x, lambda x: cp.ascontiguousarray(cp.cumprod(x, axis, added_in(x))))


def running(x: Any, total: Callable[[Any], Any]) -> Any:
    """Half precision and bfloat16 are rounded once, at the end."""
    return total(x.astype("f")).astype(x.dtype) if x.dtype.char in "eE" else total(x)


def doubled(cp: Any, x: Any, axis: int, join: Callable[..., Any]) -> Any:
    """The running values of an associative function, by doubling (Hillis and Steele 1986)."""
    y = x.copy()
    along, step = cp.moveaxis(y, axis, 0) if y.ndim else y.reshape(1), 1
    while step < len(along):
        along[step:] = join(along[step:], along[:-step])
        step *= 2
    return y


def running_max(cp: Any, x: Any, axis: int) -> Any:
    return doubled(cp, x, axis, cp.maximum)


def running_min(cp: Any, x: Any, axis: int) -> Any:
    return doubled(cp, x, axis, cp.minimum)


# As `gradkit.backend.cpu.softmax` has it, with the logarithm of 1 + z written out for small z.
_LOGCUMSUMEXP = """for (long long k = i + lanes; k < (long long)y.size(); k += lanes) {
    const T a = y[k - lanes], b = y[k], top = b.real() < a.real() ? a : b, z = exp((b.real() < a.real() ? b : a) - top);
    const T::value_type u = z.real(), v = z.imag();
    y[k] = top + T(log1p(u * (2 + u) + v * v) / 2, atan2(v, 1 + u));
}"""


def logcumsumexp(cp: Any, x: Any, axis: int) -> Any:
    """The logarithm of the running sum of ``exp(x)``; of complex numbers in turn, as that decides which branch it is on."""
    if x.dtype.kind == "c" and x.size and x.ndim:
        y = cp.moveaxis(x, axis, 0).copy()
        elementwise(cp, "logcumsumexp", "int64 lanes", "raw T y", _LOGCUMSUMEXP)(y[0].size, y, size=y[0].size)
        return cp.moveaxis(y, 0, axis)
    return running(x, lambda x: doubled(cp, x, axis, cp.logaddexp))


def recurrence_repaired(cp: Any, a: Any, b: Any, y: Any) -> Any:
    """``y[i] = a[i] y[i-1] + b[i]`` along the first axis: `y`, but where it has left the range of its dtype."""
    good = cp.isfinite(y).all(axis=0)
    body = (
        "if (!good) { T v = b[i]; y[i] = v;"
        " for (long long k = i + lanes; k < (long long)y.size(); k += lanes) { v = a[k] * v + b[k]; y[k] = v; } }"
    )
    elementwise(cp, "recurrence", "bool good, raw T a, raw T b, int64 lanes", "raw T y", body)(good, a, b, good.size, y)
    return y
