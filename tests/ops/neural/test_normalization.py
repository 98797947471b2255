"""Softmax and normalisation against PyTorch."""

import numpy as np
import pytest

import gradkit
from gradkit.func import vmap
from gradkit.nn import functional as F


def positive(rng, *shape):
    return rng.uniform(0.2, 2, shape)


# -- softmax
@pytest.mark.parametrize("name", ["softmax", "log_softmax", "softmin"])
class TestSoftmax:
    @pytest.mark.parametrize("dim", [0, 1, -1])
    def test_along_an_axis(self, name, dim, matches, rng):
        matches(name, rng.normal(size=(3, 4)), dim)

    @pytest.mark.parametrize("shape", [(3,), (3, 4), (3, 4, 2), (2, 3, 4, 2)])
    def test_implicit_axis(self, name, shape, matches, rng):
        matches(name, rng.normal(size=shape))
        with pytest.warns(UserWarning, match="dim=X"):
            getattr(F, name)(gradkit.ones(*shape))

    def test_one_element(self, name, matches):
        matches(name, np.array(1.0), 0)

    def test_no_elements(self, name, matches):
        matches(name, np.zeros((2, 0)), 1, orders=1)
        matches(name, np.zeros((0, 2)), 1, orders=1)

    def test_errors(self, name, refuses):
        refuses(name, np.ones((2, 3)), 2)
        refuses(name, np.array(1.0), 3)
        refuses(name, np.array([1, 2]), 0)


def test_softmax_converts_first(torch):
    x = [1, 2, 3]
    got = F.softmax(gradkit.tensor(x), 0, dtype=gradkit.float64)
    want = torch.nn.functional.softmax(torch.tensor(x), 0, dtype=torch.float64)
    assert got.dtype == np.float64
    np.testing.assert_allclose(got.numpy(), want.numpy(), rtol=1e-12)


def test_softmax_takes_axis_for_dim():
    x = gradkit.tensor([[1.0, 2.0], [3.0, 5.0]])
    assert gradkit.softmax(x, axis=0).tolist() == x.softmax(0).tolist()


@pytest.mark.parametrize("shape", [(3, 5), (300, 70)])
def test_large_and_small_logits(shape, matches, rng):
    for scale in (1.0, 400.0):
        matches("softmax", rng.normal(size=shape) * scale, -1)
        matches("log_softmax", rng.normal(size=shape) * scale, -1, rtol=1e-6)


# -- over the last axes
@pytest.mark.parametrize(
    ("shape", "last"), [((4,), 1), ((2, 4), 1), ((2, 4), 2), ((3, 2, 4), 2), ((40, 250, 4), 1), ((40, 250, 4), 2), ((1, 4), 1)]
)
class TestOverLastAxes:
    def test_layer_norm(self, shape, last, matches, rng):
        over = shape[-last:]
        x, w, b = rng.normal(size=shape), positive(rng, *over), rng.normal(size=over)
        for affine, orders in (((), 2), ((w, b), 2), ((w,), 1), ((None, b), 1)):  # PyTorch fails at the others' order 2
            matches("layer_norm", x, over, *affine, atol=1e-7, rtol=1e-6, orders=orders)

    def test_rms_norm(self, shape, last, matches, rng):
        x, w = rng.normal(size=shape), positive(rng, *shape[-last:])
        matches("rms_norm", x, shape[-last:])
        matches("rms_norm", x, shape[-last:], w, eps=0.1)


@pytest.mark.parametrize("offset", [0.0, 10.0, 3000.0])
def test_layer_norm_far_from_zero(offset, matches, rng):
    x = (rng.normal(size=(300, 40)) + offset).astype(np.float32)
    tolerance = 3e-5 if offset < 100 else 3e-3
    matches("layer_norm", x, (40,), positive(rng, 40).astype(np.float32), orders=1, rtol=tolerance, atol=tolerance * 10)


def test_layer_norm_of_halves(matches, rng):
    x, w, b = [rng.normal(size=s).astype(np.float16) for s in ((4, 6), (6,), (6,))]
    matches("layer_norm", x, (6,), w, b, orders=1, rtol=1e-2, atol=1e-2)


def test_layer_norm_of_no_rows(matches, rng):
    matches("layer_norm", np.zeros((0, 4)), (4,), positive(rng, 4), rng.normal(size=4), orders=1)


