"""The text of a tensor: PyTorch's, character for character.

First comes one text for each element that is shown, then the width they line up to, then the brackets, and last what is
said about the tensor as a whole. Only shown elements are read, so that a summary costs the same at any size.
"""

import math
from collections.abc import Iterator, Sequence
from itertools import compress
from typing import Any, NamedTuple

import numpy as np

Array = np.ndarray[Any, Any]

_FLOAT32 = np.dtype("float32")


class _Options(NamedTuple):
    precision: int = 4
    threshold: float = 1000
    edgeitems: int = 3
    linewidth: int = 80
    sci_mode: bool | None = None


_PROFILES: dict[str | None, _Options] = {
    "default": _Options(),
    "short": _Options(precision=2, edgeitems=2),
    "full": _Options(threshold=math.inf),
}
_options = _Options()


def set_printoptions(
    precision: int | None = None, threshold: float | None = None, edgeitems: int | None = None,
    linewidth: int | None = None, profile: str | None = None, sci_mode: bool | None = None,
) -> None:
    """Set how tensors print from now on, in all threads.

    precision: digits after the point, 4 at the start.
    threshold: a tensor of more elements than this, 1000 at the start, prints as a summary; `math.inf` for never.
    edgeitems: how many items a summary keeps at both ends of each axis, 3 at the start.
    linewidth: the column at which lines break, 80 at the start.
    profile: "default", "short" (2 digits, 2 edge items) or "full" (no summaries), taken before the other arguments.
    sci_mode: True or False for scientific notation always or never; None leaves it to the elements.

    What is None stays as it was, except `sci_mode`, which every call sets; another name of a profile changes nothing.
    Both are as in PyTorch.

    >>> gradkit.set_printoptions(precision=2)
    >>> gradkit.tensor([1.12345])
    tensor([1.12])
    >>> gradkit.set_printoptions(profile="default")
    """
    global _options
    given = {"precision": precision, "threshold": threshold, "edgeitems": edgeitems, "linewidth": linewidth}
    changes: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    _options = _PROFILES.get(profile, _options)._replace(**changes, sci_mode=sci_mode)


def get_printoptions() -> dict[str, Any]:
    """How tensors print: a dict of keyword arguments that `set_printoptions` takes back.

    >>> before = gradkit.get_printoptions()
    >>> before["precision"]
    4
    >>> gradkit.set_printoptions(**before)
    """
    return _options._asdict()


def tensor_repr(
    array: Array | np.generic, *, requires_grad: bool = False, grad_fn: str | None = None, device: object | None = None,
    default_dtype: np.dtype[Any] = _FLOAT32, prefix: str = "tensor(", shape: Sequence[int] | None = None,
    tangent: object | None = None, class_line: str | None = None,
) -> str:
    """The repr of a tensor that holds `array`: a host array of any shape and dtype, or a NumPy scalar.

    requires_grad: whether to say so; a tensor with a grad_fn does not, as the name says it already.
    grad_fn: the name of the tensor's grad_fn, such as "MulBackward0".
    device: what to print as the device, or None where it goes without saying.
    default_dtype: the floating dtype that goes without saying; bool, int64 and the complex dtype beside it do as well.
    prefix: what stands before the elements, which later lines are indented by.
    shape: the shape that `size=` gives, where it is not the array's.
    tangent: a value whose `format()` is printed as the tangent, or None.
    class_line: a line above all others, such as "Parameter containing:".

    >>> from gradkit.engine.printing import tensor_repr
    >>> print(tensor_repr(np.float32([[0.5, -2], [10, 3]]), requires_grad=True))
    tensor([[ 0.5000, -2.0000],
            [10.0000,  3.0000]], requires_grad=True)
    """
    options = _options
    array = np.asarray(array)
    shape = array.shape if shape is None else tuple(shape)
    suffixes = []
    if device is not None:
        suffixes.append(f"device='{device}'")
    if len(shape) != 1 if array.size == 0 else options.edgeitems == 0:  # where the brackets do not show it
        suffixes.append(f"size={shape}")
    if not _goes_without_saying(array, default_dtype):
        suffixes.append(f"dtype={dtype_name(array.dtype)}")
    if grad_fn is not None:
        suffixes.append(f"grad_fn=<{grad_fn}>")
    elif requires_grad:
        suffixes.append("requires_grad=True")
    if tangent is not None:
        suffixes.append(f"tangent={tangent}")
    text = prefix + _elements(array, len(prefix), options)
    text = _with_suffixes(text, suffixes, len(prefix), options.linewidth)
    return text if class_line is None else f"{class_line}\n{text}"


def format_scalar(value: Any, spec: str) -> str:
    """`value` formatted by `spec`, as in `f"{loss:.3f}"`: a tensor or array of shape () formats as its Python number.

    Any other shape gives its `str` for an empty `spec` and raises TypeError for all else. A `spec` that does not suit
    the number raises ValueError.

    >>> from gradkit.engine.printing import format_scalar
    >>> format_scalar(np.float32(2.5), ".3f")
    '2.500'
    """
    return format(value.item(), spec) if value.ndim == 0 else object.__format__(value, spec)


