"""NumPy's functions and operators applied to Tensors: the protocols by which NumPy asks who is to answer.

``np.sin(t)``, ``np.concatenate([t, t])``, ``np.ones(2) + t`` and ``np.float64(1) * t`` all come here and go on to the
function of that name in `gradkit.numpy`, which promotes as NumPy does. What is not there raises TypeError rather than
giving an array without a history.
"""

from collections.abc import Callable
from functools import cache
from importlib import import_module
from typing import Any

import numpy as np

from gradkit import numpy as gnp
from gradkit.backend.protocol import by_type
from gradkit.engine.operands import tensor_xp as xp
from gradkit.engine.tensor import Tensor
from gradkit.numpy.calling import axis_in, not_differentiable, refuse_out

#: What the modules are called here that NumPy says its functions are of.
NAMESPACES = {"numpy": "gradkit.numpy", "numpy.linalg": "gradkit.numpy.linalg", "numpy.fft": "gradkit.numpy.fft"}

#: What a ufunc is called when it runs along an axis.
REDUCTIONS = {"add": "sum", "multiply": "prod", "maximum": "max", "minimum": "min", "logical_and": "all", "logical_or": "any"}
ACCUMULATIONS = {"add": "cumsum", "multiply": "cumprod"}
SO_FAR = {"maximum": "cummax", "minimum": "cummin"}

#: Functions that write into an argument. A Tensor is written by its own methods, which keep the history right.
WRITING = {
    "copyto": "x[...] = y", "fill_diagonal": "x.fill_diagonal_(value)", "place": "x[mask] = values",
    "put": "x.put_(index, values)", "put_along_axis": "x.scatter_(dim, index, values)", "putmask": "x[mask] = values",
}

#: Functions that answer in facts, text or files: they see the array itself, which a tensor that requires grad refuses.
ON_ARRAYS = {
    "array2string", "array_repr", "array_str", "common_type", "may_share_memory", "min_scalar_type", "save", "savetxt",
    "savez", "savez_compressed", "shares_memory",
}


# -- ufuncs
def array_ufunc(_self: Tensor, ufunc: np.ufunc, method: str, *inputs: Any, **keywords: Any) -> Any:
    """``__array_ufunc__``: NumPy's ufuncs, their methods, and the operators of arrays and NumPy scalars.

    TypeError for a ufunc that `gradkit.numpy` does not have, for a method other than `reduce`, `accumulate` and
    `outer`, and for ``out=`` (also ``array += tensor``).

    >>> np.ones(2) + gradkit.ones(2)
    tensor([2., 2.], dtype=gradkit.float64)
    """
    if not all([isinstance(x, OURS) or type(x) in by_type or not hasattr(type(x), "__array_ufunc__") for x in inputs]):
        return NotImplemented  # others with this protocol are asked next
    if "out" in keywords:
        refuse_writing(ufunc.__name__, inputs, keywords.pop("out"))
    function = function_for(ufunc)
    if method == "__call__":
        return function(*inputs, **keywords)
    if method not in METHODS:
        raise not_differentiable(f"np.{ufunc.__name__}.{method}")
    return METHODS[method](function, ufunc, *inputs, **keywords)


OURS = (Tensor, np.ndarray, np.generic, int, float, complex)


@cache
def function_for(ufunc: np.ufunc) -> Callable[..., Any]:
    function: Any = getattr(gnp, ufunc.__name__, None)
    if getattr(function, "ufunc", None) is not ufunc:
        raise not_differentiable(f"np.{ufunc.__name__}")
    return function


def refuse_writing(name: str, inputs: Any, out: Any) -> None:
    target = out[0] if len(out) == 1 else out
    if isinstance(target, np.ndarray) and any([x is target for x in inputs]):
        raise TypeError(
            f"np.{name} cannot write a tensor into a numpy.ndarray, which has no history: write `x = np.{name}(x, t)`, "
            "or make the array a tensor with gradkit.as_tensor(x) first"
        )
    refuse_out(f"np.{name}", out)


