"""Making tensors: from numbers, lists and arrays, and filled with one value or a sequence."""

import math
import operator
from collections.abc import Iterator
from typing import Any

import numpy as np

from gradkit import errors
from gradkit.backend.protocol import backend_named, backend_of
from gradkit.engine import dtypes
from gradkit.engine.batching import sole
from gradkit.engine.device import CPU, made_on, moved, on_device_of, wanted
from gradkit.engine.naming import named
from gradkit.engine.tensor import Tensor, kept_alike, wrap

__all__ = [
    "arange", "as_tensor", "asarray", "empty", "empty_like", "eye", "from_numpy", "frombuffer", "full", "full_like",
    "linspace", "logspace", "ones", "ones_like", "scalar_tensor", "tensor", "zeros", "zeros_like",
]


def tensor(data: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False, pin_memory: bool = False) -> Tensor:
    """A new tensor holding a copy of `data`: a number, nested lists or tuples, an array, a tensor.

    Python floats become the default dtype (float32), ints int64, complex numbers complex64; arrays keep their dtype.
    ValueError for ragged lists, TypeError for what is no number, RuntimeError if a tensor that requires grad
    is to be of an integer dtype.

    >>> gradkit.tensor([[1.0, 2.0], [3.0, 4.0]])
    tensor([[1., 2.],
            [3., 4.]])
    """
    raw = placed(raw_from(data, dtype, copy=True), device)
    if pin_memory:
        raw = pinned(raw)
    if requires_grad and raw.ndim == 0 and isinstance(raw, np.ndarray):
        raw = raw[()]  # as 0-d results are: graphs of scalars are twice as fast so
    t = kept_alike(wrap(raw, batch=data.batch), data) if isinstance(data, Tensor) else wrap(raw)
    return t.requires_grad_() if requires_grad else t


def as_tensor(data: Any, dtype: Any = None, device: Any = None) -> Tensor:
    """`data` as a tensor, sharing its memory (and history) when it already is an array or tensor of that dtype.

    >>> a = np.zeros(2, np.float32)
    >>> gradkit.as_tensor(a).add_(1)
    tensor([1., 1.])
    >>> a
    array([1., 1.], dtype=float32)
    """
    if isinstance(data, Tensor):
        place = wanted(device)
        return data if dtype is None and place is None else data.to(device=place, dtype=dtype)
    return wrap(placed(raw_from(data, dtype, copy=False), device))


def asarray(obj: Any, *, dtype: Any = None, device: Any = None, copy: bool | None = None, requires_grad: bool = False) -> Tensor:
    """`as_tensor`, as a leaf that requires grad if asked, and in memory of its own with `copy`; without one with False.

    ValueError with ``copy=False`` for what must be copied.

    >>> gradkit.asarray([1.0, 2.0], requires_grad=True)
    tensor([1., 2.], requires_grad=True)
    """
    t = tensor(obj, dtype=dtype, device=device) if copy else as_tensor(obj, dtype, device)
    if copy is False and not np.may_share_memory(t.array, getattr(obj, "array", obj)):
        raise ValueError(f"can't alias arbitrary object {type(obj).__name__} as a Tensor without a copy; leave out copy=False")
    return t.detach().requires_grad_() if requires_grad else t


def from_numpy(ndarray: Any) -> Tensor:
    """A tensor that shares the memory of a NumPy array; TypeError for anything else.

    Unlike PyTorch's, a tensor may have negative strides, so a reversed array is shared too.

    >>> gradkit.from_numpy(np.arange(3))
    tensor([0, 1, 2])
    """
    if not isinstance(ndarray, np.ndarray):
        raise TypeError(f"expected np.ndarray (got {type(ndarray).__name__}); write gradkit.tensor(...) instead")
    dtypes.known(ndarray.dtype)
    return wrap(ndarray)


