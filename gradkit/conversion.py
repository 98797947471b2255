"""Tensor methods that lead elsewhere: to Python, to NumPy, to a copy, to text."""

import contextlib
import copy
from typing import Any

import numpy as np

from gradkit.backend.protocol import beside
from gradkit.engine import batching, dtypes, modes, printing
from gradkit.engine.device import CPU, device as Device, moved, on_device_of
from gradkit.engine.lines import user_line
from gradkit.engine.tangents import open_tangents
from gradkit.engine.tensor import Tensor, wrap
from gradkit.engine.versions import owner
from gradkit.ops.arithmetic import positive

METHODS = ("data_ptr", "item", "numpy", "tolist")


def materialised(self: Tensor) -> Any:
    """The raw array, which memory can be shared with: a NumPy scalar is made into one."""
    if isinstance(self.array, np.generic):
        self.array = np.asarray(self.array)
    return self.array


# -- to Python and NumPy
def item(self: Tensor) -> Any:
    """The one element as a Python number; RuntimeError if there are several.

    >>> gradkit.tensor(2.5).item()
    2.5
    """
    if self.numel() != 1:
        raise RuntimeError(
            f"a Tensor with {self.numel()} elements cannot be converted to Scalar (shape {tuple(self.shape)}); use "
            ".tolist(), or reduce it first"
        )
    self = batching.sole(
        self, "calling .item() on a Tensor, or float() or int()",
        "go on with the Tensor itself, and write gradkit.where(condition, a, b) instead of a branch",
    )
    return self.array.item()


def tolist(self: Tensor) -> Any:
    """Nested lists of Python numbers; a number for 0-d.

    >>> gradkit.tensor([[1, 2]]).tolist()
    [[1, 2]]
    """
    return batching.sole(self, "calling .tolist() on a Tensor", "go on with the Tensor itself").array.tolist()


def numpy(self: Tensor, *, force: bool = False) -> Any:
    """The NumPy array whose memory this tensor has.

    RuntimeError if it requires grad (unless recording is off), TypeError if it is on a GPU; with `force` it is detached
    and copied to the host instead.

    >>> gradkit.ones(2).numpy()
    array([1., 1.], dtype=float32)
    """
    if self.is_cuda:
        if not force and self.requires_grad:
            raise TypeError(
                f"can't convert {self.device} device type tensor that requires grad to an array. Use Tensor.detach() for CuPy, "
                "Tensor.detach().cpu() for NumPy."
            )
        if not force:
            raise TypeError(
                f"can't convert {self.device} device type tensor to numpy. Use Tensor.cpu() to copy the tensor to host "
                "memory first."
            )
        return numpy(self.cpu(), force=True)
    if modes.closed:
        self = batching.living(self)
    if self.batch or open_tangents(self):
        inside = "vmap, where it stands for many samples" if self.batch else "jvp, where its tangent would be lost"
        if self.batch and batching.unasked():
            inside = batching.ROWS
        raise RuntimeError(
            f"can't convert a Tensor to numpy inside {inside} ({user_line()}); use gradkit's operations, or np.f(tensor), such as np.stack "
            "for np.array of several"
        )
    if self.requires_grad and modes.local.grad and not force:
        advice = "Use tensor.detach().numpy() instead."
        if modes.local.written is not None:
            advice = f"Inside a transform ({user_line()}) its gradient would be lost: use np.stack or gradkit.stack for np.array"
        raise RuntimeError(f"Can't call numpy() on Tensor that requires grad. {advice}")
    return materialised(self)


def data_ptr(self: Tensor) -> int:
    """The address of the first element.

    >>> x = gradkit.ones(2)
    >>> x.detach().data_ptr() == x.data_ptr()
    True
    """
    return _address(materialised(self))


def _address(array: Any) -> int:
    return array.ctypes.data if isinstance(array, np.ndarray) else array.data.ptr


def as_bool(self: Tensor) -> bool:
    self = batching.sole(
        self, "attempting to use a Tensor in some data-dependent control flow (if, while, and, or, not, bool())",
        "write gradkit.where(condition, a, b) instead of a branch, and & | ~ instead of and, or, not",
    )
    if self.numel() != 1:
        raise RuntimeError(
            f"Boolean value of Tensor with {'no values' if self.numel() == 0 else 'more than one value'} is ambiguous "
            f"(shape {tuple(self.shape)}); use .any() or .all()"
        )
    return bool(item(self))


def as_number(kind: Any) -> Any:
    def convert(self: Tensor) -> Any:
        if self.numel() != 1:
            raise ValueError(
                f"only one element tensors can be converted to Python scalars, not one of shape {tuple(self.shape)}; use "
                ".tolist(), or reduce it first"
            )
        value = item(self)
        if isinstance(value, complex):
            if value.imag:
                raise RuntimeError(f"{value} cannot be converted to {kind.__name__} without losing its imaginary part; take .real")
            value = value.real
        return kind(value)

    return convert


def as_index(self: Tensor) -> int:
    if self.dtype.kind not in "iub" or self.numel() != 1:
        raise TypeError(
            f"only integer tensors of a single element can be converted to an index, not {self.dtype.name} of shape "
            f"{tuple(self.shape)}"
        )
    self = batching.sole(
        self, "using a Tensor as a Python index, size or range",
        "index with the Tensor itself (x[i], gradkit.take_along_dim), or make the largest size and mask with gradkit.where",
    )
    return int(item(self))


def length(self: Tensor) -> int:
    if self.ndim == 0:
        raise TypeError("len() of a 0-d tensor")
    return self.shape[0]


