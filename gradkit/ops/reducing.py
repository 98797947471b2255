"""Reductions with PyTorch's signatures; NumPy's names `axis` and `keepdims` are understood too.

Dimensions count from either end; None, or none at all, is all of them. A 0-d tensor has a dimension 0 and -1 of extent 1.
Errors are PyTorch's: IndexError for a dimension that there is not, RuntimeError for one named twice, TypeError for an
`input` that is not a Tensor.
"""

from collections.abc import Callable
from typing import Any

from gradkit import errors
from gradkit.engine import dtypes
from gradkit.engine.tensor import Tensor
from gradkit.ops import return_types
from gradkit.ops.norms import cdist, dist, norm
from gradkit.ops.statistics import corrcoef, cov, std, std_mean, var, var_mean
from gradkit.primitives import reduction as rows
from gradkit.primitives.piecewise import masked, maximum, minimum
from gradkit.primitives.shape import astype, axis_from_end, reshape

__all__ = [
    "all", "amax", "amin", "aminmax", "any", "argmax", "argmin", "cdist", "corrcoef", "count_nonzero", "cov", "dist",
    "logsumexp", "max", "mean", "min", "nanmean", "nansum", "norm", "prod", "std", "std_mean", "sum", "var", "var_mean",
]
METHODS = tuple([name for name in __all__ if name not in ("cdist", "std_mean", "var_mean")])

Dims = int | tuple[int, ...] | list[int] | None


# -- how rows along axes are called
def along(row: Any, refused: str = "", complaint: Any = None) -> Callable[[Any, Any, bool], Tensor]:
    """`row` as ``f(input, dim, keepdim)``.

    Its parameters are worked out once for each rank, dtype, dim and keepdim that a program uses: that would take longer
    than a small reduction. `complaint` says what is wrong with a dtype of the `refused` kinds.
    """
    apply, name = row.apply, row.primitive.name
    plans: dict[Any, dict[str, Any]] = {}

    def reduced(input: Any, dim: Any, keepdim: bool) -> Tensor:
        try:
            x = input.array
            params = plans.get((x.ndim - len(input.batch), x.dtype, dim, keepdim))
        except (AttributeError, TypeError):  # not a tensor; a list of dimensions, which has no hash
            params = None
        return apply(input, planned(input, dim, keepdim) if params is None else params)

    def planned(input: Any, dim: Any, keepdim: bool) -> dict[str, Any]:
        if not isinstance(input, Tensor):
            raise errors.not_a_tensor(name, 0, input)
        if input.dtype.kind in refused:
            raise complaint(input.dtype.name)
        params = rows.reduce_over(input, dim, keepdim)
        plans[input.ndim, input.dtype, tuple(dim) if isinstance(dim, list) else dim, keepdim] = params
        return params

    return reduced


def no_mean(dtype: str) -> RuntimeError:
    return RuntimeError(
        "mean(): could not infer output dtype. Input dtype must be either a floating point or complex dtype. "
        f"Got: {dtype}; write x.float().mean(), or pass dtype="
    )


def no_order(dtype: str) -> NotImplementedError:
    return NotImplementedError(f"complex numbers have no order: amax() and amin() are not implemented for {dtype}")


def failed(name: str, input: Tensor, dim: Any, reason: Exception) -> Exception:
    """The error of a reduction without an identity: over nothing, it has no value."""
    if input.numel():
        return reason
    if dim is None:
        return RuntimeError(
            f"{name}(): Expected reduction dim to be specified for input.numel() == 0. Specify the reduction dim with the "
            "'dim' argument."
        )
    return IndexError(f"{name}(): Expected reduction dim {dim} to have non-zero size; the shape is {tuple(input.shape)}.")


_sum, _logsumexp = along(rows.sum), along(rows.logsumexp)
_mean = along(rows.mean, "biu", no_mean)
_amax, _amin = along(rows.amax, "c", no_order), along(rows.amin, "c", no_order)


