"""Tests that launch kernels want a device, or hostcuda in its place: they are collected under --device cuda."""

import pytest

ON_DEVICE = {
    "test_compiling.py", "test_dispatch.py", "test_launches.py", "test_measured.py", "test_programs.py",
    "test_scattering.py", "test_steps.py", "test_training_step.py",
}  # fmt: skip


def pytest_ignore_collect(collection_path, config):
    return True if collection_path.name in ON_DEVICE and config.getoption("device") != "cuda" else None


@pytest.fixture(scope="session")
def counting():
    """A context that counts launches, where hostcuda stands in for a GPU."""
    try:
        import hostcuda
    except ModuleNotFoundError:
        pytest.skip("hostcuda is not here: launches cannot be counted")
    return hostcuda.counting


@pytest.fixture
def hostcuda_forbids():
    """A context in which copies to the host, and waiting for the device, raise."""
    try:
        import hostcuda
    except ModuleNotFoundError:
        pytest.skip("hostcuda is not here: launches cannot be counted")
    return lambda: hostcuda.forbid("dtoh", "sync")