def raw_from(data: Any, dtype: Any = None, *, copy: bool) -> Any:
    if isinstance(data, Tensor):
        data = data.array
    wanted = None if dtype is None else dtypes.known(dtype)
    if hasattr(data, "dtype") and hasattr(data, "shape"):
        backend = backend_of(data)
        if wanted is None:
            dtypes.known(data.dtype)
        return backend.asarray(data, wanted, copy=copy or None)
    if isinstance(data, list | tuple):
        data = _bare(data)
    try:
        found = np.array(data)
    except ValueError as reason:
        kind = TypeError if _mixed(data) else ValueError
        raise kind(f"expected a sequence of equal lengths at every dim: {reason}") from None
    if found.dtype.kind not in "biufc":
        raise not_numbers(data)
    if wanted is None:
        wanted = inferred(data, found.dtype)
    if found.dtype.kind == "c" and wanted.kind in "iufV":
        raise TypeError(f"must be real number, not complex: the imaginary part is lost in {wanted.name}; take .real of the data")
    if wanted.kind in "iu" and found.size and not np.can_cast(found.dtype, wanted):
        most = np.iinfo(wanted).max
        if not (-most - 1 <= found.min() and found.max() <= most):
            if dtype is None:
                raise ValueError(f"Overflow when unpacking long long: {found.max()} is no int64; write it as a float")
            raise RuntimeError(f"value cannot be converted to type {wanted.name} without overflow; choose a wider dtype")
    return found.astype(wanted, copy=False)


def _mixed(data: Any) -> bool:
    nested = [isinstance(one, list | tuple) for one in data]
    return any(nested) and (not all(nested) or any([_mixed(one) for one in data]))


def not_numbers(data: Any) -> Exception:
    """What PyTorch raises for data that holds something else: the first such thing is named."""
    nested = isinstance(data, list | tuple)
    large = 2**63 - 1
    odd = next((x for x in leaves(data) if not isinstance(x, dtypes.NUMBERS) or (isinstance(x, int) and abs(x) > large)), data)
    shown = f"{type(odd).__name__} {str(odd)[:40]!r}; data must be numbers or arrays of numbers"
    if isinstance(odd, str):
        return ValueError(f"too many dimensions 'str': got {shown}") if nested else TypeError(f"new(): invalid data type: {shown}")
    if isinstance(odd, int):
        return ValueError(f"Overflow when unpacking long long: no integer dtype holds {shown}")
    return RuntimeError(f"Could not infer dtype of {shown}")


def leaves(data: Any) -> Iterator[Any]:
    if isinstance(data, list | tuple):
        for one in data:
            yield from leaves(one)
    else:
        yield data


def _bare(data: Any) -> Any:
    """Nested lists with the arrays of any tensors in them, on the host."""
    if isinstance(data, Tensor):
        return moved(sole(data, "calling tensor() on a list that holds a Tensor", "write stack([...])").array, CPU)
    return [_bare(one) for one in data] if isinstance(data, list | tuple) else data


def inferred(data: Any, found: Any) -> Any:
    while isinstance(data, list | tuple) and data:
        data = data[0]
    if hasattr(data, "dtype"):
        return found
    if found.kind == "f":
        return dtypes.get_default_dtype()
    if found.kind == "c":
        return dtypes.default_complex()
    return found if found.kind == "b" else dtypes.int64


def placed(raw: Any, device: Any) -> Any:
    """A raw array on the device that `device=` or the default names; where it is if neither does."""
    place = wanted(device)
    return raw if place is None else moved(raw, place)


def pinned(raw: Any) -> Any:
    """A copy of a host's array in memory that a GPU can copy from while the host goes on. RuntimeError for another's."""
    if backend_of(raw).name != "cpu":
        raise RuntimeError(f"only CPU memory can be pinned, not a {errors.describe(raw)}; write x.cpu().pin_memory()")
    return backend_named("cuda").pinned(raw)


def _finish(raw: Any, requires_grad: bool) -> Tensor:
    t = wrap(raw)
    return t.requires_grad_() if requires_grad else t


