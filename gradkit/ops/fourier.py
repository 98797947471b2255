"""Discrete Fourier transforms. Names and arguments are those of torch.fft, in which `gradkit.fft` follows.

The transform of x along an axis of extent n is ``X[k] = sum of x[j] * exp(-2 pi i j k / n)``; the inverse has a plus there.
`norm` says where the factor 1 / n stands: "backward" (in the inverse, and the default), "forward" (in the transform),
"ortho" (its root in both). All are linear, and differentiable to any order.
"""

from typing import Any

import numpy as np

from gradkit import creation
from gradkit.engine import dtypes
from gradkit.engine.tensor import Tensor
from gradkit.ops.arranging import roll
from gradkit.ops.complex import conj
from gradkit.primitives import fft as rows
from gradkit.primitives.arranging import pad_constant
from gradkit.primitives.complex import complex_dtype
from gradkit.primitives.shape import astype, axis_from_end, extents

__all__ = [
    "fft", "fft2", "fftfreq", "fftn", "fftshift", "hfft", "hfft2", "hfftn", "ifft", "ifft2", "ifftn", "ifftshift",
    "ihfft", "ihfft2", "ihfftn", "irfft", "irfft2", "irfftn", "rfft", "rfft2", "rfftfreq", "rfftn",
]

OTHER_NORM = {"backward": "forward", "ortho": "ortho", "forward": "backward"}


# -- what all share
def floated(name: str, input: Tensor) -> Tensor:
    """The input in a dtype that there are transforms of; RuntimeError for half precision."""
    if not isinstance(input, Tensor):
        raise TypeError(f"fft_{name}(): argument 'input' (position 1) must be Tensor, not {type(input).__name__}")
    dtype = dtypes.floated(input.dtype)
    if dtype.itemsize < 4:
        raise RuntimeError(f"Unsupported dtype {dtype.name}: {name} of a Tensor of shape {tuple(input.shape)}; convert with .float()")
    return input if dtype == input.dtype else astype(input, dtype=dtype)


def real(name: str, input: Tensor) -> Tensor:
    if input.dtype.kind == "c":
        raise RuntimeError(f"{name} expects a real input tensor, but got {input.dtype.name}; take x.real, or use a complex one")
    return input


def complexed(input: Tensor) -> Tensor:
    return input if input.dtype.kind == "c" else astype(input, dtype=complex_dtype(input.dtype))


def norm_of(norm: str | None) -> str:
    if norm is None:
        return "backward"
    if norm not in OTHER_NORM:
        raise RuntimeError(f'Invalid normalization mode: "{norm}"; choose backward, ortho or forward')
    return norm


def axes_and_sizes(input: Tensor, s: Any, dim: Any) -> tuple[tuple[int, ...], list[int]]:
    """The axes, counted from the end, and the extents of the signal along them; -1 keeps one."""
    shape = extents(input)
    given = None if s is None else [s] if isinstance(s, int) else list(s)
    if dim is None:
        if given is not None and len(given) > len(shape):
            raise RuntimeError(f"Got shape with {len(given)} values but input tensor only has {len(shape)} dimensions.")
        dims = list(range(-len(shape) if given is None else -len(given), 0))
    else:
        dims = [dim] if hasattr(dim, "__index__") else list(dim)
        if given is not None and len(given) != len(dims):
            raise RuntimeError("When given, dim and shape arguments must have the same length")
    if not shape and len(dims):
        raise IndexError(f"Dimension specified as {dims[0]} but tensor has no dimensions")
    axes = tuple([axis_from_end(input, d) for d in dims])
    if len(set(axes)) != len(axes):
        raise RuntimeError("FFT dims must be unique")
    sizes = [shape[a] if n == -1 else n for a, n in zip(axes, given or [-1] * len(axes))]
    return axes, sizes


def checked_sizes(sizes: list[int]) -> list[int]:
    for n in sizes:
        if n < 1:
            raise RuntimeError(f"Invalid number of data points ({n}) specified")
    return sizes