# -- sums
def sum(
    input: Tensor, dim: Dims = None, keepdim: bool = False, *, dtype: Any = None, axis: Dims = None, keepdims: bool = False
) -> Tensor:
    """The sum over dimensions, which are dropped unless `keepdim`.

    Integers and bools give int64; `dtype` converts the elements first.

    >>> gradkit.sum(gradkit.ones(2, 3), dim=1)
    tensor([3., 3.])
    """
    if dtype is not None:
        input = astype(input, dtype=dtype)
    return _sum(input, dim if axis is None else axis, keepdim or keepdims)


def mean(
    input: Tensor, dim: Dims = None, keepdim: bool = False, *, dtype: Any = None, axis: Dims = None, keepdims: bool = False
) -> Tensor:
    """The mean over dimensions, which are dropped unless `keepdim`; nan where there is nothing to average.

    `dtype` converts the elements first. RuntimeError for integers and bools without it.

    >>> gradkit.mean(gradkit.tensor([1.0, 2.0]))
    tensor(1.5000)
    """
    if dtype is not None:
        input = astype(input, dtype=dtype)
    return _mean(input, dim if axis is None else axis, keepdim or keepdims)


def nansum(
    input: Tensor, dim: Dims = None, keepdim: bool = False, *, dtype: Any = None, axis: Dims = None, keepdims: bool = False
) -> Tensor:
    """`sum` with nan counted as 0.

    >>> gradkit.nansum(gradkit.tensor([1.0, float("nan")]))
    tensor(1.)
    """
    return sum(masked(input == input, input), dim, keepdim, dtype=dtype, axis=axis, keepdims=keepdims)


def nanmean(
    input: Tensor, dim: Dims = None, keepdim: bool = False, *, dtype: Any = None, axis: Dims = None, keepdims: bool = False
) -> Tensor:
    """The mean of what is not nan; nan where there is nothing else. RuntimeError for integers and bools.

    >>> gradkit.nanmean(gradkit.tensor([1.0, float("nan"), 3.0]))
    tensor(2.)
    """
    if input.dtype.kind in "biu":
        raise RuntimeError(f"nanmean(): expected input to have floating point or complex dtype but got {input.dtype.name}")
    dim, keepdim = dim if axis is None else axis, keepdim or keepdims
    return nansum(input, dim, keepdim, dtype=dtype) / sum(input == input, dim, keepdim)


def logsumexp(input: Tensor, dim: Dims = None, keepdim: bool = False, *, axis: Dims = None, keepdims: bool = False) -> Tensor:
    """log(sum(exp(input))) over dimensions, without overflow; -inf where there is nothing to sum.

    Integers become the default dtype. TypeError if no dimension is given.

    >>> gradkit.logsumexp(gradkit.tensor([1000.0, 1000.0]), dim=0)
    tensor(1000.6932)
    """
    if dim is None and axis is None:
        raise TypeError('logsumexp() missing 1 required positional arguments: "dim"; dim=() is all dimensions')
    return _logsumexp(input, dim if axis is None else axis, keepdim or keepdims)


# -- extremes
def amax(input: Tensor, dim: Dims = None, keepdim: bool = False, *, axis: Dims = None, keepdims: bool = False) -> Tensor:
    """The greatest elements over dimensions; nan if there is one. Those that tie share the gradient evenly.

    RuntimeError or IndexError (with `dim`) where there is nothing to choose from, NotImplementedError for complex.

    >>> gradkit.amax(gradkit.tensor([[1.0, 5.0], [3.0, 2.0]]), dim=1)
    tensor([5., 3.])
    """
    dim = dim if axis is None else axis
    try:
        return _amax(input, dim, keepdim or keepdims)
    except (ValueError, RuntimeError) as reason:
        raise failed("amax", input, dim, reason) from None


