"""Applied: a layer that is a function with its options."""

from typing import Any

from gradkit.nn.module import Module


class Applied(Module):
    """A layer without parameters: it calls `function` with the options that it was made with, which are its attributes."""

    function: Any  # a staticmethod

    def __init__(self, **options: Any) -> None:
        super().__init__()
        self._options = tuple(options)
        self.__dict__.update(options)

    def forward(self, *inputs: Any) -> Any:
        return self.function(*inputs, **{name: getattr(self, name) for name in self._options})

    def extra_repr(self) -> str:
        shown = [name for name in self._options if name != "inplace" or self.inplace]
        return ", ".join([f"{name}={getattr(self, name)!r}" for name in shown])