def resized(input: Tensor, axes: tuple[int, ...], sizes: list[int]) -> Tensor:
    """The input cut off, or filled up with zeros, to these extents."""
    shape = extents(input)
    if all([shape[a] == n for a, n in zip(axes, sizes)]):
        return input
    pads = [(0, 0)] * len(shape)
    for a, n in zip(axes, sizes):
        pads[a] = (0, n - shape[a])
    return pad_constant(input, pads=tuple(pads), value=0.0)


def complex_transform(name: str, input: Tensor, s: Any, dim: Any, norm: str | None, inverse: bool) -> Tensor:
    x = complexed(floated(name, input))
    axes, sizes = axes_and_sizes(x, s, dim)
    norm = norm_of(norm)
    x = resized(x, axes, checked_sizes(sizes))
    return rows.fft_c2c(x, axes=axes, norm=norm, inverse=inverse) if axes else x


def to_half(name: str, input: Tensor, s: Any, dim: Any, norm: str | None) -> Tensor:
    x = real(name, floated(name, input))
    axes, sizes = axes_and_sizes(x, s, dim)
    if not axes:
        raise RuntimeError(f"{name} must transform at least one axis")
    norm = norm_of(norm)
    return rows.fft_r2c(resized(x, axes, checked_sizes(sizes)), axes=axes, norm=norm)


