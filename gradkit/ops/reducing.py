"""Reductions with PyTorch's signatures."""

from gradkit.primitives.reduction import amax, amin, mean, sum  # noqa: A004

__all__ = ["amax", "amin", "mean", "sum"]
METHODS = ("amax", "amin", "mean", "sum")
INPLACE: tuple[str, ...] = ()
