"""What the engine asks of an array module, and which one an array belongs to."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from importlib import import_module
from threading import Lock
from typing import Any

from gradkit import errors

#: Forwards of all rows by name, entered by the registry: a namespace offers them wherever its module has no such function.
row_forwards: dict[str, Callable[..., Any]] = {}


class Namespace:
    """The array namespace `xp` that rules run on: a backend's own functions, then the module's, then rows by name.

    Looking a name up costs nothing after the first time.
    """

    def __init__(self, module: Any, **own: Callable[..., Any]) -> None:
        self.__dict__.update(own)
        self._module = module

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._module, name, None)
        if found is None and name in row_forwards:
            forward = row_forwards[name]

            def found(*operands: Any, **params: Any) -> Any:
                return forward(self, *operands, **params)

        if found is None:
            raise AttributeError(f"neither {self._module.__name__} nor a primitive is called {name!r}")
        setattr(self, name, found)
        return found


class Backend:
    """A device's arrays: `name` ("cpu", "cuda"), `xp`, the array types it owns, and the way to and from the host."""

    name: str
    xp: Namespace
    array_types: tuple[type, ...]
    switches = False  # is there a current device, or stream, that operations and walks have to follow?
    several = False  # are there several devices of this kind?
    memory: Any  # free(index): bytes; taken_by(work, index): what work() returns, and the most that was alive meanwhile, or 0

    def asarray(self, data: Any, dtype: Any = None, copy: bool | None = None) -> Any:
        """An array of `data`, which may be the host's, on the current device."""
        raise NotImplementedError

    def operand(self, number: Any, dtype: Any) -> Any:
        """A Python number, or a 0-d array of the host's, as an operand of `dtype`."""
        raise NotImplementedError

    def ufunc(self, name: str) -> Callable[..., Any] | None:
        """NumPy's ufunc of that name, for arrays of this backend and numbers, if it gives what `xp` does."""
        return None

    def to_host(self, array: Any, non_blocking: bool = False) -> Any:
        """A NumPy array of the same values."""
        raise NotImplementedError

    def to_device(self, array: Any, index: int | None, non_blocking: bool = False) -> Any:
        """A copy of an array, the host's or another device's, on a device of this kind."""
        raise NotImplementedError

    def pinned(self, array: Any) -> Any:
        """A copy of a host's array in memory that a device can copy from while the host goes on."""
        raise NotImplementedError

    def is_pinned(self, array: Any) -> bool:
        """Whether a host's array is in such memory."""
        return False

    def from_dlpack(self, x: Any) -> Any:
        """The array that shares the memory of another library's."""
        raise NotImplementedError

    def index_of(self, array: Any) -> int | None:
        """Which of the devices of this kind an array is on; None where there is only one."""
        return None

    def current(self) -> int | None:
        """The device that new arrays are made on."""
        return None

    def on(self, index: int | None) -> AbstractContextManager[Any]:
        """A context in which new arrays are made on a device, the current one for None."""
        return nullcontext()

    def stream(self) -> Any:
        """What a node notes of the stream it was recorded on: None for the default one."""
        return None

    def walking(self) -> Any:
        """What a walk back asks for the place of each step: ``walk.at(stream, array)`` and ``walk.end()``."""
        raise NotImplementedError

    def synchronize(self, index: int | None = None) -> None:
        """Wait until a device has done what was asked of it."""
        raise NotImplementedError

    def generator(self, index: int | None = None) -> Any:
        """The stream of random numbers of a device that is drawn from if nothing else is said."""
        raise NotImplementedError

    def seed_all(self, seed: int) -> None:
        """Start these streams of all devices anew."""
        raise NotImplementedError

    def kernel(self, name: str) -> Callable[..., Any] | None:
        """The fused kernel of that name, if the backend has it."""
        raise NotImplementedError


#: The backends in use, by name and by the exact type of their arrays. The first use of a device enters its own.
backends: dict[str, Backend] = {}
by_type: dict[type, Backend] = {}
when_entered: list[Callable[[], None]] = []  # what layers above do when another backend comes into use
as_device: Callable[[Any], Any] = str  # the public type of devices, once the engine has it
_OPENED_BY = {"cuda": "gradkit.backend.probe"}
_opening = Lock()


def enter(backend: Backend) -> Backend:
    backends[backend.name] = backend
    by_type.update(dict.fromkeys(backend.array_types, backend))
    for react in when_entered:
        react()
    return backend


def backend_named(name: str) -> Backend:
    """The backend of a kind of device, opened at its first use. RuntimeError, with the reason, if it cannot be."""
    found = backends.get(name)
    if found is None:
        with _opening:
            found = backends.get(name) or import_module(_OPENED_BY[name]).opened()
    return found


def backend_of(array: Any) -> Backend:
    found = by_type.get(type(array))
    if found is not None:
        return found
    for backend in backends.values():
        if isinstance(array, backend.array_types):
            return backend
    if type(array).__module__.partition(".")[0] == "cupy":  # an array made before anything asked for its device
        return backend_named("cuda")
    raise errors.foreign(array)


def beside(array: Any, name: str, *args: Any, **kwargs: Any) -> Any:
    """``xp.name(*args, **kwargs)`` on the device that an array is on."""
    backend = backend_of(array)
    with backend.on(backend.index_of(array)):
        return getattr(backend.xp, name)(*args, **kwargs)
