"""A training step launches what its structure asks for: each layer type by itself, then all together."""

import numpy as np
import pytest

import gradkit as gk
from gradkit import nn, optim

# Launches of CuPy's and our kernels, forward and back (products are the library's, and not among them). Where a weight
# has a bias its sum over the samples is one.
LAYERS = {
    "linear": (lambda: nn.Linear(30, 30), 1, 1),
    "relu": (nn.ReLU, 1, 1),
    "tanh": (nn.Tanh, 1, 1),
    "sigmoid": (nn.Sigmoid, 1, 1),
    "silu": (nn.SiLU, 2, 1),  # x, and the logistic function of it
    "gelu": (nn.GELU, 1, 1),
    "softmax": (lambda: nn.Softmax(-1), 1, 1),
    "log_softmax": (lambda: nn.LogSoftmax(-1), 1, 1),
    "layer_norm": (lambda: nn.LayerNorm(30), 1, 2),
}


@pytest.mark.parametrize("name", LAYERS)
def test_launches_of_a_layer(name, counting):
    make, forward, backward = LAYERS[name]
    layer = make().to("cuda")
    x = gk.tensor(np.random.default_rng(0).normal(size=(64, 30)).astype("f"), device="cuda", requires_grad=True)
    ct = gk.ones_like(x)

    def run():
        x.grad = None
        layer.zero_grad()
        with counting() as there:
            y = layer(x)
        with counting() as back:
            y.backward(ct)
        return there["launch"], back["launch"]

    run()
    assert run() == (forward, backward)


def test_launches_of_a_training_step_and_no_copy_and_no_wait(counting):
    net = nn.Sequential(nn.Linear(20, 30), nn.LayerNorm(30), nn.ReLU(), nn.Linear(30, 10)).to("cuda")
    x = gk.tensor(np.random.default_rng(0).normal(size=(64, 20)).astype("f"), device="cuda")
    target = gk.tensor(np.arange(64) % 10, device="cuda")
    optimizer = optim.Adam(net.parameters())

    def step():
        optimizer.zero_grad()
        nn.functional.cross_entropy(net(x), target).backward()
        optimizer.step()

    step()
    with counting() as counts:
        step()
    # Forward: linear 1, layer_norm 1, relu 1, linear 1, loss 4. Back: a one, loss 2, linear 1, relu 1, layer_norm 2,
    # linear 1. Adam 1.
    assert counts["launch"] == 8 + 8 + 1
    assert not any(counts[name] for name in ("htod", "dtoh", "dtod", "memset", "sync"))
