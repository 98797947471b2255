"""MultiheadAttention and the transformer layers against torch."""

import pytest

import gradkit
from gradkit import nn

ATTENTION = {
    "plain": ({}, {}),
    "batch first": ({"batch_first": True}, {"average_attn_weights": False}),
    "without bias": ({"bias": False}, {"need_weights": False}),
    "other widths": ({"kdim": 5, "vdim": 3}, {}),
    "more keys": ({"add_bias_kv": True, "add_zero_attn": True}, {}),
}


@pytest.mark.parametrize("name", ATTENTION)
def test_attention_is_torchs(name, assert_layer_is_torchs):
    options, arguments = ATTENTION[name]

    def make(nn, _):
        class Called(nn.Module):
            def __init__(self):
                super().__init__()
                self.attention = nn.MultiheadAttention(8, 2, **options)

            def forward(self, *inputs):
                return self.attention(*inputs, **arguments)

        return Called()

    first = (3, 5, 8) if options.get("batch_first") else (5, 3, 8)
    other = (3, 4, 8) if options.get("batch_first") else (4, 3, 8)
    widths = options.get("kdim", 8), options.get("vdim", 8)
    # The bias rows start from normal numbers, whose last bits differ from library to library.
    ulps = 4 if options.get("add_bias_kv") else 0
    assert_layer_is_torchs(make, [first, (*other[:2], widths[0]), (*other[:2], widths[1])], ulps)
    assert_layer_is_torchs(make, [(5, 8), (4, widths[0]), (4, widths[1])], ulps)


def masks(torch):
    causal = torch.ones(5, 5).triu(1).bool()
    padding = torch.zeros(3, 5).bool()
    padding[1, 3:] = True
    return {
        "boolean": (causal, None),
        "added": (torch.randn(5, 5), None),
        "padding": (None, padding),
        "both": (causal, padding),
        "by head": (torch.randn(6, 5, 5), padding),
    }


@pytest.mark.parametrize("need_weights", [True, False])
@pytest.mark.parametrize("name", ["boolean", "added", "padding", "both", "by head"])
def test_masks_are_torchs(name, need_weights, torch, twins):
    mine, theirs = twins(lambda nn, _: nn.MultiheadAttention(8, 2))
    x = torch.randn(5, 3, 8)
    attn_mask, padding = masks(torch)[name]
    if name == "by head" or name == "both":  # torch warns of masks of two kinds
        padding = padding.float().masked_fill(padding, -torch.inf) if name == "by head" else padding
    own = [None if m is None else gradkit.tensor(m.numpy()) for m in (attn_mask, padding)]
    t = gradkit.tensor(x.numpy())
    found = mine(t, t, t, attn_mask=own[0], key_padding_mask=own[1], need_weights=need_weights)
    expected = theirs(x, x, x, attn_mask=attn_mask, key_padding_mask=padding, need_weights=need_weights)
    for a, b in zip(found, expected, strict=True):
        assert (a is None) == (b is None)
        if b is not None:
            assert gradkit.allclose(a, gradkit.tensor(b.detach().numpy()), atol=1e-6)


LAYERS = {
    "encoder layer": (lambda nn: nn.TransformerEncoderLayer(8, 2, 16, 0.0), 1),
    "encoder layer, norms first": (
        lambda nn: nn.TransformerEncoderLayer(8, 2, 16, 0.0, "gelu", norm_first=True, batch_first=True), 1,
    ),
    "encoder layer, no bias": (lambda nn: nn.TransformerEncoderLayer(8, 2, 16, 0.0, bias=False), 1),
    "decoder layer": (lambda nn: nn.TransformerDecoderLayer(8, 2, 16, 0.0), 2),
    "decoder layer, norms first": (lambda nn: nn.TransformerDecoderLayer(8, 2, 16, 0.0, norm_first=True), 2),
    "encoder": (
        lambda nn: nn.TransformerEncoder(
            nn.TransformerEncoderLayer(8, 2, 16, 0.0), 2, nn.LayerNorm(8), enable_nested_tensor=False
        ), 1,
    ),
    "decoder": (lambda nn: nn.TransformerDecoder(nn.TransformerDecoderLayer(8, 2, 16, 0.0), 2), 2),
    "transformer": (lambda nn: nn.Transformer(8, 2, 1, 2, 16, 0.0), 2),
}  # fmt: skip


@pytest.mark.filterwarnings("ignore:enable_nested_tensor is True")  # torch's
@pytest.mark.parametrize("name", LAYERS)
def test_transformer_is_torchs(name, assert_layer_is_torchs):
    make, inputs = LAYERS[name]
    assert_layer_is_torchs(lambda nn, _: make(nn), [(5, 3, 8), (4, 3, 8)][:inputs])


@pytest.mark.filterwarnings("ignore:enable_nested_tensor is True")  # torch's
def test_masks_reach_every_layer(torch, twins):
    mine, theirs = twins(lambda nn, _: nn.Transformer(8, 2, 2, 2, 16, 0.0, batch_first=True))
    src, tgt = torch.randn(3, 5, 8), torch.randn(3, 4, 8)
    padding = torch.zeros(3, 5).bool()
    padding[0, 4] = True
    mask = nn.Transformer.generate_square_subsequent_mask(4)
    assert mask.tolist() == torch.nn.Transformer.generate_square_subsequent_mask(4).tolist()
    # torch wants masks of one kind in its fast path: numbers, as the causal one has.
    added = torch.zeros(3, 5).masked_fill(padding, -torch.inf)
    arguments = {"src_key_padding_mask": added, "memory_key_padding_mask": added}
    expected = theirs(src, tgt, tgt_mask=torch.tensor(mask.numpy()), **arguments)
    own = {name: gradkit.tensor(padding.numpy()) for name in arguments}
    found = mine(gradkit.tensor(src.numpy()), gradkit.tensor(tgt.numpy()), tgt_mask=mask, **own)
    assert gradkit.allclose(found, gradkit.tensor(expected.detach().numpy()), atol=1e-5)


@pytest.mark.parametrize(
    ("act", "error"),
    [
        (lambda nn, lib: nn.MultiheadAttention(8, 3), AssertionError),
        (lambda nn, lib: nn.MultiheadAttention(0, 1), ValueError),
        (lambda nn, lib: nn.MultiheadAttention(8, 2)(*[lib.zeros(2, 1, 4)] * 3), AssertionError),
        (lambda nn, lib: nn.MultiheadAttention(8, 2)(*[lib.zeros(2, 1, 8)] * 3, is_causal=True), RuntimeError),
        (lambda nn, lib: nn.MultiheadAttention(8, 2)(*[lib.zeros(2, 1, 8)] * 3, attn_mask=lib.zeros(3, 3)), RuntimeError),
        (lambda nn, lib: nn.MultiheadAttention(8, 2)(*[lib.zeros(2, 1, 8)] * 3, lib.zeros(1, 3)), AssertionError),
        (lambda nn, lib: nn.TransformerEncoderLayer(8, 2, activation="cube"), RuntimeError),
        (lambda nn, lib: nn.Transformer(8, 2, 1, 1, 8)(lib.zeros(2, 1, 8), lib.zeros(2, 2, 8)), RuntimeError),
        (lambda nn, lib: nn.Transformer(8, 2, 1, 1, 8)(lib.zeros(2, 1, 4), lib.zeros(2, 1, 4)), RuntimeError),
    ],
)
@pytest.mark.filterwarnings("ignore:enable_nested_tensor is True")  # torch's
def test_misuse_raises_as_in_torch(act, error, torch):
    for library in (gradkit, torch):
        with pytest.raises(error):
            act(library.nn, library)
