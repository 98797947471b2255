"""Functions of samples in a row: differences, gradients, integrals, convolutions."""

from typing import Any

import numpy as np

from gradkit.engine.operands import tensor_xp as xp
from gradkit.engine.tensor import Tensor
from gradkit.numpy import elementwise, products, reduction
from gradkit.numpy.calling import NOT_GIVEN, NUMBERS, asarray, axes_in, axis_in, beside, converted, together
from gradkit.numpy.joining import concatenate
from gradkit.numpy.manipulation import flip
from gradkit.numpy.searching import take


# -- differences
def diff(a: Any, n: int = 1, axis: int = -1, prepend: Any = NOT_GIVEN, append: Any = NOT_GIVEN) -> Tensor:
    """Differences of neighbours along `axis`, `n` times over; what is prepended and appended broadcasts to the others.

    ValueError for a negative `n` or for no axes.

    >>> gnp.diff(gradkit.tensor([1.0, 4.0, 9.0]))
    tensor([3., 5.])
    """
    x = asarray(a)
    if n < 0:
        raise ValueError(f"order must be non-negative but got {n}")
    if not x.ndim:
        raise ValueError("diff requires input that is at least one dimensional")
    at = axis_in(axis, x.ndim)
    edge = tuple([1 if i == at else extent for i, extent in enumerate(x.shape)])
    ends = [y if y is NOT_GIVEN or np.ndim(y) else xp.broadcast_to(asarray(y), edge) for y in (prepend, append)]
    parts = [y for y in (ends[0], x, ends[1]) if y is not NOT_GIVEN]
    x = concatenate(parts, at) if len(parts) > 1 else x
    difference = elementwise.not_equal if x.dtype.kind == "b" else elementwise.subtract
    for _ in range(n):
        x = difference(take(x, np.arange(1, x.shape[at]), at), take(x, np.arange(0, x.shape[at] - 1), at))
    return x


def ediff1d(ary: Any, to_end: Any = None, to_begin: Any = None) -> Tensor:
    """Differences of neighbours of all elements in line, with what is to stand before and behind them.

    >>> gnp.ediff1d(gradkit.tensor([1.0, 4.0, 9.0]), to_end=0.0)
    tensor([3., 5., 0.])
    """
    x = xp.reshape(asarray(ary), (-1,))
    x = elementwise.subtract(take(x, np.arange(1, x.shape[0])), take(x, np.arange(x.shape[0] - 1)))
    ends = [None if y is None else converted(xp.reshape(asarray(y), (-1,)), x.dtype) for y in (to_begin, to_end)]
    parts = [y for y in (ends[0], x, ends[1]) if y is not None]
    return concatenate(parts) if len(parts) > 1 else x


def trapezoid(y: Any, x: Any = None, dx: Any = 1.0, axis: int = -1) -> Tensor:
    """The integral along `axis` of samples `y` at the places `x`, or `dx` apart, by the trapezoidal rule.

    >>> gnp.trapezoid(gradkit.tensor([1.0, 2.0, 3.0]), dx=2.0)
    tensor(8.)
    """
    y = asarray(y)
    at = axis_in(axis, y.ndim)
    if x is not None:
        x = asarray(x)
        dx = diff(x, axis=0 if x.ndim == 1 else axis)
        dx = xp.reshape(dx, (-1, *[1] * (y.ndim - at - 1))) if x.ndim == 1 else dx
    n = y.shape[at]
    pairs = elementwise.add(take(y, np.arange(1, n), at), take(y, np.arange(0, n - 1), at))
    return reduction.sum(elementwise.divide(elementwise.multiply(dx, pairs), 2.0), at)


