"""Raw arrays from the memory of other libraries, by DLPack."""

from typing import Any

import numpy as np

CPU, CUDA_HOST = 1, 3  # DLPack's numbers for what the host may read


def exported(x: Any, copy: bool | None = None) -> Any:
    """The raw array behind another library's array, of the backend whose device it is on."""
    kind, _ = x.__dlpack_device__()
    if kind not in (CPU, CUDA_HOST):
        raise BufferError(f"from_dlpack: the memory is on a device of DLPack type {kind}, and only the CPU is in use")
    return np.from_dlpack(x) if copy is None else np.from_dlpack(x, copy=copy)
