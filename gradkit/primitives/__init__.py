"""The rows: one declaration for each primitive. Importing this package enters all of them."""

from gradkit.primitives import (
    activation,
    arranging,
    comparison,
    complex,
    convolution,
    decomposition,
    determinant,
    elementwise,
    embedding,
    fft,
    indexing,
    linalg,
    linear,
    losses,
    norm,
    normalization,
    piecewise,
    placement,
    pooling,
    recurrence,
    reduction,
    scan,
    selection,
    shape,
    sorting,
    special,
    trigonometric,
)

__all__ = [
    "activation", "arranging", "comparison", "complex", "convolution", "decomposition", "determinant",
    "elementwise", "embedding", "fft", "indexing", "linalg", "linear", "losses", "norm", "normalization", "piecewise",
    "placement", "pooling", "recurrence", "reduction", "scan", "selection", "shape", "sorting", "special", "trigonometric",
]
