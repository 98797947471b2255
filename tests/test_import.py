"""What `import gradkit` costs and brings along, seen from fresh interpreters."""

import os
import re
import statistics
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
# Five times what the package aims at: a busy machine passes, a heavy import at module level does not.
BUDGET_S = 0.150
REPEATS = 7


def fresh(source, environment=None):
    """What a fresh interpreter prints on running the source in the root of the checkout."""
    command = [sys.executable, "-c", source]
    return subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True, text=True).stdout


def test_import_brings_no_heavy_package():
    heavy = {"cupy", "cupyx", "hypothesis", "matplotlib", "ml_dtypes", "scipy", "torch", "tqdm"}
    loaded = set(fresh("import sys, gradkit; print(*sys.modules)").split())
    assert "gradkit" in loaded
    assert not loaded & heavy


def test_import_brings_no_module_that_few_need():
    """Of the standard library, beyond what NumPy brings: together they cost a fifth of the import."""
    seldom = {"concurrent.futures", "hashlib", "numpy.typing", "pathlib", "string", "tracemalloc", "urllib.parse"}
    loaded = set(fresh("import sys, numpy; has = set(sys.modules); import gradkit; print(*{*sys.modules} - has)").split())
    assert not loaded & seldom


def test_import_is_cheap_beyond_numpy(tmp_path):
    # Byte code is kept, as users have it, wherever the tests run and whatever the environment says of it.
    keeping = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    keeping["PYTHONPYCACHEPREFIX"] = str(tmp_path)
    # Time of this process alone: others may keep the machine busy.
    source = "import numpy; from time import process_time as clock; t = clock(); import gradkit; print(clock() - t)"
    fresh(source, keeping)
    assert statistics.median(float(fresh(source, keeping)) for _ in range(REPEATS)) < BUDGET_S


def test_import_warns_of_nothing_and_prints_nothing():
    command = [sys.executable, "-W", "error", "-c", "import gradkit"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_import_leaves_numpy_error_state_alone():
    state = "import numpy as np; before = np.geterr(); {} print(before == np.geterr())"
    assert fresh(state.format("import gradkit;")).strip() == "True"


def test_version_is_one_and_the_same():
    import gradkit

    assert re.fullmatch(r"\d+\.\d+\.\d+\S*", gradkit.__version__)
    assert gradkit.__version__ == re.search(
        r'__version__ = "(.+)"', (ROOT / "gradkit" / "version.py").read_text(encoding="utf-8")
    ).group(1)
