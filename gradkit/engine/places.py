"""Where the steps of a walk run: on the device of their cotangent, and on the stream of the operation they belong to."""

from typing import Any

from gradkit.backend.protocol import Backend, backend_of
from gradkit.engine import modes
from gradkit.engine.device import device_of
from gradkit.engine.node import Node, streams
from gradkit.engine.tensor import Tensor


class Places:
    """The devices and streams of one walk. `end` goes back to those it began on."""

    def __init__(self) -> None:
        self._walks: dict[str, Any] = {}
        self._beside = modes.local.beside

    def at(self, node: Node, ct: Any) -> Backend:
        """Go where the step of a node belongs; return the backend of its cotangent."""
        one = next(c for c in ct if c is not None) if type(ct) is list else ct
        array = one.array if isinstance(one, Tensor) else one
        backend = backend_of(array)
        if array is not one:  # the walk is recorded: rules run on Tensors
            modes.local.beside = device_of(array)
        if backend.switches:
            walk = self._walks.get(backend.name)
            if walk is None:
                walk = self._walks[backend.name] = backend.walking()
            walk.at(streams.get(node._whole()), array)
        return backend

    def end(self) -> None:
        modes.local.beside = self._beside
        for walk in self._walks.values():
            walk.end()


def beside(y: Any, rule: Any, *args: Any, **params: Any) -> Any:
    """``rule(*args, **params)``, making arrays where it does on the device of `y`."""
    before = modes.local.beside
    modes.local.beside = device_of((y[0] if type(y) is list else y).array)
    try:
        return rule(*args, **params)
    finally:
        modes.local.beside = before
