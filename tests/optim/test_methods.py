"""Every optimiser against torch: a hundred steps on the same gradients, and the state they leave."""

import numpy as np
import pytest

import gradkit
from gradkit import optim
from gradkit.optim.optimizer import BLOCK

CASES = [
    ("SGD", {"lr": 0.1}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "weight_decay": 0.01}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "dampening": 0.3, "maximize": True}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "nesterov": True, "weight_decay": 0.1}),
    ("Adam", {}),
    ("Adam", {"lr": 0.01, "amsgrad": True, "weight_decay": 0.1}),
    ("Adam", {"lr": 0.01, "maximize": True, "betas": (0.5, 0.7), "eps": 1e-3}),
    ("Adam", {"lr": 0.01, "weight_decay": 0.1, "decoupled_weight_decay": True}),
    ("AdamW", {}),
    ("AdamW", {"lr": 0.01, "amsgrad": True, "weight_decay": 0.3, "maximize": True}),
    ("RMSprop", {}),
    ("RMSprop", {"centered": True, "momentum": 0.9, "weight_decay": 0.1}),
    ("RMSprop", {"maximize": True, "alpha": 0.5, "momentum": 0.3}),
    ("Adadelta", {}),
    ("Adadelta", {"lr": 0.5, "rho": 0.5, "weight_decay": 0.1, "maximize": True}),
    ("Adamax", {}),
    ("Adamax", {"lr": 0.01, "betas": (0.5, 0.7), "weight_decay": 0.1, "maximize": True}),
    ("NAdam", {}),
    ("NAdam", {"lr": 0.01, "weight_decay": 0.1, "momentum_decay": 0.1, "maximize": True}),
    ("NAdam", {"lr": 0.01, "weight_decay": 0.1, "decoupled_weight_decay": True}),
    ("RAdam", {}),
    ("RAdam", {"lr": 0.01, "betas": (0.5, 0.7), "weight_decay": 0.1, "maximize": True}),
    ("RAdam", {"lr": 0.01, "weight_decay": 0.1, "decoupled_weight_decay": True}),
    ("Rprop", {}),
    ("Rprop", {"lr": 0.1, "etas": (0.4, 1.5), "step_sizes": (1e-3, 0.5), "maximize": True}),
    ("Adagrad", {}),
    ("Adagrad", {"lr_decay": 0.1, "weight_decay": 0.1, "initial_accumulator_value": 0.3, "maximize": True}),
]
IDS = [" ".join([name, *options]) for name, options in CASES]
SHAPES = [(3, 4), (7,), ()]
TOLERANCE = {"float32": 1e-6, "float64": 1e-12, "complex64": 1e-6, "complex128": 1e-12}


def start(rng, dtype, shapes=SHAPES):
    drawn = [rng.normal(size=shape) for shape in shapes]
    return [(x + 1j * rng.normal(size=x.shape) if dtype.startswith("complex") else x).astype(dtype) for x in drawn]


def train(module, package, name, options, values, gradients):
    """Parameters and optimiser after a step on each list of gradients."""
    params = [module.tensor(value).requires_grad_() for value in values]
    optimizer = getattr(package, name)(params, **options)
    for step in gradients:
        for param, grad in zip(params, step, strict=True):
            param.grad = module.tensor(grad)
        optimizer.step()
    return params, optimizer


def assert_close(mine, theirs, tolerance):
    a, b = mine.detach().numpy(), theirs.detach().numpy()
    assert a.dtype == b.dtype and a.shape == b.shape
    # Relative to 1, the size of what is drawn: a parameter that passes zero has no digits of its own.
    assert np.abs(a - b).max() <= tolerance * max(1, np.abs(b).max())


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize(("name", "options"), CASES, ids=IDS)
def test_hundred_steps_are_those_of_torch(name, options, dtype, torch):
    rng = np.random.default_rng(0)
    values = start(rng, dtype)
    gradients = [start(rng, dtype) for _ in range(100)]
    mine, own = train(gradkit, optim, name, options, values, gradients)
    theirs, other = train(torch, torch.optim, name, options, values, gradients)
    for a, b in zip(mine, theirs, strict=True):
        assert_close(a, b, TOLERANCE[dtype])
    state, expected = own.state_dict(), other.state_dict()
    for number, entries in expected["state"].items():
        assert set(state["state"][number]) == set(entries)
        for key, value in entries.items():
            assert_close(state["state"][number][key], value, TOLERANCE[dtype])
    for group, wanted in zip(state["param_groups"], expected["param_groups"], strict=True):
        assert group == wanted


@pytest.mark.parametrize(("name", "options"), CASES, ids=IDS)
def test_blocks_change_nothing(name, options):
    rng = np.random.default_rng(0)
    size = 2 * BLOCK + 3
    values, gradients = start(rng, "float32", [size]), [start(rng, "float32", [size]) for _ in range(3)]
    (whole,), _ = train(gradkit, optim, name, options, values, gradients)
    for part in (slice(0, 5), slice(BLOCK - 2, BLOCK + 2), slice(size - 5, size)):
        (few,), _ = train(gradkit, optim, name, options, [values[0][part]], [[g[part]] for (g,) in gradients])
        np.testing.assert_array_equal(whole.detach().numpy()[part], few.detach().numpy())


