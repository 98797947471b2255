"""Which GPUs there are, which is the current one, and what they are."""

from types import SimpleNamespace
from typing import Any

from gradkit.backend import probe
from gradkit.backend.protocol import backend_named, backends
from gradkit.engine.device import device as Device


def backend() -> Any:
    return backend_named("cuda")


def index_of(device: Any) -> int | None:
    if device is None or isinstance(device, int):
        return device
    found = Device(device)
    if found.type != "cuda":
        raise ValueError(f"Expected a cuda device, but got: {found}")
    return found.index


def place_of(device: Any) -> int | None:
    index = index_of(device)
    backend().on(index)
    return index


def is_available() -> bool:
    """Whether a GPU can be used: CuPy is installed, finds a driver, a device and its compiler, and gets memory.

    Asked once; `why_not` says what is missing.

    >>> gradkit.cuda.is_available() == (gradkit.cuda.why_not() is None)
    True
    """
    return probe.why_not() is None


def why_not() -> str | None:
    """One line that says why no GPU can be used and what to do about it; None if one can.

    >>> reason = gradkit.cuda.why_not()
    """
    return probe.why_not()


def is_initialized() -> bool:
    """Whether anything has used a GPU yet.

    >>> gradkit.cuda.is_initialized() <= gradkit.cuda.is_available()
    True
    """
    return "cuda" in backends


def device_count() -> int:
    """How many GPUs there are; 0 where none can be used.

    >>> (gradkit.cuda.device_count() > 0) == gradkit.cuda.is_available()
    True
    """
    return backend().count if is_available() else 0


def current_device() -> int:
    """The index of the GPU on which ``device="cuda"`` makes tensors. RuntimeError where there is none.

    >>> if gradkit.cuda.is_available():
    ...     assert 0 <= gradkit.cuda.current_device() < gradkit.cuda.device_count()
    """
    return int(backend().current())


def set_device(device: Any) -> None:
    """Make ``device="cuda"`` mean this GPU from now on, in this thread: an index, a string or a device.

    A negative index, which `get_device` answers for the CPU, changes nothing. RuntimeError if there is no such GPU.

    >>> if gradkit.cuda.is_available():
    ...     gradkit.cuda.set_device(0)
    """
    index = index_of(device)
    if index is not None and index >= 0:
        backend().use(index)


class device:
    """In a with statement, the GPU that ``device="cuda"`` means: an index, a string or a device.

    None or a negative index changes nothing. RuntimeError on entry if there is no such GPU.

    >>> if gradkit.cuda.is_available():
    ...     with gradkit.cuda.device(0):
    ...         assert gradkit.cuda.current_device() == 0
    """

    def __init__(self, device: Any) -> None:
        self.idx = index_of(device)

    def __enter__(self) -> None:
        self._before = current_device() if is_available() else -1
        set_device(self.idx)

    def __exit__(self, *exception: object) -> None:
        set_device(self._before)


def synchronize(device: Any = None) -> None:
    """Wait until a GPU, the current one by default, has done all that was asked of it.

    >>> if gradkit.cuda.is_available():
    ...     gradkit.cuda.synchronize()
    """
    backend().synchronize(place_of(device))


def get_device_name(device: Any = None) -> str:
    """What a GPU is called, e.g. 'NVIDIA H100 80GB HBM3'.

    >>> if gradkit.cuda.is_available():
    ...     name = gradkit.cuda.get_device_name(0)
    """
    return str(_properties(device)["name"], "utf-8")


def get_device_capability(device: Any = None) -> tuple[int, int]:
    """The compute capability of a GPU: (9, 0) is sm_90.

    >>> if gradkit.cuda.is_available():
    ...     major, minor = gradkit.cuda.get_device_capability()
    """
    found = _properties(device)
    return found["major"], found["minor"]


def get_device_properties(device: Any = None) -> SimpleNamespace:
    """What a GPU has, under PyTorch's names: memory in bytes, otherwise counts. RuntimeError if there is no such GPU.

    >>> if gradkit.cuda.is_available():
    ...     gigabytes = gradkit.cuda.get_device_properties(0).total_memory / 1e9
    """
    found = _properties(device)
    return SimpleNamespace(name=found["name"].decode(), **{ours: found[theirs] for ours, theirs in _FACTS.items()})


_FACTS = {
    "major": "major", "minor": "minor", "total_memory": "totalGlobalMem", "multi_processor_count": "multiProcessorCount",
    "max_threads_per_multi_processor": "maxThreadsPerMultiProcessor", "shared_memory_per_block": "sharedMemPerBlock",
    "L2_cache_size": "l2CacheSize", "warp_size": "warpSize",
}


def is_bf16_supported(including_emulation: bool = True) -> bool:
    """Whether the current GPU computes with bfloat16: each one does, by way of float32, those from sm_80 on by themselves.

    False where there is no GPU.

    >>> gradkit.cuda.is_bf16_supported() == gradkit.cuda.is_available()
    True
    """
    return is_available() and (including_emulation or get_device_capability() >= (8, 0))


def _properties(device: Any) -> Any:
    return backend().properties(place_of(device))
