"""save and load: objects in files, tensors as raw bytes beside a pickle of the rest.

A file is PyTorch's zip archive: ``data.pkl``, in which a tensor is a call by name with the number of its storage, and
``data/<number>`` for each storage. So ``torch.load`` reads what `save` writes, and `load` what ``torch.save`` writes, as
far as both know the types in it. Loading calls only what `_Reader` lists unless ``weights_only=False`` says otherwise.
"""

import collections
import io
import os
import pickle
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from gradkit.backend.protocol import backend_of
from gradkit.engine.device import CPU, Size, device, moved
from gradkit.engine.dtypes import brain_float
from gradkit.engine.tensor import Tensor, wrap
from gradkit.engine.versions import owner

__all__ = ["add_safe_globals", "clear_safe_globals", "get_safe_globals", "load", "safe_globals", "save"]

_STORAGES = {
    "FloatStorage": "float32", "DoubleStorage": "float64", "HalfStorage": "float16", "LongStorage": "int64",
    "IntStorage": "int32", "ShortStorage": "int16", "CharStorage": "int8", "ByteStorage": "uint8", "BoolStorage": "bool",
    "ComplexFloatStorage": "complex64", "ComplexDoubleStorage": "complex128", "BFloat16Storage": "bfloat16",
    "UntypedStorage": "uint8",
}
_UNSTORED = ("uint16", "uint32", "uint64")  # a tensor of these names its dtype itself
_STORAGE_OF = {name: storage for storage, name in _STORAGES.items() if storage != "UntypedStorage"}


# -- saving
class _Named:
    """What a pickle is to find under a name, whether or not there is such a module here."""

    def __init__(self, module: str, name: str) -> None:
        self.module, self.name = module, name

    def __call__(self) -> None:
        raise TypeError(f"{self.module}.{self.name} stands for a name in a file")


_REBUILD_TENSOR = _Named("torch._utils", "_rebuild_tensor_v2")
_REBUILD_TENSOR_OF = _Named("torch._utils", "_rebuild_tensor_v3")
_REBUILD_PARAMETER = _Named("torch._utils", "_rebuild_parameter")


class _Storage:
    """Memory that tensors of a file lie in, under its number."""

    def __init__(self, raw: Any, key: str, location: str) -> None:
        self.raw, self.key, self.location = raw, key, location


_Pickler: Any = pickle._Pickler  # the one in Python, whose parts can be overridden


