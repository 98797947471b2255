"""Applied: a layer that is a function with its options."""

from typing import Any

from gradkit.nn.module import Module


class Applied(Module):
    """A layer that calls `function` with the options that it was made with, which are its attributes."""

    function: Any  # a staticmethod
    shown: tuple[str, ...] | None = None  # the options that are printed; None: all, but for an `inplace` that is False
    buffered: tuple[str, ...] = ()  # the options that move with the module

    def __init__(self, **options: Any) -> None:
        super().__init__()
        self._options = tuple(options)
        self.__dict__.update(options)
        for name in self.buffered:
            if name in options:
                self.register_buffer(name, self.__dict__.pop(name))

    def forward(self, *inputs: Any, **named: Any) -> Any:
        return self.function(*inputs, **named, **{name: getattr(self, name) for name in self._options})

    def extra_repr(self) -> str:
        usual = [name for name in self._options if name != "inplace" or self.inplace]
        return ", ".join([f"{name}={getattr(self, name)!r}" for name in (usual if self.shown is None else self.shown)])


class InPlace(Applied):
    """One whose only option is to write into its input."""

    def __init__(self, inplace: bool = False) -> None:
        super().__init__(inplace=inplace)
