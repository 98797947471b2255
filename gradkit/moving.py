"""Tensor methods that give a tensor another dtype or device, or another tensor like it."""

import builtins
from collections.abc import Callable
from typing import Any

from gradkit import creation
from gradkit.backend.protocol import backend_of, backends
from gradkit.engine import dtypes
from gradkit.engine.device import device as Device
from gradkit.engine.naming import named
from gradkit.engine.tape import note_stream
from gradkit.engine.tensor import Tensor, wrap
from gradkit.engine.versions import owner
from gradkit.primitives.placement import to_device
from gradkit.primitives.shape import astype

METHODS = (
    "bfloat16", "cpu", "cuda", "is_pinned", "new_empty", "new_full", "new_ones", "new_tensor", "new_zeros", "pin_memory",
    "record_stream", "to", "type", "type_as",
)
_TYPE_NAMES = {
    "float32": "Float", "float64": "Double", "float16": "Half", "int64": "Long", "int32": "Int", "int16": "Short",
    "int8": "Char", "uint8": "Byte", "bool": "Bool", "complex64": "ComplexFloat", "complex128": "ComplexDouble",
}



# -- to another dtype or device
def to(self: Tensor, *args: Any, **kwargs: Any) -> Tensor:
    """This tensor in another dtype or on another device: `dtype`, `device`, both, or another tensor whose these are.

    Returns itself when nothing changes, unless `copy`. TypeError for what is neither, RuntimeError for a device
    that cannot be used.

    >>> gradkit.ones(2).to(gradkit.float64).dtype
    dtype('float64')
    """
    device, dtype, copy = kwargs.pop("device", None), kwargs.pop("dtype", None), kwargs.pop("copy", False)
    non_blocking = bool(kwargs.pop("non_blocking", False))
    kwargs.pop("memory_format", None)
    if kwargs:
        raise TypeError(f"to() got an unexpected keyword argument '{next(iter(kwargs))}'")
    for arg in args:
        if isinstance(arg, Tensor):
            device, dtype = arg.device, arg.dtype
        elif _names_device(arg):
            device = arg
        elif isinstance(arg, bool):
            non_blocking = arg
        elif arg is not None:
            dtype = arg
    t = self
    if device is not None and not _is_there(t, Device(device)):
        t = to_device(t, device, non_blocking=non_blocking)
        if t.node is not None and len(backends) > 1:  # from the CPU it is recorded by an unrolled path
            note_stream(t.node, t.array)
    if dtype is not None and (dtype := dtypes.known(dtype)) != t.dtype:
        t = astype(t, dtype=dtype)
    return t.clone() if copy and t is self else t


def _is_there(t: Tensor, place: Device) -> bool:
    """Whether a tensor is on a device; without an index it need be only of that kind."""
    here = t.device
    return here.type == place.type and (place.index is None or place.index == here.index or here.type == "cpu")


def _names_device(arg: Any) -> bool:
    """A string that is no dtype's name is taken for a device's, so that a mistake is named as one."""
    return (isinstance(arg, str) and not hasattr(dtypes, arg)) or isinstance(arg, Device) or builtins.type(arg) is int


def cpu(self: Tensor) -> Tensor:
    """This tensor in the host's memory; itself if it is there already.

    >>> x = gradkit.ones(2)
    >>> x.cpu() is x
    True
    """
    return to(self, "cpu")


def cuda(self: Tensor, device: Any = None, non_blocking: bool = False) -> Tensor:
    """This tensor on a GPU, the current one unless `device` says which; itself if it is there already.

    With `non_blocking` the copy of pinned memory goes on while the host does. RuntimeError for a device that is no GPU,
    and, with the reason, where no GPU can be used.

    >>> if gradkit.cuda.is_available():
    ...     assert gradkit.ones(2).cuda().is_cuda
    """
    place = Device("cuda" if device is None else device)
    if place.type != "cuda":
        raise RuntimeError(f"Invalid device, must be cuda device, not {place}; write .to({str(place)!r})")
    return to(self, place, non_blocking=non_blocking)


def pin_memory(self: Tensor) -> Tensor:
    """A copy in memory of the host from which a GPU can copy while the host goes on; itself if it is there already.

    RuntimeError for a tensor on a GPU, and, with the reason, where no GPU can be used.

    >>> if gradkit.cuda.is_available():
    ...     assert gradkit.ones(2).pin_memory().is_pinned()
    """
    return self if is_pinned(self) else wrap(creation.pinned(self.array), self.node)


