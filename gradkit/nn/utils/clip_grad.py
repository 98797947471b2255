"""Keeping gradients small: by their common norm, or element by element."""

import math
from collections.abc import Iterable

from gradkit import creation
from gradkit.autograd import no_grad
from gradkit.engine.tensor import Tensor
from gradkit.ops.joining import stack


@no_grad()
def get_total_norm(tensors: Tensor | Iterable[Tensor], norm_type: float = 2.0, error_if_nonfinite: bool = False) -> Tensor:
    """The norm of all tensors laid end to end: a 0-d Tensor, 0.0 if there are none.

    ``norm_type`` is the p of the norm, ``inf`` for the largest absolute value. RuntimeError for a result that
    is not finite if ``error_if_nonfinite``.

    >>> nn.utils.get_total_norm([gradkit.tensor([3.0]), gradkit.tensor([4.0])])
    tensor(5.)
    """
    kept = [tensors] if isinstance(tensors, Tensor) else list(tensors)
    if not kept:
        return creation.tensor(0.0)
    total: Tensor = stack([t.norm(norm_type) for t in kept]).norm(norm_type)
    if error_if_nonfinite and not math.isfinite(float(total)):
        raise RuntimeError(
            f"The total norm of order {norm_type} is non-finite ({float(total)}), so it cannot be clipped; pass "
            "error_if_nonfinite=False to clip anyway"
        )
    return total


@no_grad()
def clip_grad_norm_(
    parameters: Tensor | Iterable[Tensor], max_norm: float, norm_type: float = 2.0, error_if_nonfinite: bool = False
) -> Tensor:
    """Scale all gradients together, in place, so that their common norm is at most ``max_norm``.

    Returns the norm before clipping, as `get_total_norm` gives it and with its errors. Parameters without a gradient
    are passed over. The factor is max_norm / (norm + 1e-6), at most 1.

    >>> w = gradkit.zeros(2, requires_grad=True)
    >>> (w * gradkit.tensor([3.0, 4.0])).sum().backward()
    >>> nn.utils.clip_grad_norm_([w], max_norm=1.0)
    tensor(5.)
    >>> w.grad
    tensor([0.6000, 0.8000])
    """
    kept = [parameters] if isinstance(parameters, Tensor) else list(parameters)
    total = get_total_norm(_grads(kept), norm_type, error_if_nonfinite)
    clip_grads_with_norm_(kept, max_norm, total)
    return total


@no_grad()
def clip_grads_with_norm_(parameters: Tensor | Iterable[Tensor], max_norm: float, total_norm: Tensor) -> None:
    """Scale all gradients together, in place, as `clip_grad_norm_` does where their common norm is known.

    >>> w = gradkit.zeros(2, requires_grad=True)
    >>> (w * gradkit.tensor([3.0, 4.0])).sum().backward()
    >>> nn.utils.clip_grads_with_norm_(w, 1.0, gradkit.tensor(5.0))
    >>> w.grad
    tensor([0.6000, 0.8000])
    """
    factor = (max_norm / (total_norm + 1e-6)).clamp(max=1.0)
    for grad in _grads(parameters):
        grad.mul_(factor)


@no_grad()
def clip_grad_value_(parameters: Tensor | Iterable[Tensor], clip_value: float) -> None:
    """Cut every element of every gradient, in place, to [-clip_value, clip_value].

    >>> w = gradkit.zeros(2, requires_grad=True)
    >>> (w * gradkit.tensor([3.0, -4.0])).sum().backward()
    >>> nn.utils.clip_grad_value_(w, 1.0)
    >>> w.grad
    tensor([ 1., -1.])
    """
    for grad in _grads(parameters):
        grad.clamp_(-float(clip_value), float(clip_value))


def _grads(parameters: Tensor | Iterable[Tensor]) -> list[Tensor]:
    given = [parameters] if isinstance(parameters, Tensor) else parameters
    return [p.grad for p in given if p.grad is not None]
