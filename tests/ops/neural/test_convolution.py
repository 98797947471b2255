"""Convolutions, their transposes and patches against PyTorch."""

import numpy as np
import pytest

import gradkit
from gradkit.func import vmap
from gradkit.nn import functional as F

SETTINGS = [
    {}, {"stride": 2}, {"padding": 1}, {"padding": (1, 2), "stride": (1, 2)}, {"dilation": 2, "padding": 2},
    {"padding": "same"}, {"padding": "valid"}, {"padding": "same", "dilation": 3}, {"padding": "same", "dilation": (1, 2)},
]  # fmt: skip


@pytest.mark.parametrize("params", SETTINGS, ids=str)
class TestConv2d:
    def test_of_a_batch(self, params, matches, rng):
        matches("conv2d", rng.normal(size=(2, 4, 7, 8)), rng.normal(size=(6, 4, 3, 2)), rng.normal(size=6), **params)

    def test_of_one_image(self, params, matches, rng):
        matches("conv2d", rng.normal(size=(4, 7, 8)), rng.normal(size=(6, 4, 3, 2)), rng.normal(size=6), **params)

    def test_in_groups(self, params, matches, rng):
        matches("conv2d", rng.normal(size=(2, 4, 7, 8)), rng.normal(size=(6, 2, 3, 2)), groups=2, **params)
        matches("conv2d", rng.normal(size=(2, 4, 7, 8)), rng.normal(size=(8, 1, 2, 3)), groups=4, **params)


