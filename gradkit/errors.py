"""The wording of errors: what happened to which operand of which operation, and what to write instead."""

import sys
from operator import index
from types import FrameType
from typing import Any

import numpy as np


class LinAlgError(RuntimeError, np.linalg.LinAlgError):
    """A matrix that cannot be inverted or decomposed; public as `gradkit.linalg.LinAlgError`."""


class OutOfMemoryError(RuntimeError, MemoryError):
    """A GPU has no memory left for an array; public as `gradkit.cuda.OutOfMemoryError`."""


def describe(x: Any) -> str:
    """An operand as an error message names it: kind, shape, dtype and device."""
    if not hasattr(x, "dtype"):
        return f"{type(x).__name__} {x!r}" if isinstance(x, bool | int | float | complex) else type(x).__name__
    kind = "Tensor" if hasattr(x, "requires_grad") else type(x).__name__
    device = getattr(x, "device", "cpu")
    if hasattr(device, "id"):  # CuPy's own
        device = f"cuda:{device.id}"
    return f"{kind} of shape {tuple(x.shape)}, dtype {x.dtype.name}, device {device}"


def asked(name: str) -> str:
    """The public function that the user called, as far as the stack tells: errors name no row that it is made of."""
    frame: FrameType | None = sys._getframe(1)
    public = sys.modules["gradkit"]
    while frame and (module := frame.f_globals.get("__name__", "")).startswith("gradkit."):
        function = frame.f_code.co_name
        if function in ("__call__", "forward", "backward"):  # a module's, or a walk's
            break
        spaces = () if module.startswith("gradkit.engine.") else (public, public.Tensor, public.nn.functional)
        if any([hasattr(space, function) for space in spaces]):
            name = function
        frame = frame.f_back
    return name


def two_devices(name: str, devices: Any, operands: Any) -> RuntimeError:
    places = " and ".join(sorted(map(str, devices)))
    return RuntimeError(
        f"Expected all tensors to be on the same device, but {asked(name)} found at least two devices, {places}! Operands: "
        f"{', '.join([describe(x) for x in operands if hasattr(x, 'requires_grad')])}. Move one with .to(device)."
    )


def not_a_tensor(operation: str, position: int, x: Any) -> TypeError:
    remedy = "wrap it with gradkit.tensor(...)" if hasattr(x, "shape") or isinstance(x, list | tuple) else "pass a Tensor"
    if type(x).__name__ == "Tensor":
        remedy = "write gradkit.from_dlpack(...) of it"
    return TypeError(f"{operation}(): argument {position + 1} must be Tensor, not {type_of(x)}; {remedy}")


def type_of(x: Any) -> str:
    kind = type(x)
    library = kind.__module__.partition(".")[0]
    return kind.__name__ if library in ("builtins", "gradkit", "numpy") else f"{library}.{kind.__name__}"


def foreign(x: Any) -> TypeError:
    """The error of an array of another library."""
    remedy = "from_dlpack(...) of it, which shares its memory" if hasattr(x, "__dlpack__") else "tensor(np.asarray(...)) of it"
    return TypeError(f"expected a Tensor of gradkit, or an array of NumPy or CuPy, got {type_of(x)}: write gradkit.{remedy}")


def out_of_range(dim: int, ndim: int, x: Any = None) -> IndexError:
    given = "" if x is None else f" of a {describe(x)}"
    return IndexError(f"Dimension out of range (expected to be in range of [{-ndim}, {ndim - 1}], but got {dim}){given}")


def no_dim(dim: Any) -> TypeError:
    return TypeError(f"{asked('this function')}(): argument 'dim' must be int or a tuple of ints, not {type(dim).__name__}")


def checked_int(name: str, argument: str, value: Any) -> int:
    """An argument that counts something; TypeError for what is no integer, 2.0 too."""
    try:
        return index(value)
    except TypeError:
        raise TypeError(f"{name}(): argument '{argument}' must be int, not {type(value).__name__}") from None


def not_implemented(operation: str, dtype: Any, remedy: str = "convert with .float()") -> NotImplementedError:
    return NotImplementedError(f"{operation} is not implemented for {dtype.name}{remedy and f'; {remedy}'}")


def unfit(operation: str, operands: Any, reason: Exception) -> RuntimeError:
    """What NumPy calls a ValueError, shapes that do not go together above all, in PyTorch's type and words."""
    kind = LinAlgError if isinstance(reason, np.linalg.LinAlgError) else RuntimeError
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
    return kind(f"{operation}: {reason} ({named})")


def freed(node: Any) -> RuntimeError:
    """The error of a second walk: which operation, and where the first walk was called."""
    made = f", made at {node.line}," if node.line else ""
    advice = "" if node.line else " (autograd.detect_anomaly() around the forward pass tells which line made it.)"
    return RuntimeError(
        f"Trying to backward through the graph a second time: what {node.name()} of {shape_of(node)}{made} had saved "
        f"for its derivative was freed by the first walk, called at {node.freed_at()}. Pass retain_graph=True to that "
        f"backward() or grad() if you need another, or run the forward pass again.{advice}"
    )


def shape_of(node: Any) -> str:
    likes = node.like if isinstance(node.like, list) else [node.like]
    return " and ".join([f"shape {tuple(like[0])}, {like[1].name}" for like in likes if like])


def inference_saved(x: Any) -> RuntimeError:
    return RuntimeError(
        "Inference tensors cannot be saved for backward. Please do not use Tensors created in inference mode in "
        f"computation tracked by autograd: {describe(x)}. Use a clone() of it, or no_grad() instead of inference_mode()."
    )


def name_of(hook: Any) -> str:
    return str(getattr(hook, "__name__", None) or type(hook).__name__)


def check_hooked(hook: Any, new: Any, shape: Any, dtype: Any) -> None:
    """Raise TypeError if a hook gave back no Tensor, RuntimeError if it is not like the one that it was given."""
    if not hasattr(new, "requires_grad"):
        raise TypeError(f"expected Variable, but hook returned '{type(new).__name__}'; return a Tensor or None")
    if tuple(new.shape) != tuple(shape):
        raise RuntimeError(
            f"hook {name_of(hook)!r} has changed the size of value: {describe(new)} instead of shape {tuple(shape)}"
        )
    if new.dtype != dtype:
        raise RuntimeError(f"hook {name_of(hook)!r} has changed the type of value (was {dtype.name} got {new.dtype.name})")


def modified(operation: str, line: str | None, writer: str, times: int) -> RuntimeError:
    where = f" at {line}" if line else ""
    return RuntimeError(
        "one of the variables needed for gradient computation has been modified by an inplace operation: "
        f"{operation}{where} saved it, then {writer} wrote it (it is now at version {times}). Write to a clone() of "
        "it, or use the operation that is not in place."
    )
