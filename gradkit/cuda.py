"""CUDA devices, streams, events and memory, under PyTorch's names. Works, and says no, where there is no GPU."""

from contextlib import AbstractContextManager
from typing import Any

from gradkit.backend import probe
from gradkit.backend.protocol import backend_named, backends
from gradkit.engine.device import device as Device
from gradkit.engine.tensor import Tensor, wrap

__all__ = [
    "Event", "Stream", "current_device", "current_stream", "default_stream", "device", "device_count", "empty_cache",
    "get_device_capability", "get_device_name", "get_rng_state", "initial_seed", "is_available", "is_initialized",
    "manual_seed", "manual_seed_all", "max_memory_allocated", "mem_get_info", "memory_allocated", "memory_reserved",
    "reset_peak_memory_stats", "set_device", "set_rng_state", "stream", "synchronize", "why_not",
]


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
    return _cuda().count if is_available() else 0


def current_device() -> int:
    """The index of the GPU on which ``device="cuda"`` makes tensors. RuntimeError where there is none.

    >>> if gradkit.cuda.is_available():
    ...     assert 0 <= gradkit.cuda.current_device() < gradkit.cuda.device_count()
    """
    index: int = _cuda().current()
    return index


def set_device(device: Any) -> None:
    """Make ``device="cuda"`` mean this GPU from now on, in this thread: an index, a string or a device.

    RuntimeError if there is no such GPU.

    >>> if gradkit.cuda.is_available():
    ...     gradkit.cuda.set_device(0)
    """
    index = _index(device)
    if index is not None:
        _cuda().use(index)


class device:
    """In a with statement, the GPU that ``device="cuda"`` means: an index, a string or a device.

    RuntimeError on entry if there is no such GPU.

    >>> if gradkit.cuda.is_available():
    ...     with gradkit.cuda.device(0):
    ...         assert gradkit.cuda.current_device() == 0
    """

    def __init__(self, device: Any) -> None:
        self.idx = _index(device)

    def __enter__(self) -> None:
        self._before = _cuda().current()
        if self.idx is not None:
            _cuda().use(self.idx)

    def __exit__(self, *exception: object) -> None:
        _cuda().use(self._before)


def synchronize(device: Any = None) -> None:
    """Wait until a GPU, the current one by default, has done all that was asked of it.

    >>> if gradkit.cuda.is_available():
    ...     gradkit.cuda.synchronize()
    """
    _cuda().synchronize(_place(device))


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


# -- streams
def Stream(device: Any = None, priority: int = 0) -> Any:
    """A new stream, CuPy's `cupy.cuda.Stream`, on which work is done in order, beside that of other streams.

    It does not wait for the default stream; `wait_stream`, `wait_event`, `record_event`, `synchronize` and `query` are
    PyTorch's. A lower `priority` goes first. The backward pass runs each step on the stream of its forward operation.

    >>> if gradkit.cuda.is_available():
    ...     side = gradkit.cuda.Stream()
    ...     side.wait_stream(gradkit.cuda.current_stream())
    """
    return _cuda().new_stream(_index(device), priority)


def stream(stream: Any) -> AbstractContextManager[Any]:
    """In a with statement, the stream on which operations run; None changes nothing.

    >>> if gradkit.cuda.is_available():
    ...     with gradkit.cuda.stream(gradkit.cuda.Stream()):
    ...         x = gradkit.ones(2, device="cuda") * 2
    """
    found: AbstractContextManager[Any] = _cuda().on_stream(stream)
    return found


def current_stream(device: Any = None) -> Any:
    """The stream on which operations run now.

    >>> if gradkit.cuda.is_available():
    ...     assert gradkit.cuda.current_stream() == gradkit.cuda.default_stream()
    """
    return _cuda().current_stream(_place(device))


def default_stream(device: Any = None) -> Any:
    """The stream on which operations run if nothing else is said.

    >>> if gradkit.cuda.is_available():
    ...     assert gradkit.cuda.default_stream().query() in (True, False)
    """
    return _cuda().default_stream()


