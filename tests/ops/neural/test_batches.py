"""Under vmap a function of nn.functional does what a loop over the samples does."""

import numpy as np
import pytest

import gradkit
from gradkit.func import grad, vmap
from gradkit.nn import functional as F

RNG = np.random.default_rng(3)
KERNEL, MASK = RNG.normal(size=(6, 4, 3, 3)), RNG.uniform(size=(4, 4)) > 0.4
CASES = {
    "conv2d": ((2, 4, 6, 5), lambda x: F.conv2d(x, gradkit.tensor(KERNEL), padding="same")),
    "conv_transpose2d": ((2, 6, 3, 3), lambda x: F.conv_transpose2d(x, gradkit.tensor(KERNEL), stride=2, output_padding=1)),
    "unfold": ((2, 4, 6, 5), lambda x: F.unfold(x, (2, 3), padding=1, dilation=2)),
    "fold": ((2, 8, 6), lambda x: F.fold(x, (3, 4), (2, 2))),
    "max_pool2d": ((2, 4, 6, 5), lambda x: F.max_pool2d(x, 2, padding=1)),
    "avg_pool2d": ((2, 4, 6, 5), lambda x: F.avg_pool2d(x, 2, padding=1, count_include_pad=False)),
    "adaptive_avg_pool2d": ((4, 6, 5), lambda x: F.adaptive_avg_pool2d(x, (4, 2))),
    "adaptive_max_pool2d": ((4, 6, 5), lambda x: F.adaptive_max_pool2d(x, (4, 2))),
    "interpolate nearest": ((2, 4, 6, 5), lambda x: F.interpolate(x, size=(4, 9))),
    "interpolate bicubic": ((2, 4, 6, 5), lambda x: F.interpolate(x, size=(4, 9), mode="bicubic")),
    "softmax": ((3, 4), lambda x: F.softmax(x, 0)),
    "log_softmax": ((4,), lambda x: F.log_softmax(x, 0)),
    "layer_norm": ((3, 2, 4), lambda x: F.layer_norm(x, (2, 4), gradkit.ones(2, 4, dtype=gradkit.float64))),
    "rms_norm": ((3, 4), lambda x: F.rms_norm(x, (4,))),
    "batch_norm": ((5, 3, 2), lambda x: F.batch_norm(x, None, None, training=True)),
    "instance_norm": ((2, 3, 5), lambda x: F.instance_norm(x)),
    "group_norm": ((2, 4, 5), lambda x: F.group_norm(x, 2)),
    "local_response_norm": ((2, 4, 5), lambda x: F.local_response_norm(x, 3)),
    "normalize": ((3, 4), lambda x: F.normalize(x)),
    "pairwise_distance": ((3, 4), lambda x: F.pairwise_distance(x, x[0])),
    "cosine_similarity": ((3, 4), lambda x: F.cosine_similarity(x, x[0], dim=-1)),
    "glu": ((3, 4), lambda x: F.glu(x, 1)),
    "pixel_shuffle": ((8, 3, 2), lambda x: F.pixel_shuffle(x, 2)),
    "pixel_unshuffle": ((2, 4, 6), lambda x: F.pixel_unshuffle(x, 2)),
    "channel_shuffle": ((2, 4, 3), lambda x: F.channel_shuffle(x, 2)),
    "bilinear": ((4,), lambda x: F.bilinear(x, x[:3], gradkit.tensor(KERNEL.reshape(-1, 4, 3)[:5]))),
    "attention": ((2, 4, 3), lambda x: F.scaled_dot_product_attention(x, x, x, gradkit.tensor(MASK))),
    "causal attention": ((2, 4, 3), lambda x: F.scaled_dot_product_attention(x, x, x, is_causal=True)),
    "cross_entropy": ((4, 5), lambda x: F.cross_entropy(x, gradkit.tensor([0, 1, -100, 4]))),
    "smoothed cross_entropy": ((4, 5), lambda x: F.cross_entropy(x, gradkit.tensor([0, 1, 2, 4]), label_smoothing=0.1)),
    "nll_loss": ((4, 5, 2), lambda x: F.nll_loss(x, gradkit.tensor([[0, 1], [1, 2], [3, 4], [0, 0]]))),
    "mse_loss": ((4, 5), lambda x: F.mse_loss(x, x[0].expand(4, 5))),
    "smooth_l1_loss": ((4,), lambda x: F.smooth_l1_loss(x, x * 0, reduction="none")),
    "binary_cross_entropy_with_logits": ((4,), lambda x: F.binary_cross_entropy_with_logits(x, x * 0)),
    "cosine_embedding_loss": ((2, 4), lambda x: F.cosine_embedding_loss(x, x * x, gradkit.tensor([1, -1]))),
    "triplet_margin_loss": ((2, 4), lambda x: F.triplet_margin_loss(x, x * x, x + 1)),
    "gaussian_nll_loss": ((4,), lambda x: F.gaussian_nll_loss(x, x * 0, x * x + 1)),
}


@pytest.mark.parametrize("name", CASES)
def test_equals_a_loop(name):
    shape, function = CASES[name]
    x = gradkit.tensor(RNG.normal(size=(3, *shape)))
    got = vmap(function)(x).numpy()
    np.testing.assert_allclose(got, np.stack([function(x[i]).numpy() for i in range(3)]), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", CASES)
def test_gradients_of_each_sample(name):
    shape, function = CASES[name]
    x = gradkit.tensor(RNG.normal(size=(3, *shape)))
    of_one = grad(lambda x: (function(x) * function(x)).sum())
    got = vmap(of_one)(x).numpy()
    np.testing.assert_allclose(got, np.stack([of_one(x[i]).numpy() for i in range(3)]), rtol=1e-8, atol=1e-11)
