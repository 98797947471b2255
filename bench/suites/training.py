"""Whole epochs on handwritten digits: modules, loss, optimiser, batches."""

import zlib
from importlib.resources import files
from typing import Any

import numpy as np

from bench.memory import peak_memory
from bench.workload import Measurement, NotAvailable, Target, Work, Workload, normal, same

BATCH = 64


def digits() -> tuple[np.ndarray, np.ndarray]:
    """Images as float32 in 0..1, shape (n, 1, 8, 8), and labels: the set that comes with gradkit."""
    archive = files("gradkit").joinpath("data", "digits.deflate")
    if not archive.is_file():
        raise NotAvailable("there is no gradkit/data/digits.deflate")
    stored = np.frombuffer(zlib.decompress(archive.read_bytes(), -zlib.MAX_WBITS), np.uint8).reshape(65, -1)
    labels, images = stored[64].astype(np.int64), np.empty((1797, 1, 8, 8), np.float32)
    images[labels.argsort(kind="stable"), 0] = stored[:64].reshape(8, 8, -1).T
    return images / images.max(), labels


def mlp(nn: Any) -> Any:
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 10))


def cnn(nn: Any) -> Any:
    return nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(16, 32, 3, padding=1),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(32 * 16, 10),
    )


def same_start(lib: Any, model: Any) -> Any:
    """Fill the parameters with seeded numbers of He's size, the same for every library."""
    with lib.no_grad():
        for seed, parameter in enumerate(model.parameters()):
            fan_in = max(1, int(np.prod(parameter.shape[1:])))
            parameter.copy_(lib.tensor(normal(*parameter.shape, seed=seed) * np.float32(np.sqrt(1 / fan_in) / 2)))
    return model


def epoch(make_model: Any, limit: int | None = None) -> Any:
    """A builder of one epoch with Adam; the small rate keeps later epochs like the first."""

    def build(lib: Any) -> Work:
        images, labels = digits()
        batches = [
            (lib.tensor(images[i : i + BATCH]), lib.tensor(labels[i : i + BATCH]))
            for i in range(0, len(images[:limit]), BATCH)
        ]
        model = same_start(lib, make_model(lib.nn))
        optimizer = lib.optim.Adam(model.parameters(), lr=1e-5)
        loss_function = lib.nn.CrossEntropyLoss()

        def work() -> dict[str, Any]:
            for x, label in batches:
                optimizer.zero_grad()
                loss = loss_function(model(x), label)
                loss.backward()
                optimizer.step()
            return {"last loss": loss, "last layer": list(model.parameters())[-1]}

        return work

    return build


def step_for_memory(lib: Any, small: bool) -> Work:
    """One training step of a wide MLP, whose activations outweigh its parameters."""
    batch, width = (8, 16) if small else (8192, 512)
    nn = lib.nn
    model = same_start(
        lib, nn.Sequential(nn.Linear(width, width), nn.ReLU(), nn.Linear(width, width), nn.Tanh(), nn.Linear(width, 10))
    )
    x, labels = lib.tensor(normal(batch, width)), lib.tensor(np.arange(batch) % 10)
    loss_function = nn.CrossEntropyLoss()

    def work() -> dict[str, Any]:
        loss = loss_function(model(x), labels)
        loss.backward()
        return {"loss": loss}

    return work


ITEMS = [
    Workload("digits-mlp", "training", "an epoch of digits, MLP 64-128-10, Adam", same(epoch(mlp))),
    Workload("digits-cnn", "training", "an epoch of digits, two convolutions, Adam", same(epoch(cnn)), rtol=1e-3),
    Measurement(
        "training-memory",
        "training",
        "peak memory of a training step, MLP 512-512-512-10, batch 8192",
        peak_memory("bench.suites.training", "step_for_memory"),
        (Target(0.8, 1.0),),
        unit="B",
    ),
]
