"""Forward mode at the level of single tensors: dual numbers, by the names of `torch.autograd.forward_ad`."""

from typing import Any, NamedTuple

from gradkit.engine import modes
from gradkit.engine.tangents import dual, fitted, strip, tangent
from gradkit.engine.tensor import Tensor

local = modes.local


class UnpackedDualTensor(NamedTuple):
    """A primal, and its tangent or None."""

    primal: Tensor
    tangent: Tensor | None


class dual_level:
    """A scope for dual numbers: tangents made inside are gone when it is left. Levels nest.

    >>> from gradkit.autograd import forward_ad as fwAD
    >>> with fwAD.dual_level():
    ...     x = fwAD.make_dual(gradkit.tensor(3.0), gradkit.tensor(1.0))
    ...     fwAD.unpack_dual(x * x).tangent
    tensor(6.)
    """

    def __enter__(self) -> int:
        self._level = enter_dual_level()
        return self._level

    def __exit__(self, *exception: object) -> None:
        exit_dual_level(level=self._level)


def enter_dual_level() -> int:
    """Open a level and return its number, for `exit_dual_level`; `dual_level` does both."""
    level = modes.new_level()
    modes.shift(lift=1)
    local.duals = (*local.duals, level)
    return level


def exit_dual_level(*, level: int | None = None) -> None:
    """Close the innermost level, which must be `level` if that is given; RuntimeError otherwise."""
    if not local.duals or (level is not None and level != local.duals[-1]):
        raise RuntimeError("Trying to exit a forward AD level that was not the last one that was created. This is not supported.")
    local.duals = local.duals[:-1]
    modes.shift(lift=-1)


def make_dual(tensor: Tensor, tangent: Tensor, *, level: int | None = None) -> Tensor:
    """`tensor` with a tangent of its shape, which takes its dtype, at `level` (default: the innermost).

    RuntimeError outside of any level, for another shape, a complex tangent of a real tensor and where one of them has
    a tangent at that level, ValueError for integer tensors, TypeError for what is no Tensor.

    >>> from gradkit.autograd import forward_ad as fwAD
    >>> with fwAD.dual_level():
    ...     fwAD.unpack_dual(fwAD.make_dual(gradkit.ones(2), gradkit.zeros(2))).tangent
    tensor([0., 0.])
    """
    at = _level(level, "make_dual")
    for name, x in (("primal", tensor), ("tangent", tangent)):
        if not isinstance(x, Tensor):
            raise TypeError(f"make_dual: expected the {name} to be a Tensor, got {type(x).__name__}")
        if x.tangents and at in x.tangents:
            raise RuntimeError(
                f"Making a dual Tensor based on a Tensor that already has a forward gradient at the same level is not "
                f"supported, and the {name} has: write unpack_dual(x).primal, or open a level inside with dual_level()"
            )
    if not (tensor.is_floating_point() or tensor.is_complex()):
        raise ValueError(f"Expected primal to be floating point or complex, but got: {tensor.dtype.name}")
    return dual(tensor, at, fitted("make_dual", tensor, tangent))


def unpack_dual(tensor: Tensor, *, level: int | None = None) -> UnpackedDualTensor:
    """The primal and the tangent (None where it is zero) at `level` (default: the innermost).

    >>> from gradkit.autograd import forward_ad as fwAD
    >>> fwAD.unpack_dual(gradkit.ones(2))
    UnpackedDualTensor(primal=tensor([1., 1.]), tangent=None)
    """
    if level is None and not local.duals:
        return UnpackedDualTensor(tensor, None)
    at = _level(level, "unpack_dual")
    return UnpackedDualTensor(strip(tensor, at), tangent(tensor, at))


def _level(level: int | None, name: str) -> Any:
    if level is None and not local.duals:
        raise RuntimeError(f"Trying to {name} outside of a level: open one with `with forward_ad.dual_level():`")
    return local.duals[-1] if level is None else level
