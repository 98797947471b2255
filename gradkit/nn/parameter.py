"""Tensors that a module registers when they are assigned: Parameter, which an optimiser changes, and Buffer."""

from typing import Any, Self

import numpy as np

from gradkit import creation
from gradkit.engine.tensor import Tensor

__all__ = ["Buffer", "Parameter"]


class Buffer(Tensor):
    """A Tensor that a module registers as a buffer when it is assigned; kept in ``state_dict()`` if ``persistent``.

    It shares memory with ``data`` (None: an empty vector).

    >>> layer = nn.Module()
    >>> layer.mean = nn.Buffer(gradkit.zeros(2))
    >>> layer.state_dict()["mean"]
    tensor([0., 0.])
    """

    persistent: bool

    def __new__(cls, data: Tensor | None = None, *, persistent: bool = True) -> Self:
        self = super().__new__(cls)
        self.array = creation.empty(0).array if data is None else data.array
        self.node = None
        self.persistent = persistent
        return self


class Parameter(Tensor):
    """A Tensor to be learned. It shares memory with ``data`` (None: an empty vector).

    Assigned to an attribute of a Module it shows up in ``parameters()`` and ``state_dict()``. TypeError for
    data that is no Tensor, RuntimeError for an integer dtype with ``requires_grad=True``.

    >>> nn.Parameter(gradkit.ones(2))
    Parameter containing:
    tensor([1., 1.], requires_grad=True)
    """

    __slots__ = ()

    def __new__(cls, data: Tensor | None = None, requires_grad: bool = True) -> Self:
        if data is not None and not isinstance(data, Tensor):
            raise TypeError(f"nn.Parameter wraps a Tensor, not {type(data).__name__}; write nn.Parameter(gradkit.tensor(...))")
        self = super().__new__(cls)
        if data is None:
            data = creation.empty(0)
        if isinstance(data.array, np.generic):  # what a 0-d result is; it has no memory that an optimiser could write
            data.array = np.asarray(data.array)
        self.array, self.batch = data.array, data.batch
        self.node = None
        self.requires_grad_(requires_grad)
        return self

    def __repr__(self) -> str:
        return f"Parameter containing:\n{super().__repr__()}"

    # A copy starts without the gradient, unlike that of another leaf.
    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        if id(self) not in memo:
            memo[id(self)] = type(self)(self.detach().clone(), self.requires_grad)
        copied: Self = memo[id(self)]
        return copied
