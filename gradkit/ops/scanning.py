"""Running totals, differences and integrals along a dimension."""

from typing import Any

from gradkit.engine.tensor import Tensor
from gradkit.ops import return_types
from gradkit.ops.joining import cat
from gradkit.primitives import scan as rows
from gradkit.primitives.arranging import along
from gradkit.primitives.indexing import slice_ as sliced
from gradkit.primitives.shape import astype, axis_from_end, reshape

__all__ = ["cummax", "cummin", "cumprod", "cumsum", "cumulative_trapezoid", "diff", "logcumsumexp", "trapezoid", "trapz"]
METHODS = ("cummax", "cummin", "cumprod", "cumsum", "diff", "logcumsumexp")
INPLACE = ("cumprod", "cumsum")


def running(row: Any, input: Tensor, dim: int, dtype: Any = None, **params: Any) -> Any:
    """A row that runs along a dimension; a 0-d tensor has one of extent 1."""
    at = axis_from_end(input, dim)
    if dtype is not None:
        input = astype(input, dtype=dtype)
    if input.ndim:
        return row(input, axis=at, **params)
    y = row(reshape(input, (1,)), axis=-1, **params)
    return [reshape(one, ()) for one in y] if isinstance(y, list) else reshape(y, ())


def required(name: str, dim: int | None, axis: int | None) -> int:
    dim = dim if axis is None else axis
    if dim is None:
        raise TypeError(f'{name}() missing 1 required positional arguments: "dim"')
    return dim


# -- running totals
def cumsum(input: Tensor, dim: int | None = None, *, dtype: Any = None, axis: int | None = None) -> Tensor:
    """Running sums along a dimension. Integers and bools give int64; `dtype` converts the elements first.

    IndexError if there is no such dimension.

    >>> gradkit.cumsum(gradkit.tensor([1.0, 2.0, 3.0]), dim=0)
    tensor([1., 3., 6.])
    """
    return running(rows.running_sum, input, required("cumsum", dim, axis), dtype, reverse=False)


def cumprod(input: Tensor, dim: int | None = None, *, dtype: Any = None, axis: int | None = None) -> Tensor:
    """Running products along a dimension; the derivatives are right at zeros too.

    Integers and bools give int64; `dtype` converts the elements first. IndexError if there is no such dimension.

    >>> gradkit.cumprod(gradkit.tensor([1.0, 2.0, 3.0]), dim=0)
    tensor([1., 2., 6.])
    """
    return running(rows.running_prod, input, required("cumprod", dim, axis), dtype, reverse=False)


def logcumsumexp(input: Tensor, dim: int | None = None, *, axis: int | None = None) -> Tensor:
    """log(cumsum(exp(input))) along a dimension, without overflow. IndexError if there is no such dimension.

    >>> gradkit.logcumsumexp(gradkit.tensor([1000.0, 1000.0]), dim=0)
    tensor([1000.0000, 1000.6932])
    """
    return running(rows.logcumsumexp, input, required("logcumsumexp", dim, axis))


def cummax(input: Tensor, dim: int | None = None, *, axis: int | None = None) -> Any:
    """The greatest elements so far along a dimension, as a named tuple (values, indices).

    Of elements that tie, the latest has index and gradient. IndexError if there is no such dimension.

    >>> gradkit.cummax(gradkit.tensor([1.0, 3.0, 2.0]), dim=0).values
    tensor([1., 3., 3.])
    """
    return return_types.cummax(*running(rows.cummax, ordered(input, "cummax"), required("cummax", dim, axis)))


def cummin(input: Tensor, dim: int | None = None, *, axis: int | None = None) -> Any:
    """The least elements so far along a dimension, as a named tuple (values, indices).

    Of elements that tie, the latest has index and gradient. IndexError if there is no such dimension.

    >>> gradkit.cummin(gradkit.tensor([3.0, 1.0, 2.0]), dim=0).indices
    tensor([0, 1, 1])
    """
    return return_types.cummin(*running(rows.cummin, ordered(input, "cummin"), required("cummin", dim, axis)))


