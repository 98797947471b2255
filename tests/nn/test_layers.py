"""Every layer against torch: what it starts with, what it computes, its gradients, its keys, how it prints."""

import numpy as np
import pytest

import gradkit
from gradkit import nn

IMAGE = (2, 4, 7, 6)
LAYERS = {
    "Linear": (lambda nn, _: nn.Linear(5, 3), [(4, 5)]),
    "Linear without bias": (lambda nn, _: nn.Linear(5, 3, bias=False), [(2, 4, 5)]),
    "Linear on a vector": (lambda nn, _: nn.Linear(5, 3), [(5,)]),
    "Identity": (lambda nn, _: nn.Identity(3, a=4), [(2,)]),
    "Flatten": (lambda nn, _: nn.Flatten(), [IMAGE]),
    "Flatten some": (lambda nn, _: nn.Flatten(0, -2), [IMAGE]),
    "Unflatten": (lambda nn, _: nn.Unflatten(1, (2, -1)), [(3, 6)]),
    "Conv1d": (lambda nn, _: nn.Conv1d(4, 6, 3), [(2, 4, 9)]),
    "Conv1d options": (lambda nn, _: nn.Conv1d(4, 6, 3, 2, 1, 2, 2, False), [(2, 4, 9)]),
    "Conv1d unbatched": (lambda nn, _: nn.Conv1d(4, 6, 3, padding="same"), [(4, 9)]),
    "Conv2d": (lambda nn, _: nn.Conv2d(4, 6, 3), [IMAGE]),
    "Conv2d options": (lambda nn, _: nn.Conv2d(4, 6, (3, 2), (2, 1), (1, 0), (1, 2), 2), [IMAGE]),
    "Conv2d same": (lambda nn, _: nn.Conv2d(4, 6, (3, 2), padding="same", bias=False), [IMAGE]),
    "Conv2d valid": (lambda nn, _: nn.Conv2d(4, 6, 3, padding="valid"), [(4, 7, 6)]),
    "Conv1d reflect": (lambda nn, _: nn.Conv1d(4, 6, 3, padding=2, padding_mode="reflect"), [(2, 4, 9)]),
    "Conv2d circular": (lambda nn, _: nn.Conv2d(4, 2, 4, padding="same", dilation=(1, 2), padding_mode="circular"), [IMAGE]),
    "Conv2d replicate": (lambda nn, _: nn.Conv2d(4, 2, 3, 2, (2, 1), padding_mode="replicate", bias=False), [IMAGE]),
    "Conv2d no padding": (lambda nn, _: nn.Conv2d(4, 2, 3, padding="valid", padding_mode="reflect"), [IMAGE]),
    "MaxPool2d": (lambda nn, _: nn.MaxPool2d(2), [IMAGE]),
    "MaxPool2d options": (lambda nn, _: nn.MaxPool2d((3, 2), 2, (1, 0), (1, 2), ceil_mode=True), [IMAGE]),
    "MaxPool2d indices": (lambda nn, _: nn.MaxPool2d(2, return_indices=True), [IMAGE]),
    "AvgPool2d": (lambda nn, _: nn.AvgPool2d(2), [IMAGE]),
    "AvgPool2d options": (lambda nn, _: nn.AvgPool2d((3, 2), 2, (1, 0), True, False), [IMAGE]),
    "AvgPool2d divisor": (lambda nn, _: nn.AvgPool2d(2, divisor_override=3), [IMAGE]),
    "BatchNorm1d": (lambda nn, _: nn.BatchNorm1d(5), [(4, 5)]),
    "BatchNorm1d of signals": (lambda nn, _: nn.BatchNorm1d(5, momentum=0.3, eps=1e-3), [(4, 5, 6)]),
    "BatchNorm1d plain": (lambda nn, _: nn.BatchNorm1d(5, affine=False, track_running_stats=False), [(4, 5)]),
    "BatchNorm2d": (lambda nn, _: nn.BatchNorm2d(4), [IMAGE]),
    "BatchNorm2d cumulative": (lambda nn, _: nn.BatchNorm2d(4, momentum=None, bias=False), [IMAGE]),
    "BatchNorm2d evaluated": (lambda nn, _: nn.BatchNorm2d(4).eval(), [IMAGE]),
    "LayerNorm": (lambda nn, _: nn.LayerNorm(6), [IMAGE]),
    "LayerNorm of two axes": (lambda nn, _: nn.LayerNorm([7, 6], eps=1e-3, bias=False), [IMAGE]),
    "LayerNorm plain": (lambda nn, _: nn.LayerNorm((6,), elementwise_affine=False), [IMAGE]),
    "Dropout evaluated": (lambda nn, _: nn.Dropout(0.3).eval(), [IMAGE]),
    "Dropout of nothing": (lambda nn, _: nn.Dropout(0.0), [IMAGE]),
    "ReLU": (lambda nn, _: nn.ReLU(), [IMAGE]),
    "SiLU": (lambda nn, _: nn.SiLU(), [IMAGE]),
    "Sigmoid": (lambda nn, _: nn.Sigmoid(), [IMAGE]),
    "Tanh": (lambda nn, _: nn.Tanh(), [IMAGE]),
    "GELU": (lambda nn, _: nn.GELU(), [IMAGE]),
    "GELU tanh": (lambda nn, _: nn.GELU("tanh"), [IMAGE]),
    "LeakyReLU": (lambda nn, _: nn.LeakyReLU(0.2), [IMAGE]),
    "ELU": (lambda nn, _: nn.ELU(1.5), [IMAGE]),
    "Softplus": (lambda nn, _: nn.Softplus(2, 1.5), [IMAGE]),
    "Softmax": (lambda nn, _: nn.Softmax(dim=1), [IMAGE]),
    "LogSoftmax": (lambda nn, _: nn.LogSoftmax(dim=-1), [IMAGE]),
    "RNNCell": (lambda nn, _: nn.RNNCell(4, 3), [(5, 4), (5, 3)]),
    "RNNCell relu": (lambda nn, _: nn.RNNCell(4, 3, False, "relu"), [(4,)]),
    "LSTMCell": (lambda nn, _: nn.LSTMCell(4, 3), [(5, 4)]),
    "LSTMCell with state": (lambda nn, _: nn.LSTMCell(4, 3, bias=False), [(5, 4), ((5, 3), (5, 3))]),
    "GRUCell": (lambda nn, _: nn.GRUCell(4, 3), [(5, 4), (5, 3)]),
    "GRUCell alone": (lambda nn, _: nn.GRUCell(4, 3, bias=False), [(4,)]),
    "Sequential": (lambda nn, _: nn.Sequential(nn.Linear(5, 4), nn.Tanh(), nn.Linear(4, 2)), [(3, 5)]),
}
EMBEDDINGS = {
    "Embedding": lambda nn, _: nn.Embedding(7, 3),
    "Embedding with padding": lambda nn, _: nn.Embedding(7, 3, padding_idx=-6),
}
EVERY = {name: make for name, (make, _) in LAYERS.items()} | EMBEDDINGS


