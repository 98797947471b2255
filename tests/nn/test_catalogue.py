"""Layers without a story of their own, one by one, against torch: start, print, pass."""

import pytest

import gradkit
from gradkit import nn

SIGNAL, IMAGE, VOLUME = (2, 4, 9), (2, 4, 7, 6), (2, 4, 4, 5, 4)
ACTIVATIONS = {
    "CELU": lambda nn: nn.CELU(1.5),
    "GLU": lambda nn: nn.GLU(1),
    "Hardshrink": lambda nn: nn.Hardshrink(0.3),
    "Hardsigmoid": lambda nn: nn.Hardsigmoid(),
    "Hardswish": lambda nn: nn.Hardswish(),
    "Hardtanh": lambda nn: nn.Hardtanh(-0.5, 0.75),
    "LogSigmoid": lambda nn: nn.LogSigmoid(),
    "Mish": lambda nn: nn.Mish(),
    "PReLU": lambda nn: nn.PReLU(),
    "PReLU by channels": lambda nn: nn.PReLU(4, init=0.5),
    "RReLU evaluated": lambda nn: nn.RReLU().eval(),
    "RReLU": lambda nn: nn.RReLU(0.1, 0.1),
    "ReLU6": lambda nn: nn.ReLU6(),
    "SELU": lambda nn: nn.SELU(),
    "Softmax2d": lambda nn: nn.Softmax2d(),
    "Softmin": lambda nn: nn.Softmin(dim=1),
    "Softshrink": lambda nn: nn.Softshrink(0.3),
    "Softsign": lambda nn: nn.Softsign(),
    "Tanhshrink": lambda nn: nn.Tanhshrink(),
    "Threshold": lambda nn: nn.Threshold(0.1, 20),
}
LAYERS = {name: (make, [IMAGE]) for name, make in ACTIVATIONS.items()} | {
    "MaxPool1d": (lambda nn: nn.MaxPool1d(3, 2, 1), [SIGNAL]),
    "MaxPool1d indices": (lambda nn: nn.MaxPool1d(2, return_indices=True, ceil_mode=True), [SIGNAL]),
    "MaxPool3d": (lambda nn: nn.MaxPool3d(2), [VOLUME]),
    "AvgPool1d": (lambda nn: nn.AvgPool1d(3, 2, 1), [SIGNAL]),
    "AvgPool3d": (lambda nn: nn.AvgPool3d(2, ceil_mode=True), [VOLUME]),
    "LPPool1d": (lambda nn: nn.LPPool1d(2, 3, stride=2), [SIGNAL]),
    "LPPool2d": (lambda nn: nn.LPPool2d(2.0, (2, 3)), [IMAGE]),
    "AdaptiveAvgPool1d": (lambda nn: nn.AdaptiveAvgPool1d(4), [SIGNAL]),
    "AdaptiveAvgPool2d": (lambda nn: nn.AdaptiveAvgPool2d((3, None)), [IMAGE]),
    "AdaptiveAvgPool3d": (lambda nn: nn.AdaptiveAvgPool3d(2), [VOLUME]),
    "AdaptiveMaxPool1d": (lambda nn: nn.AdaptiveMaxPool1d(4), [SIGNAL]),
    "AdaptiveMaxPool2d": (lambda nn: nn.AdaptiveMaxPool2d(3, return_indices=True), [IMAGE]),
    "Conv3d": (lambda nn: nn.Conv3d(4, 2, 3, padding=(1, 0, 1)), [VOLUME]),
    "ConvTranspose1d": (lambda nn: nn.ConvTranspose1d(4, 6, 3), [SIGNAL]),
    "ConvTranspose1d options": (lambda nn: nn.ConvTranspose1d(4, 6, 3, 2, 1, 1, 2, False, 2), [SIGNAL]),
    "ConvTranspose2d": (lambda nn: nn.ConvTranspose2d(4, 6, (3, 2), 2, (1, 0), dilation=(1, 2)), [IMAGE]),
    "ConvTranspose2d sized": (lambda nn: nn.ConvTranspose2d(4, 2, 3, stride=2), [(4, 7, 6), [16, 14]]),
    "ConvTranspose3d": (lambda nn: nn.ConvTranspose3d(4, 2, 2, stride=2), [VOLUME]),
    "BatchNorm3d": (lambda nn: nn.BatchNorm3d(4), [VOLUME]),
    "GroupNorm": (lambda nn: nn.GroupNorm(2, 4), [IMAGE]),
    "GroupNorm options": (lambda nn: nn.GroupNorm(4, 4, eps=1e-3, bias=False), [SIGNAL]),
    "GroupNorm plain": (lambda nn: nn.GroupNorm(1, 4, affine=False), [IMAGE]),
    "InstanceNorm1d": (lambda nn: nn.InstanceNorm1d(4), [SIGNAL]),
    "InstanceNorm1d unbatched": (lambda nn: nn.InstanceNorm1d(4, affine=True), [(4, 9)]),
    "InstanceNorm2d": (lambda nn: nn.InstanceNorm2d(4, affine=True, track_running_stats=True), [IMAGE]),
    "InstanceNorm2d evaluated": (lambda nn: nn.InstanceNorm2d(4, track_running_stats=True).eval(), [IMAGE]),
    "InstanceNorm3d": (lambda nn: nn.InstanceNorm3d(4, eps=1e-3), [VOLUME]),
    "RMSNorm": (lambda nn: nn.RMSNorm(6), [IMAGE]),
    "RMSNorm plain": (lambda nn: nn.RMSNorm([7, 6], eps=1e-3, elementwise_affine=False), [IMAGE]),
    "LocalResponseNorm": (lambda nn: nn.LocalResponseNorm(2, 0.1), [IMAGE]),
    "PixelShuffle": (lambda nn: nn.PixelShuffle(2), [IMAGE]),
    "PixelUnshuffle": (lambda nn: nn.PixelUnshuffle(2), [(1, 4, 6)]),
    "ChannelShuffle": (lambda nn: nn.ChannelShuffle(2), [IMAGE]),
    "Upsample": (lambda nn: nn.Upsample(scale_factor=2), [IMAGE]),
    "Upsample bilinear": (lambda nn: nn.Upsample((9, 5), mode="bilinear"), [IMAGE]),
    "UpsamplingNearest2d": (lambda nn: nn.UpsamplingNearest2d(scale_factor=(2, 1.5)), [IMAGE]),
    "UpsamplingBilinear2d": (lambda nn: nn.UpsamplingBilinear2d(scale_factor=2), [IMAGE]),
    "Unfold": (lambda nn: nn.Unfold((2, 3), padding=1, stride=2), [IMAGE]),
    "Fold": (lambda nn: nn.Fold((4, 5), (2, 2), stride=(2, 1)), [(2, 12, 8)]),
    "CosineSimilarity": (lambda nn: nn.CosineSimilarity(dim=2), [SIGNAL, SIGNAL]),
    "PairwiseDistance": (lambda nn: nn.PairwiseDistance(3.0, keepdim=True), [(5, 4), (5, 4)]),
    "Bilinear": (lambda nn: nn.Bilinear(3, 4, 5), [(2, 3), (2, 4)]),
    "Bilinear without bias": (lambda nn: nn.Bilinear(3, 4, 5, bias=False), [(2, 3), (2, 4)]),
    "Dropout1d": (lambda nn: nn.Dropout1d(0.3).eval(), [SIGNAL]),
    "Dropout2d": (lambda nn: nn.Dropout2d(0.3).eval(), [IMAGE]),
    "Dropout3d": (lambda nn: nn.Dropout3d(0.3).eval(), [VOLUME]),
    "AlphaDropout": (lambda nn: nn.AlphaDropout(0.3).eval(), [IMAGE]),
    "FeatureAlphaDropout": (lambda nn: nn.FeatureAlphaDropout(0.3).eval(), [IMAGE]),
}  # fmt: skip


