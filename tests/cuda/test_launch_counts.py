"""How many kernels a layer launches forward and backward, and an optimiser for all its parameters: held to what was counted."""

import re
from pathlib import Path

import pytest

import gradkit
from gradkit import nn, optim

F = nn.functional
PAGE = Path(__file__).parents[2] / "docs" / "gpu.md"


def positive(*shape):
    return (gradkit.rand(*shape) + 0.5).requires_grad_()


def normal(*shape):
    return gradkit.randn(*shape, requires_grad=True)


def of_labels():
    labels = gradkit.randint(8, (32,))
    return lambda scores: F.cross_entropy(scores, labels)


def of_places():
    places = gradkit.arange(5)
    return lambda weight: F.embedding(places, weight)


class Alone(nn.Module):
    """A recurrent network without the state that it gives beside its output."""

    def __init__(self, network):
        super().__init__()
        self.network = network

    def forward(self, x):
        return self.network(x)[0]


#: What is made anew for a test: the layer or function, and its operands.
LAYERS = {
    "Linear": lambda: (nn.Linear(8, 16), normal(32, 8)),
    "Bilinear": lambda: (nn.Bilinear(8, 8, 4), normal(32, 8), normal(32, 8)),
    "Conv1d": lambda: (nn.Conv1d(3, 4, 3, padding=1), normal(2, 3, 8)),
    "Conv2d": lambda: (nn.Conv2d(3, 4, 3, padding=1), normal(2, 3, 8, 8)),
    "Conv3d": lambda: (nn.Conv3d(3, 4, 3, padding=1), normal(2, 3, 4, 4, 4)),
    "ConvTranspose2d": lambda: (nn.ConvTranspose2d(3, 4, 2, stride=2), normal(2, 3, 8, 8)),
    "MaxPool2d": lambda: (nn.MaxPool2d(2), normal(2, 3, 8, 8)),
    "AvgPool2d": lambda: (nn.AvgPool2d(2), normal(2, 3, 8, 8)),
    "AdaptiveAvgPool2d": lambda: (nn.AdaptiveAvgPool2d(1), normal(2, 3, 8, 8)),
    "Upsample": lambda: (nn.Upsample(scale_factor=2), normal(2, 3, 4, 4)),
    "LayerNorm": lambda: (nn.LayerNorm(8), normal(32, 8)),
    "LayerNorm without weights": lambda: (nn.LayerNorm(8, elementwise_affine=False), normal(32, 8)),
    "RMSNorm": lambda: (nn.RMSNorm(8), normal(32, 8)),
    "RMSNorm without a weight": lambda: (nn.RMSNorm(8, elementwise_affine=False), normal(32, 8)),
    "GroupNorm": lambda: (nn.GroupNorm(2, 8), normal(32, 8, 5)),
    "InstanceNorm1d": lambda: (nn.InstanceNorm1d(8), normal(32, 8, 5)),
    "BatchNorm1d": lambda: (nn.BatchNorm1d(8), normal(32, 8)),
    "BatchNorm2d": lambda: (nn.BatchNorm2d(3), normal(2, 3, 4, 4)),
    "BatchNorm1d in evaluation": lambda: (nn.BatchNorm1d(8).eval(), normal(32, 8)),
    "BatchNorm2d in evaluation": lambda: (nn.BatchNorm2d(3).eval(), normal(2, 3, 4, 4)),
    "Dropout": lambda: (nn.Dropout(0.5), normal(32, 8)),
    "Dropout2d": lambda: (nn.Dropout2d(0.5), normal(2, 3, 4, 4)),
    "RNN over 5 steps": lambda: (Alone(nn.RNN(8, 16)), normal(5, 32, 8)),
    "LSTM over 5 steps": lambda: (Alone(nn.LSTM(8, 16)), normal(5, 32, 8)),
    "GRU over 5 steps": lambda: (Alone(nn.GRU(8, 16)), normal(5, 32, 8)),
    "scaled_dot_product_attention": lambda: (F.scaled_dot_product_attention, *[normal(2, 4, 8) for _ in range(3)]),
    "TransformerEncoderLayer": lambda: (nn.TransformerEncoderLayer(8, 2, 16, batch_first=True), normal(2, 4, 8)),
    "embedding": lambda: (of_places(), normal(10, 4)),
    "Flatten": lambda: (nn.Flatten(), normal(2, 3, 4)),
    "ReLU": lambda: (nn.ReLU(), normal(32, 8)),
    "Sigmoid": lambda: (nn.Sigmoid(), normal(32, 8)),
    "Tanh": lambda: (nn.Tanh(), normal(32, 8)),
    "GELU": lambda: (nn.GELU(), normal(32, 8)),
    "SiLU": lambda: (nn.SiLU(), normal(32, 8)),
    "LeakyReLU": lambda: (nn.LeakyReLU(), normal(32, 8)),
    "PReLU": lambda: (nn.PReLU(), normal(32, 8)),
    "ELU": lambda: (nn.ELU(), normal(32, 8)),
    "GLU": lambda: (nn.GLU(), normal(32, 8)),
    "Softmax": lambda: (nn.Softmax(-1), normal(32, 8)),
    "LogSoftmax": lambda: (nn.LogSoftmax(-1), normal(32, 8)),
    "cross_entropy": lambda: (of_labels(), normal(32, 8)),
    "mse_loss": lambda: (F.mse_loss, normal(32, 8), normal(32, 8)),
    "binary_cross_entropy_with_logits": lambda: (F.binary_cross_entropy_with_logits, normal(32, 8), gradkit.rand(32, 8)),
    "exp": lambda: (gradkit.exp, normal(32, 8)),
    "x ** 2.5": lambda: (lambda x: x**2.5, positive(32, 8)),
    "x ** y": lambda: (lambda x, y: x**y, positive(32, 8), normal(32, 8)),
    "view": lambda: (lambda x: x.T.reshape(4, 8, 8)[0], normal(8, 32)),
}
OPTIMIZERS = {
    "SGD": lambda params: optim.SGD(params, 0.1),
    "SGD with momentum": lambda params: optim.SGD(params, 0.1, momentum=0.9),
    "Adam": lambda params: optim.Adam(params, 0.1),
    "Adagrad": lambda params: optim.Adagrad(params, 0.1),
    "RMSprop": lambda params: optim.RMSprop(params, 0.1),
    "AdamW": lambda params: optim.AdamW(params, 0.1),
}


