"""Check what a wheel and a source archive hold: the package and its kernels, the data, and no tests in the wheel."""

import sys
import tarfile
import zipfile
from pathlib import PurePosixPath

INSTALLED_LIMIT = 2_000_000  # bytes of the package itself, as `python -m bench --suite import` counts them
NEEDED = ["gradkit/__init__.py", "gradkit/py.typed", "gradkit/kernels/exp_vjp.cu"]
NEEDED_IN_SOURCE = [
    "pyproject.toml",
    "README.md",
    "LICENSE",
    "kernels/README.md",
    "tests/conftest.py",
    "gradkit/py.typed",
]


def check_wheel(path: str) -> list[str]:
    with zipfile.ZipFile(path) as wheel:
        sizes = {entry.filename: entry.file_size for entry in wheel.infolist()}
    print(path.rsplit("/", 1)[-1], *(f"{size:9d}  {name}" for name, size in sorted(sizes.items())), sep="\n")
    total = sum([size for name, size in sizes.items() if name.startswith("gradkit/")])
    print(f"{total:9d}  bytes in gradkit/, of {INSTALLED_LIMIT} allowed")

    wrong = [f"lacks {name}" for name in NEEDED if name not in sizes]
    if not any(name.startswith("gradkit/") and name.endswith("/digits.deflate") for name in sizes):
        wrong.append("lacks the digits")
    for name in sizes:
        parts = PurePosixPath(name).parts
        if parts[0] != "gradkit" and not parts[0].endswith(".dist-info"):
            wrong.append(f"holds {name}, which is no part of the package")
        if {"tests", "bench", "__pycache__"} & set(parts):
            wrong.append(f"holds {name}")
    if total > INSTALLED_LIMIT:
        wrong.append("is too large")
    if not path.endswith("-py3-none-any.whl"):
        wrong.append("is tied to a platform")
    return wrong


def check_source(path: str) -> list[str]:
    with tarfile.open(path) as archive:
        names = {name.split("/", 1)[-1] for name in archive.getnames()}
    return [f"lacks {name}" for name in NEEDED_IN_SOURCE if name not in names]


def main(wheel: str, source: str) -> int:
    wrong = [f"the wheel {what}" for what in check_wheel(wheel)] + [
        f"the source archive {w}" for w in check_source(source)
    ]
    print(*wrong, sep="\n", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