@pytest.mark.parametrize(
    "params", [{}, {"stride": 2}, {"padding": 1}, {"dilation": 2, "padding": 2}, {"padding": "same"}, {"groups": 2}], ids=str
)
@pytest.mark.parametrize("kernel", [1, 3, 4])
def test_conv1d(kernel, params, matches, rng):
    w = rng.normal(size=(6, 4 // params.get("groups", 1), kernel))
    for shape in ((2, 4, 9), (4, 9)):
        matches("conv1d", rng.normal(size=shape), w, rng.normal(size=6), **params)


def test_conv3d(matches, rng):
    w, b = rng.normal(size=(3, 2, 2, 3, 2)), rng.normal(size=3)
    matches("conv3d", rng.normal(size=(2, 2, 4, 5, 6)), w, b, stride=(1, 2, 1), padding=1)
    matches("conv3d", rng.normal(size=(2, 4, 5, 6)), w, b)


TRANSPOSED = [
    {}, {"stride": 2}, {"stride": 2, "padding": 1, "output_padding": 1}, {"dilation": 2, "padding": 2},
    {"stride": (1, 2), "output_padding": (0, 1)}, {"output_padding": 1, "dilation": 2},
    {"output_padding": 2, "dilation": 3, "padding": 1}, {"stride": 2, "output_padding": 2, "dilation": 3, "padding": 1},
]  # fmt: skip


@pytest.mark.parametrize("params", TRANSPOSED, ids=str)
@pytest.mark.parametrize("groups", [1, 2])
def test_conv_transpose2d(groups, params, matches, rng):
    w, b = rng.normal(size=(4, 3, 3, 3)), rng.normal(size=3 * groups)
    for shape in ((2, 4, 5, 6), (4, 5, 6)):
        matches("conv_transpose2d", rng.normal(size=shape), w, b, groups=groups, **params)


def test_conv_transpose_over_one_and_three_axes(matches, rng):
    matches("conv_transpose1d", rng.normal(size=(2, 4, 5)), rng.normal(size=(4, 3, 3)), rng.normal(size=3), stride=2)
    matches("conv_transpose3d", rng.normal(size=(2, 2, 3, 3, 3)), rng.normal(size=(2, 3, 2, 2, 2)), stride=2)


def test_dtypes(matches, rng):
    x, w = rng.normal(size=(1, 2, 5, 5)), rng.normal(size=(3, 2, 3, 3))
    matches("conv2d", x.astype(np.float32), w.astype(np.float32), orders=1, rtol=1e-4, atol=1e-5)
    matches("conv2d", x.astype(np.float16), w.astype(np.float16), orders=1, rtol=2e-2, atol=2e-2)
    matches("conv2d", np.arange(50).reshape(1, 2, 5, 5), np.arange(54).reshape(3, 2, 3, 3))


def test_no_images(matches, rng):
    matches("conv2d", np.zeros((0, 3, 8, 8)), rng.normal(size=(4, 3, 3, 3)), orders=1)


@pytest.mark.parametrize("in_dims", [(0, None), (None, 0), (0, 0)])
def test_each_sample_with_its_own_kernel(in_dims):
    rng = np.random.default_rng(0)
    x = gradkit.tensor(rng.normal(size=(3, 2, 4, 7) if in_dims[0] == 0 else (2, 4, 7)))
    w = gradkit.tensor(rng.normal(size=(3, 5, 4, 2) if in_dims[1] == 0 else (5, 4, 2)))
    got = vmap(lambda x, w: F.conv1d(x, w, stride=2), in_dims)(x, w)
    pairs = [(x[i] if in_dims[0] == 0 else x, w[i] if in_dims[1] == 0 else w) for i in range(3)]
    want = np.stack([F.conv1d(a, b, stride=2).numpy() for a, b in pairs])
    np.testing.assert_allclose(got.numpy(), want, rtol=1e-12)


X, W = np.ones((2, 3, 8, 8)), np.ones((4, 3, 3, 3))


@pytest.mark.parametrize(
    ("operands", "params"),
    [
        ((X, np.ones((4, 2, 3, 3))), {}),
        ((X, W), {"groups": 2}),
        ((np.ones((2, 4, 8, 8)), np.ones((3, 2, 3, 3))), {"groups": 2}),
        ((X, W), {"groups": 0}),
        ((np.ones((8, 8)), W), {}),
        ((np.ones((1, 2, 3, 8, 8)), W), {}),
        ((X, np.ones((4, 3, 3))), {}),
        ((np.ones((2, 3, 2, 2)), W), {}),
        ((X, W, np.ones(3)), {}),
        ((X, W, np.ones((4, 1))), {}),
        ((X, W), {"stride": 0}),
        ((X, W), {"stride": (1, 2, 3)}),
        ((X, W), {"padding": -1}),
        ((X, W), {"dilation": 0}),
        ((X, W), {"padding": "half"}),
        ((X, W), {"padding": "same", "stride": 2}),
        ((X, W.astype(np.float32)), {}),
        ((X, W, np.ones(4, np.float32)), {}),
    ],
)
def test_errors(operands, params, refuses):
    refuses("conv2d", *operands, **params)


@pytest.mark.parametrize(
    ("operands", "params"),
    [
        ((X, W), {}),
        ((np.ones((2, 4, 8, 8)), W), {"output_padding": 1}),
        ((np.ones((2, 4, 8, 8)), W, np.ones(4)), {}),
        ((np.ones((2, 4, 1, 1)), W), {"padding": 2}),
    ],
)
def test_errors_of_transposed(operands, params, refuses):
    refuses("conv_transpose2d", *operands, **params)


def test_error_names_shapes():
    with pytest.raises(RuntimeError, match=r"weight of size \[4, 2, 3, 3\].*input\[2, 3, 8, 8\].*2 channels.*got 3"):
        F.conv2d(gradkit.ones(2, 3, 8, 8), gradkit.ones(4, 2, 3, 3))


def test_half_precision_is_added_up_in_float32():
    """Ones added in half precision stop at 2048."""
    x = gradkit.ones(1, 1, 6000, dtype=gradkit.float16, requires_grad=True)
    y = F.conv1d(x, gradkit.ones(1, 1, 3000, dtype=gradkit.float16))
    y.backward(gradkit.ones_like(y))
    assert x.grad.max().item() == 3000


# -- patches
PATCHES = [{}, {"stride": 2}, {"padding": 1}, {"dilation": 2}, {"dilation": (1, 2), "stride": (2, 1), "padding": (0, 1)}]


@pytest.mark.parametrize("params", PATCHES, ids=str)
@pytest.mark.parametrize("lead", [(2, 3), (3,)])
class TestPatches:
    def test_unfold(self, lead, params, matches, rng):
        matches("unfold", rng.normal(size=(*lead, 7, 8)), (3, 2), **params)

    def test_fold(self, lead, params, torch, matches, rng):
        shape = torch.nn.functional.unfold(torch.zeros(*lead, 7, 8), (3, 2), **params).shape
        matches("fold", rng.normal(size=tuple(shape)), (7, 8), (3, 2), **params)


def test_errors_of_fold(refuses):
    refuses("fold", np.ones((2, 26, 9)), 5, 3)
    refuses("fold", np.ones((2, 27, 8)), 5, 3)