def table():
    """The page's table: by name, the kernels and library calls that it promises."""
    rows = re.findall(r"^\| `(.+?)` \| ([\d + -]+) \| ([\d + -]+) \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    return {name: (forward.strip(), backward.strip()) for name, forward, backward in rows}


def counted(counts):
    """Kernels and fills, and what a library computed, as the page writes them: 2, or 2 + 1."""
    kernels, library = counts["launch"] + counts["memset"] + counts["dtod"], counts["library"]
    return f"{kernels} + {library}" if library else f"{kernels}"


def test_the_page_lists_all_of_them():
    assert set(table()) == {*LAYERS, *OPTIMIZERS}


@pytest.mark.parametrize("name", LAYERS)
def test_a_layer_launches_what_the_page_says(name, hostcuda):
    layer, *operands = LAYERS[name]()
    layer(*operands)  # what is made once, such as a table of constants, is not counted
    leaves = [*[x for x in operands if x.requires_grad], *(layer.parameters() if isinstance(layer, nn.Module) else ())]
    with hostcuda.counting() as forward:
        y = layer(*operands)
    ct = gradkit.randn_like(y)
    gradkit.autograd.grad(layer(*operands), leaves, ct)
    with hostcuda.counting() as backward:
        gradkit.autograd.grad(y, leaves, ct)
    assert (counted(forward), counted(backward)) == table()[name]


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_an_optimiser_steps_in_one_launch(name, hostcuda):
    params = [nn.Parameter(gradkit.randn(5, 3)) for _ in range(6)]
    descent = OPTIMIZERS[name](params)
    for param in params:
        param.grad = gradkit.randn(5, 3)
    descent.step()
    with hostcuda.counting() as step:
        descent.step()
    with hostcuda.counting() as reset:
        descent.zero_grad()
    assert (counted(step), counted(reset)) == table()[name] == ("1", "0")


@pytest.mark.parametrize("write", [lambda x, y: x.add_(y), lambda x, y: x.mul_(2.0), lambda x, y: x.exp_()])
def test_a_write_without_history_is_one_launch(write, hostcuda):
    x, y = gradkit.ones(64), gradkit.ones(64)
    write(x, y)
    with hostcuda.counting() as counts:
        write(x, y)
    assert counts["launch"] == 1 and not counts["sync"]
