"""Run where gradkit was installed and nothing else: it must come from the installation and take a gradient."""

import importlib.util
import sys
from pathlib import Path

import gradkit
from gradkit.backend.kernels.source import kernel_root

for absent in ("cupy", "scipy", "torch"):
    assert importlib.util.find_spec(absent) is None, f"{absent} is installed here; this check is meant for a bare venv"

home = Path(gradkit.__file__).resolve()
assert home.is_relative_to(Path(sys.prefix).resolve()), f"gradkit came from {home}, not from the installation"
assert Path(str(kernel_root())) == home.parent / "kernels", f"kernels were found at {kernel_root()}"

x = gradkit.tensor([1.0, 2.0, 3.0], requires_grad=True)
(x**2).sum().backward()
assert x.grad.tolist() == [2.0, 4.0, 6.0]
print(f"gradkit {gradkit.__version__}: the gradient of (x**2).sum() is {x.grad}")
