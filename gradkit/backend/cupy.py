"""CUDA devices: CuPy's arrays. The only file that imports CuPy, and imported only when a GPU is asked for."""

import weakref
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import cached_property
from typing import Any

import cupy
import numpy as np

from gradkit import errors
from gradkit.backend import cuda, protocol
from gradkit.backend.cuda.rng import CudaGenerator
from gradkit.backend.kernels.catalogue import Kernels
from gradkit.backend.protocol import Backend, Namespace
from gradkit.backend.rng import default_generator

runtime = cupy.cuda.runtime


def trouble() -> str | None:
    """Why CuPy, which is installed, cannot use a GPU; None if it can."""
    version = cupy.__version__
    try:
        if runtime.getDeviceCount() == 0:
            return "there is no NVIDIA GPU in this machine, or CUDA_VISIBLE_DEVICES hides it"
    except runtime.CUDARuntimeError as reason:
        return f"CuPy {version} finds no usable NVIDIA driver ({reason}): install or update the driver"
    try:
        cupy.cuda.nvrtc.getVersion()
    except Exception as reason:  # it is loaded at first use, and says so in its own way
        return (
            f"CuPy {version} finds no NVRTC, which compiles kernels ({str(reason).strip().splitlines()[0]}): "
            "pip install 'cupy-cuda13x[ctk]', or 'cupy-cuda12x[ctk]'"
        )
    try:
        cupy.cuda.alloc(512)
    except cupy.cuda.memory.OutOfMemoryError as reason:
        return f"the GPU has no memory left ({reason}): end other programs that use it"
    except runtime.CUDARuntimeError as reason:
        return f"the GPU does not answer ({reason})"
    return None


class CupyBackend(Backend):
    name = "cuda"
    array_types = (cupy.ndarray,)
    switches = True

    def __init__(self) -> None:
        self.xp = Namespace(cupy, **cuda.functions(cupy), **self.kernels.programs())
        self.module = cupy
        self.count: int = runtime.getDeviceCount()
        self.several = self.count > 1
        self.memory = Memory()
        self._generators: dict[int, CudaGenerator] = {}

    # -- to and from the host
    def asarray(self, data: Any, dtype: Any = None, copy: bool | None = None) -> Any:
        if isinstance(data, np.ndarray | np.generic):
            return upload(np.asarray(data, dtype))
        return cupy.array(data, dtype) if copy else cupy.asarray(data, dtype)

    def operand(self, number: Any, dtype: Any) -> Any:
        """A NumPy scalar: kernels take it by value, where an array would have to be copied to the device first."""
        return np.asarray(number, dtype)[()]

    def ufunc(self, name: str) -> Callable[..., Any] | None:
        found: Callable[..., Any] | None = getattr(cupy, name, None)
        return found if found is getattr(self.xp, name, None) else None

    def to_host(self, array: Any, non_blocking: bool = False) -> Any:
        if not non_blocking:
            return array.get()
        pinned = pinned_like(array)
        return array.get(blocking=False, out=pinned, order="C")

    def to_device(self, array: Any, index: int | None, non_blocking: bool = False) -> Any:
        with self.on(index):
            return upload(array) if isinstance(array, np.ndarray | np.generic) else array.copy()

    def pinned(self, array: Any) -> Any:
        found = pinned_like(array)
        found[...] = array
        return found

    def from_dlpack(self, x: Any) -> Any:
        return cupy.from_dlpack(x)

    def is_pinned(self, array: Any) -> bool:
        return is_pinned(array)

    # -- devices and streams
    def index_of(self, array: Any) -> int | None:
        return array.device.id if self.several else None

    def current(self) -> int:
        found: int = runtime.getDevice()
        return found

    def on(self, index: int | None) -> AbstractContextManager[Any]:
        if index is None or (index == 0 and not self.several):
            return nullcontext()
        if not 0 <= index < self.count:
            raise RuntimeError(f"CUDA error: invalid device ordinal: cuda:{index}, and there are {self.count} devices")
        device: AbstractContextManager[Any] = cupy.cuda.Device(index)
        return device

    def stream(self) -> Any:
        found = cupy.cuda.get_current_stream()
        return found if found.ptr else None

    def walking(self) -> "Walk":
        return Walk()

    def use(self, index: int) -> None:
        with self.on(index):
            pass
        cupy.cuda.Device(index).use()

    def synchronize(self, index: int | None = None) -> None:
        cupy.cuda.Device(index).synchronize()

    def properties(self, index: int | None) -> dict[str, Any]:
        found: dict[str, Any] = runtime.getDeviceProperties(self.current() if index is None else index)
        return found

    def new_stream(self, index: int | None, priority: int) -> Any:
        with self.on(index):
            return Stream(non_blocking=True, priority=priority)

    def current_stream(self, index: int | None) -> Any:
        found = cupy.cuda.get_current_stream(-1 if index is None else index)
        return found if found.ptr else self.default_stream()

    def default_stream(self) -> Any:
        return self._default_stream

    @cached_property
    def _default_stream(self) -> Any:  # made when it is first wanted: a CuPy that finds no driver is imported too
        return Stream(null=True)

    def new_event(self, timing: bool, blocking: bool, shared: bool) -> Any:
        return Event(block=blocking, disable_timing=not timing, interprocess=shared)

    def generator(self, index: int | None = None) -> CudaGenerator:
        """The stream of a device that is drawn from if nothing else is said; it starts from the host's seed."""
        index = self.current() if index is None else index
        if index not in self._generators:
            seed = default_generator.initial_seed()
            self._generators[index] = CudaGenerator(f"cuda:{index}").manual_seed(seed)
        return self._generators[index]

    def seed_all(self, seed: int) -> None:
        for index in range(self.count):
            self.generator(index).manual_seed(seed)

    @cached_property
    def kernels(self) -> Kernels:
        return Kernels(cupy)

    def kernel(self, name: str) -> Callable[..., Any] | None:
        return self.kernels.get(name)


