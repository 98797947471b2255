"""Dropout layers: random zeros in training, nothing in evaluation."""

from typing import Any

from gradkit.nn import functional as F
from gradkit.nn.applied import Applied

__all__ = ["AlphaDropout", "Dropout", "Dropout1d", "Dropout2d", "Dropout3d", "FeatureAlphaDropout"]


class Dropout(Applied):
    """In training, zeroes each element with probability ``p`` and divides the others by ``1 - p``.

    In evaluation it returns its input. ValueError for a ``p`` outside [0, 1]. Hinton et al., "Improving neural
    networks by preventing co-adaptation of feature detectors" (2012).

    >>> sorted(set(nn.Dropout(0.5)(gradkit.ones(100)).tolist()))
    [0.0, 2.0]
    """

    function: Any = staticmethod(F.dropout)

    def __init__(self, p: float = 0.5, inplace: bool = False) -> None:
        if not 0 <= p <= 1:
            raise ValueError(f"dropout probability has to be between 0 and 1, but got {p}")
        super().__init__(p=p, inplace=inplace)

    def forward(self, *inputs: Any) -> Any:
        return self.function(*inputs, self.p, self.training, self.inplace)

    def extra_repr(self) -> str:
        return f"p={self.p}, inplace={self.inplace}"


class Dropout1d(Dropout):
    """`Dropout` of whole channels of (N, C, L) or (C, L).

    >>> y = nn.Dropout1d(0.5)(gradkit.ones(1, 8, 3))
    >>> bool((y == y[:, :, :1]).all())
    True
    """

    function = staticmethod(F.dropout1d)


class Dropout2d(Dropout):
    """`Dropout` of whole channels of (N, C, H, W). Tompson et al. (2015).

    >>> y = nn.Dropout2d(0.5)(gradkit.ones(1, 8, 3, 3))
    >>> bool((y == y[:, :, :1, :1]).all())
    True
    """

    function = staticmethod(F.dropout2d)


class Dropout3d(Dropout):
    """`Dropout` of whole channels of (N, C, D, H, W) or (C, D, H, W).

    >>> nn.Dropout3d(1.0)(gradkit.ones(1, 1, 1, 1, 2))
    tensor([[[[[0., 0.]]]]])
    """

    function = staticmethod(F.dropout3d)


class AlphaDropout(Dropout):
    """Dropout for networks of `SELU`: what falls takes the value SELU saturates at; Klambauer et al. (2017).

    >>> nn.AlphaDropout(0.5).eval()(gradkit.ones(2))
    tensor([1., 1.])
    """

    function = staticmethod(F.alpha_dropout)


class FeatureAlphaDropout(Dropout):
    """`AlphaDropout` of whole channels of (N, C, ...).

    >>> nn.FeatureAlphaDropout(0.5).eval()(gradkit.ones(1, 2))
    tensor([[1., 1.]])
    """

    function = staticmethod(F.feature_alpha_dropout)
