"""Reading and writing by a key: ``x[key]`` and ``x[key] = value``."""

import warnings
from functools import lru_cache
from typing import Any

import numpy as np

from gradkit import creation
from gradkit.engine import batching, inplace
from gradkit.engine.device import device_of, moved
from gradkit.engine.operands import on_one_device
from gradkit.engine.tensor import Tensor, wrap
from gradkit.primitives.arranging import FULL
from gradkit.primitives.indexing import index, index_put, mask_put, masked_select, slice_, write_at, write_masked
from gradkit.primitives.shape import astype, extents, reshape

__all__ = ["argwhere", "nonzero"]
METHODS = ("__getitem__", "__setitem__", "argwhere", "nonzero")


def __getitem__(input: Tensor, key: Any) -> Tensor:
    """What a key selects: integers, slices, None and ``...`` give a view, masks and arrays of integers a copy.

    All of these may be combined, as in NumPy and PyTorch; where arrays stand next to one another the axes they give are
    put in their place, else in front. IndexError for a place that is not there, or too many keys.

    >>> x = gradkit.arange(6).view(2, 3)
    >>> x[1, :2]
    tensor([3, 4])
    >>> x[x > 3]
    tensor([4, 5])
    """
    kind = type(key)
    rank = input.array.ndim - len(input.batch) if input.batch else input.array.ndim
    if (kind is slice or kind is int) and rank:
        return slice_.apply(input, {"key": (..., key, *FULL[rank - 1])})
    if rank and isinstance(key, Tensor) and key.array.ndim and key.array.dtype.kind == "i" and beside(key, input):
        return index(input, key, axes=(-rank,), lead=0)
    basic = basic_key(key, rank)
    if basic is not None:
        return slice_.apply(input, {"key": basic})
    view, arrays, axes = parse(input, key)
    x = slice_.apply(input, {"key": view}) if view is not None else input
    if not arrays:
        return x
    return index(x, *arrays, axes=axes, lead=0) if axes else masked_select(x, *arrays, lead=0)


def __setitem__(input: Tensor, key: Any, value: Any) -> None:
    """Write a number, tensor or array, cast and broadcast, into what a key selects, for views and copies alike.

    RuntimeError if it does not fit, or this is a leaf that requires grad; IndexError for a place that is not there.

    >>> x = gradkit.zeros(3)
    >>> x[1:] = gradkit.tensor([1.0, 2.0])
    >>> x
    tensor([0., 1., 2.])
    """
    value, rank = valued(value, input), input.array.ndim - len(input.batch)
    basic = basic_key(key, rank)
    if basic is not None:
        put_view(input, basic, value)
        return
    one_array = rank and isinstance(key, Tensor) and key.array.ndim and key.array.dtype.kind == "i" and beside(key, input)
    view, arrays, axes = (None, [key], (-rank,)) if one_array else parse(input, key)
    if not arrays:
        put_view(input, view, value)
        return
    target = slice_.apply(input, {"key": view}) if view is not None else input
    if not isinstance(value, Tensor):
        value = number(value, input)
    elif value.dtype != input.dtype:
        value = astype(value, dtype=input.dtype)
    places = [one if isinstance(one, Tensor) else wrap(one) for one in arrays]
    if axes:
        params = {"axes": axes, "lead": 0, "accumulate": False}
        value = fitted(value, selected_ndim(target, places))
        inplace.put(target, index_put, into(write_at), (value, *places), params, "index_put_")
    else:
        inplace.put(target, mask_put, into(write_masked), (fitted(value, 1), *places), {"lead": 0}, "index_put_")


def put_view(x: Tensor, key: Any, value: Any) -> None:
    if isinstance(value, Tensor):
        if is_read_of(value, x, key):
            inplace.written(x, "__setitem__")
            return
        value = fitted(value, sum([type(part) is not int for part in key]) - 1)
    inplace.assign(x, value, "__setitem__", ((slice_.primitive, {"key": key}),))


def is_read_of(value: Tensor, x: Tensor, key: Any) -> bool:
    """Whether a value is ``x[key]`` itself: ``x[key] += 1`` writes back what it has written in place already."""
    return value._view is not None and value._view[0] is x and value._view[3].get("key") == key


# -- keys
def basic_key(key: Any, rank: int) -> Any:
    """A key of integers, slices, None and ``...`` as one that names all axes behind an ellipsis; None for others."""
    parts = key if type(key) is tuple else (key,)
    found = layout(rank, *map(type, parts))
    if found is None:
        return None
    at, unnamed = found
    return (..., *parts, *unnamed) if at is None else (..., *parts[:at], *unnamed, *parts[at + 1 :])


