"""What a function under a transform shares with the code around it, and must not write derivatives into."""

from types import FunctionType
from typing import Any

from gradkit.engine import modes
from gradkit.engine.lines import user_line
from gradkit.engine.tensor import Tensor

local = modes.local


class Surroundings:
    """The tensors that a function finds in its closure, its defaults and its globals. Looked up when first asked for."""

    __slots__ = ("_found", "_function")

    def __init__(self, function: Any) -> None:
        self._function, self._found = function, None

    def __contains__(self, x: Tensor) -> bool:
        if self._found is None:
            self._found = {}
            self._look_into(self._function, set())
        return id(x) in self._found

    def _look_into(self, thing: Any, seen: set[int]) -> None:
        if isinstance(thing, Tensor):
            for one in (thing, *(thing._view or ())[1:2]):
                self._found[id(one)] = one
            return
        kind = type(thing)
        if kind not in _LOOKED_INTO or id(thing) in seen:
            return
        seen.add(id(thing))
        if kind is FunctionType:
            cells = [_content(cell) for cell in thing.__closure__ or ()]
            named = [thing.__globals__.get(name) for name in thing.__code__.co_names]
            parts = [*cells, *(thing.__defaults__ or ()), *[one for one in named if type(one) is not FunctionType]]
        else:
            parts = [] if len(thing) > _LONG else list(thing.values() if kind is dict else thing)
        for part in parts:
            self._look_into(part, seen)


_LOOKED_INTO = {FunctionType, tuple, list, dict}
_LONG = 1000  # containers of more are taken for data


def _content(cell: Any) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # not yet bound
        return None


def within(function: Any) -> modes.mode:
    """The scope of a transform of this function."""
    return modes.mode(functions=(*local.functions, Surroundings(function)))


def check_own(x: Tensor, name: str, *values: Any) -> None:
    """Raise RuntimeError if values of a transform are about to be written into a tensor that its function closes over."""
    if not any([v.node is not None or v.tangents or v.batch for v in values if isinstance(v, Tensor)]):
        return
    root = x._view[1] if x._view else x
    if any([x in around or root in around for around in local.functions]):
        raise RuntimeError(
            f"During a grad (vjp, jvp, jacrev, ...) transform, {name} in {user_line()} would mutate a captured Tensor of "
            f"shape {tuple(x.shape)}, {x.dtype.name}, which outlives the transform: make it an argument of the function, "
            "write to a clone() of it, or return the value (has_aux=True)"
        )
