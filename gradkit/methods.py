"""Operators and Tensor methods, read off the rows and the operations."""

import copy
from collections.abc import Callable
from typing import Any

import numpy as np

from gradkit import creation
from gradkit.autograd import walk
from gradkit.engine import dtypes, inplace, modes, printing
from gradkit.engine.dtypes import constant
from gradkit.engine.node import Handle
from gradkit.engine.tensor import Tensor, wrap
from gradkit.ops import TOPICS, arithmetic, linear_algebra
from gradkit.primitives import elementwise as rows
from gradkit.primitives.shape import astype
from gradkit.random import FILLERS


# -- operators -------------------------------------------------------------------------------------------------------
def _operators() -> None:
    direct = {
        "add": rows.add, "sub": rows.sub, "mul": rows.mul, "truediv": rows.div, "pow": arithmetic.pow,
        "floordiv": rows.floor_divide, "mod": rows.remainder, "matmul": linear_algebra.matmul,
        "lt": rows.lt, "le": rows.le, "gt": rows.gt, "ge": rows.ge, "neg": rows.neg,
    }  # fmt: skip
    for symbol, op in direct.items():
        setattr(Tensor, f"__{symbol}__", op)
    for symbol in ("add", "mul"):  # commutative
        setattr(Tensor, f"__r{symbol}__", direct[symbol])
    for symbol in ("sub", "truediv", "pow", "floordiv", "mod", "matmul"):
        setattr(Tensor, f"__r{symbol}__", reflected(direct[symbol]))
    for symbol in ("add", "sub", "mul", "truediv", "pow", "floordiv", "mod"):
        setattr(Tensor, f"__i{symbol}__", written_by(direct[symbol], f"{symbol}_"))
    Tensor.__eq__ = comparable(rows.eq)  # type: ignore[method-assign, assignment]
    Tensor.__ne__ = comparable(rows.ne)  # type: ignore[method-assign, assignment]


def reflected(op: Callable[..., Any]) -> Callable[..., Any]:
    def call(self: Tensor, other: Any) -> Any:
        return op(_number(other, self), self)

    return call


def _number(other: Any, like: Tensor) -> Any:
    """A number or array on the left of an operator, as a tensor that promotes as the number does."""
    if isinstance(other, Tensor):
        return other
    if isinstance(other, dtypes.NUMBERS):
        return wrap(constant(other, dtypes.result_type(like.array, other)))
    return creation.as_tensor(other)


def comparable(op: Callable[..., Any]) -> Callable[..., Any]:
    def compare(self: Tensor, other: Any) -> Any:
        if isinstance(other, Tensor | np.ndarray | np.generic | bool | int | float | complex):
            return op(self, other)
        return NotImplemented

    return compare


