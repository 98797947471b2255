"""Everything here is about a GPU: it runs under --device cuda, on a real one or on CuPy over the host's CPU."""

import pytest


@pytest.fixture(autouse=True)
def on_a_gpu(device):
    if device != "cuda":
        pytest.skip("needs --device cuda")


@pytest.fixture(scope="session")
def hostcuda():
    """What counts and refuses launches, copies and waits: only CuPy over the host's CPU has it."""
    try:
        import hostcuda
    except ImportError:
        pytest.skip("only hostcuda can count and refuse copies")
    return hostcuda