@lru_cache(maxsize=1024)
def layout(rank: int, *kinds: type) -> tuple[int | None, tuple[slice, ...]] | None:
    """Where in a key of parts of these types the ``...`` stands, if anywhere, and what stands for the axes not named."""
    dots = kinds.count(type(...))
    rest = rank - len(kinds) + kinds.count(type(None)) + dots
    if rest < 0 or dots > 1 or not _VIEWING.issuperset(kinds):
        return None
    return kinds.index(type(...)) if dots else None, FULL[rest]


_VIEWING = frozenset({int, slice, type(None), type(...)})


def parse(x: Tensor, key: Any) -> tuple[Any, list[Any], tuple[int, ...]]:
    """A key with arrays as the view to take first (None: none), the index arrays, and the axes of the view that they
    read, counted from the end.

    A mask becomes the places where it is set, a bool a new axis with or without its one place; only a mask of all of
    `x` stays, for which there are no axes.
    """
    shape, written = extents(x), key if type(key) is tuple or means_tuple(key) else (key,)
    parts = [part if type(part) in _VIEWING else array_of(part) for part in written]
    if len(parts) == 1 and is_mask(parts[0]) and parts[0].ndim == len(shape):
        check_mask(parts[0], shape, 0)
        return None, [carried(parts[0], x)], ()
    rest = len(shape) - sum(map(width, parts))
    if rest < 0:
        raise too_deep(len(shape), parts[0])
    dots = next((i for i, part in enumerate(parts) if part is ...), len(parts))
    parts = [*parts[:dots], *FULL[rest], *[part for part in parts[dots:] if part is not ...]]
    view: list[Any] = []
    arrays: list[Any] = []
    axes: list[int] = []
    at = skipped = 0
    for part in parts:
        if type(part) in _VIEWING:
            view.append(part)
            skipped += type(part) is int
        else:
            found = [np.arange(int(part))] if type(part) is bool else places_of(part, shape, at)
            if hasattr(part, "dtype") and not is_mask(part) and not beside(part, x):
                check_places(found[0], shape[at], at)
            axes += range(len(view) - skipped, len(view) - skipped + len(found))
            view += [None] if type(part) is bool else FULL[len(found)]
            arrays += [carried(one, x) for one in found]
        at += width(part)
    plain = arrays and None not in view and all([part == slice(None) for part in view])
    ndim = len(view) - skipped
    return None if plain else (..., *view), arrays, tuple([a - ndim for a in axes])


def means_tuple(key: Any) -> bool:
    """Whether a list is the key that a tuple of its items would be, as in PyTorch: where one is no number.

    NumPy takes such a list for an array of indices.
    """
    if type(key) is not list or len(key) > 32:
        return False
    return any([part is None or part is ... or isinstance(part, slice) or hasattr(part, "__len__") for part in key])


def width(part: Any) -> int:
    """How many axes a part of a key stands for."""
    if part is None or part is ... or type(part) is bool:
        return 0
    return part.ndim if is_mask(part) else 1


def array_of(part: Any) -> Any:
    """One part of a key that is not basic as an int, a bool, or an array (a Tensor if it is one)."""
    if type(part) is bool:
        return part
    raw = part.array if isinstance(part, Tensor) else part
    if isinstance(raw, str | dict | float | complex):
        raise not_an_index(part)
    if not hasattr(raw, "dtype"):
        if not isinstance(raw, list | tuple | range):
            raise not_an_index(part)
        raw = part = np.array([p.array if isinstance(p, Tensor) else p for p in raw] or np.zeros(0, np.intp))
    kind = raw.dtype.kind
    if raw.dtype == np.uint8:
        warnings.warn("indexing with dtype uint8 takes it for a mask; use dtype bool instead.", UserWarning, stacklevel=4)
        raw = raw.astype(bool)
        part = wrap(raw, None, None, part.batch) if isinstance(part, Tensor) else raw
    elif kind not in "iub":
        raise IndexError("tensors used as indices must be long, int, byte or bool tensors")
    if isinstance(part, Tensor) and part.batch:
        return part
    if not raw.ndim:
        return bool(raw) if kind == "b" else int(raw)
    return part


def is_mask(part: Any) -> bool:
    return hasattr(part, "dtype") and part.dtype == bool


def places_of(part: Any, shape: tuple[int, ...], at: int) -> list[Any]:
    """Index arrays for a part of a key: itself, or one for each axis of a mask."""
    if not is_mask(part):
        return [part]
    check_mask(part, shape, at)
    part = batching.sole(part, "indexing with a mask", "write gradkit.where(mask, a, b), which keeps the shape")
    return list(nonzero(part if isinstance(part, Tensor) else wrap(part), as_tuple=True))


def beside(key: Any, x: Tensor) -> bool:
    """Whether an index is where `x` is: then reading it there says what is out of bounds, or nobody asks (a device)."""
    return type(x.array) is type(key.array if isinstance(key, Tensor) else key)


