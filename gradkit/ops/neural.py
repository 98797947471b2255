"""Linear maps, embeddings, gates and pixel shuffles. Names and arguments are those of torch.nn.functional."""

from math import prod

from gradkit import errors
from gradkit.engine import modes
from gradkit.engine.tensor import Tensor
from gradkit.ops.activation import sigmoid
from gradkit.primitives.elementwise import add
from gradkit.primitives.indexing import slice_
from gradkit.primitives.linalg import matmul
from gradkit.primitives.linear import linear as product
from gradkit.primitives.shape import axis_from_end, extents, permute, reshape

__all__ = ["bilinear", "channel_shuffle", "pixel_shuffle", "pixel_unshuffle"]


# -- linear maps
def linear(input: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """``input @ weight.T + bias``: (*, n), (m, n) and (m,) to (*, m); a weight (n,) to (*).

    RuntimeError for shapes that do not fit and for different dtypes.

    >>> F.linear(gradkit.tensor([1.0, 2.0]), gradkit.tensor([[3.0, 4.0]]), gradkit.tensor([0.5]))
    tensor([11.5000])
    """
    try:
        x, w = input.array, weight.array
    except AttributeError:
        wrong = int(isinstance(input, Tensor))
        raise errors.not_a_tensor("linear", wrong, (input, weight)[wrong]) from None
    if modes.lifted or not w.ndim == x.ndim == 2 or x.shape[1] != w.shape[1] or x.dtype is not w.dtype:
        return _unusual_linear(input, weight, bias)
    y = product(input, weight)
    return y if bias is None else add(y, bias)


def _unusual_linear(input: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    x, w = extents(input), extents(weight)
    if not x or not w:
        raise RuntimeError(f"both arguments to linear need to be at least 1D, but they are {len(x)}D and {len(w)}D")
    if len(w) > 2:
        raise RuntimeError(f"linear() expects a weight with <= 2 dimensions, but it is {len(w)}D")
    if x[-1] != w[-1]:
        raise RuntimeError(
            f"mat1 and mat2 shapes cannot be multiplied ({prod(x[:-1])}x{x[-1]} and {w[-1]}x{w[0] if len(w) == 2 else 1}): "
            f"linear() got an input of shape {x} and a weight of shape {w}"
        )
    if input.dtype != weight.dtype:
        raise RuntimeError(
            f"expected input and weight to have the same dtype, but got: {input.dtype.name} != {weight.dtype.name}"
        )
    rows = input if len(x) == 2 else reshape(input, (prod(x[:-1]), x[-1]))
    y = product(rows, weight if len(w) == 2 else reshape(weight, (1, x[-1])))
    if not len(x) == len(w) == 2:
        y = reshape(y, (*x[:-1], *w[:-1]))
    return y if bias is None else y + bias


def bilinear(input1: Tensor, input2: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """``sum(input1[i] * weight[k, i, j] * input2[j]) + bias[k]``: (*, n1), (*, n2), (m, n1, n2) and (m,) to (*, m).

    RuntimeError for shapes that do not fit.

    >>> gradkit.bilinear(gradkit.ones(1, 2), gradkit.ones(1, 3), gradkit.ones(1, 2, 3))
    tensor([[6.]])
    """
    a, b, w = extents(input1), extents(input2), extents(weight)
    if len(w) != 3:
        raise RuntimeError(f"bilinear(): weight must have three axes, got shape {w}")
    if a[:-1] != b[:-1]:
        raise RuntimeError(f"bilinear(): input batch dimensions do not match: got {a[:-1]} and {b[:-1]}")
    for what, x, n in (("input1", a, w[1]), ("input2", b, w[2])):
        if x[-1] != n:
            raise RuntimeError(f"bilinear(): {what} size does not match weight size: got {x[-1]} but expected {n}")
    if bias is not None and extents(bias) != w[:1]:
        raise RuntimeError(f"bilinear(): bias size does not match weight size: got {extents(bias)} but expected {w[0]}")
    products = matmul(reshape(input1, (-1, 1, 1, a[-1])), weight)  # (rows, m, 1, n2)
    y = matmul(products, reshape(input2, (-1, 1, b[-1], 1)))
    y = reshape(y, (*a[:-1], w[0]))
    return y if bias is None else y + bias


# -- gates and shuffles
def glu(input: Tensor, dim: int = -1) -> Tensor:
    """``a * sigmoid(b)``, a and b being the halves of `input` along `dim`.

    RuntimeError for an odd extent or a 0-d input, IndexError if there is no such axis. Dauphin et al., "Language
    modeling with gated convolutional networks" (2017).

    >>> F.glu(gradkit.tensor([3.0, 0.0]))
    tensor([1.5000])
    """
    if not input.ndim:
        raise RuntimeError("glu does not support scalars because halving size must be even")
    axis = axis_from_end(input, dim)
    n = extents(input)[axis]
    if n % 2:
        raise RuntimeError(f"Halving dimension must be even, but dimension {dim} is size {n}")
    rest = (slice(None),) * (-1 - axis)
    first, second = slice(None, n // 2), slice(n // 2, None)
    return slice_(input, key=(..., first, *rest)) * sigmoid(slice_(input, key=(..., second, *rest)))


def pixel_shuffle(input: Tensor, upscale_factor: int) -> Tensor:
    """(*, C * r**2, H, W) as (*, C, H * r, W * r): r * r channels become one with finer pixels.

    RuntimeError for less than three axes or channels that r**2 does not divide. Shi et al., "Real-time single image
    and video super-resolution" (2016).

    >>> gradkit.pixel_shuffle(gradkit.arange(4.0).reshape(4, 1, 1), 2)
    tensor([[[0., 1.],
             [2., 3.]]])
    """
    r = upscale_factor
    *lead, c, h, w = _image("pixel_shuffle", "upscale_factor", input, r)
    if c % (r * r):
        raise RuntimeError(
            "pixel_shuffle expects its input's 'channel' dimension to be divisible by the square of upscale_factor, but "
            f"input.size(-3)={c} is not divisible by {r * r}"
        )
    n = len(lead)
    split = reshape(input, (*lead, c // (r * r), r, r, h, w))
    order = (*range(n), n, n + 3, n + 1, n + 4, n + 2)
    return reshape(permute(split, order), (*lead, c // (r * r), h * r, w * r))


def pixel_unshuffle(input: Tensor, downscale_factor: int) -> Tensor:
    """(*, C, H * r, W * r) as (*, C * r**2, H, W): the reverse of `pixel_shuffle`.

    RuntimeError for less than three axes or extents that r does not divide.

    >>> gradkit.pixel_unshuffle(gradkit.ones(1, 2, 2), 2).shape
    gradkit.Size([4, 1, 1])
    """
    r = downscale_factor
    *lead, c, h, w = _image("pixel_unshuffle", "downscale_factor", input, r)
    for what, extent, axis in (("height", h, -2), ("width", w, -1)):
        if extent % r:
            raise RuntimeError(
                f"pixel_unshuffle expects {what} to be divisible by downscale_factor, but input.size({axis})={extent} is "
                f"not divisible by {r}"
            )
    n = len(lead)
    split = reshape(input, (*lead, c, h // r, r, w // r, r))
    order = (*range(n), n, n + 2, n + 4, n + 1, n + 3)
    return reshape(permute(split, order), (*lead, c * r * r, h // r, w // r))


def _image(name: str, factor_name: str, input: Tensor, factor: int) -> tuple[int, ...]:
    shape = extents(input)
    if len(shape) < 3:
        raise RuntimeError(f"{name} expects input to have at least 3 dimensions, but got input with {len(shape)} dimension(s)")
    if factor <= 0:
        raise RuntimeError(f"{name} expects a positive {factor_name}, but got {factor}")
    return shape


def channel_shuffle(input: Tensor, groups: int) -> Tensor:
    """The channels, axis 1 of (N, C, ...), dealt out from `groups` groups in turn; the same shape.

    RuntimeError for less than three axes or channels that `groups` does not divide. Zhang et al., "ShuffleNet"
    (2018).

    >>> gradkit.channel_shuffle(gradkit.arange(4.0).reshape(1, 4, 1), 2).flatten()
    tensor([0., 2., 1., 3.])
    """
    shape = extents(input)
    if len(shape) < 3 or groups <= 0 or shape[1] % groups:
        raise RuntimeError(
            f"Number of channels must be divisible by groups, and there must be three axes; got input of shape {list(shape)} "
            f"and {groups} groups"
        )
    split = reshape(input, (shape[0], groups, shape[1] // groups, *shape[2:]))
    return reshape(permute(split, (0, 2, 1, *range(3, len(shape) + 1))), shape)
