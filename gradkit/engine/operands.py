"""What an operation runs on: the raw arrays of its operands, of one dtype and on one device."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import numpy as np

from gradkit import errors
from gradkit.backend.numpy import NUMPY
from gradkit.backend.protocol import Backend, backend_of, backends, by_type
from gradkit.engine import dtypes
from gradkit.engine.device import device_of, on_device_of
from gradkit.engine.primitive import Primitive
from gradkit.engine.tensor import Tensor

P = ParamSpec("P")
R = TypeVar("R")


class _Operations:
    """The namespace of operations on Tensors; families and `gradkit.numpy` fill it."""


tensor_xp: Any = _Operations()  # what rules run on when a walk is recorded


def raw_operands(prim: Primitive, operands: Any) -> tuple[list[Any], Any]:
    """The raw arrays of an operation, of one dtype where its row promotes; and the backend they belong to."""
    raws = [x.array if isinstance(x, Tensor) else x for x in operands]
    if uniform(prim, operands, raws):
        return raws, by_type[type(raws[0])]
    if not any([isinstance(x, Tensor) for x in operands]):
        raise errors.not_a_tensor(prim.name, 0, operands[0])
    backend = NUMPY
    for i, (x, raw) in enumerate(zip(operands, raws)):
        if isinstance(raw, np.ndarray | np.generic) or type(raw) in dtypes.NUMBERS:
            continue
        if not isinstance(x, Tensor) and type(raw) not in by_type and not (prim.promote == "none" and hasattr(raw, "dtype")):
            raise errors.not_a_tensor(prim.name, i, x)
        backend = backend_of(raw)
    if prim.promote != "none":
        dtype = dtypes.result_type(*raws)
        if prim.promote == "float":
            dtype = dtypes.floated(dtype)
        if backend.several:
            with on_first(backend, raws):
                return [cast(raw, dtype, backend) for raw in raws], backend
        raws = [cast(raw, dtype, backend) for raw in raws]
    return raws, backend


def uniform(prim: Primitive, operands: Any, raws: Any) -> bool:
    """Whether there is nothing to promote: arrays of one backend and dtype, in Tensors."""
    kind = type(raws[0])
    if kind not in by_type:
        return False
    dtype = raws[0].dtype
    for x, raw in zip(operands, raws):
        if type(raw) is not kind or raw.dtype is not dtype or not isinstance(x, Tensor):
            return False
    return prim.promote != "float" or dtype.kind in "fc"


def cast(raw: Any, dtype: Any, backend: Any) -> Any:
    if not hasattr(raw, "dtype"):
        number = dtypes.constant(raw, dtype)
        return number if backend is NUMPY else backend.operand(number, dtype)
    return raw if raw.dtype == dtype else raw.astype(dtype)


# -- on another backend than NumPy's
def run_on(backend: Backend, prim: Primitive, raws: Any, params: dict[str, Any]) -> Any:
    """The forward, on the device that its operands are on."""
    if not backend.several:
        return prim.on(backend)(*raws, **params)
    with on_first(backend, raws):
        return prim.on(backend)(*raws, **params)


def on_first(backend: Backend, raws: Any) -> AbstractContextManager[Any]:
    """A context in which new arrays are made where the first of these is."""
    return backend.on(backend.index_of(next(raw for raw in raws if isinstance(raw, backend.array_types))))


def gathered(prim: Primitive, operands: Any, raws: list[Any], backend: Backend) -> tuple[Any, list[Any]]:
    """The operands on one device: a 0-d tensor of the host's may stand beside others, as numbers do.

    One with a history moves by a recorded operation, so that its cotangent comes back. RuntimeError for the rest.
    """
    kinds = backend.array_types
    if not backend.several and all([isinstance(raw, kinds) or type(x) in dtypes.NUMBERS for x, raw in zip(operands, raws)]):
        return operands, raws
    operands, raws = list(operands), list(raws)
    devices = {device_of(raw) for raw in raws if isinstance(raw, backend.array_types)}
    for i, (x, raw) in enumerate(zip(operands, raws)):
        if isinstance(raw, backend.array_types) or not hasattr(raw, "dtype"):
            continue
        if raw.ndim:
            if prim.promote == "none" and not isinstance(x, Tensor):  # places that a row's caller made
                with on_first(backend, raws):
                    raws[i] = backend.asarray(raw)
            else:
                devices.add(device_of(raw))
        elif not isinstance(x, Tensor) or x.node is None:
            raws[i] = backend.operand(raw, raw.dtype)
        else:
            operands[i] = tensor_xp.astype(tensor_xp.to_device(x, target=max(devices, key=str)), dtype=raw.dtype)
            raws[i] = operands[i].array
    if len(devices) > 1:
        raise errors.two_devices(prim.name, devices, operands)
    return operands, raws


def one_device(name: str, *operands: Any) -> None:
    """RuntimeError unless all Tensors among the operands are on one device."""
    devices = {x.device for x in operands if isinstance(x, Tensor)} if len(backends) > 1 else ()
    if len(devices) > 1:
        raise errors.two_devices(name, devices, operands)


def on_one_device(function: Callable[P, R]) -> Callable[P, R]:
    """A function that works on raw arrays, run on the device of its Tensors. RuntimeError if they are on several."""

    @wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        tensors = [x for x in (*args, *kwargs.values()) if isinstance(x, Tensor)] if len(backends) > 1 else None
        if not tensors:
            return function(*args, **kwargs)
        one_device(function.__name__, *tensors)
        with on_device_of(tensors[0].array):
            return function(*args, **kwargs)

    return call
