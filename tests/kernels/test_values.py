"""Rung 1: on the host, a kernel's device template gives what the row's rule gives, on its domain and its edges."""

import itertools
import math

import numpy as np
import pytest

import gradkit
from gradkit import optim
from gradkit.backend.kernels.catalogue import ELEMENTWISE, PROGRAMS, STEPS, exponent_arguments
from gradkit.backend.kernels.layout import packed
from gradkit.backend.kernels.source import kernel_root, names
from gradkit.engine.primitive import REGISTRY
from gradkit.primitives.fusible import FUSIBLE
from tests.kernels import hosted, philox
from tests.kernels.cases import CASES, ROWS, by_rule, params_of, tolerance


def rule_of(prim, params):
    """The device template as C++ names it, with its template arguments and members."""
    if prim.fused == "pow_scalar_vjp":
        kind, exponent = exponent_arguments(**params)
        return f"pow_scalar_vjp<T, static_cast<Exponent>({int(kind)})>{{{float(exponent)!r}}}"
    if prim.fused == "gelu_vjp":
        return f"gelu_vjp<T, {str(params['approximate'] == 'tanh').lower()}>{{}}"
    return f"{prim.fused}<T>{{{'true' if prim.fused == 'pow_vjp' else ''}}}"


NUMBERS = {
    "adagrad_step": "AdagradNumbers", "adam_step": "AdamNumbers", "rmsprop_step": "RMSpropNumbers", "sgd_step": "SgdNumbers",
}
STEP = """
extern "C" void run_{name}(long n, double* const* x, const {numbers}* by) {{
    for (long k = 0; k < n; ++k) {{
        double y[{arrays}];
        for (int a = 0; a < {arrays}; ++a) y[a] = x[a][k];
        {name}<double>{{*by}}(y);
        for (int a = 0; a < {arrays}; ++a) x[a][k] = y[a];
    }}
}}
"""


EXPONENTIALS = """#include "softmax.cuh"
extern "C" double first_log_softmax(long n, const double* x, long cut) {
    auto a = Exponentials<double>::none(), b = a;
    for (long k = 0; k < n; ++k) (k < cut ? a : b).add(x[k]);
    const auto all = Exponentials<double>::merged(a, b);
    return x[0] - all.most - log(all.total());
}
"""


KEPT = """#include "philox.cuh"
extern "C" void drop(long n, unsigned long long seed, unsigned long long start, float p, bool* kept) {
    for (long k = 0; k < n; ++k) kept[k] = gradkit::kept(seed, start + k, p);
}
"""


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    text = [f'#include "{prim.fused}.cuh"\n' for prim in ROWS.values()] + [hosted.EACH]
    for name, i, form in CASES:
        prim, kind = ROWS[name], ELEMENTWISE[ROWS[name].fused]
        rule = rule_of(prim, params_of(prim)[i])
        text.append(hosted.function(f"{name}_{i}_{form.name}", form.name, 1 + len(kind.reads), kind.operands, rule))
    for name, step in STEPS.items():
        text += [f'#include "{name}.cuh"\n', STEP.format(name=name, arrays=step.arrays, numbers=NUMBERS[name])]
    text += [EXPONENTIALS, KEPT]
    text.append('extern "C" float fast(float x, float p) { return fast_power(x, p); }\n')
    return hosted.compiled("".join(text), tmp_path_factory.mktemp("hosted"))


@pytest.mark.cpu
@pytest.mark.parametrize(("name", "i", "form"), CASES, ids=lambda x: getattr(x, "name", str(x)))
def test_template_gives_what_the_rule_gives(library, name, i, form):
    prim, kind = ROWS[name], ELEMENTWISE[ROWS[name].fused]
    params = params_of(prim)[i]
    ct, saved, wants = by_rule(prim, params, form)
    inputs = [form.stored(x) for x in (ct, *[saved[k] for k in kind.reads])]
    found = hosted.apply(getattr(library, f"{name}_{i}_{form.name}"), inputs, kind.operands, form.dtype)
    for got, want in zip(found, wants):
        np.testing.assert_allclose(form.read(got), form.rounded(want), **tolerance(form, params))


SPECIAL = np.float32([0.0, -0.0, 1.0, -1.0, 2.0, -2.0, 0.5, -0.5, 3.0, -3.0, 1e30, -1e30, np.inf, -np.inf, np.nan])


@pytest.mark.cpu
def test_fast_power_has_the_special_values_of_pow(library):
    library.fast.restype = hosted.ctypes.c_float
    pairs = np.array(list(itertools.product(SPECIAL, SPECIAL)), np.float32)
    got = np.float32([library.fast(hosted.ctypes.c_float(x), hosted.ctypes.c_float(p)) for x, p in pairs])
    with np.errstate(all="ignore"):
        want = np.power(pairs[:, 0], pairs[:, 1])
    np.testing.assert_allclose(got, want, rtol=2e-5)
    signed = ~np.isnan(want)
    np.testing.assert_array_equal(np.signbit(got[signed]), np.signbit(want[signed]))


