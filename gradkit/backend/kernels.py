"""Where the CUDA sources are: inside an installed package, beside it in a checkout."""

import importlib.resources
from importlib.resources.abc import Traversable
from pathlib import Path


def kernel_root() -> Traversable | Path:
    """The folder `kernels`."""
    inside = importlib.resources.files("gradkit").joinpath("kernels")
    return inside if inside.is_dir() else Path(__file__).resolve().parents[2] / "kernels"