def test_layer_norm_with_weights_of_each_sample():
    rng = np.random.default_rng(0)
    x, w, b = [gradkit.tensor(rng.normal(size=s)) for s in ((3, 2, 4), (3, 4), (3, 4))]
    got = vmap(lambda x, w, b: F.layer_norm(x, (4,), w, b))(x, w, b)
    want = np.stack([F.layer_norm(x[i], (4,), w[i], b[i]).numpy() for i in range(3)])
    np.testing.assert_allclose(got.numpy(), want, rtol=1e-12)


@pytest.mark.parametrize(
    ("name", "operands"),
    [
        ("layer_norm", (np.ones((2, 3)), (4,))),
        ("layer_norm", (np.ones((2, 3)), (3,), np.ones(4))),
        ("layer_norm", (np.ones((2, 3)), (3,), np.ones(3), np.ones(4))),
        ("layer_norm", (np.ones((2, 3)), 3)),
        ("layer_norm", (np.ones((2, 3)), ())),
        ("layer_norm", (np.ones((2, 3), np.int64), (3,))),
        ("layer_norm", (np.ones((2, 3)), (3,), np.ones(3, np.float32))),
        ("rms_norm", (np.ones((2, 3)), (4,))),
        ("group_norm", (np.ones((2, 4, 3)), 3)),
        ("group_norm", (np.ones((2, 4, 3)), 2, np.ones(3))),
        ("group_norm", (np.ones(2), 2)),
        ("group_norm", (np.ones((1, 4)), 4)),
        ("instance_norm", (np.ones((2, 3, 1)),)),
        ("instance_norm", (np.ones((2, 3)),)),
        ("instance_norm", (np.ones((2, 3, 4)), None, None, None, None, False)),
        ("batch_norm", (np.ones((1, 3)), None, None, None, None, True)),
        ("batch_norm", (np.ones((2, 3)), None, None)),
        ("batch_norm", (np.ones((2, 3)), [0.0, 0.0], [1.0, 1.0])),
        ("batch_norm", (np.ones((2, 3)), [0.0] * 3, [1.0] * 3, np.ones(2))),
        ("batch_norm", (np.ones((2, 3), np.int64), [0.0] * 3, [1.0] * 3)),
        ("local_response_norm", (np.ones((2, 3)), 2)),
        ("normalize", (np.ones(3),)),
    ],
)
def test_errors(name, operands, refuses):
    refuses(name, *operands)


# -- by channels
@pytest.mark.parametrize("shape", [(4, 3), (4, 3, 2), (4, 3, 2, 2), (40, 3, 20, 7)])
class TestBatchNorm:
    def test_by_the_batch(self, shape, matches, rng):
        x, w, b = rng.normal(size=shape), positive(rng, 3), rng.normal(size=3)
        for affine in ((), (w,), (w, b)):
            matches("batch_norm", x, None, None, *affine, training=True, rtol=1e-6, atol=1e-7)

    def test_by_running_statistics(self, shape, matches, rng):
        x, w, b = rng.normal(size=shape), positive(rng, 3), rng.normal(size=3)
        for affine in ((), (w,), (w, b)):
            matches("batch_norm", x, [0.5, -1.0, 2.0], [0.3, 1.0, 4.0], *affine)

    def test_moves_running_statistics(self, shape, torch, rng):
        x = rng.normal(size=shape)
        moved = []
        for library in (gradkit, torch):
            mean, var = library.tensor(np.array([0.5, -1.0, 2.0])), library.tensor(np.array([0.3, 1.0, 4.0]))
            library.nn.functional.batch_norm(library.tensor(x), mean, var, training=True, momentum=0.3)
            moved.append((mean.numpy(), var.numpy()))
        np.testing.assert_allclose(moved[0], moved[1], rtol=1e-9)


@pytest.mark.parametrize("offset", [10.0, 3000.0])
def test_batch_norm_far_from_zero(offset, matches, rng):
    x = (rng.normal(size=(20, 3, 7)) + offset).astype(np.float32)
    tolerance = 3e-5 if offset < 100 else 3e-3
    matches("batch_norm", x, None, None, training=True, orders=1, rtol=tolerance, atol=tolerance * 10)


def test_running_statistics_are_a_recorded_write():
    mean, var = gradkit.zeros(3), gradkit.ones(3)
    F.batch_norm(gradkit.randn(4, 3), mean, var, training=True)
    assert mean._version == 1
    assert var._version == 1


