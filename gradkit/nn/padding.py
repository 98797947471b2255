"""Padding layers: more elements before and after the last axes.

``padding`` is one number for all sides, or a number before and one after each axis, the last axis first. Negative numbers
take elements away.
"""

from typing import ClassVar

from gradkit.engine.tensor import Tensor
from gradkit.nn import functional as F
from gradkit.nn.module import Module

__all__ = [
    "CircularPad1d", "CircularPad2d", "CircularPad3d", "ConstantPad1d", "ConstantPad2d", "ConstantPad3d", "ReflectionPad1d",
    "ReflectionPad2d", "ReflectionPad3d", "ReplicationPad1d", "ReplicationPad2d", "ReplicationPad3d", "ZeroPad1d", "ZeroPad2d",
    "ZeroPad3d",
]


class _Pad(Module):
    axes: ClassVar[int]
    mode: ClassVar[str] = "constant"

    def __init__(self, padding: int | tuple[int, ...]) -> None:
        super().__init__()
        self.padding = (padding,) * (2 * self.axes) if isinstance(padding, int) else tuple(padding)

    def forward(self, input: Tensor) -> Tensor:
        return F.pad(input, self.padding, self.mode)

    def extra_repr(self) -> str:
        return f"{self.padding}"


class _ConstantPad(_Pad):
    def __init__(self, padding: int | tuple[int, ...], value: float) -> None:
        super().__init__(padding)
        self.value = value

    def forward(self, input: Tensor) -> Tensor:
        return F.pad(input, self.padding, self.mode, self.value)

    def extra_repr(self) -> str:
        return f"padding={self.padding}, value={self.value}"


class ConstantPad1d(_ConstantPad):
    """One number on all sides of (N, C, L) or (C, L).

    >>> nn.ConstantPad1d(1, 7.0)(gradkit.tensor([[1.0, 2.0, 3.0]]))
    tensor([[7., 1., 2., 3., 7.]])
    """

    axes = 1


class ConstantPad2d(_ConstantPad):
    """`ConstantPad1d` of (N, C, H, W) or (C, H, W).

    >>> nn.ConstantPad2d((1, 1, 0, 0), 7.0)(gradkit.arange(4.0).reshape(1, 2, 2))
    tensor([[[7., 0., 1., 7.],
             [7., 2., 3., 7.]]])
    """

    axes = 2


class ConstantPad3d(_ConstantPad):
    """`ConstantPad1d` of (N, C, D, H, W) or (C, D, H, W).

    >>> nn.ConstantPad3d(1, 7.0)(gradkit.ones(1, 2, 2, 2)).shape
    gradkit.Size([1, 4, 4, 4])
    """

    axes = 3


class ZeroPad1d(_Pad):
    """Zeros on all sides of (N, C, L) or (C, L).

    >>> nn.ZeroPad1d(1)(gradkit.tensor([[1.0, 2.0, 3.0]]))
    tensor([[0., 1., 2., 3., 0.]])
    """

    axes = 1


class ZeroPad2d(_Pad):
    """`ZeroPad1d` of (N, C, H, W) or (C, H, W).

    >>> nn.ZeroPad2d((1, 1, 0, 0))(gradkit.arange(4.0).reshape(1, 2, 2))
    tensor([[[0., 0., 1., 0.],
             [0., 2., 3., 0.]]])
    """

    axes = 2


class ZeroPad3d(_Pad):
    """`ZeroPad1d` of (N, C, D, H, W) or (C, D, H, W).

    >>> nn.ZeroPad3d(1)(gradkit.ones(1, 2, 2, 2)).shape
    gradkit.Size([1, 4, 4, 4])
    """

    axes = 3


class ReflectionPad1d(_Pad):
    """The elements next to the border in reverse order, fewer than there are, on all sides of (N, C, L) or (C, L).

    >>> nn.ReflectionPad1d(1)(gradkit.tensor([[1.0, 2.0, 3.0]]))
    tensor([[2., 1., 2., 3., 2.]])
    """

    axes = 1
    mode = "reflect"


class ReflectionPad2d(_Pad):
    """`ReflectionPad1d` of (N, C, H, W) or (C, H, W).

    >>> nn.ReflectionPad2d((1, 1, 0, 0))(gradkit.arange(4.0).reshape(1, 2, 2))
    tensor([[[1., 0., 1., 0.],
             [3., 2., 3., 2.]]])
    """

    axes = 2
    mode = "reflect"


class ReflectionPad3d(_Pad):
    """`ReflectionPad1d` of (N, C, D, H, W) or (C, D, H, W).

    >>> nn.ReflectionPad3d(1)(gradkit.ones(1, 2, 2, 2)).shape
    gradkit.Size([1, 4, 4, 4])
    """

    axes = 3
    mode = "reflect"


class ReplicationPad1d(_Pad):
    """The element at the border on all sides of (N, C, L) or (C, L).

    >>> nn.ReplicationPad1d(1)(gradkit.tensor([[1.0, 2.0, 3.0]]))
    tensor([[1., 1., 2., 3., 3.]])
    """

    axes = 1
    mode = "replicate"


class ReplicationPad2d(_Pad):
    """`ReplicationPad1d` of (N, C, H, W) or (C, H, W).

    >>> nn.ReplicationPad2d((1, 1, 0, 0))(gradkit.arange(4.0).reshape(1, 2, 2))
    tensor([[[0., 0., 1., 1.],
             [2., 2., 3., 3.]]])
    """

    axes = 2
    mode = "replicate"


class ReplicationPad3d(_Pad):
    """`ReplicationPad1d` of (N, C, D, H, W) or (C, D, H, W).

    >>> nn.ReplicationPad3d(1)(gradkit.ones(1, 2, 2, 2)).shape
    gradkit.Size([1, 4, 4, 4])
    """

    axes = 3
    mode = "replicate"


class CircularPad1d(_Pad):
    """The elements at the other end on all sides of (N, C, L) or (C, L).

    >>> nn.CircularPad1d(1)(gradkit.tensor([[1.0, 2.0, 3.0]]))
    tensor([[3., 1., 2., 3., 1.]])
    """

    axes = 1
    mode = "circular"


class CircularPad2d(_Pad):
    """`CircularPad1d` of (N, C, H, W) or (C, H, W).

    >>> nn.CircularPad2d((1, 1, 0, 0))(gradkit.arange(4.0).reshape(1, 2, 2))
    tensor([[[1., 0., 1., 0.],
             [3., 2., 3., 2.]]])
    """

    axes = 2
    mode = "circular"


class CircularPad3d(_Pad):
    """`CircularPad1d` of (N, C, D, H, W) or (C, D, H, W).

    >>> nn.CircularPad3d(1)(gradkit.ones(1, 2, 2, 2)).shape
    gradkit.Size([1, 4, 4, 4])
    """

    axes = 3
    mode = "circular"
