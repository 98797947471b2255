"""Arrays from nothing: NumPy's own functions, whose results become tensors. Default dtypes are NumPy's."""

from collections.abc import Callable
from typing import Any

import numpy as np

from gradkit import creation
from gradkit.engine.device import wanted
from gradkit.engine.naming import named
from gradkit.engine.operands import tensor_xp as xp
from gradkit.engine.tensor import Tensor, wrap
from gradkit.numpy import calling
from gradkit.numpy.calling import asarray as _asarray, beside, refuse, together
from gradkit.numpy.sharing import exported


def placed(x: Tensor, device: Any) -> Tensor:
    """`x` on a device; None is where it is."""
    return x if device is None else x.to(device=device)


def maker(function: Callable[..., Any], example: str) -> Callable[..., Any]:
    """NumPy's `function`, which makes arrays, as one that makes tensors; `example` is what its documentation calls."""
    name = function.__name__

    def make(*args: Any, device: Any = None, **keywords: Any) -> Any:
        keywords.pop("like", None)
        made = function(*[constant(x) for x in args], **{k: constant(x) for k, x in keywords.items()})
        if isinstance(made, tuple):
            return tuple([placed(wrap(one), wanted(device)) for one in made])
        return placed(wrap(made), wanted(device))

    return named(make, name, f"""`numpy.{name}` as a tensor, on `device` or the default one: the same arguments, dtypes and errors.

    >>> np.array_equal(gnp.{name}({example}), np.{name}({example}))
    True
    """)


def constant(x: Any) -> Any:
    """TypeError for a tensor whose derivative would be lost."""
    if calling.tracked(x):
        raise TypeError("this argument must be a constant: it has no derivative; pass x.detach()")
    return calling.unbatched(x, "a function that makes arrays") if isinstance(x, Tensor) else x


zeros = maker(np.zeros, "(2, 3)")
ones = maker(np.ones, "(2, 3), dtype='int8'")
empty = maker(np.empty, "(0, 3)")
eye = maker(np.eye, "2, 3, k=1")
identity = maker(np.identity, "2")
arange = maker(np.arange, "1, 2, 0.25")
logspace = maker(np.logspace, "0, 2, 3")
geomspace = maker(np.geomspace, "1, 100, 3")
tri = maker(np.tri, "2, 3")
indices = maker(np.indices, "(2, 3)")
tril_indices = maker(np.tril_indices, "3")
triu_indices = maker(np.triu_indices, "3")
diag_indices = maker(np.diag_indices, "3")
hamming = maker(np.hamming, "5")
hanning = maker(np.hanning, "5")
blackman = maker(np.blackman, "5")
bartlett = maker(np.bartlett, "5")
kaiser = maker(np.kaiser, "5, 14.0")


# -- from what is there
def asarray(a: Any, dtype: Any = None, order: Any = None, *, device: Any = None, copy: bool | None = None) -> Tensor:
    """A tensor of numbers, nested lists, an array (whose memory it shares) or a tensor, which is returned as it is.

    The dtype is NumPy's: Python floats become float64. Tensors inside lists are stacked, derivatives and all.
    ValueError if `copy` is False and a copy would have to be made.

    >>> gnp.asarray([1.5, 2]).dtype
    dtype('float64')
    """
    refuse("asarray", {"order": order})
    x = _asarray(a)
    if not hasattr(a, "dtype") and not (isinstance(a, list | tuple) and calling.holds_tensor(a)):
        device = wanted(device)
    y = placed(x if dtype is None or np.dtype(dtype) == x.dtype else xp.astype(x, dtype=np.dtype(dtype)), device)
    shared = y is a or (y is x and isinstance(a, np.ndarray))
    if copy is False and not shared:
        raise ValueError("Unable to avoid copy while creating an array as requested; pass copy=None")
    return xp.clone(y) if copy and shared else y


asanyarray = ascontiguousarray = asarray


def array(object: Any, dtype: Any = None, *, copy: bool | None = True, order: Any = None, ndmin: int = 0) -> Tensor:
    """`asarray` that copies unless told otherwise, with at least `ndmin` axes.

    >>> x = gradkit.tensor(2.0, requires_grad=True)
    >>> gnp.array([x, 3 * x])
    tensor([2., 6.], grad_fn=<StackBackward0>)
    """
    y = asarray(object, dtype, order, copy=copy)
    return xp.reshape(y, (1,) * (ndmin - y.ndim) + tuple(y.shape)) if ndmin > y.ndim else y