@pytest.mark.parametrize("name", LAYERS)
def test_layer_is_torchs(name, assert_layer_is_torchs):
    make, shapes = LAYERS[name]
    assert_layer_is_torchs(lambda nn, _: make(nn), shapes)


PADS = ["ConstantPad", "ZeroPad", "ReflectionPad", "ReplicationPad", "CircularPad"]


@pytest.mark.parametrize("axes", [1, 2, 3])
@pytest.mark.parametrize("kind", PADS)
def test_padding_is_torchs(kind, axes, assert_layer_is_torchs):
    value = (3.5,) if kind == "ConstantPad" else ()
    for padding in (2, tuple(range(2 * axes))[:: -1] if axes < 2 else (1, 2, 0, 1, 3, 1)[: 2 * axes]):
        assert_layer_is_torchs(lambda nn, _, p=padding: getattr(nn, f"{kind}{axes}d")(p, *value), [(2, 3, 5, 4, 6)[: 2 + axes]])


@pytest.mark.parametrize("axes", [1, 2, 3])
def test_unpooling_undoes_pooling(axes, torch):
    x = torch.randn((2, 3, 6, 8, 4)[: 2 + axes])
    results = []
    for nn_, tensor in ((nn, gradkit.tensor), (torch.nn, torch.tensor)):
        y, places = getattr(nn_, f"MaxPool{axes}d")(2, return_indices=True)(tensor(x.numpy()))
        layer = getattr(nn_, f"MaxUnpool{axes}d")(2)
        results.append((layer(y, places).tolist(), repr(layer), layer(y, places, output_size=x.shape).tolist()))
        with pytest.raises(ValueError):
            layer(y, places, output_size=[9] * axes)
    assert results[0] == results[1]


