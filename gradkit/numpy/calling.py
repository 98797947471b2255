"""How a function of NumPy's is called on tensors: its operands, their dtypes by NumPy's rule, and what is refused."""

import operator
from collections.abc import Callable
from functools import cache, partial
from typing import Any

import numpy as np

from gradkit.backend.numpy import NUMPY
from gradkit.backend.protocol import backend_of
from gradkit.engine import batching, dtypes, modes
from gradkit.engine.bind import bind
from gradkit.engine.device import on_device_of
from gradkit.engine.operands import tensor_xp as xp
from gradkit.engine.primitive import Primitive
from gradkit.engine.tensor import Tensor, wrap

NUMBERS = frozenset(dtypes.NUMBERS)
#: The default of arguments for which None means something.
NOT_GIVEN: Any = type("NotGiven", (), {"__repr__": lambda _self: "<not given>"})()


# -- operands
def asarray(x: Any) -> Tensor:
    """A tensor of what NumPy would make an array of; nested lists may hold tensors, which are stacked."""
    if isinstance(x, Tensor):
        return x
    if isinstance(x, list | tuple) and holds_tensor(x):
        return _stacked([asarray(one) for one in x])
    raw = x if hasattr(x, "dtype") and hasattr(x, "shape") else np.asarray(x)
    if raw.dtype.kind not in "biufcV":
        raise TypeError(f"tensors hold numbers, not {raw.dtype} ({type(x).__name__})")
    return wrap(raw)


def holds_tensor(items: Any) -> bool:
    return any([isinstance(x, Tensor) or (isinstance(x, list | tuple) and holds_tensor(x)) for x in items])


def _stacked(tensors: list[Tensor]) -> Tensor:
    return xp.stack(together(tensors))


def beside(x: Tensor, raw: Any) -> Tensor:
    """A constant, made on the host or there, on the device of `x`."""
    with on_device_of(x.array):
        return wrap(backend_of(x.array).asarray(raw))


def operand(x: Any) -> Any:
    """A Python number stays as it is: it is weak in promotion."""
    return x if type(x) in NUMBERS else asarray(x)


def kind_of(x: Any) -> Any:
    """An operand as NumPy's promotion sees it."""
    kind = type(x)
    return x.dtype if kind not in NUMBERS else np.dtype(bool) if kind is bool else kind


def converted(x: Any, dtype: Any) -> Any:
    return x if type(x) in NUMBERS or x.dtype == dtype else xp.astype(x, dtype=np.dtype(dtype))


def together(operands: Any, dtype: Any = None) -> list[Tensor]:
    """Tensors of the one dtype that NumPy's rule gives, or of `dtype`; numbers become tensors too."""
    operands = [operand(x) for x in operands]
    kinds = {kind_of(x) for x in operands}
    if dtype is None and len(kinds) == 1 and isinstance(operands[0], Tensor):
        return operands
    dtype = result_type(*operands) if dtype is None else np.dtype(dtype)
    return [wrap(np.asarray(x, dtype)) if type(x) in NUMBERS else converted(x, dtype) for x in operands]


def result_type(*operands: Any) -> np.dtype[Any]:
    """NumPy's rule for tensors, dtypes and numbers together."""
    return np.result_type(*[x.dtype if isinstance(x, Tensor) else x for x in operands])


def tracked(x: Any) -> bool:
    """Whether a derivative of what is made of `x` could be asked for."""
    return isinstance(x, Tensor) and ((x.node is not None and modes.local.grad) or x.tangents is not None)


@cache
def answer(function: Callable[..., Any], dtype: np.dtype[Any]) -> np.dtype[Any]:
    """The dtype in which NumPy's function answers an operand of `dtype`: it is asked."""
    return function(np.ones(1, dtype)).dtype


# -- axes
def axis_in(axis: Any, ndim: int) -> int:
    """Counted from the front; numpy.exceptions.AxisError if there is no such axis."""
    axis = operator.index(axis)
    if not -ndim <= axis < ndim:
        raise np.exceptions.AxisError(axis, ndim)
    return axis % ndim


def axes_in(axis: Any, ndim: int) -> tuple[int, ...]:
    """Counted from the end, as rows take them; None is all of them."""
    if axis is None:
        return tuple(range(-ndim, 0))
    axes = tuple([axis_in(a, ndim) - ndim for a in (axis if isinstance(axis, tuple | list) else (axis,))])
    if len(set(axes)) != len(axes):
        raise ValueError("repeated axis")
    return axes


