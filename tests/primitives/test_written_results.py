"""A result may be written in place wherever PyTorch lets it be: what the row kept of it was copied first."""

import warnings

import numpy as np
import pytest

import gradkit
from gradkit.engine.primitive import REGISTRY
from tests.programs import rows
from tests.test_primitives import free, operands_of

DIFFERENTIABLE = [name for name in sorted(REGISTRY) if REGISTRY[name].step is not None]


def gradients_after_a_write(lib, prim):
    raws, params = operands_of(prim, 0)
    places = free(prim, raws)
    leaves = [lib.tensor(r, requires_grad=k in places) for k, r in enumerate(raws)]
    operands = [x * 1 if k in places else x for k, x in enumerate(leaves)]
    results = [y for y in rows.row(lib, prim.name, *operands, **params) if y.requires_grad]
    for y in results:
        y.mul_(2)
    total = sum([lib.real(y).sum() if y.is_complex() else y.sum() for y in results])
    return lib.autograd.grad(total, [leaves[k] for k in places], allow_unused=True)


@pytest.mark.parametrize("name", DIFFERENTIABLE)
def test_written_result_still_has_its_gradient(name, torch):
    prim = REGISTRY[name]
    if rows.peer(prim, torch) is None or not rows.sayable(prim.samples[0]):
        pytest.skip("PyTorch has no such operation")
    if prim.structure != "diagonal" and prim.view:
        pytest.skip("what a write gives through a view is tested with views")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            want = gradients_after_a_write(torch, prim)
    except (RuntimeError, TypeError, AttributeError):
        pytest.skip("PyTorch does not allow the write")
    for a, b in zip(gradients_after_a_write(gradkit, prim), want):
        if a is not None and b is not None:
            np.testing.assert_allclose(a.numpy(), b.resolve_conj().numpy(), rtol=1e-9, atol=1e-12)