def drawn(torch, shape):
    """Inputs of these shapes: a shape is a tuple of numbers, a state of several parts a tuple of shapes."""
    if shape and isinstance(shape[0], tuple):
        return tuple(drawn(torch, part) for part in shape)
    return torch.randn(shape)


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel lengths")  # torch's
@pytest.mark.parametrize("name", LAYERS)
def test_layer_computes_what_torch_does(name, torch, twins, assert_same_pass):
    make, shapes = LAYERS[name]
    mine, theirs = twins(make)
    assert_same_pass(mine, theirs, *[drawn(torch, shape) for shape in shapes])


@pytest.mark.parametrize("name", EMBEDDINGS)
def test_embedding_computes_what_torch_does(name, torch, twins, assert_same_pass):
    mine, theirs = twins(EMBEDDINGS[name])
    assert_same_pass(mine, theirs, torch.tensor([[1, 2, 4, 1], [6, 1, 0, 3]]))


@pytest.mark.parametrize("name", EVERY)
def test_layer_starts_as_in_torch(name, torch):
    torch.manual_seed(7)
    theirs = EVERY[name](torch.nn, torch.tensor)
    gradkit.manual_seed(7)
    mine = EVERY[name](nn, gradkit.tensor)
    assert list(mine.state_dict()) == list(theirs.state_dict())
    assert [p.requires_grad for p in mine.parameters()] == [p.requires_grad for p in theirs.parameters()]
    # Uniform starts are the same to the last bit; log and cos of the normal ones are not, from one library to another.
    ulps = 4 if name.startswith("Embedding") else 0
    for key, value in theirs.state_dict().items():
        found = mine.state_dict()[key]
        assert found.dtype.name == str(value.dtype).removeprefix("torch.")
        np.testing.assert_allclose(found.numpy(), value.numpy(), rtol=ulps * 1.2e-7, atol=0)


