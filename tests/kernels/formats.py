"""The element types of the kernels, as NumPy holds them: bfloat16 as the upper halves of float32."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Format:
    """A type's name in CUDA, what it is computed in, and the distance from 1 to the next number."""

    name: str
    computed: type
    eps: float

    def stored(self, x):
        """Numbers as the kernel reads them."""
        if self.name == "bfloat16":
            bits = np.asarray(x, np.float32).view(np.uint32)
            rounded = (bits + 0x7FFF + (bits >> 16 & 1)) >> 16
            return np.where(np.isnan(x), 0x7FFF, rounded).astype(np.uint16)
        with np.errstate(over="ignore"):
            return np.asarray(x).astype(self.dtype)

    def read(self, stored):
        """The same numbers in the type they are computed in."""
        if self.name == "bfloat16":
            return (stored.astype(np.uint32) << 16).view(np.float32)
        return stored.astype(self.computed)

    def rounded(self, x):
        return self.read(self.stored(x))

    @property
    def dtype(self):
        return {"half": np.float16, "bfloat16": np.uint16, "float": np.float32, "double": np.float64}[self.name]


FORMATS = [
    Format("half", np.float32, 2.0**-10),
    Format("bfloat16", np.float32, 2.0**-7),
    Format("float", np.float32, 2.0**-23),
    Format("double", np.float64, 2.0**-52),
]
