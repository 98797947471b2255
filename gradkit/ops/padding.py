"""Padding: elements added around a tensor."""

from typing import Any

from gradkit.engine.tensor import Tensor
from gradkit.ops.arranging import flip
from gradkit.ops.joining import cat
from gradkit.ops.shaping import expand
from gradkit.primitives.arranging import along, pad_constant
from gradkit.primitives.indexing import slice_
from gradkit.primitives.shape import extents

__all__: list[str] = []


def pad(input: Tensor, pad: Any, mode: str = "constant", value: float | None = None) -> Tensor:
    """Elements added before and after the last axes: `pad` has (before, after) for the last one, then the one before.

    `mode` is "constant" (with `value`), "reflect" (mirrored at the outermost element), "replicate" (which is repeated)
    or "circular". A negative number cuts off. RuntimeError for an odd number of numbers, too many, or too large ones.

    >>> gradkit.nn.functional.pad(gradkit.tensor([1, 2, 3]), (2, 0), "reflect").tolist()
    [3, 2, 1, 2, 3]
    """
    shape = extents(input)
    if len(pad) % 2:
        raise RuntimeError("Padding length must be divisible by 2")
    if len(pad) // 2 > len(shape):
        raise RuntimeError(
            "Padding length should be less than or equal to two times the input dimension but got padding length "
            f"{len(pad)} and input of dimension {len(shape)}"
        )
    pads = tuple([(pad[i], pad[i + 1]) for i in range(len(pad) - 2, -1, -2)])
    if mode == "constant":
        for n, (before, after) in zip(shape[len(shape) - len(pads) :], pads):
            if n + before + after < 0 or n + min(before, 0) < 0 or n + min(after, 0) < 0:
                raise RuntimeError("narrow(): length must be non-negative.")
        return pad_constant(input, pads=pads, value=value or 0.0)
    if mode not in _BORDERS:
        raise NotImplementedError(f"Unrecognised padding mode {mode}")
    if value:
        raise RuntimeError(f'Padding mode "{mode}" doesn\'t take in value argument')
    for axis, (before, after) in enumerate(pads, -len(pads)):
        input = _extended(input, axis, before, after, mode)
    return input


def _extended(x: Tensor, axis: int, before: int, after: int, mode: str) -> Tensor:
    n = extents(x)[axis]
    whole = slice_.apply(x, {"key": along(axis, slice(max(-before, 0), n - max(-after, 0)))})
    if mode == "circular":
        x, n = whole, extents(whole)[axis]
    borders = _BORDERS[mode](x, axis, n, max(before, 0), max(after, 0))
    parts = [borders[0]] * (before > 0) + [whole] + [borders[1]] * (after > 0)
    return cat(parts, axis) if len(parts) > 1 else whole


def _reflected(x: Tensor, axis: int, n: int, before: int, after: int) -> list[Tensor]:
    if max(before, after) >= n:
        raise RuntimeError(
            "Padding size should be less than the corresponding input dimension, but got: padding "
            f"({before}, {after}) at dimension {axis + x.ndim} of input {list(extents(x))}"
        )
    parts = slice(1, before + 1), slice(n - 1 - after, n - 1)
    return [flip(slice_.apply(x, {"key": along(axis, part)}), axis) for part in parts]


def _replicated(x: Tensor, axis: int, n: int, before: int, after: int) -> list[Tensor]:
    ends, shape = (slice(0, 1), slice(n - 1, n)), list(extents(x))
    sizes = [[*shape[:axis], m, *shape[len(shape) + axis + 1 :]] for m in (before, after)]
    return [expand(slice_.apply(x, {"key": along(axis, end)}), size) for end, size in zip(ends, sizes)]


def _wrapped(x: Tensor, axis: int, n: int, before: int, after: int) -> list[Tensor]:
    if max(before, after) > n:
        raise RuntimeError("Padding value causes wrapping around more than once.")
    return [slice_.apply(x, {"key": along(axis, part)}) for part in (slice(n - before, n), slice(0, after))]


_BORDERS = {"reflect": _reflected, "replicate": _replicated, "circular": _wrapped}
