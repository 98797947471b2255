"""`numpy.fft` on tensors, derivatives included."""

from collections.abc import Callable
from typing import Any

import numpy as np

from gradkit.engine.naming import named
from gradkit.engine.tensor import Tensor
from gradkit.numpy.calling import asarray, axis_in, refuse_out
from gradkit.numpy.creation import maker
from gradkit.numpy.manipulation import roll
from gradkit.ops import fourier
from gradkit.ops.complex import conj
from gradkit.primitives import fft as rows
from gradkit.primitives.shape import astype

fftfreq = maker(np.fft.fftfreq, "5, 0.1")
rfftfreq = maker(np.fft.rfftfreq, "5, 0.1")


# -- what all share
def _floated(a: Any) -> Tensor:
    x = asarray(a)
    if x.dtype.kind in "biu":
        return astype(x, dtype=np.dtype("float64"))
    return astype(x, dtype=np.dtype("float32")) if x.dtype.itemsize < 4 else x


def _norm(norm: str | None) -> str:
    if norm is not None and norm not in fourier.OTHER_NORM:
        raise ValueError(f'Invalid norm value {norm}; should be "backward", "ortho" or "forward".')
    return norm or "backward"


def _axes(x: Tensor, s: Any, axes: Any) -> tuple[list[int], list[int]]:
    """Axes counted from the end and extents along them: -1 keeps one."""
    if axes is None:
        axes = range(-x.ndim if s is None else -len(s), 0)
    found = [axis_in(a, x.ndim) - x.ndim for a in axes]
    if s is not None and len(s) != len(found):
        raise ValueError("Shape and axes have different lengths.")
    return found, [x.shape[a] if n == -1 else n for a, n in zip(found, s or [-1] * len(found))]


def _sized(x: Tensor, axes: list[int], sizes: list[int]) -> Tensor:
    for n in sizes:
        if n < 1:
            raise ValueError(f"Invalid number of FFT data points ({n}) specified.")
    return fourier.resized(x, tuple(axes), sizes)


def _complex(a: Any, s: Any, axes: Any, norm: str | None, inverse: bool) -> Tensor:
    """One transform after the other, since an axis may be named twice."""
    x, scale = _floated(a), _norm(norm)
    found, sizes = _axes(x, s, axes)
    x = fourier.complexed(x)
    for axis, n in reversed(list(zip(found, sizes))):
        x = rows.fft_c2c(_sized(x, [axis], [n]), axes=(axis,), norm=scale, inverse=inverse)
    return x


def _to_half(a: Any, s: Any, axes: Any, norm: str | None) -> Tensor:
    x, scale = _floated(a), _norm(norm)
    if x.dtype.kind == "c":
        raise TypeError(f"ufunc 'rfft' did not contain a loop with signature matching types {x.dtype.name}: it takes real input")
    found, sizes = _axes(x, s, axes)
    y = rows.fft_r2c(_sized(x, found[-1:], sizes[-1:]), axes=(found[-1],), norm=scale)
    return _complex(y, sizes[:-1], found[:-1], norm, inverse=False)


def _from_half(a: Any, s: Any, axes: Any, norm: str | None) -> Tensor:
    x, scale = _floated(a), _norm(norm)
    found, sizes = _axes(x, s, axes)
    size = sizes[-1] if s is not None and s[-1] != -1 else 2 * (x.shape[found[-1]] - 1)
    if size < 1:
        raise ValueError(f"Invalid number of FFT data points ({size}) specified.")
    x = fourier.complexed(_complex(x, sizes[:-1], found[:-1], norm, inverse=True))
    y = rows.fft_c2r(_sized(x, found[-1:], [size // 2 + 1]), axes=(found[-1],), norm=scale, size=size)
    given = asarray(a).dtype
    return astype(y, dtype=given) if given.kind == "f" and given.itemsize < 4 and len(found) == 1 else y  # as NumPy does


# -- under NumPy's names
def _other(norm: str | None) -> str:
    return fourier.OTHER_NORM[_norm(norm)]


def _forward(a: Any, s: Any, axes: Any, norm: str | None) -> Tensor:
    return _complex(a, s, axes, norm, inverse=False)


def _inverse(a: Any, s: Any, axes: Any, norm: str | None) -> Tensor:
    return _complex(a, s, axes, norm, inverse=True)


def _along_one(name: str, transform: Callable[..., Tensor]) -> Callable[..., Tensor]:
    def call(a: Any, n: int | None = None, axis: int = -1, norm: str | None = None, out: Any = None) -> Tensor:
        refuse_out(name, out)
        return transform(a, None if n is None else (n,), (axis,), norm)

    return named(call, name, _describe(name))


def _along_several(name: str, transform: Callable[..., Tensor], usual: Any = None) -> Callable[..., Tensor]:
    def call(a: Any, s: Any = None, axes: Any = usual, norm: str | None = None, out: Any = None) -> Tensor:
        refuse_out(name, out)
        return transform(a, s, axes, norm)

    return named(call, name, _describe(name))


def _describe(name: str) -> str:
    return f"""`numpy.fft.{name}` of a tensor, with its arguments, dtypes and errors.

    >>> gnp.fft.{name}(gradkit.ones(2, 4)).shape
    gradkit.Size({list(getattr(np.fft, name)(np.ones((2, 4))).shape)})
    """


fft, ifft = _along_one("fft", _forward), _along_one("ifft", _inverse)
rfft, irfft = _along_one("rfft", _to_half), _along_one("irfft", _from_half)
hfft = _along_one("hfft", lambda a, s, axes, norm: _from_half(conj(asarray(a)), s, axes, _other(norm)))
ihfft = _along_one("ihfft", lambda a, s, axes, norm: conj(_to_half(a, s, axes, _other(norm))))
fft2, ifft2 = _along_several("fft2", _forward, (-2, -1)), _along_several("ifft2", _inverse, (-2, -1))
rfft2, irfft2 = _along_several("rfft2", _to_half, (-2, -1)), _along_several("irfft2", _from_half, (-2, -1))
fftn, ifftn = _along_several("fftn", _forward), _along_several("ifftn", _inverse)
rfftn, irfftn = _along_several("rfftn", _to_half), _along_several("irfftn", _from_half)


# -- order of frequencies
def fftshift(x: Any, axes: Any = None) -> Tensor:
    """With the frequency 0 moved from the front to the middle, along `axes`.

    >>> gnp.fft.fftshift(gradkit.arange(4))
    tensor([2, 3, 0, 1])
    """
    return _shifted(x, axes, 1)


def ifftshift(x: Any, axes: Any = None) -> Tensor:
    """What undoes `fftshift`.

    >>> gnp.fft.ifftshift(gradkit.arange(5))
    tensor([2, 3, 4, 0, 1])
    """
    return _shifted(x, axes, -1)


def _shifted(x: Any, axes: Any, way: int) -> Tensor:
    y = asarray(x)
    over = range(y.ndim) if axes is None else axes if isinstance(axes, tuple | list) else (axes,)
    half = [y.shape[i] // 2 for i in over]
    return roll(y, [n if way > 0 else -n for n in half], list(over))


__all__ = [
    "fft", "fft2", "fftfreq", "fftn", "fftshift", "hfft", "ifft", "ifft2", "ifftn", "ifftshift", "ihfft", "irfft", "irfft2",
    "irfftn", "rfft", "rfft2", "rfftfreq", "rfftn",
]