def test_running_statistics_cannot_be_shared_by_samples():
    x, mean, var = gradkit.randn(2, 4, 3), gradkit.zeros(3), gradkit.ones(3)
    with pytest.raises(RuntimeError, match="running_mean and running_var"):
        vmap(lambda x: F.batch_norm(x, mean, var, training=True))(x)


@pytest.mark.parametrize("shape", [(3, 4, 5), (2, 4, 2, 3)])
class TestBySample:
    def test_instance_norm(self, shape, matches, rng):
        x, w, b = rng.normal(size=shape), positive(rng, 4), rng.normal(size=4)
        matches("instance_norm", x, rtol=1e-6, atol=1e-7)
        matches("instance_norm", x, None, None, w, b, rtol=1e-6, atol=1e-7)
        matches("instance_norm", x, [0.5, -1.0, 2.0, 0.0], [0.3, 1.0, 4.0, 1.0], w, b, False)

    def test_instance_norm_moves_running_statistics(self, shape, torch, rng):
        x = rng.normal(size=shape)
        moved = []
        for library in (gradkit, torch):
            mean, var = library.zeros(4, dtype=library.float64), library.ones(4, dtype=library.float64)
            library.nn.functional.instance_norm(library.tensor(x), mean, var, momentum=0.3)
            moved.append((mean.numpy(), var.numpy()))
        np.testing.assert_allclose(moved[0], moved[1], rtol=1e-9)

    def test_group_norm(self, shape, matches, rng):
        x, w, b = rng.normal(size=shape), positive(rng, 4), rng.normal(size=4)
        for groups in (1, 2, 4):
            matches("group_norm", x, groups, rtol=1e-6, atol=1e-7)
            matches("group_norm", x, groups, w, b, rtol=1e-6, atol=1e-7)

    def test_local_response_norm(self, shape, matches, rng):
        matches("local_response_norm", rng.normal(size=shape), 2)
        matches("local_response_norm", rng.normal(size=shape), 3, alpha=0.1, beta=0.5, k=2.0)


# -- vectors
@pytest.mark.parametrize("p", [1.0, 2.0, 3.0, float("inf")])
def test_normalize(p, matches, rng):
    for dim in (0, 1, -1):
        matches("normalize", rng.normal(size=(3, 4)), p=p, dim=dim)
    matches("normalize", np.zeros((2, 3)), p=p, orders=1)


@pytest.mark.parametrize("p", [1.0, 2.0, 2.5, float("inf")])
@pytest.mark.parametrize("keepdim", [False, True])
def test_pairwise_distance(p, keepdim, matches, rng):
    matches("pairwise_distance", rng.normal(size=(3, 4)), rng.normal(size=(3, 4)), p, keepdim=keepdim)
    matches("pairwise_distance", rng.normal(size=(3, 4)), rng.normal(size=4), p, keepdim=keepdim)


def test_cosine_similarity(matches, rng):
    x, y = rng.normal(size=(2, 3, 4))
    for dim in (0, 1, -1):
        matches("cosine_similarity", x, y, dim)
    matches("cosine_similarity", x, y[0], dim=-1)
    matches("cosine_similarity", np.zeros((3, 4)), y, orders=1)


def test_cosine_similarity_of_integers(refuses):
    refuses("cosine_similarity", np.ones((2, 2), np.int64), np.ones((2, 2), np.int64))
    refuses("cosine_similarity", np.ones(3), np.ones(3))


@pytest.mark.parametrize("dtype", ["float16", "float32"])
@pytest.mark.parametrize(
    "norm",
    [
        lambda x: F.layer_norm(x, (4,)),
        lambda x: F.layer_norm(x.mT, (3,)),
        lambda x: F.group_norm(x, 1),
        lambda x: F.instance_norm(x),
        lambda x: F.batch_norm(x, None, None, training=True),
    ],
)
def test_sums_that_are_constant_have_no_gradient(norm, dtype, rng):
    """Half precision is rounded once, at the end, so that what cancels cancels."""
    x = gradkit.tensor(rng.normal(size=(2, 3, 4)) * 2, dtype=getattr(gradkit, dtype), requires_grad=True)
    norm(x).sum().backward()
    assert x.grad.dtype == x.dtype and abs(x.grad).max().item() < 2e-6


def test_rms_norm_of_half_precision_takes_the_epsilon_of_float32(torch):
    results = [m.nn.functional.rms_norm(m.full((4,), 0.01, dtype=m.float16), (4,)).tolist() for m in (gradkit, torch)]
    assert results[0] == results[1]
