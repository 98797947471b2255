"""The CUDA kernels from Python's side: where their sources are, how they are compiled, laid out and launched.

Nothing here imports CuPy: its backend hands the module over.
"""

import os.path

_PACKAGE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def folder() -> str:
    """The folder `kernels`: inside an installed package, beside it in a checkout.

    Rows ask for it as they are defined, when pathlib would be the dearest of all imports.
    """
    inside = os.path.join(_PACKAGE, "kernels")
    return inside if os.path.isdir(inside) else os.path.join(os.path.dirname(_PACKAGE), "kernels")
