"""A program as data: named inputs, steps that make or change values, and the values that are its results."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from tests.programs import rows


@dataclass(frozen=True)
class Step:
    """One statement in Python, good for any library called `lib`: which names it reads, and which it makes."""

    source: str
    reads: tuple[str, ...]
    makes: tuple[str, ...]


@dataclass(frozen=True)
class Program:
    """A function of arrays: its inputs, what is done with them, and the names of its results."""

    inputs: dict[str, np.ndarray]
    steps: tuple[Step, ...]
    outputs: tuple[str, ...]
    copies: bool = False  # may the steps write into the inputs? Then they are copies.

    def source(self) -> str:
        """The program as a function in Python of a library and its inputs."""
        lines = [f"{name} = {name}.clone()" for name in self.inputs if self.copies]
        lines += [line for step in self.steps for line in step.source.splitlines()]
        body = "\n".join([f"    {line}" for line in lines])
        return f"def program(lib, {', '.join(self.inputs)}):\n{body}\n    return {', '.join(self.outputs)},\n"

    def function(self) -> Callable[..., Any]:
        """The same, ready to call: ``function(lib, *tensors)`` is a tuple."""
        names: dict[str, Any] = {"row": rows.row, "shaped": rows.shaped, "squashed": rows.squashed, "near": rows.near}
        exec(self.source(), names)
        return names["program"]

    def script(self, title: str) -> str:
        """A file to run by itself, in the folder that holds `tests`."""
        arrays = ", ".join([f"np.array({x.tolist()}, np.{x.dtype})" for x in self.inputs.values()])
        return (
            f'"""{title}"""\n\nimport numpy as np\n\n'
            "from tests.programs.rows import near, row, shaped, squashed\n"
            "from tests.programs.judging import explain\n\n\n"
            f"{self.source()}\n\n"
            f"explain(program, [{arrays}])\n"
        )
