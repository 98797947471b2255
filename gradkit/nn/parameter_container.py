"""ParameterList and ParameterDict: parameters, and other values, held by number or by name."""

from collections.abc import Iterable, Iterator
from typing import Any, Self

from gradkit.engine.tensor import Tensor
from gradkit.nn.container import Named
from gradkit.nn.module import Module
from gradkit.nn.parameter import Parameter

__all__ = ["ParameterDict", "ParameterList"]


def _kept(value: Any) -> Any:
    """A Tensor becomes a Parameter; anything else stays as it is."""
    return Parameter(value) if isinstance(value, Tensor) and not isinstance(value, Parameter) else value


def _described(value: Any) -> str:
    if not isinstance(value, Tensor):
        return f"Object of type: {type(value).__name__}"
    kind = "Parameter" if isinstance(value, Parameter) else "Tensor"
    size = "x".join(map(str, value.shape))
    return f"{kind} containing: [{value.dtype.name} of size {size}{f' ({value.device})' if value.is_cuda else ''}]"


class ParameterList(Module):
    """A list of parameters, which `Module.parameters` finds; Tensors put into it become parameters.

    IndexError for a place that is not there, TypeError for what cannot be iterated.

    >>> scales = nn.ParameterList([gradkit.ones(2) for _ in range(3)])
    >>> len(scales), [name for name, _ in scales.named_parameters()]
    (3, ['0', '1', '2'])
    """

    def __init__(self, values: Iterable[Any] | None = None) -> None:
        super().__init__()
        self._size = 0
        self.extend(values or ())

    def _place(self, index: int) -> str:
        if not -self._size <= index < self._size:
            raise IndexError(f"index {index} is out of range")
        return str(index % self._size)

    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, slice):
            return type(self)(list(self)[index])
        return getattr(self, self._place(index))

    def __setitem__(self, index: int, value: Any) -> None:
        setattr(self, self._place(index), _kept(value))

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[Any]:
        return iter([getattr(self, str(i)) for i in range(self._size)])

    def __iadd__(self, values: Iterable[Any]) -> Self:
        return self.extend(values)

    def append(self, value: Any) -> Self:
        """Add a value at the end; returns the list.

        >>> nn.ParameterList().append(gradkit.ones(1))[0]
        Parameter containing:
        tensor([1.], requires_grad=True)
        """
        setattr(self, str(self._size), _kept(value))
        self._size += 1
        return self

    def extend(self, values: Iterable[Any]) -> Self:
        """Add several values at the end; returns the list.

        >>> len(nn.ParameterList().extend([gradkit.ones(1), gradkit.ones(2)]))
        2
        """
        if isinstance(values, Tensor) or not isinstance(values, Iterable):
            raise TypeError(f"ParameterList.extend should be called with an iterable, but got {type(values).__name__}")
        for value in values:
            self.append(value)
        return self

    def extra_repr(self) -> str:
        return "\n".join([f"  ({i}): {_described(value)}" for i, value in enumerate(self)])


class ParameterDict(Named):
    """A dictionary of parameters, which `Module.parameters` finds; Tensors put into it become parameters.

    >>> choices = nn.ParameterDict({"left": gradkit.ones(2)})
    >>> choices["right"] = gradkit.zeros(2)
    >>> list(choices), "left" in choices
    (['left', 'right'], True)
    """

    def __init__(self, parameters: Any = None) -> None:
        super().__init__()
        self._keys: dict[str, None] = {}
        self.update(parameters or {})

    def _names(self) -> dict[str, Any]:
        return self._keys

    def __getitem__(self, key: str) -> Any:
        if key not in self._keys:
            raise AttributeError(f"'{type(self).__name__}' object has no attribute '{key}'")
        return getattr(self, key)

    def __setitem__(self, key: str, value: Any) -> None:
        if not isinstance(key, str):
            raise TypeError(f"the names in a ParameterDict are strings, not {type(key).__name__}")
        self._keys[key] = None
        setattr(self, key, _kept(value))

    def __delitem__(self, key: str) -> None:
        del self._keys[key]
        delattr(self, key)

    def get(self, key: str, default: Any = None) -> Any:
        """The value of a name, or the default.

        >>> nn.ParameterDict().get("none", 3)
        3
        """
        return getattr(self, key) if key in self._keys else default

    def extra_repr(self) -> str:
        return "\n".join([f"  ({key}): {_described(value)}" for key, value in self.items()])
