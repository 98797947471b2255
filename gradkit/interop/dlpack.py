"""DLPack: memory shared with other array libraries, without a copy, in both directions."""

from typing import Any

import numpy as np

from gradkit.engine.tensor import Tensor, wrap
from gradkit.numpy.sharing import exported


def dlpack(self: Tensor, **keywords: Any) -> Any:
    """``__dlpack__``: a capsule with this tensor's memory, for `torch.from_dlpack`, `numpy.from_dlpack` and the like.

    Takes the keywords of the standard (`stream`, `max_version`, `dl_device`, `copy`). BufferError if the tensor
    requires grad, since a reader would take its values out of the graph unseen.

    >>> np.from_dlpack(gradkit.ones(2))
    array([1., 1.], dtype=float32)
    """
    return memory(self).__dlpack__(**keywords)


def dlpack_device(self: Tensor) -> tuple[int, int]:
    """``__dlpack_device__``: the kind of device this tensor's memory is on, and which.

    >>> tuple(int(n) for n in gradkit.ones(2).__dlpack_device__())
    (1, 0)
    """
    raw = np.asarray(self.array) if isinstance(self.array, np.generic) else self.array
    device: tuple[int, int] = raw.__dlpack_device__()
    return device


def memory(x: Tensor) -> Any:
    """The raw array of a tensor that nothing else hangs on: no gradient, no tangent, no batch axis."""
    if x.requires_grad or x.tangents:
        raise BufferError("Can't export tensors that require gradient, use tensor.detach()")
    if x.batch:
        raise BufferError("vmap: a tensor inside vmap stands for many samples and cannot be exported")
    if isinstance(x.array, np.generic):
        x.array = np.asarray(x.array)
    return x.array


def from_dlpack(ext_tensor: Any) -> Tensor:
    """A tensor that shares the memory of any array with ``__dlpack__``: of PyTorch, JAX, CuPy, NumPy.

    BufferError if that memory is on a device that is not in use here, TypeError for what has no ``__dlpack__``.

    >>> a = np.zeros(2, np.float32)
    >>> gradkit.from_dlpack(a).add_(1)
    tensor([1., 1.])
    >>> a
    array([1., 1.], dtype=float32)
    """
    if not hasattr(ext_tensor, "__dlpack__"):
        raise TypeError(f"from_dlpack(): expected an array with __dlpack__, got {type(ext_tensor).__name__}")
    return wrap(exported(ext_tensor))
