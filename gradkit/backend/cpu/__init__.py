"""Array algorithms for the CPU that NumPy lacks or does slowly: ndarray in, ndarray out, no tape.

erf normal gamma bessel   the special functions of float16, float32 or float64, any shape; the same shape and dtype
elementary    power with a scalar exponent, sigmoid, softplus, gelu
reduce        sums, variances
products      derivatives of products by dividing
softmax       softmax, log_softmax, logsumexp, logcumsumexp
indexing      gather and its transposes: index_add, scatter_add, segment_sum
conv          convolution and its two transposes
pooling       max pooling by indices, average pooling, and their transposes

Times in these files are ratios by the minimum on one core of an x86-64 with AVX-512, NumPy 2.4 against PyTorch 2.13 or
against the NumPy function named.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

import numpy as np

# numpy.typing says it shorter, but takes four milliseconds to import.
Array = np.ndarray[Any, np.dtype[Any]]


def half_in_single(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compute on float32 what comes as float16 or bfloat16, which BLAS has not; answer in that."""

    @wraps(function)
    def call(*given: Any, **params: Any) -> Any:
        kind = given[0].dtype
        if kind.char not in "eE":
            return function(*given, **params)
        y = function(*[a.astype(np.float32) if getattr(a, "dtype", None) == kind else a for a in given], **params)
        if y is NotImplemented:
            return y
        return [one.astype(kind) for one in y] if isinstance(y, list) else y.astype(kind)

    return call
