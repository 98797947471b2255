"""Convolution and its transposes: against PyTorch and the adjoint identity, in blocks of every size."""

import numpy as np
import pytest

from gradkit.backend.cpu import conv

# Spatial sizes and kernels.
SIZES = {1: [((9,), (3,)), ((40,), (1,))], 2: [((7, 9), (3, 2)), ((20, 17), (2, 3))], 3: [((5, 6, 7), (3, 2, 2))]}
CHANNELS = {"one group": (3, 4, 1), "two groups": (4, 6, 2), "depthwise": (3, 3, 3), "widening": (2, 9, 1)}
SPLITS = {"one block": (1 << 22, 256), "rows, own products": (400, 0), "images side by side": (3000, 10**9)}


@pytest.fixture(params=SPLITS)
def split(request, monkeypatch):
    size, own = SPLITS[request.param]
    monkeypatch.setattr(conv, "_BLOCK_BYTES", size)
    monkeypatch.setattr(conv, "_OWN_PRODUCT", own)


@pytest.mark.usefixtures("split")
@pytest.mark.parametrize("dilation", [1, 2])
@pytest.mark.parametrize("padding", [0, 2])
@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("channels", CHANNELS)
@pytest.mark.parametrize("ndim", SIZES)
def test_all_three_maps_are_those_of_torch(ndim, channels, stride, padding, dilation, torch):
    rng = np.random.default_rng(0)
    into, out, groups = CHANNELS[channels]
    convolution = getattr(torch.nn.functional, f"conv{ndim}d")
    for spatial, kernel in SIZES[ndim]:
        x, w = rng.standard_normal((3, into, *spatial)), rng.standard_normal((out, into // groups, *kernel))
        tx, tw = torch.tensor(x, requires_grad=True), torch.tensor(w, requires_grad=True)
        y = convolution(tx, tw, None, stride, padding, dilation, groups)
        ct = rng.standard_normal(y.shape)
        y.backward(torch.tensor(ct))
        how = (stride, padding, dilation, groups)
        np.testing.assert_allclose(conv.conv_forward(x, w, *how), y.detach().numpy(), atol=1e-12)
        np.testing.assert_allclose(conv.conv_input_ct(ct, w, x.shape, *how), tx.grad.numpy(), atol=1e-12)
        np.testing.assert_allclose(conv.conv_weight_ct(ct, x, w.shape, *how), tw.grad.numpy(), atol=1e-11)


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("padding", [[(2, 0), (1, 3)], [(-1, 2), (0, -2)]], ids=str)
def test_adjoint_identities_with_uneven_and_negative_padding(padding, stride):
    rng = np.random.default_rng(1)
    x, w = rng.standard_normal((2, 3, 9, 8)), rng.standard_normal((4, 3, 3, 2))
    y = conv.conv_forward(x, w, stride, padding)
    ct = rng.standard_normal(y.shape)
    inner = np.vdot(y, ct)
    assert np.vdot(x, conv.conv_input_ct(ct, w, x.shape, stride, padding)) == pytest.approx(inner, rel=1e-12)
    assert np.vdot(w, conv.conv_weight_ct(ct, x, w.shape, stride, padding)) == pytest.approx(inner, rel=1e-12)
    padded = np.pad(x, [(0, 0), (0, 0), *[(max(0, a), max(0, b)) for a, b in padding]])
    sizes = zip(padded.shape[2:], padding, strict=True)
    cut = padded[:, :, *[slice(max(0, -low), n - max(0, -high)) for n, (low, high) in sizes]]
    np.testing.assert_allclose(conv.conv_forward(cut, w, stride), y, atol=1e-12)


@pytest.mark.parametrize(("stride", "output_padding"), [(1, 0), (2, 1), (3, 2)])
def test_input_transpose_is_transposed_convolution(stride, output_padding, torch):
    rng = np.random.default_rng(2)
    ct, w = rng.standard_normal((2, 4, 6, 5)), rng.standard_normal((4, 3, 3, 3))
    expected = torch.nn.functional.conv_transpose2d(
        torch.tensor(ct), torch.tensor(w), stride=stride, padding=1, output_padding=output_padding
    ).numpy()
    np.testing.assert_allclose(conv.conv_input_ct(ct, w, expected.shape, stride, 1), expected, atol=1e-12)


@pytest.mark.parametrize("batch", [(), (2,), (2, 3)])
def test_any_number_of_batch_axes(batch):
    rng = np.random.default_rng(3)
    x, w = rng.standard_normal((*batch, 3, 6, 7)), rng.standard_normal((4, 3, 2, 2))
    y = conv.conv_forward(x, w, padding=1)
    assert y.shape == (*batch, 4, 7, 8)
    ct = rng.standard_normal(y.shape)
    singly = [conv.conv_forward(one, w, padding=1) for one in x.reshape(-1, 3, 6, 7)]
    np.testing.assert_allclose(y.reshape(-1, 4, 7, 8), singly, atol=1e-12)
    assert conv.conv_input_ct(ct, w, x.shape, padding=1).shape == x.shape
    total = sum(
        conv.conv_weight_ct(a, b, w.shape, padding=1)
        for a, b in zip(ct.reshape(-1, 4, 7, 8), x.reshape(-1, 3, 6, 7), strict=True)
    )
    np.testing.assert_allclose(conv.conv_weight_ct(ct, x, w.shape, padding=1), total, atol=1e-12)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.complex64, np.complex128])
