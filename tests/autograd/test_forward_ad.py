"""forward_ad: dual numbers by hand, in levels that nest; recorded, mapped and written in place."""

import numpy as np
import pytest

import gradkit
from gradkit.autograd import forward_ad as fw
from gradkit.func import vmap

X, V = np.array([0.3, 0.7, 1.1]), np.array([1.0, -2.0, 0.5])


def f(x):
    return x.sin() * x.exp()


def slope(x):
    return np.exp(x) * (np.sin(x) + np.cos(x))


def test_a_tangent_is_pushed_through():
    with fw.dual_level():
        primal, tangent = fw.unpack_dual(f(fw.make_dual(gradkit.tensor(X), gradkit.tensor(V))))
    np.testing.assert_allclose(primal.numpy(), np.sin(X) * np.exp(X))
    np.testing.assert_allclose(tangent.numpy(), slope(X) * V)


def test_levels_nest_and_do_not_mix():
    x, v = gradkit.tensor(X), gradkit.ones(3).double()
    with fw.dual_level() as outer:
        dual = fw.make_dual(x, v)
        with fw.dual_level() as inner:
            assert inner != outer
            y = f(fw.make_dual(dual, v))
            first = fw.unpack_dual(y).tangent
            second = fw.unpack_dual(first, level=outer).tangent
            assert fw.unpack_dual(dual).tangent is None
    np.testing.assert_allclose(fw.unpack_dual(first).primal.detach().array, slope(X))
    np.testing.assert_allclose(second.numpy(), 2 * np.exp(X) * np.cos(X))


def test_a_tangent_can_be_differentiated_backward():
    x = gradkit.tensor(X, requires_grad=True)
    with fw.dual_level():
        tangent = fw.unpack_dual((fw.make_dual(x, gradkit.tensor(V)) ** 3).sum()).tangent
    tangent.backward()
    np.testing.assert_allclose(x.grad.numpy(), 6 * X * V)


def test_an_outer_level_is_seen_inside_vmap():
    with fw.dual_level():
        y = vmap(lambda x: f(x).sum())(fw.make_dual(gradkit.tensor(X[:, None]), gradkit.tensor(V[:, None])))
        np.testing.assert_allclose(fw.unpack_dual(y).tangent.numpy(), slope(X) * V)


def test_writes_in_place_move_the_tangent_too():
    with fw.dual_level():
        x = fw.make_dual(gradkit.tensor(X), gradkit.tensor(V))
        y = x * 1
        y[:1] *= 3
        y.mul_(x)
        plain = gradkit.ones(3).double()
        plain.mul_(x)
        np.testing.assert_allclose(fw.unpack_dual(y).tangent.numpy(), np.array([6, 2, 2]) * X * V)
        np.testing.assert_allclose(fw.unpack_dual(plain).tangent.numpy(), V)


def test_outside_of_its_level_a_tangent_is_gone():
    with fw.dual_level():
        x = fw.make_dual(gradkit.tensor(X), gradkit.tensor(V))
    with fw.dual_level():
        assert fw.unpack_dual(x * 2).tangent is None
    assert fw.unpack_dual(x).tangent is None
    assert fw.unpack_dual(x.detach()).tangent is None


def test_a_level_is_closed_by_an_exception():
    with pytest.raises(RuntimeError), fw.dual_level():
        gradkit.ones(2) @ gradkit.ones(3)
    assert gradkit.engine.modes.lifted == 0 and not gradkit.engine.modes.local.duals


@pytest.mark.parametrize(("primal", "given"), [("float32", "float64"), ("float64", "float16"), ("complex64", "float64")])
def test_tangent_takes_the_dtype_of_its_primal(primal, given):
    """PyTorch keeps that of the tangent."""
    x, t = gradkit.tensor(X.astype(primal)), gradkit.tensor(V.astype(given), requires_grad=True)
    with fw.dual_level():
        moved = fw.unpack_dual(f(fw.make_dual(x, t))).tangent
    for found in (moved, gradkit.func.jvp(f, (x,), (t,))[1]):
        assert found.dtype == x.dtype
        np.testing.assert_allclose(found.detach().numpy(), slope(x.numpy()) * V, rtol=1e-5)
    (back,) = gradkit.autograd.grad(moved.real.sum() if moved.is_complex() else moved.sum(), t)
    assert back.dtype == t.dtype
    np.testing.assert_allclose(back.numpy(), slope(X), rtol=1e-3)


def inside(call):
    with fw.dual_level():
        return call()


BAD = {
    "outside": (lambda x: fw.make_dual(x, x), RuntimeError),
    "nothing to exit": (lambda x: fw.exit_dual_level(), RuntimeError),
    "shape": (lambda x: inside(lambda: fw.make_dual(x, gradkit.ones(4).double())), RuntimeError),
    "complex tangent": (lambda x: inside(lambda: fw.make_dual(x, x + 1j)), RuntimeError),
    "integer primal": (lambda x: inside(lambda: fw.make_dual(x.long(), x.long())), ValueError),
    "integer tangent": (lambda x: inside(lambda: fw.make_dual(x, x.long())), ValueError),
    "number": (lambda x: inside(lambda: fw.make_dual(x, 1.0)), TypeError),
    "twice": (lambda x: inside(lambda: fw.make_dual(fw.make_dual(x, x), x)), RuntimeError),
    "tangent of the level": (lambda x: inside(lambda: fw.make_dual(x, fw.make_dual(x, x))), RuntimeError),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_use_is_refused(name):
    call, kind = BAD[name]
    with pytest.raises(kind):
        call(gradkit.tensor(X))


@pytest.mark.cpu  # elsewhere the text names the device
@pytest.mark.filterwarnings("ignore:.torch.jit.script. is deprecated:DeprecationWarning")
@pytest.mark.parametrize("shape", [(), (1,), (2, 2)])
@pytest.mark.parametrize("requires_grad", [False, True])
def test_a_dual_tensor_shows_its_tangent(shape, requires_grad, torch):
    shown = []
    for lib in (torch, gradkit):
        with lib.autograd.forward_ad.dual_level():
            tangent = lib.full(shape, 2.0, requires_grad=requires_grad)
            shown.append(repr(lib.autograd.forward_ad.make_dual(lib.ones(shape), tangent)))
    assert shown[0] == shown[1] and "tangent=" in shown[1]


def test_tangents_of_several_levels_are_shown_by_level():
    with fw.dual_level() as outer, fw.dual_level() as inner:
        one, nil = gradkit.ones(1, device="cpu"), gradkit.zeros(1, device="cpu")
        both = fw.make_dual(fw.make_dual(one, nil, level=outer), one, level=inner)
        assert repr(both) == f"tensor([1.], tangent={{{outer}: tensor([0.]), {inner}: tensor([1.])}})"
