"""Dropout."""

from gradkit.engine.tensor import Tensor
from gradkit.nn import functional as F
from gradkit.nn.module import Module


class Dropout(Module):
    """In training, zeroes each element with probability ``p`` and divides the others by ``1 - p``.

    In evaluation it returns its input. Raises ValueError for a ``p`` outside [0, 1]. Hinton et al., "Improving neural
    networks by preventing co-adaptation of feature detectors" (2012).

    >>> import gradkit
    >>> from gradkit import nn
    >>> sorted(set(nn.Dropout(0.5)(gradkit.ones(100)).tolist()))
    [0.0, 2.0]
    """

    def __init__(self, p: float = 0.5, inplace: bool = False) -> None:
        super().__init__()
        if not 0 <= p <= 1:
            raise ValueError(f"dropout probability has to be between 0 and 1, but got {p}")
        self.p = p
        self.inplace = inplace

    def forward(self, input: Tensor) -> Tensor:
        return F.dropout(input, self.p, self.training, self.inplace)

    def extra_repr(self) -> str:
        return f"p={self.p}, inplace={self.inplace}"