def in_line(a: Any, axis: int | None) -> tuple[Tensor, int]:
    """A tensor and one of its axes, counted from the front; without `axis`, all its elements in line."""
    x = asarray(a)
    return (xp.reshape(x, (-1,)), 0) if axis is None else (x, axis_in(axis, x.ndim))


# -- what is not served
def refuse_out(name: str, out: Any) -> None:
    """TypeError for ``out=``: an operation that is differentiated makes a new tensor."""
    if any([x is not None for x in (out if isinstance(out, tuple) else (out,))]):
        raise TypeError(
            f"{name}: out= is not supported on tensors, since a derivative may need what would be overwritten; "
            "write x = f(...), or use a method with a trailing underscore (x.add_(y)) to work in place"
        )


def refuse(name: str, given: Any) -> None:
    """TypeError for keywords that only NumPy's own arrays know; one left at its default says nothing."""
    refuse_out(name, given.pop("out", None))
    for keyword, value in given.items():
        if not isinstance(value, bool | str | None) or value not in DEFAULTS.get(keyword, ()):
            advice = "; write gradkit.numpy.where(condition, f(x), other)" if keyword == "where" else ""
            raise TypeError(f"{name}: {keyword}={value!r} is not supported on tensors{advice}")


DEFAULTS: dict[str, Any] = {
    "where": (True,), "casting": ("same_kind",), "order": ("K", "C", "A", None), "hermitian": (False,),
    "subok": (True, False), "copy": (True, False), "overwrite_input": (True, False),
}


def not_differentiable(name: str) -> TypeError:
    return TypeError(
        f"not differentiable yet: {name}; apply it to x.detach() if no gradient is to flow through it, or write it "
        "with functions of gradkit.numpy"
    )


# -- functions without a derivative
def plain(function: Any, *operands: Any, broadcasts: bool = True, outputs: int = 1, **params: Any) -> Any:
    """NumPy's own function on raw arrays; what it answers is a constant. Batch axes go in front.

    TypeError if that would cut off a derivative: a floating result of operands that are tracked.
    """
    if modes.lifted:
        operands = tuple([wrap(np.asarray(x, result_type(*operands))) if type(x) in NUMBERS else x for x in operands])
    y = bind(_constant(function, broadcasts, outputs), operands, params)
    if any([tracked(x) for x in operands]) and dtypes.differentiable((y[0] if outputs > 1 else y).dtype):
        raise not_differentiable(f"np.{function.__name__}")
    return tuple(y) if outputs > 1 else y


@cache
def _constant(function: Any, broadcasts: bool, outputs: int) -> Primitive:
    """A primitive outside the registry: a function of the array module, without a derivative."""
    name = function.__name__
    return Primitive(
        name=name, family="constant", arity=None, forward=partial(_on_module, name), run=function, step=None,
        jvp=_no_tangent, broadcasts=broadcasts, promote="none", outputs=outputs,
    )


def _no_tangent(*_operands: Any, **_params: Any) -> None:
    """A constant has none."""


def _on_module(name: str, backend_xp: Any, *operands: Any, **params: Any) -> Any:
    return getattr(backend_xp, name)(*operands, **params)


def unbatched(x: Any, name: str) -> Any:
    """The raw array of a tensor, for what depends on the data in shape; RuntimeError inside vmap."""
    x = batching.sole(asarray(x), f"calling np.{name}, the shape of whose answer depends on the data", "do it outside of vmap")
    return np.asarray(x.array) if isinstance(x.array, np.generic) else x.array


def on_raw(function: Callable[..., Any], *operands: Any, **parameters: Any) -> Any:
    arrays = [x for x in operands if hasattr(x, "dtype")]
    backend = backend_of(arrays[0]) if arrays else NUMPY
    if backend is NUMPY:
        return function(*operands, **parameters)
    with on_device_of(arrays[0]):
        return getattr(backend.xp, function.__name__)(*operands, **parameters)


# -- functions that only move elements
def moved(function: Callable[..., Any], a: Any, *args: Any, **keywords: Any) -> Tensor:
    """NumPy's function on the places of the elements of `a`, which are gathered: so any arrangement has a derivative."""
    x = asarray(a)
    places = np.arange(x.numel()).reshape(x.shape)
    return gathered(x, function(places, *args, **keywords))


def gathered(x: Tensor, places: Any) -> Tensor:
    return xp.index(xp.reshape(x, (x.numel(),)), beside(x, places), lead=0)