def is_pinned(self: Tensor) -> bool:
    """Whether this tensor is in pinned memory of the host.

    >>> gradkit.ones(2).is_pinned()
    False
    """
    return any([backend.is_pinned(self.array) for backend in backends.values()])


def bfloat16(self: Tensor) -> Tensor:
    """This tensor in bfloat16; itself if it is so already. ModuleNotFoundError without the package ml_dtypes.

    >>> gradkit.ones(2).bfloat16().dtype.name
    'bfloat16'
    """
    return to(self, dtypes.brain_float())


def record_stream(self: Tensor, stream: Any) -> None:
    """Say that `stream` works on this tensor: its memory is not used again before that work is done, whoever drops it.

    NotImplementedError for a tensor that is on no GPU.

    >>> if gradkit.cuda.is_available():
    ...     gradkit.ones(2, device="cuda").record_stream(gradkit.cuda.Stream())
    """
    if not self.is_cuda:
        raise NotImplementedError(f"record_stream() is for tensors on a GPU, not on {self.device}, whose work has no stream")
    backend_of(self.array).memory.record(owner(self.array), stream)


def type(self: Tensor, dtype: Any = None) -> Any:
    """Without an argument the tensor's type as a string, else the tensor in that dtype, or in the place of that type too.

    >>> gradkit.ones(2).type()
    'gradkit.FloatTensor'
    """
    if dtype is None:
        return f"gradkit.{'cuda.' * self.is_cuda}{_TYPE_NAMES.get(self.dtype.name, self.dtype.name)}Tensor"
    by_name = {f"{short}Tensor": name for name, short in _TYPE_NAMES.items()}
    place, _, kind = dtype.removeprefix("gradkit.").rpartition(".") if isinstance(dtype, str) else ("", "", "")
    return to(self, place or "cpu", by_name[kind]) if kind in by_name and place in ("", "cuda") else to(self, dtype)


def type_as(self: Tensor, other: Tensor) -> Tensor:
    """This tensor in the dtype of another, and where that is.

    >>> gradkit.ones(2).type_as(gradkit.tensor([1])).dtype
    dtype('int64')
    """
    return to(self, other)


def _converter(name: str, dtype: Any) -> Callable[[Tensor], Tensor]:
    def convert(self: Tensor) -> Tensor:
        return to(self, dtype)

    return named(convert, name, f"This tensor in {dtype.name}; itself if it is so already.")


CONVERTERS = {
    name: _converter(name, getattr(dtypes, name))
    for name in ("bool", "cdouble", "cfloat", "double", "float", "half", "int", "long", "short")
} | {"byte": _converter("byte", dtypes.uint8), "char": _converter("char", dtypes.int8)}


# -- others like it
def new_tensor(self: Tensor, data: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """A tensor of `data`, of this one's dtype unless `dtype` says otherwise.

    >>> gradkit.ones(1).new_tensor([1, 2])
    tensor([1., 2.])
    """
    place = self.device if device is None else device
    return creation.tensor(data, dtype=self.dtype if dtype is None else dtype, device=place, requires_grad=requires_grad)


def _new(name: str) -> Callable[..., Tensor]:
    make = getattr(creation, name)

    def new(
        self: Tensor, *sizes: Any, size: Any = None, dtype: Any = None, device: Any = None, requires_grad: bool = False
    ) -> Tensor:
        place = self.device if device is None else device
        made = make(*sizes, size=size, dtype=self.dtype if dtype is None else dtype, device=place)
        if self.batch:  # inside vmap: one for each sample, so that samples may be written into it
            made = creation.wrap_over(made, self)
        return made.requires_grad_() if requires_grad else made

    return named(new, f"new_{name}", f"""`gradkit.{name}`, of this tensor's dtype unless `dtype` says otherwise.

    >>> gradkit.tensor([1]).new_{name}(2, 3).shape
    gradkit.Size([2, 3])
    """)


new_zeros, new_ones, new_empty = _new("zeros"), _new("ones"), _new("empty")


def new_full(self: Tensor, size: Any, fill_value: Any, *, dtype: Any = None, device: Any = None) -> Tensor:
    """A tensor of a size filled with a number, of this one's dtype unless `dtype` says otherwise.

    >>> gradkit.ones(1).new_full((2,), 7)
    tensor([7., 7.])
    """
    place = self.device if device is None else device
    return creation.full(size, fill_value, dtype=self.dtype if dtype is None else dtype, device=place)