def carried(key: Any, x: Tensor) -> Any:
    """An index or mask where the tensor is: the host's moves by itself, as in PyTorch. RuntimeError for a device's."""
    raw = key.array if isinstance(key, Tensor) else key
    if beside(raw, x):
        return key
    if isinstance(raw, np.ndarray):
        return wrap(moved(raw, x.device), batch=getattr(key, "batch", ())) if x.is_cuda else key
    if not x.is_cuda:
        raise RuntimeError(
            f"indices should be either on cpu or on the same device as the indexed tensor ({x.device}), not on "
            f"{device_of(raw)}; move one with .to(device)"
        )
    return key


def check_places(places: Any, n: int, dim: int) -> None:
    """IndexError for a place that the host's index of a device's tensor names, and that is not there."""
    raw = places.array if isinstance(places, Tensor) else places
    wrong = raw[(raw < -n) | (raw >= n)] if isinstance(raw, np.ndarray) else raw[:0]
    if wrong.size:
        raise IndexError(f"index {wrong[0]} is out of bounds for dimension {dim} with size {n}")


def check_mask(mask: Any, shape: tuple[int, ...], at: int) -> None:
    for i, (n, m) in enumerate(zip(mask.shape, shape[at:]), at):
        if n != m:
            raise IndexError(
                f"The shape of the mask {list(mask.shape)} at index {i - at} does not match the shape of the indexed "
                f"tensor {list(shape)} at index {i}"
            )


def not_an_index(part: Any) -> IndexError:
    return IndexError(
        "only integers, slices (`:`), ellipsis (`...`), None and long or byte Variables are valid indices (got "
        f"{type(part).__name__})"
    )


def too_deep(ndim: int, part: Any) -> IndexError:
    if not ndim and type(part) is int:
        return IndexError("invalid index of a 0-dim tensor. Use `tensor.item()` to convert a 0-dim tensor to a number")
    return IndexError(f"too many indices for tensor of dimension {ndim}")


# -- values
def valued(value: Any, x: Tensor) -> Any:
    if isinstance(value, Tensor | bool | int | float | complex):
        return value
    if isinstance(value, np.generic):
        return value.item()
    if hasattr(value, "dtype") or isinstance(value, list | tuple):
        return creation.as_tensor(value, device=x.device)
    raise TypeError(f"can't assign a {type(value).__name__} to a {x.dtype.name} tensor")


def number(value: Any, x: Tensor) -> Tensor:
    raw = np.zeros((), x.dtype)
    inplace.put_values(raw, value)
    return wrap(moved(raw, x.device))


def fitted(value: Tensor, ndim: int) -> Tensor:
    """A value without axes of extent 1 in front that the region of `ndim` axes does not have."""
    shape = extents(value)
    extra = len(shape) - ndim
    if extra <= 0:
        return value
    if any([n != 1 for n in shape[:extra]]):
        raise RuntimeError(
            f"expand({list(shape)}, size of {ndim} dimensions): the number of sizes provided ({ndim}) must be greater "
            f"or equal to the number of dimensions in the tensor ({len(shape)})"
        )
    return reshape(value, shape[extra:])


def selected_ndim(x: Tensor, places: list[Tensor]) -> int:
    """How many axes that has which index arrays select from some of the axes of `x`."""
    return len(extents(x)) - len(places) + max([len(extents(one)) for one in places])


def into(write: Any) -> Any:
    """A function that writes into places, with PyTorch's error for a value that does not fit."""

    def call(xp: Any, raw: Any, value: Any, *index: Any, **params: Any) -> None:
        try:
            write(xp, raw, value, *index, **params)
        except ValueError:
            raise RuntimeError(
                f"shape mismatch: value tensor of shape {list(value.shape)} cannot be broadcast to indexing result"
            ) from None

    return call


# -- finding
@on_one_device
def nonzero(input: Tensor, *, as_tuple: bool = False) -> Any:
    """The places of all elements that are not zero: a row of numbers for each, or (`as_tuple`) a vector for each axis.

    >>> gradkit.nonzero(gradkit.tensor([0, 5, 6])).tolist()
    [[1], [2]]
    """
    input = batching.sole(
        input, "calling nonzero(), whose shape depends on the data", "write a mask and gradkit.where, which keep the shape"
    )
    raw = np.asarray(input.array) if isinstance(input.array, np.generic) else input.array
    if as_tuple:
        return tuple([wrap(i) for i in (raw if raw.ndim else raw.reshape(1)).nonzero()])
    return wrap(np.argwhere(raw))


def argwhere(input: Tensor) -> Tensor:
    """The places of all elements that are not zero, a row of numbers for each.

    >>> gradkit.argwhere(gradkit.tensor([[0, 5]])).tolist()
    [[0, 1]]
    """
    return nonzero(input)
