"""Recognising handwritten digits: a training script from the data to the picture of what was learned.

`python -m gradkit train` runs it; `python -m gradkit train --help` lists what can be changed. It reads as a PyTorch
script does, with `gradkit` in place of `torch`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import gradkit
from gradkit import Tensor, nn, optim
from gradkit.data import DataLoader, Subset, TensorDataset, load_digits, random_split
from gradkit.examples.progress import progress


# -- The data: images (N, 1, 8, 8) with values from 0 to 1, and the digit each shows
def digits() -> tuple[Subset, Subset]:
    """The digits to train on and those to test with: the same four fifths and one fifth in every run.

    >>> training, test = digits()
    >>> len(training), len(test), training[0][0].shape
    (1438, 359, gradkit.Size([1, 8, 8]))
    """
    images, labels = load_digits()
    dataset = TensorDataset(gradkit.tensor(images).float().unsqueeze(1) / 16, gradkit.tensor(labels))
    training, test = random_split(dataset, [0.8, 0.2], generator=gradkit.Generator().manual_seed(0))
    return training, test


# -- The models: each takes images (N, 1, 8, 8) and gives a score for every digit, (N, 10)
class CNN(nn.Module):
    """Two convolutions, which see strokes and then what strokes make up, and a linear layer that decides."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 16, kernel_size=3, padding=1), nn.ReLU(), nn.Conv2d(16, 32, kernel_size=3, padding=1),
            nn.ReLU(), nn.MaxPool2d(2),
        )
        self.classifier = nn.Linear(32 * 4 * 4, 10)

    def forward(self, images: Tensor) -> Tensor:
        scores: Tensor = self.classifier(self.features(images).flatten(1))
        return scores


class MLP(nn.Sequential):
    """One hidden layer that sees all pixels alike."""

    def __init__(self) -> None:
        super().__init__(nn.Flatten(), nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 10))


MODELS: dict[str, Callable[[], nn.Module]] = {"cnn": CNN, "mlp": MLP}
OPTIMIZERS: dict[str, Callable[..., optim.Optimizer]] = {
    "adam": lambda params, lr: optim.Adam(params, lr=0.01 if lr is None else lr),
    "sgd": lambda params, lr: optim.SGD(params, lr=0.1 if lr is None else lr, momentum=0.9),
}


# -- Training
@dataclass
class Epoch:
    """What one pass through the training data came to."""

    number: int
    loss: float  # the mean over the training digits, each seen while the model was still changing
    test_loss: float
    test_accuracy: float
    seconds: float


def train(
    model: str = "cnn", *, epochs: int = 15, batch_size: int = 64, optimizer: str = "adam", lr: float | None = None,
    seed: int = 0, device: Any = "cpu", show_progress: bool = False, report: Callable[[str], object] = print,
) -> tuple[nn.Module, list[Epoch]]:
    """Train a new model; returns it with what every epoch came to. The same ``seed`` gives the same numbers.

    ``lr`` is the highest learning rate, 0.01 for "adam" and 0.1 for "sgd" by default. Lines of progress go to
    ``report``.

    >>> _, history = train("mlp", epochs=1, report=lambda line: None)
    >>> history[0].test_accuracy > 0.5
    True
    """
    gradkit.manual_seed(seed)
    training, test = digits()
    network = MODELS[model]().to(device)
    loss_of = nn.CrossEntropyLoss()
    descent = OPTIMIZERS[optimizer](network.parameters(), lr)
    loader = DataLoader(training, batch_size, shuffle=True)
    # The rate rises for the first third of the steps and then falls to nearly nothing.
    schedule = optim.lr_scheduler.OneCycleLR(descent, descent.defaults["lr"], epochs=epochs, steps_per_epoch=len(loader))

    count = sum(param.numel() for param in network.parameters())
    report(f"device {gradkit.device(device)}, model {model} with {count:,} parameters, optimizer {optimizer}, seed {seed}")
    report(f"{len(training)} digits to train on, {len(test)} to test with")
    history: list[Epoch] = []
    for number in range(1, epochs + 1):
        start, total = perf_counter(), 0.0
        network.train()
        for images, labels in progress(loader, f"epoch {number}/{epochs}", shown=show_progress):
            images, labels = images.to(device), labels.to(device)
            loss = loss_of(network(images), labels)
            descent.zero_grad()
            loss.backward()
            descent.step()
            schedule.step()
            total += loss.item() * len(labels)
        test_loss, accuracy = evaluate(network, test, device)
        epoch = Epoch(number, total / len(training), test_loss, accuracy, perf_counter() - start)
        history.append(epoch)
        report(
            f"epoch {number:{len(str(epochs))}}/{epochs}   loss {epoch.loss:.4f}   test loss {test_loss:.4f}   "
            f"test accuracy {accuracy:6.2%}   {epoch.seconds:.2f} s"
        )
    return network, history


