"""Raw arrays from the memory of other libraries, by DLPack."""

from typing import Any

import numpy as np

from gradkit.backend.protocol import backend_named

CPU, CUDA, CUDA_HOST, MANAGED = 1, 2, 3, 13  # DLPack's numbers for kinds of memory


def exported(x: Any, copy: bool | None = None) -> Any:
    """The raw array behind another library's array, of the backend whose device it is on."""
    kind, _ = x.__dlpack_device__()
    if kind in (CUDA, MANAGED):
        try:
            found = backend_named("cuda").from_dlpack(x)
        except RuntimeError as reason:
            raise BufferError(f"from_dlpack: the memory is on a CUDA device, and {reason}") from None
        return found.copy() if copy else found
    if kind not in (CPU, CUDA_HOST):
        raise BufferError(f"from_dlpack: the memory is on a device of DLPack type {kind}, which is neither CPU nor CUDA")
    return np.from_dlpack(x) if copy is None else np.from_dlpack(x, copy=copy)
