"""Complex parameters for rules of real numbers: each number a pair of them in a last axis, as PyTorch steps."""

from collections import UserDict
from typing import Any

from gradkit.engine.tensor import Tensor, wrap
from gradkit.ops.complex import view_as_complex
from gradkit.primitives.complex import apart


def paired(raw: Any, grad: Any, state: Any) -> tuple[Any, Any, Any]:
    """What a rule gets of a complex parameter: pairs that share its memory, its gradient's and its state's."""
    pairs = apart(None, raw)
    return pairs, apart(None, grad), Pairs(state, pairs.shape)


class Pairs(UserDict[str, Any]):
    """A complex parameter's state, which stays complex. Entries of the shape that the pairs have are kept as complex ones."""

    def __init__(self, state: dict[str, Any], shape: tuple[int, ...]) -> None:
        self.data, self.shape = state, shape

    def __getitem__(self, name: str) -> Any:
        entry = self.data[name]
        return wrap(apart(None, entry.array)) if isinstance(entry, Tensor) and entry.is_complex() else entry

    def __setitem__(self, name: str, entry: Any) -> None:
        paired = isinstance(entry, Tensor) and entry.shape == self.shape
        self.data[name] = view_as_complex(entry) if paired else entry