@pytest.mark.parametrize("name", EVERY)
def test_layer_prints_as_in_torch(name, torch):
    assert repr(EVERY[name](nn, gradkit.tensor)) == repr(EVERY[name](torch.nn, torch.tensor))


def test_inplace_activations_write_their_input(torch):
    for make in (
        lambda nn: nn.ReLU(inplace=True),
        lambda nn: nn.SiLU(inplace=True),
        lambda nn: nn.LeakyReLU(0.1, inplace=True),
        lambda nn: nn.ELU(inplace=True),
        lambda nn: nn.Dropout(0.0, inplace=True),
    ):
        layer = make(nn)
        x = gradkit.tensor([-1.0, 2.0])
        assert layer(x) is x
        np.testing.assert_allclose(x.numpy(), make(torch.nn)(torch.tensor([-1.0, 2.0])).numpy(), rtol=1e-6)
        assert repr(layer) == repr(make(torch.nn))


def test_dropout_drops_and_scales():
    gradkit.manual_seed(0)
    layer, x = nn.Dropout(0.25), gradkit.ones(4000)
    y = layer(x)
    assert set(y.tolist()) == {0.0, float(np.float32(1) / np.float32(0.75))}
    assert 0.2 < float((y == 0).float().mean()) < 0.3
    assert (layer.eval()(x) == x).all()
    assert not nn.Dropout(1.0)(x).any()


def test_batch_norm_statistics_serve_evaluation(torch, twins):
    mine, theirs = twins(lambda nn, _: nn.BatchNorm1d(3))
    for _ in range(3):
        x = torch.randn(6, 3)
        mine(gradkit.tensor(x.numpy()))
        theirs(x)
    x = torch.randn(4, 3)
    np.testing.assert_allclose(
        mine.eval()(gradkit.tensor(x.numpy())).detach().numpy(), theirs.eval()(x).detach().numpy(), rtol=1e-5, atol=1e-6
    )
    assert int(mine.num_batches_tracked) == 3
    mine.reset_running_stats()
    assert (mine.running_mean.tolist(), mine.running_var.tolist()) == ([0, 0, 0], [1, 1, 1])
    assert int(mine.num_batches_tracked) == 0


def test_reset_parameters_starts_anew():
    for layer in (nn.Linear(2, 2), nn.Conv1d(1, 1, 2), nn.Embedding(2, 2), nn.GRUCell(1, 2)):
        before = [p.detach().clone() for p in layer.parameters()]
        layer.reset_parameters()
        assert all((a != b).any() for a, b in zip(before, layer.parameters(), strict=True))
    norm = nn.BatchNorm1d(2)
    with gradkit.no_grad():
        norm.weight.zero_()
    norm.reset_parameters()
    assert norm.weight.tolist() == [1, 1]


