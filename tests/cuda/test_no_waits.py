"""No layer, no loss and no optimiser copies between host and device or waits for it, in a step of training."""

import inspect

import pytest

import gradkit
from gradkit import nn, optim

#: Layers by the shape of their operand, or the shapes of several.
LAYERS = {
    (5, 4): """
        Linear(4, 3); BatchNorm1d(4); LayerNorm(4); LayerNorm(4, elementwise_affine=False); RMSNorm(4)
        RMSNorm(4, elementwise_affine=False); Dropout(); AlphaDropout(); PReLU(); ReLU(); LeakyReLU(); ELU(); SELU(); CELU()
        GELU(); SiLU(); Mish(); Hardtanh(); Hardswish(); Hardsigmoid(); Sigmoid(); Tanh(); Softplus(); Softsign(); Tanhshrink()
        Softshrink(); Hardshrink(); LogSigmoid(); ReLU6(); RReLU(); Threshold(0.1, 0.2); GLU(); Softmin(-1); Softmax(-1)
        LogSoftmax(-1)""",
    (2, 4, 8): """
        Conv1d(4, 3, 3); ConvTranspose1d(4, 3, 3); MaxPool1d(2); AvgPool1d(2); GroupNorm(2, 4); RNN(8, 3, 2); GRU(8, 3, 2)
        LSTM(8, 3, 2, bidirectional=True); LSTM(8, 3, proj_size=2); TransformerEncoderLayer(8, 2, 8, batch_first=True)""",
    (2, 4, 6, 6): """
        Conv2d(4, 3, 3); Conv2d(4, 4, 3, padding="same", groups=2); Conv2d(4, 3, 3, padding=1, padding_mode="circular")
        ConvTranspose2d(4, 3, 3, stride=2); MaxPool2d(2); AvgPool2d(3, padding=1); AdaptiveAvgPool2d(3); AdaptiveMaxPool2d(3)
        LPPool2d(2, 2); BatchNorm2d(4); BatchNorm2d(4).eval(); BatchNorm2d(4, affine=False, track_running_stats=False)
        InstanceNorm2d(4, affine=True, track_running_stats=True); LocalResponseNorm(2); Dropout2d(); PixelShuffle(2); Unfold(2)
        ChannelShuffle(2); ReflectionPad2d(1); ReplicationPad2d(1); ZeroPad2d(1); Flatten(); Upsample(scale_factor=2)
        Upsample(scale_factor=2, mode="bilinear"); Upsample(size=(7, 9), mode="bicubic")""",
    (2, 3, 4, 4, 4): "Conv3d(3, 2, 3); MaxPool3d(2)",
    (2, 12, 9): "Fold((4, 4), 2)",
    (4, 8): "LSTMCell(8, 3); GRUCell(8, 3); RNNCell(8, 3)",
    ((5, 4), (5, 4)): "Bilinear(4, 4, 3); CosineSimilarity(); PairwiseDistance(); MSELoss(); L1Loss(); HuberLoss(); SmoothL1Loss()",
    ((2, 5, 4), (2, 5, 4)): "Transformer(4, 2, 1, 1, 8); TransformerDecoderLayer(4, 2, 8)",
    ((2, 5, 4),) * 3: "MultiheadAttention(4, 2, batch_first=True)",
}
SPLIT = [(shape, one.strip()) for shape, names in LAYERS.items() for line in names.split("\n") for one in line.split(";") if one.strip()]
LOSSES = {
    "labels": "CrossEntropyLoss(); CrossEntropyLoss(ignore_index=1); CrossEntropyLoss(label_smoothing=0.1); NLLLoss(); MultiMarginLoss()",
    "units": "BCEWithLogitsLoss(); KLDivLoss(reduction='batchmean'); PoissonNLLLoss(); MultiLabelSoftMarginLoss(); CrossEntropyLoss()",
}
METHODS = [name for name, one in vars(optim).items() if inspect.isclass(one) and issubclass(one, optim.Optimizer)]


def neither_copies_nor_waits(hostcuda, step):
    for _ in range(2):  # what is made once, such as a table of constants or the state, is there then
        step()
    with hostcuda.forbid("dtoh", "htod", "sync"):
        step()


@pytest.mark.parametrize(("shapes", "made"), SPLIT, ids=lambda x: x if isinstance(x, str) else "")
def test_a_layer_neither_copies_nor_waits(shapes, made, hostcuda):
    layer = eval(made, vars(nn))
    given = [gradkit.randn(*shape, requires_grad=True) for shape in (shapes if type(shapes[0]) is tuple else [shapes])]

    def step():
        y = layer(*given)
        while isinstance(y, tuple):
            y = y[0]
        (y * y).mean().backward()

    neither_copies_nor_waits(hostcuda, step)
    assert all([x.grad is not None for x in given])


@pytest.mark.parametrize(("target", "made"), [(target, one) for target, names in LOSSES.items() for one in names.split("; ")])
def test_a_loss_neither_copies_nor_waits(target, made, hostcuda):
    x = gradkit.randn(5, 4, requires_grad=True)
    given = gradkit.randint(4, (5,)) if target == "labels" else gradkit.rand(5, 4)
    loss = eval(made, vars(nn))
    neither_copies_nor_waits(hostcuda, lambda: loss(x, given).backward())


@pytest.mark.parametrize("name", [name for name in METHODS if name not in ("Optimizer", "LBFGS")])  # LBFGS decides on the host
def test_an_optimiser_neither_copies_nor_waits(name, hostcuda):
    params = [nn.Parameter(gradkit.randn(5, 4)), nn.Parameter(gradkit.randn(3))]
    descent = getattr(optim, name)(params, lr=0.01)

    def step():
        descent.zero_grad()
        sum([(p * p).sum() for p in params]).backward()
        nn.utils.clip_grad_norm_(params, 1.0)
        descent.step()

    neither_copies_nor_waits(hostcuda, step)
