"""where_safe: the branch that was not taken leaves no trace, at orders 1 and 2, in both modes and under vmap."""

import numpy as np
import pytest

import gradkit
from gradkit import where_safe
from gradkit.func import grad, hessian, jacfwd, jacrev, jvp, vmap

X = np.array([-1.0, 0.0, 4.0])
CASES = {
    "sqrt": (lambda x: where_safe(x > 0, gradkit.sqrt, x, 0.0), [0, 0, 2], [0, 0, 1 / 4], [0, 0, -1 / 32]),
    "log": (lambda x: where_safe(x > 0, gradkit.log, x, -5), [-5, -5, np.log(4)], [0, 0, 1 / 4], [0, 0, -1 / 16]),
    "quotient": (
        lambda x: where_safe(x != 0, lambda a: gradkit.sin(a) / a, x, 1.0),
        np.sinc(X / np.pi), [np.sin(1) - np.cos(1), 0, (4 * np.cos(4) - np.sin(4)) / 16],
        [np.sin(1) - 2 * np.cos(1), 0, -np.sin(4) / 4 - np.cos(4) / 8 + np.sin(4) / 32],
    ),
    "another place": (
        lambda x: where_safe(x > 1, lambda a: gradkit.log(a - 1), x, 0.0, at=2.0), [0, 0, np.log(3)], [0, 0, 1 / 3], [0, 0, -1 / 9],
    ),
    "two operands": (
        lambda x: where_safe(x > 0, gradkit.pow, (x, x), x), [-1, 0, 256], [1, 1, 256 * (1 + np.log(4))],
        [0, 0, 256 * (1 + np.log(4)) ** 2 + 64],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_values_and_derivatives(name):
    f, value, first, second = CASES[name]
    x = gradkit.tensor(X)
    one = gradkit.ones_like(x)
    slope = lambda x: jvp(f, (x,), (one,))[1]
    np.testing.assert_allclose(f(x).numpy(), value)
    np.testing.assert_allclose(grad(lambda x: f(x).sum())(x).numpy(), first, rtol=1e-6)
    np.testing.assert_allclose(slope(x).numpy(), first, rtol=1e-6)
    np.testing.assert_allclose(vmap(grad(f))(x).numpy(), first, rtol=1e-6)
    for bent in (jacrev(jacrev(f)), jacfwd(jacfwd(f)), jacfwd(jacrev(f)), jacrev(jacfwd(f))):
        found = bent(x).numpy()
        np.testing.assert_allclose(found[range(3), range(3), range(3)], second, rtol=1e-6)
        assert np.isfinite(found).all()
    np.testing.assert_allclose(hessian(lambda x: f(x).sum())(x).numpy(), np.diag(second), rtol=1e-6)


def test_plain_where_has_nan_there():
    x = gradkit.tensor(X[1:])
    with np.errstate(all="ignore"):
        assert np.isnan(grad(lambda x: gradkit.where(x > 0, gradkit.sqrt(x), 0.0).sum())(x).numpy()[0])


def test_operands_broadcast_and_keep_their_dtype():
    cond = gradkit.tensor([[True], [False]])
    y = where_safe(cond, gradkit.exp, gradkit.zeros(3), gradkit.ones(2, 1) * 7)
    assert y.tolist() == [[1.0] * 3, [7.0] * 3] and y.dtype == gradkit.float32


def test_a_value_instead_of_a_function_is_explained():
    x = gradkit.ones(2)
    with pytest.raises(TypeError, match=r"not sqrt\(x\)"):
        where_safe(x > 0, gradkit.sqrt(x), x)
    with pytest.raises(RuntimeError, match="boolean"):
        where_safe(x, gradkit.sqrt, x)
