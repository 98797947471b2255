"""The functions behind the layers, under the names PyTorch gives them: `gradkit.nn.functional`."""

from collections.abc import Callable
from typing import Any

from gradkit.engine.naming import named
from gradkit.engine.tensor import Tensor
from gradkit.ops.activation import (
    celu,
    elu,
    gelu,
    hardshrink,
    hardsigmoid,
    hardswish,
    hardtanh,
    leaky_relu,
    logsigmoid,
    mish,
    prelu,
    relu,
    relu6,
    selu,
    sigmoid,
    silu,
    softplus,
    softshrink,
    softsign,
    tanh,
    tanhshrink,
    threshold,
)
from gradkit.ops.alignment import ctc_loss
from gradkit.ops.attention import scaled_dot_product_attention
from gradkit.ops.classification import binary_cross_entropy, binary_cross_entropy_with_logits, cross_entropy, nll_loss
from gradkit.ops.convolution import conv1d, conv2d, conv3d, conv_transpose1d, conv_transpose2d, conv_transpose3d, fold, unfold
from gradkit.ops.distance import cosine_similarity, normalize, pairwise_distance, pdist
from gradkit.ops.dropout import alpha_dropout, dropout, dropout1d, dropout2d, dropout3d, feature_alpha_dropout
from gradkit.ops.embedding import embedding, embedding_bag
from gradkit.ops.grids import affine_grid, grid_sample
from gradkit.ops.losses import (
    cosine_embedding_loss,
    gaussian_nll_loss,
    hinge_embedding_loss,
    huber_loss,
    kl_div,
    l1_loss,
    margin_ranking_loss,
    mse_loss,
    poisson_nll_loss,
    smooth_l1_loss,
    soft_margin_loss,
)
from gradkit.ops.margins import (
    multi_margin_loss,
    multilabel_margin_loss,
    multilabel_soft_margin_loss,
    triplet_margin_loss,
    triplet_margin_with_distance_loss,
)
from gradkit.ops.neural import bilinear, channel_shuffle, glu, linear, pixel_shuffle, pixel_unshuffle
from gradkit.ops.normalization import (
    batch_norm,
    group_norm,
    instance_norm,
    layer_norm,
    local_response_norm,
    log_softmax,
    rms_norm,
    softmax,
    softmin,
)
from gradkit.ops.padding import pad
from gradkit.ops.pooling import (
    adaptive_avg_pool1d,
    adaptive_avg_pool2d,
    adaptive_avg_pool3d,
    adaptive_max_pool1d,
    adaptive_max_pool2d,
    avg_pool1d,
    avg_pool2d,
    avg_pool3d,
    max_pool1d,
    max_pool2d,
    max_pool3d,
)
from gradkit.ops.resampling import interpolate, upsample
from gradkit.ops.sampling import gumbel_softmax, rrelu
from gradkit.ops.sorting import one_hot
from gradkit.ops.unpooling import lp_pool1d, lp_pool2d, max_unpool1d, max_unpool2d, max_unpool3d


def _writing(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """The form of an activation that writes into its input."""

    def call(input: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        return function(input, *args, **kwargs, inplace=True)

    name = function.__name__
    more = ", 0.5, 0.0" if function is threshold else ""
    return named(call, f"{name}_", f"""`{name}` written into `input`; returns it.

    >>> x = gradkit.tensor([-1.0, 2.0])
    >>> F.{name}_(x{more}) is x
    True
    """)


celu_, elu_, hardtanh_, leaky_relu_ = [_writing(function) for function in (celu, elu, hardtanh, leaky_relu)]
relu_, rrelu_, selu_, threshold_ = [_writing(function) for function in (relu, rrelu, selu, threshold)]

__all__ = [
    "adaptive_avg_pool1d", "adaptive_avg_pool2d", "adaptive_avg_pool3d", "adaptive_max_pool1d", "adaptive_max_pool2d",
    "affine_grid", "alpha_dropout", "avg_pool1d", "avg_pool2d", "avg_pool3d", "batch_norm", "bilinear", "binary_cross_entropy",
    "binary_cross_entropy_with_logits", "celu", "celu_", "channel_shuffle", "conv1d", "conv2d", "conv3d", "conv_transpose1d",
    "conv_transpose2d", "conv_transpose3d", "cosine_embedding_loss", "cosine_similarity", "cross_entropy", "ctc_loss", "dropout",
    "dropout1d", "dropout2d", "dropout3d", "elu", "elu_", "embedding", "embedding_bag", "feature_alpha_dropout", "fold",
    "gaussian_nll_loss", "gelu", "glu", "grid_sample", "group_norm", "gumbel_softmax", "hardshrink", "hardsigmoid", "hardswish",
    "hardtanh", "hardtanh_", "hinge_embedding_loss", "huber_loss", "instance_norm", "interpolate", "kl_div", "l1_loss",
    "layer_norm", "leaky_relu", "leaky_relu_", "linear", "local_response_norm", "log_softmax", "logsigmoid", "lp_pool1d",
    "lp_pool2d", "margin_ranking_loss", "max_pool1d", "max_pool2d", "max_pool3d", "max_unpool1d", "max_unpool2d", "max_unpool3d",
    "mish", "mse_loss", "multi_margin_loss", "multilabel_margin_loss", "multilabel_soft_margin_loss", "nll_loss", "normalize",
    "one_hot", "pad", "pairwise_distance", "pdist", "pixel_shuffle", "pixel_unshuffle", "poisson_nll_loss", "prelu", "relu",
    "relu6", "relu_", "rms_norm", "rrelu", "rrelu_", "scaled_dot_product_attention", "selu", "selu_", "sigmoid", "silu",
    "smooth_l1_loss", "soft_margin_loss", "softmax", "softmin", "softplus", "softshrink", "softsign", "tanh", "tanhshrink",
    "threshold", "threshold_", "triplet_margin_loss", "triplet_margin_with_distance_loss", "unfold", "upsample",
]
