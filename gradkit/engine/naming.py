"""Functions that are made by functions."""

from collections.abc import Callable
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])


def named(function: F, name: str, doc: str | None = None) -> F:
    """A function made in another one, under the name and with the documentation that its callers see."""
    function.__name__ = function.__qualname__ = name
    function.__doc__ = doc
    return function