def copy(a: Any, order: Any = "K") -> Tensor:
    """A copy, through which derivatives flow.

    >>> gnp.copy(gradkit.ones(2))
    tensor([1., 1.])
    """
    refuse("copy", {"order": order})
    return xp.clone(_asarray(a))


def astype(x: Any, dtype: Any, /, *, copy: bool = True, device: Any = None) -> Tensor:
    """`x` in another dtype; a copy even if that is its dtype already, unless `copy` is False.

    >>> gnp.astype(gradkit.ones(2), gnp.float64)
    tensor([1., 1.], dtype=gradkit.float64)
    """
    x = _asarray(x)
    if x.dtype != np.dtype(dtype):
        return placed(xp.astype(x, dtype=np.dtype(dtype)), device)
    return placed(xp.clone(x) if copy else x, device)


def _like(function: Callable[..., Any], plain: Callable[..., Any]) -> Callable[..., Any]:
    def make(a: Any, dtype: Any = None, order: Any = "K", subok: bool = True, shape: Any = None, *, device: Any = None) -> Tensor:
        refuse(f"{plain.__name__}_like", {"order": order, "subok": subok})
        x = _asarray(a)
        if shape is not None:
            return plain(shape, dtype=x.dtype if dtype is None else dtype, device=x.device if device is None else device)
        return function(x, dtype=dtype, device=device)

    return named(make, f"{plain.__name__}_like", f"""`{plain.__name__}` of the shape and dtype of `a`, unless these are given.

    >>> gnp.{plain.__name__}_like(gradkit.ones(2, 3)).shape
    gradkit.Size([2, 3])
    """)


zeros_like = _like(creation.zeros_like, zeros)
ones_like = _like(creation.ones_like, ones)
empty_like = _like(creation.empty_like, empty)


def full(shape: Any, fill_value: Any, dtype: Any = None, order: Any = "C", *, device: Any = None) -> Tensor:
    """A tensor of `shape` filled with a number, or with a tensor that broadcasts to it, whose derivative flows.

    >>> gnp.full((2,), 7.0)
    tensor([7., 7.], dtype=gradkit.float64)
    """
    refuse("full", {"order": order})
    value = placed(asarray(fill_value, dtype), device if isinstance(fill_value, Tensor) else wanted(device))
    shape = (shape,) if isinstance(shape, int) else tuple(shape)
    return xp.clone(xp.broadcast_to(value, shape))


def full_like(
    a: Any, fill_value: Any, dtype: Any = None, order: Any = "K", subok: bool = True, shape: Any = None, *, device: Any = None
) -> Tensor:
    """`full` of the shape and dtype of `a`, unless these are given.

    >>> gnp.full_like(gradkit.ones(2), 7)
    tensor([7., 7.])
    """
    refuse("full_like", {"order": order, "subok": subok})
    x = _asarray(a)
    place = x.device if device is None else device
    return full(x.shape if shape is None else shape, fill_value, x.dtype if dtype is None else dtype, device=place)


def linspace(
    start: Any, stop: Any, num: int = 50, endpoint: bool = True, retstep: bool = False, dtype: Any = None,
    axis: int = 0, *, device: Any = None,
) -> Any:
    """`num` numbers evenly spaced from `start` to `stop`, which may be tensors: derivatives flow to both.

    >>> gnp.linspace(0, 1, 3)
    tensor([0.0000, 0.5000, 1.0000], dtype=gradkit.float64)
    """
    if not isinstance(start, Tensor) and not isinstance(stop, Tensor):
        made: Any = np.linspace(start, stop, num, endpoint, retstep, dtype, axis)  # type: ignore[call-overload]
        place = wanted(device)
        return (placed(wrap(made[0]), place), made[1]) if retstep else placed(wrap(made), place)
    ends = [calling.operand(x) for x in (start, stop)]
    first, last = together(ends, calling.result_type(*ends, 1.0))
    parts = max(num - 1 if endpoint else num, 1)
    step = (last - first) / parts
    weights = beside(step, np.arange(num).astype(step.dtype).reshape((num,) + (1,) * max(first.ndim, last.ndim)))
    y = first + weights * step
    y = y if axis == 0 else xp.moveaxis(y, 0, axis)
    y = y if dtype is None else xp.astype(y, dtype=np.dtype(dtype))
    return (y, step) if retstep else y


