"""What a user pays before any work is done: the time of an import beyond NumPy's, and the size on disk."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from bench.workload import Measurement, Target

ROOT = Path(__file__).resolve().parents[2]
# The processor's time: an import waits for nothing, and other programs on the machine are none of its cost.
TIMED_IMPORT = (
    "import numpy; from time import process_time as clock; begin = clock(); import {}; print(clock() - begin)"
)


def import_seconds(module: str, byte_code: str) -> float:
    """The time in a fresh interpreter that keeps byte code in the given folder, whatever the environment says of it."""
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    environment["PYTHONPYCACHEPREFIX"] = byte_code
    command = [sys.executable, "-c", TIMED_IMPORT.format(module)]
    done = subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True, text=True)
    return float(done.stdout)


def import_beyond_numpy(library: str, quick: bool) -> list[float]:
    """In fresh interpreters that have NumPy already, with the byte code on disk."""
    times = 3 if quick else 21 if library == "gradkit" else 5
    with tempfile.TemporaryDirectory() as byte_code:
        import_seconds(library, byte_code)
        return [import_seconds(library, byte_code) for _ in range(times)]


def installed_size(library: str, _quick: bool) -> list[float]:
    """The files that a wheel of gradkit holds, without the byte code that pip adds."""
    if library != "gradkit":
        return []
    files = (path for folder in ("gradkit", "kernels") for path in (ROOT / folder).rglob("*"))
    return [float(sum(path.stat().st_size for path in files if path.is_file() and path.suffix != ".pyc"))]


ITEMS = [
    Measurement(
        "import-time",
        "import",
        "import of the package beyond NumPy, processor time",
        import_beyond_numpy,
        (Target(0.030, 0.050, against=None),),
    ),
    Measurement(
        "installed-size",
        "import",
        "size of the installed package",
        installed_size,
        (Target(1e6, 2e6, against=None),),
        unit="B",
    ),
]
