"""The value: one raw array with its place on the tape. No mathematics here; `methods` adds it from the rows."""

import warnings
import weakref
from typing import Any

import numpy as np

from gradkit.engine import dtypes, modes
from gradkit.engine.device import CPU, Size, device, device_of
from gradkit.engine.node import Node, note
from gradkit.engine.versions import version_of

local = modes.local


class Tensor:
    """An n-dimensional array that remembers how it was made.

    `array` is the raw `numpy.ndarray` or `cupy.ndarray` (inside a computation also a NumPy scalar, for 0-d results).
    `node` is its place on the tape, None if no gradient is wanted. Tensors are made by `gradkit.tensor`, `as_tensor`,
    `zeros` and the like, or by operations.

    Normal form, however transforms nest: tangents above batch axes above the tape. What few tensors have is a class
    attribute here and stands in the lazily made `__dict__` of one that has it.

    >>> x = gradkit.tensor([1.0, 2.0], requires_grad=True)
    >>> (x * x).sum().backward()
    >>> x.grad
    tensor([2., 4.])
    """

    __slots__ = ("__dict__", "__weakref__", "array", "node")

    array: Any
    node: Any
    tangents: Any = None  # {level: Tensor}: forward mode. A tangent may itself carry tangents of lower levels
    batch: tuple[int, ...] = ()  # vmap levels, ascending: the leading axes of `array`
    _alike: tuple[int, ...] = ()  # those of them along which all samples are the same
    _aliased: bool = False  # does a tensor that is none of its views take its memory to be alike?
    _view: Any = None  # (tensor it was taken from, root of all its views, primitive, params)
    _views: Any = None  # weak references to the views of this root, oldest first
    _room: int = 32  # how many there may be before the dead are looked for
    name: str | None = None
    _grad: Any = None
    _retains: bool = False
    _after_grad: Any = None  # post-accumulate hooks
    _inference: Any = None  # the mode this was made in, if that was an inference mode
    _frozen: str | None = None  # why it must not be written in place while operations are recorded
    __hash__ = object.__hash__

    # -- what it is
    @property
    def shape(self) -> Size:
        return Size(self.array.shape[len(self.batch) :])

    @property
    def ndim(self) -> int:
        return self.array.ndim - len(self.batch)

    @property
    def dtype(self) -> np.dtype[Any]:
        return self.array.dtype

    @property
    def device(self) -> device:
        return CPU if isinstance(self.array, np.ndarray | np.generic) else device_of(self.array)

    @property
    def is_cuda(self) -> bool:
        return self.device.type == "cuda"

    @property
    def itemsize(self) -> int:
        return self.array.dtype.itemsize

    @property
    def nbytes(self) -> int:
        return self.numel() * self.itemsize

    def size(self, dim: int | None = None) -> Any:
        """The shape as a `Size`, or the extent of one dimension; IndexError if there is no such dimension.

        >>> gradkit.zeros(2, 3).size(-1)
        3
        """
        shape = self.shape
        if dim is None:
            return shape
        if not -len(shape) <= dim < max(len(shape), 1):
            raise IndexError(f"Dimension out of range (expected to be in {_bounds(len(shape))}, but got {dim})")
        return shape[dim]

    def dim(self) -> int:
        """The number of axes.

        >>> gradkit.zeros(2, 3).dim()
        2
        """
        return self.ndim

    ndimension = dim

    def numel(self) -> int:
        """The number of elements.

        >>> gradkit.zeros(2, 3).numel()
        6
        """
        return self.shape.numel()

    nelement = numel

    def element_size(self) -> int:
        """Bytes of one element.

        >>> gradkit.zeros(2).element_size()
        4
        """
        return self.itemsize

    def is_floating_point(self) -> bool:
        """Whether the dtype is a floating one.

        >>> gradkit.zeros(2).is_floating_point()
        True
        """
        return dtypes.is_floating(self.dtype)

    def is_inference(self) -> bool:
        """Whether this was made in `inference_mode`: then it takes no part in what is recorded outside.

        >>> with gradkit.inference_mode():
        ...     x = gradkit.ones(2)
        >>> x.is_inference(), x.clone().is_inference()
        (True, False)
        """
        return self._inference is not None

    def is_complex(self) -> bool:
        """Whether the dtype is complex.

        >>> gradkit.zeros(2).is_complex()
        False
        """
        return self.dtype.kind == "c"

    # -- its place on the tape
    @property
    def requires_grad(self) -> bool:
        return self.node is not None or bool(self.tangents and not modes.stilled.isdisjoint(self.tangents))

    @requires_grad.setter
    def requires_grad(self, value: bool) -> None:
        if value:
            self.requires_grad_()
        elif self.grad_fn is not None:
            raise RuntimeError(
                "you can only change requires_grad flags of leaf variables. If you want to use a computed variable in "
                "a subgraph that doesn't require differentiation use var_no_grad = var.detach()."
            )
        else:
            self.node = None

    def requires_grad_(self, requires_grad: bool = True) -> "Tensor":
        """Make this tensor a leaf whose `grad` backward() fills, or (False) stop it being one. Returns itself.

        RuntimeError for a dtype that is neither floating nor complex, and, with False, for a tensor that is
        not a leaf.

        >>> gradkit.ones(2).requires_grad_()
        tensor([1., 1.], requires_grad=True)
        """
        if not requires_grad:
            self.requires_grad = False
            return self
        if self.node is None:
            if self._inference and not local.inference:
                raise RuntimeError(
                    "Setting requires_grad=True on inference tensor outside InferenceMode is not allowed. Use a clone() of it."
                )
            if not dtypes.differentiable(self.dtype):
                raise RuntimeError(
                    "only Tensors of floating point and complex dtype can require gradients, got "
                    f"{self.dtype.name} of shape {tuple(self.shape)}; write x.float().requires_grad_() instead"
                )
            if self.dtype.kind == "c":
                modes.meet_complex()
            self.node = leaf_node(self)
        return self

    @property
    def is_leaf(self) -> bool:
        return self.node is None or self.node.prim is None

    @property
    def grad_fn(self) -> Any:
        if self.node is None or self.node.prim is None:
            return None
        node = self.node._whole()
        if self.batch:
            node._hooks().batch = tuple(zip(self.batch, self.array.shape))
        return node

    @property
    def output_nr(self) -> int:
        return 0 if self.node is None or not self.node.picks else self.node.params["output"]

    @property
    def retains_grad(self) -> bool:
        return self._retains

    @property
    def grad(self) -> "Tensor | None":
        if self._grad is None and not self.is_leaf and not self._retains:
            warnings.warn(
                "The .grad attribute of a Tensor that is not a leaf Tensor is being accessed. Its .grad "
                "attribute won't be populated during autograd.backward(). If you indeed want it, call .retain_grad() on it first.",
                UserWarning,
                stacklevel=2,
            )
        return self._grad

    @grad.setter
    def grad(self, value: "Tensor | None") -> None:
        if value is not None:
            if not isinstance(value, Tensor):
                raise TypeError(f"assigned grad expected to be a Tensor or None but got grad of type {type(value)}")
            if value is self:
                raise RuntimeError("can't assign Variable as its own grad")
            if value.shape != self.shape:
                raise RuntimeError(f"assigned grad has data of a different size: {tuple(value.shape)}, not {tuple(self.shape)}")
            if value.dtype != self.dtype:
                raise RuntimeError(f"assigned grad has data of a different type: {value.dtype.name}, not {self.dtype.name}")
            if value.device != self.device:
                raise RuntimeError(f"assigned grad has data located on {value.device}, not on {self.device}")
        self._grad = value

    @grad.deleter
    def grad(self) -> None:
        self._grad = None

    @property
    def _version(self) -> int:
        if self._inference:
            raise RuntimeError("Inference tensors do not track version counter.")
        return version_of(self.array)

    def _is_view(self) -> bool:
        return self._view is not None

    @property
    def _base(self) -> "Tensor | None":
        return None if self._view is None else self._view[1]


def _bounds(ndim: int) -> str:
    n = max(ndim, 1)
    return f"[{-n}, {n - 1}]"


def wrap(array: Any, node: Any = None, tangents: Any = None, batch: tuple[int, ...] = ()) -> Tensor:
    """A Tensor of these parts."""
    t = Tensor()
    t.array = array
    t.node = node
    if modes.unusual and local.inference:
        t._inference = local.inference
    if tangents:
        t.tangents = tangents
    if batch:
        t.batch = batch
    return t


def kept_alike(t: Tensor, x: Tensor) -> Tensor:
    """`t`, made of `x` alone, as alike in all samples as that is."""
    if x._alike:
        t._alike = x._alike
    return t


_likes: dict[Any, Any] = {}  # leaves of one shape and dtype share what says so


def leaf_node(t: Tensor) -> Any:
    """A node without a primitive. It knows its tensor only weakly: `grad` may hold a graph that ends at this node."""
    like = t.array.shape, t.array.dtype
    if len(_likes) > 4096:
        _likes.clear()
    node = note(Node(), None, (), (), None, _likes.setdefault(like, like))
    node.owner = weakref.ref(t)
    return node
