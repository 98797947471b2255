"""Transforms of functions: `grad vjp jvp linearize jacrev jacfwd hessian vmap`, which nest in every order."""

from gradkit.func.transforms import (
    grad,
    grad_and_value,
    hessian,
    jacfwd,
    jacrev,
    jvp,
    linearize,
    value_and_grad,
    vjp,
)  # fmt: skip
from gradkit.func.vmap import vmap

__all__ = [
    "grad", "grad_and_value", "hessian", "jacfwd", "jacrev", "jvp", "linearize", "value_and_grad", "vjp", "vmap",
]  # fmt: skip
