"""Memory shared by DLPack, in both directions."""

import numpy as np
import pytest

import gradkit
from gradkit.backend import probe
from gradkit.backend.protocol import backends
from gradkit.interop import dlpack


@pytest.mark.cpu  # NumPy and this PyTorch see no other memory
@pytest.mark.parametrize("dtype", ["uint8", "int32", "int64", "float16", "float32", "float64", "complex64"])
def test_numpy_reads_the_memory(dtype):
    t = gradkit.as_tensor(np.arange(6).reshape(2, 3).astype(dtype))
    a = np.from_dlpack(t)
    assert a.dtype == dtype
    assert np.shares_memory(a, t.numpy())


@pytest.mark.cpu  # NumPy and this PyTorch see no other memory
def test_number_of_no_axes_is_exported():
    t = gradkit.ones(2).sum()
    assert np.from_dlpack(t) == 2
    assert np.shares_memory(np.from_dlpack(t), t.numpy())


def test_memory_of_another_library_is_shared():
    a = np.zeros(3, "float32")
    gradkit.from_dlpack(a).add_(2)
    assert a.tolist() == [2, 2, 2]


@pytest.mark.cpu  # NumPy and this PyTorch see no other memory
def test_torch_shares_memory_both_ways(torch):
    ours = gradkit.zeros(3)
    torch.from_dlpack(ours).add_(1)
    assert ours.tolist() == [1, 1, 1]
    theirs = torch.zeros(3)
    gradkit.from_dlpack(theirs).add_(1)
    assert theirs.tolist() == [1, 1, 1]


def test_tensor_that_requires_grad_is_not_exported(torch):
    with pytest.raises(BufferError) as theirs:
        torch.ones(2, requires_grad=True).__dlpack__()
    with pytest.raises(BufferError) as ours:
        gradkit.ones(2, requires_grad=True).__dlpack__()
    assert str(ours.value) == str(theirs.value)


def test_tensor_inside_vmap_is_not_exported():
    with pytest.raises(BufferError, match="vmap"):
        gradkit.func.vmap(lambda x: np.from_dlpack(x) and x)(gradkit.ones(2, 3))


@pytest.mark.cpu  # NumPy and this PyTorch see no other memory
def test_keywords_of_the_standard_are_taken():
    t = gradkit.ones(2)
    copied = np.from_dlpack(t, copy=True)
    assert not np.shares_memory(copied, t.numpy())
    assert tuple(t.__dlpack_device__()) == (1, 0)


@pytest.mark.parametrize(("kind", "reason"), [(4, "DLPack type 4"), (2, "no CUDA device can be used")])
def test_foreign_device_is_refused(kind, reason, monkeypatch):
    monkeypatch.setattr(probe, "why_not", lambda: "there is none")
    monkeypatch.delitem(backends, "cuda", raising=False)

    class Foreign:
        def __dlpack__(self, **_keywords):
            raise AssertionError("its memory must not be asked for")

        def __dlpack_device__(self):
            return kind, 0

    with pytest.raises(BufferError, match=reason):
        gradkit.from_dlpack(Foreign())
    with pytest.raises(TypeError, match="expected an array with __dlpack__"):
        dlpack.from_dlpack([1.0])
