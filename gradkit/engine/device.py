"""Devices by PyTorch's names, and the shape type."""

import math
from typing import Any

from gradkit.backend.protocol import backend_of


class Size(tuple[int, ...]):
    """A shape: a tuple that prints and counts as PyTorch's does.

    >>> import gradkit
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
    """A place for arrays: "cpu", or "cuda" with an index.

    Raises RuntimeError for a type that is neither.

    >>> import gradkit
    >>> gradkit.device("cpu")
    device(type='cpu')
    """

    __slots__ = ("index", "type")

    def __init__(self, type: Any, index: int | None = None) -> None:
        if isinstance(type, device):
            type, index = type.type, type.index
        elif isinstance(type, int):
            type, index = "cuda", type
        elif ":" in type:
            type, _, number = type.partition(":")
            if not number.isdigit():
                raise RuntimeError(f"Invalid device string: '{type}:{number}'; write e.g. 'cuda:0'")
            index = int(number)
        if type not in ("cpu", "cuda"):
            raise RuntimeError(f"Expected one of cpu, cuda device type at start of device string: {type}")
        self.type, self.index = type, index

    def __repr__(self) -> str:
        return f"device(type='{self.type}'" + (")" if self.index is None else f", index={self.index})")

    def __str__(self) -> str:
        return self.type if self.index is None else f"{self.type}:{self.index}"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, device) and (self.type, self.index) == (other.type, other.index)

    def __hash__(self) -> int:
        return hash((self.type, self.index))


CPU = device("cpu")


def device_of(array: Any) -> device:
    """Where a raw array lives."""
    backend = backend_of(array)
    return CPU if backend.name == "cpu" else device(backend.name, array.device.id)
