"""Choosing between values of which one may not be computed."""

from collections.abc import Callable
from typing import Any

from gradkit.engine.tensor import Tensor
from gradkit.ops.arithmetic import where

__all__ = ["where_safe"]
METHODS = ()
INPLACE = ()


def where_safe(cond: Tensor, f: Callable[..., Any], x: Any, fill: Any = 0.0, *, at: Any = 1.0) -> Tensor:
    """``where(cond, f(x), fill)``, with derivatives that do not see `f` where the condition does not hold.

    Where `f` is singular there, the plain form has the right values and a gradient of nan, since 0 times infinity is nan.
    Here `f` is computed at `at` in those places, which need only be a point where it has derivatives.

    `f` works elementwise on a tensor, or on several if `x` is a tuple of them; `cond`, `x` and `fill`, a number or
    tensor, broadcast. Holds to every order, in forward and reverse mode and under vmap. RuntimeError for a
    condition that is not boolean, TypeError for an `f` that cannot be called.

    >>> x = gradkit.tensor([0.0, 4.0], requires_grad=True)
    >>> y = gradkit.where_safe(x > 0, gradkit.sqrt, x, 0.0)
    >>> gradkit.autograd.grad(y.sum(), x)
    (tensor([0.0000, 0.2500]),)
    """
    if not callable(f):
        raise TypeError(f"where_safe(): argument 'f' (position 2) must be a function, not {type(f).__name__}: pass sqrt, not sqrt(x)")
    operands = x if isinstance(x, tuple) else (x,)
    return where(cond, f(*[where(cond, one, at) for one in operands]), fill)
