"""CuPy's arrays and functions beside Tensors."""

import numpy as np
import pytest

import gradkit


@pytest.fixture
def cupy(on_a_gpu):
    return pytest.importorskip("cupy")


@pytest.fixture
def x():
    return gradkit.tensor([1.0, 2.0], requires_grad=True)


def test_arrays_of_cupy_become_tensors_without_a_copy(cupy):
    a = cupy.zeros(3, np.float32)
    for t in (gradkit.as_tensor(a), gradkit.from_dlpack(a)):
        t.add_(1)
    assert a.tolist() == [2.0] * 3
    assert gradkit.tensor(a).data_ptr() != a.data.ptr


def test_cupy_functions_keep_the_history(cupy, x):
    a = cupy.asarray([3.0, 4.0], np.float32)
    for y, gradient in (
        (cupy.sin(x), np.cos([1, 2])),
        (a * x, [3, 4]),
        (x * a, [3, 4]),
        (a - x, [-1, -1]),
        (cupy.multiply(a, x), [3, 4]),
        (np.multiply(a, x), [3, 4]),
        (cupy.maximum(x, a), [0, 0]),
    ):
        np.testing.assert_allclose(gradkit.autograd.grad(y.sum(), x)[0].numpy(), gradient, rtol=1e-6)


def test_a_kernel_without_a_derivative_raises(cupy, x):
    kernel = cupy.ElementwiseKernel("float32 x", "float32 y", "y = x", "users_own")
    with pytest.raises(TypeError, match="users_own"):
        kernel(x)


def test_cupy_reads_a_tensor_only_where_no_history_is_lost(cupy, x):
    assert cupy.asarray(x.detach()).tolist() == [1.0, 2.0]
    assert cupy.from_dlpack(x.detach()).tolist() == [1.0, 2.0]
    assert not hasattr(x, "__cuda_array_interface__")
    with pytest.raises(TypeError):
        cupy.asarray(x)
    with pytest.raises(BufferError, match="require gradient"):
        cupy.from_dlpack(x)


def test_transforms_answer_cupy_arrays_in_kind(cupy):
    a = cupy.asarray([1.0, 2.0])
    g = gradkit.func.grad(lambda t: (t**3).sum())(a)
    assert isinstance(g, cupy.ndarray) and g.tolist() == [3.0, 12.0]
    h = gradkit.func.hessian(lambda t: (t**3).sum())(a)
    assert isinstance(h, cupy.ndarray) and h.tolist() == [[6.0, 0.0], [0.0, 12.0]]


def test_cupy_is_told_to_detach_what_requires_grad(cupy):
    x = gradkit.ones(2, device="cuda", requires_grad=True)
    with pytest.raises(TypeError, match=r"requires grad.*Use Tensor.detach\(\) for CuPy"):
        cupy.asarray(x)
    assert cupy.asarray(x.detach()).data.ptr == x.data_ptr()


#: What docs/gpu.md says of functions for which CuPy does not ask its operands.
UNASKED = {
    TypeError: ("matmul(x, a)", "concatenate([x, a])", "where(x)", "sum(x)", "dot(x, a)", "stack([x, x])", "asarray(x)", "cumsum(x)"),
    AttributeError: ("sort(x)", "zeros_like(x)", "copyto(a, x)"),
}


@pytest.mark.parametrize(("kind", "call"), [(kind, call) for kind, calls in UNASKED.items() for call in calls])
def test_functions_that_do_not_ask_raise_rather_than_lose_the_history(kind, call, cupy):
    with pytest.raises(kind):
        eval(f"cupy.{call}", {"cupy": cupy, "x": gradkit.ones(2, requires_grad=True), "a": cupy.ones(2)})
