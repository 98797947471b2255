"""Devices by PyTorch's names, and the shape type."""

import builtins
import math
import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import numpy as np

from gradkit.backend import protocol
from gradkit.backend.protocol import Backend, backend_named, backend_of
from gradkit.engine import modes


class Size(tuple[int, ...]):
    """A shape: a tuple that prints and counts as PyTorch's does.

    >>> gradkit.zeros(2, 3).shape
    gradkit.Size([2, 3])
    >>> gradkit.zeros(2, 3).shape.numel()
    6
    """

    __slots__ = ()

    def numel(self) -> int:
        """How many elements a tensor of this shape has."""
        return math.prod(self)

    def __repr__(self) -> str:
        return f"gradkit.Size({list(self)})"

    def __getitem__(self, key: Any) -> Any:
        found = tuple.__getitem__(self, key)
        return Size(found) if isinstance(key, slice) else found

    def __add__(self, other: Any) -> "Size":
        return Size(tuple(self) + tuple(other))


class device:
    """A place for arrays: "cpu", or "cuda" with an index; without an index, the current device of that kind.

    In a with statement, the place where constructors make tensors. RuntimeError for a type that is neither, and a negative
    index.

    >>> gradkit.device("cpu")
    device(type='cpu')
    >>> with gradkit.device("cpu"):
    ...     gradkit.zeros(2).device
    device(type='cpu')
    """

    __slots__ = ("index", "type")

    def __init__(self, type: Any, index: int | None = None) -> None:
        if isinstance(type, device):
            type, index = type.type, type.index
        elif isinstance(type, int):
            type, index = "cuda", type
        elif not isinstance(type, str):
            raise TypeError(f"device() expects a string such as 'cuda:0', an index or a device, got {type!r}")
        elif ":" in type:
            kind, _, number = type.partition(":")
            if index is not None:
                raise RuntimeError(f"type (string) must not include an index because index was passed explicitly: {type}")
            if not number.isdecimal() or number != str(int(number)):
                raise RuntimeError(f"Invalid device string: '{type}'; write e.g. 'cuda:0'")
            type, index = kind, int(number)
        if type not in ("cpu", "cuda"):
            raise RuntimeError(f"Expected one of cpu, cuda device type at start of device string: {type}")
        if index is not None and builtins.type(index) is not int:
            raise TypeError(f"device(): argument 'index' must be int, not {builtins.type(index).__name__}")
        if index is not None and index < 0:
            raise RuntimeError(f"Device index must not be negative, got {index}")
        self.type, self.index = type, index

    def __repr__(self) -> str:
        return f"device(type='{self.type}'" + (")" if self.index is None else f", index={self.index})")

    def __str__(self) -> str:
        return self.type if self.index is None else f"{self.type}:{self.index}"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, device) and (self.type, self.index) == (other.type, other.index)

    def __hash__(self) -> int:
        return hash((self.type, self.index))

    def __reduce__(self) -> Any:
        return device, (self.type, self.index)

    def __enter__(self) -> "device":
        modes.local.devices += (self,)
        return self

    def __exit__(self, *exception: object) -> None:
        modes.local.devices = modes.local.devices[:-1]


CPU = device("cpu")
protocol.as_device = device
try:
    _default: device | None = device(os.environ["GRADKIT_DEVICE"]) if os.environ.get("GRADKIT_DEVICE") else None
except RuntimeError as reason:
    raise RuntimeError(f"the environment variable GRADKIT_DEVICE names no device: {reason}") from None


def device_of(array: Any) -> device:
    """Where a raw array lives."""
    backend = backend_of(array)
    return CPU if backend.name == "cpu" else device(backend.name, array.device.id)


def get_default_device() -> device:
    """Where constructors make tensors if they are not told: see `set_default_device`.

    >>> gradkit.get_default_device()
    device(type='cpu')
    """
    place = wanted(None) or CPU
    return place if place.type == "cpu" or place.index is not None else device(place.type, backend_for(place).current())


def set_default_device(device: Any) -> None:
    """Make constructors use this device from now on, in all threads; None for the CPU.

    A ``with gradkit.device(...)`` comes before it, `device=` before both. At the start it is what the environment
    variable GRADKIT_DEVICE says. RuntimeError for what is no device.

    >>> gradkit.set_default_device("cpu")
    """
    global _default
    _default = None if device is None else _device(device)


_device = device


def wanted(place: Any) -> device | None:
    """The device that `device=` names; without it the default; None if nobody has said anything."""
    if place is not None:
        return place if type(place) is device else device(place)
    return modes.local.devices[-1] if modes.local.devices else _default


def backend_for(place: device) -> Backend:
    """The backend of a device. RuntimeError if it cannot be used, with the reason."""
    return backend_named(place.type)


def made_on(place: Any, make: Callable[[Any], Any]) -> Any:
    """The raw array ``make(xp)`` in the memory of a device (None: the default one)."""
    place = wanted(place)
    if place is None or place.type == "cpu":
        return make(np)
    backend = backend_for(place)
    with backend.on(place.index):
        return make(backend.xp)


def moved(array: Any, place: device, non_blocking: bool = False) -> Any:
    """A raw array on a device: itself if it is there."""
    here = backend_of(array)
    there = backend_for(place)
    if here is there:
        if not here.switches or place.index is None or device_of(array) == place:
            return array
    elif there.name == "cpu":
        return here.to_host(array, non_blocking)
    return there.to_device(array, place.index, non_blocking)


def on_device_of(array: Any) -> AbstractContextManager[Any]:
    """A context in which new arrays are made beside `array`."""
    backend = backend_of(array)
    return backend.on(backend.index_of(array))


def elsewhere(array: Any) -> AbstractContextManager[Any] | None:
    """The same, or None if they are made there anyway."""
    backend = backend_of(array)
    index = backend.index_of(array)
    return None if index is None or index == backend.current() else backend.on(index)


# Operations on other arrays than NumPy's are not served by the unrolled paths.
protocol.when_entered.append(lambda: modes.shift(special=1))
