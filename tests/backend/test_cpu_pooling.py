"""Pooling: values, indices with ties and NaN, and the transposes, against PyTorch and the adjoint identity."""

import numpy as np
import pytest

from gradkit.backend.cpu import pooling

SIZES = {1: [(9,), (40,)], 2: [(7, 9), (20, 17)], 3: [(5, 6, 7)]}
KERNELS = {1: [(1,), (2,), (3,)], 2: [(2, 2), (3, 2)], 3: [(3, 2, 2)]}


@pytest.fixture(params=[500, 1 << 18], ids=["small blocks", "one block"], autouse=True)
def block(request, monkeypatch):
    monkeypatch.setattr(pooling, "_BLOCK_BYTES", request.param)


def images(kind, shape):
    rng = np.random.default_rng(0)
    x = rng.standard_normal(shape)
    if kind == "ties":
        x = np.floor(x)
    if kind == "infinities":
        x[rng.random(shape) < 0.6] = -np.inf
    if kind == "nan":
        x[rng.random(shape) < 0.2] = np.nan
    return x


def settings(ndim):
    for spatial in SIZES[ndim]:
        for kernel in KERNELS[ndim]:
            for padding in (0, 1):
                if 2 * padding <= min(kernel):
                    yield spatial, kernel, padding


@pytest.mark.parametrize("kind", ["plain", "ties", "infinities", "nan"])
@pytest.mark.parametrize("dilation", [1, 2])
@pytest.mark.parametrize("ceil_mode", [False, True])
@pytest.mark.parametrize("stride", [None, 1, 2, 3])
@pytest.mark.parametrize("ndim", SIZES)
def test_max_pool_is_that_of_torch(ndim, stride, ceil_mode, dilation, kind, torch):
    for spatial, kernel, padding in settings(ndim):
        x = images(kind, (2, 3, *spatial))
        how = (kernel, stride, padding, dilation, ceil_mode)
        pool = getattr(torch.nn.functional, f"max_pool{ndim}d")
        values, indices = pool(torch.tensor(x), *how, return_indices=True)
        np.testing.assert_array_equal(pooling.max_pool(x, *how), values.numpy())
        np.testing.assert_array_equal(pooling.max_pool_indices(x, *how), indices.numpy(), strict=True)


@pytest.mark.parametrize("divisor", [None, 5])
@pytest.mark.parametrize("include", [False, True])
@pytest.mark.parametrize("ceil_mode", [False, True])
@pytest.mark.parametrize("stride", [None, 1, 2, 3])
@pytest.mark.parametrize("ndim", SIZES)
def test_avg_pool_is_that_of_torch(ndim, stride, ceil_mode, include, divisor, torch):
    if ndim == 1:
        divisor = None  # PyTorch has no such argument there
    for spatial, kernel, padding in settings(ndim):
        x = images("plain", (2, 3, *spatial))
        tx = torch.tensor(x, requires_grad=True)
        pool = getattr(torch.nn.functional, f"avg_pool{ndim}d")
        y = pool(tx, kernel, stride, padding, ceil_mode, include, *([] if ndim == 1 else [divisor]))
        ct = np.random.default_rng(2).standard_normal(y.shape)
        y.backward(torch.tensor(ct))
        how = (kernel, stride, padding, ceil_mode, include, divisor)
        np.testing.assert_allclose(pooling.avg_pool(x, *how), y.detach().numpy(), rtol=1e-13, atol=1e-15)
        np.testing.assert_allclose(pooling.avg_pool_ct(ct, spatial, *how), tx.grad.numpy(), rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize("stride", [1, 2, 3])
def test_adjoint_identity_of_the_mean(stride):
    rng = np.random.default_rng(3)
    x = rng.standard_normal((4, 11, 10))
    how = ((3, 2), stride, (1, 0))
    y = pooling.avg_pool(x, *how)
    ct = rng.standard_normal(y.shape)
    assert np.vdot(y, ct) == pytest.approx(np.vdot(x, pooling.avg_pool_ct(ct, (11, 10), *how)), rel=1e-12)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.int32, np.uint8])
@pytest.mark.parametrize("batch", [(), (3,), (2, 3), (0, 3)])
def test_dtypes_batches_and_layouts(dtype, batch):
    x = (50 * np.random.default_rng(4).random((*batch, 9, 10))).astype(dtype)
    y, indices = pooling.max_pool(x, (2, 3)), pooling.max_pool_indices(x, (2, 3))
    assert y.dtype == dtype and indices.dtype == np.int64 and y.shape == indices.shape == (*batch, 4, 3)
    assert y.base is None and indices.base is None
    flat = x.reshape(*batch, 90)
    np.testing.assert_array_equal(np.take_along_axis(flat, indices.reshape(*batch, 12), -1).reshape(y.shape), y)
    turned = np.ascontiguousarray(x[..., ::-1, ::-1])[..., ::-1, ::-1]
    for a, b in zip([pool(turned, (2, 3)) for pool in (pooling.max_pool, pooling.max_pool_indices)], (y, indices), strict=True):
        np.testing.assert_array_equal(a, b)
    if np.dtype(dtype).kind == "f":
        mean = pooling.avg_pool(turned, (2, 3))
        assert mean.dtype == dtype and mean.base is None
        expected = x[..., :8, :9].astype(float).reshape(*batch, 4, 2, 3, 3).mean((-3, -1))
        np.testing.assert_allclose(mean, expected, rtol=2 * np.finfo(dtype).eps)


def test_a_kernel_of_more_places_than_a_byte_counts():
    x = np.random.default_rng(5).standard_normal((1, 40, 40))
    indices = pooling.max_pool_indices(x, (20, 20))
    corner = np.unravel_index(np.argmax(x[0, 20:, :20]), (20, 20))
    assert indices[0, 1, 0] == (corner[0] + 20) * 40 + corner[1]


def test_what_does_not_fit_raises():
    with pytest.raises(ValueError, match="at most half"):
        pooling.max_pool(np.ones((1, 8)), (2,), padding=2)
    with pytest.raises(ValueError, match="larger than the padded input"):
        pooling.avg_pool(np.ones((1, 2)), (3,))
