"""Compiling: a header that is edited compiles anew, a kernel that does not compile leaves its place to the rule."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import cupy
import pytest

from gradkit.backend.kernels.catalogue import Kernels, wanted
from gradkit.backend.kernels.source import kernel_root, program

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def copy(tmp_path):
    return Path(shutil.copytree(kernel_root(), tmp_path / "kernels"))


def exp_vjp(root):
    x = cupy.full(5, 3.0)
    found = Kernels(cupy, root).get("exp_vjp")(x, (x, None), None, [(x.shape, x.dtype)], [None])
    return found if found is NotImplemented else found[0].tolist()


def test_an_edited_header_is_compiled_anew(copy):
    assert exp_vjp(copy) == [9.0] * 5
    header = copy / "exp_vjp.cuh"
    header.write_text(header.read_text().replace("ct * y", "ct * y + 1"))
    assert exp_vjp(copy) == [10.0] * 5


def test_an_edited_kernel_is_another_program(copy):
    before = program(copy, "exp_vjp")
    kernel = copy / "exp_vjp.cu"
    kernel.write_text(kernel.read_text() + "\n// changed\n")
    assert program(copy, "exp_vjp") != before


def test_a_kernel_that_does_not_compile_warns_once_names_its_file_and_declines(copy):
    (copy / "exp_vjp.cuh").write_text("#pragma once\nint x = nonsense;\n")
    kernel, x = Kernels(cupy, copy).get("exp_vjp"), cupy.full(5, 3.0)
    ask = lambda x: kernel(x, (x, None), None, [(x.shape, x.dtype)], [None])
    with pytest.warns(RuntimeWarning, match=r"exp_vjp\.cu does not compile.*stand in for it.*nonsense") as caught:
        assert ask(x) is NotImplemented
        assert ask(x.astype("f")) is NotImplemented
    assert len(caught) == 1


def test_a_missing_kernel_declines(copy):
    (copy / "exp_vjp.cu").unlink()
    with pytest.warns(RuntimeWarning, match=r"exp_vjp\.cu does not compile"):
        assert exp_vjp(copy) is NotImplemented


def test_a_switch_turns_all_kernels_off(monkeypatch):
    monkeypatch.setenv("GRADKIT_FUSED", "0")
    assert not wanted() and Kernels(cupy).get("exp_vjp") is None


@pytest.mark.slow
def test_warmup_compiles_ahead_and_says_what(tmp_path):
    command = [sys.executable, "-m", "gradkit", "warmup", "exp_vjp"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env={**os.environ, "CUPY_CACHE_DIR": str(tmp_path)})
    assert done.returncode == 0, done.stderr
    assert "exp_vjp" in done.stdout and "8 kernels of 8" in done.stdout
    assert list(tmp_path.rglob("*"))


def test_warmup_names_what_it_does_not_know():
    done = subprocess.run([sys.executable, "-m", "gradkit", "warmup", "exb_vjp"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 2
    assert "no such kernel: exb_vjp; known are exp_vjp" in done.stderr