def amin(input: Tensor, dim: Dims = None, keepdim: bool = False, *, axis: Dims = None, keepdims: bool = False) -> Tensor:
    """The least elements over dimensions; nan if there is one. Those that tie share the gradient evenly.

    Errors as for `amax`.

    >>> gradkit.amin(gradkit.tensor([[1.0, 5.0], [3.0, 2.0]]), dim=1)
    tensor([1., 2.])
    """
    dim = dim if axis is None else axis
    try:
        return _amin(input, dim, keepdim or keepdims)
    except (ValueError, RuntimeError) as reason:
        raise failed("amin", input, dim, reason) from None


def max(
    input: Tensor, dim: Any = None, keepdim: bool = False, *, other: Any = None, axis: int | None = None, keepdims: bool = False
) -> Any:
    """The greatest element; with an int `dim` a named tuple (values, indices) along it; with a Tensor `maximum`.

    Of elements that tie, the first has index and gradient when `dim` is given; without it they share the gradient.
    RuntimeError or IndexError (with `dim`) where there is nothing to choose from.

    >>> gradkit.max(gradkit.tensor([[1.0, 5.0], [3.0, 2.0]]), dim=1).indices
    tensor([1, 0])
    """
    return _chosen("max", _amax, maximum, rows.max_along, input, dim if axis is None else axis, keepdim or keepdims, other)


def min(
    input: Tensor, dim: Any = None, keepdim: bool = False, *, other: Any = None, axis: int | None = None, keepdims: bool = False
) -> Any:
    """The least element; with an int `dim` a named tuple (values, indices) along it; with a Tensor `minimum`.

    Ties and errors are those of `max`.

    >>> gradkit.min(gradkit.tensor([[1.0, 5.0], [3.0, 2.0]]), dim=1).values
    tensor([1., 2.])
    """
    return _chosen("min", _amin, minimum, rows.min_along, input, dim if axis is None else axis, keepdim or keepdims, other)


def _chosen(name: str, whole: Any, pairwise: Any, row: Any, input: Tensor, dim: Any, keepdim: bool, other: Any) -> Any:
    """The three that `max` is: of all elements, of two tensors, and along a dimension with the places."""
    if dim is None and other is None:
        try:
            return whole(input, None, False)
        except (ValueError, RuntimeError) as reason:
            raise failed(name, input, None, reason) from None
    if isinstance(dim, Tensor) or other is not None:
        return pairwise(input, dim if other is None else other)
    return getattr(return_types, name)(*along_one(name, row, input, dim, keepdim))


def along_one(name: str, row: Any, input: Tensor, dim: Any, keepdim: bool) -> Any:
    if not hasattr(dim, "__index__"):
        raise TypeError(f"{name}(): dim must be an int or a Tensor, not {type(dim).__name__}; a{name} takes several dims")
    if input.dtype.kind == "c":
        raise RuntimeError(f"{name}(): does not support complex input")
    try:
        if input.ndim:
            return row(input, dim, keepdim)
        axis_from_end(input, dim)
        return [reshape(y, ()) for y in row(reshape(input, (1,)), 0)]
    except (ValueError, RuntimeError) as reason:
        raise failed(name, input, dim, reason) from None


def place(name: str, find: Any, input: Tensor, dim: Any, keepdim: bool) -> Tensor:
    """Where along a dimension, or in the flattened tensor, `find` finds what it looks for."""
    try:
        if dim is not None and input.ndim:
            return find(input, dim, keepdim)
        if dim is not None:
            axis_from_end(input, dim)
        found = find(reshape(input, (-1,)), 0)
    except (ValueError, RuntimeError) as reason:
        error = failed(name, input, dim, reason)
        raise (IndexError(str(error)) if error is not reason else error) from None
    return reshape(found, (1,) * input.ndim) if keepdim else found


