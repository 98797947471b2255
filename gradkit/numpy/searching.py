"""Choosing, sorting and searching by NumPy's signatures. Places have no derivative; what is gathered from them does."""

from collections.abc import Callable
from typing import Any

import numpy as np

from gradkit.engine.batching import by_sample
from gradkit.engine.device import CPU, moved as on_host
from gradkit.engine.naming import named
from gradkit.engine.operands import tensor_xp as xp
from gradkit.engine.tensor import Tensor, wrap
from gradkit.numpy import elementwise
from gradkit.numpy.calling import (
    asarray,
    beside,
    converted,
    holds_tensor,
    in_line,
    moved,
    on_raw,
    plain,
    refuse,
    refuse_out,
    together,
    unbatched,
)


# -- choosing
def where(condition: Any, x: Any = None, y: Any = None, /) -> Any:
    """`x` where the condition holds, else `y`, broadcast and promoted; without them, `nonzero` of the condition.

    >>> gnp.where(gradkit.tensor([True, False]), gradkit.ones(2), 0.0)
    tensor([1., 0.])
    """
    if x is None and y is None:
        return nonzero(condition)
    if x is None or y is None:
        raise ValueError("either both or neither of x and y should be given")
    mask = asarray(condition)
    return xp.where(converted(mask, np.bool_), *together((x, y)))


def select(condlist: Any, choicelist: Any, default: Any = 0) -> Tensor:
    """For each element the choice of the first condition that holds there, `default` where none does.

    ValueError if there are not as many choices as conditions, or none.

    >>> x = gradkit.tensor([-1.0, 0.5, 3.0])
    >>> gnp.select([x < 0, x > 1], [0 * x, x**2], default=x)
    tensor([-0.0000,  0.5000,  9.0000])
    """
    if len(condlist) != len(choicelist) or not condlist:
        raise ValueError("list of cases must be same length as list of conditions, and not empty")
    *choices, y = together((*choicelist, default))
    for condition, choice in reversed(list(zip(condlist, choices))):
        y = where(condition, choice, y)
    return y


def take(a: Any, indices: Any, axis: int | None = None, out: Any = None, mode: str = "raise") -> Tensor:
    """The elements of `a` at `indices` along `axis`, or of all in line. The axis gives way to the shape of `indices`.

    `mode` says what happens outside: "raise" is an IndexError, "wrap" and "clip" lead inside.

    >>> gnp.take(gradkit.tensor([4.0, 5.0, 6.0]), [2, 0, 0])
    tensor([6., 4., 4.])
    """
    refuse_out("take", out)
    x, axis = in_line(a, axis)
    places = _inside(indices if isinstance(indices, Tensor) else beside(x, indices), x.shape[axis], mode)
    if axis == 0:
        return xp.index(x, places, lead=0)
    y = xp.index(xp.moveaxis(x, axis, 0), places, lead=0)
    return xp.moveaxis(y, tuple(range(places.ndim)), tuple(range(axis, axis + places.ndim)))


def _inside(places: Tensor, extent: int, mode: str) -> Tensor:
    if places.dtype.kind not in "iu":
        raise TypeError(f"indices must be integers, not {places.dtype}")
    if mode == "wrap":
        return elementwise.remainder(places, extent)
    return places if mode == "raise" else elementwise.minimum(elementwise.maximum(places, 0), extent - 1)


def take_along_axis(arr: Any, indices: Any, axis: int | None = -1) -> Tensor:
    """The elements of `arr` at `indices` along `axis`, run by run: `indices` has the same number of axes.

    ValueError for another number of axes, IndexError for indices that are no integers or lead outside.

    >>> x = gradkit.tensor([[3.0, 1.0], [2.0, 4.0]])
    >>> gnp.take_along_axis(x, gnp.argsort(x), -1)
    tensor([[1., 3.],
            [2., 4.]])
    """
    (x, at), places = in_line(arr, axis), asarray(indices)
    if places.dtype.kind not in "iu":
        raise IndexError("`indices` must be an integer array")
    n = x.ndim
    if n != places.ndim:
        raise ValueError("`indices` and `arr` must have the same number of dimensions")
    shapes = [(1,) * i + (extent,) + (1,) * (n - i - 1) for i, extent in enumerate(x.shape)]
    key = [places if i == at else beside(x, np.arange(x.shape[i]).reshape(shape)) for i, shape in enumerate(shapes)]
    return xp.index(x, *key, lead=0)


def compress(condition: Any, a: Any, axis: int | None = None, out: Any = None) -> Tensor:
    """The slices along `axis` (or the elements, in line) for which the vector `condition` holds.

    >>> gnp.compress([True, False, True], gradkit.tensor([4.0, 5.0, 6.0]))
    tensor([4., 6.])
    """
    return take(a, np.flatnonzero(unbatched(condition, "compress")), axis, out)


def extract(condition: Any, arr: Any) -> Tensor:
    """The elements of `arr`, in line, where `condition`, an array of as many, holds.

    >>> gnp.extract([[False, True]], gradkit.tensor([[4.0, 5.0]]))
    tensor([5.])
    """
    return compress(np.ravel(unbatched(condition, "extract")), arr)


def repeat(a: Any, repeats: Any, axis: int | None = None) -> Tensor:
    """Each element along `axis` (or each of all, in line) repeated: equally often, or as often as a list says.

    >>> gnp.repeat(gradkit.tensor([4.0, 5.0]), [2, 1])
    tensor([4., 4., 5.])
    """
    x, axis = in_line(a, axis)
    times = on_host(unbatched(repeats, "repeat"), CPU)  # they say how long the answer is
    return take(x, np.repeat(np.arange(x.shape[axis]), times), axis)


