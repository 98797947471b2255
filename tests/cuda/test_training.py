"""The main job on a device: the same losses as on the CPU, to rounding."""

import numpy as np
import pytest

from gradkit import __main__
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


@pytest.mark.cpu
def test_the_command_line_trains_on_a_device(capsys):
    assert __main__.main(["train", "--device", "cuda", "--model", "mlp", "--epochs", "1", "--batch-size", "256", "--no-progress"]) == 0
    said = capsys.readouterr().out
    assert "device cuda" in said and "test accuracy" in said
