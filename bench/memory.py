"""Peak memory of a piece of work, beyond what the process held before: a fresh process a sample, Linux only.

As a program: `python -m bench.memory LIBRARY MODULE BUILDER` prints the bytes.
"""

import subprocess
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

from bench.libraries import LACKING
from bench.workload import NotAvailable

SELF = Path("/proc/self")
ROOT = Path(__file__).resolve().parents[1]


def peak_memory(module: str, builder: str) -> Callable[[str, bool], list[float]]:
    """Measure the work of `builder(library, small)`: gradkit's, and PyTorch's beside it."""

    def measure(library: str, quick: bool) -> list[float]:
        if library not in ("gradkit", "torch"):
            return []
        if not (SELF / "clear_refs").exists():
            raise NotAvailable("this system does not tell the peak memory of a stretch of work")
        return [in_fresh_process(library, module, builder) for _ in range(1 if quick else 5)]

    return measure


def in_fresh_process(*arguments: str) -> float:
    command = [sys.executable, "-m", "bench.memory", *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        reason = done.stderr.strip().splitlines()[-1]
        lacking = reason.split(":")[0].rsplit(".", 1)[-1] in {error.__name__ for error in LACKING}
        raise NotAvailable(reason) if lacking else RuntimeError(reason)
    return float(done.stdout)


def held(key: str) -> int:
    """A line of /proc/self/status in bytes."""
    for line in (SELF / "status").read_text(encoding="ascii").splitlines():
        if line.startswith(key):
            return int(line.split()[1]) * 1024
    raise NotAvailable(f"the system does not report {key}")


def main(library: str, module: str, builder: str) -> None:
    lib = import_module(library)
    build = getattr(import_module(module), builder)
    build(lib, True)()  # on small arrays: code and thread pools are loaded, memory is hardly touched
    work = build(lib, False)
    before = held("VmRSS")
    (SELF / "clear_refs").write_text("5", encoding="ascii")  # forget the peak so far
    work()
    print(held("VmHWM") - before)


if __name__ == "__main__":
    main(*sys.argv[1:])
