"""What operations with several results return: tuples whose items have names, as in PyTorch's module of this name.

A class is made when it is first asked for; making all of them would cost a program that needs none a millisecond.
"""

from collections import namedtuple
from typing import Any

FIELDS = {
    **dict.fromkeys(("max", "min", "cummax", "cummin", "sort", "topk", "kthvalue", "median", "nanmedian", "mode"), "values indices"),
    "aminmax": "min max",
    "slogdet": "sign logabsdet",
    "qr": "Q R",
    "svd": "U S V",
    "linalg_qr": "Q R",
    "linalg_eig": "eigenvalues eigenvectors",
    "linalg_eigh": "eigenvalues eigenvectors",
    "linalg_svd": "U S Vh",
    "frexp": "mantissa exponent",
    "histogram": "hist bin_edges",
    "linalg_lstsq": "solution residuals rank singular_values",
}


def __getattr__(name: str) -> Any:
    if name not in FIELDS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    made = globals()[name] = namedtuple(name, FIELDS[name], module=__name__)
    made.__repr__ = _shown  # type: ignore[method-assign]
    return made


def _shown(self: Any) -> str:
    items = ",\n".join([f"{name}={item!r}" for name, item in zip(self._fields, self)])
    return f"gradkit.return_types.{type(self).__name__}(\n{items})"
