"""Fourier transforms by the names of PyTorch's fft module; see `ops.fourier` for their definition."""

from gradkit.ops.fourier import *  # noqa: F403
from gradkit.ops.fourier import __all__ as __all__
