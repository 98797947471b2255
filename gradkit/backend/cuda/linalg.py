"""CuPy's linear algebra with NumPy's broadcasting, and with an error where a matrix is singular or indefinite.

To raise it the host has to wait for the device, as in PyTorch.
"""

import sys
from collections.abc import Callable
from functools import wraps
from typing import Any

from gradkit.backend.cuda.compiling import elementwise

__all__ = ["fused_small_triangle_solved"]

#: What fails on some matrices.
CHECKED = ("cholesky", "eigh", "eigvalsh", "inv", "svd")


def namespace(cp: Any) -> dict[str, Callable[..., Any]]:
    return {name: checked(cp, getattr(cp.linalg, name)) for name in CHECKED} | {
        "eig": eigen(cp),
        "solve": checked(cp, solver(cp)),
    }


def checked(cp: Any, function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, raising numpy.linalg.LinAlgError where the device's library says that it has failed."""
    errstate = sys.modules[f"{cp.__name__}x"].errstate  # cupyx, which cupy has imported

    @wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        with errstate(linalg="raise"):
            return function(*args, **kwargs)

    return call


def eigen(cp: Any) -> Callable[[Any], Any]:
    def eig(a: Any) -> Any:
        try:
            return cp.linalg.eig(a)
        except (AttributeError, SystemError, RuntimeError) as reason:
            raise NotImplementedError(
                "linalg.eig: this cuSOLVER has no eigenvalues of general matrices, which came with CUDA 12.6: use .cpu()"
            ) from reason

    return eig


def solver(cp: Any) -> Callable[[Any, Any], Any]:
    def solve(a: Any, b: Any) -> Any:
        lead = cp.broadcast_shapes(a.shape[:-2], b.shape[:-2])
        return cp.linalg.solve(*[cp.broadcast_to(x, lead + x.shape[-2:]) for x in (a, b)])

    return solve


_SUBSTITUTION = " ".join(
    [
        "const long long first = i / k * n;",
        "for (long long r = 0; r < n; ++r) { const long long row = upper ? n - 1 - r : r; T t = x[(first + row) * k + i % k];",
        "for (long long s = 0; s < r; ++s) { const long long column = upper ? n - 1 - s : s;",
        "t -= a[(first + row) * n + column] * x[(first + column) * k + i % k]; }",
        "x[(first + row) * k + i % k] = unit ? t : t / a[(first + row) * n + row]; }",
    ]
)


def fused_small_triangle_solved(cp: Any, a: Any, b: Any, *, upper: bool, unit: bool) -> Any:
    """Substitution, one thread for each column of `b`: a zero on the diagonal gives inf or nan, and nobody waits."""
    n, k = b.shape[-2:]
    lead = cp.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    x = cp.broadcast_to(b, (*lead, n, k)).copy()
    lanes = x.size // n if n else 0
    if lanes:
        kernel = elementwise(cp, "substitution", "raw T a, int64 n, int64 k, bool upper, bool unit", "raw T x", _SUBSTITUTION)
        kernel(cp.broadcast_to(a, (*lead, n, n)), n, k, upper, unit, x, size=lanes)
    return x
