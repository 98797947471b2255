"""Window functions: what a piece of a signal is multiplied by before it is transformed."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from gradkit import creation
from gradkit.engine import dtypes
from gradkit.engine.tensor import Tensor

__all__ = ["bartlett_window", "blackman_window", "hamming_window", "hann_window", "kaiser_window"]


def _window(
    name: str, length: int, periodic: bool, shape: Callable[[Any], Any], dtype: Any, device: Any, requires_grad: bool
) -> Tensor:
    """``shape`` on [-1, 1] at `length` points; a periodic window leaves out the last of one more."""
    dtype = dtypes.get_default_dtype() if dtype is None else np.dtype(dtype)
    if dtype.kind not in "fV":
        raise RuntimeError(f"{name} expects floating point dtypes, got: {dtype.name}")
    if length < 0:
        raise RuntimeError(f"{name} requires non-negative window_length, got window_length={length}")
    last = length if periodic else length - 1
    raw = shape(2 * np.arange(length) / last - 1) if length > 1 else np.ones(length)
    return creation.tensor(raw.astype(dtype), device=device, requires_grad=requires_grad)


def hann_window(
    window_length: int, periodic: bool = True, *, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """``sin(pi n / N)**2`` for n < `window_length`; N is that, or one less unless `periodic`.

    RuntimeError for a negative length or a dtype that is not floating.

    >>> gradkit.hann_window(4)
    tensor([0.0000, 0.5000, 1.0000, 0.5000])
    """
    return _window("hann_window", window_length, periodic, lambda t: 0.5 + 0.5 * np.cos(math.pi * t), dtype, device, requires_grad)


def hamming_window(
    window_length: int, periodic: bool = True, alpha: float = 0.54, beta: float = 0.46, *, dtype: Any = None,
    device: Any = None, requires_grad: bool = False,
) -> Tensor:
    """``alpha - beta * cos(2 pi n / N)``; the rest as `hann_window`.

    >>> gradkit.hamming_window(4)
    tensor([0.0800, 0.5400, 1.0000, 0.5400])
    """
    return _window("hamming_window", window_length, periodic, lambda t: alpha + beta * np.cos(math.pi * t), dtype, device, requires_grad)


def blackman_window(
    window_length: int, periodic: bool = True, *, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """``0.42 - 0.5 * cos(2 pi n / N) + 0.08 * cos(4 pi n / N)``; the rest as `hann_window`.

    >>> gradkit.blackman_window(4).abs()
    tensor([1.3878e-17, 3.4000e-01, 1.0000e+00, 3.4000e-01])
    """
    return _window(
        "blackman_window", window_length, periodic,
        lambda t: 0.42 + 0.5 * np.cos(math.pi * t) + 0.08 * np.cos(2 * math.pi * t), dtype, device, requires_grad,
    )


def bartlett_window(
    window_length: int, periodic: bool = True, *, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """``1 - abs(2 n / N - 1)``, a triangle; the rest as `hann_window`.

    >>> gradkit.bartlett_window(4)
    tensor([0.0000, 0.5000, 1.0000, 0.5000])
    """
    return _window("bartlett_window", window_length, periodic, lambda t: 1 - np.abs(t), dtype, device, requires_grad)


def kaiser_window(
    window_length: int, periodic: bool = True, beta: float = 12.0, *, dtype: Any = None, device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """``I0(beta * sqrt(1 - (2 n / N - 1)**2)) / I0(beta)``, I0 the Bessel function `i0`; the rest as `hann_window`.

    >>> gradkit.kaiser_window(4, beta=0.0)
    tensor([1., 1., 1., 1.])
    """
    return _window(
        "kaiser_window", window_length, periodic, lambda t: np.i0(beta * np.sqrt(1 - t * t)) / np.i0(beta),
        dtype, device, requires_grad,
    )
