"""Moving a module's parameters and buffers to another dtype or device, in place: an optimiser keeps its references."""

from collections.abc import Callable, Iterable
from typing import Any, Self

import numpy as np

from gradkit.autograd import no_grad
from gradkit.engine import dtypes
from gradkit.engine.tensor import Tensor
from gradkit.nn.registration import Registration


class Conversion(Registration):
    """The part of :class:`gradkit.nn.Module` that converts what the module holds."""

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Self:
        """Replace the memory of every parameter, gradient and buffer here (and below) by what ``fn`` makes of it."""
        modules: Iterable[Registration] = self.modules() if recurse else [self]
        with no_grad():
            for module in modules:
                for param in module._parameters.values():
                    if param is not None:
                        param.data = fn(param.data)
                        if param.grad is not None:
                            param.grad.data = fn(param.grad.data)
                for name, buffer in module._buffers.items():
                    if buffer is not None:
                        module._buffers[name] = fn(buffer)
        return self

    def to(self, *args: Any, **kwargs: Any) -> Self:
        """Move to a device and cast what is floating point or complex to a dtype, in place; returns the module.

        ``to(device)``, ``to(dtype)``, ``to(device, dtype)`` and ``to(tensor)`` are understood, by position or name
        (``device=``, ``dtype=``, ``non_blocking=``). Integer buffers keep their dtype. TypeError for a dtype
        that is neither floating point nor complex.

        >>> nn.Linear(2, 3).to(gradkit.float64).weight.dtype
        dtype('float64')
        """
        device, dtype = _parse_to(args, kwargs)
        if dtype is not None and not dtypes.differentiable(dtype):
            raise TypeError(f"nn.Module.to only accepts floating point or complex dtypes, but got dtype={dtype.name}")

        def convert(tensor: Tensor) -> Tensor:
            wanted = dtype if tensor.is_floating_point() or tensor.is_complex() else None
            return tensor.to(device=device, dtype=wanted)

        return self._apply(convert)

    def type(self, dst_type: Any) -> Self:
        """Cast every parameter and buffer, integers included, to ``dst_type``.

        >>> nn.BatchNorm1d(2).type(gradkit.float64).num_batches_tracked.dtype
        dtype('float64')
        """
        return self._apply(lambda tensor: tensor.type(dst_type))

    def _cast(self, name: str) -> Self:
        return self._apply(lambda tensor: getattr(tensor, name)() if tensor.is_floating_point() else tensor)

    def float(self) -> Self:
        """Cast floating-point parameters and buffers to float32.

        >>> nn.Linear(2, 3).double().float().bias.dtype
        dtype('float32')
        """
        return self._cast("float")

    def double(self) -> Self:
        """Cast floating-point parameters and buffers to float64.

        >>> nn.Linear(2, 3).double().bias.dtype
        dtype('float64')
        """
        return self._cast("double")

    def half(self) -> Self:
        """Cast floating-point parameters and buffers to float16.

        >>> nn.Linear(2, 3).half().bias.dtype
        dtype('float16')
        """
        return self._cast("half")

    def bfloat16(self) -> Self:
        """Cast floating-point parameters and buffers to bfloat16. ModuleNotFoundError without the package ml_dtypes.

        >>> nn.Linear(2, 3).bfloat16().bias.dtype.name
        'bfloat16'
        """
        return self._cast("bfloat16")

    def cpu(self) -> Self:
        """Move everything to the CPU.

        >>> nn.Linear(2, 3).cpu().weight.device
        device(type='cpu')
        """
        return self._apply(lambda tensor: tensor.to("cpu"))

    def cuda(self, device: Any = None) -> Self:
        """Move everything to a GPU, the current one by default. RuntimeError where there is none."""
        return self._apply(lambda tensor: tensor.cuda(device))


def _parse_to(args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, np.dtype[Any] | None]:
    device, dtype = kwargs.pop("device", None), kwargs.pop("dtype", None)
    unknown = kwargs.keys() - {"tensor", "non_blocking", "copy", "memory_format"}
    if unknown:
        raise TypeError(f"to() got an unexpected keyword argument {min(unknown)!r}")
    for arg in (*args, *([kwargs["tensor"]] if "tensor" in kwargs else [])):
        if isinstance(arg, Tensor):
            device, dtype = arg.device, arg.dtype
        elif isinstance(arg, np.dtype) or (isinstance(arg, type) and issubclass(arg, np.generic)):
            dtype = arg
        elif not isinstance(arg, bool) and arg is not None:
            device = arg
    return device, None if dtype is None else np.dtype(dtype)