def written_by(op: Callable[..., Any], name: str) -> Callable[..., Any]:
    """The form of an operation that writes into its first operand."""

    def call(self: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        return inplace.write(self, lambda x, *others: op(x, *others, **kwargs), name, *args)

    call.__name__ = call.__qualname__ = name
    call.__doc__ = f"`{name[:-1]}`, written into this tensor; returns it."
    return call


def _attach() -> None:
    for topic in TOPICS:
        for name in topic.METHODS:
            setattr(Tensor, name, getattr(topic, name))
        for name in topic.INPLACE:
            setattr(Tensor, f"{name}_", written_by(getattr(topic, name), f"{name}_"))


# -- history ---------------------------------------------------------------------------------------------------------
def detach(self: Tensor) -> Tensor:
    """This tensor's values without their history: shares memory and version counter, requires no grad.

    >>> import gradkit
    >>> x = gradkit.ones(2, requires_grad=True)
    >>> x.detach().requires_grad
    False
    """
    if isinstance(self.array, np.generic):
        self.array = np.asarray(self.array)
    if self.tangents:
        ts = {level: detach(t) for level, t in self.tangents.items()}
        return wrap(self.array, None, ts, self.batch)
    return wrap(self.array, batch=self.batch)


def detach_(self: Tensor) -> Tensor:
    """Cut this tensor off its history, in place. RuntimeError for a view, whose history is its base's.

    >>> import gradkit
    >>> x = gradkit.ones(2, requires_grad=True) * 2
    >>> x.detach_().is_leaf
    True
    """
    if self.view is not None:
        raise RuntimeError("Can't detach views in-place. Use detach() instead.")
    self.node = None
    return self


def backward(
    self: Tensor, gradient: Any = None, retain_graph: bool | None = None, create_graph: bool = False, inputs: Any = None
) -> None:
    """Add the gradient of this tensor, weighted with `gradient`, to `grad` of the leaves: `gradkit.autograd.backward`.

    >>> import gradkit
    >>> x = gradkit.tensor([1.0, 2.0], requires_grad=True)
    >>> (x * x).backward(gradkit.ones(2))
    >>> x.grad
    tensor([2., 4.])
    """
    walk.backward(self, gradient, retain_graph, create_graph, inputs=inputs)


def retain_grad(self: Tensor) -> None:
    """Have backward() fill `grad` of this tensor although it is not a leaf. RuntimeError if it requires no grad.

    >>> import gradkit
    >>> x = gradkit.ones(2, requires_grad=True)
    >>> y = x * 2; y.retain_grad(); y.sum().backward(); y.grad
    tensor([1., 1.])
    """
    import weakref

    if self.node is None:
        raise RuntimeError("can't retain_grad on Tensor that has requires_grad=False")
    if not self.is_leaf and not self._retains:
        self._retains = True
        self.node._hooks().retain = weakref.ref(self)


def register_hook(self: Tensor, hook: Callable[[Tensor], Any]) -> Handle:
    """Call `hook` with this tensor's gradient once it is complete; what it returns, if anything, replaces it.

    Returns a handle whose `remove()` undoes this. RuntimeError if the tensor requires no grad.

    >>> import gradkit
    >>> x = gradkit.ones(2, requires_grad=True)
    >>> handle = x.register_hook(lambda g: g * 10)
    >>> x.sum().backward(); x.grad
    tensor([10., 10.])
    """
    if self.node is None:
        raise RuntimeError("cannot register a hook on a tensor that doesn't require gradient")
    return Handle(self.node._hooks().tensor, hook)


def register_post_accumulate_grad_hook(self: Tensor, hook: Callable[[Tensor], None]) -> Handle:
    """Call `hook` with this leaf after backward() has written its `grad`. RuntimeError if it is no leaf.

    >>> import gradkit
    >>> x = gradkit.ones(2, requires_grad=True)
    >>> handle = x.register_post_accumulate_grad_hook(lambda leaf: print(leaf.grad))
    >>> x.sum().backward()
    tensor([1., 1.])
    """
    if self.node is None:
        raise RuntimeError("cannot register a hook on a tensor that doesn't require gradient")
    if not self.is_leaf:
        raise RuntimeError("post accumulate grad hooks cannot be registered on non-leaf tensors")
    if self._after_grad is None:
        self._after_grad = {}
    return Handle(self._after_grad, hook)


# -- to Python and NumPy -----------------------------------------------------------------------------------------------
def item(self: Tensor) -> Any:
    """The one element as a Python number; RuntimeError if there are several.

    >>> import gradkit
    >>> gradkit.tensor(2.5).item()
    2.5
    """
    if self.numel() != 1:
        raise RuntimeError(
            f"a Tensor with {self.numel()} elements cannot be converted to Scalar (shape {tuple(self.shape)}); use "
            ".tolist(), or reduce it first"
        )
    if self.batch:
        raise RuntimeError(
            "vmap: it looks like you're calling .item(), float(), bool() or a Python if on a tensor inside vmap, where "
            "it stands for many samples: use gradkit.where(condition, a, b) instead of a branch"
        )
    return self.array.item()


def tolist(self: Tensor) -> Any:
    """Nested lists of Python numbers.

    >>> import gradkit
    >>> gradkit.tensor([[1, 2]]).tolist()
    [[1, 2]]
    """
    return self.array.tolist()


def numpy(self: Tensor, *, force: bool = False) -> Any:
    """The NumPy array whose memory this tensor has. RuntimeError if it requires grad, TypeError if it is on a GPU,
    unless `force`: then it is detached and copied to the host.

    >>> import gradkit
    >>> gradkit.ones(2).numpy()
    array([1., 1.], dtype=float32)
    """
    if self.is_cuda:
        if not force:
            raise TypeError(f"can't convert {self.device} device type tensor to numpy. Use Tensor.cpu() first.")
        return self.cpu().numpy(force=True)
    if self.requires_grad and modes.local.grad and not force:
        raise RuntimeError("Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead.")
    if isinstance(self.array, np.generic):
        self.array = np.asarray(self.array)
    return self.array


def _array(self: Tensor, dtype: Any = None, copy: bool | None = None) -> Any:
    return np.array(numpy(self), dtype, copy=copy)


def to(self: Tensor, *args: Any, **kwargs: Any) -> Tensor:
    """This tensor in another dtype, or on another device: ``to(dtype)``, ``to(device)``, ``to(device, dtype)``, ``to(other)``.

    Returns itself when nothing changes, unless `copy`.

    >>> import gradkit
    >>> gradkit.ones(2).to(gradkit.float64).dtype
    dtype('float64')
    """
    device, dtype, copied = kwargs.get("device"), kwargs.get("dtype"), kwargs.get("copy", False)
    for arg in args:
        if isinstance(arg, Tensor):
            device, dtype = arg.device, arg.dtype
        elif isinstance(arg, bool):
            continue
        elif isinstance(arg, str) and arg.partition(":")[0] in ("cpu", "cuda") or hasattr(arg, "index") and hasattr(arg, "type") and not isinstance(arg, np.dtype):
            device = arg
        else:
            dtype = arg
    if device is not None and str(device) != "cpu":
        raise RuntimeError(f"device {str(device)!r} is not available: this version of gradkit computes on the CPU only")
    y = self
    if dtype is not None and np.dtype(dtype) != self.dtype:
        return astype(self, dtype=np.dtype(dtype))
    return y.clone() if copied else y


def _converter(name: str, dtype: Any) -> Callable[[Tensor], Tensor]:
    def convert(self: Tensor) -> Tensor:
        return to(self, dtype)

    convert.__name__ = convert.__qualname__ = name
    convert.__doc__ = f"This tensor in {dtype.name}; itself if it is so already."
    return convert


def type_(self: Tensor, dtype: Any = None) -> Any:
    """Without an argument the tensor's type as a string, else the tensor in that dtype.

    >>> import gradkit
    >>> gradkit.ones(2).type()
    'gradkit.FloatTensor'
    """
    if dtype is not None:
        return to(self, dtype)
    names = {"float32": "Float", "float64": "Double", "float16": "Half", "int64": "Long", "int32": "Int", "bool": "Bool",
             "uint8": "Byte", "int8": "Char", "int16": "Short", "complex64": "ComplexFloat", "complex128": "ComplexDouble"}  # fmt: skip
    return f"gradkit.{names.get(self.dtype.name, self.dtype.name)}Tensor"


def data_ptr(self: Tensor) -> int:
    """The address of the first element.

    >>> import gradkit
    >>> x = gradkit.ones(2)
    >>> x.detach().data_ptr() == x.data_ptr()
    True
    """
    if isinstance(self.array, np.generic):
        self.array = np.asarray(self.array)
    return self.array.ctypes.data if isinstance(self.array, np.ndarray) else self.array.data.ptr


def data_of(self: Tensor) -> Tensor:
    return detach(self)


def set_data(self: Tensor, new: Tensor) -> None:
    self.array = new.array
    if self.node is not None and self.node.prim is None:
        self.node.like = (new.array.shape, new.dtype)


def to_bool(self: Tensor) -> bool:
    if self.numel() != 1:
        raise RuntimeError(
            f"Boolean value of Tensor with {'no' if self.numel() == 0 else 'more than one'} value"
            f"{'s' if self.numel() == 0 else ''} is ambiguous (shape {tuple(self.shape)}); use .any() or .all()"
        )
    return bool(item(self))


def length(self: Tensor) -> int:
    if self.ndim == 0:
        raise TypeError("len() of a 0-d tensor")
    return self.shape[0]


def iterate(self: Tensor) -> Any:
    if self.ndim == 0:
        raise TypeError("iteration over a 0-d tensor")
    return iter([self[i] for i in range(self.shape[0])])


def represent(self: Tensor) -> str:
    fn = self.grad_fn
    return printing.tensor_repr(
        self.array, requires_grad=self.requires_grad and fn is None, grad_fn=fn and fn.name(),
        device=str(self.device) if self.is_cuda else None, default_dtype=dtypes.get_default_dtype(),
    )  # fmt: skip


# -- copies ----------------------------------------------------------------------------------------------------------
def shallow_copy(self: Tensor) -> Tensor:
    return _rebuilt(type(self), self.array, self.requires_grad and self.is_leaf, dict(self.__dict__))


def deep_copy(self: Tensor, memo: dict[int, Any]) -> Tensor:
    if id(self) in memo:
        return memo[id(self)]
    if not self.is_leaf:
        raise RuntimeError(
            "Only Tensors created explicitly by the user (graph leaves) support the deepcopy protocol at the moment; "
            f"this one was made by {self.grad_fn.name()}: write copy.deepcopy(x.detach())"
        )
    new = _rebuilt(type(self), np.array(self.array), self.requires_grad, {})
    memo[id(self)] = new
    if self._grad is not None:
        new._grad = deep_copy(self._grad, memo)
    return new


def _rebuilt(kind: Any, array: Any, requires_grad: bool, extra: dict[str, Any]) -> Tensor:
    new = Tensor.__new__(kind)
    new.array, new.node = array, None
    new.__dict__.update(extra)
    return new.requires_grad_() if requires_grad else new


def reduce(self: Tensor, protocol: Any) -> Any:
    return _rebuilt, (type(self), np.asarray(self.array), self.requires_grad, {})


# -- attaching -------------------------------------------------------------------------------------------------------
_operators()
_attach()
for function in (detach, detach_, backward, retain_grad, register_hook, register_post_accumulate_grad_hook, item, tolist,
                 numpy, to, data_ptr):  # fmt: skip
    setattr(Tensor, function.__name__, function)
for name in ("float", "double", "half", "int", "long", "short", "bool", "cfloat", "cdouble"):
    setattr(Tensor, name, _converter(name, getattr(dtypes, name)))
for name, function in FILLERS.items():
    setattr(Tensor, name, function)
for name, function in {
    "type": type_, "__array__": _array, "__bool__": to_bool, "__len__": length, "__iter__": iterate, "__repr__": represent,
    "__float__": lambda self: float(item(self)), "__int__": lambda self: int(item(self)), "__index__": lambda self: item(self).__index__(),
    "__complex__": lambda self: complex(item(self)), "__format__": printing.format_scalar, "__copy__": shallow_copy,
    "__deepcopy__": deep_copy, "__reduce_ex__": reduce, "data": property(data_of, set_data), "__pos__": lambda self: self,
}.items():  # fmt: skip
    setattr(Tensor, name, function)
