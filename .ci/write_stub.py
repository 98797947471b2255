"""Write gradkit/engine/tensor.pyi, what type checkers and editors know of Tensor: its methods are read off at import.

`python .ci/write_stub.py` writes it; with --check it only says whether it is current, by its exit status.
"""

import ast
import functools
import inspect
import re
import sys
from pathlib import Path
from typing import Any

import gradkit
from gradkit.engine import tensor

STUB = Path(gradkit.__file__).parent / "engine" / "tensor.pyi"
HEAD = """# Written by .ci/write_stub.py from the class as it stands after `import gradkit`: change that, not this.
from builtins import bool as bool_, complex as complex_, float as float_, int as int_
from collections.abc import Callable
from typing import Any

import numpy as np

from gradkit.backend.rng import Generator
from gradkit.engine.device import Size, device as Device
from gradkit.engine.node import Handle
{}

_Dims = int | tuple[int, ...] | list[int] | None

"""
# Names that Tensor gives to methods and properties, so that inside the class they no longer mean the type.
SHADOWED = {"bool": "bool_", "complex": "complex_", "float": "float_", "int": "int_"}
# Some operators are one function for every operation and so have no signature of their own.
BINARY = re.compile(
    r"__[ri]?(add|sub|mul|truediv|floordiv|mod|pow|matmul|and|or|xor|lshift|rshift)__|__(lt|le|gt|ge)__"
)
# Where functions have types; their last parts are names that Tensor does not have itself.
TYPED = ("gradkit.ops.", "gradkit.conversion", "gradkit.history", "gradkit.moving")
HIDDEN = {
    "__annotations__", "__dict__", "__doc__", "__hash__", "__module__", "__slots__", "__weakref__",
    # What NumPy, CuPy, copying, pickling and printing call.
    "__array_function__", "__array_ufunc__", "__copy__", "__cupy_override_elementwise_kernel__", "__deepcopy__",
    "__delitem__", "__format__", "__reduce_ex__", "__repr__",
}


def text_of(annotation: Any) -> str:
    """An annotation as source: names without their modules, and none of those that the class shadows."""
    if annotation is inspect.Parameter.empty:
        return "Any"
    text = annotation if isinstance(annotation, str) else inspect.formatannotation(annotation)
    text = re.sub(r"\b(?:gradkit|collections|typing)(?:\.\w+)*\.(?=\w)", "", text).replace("numpy.", "np.")
    text = re.sub(r"\bdevice\b", "Device", text).replace("int | tuple[int, ...] | list[int] | None", "_Dims")
    return re.sub(r"\b(bool|complex|float|int)\b", lambda found: SHADOWED[found[1]], text)


def parameter(p: inspect.Parameter) -> str:
    star = {p.VAR_POSITIONAL: "*", p.VAR_KEYWORD: "**"}.get(p.kind, "")
    default = "" if p.default is p.empty else " = ..."
    return f"{star}{p.name}: {text_of(p.annotation)}{default}"


def method(name: str, function: Any) -> str:
    if BINARY.fullmatch(name):
        return f"    def {name}(self, other: Any, /) -> Tensor: ..."
    if name in ("__eq__", "__ne__"):
        return f"    def {name}(self, other: object, /) -> Tensor: ...  # type: ignore[override]"
    signature = inspect.signature(function)
    kind = "Tensor" if hasattr(function, "primitive") else text_of(signature.return_annotation)
    _, *rest = signature.parameters.values()
    shown = ["self"]
    for previous, p in zip([None, *rest], rest):
        if p.kind is p.KEYWORD_ONLY and (previous is None or previous.kind not in (p.KEYWORD_ONLY, p.VAR_POSITIONAL)):
            shown.append("*")
        shown.append(parameter(p))
    return f"    def {name}({', '.join(shown)}) -> {kind}: ..."


@functools.cache
def written_in(module: str) -> set[str]:
    """The functions that a module spells out, undecorated: their types are known at once."""
    source = Path(gradkit.__file__).parent.joinpath(*module.split(".")[1:]).with_suffix(".py").read_text(encoding="utf-8")
    plain = [node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef) and not node.decorator_list]
    return {node.name for node in plain}


def spelt_out(function: Any) -> tuple[str, str] | None:
    """The module and name of a function that the stub need only name, so that editors find it and its documentation."""
    module, name = function.__module__, function.__name__
    return (module, name) if module.startswith(TYPED) and name in written_in(module) else None


def accessor(name: str, value: property) -> list[str]:
    kind = text_of(inspect.signature(value.fget).return_annotation) if value.fget else "Any"
    return [f"    {name}: {kind}"] if value.fset else ["    @property", f"    def {name}(self) -> {kind}: ..."]


def stub() -> str:
    lines = ["class Tensor:"]
    modules: set[str] = set()
    for name, annotation in inspect.get_annotations(tensor.Tensor).items():
        lines.append(f"    {name}: {text_of(annotation)}")
    declared = set(inspect.get_annotations(tensor.Tensor))
    roots: dict[str, str] = {}
    others: dict[str, list[str]] = {}
    named: dict[Any, str] = {}  # what has one signature: names of one function, forms that write in place, operators
    for name, value in sorted(vars(tensor.Tensor).items()):
        if name in HIDDEN | declared:
            continue
        if isinstance(value, property):
            text = accessor(name, value)
            alike = named.setdefault("\n".join(text).replace(f" {name}(", " (", 1), name)
            lines += text if alike == name or value.fset else [f"    {name} = {alike}"]
        elif callable(value):
            other = named.setdefault("binary" if BINARY.fullmatch(name) else id(inspect.unwrap(value)), name)
            source = spelt_out(inspect.unwrap(value))
            if source and other == name:
                modules.add(source[0])
                text = f"{source[0].rpartition('.')[2]}.{source[1]}"
            else:
                text = method(name, value)
                other = named.setdefault(text.replace(name, "", 1), other)
            roots[name] = roots.get(other, name)
            others.setdefault(roots[name], []).append(name)
            if text.startswith("    def") and roots[name] == name:
                lines.append(text)
            elif roots[name] == name:
                others[name] = [text, name]
    lines += ["    " + " = ".join(reversed(names)) for names in others.values() if len(names) > 1]
    functions = inspect.getmembers(tensor, lambda f: inspect.isfunction(f) and f.__module__ == tensor.__name__)
    for name, function in functions:
        shown = ", ".join(map(parameter, inspect.signature(function).parameters.values()))
        kind = text_of(inspect.signature(function).return_annotation)
        lines.append(re.sub(r"\b(bool|complex|float|int)_\b", r"\1", f"def {name}({shown}) -> {kind}: ..."))
    parts = sorted(m.rpartition(".") for m in modules)
    imports = [
        f"from {p} import {', '.join(n for q, _, n in parts if q == p)}" for p in dict.fromkeys(part[0] for part in parts)
    ]
    return HEAD.format("\n".join(imports)) + "\n".join(lines) + "\n"


if __name__ == "__main__":
    if "--check" in sys.argv:
        current = STUB.exists() and STUB.read_text(encoding="utf-8") == stub()
        sys.exit(None if current else f"{STUB.name} is out of date: run python .ci/write_stub.py")
    STUB.write_text(stub(), encoding="utf-8")