def from_half(name: str, input: Tensor, s: Any, dim: Any, norm: str | None) -> Tensor:
    x = complexed(floated(name, input))
    axes, sizes = axes_and_sizes(x, s, dim)
    if not axes:
        raise RuntimeError(f"{name} must transform at least one axis")
    last = -1 if s is None else s if isinstance(s, int) else list(s)[-1]
    size = 2 * (extents(x)[axes[-1]] - 1) if last == -1 else last
    norm = norm_of(norm)
    checked_sizes([*sizes[:-1], size])
    x = resized(x, axes, [*sizes[:-1], size // 2 + 1])
    return rows.fft_c2r(x, axes=axes, norm=norm, size=size)


# -- along one axis
def fft(input: Tensor, n: int | None = None, dim: int = -1, norm: str | None = None) -> Tensor:
    """The transform along one axis, complex: of `n` elements, cut off or filled up with zeros; by default all.

    RuntimeError for half precision, `n` below 1 or another word for `norm`, IndexError if there is no such axis.

    >>> gradkit.fft.fft(gradkit.tensor([1.0, 0.0, -1.0, 0.0]))
    tensor([0.+0.j, 2.+0.j, 0.+0.j, 2.+0.j])
    """
    return complex_transform("fft", input, n, dim, norm, False)


def ifft(input: Tensor, n: int | None = None, dim: int = -1, norm: str | None = None) -> Tensor:
    """The inverse of `fft`; arguments and errors as there.

    >>> gradkit.fft.ifft(gradkit.tensor([0.0, 2.0, 0.0, 2.0]))
    tensor([ 1.+0.j,  0.+0.j, -1.+0.j,  0.+0.j])
    """
    return complex_transform("ifft", input, n, dim, norm, True)


def rfft(input: Tensor, n: int | None = None, dim: int = -1, norm: str | None = None) -> Tensor:
    """The half of the `fft` of a real signal that determines it: n // 2 + 1 frequencies.

    Errors as for `fft`, and RuntimeError for a complex input.

    >>> gradkit.fft.rfft(gradkit.tensor([1.0, 0.0, -1.0, 0.0]))
    tensor([0.+0.j, 2.+0.j, 0.+0.j])
    """
    return to_half("rfft", input, n, dim, norm)


def irfft(input: Tensor, n: int | None = None, dim: int = -1, norm: str | None = None) -> Tensor:
    """The inverse of `rfft`: the real signal of `n` elements, by default 2 * (m - 1) for m frequencies.

    For an odd signal give `n`. Errors as for `fft`.

    >>> gradkit.fft.irfft(gradkit.tensor([0.0, 2.0, 0.0]))
    tensor([ 1.,  0., -1.,  0.])
    """
    return from_half("irfft", input, n, dim, norm)


def hfft(input: Tensor, n: int | None = None, dim: int = -1, norm: str | None = None) -> Tensor:
    """The real `fft` of a signal that is the conjugate of its reverse, of which one half is given: `n` elements.

    By default 2 * (m - 1) for m that are given. Errors as for `fft`.

    >>> gradkit.fft.hfft(gradkit.tensor([0.0, 1.0, 0.0]))
    tensor([ 2.,  0., -2.,  0.])
    """
    return from_half("hfft", conj(complexed(floated("hfft", input))), n, dim, OTHER_NORM[norm_of(norm)])


def ihfft(input: Tensor, n: int | None = None, dim: int = -1, norm: str | None = None) -> Tensor:
    """The inverse of `hfft`: half of the inverse transform of a real signal. Errors as for `rfft`.

    >>> gradkit.fft.ihfft(gradkit.tensor([0.0, 2.0, 0.0, 2.0]))
    tensor([ 1.-0.j,  0.-0.j, -1.-0.j])
    """
    return conj(to_half("ihfft", input, n, dim, OTHER_NORM[norm_of(norm)]))


# -- along two axes
def fft2(input: Tensor, s: Any = None, dim: Any = (-2, -1), norm: str | None = None) -> Tensor:
    """`fft` along the last two axes, or those of `dim`; `s` has the extents. Errors as for `fftn`.

    >>> gradkit.fft.fft2(gradkit.ones(2, 4)).shape
    gradkit.Size([2, 4])
    """
    return fftn(input, s, dim, norm)


def ifft2(input: Tensor, s: Any = None, dim: Any = (-2, -1), norm: str | None = None) -> Tensor:
    """`ifft` along the last two axes, or those of `dim`; `s` has the extents. Errors as for `fftn`.

    >>> gradkit.fft.ifft2(gradkit.ones(2, 4)).shape
    gradkit.Size([2, 4])
    """
    return ifftn(input, s, dim, norm)


def rfft2(input: Tensor, s: Any = None, dim: Any = (-2, -1), norm: str | None = None) -> Tensor:
    """`rfft` along the last of two axes, `fft` along the other. Errors as for `rfftn`.

    >>> gradkit.fft.rfft2(gradkit.ones(2, 4)).shape
    gradkit.Size([2, 3])
    """
    return rfftn(input, s, dim, norm)


def irfft2(input: Tensor, s: Any = None, dim: Any = (-2, -1), norm: str | None = None) -> Tensor:
    """The inverse of `rfft2`. Errors as for `irfftn`.

    >>> gradkit.fft.irfft2(gradkit.ones(2, 3)).shape
    gradkit.Size([2, 4])
    """
    return irfftn(input, s, dim, norm)


def hfft2(input: Tensor, s: Any = None, dim: Any = (-2, -1), norm: str | None = None) -> Tensor:
    """`hfft` along the last of two axes, `fft` along the other. Errors as for `hfftn`.

    >>> gradkit.fft.hfft2(gradkit.ones(2, 3)).shape
    gradkit.Size([2, 4])
    """
    return hfftn(input, s, dim, norm)


def ihfft2(input: Tensor, s: Any = None, dim: Any = (-2, -1), norm: str | None = None) -> Tensor:
    """The inverse of `hfft2`. Errors as for `ihfftn`.

    >>> gradkit.fft.ihfft2(gradkit.ones(2, 4)).shape
    gradkit.Size([2, 3])
    """
    return ihfftn(input, s, dim, norm)


# -- along several axes
def fftn(input: Tensor, s: Any = None, dim: Any = None, norm: str | None = None) -> Tensor:
    """`fft` along several axes: those of `dim`, or as many as `s` has from the end, or all. -1 in `s` keeps an extent.

    Errors as for `fft`, and RuntimeError for an axis named twice or another number of extents than axes.

    >>> gradkit.fft.fftn(gradkit.ones(2, 4)).shape
    gradkit.Size([2, 4])
    """
    return complex_transform("fftn", input, s, dim, norm, False)


def ifftn(input: Tensor, s: Any = None, dim: Any = None, norm: str | None = None) -> Tensor:
    """The inverse of `fftn`; arguments and errors as there.

    >>> gradkit.fft.ifftn(gradkit.ones(2, 4)).shape
    gradkit.Size([2, 4])
    """
    return complex_transform("ifftn", input, s, dim, norm, True)


def rfftn(input: Tensor, s: Any = None, dim: Any = None, norm: str | None = None) -> Tensor:
    """`rfft` along the last of several axes, `fft` along the others; arguments as for `fftn`.

    Errors as there, and RuntimeError for a complex input or no axis.

    >>> gradkit.fft.rfftn(gradkit.ones(2, 4)).shape
    gradkit.Size([2, 3])
    """
    return to_half("rfftn", input, s, dim, norm)


def irfftn(input: Tensor, s: Any = None, dim: Any = None, norm: str | None = None) -> Tensor:
    """The inverse of `rfftn`; the last extent is 2 * (m - 1) unless `s` says otherwise. Errors as for `fftn`.

    >>> gradkit.fft.irfftn(gradkit.ones(2, 3)).shape
    gradkit.Size([2, 4])
    """
    return from_half("irfftn", input, s, dim, norm)


def hfftn(input: Tensor, s: Any = None, dim: Any = None, norm: str | None = None) -> Tensor:
    """`hfft` along the last of several axes, `fft` along the others. Errors as for `fftn`.

    >>> gradkit.fft.hfftn(gradkit.ones(2, 3)).shape
    gradkit.Size([2, 4])
    """
    return from_half("hfftn", conj(complexed(floated("hfftn", input))), s, dim, OTHER_NORM[norm_of(norm)])


def ihfftn(input: Tensor, s: Any = None, dim: Any = None, norm: str | None = None) -> Tensor:
    """The inverse of `hfftn`. Errors as for `rfftn`.

    >>> gradkit.fft.ihfftn(gradkit.ones(2, 4)).shape
    gradkit.Size([2, 3])
    """
    return conj(to_half("ihfftn", input, s, dim, OTHER_NORM[norm_of(norm)]))


# -- frequencies
def _frequencies(name: str, numbers: Any, n: int, d: float, dtype: Any, device: Any, requires_grad: bool) -> Tensor:
    dtype = dtypes.get_default_dtype() if dtype is None else np.dtype(dtype)
    if not dtypes.differentiable(dtype):
        raise RuntimeError(f"{name} requires a floating point or complex dtype, not {dtype.name}")
    raw = (numbers / (n * d)).astype(dtype) if n else np.zeros(0, dtype)
    return creation.tensor(raw, device=device, requires_grad=requires_grad)


def fftfreq(n: int, d: float = 1.0, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """The frequencies of `fft` of `n` elements, in its order, for samples `d` apart: k / (n * d), above the half negative.

    >>> gradkit.fft.fftfreq(4)
    tensor([ 0.0000,  0.2500, -0.5000, -0.2500])
    """
    k = np.arange(n)
    return _frequencies("fftfreq", np.where(k < (n + 1) // 2, k, k - n), n, d, dtype, device, requires_grad)


def rfftfreq(n: int, d: float = 1.0, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """The frequencies of `rfft` of `n` elements, for samples `d` apart: k / (n * d) up to k = n // 2.

    >>> gradkit.fft.rfftfreq(4)
    tensor([0.0000, 0.2500, 0.5000])
    """
    return _frequencies("rfftfreq", np.arange(n // 2 + 1), n, d, dtype, device, requires_grad)


def fftshift(input: Tensor, dim: Any = None) -> Tensor:
    """With the frequency 0 moved from the front to the middle, along `dim` (an int, several, or all).

    >>> gradkit.fft.fftshift(gradkit.arange(5))
    tensor([3, 4, 0, 1, 2])
    """
    return _shifted(input, dim, 1)


def ifftshift(input: Tensor, dim: Any = None) -> Tensor:
    """What undoes `fftshift`.

    >>> gradkit.fft.ifftshift(gradkit.arange(5))
    tensor([2, 3, 4, 0, 1])
    """
    return _shifted(input, dim, -1)


def _shifted(input: Tensor, dim: Any, way: int) -> Tensor:
    shape = extents(input)
    dims = range(-len(shape), 0) if dim is None else [dim] if hasattr(dim, "__index__") else list(dim)
    axes = [axis_from_end(input, d) for d in dims]
    return roll(input, [way * (shape[a] // 2) for a in axes], axes) if axes else input