def reduce(_function: Any, ufunc: np.ufunc, array: Any, axis: Any = 0, dtype: Any = None, *rest: Any, **keywords: Any) -> Any:
    """``np.add.reduce(t)``: the reduction of that name, along the first axis unless told otherwise."""
    name = REDUCTIONS.get(ufunc.__name__)
    if name is None:
        raise not_differentiable(f"np.{ufunc.__name__}.reduce")
    if dtype is not None:
        keywords["dtype"] = dtype
    if rest:
        refuse_out(f"np.{ufunc.__name__}.reduce", rest[0])
        keywords.update(zip(("keepdims", "initial", "where"), rest[1:]))
    return getattr(gnp, name)(array, axis, **{k: v for k, v in keywords.items() if v is not np._NoValue})


def accumulate(_function: Any, ufunc: np.ufunc, array: Any, axis: int = 0, dtype: Any = None) -> Any:
    """``np.add.accumulate(t)``: running sums, products or extremes, along the first axis unless told otherwise."""
    name = ufunc.__name__
    if name in ACCUMULATIONS:
        return getattr(gnp, ACCUMULATIONS[name])(array, axis, dtype)
    if name not in SO_FAR:
        raise not_differentiable(f"np.{name}.accumulate")
    x = gnp.asarray(array)
    values, _places = getattr(xp, SO_FAR[name])(x, axis=axis_in(axis, x.ndim) - x.ndim)
    return values


def outer(function: Callable[..., Any], ufunc: np.ufunc, a: Any, b: Any, **keywords: Any) -> Any:
    """``np.add.outer(a, b)``: every element of `a` with every one of `b`."""
    if ufunc.nin != 2 or ufunc.signature:
        raise ValueError(f"outer takes a function of two operands that are numbers, not np.{ufunc.__name__}")
    x, y = gnp.asarray(a), gnp.asarray(b)
    return function(gnp.reshape(x, (*x.shape, *[1] * y.ndim)), y, **keywords)


METHODS: dict[str, Callable[..., Any]] = {"reduce": reduce, "accumulate": accumulate, "outer": outer}


# -- other functions
def array_function(_self: Tensor, func: Callable[..., Any], types: Any, args: Any, kwargs: Any) -> Any:
    """``__array_function__``: the functions of NumPy that are no ufuncs, of `numpy.linalg` and of `numpy.fft`.

    TypeError for one that `gradkit.numpy` does not have, and for those that write into an argument.

    >>> np.concatenate([gradkit.ones(1), gradkit.zeros(1)])
    tensor([1., 0.])
    """
    if not all([issubclass(t, Tensor | np.ndarray) or t in by_type for t in types]):
        return NotImplemented
    name = func.__name__
    if func.__module__ in NAMESPACES:
        function = getattr(import_module(NAMESPACES[func.__module__]), name, None)
        if function is not None:
            return function(*args, **kwargs)
    full_name = f"{func.__module__}.{name}".replace("numpy", "np", 1)
    if name in WRITING:
        raise TypeError(f"{full_name} would write into its argument behind the history's back; write {WRITING[name]}")
    if name in ON_ARRAYS:
        return func(*[as_array(x) for x in args], **{k: as_array(x) for k, x in kwargs.items()})
    raise not_differentiable(full_name)


def as_array(x: Any) -> Any:
    return x.numpy() if isinstance(x, Tensor) else x


def array_namespace(_self: Tensor, *, api_version: str | None = None) -> Any:
    """``__array_namespace__``: `gradkit.numpy`, the Array API standard's functions on tensors.

    ValueError for a version of the standard that it does not follow.

    >>> gradkit.ones(2).__array_namespace__().__name__
    'gradkit.numpy'
    """
    if api_version not in (None, *VERSIONS):
        raise ValueError(f"gradkit follows versions {', '.join(VERSIONS)} of the Array API, not {api_version!r}")
    return gnp


def to_device(self: Tensor, device: Any, /, *, stream: Any = None) -> Tensor:
    """This tensor on a device, as the standard spells ``to``. `stream` is there for the signature's sake: None.

    >>> x = gradkit.ones(2)
    >>> x.to_device(x.device) is x
    True
    """
    if stream is not None:
        raise ValueError("to_device: streams are not supported; pass stream=None")
    return self.to(device=device)


VERSIONS = ("2021.12", "2022.12", "2023.12", "2024.12")
