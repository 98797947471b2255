"""The guards of the test suite itself: each is shown a case that it must refuse."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent


@pytest.fixture
def suite(tmp_path):
    """Run pytest on one test file under this suite's conftest; return its exit status and what it printed."""
    for name in ("conftest.py", "skips.txt"):
        (tmp_path / name).write_text((HERE / name).read_text(encoding="utf-8"), encoding="utf-8")

    def run(source, *options, **environment):
        (tmp_path / "test_case.py").write_text(source, encoding="utf-8")
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options, "test_case.py"]
        inherited = {key: value for key, value in os.environ.items() if not key.startswith(("PYTEST_", "GRADKIT_"))}
        done = subprocess.run(command, cwd=tmp_path, env=inherited | environment, capture_output=True, text=True)
        return done.returncode, done.stdout + done.stderr

    return run


UNLISTED = "import pytest\ndef test_it():\n    pytest.skip('felt like it')\n"
LISTED = "import pytest\ndef test_it():\n    pytest.skip('torch is not installed: no witness to compare with')\n"
# A stand-in module: these cases are about the guard, not about the engine.
MODES = """
import sys, types
local = types.SimpleNamespace(grad=True, special=0, inference=False, packing=(), batches=(), anomaly=False)
modes = types.SimpleNamespace(lifted=0, muted=0, local=local)
sys.modules["gradkit.engine.modes"] = modes
def test_it():
    {leak}
"""


def test_unlisted_skip_fails_a_strict_run(suite):
    status, printed = suite(UNLISTED, "--strict-skips")
    assert status == 1
    assert "1  felt like it  <- not listed" in printed


def test_unlisted_skip_passes_a_plain_run_and_is_named(suite):
    status, printed = suite(UNLISTED)
    assert status == 0
    assert "felt like it  <- not listed" in printed


def test_listed_skip_passes_a_strict_run(suite):
    status, printed = suite(LISTED, "--strict-skips")
    assert status == 0
    assert "not listed" not in printed


def test_missing_witness_skips_unless_required(suite):
    # A name in sys.modules that is None is a package that cannot be found.
    source = "import sys\nsys.modules['scipy'] = None\ndef test_it(scipy):\n    pass\n"
    status, printed = suite(source, "--strict-skips")
    assert status == 0 and "1 skipped" in printed
    status, printed = suite(source, GRADKIT_REQUIRE="torch,scipy")
    assert status == 1 and "GRADKIT_REQUIRE names scipy" in printed


@pytest.mark.parametrize(
    ("leak", "named"),
    [
        ("modes.lifted += 1", "lifted (from 0 to 1)"),
        ("modes.muted += 2", "muted (from 0 to 2)"),
        ("modes.local.grad = False", "grad (from True to False)"),
    ],
)
def test_leaked_mode_fails(suite, leak, named):
    status, printed = suite(MODES.format(leak=leak))
    assert status == 1
    assert f"the test leaked {named}" in printed


def test_restored_mode_passes(suite):
    status, _ = suite(MODES.format(leak="modes.muted += 1; modes.muted -= 1"))
    assert status == 0


def test_leak_is_charged_to_one_test_alone(suite):
    status, printed = suite(MODES.format(leak="modes.muted += 1") + "def test_next():\n    pass\n")
    assert status == 1
    assert "2 passed, 1 error" in printed
