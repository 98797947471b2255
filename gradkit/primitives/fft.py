"""Discrete Fourier transforms over whole axes, which are linear: complex to complex, real to complex, complex to real.

With the scale of its norm, the adjoint of a transform is the transform the other way with the scale that the other norm
has. The spectrum of a real signal is only kept for half of the frequencies along the last axis, those up to n // 2: each of
them but the first, and for even n the last, stands for two.
"""

from gradkit.families import linear

_ADJOINT_NORM = {"backward": "forward", "ortho": "ortho", "forward": "backward"}
_Z = [[1.0 + 2.0j, -0.5 + 1.5j, 2.0 - 1.0j, 0.5j], [0.5 - 1.0j, 3.0 + 0j, -1.0 + 0.5j, 1.0 + 1.0j]]


def c2c(xp, x, axes: tuple[int, ...], norm: str, inverse: bool):
    if 0 in x.shape[: min(axes)]:  # CuPy refuses several axes of no samples
        return xp.array(x)
    return (xp.fft.ifftn if inverse else xp.fft.fftn)(x, axes=axes, norm=norm)


# Its matrix is symmetric.
fft_c2c = linear(
    "fft_c2c", c2c, [lambda xp, d, _y, _x, **params: xp.fft_c2c(d, **params)],
    [
        (_Z, {"axes": (-1,), "norm": "backward", "inverse": False}),
        (_Z, {"axes": (-2, -1), "norm": "forward", "inverse": True}),
        (_Z, {"axes": (-2,), "norm": "ortho", "inverse": False}),
    ],
    structure="dense", title="FftC2CBackward0",
    peer=lambda torch, x, axes, norm, inverse: (torch.fft.ifftn if inverse else torch.fft.fftn)(x, dim=axes, norm=norm),
)


def halved(xp, x, axis: int, size: int, weight: float):
    """A spectrum times `weight` at the frequencies that stand for two; `size` is the extent of the signal."""
    weights = xp.full(x.shape[axis], weight, dtype=x.real.dtype)
    weights[0] = 1
    if size % 2 == 0:
        weights[-1] = 1
    return x * weights.reshape((-1,) + (1,) * (-axis - 1))


fft_weigh = linear(
    "fft_weigh", halved, [lambda xp, d, _y, _x, **params: xp.fft_weigh(d, **params)],
    [(_Z, {"axis": -1, "size": 6, "weight": 0.5}), (_Z, {"axis": -1, "size": 7, "weight": 2.0})], structure="diagonal",
)


def r2c_ct(xp, d, _y, x_shape, axes: tuple[int, ...], norm: str):
    size = x_shape[axes[-1]]
    half = xp.fft_weigh(d, axis=axes[-1], size=size, weight=0.5)
    return xp.fft_c2r(half, axes=axes, norm=_ADJOINT_NORM[norm], size=size)


def c2r_ct(xp, d, _y, _x, axes: tuple[int, ...], norm: str, size: int):
    spectrum = xp.fft_r2c(d, axes=axes, norm=_ADJOINT_NORM[norm])
    return xp.fft_weigh(spectrum, axis=axes[-1], size=size, weight=2.0)


fft_r2c = linear(
    "fft_r2c", lambda xp, x, axes, norm: xp.fft.rfftn(x, axes=axes, norm=norm), [r2c_ct],
    [
        ((2, 5), {"axes": (-1,), "norm": "backward"}), ((3, 4), {"axes": (-1, -2), "norm": "ortho"}),
        ((2, 4), {"axes": (-1,), "norm": "forward"}),
    ],
    structure="dense", holomorphic=False, title="FftR2CBackward0",
    peer=lambda torch, x, axes, norm: torch.fft.rfftn(x, dim=axes, norm=norm),
)


def c2r(xp, x, axes: tuple[int, ...], norm: str, size: int):
    return xp.fft.irfftn(x, s=[*[x.shape[a] for a in axes[:-1]], size], axes=axes, norm=norm)


fft_c2r = linear(
    "fft_c2r", c2r, [c2r_ct],
    [
        (_Z, {"axes": (-1,), "norm": "backward", "size": 6}), (_Z, {"axes": (-1,), "norm": "forward", "size": 7}),
        (_Z, {"axes": (-2, -1), "norm": "ortho", "size": 6}),
    ],
    structure="dense", holomorphic=False, title="FftC2RBackward0",
    peer=lambda torch, x, axes, norm, size: torch.fft.irfftn(x, [-1] * (len(axes) - 1) + [size], axes, norm),
)
