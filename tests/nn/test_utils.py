"""Clipping gradients, and parameters as one vector."""

import math

import numpy as np
import pytest

import gradkit
from gradkit import nn
from gradkit.nn.utils import (
    clip_grad_norm_,
    clip_grad_value_,
    get_total_norm,
    parameters_to_vector,
    vector_to_parameters,
)

SHAPES = [(3, 4), (5,), ()]


def leaves(module, make, grads):
    made = []
    for grad in grads:
        leaf = module.zeros(grad.shape, requires_grad=True)
        leaf.grad = make(grad)
        made.append(leaf)
    made.append(module.zeros(2, requires_grad=True))  # and one that has no gradient
    return made


@pytest.fixture
def pair(torch):
    rng = np.random.default_rng(0)
    grads = [rng.normal(size=shape).astype(np.float32) for shape in SHAPES]
    return leaves(gradkit, gradkit.tensor, grads), leaves(torch, torch.tensor, grads)


@pytest.mark.parametrize("norm_type", [2, 1.0, 3.5, math.inf])
@pytest.mark.parametrize("max_norm", [0.5, 100.0])
def test_clipping_by_norm_is_that_of_torch(pair, norm_type, max_norm, torch):
    mine, theirs = pair
    found = clip_grad_norm_(mine, max_norm, norm_type)
    expected = torch.nn.utils.clip_grad_norm_(theirs, max_norm, norm_type)
    assert found.shape == () and found.item() == pytest.approx(expected.item(), rel=1e-6)
    for a, b in zip(mine[:-1], theirs, strict=False):
        np.testing.assert_allclose(a.grad.numpy(), b.grad.numpy(), rtol=1e-6)


@pytest.mark.parametrize("norm_type", [2, 1.0, math.inf])
def test_clipping_of_complex_gradients_is_that_of_torch(norm_type, torch):
    """By their absolute values; by value there is no order to go by, and nothing is written."""
    found = []
    for library in (gradkit, torch):
        z = library.zeros(2, dtype=library.complex128, requires_grad=True)
        z.grad = library.tensor([3 + 4j, 1j], dtype=library.complex128)
        with pytest.raises(NotImplementedError, match="complex"):
            library.nn.utils.clip_grad_value_(z, 1.0)
        assert z.grad.tolist() == [3 + 4j, 1j]
        total = library.nn.utils.clip_grad_norm_(z, 1.0, norm_type)
        found.append([total.item(), *z.grad.tolist()])
    np.testing.assert_allclose(*found, rtol=1e-12)


def test_clipping_by_value_is_that_of_torch(pair, torch):
    mine, theirs = pair
    clip_grad_value_(mine, 0.3)
    torch.nn.utils.clip_grad_value_(theirs, 0.3)
    for a, b in zip(mine[:-1], theirs, strict=False):
        np.testing.assert_array_equal(a.grad.numpy(), b.grad.numpy())


def test_clipping_writes_into_the_gradients_it_finds(pair):
    mine, _ = pair
    before = [p.grad for p in mine]
    clip_grad_norm_(iter(mine), 0.1)
    assert all(p.grad is grad for p, grad in zip(mine, before, strict=True))
    assert not any(p.grad.requires_grad for p in mine[:-1])


def test_one_tensor_and_none_at_all():
    w = gradkit.zeros(2, requires_grad=True)
    assert clip_grad_norm_(w, 1.0).item() == 0
    w.grad = gradkit.tensor([3.0, 4.0])
    assert clip_grad_norm_(w, 1.0).item() == 5
    assert get_total_norm(w.grad).item() == pytest.approx(1.0, rel=1e-5)


def test_norm_that_is_not_finite_raises_if_asked():
    w = gradkit.zeros(1, requires_grad=True)
    w.grad = gradkit.tensor([math.nan])
    with pytest.raises(RuntimeError, match="non-finite"):
        clip_grad_norm_(w, 1.0, error_if_nonfinite=True)
    assert math.isnan(clip_grad_norm_(w, 1.0).item())


def test_vector_and_back():
    source, target = nn.Linear(2, 3), nn.Linear(2, 3)
    vector = parameters_to_vector(source.parameters())
    assert vector.shape == (9,) and vector.requires_grad
    kept = target.weight
    vector_to_parameters(vector, target.parameters())
    assert target.weight is kept and target.weight.is_leaf
    assert (target.weight == source.weight).all() and (target.bias == source.bias).all()


def test_parameters_made_of_a_vector_share_its_memory():
    vector, layer = gradkit.zeros(3), nn.Linear(2, 1)
    vector_to_parameters(vector, layer.parameters())
    vector.fill_(2.0)
    assert layer.weight.tolist() == [[2, 2]] and layer.bias.tolist() == [2]


def test_vector_of_the_wrong_kind_raises():
    with pytest.raises(TypeError, match="expected a Tensor"):
        vector_to_parameters([1.0], nn.Linear(1, 1).parameters())
    with pytest.raises(RuntimeError, match="too short"):
        vector_to_parameters(gradkit.zeros(1), nn.Linear(1, 1).parameters())
