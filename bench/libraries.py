"""The libraries that compete: which are installed, and how their values are read."""

import importlib
import importlib.metadata
from dataclasses import dataclass
from typing import Any

import numpy as np

from bench.workload import NotAvailable

PEERS = ("torch", "jax", "autograd")
#: What a library raises when it lacks a feature; anything else that it raises is a failure.
LACKING = (AttributeError, ImportError, NotImplementedError, NotAvailable)


@dataclass(frozen=True)
class Library:
    """An imported package that takes part."""

    name: str
    module: Any

    @property
    def version(self) -> str:
        return getattr(self.module, "__version__", None) or importlib.metadata.version(self.name)


def load(names: list[str]) -> tuple[dict[str, Library], dict[str, str]]:
    """The libraries that could be imported, and for each of the others the reason."""
    found, missing = {}, {}
    for name in names:
        try:
            found[name] = Library(name, importlib.import_module(name))
        except ImportError as error:
            missing[name] = f"{type(error).__name__}: {error}"
    return found, missing


def to_numpy(value: Any) -> np.ndarray:
    """A library's value as a NumPy array."""
    if hasattr(value, "detach"):
        value = value.detach().numpy()
    return np.asarray(value)
