"""RNN, LSTM and GRU against torch; sequences padded and packed."""

import pytest

import gradkit
from gradkit import nn
from gradkit.nn.utils import rnn

OPTIONS = {
    "plain": {},
    "deep": {"num_layers": 3},
    "both ways": {"bidirectional": True},
    "deep both ways": {"num_layers": 2, "bidirectional": True, "batch_first": True},
    "without bias": {"bias": False, "num_layers": 2},
    "dropout evaluated": {"num_layers": 2, "dropout": 0.5},
}


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("kind", ["RNN", "LSTM", "GRU"])
def test_layer_is_torchs(kind, options, assert_layer_is_torchs):
    def make(nn, _):
        return getattr(nn, kind)(4, 3, **OPTIONS[options]).eval()

    assert_layer_is_torchs(make, [(5, 2, 4)])
    if options != "dropout evaluated":
        assert_layer_is_torchs(make, [(5, 4)])


@pytest.mark.filterwarnings("ignore:LSTM with projections is not supported")  # torch's
@pytest.mark.parametrize("name", ["RNN relu", "LSTM projected"])
def test_variants_are_torchs(name, assert_layer_is_torchs):
    if name == "RNN relu":
        assert_layer_is_torchs(lambda nn, _: nn.RNN(4, 3, 2, "relu"), [(5, 2, 4)])
    else:
        options = {"proj_size": 2, "num_layers": 2, "bidirectional": True}
        assert_layer_is_torchs(lambda nn, _: nn.LSTM(4, 3, **options), [(5, 2, 4)])
        assert_layer_is_torchs(lambda nn, _: nn.LSTM(4, 3, **options), [(5, 2, 4), ((4, 2, 2), (4, 2, 3))])


@pytest.mark.parametrize("batched", [True, False])
@pytest.mark.parametrize("kind", ["RNN", "LSTM", "GRU"])
def test_states_are_given(kind, batched, assert_layer_is_torchs):
    state = (4, 2, 3) if batched else (4, 3)
    assert_layer_is_torchs(
        lambda nn, _: getattr(nn, kind)(4, 3, num_layers=2, bidirectional=True),
        [(5, 2, 4) if batched else (5, 4), (state, state) if kind == "LSTM" else state],
    )


@pytest.mark.cpu  # a GPU draws its own numbers
def test_dropout_between_layers_draws_as_torch_does(torch, twins):
    mine, theirs = twins(lambda nn, _: nn.GRU(4, 3, num_layers=3, dropout=0.5))
    x = torch.randn(5, 2, 4)
    torch.manual_seed(1)
    gradkit.manual_seed(1)
    assert gradkit.allclose(mine(gradkit.tensor(x.numpy()))[0], gradkit.tensor(theirs(x)[0].detach().numpy()), atol=1e-6)


@pytest.mark.parametrize("enforce_sorted", [True, False])
@pytest.mark.parametrize("kind", ["RNN", "LSTM", "GRU"])
def test_packed_sequences_run_as_in_torch(kind, enforce_sorted, torch, twins):
    lengths = [4, 3, 3, 1] if enforce_sorted else [3, 1, 4, 3]
    mine, theirs = twins(lambda nn, _: getattr(nn, kind)(2, 3, num_layers=2, bidirectional=True))
    x, state = torch.randn(4, 4, 2), torch.randn(4, 4, 3)
    results = []
    for layer, library, utils in ((mine, gradkit, rnn), (theirs, torch, torch.nn.utils.rnn)):
        data = library.tensor(x.numpy(), requires_grad=True)
        start = library.tensor(state.numpy())
        packed = utils.pack_padded_sequence(data, lengths, enforce_sorted=enforce_sorted)
        output, final = layer(packed, (start, start) if kind == "LSTM" else start)
        padded, found = utils.pad_packed_sequence(output, batch_first=True)
        final = final[0] if kind == "LSTM" else final
        ((padded * padded).sum() + final.sum()).backward()
        assert found.tolist() == lengths
        results.append([t.detach().numpy() for t in (padded, final, data.grad, layer.weight_ih_l0.grad)])
    for a, b in zip(*results, strict=True):
        assert gradkit.allclose(gradkit.tensor(a), gradkit.tensor(b), rtol=1e-4, atol=1e-5)


