"""Launching the kernels that make an optimiser's step for many tensors at once."""

from dataclasses import dataclass
from typing import Any

from gradkit.backend.kernels.compiler import Compiler
from gradkit.backend.kernels.elementwise import TYPES
from gradkit.backend.kernels.layout import THREADS, packed

MOST_TENSORS, CHUNK = 64, 4096  # as in tensors.cuh


@dataclass(frozen=True)
class Step:
    """How many arrays a method has for each tensor, and the C struct of its numbers."""

    arrays: int
    numbers: str


class TensorsStep:
    """A method's step in place of its rule: on lists of a parameter, its gradient and its state (None: it has no such)."""

    def __init__(self, name: str, step: Step, compiler: Compiler) -> None:
        self.name, self.step, self.compiler, self.cupy = name, step, compiler, compiler.cupy

    def serves(self, arrays: list[Any]) -> bool:
        """Whether the arrays of one tensor lie alike, in one piece."""
        there = [x for x in arrays if x is not None]
        like = there[0]
        if like.dtype.name not in TYPES or not (like.flags.c_contiguous or like.flags.f_contiguous):
            return False
        return all([
            type(x) is self.cupy.ndarray and (x.dtype, x.shape, x.strides) == (like.dtype, like.shape, like.strides)
            for x in there
        ])

    def __call__(self, tensors: list[list[Any]], numbers: tuple[float, ...]) -> bool:
        """Change tensors of one dtype on the current device; False if the kernel does not compile."""
        function = self.compiler.function(self.name, f"gradkit_{self.name}<{TYPES[tensors[0][0].dtype.name]}>")
        if function is None:
            return False
        tensors = [arrays for arrays in tensors if arrays[0].size]
        for first in range(0, len(tensors), MOST_TENSORS):
            table, blocks = self.table(tensors[first : first + MOST_TENSORS])
            function((blocks,), (THREADS,), (table, packed(self.step.numbers, *numbers)))
        return True

    def table(self, tensors: list[list[Any]]) -> tuple[Any, int]:
        rest, pointers, sizes, starts = MOST_TENSORS - len(tensors), [], [], [0]
        for arrays in tensors:
            pointers += [0 if x is None else x.data.ptr for x in arrays]
            sizes.append(arrays[0].size)
            starts.append(starts[-1] - -sizes[-1] // CHUNK)
        blocks = starts.pop()
        pointers += [0] * (rest * self.step.arrays)
        format = f"{MOST_TENSORS * self.step.arrays}P{MOST_TENSORS}q{MOST_TENSORS + 1}i0q"
        return packed(format, *pointers, *sizes, *[0] * rest, *starts, *[0] * rest, len(tensors)), blocks
