"""Transforms of functions: `grad vjp jvp linearize jacrev jacfwd hessian vmap`, which nest in every order."""

from gradkit.func.chunks import get_memory_budget, set_memory_budget
from gradkit.func.forward import jvp, linearize
from gradkit.func.jacobians import hessian, jacfwd, jacrev
from gradkit.func.modules import functional_call, replace_all_batch_norm_modules_, stack_module_state
from gradkit.func.reverse import grad, grad_and_value, value_and_grad, vjp
from gradkit.func.vmap import vmap

__all__ = [
    "functional_call", "get_memory_budget", "grad", "grad_and_value", "hessian", "jacfwd", "jacrev", "jvp", "linearize",
    "replace_all_batch_norm_modules_", "set_memory_budget", "stack_module_state", "value_and_grad", "vjp", "vmap",
]