class Stream(cupy.cuda.Stream):
    """CuPy's stream with PyTorch's names."""

    @property
    def cuda_stream(self) -> int:
        return self.ptr

    @property
    def device(self) -> Any:
        return protocol.as_device(f"cuda:{runtime.getDevice() if self.device_id < 0 else self.device_id}")

    def wait_stream(self, stream: Any) -> None:
        self.wait_event(stream.record(Event(disable_timing=True)))

    def record_event(self, event: Any = None) -> Any:
        return self.record(event or Event(disable_timing=True))

    def query(self) -> bool:
        return bool(self.done)


class Event(cupy.cuda.Event):
    """CuPy's event with PyTorch's names."""

    def wait(self, stream: Any = None) -> None:
        (stream or cupy.cuda.get_current_stream()).wait_event(self)

    def query(self) -> bool:
        return bool(self.done)

    def elapsed_time(self, end_event: Any) -> float:
        try:
            milliseconds: float = cupy.cuda.get_elapsed_time(self, end_event)
        except runtime.CUDARuntimeError as reason:
            raise RuntimeError(f"{reason}: both events need enable_timing=True, record() and the work to be done") from None
        return milliseconds


class OutOfMemory(errors.OutOfMemoryError, cupy.cuda.memory.OutOfMemoryError):
    """PyTorch's kind of error, and CuPy's."""


