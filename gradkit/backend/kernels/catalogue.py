"""Every kernel that the rows name, as its Python side sees it."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from gradkit.backend.kernels import scattering
from gradkit.backend.kernels.compiler import Compiler
from gradkit.backend.kernels.elementwise import TYPES, ElementwiseVjp, Kind
from gradkit.backend.kernels.programs import ROWWISE, Programs
from gradkit.backend.kernels.scattering import Scattering
from gradkit.backend.kernels.source import kernel_root
from gradkit.backend.kernels.tensors import Step, TensorsStep

MOST_MULTIPLIED = 16  # the largest whole exponent that is multiplied out, for the sake of its error

#: Exponents with code of their own, numbered as in pow_scalar_vjp.cuh; then whole numbers and the rest.
EXPONENTS = {2: 0, 3: 1, 0.5: 2, -0.5: 3, -1: 4, -2: 5, 1.5: 6, 2.5: 7}
WHOLE, REAL = 8, 9


def exponent_arguments(exponent: Any) -> tuple[Any, ...] | None:
    if type(exponent) not in (int, float) or exponent == 0:
        return None
    whole = exponent == int(exponent) and abs(exponent) <= MOST_MULTIPLIED if abs(exponent) < 2**53 else False
    kind = EXPONENTS.get(exponent, WHOLE if whole else REAL)
    return np.int32(kind), np.float64(exponent)


def gelu_arguments(approximate: str) -> tuple[Any, ...]:
    return (np.bool_(approximate == "tanh"),)


ELEMENTWISE = {
    "exp_vjp": Kind(reads=(0,)),
    "pow_vjp": Kind(reads=(1, 2), operands=2, sums=True),
    "pow_scalar_vjp": Kind(reads=(1,), arguments=exponent_arguments),
    "relu_vjp": Kind(reads=(0,)),
    "sigmoid_vjp": Kind(reads=(0,)),
    "tanh_vjp": Kind(reads=(0,)),
    "silu_vjp": Kind(reads=(1,)),
    "gelu_vjp": Kind(reads=(1,), arguments=gelu_arguments),
}


#: The kernels of optimisers, whose numbers are structs in the headers.
STEPS = {
    "adagrad_step": Step(arrays=3, numbers="3di0d"), "adam_step": Step(arrays=5, numbers="8d2i"),
    "rmsprop_step": Step(arrays=5, numbers="6d2i"), "sgd_step": Step(arrays=3, numbers="4d3i0d"),
}


#: Those that stand in for programs, by their files, with the kernels in each.
PROGRAMS = {**ROWWISE, scattering.NAME: scattering.FORMS}


def expressions(name: str, index: str) -> list[str]:
    """Every kernel of a file, as name expressions, for one type of index; "int" has those that know but one too."""
    if name in STEPS or name in PROGRAMS:
        forms = PROGRAMS.get(name, ("<T>",)) if index == "int" else ()
        found = [f"gradkit_{name}{form.replace('T', dtype)}" for dtype in TYPES.values() for form in forms]
        return list(dict.fromkeys(found))
    forms = ELEMENTWISE[name].forms
    return [f"gradkit_{name}{form}<{dtype}, {index}>" for dtype in TYPES.values() for form in forms]


def wanted() -> bool:
    return os.environ.get("GRADKIT_FUSED", "1") != "0"


class Kernels:
    """The kernels of one process, for CuPy, which is handed over; none with GRADKIT_FUSED=0 in the environment."""

    def __init__(self, cupy: Any, root: Path | None = None) -> None:
        self._compiler = Compiler(cupy, root or kernel_root())
        self._by_name: dict[str, Any] = {}
        if wanted():
            self._by_name |= {name: ElementwiseVjp(name, kind, self._compiler) for name, kind in ELEMENTWISE.items()}
            self._by_name |= {name: TensorsStep(name, step, self._compiler) for name, step in STEPS.items()}

    def get(self, name: str) -> Any:
        return self._by_name.get(name)

    def programs(self) -> dict[str, Callable[..., Any]]:
        return Programs(self._compiler).fused() | Scattering(self._compiler).fused() if wanted() else {}

    @property
    def names(self) -> list[str]:
        return [*ELEMENTWISE, *STEPS, *PROGRAMS]

    def compile(self, name: str) -> tuple[int, int]:
        """Compile a file's kernels for 32-bit indices; how many were, and how many there are."""
        found = [self._compiler.function(name, expression) for expression in expressions(name, "int")]
        return len(found) - found.count(None), len(found)
