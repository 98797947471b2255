"""The wording of errors: what happened to which operand of which operation, and what to write instead."""

from typing import Any

import numpy as np


class LinAlgError(RuntimeError, np.linalg.LinAlgError):
    """A matrix that cannot be inverted or decomposed; public as `gradkit.linalg.LinAlgError`."""


def describe(x: Any) -> str:
    """An operand as an error message names it: kind, shape, dtype and device."""
    if not hasattr(x, "dtype"):
        return f"{type(x).__name__} {x!r}" if isinstance(x, bool | int | float | complex) else type(x).__name__
    kind = "Tensor" if hasattr(x, "requires_grad") else type(x).__name__
    device = getattr(x, "device", "cpu")
    return f"{kind} of shape {tuple(x.shape)}, dtype {x.dtype.name}, device {device}"


def not_a_tensor(operation: str, position: int, x: Any) -> TypeError:
    remedy = (
        "wrap it with gradkit.tensor(...)" if hasattr(x, "shape") or isinstance(x, list | tuple) else "pass a Tensor"
    )
    return TypeError(f"{operation}(): argument {position + 1} must be Tensor, not {type(x).__name__}; {remedy}")


def unfit(operation: str, operands: Any, reason: Exception) -> RuntimeError:
    """What NumPy calls a ValueError, shapes that do not go together above all, in PyTorch's type and words."""
    shapes = [tuple(x.shape) for x in operands if hasattr(x, "shape")]
    named = " and ".join([f"Tensor of shape {tuple(x.shape)}, dtype {x.dtype.name}" for x in operands if hasattr(x, "shape")])
    if len(shapes) == 2 and "broadcast" in str(reason):
        rank = max(map(len, shapes))
        a, b = [(1,) * (rank - len(shape)) + shape for shape in shapes]
        for axis in reversed(range(rank)):
            if a[axis] != b[axis] and 1 not in (a[axis], b[axis]):
                return RuntimeError(
                    f"The size of tensor a ({a[axis]}) must match the size of tensor b ({b[axis]}) at non-singleton "
                    f"dimension {axis}: {operation} of {named}; reshape one, e.g. with unsqueeze, so that they broadcast"
                )
    return RuntimeError(f"{operation}: {reason} ({named})")


def freed(operation: str, line: str | None) -> RuntimeError:
    where = f", made at {line}," if line else ""
    advice = "" if line else " (autograd.detect_anomaly() around the forward pass tells which line made it.)"
    return RuntimeError(
        f"Trying to backward through the graph a second time: what {operation}{where} had saved for its derivative was "
        "freed by the first walk. Pass retain_graph=True to the first backward() or grad() if you need another, or run "
        f"the forward pass again.{advice}"
    )


def modified(operation: str, line: str | None, writer: str, times: int) -> RuntimeError:
    where = f" at {line}" if line else ""
    return RuntimeError(
        "one of the variables needed for gradient computation has been modified by an inplace operation: "
        f"{operation}{where} saved it, then {writer} wrote it (it is now at version {times}). Write to a clone() of "
        "it, or use the operation that is not in place."
    )
