"""Building the same layer in gradkit and in torch, and comparing what comes out."""

import numpy as np
import pytest

import gradkit


def ours(tree):
    """torch's Tensors, in tuples too, as gradkit's of the same values; anything else as it is."""
    if isinstance(tree, tuple):
        return tuple(map(ours, tree))
    return gradkit.tensor(tree.detach().numpy()) if hasattr(tree, "detach") else tree


@pytest.fixture
def twins(torch):
    """``twins(make)``: a layer from ``make(nn, tensor)`` in torch and in gradkit, with equal parameters and buffers."""

    def build(make):
        torch.manual_seed(0)
        theirs = make(torch.nn, torch.tensor)
        mine = make(gradkit.nn, gradkit.tensor)
        mine.load_state_dict({key: ours(value) for key, value in theirs.state_dict().items()})
        return mine, theirs

    return build


@pytest.fixture
def assert_same_pass():
    """Compare outputs, gradients of inputs and parameters, and buffers, of one forward and backward pass."""

    def close(a, b):
        found, expected = a.detach().numpy(), b.detach().numpy()
        # A sum in another order may be off by a little of its largest term where the terms cancel.
        scale = max(1, np.abs(expected).max(initial=0))
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=2e-6 * scale)

    def check(mine, theirs, *inputs):
        own = [ours(x) for x in inputs]
        leaves = [(a, b) for a, b in zip(flat(own), flat(inputs), strict=True) if is_floating(b)]
        for pair in leaves:
            for leaf in pair:
                leaf.requires_grad_()
        outputs = flat(mine(*own)), flat(theirs(*inputs))
        for a, b in zip(*outputs, strict=True):
            assert (a is None) == (b is None)
            if b is None:
                continue
            assert tuple(a.shape) == tuple(b.shape) and a.dtype.name == str(b.dtype).removeprefix("torch.")
            close(a, b)
        for found in outputs:  # weighed, so that the cotangents differ from element to element
            total = sum((y * y.detach().cos()).sum() for y in found if is_floating(y))
            total.backward()
        for a, b in leaves:
            close(a.grad, b.grad)
        for (name, a), b in zip(mine.named_parameters(), theirs.parameters(), strict=True):
            assert (a.grad is None) == (b.grad is None), name
            if b.grad is not None:
                close(a.grad, b.grad)
        for a, b in zip(mine.buffers(), theirs.buffers(), strict=True):
            close(a, b)

    return check


@pytest.fixture
def assert_layer_is_torchs(torch, twins, assert_same_pass):
    """Compare a layer from ``make(nn, tensor)`` with torch's: how it starts, prints, and what a pass computes."""

    def check(make, shapes, ulps=0):
        torch.manual_seed(7)
        theirs = make(torch.nn, torch.tensor)
        gradkit.manual_seed(7)
        mine = make(gradkit.nn, gradkit.tensor)
        found, expected = mine.state_dict(), theirs.state_dict()
        assert list(found) == list(expected)
        for key, value in expected.items():
            np.testing.assert_allclose(found[key].numpy(), value.numpy(), rtol=ulps * 1.2e-7, atol=0)
        assert repr(mine) == repr(theirs).replace("NonDynamicallyQuantizableLinear", "Linear")
        assert_same_pass(*twins(make), *[drawn(torch, shape) for shape in shapes])

    return check


def drawn(torch, shape):
    """An input of this shape; a state of several parts is a tuple of shapes, and what is no shape stays as it is."""
    if not isinstance(shape, tuple):
        return shape
    if shape and isinstance(shape[0], tuple):
        return tuple(drawn(torch, part) for part in shape)
    return torch.randn(shape)


def is_floating(x):
    return hasattr(x, "is_floating_point") and x.is_floating_point()


def flat(tree):
    return [leaf for part in tree for leaf in flat(part)] if isinstance(tree, tuple | list) else [tree]
