"""What CuPy lacks of the functions that rules call, or has with other keywords, rules for dtypes or errors.

Every function takes the module, `cp`, as its first parameter, so that nothing here imports it; device arrays in, device
arrays out. Python numbers among the operands go by value. Nothing is copied to the host, and the host waits for nothing but
what tests/backend/test_cuda_rows.py lists, each with its reason.

arrays        layout, dtypes, choosing by a mask
elementary    powers, sigmoid, softplus, gelu
special       error functions, normal distribution, gamma and Bessel functions
reduce        sums, extremes, variances, running sums and extremes
indexing      gather and its transposes, writes that accumulate
linalg        decompositions, and solvers that tell when they fail
conv          convolution and its two transposes
pooling       maxima and means over windows
"""

from collections.abc import Callable
from functools import partial
from typing import Any

from gradkit.backend.cuda import arrays, conv, elementary, indexing, linalg, pooling, reduce, special
from gradkit.backend.protocol import Namespace

#: A function's public name here is its name in the namespace.
MODULES = (arrays, elementary, special, reduce, indexing, linalg, conv, pooling)


def functions(cp: Any) -> dict[str, Callable[..., Any]]:
    """``Namespace(cupy, **functions(cupy))``."""
    own = {name: partial(getattr(module, name), cp) for module in MODULES for name in module.__all__}
    return own | {"linalg": Namespace(cp.linalg, **linalg.namespace(cp))}