def test_dtype_and_device_arguments():
    layers = [
        nn.Linear(2, 2, dtype=gradkit.float64, device="cpu"),
        nn.Conv2d(1, 1, 1, dtype=gradkit.float64),
        nn.BatchNorm2d(1, dtype=gradkit.float64),
        nn.LayerNorm(1, dtype=gradkit.float64),
        nn.Embedding(1, 1, dtype=gradkit.float64),
        nn.LSTMCell(1, 1, dtype=gradkit.float64),
    ]
    assert {p.dtype.name for layer in layers for p in layer.parameters()} == {"float64"}
    assert layers[2].num_batches_tracked.dtype.name == "int64"


def test_pretrained_embedding():
    table = gradkit.eye(3)
    frozen = nn.Embedding.from_pretrained(table)
    assert not frozen.weight.requires_grad and frozen(gradkit.tensor(2)).tolist() == [0, 0, 1]
    assert nn.Embedding.from_pretrained(table, freeze=False).weight.requires_grad


def test_default_dtype_is_followed():
    gradkit.set_default_dtype(gradkit.float64)
    try:
        assert nn.Linear(2, 2).weight.dtype == gradkit.float64
    finally:
        gradkit.set_default_dtype(gradkit.float32)


def test_layer_without_inputs_warns():
    with pytest.warns(UserWarning, match="zero-element"):
        assert nn.Linear(0, 3).weight.shape == (3, 0)


X = gradkit.zeros(2, 3)


@pytest.mark.parametrize(
    ("act", "error", "text"),
    [
        (lambda: nn.Linear(2, 3)(X), RuntimeError, None),
        (lambda: nn.Linear(-1, 3), RuntimeError, "negative dimension"),
        (lambda: nn.Conv2d(3, 2, 3, groups=2), ValueError, "in_channels must be divisible"),
        (lambda: nn.Conv2d(2, 3, 3, groups=2), ValueError, "out_channels must be divisible"),
        (lambda: nn.Conv2d(2, 2, 3, groups=0), ValueError, "positive integer"),
        (lambda: nn.Conv2d(2, 2, 3, padding="wide"), ValueError, "'wide'"),
        (lambda: nn.Conv2d(2, 2, 3, 2, padding="same"), ValueError, "strided"),
        (lambda: nn.Conv2d(2, 2, 3, padding_mode="ice"), ValueError, "'ice'"),
        (lambda: nn.Dropout(1.5), ValueError, "between 0 and 1"),
        (lambda: nn.Embedding(3, 4, padding_idx=3), AssertionError, "within num_embeddings"),
        (lambda: nn.Embedding(3, 4, device="cpu")(gradkit.tensor([3], device="cpu")), IndexError, None),
        (lambda: nn.Embedding.from_pretrained(gradkit.zeros(3)), AssertionError, "2-dimensional"),
        (lambda: nn.RNNCell(3, 2, nonlinearity="cube")(X), RuntimeError, "cube"),
        (lambda: nn.LSTMCell(3, 2)(gradkit.zeros(1, 1, 3)), ValueError, "1D or 2D, got 3D"),
        (lambda: nn.LSTMCell(4, 2)(X), RuntimeError, "got 3 expected 4"),
        (lambda: nn.GRUCell(3, 2)(X, gradkit.zeros(1, 2)), RuntimeError, r"\(2, 2\)"),
        (lambda: nn.GRUCell(3, 2)(X, gradkit.zeros(2)), RuntimeError, r"\(2, 2\)"),
        (lambda: nn.BatchNorm1d(3)(gradkit.zeros(2, 3, 1, 1)), ValueError, "2D or 3D.*got 4D"),
        (lambda: nn.BatchNorm2d(3)(X), ValueError, "4D input.*got 2D"),
        (lambda: nn.BatchNorm1d(3)(gradkit.zeros(1, 3)), ValueError, "more than 1 value"),
        (lambda: nn.BatchNorm1d(4)(X), RuntimeError, None),
        (lambda: nn.LayerNorm(4)(X), RuntimeError, None),
        (lambda: nn.Flatten()(gradkit.zeros(2)), IndexError, None),
    ],
)
def test_misuse_raises(act, error, text):
    with pytest.raises(error, match=text):
        act()
