"""Rung 2: NVIDIA's compiler accepts every kernel for every architecture; what it makes neither spills nor splits accesses."""

import re
import shutil
import subprocess
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
    """64-bit indices are the same text: they are compiled once, for the most lanes and for the longest arithmetic."""
    found = expressions(name, "int")
    if architecture == "80":
        found += [one for one in expressions(name, "long long") if "<half" in one or "<double" in one]
    return found


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


def disassembled(cubin, folder):
    """The instructions of each kernel, by mangled name."""
    text = subprocess.run([nvdisasm(folder), cubin.path], capture_output=True, text=True, check=True).stdout
    parts = re.split(r"^\.text\.(\w+):$", text, flags=re.MULTILINE)
    return {mangled: code.split(".section")[0] for mangled, code in zip(parts[1::2], parts[2::2])}


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
@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("name", names(kernel_root()))
def test_kernels_need_no_stack_and_leave_room_for_two_blocks(name, architecture, tmp_path):
    found = compiled(name, architecture, tmp_path).kernels
    assert len(found) == len(wanted(name, architecture))
    assert {kernel: report for kernel, report in found.items() if report.stack or report.spills} == {}
    # But for double, which waits for arithmetic more than for memory.
    shorter = {k: report.registers for k, report in found.items() if not re.match(rf"_Z\d+{name_of(k)}Id", k)}
    assert 0 < len(shorter) < len(found)
    assert {k: n for k, n in shorter.items() if n > 65536 // (2 * 256)} == {}


@pytest.mark.slow
@pytest.mark.parametrize("name", names(kernel_root()))
def test_kernels_access_sixteen_bytes_at_a_time_and_no_local_memory(name, tmp_path):
    code = disassembled(compiled(name, "90", tmp_path), tmp_path)
    flat = [kernel for kernel in code if name_of(kernel) == f"gradkit_{name}"]
    assert flat
    assert not [k for k in flat if "LDG.E.128" not in code[k]]
    one_result_a_row = name == "cross_entropy_forward"
    assert one_result_a_row or not [k for k in flat if "STG.E.128" not in code[k]]
    assert not [k for k in code if re.search(r"\b(LDL|STL)\b", code[k])]
