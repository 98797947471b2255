"""Buffer: a Tensor that is registered as it is assigned."""

import gradkit
from gradkit import nn


def made(nn, zeros):
    layer = nn.Module()
    layer.kept = nn.Buffer(zeros(2))
    layer.scratch = nn.Buffer(zeros(1), persistent=False)
    layer.weight = nn.Parameter(zeros(1))
    return layer


def test_assigned_buffers_are_registered(torch):
    mine, theirs = made(nn, gradkit.zeros), made(torch.nn, torch.zeros)
    assert list(mine.state_dict()) == list(theirs.state_dict()) == ["weight", "kept"]
    assert [name for name, _ in mine.named_buffers()] == [name for name, _ in theirs.named_buffers()]
    assert [name for name, _ in mine.named_parameters()] == ["weight"]
    assert isinstance(mine.kept, nn.Buffer) and not mine.kept.requires_grad


def test_a_buffer_takes_the_place_of_a_parameter():
    layer = made(nn, gradkit.zeros)
    layer.weight = nn.Buffer(gradkit.ones(3))
    assert list(layer.parameters()) == [] and layer.weight.tolist() == [1, 1, 1]
    layer.double()
    assert layer.weight.dtype == gradkit.float64
