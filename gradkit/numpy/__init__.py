"""The array namespace over Tensors: the functions of NumPy and of the Array API standard, with their semantics.

`gradkit.numpy.f` takes and means what `numpy.f` does, dtypes and promotion included (int32 + float32 is float64; Python
numbers are weak), and answers in Tensors, through which gradients flow. ``numpy.f(tensor)`` comes here too. Functions
and methods of `gradkit` itself mean what PyTorch says.

>>> gnp.concatenate([gradkit.ones(2), gnp.zeros(1)])
tensor([1., 1., 0.], dtype=gradkit.float64)
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from gradkit.numpy import standard

if TYPE_CHECKING:
    from gradkit.numpy import fft, linalg
    from gradkit.numpy.creation import *
    from gradkit.numpy.elementwise import *
    from gradkit.numpy.info import *
    from gradkit.numpy.joining import *
    from gradkit.numpy.manipulation import *
    from gradkit.numpy.numeric import *
    from gradkit.numpy.products import *
    from gradkit.numpy.reduction import *
    from gradkit.numpy.sampling import *
    from gradkit.numpy.searching import *
    from gradkit.numpy.sets import *
    from gradkit.numpy.statistics import *

TOPICS = (
    "elementwise", "creation", "manipulation", "reduction", "joining", "products", "searching", "sets", "numeric",
    "statistics", "sampling", "info",
)
NAMESPACES = ("fft", "linalg")


def __getattr__(name: str) -> Any:
    """A topic is loaded when a name of it is asked for: importing gradkit does not wait for them."""
    if name in (*TOPICS, *NAMESPACES):
        return import_module(f"{__name__}.{name}")
    if name == "__all__":
        return __dir__()
    for topic in TOPICS:
        module = import_module(f"{__name__}.{topic}")
        if name in module.__all__:
            found = globals()[name] = getattr(module, name)
            return found
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    names = [name for topic in TOPICS for name in import_module(f"{__name__}.{topic}").__all__]
    return sorted([*names, *NAMESPACES])