def aminmax(
    input: Tensor, *, dim: int | None = None, keepdim: bool = False, axis: int | None = None, keepdims: bool = False
) -> Any:
    """The least and the greatest element, over one dimension or all, as a named tuple (min, max).

    Those that tie share the gradient evenly. RuntimeError or IndexError where there is nothing to choose from.

    >>> gradkit.aminmax(gradkit.tensor([1.0, 3.0, 2.0])).max
    tensor(3.)
    """
    dim = dim if axis is None else axis
    if dim is not None and not hasattr(dim, "__index__"):
        raise TypeError(f"aminmax(): argument 'dim' must be int, not {type(dim).__name__}")
    keepdim = keepdim or keepdims
    return return_types.aminmax(amin(input, dim, keepdim), amax(input, dim, keepdim))


def argmax(input: Tensor, dim: int | None = None, keepdim: bool = False, *, axis: int | None = None, keepdims: bool = False) -> Tensor:
    """Where the greatest element stands along a dimension, or without one in the flattened tensor, as int64.

    The first of those that tie, or the first nan. IndexError where there is nothing to choose from.

    >>> gradkit.argmax(gradkit.tensor([1.0, 3.0, 3.0]))
    tensor(1)
    """
    return place("argmax", rows.argmax, input, dim if axis is None else axis, keepdim or keepdims)


def argmin(input: Tensor, dim: int | None = None, keepdim: bool = False, *, axis: int | None = None, keepdims: bool = False) -> Tensor:
    """Where the least element stands along a dimension, or without one in the flattened tensor, as int64.

    The first of those that tie, or the first nan. IndexError where there is nothing to choose from.

    >>> gradkit.argmin(gradkit.tensor([1.0, 0.0, 3.0]))
    tensor(1)
    """
    return place("argmin", rows.argmin, input, dim if axis is None else axis, keepdim or keepdims)


# -- products
def prod(
    input: Tensor, dim: int | None = None, keepdim: bool = False, *, dtype: Any = None, axis: int | None = None,
    keepdims: bool = False,
) -> Tensor:
    """The product over one dimension, or of all elements. Its derivatives are right at zeros too.

    Integers and bools give int64; `dtype` converts the elements first. TypeError for several dimensions.

    >>> gradkit.prod(gradkit.tensor([[1.0, 2.0], [3.0, 4.0]]), dim=0)
    tensor([3., 8.])
    """
    if dtype is not None:
        input = astype(input, dtype=dtype)
    dim = dim if axis is None else axis
    if dim is not None and not hasattr(dim, "__index__"):
        raise TypeError(f"prod(): argument 'dim' must be int, not {type(dim).__name__}")
    if dim is None or not input.ndim:
        if dim is not None:
            axis_from_end(input, dim)
        return rows.prod(reshape(input, (-1,)), 0)
    return rows.prod(input, dim, keepdim or keepdims)


# -- logic
def all(input: Tensor, dim: Dims = None, keepdim: bool = False, *, axis: Dims = None, keepdims: bool = False) -> Tensor:
    """Whether all elements over dimensions are true (not zero), as bool; as uint8 where they are uint8.

    >>> gradkit.all(gradkit.tensor([[True, False], [True, True]]), dim=1)
    tensor([False,  True])
    """
    y = rows.all(input, dim, keepdim, axis=axis, keepdims=keepdims)
    return astype(y, dtype=dtypes.uint8) if input.dtype == dtypes.uint8 else y


def any(input: Tensor, dim: Dims = None, keepdim: bool = False, *, axis: Dims = None, keepdims: bool = False) -> Tensor:
    """Whether any element over dimensions is true (not zero), as bool; as uint8 where they are uint8.

    >>> gradkit.any(gradkit.tensor([[True, False], [False, False]]), dim=1)
    tensor([ True, False])
    """
    y = rows.any(input, dim, keepdim, axis=axis, keepdims=keepdims)
    return astype(y, dtype=dtypes.uint8) if input.dtype == dtypes.uint8 else y


def count_nonzero(input: Tensor, dim: Dims = None, *, axis: Dims = None) -> Tensor:
    """How many elements over dimensions are not zero, as int64.

    >>> gradkit.count_nonzero(gradkit.tensor([[0, 1], [2, 3]]), dim=0)
    tensor([1, 2])
    """
    return rows.count_nonzero(input, dim, axis=axis)
