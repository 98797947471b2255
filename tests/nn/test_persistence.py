"""state_dict and load_state_dict."""

from collections import OrderedDict

import numpy as np
import pytest

import gradkit
from gradkit import nn


def model():
    return nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3), nn.Linear(3, 1, bias=False))


def test_keys_are_those_of_torch(torch):
    other = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.BatchNorm1d(3), torch.nn.Linear(3, 1, bias=False))
    assert list(model().state_dict()) == list(other.state_dict())


def test_values_share_memory_and_are_detached():
    net = model()
    state = net.state_dict()
    assert isinstance(state, OrderedDict)
    assert not state["0.weight"].requires_grad
    state["0.bias"].fill_(7.0)
    assert net[0].bias.tolist() == [7, 7, 7]
    assert net.state_dict(keep_vars=True)["0.weight"] is net[0].weight


def test_buffers_that_do_not_persist_are_left_out():
    net = nn.Module()
    net.register_buffer("kept", gradkit.zeros(1))
    net.register_buffer("scratch", gradkit.zeros(1), persistent=False)
    assert list(net.state_dict()) == ["kept"]
    net.register_buffer("scratch", gradkit.zeros(1))
    assert list(net.state_dict()) == ["kept", "scratch"]


def test_prefix_and_destination():
    found = {}
    nn.Linear(1, 1).state_dict(destination=found, prefix="head.")
    assert list(found) == ["head.weight", "head.bias"]


def test_loading_copies_into_the_parameters():
    source, target = model(), model()
    source(gradkit.randn(5, 2))
    weight = target[0].weight
    result = target.load_state_dict(source.state_dict())
    assert repr(result) == "<All keys matched successfully>"
    assert target[0].weight is weight
    for key, value in source.state_dict().items():
        assert (target.state_dict()[key] == value).all(), key
    with gradkit.no_grad():
        source[0].weight.zero_()
    assert weight.any()


def test_loading_casts_to_the_module():
    target = nn.Linear(1, 1)
    target.load_state_dict({k: v.double() for k, v in nn.Linear(1, 1).state_dict().items()})
    assert target.weight.dtype == gradkit.float32


def test_assign_takes_the_given_tensors():
    target, weight = nn.Linear(1, 1, bias=False), gradkit.full((1, 1), 5.0, dtype=gradkit.float64)
    target.load_state_dict({"weight": weight}, assign=True)
    assert isinstance(target.weight, nn.Parameter) and target.weight.dtype == gradkit.float64
    weight.fill_(6.0)
    assert target.weight.item() == 6


def test_all_that_is_wrong_is_said_at_once():
    state = {"weight": gradkit.zeros(2, 2), "extra": gradkit.zeros(1)}
    with pytest.raises(RuntimeError) as caught:
        nn.Linear(2, 3).load_state_dict(state)
    text = str(caught.value)
    for part in (
        'Missing key(s) in state_dict: "bias"',
        'Unexpected key(s) in state_dict: "extra"',
        "mismatch for weight",
    ):
        assert part in text


def test_without_strict_names_are_returned():
    net = nn.Linear(2, 3)
    result = net.load_state_dict({"weight": gradkit.zeros(3, 2), "extra": gradkit.zeros(1)}, strict=False)
    assert result == (["bias"], ["extra"])
    assert (result.missing_keys, result.unexpected_keys) == (["bias"], ["extra"])
    assert not net.weight.any()


def test_without_strict_a_wrong_size_still_raises():
    with pytest.raises(RuntimeError, match="size mismatch for weight"):
        nn.Linear(2, 3).load_state_dict({"weight": gradkit.zeros(2, 2)}, strict=False)


@pytest.mark.parametrize(
    ("state", "error", "text"),
    [(3, TypeError, "dict-like"), ({"weight": np.zeros((1, 1)), "bias": gradkit.zeros(1)}, RuntimeError, "from_numpy")],
)
def test_loading_something_else_raises(state, error, text):
    with pytest.raises(error, match=text):
        nn.Linear(1, 1).load_state_dict(state)


def test_nothing_is_loaded_where_something_is_wrong():
    net = nn.Linear(1, 1)
    before = net.bias.item()
    with pytest.raises(RuntimeError):
        net.load_state_dict({"weight": gradkit.zeros(1), "bias": gradkit.full((1,), before + 1)})
    assert net.bias.item() == before


def test_loading_is_seen_by_the_tape():
    net = nn.Linear(1, 1, bias=False)
    loss = net(gradkit.ones(1, 1)).square().sum() * net.weight.square().sum()
    net.load_state_dict({"weight": gradkit.zeros(1, 1)})
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()


class Named(nn.Module):
    name = "fresh"

    def get_extra_state(self):
        return self.name

    def set_extra_state(self, state):
        self.name = state


def test_extra_state_travels():
    source = nn.Sequential(Named())
    source[0].name = "trained"
    state = source.state_dict()
    assert state == {"0._extra_state": "trained"}
    target = nn.Sequential(Named())
    target.load_state_dict(state)
    assert target[0].name == "trained"
    assert target.load_state_dict({}, strict=False).missing_keys == ["0._extra_state"]


def test_extra_state_of_one_who_wants_none_is_unexpected():
    with pytest.raises(RuntimeError, match="Unexpected"):
        nn.Identity().load_state_dict({"_extra_state": 1})


@pytest.mark.cpu
def test_torch_weights_can_be_loaded(torch):
    other = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.BatchNorm1d(3), torch.nn.Linear(3, 1, bias=False))
    net = model()
    net.load_state_dict({key: gradkit.from_numpy(value.numpy()) for key, value in other.state_dict().items()})
    x = np.random.default_rng(0).normal(size=(4, 2)).astype(np.float32)
    expected = other.eval()(torch.from_numpy(x)).detach().numpy()
    np.testing.assert_allclose(net.eval()(gradkit.from_numpy(x)).detach().numpy(), expected, rtol=1e-5, atol=1e-6)
