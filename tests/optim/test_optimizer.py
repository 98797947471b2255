"""What all optimisers share: groups, stepping, saving, and what the tape learns of it."""

import copy
import pickle

import numpy as np
import pytest

import gradkit
from gradkit import nn, optim


def leaf(*values):
    return gradkit.tensor(values or (1.0,), requires_grad=True)


def with_grad(*values):
    w = leaf(*values)
    (w * w).sum().backward()
    return w


# -- groups
def test_groups_have_the_defaults_unless_they_differ():
    a, b, c = leaf(), leaf(), leaf()
    optimizer = optim.SGD([{"params": a}, {"params": [b, c], "lr": 1.0, "name": "head"}], lr=0.1)
    assert [g["lr"] for g in optimizer.param_groups] == [0.1, 1.0]
    assert optimizer.param_groups[0]["params"] == [a] and optimizer.param_groups[1]["name"] == "head"
    for w in (a, b):
        w.sum().backward()
    optimizer.step()
    assert (a.item(), b.item(), c.item()) == (pytest.approx(0.9), 0.0, 1.0)


def test_generator_of_parameters_is_taken():
    assert len(optim.SGD(nn.Linear(2, 2).parameters()).param_groups[0]["params"]) == 2


W = leaf()


@pytest.mark.parametrize(
    ("params", "error", "text"),
    [
        (lambda: W, TypeError, "iterable of Tensors or dicts"),
        (lambda: 3, TypeError, "iterable of Tensors or dicts"),
        (lambda: [], ValueError, "empty parameter list"),
        (lambda: [3], TypeError, "one of the params is int"),
        (lambda: [W * 2], ValueError, "non-leaf"),
        (lambda: {W}, TypeError, "ordered"),
        (lambda: [{"params": {W}}], TypeError, "ordered"),
        (lambda: [{"params": W}, {"params": [W]}], ValueError, "more than one parameter group"),
        (lambda: [{"params": [W]}, 3], TypeError, "must be a dict"),
        (lambda: [{"lr": 1}], KeyError, "params"),
    ],
)
def test_other_parameters_raise(params, error, text):
    with pytest.raises(error, match=text):
        optim.SGD(params())


def test_repeated_parameter_warns():
    with pytest.warns(UserWarning, match="duplicate parameters"):
        optim.SGD([W, W])


# -- stepping
def test_parameter_without_gradient_stays():
    a, b = with_grad(1.0), leaf(1.0)
    optimizer = optim.Adam([a, b])
    optimizer.step()
    assert b.item() == 1 and b not in optimizer.state and a.item() != 1


def test_step_writes_in_place():
    w = with_grad(1.0, 2.0)
    view = w.detach()
    optim.SGD([w], lr=0.25).step()
    assert view.tolist() == w.tolist() == [0.5, 1.0]
    assert w.is_leaf and w.requires_grad


def test_closure_is_recorded_and_its_value_returned():
    w = leaf(2.0)
    optimizer = optim.SGD([w], lr=0.25)

    def closure():
        optimizer.zero_grad()
        loss = (w * w).sum()
        loss.backward()
        return loss

    with gradkit.no_grad():
        assert optimizer.step(closure).item() == 4
    assert w.item() == 1


def test_zero_grad():
    w = with_grad(1.0)
    optimizer = optim.SGD([w, leaf()])
    grad = w.grad
    optimizer.zero_grad(set_to_none=False)
    assert w.grad is grad and grad.item() == 0
    optimizer.zero_grad()
    assert w.grad is None


@pytest.mark.parametrize("name", ["SGD", "Adam", "AdamW", "RMSprop", "Adagrad"])
def test_zero_dimensional_parameter_moves(name):
    made = nn.Parameter(gradkit.tensor(2.0) * 1)
    given = gradkit.tensor(2.0, requires_grad=True)
    converted = nn.Parameter(gradkit.tensor(2.0, dtype=gradkit.float64))
    converted.data = converted.data.float()
    options = {} if name in ("Adagrad", "Adam", "AdamW") else {"momentum": 0.9}
    optimizer = getattr(optim, name)([made, given, converted], **options)
    for _ in range(3):
        optimizer.zero_grad()
        (made * given * converted).backward()
        optimizer.step()
    assert made.item() == given.item() == converted.item() < 2


