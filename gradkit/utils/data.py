"""`gradkit.data` under the name that it has in PyTorch."""

from gradkit.data import *  # noqa: F403
from gradkit.data import __all__ as __all__
