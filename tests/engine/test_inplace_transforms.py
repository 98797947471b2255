"""Writing in place inside a function that is differentiated forward, backward, twice, or for a batch."""

import numpy as np
import pytest

import gradkit

A, T = np.array([1.0, 2.0, 3.0]), np.array([0.5, -1.0, 2.0])


def written(x):
    """A function whose every line writes: whole tensors, views, single places, constants, index arrays."""
    y = x.clone()
    y[0] = x[1] * 2
    y[1:].mul_(x[:2])
    y.add_(1)
    y[[0, 2]] = y[[2, 0]] * x[1]
    y[-1:] *= y[:1] + 0.1
    y.view(3, 1)[1, 0] = 3.0
    return y * y


def pushed(lib):
    return lib.func.jvp(written, (lib.tensor(A),), (lib.tensor(T),))


def hessian(lib):
    return [lib.func.hessian(lambda x: written(x).sum())(lib.tensor(A))]


def forward_over_forward(lib):
    return [lib.func.jacfwd(lib.func.jacfwd(written))(lib.tensor(A))]


def reverse_over_reverse(lib):
    x = lib.tensor(A, requires_grad=True)
    slope = lib.autograd.grad(written(x).sum(), x, create_graph=True)[0]
    return [slope.detach(), lib.autograd.grad((slope * lib.tensor(T)).sum(), x)[0]]


def per_sample(lib):
    return [lib.func.vmap(lib.func.grad(lambda x: written(x).sum()))(lib.tensor(np.stack([A, T, A * T])))]


@pytest.mark.filterwarnings("ignore:.torch.jit.script. is deprecated:DeprecationWarning")
@pytest.mark.parametrize("transform", [pushed, hessian, forward_over_forward, reverse_over_reverse, per_sample])
def test_transform_agrees_with_pytorch(transform, torch):
    for got, want in zip(transform(gradkit), transform(torch)):
        np.testing.assert_allclose(got.numpy(), want.numpy(), rtol=1e-12)


def test_batched_value_is_not_written_into_what_all_samples_share():
    def f(x):
        shared = gradkit.zeros(2)
        shared[0] = x
        return shared

    with pytest.raises(RuntimeError, match="vmap"):
        gradkit.func.vmap(f)(gradkit.ones(3))
