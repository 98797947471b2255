"""Elements picked along one axis by an index of the same rank, and put back there."""

from typing import Any

import numpy as np

from gradkit.backend.protocol import beside
from gradkit.engine.tensor import Tensor, wrap
from gradkit.ops.arranging import narrow
from gradkit.ops.naming import numpy_names
from gradkit.ops.placing import like, scalar_too, two_forms, vector
from gradkit.ops.shaping import broadcast_shapes, expand, reshape
from gradkit.primitives import elementwise, selection as rows
from gradkit.primitives.shape import axis_from_end, extents

__all__ = ["gather", "scatter", "scatter_add", "scatter_reduce", "take_along_dim"]
METHODS = (*__all__, "scatter_", "scatter_add_")
INPLACE = ("scatter_reduce",)


# -- gather
@numpy_names
def gather(input: Tensor, dim: int, index: Tensor, *, sparse_grad: bool = False) -> Tensor:
    """The elements along `dim` that `index` names at each of its places: ``y[i, j] = input[index[i, j], j]`` for dim 0.

    `index` has as many axes as `input` and, but for `dim`, is not larger. RuntimeError otherwise, or out of bounds.

    >>> gradkit.gather(gradkit.tensor([[1, 2], [3, 4]]), 1, gradkit.tensor([[0, 0], [1, 0]])).tolist()
    [[1, 1], [4, 3]]
    """
    axis = checked_axis("gather", input, dim, index)
    for i, (n, m) in enumerate(zip(extents(index), extents(input))):
        if n > m and i - input.ndim != axis:
            raise RuntimeError(
                f"Size does not match at dimension {i} expected index {list(extents(index))} to be no larger than self "
                f"{list(extents(input))} apart from dimension {axis + input.ndim}"
            )
    shape = extents(index)
    y = rows.gather(vector(input), vector(index), axis=axis)
    return y if shape else reshape(y, shape)


def checked_axis(name: str, x: Tensor, dim: int, index: Tensor) -> int:
    if index.dtype.kind not in "iu":
        raise RuntimeError(f"{name}(): Expected dtype int32/int64 for index, got {index.dtype.name}")
    if len(extents(index) or (1,)) != len(extents(x) or (1,)):
        raise RuntimeError(
            f"Index tensor must have the same number of dimensions as input tensor: {index.ndim}, not {x.ndim}, for {name}()"
        )
    return axis_from_end(x, dim)


@numpy_names
def take_along_dim(input: Tensor, indices: Tensor, dim: int | None = None) -> Tensor:
    """`gather` with `input` and `indices` broadcast against each other; without `dim`, both flattened.

    It takes what `argsort`, and `argmax` with keepdim, give. RuntimeError for different numbers of axes, or out of
    bounds.

    >>> x = gradkit.tensor([[3, 1, 2]])
    >>> gradkit.take_along_dim(x, gradkit.argsort(x), 1).tolist()
    [[1, 2, 3]]
    """
    if dim is None:
        return gather(reshape(input, (-1,)), 0, reshape(indices, (-1,)))
    shape, wanted = extents(input), extents(indices)
    if len(shape) != len(wanted):
        raise RuntimeError(
            "torch.take_along_dim(): input and indices should have the same number of dimensions, but got "
            f"{len(shape)} dimensions for input, and {len(wanted)} dimensions for indices"
        )
    axis = axis_from_end(input, dim)
    if not shape:
        raise IndexError(f"Dimension specified as {dim} but tensor has no dimensions")
    at = axis + len(shape)
    common = broadcast_shapes((*shape[:at], 1, *shape[at + 1 :]), (*wanted[:at], 1, *wanted[at + 1 :]))
    x = expand(input, (*common[:at], shape[at], *common[at + 1 :]))
    return gather(x, axis, expand(indices, (*common[:at], wanted[at], *common[at + 1 :])))


# -- scatter
def _sources(name: str, x: Tensor, dim: int, index: Tensor, src: Any) -> tuple[tuple[Tensor, ...], dict[str, Any]]:
    """The index, the values as far as it reaches, and the axis; RuntimeError if they do not fit."""
    axis, index = checked_axis(name, x, dim, index), vector(index)
    wanted, shape = extents(index), extents(x)
    if not isinstance(src, Tensor):
        return (index, expand(like(src, x), wanted)), {"axis": axis}
    if src.dtype != x.dtype:
        raise RuntimeError(f"{name}(): Expected self.dtype to be equal to src.dtype, got {x.dtype.name} and {src.dtype.name}")
    src = vector(src)
    given = extents(src)
    fits = len(given) == len(wanted) and all([n <= m for n, m in zip(wanted, given)])
    if not fits or any([n > m and i - len(shape) != axis for i, (n, m) in enumerate(zip(wanted, shape))]):
        raise RuntimeError(
            f"Expected index {list(wanted)} to be no larger than self {list(shape)} apart from dimension "
            f"{axis + len(shape)} and to be no larger size than src {list(given)}"
        )
    for i, (n, m) in enumerate(zip(wanted, given)):
        if n != m:
            src = narrow(src, i, 0, n)
    return (index, src), {"axis": axis}


