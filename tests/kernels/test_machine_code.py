"""Rung 2: NVIDIA's compiler accepts every kernel for every architecture; what it makes neither spills nor splits accesses."""

import os
import re
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import pytest

from gradkit.backend.kernels.catalogue import expressions
from gradkit.backend.kernels.source import kernel_root, names

ARCHITECTURES = ("75", "80", "90", "100")
NVCC = shutil.which("nvcc") or shutil.which("nvcc", path="/usr/local/cuda/bin")

pytestmark = [pytest.mark.cpu, pytest.mark.skipif(NVCC is None, reason="nvcc is not installed: kernels cannot be compiled")]


@dataclass
class Report:
    """What ptxas says of one kernel."""

    stack: int
    spills: int
    registers: int


@dataclass
class Cubin:
    path: Path
    kernels: dict[str, Report]  # by mangled name


def name_of(mangled):
    """A kernel's own name: _Z15gradkit_exp_vjpIfiE... has its length in front."""
    length, rest = re.match(r"_Z(\d+)(.*)", mangled).groups()
    return rest[: int(length)]


def wanted(name, architecture):
    """64-bit indices are compiled for one architecture: they are the same text."""
    indices = ("int", "long long") if architecture == "90" else ("int",)
    return [expression for index in indices for expression in expressions(name, index)]


def compiled(name, architecture, folder):
    source, cubin = folder / f"{name}_{architecture}.cu", folder / f"{name}_{architecture}.cubin"
    roots = "".join([f"    (void*){expression},\n" for expression in wanted(name, architecture)])
    source.write_text(f'#include "{name}.cu"\nvoid* roots[] = {{\n{roots}}};\n', encoding="utf-8")
    options = ["-std=c++17", "-cubin", f"-arch=sm_{architecture}", "-Xptxas", "-v", f"-I{kernel_root()}", "-Werror", "all-warnings"]
    done = subprocess.run([NVCC, *options, str(source), "-o", str(cubin)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return Cubin(cubin, dict(reports(done.stderr)))


def reports(log):
    for mangled, text in re.findall(r"Compiling entry function '(\w+)'.*\n((?:(?!.*Compiling entry).*\n)*)", log):
        stack, *spills = [max(map(int, re.findall(rf"(\d+) bytes {what}", text))) for what in ("stack", "spill st", "spill l")]
        yield mangled, Report(stack, sum(spills), int(re.search(r"Used (\d+) registers", text)[1]))


@pytest.fixture(scope="module")
def cubins(tmp_path_factory):
    """Every kernel file for every architecture, the slow ones first."""
    folder = tmp_path_factory.mktemp("cubins")
    jobs = [(name, architecture) for name in names(kernel_root()) for architecture in ARCHITECTURES]
    jobs.sort(key=lambda job: -len(wanted(*job)))
    with ThreadPoolExecutor(min(len(os.sched_getaffinity(0)), 8)) as pool:
        return dict(zip(jobs, pool.map(lambda job: compiled(*job, folder), jobs)))


@pytest.fixture(scope="module")
def disassembly(cubins, tmp_path_factory):
    """The instructions of each kernel for sm_90, by mangled name."""
    tool = nvdisasm(tmp_path_factory.mktemp("tools"))
    found = {}
    for (_, architecture), cubin in cubins.items():
        if architecture == "90":
            text = subprocess.run([tool, cubin.path], capture_output=True, text=True, check=True).stdout
            parts = re.split(r"^\.text\.(\w+):$", text, flags=re.MULTILINE)
            found |= {mangled: code.split(".section")[0] for mangled, code in zip(parts[1::2], parts[2::2])}
    return found


def nvdisasm(folder):
    """NVIDIA's disassembler: of the toolkit, or of its wheel, where it is not marked as executable."""
    found = shutil.which("nvdisasm") or shutil.which("nvdisasm", path="/usr/local/cuda/bin")
    if found:
        return found
    try:
        files = metadata.files("nvidia-cuda-nvdisasm") or []
    except metadata.PackageNotFoundError:
        pytest.skip("nvdisasm is not installed: machine code cannot be read")
    tool = folder / "nvdisasm"
    shutil.copy(next(file.locate() for file in files if file.name == "nvdisasm"), tool)
    tool.chmod(0o755)
    return tool


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("name", names(kernel_root()))
def test_no_kernel_spills_or_needs_a_stack(cubins, name, architecture):
    found = cubins[name, architecture].kernels
    assert len(found) == len(wanted(name, architecture))
    assert {kernel: report for kernel, report in found.items() if report.stack or report.spills} == {}


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_registers_leave_room_for_two_blocks(cubins):
    """But for double, which waits for arithmetic more than for memory."""
    used = {k: report.registers for cubin in cubins.values() for k, report in cubin.kernels.items()}
    shorter = {k: n for k, n in used.items() if not re.match(rf"_Z\d+{name_of(k)}Id", k)}
    assert 0 < len(shorter) < len(used)
    assert {k: n for k, n in shorter.items() if n > 65536 // (2 * 256)} == {}


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_flat_kernels_access_sixteen_bytes_at_a_time(disassembly):
    flat = [kernel for kernel in disassembly if name_of(kernel).endswith(("_vjp", "_step"))]
    assert flat
    narrow = [k for k in flat if not ("LDG.E.128" in disassembly[k] and "STG.E.128" in disassembly[k])]
    assert not narrow


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_no_kernel_touches_local_memory(disassembly):
    assert not [kernel for kernel, code in disassembly.items() if re.search(r"\b(LDL|STL)\b", code)]
