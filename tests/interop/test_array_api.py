"""The Array API standard, 2024.12: the names it asks for, and code written against a namespace."""

import numpy as np
import pytest

import gradkit

STANDARD = """
abs acos acosh add all any arange argmax argmin argsort asarray asin asinh astype atan atan2 atanh bitwise_and
bitwise_invert bitwise_left_shift bitwise_or bitwise_right_shift bitwise_xor bool broadcast_arrays broadcast_to
can_cast ceil clip complex128 complex64 concat conj copysign cos cosh count_nonzero cumulative_prod cumulative_sum
diff divide e empty empty_like equal exp expand_dims expm1 eye finfo flip float32 float64 floor floor_divide
from_dlpack full full_like greater greater_equal hypot iinfo imag inf int16 int32 int64 int8 isdtype isfinite isin
isinf isnan less less_equal linspace log log10 log1p log2 logaddexp logical_and logical_not logical_or logical_xor
matmul matrix_transpose max maximum mean meshgrid min minimum moveaxis multiply nan negative newaxis nextafter
nonzero not_equal ones ones_like permute_dims pi positive pow prod real reciprocal remainder repeat reshape
result_type roll round searchsorted sign signbit sin sinh sort sqrt square squeeze stack std subtract sum take
take_along_axis tan tanh tensordot tile tril triu trunc uint16 uint32 uint64 uint8 unique_all unique_counts
unique_inverse unique_values unstack var vecdot where zeros zeros_like __array_namespace_info__ linalg fft
"""
LINALG = """
cholesky cross det diagonal eigh eigvalsh inv matmul matrix_norm matrix_power matrix_rank matrix_transpose outer
pinv qr slogdet solve svd svdvals tensordot trace vecdot vector_norm
"""
ATTRIBUTES = """
dtype device mT ndim shape size T __abs__ __add__ __and__ __array_namespace__ __bool__ __complex__ __dlpack__
__dlpack_device__ __eq__ __float__ __floordiv__ __ge__ __getitem__ __gt__ __iadd__ __iand__ __ifloordiv__
__ilshift__ __imod__ __imul__ __index__ __int__ __invert__ __ior__ __ipow__ __irshift__ __isub__ __itruediv__
__ixor__ __le__ __lshift__ __lt__ __matmul__ __mod__ __mul__ __ne__ __neg__ __or__ __pos__ __pow__ __radd__ __rand__
__rfloordiv__ __rlshift__ __rmatmul__ __rmod__ __rmul__ __ror__ __rpow__ __rrshift__ __rshift__ __rsub__
__rtruediv__ __rxor__ __setitem__ __sub__ __truediv__ __xor__ to_device
"""


@pytest.mark.parametrize("name", STANDARD.split())
def test_namespace_has(name):
    assert hasattr(gradkit.ones(1).__array_namespace__(), name)


@pytest.mark.parametrize("name", LINALG.split())
def test_linalg_has(name):
    assert hasattr(gradkit.ones(1).__array_namespace__().linalg, name)


@pytest.mark.parametrize("name", ATTRIBUTES.split())
def test_tensor_has(name):
    assert hasattr(gradkit.ones(1, 1), name)


def test_version_is_asked_for():
    t = gradkit.ones(1)
    assert t.__array_namespace__(api_version="2023.12") is t.__array_namespace__()
    with pytest.raises(ValueError, match=r"not '1999\.01'"):
        t.__array_namespace__(api_version="1999.01")


def test_program_written_against_a_namespace_has_a_gradient():
    def softmax(x, axis):
        xp = x.__array_namespace__()
        shifted = xp.exp(x - xp.max(x, axis=axis, keepdims=True))
        return shifted / xp.sum(shifted, axis=axis, keepdims=True)

    a = np.random.default_rng(0).standard_normal((3, 4))
    x = gradkit.tensor(a, requires_grad=True)
    y = softmax(x, 1)
    np.testing.assert_allclose(y.detach().numpy(), softmax(a, 1))
    (y * y).sum().backward()
    p = y.detach().numpy()
    np.testing.assert_allclose(x.grad.numpy(), p * (2 * p - 2 * (p * p).sum(1, keepdims=True)), atol=1e-15)


def test_creation_takes_a_device():
    xp, x = gradkit.ones(1).__array_namespace__(), gradkit.ones(2)
    assert xp.zeros(2, device=x.device).device == x.device
    assert x.to_device(x.device) is x
    assert xp.__array_namespace_info__().default_device() == x.device


def test_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no_such_name"):
        gradkit.ones(1).__array_namespace__().no_such_name  # noqa: B018
