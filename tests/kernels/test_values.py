"""Rung 1: on the host, a kernel's device template gives what the row's rule gives, on its domain and its edges."""

import itertools

import numpy as np
import pytest

from gradkit.backend.kernels.catalogue import ELEMENTWISE, exponent_arguments
from gradkit.backend.kernels.source import kernel_root, names
from gradkit.engine.primitive import REGISTRY
from tests.kernels import hosted
from tests.kernels.cases import CASES, ROWS, by_rule, params_of, tolerance


def rule_of(prim, params):
    """The device template as C++ names it, with its template arguments and members."""
    if prim.fused == "pow_scalar_vjp":
        kind, exponent = exponent_arguments(**params)
        return f"pow_scalar_vjp<T, static_cast<Exponent>({int(kind)})>{{{float(exponent)!r}}}"
    if prim.fused == "gelu_vjp":
        return f"gelu_vjp<T, {str(params['approximate'] == 'tanh').lower()}>{{}}"
    return f"{prim.fused}<T>{{{'true' if prim.fused == 'pow_vjp' else ''}}}"


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    text = [f'#include "{prim.fused}.cuh"\n' for prim in ROWS.values()] + [hosted.EACH]
    for name, i, form in CASES:
        prim, kind = ROWS[name], ELEMENTWISE[ROWS[name].fused]
        rule = rule_of(prim, params_of(prim)[i])
        text.append(hosted.function(f"{name}_{i}_{form.name}", form.name, 1 + len(kind.reads), kind.operands, rule))
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


@pytest.mark.cpu
def test_every_kernel_belongs_to_a_row_and_every_row_has_its_kernel():
    named = {prim.fused for prim in REGISTRY.values() if prim.fused}
    assert named == set(ELEMENTWISE) == {name for name in names(kernel_root()) if name.endswith("_vjp")}
    assert all(prim.fused == f"{prim.name}_vjp" for prim in REGISTRY.values() if prim.fused)
