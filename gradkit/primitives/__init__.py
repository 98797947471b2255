"""The rows: one declaration for each primitive. Importing this package enters all of them."""

from gradkit.primitives import elementwise, indexing, linalg, reduction, shape

__all__ = ["elementwise", "indexing", "linalg", "reduction", "shape"]
