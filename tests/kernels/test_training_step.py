"""A training step launches what its structure asks for, layer after layer, and the optimiser once."""

import numpy as np

import gradkit as gk
from gradkit import nn, optim


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
    # Forward: linear 1, layer_norm 1, relu 1, linear 1, loss 1. Back: a one, loss 2, linear 1, relu 1, layer_norm 2,
    # linear 1. Adam 1.
    assert counts["launch"] == 5 + 8 + 1
    assert not any(counts[name] for name in ("htod", "dtoh", "dtod", "memset", "sync"))