def Event(enable_timing: bool = False, blocking: bool = False) -> Any:
    """A point in a stream's work, CuPy's `cupy.cuda.Event`: `record`, `wait`, `query`, `synchronize`, `elapsed_time` (ms).

    >>> if gradkit.cuda.is_available():
    ...     done = gradkit.cuda.Event()
    ...     done.record()
    ...     done.synchronize()
    """
    return _cuda().new_event(enable_timing, blocking)


# -- memory
def memory_allocated(device: Any = None) -> int:
    """Bytes that arrays take on a GPU now.

    >>> gradkit.cuda.memory_allocated() if gradkit.cuda.is_initialized() else 0
    0
    """
    return _memory("used", device)


def max_memory_allocated(device: Any = None) -> int:
    """The most bytes that arrays took at once since the GPU was first used, or `reset_peak_memory_stats`.

    >>> if gradkit.cuda.is_available():
    ...     assert gradkit.cuda.max_memory_allocated() >= gradkit.cuda.memory_allocated()
    """
    return _memory("peak", device)


def memory_reserved(device: Any = None) -> int:
    """Bytes that are held for arrays on a GPU, in use or not.

    >>> if gradkit.cuda.is_available():
    ...     assert gradkit.cuda.memory_reserved() >= gradkit.cuda.memory_allocated()
    """
    return _memory("held", device)


def reset_peak_memory_stats(device: Any = None) -> None:
    """Begin `max_memory_allocated` anew.

    >>> if gradkit.cuda.is_available():
    ...     gradkit.cuda.reset_peak_memory_stats()
    """
    _cuda().memory.restart(_place(device))


def empty_cache() -> None:
    """Give back the memory that is held but not in use.

    >>> gradkit.cuda.empty_cache()
    """
    if is_initialized():
        _cuda().memory.release()


def mem_get_info(device: Any = None) -> tuple[int, int]:
    """Bytes free, and bytes in all, on a GPU.

    >>> if gradkit.cuda.is_available():
    ...     free, total = gradkit.cuda.mem_get_info()
    """
    with _cuda().on(_index(device)):
        free, total = _cuda().memory.on_device()
    return free, total


def _memory(kind: str, device: Any) -> int:
    if not is_initialized():
        return 0
    count: int = _cuda().memory.bytes(kind, _place(device))
    return count


def _properties(device: Any) -> Any:
    return _cuda().properties(_place(device))


def _cuda() -> Any:
    """The backend. RuntimeError, with the reason, where there is none."""
    return backend_named("cuda")


def _index(device: Any) -> int | None:
    if device is None or isinstance(device, int):
        return device
    found = Device(device)
    if found.type != "cuda":
        raise ValueError(f"Expected a cuda device, but got: {found}")
    return found.index


def _place(device: Any) -> int | None:
    """The index of a GPU. RuntimeError if there is no such GPU."""
    index = _index(device)
    _cuda().on(index)
    return index


# -- random numbers
def manual_seed(seed: int) -> None:
    """Start the stream of the current GPU anew from `seed`; nothing happens where there is no GPU.

    >>> gradkit.cuda.manual_seed(0)
    """
    if is_available():
        _cuda().generator().manual_seed(seed)


def manual_seed_all(seed: int) -> None:
    """Start the streams of all GPUs anew from `seed`; nothing happens where there is none.

    >>> gradkit.cuda.manual_seed_all(0)
    """
    if is_available():
        _cuda().seed_all(seed)


def initial_seed() -> int:
    """The seed that the stream of the current GPU started from.

    >>> if gradkit.cuda.is_available():
    ...     gradkit.cuda.manual_seed(7)
    ...     assert gradkit.cuda.initial_seed() == 7
    """
    seed: int = _cuda().generator().initial_seed()
    return seed


def get_rng_state(device: Any = "cuda") -> Tensor:
    """Where the stream of a GPU stands, as a uint8 tensor on the CPU for `set_rng_state`.

    >>> if gradkit.cuda.is_available():
    ...     state = gradkit.cuda.get_rng_state()
    """
    return wrap(_cuda().generator(_index(device)).get_state())


def set_rng_state(new_state: Tensor, device: Any = "cuda") -> None:
    """Go on from a state that `get_rng_state` gave.

    >>> if gradkit.cuda.is_available():
    ...     gradkit.cuda.set_rng_state(gradkit.cuda.get_rng_state())
    """
    _cuda().generator(_index(device)).set_state(new_state.numpy())
