"""Anomaly detection: operations remember the user's line, and what makes a NaN says where it came from."""

from typing import Any

from gradkit.autograd.grad_mode import _Mode
from gradkit.engine import modes


class detect_anomaly(_Mode):
    """Inside, operations note the line of the user's program that made them, and errors of a walk name it.

    With `check_nan`, a step of a walk that makes a NaN raises RuntimeError: which operation, made on which line, the
    index of the first NaN, and the first Inf of the walk if there was one. In the forward pass an operation that makes
    a NaN or Inf from finite operands warns (UserWarning) with index, operands and line; the error of the walk repeats
    the first such. Slow: for looking for a mistake only.

    >>> with gradkit.autograd.detect_anomaly():
    ...     x = gradkit.zeros(1, requires_grad=True)
    ...     (x.sqrt() * 0).sum().backward()  # doctest: +ELLIPSIS
    Traceback (most recent call last):
        ...
    RuntimeError: Function 'SqrtBackward0' returned nan values in its 0th output, whose forward operation was made ...
    """

    def __init__(self, check_nan: bool = True) -> None:
        super().__init__()
        self.check_nan = check_nan

    def _scope(self) -> Any:
        return modes.mode(special=1, anomaly=True, check_nan=self.check_nan)


class set_detect_anomaly(_Mode):
    """Anomaly detection on or off by a flag: at once as a call, or for a while as a context manager.

    >>> with gradkit.autograd.set_detect_anomaly(True):
    ...     gradkit.is_anomaly_enabled()
    True
    """

    def __init__(self, mode: bool, check_nan: bool = True) -> None:
        super().__init__()
        self._before = modes.local.anomaly, modes.local.check_nan
        _set(mode, check_nan)

    def __enter__(self) -> None:
        pass

    def __exit__(self, *exception: Any) -> None:
        _set(*self._before)


def _set(enabled: bool, check_nan: bool) -> None:
    if enabled != modes.local.anomaly:
        change = 1 if enabled else -1
        modes.shift(special=change)
        modes.local.special += change
    modes.local.anomaly, modes.local.check_nan = enabled, check_nan


def is_anomaly_enabled() -> bool:
    """Whether anomaly detection is on in this thread.

    >>> gradkit.is_anomaly_enabled()
    False
    """
    return modes.local.anomaly


def is_anomaly_check_nan_enabled() -> bool:
    """Whether anomaly detection, when it is on, looks for NaN.

    >>> gradkit.is_anomaly_check_nan_enabled()
    True
    """
    return modes.local.check_nan
