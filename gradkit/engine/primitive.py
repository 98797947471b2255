"""The record of a primitive, and the registry. What a family derives from a row's one fact is written into it."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from os.path import isfile, join
from typing import Any

from gradkit.backend.numpy import NUMPY
from gradkit.backend.protocol import Backend, row_forwards

#: Every primitive by name. Tests, documentation and stubs walk it.
REGISTRY: dict[str, "Primitive"] = {}

#: What a row may say of its Jacobian: which input places an output place can depend on. "diagonal": its own
#: (broadcast); "moves": at most one place of each operand; "axes": the places along the parameter `axis`; "block":
#: those of its own leading (batch) index; "dense": any.
STRUCTURES = ("diagonal", "moves", "axes", "block", "dense")


@dataclass(eq=False, kw_only=True)
class Primitive:
    """One primitive: what it computes, its derivatives, what it keeps, how it batches, and where to test it."""

    name: str
    family: str
    arity: int | None  # None: any number of operands
    forward: Callable[..., Any]  # (xp, *operands, **params)
    run: Callable[..., Any]  # the forward on NumPy's arrays, without xp
    step: Callable[..., None] | None  # carries a node's cotangent to its parents; None: not differentiable
    jvp: Callable[..., Any] | None  # (xp, tangents, y, *operands, **params): the tangent of y, or None
    keeps: tuple[tuple[Any, ...], ...] = ()  # per operand: what its rule reads of (y, *operands)
    outputs: int = 1
    broadcasts: bool = False  # operands of different rank, or extent 1, line up by NumPy's rule
    promote: str = "same"  # "same": one dtype; "float": one floating dtype; "none": operands as they come
    batching: Callable[..., dict[str, Any]] | None = None  # (sizes, **params) -> params, for batch axes in front
    structure: str = "dense"
    samples: tuple[Any, ...] = ()  # (*operands, params): an operand is a shape to fill from its domain, or an array
    domain: tuple[tuple[float, float], ...] = ()
    edges: tuple[Any, ...] = ()  # operand values (or tuples of them) where conventions are fixed
    edge_order: int = 2  # up to which derivative they are PyTorch's there
    peer: Callable[..., Any] | str | None = None  # PyTorch's spelling, for tests: (torch, *operands, **params)
    fused: str | None = None  # the CUDA kernel that stands in for the rule
    rules: tuple[Any, ...] = ()  # elementwise: one for each operand, None where there is no derivative
    linear: bool = False  # in all operands together: its jvp is the operation itself
    view: bool = False  # the result may share the operand's memory
    ufunc: Any = None  # NumPy's, if it is all that the forward does with real floats
    last_counts: bool = False  # of a view: after itself it is what the last alone would be
    method: Callable[..., Any] | None = None  # of a view with one parameter: (raw, parameter), what NumPy does at once
    rescues: bool = False  # PyTorch keeps no result, or a flat view of it is a copy: before it is written, what is kept is copied
    lends: bool = False  # the same of its operands
    accumulate: Callable[..., None] | None = None  # (z, ct, **params): what the rule gives, added into raw z in place
    contract: Callable[..., Any] | None = None  # (left, right, **params): the forward of the product of two raw arrays
    reuse: Callable[..., list[Any]] | None = None  # (ct, **params): what the rule gives, in the memory of raw ct
    holomorphic: bool = True  # complex cotangents conjugate around the rules; otherwise the rules are given them as is
    tidy: Callable[..., dict[str, Any]] | None = None
    title: str = ""  # as in grad_fn: MulBackward0
    kept: bool = True  # may a node hold residuals that a walk frees?

    def __repr__(self) -> str:
        return f"<primitive {self.name}>"

    def on(self, backend: Backend) -> Callable[..., Any]:
        """The forward on a backend's raw arrays."""
        return self.run if backend is NUMPY else partial(self.forward, backend.xp)


def title_of(name: str) -> str:
    return "".join(part.capitalize() for part in name.strip("_").split("_")) + "Backward0"


def define(prim: Primitive) -> Primitive:
    """Enter a row. What is missing is an error at import, not at the first gradient."""
    missing = []
    if prim.name in REGISTRY:
        raise ValueError(f"primitive {prim.name!r} is defined twice")
    if not prim.samples:
        missing.append("samples")
    if prim.step is not None and prim.jvp is None:
        missing.append("a jvp")
    if prim.family == "elementwise" and prim.arity and len(prim.domain) not in (0, prim.arity):
        missing.append(f"a domain for each of its {prim.arity} operands")
    if prim.structure not in STRUCTURES:
        missing.append(f"a structure out of {STRUCTURES}")
    if prim.fused and not has_kernel(prim.fused):
        missing.append(f"kernels/{prim.fused}.cu, which its fused= names")
    if missing:
        raise ValueError(f"primitive {prim.name!r} lacks {', '.join(missing)}")
    prim.title = prim.title or title_of(prim.name)
    prim.kept = any([2 in flags for flags in prim.keeps])
    REGISTRY[prim.name] = prim
    row_forwards[prim.name] = prim.forward
    return prim


def has_kernel(name: str) -> bool:
    from gradkit.backend.kernels import folder

    return isfile(join(folder(), f"{name}.cu"))
