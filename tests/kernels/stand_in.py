"""Kernels launched on the host: as much of CuPy as their launching asks for, over NumPy's memory and libraries that g++ made.

The `.cu` files and the Python that launches them are the package's own; what stands in is the device alone. Memory is
poisoned; every address that is read or written, an argument's size and who comes to a barrier are checked.
"""

import ctypes
import fcntl
import weakref
from types import SimpleNamespace

import numpy as np

from gradkit.backend.kernels.catalogue import expressions
from gradkit.backend.kernels.tickets import Tickets
from tests.kernels import hosted

PAGE = 256  # what CuPy aligns memory to, at least
POISON = 0xFF  # makes nan, or -1
CHECKED = ["-fsanitize=alignment,kernel-address", "--param=asan-globals=1"]
LIBRARY = """
#include "block.h"
namespace {{  // where g++ checks what is static, too
{source}
}}
{launchers}
"""
LAUNCHER = """
extern "C" const char* launch_{number}(int count, void** given, const int* sizes, const unsigned* grid, unsigned block,
                                       const host::Room* rooms, size_t room_count, bool reversed) {{
    return host::launch(&{expression}, count, given, sizes, grid, block, {{rooms, room_count}}, reversed);
}}
"""


class Array(np.ndarray):
    """An array "on the device"."""

    @property
    def data(self):
        return SimpleNamespace(ptr=self.ctypes.data)


class Cupy:
    """The module that the launching code is handed."""

    ndarray = Array
    broadcast_to = staticmethod(lambda x, shape: np.broadcast_to(x, shape, subok=True))

    def __init__(self, multiprocessors=1):
        self.rooms = {}  # of the arrays that there are: where each begins, and its bytes
        device = SimpleNamespace(attributes={"MultiProcessorCount": multiprocessors})
        self.cuda = SimpleNamespace(
            Device=lambda: device, get_current_stream=lambda: SimpleNamespace(ptr=0), runtime=SimpleNamespace(getDevice=lambda: 0)
        )

    def empty(self, shape, dtype, order="C", shift=0):
        """An array, `shift` elements past an address that is as even as CuPy's."""
        dtype = np.dtype(dtype)
        size = int(np.prod(shape)) * dtype.itemsize
        room = np.full(size + 2 * PAGE, POISON, np.uint8)
        start = -room.ctypes.data % PAGE + shift * dtype.itemsize
        begin = room.ctypes.data + start
        self.rooms[begin] = size
        weakref.finalize(room, self.rooms.pop, begin)
        return room[start : start + size].view(dtype).reshape(shape, order=order).view(Array)

    def asarray(self, x):
        y = self.empty(np.shape(x), x.dtype)
        y[...] = x
        return y

    def full(self, shape, value, dtype):
        y = self.empty(shape, dtype)
        y[...] = value
        return y

    def zeros(self, shape, dtype):
        return self.full(shape, 0, dtype)

    def empty_like(self, x):
        return self.empty(x.shape, x.dtype)

    def ascontiguousarray(self, x):
        return x if x.flags.c_contiguous else self.asarray(x)

    def cumsum(self, x, dtype):
        return self.asarray(np.cumsum(x, dtype=dtype))

    # Kernels of CuPy's own making: there is one of each kind that launching asks for.
    def ReductionKernel(self, *_source, **_options):
        def counted(target, ignored, count):
            count[...] = (target != ignored).sum()
            return count

        return counted

    def ElementwiseKernel(self, *source):
        assert source[-1] == "gradkit_wrapped_int32"
        return lambda before, index, extent: self.asarray((before * extent + index % extent).astype(np.int32))


class Compiler:
    """Kernels for the host, in place of `gradkit.backend.kernels.compiler.Compiler`."""

    def __init__(self, folder, cupy):
        self.folder, self.cupy, self.tickets = folder, cupy, Tickets(cupy)
        self.reversed = False  # the order of blocks and threads
        self.launched = set()
        self.libraries = {}

    def function(self, name, expression):
        known = known_expressions(name)
        if name not in self.libraries:
            self.libraries[name] = self.library(name, f'#include "{name}.cu"', known)
        return Function(self, expression, getattr(self.libraries[name], f"launch_{known.index(expression)}"))

    def library(self, name, source, known):
        launchers = [LAUNCHER.format(number=i, expression=one) for i, one in enumerate(known)]
        text = LIBRARY.format(source=source, launchers="".join(launchers))
        with open(self.folder / f"{name}.lock", "w") as lock:  # other workers want the same
            fcntl.flock(lock, fcntl.LOCK_EX)
            return hosted.compiled(text, self.folder, name, CHECKED)


def known_expressions(name):
    """The kernels of a file; for 64-bit indices, which are the same text, those of one type."""
    return expressions(name, "int") + [one for one in expressions(name, "long long") if "<double" in one]


class Function:
    """A kernel: called as CuPy's are."""

    def __init__(self, compiler, expression, run):
        self.compiler, self.expression, self.run = compiler, expression, run
        run.restype = ctypes.c_char_p

    def __call__(self, grid, block, arguments):
        self.compiler.launched.add(self.expression)
        given = [as_bytes(x) for x in arguments]
        pointers = (ctypes.c_void_p * len(given))(*[x.ctypes.data for x in given])
        sizes = (ctypes.c_int * len(given))(*[x.size for x in given])
        rooms = np.array(sorted(self.compiler.cupy.rooms.items()), np.uint64)
        wrong = self.run(
            len(given), pointers, sizes, (ctypes.c_uint * 2)(*grid, *[1] * (2 - len(grid))), ctypes.c_uint(block[0]),
            ctypes.c_void_p(rooms.ctypes.data), ctypes.c_size_t(len(rooms)), ctypes.c_bool(self.compiler.reversed),
        )  # fmt: skip
        assert wrong is None, f"{self.expression}: {wrong.decode()}"
        for tickets in self.compiler.tickets.made.values():
            assert not tickets.any(), f"{self.expression} leaves tickets that are not zero"


def as_bytes(argument):
    """What a kernel gets: an array as its address, a null pointer, a number, or a struct."""
    if isinstance(argument, Array):
        argument = np.uint64(argument.data.ptr)
    elif isinstance(argument, int):
        argument = np.int64(argument)
    return np.frombuffer(argument.tobytes(), np.uint8)
