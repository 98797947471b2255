"""Products and decompositions of matrices with PyTorch's signatures."""

from gradkit.primitives.linalg import matmul

__all__ = ["matmul"]
METHODS = ("matmul",)
INPLACE: tuple[str, ...] = ()