def dtype_name(dtype: np.dtype[Any]) -> str:
    """The name under which a repr gives a dtype.

    >>> from gradkit.engine.printing import dtype_name
    >>> dtype_name(np.dtype("float64"))
    'gradkit.float64'
    """
    return f"gradkit.{dtype.name}"


def _goes_without_saying(array: Array, default_dtype: np.dtype[Any]) -> bool:
    """Whether PyTorch leaves the dtype out; compared by name, as the byte order is no part of it."""
    default: str = default_dtype.name
    name: str = array.dtype.name
    if array.size == 0:  # there is no element to tell the dtype by
        return name == default
    return name in (default, "complex128" if default == "float64" else "complex64", "int64", "bool")


def _elements(array: Array, indent: int, options: _Options) -> str:
    """The elements in their brackets, the first of which stands `indent` columns from the left."""
    if array.size == 0:
        return "[]"
    edge, summarised = options.edgeitems, array.size > options.threshold
    cut = [summarised and length > 2 * edge for length in array.shape]
    if any(cut):
        if edge == 0:
            return "[...]"
        array = array[np.ix_(*map(_kept, array.shape, cut, [edge] * array.ndim))]
    blocks, width = _texts(array.reshape(-1), options)
    if array.ndim == 0:
        return blocks[0]
    last = array.ndim - 1
    per_line = max(1, math.floor((options.linewidth - indent - last) / (width + 2)))
    rows = _groups(blocks, array.shape[last], " ..." if cut[last] else None)
    blocks = [_row(row, indent + array.ndim, per_line) for row in rows]
    for axis in reversed(range(last)):
        gap = "," + "\n" * (last - axis) + " " * (indent + axis + 1)
        groups = _groups(blocks, array.shape[axis], "..." if cut[axis] else None)
        blocks = [f"[{gap.join(group)}]" for group in groups]
    return blocks[0]


def _kept(length: int, cut: bool, edge: int) -> Array:
    """The positions on an axis that are shown."""
    return np.r_[:edge, length - edge : length] if cut else np.arange(length)


def _groups(blocks: list[str], length: int, ellipsis: str | None) -> Iterator[list[str]]:
    """Every `length` blocks, with the ellipsis, if there is one, in their middle."""
    middle = [] if ellipsis is None else [ellipsis]
    for start in range(0, len(blocks), length):
        centre = start + length // 2
        yield blocks[start:centre] + middle + blocks[centre : start + length]


def _row(items: list[str], margin: int, per_line: int) -> str:
    lines = [", ".join(items[start : start + per_line]) for start in range(0, len(items), per_line)]
    return "[" + (",\n" + " " * margin).join(lines) + "]"


def _with_suffixes(text: str, suffixes: list[str], indent: int, linewidth: int) -> str:
    used = len(text) - text.rfind("\n") + 1  # PyTorch counts two characters more than the line has
    for suffix in suffixes:
        if used + len(suffix) + 2 > linewidth:
            text += ",\n" + " " * indent + suffix
            used = indent + len(suffix)
        else:
            text += f", {suffix}"
            used += len(suffix) + 2
    return text + ")"


def _texts(values: Array, options: _Options) -> tuple[list[str], int]:
    """A text for each value, and the width that lines are filled by: what is not an ordinary number may be wider."""
    if values.dtype.kind == "c":
        return _complex_texts(values, options)
    if values.dtype.kind in "biu":
        texts = [str(value) for value in values.tolist()]
        width = max(map(len, texts))
    else:
        texts, width = _float_texts(values, options)
    return [text.rjust(width) for text in texts], width


def _complex_texts(values: Array, options: _Options) -> tuple[list[str], int]:
    reals, real_width = _float_texts(values.real, options)
    imags, imag_width = _float_texts(values.imag, options)
    signed = [imag if imag.startswith("-") else f"+{imag}" for imag in imags]
    texts = [f"{real.rjust(real_width)}{imag}j" for real, imag in zip(reals, signed, strict=True)]
    return texts, real_width + imag_width + 1


def _float_texts(values: Array, options: _Options) -> tuple[list[str], int]:
    """Texts that are not lined up yet; the width is that of the finite values other than zero, or 1 without any."""
    with np.errstate(invalid="ignore"):  # a signalling NaN does not stop a tensor from printing
        values = values.astype(np.float64)
    ordinary = np.isfinite(values) & (values != 0)
    spec = _float_spec(values[ordinary], options)
    texts = [format(value, spec) for value in values.tolist()]
    return texts, max(map(len, compress(texts, ordinary.tolist())), default=1)


def _float_spec(ordinary: Array, options: _Options) -> str:
    """One format for all: whole numbers, fixed point or, where that would hide too much, scientific notation."""
    if ordinary.size == 0:
        return "#.0f"
    scientific = options.sci_mode
    if scientific is None:
        magnitudes = np.abs(ordinary)
        smallest, largest = float(magnitudes.min()), float(magnitudes.max())
        scientific = largest / smallest > 1000 or largest > 1e8 or smallest < 1e-4
    if scientific:
        return f".{options.precision}e"
    whole = np.array_equal(ordinary, np.trunc(ordinary))
    return "#.0f" if whole else f".{options.precision}f"