def delete(arr: Any, obj: Any, axis: int | None = None) -> Tensor:
    """Without the slices `obj` (an int, a slice, a list) along `axis`, or without those elements of all in line.

    >>> gnp.delete(gradkit.tensor([4.0, 5.0, 6.0]), 1)
    tensor([4., 6.])
    """
    return moved(np.delete, arr, obj, axis)


def resize(a: Any, new_shape: Any) -> Tensor:
    """In another shape: elements are left out at the end, or repeated from the beginning.

    >>> gnp.resize(gradkit.tensor([4.0, 5.0]), (3,))
    tensor([4., 5., 4.])
    """
    return moved(np.resize, a, new_shape)


# -- sorting
def argsort(
    a: Any, axis: int | None = -1, kind: Any = None, order: Any = None, *, stable: bool | None = None, descending: bool = False
) -> Tensor:
    """The places that put the elements along `axis` (or all, in line) in ascending order, or in `descending` order.

    Elements that tie keep their order if `stable` or `descending`.

    >>> gnp.argsort(gradkit.tensor([3.0, 1.0, 2.0]))
    tensor([1, 2, 0])
    """
    refuse("argsort", {"order": order})
    x, axis = in_line(a, axis)
    at = axis - x.ndim
    if not descending:
        return plain(np.argsort, x, axis=at, kind=kind, stable=stable, broadcasts=False)
    places = plain(np.argsort, xp.flip(x, axis=(at,)), axis=at, stable=True, broadcasts=False)
    return xp.flip(x.shape[at] - 1 - places, axis=(at,))


def sort(
    a: Any, axis: int | None = -1, kind: Any = None, order: Any = None, *, stable: bool | None = None, descending: bool = False
) -> Tensor:
    """The elements along `axis` (or all, in line) in ascending order, or in `descending` order.

    >>> gnp.sort(gradkit.tensor([3.0, 1.0, 2.0]))
    tensor([1., 2., 3.])
    """
    x, axis = in_line(a, axis)
    return take_along_axis(x, argsort(x, axis, kind, order, stable=stable, descending=descending), axis)


def argpartition(a: Any, kth: Any, axis: int | None = -1, kind: str = "introselect", order: Any = None) -> Tensor:
    """Places that put the `kth` smallest elements where sorting would, with none larger before nor smaller behind.

    >>> gnp.argpartition(gradkit.tensor([3.0, 1.0, 2.0]), 0)[0]
    tensor(1)
    """
    refuse("argpartition", {"order": order})
    x, axis = in_line(a, axis)
    return plain(np.argpartition, x, kth=kth, axis=axis - x.ndim, kind=kind, broadcasts=False)


def partition(a: Any, kth: Any, axis: int | None = -1, kind: str = "introselect", order: Any = None) -> Tensor:
    """The elements in the order of `argpartition`.

    >>> gnp.partition(gradkit.tensor([3.0, 1.0, 2.0]), 0)[0]
    tensor(1.)
    """
    x, axis = in_line(a, axis)
    return take_along_axis(x, argpartition(x, kth, axis, kind, order), axis)


# -- searching: places, without derivatives
def _places(name: str, example: str) -> Callable[..., Any]:
    function = getattr(np, name)

    def find(*operands: Any, **keywords: Any) -> Any:
        raws = [unbatched(x, name) if isinstance(x, Tensor) or _are_tensors(x) else x for x in operands]
        found = on_raw(function, *raws, **keywords)
        return tuple([wrap(one) for one in found]) if isinstance(found, tuple) else asarray(found)

    if name in ("searchsorted", "digitize", "isin"):
        find = by_sample()(find)
    return named(find, name, f"""`numpy.{name}` of tensors: integers or bools, which have no derivative.

    >>> x, y = np.array([0.0, 1.0, 3.0]), np.array([1.0, 2.0])
    >>> np.array_equal(gnp.{name}({example}), np.{name}({example}))
    True
    """)


def _are_tensors(x: Any) -> bool:
    return isinstance(x, list | tuple) and holds_tensor(x)


nonzero = _places("nonzero", "x")
flatnonzero = _places("flatnonzero", "x")
argwhere = _places("argwhere", "x")
searchsorted = _places("searchsorted", "x, y")
digitize = _places("digitize", "y, x")
isin = _places("isin", "x, y")
lexsort = _places("lexsort", "x")
unravel_index = _places("unravel_index", "2, (2, 3)")


def bincount(x: Any, /, weights: Any = None, minlength: int = 0) -> Tensor:
    """How often each of 0, 1, 2 ... occurs in the vector `x`, or the sum of the weights where it does.

    >>> gnp.bincount(gradkit.tensor([0, 2, 2]))
    tensor([1, 0, 2])
    """
    places = unbatched(x, "bincount")
    count = np.bincount(places, minlength=minlength)
    if weights is None:
        return wrap(count)
    w = asarray(weights)
    if w.dtype.kind == "c":
        raise TypeError(f"Cannot cast array data from {w.dtype!r} to dtype('float64') according to the rule 'safe'")
    return xp.unindex(converted(w, np.float64), wrap(places), shape=count.shape, lead=0)


__all__ = [
    "argpartition", "argsort", "argwhere", "bincount", "compress", "delete", "digitize", "extract", "flatnonzero",
    "isin", "lexsort", "nonzero", "partition", "repeat", "resize", "searchsorted", "select", "sort", "take",
    "take_along_axis", "unravel_index", "where",
]
