"""Switching recording off and on: context managers that are decorators too."""

import functools
import inspect
from collections.abc import Callable
from typing import Any, TypeVar

from gradkit.engine import modes

F = TypeVar("F", bound=Callable[..., Any])


class _Mode:
    """Sets thread-local state on entry, restores it on exit; re-entrant, and usable as a decorator."""

    def __init__(self) -> None:
        self._open: list[Any] = []

    def _scope(self) -> Any:
        raise NotImplementedError

    def __enter__(self) -> None:
        scope = self._scope()
        scope.__enter__()
        self._open.append(scope)

    def __exit__(self, *exception: Any) -> None:
        self._open.pop().__exit__(*exception)

    def __call__(self, function: F) -> F:
        if inspect.isgeneratorfunction(function):

            @functools.wraps(function)
            def generator(*args: Any, **kwargs: Any) -> Any:
                return self._through(function(*args, **kwargs))

            return generator  # type: ignore[return-value]

        @functools.wraps(function)
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            with self._scope():
                return function(*args, **kwargs)

        return wrapped  # type: ignore[return-value]

    def _through(self, inner: Any) -> Any:
        """The same generator, whose every step runs in the mode, and its consumer outside of it."""
        advance, given = inner.send, None
        while True:
            try:
                with self._scope():
                    value = advance(given)
            except StopIteration as stop:
                return stop.value
            try:
                advance, given = inner.send, (yield value)
            except GeneratorExit:
                with self._scope():
                    inner.close()
                raise
            except BaseException as exception:
                advance, given = inner.throw, exception


class no_grad(_Mode):
    """Operations inside are not recorded, in this thread. A context manager and a decorator (with or without call).

    >>> x = gradkit.ones(2, requires_grad=True)
    >>> with gradkit.no_grad():
    ...     (x * 2).requires_grad
    False
    """

    def __new__(cls, function: Any = None) -> Any:
        made = super().__new__(cls)
        if function is None:
            return made
        made.__init__()  # type: ignore[misc]
        return made(function)

    def __init__(self, function: Any = None) -> None:
        super().__init__()

    def _scope(self) -> Any:
        return modes.mode(mute=1, grad=False)


class enable_grad(no_grad):
    """Operations inside are recorded even within `no_grad`.

    >>> x = gradkit.ones(2, requires_grad=True)
    >>> with gradkit.no_grad(), gradkit.enable_grad():
    ...     (x * 2).requires_grad
    True
    """

    def _scope(self) -> Any:
        return modes.mode(grad=True)


class inference_mode(_Mode):
    """`no_grad` whose results stay out of every graph; ``inference_mode(False)`` undoes an outer one.

    What is made inside counts no versions. Outside, it cannot be written in place, require grad, or be saved for a
    gradient: RuntimeError says so. A clone() of it can.

    >>> with gradkit.inference_mode():
    ...     y = gradkit.ones(2) * 2
    >>> y.is_inference(), y.requires_grad
    (True, False)
    """

    def __new__(cls, mode: Any = True) -> Any:
        made = super().__new__(cls)
        if not callable(mode):
            return made
        made.__init__()  # type: ignore[misc]
        return made(mode)

    def __init__(self, mode: Any = True) -> None:
        super().__init__()
        self.mode = bool(mode) or callable(mode)

    def _scope(self) -> Any:
        if self.mode:
            return modes.mode(mute=1, special=1, grad=False, inference=modes.local.inference or modes.Inference())
        return modes.mode(grad=True, inference=False)


class set_grad_enabled(_Mode):
    """Recording on or off by a flag: at once as a call, for a while as a context manager, or as a decorator.

    >>> with gradkit.set_grad_enabled(False):
    ...     gradkit.is_grad_enabled()
    False
    """

    def __init__(self, mode: bool) -> None:
        super().__init__()
        self.mode = bool(mode)
        self._before = modes.local.grad
        _set(self.mode)

    def __enter__(self) -> None:
        _set(self.mode)

    def __exit__(self, *exception: Any) -> None:
        _set(self._before)

    def __call__(self, function: F) -> F:
        _set(self._before)
        return super().__call__(function)

    def _scope(self) -> Any:
        return modes.mode(mute=not self.mode, grad=self.mode)

    def __repr__(self) -> str:
        return f"gradkit.autograd.grad_mode.set_grad_enabled(mode={self.mode})"


def _set(enabled: bool) -> None:
    """Set the flag until further notice; the global count says whether any thread has it off."""
    if modes.local.grad != enabled:
        modes.shift(mute=-1 if enabled else 1)
        modes.local.grad = enabled


def is_grad_enabled() -> bool:
    """Whether operations are recorded in this thread.

    >>> gradkit.is_grad_enabled()
    True
    """
    return modes.local.grad


def is_inference_mode_enabled() -> bool:
    """Whether this thread is in `inference_mode`.

    >>> with gradkit.inference_mode():
    ...     gradkit.is_inference_mode_enabled()
    True
    """
    return bool(modes.local.inference)