def meshgrid(*xi: Any, copy: bool = True, sparse: bool = False, indexing: str = "xy") -> tuple[Tensor, ...]:
    """The coordinates of all points of a grid from those of its axes: one tensor for each, of as many axes.

    `indexing` "xy" exchanges the first two axes, "ij" does not; ValueError for another. `sparse` leaves extents 1.

    >>> [x.shape for x in gnp.meshgrid(gradkit.ones(2), gradkit.ones(3))]
    [gradkit.Size([3, 2]), gradkit.Size([3, 2])]
    """
    if indexing not in ("xy", "ij"):
        raise ValueError("Valid values for `indexing` are 'xy' and 'ij'.")
    n = len(xi)
    places = [1, 0, *range(2, n)] if indexing == "xy" and n > 1 else list(range(n))
    axes = [xp.reshape(x, (-1,)) for x in map(_asarray, xi)]
    open_grid = [xp.reshape(x, (*[1] * at, -1, *[1] * (n - at - 1))) for x, at in zip(axes, places)]
    if not sparse:
        shape = np.broadcast_shapes(*[tuple(x.shape) for x in open_grid])
        open_grid = [xp.broadcast_to(x, shape) for x in open_grid]
    return tuple([xp.clone(x) for x in open_grid] if copy else open_grid)


def diag(v: Any, k: int = 0) -> Tensor:
    """The matrix with the vector `v` on its diagonal `k`, or of a matrix its diagonal. ValueError for other ranks.

    >>> gnp.diag(gradkit.ones(2))
    tensor([[1., 0.],
            [0., 1.]])
    """
    x = _asarray(v)
    if x.ndim == 2:
        return xp.diagonal(x, offset=k, axis1=-2, axis2=-1)
    if x.ndim != 1:
        raise ValueError("Input must be 1- or 2-d.")
    n = x.shape[0] + abs(k)
    return xp.undiagonal(x, shape=(n, n), offset=k, axis1=-2, axis2=-1)


def diagflat(v: Any, k: int = 0) -> Tensor:
    """`diag` of all elements of `v`.

    >>> gnp.diagflat(gradkit.ones(1, 2)).shape
    gradkit.Size([2, 2])
    """
    return diag(xp.reshape(_asarray(v), (-1,)), k)


def _triangle(name: str) -> Callable[..., Any]:
    def cut(m: Any, k: int = 0) -> Tensor:
        x = _asarray(m)
        return getattr(xp, name)(x if x.ndim > 1 else xp.broadcast_to(x, (x.shape[0], x.shape[0])), k=k)

    return named(cut, name, f"""The {"lower" if name == "tril" else "upper"} triangle of matrices: 0 beyond the diagonal `k`.

    >>> gnp.{name}(gradkit.ones(2, 2)).sum()
    tensor(3.)
    """)


tril = _triangle("tril")
triu = _triangle("triu")


def vander(x: Any, N: int | None = None, increasing: bool = False) -> Tensor:
    """The matrix whose columns are the powers of `x`, from the highest down unless `increasing`.

    ValueError if `x` is not one-dimensional.

    >>> gnp.vander(gradkit.tensor([2, 3]), 3)
    tensor([[4, 2, 1],
            [9, 3, 1]])
    """
    x = _asarray(x)
    if x.ndim != 1:
        raise ValueError("x must be a one-dimensional array or sequence.")
    x = calling.converted(x, np.result_type(x.dtype, np.int64))
    order = range(x.shape[0] if N is None else N)
    return xp.stack([x**n for n in (order if increasing else reversed(order))], axis=-1)


def from_dlpack(x: Any, /, *, device: Any = None, copy: bool | None = None) -> Tensor:
    """A tensor that shares the memory of any array with ``__dlpack__``: of PyTorch, JAX, CuPy, NumPy.

    BufferError if its memory is on a device that is not in use here.

    >>> gnp.from_dlpack(np.ones(2))
    tensor([1., 1.], dtype=gradkit.float64)
    """
    if isinstance(x, Tensor):
        return asarray(x.detach(), device=device, copy=copy)
    return placed(wrap(exported(x, copy)), device)


__all__ = [
    "arange", "array", "asanyarray", "asarray", "ascontiguousarray", "astype", "bartlett", "blackman", "copy", "diag",
    "diag_indices", "diagflat", "empty", "empty_like", "eye", "from_dlpack", "full", "full_like", "geomspace",
    "hamming", "hanning", "identity", "indices", "kaiser", "linspace", "logspace", "meshgrid", "ones", "ones_like",
    "tri", "tril", "tril_indices", "triu", "triu_indices", "vander", "zeros", "zeros_like",
]
