"""Machines where no GPU can be used: the package works there, and says in one line why, and what to install."""

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

#: A CuPy as it presents itself there: what its module does when it is imported, or asked.
CUDA = """
    __version__ = "14.2.0"

    class ndarray: ...

    class _Runtime:
        class CUDARuntimeError(RuntimeError): ...

        def getDeviceCount(self):
            {count}

    class _Nvrtc:
        def getVersion(self):
            {nvrtc}

    class _Memory:
        class OutOfMemoryError(MemoryError): ...

    class cuda:
        runtime, nvrtc, memory = _Runtime(), _Nvrtc(), _Memory()
        Stream = Event = object

        @staticmethod
        def alloc(size):
            {alloc}
"""


def fake(count="return 1", nvrtc="return 13, 0", alloc="return None"):
    return CUDA.format(count=count, nvrtc=nvrtc, alloc=alloc)


MACHINES = {
    "no CuPy": (None, "CuPy, which a GPU needs, is not installed", "gradkit[cuda13]"),
    "broken CuPy": ("raise ImportError('libcuda.so.1: cannot open')", "CuPy cannot be imported (ImportError: libcuda", "gradkit[cuda"),
    "strange CuPy": ("raise ValueError('numpy.dtype size changed')", "CuPy cannot be imported (ValueError", "gradkit[cuda"),
    "no driver": (
        fake(count="raise self.CUDARuntimeError('cudaErrorInsufficientDriver')"),
        "finds no usable NVIDIA driver (cudaErrorInsufficientDriver)",
        "install or update the driver",
    ),
    "no device": (fake(count="return 0"), "there is no NVIDIA GPU", "CUDA_VISIBLE_DEVICES"),
    "no NVRTC": (
        fake(nvrtc="raise RuntimeError('CuPy failed to load libnvrtc.so.13')"),
        "finds no NVRTC",
        "pip install 'cupy-cuda13x[ctk]'",
    ),
    "no memory": (
        fake(alloc="raise cuda.memory.OutOfMemoryError('Out of memory allocating 512 bytes')"),
        "the GPU has no memory left",
        "end other programs",
    ),
}

PROGRAM = """
import gradkit
x = gradkit.tensor([1.0, 2.0], requires_grad=True)
(x * x).sum().backward()
assert x.grad.tolist() == [2.0, 4.0] and not gradkit.cuda.is_available() and gradkit.cuda.device_count() == 0
assert gradkit.cuda.memory_allocated() == 0 and not gradkit.cuda.is_initialized()
try:
    x.to("cuda")
except RuntimeError as error:
    print(error)
"""


def run(tmp_path, module, *arguments):
    """Run Python where `cupy` is this module, or none."""
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    source = "raise ModuleNotFoundError(\"No module named 'cupy'\", name='cupy')" if module is None else textwrap.dedent(module)
    (folder / "cupy.py").write_text(source)
    path = os.pathsep.join([str(folder), str(ROOT)])
    return subprocess.run(
        [sys.executable, "-W", "error", *arguments], env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True, check=True
    ).stdout


@pytest.mark.parametrize("machine", MACHINES)
def test_the_reason_and_the_remedy_are_named(machine, tmp_path):
    module, reason, remedy = MACHINES[machine]
    (said,) = run(tmp_path, module, "-c", PROGRAM).splitlines()
    assert said.startswith("no CUDA device can be used: ") and reason in said and remedy in said
    assert "CPU" in said


@pytest.mark.parametrize("machine", MACHINES)
def test_info_says_it_too(machine, tmp_path):
    module, reason, remedy = MACHINES[machine]
    (line,) = [line for line in run(tmp_path, module, "-m", "gradkit", "info").splitlines() if line.startswith("device")]
    assert line.split(None, 1)[1].startswith("cpu; ") and reason in line and remedy in line


def test_importing_asks_nobody(tmp_path):
    run(tmp_path, "raise AssertionError('imported')", "-c", "import gradkit; gradkit.ones(2).exp()")


def test_an_unusable_default_device_says_so(tmp_path):
    program = "import os; os.environ['GRADKIT_DEVICE'] = 'cuda'\nimport gradkit\ntry: gradkit.ones(2)\nexcept RuntimeError as e: print(e)"
    assert "is not installed" in run(tmp_path, None, "-c", program)


def test_a_default_device_that_is_none_names_its_variable(tmp_path):
    unknown = "import os; os.environ['GRADKIT_DEVICE'] = 'gpu'\ntry: import gradkit\nexcept RuntimeError as e: print(e)"
    assert "environment variable GRADKIT_DEVICE names no device: Expected one of cpu, cuda" in run(tmp_path, None, "-c", unknown)