def shape_from(name: str, size: tuple[Any, ...], keyword: Any = None) -> tuple[int, ...]:
    """``f(2, 3)``, ``f((2, 3))`` and ``f(size=(2, 3))``; TypeError without a size, RuntimeError for a negative one."""
    if keyword is not None and not size:
        size = (keyword,)
    if not size:
        raise TypeError(
            f"{name}() received an invalid combination of arguments - got (), but expected one of:\n"
            f" * {name}(tuple of ints size, *, ...)\n * {name}(int, int, ..., *, ...)"
        )
    if len(size) == 1 and not isinstance(size[0], int | np.integer) and not (isinstance(size[0], Tensor) and not size[0].ndim):
        size = tuple(size[0])
    size = tuple([operator.index(n) if isinstance(n, Tensor) else n for n in size])
    for n in size:
        if not isinstance(n, int | np.integer) or isinstance(n, bool):
            raise TypeError(f"{name}(): argument 'size' must be tuple of ints, but found element of type {type(n).__name__}")
        if n < 0:
            raise RuntimeError(f"{name}(): Trying to create tensor with negative dimension {n}: {list(size)}")
    return tuple([int(n) for n in size])


def _filled(name: str) -> Any:
    def make(
        *sizes: Any, size: Any = None, dtype: Any = None, device: Any = None, requires_grad: bool = False, pin_memory: bool = False
    ) -> Tensor:
        kind = dtypes.get_default_dtype() if dtype is None else dtypes.known(dtype)
        raw = made_on(device, operator.methodcaller(name, shape_from(name, sizes, size), kind))
        return _finish(pinned(raw) if pin_memory else raw, requires_grad)

    return named(make, name, f"""A tensor of the given size: ``{name}(2, 3)`` or ``{name}((2, 3))``.

    Floating dtype float32 unless `dtype` or `set_default_dtype` says otherwise. Raises RuntimeError for a negative
    size, TypeError for one that is no integer.

    >>> gradkit.{name}(2, 3).shape
    gradkit.Size([2, 3])
    """)


def wrap_over(t: Tensor, like: Tensor) -> Tensor:
    """`t` once for each sample of the batch axes that `like` has, in memory of its own."""
    sizes = like.array.shape[: len(like.batch)]
    with on_device_of(t.array):
        raw = backend_of(t.array).xp.broadcast_to(t.array, sizes + t.array.shape).copy()
    return kept_alike(wrap(raw, batch=like.batch), like)


zeros = _filled("zeros")
ones = _filled("ones")
empty = _filled("empty")


