"""Convolutions and their transposes, and the patches they see. Names and arguments are those of torch.nn.functional."""

from collections.abc import Callable
from typing import Any

from gradkit.engine.tensor import Tensor
from gradkit.primitives import convolution as rows
from gradkit.primitives.arranging import overlap_add, pad_constant, unfold as windows
from gradkit.primitives.indexing import slice_, unslice
from gradkit.primitives.shape import extents, permute, reshape

__all__ = ["conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d", "conv_transpose3d"]

PerAxis = int | tuple[int, ...] | list[int]


# -- arguments
def per_axis(value: PerAxis, axes: int, what: str, least: int) -> tuple[int, ...]:
    """A number for each axis; RuntimeError for another count or a number below `least`."""
    found = tuple(value) if isinstance(value, tuple | list) else (value,) * axes
    if len(found) == 1:
        found *= axes
    if len(found) != axes:
        raise RuntimeError(
            f"expected {what} to be a single integer value or a list of {axes} values to match the convolution dimensions, "
            f"but got {what}={list(found)}"
        )
    if min(found) < least:
        raise RuntimeError(f"{'negative' if least == 0 else 'non-positive'} {what} is not supported: {what}={list(found)}")
    return found


def padding_of(padding: Any, kernel: tuple[int, ...], stride: tuple[int, ...], dilation: tuple[int, ...]) -> Any:
    """Padding as numbers; for "same" as pairs, the second the greater by one where their sum is odd."""
    if not isinstance(padding, str):
        return per_axis(padding, len(kernel), "padding", 0)
    if padding == "valid":
        return (0,) * len(kernel)
    if padding != "same":
        raise RuntimeError(f"Invalid padding string: {padding!r}; choose 'valid' or 'same'")
    if max(stride) > 1:
        raise RuntimeError("padding='same' is not supported for strided convolutions")
    reach = [d * (k - 1) for d, k in zip(dilation, kernel)]
    return tuple([(r // 2, r - r // 2) for r in reach])


def check_operands(name: str, axes: int, input: Tensor, weight: Tensor, bias: Tensor | None) -> None:
    x, w = extents(input), extents(weight)
    if len(x) not in (axes + 1, axes + 2):
        raise RuntimeError(
            f"Expected {axes + 1}D (unbatched) or {axes + 2}D (batched) input to {name}, but got input of size: {list(x)}"
        )
    if len(w) != axes + 2:
        raise RuntimeError(f"Expected {axes + 2}-dimensional weight for {name}, but got weight of size: {list(w)}")
    for what, t in (("weight", weight), ("bias", bias)):
        if t is not None and t.dtype != input.dtype:
            raise RuntimeError(f"Input type ({input.dtype.name}) and {what} type ({t.dtype.name}) should be the same")


def check_channels(input: Tensor, weight: Tensor, groups: int, transposed: bool) -> None:
    if groups <= 0:
        raise RuntimeError(f"non-positive groups is not supported: groups={groups}")
    x, w = extents(input), extents(weight)
    channels = x[1 - len(w)]
    wanted = w[0] if transposed else w[1] * groups
    if w[0] % groups:
        raise RuntimeError(
            f"Given groups={groups}, expected weight to be divisible by {groups} at dimension 0, but got weight of size "
            f"{list(w)} instead"
        )
    if channels != wanted:
        raise RuntimeError(
            f"Given {'transposed=1' if transposed else f'groups={groups}'}, weight of size {list(w)}, expected "
            f"input{list(x)} to have {wanted} channels, but got {channels} channels instead"
        )


def plus_bias(y: Tensor, bias: Tensor | None, weight: Tensor, features: int, transposed: bool = False) -> Tensor:
    if bias is None:
        return y
    if extents(bias) != (features,):
        raise RuntimeError(
            f"Given {'transposed=1, ' if transposed else ''}weight of size {list(extents(weight))}, expected bias to be "
            f"1-dimensional with {features} elements, but got bias of size {list(extents(bias))} instead"
        )
    return y + reshape(bias, (features, *(1,) * (len(extents(weight)) - 2)))


def as_batch(input: Tensor, axes: int, run: Callable[[Tensor], Tensor]) -> Tensor:
    """`run` on a batch; a single sample becomes a batch of one on the way."""
    shape = extents(input)
    if len(shape) == axes + 2:
        return run(input)
    y = run(reshape(input, (1, *shape)))
    return reshape(y, extents(y)[1:])


# -- convolution
def convolve(
    name: str, axes: int, input: Tensor, weight: Tensor, bias: Any, stride: Any, padding: Any, dilation: Any, groups: int
) -> Tensor:
    check_operands(name, axes, input, weight, bias)
    kernel = extents(weight)[2:]
    strides, dilations = per_axis(stride, axes, "stride", 1), per_axis(dilation, axes, "dilation", 1)
    pads = padding_of(padding, kernel, strides, dilations)
    check_channels(input, weight, groups, transposed=False)
    sizes = [n + (2 * p if isinstance(p, int) else sum(p)) for n, p in zip(extents(input)[-axes:], pads)]
    reach = [d * (k - 1) + 1 for d, k in zip(dilations, kernel)]
    if any([r > n for r, n in zip(reach, sizes)]):
        raise RuntimeError(
            f"Calculated padded input size per channel: ({' x '.join(map(str, sizes))}). Kernel size: "
            f"({' x '.join(map(str, reach))}). Kernel size can't be greater than actual input size"
        )
    params = {"stride": strides, "padding": pads, "dilation": dilations, "groups": groups}
    y = as_batch(input, axes, lambda x: rows.convolution(x, weight, **params))
    return plus_bias(y, bias, weight, extents(weight)[0])


def conv1d(
    input: Tensor, weight: Tensor, bias: Tensor | None = None, stride: PerAxis = 1, padding: PerAxis | str = 0,
    dilation: PerAxis = 1, groups: int = 1,
) -> Tensor:
    """Cross-correlation along one axis: (N, C, L) or (C, L), with a weight (O, C / groups, K), to (N, O, L') or (O, L').

    ``y[n, o, t] = sum over c, k of weight[o, c, k] * x[n, c, t * stride + k * dilation - padding]``, zeros outside, plus
    `bias` (O,). `padding` is a number, "valid" (none) or "same". RuntimeError for shapes, dtypes and numbers that do not
    fit.

    >>> gradkit.conv1d(gradkit.tensor([[1.0, 2.0, 3.0]]), gradkit.ones(1, 1, 2))
    tensor([[3., 5.]])
    """
    return convolve("conv1d", 1, input, weight, bias, stride, padding, dilation, groups)


def conv2d(
    input: Tensor, weight: Tensor, bias: Tensor | None = None, stride: PerAxis = 1, padding: PerAxis | str = 0,
    dilation: PerAxis = 1, groups: int = 1,
) -> Tensor:
    """`conv1d` over two axes: (N, C, H, W) or (C, H, W) with a weight (O, C / groups, KH, KW).

    `stride`, `padding` and `dilation` are one number or one for each axis. Raises as there.

    >>> gradkit.conv2d(gradkit.ones(1, 3, 8, 8), gradkit.ones(4, 3, 3, 3), padding=1, stride=2).shape
    gradkit.Size([1, 4, 4, 4])
    """
    return convolve("conv2d", 2, input, weight, bias, stride, padding, dilation, groups)


def conv3d(
    input: Tensor, weight: Tensor, bias: Tensor | None = None, stride: PerAxis = 1, padding: PerAxis | str = 0,
    dilation: PerAxis = 1, groups: int = 1,
) -> Tensor:
    """`conv1d` over three axes: (N, C, D, H, W) or (C, D, H, W) with a weight (O, C / groups, KD, KH, KW).

    >>> gradkit.conv3d(gradkit.ones(1, 1, 3, 3, 3), gradkit.ones(1, 1, 3, 3, 3)).flatten()
    tensor([27.])
    """
    return convolve("conv3d", 3, input, weight, bias, stride, padding, dilation, groups)


# -- transposed
def transpose_convolve(
    name: str, axes: int, input: Tensor, weight: Tensor, bias: Any, stride: Any, padding: Any, output_padding: Any,
    groups: int, dilation: Any,
) -> Tensor:
    check_operands(name, axes, input, weight, bias)
    strides, dilations = per_axis(stride, axes, "stride", 1), per_axis(dilation, axes, "dilation", 1)
    pads, extra = per_axis(padding, axes, "padding", 0), per_axis(output_padding, axes, "output_padding", 0)
    check_channels(input, weight, groups, transposed=True)
    if any([e >= max(s, d) for e, s, d in zip(extra, strides, dilations)]):
        raise RuntimeError(
            f"output padding must be smaller than either stride or dilation, but got output_padding={list(extra)}, "
            f"stride={list(strides)}, dilation={list(dilations)}"
        )
    kernel = extents(weight)[2:]
    size = tuple([
        (n - 1) * s - 2 * p + d * (k - 1) + e + 1
        for n, s, p, d, k, e in zip(extents(input)[-axes:], strides, pads, dilations, kernel, extra)
    ])
    if min(size) < 1:
        raise RuntimeError(f"Calculated output size ({' x '.join(map(str, size))}) is too small")
    # Output padding below the stride lies in the size; more of it takes padding back at the end, then adds zeros.
    excess = [max(e - s + 1, 0) for e, s in zip(extra, strides)]
    zeros = tuple([(0, max(f - p, 0)) for f, p in zip(excess, pads)])
    params = {
        "stride": strides, "dilation": dilations, "groups": groups,
        "padding": tuple([(p, p - f + z) if f else p for p, f, (_, z) in zip(pads, excess, zeros)]),
        "size": tuple([n - z for n, (_, z) in zip(size, zeros)]),
    }
    y = as_batch(input, axes, lambda x: rows.conv_input_ct(x, weight, **params))
    y = pad_constant(y, pads=zeros, value=0.0) if any([z for _, z in zeros]) else y
    return plus_bias(y, bias, weight, extents(weight)[1] * groups, transposed=True)


def conv_transpose1d(
    input: Tensor, weight: Tensor, bias: Tensor | None = None, stride: PerAxis = 1, padding: PerAxis = 0,
    output_padding: PerAxis = 0, groups: int = 1, dilation: PerAxis = 1,
) -> Tensor:
    """The transpose of `conv1d` in its input: (N, C, L) or (C, L), with a weight (C, O / groups, K), to (N, O, L').

    L' is ``(L - 1) * stride - 2 * padding + dilation * (K - 1) + output_padding + 1``. RuntimeError for shapes, dtypes and
    numbers that do not fit.

    >>> gradkit.conv_transpose1d(gradkit.tensor([[1.0, 2.0]]), gradkit.ones(1, 1, 2))
    tensor([[1., 3., 2.]])
    """
    return transpose_convolve("conv_transpose1d", 1, input, weight, bias, stride, padding, output_padding, groups, dilation)


def conv_transpose2d(
    input: Tensor, weight: Tensor, bias: Tensor | None = None, stride: PerAxis = 1, padding: PerAxis = 0,
    output_padding: PerAxis = 0, groups: int = 1, dilation: PerAxis = 1,
) -> Tensor:
    """`conv_transpose1d` over two axes: (N, C, H, W) or (C, H, W) with a weight (C, O / groups, KH, KW).

    >>> gradkit.conv_transpose2d(gradkit.ones(1, 2, 4, 4), gradkit.ones(2, 3, 2, 2), stride=2).shape
    gradkit.Size([1, 3, 8, 8])
    """
    return transpose_convolve("conv_transpose2d", 2, input, weight, bias, stride, padding, output_padding, groups, dilation)


def conv_transpose3d(
    input: Tensor, weight: Tensor, bias: Tensor | None = None, stride: PerAxis = 1, padding: PerAxis = 0,
    output_padding: PerAxis = 0, groups: int = 1, dilation: PerAxis = 1,
) -> Tensor:
    """`conv_transpose1d` over three axes: (N, C, D, H, W) or (C, D, H, W) with a weight (C, O / groups, KD, KH, KW).

    >>> gradkit.conv_transpose3d(gradkit.ones(1, 1, 1, 1, 1), gradkit.ones(1, 2, 3, 3, 3)).shape
    gradkit.Size([1, 2, 3, 3, 3])
    """
    return transpose_convolve("conv_transpose3d", 3, input, weight, bias, stride, padding, output_padding, groups, dilation)


# -- patches
def unfold(input: Tensor, kernel_size: PerAxis, dilation: PerAxis = 1, padding: PerAxis = 0, stride: PerAxis = 1) -> Tensor:
    """The patches of images: (N, C, H, W) or (C, H, W) to (N, C * KH * KW, L) or without N, L the number of places.

    RuntimeError for another number of axes or numbers that do not fit.

    >>> F.unfold(gradkit.arange(4.0).reshape(1, 2, 2), (1, 2))
    tensor([[0., 2.],
            [1., 3.]])
    """
    if input.ndim not in (3, 4):
        raise RuntimeError(f"Expected 3D or 4D (batch mode) tensor for input, but got {list(extents(input))}")
    kernel, steps, pads, strides = _patches(kernel_size, dilation, padding, stride)
    x = pad_constant(input, pads=tuple([(p, p) for p in pads]), value=0.0) if any(pads) else input
    lead = extents(x)[:-2]
    n = len(lead)
    for k, d, s in zip(kernel, steps, strides):  # the windows of an axis become the last one: the next axis moves up
        x = slice_(windows(x, axis=-2, size=d * (k - 1) + 1, step=s), key=(..., slice(None, None, d)))
    found = permute(x, (*range(n), n + 2, n + 3, n, n + 1))  # (..., C, KH, KW, OH, OW)
    places = extents(found)[-2] * extents(found)[-1]
    return reshape(found, (*lead[:-1], lead[-1] * kernel[0] * kernel[1], places))


def fold(
    input: Tensor, output_size: PerAxis, kernel_size: PerAxis, dilation: PerAxis = 1, padding: PerAxis = 0, stride: PerAxis = 1
) -> Tensor:
    """The transpose of `unfold`: patches (N, C * KH * KW, L), or without N, added up where they lie: (N, C, H, W).

    `output_size` is (H, W). RuntimeError for extents that do not fit.

    >>> F.fold(gradkit.ones(2, 2), (1, 3), (1, 2))
    tensor([[[1., 2., 1.]]])
    """
    kernel, steps, pads, strides = _patches(kernel_size, dilation, padding, stride)
    size = per_axis(output_size, 2, "output_size", 1)
    *lead, depth, places = extents(input)
    reach = [d * (k - 1) + 1 for d, k in zip(steps, kernel)]
    whole = [n + 2 * p for n, p in zip(size, pads)]
    counts = [(n - r) // s + 1 for n, r, s in zip(whole, reach, strides)]
    if depth % (kernel[0] * kernel[1]):
        raise RuntimeError(
            "Expected size of input's dimension 1 to be divisible by the product of kernel_size, but got "
            f"input.size(1)={depth} and kernel_size={kernel}."
        )
    if counts[0] * counts[1] != places:
        raise RuntimeError(
            f"Given output_size={size}, kernel_size={kernel}, dilation={steps}, padding={pads}, stride={strides}, expected "
            f"{counts[0]} * {counts[1]} sliding blocks, but got input of {places}."
        )
    channels = (*lead, depth // (kernel[0] * kernel[1]))
    n = len(channels)
    x = permute(reshape(input, (*channels, *kernel, *counts)), (*range(n), n + 2, n + 3, n, n + 1))
    for r, d, s, extent in zip(reversed(reach), reversed(steps), reversed(strides), reversed(whole)):
        shape = extents(x)
        x = unslice(x, shape=(*shape[:-1], r), key=(..., slice(None, None, d)))
        x = overlap_add(x, shape=(*shape[:-3], extent, shape[-2]), axis=-2, size=r, step=s)
    return pad_constant(x, pads=tuple([(-p, -p) for p in pads]), value=0.0) if any(pads) else x


def _patches(kernel: Any, dilation: Any, padding: Any, stride: Any) -> tuple[tuple[int, ...], ...]:
    return (
        per_axis(kernel, 2, "kernel_size", 1), per_axis(dilation, 2, "dilation", 1), per_axis(padding, 2, "padding", 0),
        per_axis(stride, 2, "stride", 1),
    )
