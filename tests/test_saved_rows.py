"""Every row under hooks on what it saves, under checkpointing and in inference mode: the same values, to the last bit."""

import numpy as np
import pytest

import gradkit
from gradkit.autograd import grad
from gradkit.autograd.graph import saved_tensors_hooks
from gradkit.engine.bind import bind
from gradkit.engine.primitive import REGISTRY
from gradkit.utils.checkpoint import checkpoint
from tests.test_primitives import CASES, SMOOTH, function_of, ids, leaves, operands_of, wrap


def derivatives(function, raws):
    """The gradient of a function of leaves, and the gradient of that."""
    xs = leaves(raws)
    first = grad(loss(function(*xs)), xs, create_graph=True, materialize_grads=True)
    second = grad(loss(first), xs, materialize_grads=True) if any(g.requires_grad for g in first) else ()
    return [g.detach().numpy() for g in (*first, *second)]


def loss(ys):
    return sum(((y * y.conj()).real * (1 + 0.1 * k)).sum() for k, y in enumerate(ys))


def copied(t):
    return t.detach().numpy().copy() if t.device.type == "cpu" else t.detach().clone()


def restored(packed):
    return packed if isinstance(packed, gradkit.Tensor) else gradkit.from_numpy(packed)


def check_same(got, want):
    """To rounding on a device, where rules run in place of kernels that would not see what is packed."""
    rounding = 1e-14 if gradkit.get_default_device().type == "cuda" else 0
    np.testing.assert_allclose(got, want, rtol=rounding, atol=0)


@pytest.mark.parametrize("case", SMOOTH, ids=ids)
def test_packed_residuals_give_the_same_derivatives(case):
    function, raws = function_of(REGISTRY[case[0]], case[1])

    def packed(*xs):
        with saved_tensors_hooks(copied, restored):
            return function(*xs)

    for got, want in zip(derivatives(packed, raws), derivatives(function, raws), strict=True):
        check_same(got, want)


@pytest.mark.parametrize("case", SMOOTH, ids=ids)
def test_checkpointed_row_gives_the_same_derivatives(case):
    function, raws = function_of(REGISTRY[case[0]], case[1])

    def kept(*xs):
        return checkpoint(function, *xs, use_reentrant=False)

    for got, want in zip(derivatives(kept, raws), derivatives(function, raws), strict=True):
        check_same(got, want)


@pytest.mark.parametrize("case", CASES, ids=ids)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_inference_mode_gives_the_same_values(case, dtype):
    prim = REGISTRY[case[0]]
    raws, params = operands_of(prim, case[1], dtype)
    if "source" in params:
        pytest.skip("the sample says which device its operands are on")
    want = bind(prim, [wrap(r.copy()) for r in raws], params)
    with gradkit.inference_mode():
        got = bind(prim, [wrap(r.copy()) for r in raws], params)
    several = isinstance(want, list | tuple)
    for a, b in zip(got if several else [got], want if several else [want], strict=True):
        assert a.dtype == b.dtype and a.is_inference() and not a.requires_grad
        np.testing.assert_array_equal(a.numpy(), b.numpy())