inf, nan = math.inf, math.nan


@pytest.mark.cpu
@pytest.mark.parametrize(
    "row", [[1.0, 2.0, -3.0], [1e4, -1e4, 0.0], [-inf, 1.0, 2.0], [1.0, -inf, 5.0], [-inf] * 3, [nan, 1.0, 2.0], [1.0, nan, 3.0],
            [inf, 1.0, 2.0], [0.0]]
)  # fmt: skip
def test_one_pass_over_a_row_gives_what_two_do(library, row):
    library.first_log_softmax.restype = hosted.ctypes.c_double
    x = np.array(row)
    with np.errstate(all="ignore"):
        c = x - x.max()
        want = c[0] - np.log(np.exp(c).sum())
    for cut in range(len(row) + 1):
        got = library.first_log_softmax(hosted.ctypes.c_long(len(row)), x.ctypes.data_as(hosted.ctypes.c_void_p), hosted.ctypes.c_long(cut))
        np.testing.assert_allclose(got, want, rtol=1e-14)


@pytest.mark.cpu
@pytest.mark.parametrize("p", [0.0, 0.3, 0.999, 1.0])
@pytest.mark.parametrize(("seed", "start"), [(0, 0), (1, 4), (2**64 - 1, 2**34 - 6)])
def test_what_is_kept_is_what_the_paper_draws(library, seed, start, p):
    got = np.empty(1001, bool)
    ctypes = hosted.ctypes
    numbers = ctypes.c_long(got.size), ctypes.c_uint64(seed), ctypes.c_uint64(start), ctypes.c_float(p)
    library.drop(*numbers, got.ctypes.data_as(ctypes.c_void_p))
    np.testing.assert_array_equal(got, philox.kept(got.size, p, seed, start))
    assert abs(got.mean() - (1 - p)) < 0.06


@pytest.mark.cpu
def test_the_witness_gives_the_blocks_that_random123_publishes():
    """kat_vectors of Random123: philox4x32 10, counter and key all zero, then all ones."""
    assert [f"{w:08x}" for w in philox.blocks(0, (0, 0, 0, 0))] == ["6627e8d5", "e169c58d", "bc57ac4c", "9b00dbd8"]
    ones = (0xFFFFFFFF,) * 4
    assert [f"{w:08x}" for w in philox.blocks(2**64 - 1, ones)] == ["408f276d", "41c83b0e", "a20bc7c6", "6d5451fd"]


OPTIONS = [
    ("adam_step", optim.Adam, {}), ("adam_step", optim.Adam, {"weight_decay": 0.1, "maximize": True}),
    ("adam_step", optim.AdamW, {"amsgrad": True}), ("sgd_step", optim.SGD, {}),
    ("sgd_step", optim.SGD, {"momentum": 0.9, "dampening": 0.1, "weight_decay": 0.2, "maximize": True}),
    ("sgd_step", optim.SGD, {"momentum": 0.9, "nesterov": True}),
    ("adagrad_step", optim.Adagrad, {"weight_decay": 0.2, "maximize": True}), ("adagrad_step", optim.Adagrad, {"lr_decay": 0.1}),
    ("rmsprop_step", optim.RMSprop, {"momentum": 0.9, "weight_decay": 0.2}),
    ("rmsprop_step", optim.RMSprop, {"centered": True, "maximize": True}),
]  # fmt: skip


@pytest.mark.cpu
@pytest.mark.parametrize(("name", "method", "options"), OPTIONS)
def test_step_gives_what_the_optimiser_gives(library, name, method, options):
    rng = np.random.default_rng(3)
    w = gradkit.tensor(rng.normal(size=50), requires_grad=True)
    optimizer = method([w], lr=0.1, **options)
    p, state = w.detach().numpy().copy(), {}
    arrays = [np.zeros(50) for _ in range(STEPS[name].arrays - 2)]
    for _ in range(3):
        g = rng.normal(size=50)
        _, numbers = optimizer.prepared(p, state, optimizer.param_groups[0])
        by = packed(STEPS[name].numbers, *numbers).tobytes()
        pointers = (hosted.ctypes.c_void_p * STEPS[name].arrays)(*[x.ctypes.data for x in (p, g, *arrays)])
        getattr(library, f"run_{name}")(hosted.ctypes.c_long(50), pointers, by)
        w.grad = gradkit.tensor(g)
        optimizer.step()
        np.testing.assert_allclose(p, w.detach().numpy(), rtol=1e-13)


@pytest.mark.cpu
def test_every_kernel_belongs_to_a_row_and_every_row_has_its_kernel():
    named = {prim.fused for prim in REGISTRY.values() if prim.fused}
    assert named == set(ELEMENTWISE) == set(names(kernel_root())) - set(STEPS) - set(PROGRAMS)
    assert set(PROGRAMS) <= set(FUSIBLE)
    assert all(prim.fused == f"{prim.name}_vjp" for prim in REGISTRY.values() if prim.fused)
