"""Kernels by name: compiled when they are first wanted, by NVRTC through CuPy, whose cache on disk keeps them."""

import re
import warnings
from pathlib import Path
from typing import Any

from gradkit.backend.kernels.source import program
from gradkit.backend.kernels.tickets import Tickets


class Compiler:
    """The functions of the kernel files under `root`, for CuPy, which is handed over."""

    def __init__(self, cupy: Any, root: Path) -> None:
        self.cupy, self.root, self.tickets = cupy, root, Tickets(cupy)
        self._functions: dict[tuple[int, str, str], Any] = {}
        self._broken: set[str] = set()

    def function(self, name: str, expression: str) -> Any:
        """The kernel that an expression such as ``gradkit_exp_vjp<float, int>`` names in a file, for the current device.

        None, after one warning that names the file, if it does not compile.
        """
        key = (self.cupy.cuda.runtime.getDevice(), name, expression)
        found = self._functions.get(key)
        if found is None and name not in self._broken:
            try:
                found = self._functions[key] = self.compiled(name, expression)
            except (self.cupy.cuda.compiler.CompileException, OSError) as reason:
                self._broken.add(name)
                warnings.warn(
                    f"{self.root / name}.cu does not compile, so plain array operations stand in for it: {brief(reason)}",
                    RuntimeWarning, stacklevel=2,
                )
        return found

    def compiled(self, name: str, expression: str) -> Any:
        module = self.cupy.RawModule(
            code=program(self.root, name), options=("-std=c++17", f"-I{self.root}"), name_expressions=(expression,)
        )
        return module.get_function(expression)


def brief(reason: BaseException) -> str:
    lines = str(reason).splitlines()
    return next((line for line in lines if re.search(r"\berror\b", line)), lines[0] if lines else repr(reason))
