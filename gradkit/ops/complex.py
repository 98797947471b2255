"""Complex numbers with PyTorch's names: their parts, and numbers of parts."""

from typing import Any

from gradkit import creation
from gradkit.engine import modes
from gradkit.engine.dtypes import bool_
from gradkit.engine.tensor import Tensor
from gradkit.primitives import complex as rows
from gradkit.primitives.comparison import eq

__all__ = [
    "angle", "complex", "conj", "conj_physical", "imag", "is_complex", "is_conj", "is_floating_point", "isreal",
    "polar", "real", "resolve_conj", "view_as_complex", "view_as_real",
]
METHODS = ("angle", "conj", "conj_physical", "is_conj", "isreal", "resolve_conj")
PROPERTIES = ("imag", "real")
INPLACE = ("conj_physical",)


def real(input: Tensor) -> Tensor:
    """The real parts, a view of `input`; `input` itself if it is real.

    >>> gradkit.real(gradkit.tensor([1 + 2j, 3j]))
    tensor([1., 0.])
    """
    return rows.real(input) if input.dtype.kind == "c" else input


def imag(input: Tensor) -> Tensor:
    """The imaginary parts, a view of `input`. RuntimeError for a real tensor.

    >>> gradkit.imag(gradkit.tensor([1 + 2j, 3j]))
    tensor([2., 3.])
    """
    if input.dtype.kind != "c":
        raise RuntimeError("imag is not implemented for tensors with non-complex dtypes.")
    return rows.imag(input)


def conj(input: Tensor) -> Tensor:
    """The complex conjugates; `input` itself if it is real. (They are computed at once: there are no lazy ones here.)

    >>> gradkit.conj(gradkit.tensor([1 + 2j]))
    tensor([1.-2.j])
    """
    return rows.conj(input) if input.dtype.kind == "c" else input


conj_physical = conj


def resolve_conj(input: Tensor) -> Tensor:
    """`input` itself, for no conjugate is ever pending.

    >>> gradkit.resolve_conj(gradkit.tensor([1 + 2j]).conj())
    tensor([1.-2.j])
    """
    return input


def is_conj(input: Tensor) -> bool:
    """False: no conjugate is ever pending.

    >>> gradkit.is_conj(gradkit.tensor([1 + 2j]).conj())
    False
    """
    return False


def angle(input: Tensor) -> Tensor:
    """The angles of complex numbers in radians, in (-pi, pi]; of real ones 0, or pi for negative ones.

    The derivative at 0 is 0. nan stays nan.

    >>> gradkit.angle(gradkit.tensor([1j, -1 + 0j]))
    tensor([1.5708, 3.1416])
    """
    return rows.angle(input)


def complex(real: Tensor, imag: Tensor) -> Tensor:
    """``real + 1j * imag``, broadcast: complex64 of float32 and float16, complex128 of float64.

    RuntimeError if the dtypes differ or are not floating.

    >>> gradkit.complex(gradkit.tensor([1.0, 2.0]), gradkit.tensor([3.0, 4.0]))
    tensor([1.+3.j, 2.+4.j])
    """
    _check_parts(real, imag)
    return rows.complex(real, imag)


def polar(abs: Tensor, angle: Tensor) -> Tensor:
    """The complex numbers of these absolute values and angles, broadcast; dtypes as for `complex`.

    RuntimeError if the dtypes differ or are not floating.

    >>> gradkit.polar(gradkit.tensor([2.0]), gradkit.tensor([0.0]))
    tensor([2.+0.j])
    """
    _check_parts(abs, angle)
    return rows.polar(abs, angle)


def _check_parts(a: Tensor, b: Tensor) -> None:
    if a.dtype.kind != "f" or b.dtype.kind != "f":
        raise RuntimeError(f"Expected both inputs to be floating tensors but got {a.dtype.name} and {b.dtype.name}")
    if a.dtype != b.dtype:
        raise RuntimeError(
            f"Expected object of scalar type {a.dtype.name} but got scalar type {b.dtype.name} for second argument"
        )


def view_as_real(input: Tensor) -> Tensor:
    """A complex tensor seen as a real one with a last axis of extent 2. RuntimeError for a real tensor.

    >>> gradkit.view_as_real(gradkit.tensor([1 + 2j, 3j]))
    tensor([[1., 2.],
            [0., 3.]])
    """
    if input.dtype.kind != "c":
        raise RuntimeError("view_as_real is only supported for complex tensors")
    return rows.view_as_real(input)


def view_as_complex(input: Tensor) -> Tensor:
    """A real tensor whose last axis has extent 2 as a complex one: a view where that axis is contiguous, else a copy.

    RuntimeError for another last extent, or a dtype that is not float32 or float64.

    >>> gradkit.view_as_complex(gradkit.tensor([[1.0, 2.0], [0.0, 3.0]]))
    tensor([1.+2.j, 0.+3.j])
    """
    if input.dtype.kind != "f" or input.dtype.itemsize < 4:
        raise RuntimeError(f"view_as_complex is only supported for float and double tensors, but got dtype {input.dtype.name}")
    if not input.ndim or input.shape[-1] != 2:
        raise RuntimeError("Tensor must have a last dimension of size 2")
    modes.meet_complex()
    return rows.view_as_complex(input)


def is_complex(input: Any) -> bool:
    """Whether the dtype is complex.

    >>> gradkit.is_complex(gradkit.tensor([1j]))
    True
    """
    return bool(input.dtype.kind == "c")


def is_floating_point(input: Any) -> bool:
    """Whether the dtype is a floating one.

    >>> gradkit.is_floating_point(gradkit.tensor([1]))
    False
    """
    return bool(input.dtype.kind in "fV")


def isreal(input: Tensor) -> Tensor:
    """Where the imaginary part is 0: everywhere in a real tensor.

    >>> gradkit.isreal(gradkit.tensor([1 + 0j, 1j]))
    tensor([ True, False])
    """
    return eq(imag(input), 0) if input.dtype.kind == "c" else creation.ones_like(input, dtype=bool_)
