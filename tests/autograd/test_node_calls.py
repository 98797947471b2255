"""A node called by hand: its step outside of a walk."""

import pytest

import gradkit

CALLS = {
    "one operand": lambda m, x: (x**2).grad_fn(m.ones(3)),
    "an operand without a gradient": lambda m, x: (x * 2).grad_fn(m.ones(3)),
    "the same operand twice": lambda m, x: (x * x).grad_fn(m.ones(3)),
    "recorded": lambda m, x: m.autograd.grad((x**3).grad_fn(m.ones(3)).sum(), x),
    "without recording": lambda m, x: m.no_grad()(lambda: (x**2).grad_fn(m.ones(3)))(),
    "several outputs": lambda m, x: m.linalg.eigh(m.diag(x))[0].grad_fn(m.ones(3), m.zeros(3, 3)),
    "a leaf": lambda m, x: ((x * 2).grad_fn.next_functions[0][0](m.ones(3)), x.grad),
    "a leaf twice": lambda m, x: [((x * 2).grad_fn.next_functions[0][0](m.ones(3)), x.grad) for _ in range(2)],
    "nothing is freed": lambda m, x: [y.grad_fn(m.ones(())) for y in [x.exp().sum()] * 2],
    "too few": lambda m, x: (x * 2).grad_fn(),
    "too many": lambda m, x: (x * 2).grad_fn(m.ones(3), m.ones(3)),
    "freed": lambda m, x: [y.backward() or y.grad_fn(m.ones(())) for y in [x.prod()]],
}


@pytest.mark.parametrize("name", CALLS)
def test_node_is_called_as_in_pytorch(name, alike):
    alike(lambda m: CALLS[name](m, m.tensor([1.0, 2.0, 3.0], requires_grad=True)))


def test_call_of_a_node_notices_a_write():
    x = gradkit.ones(2, requires_grad=True)
    z = x.clone()
    y = z * z
    z.zero_()
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.grad_fn(gradkit.ones(2))


def test_node_of_a_custom_function_is_called():
    class Split(gradkit.autograd.Function):
        @staticmethod
        def forward(ctx, x, factor):
            return x * factor, x + 0

        @staticmethod
        def backward(ctx, a, b):
            return a * 2 + b, None

    x = gradkit.ones(2, requires_grad=True)
    y, _ = Split.apply(x, 2)
    assert y.grad_fn(gradkit.ones(2), gradkit.ones(2)).tolist() == [3, 3]
