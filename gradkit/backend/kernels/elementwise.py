"""Launching the vjp kernels of elementwise rows."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradkit.backend.kernels.compiler import Compiler
from gradkit.backend.kernels.layout import THREADS, VECTOR, Place, Plan, packed, plan

#: Element types in CUDA, and what they are summed in.
TYPES = {"float16": "half", "bfloat16": "bfloat16", "float32": "float", "float64": "double"}
SUMMED_IN = {"half": "f", "bfloat16": "f", "float": "f", "double": "d"}


def no_arguments() -> tuple[Any, ...]:
    return ()


@dataclass(frozen=True)
class Kind:
    """What a kernel reads of a node's (y, *operands), how many operands it serves, and what it makes of parameters."""

    reads: tuple[int, ...]
    operands: int = 1
    sums: bool = False  # whether it can sum the cotangent of an operand that was broadcast
    arguments: Callable[..., tuple[Any, ...] | None] = no_arguments  # None: it does not serve these parameters

    @property
    def forms(self) -> tuple[str, ...]:
        return ("", "_strided", "_summing") if self.sums else ("", "_strided")


@dataclass(frozen=True)
class Launch:
    """A function with its plan, where its outputs go, and which of them is summed (-1: none)."""

    function: Any
    plan: Plan
    outputs: list[Any]
    summed: int


class ElementwiseVjp:
    """A kernel in place of a row's rules: ``kernel(ct, saved, params, wanted, buffers)``, on raw CuPy arrays.

    `wanted` has (shape, dtype) for each operand, or None; `buffers` an array to add into, or None. Answers with a list:
    each operand's cotangent, None if it is not wanted or was added; with NotImplemented if it does not serve these arrays.
    """

    def __init__(self, name: str, kind: Kind, compiler: Compiler) -> None:
        self.name, self.kind, self.compiler, self.cupy = name, kind, compiler, compiler.cupy

    def __call__(self, ct: Any, saved: Any, params: Any, wanted: Any, buffers: Any) -> Any:
        dtype = ct.dtype
        inputs = [ct, *[self.on_device(saved[i], dtype) for i in self.kind.reads]]
        arguments = self.kind.arguments(**(params or {}))
        if arguments is None or not self.serves(inputs, dtype):
            return NotImplemented
        fresh: list[Any] = [None] * self.kind.operands
        outputs: list[Any] = [None] * self.kind.operands
        adds = 0
        for i, like in enumerate(wanted):
            if like is None:
                continue
            if buffers[i] is not None and buffers[i].dtype == dtype:
                outputs[i] = buffers[i]
                adds |= 1 << i
            else:
                order = "F" if inputs[-1].flags.f_contiguous and not inputs[-1].flags.c_contiguous else "C"
                outputs[i] = fresh[i] = self.cupy.empty(like[0], dtype, order)
        if not ct.size:
            for array in fresh:
                if array is not None:
                    array.fill(0)  # a sum of nothing
            return fresh
        launches = [self.prepared(inputs, *one, adds) for one in separately_summed(outputs, ct.size)]
        if None in launches:
            return NotImplemented
        for launch in launches:
            self.run(launch, inputs, arguments, adds)
        return fresh

    def on_device(self, x: Any, dtype: Any) -> Any:
        """A number, which is kept as the host's, in one element: filled there, not copied."""
        return self.cupy.full((), x, dtype) if isinstance(x, np.generic) else x

    def serves(self, inputs: list[Any], dtype: Any) -> bool:
        array = self.cupy.ndarray
        return dtype.name in TYPES and all([type(x) is array and x.dtype == dtype for x in inputs])

    def prepared(self, inputs: list[Any], outputs: list[Any], summed: int, adds: int) -> Launch | None:
        ct = inputs[0]
        stored = tuple([None if x is None or i == summed else place(x) for i, x in enumerate(outputs)])
        total = None if summed < 0 else place(outputs[summed])
        if total is not None and not self.kind.sums:
            return None
        if total is not None:
            adds &= ~(1 << summed)
        found = plan(ct.shape, ct.itemsize, tuple(map(place, inputs)), stored, total, adds, self.compiler.tickets.most())
        if found is None:
            return None
        dtype = TYPES[ct.dtype.name]
        function = self.compiler.function(self.name, f"gradkit_{self.name}{found.suffix}<{dtype}, {found.index}>")
        return None if function is None else Launch(function, found, outputs, summed)

    def run(self, launch: Launch, inputs: list[Any], arguments: tuple[Any, ...], adds: int) -> None:
        stored = [None if i == launch.summed else x for i, x in enumerate(launch.outputs)]
        tail = arguments
        if self.kind.sums and launch.plan.suffix != "_strided":
            parts = self.cupy.empty(launch.plan.parts, SUMMED_IN[TYPES[inputs[0].dtype.name]])
            total = 0 if launch.summed < 0 else launch.outputs[launch.summed].data.ptr
            adding = launch.summed >= 0 and bool(adds >> launch.summed & 1)
            tail = (packed("Pi?PP", total, launch.summed, adding, parts.data.ptr, self.compiler.tickets.here().data.ptr), *tail)
        launch.function(launch.plan.grid, (THREADS,), (*inputs, *[0 if x is None else x for x in stored], launch.plan.how, *tail))


def place(array: Any) -> Place:
    return array.shape, array.strides, array.data.ptr % VECTOR


def separately_summed(outputs: list[Any], size: int) -> list[tuple[list[Any], int]]:
    """The outputs of each launch, and which of them is summed: a launch sums one, beside those of full size."""
    summed = [i for i, x in enumerate(outputs) if x is not None and x.size != size]
    if len(summed) < 2:
        return [(outputs, summed[0] if summed else -1)]
    return [([x if j == i else None for j, x in enumerate(outputs)], i) for i in summed]
