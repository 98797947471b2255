"""What the engine asks of an array module, and which one an array belongs to."""

from collections.abc import Callable
from typing import Any

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

    def asarray(self, data: Any, dtype: Any = None, copy: bool | None = None) -> Any:
        raise NotImplementedError

    def to_host(self, array: Any) -> Any:
        raise NotImplementedError

    def synchronize(self) -> None:
        raise NotImplementedError

    def kernel(self, name: str) -> Callable[..., Any] | None:
        raise NotImplementedError


backends: dict[str, Backend] = {}


def backend_of(array: Any) -> Backend:
    """The backend that owns a raw array."""
    for backend in backends.values():
        if isinstance(array, backend.array_types):
            return backend
    raise TypeError(f"expected a raw array of one of {list(backends)}, got {type(array).__name__}")
