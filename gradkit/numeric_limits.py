"""finfo and iinfo: what numbers a dtype can hold, as Python numbers."""

from typing import Any

import numpy as np

from gradkit.engine import dtypes

__all__ = ["finfo", "iinfo"]


class finfo:
    """The limits of a floating dtype, or of the parts of a complex one; the default dtype if none is given.

    `bits`, `eps` (the spacing at 1), `max`, `min`, `tiny` or `smallest_normal`, `resolution`, `dtype` (its name).
    TypeError for an integer dtype.

    >>> gradkit.finfo(gradkit.float32).eps
    1.1920928955078125e-07
    """

    def __init__(self, type: Any = None) -> None:
        d = dtypes.get_default_dtype() if type is None else np.dtype(type)
        if not dtypes.differentiable(d):
            raise TypeError(f"finfo() requires a floating point input type, not {d.name}. Use iinfo to handle it")
        if d.kind == "V":
            import ml_dtypes

            limits: Any = ml_dtypes.finfo
        else:
            limits = np.finfo
        found = limits(d)
        self.bits = int(found.bits)
        self.eps, self.max, self.min = float(found.eps), float(found.max), float(found.min)
        self.tiny = self.smallest_normal = float(found.smallest_normal)
        self.resolution = float(found.resolution)
        self.dtype = np.dtype(found.dtype).name

    def __repr__(self) -> str:
        shown = ("resolution", "min", "max", "eps", "smallest_normal", "tiny")
        return f"finfo({', '.join([f'{n}={getattr(self, n):g}' for n in shown])}, dtype={self.dtype})"


class iinfo:
    """The limits of an integer dtype: `bits`, `max`, `min`, `dtype` (its name). TypeError for another dtype.

    >>> gradkit.iinfo(gradkit.int8).max
    127
    """

    def __init__(self, type: Any) -> None:
        d = np.dtype(type)
        if d.kind not in "iu":
            raise TypeError(f"iinfo() requires an integer input type, not {d.name}. Use finfo to handle it")
        found = np.iinfo(d)
        self.bits, self.max, self.min, self.dtype = int(found.bits), int(found.max), int(found.min), d.name

    def __repr__(self) -> str:
        return f"iinfo(min={self.min}, max={self.max}, dtype={self.dtype})"
