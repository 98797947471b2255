"""Small elementwise kernels, made once for each module, signature and body."""

from functools import cache
from typing import Any

#: The C type that a dtype is computed in, by the dtype's character.
COMPUTED_IN = {"e": "float", "E": "float", "f": "float", "d": "double", "F": "complex<float>", "D": "complex<double>"}


@cache
def elementwise(cp: Any, name: str, inputs: str, outputs: str, body: str) -> Any:
    """CuPy compiles it for the dtypes it meets, and keeps what is compiled on disk."""
    return cp.ElementwiseKernel(inputs, outputs, body, f"gradkit_{name}")


def of_one(cp: Any, name: str, body: str, x: Any, wide: bool = False) -> Any:
    """The kernel of one operand, on `x`: in the body ``v`` is the operand, of type ``C``; half precision is float there.

    With `wide`, real numbers are double there. The result has the dtype of `x`.
    """
    kind = "double" if wide else COMPUTED_IN.get(x.dtype.char, "float")
    return elementwise(cp, name, "T x", "T y", f"typedef {kind} C; const C v = x; {body}")(x)
