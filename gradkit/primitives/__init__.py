"""The rows: one declaration for each primitive. Importing this package enters all of them."""

from gradkit.primitives import (
    activation, comparison, complex, elementwise, indexing, linalg, linear, losses, normalization, piecewise,
    reduction, scan, shape, special, trigonometric,
)  # fmt: skip

__all__ = [
    "activation", "comparison", "complex", "elementwise", "indexing", "linalg", "linear", "losses", "normalization",
    "piecewise", "reduction", "scan", "shape", "special", "trigonometric",
]  # fmt: skip
