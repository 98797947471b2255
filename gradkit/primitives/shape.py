"""Rows that move elements and do no arithmetic: reshape, expand, permute, join, alias, convert."""

import math
from typing import Any

from gradkit.families import linear
from gradkit.engine.tape import fit


def in_front(sizes: tuple[int, ...], shape: Any, **rest: Any) -> dict[str, Any]:
    """A shape parameter under batch axes."""
    return {"shape": (*sizes, *shape), **rest}


def axis_from_end(x: Any, axis: int, extra: int = 0) -> int:
    """One axis counted from the end; IndexError, worded as PyTorch's, if `x` has no such axis."""
    ndim = x.ndim + extra
    n = max(ndim, 1)
    if not -n <= axis < n:
        raise IndexError(f"Dimension out of range (expected to be in range of [{-n}, {n - 1}], but got {axis})")
    return axis if axis < 0 else axis - n


def axes_from_end(x: Any, axis: Any) -> tuple[int, ...]:
    """Axes counted from the end; None is all of them."""
    if axis is None:
        return tuple(range(-x.ndim, 0))
    if isinstance(axis, int):
        return (axis_from_end(x, axis),) if x.ndim else ()
    axes = tuple([axis_from_end(x, a) for a in axis]) if x.ndim else ()
    if len(set(axes)) != len(axes):
        raise RuntimeError(f"dim {axis} appears multiple times in the list of dims")
    return axes or tuple(range(-x.ndim, 0))


def shape_of(x: Any, *shape: Any) -> dict[str, Any]:
    """``reshape(x, 2, 3)``, ``reshape(x, (2, 3))``, and one -1."""
    if len(shape) == 1 and not isinstance(shape[0], int):
        shape = tuple(shape[0])
    if -1 in shape:
        size = math.prod(x.shape)
        known = math.prod([n for n in shape if n != -1])
        if not known or size % known or shape.count(-1) > 1:
            raise RuntimeError(f"shape '{list(shape)}' is invalid for input of size {size}")
        shape = tuple([size // known if n == -1 else n for n in shape])
    elif math.prod(shape) != math.prod(x.shape):
        raise RuntimeError(f"shape '{list(shape)}' is invalid for input of size {math.prod(x.shape)}")
    return {"shape": shape}


def order_of(x: Any, *axes: Any) -> dict[str, Any]:
    if len(axes) == 1 and not isinstance(axes[0], int):
        axes = tuple(axes[0])
    if len(axes) != x.ndim:
        raise RuntimeError(
            "permute(sparse_coo): number of dimensions in the tensor input does not match the length of the desired "
            f"ordering of dimensions i.e. input.dim() = {x.ndim} is not equal to len(dims) = {len(axes)}"
        )
    return {"axes": axes_from_end(x, axes)}


def permuted(xp: Any, x: Any, axes: Any) -> Any:
    lead = x.ndim - len(axes)
    return xp.permute_dims(x, (*range(lead), *[a + x.ndim for a in axes]))


def unpermuted(axes: Any) -> tuple[int, ...]:
    order = [a + len(axes) for a in axes]
    return tuple([order.index(i) - len(axes) for i in range(len(axes))])


reshape = linear(
    "reshape", lambda xp, x, shape: xp.reshape(x, shape), [lambda xp, d, _y, x_shape, shape: xp.reshape(d, x_shape)],
    [((3, 4), {"shape": (2, 6)}), ((3, 4), {"shape": (12,)})],
    tidy=shape_of, batching=in_front, view=True, peer=lambda torch, x, shape: torch.reshape(x, shape),
)  # fmt: skip
expand = linear(
    "expand", lambda xp, x, shape: xp.broadcast_to(x, shape),
    [lambda xp, d, _y, x_shape, shape: fit(xp, d, tuple(x_shape), d.dtype)],
    [((3, 1), {"shape": (3, 4)}), ((1, 3), {"shape": (2, 3)})],
    batching=in_front, view=True, peer=lambda torch, x, shape: x.expand(shape),
)  # fmt: skip
permute = linear(
    "permute", permuted, [lambda xp, d, _y, _x, axes: xp.permute(d, unpermuted(axes))],
    [((2, 3, 4), {"axes": (-1, -3, -2)})], tidy=order_of, view=True, peer=lambda torch, x, axes: torch.permute(x, axes),
)  # fmt: skip
alias = linear("alias", lambda _xp, x: x[...], [lambda _xp, d, _y, _x: d], [((3,), {})], view=True)
astype = linear(
    "astype", lambda xp, x, dtype: xp.astype(x, dtype), [lambda _xp, d, _y, _x, dtype: d],  # noqa: ARG005
    [((3,), {"dtype": "float64"})], title="ToCopyBackward0", peer=lambda torch, x, dtype: x.to(getattr(torch, str(dtype))),
)  # fmt: skip
