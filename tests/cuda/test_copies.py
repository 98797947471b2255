"""Nothing is copied between host and device, and nothing waits, unless the program says so."""

import numpy as np
import pytest

import gradkit
from gradkit import nn, optim

NETWORKS = {
    "mlp": (lambda: nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 4)), (32, 8)),
    "cnn": (
        lambda: nn.Sequential(
            nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(64, 4)
        ),
        (8, 1, 8, 8),
    ),
    "norms": (lambda: nn.Sequential(nn.Linear(8, 8), nn.LayerNorm(8), nn.GELU(), nn.Dropout(0.5), nn.Linear(8, 4)), (32, 8)),
}
OPTIMIZERS = {
    "sgd": lambda params: optim.SGD(params, 0.1, momentum=0.9),
    "adam": lambda params: optim.Adam(params, 1e-2),
    "adamw": lambda params: optim.AdamW(params, 1e-2),
}


def training_step(network, optimizer):
    make, shape = NETWORKS[network]
    model = make()
    descent = OPTIMIZERS[optimizer](model.parameters())
    images, labels = gradkit.randn(*shape), gradkit.randint(4, (shape[0],))
    loss_of = nn.CrossEntropyLoss()

    def step():
        loss = loss_of(model(images), labels)
        descent.zero_grad()
        loss.backward()
        descent.step()
        return loss

    return step


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("network", NETWORKS)
def test_a_training_step_neither_copies_nor_waits(network, optimizer, hostcuda):
    step = training_step(network, optimizer)
    step()
    with hostcuda.forbid("dtoh", "htod", "sync"):
        losses = [step() for _ in range(3)]
    values = [loss.item() for loss in losses]
    assert np.isfinite(values).all() and len(set(values)) == 3


@pytest.mark.parametrize("network", NETWORKS)
def test_a_steady_step_allocates_nothing_new(network, hostcuda):
    step = training_step(network, "sgd")
    for _ in range(2):
        step()
    with hostcuda.counting() as counts:
        step()
    assert counts["alloc"] == 0 and counts["free"] == 0


def test_reading_a_number_is_a_copy(hostcuda):
    """The refusal refuses: what has to copy does so."""
    x = gradkit.ones(3)
    with pytest.raises(Exception, match="[Pp]ermitted"), hostcuda.forbid("dtoh"):
        x.sum().item()


def test_views_launch_nothing(hostcuda):
    x = gradkit.ones(4, 6, requires_grad=True)
    with hostcuda.counting() as counts:
        x[1:], x.T, x.reshape(24), x.unsqueeze(0), x.expand(2, 4, 6), x.detach(), x[:, 2], x.flatten().view(6, 4)
    assert counts["launch"] == 0


@pytest.mark.cpu
def test_pinned_memory_is_copied_asynchronously(hostcuda):
    x = gradkit.ones(1000, pin_memory=True)
    assert x.is_pinned() and not gradkit.ones(1000).is_pinned() and x.tolist() == [1.0] * 1000
    y = gradkit.arange(1000.0).pin_memory()
    with hostcuda.forbid("sync"):
        there = y.to("cuda", non_blocking=True)
        back = there.to("cpu", non_blocking=True)
    gradkit.cuda.synchronize()
    np.testing.assert_array_equal(there.cpu().numpy(), y.numpy())
    np.testing.assert_array_equal(back.numpy(), y.numpy())


@pytest.mark.cpu
def test_pinned_constructors_and_batches():
    assert gradkit.rand(3, pin_memory=True).is_pinned() and gradkit.randn(3, pin_memory=True).is_pinned()
    assert gradkit.tensor([1.0, 2.0], pin_memory=True).is_pinned()
    with pytest.raises(RuntimeError, match="only CPU memory can be pinned.*cuda:0"):
        gradkit.zeros(2, device="cuda", pin_memory=True)
    loader = gradkit.data.DataLoader([(gradkit.ones(2), {"label": n}) for n in range(4)], 2, pin_memory=True)
    for images, labels in loader:
        assert images.is_pinned() and labels["label"].is_pinned() and images.shape == (2, 2)


@pytest.mark.parametrize("method", ["Adam", "NAdam", "Adagrad"])
def test_a_state_loaded_on_the_device_counts_on_the_host(method, hostcuda):
    """Else the host would wait for the count in every step."""
    param = nn.Parameter(gradkit.ones(3))
    param.grad = gradkit.ones(3)
    descent = getattr(optim, method)([param], 0.1)
    descent.step()
    state = descent.state_dict()
    state["state"][0] = {name: value.cuda() for name, value in state["state"][0].items()}
    descent.load_state_dict(state)
    with hostcuda.forbid("dtoh", "sync"):
        descent.step()
    assert descent.state_dict()["state"][0]["step"].item() == 2
