"""Special functions by the names of PyTorch's special module."""

from gradkit.ops.functions import (
    digamma,
    erf,
    erfc,
    erfinv,
    exp2,
    expm1,
    i0,
    lgamma,
    log1p,
    logit,
    mvlgamma,
    polygamma,
    round,
    sinc,
    xlogy,
)
from gradkit.ops.normalization import log_softmax, softmax
from gradkit.ops.reducing import logsumexp
from gradkit.primitives.activation import sigmoid as expit
from gradkit.primitives.special import entr, erfcx, i0e, i1, i1e, log_ndtr, ndtr, ndtri, xlog1py

gammaln, psi, multigammaln = lgamma, digamma, mvlgamma

__all__ = [
    "digamma", "entr", "erf", "erfc", "erfcx", "erfinv", "exp2", "expit", "expm1", "gammaln", "i0", "i0e", "i1", "i1e",
    "log1p", "log_ndtr", "log_softmax", "logit", "logsumexp", "multigammaln", "ndtr", "ndtri", "polygamma", "psi",
    "round", "sinc", "softmax", "xlog1py", "xlogy",
]