@pytest.mark.parametrize(("name", "options"), CASES, ids=IDS)
@pytest.mark.parametrize("dtype", ["float64", "complex128"])
def test_layout_of_memory_changes_nothing(name, options, dtype):
    value, *gradients = start(np.random.default_rng(0), dtype, [(300, 400)] * 4)
    (plain,), _ = train(gradkit, optim, name, options, [value], [[g] for g in gradients])
    turned = gradkit.from_numpy(np.asfortranarray(value)).requires_grad_()
    optimizer = getattr(optim, name)([turned], **options)
    for grad in gradients:
        turned.grad = gradkit.from_numpy(np.asfortranarray(grad))
        optimizer.step()
    np.testing.assert_array_equal(plain.detach().numpy(), turned.detach().numpy())


@pytest.mark.parametrize("dtype", ["float64", "complex128"])
@pytest.mark.parametrize(("name", "options"), CASES, ids=IDS)
def test_state_dict_of_torch_can_be_loaded(name, options, dtype, torch):
    rng = np.random.default_rng(0)
    values, gradients = start(rng, dtype), [start(rng, dtype) for _ in range(4)]
    theirs, other = train(torch, torch.optim, name, options, values, gradients[:2])
    mine = [gradkit.tensor(p.detach().numpy()).requires_grad_() for p in theirs]
    saved = other.state_dict()
    saved["state"] = {
        number: {key: gradkit.tensor(value.numpy()) for key, value in entries.items()}
        for number, entries in saved["state"].items()
    }
    own = getattr(optim, name)(mine)
    own.load_state_dict(saved)
    for step in gradients[2:]:
        for a, b, grad in zip(mine, theirs, step, strict=True):
            a.grad, b.grad = gradkit.tensor(grad), torch.tensor(grad)
        own.step()
        other.step()
    for a, b in zip(mine, theirs, strict=True):
        assert_close(a, b, 1e-12)


@pytest.mark.parametrize("dtype", ["float32", "complex64"])
@pytest.mark.parametrize(("name", "options"), CASES, ids=IDS)
def test_resumed_training_is_the_same(name, options, dtype):
    rng = np.random.default_rng(0)
    values, gradients = start(rng, dtype), [start(rng, dtype) for _ in range(4)]
    straight, _ = train(gradkit, optim, name, options, values, gradients)
    halfway, optimizer = train(gradkit, optim, name, options, values, gradients[:2])
    resumed, later = train(gradkit, optim, name, options, [p.detach().numpy() for p in halfway], [])
    later.load_state_dict(optimizer.state_dict())
    for step in gradients[2:]:
        for param, grad in zip(resumed, step, strict=True):
            param.grad = gradkit.tensor(grad)
        later.step()
    for a, b in zip(straight, resumed, strict=True):
        assert (a == b).all()


@pytest.mark.parametrize("name", ["SGD", "Adam", "AdamW", "RMSprop", "Adagrad"])
def test_defaults_and_printing_are_those_of_torch(name, torch):
    mine = getattr(optim, name)([gradkit.zeros(1, requires_grad=True)])
    theirs = getattr(torch.optim, name)([torch.zeros(1, requires_grad=True)])
    assert repr(mine) == repr(theirs)
    assert mine.defaults == theirs.defaults


@pytest.mark.parametrize(
    ("name", "options", "text"),
    [
        ("SGD", {"lr": -1.0}, "Invalid learning rate"),
        ("SGD", {"momentum": -1.0}, "Invalid momentum value"),
        ("SGD", {"weight_decay": -1.0}, "Invalid weight_decay value"),
        ("SGD", {"nesterov": True}, "Nesterov momentum requires"),
        ("SGD", {"nesterov": True, "momentum": 0.9, "dampening": 0.1}, "Nesterov momentum requires"),
        ("Adam", {"lr": float("nan")}, "Invalid learning rate"),
        ("Adam", {"eps": -1.0}, "Invalid epsilon value"),
        ("Adam", {"betas": (1.0, 0.9)}, "index 0: 1.0"),
        ("AdamW", {"betas": (0.9, -0.1)}, "index 1: -0.1"),
        ("RMSprop", {"alpha": -1.0}, "Invalid alpha value"),
        ("Adagrad", {"lr_decay": -1.0}, "Invalid lr_decay value"),
        ("Adagrad", {"initial_accumulator_value": -1.0}, "Invalid initial_accumulator_value value"),
    ],
)
def test_option_out_of_range_raises(name, options, text):
    with pytest.raises(ValueError, match=text):
        getattr(optim, name)([gradkit.zeros(1, requires_grad=True)], **options)


@pytest.mark.parametrize("name", ["SGD", "Adam", "AdamW", "RMSprop", "Adagrad"])
def test_differentiable_step_is_refused(name):
    with pytest.raises(NotImplementedError, match="differentiable"):
        getattr(optim, name)([gradkit.zeros(1, requires_grad=True)], differentiable=True)


def test_rate_may_be_a_tensor():
    w = gradkit.ones(1, requires_grad=True)
    w.grad = gradkit.ones(1)
    optim.SGD([w], lr=gradkit.tensor(0.5)).step()
    assert w.item() == 0.5
