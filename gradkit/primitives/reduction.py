"""Sums and what is like them: rows that run along axes."""

from typing import Any

from gradkit.families import linear
from gradkit.primitives.shape import axes_from_end


def kept(shape: Any, axis: Any) -> tuple[int, ...]:
    """The shape with the reduced axes of extent 1."""
    return tuple([1 if i - len(shape) in axis else n for i, n in enumerate(shape)])


def reduce_over(x: Any, dim: Any = None, keepdim: bool = False, *, axis: Any = None, keepdims: bool = False) -> Any:
    """PyTorch's and NumPy's names for the same two things."""
    return {"axis": axes_from_end(x, dim if axis is None else axis), "keepdims": keepdim or keepdims}


REDUCTIONS = [((3, 4), {"axis": (-1,), "keepdims": False}), ((3, 4), {"axis": (-2, -1), "keepdims": True})]

sum = linear(  # noqa: A001
    "sum", lambda xp, x, axis, keepdims: xp.sum(x, axis=axis, keepdims=keepdims),
    [lambda xp, d, _y, x_shape, axis, keepdims: xp.broadcast_to(xp.reshape(d, kept(x_shape, axis)), x_shape)],  # noqa: ARG005
    REDUCTIONS, structure="axes", tidy=reduce_over,
    peer=lambda torch, x, axis, keepdims: torch.sum(x, axis, keepdims),
)  # fmt: skip
