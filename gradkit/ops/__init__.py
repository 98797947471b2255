"""Composites of primitives, and primitives with PyTorch's signatures. One file a topic.

Each file says in `__all__` what stands at the top of the package; those that have them, in `METHODS` which of that is a
Tensor method too, in `INPLACE` which methods have a form with a trailing underscore that writes into its first operand, and
in `PROPERTIES` what is read off a tensor without a call.
"""

from gradkit.ops import (
    activation,
    arithmetic,
    arranging,
    attention,
    choosing,
    classification,
    comparison,
    complex,
    contraction,
    convolution,
    counting,
    distance,
    dropout,
    embedding,
    fourier,
    functions,
    gathering,
    indexing,
    inquiry,
    joining,
    layout,
    linear_algebra,
    losses,
    margins,
    neural,
    normalization,
    padding,
    placing,
    pooling,
    quantiles,
    reducing,
    replacing,
    resampling,
    sampling,
    scanning,
    shaping,
    sorting,
    unpooling,
    windows,
    writing,
)

TOPICS = (
    arithmetic, shaping, indexing, layout, writing, sorting, padding, gathering, placing, arranging, joining,
    reducing, linear_algebra, neural, activation, choosing, comparison, complex, functions, attention, classification,
    distance, dropout, losses, normalization, embedding, convolution, resampling, pooling, scanning,
    contraction, sampling, margins, unpooling, fourier, counting, inquiry, quantiles, replacing, windows,
)
