"""Under --device cuda: tests may read a result straight from the device; gradkit itself may not."""

import sys

import cupy

from gradkit import random
from gradkit.engine import tape
from gradkit.engine.device import CPU, moved
from gradkit.engine.tensor import Tensor

__name__ = "gradkit.reading"  # errors that name a line of the user's pass over the frames of this file too
operations = 0  # that gradkit ran on the device
#: Is this a test that was written for the CPU? Then seeded numbers are drawn there, so that they are PyTorch's, and moved,
#: and `np.asarray` of a tensor reads it.
as_elsewhere = False
_allowed = False


def allow():
    """Let tests call `np.asarray`, `.numpy()` and the like on what is on the device, and count its operations."""
    global _allowed
    if not _allowed:
        _allowed = True
        cupy.ndarray.__array__ = as_array
        Tensor.numpy = reading(Tensor.numpy)
        Tensor.__array__ = reading_array(Tensor.__array__)
        tape.run_on = counting(tape.run_on)
        random.stream_for = of_the_host(random.stream_for)


def check_reader(caller):
    """TypeError if it is the package that reads, other than by the ways that say so."""
    while caller.f_globals["__name__"].partition(".")[0] == "numpy":
        caller = caller.f_back
    if caller.f_globals["__name__"].partition(".")[0] in ("gradkit", "cupy"):
        raise TypeError(f"{caller.f_globals['__name__']} line {caller.f_lineno} reads a device's array implicitly")


def as_array(self, dtype=None, copy=None):
    check_reader(sys._getframe(1))
    return self.get().astype(dtype or self.dtype, copy=False)


def reading_array(array):
    def read(self, dtype=None, copy=None):
        if self.is_cuda and as_elsewhere:
            check_reader(sys._getframe(1))
            self = self.cpu()
        return array(self, dtype, copy)

    return read


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


def of_the_host(stream_for):
    def chosen(generator, place):
        if not as_elsewhere or generator is not None or place is None or place.type == "cpu":
            return stream_for(generator, place)
        return Moving(stream_for(None, None), place)

    return chosen


class Moving:
    """A stream of the host's whose numbers are moved to a device."""

    def __init__(self, stream, place):
        self.stream, self.place = stream, place

    def __getattr__(self, name):
        draw = getattr(self.stream, name)
        return lambda *args: moved(draw(*[moved(a, CPU) if hasattr(a, "dtype") and hasattr(a, "shape") else a for a in args]), self.place)
