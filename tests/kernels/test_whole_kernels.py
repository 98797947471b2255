"""Rung 1, whole kernels: compiled with g++ and launched by the package over the host's memory, each gives what the rule gives.

All blocks, all barriers, every output, stored and added, aligned or not; with blocks and threads in reverse the same bits;
not a byte read or written outside an array or the memory that a block shares.
"""

import os

import numpy as np
import pytest

from gradkit.backend.kernels.catalogue import Kernels
from gradkit.backend.kernels.source import kernel_root, names
from tests.kernels import stand_in, whole
from tests.kernels.formats import FORMATS

pytestmark = pytest.mark.cpu
CUPY = stand_in.Cupy()


@pytest.fixture(scope="session")
def compiler(tmp_path_factory):
    folder = tmp_path_factory.getbasetemp()  # a worker's own, beside those of others
    return stand_in.Compiler(folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder, CUPY)


def device(form, compiler):
    if form.name == "bfloat16":
        dtype = pytest.importorskip("ml_dtypes", reason="ml_dtypes is not installed: no bfloat16").bfloat16
    compiler.launched.clear()
    return whole.Device(CUPY, compiler, form, np.dtype(dtype if form.name == "bfloat16" else form.dtype))


def of_type(name, form):
    """The kernels of a file for a type, and those that know none."""
    return {one for one in stand_in.known_expressions(name) if "<" not in one or f"<{form.name}" in one}


@pytest.mark.parametrize("form", FORMATS, ids=lambda form: form.name)
@pytest.mark.parametrize("name", names(kernel_root()))
def test_every_kernel_gives_what_the_rule_gives_in_any_order(name, form, compiler):
    on = device(form, compiler)
    for case in whole.cases_of(name)(name, on):
        bits = []
        for compiler.reversed in (False, True):
            found = case.run()
            for got, want in zip(found, case.wants, strict=True):
                np.testing.assert_allclose(on.get(got), want, **case.bounds, err_msg=case.what)
            bits.append([got.tobytes() for got in found])
        assert bits[0] == bits[1], f"{case.what}: other bits in reverse"
    assert of_type(name, form) <= compiler.launched


def test_the_files_tried_are_those_of_the_catalogue():
    assert set(names(kernel_root())) == set(Kernels(CUPY).names)


# -- what the host's grid refuses
FAULTY = """
#include "vector.cuh"
__global__ void apart(int*) { if (threadIdx.x < 7) __syncthreads(); }
__global__ void misaligned(float* x) { store(x + 1, load(x + 1)); }
__global__ void past(float* x) { x[0] = x[threadIdx.x % 9]; }
__global__ void ahead(float* x) { store(x - 4, load(x)); }
__global__ void shared(float* x) {
    __shared__ float all[32];
    all[threadIdx.x + 1] = x[0];
    __syncthreads();
    x[0] = all[threadIdx.x];
}
__global__ void nowhere(float*) { *reinterpret_cast<float*>(8) = 1; }
__global__ void racing(float* x) { x[0] = threadIdx.x; }
"""
KNOWN = ["apart", "misaligned", "past", "ahead", "shared", "nowhere", "racing"]


@pytest.fixture
def faulty(compiler):
    library = compiler.library("faulty", FAULTY, KNOWN)
    compiler.reversed = False

    def run(name):
        x = CUPY.zeros(8, "f")
        stand_in.Function(compiler, name, getattr(library, f"launch_{KNOWN.index(name)}"))((1,), (32,), (x,))
        return float(x[0])

    return run


def test_a_barrier_that_some_never_reach_is_refused(faulty):
    with pytest.raises(AssertionError, match="apart: some threads wait"):
        faulty("apart")
    faulty("racing")  # and the next kernel runs


def test_a_vector_at_an_odd_address_is_refused(faulty):
    with pytest.raises(AssertionError, match="misaligned: an address that is no multiple"):
        faulty("misaligned")


@pytest.mark.parametrize(
    ("name", "complaint"),
    {
        "past": "thread 8 of block 0 reads 4 bytes at offset 32 of an array of 32 bytes",
        "ahead": "thread 0 of block 0 writes 16 bytes at offset -16 of an array of 32 bytes",
        "shared": "thread 31 of block 0 writes 4 bytes at offset 128 of shared memory of 128 bytes",
        "nowhere": "thread 0 of block 0 writes 4 bytes at offset 8 of nothing",
    }.items(),
)
def test_what_lies_beside_an_array_is_neither_read_nor_written(name, complaint, faulty):
    with pytest.raises(AssertionError, match=f"{name}: {complaint}"):
        faulty(name)
    faulty("racing")  # and the next kernel runs


def test_threads_that_race_give_other_bits_in_reverse(faulty, compiler):
    forward = faulty("racing")
    compiler.reversed = True
    assert (forward, faulty("racing")) == (31, 0)


def test_an_argument_of_another_size_is_refused(compiler):
    library = compiler.library("faulty", FAULTY, KNOWN)
    with pytest.raises(AssertionError, match="racing: an argument of another size"):
        stand_in.Function(compiler, "racing", getattr(library, f"launch_{KNOWN.index('racing')}"))((1,), (32,), (np.int32(0),))
