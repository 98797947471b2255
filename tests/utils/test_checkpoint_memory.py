"""Checkpointing within transforms, and that memory falls."""

import numpy as np
import pytest

import gradkit
from gradkit.utils.checkpoint import checkpoint
from tests.memory import Memory, peak

WAYS = [True, False]


def leaf(n):
    return gradkit.full((n,), 0.5, requires_grad=True)


@pytest.mark.parametrize("order", ["grad of vmap", "vmap of grad", "jvp of grad", "hessian"])
def test_checkpoint_within_transforms(order):
    from gradkit import func

    def plain(x):
        return (x.exp() * x).sin().sum()

    def kept(x):
        return checkpoint(plain, x, use_reentrant=False)

    x = gradkit.tensor([[0.1, 0.2], [0.3, 0.4]])
    transforms = {
        "grad of vmap": lambda f: func.grad(lambda x: func.vmap(f)(x).sum())(x),
        "vmap of grad": lambda f: func.vmap(func.grad(f))(x),
        "jvp of grad": lambda f: func.jvp(func.grad(f), (x,), (gradkit.ones(2, 2),))[1],
        "hessian": lambda f: func.hessian(f)(x[0]),
    }
    np.testing.assert_allclose(transforms[order](kept).numpy(), transforms[order](plain).numpy(), rtol=1e-5)


def block(x):
    for _ in range(8):
        x = (x * 1.01).sin()
    return x


def train(x, blocks, kept):
    y = x
    for _ in range(blocks):
        y = kept(block, y)
    y.sum().backward()


@pytest.mark.parametrize("way", WAYS)
def test_memory_falls_to_arguments_and_one_block(way):
    size = 4 * 50_000
    x = leaf(50_000)
    whole = peak(lambda: train(x, 10, lambda f, x: f(x)))
    saved = peak(lambda: train(x, 10, lambda f, x: checkpoint(f, x, use_reentrant=way)))
    assert whole > 80 * size and saved < 30 * size, (whole / size, saved / size)


def test_memory_of_nested_checkpoints_falls_further():
    size = 4 * 50_000
    x = leaf(50_000)

    def kept(f, x):
        return checkpoint(f, x, use_reentrant=False)

    def half(x):
        for _ in range(8):
            x = kept(block, x)
        return x

    flat = peak(lambda: train(x, 32, kept))
    nested = peak(lambda: (lambda y: y.sum().backward())(kept(half, kept(half, kept(half, kept(half, x))))))
    assert nested < 0.7 * flat and nested < 28 * size, (nested / size, flat / size)


def test_what_was_computed_again_is_given_up_at_once():
    x = leaf(50_000)
    y = checkpoint(block, x, use_reentrant=False).sum()
    y.backward(retain_graph=True)
    with Memory() as memory:
        y.backward(retain_graph=True)
    assert memory.alive < 4 * 50_000
