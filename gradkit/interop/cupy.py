"""CuPy's functions and operators applied to Tensors. Nothing is imported: CuPy asks its operands for these names.

``cupy.sin(t)``, ``cupy_array * t`` and the functions of `cupyx.scipy.special` ask for the first of them before they
touch a device, and go on to the function of that name. What CuPy does not ask about (`cupy.matmul`, `cupy.concatenate`,
`cupy.where` ...) raises TypeError there: write ``np.`` or ``gradkit.`` instead. The hook is CuPy's own, made for its
distributed arrays, and not documented.
"""

from typing import Any

from gradkit import numpy as gnp
from gradkit.engine.operands import tensor_xp
from gradkit.engine.tensor import Tensor
from gradkit.numpy.calling import not_differentiable, refuse_out

#: What CuPy calls its kernels, other than by the name of NumPy's function.
_PREFIXES = ("cupyx_scipy_special_", "cupyx_scipy_", "cupyx_", "cupy_")
_NAMES = {"true_divide": "divide", "xlogy": "xlogy", "loggamma": "lgamma", "gammaln": "lgamma", "psi": "digamma"}


def elementwise_kernel(_self: Tensor, kernel: Any, *args: Any, **kwargs: Any) -> Any:
    """``__cupy_override_elementwise_kernel__``: CuPy's ufuncs and elementwise kernels on an operand that is a Tensor.

    TypeError for one that gradkit has no derivative of, and for ``out=``.
    """
    name = kernel.name
    out = kwargs.pop("out", None)
    inputs = getattr(kernel, "nin", len(args))
    if len(args) > inputs:
        args, out = args[:inputs], args[inputs]
    if out is not None:
        refuse_out(name, out)
    short = next((name.removeprefix(p) for p in _PREFIXES if name.startswith(p)), "")
    short = _NAMES.get(short, short)
    function = getattr(gnp, short, None) or getattr(tensor_xp, short, None)
    if not short or function is None:
        raise not_differentiable(f"the CuPy kernel {name}")
    return function(*args, **{key: value for key, value in kwargs.items() if value is not None})


def cuda_array_interface(self: Tensor) -> Any:
    """``__cuda_array_interface__`` of the array, as long as nothing would be lost by reading it behind our back.

    AttributeError for a tensor on the CPU, and for one that requires grad.
    """
    if not self.is_cuda:
        raise AttributeError(f"Can't get __cuda_array_interface__ on non-CUDA tensor type: {self.type()}; use .cuda() first")
    if self.requires_grad or self.tangents or self.batch:
        raise AttributeError(
            "Can't get __cuda_array_interface__ on Tensor that requires grad; use x.detach(), or gradkit's or NumPy's functions"
        )
    return self.array.__cuda_array_interface__