def elements(self: Tensor) -> Any:
    if self.ndim == 0:
        raise TypeError("iteration over a 0-d tensor")
    return iter([self[i] for i in range(self.shape[0])])


def contains(self: Tensor, element: Any) -> bool:
    remedy = "write (x == element).any()"
    self, element = [batching.sole(x, "asking whether a Tensor contains an element", remedy) for x in (self, element)]
    if not isinstance(element, (Tensor, np.ndarray, np.generic, *dtypes.NUMBERS)):
        raise RuntimeError(f"Tensor.__contains__ only supports Tensor or scalar, but you passed in a {type(element)}.")
    return bool((self == element).any())


def as_array(self: Tensor, dtype: Any = None, copy: bool | None = None) -> Any:
    return np.array(numpy(self), dtype, copy=copy)


# -- copies
def data_of(self: Tensor) -> Tensor:
    return wrap(materialised(self), batch=self.batch)


def set_data(self: Tensor, new: Tensor) -> None:
    if not isinstance(new, Tensor):
        raise TypeError(f"Variable data has to be a tensor, but got {new.__class__.__name__}")
    self.array = new.array
    if self.node is not None and self.node.prim is None:
        self.node.like = (new.array.shape, new.array.dtype)


def shallow_copy(self: Tensor) -> Tensor:
    state = {key: value for key, value in self.__dict__.items() if key not in ("_view", "_views", "_grad")}
    return rebuilt(self.__class__, materialised(self), self.requires_grad, state)


def _attributes(self: Tensor) -> dict[str, Any]:
    return {key: value for key, value in self.__dict__.items() if not hasattr(Tensor, key)}


def _deep_memory(array: Any, memo: dict[int, Any]) -> Any:
    """A copy of an array inside a copy of all the memory it is a view of, which other views find in `memo`."""
    memory = owner(array)
    in_rows = memory.flags.c_contiguous
    if not array.size or not (in_rows or memory.flags.f_contiguous):
        return array.copy()
    if id(memory) not in memo:
        memo[id(memory)] = memory.copy("A")
    copied = memo[id(memory)]
    left = (copied if in_rows else copied.T).reshape(-1).view("B")[_address(array) - _address(memory) :]
    left = left[: left.size // array.itemsize * array.itemsize].view(array.dtype)
    return beside(left, "as_strided", left, array.shape, array.strides)


def deep_copy(self: Tensor, memo: dict[int, Any]) -> Tensor:
    if id(self) in memo:
        return memo[id(self)]
    if not self.is_leaf:
        raise RuntimeError(
            "Only Tensors created explicitly by the user (graph leaves) support the deepcopy protocol at the moment; "
            f"this one was made by {self.grad_fn.name()}: write copy.deepcopy(x.detach())"
        )
    facets: dict[str, Any] = {name: vars(self)[name] for name in ("batch", "tangents") if name in vars(self)}
    with on_device_of(self.array):
        new = rebuilt(self.__class__, _deep_memory(materialised(self), memo), self.requires_grad, facets)
    memo[id(self)] = new
    new.__dict__.update(copy.deepcopy(_attributes(self), memo))
    if self._grad is not None:
        new._grad = deep_copy(self._grad, memo)
    return new


def reduce(self: Tensor, _protocol: Any) -> Any:
    if self.is_cuda:  # as bytes of the host: who loads it may have no GPU
        return reloaded, (self.__class__, moved(self.array, CPU), str(self.device), self.requires_grad, _attributes(self))
    return rebuilt, (self.__class__, materialised(self), self.requires_grad, _attributes(self))


def reloaded(kind: Any, array: Any, place: str, requires_grad: bool, state: dict[str, Any]) -> Tensor:
    """A pickled tensor back on its device, or on the CPU where that device cannot be used."""
    with contextlib.suppress(RuntimeError):
        array = moved(array, Device(place))
    return rebuilt(kind, array, requires_grad, state)


def rebuilt(kind: Any, array: Any, requires_grad: bool, state: dict[str, Any]) -> Tensor:
    """A leaf of these parts: what copies and pickles become."""
    new = Tensor.__new__(kind)
    new.array, new.node = array, None
    new.__dict__.update(state)
    return new.requires_grad_() if requires_grad else new


# -- to text
def represent(self: Tensor) -> str:
    if self.batch:
        axes = "a batch axis" if len(self.batch) == 1 else f"{len(self.batch)} batch axes"
        return f"{represent(wrap(self.array, self.node, self.tangents))} with {axes} in front"
    fn, ts = self.grad_fn, open_tangents(self)
    t = ts[max(ts)] if len(ts) == 1 else ts
    return printing.tensor_repr(
        moved(self.array, CPU), requires_grad=self.requires_grad and fn is None, grad_fn=fn and fn.name(),
        tangent=(repr(t) if isinstance(t, Tensor) and t.batch else t) if ts else None,
        device=str(self.device) if self.is_cuda else None, default_dtype=dtypes.get_default_dtype(),
    )


def refuse_deletion(self: Tensor, key: Any) -> None:
    raise TypeError("Tensor does not support deleting items; select those to keep")


SPECIAL = {
    "__array__": as_array, "__bool__": as_bool, "__contains__": contains, "__copy__": shallow_copy,
    "__deepcopy__": deep_copy,
    "__delitem__": refuse_deletion, "__format__": printing.format_scalar, "__index__": as_index, "__iter__": elements,
    "__len__": length, "__pos__": positive, "__reduce_ex__": reduce, "__repr__": represent,
    "__complex__": lambda self: complex(item(self)), "__float__": as_number(float), "__int__": as_number(int),
    "data": property(data_of, set_data),
}
