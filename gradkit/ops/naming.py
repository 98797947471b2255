"""NumPy's names for two arguments, which PyTorch takes as well."""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


def numpy_names(function: Callable[P, R]) -> Callable[P, R]:
    """Let a function take `axis` for `dim` and `keepdims` for `keepdim`."""

    @wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        if "axis" in kwargs:
            kwargs["dim"] = kwargs.pop("axis")
        if "keepdims" in kwargs:
            kwargs["keepdim"] = kwargs.pop("keepdims")
        return function(*args, **kwargs)

    return call