def test_state_dicts_go_both_ways(torch):
    mine, theirs = nn.LSTM(4, 3, num_layers=2), torch.nn.LSTM(4, 3, num_layers=2)
    state = {key: torch.tensor(value.numpy()) for key, value in mine.state_dict().items()}
    assert repr(theirs.load_state_dict(state)) == "<All keys matched successfully>"
    assert [len(weights) for weights in mine.all_weights] == [4, 4]


SEQUENCES = [[1, 2, 3], [4], [5, 6]]


@pytest.mark.parametrize("options", [{}, {"batch_first": True}, {"padding_value": -1}, {"padding_side": "left"}])
def test_padding_is_torchs(options, torch):
    found = rnn.pad_sequence([gradkit.tensor(s) for s in SEQUENCES], **options)
    expected = torch.nn.utils.rnn.pad_sequence([torch.tensor(s) for s in SEQUENCES], **options)
    assert found.tolist() == expected.tolist()
    if "padding_side" not in options:
        parts = rnn.unpad_sequence(found, [3, 1, 2], options.get("batch_first", False))
        assert [part.tolist() for part in parts] == SEQUENCES


def test_packing_is_torchs(torch):
    found = rnn.pack_sequence([gradkit.tensor(s) for s in SEQUENCES], enforce_sorted=False)
    expected = torch.nn.utils.rnn.pack_sequence([torch.tensor(s) for s in SEQUENCES], enforce_sorted=False)
    for name in found._fields:
        assert getattr(found, name).tolist() == getattr(expected, name).tolist(), name
    assert [s.tolist() for s in rnn.unpack_sequence(found)] == SEQUENCES
    padded, lengths = rnn.pad_packed_sequence(found, batch_first=True, padding_value=9, total_length=4)
    assert padded.tolist() == [[1, 2, 3, 9], [4, 9, 9, 9], [5, 6, 9, 9]] and lengths.tolist() == [3, 1, 2]


def zeros(library, *shapes):
    return [library.zeros(*shape) for shape in shapes]


@pytest.mark.parametrize(
    ("act", "error"),
    [
        (lambda nn, lib: nn.LSTM(3, 4)(lib.zeros(2, 2, 2, 3)), ValueError),
        (lambda nn, lib: nn.LSTM(3, 4)(lib.zeros(2, 2, 2)), RuntimeError),
        (lambda nn, lib: nn.LSTM(3, 4)(lib.zeros(2, 2, 3), zeros(lib, (1, 2, 5), (1, 2, 4))), RuntimeError),
        (lambda nn, lib: nn.LSTM(3, 4)(lib.zeros(2, 2, 3), zeros(lib, (2, 4), (2, 4))), RuntimeError),
        (lambda nn, lib: nn.GRU(3, 4)(lib.zeros(2, 2, 3), lib.zeros(2, 2, 4)), RuntimeError),
        (lambda nn, lib: nn.GRU(3, 4)(lib.zeros(2, 3), lib.zeros(2, 2, 4)), RuntimeError),
        (lambda nn, lib: nn.LSTM(3, 0), ValueError),
        (lambda nn, lib: nn.LSTM(3, 4, 0), ValueError),
        (lambda nn, lib: nn.LSTM(3, 4.5), TypeError),
        (lambda nn, lib: nn.LSTM(3, 4, proj_size=4), ValueError),
        (lambda nn, lib: nn.LSTM(3, 4, num_layers=2, dropout=2), ValueError),
        (lambda nn, lib: nn.RNN(3, 4, nonlinearity="cube"), ValueError),
        (lambda nn, lib: nn.utils.rnn.pack_padded_sequence(lib.zeros(3, 2), [1, 2]), RuntimeError),
        (lambda nn, lib: nn.utils.rnn.pack_padded_sequence(lib.zeros(3, 2), [2, 0]), RuntimeError),
        (lambda nn, lib: nn.utils.rnn.pack_padded_sequence(lib.zeros(3, 2), [2]), RuntimeError),
        (lambda nn, lib: nn.utils.rnn.pad_sequence([]), RuntimeError),
    ],
)
def test_misuse_raises_as_in_torch(act, error, torch):
    for library in (gradkit, torch):
        with pytest.raises(error):
            act(library.nn, library)


def test_dropout_of_one_layer_warns():
    with pytest.warns(UserWarning, match="num_layers greater than 1"):
        nn.GRU(2, 3, dropout=0.5)