def test_dtypes_are_kept(dtype):
    rng = np.random.default_rng(4)

    imaginary = 1j if np.dtype(dtype).kind == "c" else 0

    def values(*shape):
        return (rng.standard_normal(shape) + imaginary * rng.standard_normal(shape)).astype(dtype)

    x, w, ct = values(2, 3, 6, 6), values(4, 3, 3, 3), values(2, 4, 4, 4)
    wide = np.complex128 if dtype(0).dtype.kind == "c" else np.float64
    close = 100 * np.finfo(dtype).eps
    for function, arrays in (
        (conv.conv_forward, (x, w)),
        (lambda a, b: conv.conv_input_ct(a, b, x.shape), (ct, w)),
        (lambda a, b: conv.conv_weight_ct(a, b, w.shape), (ct, x)),
    ):
        result = function(*arrays)
        assert result.dtype == dtype and result.base is None
        np.testing.assert_allclose(result, function(*(a.astype(wide) for a in arrays)), rtol=close, atol=close)


def test_layouts():
    rng = np.random.default_rng(5)
    x, w, ct = rng.standard_normal((2, 3, 8, 8)), rng.standard_normal((4, 3, 3, 3)), rng.standard_normal((2, 4, 6, 6))
    images_last = np.ascontiguousarray(x.transpose(1, 2, 3, 0)).transpose(3, 0, 1, 2)
    backwards = np.ascontiguousarray(w[::-1, :, ::-1])[::-1, :, ::-1]
    np.testing.assert_allclose(conv.conv_forward(images_last, backwards), conv.conv_forward(x, w), atol=1e-12)
    one = np.broadcast_to(np.float64(1), ct.shape)  # as the cotangent of a sum
    np.testing.assert_allclose(
        conv.conv_input_ct(one, backwards, x.shape), conv.conv_input_ct(one.copy(), w, x.shape), atol=1e-12
    )
    np.testing.assert_allclose(
        conv.conv_weight_ct(one, images_last, w.shape), conv.conv_weight_ct(one.copy(), x, w.shape), atol=1e-12
    )


@pytest.mark.parametrize("shape", [(0, 3, 6, 6), (2, 0, 6, 6)])
def test_nothing_to_convolve(shape):
    w = np.ones((4, shape[1], 3, 3))
    y = conv.conv_forward(np.ones(shape), w)
    assert y.shape == (shape[0], 4, 4, 4) and not y.any()
    assert conv.conv_input_ct(y, w, shape).shape == shape
    assert not conv.conv_weight_ct(y, np.ones(shape), w.shape).any()


def test_what_does_not_fit_raises():
    x, w = np.ones((1, 4, 5, 5)), np.ones((6, 4, 3, 3))
    with pytest.raises(ValueError, match="larger than the padded input"):
        conv.conv_forward(x, w, dilation=3)
    with pytest.raises(ValueError, match="does not fit 4 input channels"):
        conv.conv_forward(x, w, groups=2)
    with pytest.raises(ValueError, match=r"has shape \(1, 6, 3, 3\), its cotangent \(1, 6, 4, 4\)"):
        conv.conv_input_ct(np.ones((1, 6, 4, 4)), w, x.shape)
    with pytest.raises(ValueError, match="no channel"):
        conv.conv_forward(np.ones((5, 5)), w)
