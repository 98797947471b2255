"""Device templates of kernels/, compiled for the host."""

import ctypes
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from gradkit.backend.kernels.source import kernel_root

HERE = Path(__file__).parent
EACH = """
template <class T, int I, int O, class Rule>
void each(long n, const T* const* in, T* const* out, Rule rule) {
    for (long k = 0; k < n; ++k) {
        Computed<T> a[I], b[O];
        for (int i = 0; i < I; ++i) a[i] = widen(in[i][k]);
        rule(a, b);
        for (int o = 0; o < O; ++o) out[o][k] = narrow<T>(b[o]);
    }
}
"""


def function(name, dtype, inputs, outputs, rule):
    """A C function that applies an elementwise rule to arrays."""
    return (
        f'extern "C" void {name}(long n, const {dtype}* const* in, {dtype}* const* out) {{\n'
        f"    using T = {dtype};\n    each<T, {inputs}, {outputs}>(n, in, out, {rule});\n}}\n"
    )


def compiled(source, folder, name="hosted", options=()):
    """A library of C++ text that may include what is in kernels/, kept in a folder; skips where there is no g++."""
    if shutil.which("g++") is None:
        pytest.skip("g++ is not installed: device templates cannot run on the host")
    text, objects, library = [folder / f"{name}{suffix}" for suffix in (".cpp", ".o", ".so")]
    if not library.exists():
        text.write_text(source, encoding="utf-8")
        # Fortified, longjmp takes the jump from one fiber to another for a mistake.
        always = ["-std=c++20", "-O1", "-ffp-contract=off", "-fPIC", "-U_FORTIFY_SOURCE", "-DGRADKIT_HOST"]
        options = [*always, f"-I{HERE}", f"-I{kernel_root()}", *options]
        for arguments in ([*options, "-c", text, "-o", objects], ["-shared", objects, "-o", library]):
            done = subprocess.run(["g++", *arguments], capture_output=True, text=True)
            assert done.returncode == 0, done.stderr
    return ctypes.CDLL(str(library))


def apply(function, inputs, outputs, dtype):
    """Run such a function on arrays of one length; return its outputs."""
    inputs = [np.ascontiguousarray(x) for x in inputs]
    found = [np.empty(inputs[0].shape, dtype) for _ in range(outputs)]
    pointers = [(ctypes.c_void_p * len(arrays))(*[x.ctypes.data for x in arrays]) for arrays in (inputs, found)]
    function(ctypes.c_long(inputs[0].size), *pointers)
    return found