def ordered(input: Tensor, name: str) -> Tensor:
    if input.dtype.kind == "c":
        raise NotImplementedError(f"complex numbers have no order: {name}() is not implemented for {input.dtype.name}")
    return input


# -- differences and integrals
def diff(
    input: Tensor, n: int = 1, dim: int = -1, prepend: Tensor | None = None, append: Tensor | None = None, *,
    axis: int | None = None,
) -> Tensor:
    """The differences of neighbours along a dimension, taken `n` times; `prepend` and `append` are joined on first.

    The dimension is `n` shorter, or empty. Bools differ by exclusive or. RuntimeError for a 0-d tensor or a negative `n`.

    >>> gradkit.diff(gradkit.tensor([1.0, 4.0, 9.0]))
    tensor([3., 5.])
    """
    if not input.ndim:
        raise RuntimeError("diff expects input to be at least one-dimensional")
    if n < 0:
        raise RuntimeError(f"order must be non-negative but got {n}")
    at = axis_from_end(input, dim if axis is None else axis)
    if n and (prepend is not None or append is not None):
        input = cat([part for part in (prepend, input, append) if part is not None], at)
    for _ in range(n):
        later, sooner = neighbours(input, at)
        input = later != sooner if input.dtype.kind == "b" else later - sooner
    return input


def neighbours(x: Tensor, axis: int) -> tuple[Tensor, Tensor]:
    return sliced(x, key=along(axis, slice(1, None))), sliced(x, key=along(axis, slice(0, max(x.shape[axis] - 1, 0))))


def panels(y: Tensor, x: Tensor | None, dx: Any, dim: int) -> tuple[Tensor, int]:
    """The areas under the straight lines between neighbours, and the axis they stand along."""
    at = axis_from_end(y, dim)
    later, sooner = neighbours(y, at)
    if x is None:
        return (later + sooner) * dx / 2, at
    if x.ndim == 1 < y.ndim:
        x = reshape(x, (-1,) + (1,) * (-at - 1))
    if x.shape[at] != y.shape[at]:
        raise RuntimeError(f"There must be one `x` value for each sample point: {x.shape[at]} for {y.shape[at]} along dim {dim}")
    return (later + sooner) * diff(x, dim=at) / 2, at


def trapezoid(y: Tensor, x: Tensor | None = None, *, dx: Any = None, dim: int = -1, axis: int | None = None) -> Tensor:
    """The integral along a dimension by the trapezoidal rule, over sample points `x` or at distance `dx` (default 1).

    `x` has the shape of `y`, one that broadcasts to it, or that of the dimension. RuntimeError for a wrong number of
    points.

    >>> gradkit.trapezoid(gradkit.tensor([1.0, 2.0, 3.0]), dx=2)
    tensor(8.)
    """
    areas, at = panels(y, x, 1 if dx is None else dx, dim if axis is None else axis)
    return areas.sum(at)


def trapz(y: Tensor, x: Tensor | None = None, *, dx: Any = None, dim: int = -1) -> Tensor:
    """`trapezoid` under its older name.

    >>> gradkit.trapz(gradkit.tensor([1.0, 2.0, 3.0]))
    tensor(4.)
    """
    return trapezoid(y, x, dx=dx, dim=dim)


def cumulative_trapezoid(y: Tensor, x: Tensor | None = None, *, dx: Any = None, dim: int = -1, axis: int | None = None) -> Tensor:
    """The integrals up to each sample but the first: see `trapezoid`.

    >>> gradkit.cumulative_trapezoid(gradkit.tensor([1.0, 2.0, 3.0]))
    tensor([1.5000, 4.0000])
    """
    areas, at = panels(y, x, 1 if dx is None else dx, dim if axis is None else axis)
    return cumsum(areas, at)
