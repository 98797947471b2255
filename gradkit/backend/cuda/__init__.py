"""Array programs for CuPy: what rules need which it lacks, or has in another form. None of them imports it: `cp` is given."""

from collections.abc import Callable
from typing import Any


def functions(cp: Any) -> dict[str, Callable[..., Any]]:
    """All of them by the name they have in the array namespace, on the module `cp`."""
    return {}
