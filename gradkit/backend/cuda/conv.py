"""Convolution and its two transposes: `gradkit.backend.cpu.conv` says what they are, here they are few launches.

Columns are one strided copy of the padded input, seen through windows; what goes back is one kernel that adds up, for
each place of the input, the columns' entries that were read there.
"""

from collections.abc import Iterator
from math import prod
from typing import Any

from gradkit.backend.cpu.conv import Geometry, Padding, PerAxis, check_cotangent, geometry, interiors, padded_sizes
from gradkit.backend.cuda.compiling import COMPUTED_IN, elementwise

__all__ = ["conv_forward", "conv_input", "conv_weight"]

# Bytes of columns held at a time: images beyond are done in turns.
_MOST = 1 << 28


def conv_forward(
    cp: Any, x: Any, w: Any, stride: PerAxis = 1, padding: Padding = 0, dilation: PerAxis = 1, groups: int = 1
) -> Any:
    g = geometry(x.shape, w.shape, stride, padding, dilation, groups)
    shape = (*x.shape[: -len(g.spatial) - 1], g.features, *g.out)
    if not x.size or not w.size:
        return cp.zeros(shape, x.dtype)
    matrix = w.reshape(groups, -1, g.depth)
    images = x.reshape(-1, g.channels, *g.spatial)
    out = cp.empty((len(images), g.features, prod(g.out)), x.dtype)
    for part in turns(images, g):
        found = product(cp, matrix, columns(cp, images[part], g)).reshape(g.features, -1, prod(g.out))
        out[part] = found.swapaxes(0, 1)
    return out.reshape(shape)


def conv_input(
    cp: Any, ct: Any, w: Any, x_shape: Any, stride: PerAxis = 1, padding: Padding = 0, dilation: PerAxis = 1, groups: int = 1
) -> Any:
    g = geometry(x_shape, w.shape, stride, padding, dilation, groups)
    check_cotangent(ct, x_shape, g)
    if not ct.size or not prod(x_shape):
        return cp.zeros(x_shape, ct.dtype)
    matrix = w.reshape(groups, -1, g.depth).swapaxes(1, 2)
    out = cp.empty((prod(x_shape[: -len(g.spatial) - 1]), g.channels, *g.spatial), ct.dtype)
    for part in turns(out, g):
        folded(cp, product(cp, matrix, side_by_side(ct, part, g)), g, out[part])
    return out.reshape(x_shape)


def conv_weight(
    cp: Any, ct: Any, x: Any, w_shape: Any, stride: PerAxis = 1, padding: Padding = 0, dilation: PerAxis = 1, groups: int = 1
) -> Any:
    g = geometry(x.shape, w_shape, stride, padding, dilation, groups)
    check_cotangent(ct, x.shape, g)
    if not ct.size or not x.size:
        return cp.zeros(w_shape, ct.dtype)
    images = x.reshape(-1, g.channels, *g.spatial)
    total = None
    for part in turns(images, g):
        more = product(cp, side_by_side(ct, part, g), columns(cp, images[part], g).swapaxes(1, 2))
        total = more if total is None else total + more
    return total.reshape(w_shape)


def product(cp: Any, a: Any, b: Any) -> Any:
    """Of stacks of matrices. One pair needs no list of pointers, which takes a launch to write."""
    return cp.matmul(a[0], b[0]) if len(a) == 1 else cp.matmul(a, b)


def turns(images: Any, g: Geometry) -> Iterator[slice]:
    step = max(1, _MOST // (g.channels * prod(g.kernel) * prod(g.out) * images.itemsize))
    return (slice(first, first + step) for first in range(0, len(images), step))


def side_by_side(y: Any, part: slice, g: Geometry) -> Any:
    """Some images of a result as (groups, features of a group, images * places)."""
    images = y.reshape(-1, g.features, prod(g.out))[part]
    return images.swapaxes(0, 1).reshape(g.groups, g.features // g.groups, -1)


def columns(cp: Any, images: Any, g: Geometry) -> Any:
    """What the kernel meets: (groups, depth, images * places)."""
    x = cp.ascontiguousarray(padded(cp, images, g))
    by_image, by_channel, *steps = x.strides
    shape = (g.channels, *g.kernel, len(images), *g.out)
    around = [s * d for s, d in zip(steps, g.dilation)]
    strides = (by_channel, *around, by_image, *[s * step for s, step in zip(steps, g.stride)])
    return cp.lib.stride_tricks.as_strided(x, shape, strides).reshape(g.groups, g.depth, -1)


def padded(cp: Any, images: Any, g: Geometry) -> Any:
    if not any(map(any, g.padding)):
        return images
    block = cp.zeros((*images.shape[:2], *padded_sizes(g)), images.dtype)
    used, interior = interiors(g)
    block[:, :, *interior] = images[:, :, *used]
    return block


def three(values: Any, fill: int = 1) -> tuple[int, ...]:
    """New ones in front."""
    return (fill,) * (3 - len(values)) + tuple(values)


_AXES = range(3)
_FOLDED = " ".join(
    [
        "long long rest = i; C total = 0;",
        *[f"const long long a{k} = rest % n{k} + low{k}; rest /= n{k};" for k in reversed(_AXES)],
        "const long long image = rest / channels, channel = rest % channels;",
        *[
            f"for (long long k{k} = 0; k{k} < m{k}; ++k{k}) {{ const long long b{k} = a{k} - k{k} * d{k};"
            f" if (b{k} < 0 || b{k} % s{k} || b{k} / s{k} >= o{k}) continue;"
            for k in _AXES
        ],
        "const long long place = (b0 / s0 * o1 + b1 / s1) * o2 + b2 / s2;",
        "total += (C)columns[((((channel * m0 + k0) * m1 + k1) * m2 + k2) * count + image) * (o0 * o1 * o2) + place];",
        "}}} y = (T)total",
    ]
)
_NUMBERS = ", ".join([f"int64 {name}{k}" for name in ("n", "low", "m", "d", "s", "o") for k in _AXES])


def folded(cp: Any, columns: Any, g: Geometry, out: Any) -> None:
    """Add up in each place of the images `out` what `columns`, as the function of that name has them, hold for it."""
    lows = [low for low, _ in g.padding]
    numbers = [*three(g.spatial), *three(lows, 0), *three(g.kernel), *three(g.dilation), *three(g.stride), *three(g.out)]
    inputs = f"raw T columns, int64 count, int64 channels, {_NUMBERS}"
    kind = COMPUTED_IN.get(columns.dtype.char, "T")
    elementwise(cp, "conv_fold", inputs, "T y", f"typedef {kind} C; {_FOLDED}")(columns, len(out), g.channels, *numbers, out)
