"""`numpy.fft` on tensors."""

from typing import Any

import numpy as np

from gradkit.engine.tensor import Tensor
from gradkit.numpy.calling import asarray
from gradkit.numpy.creation import maker
from gradkit.numpy.manipulation import roll

fftfreq = maker(np.fft.fftfreq, "5, 0.1")
rfftfreq = maker(np.fft.rfftfreq, "5, 0.1")


def fftshift(x: Any, axes: Any = None) -> Tensor:
    """With the frequency 0 moved from the front to the middle, along `axes` (an int, a tuple, or all).

    >>> import gradkit, gradkit.numpy as gnp
    >>> gnp.fft.fftshift(gradkit.arange(4))
    tensor([2, 3, 0, 1])
    """
    return _shifted(x, axes, 1)


def ifftshift(x: Any, axes: Any = None) -> Tensor:
    """What undoes `fftshift`.

    >>> import gradkit, gradkit.numpy as gnp
    >>> gnp.fft.ifftshift(gradkit.arange(5))
    tensor([2, 3, 4, 0, 1])
    """
    return _shifted(x, axes, -1)


def _shifted(x: Any, axes: Any, way: int) -> Tensor:
    y = asarray(x)
    over = range(y.ndim) if axes is None else axes if isinstance(axes, tuple | list) else (axes,)
    half = [y.shape[i] // 2 for i in over]
    return roll(y, [n if way > 0 else -n for n in half], list(over))


__all__ = ["fftfreq", "fftshift", "ifftshift", "rfftfreq"]
