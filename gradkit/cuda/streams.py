"""Streams and events: CuPy's, under PyTorch's names."""

from contextlib import AbstractContextManager, nullcontext
from typing import Any

from gradkit.cuda.devices import backend, index_of, place_of


class _OfCupy(type):
    """Of a class whose instances CuPy makes: they are known by a method."""

    known: str

    def __instancecheck__(cls, x: object) -> bool:
        return hasattr(x, cls.known)


class Stream(metaclass=_OfCupy):
    """A new stream, CuPy's `cupy.cuda.Stream`, on which work is done in order, beside that of other streams.

    It does not wait for the default stream; `wait_stream`, `wait_event`, `record_event`, `synchronize`, `query`, `device` and
    `cuda_stream` are PyTorch's. A lower `priority` goes first. The backward pass runs each step on the stream of its forward
    operation. RuntimeError where there is no such GPU.

    >>> if gradkit.cuda.is_available():
    ...     side = gradkit.cuda.Stream()
    ...     side.wait_stream(gradkit.cuda.current_stream())
    """

    known = "wait_event"

    def __new__(cls, device: Any = None, priority: int = 0) -> Any:
        return backend().new_stream(index_of(device), priority)


def stream(stream: Any) -> AbstractContextManager[Any]:
    """In a with statement, the stream on which operations run; None changes nothing.

    >>> if gradkit.cuda.is_available():
    ...     with gradkit.cuda.stream(gradkit.cuda.Stream()):
    ...         x = gradkit.ones(2, device="cuda") * 2
    """
    return nullcontext() if stream is None else stream


def set_stream(stream: Any) -> None:
    """Let operations run on a stream from now on, in this thread; None changes nothing. A with statement is better.

    >>> if gradkit.cuda.is_available():
    ...     gradkit.cuda.set_stream(gradkit.cuda.current_stream())
    """
    if stream is not None:
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
