"""Shapes and axes by NumPy's signatures: views where that is possible."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from gradkit.engine.naming import named
from gradkit.engine.operands import tensor_xp as xp
from gradkit.engine.tensor import Tensor
from gradkit.numpy.calling import asarray, axes_in, axis_in, moved, refuse
from gradkit.ops import arranging, joining


# -- shapes
def reshape(a: Any, /, shape: Any, order: str = "C", *, copy: bool | None = None) -> Tensor:
    """The same elements in another shape, of which one extent may be -1, read and written in row-major order ("C") or
    column-major order ("F").

    ValueError if the elements do not fit, or if `copy` is False and one is needed.

    >>> gnp.reshape(gradkit.arange(4), (2, 2), order="F")
    tensor([[0, 2],
            [1, 3]])
    """
    x = asarray(a)
    shape = (shape,) if isinstance(shape, int | np.integer) else tuple(shape)
    if order not in ("C", "F"):
        raise ValueError(f"order must be 'C' or 'F' on tensors, not {order!r}")
    try:
        y = xp.reshape(x, shape) if order == "C" else transpose(xp.reshape(transpose(x), shape[::-1]))
    except RuntimeError as reason:
        raise ValueError(str(reason)) from None
    if copy is False and y.view is None and y is not x:
        raise ValueError("Unable to avoid creating a copy while reshaping.")
    return xp.clone(y) if copy else y


def ravel(a: Any, order: str = "C") -> Tensor:
    """All elements along one axis.

    >>> gnp.ravel(gradkit.ones(2, 3)).shape
    gradkit.Size([6])
    """
    return reshape(a, -1, "C" if order in ("A", "K") else order)


def squeeze(a: Any, axis: Any = None) -> Tensor:
    """Without the axes of extent 1, or without those of `axis` (an int or a tuple); ValueError if one is longer.

    >>> gnp.squeeze(gradkit.ones(1, 2, 1), axis=0).shape
    gradkit.Size([2, 1])
    """
    x = asarray(a)
    shape = tuple(x.shape)
    gone = axes_in(axis, x.ndim) if axis is not None else [i for i in range(-x.ndim, 0) if shape[i] == 1]
    if any([shape[i] != 1 for i in gone]):
        raise ValueError("cannot select an axis to squeeze out which has size not equal to one")
    return xp.reshape(x, tuple([n for i, n in enumerate(shape, -x.ndim) if i not in gone]))


def expand_dims(a: Any, axis: Any) -> Tensor:
    """With new axes of extent 1 at `axis` (an int or a tuple) of the result. AxisError if it has no such axis.

    >>> gnp.expand_dims(gradkit.ones(3), (0, 2)).shape
    gradkit.Size([1, 3, 1])
    """
    x = asarray(a)
    axes = axis if isinstance(axis, tuple | list) else (axis,)
    ndim = x.ndim + len(axes)
    new = axes_in(axes, ndim)
    old = iter(x.shape)
    return xp.reshape(x, tuple([1 if i in new else next(old) for i in range(-ndim, 0)]))


def _at_least(n: int) -> Callable[..., Any]:
    raised = getattr(joining, f"atleast_{n}d")

    def function(*arys: Any) -> Any:
        made = tuple([raised(asarray(x)) for x in arys])
        return made[0] if len(made) == 1 else made

    return named(function, f"atleast_{n}d", f"""Each operand with at least {n} axes, new ones of extent 1; a tuple for several operands.

    >>> gnp.atleast_{n}d(2.5).ndim
    {n}
    """)


atleast_1d, atleast_2d, atleast_3d = [_at_least(n) for n in (1, 2, 3)]


# -- broadcasting
def broadcast_to(array: Any, shape: Any, subok: bool = False) -> Tensor:
    """`array` seen in a larger shape, without a copy. ValueError if it does not broadcast to it.

    >>> gnp.broadcast_to(gradkit.ones(2), (3, 2)).shape
    gradkit.Size([3, 2])
    """
    refuse("broadcast_to", {"subok": subok})
    x = asarray(array)
    shape = (shape,) if isinstance(shape, int | np.integer) else tuple(shape)
    if np.broadcast_shapes(x.shape, shape) != shape:
        raise ValueError(f"operands could not be broadcast together with shapes {tuple(x.shape)} and requested {shape}")
    return xp.broadcast_to(x, shape)


def broadcast_arrays(*args: Any, subok: bool = False) -> tuple[Tensor, ...]:
    """All operands in the shape they broadcast to together. ValueError if there is none.

    >>> [x.shape for x in gnp.broadcast_arrays(gradkit.ones(2, 1), gradkit.ones(3))]
    [gradkit.Size([2, 3]), gradkit.Size([2, 3])]
    """
    refuse("broadcast_arrays", {"subok": subok})
    tensors = [asarray(x) for x in args]
    shape = np.broadcast_shapes(*[x.shape for x in tensors])
    return tuple([xp.broadcast_to(x, shape) for x in tensors])


# -- orders of the axes
def transpose(a: Any, axes: Any = None) -> Tensor:
    """With the axes in the order `axes`, or in reverse. ValueError if that is no permutation of them.

    >>> gnp.transpose(gradkit.ones(2, 3, 4)).shape
    gradkit.Size([4, 3, 2])
    """
    x = asarray(a)
    order = tuple(range(-1, -x.ndim - 1, -1)) if axes is None else axes_in(tuple(axes), x.ndim)
    if len(order) != x.ndim:
        raise ValueError("axes don't match array")
    return xp.permute(x, order)


def permute_dims(a: Any, axes: Any = None) -> Tensor:
    """`transpose` under the standard's name.

    >>> gnp.permute_dims(gradkit.ones(2, 3, 4), (1, 0, 2)).shape
    gradkit.Size([3, 2, 4])
    """
    return transpose(a, axes)


def matrix_transpose(x: Any, /) -> Tensor:
    """With the last two axes exchanged. ValueError if there are fewer.

    >>> gnp.matrix_transpose(gradkit.ones(5, 2, 3)).shape
    gradkit.Size([5, 3, 2])
    """
    x = asarray(x)
    if x.ndim < 2:
        raise ValueError(f"Input array must be at least 2-dimensional, but it is {x.ndim}")
    return xp.matrix_transpose(x)


def swapaxes(a: Any, axis1: int, axis2: int) -> Tensor:
    """With two axes exchanged. AxisError if there is no such axis.

    >>> gnp.swapaxes(gradkit.ones(2, 3, 4), 0, 2).shape
    gradkit.Size([4, 3, 2])
    """
    x = asarray(a)
    return xp.swapaxes(x, axis_in(axis1, x.ndim), axis_in(axis2, x.ndim))


def moveaxis(a: Any, source: Any, destination: Any) -> Tensor:
    """With the axes `source` (an int or several) standing at `destination`, the others in their order.

    ValueError if the two do not have the same number of axes or one appears twice.

    >>> gnp.moveaxis(gradkit.ones(2, 3, 4), 0, -1).shape
    gradkit.Size([3, 4, 2])
    """
    x = asarray(a)
    sources, targets = axes_in(source, x.ndim), axes_in(destination, x.ndim)
    if len(sources) != len(targets):
        raise ValueError("`source` and `destination` arguments must have the same number of elements")
    return xp.moveaxis(x, sources, targets)


def rollaxis(a: Any, axis: int, start: int = 0) -> Tensor:
    """With `axis` moved back until it stands before the axis `start`; `moveaxis` is plainer.

    >>> gnp.rollaxis(gradkit.ones(2, 3, 4), 2).shape
    gradkit.Size([4, 2, 3])
    """
    x = asarray(a)
    axis, start = axis_in(axis, x.ndim), axis_in(start, x.ndim + 1)
    return xp.moveaxis(x, axis, start - (axis < start))


# -- reversed, rolled, repeated
def flip(m: Any, axis: Any = None) -> Tensor:
    """With the order of the elements reversed along `axis` (an int or a tuple), or along all axes.

    >>> gnp.flip(gradkit.arange(3))
    tensor([2, 1, 0])
    """
    x = asarray(m)
    axes = axes_in(axis, x.ndim)
    return xp.flip(x, axis=axes) if axes else xp.clone(x)


def fliplr(m: Any) -> Tensor:
    """`flip` along the second axis. ValueError if there is none.

    >>> gnp.fliplr(gradkit.arange(4).reshape(2, 2))
    tensor([[1, 0],
            [3, 2]])
    """
    x = asarray(m)
    if x.ndim < 2:
        raise ValueError("Input must be >= 2-d.")
    return flip(x, 1)


def flipud(m: Any) -> Tensor:
    """`flip` along the first axis. ValueError if there is none.

    >>> gnp.flipud(gradkit.arange(3))
    tensor([2, 1, 0])
    """
    x = asarray(m)
    if x.ndim < 1:
        raise ValueError("Input must be >= 1-d.")
    return flip(x, 0)


def rot90(m: Any, k: int = 1, axes: Any = (0, 1)) -> Tensor:
    """Turned by `k` quarters in the plane of two axes, from the first towards the second. ValueError unless they are
    two.

    >>> gnp.rot90(gradkit.arange(4).reshape(2, 2))
    tensor([[1, 3],
            [0, 2]])
    """
    x = asarray(m)
    first, second = places = axes_in(tuple(axes), x.ndim)
    turned = {0: (), 1: (second,), 2: places, 3: (first,)}[k % 4]
    y = flip(x, turned) if turned else xp.clone(x)
    return swapaxes(y, first, second) if k % 2 else y


def roll(a: Any, shift: Any, axis: Any = None) -> Tensor:
    """Rolled along by `shift` places: what leaves at one end enters at the other. Without `axis`, of all elements in
    line.

    Several shifts and axes roll one after the other; ValueError if they do not pair off.

    >>> gnp.roll(gradkit.arange(4), 1)
    tensor([3, 0, 1, 2])
    """
    x = asarray(a)
    if axis is None:
        return xp.reshape(roll(xp.reshape(x, (-1,)), sum(np.ravel(shift).tolist()), 0), tuple(x.shape))
    shifts, axes = np.broadcast_arrays(shift, axis)
    if shifts.ndim > 1:
        raise ValueError("'shift' and 'axis' should be scalars or 1D sequences")
    places = [axis_in(i, x.ndim) - x.ndim for i in axes.ravel()]
    return xp.roll(x, shift=tuple([int(s) for s in shifts.ravel()]), axis=tuple(places))


def tile(A: Any, reps: Any) -> Tensor:
    """`A` laid side by side with itself, as often along each axis as `reps` (an int or a tuple) says.

    >>> gnp.tile(gradkit.arange(2), (2, 2))
    tensor([[0, 1, 0, 1],
            [0, 1, 0, 1]])
    """
    return xp.clone(arranging.tile(asarray(A), tuple([int(n) for n in np.atleast_1d(reps)])))


def pad(array: Any, pad_width: Any, mode: Any = "constant", **kwargs: Any) -> Tensor:
    """Wider by `pad_width`, (before, after) for each axis, filled as `mode` says.

    "constant" fills with `constant_values` (0); "edge", "reflect", "symmetric" and "wrap" with elements of `array`.
    TypeError for the other modes.

    >>> gnp.pad(gradkit.tensor([1.0, 2.0]), (1, 0), constant_values=9.0)
    tensor([9., 1., 2.])
    """
    x = asarray(array)
    if mode == "constant":
        return _padded(x, pad_width, kwargs.get("constant_values", 0))
    if mode in ("edge", "reflect", "symmetric", "wrap") and kwargs.get("reflect_type", "even") == "even":
        return moved(np.pad, x, pad_width, mode, **kwargs)
    raise TypeError(f"not differentiable yet: np.pad with mode {mode!r} {kwargs or ''}")


def _padded(x: Tensor, pad_width: Any, values: Any) -> Tensor:
    """One value for all sides goes into one row; several are laid on axis by axis, the first axis first."""
    widths = [tuple(pair) for pair in _for_each_axis(pad_width, x.ndim)]
    sides = [tuple(pair) for pair in _for_each_axis(values, x.ndim)]
    if len({value for pair in sides for value in pair}) <= 1:
        return xp.pad_constant(x, pads=tuple(widths), value=sides[0][0]) if x.ndim else x
    for i, ((before, after), pair) in enumerate(zip(widths, sides)):
        behind = [(0, 0)] * (x.ndim - i - 1)
        x = xp.pad_constant(x, pads=((before, 0), *behind), value=pair[0])
        x = xp.pad_constant(x, pads=((0, after), *behind), value=pair[1])
    return x


def _for_each_axis(pairs: Any, ndim: int) -> Any:
    """What `numpy.pad` takes for (before, after) of every axis, spelt out."""
    if isinstance(pairs, dict):
        given = {i % ndim: np.broadcast_to(pair, (2,)).tolist() for i, pair in pairs.items()}
        return [given.get(i, (0, 0)) for i in range(ndim)]
    return np.broadcast_to(np.asarray(pairs), (ndim, 2)).tolist()


# -- facts
def shape(a: Any) -> tuple[int, ...]:
    """The shape.

    >>> gnp.shape(gradkit.ones(2, 3))
    gradkit.Size([2, 3])
    """
    return asarray(a).shape


def ndim(a: Any) -> int:
    """The number of axes.

    >>> gnp.ndim(gradkit.ones(2, 3))
    2
    """
    return asarray(a).ndim


def size(a: Any, axis: Any = None) -> int:
    """The number of elements, or of those along `axis` (an int or a tuple).

    >>> gnp.size(gradkit.ones(2, 3))
    6
    """
    extents = tuple(asarray(a).shape)
    return math.prod([extents[i] for i in axes_in(axis, len(extents))])


broadcast_shapes = np.broadcast_shapes

__all__ = [
    "atleast_1d", "atleast_2d", "atleast_3d", "broadcast_arrays", "broadcast_shapes", "broadcast_to", "expand_dims",
    "flip", "fliplr", "flipud", "matrix_transpose", "moveaxis", "ndim", "pad", "permute_dims", "ravel", "reshape",
    "roll", "rollaxis", "rot90", "shape", "size", "squeeze", "swapaxes", "tile", "transpose",
]
