"""Grad modes, anomaly mode, forward_ad, gradcheck and custom functions."""

import numpy as np
import pytest

import gradkit
from gradkit.autograd import Function, forward_ad, gradcheck, gradgradcheck


def leaf(*values):
    return gradkit.tensor(values, dtype=gradkit.float64, requires_grad=True)


# -- modes
def test_no_grad_as_context_decorator_and_generator():
    x = leaf(1.0)

    @gradkit.no_grad()
    def quiet():
        return (x * 2).requires_grad

    @gradkit.no_grad
    def bare():
        return (x * 2).requires_grad

    @gradkit.no_grad()
    def several():
        yield (x * 2).requires_grad
        yield (x * 2).requires_grad

    assert not quiet() and not bare()
    for found in several():
        assert not found and gradkit.is_grad_enabled()
    with gradkit.no_grad():
        with gradkit.enable_grad():
            assert (x * 2).requires_grad
        assert not (x * 2).requires_grad
    with gradkit.inference_mode():
        assert not (x * 2).requires_grad


def test_set_grad_enabled_at_once_and_for_a_while():
    x = leaf(1.0)
    with gradkit.set_grad_enabled(False):
        assert not (x * 2).requires_grad
    gradkit.set_grad_enabled(False)
    assert not (x * 2).requires_grad
    gradkit.set_grad_enabled(True)
    assert (x * 2).requires_grad


def test_modes_are_restored_after_an_exception():
    with pytest.raises(ZeroDivisionError), gradkit.no_grad():
        1 / 0  # noqa: B018
    assert gradkit.is_grad_enabled()


def test_anomaly_mode_names_the_operation_and_the_line():
    with gradkit.autograd.detect_anomaly():
        x = leaf(0.0)
        y = x.sqrt() * 0
        with pytest.raises(RuntimeError, match=r"SqrtBackward0.*nan values.*test_modes\.py:\d+, in test_anomaly"):
            y.sum().backward()


def test_second_walk_in_anomaly_mode_names_the_line():
    with gradkit.autograd.detect_anomaly():
        y = leaf(2.0).exp()
        y.backward()
        with pytest.raises(RuntimeError, match=r"made at .*test_modes\.py:\d+"):
            y.backward()


# -- forward mode
def test_dual_numbers_and_nested_levels():
    x = gradkit.tensor(3.0)
    with forward_ad.dual_level():
        d = forward_ad.make_dual(x, gradkit.tensor(1.0))
        y = d**3
        assert forward_ad.unpack_dual(y).tangent.item() == 27.0
        with forward_ad.dual_level():
            again = forward_ad.make_dual(d, gradkit.tensor(1.0))
            inner = forward_ad.unpack_dual(again**3).tangent
        assert forward_ad.unpack_dual(inner).tangent.item() == 18.0
    with pytest.raises(RuntimeError, match="outside of a level"):
        forward_ad.make_dual(x, x)


# -- checking derivatives
class Wrong(Function):
    """A cube with a wrong derivative."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x**3

    @staticmethod
    def backward(ctx, ct):
        (x,) = ctx.saved_tensors
        return ct * 2 * x * x


class Detached(Function):
    """A cube whose first derivative is right, and whose second is lost."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x**3

    @staticmethod
    def backward(ctx, ct):
        (x,) = ctx.saved_tensors
        return ct * 3 * x.detach() ** 2


@pytest.mark.parametrize("fast", [False, True])
def test_gradcheck_finds_a_wrong_derivative(fast):
    x = leaf(0.5, 1.5)
    assert gradcheck(lambda x: x**3, x, fast_mode=fast, check_forward_ad=True, check_batched_grad=True)
    with pytest.raises(gradkit.autograd.gradcheck.__globals__["GradcheckError"], match="Jacobian mismatch"):
        gradcheck(Wrong.apply, x, fast_mode=fast)
    assert not gradcheck(Wrong.apply, x, fast_mode=fast, raise_exception=False)


def test_gradgradcheck_finds_a_lost_second_derivative():
    x = leaf(0.5, 1.5)
    assert gradcheck(Detached.apply, x) and gradgradcheck(lambda x: x**3, x, check_fwd_over_rev=True)
    assert not gradgradcheck(Detached.apply, x, raise_exception=False)


def test_gradcheck_of_complex_functions():
    z = gradkit.tensor([1 + 2j, 0.5 - 1j], dtype=gradkit.complex128, requires_grad=True)
    assert gradcheck(lambda z: (z * z, z.abs(), z.conj() * z), z, check_forward_ad=True)


def test_gradcheck_never_passes_what_it_did_not_check(torch):
    for lib in (gradkit, torch):
        x = lib.ones(2, dtype=lib.float64, requires_grad=True)
        with pytest.raises(AssertionError, match="Expected at least one"):
            lib.autograd.gradcheck(lambda x: x**2, x, check_backward_ad=False)
        with pytest.raises(AttributeError, match="requires_grad"):
            lib.autograd.gradcheck(lambda x: x.sum().item(), x)


def test_gradcheck_without_an_input_to_check_raises():
    with pytest.raises(ValueError, match="at least one input tensor to require gradient"):
        gradcheck(lambda x: x, gradkit.ones(2))


# -- custom functions
class Cube(Function):
    generate_vmap_rule = True

    @staticmethod
    def forward(x):
        return x**3

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.save_for_backward(*inputs)
        ctx.save_for_forward(*inputs)

    @staticmethod
    def backward(ctx, ct):
        (x,) = ctx.saved_tensors
        return ct * 3 * x * x

    @staticmethod
    def jvp(ctx, x_t):
        (x,) = ctx.saved_tensors
        return x_t * 3 * x * x


def test_custom_function_in_every_mode():
    x = leaf(0.5, 1.5)
    assert gradcheck(Cube.apply, x, check_forward_ad=True) and gradgradcheck(Cube.apply, x)
    per_sample = gradkit.func.vmap(gradkit.func.grad(lambda x: Cube.apply(x)))(x.detach())
    np.testing.assert_allclose(per_sample.numpy(), 3 * x.detach().numpy() ** 2)


def test_custom_function_with_several_outputs_and_an_unused_one():
    class Both(Function):
        @staticmethod
        def forward(ctx, x, scale):
            ctx.scale = scale
            return x * scale, x * 2

        @staticmethod
        def backward(ctx, a_ct, b_ct):
            return a_ct * ctx.scale + b_ct * 2, None

    x = leaf(1.0)
    a, _ = Both.apply(x, 5.0)
    a.backward()
    assert x.grad.item() == 5.0


def test_custom_function_frees_what_it_saved():
    y = Cube.apply(leaf(2.0))
    y.backward()
    with pytest.raises(RuntimeError, match="CubeBackward"):
        y.backward()


def test_wrong_number_of_gradients_raises():
    class TooMany(Function):
        @staticmethod
        def forward(ctx, x):
            return x * 1

        @staticmethod
        def backward(ctx, ct):
            return ct, ct

    with pytest.raises(RuntimeError, match="incorrect number of gradients"):
        TooMany.apply(leaf(1.0)).backward()
