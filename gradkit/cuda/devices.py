"""Which GPUs there are, which is the current one, and what they are."""

from typing import Any, NamedTuple

from gradkit.backend import probe
from gradkit.backend.protocol import backend_named, backends
from gradkit.engine.device import device as Device


def backend() -> Any:
    """The backend. RuntimeError, with the reason, where there is none."""
    return backend_named("cuda")


def index_of(device: Any, lenient: bool = False) -> int | None:
    """The index that an argument names; None for the current device, and where PyTorch is `lenient`, for a negative one."""
    if device is None or isinstance(device, int):
        if lenient and device is not None and device < 0:
            return None
        return device
    found = Device(device)
    if found.type != "cuda":
        raise ValueError(f"Expected a cuda device, but got: {found}")
    return found.index


def place_of(device: Any) -> int | None:
    """The index of a GPU. RuntimeError if there is no such GPU."""
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
    index: int = backend().current()
    return index


def set_device(device: Any) -> None:
    """Make ``device="cuda"`` mean this GPU from now on, in this thread: an index, a string or a device.

    A negative index, which `get_device` answers for the CPU, changes nothing. RuntimeError if there is no such GPU.

    >>> if gradkit.cuda.is_available():
    ...     gradkit.cuda.set_device(0)
    """
    index = index_of(device, lenient=True)
    if index is not None:
        backend().use(index)


class device:
    """In a with statement, the GPU that ``device="cuda"`` means: an index, a string or a device.

    None or a negative index changes nothing. RuntimeError on entry if there is no such GPU.

    >>> if gradkit.cuda.is_available():
    ...     with gradkit.cuda.device(0):
    ...         assert gradkit.cuda.current_device() == 0
    """

    def __init__(self, device: Any) -> None:
        self.idx = index_of(device, lenient=True)

    def __enter__(self) -> None:
        if self.idx is not None:
            self._before = backend().current()
            backend().use(self.idx)

    def __exit__(self, *exception: object) -> None:
        if self.idx is not None:
            backend().use(self._before)


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
    name: bytes = _properties(device)["name"]
    return name.decode()


def get_device_capability(device: Any = None) -> tuple[int, int]:
    """The compute capability of a GPU: (9, 0) is sm_90.

    >>> if gradkit.cuda.is_available():
    ...     major, minor = gradkit.cuda.get_device_capability()
    """
    found = _properties(device)
    return found["major"], found["minor"]


class DeviceProperties(NamedTuple):
    """What a GPU is: memory in bytes, otherwise counts. Made by `get_device_properties`."""

    name: str
    major: int
    minor: int
    total_memory: int
    multi_processor_count: int
    max_threads_per_multi_processor: int
    max_threads_per_block: int
    warp_size: int
    regs_per_multiprocessor: int
    shared_memory_per_block: int
    shared_memory_per_multiprocessor: int
    L2_cache_size: int


def get_device_properties(device: Any = None) -> DeviceProperties:
    """What a GPU has, under PyTorch's names. RuntimeError if there is no such GPU.

    >>> if gradkit.cuda.is_available():
    ...     gigabytes = gradkit.cuda.get_device_properties(0).total_memory / 1e9
    """
    found = _properties(device)
    named = (
        "major", "minor", "totalGlobalMem", "multiProcessorCount", "maxThreadsPerMultiProcessor", "maxThreadsPerBlock",
        "warpSize", "regsPerMultiprocessor", "sharedMemPerBlock", "sharedMemPerMultiprocessor", "l2CacheSize",
    )
    return DeviceProperties(found["name"].decode(), *[found[name] for name in named])


def is_bf16_supported(including_emulation: bool = True) -> bool:
    """Whether the current GPU computes with bfloat16: each one does, by way of float32, those from sm_80 on by themselves.

    False where there is no GPU.

    >>> gradkit.cuda.is_bf16_supported() == gradkit.cuda.is_available()
    True
    """
    return is_available() and (including_emulation or get_device_capability() >= (8, 0))


def _properties(device: Any) -> Any:
    return backend().properties(place_of(device))
