"""Writing in place, inside a transform, into what its function reaches through an object: the value stays, no history does."""

import numpy as np
import pytest

import gradkit


class Layer:
    """What a function reaches through an object: a buffer, and a view of it."""

    def __init__(self):
        self.buffer = gradkit.zeros(3)
        self.tail = self.buffer[1:]

    def added(self, x):
        self.buffer.add_(x * x)
        return (self.buffer * x).sum()

    def placed(self, x):
        self.buffer[0] = x[0] * x[1]
        return (self.buffer * x).sum()

    def through_a_view(self, x):
        self.tail.copy_(x[:2])
        return (self.buffer * x).sum()

    def returned(self, x):
        self.buffer.copy_(x * x)
        return self.buffer

    def unrecorded(self, x):
        with gradkit.no_grad():
            self.buffer.add_(x * x)
        return (self.buffer * x).sum()

    def failed(self, x):
        self.buffer.add_(x)
        raise ZeroDivisionError


WROTE = {"added": [1, 4, 9], "placed": [2, 0, 0], "through_a_view": [0, 1, 2], "returned": [1, 4, 9], "unrecorded": [1, 4, 9]}
SLOPES = {"added": [3, 12, 27], "placed": [4, 1, 0], "through_a_view": [2, 4, 2], "returned": [2, 4, 6]}
AROUND = {
    "grad": lambda func, f: func.grad(lambda x: f(x).sum()),
    "vjp": lambda func, f: lambda x: (lambda y, back: back(y.new_ones(y.shape))[0])(*func.vjp(f, x)),
    "jvp": lambda func, f: lambda x: gradkit.stack([func.jvp(lambda x: f(x).sum(), (x,), (e,))[1] for e in gradkit.eye(3)[:1]]),
    "jacfwd": lambda func, f: func.jacfwd(lambda x: f(x).sum()),
    "jacrev": lambda func, f: func.jacrev(lambda x: f(x).sum()),
    "linearize": lambda func, f: lambda x: func.linearize(lambda x: f(x).sum(), x)[1](gradkit.eye(3)[0]).reshape(1),
    "hessian": lambda func, f: lambda x: func.hessian(lambda x: f(x).sum())(x)[:0],
    "grad of grad": lambda func, f: lambda x: func.grad(lambda x: func.grad(lambda x: f(x).sum())(x).sum())(x)[:0],
}


@pytest.mark.parametrize("around", AROUND)
@pytest.mark.parametrize("method", WROTE)
def test_what_an_object_holds_keeps_a_value_and_no_history_of_the_transform(method, around):
    layer, x = Layer(), gradkit.tensor([1.0, 2.0, 3.0])
    found = AROUND[around](gradkit.func, getattr(layer, method))(x)
    if (method, around) == ("unrecorded", "linearize"):  # which runs it twice
        layer.buffer.div_(2)
    assert layer.buffer.tolist() == WROTE[method] and (layer.tail + 1).tolist() == [n + 1 for n in WROTE[method][1:]]
    assert not any([t.requires_grad or t.tangents for t in (layer.buffer, layer.tail, layer.buffer + 1)])
    layer.buffer.requires_grad_()
    if method in SLOPES:
        assert found.tolist() == SLOPES[method][: len(found)]


@pytest.mark.parametrize("around", ["grad", "jvp", "jacfwd", "hessian"])
def test_it_keeps_none_after_an_error_either(around):
    layer = Layer()
    with pytest.raises(ZeroDivisionError):
        AROUND[around](gradkit.func, layer.failed)(gradkit.ones(3))
    assert layer.buffer.tolist() == [1, 1, 1] and not layer.buffer.requires_grad and not layer.buffer.tangents


def test_it_keeps_the_history_that_it_has_outside():
    layer = Layer()
    w = gradkit.ones(3, requires_grad=True)
    layer.buffer = w * 2
    gradkit.func.grad(layer.added)(gradkit.tensor([1.0, 2.0, 3.0]))
    assert layer.buffer.tolist() == [3, 6, 11]
    layer.buffer.sum().backward()
    assert w.grad.tolist() == [2, 2, 2]


def test_what_an_inner_transform_wrote_is_differentiated_by_the_outer():
    def f(x):
        layer = Layer()
        inner = gradkit.func.grad(layer.added)(x)
        return inner.sum() + layer.buffer.sum()

    x = gradkit.tensor([1.0, 2.0, 3.0])
    assert gradkit.func.grad(f)(x).tolist() == (6 * x + 2 * x).tolist()
    assert gradkit.func.jvp(f, (x,), (gradkit.ones(3),))[1].item() == (8 * x).sum().item()


def test_running_statistics_are_updated_inside_and_stay_plain():
    layers = [gradkit.nn.BatchNorm1d(3) for _ in range(2)]
    x = gradkit.tensor(np.random.default_rng(0).normal(size=(4, 3)).astype(np.float32))
    layers[0](x)
    gradkit.func.grad(lambda x: (layers[1](x) ** 3).sum())(x)
    for name, value in layers[0].named_buffers():
        found = dict(layers[1].named_buffers())[name]
        assert found.tolist() == value.tolist() and not found.requires_grad
