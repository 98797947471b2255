"""What transforms return: a history only from outside, and the structures and kinds of what they were given."""

import numpy as np
import pytest

import gradkit

# PyTorch's own forward mode still scripts its decompositions at first use.
pytestmark = pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated:DeprecationWarning")

X = np.array([2.0, 3.0])

#: Functions of w with a transform inside, of a constant.
INNER = {
    "grad": lambda t, c: lambda w: (t.grad(lambda z: (w * z).sin().sum())(c) ** 2).sum(),
    "jacrev": lambda t, c: lambda w: (t.jacrev(lambda z: (w * z).sin())(c) ** 2).sum(),
    "hessian": lambda t, c: lambda w: (t.hessian(lambda z: (w * z).sin().sum())(c) ** 2).sum(),
    "grad of grad": lambda t, c: lambda w: t.grad(lambda z: t.grad(lambda u: (u * z * w).sin().sum())(z).sum())(c).sum(),
}
#: What gives, of such a function, values and auxiliary results.
OUTER = {
    "grad_and_value": lambda t, f, x: t.grad_and_value(f)(x)[1],
    "vjp": lambda t, f, x: t.vjp(f, x)[0],
    "linearize": lambda t, f, x: t.linearize(f, x)[0],
    "jvp": lambda t, f, x: t.jvp(f, (x,), (x,))[0],
    "grad's aux": lambda t, f, x: t.grad(lambda w: (w.sum(), f(w)), has_aux=True)(x)[1],
    "jacrev's aux": lambda t, f, x: t.jacrev(lambda w: (w * 2, f(w)), has_aux=True)(x)[1],
    "hessian's aux": lambda t, f, x: t.hessian(lambda w: ((w**3).sum(), f(w)), has_aux=True)(x)[1],
    "vmap": lambda t, f, x: t.vmap(t.grad_and_value(f))(x.reshape(1, 2))[1][0],
}


@pytest.mark.parametrize("outer", OUTER)
@pytest.mark.parametrize("inner", INNER)
def test_a_transform_inside_leaves_no_history(inner, outer, torch):
    t, x = gradkit.func, gradkit.tensor(X)
    value = OUTER[outer](t, INNER[inner](t, gradkit.ones(2, dtype=x.dtype)), x)
    assert not value.requires_grad and value.grad_fn is None
    if outer not in ("linearize", "hessian's aux"):  # which are not PyTorch's, or traced there
        expected = OUTER[outer](torch.func, INNER[inner](torch.func, torch.ones(2, dtype=torch.float64)), torch.tensor(X))
        np.testing.assert_allclose(value.numpy(), expected.detach().numpy(), rtol=1e-12)
    array = OUTER[outer](t, INNER[inner](t, np.ones(2)), X)
    assert isinstance(array, np.ndarray | np.floating)
    np.testing.assert_allclose(array, value.numpy(), rtol=1e-12)


@pytest.mark.parametrize("outer", [name for name in OUTER if "'s" not in name])
@pytest.mark.parametrize("closed", ["the transform's", "the inner transform's"])
def test_what_is_closed_over_is_still_there_to_differentiate(outer, closed):
    t, w, x = gradkit.func, gradkit.tensor(X, requires_grad=True), gradkit.ones(2, dtype=gradkit.float64)
    others = {"the transform's": w, "the inner transform's": w.detach()}
    deep = {"the transform's": w.detach(), "the inner transform's": w}[closed]

    def function(x):
        return (others[closed] * t.grad(lambda z: (z**3 * deep * x).sum())(x)).sum()

    (gradient,) = gradkit.autograd.grad(OUTER[outer](t, function, x), w)
    np.testing.assert_allclose(gradient.numpy(), 3 * X)  # of sum(3 w^2), half of it held
