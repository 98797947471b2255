"""Streams and events: CuPy's, under PyTorch's names."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

from gradkit.cuda.devices import backend, index_of, place_of


class _OfCupy(type):
    """CuPy makes the instances: they are known by a method."""

    known: str

    def __instancecheck__(cls, x: object) -> bool:
        return hasattr(x, cls.known)


class Stream(metaclass=_OfCupy):
    """A new stream, CuPy's `cupy.cuda.Stream`, on which work is done in order, beside that of others; it waits for none.

    `wait_stream`, `wait_event`, `record_event`, `synchronize`, `query`, `device` and `cuda_stream` are PyTorch's. A lower
    `priority` goes first. Steps back run on the stream of their operation. RuntimeError where there is no such GPU.

    >>> if gradkit.cuda.is_available():
    ...     side = gradkit.cuda.Stream()
    ...     side.wait_stream(gradkit.cuda.current_stream())
    """

    known = "wait_event"

    def __new__(cls, device: Any = None, priority: int = 0) -> Any:
        return backend().new_stream(index_of(device), priority)


@contextmanager
def stream(stream: Any) -> Iterator[None]:
    """In a with statement, the stream on which operations run, and its GPU; None changes nothing.

    >>> if gradkit.cuda.is_available():
    ...     with gradkit.cuda.stream(gradkit.cuda.Stream()):
    ...         x = gradkit.ones(2, device="cuda") * 2
    """
    if stream is None:
        yield
    else:
        with nullcontext() if stream.device_id < 0 else backend().on(stream.device_id), stream:
            yield


def set_stream(stream: Any) -> None:
    """Let operations run on a stream, and its GPU, from now on, in this thread; None changes nothing.

    >>> if gradkit.cuda.is_available():
    ...     gradkit.cuda.set_stream(gradkit.cuda.current_stream())
    """
    if stream is not None:
        if stream.device_id >= 0:  # the default stream is on every GPU
            backend().use(stream.device_id)
        stream.use()


def current_stream(device: Any = None) -> Any:
    """The stream on which operations run now.

    >>> if gradkit.cuda.is_available():
    ...     assert gradkit.cuda.current_stream() == gradkit.cuda.default_stream()
    """
    return backend().current_stream(place_of(device))


def default_stream(device: Any = None) -> Any:
    """The stream on which operations run if nothing else is said.

    >>> if gradkit.cuda.is_available():
    ...     assert gradkit.cuda.default_stream().query() in (True, False)
    """
    return backend().default_stream()


class Event(metaclass=_OfCupy):
    """A point in a stream's work, CuPy's `cupy.cuda.Event`: `record`, `wait`, `query`, `synchronize`, `elapsed_time` (ms).

    >>> if gradkit.cuda.is_available():
    ...     done = gradkit.cuda.Event()
    ...     done.record()
    ...     done.synchronize()
    """

    known = "elapsed_time"

    def __new__(cls, enable_timing: bool = False, blocking: bool = False, interprocess: bool = False) -> Any:
        return backend().new_event(enable_timing, blocking, interprocess)
