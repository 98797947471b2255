"""Witnesses, the device under test, a guard against leaked modes, and an account of what was skipped."""

import collections
import gc
import importlib
import os
import re
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest

SKIPS = Path(__file__).with_name("skips.txt")


def pytest_addoption(parser):
    group = parser.getgroup("gradkit")
    group.addoption("--device", choices=["cpu", "cuda"], default="cpu", help="where tensors under test live")
    group.addoption("--strict-skips", action="store_true", help="fail on a skip whose reason is not in tests/skips.txt")


@pytest.fixture(scope="session")
def device(request):
    """The device under test; asking for one that cannot be used is an error, not a skip."""
    name = request.config.getoption("device")
    if name == "cuda":
        import gradkit

        if not gradkit.cuda.is_available():
            pytest.fail(f"--device cuda was asked for: {gradkit.cuda.why_not()}")
    return name


@pytest.fixture(autouse=True)
def made_on_the_device(request, device):
    """Let constructors make tensors on the device under test, but for tests marked `cpu`."""
    if device != "cpu":
        from tests import reading

        reading.allow()
        reading.as_elsewhere = "cuda" not in request.path.parts
    if device == "cpu" or request.node.get_closest_marker("cpu"):
        yield
        return
    import gradkit

    gradkit.set_default_device(device)
    yield
    gradkit.set_default_device(None)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    """Count the operations that a test runs on the device."""
    reading = sys.modules.get("tests.reading")
    before = reading and reading.operations
    try:
        return (yield)
    except NotImplementedError as reason:
        if "this cuSOLVER has no" not in str(reason):
            raise
        pytest.skip("this cuSOLVER has no eigenvalues of general matrices")
    finally:
        if reading:
            item.user_properties.append(("device operations", reading.operations - before))


def witness(name):
    """Import a package whose answers ours are compared with; where GRADKIT_REQUIRE names it, it has to be there."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as missing:
        if missing.name != name:
            raise
        if name in os.environ.get("GRADKIT_REQUIRE", "").split(","):
            pytest.fail(f"GRADKIT_REQUIRE names {name}, which is not installed")
        pytest.skip(f"{name} is not installed: no witness to compare with")


@pytest.fixture(scope="session")
def torch():
    return witness("torch")


@pytest.fixture(scope="session")
def scipy():
    return witness("scipy")


@pytest.fixture
def alike(torch):
    """A function of a program, itself a function of the library: what it returns, or the type of what it raises, must be
    what PyTorch gives."""

    import gradkit

    def check(program):
        want = outcome(program, torch)
        compare(outcome(program, gradkit), want)

    return check


def outcome(program, library):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return shown(program(library))
        except Exception as error:
            return type(error).__name__, str(error)[:200]


def shown(x):
    """What a program returns, in a form that compares: arrays with their flags, all else as it is."""
    if hasattr(x, "requires_grad") and hasattr(x, "numpy"):
        return {"value": x.detach().clone().numpy(), "dtype": str(x.dtype).removeprefix("torch."), "requires_grad": x.requires_grad}
    if isinstance(x, dict):
        return {"dict": [(key, shown(value)) for key, value in x.items()]}
    return [shown(one) for one in x] if isinstance(x, tuple | list) else x


def compare(got, want):
    if isinstance(want, tuple):
        assert isinstance(got, tuple) and got[0] == want[0], f"{got} instead of {want}"
    elif isinstance(want, dict) and "value" in want:
        assert isinstance(got, dict), f"{got} instead of {want}"
        np.testing.assert_allclose(got["value"], want["value"], rtol=1e-5, atol=1e-6)
        assert {k: got[k] for k in ("dtype", "requires_grad")} == {k: want[k] for k in ("dtype", "requires_grad")}
    elif isinstance(want, dict):
        assert isinstance(got, dict), f"{got} instead of {want}"
        assert [key for key, _ in got["dict"]] == [key for key, _ in want["dict"]]
        compare([value for _, value in got["dict"]], [value for _, value in want["dict"]])
    elif isinstance(want, list):
        assert isinstance(got, list), f"{got} instead of {want}"
        assert len(got) == len(want), f"{got} instead of {want}"
        for a, b in zip(got, want):
            compare(a, b)
    else:
        assert not isinstance(got, tuple | list | dict) and got == want, f"{got} instead of {want}"


@pytest.fixture(autouse=True)
def no_leaked_mode():
    """Fail a test that leaves a level open, or a mode (no_grad, inference, anomaly) switched otherwise than it was."""
    before = open_modes()
    yield
    forget_complex()
    after = open_modes()
    if after != before:  # tracebacks hold tensors that outlive their vmap
        gc.collect()
        after = open_modes()
    leaked = [f"{name} (from {before[name]} to {now})" for name, now in after.items() if now != before[name]]
    if leaked:
        pytest.fail("the test leaked " + ", ".join(leaked))


FRESH = {"grad": True, "special": 0, "inference": False, "packing": (), "batches": (), "anomaly": False}


def forget_complex():
    """From the first complex value on, operations look for them, and take other paths: not in the next test too."""
    modes = sys.modules.get("gradkit.engine.modes")
    if getattr(modes, "_met_complex", False):
        modes._met_complex = False
        modes.shift(special=-1)


def open_modes():
    """The engine's modes by name, as they stand; before the engine is imported, as they will be."""
    modes = sys.modules.get("gradkit.engine.modes")
    if modes is None:
        return FRESH | {"lifted": 0, "muted": 0}
    counts = {name: getattr(modes, name) for name in ("lifted", "muted")}
    return counts | {name: getattr(modes.local, name) for name in FRESH}


def skips_by_reason(config):
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    reports = reporter.stats.get("skipped", []) if reporter else []
    return collections.Counter(report.longrepr[2].removeprefix("Skipped: ") for report in reports)


def is_listed(reason):
    lines = [line.strip() for line in SKIPS.read_text(encoding="utf-8").splitlines()]
    return any(re.fullmatch(line, reason) for line in lines if line and not line.startswith("#"))


def count_on_device(reporter):
    """How many tests passed that ran operations on the device under test, and how many that ran none."""
    counts = [dict(report.user_properties).get("device operations") for report in reporter.stats.get("passed", [])]
    return len([n for n in counts if n]), len([n for n in counts if not n])


def pytest_terminal_summary(terminalreporter, config):
    if config.getoption("device") != "cpu":
        terminalreporter.section(f"tests on {config.getoption('device')}")
        there, elsewhere = count_on_device(terminalreporter)
        terminalreporter.write_line(f"{there} passed with operations on the device, {elsewhere} without")
    skips = skips_by_reason(config)
    if not skips:
        return
    terminalreporter.section("skips by reason")
    for reason, count in skips.most_common():
        mark = "" if is_listed(reason) else "  <- not listed in tests/skips.txt"
        terminalreporter.write_line(f"{count:5d}  {reason}{mark}")


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session):
    strict = session.config.getoption("strict_skips")
    if strict and not all(map(is_listed, skips_by_reason(session.config))):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
