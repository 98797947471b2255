"""Array algorithms for the CPU that NumPy lacks or does slowly: ndarray in, ndarray out, no tape.

special       error functions, normal distribution, gamma and Bessel functions
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

from typing import Any

import numpy as np

# numpy.typing says it shorter, but takes four milliseconds to import.
Array = np.ndarray[Any, np.dtype[Any]]
