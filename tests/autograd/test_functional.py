"""autograd.functional against PyTorch's: values, structures, error types; and what PyTorch refuses."""

import itertools

import numpy as np
import pytest

import gradkit
from gradkit.autograd import functional as F

# PyTorch's own forward mode still scripts its decompositions at first use.
pytestmark = pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated:DeprecationWarning")

A, B = np.array([[0.5, 1.0], [1.5, 2.0]]), np.array([0.3, 0.7])


def single(x):
    return x.exp().sum(dim=1)


def several(x, y):
    return (x * y).sum(dim=0), x.sin() @ y


def scalar(x, y):
    return (x.exp() * y * y).sum()


def flat(result):
    return [leaf for part in result for leaf in flat(part)] if isinstance(result, tuple) else [result]


def agree(ours, theirs):
    assert type(ours) is tuple or type(theirs) is not tuple
    assert len(flat(ours)) == len(flat(theirs))
    for a, b in zip(flat(ours), flat(theirs)):
        assert tuple(a.shape) == tuple(b.shape)
        np.testing.assert_allclose(a.detach().numpy(), b.detach().numpy(), rtol=1e-10)


CALLS = {
    "jvp": lambda F, t: F.jvp(single, t(A), t(A * 2)),
    "jvp of several": lambda F, t: F.jvp(several, (t(A), t(B)), (t(A), t(B * 3))),
    "jvp without v": lambda F, t: F.jvp(lambda x: x * 2, t(np.array([1.5]))),
    "vjp": lambda F, t: F.vjp(single, t(A), t(B)),
    "vjp of several": lambda F, t: F.vjp(several, (t(A), t(B)), (t(B), t(B * 2))),
    "jacobian": lambda F, t: F.jacobian(single, t(A)),
    "jacobian of several": lambda F, t: F.jacobian(several, (t(A), t(B))),
    "jacobian of independent": lambda F, t: F.jacobian(lambda x, y: x * 2, (t(A), t(B))),
    "hessian": lambda F, t: F.hessian(lambda x: (x**3).sum(), t(A)),
    "hessian of several": lambda F, t: F.hessian(scalar, (t(A), t(B))),
    "hvp": lambda F, t: F.hvp(scalar, (t(A), t(B)), (t(A), t(B))),
    "vhp": lambda F, t: F.vhp(scalar, (t(A), t(B)), (t(A), t(B))),
}


@pytest.mark.parametrize("name", CALLS)
def test_agrees_with_pytorch(name, torch):
    ours = CALLS[name](F, gradkit.tensor)
    agree(ours, CALLS[name](torch.autograd.functional, torch.tensor))
    assert not any([leaf.requires_grad for leaf in flat(ours)])


@pytest.mark.parametrize(
    ("create_graph", "strict", "vectorize", "strategy"),
    list(itertools.product([False, True], [False, True], [False, True], ["reverse-mode", "forward-mode", "auto"])),
)
def test_every_combination_of_options_gives_the_jacobian(create_graph, strict, vectorize, strategy):
    x = gradkit.tensor(A, requires_grad=True)
    found = F.jacobian(single, x, create_graph=create_graph, strict=strict, vectorize=vectorize, strategy=strategy)
    expected = np.zeros((2, 2, 2))
    expected[0, 0], expected[1, 1] = np.exp(A)
    np.testing.assert_allclose(found.detach().numpy(), expected)
    assert found.requires_grad == create_graph
    if create_graph:
        np.testing.assert_allclose(gradkit.autograd.grad(found.sum(), x)[0].numpy(), np.exp(A))


def test_results_with_a_graph_can_be_differentiated():
    x = gradkit.tensor(A, requires_grad=True)
    y, y_t = F.jvp(single, x, gradkit.tensor(A), create_graph=True)
    np.testing.assert_allclose(gradkit.autograd.grad(y_t.sum(), x)[0].numpy(), A * np.exp(A))
    assert y.grad_fn is not None


@pytest.mark.parametrize("product", ["jvp", "vjp", "jacobian"])
def test_strict_names_what_is_independent(product, torch):
    args = {"jvp": (gradkit.tensor(A),), "vjp": (gradkit.tensor(B),), "jacobian": ()}[product]
    with pytest.raises(RuntimeError, match="independent of input 0"):
        getattr(F, product)(lambda x: gradkit.tensor(B), gradkit.tensor(A), *args, strict=True)


BAD = [
    (lambda F, t: F.jvp(single, A, t(A)), TypeError),
    (lambda F, t: F.jvp(lambda x: 1.0, t(A), t(A)), TypeError),
    (lambda F, t: F.jvp(single, t(A)), RuntimeError),
    (lambda F, t: F.jvp(single, t(A), t(B)), RuntimeError),
    (lambda F, t: F.vjp(single, t(A), t(A)), RuntimeError),
    (lambda F, t: F.hessian(single, t(A)), RuntimeError),
    (lambda F, t: F.hvp(scalar, (t(A), t(B)), t(A)), RuntimeError),
    (lambda F, t: F.jacobian(single, [t(A)]), TypeError),
]


@pytest.mark.parametrize("number", range(len(BAD)))
def test_bad_input_raises_as_pytorch(number, torch):
    call, kind = BAD[number]
    with pytest.raises(kind):
        call(torch.autograd.functional, torch.tensor)
    with pytest.raises(kind):
        call(F, gradkit.tensor)