@gradkit.no_grad()
def evaluate(network: nn.Module, test: Subset, device: Any = "cpu") -> tuple[float, float]:
    """The mean loss on the test digits, and the share of them that the network names rightly.

    >>> loss, accuracy = evaluate(MLP(), digits()[1])
    >>> accuracy < 0.5
    True
    """
    network.eval()
    images, labels = next(iter(DataLoader(test, batch_size=len(test))))
    scores = network(images.to(device))
    labels = labels.to(device)
    loss = nn.functional.cross_entropy(scores, labels)
    return loss.item(), (scores.argmax(dim=1) == labels).float().mean().item()


# -- The picture
def plot(network: nn.Module, history: list[Epoch], file: Any, device: Any = "cpu") -> None:
    """Draw the learning curve and some predictions, the wrong ones first, into an image file.

    ImportError without matplotlib, ValueError for a kind of file that it cannot write.
    """
    figure = new_figure()
    curve, mosaic = figure.subfigures(1, 2)
    draw_curve(curve, history)
    _, test = digits()
    images, labels = next(iter(DataLoader(test, batch_size=len(test))))
    with gradkit.no_grad():
        found = network.eval()(images.to(device)).argmax(dim=1).cpu()
    draw_predictions(mosaic, images.numpy(), found.tolist(), labels.tolist())
    figure.savefig(file)


def draw_curve(figure: Any, history: list[Epoch]) -> None:
    losses = figure.subplots()
    accuracy = losses.twinx()
    numbers = [epoch.number for epoch in history]
    lines = [
        *losses.plot(numbers, [epoch.loss for epoch in history], "C0", label="loss"),
        *losses.plot(numbers, [epoch.test_loss for epoch in history], "C1", label="test loss"),
        *accuracy.plot(numbers, [100 * epoch.test_accuracy for epoch in history], "C2", label="test accuracy"),
    ]
    losses.set(xlabel="epoch", ylabel="cross-entropy", yscale="log")
    losses.xaxis.get_major_locator().set_params(integer=True)
    accuracy.set_ylabel("test accuracy, %")
    figure.legend(lines, [line.get_label() for line in lines], loc="outside upper center", ncols=3)


def draw_predictions(figure: Any, images: Any, found: list[int], truth: list[int]) -> None:
    """Images (N, 1, 8, 8) with the digit that was found in each, as many as there is room for."""
    wrong_first = sorted(range(len(truth)), key=lambda i: found[i] == truth[i])
    for axes, i in zip(figure.subplots(4, 6).flat, wrong_first, strict=False):
        axes.imshow(images[i, 0], cmap="gray_r")
        axes.set_axis_off()
        if found[i] == truth[i]:
            axes.set_title(found[i], fontsize=9)
        else:
            axes.set_title(f"{found[i]}, not {truth[i]}", fontsize=9, color="tab:red")


def new_figure() -> Any:
    """An empty matplotlib figure. ImportError, with what to install, where matplotlib is missing."""
    try:
        from matplotlib.figure import Figure
    except ImportError as missing:
        raise ImportError("drawing needs matplotlib: pip install 'gradkit[viz]'") from missing
    return Figure(figsize=(11, 4.5), layout="constrained")