def gradient(f: Any, *varargs: Any, axis: Any = None, edge_order: int = 1) -> Any:
    """Central differences along `axis` (an int or a tuple; a tuple of results for several), one-sided at the ends.

    `varargs` has the spacing for each axis, or one for all: a number, or the places of the samples. ValueError for
    fewer than two samples, TypeError for `edge_order` 2.

    >>> gnp.gradient(gradkit.tensor([1.0, 2.0, 4.0, 7.0]))
    tensor([1.0000, 1.5000, 2.5000, 3.0000])
    """
    if edge_order != 1:
        raise TypeError(f"not differentiable yet: np.gradient with edge_order {edge_order}")
    x = asarray(f)
    x = converted(x, np.float64) if x.dtype.kind in "iu" else x
    axes = axes_in(axis, x.ndim)
    spacings = varargs * len(axes) if len(varargs) == 1 else varargs or (1.0,) * len(axes)
    if len(spacings) != len(axes):
        raise TypeError("invalid number of arguments")
    found = tuple([_slopes(x, spacing, i) for spacing, i in zip(spacings, axes)])
    return found[0] if len(found) == 1 else found


def _slopes(x: Tensor, spacing: Any, axis: int) -> Tensor:
    n = x.shape[axis]
    if n < 2:
        raise ValueError("Shape of array too small to calculate a numerical gradient: 2 elements are the least.")
    steps = elementwise.subtract(take(x, np.arange(1, n), axis), take(x, np.arange(n - 1), axis))
    if type(spacing) in NUMBERS or not asarray(spacing).ndim:
        slopes = elementwise.divide(steps, spacing)
        inner = (take(slopes, np.arange(1, n - 1), axis) + take(slopes, np.arange(n - 2), axis)) / 2
    else:
        places = spacing if isinstance(spacing, Tensor) else beside(x, spacing)
        places = converted(places, np.float64) if places.dtype.kind in "iu" else places
        widths = xp.reshape(diff(places), (-1, *[1] * (-axis - 1)))
        slopes = elementwise.divide(steps, widths)
        halves = np.arange(n - 2), np.arange(1, n - 1)
        (before, left), (behind, right) = [(take(widths, at, 0), take(slopes, at, axis)) for at in halves]
        inner = (left * behind + right * before) / (before + behind)  # of second order on uneven places too
    return converted(concatenate([take(slopes, [0], axis), inner, take(slopes, [n - 2], axis)], axis), x.dtype)


# -- convolution
def convolve(a: Any, v: Any, mode: str = "full") -> Tensor:
    """The convolution of two vectors: all of it ("full"), as much as the longer is long ("same"), or where they overlap
    altogether ("valid"). ValueError for an empty vector or another mode.

    >>> gnp.convolve(gradkit.tensor([1.0, 2.0]), gradkit.tensor([1.0, 10.0]))
    tensor([ 1., 12., 20.])
    """
    x, y = [xp.reshape(z, (-1,)) if not z.ndim else z for z in together((a, v))]
    if x.ndim > 1 or y.ndim > 1:
        raise ValueError(f"convolve takes vectors, not {max(x.ndim, y.ndim)} axes")
    if x.shape[0] < y.shape[0]:
        x, y = y, x
    n, m = x.shape[0], y.shape[0]
    if not m:
        raise ValueError("a cannot be empty" if not n else "v cannot be empty")
    if mode not in ("full", "same", "valid"):
        raise ValueError(f"mode must be one of 'valid', 'same', or 'full' (got {mode!r})")
    before = {"full": m - 1, "same": m // 2, "valid": 0}[mode]
    after = {"full": m - 1, "same": (m - 1) // 2, "valid": 0}[mode]
    wide = xp.pad_constant(x, pads=((before, after),), value=0)
    return products.times(xp.unfold(wide, axis=-1, size=m, step=1), flip(y))


def correlate(a: Any, v: Any, mode: str = "valid") -> Tensor:
    """The cross-correlation of two vectors, of which `v` is conjugated: `convolve` with `v` in reverse.

    >>> gnp.correlate(gradkit.tensor([1.0, 2.0, 3.0]), gradkit.tensor([0.0, 1.0]))
    tensor([2., 3.])
    """
    x, y = asarray(a), asarray(v)
    y = elementwise.conj(y) if y.dtype.kind == "c" else y
    if x.ndim == y.ndim == 1 and x.shape[0] < y.shape[0]:  # "same" leaves out more at the other end then
        return flip(convolve(y, flip(x), mode))
    return convolve(x, flip(y), mode)


__all__ = ["convolve", "correlate", "diff", "ediff1d", "gradient", "trapezoid"]
