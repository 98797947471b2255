"""Losses against torch: values and gradients, for every reduction."""

import copy
import math
import pickle

import numpy as np
import pytest

import gradkit
from gradkit import nn

PLAIN = {
    "MSELoss": lambda nn, **more: nn.MSELoss(**more),
    "L1Loss": lambda nn, **more: nn.L1Loss(**more),
    "SmoothL1Loss": lambda nn, **more: nn.SmoothL1Loss(beta=0.7, **more),
    "HuberLoss": lambda nn, **more: nn.HuberLoss(delta=0.7, **more),
}
WEIGHTS = [0.2, 1.0, 3.0, 0.5, 0.1]
REDUCTIONS = ["mean", "sum", "none"]


def compare(mine, theirs, x, target, rtol=1e-5):
    a = gradkit.tensor(x.numpy(), requires_grad=True)
    b = x.clone().requires_grad_()
    y, z = mine(a, gradkit.tensor(target.numpy())), theirs(b, target)
    np.testing.assert_allclose(y.detach().numpy(), z.detach().numpy(), rtol=rtol, atol=1e-6)
    y.sum().backward()
    z.sum().backward()
    np.testing.assert_allclose(a.grad.numpy(), b.grad.numpy(), rtol=rtol, atol=1e-6)


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("name", PLAIN)
def test_regression_losses(name, reduction, torch):
    torch.manual_seed(0)
    x, target = torch.randn(6, 5), torch.randn(6, 5)
    target[0] = x[0]  # a difference of 0 has its own derivative
    build = lambda nn: PLAIN[name](nn, reduction=reduction)
    compare(build(nn), build(torch.nn), x, target)


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("shape", [(6, 5), (6, 5, 3), (5,)], ids=str)
@pytest.mark.parametrize("smoothing", [0.0, 0.2])
@pytest.mark.parametrize("weighted", [False, True])
def test_cross_entropy_of_classes(reduction, shape, smoothing, weighted, torch):
    torch.manual_seed(0)
    x = torch.randn(shape)
    target = torch.randint(5, (shape[0], *shape[2:]) if len(shape) > 1 else ())
    if target.ndim:
        target.view(-1)[0] = 4
    weight, ignored = WEIGHTS if weighted else None, 4 if len(shape) > 1 else -100
    build = lambda nn, tensor: nn.CrossEntropyLoss(
        weight and tensor(weight), ignore_index=ignored, reduction=reduction, label_smoothing=smoothing
    )
    compare(build(nn, gradkit.tensor), build(torch.nn, torch.tensor), x, target)


@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_cross_entropy_of_probabilities(reduction, torch):
    torch.manual_seed(0)
    x, target = torch.randn(6, 5), torch.randn(6, 5).softmax(1)
    build = lambda nn, tensor: nn.CrossEntropyLoss(tensor(WEIGHTS), reduction=reduction, label_smoothing=0.1)
    compare(build(nn, gradkit.tensor), build(torch.nn, torch.tensor), x, target)


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("shape", [(6, 5), (6, 5, 3)], ids=str)
def test_negative_log_likelihood(reduction, shape, torch):
    torch.manual_seed(0)
    x, target = torch.randn(shape).log_softmax(1), torch.randint(5, (shape[0], *shape[2:]))
    build = lambda nn, tensor: nn.NLLLoss(tensor(WEIGHTS), ignore_index=1, reduction=reduction)
    compare(build(nn, gradkit.tensor), build(torch.nn, torch.tensor), x, target)


@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_binary_cross_entropy(reduction, torch):
    torch.manual_seed(0)
    x, target = torch.rand(6, 5), torch.rand(6, 5)
    x[0, :2], target[0, :2] = torch.tensor([0.0, 1.0]), torch.tensor([0.0, 1.0])
    build = lambda nn, tensor: nn.BCELoss(tensor(WEIGHTS), reduction=reduction)
    compare(build(nn, gradkit.tensor), build(torch.nn, torch.tensor), x, target)


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("weighted", [False, True])
def test_binary_cross_entropy_with_logits(reduction, weighted, torch):
    torch.manual_seed(0)
    x, target = torch.randn(6, 5) * 20, torch.rand(6, 5)
    weights = {"weight": WEIGHTS, "pos_weight": WEIGHTS[::-1]} if weighted else {}
    build = lambda nn, tensor: nn.BCEWithLogitsLoss(reduction=reduction, **{k: tensor(v) for k, v in weights.items()})
    compare(build(nn, gradkit.tensor), build(torch.nn, torch.tensor), x, target)


@pytest.mark.parametrize("name", ["MSELoss", "L1Loss", "SmoothL1Loss", "HuberLoss", "BCELoss", "BCEWithLogitsLoss"])
def test_unknown_reduction_raises(name):
    with pytest.raises(ValueError, match="median is not a valid value for reduction"):
        getattr(nn, name)(reduction="median")(gradkit.full((2,), 0.5), gradkit.ones(2))


def test_class_weights_are_buffers_that_move():
    loss = nn.CrossEntropyLoss(gradkit.ones(3)).double()
    assert loss.weight.dtype == gradkit.float64 and list(loss.state_dict()) == ["weight"]
    assert list(nn.BCEWithLogitsLoss().state_dict()) == []


def test_wrong_target_size_warns():
    with pytest.warns(UserWarning, match="size"):
        nn.MSELoss()(gradkit.zeros(2), gradkit.zeros(3, 2))


def test_deprecated_reductions_do_not_exist():
    with pytest.raises(TypeError):
        nn.MSELoss(size_average=False)


def test_inputs_are_taken_by_name(torch):
    x, target = torch.randn(4, 3), torch.tensor([0, 2, 1, 1])
    expected = torch.nn.CrossEntropyLoss(label_smoothing=0.1)(input=x, target=target)
    found = nn.CrossEntropyLoss(label_smoothing=0.1)(input=gradkit.tensor(x.numpy()), target=gradkit.tensor(target.numpy()))
    assert gradkit.allclose(found, gradkit.tensor(expected.numpy()))
    assert nn.LeakyReLU(0.5)(input=gradkit.tensor([-2.0])).tolist() == [-1.0]


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda loss: pickle.loads(pickle.dumps(loss))], ids=["copied", "pickled"])
def test_weights_of_a_loss_are_state(copied):
    loss = copied(nn.BCEWithLogitsLoss(weight=gradkit.tensor([2.0]), pos_weight=gradkit.tensor([3.0])))
    assert list(loss.state_dict()) == ["weight", "pos_weight"] and not list(loss.parameters())
    assert loss.double().pos_weight.dtype == gradkit.float64
    assert (loss(gradkit.zeros(1).double(), gradkit.ones(1).double()) / math.log(2)).item() == pytest.approx(6)
