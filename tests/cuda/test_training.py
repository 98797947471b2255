"""The main job on a device: the same losses as on the CPU, to rounding."""

import numpy as np
import pytest

import gradkit
from gradkit import __main__, optim
from gradkit.examples import digits


@pytest.mark.parametrize("model", ["mlp", "cnn"])
@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
@pytest.mark.cpu
def test_training_gives_the_losses_of_the_cpu(model, optimizer):
    """Weights and shuffles are from the CPU's generator; there is no dropout."""
    histories = [
        digits.train(model, epochs=1, optimizer=optimizer, batch_size=256, device=device, report=lambda line: None)[1]
        for device in ("cpu", "cuda")
    ]
    cpu, cuda = [[(e.loss, e.test_loss, e.test_accuracy) for e in history] for history in histories]
    np.testing.assert_allclose(cuda, cpu, rtol=1e-4)


@pytest.mark.parametrize("name", ["SGD", "Adam", "NAdam", "RMSprop", "Adagrad", "Rprop"])
def test_complex_parameters_take_the_steps_of_the_cpu(name):
    """By kernels and by rules; a state loaded from the host goes to the parameter's device."""
    rng = np.random.default_rng(0)
    value, *grads = [(rng.normal(size=(5, 2)) @ [1, 1j]).astype("complex64") for _ in range(4)]
    ends = []
    for device in ("cpu", "cuda"):
        w = gradkit.tensor(value, device=device, requires_grad=True)
        optimizer = getattr(optim, name)([w], lr=0.1)
        for grad in grads:
            w.grad = gradkit.tensor(grad, device=device)
            optimizer.step()
            saved = optimizer.state_dict()
            saved["state"] = {n: {k: v.cpu() for k, v in entries.items()} for n, entries in saved["state"].items()}
            optimizer.load_state_dict(saved)
        ends.append(w.detach().cpu().numpy())
    np.testing.assert_allclose(ends[1], ends[0], rtol=1e-4)


@pytest.mark.cpu
def test_the_command_line_trains_on_a_device(capsys):
    assert __main__.main(["train", "--device", "cuda", "--model", "mlp", "--epochs", "1", "--batch-size", "256", "--no-progress"]) == 0
    said = capsys.readouterr().out
    assert "device cuda" in said and "test accuracy" in said
