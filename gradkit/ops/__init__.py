"""Composites of primitives, and primitives with PyTorch's signatures. One file a topic.

Each file says in `__all__` what stands at the top of the package, in `METHODS` which of that is a Tensor method too, and
in `INPLACE` which methods have a form with a trailing underscore that writes into its first operand.
"""

from gradkit.ops import (
    activation, arithmetic, comparison, complex, functions, indexing, linear_algebra, neural, reducing, shaping,
)  # fmt: skip

TOPICS = (arithmetic, shaping, indexing, reducing, linear_algebra, neural, activation, comparison, complex, functions)

__all__ = [
    "TOPICS", "activation", "arithmetic", "comparison", "complex", "functions", "indexing", "linear_algebra",
    "neural", "reducing", "shaping",
]  # fmt: skip