@pytest.mark.parametrize("kind", ["RReLU", "Dropout1d", "Dropout2d", "AlphaDropout", "FeatureAlphaDropout"])
@pytest.mark.cpu
def test_random_layers_draw_as_torch_does(kind, torch):
    x = torch.randn(2, 6, 5, 3) if kind == "Dropout2d" else torch.randn(2, 6, 5)
    torch.manual_seed(4)
    gradkit.manual_seed(4)
    expected = getattr(torch.nn, kind)()(x)
    found = getattr(nn, kind)()(gradkit.tensor(x.numpy()))
    assert gradkit.allclose(found, gradkit.tensor(expected.numpy()), rtol=1e-6)


def test_activations_write_in_place(torch):
    for name in ("celu", "elu", "hardtanh", "leaky_relu", "relu", "rrelu", "selu"):
        x, y = gradkit.tensor([-2.0, 0.5]), torch.tensor([-2.0, 0.5])
        assert getattr(nn.functional, f"{name}_")(x) is x
        getattr(torch.nn.functional, f"{name}_")(y)
        assert gradkit.allclose(x, gradkit.tensor(y.numpy()))
    assert nn.functional.threshold_(gradkit.tensor([1.0, 3.0]), 2.0, 0.0).tolist() == [0, 3]


EMBEDDINGS = {
    "Embedding normed": lambda nn: nn.Embedding(7, 3, max_norm=0.5, norm_type=1.0),
    "Embedding by frequency": lambda nn: nn.Embedding(7, 3, scale_grad_by_freq=True),
    "EmbeddingBag": lambda nn: nn.EmbeddingBag(7, 3),
    "EmbeddingBag max": lambda nn: nn.EmbeddingBag(7, 3, mode="max", padding_idx=1),
    "EmbeddingBag sum": lambda nn: nn.EmbeddingBag(7, 3, mode="sum"),
}


@pytest.mark.parametrize("name", EMBEDDINGS)
def test_embedding_is_torchs(name, torch, assert_layer_is_torchs, monkeypatch):
    make = EMBEDDINGS[name]
    assert_layer_is_torchs(lambda nn, _: make(nn), [torch.tensor([[1, 2, 4, 1], [6, 1, 0, 3]])], ulps=4)


@pytest.mark.parametrize(
    ("act", "error"),
    [
        (lambda nn: nn.Hardtanh(1.0, 0.0), AssertionError),
        (lambda nn: nn.GroupNorm(3, 4), ValueError),
        (lambda nn: nn.ConvTranspose2d(2, 2, 1, padding_mode="reflect"), ValueError),
        (lambda nn: nn.ConvTranspose2d(3, 2, 1, groups=2), ValueError),
        (lambda nn: nn.Bilinear(0, 1, 1), ValueError),
        (lambda nn: nn.Dropout2d(-0.5), ValueError),
        (lambda nn: nn.MultiMarginLoss(p=3), ValueError),
        (lambda nn: nn.TripletMarginLoss(margin=0), ValueError),
        (lambda nn: nn.Embedding(3, 4, padding_idx=3), AssertionError),
        (lambda nn: nn.EmbeddingBag(3, 4, padding_idx=-4), AssertionError),
    ],
)
def test_misuse_raises_as_in_torch(act, error, torch):
    for library in (nn, torch.nn):
        with pytest.raises(error):
            act(library)


@pytest.mark.parametrize(
    ("act", "error"),
    [
        (lambda: nn.Softmax2d()(gradkit.zeros(2)), ValueError),
        (lambda: nn.InstanceNorm2d(3)(gradkit.zeros(2, 3)), ValueError),
        (lambda: nn.InstanceNorm1d(3, affine=True)(gradkit.zeros(2, 4, 3)), ValueError),
        (lambda: nn.ConvTranspose1d(2, 2, 3, stride=2)(gradkit.zeros(1, 2, 4), [12]), ValueError),
        (lambda: nn.Embedding(3, 2, sparse=True), NotImplementedError),
        (lambda: nn.Embedding(3, 2, _weight=gradkit.zeros(2, 2)), AssertionError),
        (lambda: nn.Embedding.from_pretrained(gradkit.zeros(3)), AssertionError),
    ],
)
def test_inputs_that_do_not_fit_raise(act, error):
    with pytest.raises(error):
        act()
