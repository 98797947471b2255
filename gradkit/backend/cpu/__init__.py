"""Array algorithms for the CPU that NumPy lacks or does slowly: ndarray in, ndarray out, no tape.

special       error functions, normal distribution, gamma functions, Bessel functions
elementary    power with a scalar exponent, sigmoid, softplus, gelu
reduce        sums, variances, logsumexp, softmax, logcumsumexp
indexing      gather and its transposes: index_add, scatter_add, segment_sum
conv          convolution and its two transposes
pooling       max pooling by indices, average pooling and its transpose
"""
