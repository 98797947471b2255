"""Under --device cuda: tests may read a result straight from the device; gradkit itself may not."""

import sys

import cupy

from gradkit.engine import tape
from gradkit.engine.tensor import Tensor

operations = 0  # that gradkit ran on the device
_allowed = False


def allow():
    """Let tests call `np.asarray`, `.numpy()` and the like on what is on the device, and count its operations."""
    global _allowed
    if not _allowed:
        _allowed = True
        cupy.ndarray.__array__ = as_array
        Tensor.numpy = reading(Tensor.numpy)
        tape.run_on = counting(tape.run_on)


def as_array(self, dtype=None, copy=None):
    caller = sys._getframe(1)
    while caller.f_globals["__name__"].partition(".")[0] == "numpy":
        caller = caller.f_back
    if caller.f_globals["__name__"].partition(".")[0] in ("gradkit", "cupy"):
        raise TypeError(f"{caller.f_globals['__name__']} line {caller.f_lineno} reads a device's array implicitly")
    return self.get().astype(dtype or self.dtype, copy=False)


def reading(numpy):
    def read(self, *, force=False):
        from_test = sys._getframe(1).f_globals["__name__"].partition(".")[0] != "gradkit"
        if self.is_cuda and from_test and not force:
            return numpy(self.cpu())
        return numpy(self, force=force)

    return read


def counting(run_on):
    def counted(*args):
        global operations
        operations += 1
        return run_on(*args)

    return counted