def full(size: Any, fill_value: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """A tensor of `size` filled with a number, of the dtype that number has.

    >>> gradkit.full((2,), 7)
    tensor([7, 7])
    """
    value = fill_value.item() if isinstance(fill_value, Tensor) else fill_value
    if not isinstance(value, (*dtypes.NUMBERS, np.number, np.bool_)):
        raise TypeError(f"full(): argument 'fill_value' (position 2) must be Number, not {type(value).__name__}")
    kind = dtypes.of_number(value) if dtype is None else dtypes.known(dtype)
    raw = made_on(device, operator.methodcaller("full", shape_from("full", (size,)), value, kind))
    return _finish(raw, requires_grad)


def _like(name: str) -> Any:
    def made(input: Tensor, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
        if not isinstance(input, Tensor):
            raise errors.not_a_tensor(f"{name}_like", 0, input)
        dtype = input.dtype if dtype is None else dtypes.known(dtype)
        raw = made_on(input.device if device is None else device, operator.methodcaller(name, tuple(input.array.shape), dtype))
        t = kept_alike(wrap(raw, batch=input.batch), input)
        return t.requires_grad_() if requires_grad else t

    return named(made, f"{name}_like", f"""A tensor of the shape, dtype and device of `input`, made as `{name}` does.

    >>> gradkit.{name}_like(gradkit.tensor([1, 2])).dtype
    dtype('int64')
    """)


zeros_like = _like("zeros")
ones_like = _like("ones")
empty_like = _like("empty")


def full_like(input: Tensor, fill_value: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """A tensor of the shape, dtype and device of `input`, filled with a number.

    >>> gradkit.full_like(gradkit.ones(2), 0.5)
    tensor([0.5000, 0.5000])
    """
    t = empty_like(input, dtype=dtype, device=device)
    with on_device_of(t.array):
        t.array[...] = fill_value
    return t.requires_grad_() if requires_grad else t


def arange(
    start: Any = 0, end: Any = None, step: Any = 1, *, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """Numbers from `start` (0 if one bound is given) up to but without `end`.

    int64 if all are integers, else the default dtype. RuntimeError if `step` is 0 or leads away from `end`.

    >>> gradkit.arange(3)
    tensor([0, 1, 2])
    >>> gradkit.arange(1, 2, 0.5)
    tensor([1.0000, 1.5000])
    """
    start, end = (0, start) if end is None else (start, end)
    start, end, step = [x.item() if isinstance(x, Tensor) else x for x in (start, end, step)]
    if step == 0:
        raise RuntimeError("step must be nonzero")
    if (end - start) * step < 0:
        raise RuntimeError("upper bound and lower bound inconsistent with step sign")
    if dtype is None:
        integers = all([isinstance(x, int | np.integer) for x in (start, end, step)])
        dtype = dtypes.int64 if integers else dtypes.get_default_dtype()
    if not math.isfinite(end - start):
        raise RuntimeError(f"unsupported range: {start} -> {end}")
    count = math.ceil((end - start) / step)
    counted = np.float64 if isinstance(step, float) or isinstance(start, float) else np.int64
    kind = dtypes.known(dtype)
    raw = made_on(device, lambda xp: (start + step * xp.arange(count, dtype=counted)).astype(kind))
    return _finish(raw, requires_grad)


def _ends(name: str, start: Any, end: Any, steps: int) -> tuple[Any, Any]:
    start, end = [x.item() if isinstance(x, Tensor) else x for x in (start, end)]
    if isinstance(start, str) or isinstance(end, str):
        raise TypeError(f"{name}(): 'start' and 'end' must be numbers, got {start!r} and {end!r}")
    if steps < 0:
        raise RuntimeError(f"{name}(): number of steps must be non-negative, got {steps}")
    return start, end


def linspace(start: Any, end: Any, steps: int, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """`steps` numbers, evenly spaced from `start` to `end`, both included.

    >>> gradkit.linspace(0, 1, 3)
    tensor([0.0000, 0.5000, 1.0000])
    """
    start, end = _ends("linspace", start, end, steps)
    kind = dtypes.get_default_dtype() if dtype is None else dtypes.known(dtype)
    return _finish(made_on(device, lambda xp: xp.linspace(start, end, steps).astype(kind)), requires_grad)


def logspace(
    start: Any, end: Any, steps: int, base: float = 10.0, *, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """`steps` powers of `base`, whose exponents go evenly from `start` to `end`, both included.

    >>> gradkit.logspace(0, 2, 3)
    tensor([  1.,  10., 100.])
    """
    start, end = _ends("logspace", start, end, steps)
    raw = np.power(float(base), np.linspace(start, end, steps))
    return tensor(raw, dtype=dtypes.get_default_dtype() if dtype is None else dtype, device=device, requires_grad=requires_grad)


def scalar_tensor(s: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """A 0-d tensor of a number, of the default dtype unless `dtype` says otherwise.

    >>> gradkit.scalar_tensor(2)
    tensor(2.)
    """
    return full((), s, dtype=dtype or dtypes.get_default_dtype(), device=device, requires_grad=requires_grad)


def frombuffer(buffer: Any, *, dtype: Any, count: int = -1, offset: int = 0, requires_grad: bool = False) -> Tensor:
    """A vector that shares the memory of an object with a buffer, from byte `offset` on: `count` elements, -1 for all.

    ValueError for a buffer that does not hold them.

    >>> gradkit.frombuffer(bytearray(b"ab"), dtype=gradkit.uint8)
    tensor([97, 98], dtype=gradkit.uint8)
    """
    t = wrap(np.frombuffer(buffer, dtypes.known(dtype), count, offset))
    return t.requires_grad_() if requires_grad else t


def eye(n: int, m: int | None = None, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """A matrix of `n` rows and `m` (or `n`) columns, ones on the diagonal.

    >>> gradkit.eye(2)
    tensor([[1., 0.],
            [0., 1.]])
    """
    if n < 0 or (m or 0) < 0:
        raise RuntimeError(f"eye(): n and m must be greater or equal to 0, got {n} and {m}")
    kind = dtypes.get_default_dtype() if dtype is None else dtypes.known(dtype)
    return _finish(made_on(device, lambda xp: xp.eye(n, m, dtype=kind)), requires_grad)