def _write_scattered(xp: Any, z: Any, index: Any, values: Any, axis: int) -> None:
    rows.put_scattered(xp, z, values, index, axis)


def _write_added(xp: Any, z: Any, index: Any, values: Any, axis: int) -> None:
    rows.add_scattered(xp, z, values, index, axis)


@two_forms(rows.scatter_add, _write_added)
def scatter_add(input: Tensor, dim: int, index: Tensor, src: Tensor) -> Any:
    """`input` with each element of `src` added at the place along `dim` that `index` names: the reverse of `gather`.

    RuntimeError if `index` is larger than `src`, or (but for `dim`) than `input`, for another dtype, or out of bounds.

    >>> gradkit.zeros(3).scatter_add(0, gradkit.tensor([0, 0, 2]), gradkit.ones(3))
    tensor([2., 0., 1.])
    """
    return _sources("scatter_add", input, dim, index, src)


@two_forms(rows.scatter, _write_scattered)
def _scatter(input: Tensor, dim: int, index: Tensor, src: Any) -> Any:
    return _sources("scatter", input, dim, index, src)


@numpy_names
def scatter(input: Tensor, dim: int, index: Tensor, src: Any = None, *, value: Any = None, reduce: str | None = None) -> Tensor:
    """`input` with each element of `src` (or one number `value`) put at the place along `dim` that `index` names.

    With `reduce` "add" or "multiply" what is there is kept and combined with it. Where several come to one place the
    last one stays, and alone has a gradient. RuntimeError as `scatter_add`.

    >>> gradkit.zeros(3).scatter(0, gradkit.tensor([2, 0]), gradkit.tensor([5.0, 6.0]))
    tensor([6., 0., 5.])
    """
    given = value if src is None else src
    if reduce is None:
        return _scatter(input, dim, index, given)
    return _combined(input, dim, index, given, reduce)


@numpy_names
def scatter_(input: Tensor, dim: int, index: Tensor, src: Any = None, *, value: Any = None, reduce: str | None = None) -> Tensor:
    """`scatter`, written into this tensor; returns it."""
    given = value if src is None else src
    if reduce is None:
        return _scatter.in_place(input, dim, index, given)
    from gradkit.engine import inplace

    return inplace.write(input, lambda x: _combined(x, dim, index, given, reduce), "scatter_")


@scalar_too
def _combined(x: Tensor, dim: int, index: Tensor, src: Any, reduce: str) -> Tensor:
    if reduce not in ("add", "multiply"):
        raise RuntimeError("reduce argument must be either add or multiply.")
    (index, src), params = _sources("scatter", x, dim, index, src)
    return (rows.scatter_add if reduce == "add" else rows.scatter_prod)(x, index, src, **params)


@numpy_names
@scalar_too
def scatter_reduce(input: Tensor, dim: int, index: Tensor, src: Tensor, reduce: str, *, include_self: bool = True) -> Tensor:
    """`input` combined with the elements of `src` that come to each place along `dim`.

    `reduce` is "sum", "prod", "mean", "amax" or "amin". Without `include_self` the element that was there does not
    count where others come. Equal extremes share the gradient. RuntimeError as `scatter_add`, or for another `reduce`.

    >>> x = gradkit.tensor([1.0, 2.0])
    >>> gradkit.scatter_reduce(x, 0, gradkit.tensor([0, 0]), gradkit.tensor([5.0, 3.0]), "amax")
    tensor([5., 2.])
    """
    if reduce not in _NEUTRAL:
        raise RuntimeError(f"reduce argument must be either sum, prod, mean, amax or amin, got {reduce}")
    if not input.ndim:
        line, index, src = [reshape(t, (-1,)) for t in (input, index, src)]
        return reshape(scatter_reduce(line, dim, index, src, reduce, include_self=include_self), ())
    (index, src), params = _sources("scatter_reduce", input, dim, index, src)
    x = (
        input
        if include_self
        else rows.scatter(input, index, expand(like(_neutral(reduce, input), input), extents(index)), **params)
    )
    if reduce == "prod":
        return rows.scatter_prod(x, index, src, **params)
    if reduce in ("amax", "amin"):
        return rows.scatter_extreme(x, index, src, **params, largest=reduce == "amax")
    total = rows.scatter_add(x, index, src, **params)
    if reduce == "sum":
        return total
    ones = wrap(beside(src.array, "ones", src.array.shape, dtype=src.dtype), batch=src.batch)
    before = wrap(beside(input.array, "full", input.array.shape, int(include_self), dtype=input.dtype), batch=input.batch)
    count = elementwise.maximum(rows.scatter_add(before, index, ones, **params), 1)
    return elementwise.div(total, count) if input.dtype.kind in "fcV" else elementwise.floor_divide(total, count)


_NEUTRAL = {"sum": 0, "mean": 0, "prod": 1, "amax": -np.inf, "amin": np.inf}


def _neutral(reduce: str, x: Tensor) -> Any:
    """What a reduction starts from where the element itself does not count."""
    if reduce in ("amax", "amin") and x.dtype.kind in "iu":
        return np.iinfo(x.dtype).min if reduce == "amax" else np.iinfo(x.dtype).max
    return _NEUTRAL[reduce]


scatter_add_ = scatter_add.in_place
