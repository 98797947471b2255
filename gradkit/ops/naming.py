"""Other names for arguments that PyTorch takes: NumPy's for two of them, and those that one function has in two places."""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


def also_named(**names: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Let a function take arguments by other names, given as ``other="own"``; TypeError for both names of one."""

    def naming(function: Callable[P, R]) -> Callable[P, R]:
        @wraps(function)
        def call(*args: P.args, **kwargs: P.kwargs) -> R:
            for other, own in names.items() if kwargs else ():
                if other in kwargs:
                    if own in kwargs:
                        raise TypeError(f"{function.__name__}() got both '{own}' and '{other}', which are one argument; pass one")
                    kwargs[own] = kwargs.pop(other)
            return function(*args, **kwargs)

        return call

    return naming


#: Lets a function take `axis` for `dim` and `keepdims` for `keepdim`.
numpy_names = also_named(axis="dim", keepdims="keepdim")
