"""Making tensors: from numbers, lists and arrays, and filled with one value or a sequence."""

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from gradkit import errors
from gradkit.backend.protocol import backend_named, backend_of
from gradkit.engine import dtypes
from gradkit.engine.device import CPU, made_on, moved, wanted
from gradkit.engine.naming import named
from gradkit.engine.tensor import Tensor, wrap

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
    return _finish(raw, requires_grad)


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


asarray = as_tensor


def from_numpy(ndarray: Any) -> Tensor:
    """A tensor that shares the memory of a NumPy array; TypeError for anything else.

    Unlike PyTorch's, a tensor may have negative strides, so a reversed array is shared too.

    >>> gradkit.from_numpy(np.arange(3))
    tensor([0, 1, 2])
    """
    if not isinstance(ndarray, np.ndarray):
        raise TypeError(f"expected np.ndarray (got {type(ndarray).__name__}); write gradkit.tensor(...) instead")
    return wrap(ndarray)


def raw_from(data: Any, dtype: Any = None, *, copy: bool) -> Any:
    """The raw array of what people write."""
    if isinstance(data, Tensor):
        data = data.array
    wanted = None if dtype is None else np.dtype(dtype)
    if hasattr(data, "dtype") and hasattr(data, "shape"):
        return backend_of(data).asarray(data, wanted, copy=copy or None)
    if isinstance(data, list | tuple):
        data = _bare(data)
    try:
        found = np.array(data)
    except ValueError as reason:
        raise ValueError(f"expected a sequence of equal lengths at every dim: {reason}") from None
    if found.dtype.kind not in "biufc":
        raise not_numbers(data)
    if wanted is None:
        wanted = inferred(data, found.dtype)
    if found.dtype.kind == "c" and wanted.kind in "iufV":
        raise TypeError(f"must be real number, not complex: the imaginary part is lost in {wanted.name}; take .real of the data")
    return found.astype(wanted, copy=False)


def not_numbers(data: Any) -> Exception:
    """What PyTorch raises for data that holds something else: the first such thing is named."""
    nested = isinstance(data, list | tuple)
    odd = next((one for one in leaves(data) if not isinstance(one, dtypes.NUMBERS)), data)
    shown = f"{type(odd).__name__} {str(odd)[:40]!r}; data must be numbers or arrays of numbers"
    if isinstance(odd, str):
        return ValueError(f"too many dimensions 'str': got {shown}") if nested else TypeError(f"new(): invalid data type: {shown}")
    return RuntimeError(f"Could not infer dtype of {shown}")


def leaves(data: Any) -> Iterator[Any]:
    """What stands in nested lists."""
    if isinstance(data, list | tuple):
        for one in data:
            yield from leaves(one)
    else:
        yield data


def _bare(data: Any) -> Any:
    """Nested lists with the arrays of any tensors in them, on the host."""
    if isinstance(data, Tensor):
        return moved(data.array, CPU)
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


def shape_from(name: str, size: tuple[Any, ...]) -> tuple[int, ...]:
    """``f(2, 3)`` and ``f((2, 3))``; TypeError without a size, RuntimeError for a negative one."""
    if not size:
        raise TypeError(
            f"{name}() received an invalid combination of arguments - got (), but expected one of:\n"
            f" * {name}(tuple of ints size, *, ...)\n * {name}(int, int, ..., *, ...)"
        )
    if len(size) == 1 and not isinstance(size[0], int | np.integer):
        size = tuple(size[0])
    for n in size:
        if not isinstance(n, int | np.integer) or isinstance(n, bool):
            raise TypeError(f"{name}(): argument 'size' must be tuple of ints, but found element of type {type(n).__name__}")
        if n < 0:
            raise RuntimeError(f"{name}(): Trying to create tensor with negative dimension {n}: {list(size)}")
    return tuple([int(n) for n in size])


def _filled(name: str) -> Any:
    def make(*size: Any, dtype: Any = None, device: Any = None, requires_grad: bool = False, pin_memory: bool = False) -> Tensor:
        raw = made_on(device, name, shape_from(name, size), dtypes.get_default_dtype() if dtype is None else np.dtype(dtype))
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
    return wrap(backend_of(t.array).xp.broadcast_to(t.array, sizes + t.array.shape).copy(), batch=like.batch)


zeros = _filled("zeros")
ones = _filled("ones")
empty = _filled("empty")


def full(size: Any, fill_value: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """A tensor of `size` filled with a number, of the dtype that number has.

    >>> gradkit.full((2,), 7)
    tensor([7, 7])
    """
    value = fill_value.item() if isinstance(fill_value, Tensor) else fill_value
    kind = dtypes.of_number(value) if dtype is None else np.dtype(dtype)
    return _finish(made_on(device, "full", shape_from("full", (size,)), value, kind), requires_grad)


def _like(name: str) -> Any:
    def made(input: Tensor, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
        if not isinstance(input, Tensor):
            raise errors.not_a_tensor(f"{name}_like", 0, input)
        dtype = input.dtype if dtype is None else np.dtype(dtype)
        raw = made_on(input.device if device is None else device, name, tuple(input.array.shape), dtype)
        t = wrap(raw, batch=input.batch)
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
    t.array[...] = fill_value
    return t.requires_grad_() if requires_grad else t


def arange(
    start: Any, end: Any = None, step: Any = 1, *, dtype: Any = None, device: Any = None, requires_grad: bool = False
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
        integers = all([isinstance(x, int) for x in (start, end, step)])
        dtype = dtypes.int64 if integers else dtypes.get_default_dtype()
    count = math.ceil((end - start) / step)
    counted = np.float64 if isinstance(step, float) or isinstance(start, float) else np.int64
    raw = start + step * made_on(device, "arange", count, dtype=counted)
    return _finish(raw.astype(np.dtype(dtype)), requires_grad)


def linspace(start: Any, end: Any, steps: int, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """`steps` numbers, evenly spaced from `start` to `end`, both included.

    >>> gradkit.linspace(0, 1, 3)
    tensor([0.0000, 0.5000, 1.0000])
    """
    start, end = [x.item() if isinstance(x, Tensor) else x for x in (start, end)]
    raw = made_on(device, "linspace", start, end, steps)
    return _finish(raw.astype(dtypes.get_default_dtype() if dtype is None else np.dtype(dtype)), requires_grad)


def logspace(
    start: Any, end: Any, steps: int, base: float = 10.0, *, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """`steps` powers of `base`, whose exponents go evenly from `start` to `end`, both included.

    >>> gradkit.logspace(0, 2, 3)
    tensor([  1.,  10., 100.])
    """
    start, end = [x.item() if isinstance(x, Tensor) else x for x in (start, end)]
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
    t = wrap(np.frombuffer(buffer, np.dtype(dtype), count, offset))
    return t.requires_grad_() if requires_grad else t


def eye(n: int, m: int | None = None, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """A matrix of `n` rows and `m` (or `n`) columns, ones on the diagonal.

    >>> gradkit.eye(2)
    tensor([[1., 0.],
            [0., 1.]])
    """
    kind = dtypes.get_default_dtype() if dtype is None else np.dtype(dtype)
    return _finish(made_on(device, "eye", n, m, dtype=kind), requires_grad)
