"""Reductions with PyTorch's signatures."""

from gradkit.primitives.reduction import sum  # noqa: A004

__all__ = ["sum"]
METHODS = ("sum",)
INPLACE: tuple[str, ...] = ()
