"""Where the CUDA sources are, and what a compiler is given of them."""

import hashlib
from pathlib import Path

from gradkit.backend.kernels import folder


def kernel_root() -> Path:
    return Path(folder())


def names(root: Path) -> list[str]:
    return sorted([path.stem for path in root.glob("*.cu")])


def fingerprint(root: Path) -> str:
    """A hash of all headers. CuPy's cache of compiled kernels knows the source, but not what it includes."""
    digest = hashlib.sha256()
    for path in sorted(root.glob("*.cuh")):
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def program(root: Path, name: str) -> str:
    text = (root / f"{name}.cu").read_text(encoding="utf-8")
    return f'// headers {fingerprint(root)}\n#line 1 "{name}.cu"\n{text}'