@pytest.mark.parametrize("name", ["SGD", "Adam", "AdamW", "RMSprop", "Adagrad"])
def test_gradient_is_only_read(name):
    w = with_grad(1.0, 2.0)
    before = w.grad.tolist()
    for _ in range(3):
        getattr(optim, name)([w], maximize=True, weight_decay=0.1).step()
    assert w.grad.tolist() == before


def test_tape_learns_of_the_step():
    w = with_grad(1.0)
    loss = (w * w).sum()
    optim.SGD([w]).step()
    with pytest.raises(RuntimeError, match=r"modified by an inplace operation.*optimizer step"):
        loss.backward()


def test_optimiser_of_ones_own_overrides_step_or_update():
    class Signs(optim.Optimizer):
        def update(self, param, grad, _state, group):
            param -= group["lr"] * (grad / abs(grad))

    w = with_grad(1.0, -2.0)
    Signs([w], {"lr": 0.5}).step()
    assert w.tolist() == [0.5, -1.5]
    with pytest.raises(NotImplementedError, match="neither update"):
        optim.Optimizer([w], {}).step()


# -- saving
def test_rule_of_ones_own_sees_complex_numbers_as_pairs():
    class Momentum(optim.Optimizer):
        def update(self, param, grad, state, group):
            assert param.shape == grad.shape == (3, 2) and param.dtype == grad.dtype == np.float64
            if "sum" not in state:
                state["sum"] = gradkit.zeros(param.shape, dtype=gradkit.float64)
            total = state["sum"].array
            total += grad
            param -= group["lr"] * total
            state["calls"] = state.get("calls", 0) + 1

    w = gradkit.zeros(3, dtype=gradkit.complex128, requires_grad=True)
    optimizer = Momentum([w], {"lr": 1.0})
    for _ in range(2):
        w.grad = gradkit.full((3,), 1 - 2j, dtype=gradkit.complex128)
        optimizer.step()
    assert w.tolist() == [-3 + 6j] * 3
    assert list(optimizer.state[w]) == ["sum", "calls"] and optimizer.state[w]["calls"] == 2
    assert optimizer.state[w]["sum"].tolist() == [2 - 4j] * 3


def test_state_is_numbered_and_loaded_by_number():
    a, b = with_grad(1.0), with_grad(2.0)
    optimizer = optim.SGD([{"params": [a]}, {"params": [b], "lr": 1.0}], momentum=0.9)
    optimizer.step()
    saved = optimizer.state_dict()
    assert [g["params"] for g in saved["param_groups"]] == [[0], [1]]
    assert {n: s["momentum_buffer"].tolist() for n, s in saved["state"].items()} == {0: [2.0], 1: [4.0]}
    c, d = leaf(), leaf()
    other = optim.SGD([{"params": [c]}, {"params": [d]}])
    other.load_state_dict(saved)
    assert other.state[d]["momentum_buffer"].tolist() == [4.0] and other.param_groups[1]["lr"] == 1.0
    other.state[d]["momentum_buffer"].zero_()
    assert optimizer.state[b]["momentum_buffer"].tolist() == [4.0]


def test_loaded_state_takes_the_dtype_of_the_parameter_but_for_the_step():
    w = with_grad(1.0)
    optimizer = optim.Adam([w])
    optimizer.step()
    wide = gradkit.zeros(1, dtype=gradkit.float64, requires_grad=True)
    other = optim.Adam([wide])
    other.load_state_dict(optimizer.state_dict())
    assert {k: v.dtype.name for k, v in other.state[wide].items()} == {
        "step": "float32", "exp_avg": "float64", "exp_avg_sq": "float64",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("groups", "text"), [([], "different number of parameter groups"), ([{"params": [0, 1]}], "doesn't match the size")]
)
def test_state_of_other_groups_raises(groups, text):
    with pytest.raises(ValueError, match=text):
        optim.SGD([leaf()]).load_state_dict({"state": {}, "param_groups": groups})


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda pair: pickle.loads(pickle.dumps(pair))])
def test_model_and_optimiser_can_be_copied_together(duplicate):
    model = nn.Linear(2, 1)
    optimizer = optim.Adam(model.parameters(), lr=0.1)
    train_once(model, optimizer)
    twin, twin_optimizer = duplicate((model, optimizer))
    assert twin_optimizer.param_groups[0]["params"][0] is twin.weight
    train_once(model, optimizer)
    train_once(twin, twin_optimizer)
    assert (twin.weight == model.weight).all()


def train_once(model, optimizer):
    optimizer.zero_grad()
    model(gradkit.ones(3, 2)).square().sum().backward()
    optimizer.step()