class _Writer(_Pickler):  # type: ignore[misc]
    def __init__(self, file: io.BytesIO, protocol: int) -> None:
        super().__init__(file, protocol, fix_imports=False)
        self.storages: dict[int, _Storage] = {}
        self.copies: dict[int, tuple[Any, Any]] = {}  # of a device's memory

    def persistent_id(self, obj: Any) -> Any:
        if not isinstance(obj, _Storage):
            return None
        name = _STORAGE_OF.get(obj.raw.dtype.name)
        kind = _Named("torch", name) if name else _Named("torch.storage", "UntypedStorage")
        return "storage", kind, obj.key, obj.location, obj.raw.size if name else obj.raw.nbytes

    def reducer_override(self, obj: Any) -> Any:
        if isinstance(obj, Tensor):
            return self._tensor(obj)
        if type(obj) is Size:
            return _Named("torch", "Size"), (tuple(obj),)
        if type(obj) is device:
            return _Named("torch", "device"), (obj.type,) if obj.index is None else (obj.type, obj.index)
        return NotImplemented

    def _tensor(self, t: Tensor) -> Any:
        from gradkit.nn.parameter import Parameter

        if t.batch or t.tangents:
            raise RuntimeError("save(): a tensor inside vmap or jvp stands for more than its values; save it outside")
        raw = self._on_host(t.array) if t.is_cuda else np.asarray(t.array)
        storage, raw = self._storage_of(raw, str(t.device))
        offset = (raw.ctypes.data - storage.raw.ctypes.data) // raw.itemsize
        place = (storage, offset, tuple(t.shape), tuple([s // raw.itemsize for s in raw.strides]))
        parameter = isinstance(t, Parameter)
        state: tuple[Any, ...] = (t.requires_grad and not parameter, collections.OrderedDict())
        if raw.dtype.name in _STORAGE_OF:
            made: Any = _REBUILD_TENSOR, (*place, *state)
        else:
            made = _REBUILD_TENSOR_OF, (*place, *state, _Named("torch", raw.dtype.name))
        return (_REBUILD_PARAMETER, (_Made(made), t.requires_grad, collections.OrderedDict())) if parameter else made

    def _on_host(self, there: Any) -> Any:
        """A device's array in a copy of all the memory that it shares with others."""
        whole = owner(there)
        if not whole.flags.c_contiguous:
            return moved(there, CPU)
        _, copy = self.copies.setdefault(id(whole), (whole, None))
        if copy is None:
            copy = moved(whole, CPU)
            self.copies[id(whole)] = whole, copy
        return np.ndarray(there.shape, there.dtype, copy.reshape(-1).view("B"), there.data.ptr - whole.data.ptr, there.strides)

    def _storage_of(self, raw: Any, location: str) -> tuple[_Storage, Any]:
        """The storage of an array, which arrays that share memory share, and the array: a copy if it has to be one."""
        whole = owner(raw)
        if whole.dtype != raw.dtype or min(raw.strides, default=0) < 0 or not (
            whole.flags.c_contiguous or whole.flags.f_contiguous
        ):
            whole = raw = raw.copy()
        found = self.storages.get(id(whole))
        if found is None:
            found = self.storages[id(whole)] = _Storage(whole, str(len(self.storages)), location)
        return found, raw

    def save(self, obj: Any, save_persistent_id: bool = True) -> None:
        if isinstance(obj, _Named):
            self.write(pickle.GLOBAL + f"{obj.module}\n{obj.name}\n".encode())
        elif isinstance(obj, np.dtype) and (obj.name in _STORAGE_OF or obj.name in _UNSTORED):
            self.save(_Named("torch", obj.name))
        elif isinstance(obj, _Made):
            self.save_reduce(*obj.call)
        else:
            super().save(obj, save_persistent_id)


class _Made:
    """A call whose result is an argument of another."""

    def __init__(self, call: Any) -> None:
        self.call = call


def save(obj: Any, f: Any, pickle_module: Any = None, pickle_protocol: int = 2, _use_new_zipfile_serialization: bool = True) -> None:
    """Write an object to a file: its path, or a file opened for writing bytes.

    Tensors, parameters, and dicts, lists and tuples of them (a `state_dict` is one) can be loaded by `load` as it stands,
    and by ``torch.load``; modules and other objects are pickled by the name of their class, for
    ``load(f, weights_only=False)``. Tensors that share memory share it again when loaded; a small view takes its whole
    memory along, unless it is cloned.

    >>> import io
    >>> file = io.BytesIO()
    >>> gradkit.save({"w": gradkit.tensor([1.0, 2.0])}, file)
    >>> _ = file.seek(0)
    >>> gradkit.load(file)
    {'w': tensor([1., 2.])}
    """
    import sys
    import zipfile

    if not isinstance(f, str | os.PathLike) and not hasattr(f, "write"):
        raise AttributeError(
            f"expected 'f' to be string, path, or a file-like object with a 'write' attribute, not {type(f).__name__}: "
            "write gradkit.save(obj, f)"
        )
    pickled = io.BytesIO()
    writer = _Writer(pickled, pickle_protocol)
    writer.dump(obj)
    with zipfile.ZipFile(f, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("archive/data.pkl", pickled.getvalue())
        archive.writestr("archive/byteorder", sys.byteorder)
        for storage in writer.storages.values():
            archive.writestr(f"archive/data/{storage.key}", storage.raw.tobytes("A"))
        archive.writestr("archive/version", "3\n")


# -- loading
class _Lent:
    """A storage as it was loaded, the dtype its name gives, and the device it is to go to."""

    def __init__(self, data: Any, dtype: Any, location: str) -> None:
        self.data, self.dtype, self.location = data, dtype, location

    def there(self) -> Any:
        """All of it, moved once: what shares memory goes on to."""
        if self.location:
            self.data, self.location = _moved(wrap(self.data), self.location).array, ""
        return self.data


def _dtype(name: str) -> np.dtype[Any]:
    return np.dtype(name) if name != "bfloat16" else brain_float()


def _rebuild_tensor(
    storage: _Lent, offset: int, size: Any, stride: Any, requires_grad: bool, _hooks: Any, dtype: Any = None, _metadata: Any = None
) -> Tensor:
    raw = storage.there().view(storage.dtype if dtype is None else dtype)
    last = offset + sum([(n - 1) * s for n, s in zip(size, stride)])
    if min([offset, *size, *stride], default=0) < 0 or len(size) != len(stride) or (0 not in size and last >= raw.size):
        raise pickle.UnpicklingError(f"a tensor of size {tuple(size)}, stride {tuple(stride)} lies outside its storage of {raw.size}")
    strides = [s * raw.itemsize for s in stride]
    y = wrap(backend_of(raw).xp.as_strided(raw[offset:], tuple(size), strides))
    return y.requires_grad_() if requires_grad else y


def _rebuild_parameter(data: Tensor, requires_grad: bool, _hooks: Any) -> Any:
    from gradkit.nn.parameter import Parameter

    return Parameter(data, requires_grad)


#: What a file may name. Anything else is refused, so that a file cannot call what it likes.
_KNOWN: dict[tuple[str, str], Any] = {
    ("collections", "OrderedDict"): collections.OrderedDict,
    ("collections", "Counter"): collections.Counter,
    ("builtins", "set"): set,
    ("builtins", "complex"): complex,
    ("builtins", "bytearray"): bytearray,
    ("_codecs", "encode"): lambda text, _latin1: text.encode("latin1"),  # how protocol 2 spells bytes
    ("torch", "Size"): Size,
    ("torch", "device"): device,
    ("torch._utils", "_rebuild_tensor_v2"): _rebuild_tensor,
    ("torch._utils", "_rebuild_tensor_v3"): _rebuild_tensor,
    ("torch._utils", "_rebuild_parameter"): _rebuild_parameter,
}
_IN_PYTHON_2 = {"__builtin__": "builtins"}  # what protocol 2 calls them
_safe: list[Any] = []


class _Reader(pickle.Unpickler):
    def __init__(self, file: Any, storage: Callable[..., _Lent], weights_only: bool, **options: Any) -> None:
        super().__init__(file, **options)
        self.storage, self.weights_only = storage, weights_only

    def persistent_load(self, pid: Any) -> _Lent:
        _, kind, key, location, _count = pid
        return self.storage(kind, key, location)

    def find_class(self, module: str, name: str) -> Any:
        module = _IN_PYTHON_2.get(module, module)
        if (module, name) in _KNOWN:
            return _KNOWN[module, name]
        if module in ("torch", "torch.storage") and name in _STORAGES:
            return _STORAGES[name]
        if module == "torch" and (name in _STORAGE_OF or name in _UNSTORED):
            return _dtype(name)
        for one in _safe:
            if (one.__module__, one.__qualname__) == (module, name):
                return one
        if self.weights_only:
            raise pickle.UnpicklingError(
                f"Weights only load failed: the file names {module}.{name}, which load() does not call unless asked to. "
                "If you trust the file's source, write gradkit.load(f, weights_only=False), or allow this one with "
                f"gradkit.serialization.add_safe_globals([{name}])"
            )
        return super().find_class(module, name)


def load(
    f: Any, map_location: Any = None, pickle_module: Any = None, *, weights_only: bool = True, mmap: bool | None = None,
    **pickle_load_args: Any,
) -> Any:
    """The object that `save` (or ``torch.save``) wrote to a file: its path, or a file opened for reading bytes.

    Only tensors, parameters, numbers, strings and containers of them are made, and nothing else is called, unless
    ``weights_only=False``: then the file may run any code, so load only what you trust. `map_location` says where tensors
    go: a device, a dict from the saved device to another, or a function of a storage, as a 1-d tensor, and its device
    that returns the tensor to use, or None. Without it they go to the device they were on.

    Raises pickle.UnpicklingError for what may not be loaded, RuntimeError for a file in another format.

    >>> import io
    >>> file = io.BytesIO()
    >>> gradkit.save([gradkit.ones(2), "a name"], file)
    >>> _ = file.seek(0)
    >>> gradkit.load(file, map_location="cpu")
    [tensor([1., 1.]), 'a name']
    """
    import zipfile

    try:
        archive = zipfile.ZipFile(f)
    except zipfile.BadZipFile:
        raise RuntimeError(
            "load(): this is no archive as gradkit.save and torch.save write it; files of PyTorch before 1.6 have to be "
            "saved again there"
        ) from None
    with archive:
        root = _root_of(archive)
        swapped = _is_swapped(archive, root)
        lent: dict[str, _Lent] = {}

        def storage(kind: str, key: str, location: str) -> _Lent:
            if key not in lent:
                dtype = _dtype(kind)
                data = np.frombuffer(bytearray(archive.read(f"{root}/data/{key}")), dtype)
                lent[key] = _mapped(data.byteswap() if swapped else data, dtype, location, map_location)
            return lent[key]

        pickled = io.BytesIO(archive.read(f"{root}/data.pkl"))
        return _Reader(pickled, storage, weights_only, **pickle_load_args).load()


def _root_of(archive: Any) -> str:
    for name in archive.namelist():
        if name.endswith("/data.pkl"):
            return name.removesuffix("/data.pkl")
    raise RuntimeError("load(): the archive has no data.pkl: neither gradkit.save nor torch.save wrote it")


def _is_swapped(archive: Any, root: str) -> bool:
    import sys

    name = f"{root}/byteorder"
    return name in archive.namelist() and archive.read(name).decode() != sys.byteorder


def _mapped(data: Any, dtype: Any, location: str, map_location: Any) -> _Lent:
    """A storage, and where its tensors belong."""
    if isinstance(map_location, dict):
        location = map_location.get(location, location)
    elif callable(map_location):
        given = map_location(wrap(data), location)
        if isinstance(given, Tensor):
            location = str(given.device)
    elif map_location is not None:
        location = str(device(map_location))
    return _Lent(data, dtype, "" if location == "cpu" else location)


def _moved(t: Tensor, location: str) -> Tensor:
    try:
        return t.to(location)
    except RuntimeError as reason:
        raise RuntimeError(
            f"Attempting to deserialize an object on {location}, which cannot be used here ({reason}). Pass "
            "map_location='cpu' to put its tensors into the host's memory"
        ) from None


# -- what else may be loaded
def add_safe_globals(safe_globals: list[Any]) -> None:
    """Let `load` make and call these classes and functions too, from now on.

    >>> gradkit.serialization.add_safe_globals([range])
    >>> gradkit.serialization.get_safe_globals()
    [<class 'range'>]
    >>> gradkit.serialization.clear_safe_globals()
    """
    _safe.extend([one for one in safe_globals if one not in _safe])


def get_safe_globals() -> list[Any]:
    """What `add_safe_globals` allowed.

    >>> gradkit.serialization.get_safe_globals()
    []
    """
    return list(_safe)


def clear_safe_globals() -> None:
    """Take back what `add_safe_globals` allowed.

    >>> gradkit.serialization.clear_safe_globals()
    """
    _safe.clear()


@contextmanager
def safe_globals(safe_globals: list[Any]) -> Iterator[None]:
    """`add_safe_globals` for the length of a with statement.

    >>> with gradkit.serialization.safe_globals([range]):
    ...     gradkit.serialization.get_safe_globals()
    [<class 'range'>]
    """
    before = list(_safe)
    add_safe_globals(safe_globals)
    try:
        yield
    finally:
        _safe[:] = before