class Memory:
    """How much arrays take of CuPy's default pool, and the most it gave out at once.

    With an allocator of the user's own, whose business that is, the counts are those of arrays made before.
    """

    def __init__(self) -> None:
        self.pool = cupy.get_default_memory_pool()
        self.peaks: dict[int, int] = {}
        self.held: dict[int, int] = {}  # the most that the pool had, when it last gave all back
        self.lent: list[tuple[Any, Any]] = []  # memory that nobody has any more but a stream, until that is so far
        if cupy.cuda.get_allocator() == self.pool.malloc:
            cupy.cuda.set_allocator(self.allocate)

    def allocate(self, size: int) -> Any:
        if self.lent:
            self.lent = [one for one in self.lent if not one[1].done]
        try:
            memory = self.pool.malloc(size)
        except cupy.cuda.memory.OutOfMemoryError as reason:
            raise OutOfMemory(f"CUDA o{str(reason)[1:]}; free tensors, or use smaller ones") from None
        device = runtime.getDevice()
        used = self.pool.used_bytes()
        if used > self.peaks.get(device, 0):
            self.peaks[device] = used
        return memory

    def record(self, array: Any, stream: Any) -> None:
        """When an array dies, keep its memory until what `stream` has to do by then is done."""
        weakref.finalize(array, self.lend, array.data, stream).atexit = False

    def lend(self, memory: Any, stream: Any) -> None:
        self.lent.append((memory, stream.record(Event(disable_timing=True))))

    def bytes(self, kind: str, index: int | None) -> int:
        with nullcontext() if index is None else cupy.cuda.Device(index):
            if kind == "peak":
                return max(self.peaks.get(runtime.getDevice(), 0), self.pool.used_bytes())
            if kind == "peak held":
                return max(self.held.get(runtime.getDevice(), 0), self.pool.total_bytes())
            return self.pool.used_bytes() if kind == "used" else self.pool.total_bytes()

    def restart(self, index: int | None) -> None:
        for peaks in (self.peaks, self.held):
            peaks.pop(runtime.getDevice() if index is None else index, None)

    def free(self, index: int | None) -> int:
        with nullcontext() if index is None else cupy.cuda.Device(index):
            free: int = self.on_device()[0] + self.pool.free_bytes()
        return free

    def taken_by(self, work: Callable[[], Any], index: int | None) -> tuple[Any, int]:
        """What `work` returns, and the most that was alive meanwhile beside what was before; earlier peaks still count."""
        device = runtime.getDevice() if index is None else index
        before, earlier = self.bytes("used", index), self.peaks.pop(device, 0)
        try:
            found = work()
            return found, self.bytes("peak", index) - before
        finally:
            self.peaks[device] = max(earlier, self.bytes("peak", index))

    def release(self) -> None:
        self.held[runtime.getDevice()] = self.bytes("peak held", None)
        self.pool.free_all_blocks()

    def on_device(self) -> tuple[int, int]:
        free, total = runtime.memGetInfo()
        return free, total


def upload(array: Any) -> Any:
    """A copy on the current device; asynchronous if the memory of `array` is pinned."""
    array = np.asarray(array)
    if not is_pinned(array) and not is_negative_zero(array):
        return cupy.asarray(array)
    found = cupy.empty(array.shape, array.dtype)
    found.set(array)
    return found


def is_negative_zero(array: Any) -> bool:
    """Whether it is 0-d and -0.0, of which CuPy's asarray loses the sign."""
    return not array.ndim and array.dtype.kind in "fc" and not array and bool(np.signbit([array.real, array.imag]).any())


# -- pinned memory
def pinned_like(array: Any) -> Any:
    """Uninitialised host memory that a device can copy from and to while the host goes on."""
    memory = cupy.cuda.alloc_pinned_memory(max(array.nbytes, 1))
    return np.frombuffer(memory, array.dtype, array.size).reshape(array.shape)


def is_pinned(array: Any) -> bool:
    while isinstance(array, np.ndarray):
        array = array.base
    if isinstance(array, memoryview):
        array = array.obj
    return isinstance(array, cupy.cuda.PinnedMemoryPointer)


class Walk:
    """The steps of a walk back run on the streams of the operations they belong to, one after another.

    Whenever the stream changes, the new one waits for the old; at the end all wait for all, so that neither results
    nor freed memory are used too early.
    """

    def __init__(self) -> None:
        stream, device = cupy.cuda.get_current_stream(), runtime.getDevice()
        self.home = self.here = stream.ptr, device
        self.streams = {self.home: stream}

    def at(self, stream: Any, array: Any) -> None:
        """Go to the stream an operation was recorded on (None: the default one), on the device of an array."""
        stream = stream or cupy.cuda.Stream.null
        place = stream.ptr, array.device.id
        if place != self.here:
            self.streams[place] = stream
            self.move(place)

    def move(self, place: tuple[int, int]) -> None:
        done = cupy.cuda.Event(disable_timing=True)
        done.record(self.streams[self.here])
        stream = self.streams[place]
        cupy.cuda.Device(place[1]).use()
        stream.use()
        stream.wait_event(done)
        self.here = place

    def end(self) -> None:
        if len(self.streams) > 1:
            self.move(self.home)
            for place in self.streams:
                self.move(place)
            self.move(self.home)
