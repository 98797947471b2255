"""An optimiser's step on a device is one launch, and gives what the rule gives."""

import numpy as np
import pytest

import gradkit as gk
from gradkit import optim
from gradkit.backend.kernels.tensors import MOST_TENSORS

SHAPES = [(3, 4), (5,), (100, 77), (1,), (), (0, 3), (4096 * 3 + 1,)]
METHODS = {
    "adam": lambda p: optim.Adam(p, lr=0.1),
    "adam decay": lambda p: optim.Adam(p, lr=0.1, weight_decay=0.1, maximize=True),
    "adamw amsgrad": lambda p: optim.AdamW(p, lr=0.1, amsgrad=True),
    "sgd": lambda p: optim.SGD(p, lr=0.1),
    "sgd momentum": lambda p: optim.SGD(p, lr=0.1, momentum=0.9, dampening=0.1, weight_decay=0.2, maximize=True),
    "adagrad": lambda p: optim.Adagrad(p, lr=0.1, lr_decay=0.1, initial_accumulator_value=0.5),
    "adagrad decay": lambda p: optim.Adagrad(p, lr=0.1, weight_decay=0.1, maximize=True),
    "rmsprop": lambda p: optim.RMSprop(p, lr=0.1),
    "rmsprop centered": lambda p: optim.RMSprop(p, lr=0.1, centered=True, momentum=0.5, weight_decay=0.1, maximize=True),
    "sgd nesterov": lambda p: optim.SGD(p, lr=0.1, momentum=0.9, nesterov=True),
}


def drawn(shapes, dtype, device, seed, lies=lambda x: x):
    """Numbers that half has too."""
    rng = np.random.default_rng(seed)
    numbers = [rng.normal(size=shape).astype("float16").astype(dtype) for shape in shapes]
    return [lies(gk.tensor(x, device=device)) for x in numbers]


def trained(method, dtype, device, shapes=SHAPES, lies=lambda x: x, steps=4):
    params = [p.requires_grad_() for p in drawn(shapes, dtype, device, 1, lies)]
    optimizer = METHODS[method](params)
    for step in range(steps):
        for param, grad in zip(params, drawn(shapes, dtype, device, 2 + step, lies)):
            param.grad = grad
        optimizer.step()
    return params, optimizer


def on_host(params):
    return [p.detach().cpu().numpy().astype(np.float64) for p in params]


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("method", METHODS)
def test_kernel_gives_what_the_rule_gives(method, dtype):
    # Half has one step: kept in it, Adam's mean of squares loses its digits where a gradient is small.
    steps, tolerance = {"float16": (1, 1e-2), "float32": (4, 1e-5), "float64": (4, 1e-12)}[dtype]
    got, _ = trained(method, dtype, "cuda", steps=steps)
    want, _ = trained(method, "float32" if dtype == "float16" else dtype, "cpu", steps=steps)
    for a, b in zip(on_host(got), on_host(want)):
        np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("method", METHODS)
def test_step_is_one_launch(method, counting):
    _, optimizer = trained(method, "float32", "cuda")
    with counting() as counts:
        optimizer.step()
    assert counts["launch"] == 1 and counts["htod"] == counts["dtoh"] == counts["sync"] == counts["memset"] == 0


def test_more_tensors_than_a_table_has_take_another_launch(counting):
    shapes = [(7,)] * (MOST_TENSORS + 1)
    got, optimizer = trained("adam", "float32", "cuda", shapes)
    with counting() as counts:
        optimizer.step()
    assert counts["launch"] == 2
    want, _ = trained("adam", "float32", "cpu", shapes, steps=5)
    assert len(got) == len(want)


@pytest.mark.parametrize("lies", [lambda x: x.t() if x.ndim == 2 else x, lambda x: gk.stack([x, x], -1)[..., 0]])
def test_tensors_that_do_not_lie_in_one_piece_are_changed_too(lies):
    got, _ = trained("adam", "float32", "cuda", lies=lies)
    want, _ = trained("adam", "float32", "cpu", lies=lies)
    for a, b in zip(on_host(got), on_host(want)):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-5)


def test_method_with_a_rule_of_its_own_keeps_it():
    class Signed(optim.SGD):
        def update(self, param, grad, state, group):
            param -= group["lr"] * np.sign(grad)

    w = gk.tensor([1.0, 1.0], device="cuda", requires_grad=True)
    w.grad = gk.tensor([5.0, -5.0], device="cuda")
    Signed([w], lr=0.5).step()
    assert w.detach().cpu().numpy().tolist() == [0.5, 1.5]


def test_step_counts_as_a_write():
    w = gk.tensor([1.0], device="cuda", requires_grad=True)
    y = (w * w).sum()
    w.grad = gk.ones_like(w)
    optim.SGD([w], lr=0.5).step()
    with pytest.raises(RuntimeError, match="optimizer step"):
        y.backward()
