"""What is asked of a program in either library: values, derivatives in both modes and orders, and batches of them."""

from collections.abc import Callable
from typing import Any

import numpy as np

import gradkit

Arrays = list[np.ndarray]


class Refusal(Exception):
    """A library cannot do this at all."""


# -- what is compared
def values(lib: Any, program: Any, arrays: Arrays) -> list[Any]:
    return [plain(y) for y in program(lib, *leaves(lib, arrays))]


def gradients(lib: Any, program: Any, arrays: Arrays) -> list[Any]:
    xs = leaves(lib, arrays)
    return [plain(g) for g in lib.autograd.grad(loss(lib, program(lib, *xs)), xs, allow_unused=True)]


def second_derivatives(lib: Any, program: Any, arrays: Arrays) -> list[Any]:
    """The Hessian times a direction, reverse over reverse; and each input's use of `backward` with a kept graph."""
    xs = leaves(lib, arrays)
    y = loss(lib, program(lib, *xs))
    gs = lib.autograd.grad(y, xs, create_graph=True, allow_unused=True)
    moved = [real(lib, g * weight(lib, g, 7 + k).conj()).sum() for k, g in enumerate(gs) if g is not None and g.requires_grad]
    if not moved:
        return [None] * len(xs)
    return [plain(h) for h in lib.autograd.grad(sum(moved), xs, allow_unused=True)]


def tangents(lib: Any, program: Any, arrays: Arrays) -> list[Any]:
    """One pass forward over dual numbers."""
    forward = lib.autograd.forward_ad
    xs = leaves(lib, arrays)
    with forward.dual_level():
        ys = program(lib, *[forward.make_dual(x, weight(lib, x, 3 + k)) for k, x in enumerate(xs)])
        ts = [forward.unpack_dual(y).tangent for y in ys]
        if lib is not gradkit and any([t is None and y.requires_grad for y, t in zip(ys, ts)]):
            raise Refusal("a rule for reverse mode alone")
        return [plain(t) for t in ts]


def forward_over_reverse(lib: Any, program: Any, arrays: Arrays) -> list[Any]:
    places = tuple(range(len(arrays)))
    gradient = lib.func.grad(lambda *xs: loss(lib, program(lib, *xs)), argnums=places)
    xs = tuple([lib.tensor(x) for x in arrays])
    return [plain(h) for h in lib.func.jvp(gradient, xs, tuple([weight(lib, x, 7 + k) for k, x in enumerate(xs)]))[1]]


def batched(lib: Any, program: Any, arrays: Arrays) -> list[Any]:
    """Three samples at once, of which the last input may be shared."""
    stacks, dims = samples(arrays)
    xs = [lib.tensor(x) for x in stacks]
    return [plain(y) for y in lib.func.vmap(lambda *xs: program(lib, *xs), dims)(*xs)]


def batched_gradients(lib: Any, program: Any, arrays: Arrays) -> list[Any]:
    """Per-sample gradients."""
    stacks, dims = samples(arrays)
    gradient = lib.func.grad(lambda *xs: loss(lib, program(lib, *xs)), argnums=tuple(range(len(arrays))))
    return [plain(g) for g in lib.func.vmap(gradient, dims)(*[lib.tensor(x) for x in stacks])]


CHECKS = (values, gradients, second_derivatives, tangents, forward_over_reverse, batched, batched_gradients)


def looped(check: Callable[..., list[Any]]) -> Callable[..., list[Any]]:
    """A check on one sample after the other, as a witness for all at once."""

    def run(lib: Any, program: Any, arrays: Arrays) -> list[Any]:
        stacks, dims = samples(arrays)
        each = [[x[n] if d == 0 else x for x, d in zip(stacks, dims)] for n in range(3)]
        found = [check(lib, program, one) for one in each]
        if len({tuple([None if y is None else y.shape for y in one]) for one in found}) > 1:
            raise Refusal("samples differ in shape")
        zeros = [np.zeros(np.shape(x), x.dtype) for x in each[0]]
        return [np.stack([z if y is None else y for y in ys]) for ys, z in zip(zip(*found), [*zeros, *found[0]])]

    return run


def double_backward(lib: Any, program: Any, arrays: Arrays) -> list[Any]:
    """The tangents by two passes back, where PyTorch has no forward rule."""
    xs = leaves(lib, arrays)
    ys = program(lib, *xs)
    us = [weight(lib, y, 1).detach().requires_grad_() if y.requires_grad else None for y in ys]
    found = []
    for y, u in zip(ys, us):
        if u is None:
            found.append(None)
            continue
        gs = lib.autograd.grad(y, xs, u, create_graph=True, allow_unused=True)
        moved = [real(lib, g * weight(lib, x, 3 + k).conj()).sum() for k, (g, x) in enumerate(zip(gs, xs)) if g is not None]
        found.append(plain(lib.autograd.grad(sum(moved), u, allow_unused=True)[0]) if moved else None)
    return found


#: What PyTorch is asked instead, or if it refuses: batches are a loop, and mixed second derivatives do not care for
#: the order of modes unless a no_grad hides something from one of them.
WITNESSES: dict[Any, tuple[Callable[..., list[Any]], ...]] = {
    tangents: (tangents, double_backward),
    forward_over_reverse: (second_derivatives, forward_over_reverse),
    batched: (looped(values),),
    batched_gradients: (looped(gradients),),
}


# -- small pieces
def leaves(lib: Any, arrays: Arrays) -> list[Any]:
    return [lib.tensor(x, requires_grad=True) for x in arrays]


def plain(y: Any) -> Any:
    """A tensor as an array; None where there is no derivative."""
    return None if y is None else y.detach().resolve_conj().numpy().copy()


def dtype_of(y: Any) -> np.dtype:
    return np.dtype(str(y.dtype).removeprefix("torch."))


def weight(lib: Any, y: Any, seed: int) -> Any:
    """Fixed random numbers of the shape and dtype of `y`."""
    rng = np.random.default_rng(seed)
    numbers = rng.uniform(-1, 1, tuple(y.shape))
    return lib.tensor(np.asarray(numbers + 1j * rng.uniform(-1, 1, tuple(y.shape)) if y.is_complex() else numbers).astype(dtype_of(y)))


def real(lib: Any, y: Any) -> Any:
    return lib.real(y) if y.is_complex() else y


def loss(lib: Any, ys: Any) -> Any:
    return sum([real(lib, y * weight(lib, y, k)).sum() for k, y in enumerate(ys)])


def samples(arrays: Arrays) -> tuple[Arrays, tuple[int | None, ...]]:
    """Three samples of each input, close to it, but of the last of several only one for all."""
    dims = (0,) * len(arrays) if len(arrays) < 2 or arrays[0].size % 2 else (*(0,) * (len(arrays) - 1), None)
    scales = np.array([1.0, 0.8, 1.1])
    stacked = [np.asarray([x * s for s in scales]).astype(x.dtype) for x in arrays]
    return [s if d == 0 else x for s, x, d in zip(stacked, arrays, dims)], dims


def distance(a: Any, b: Any) -> float:
    """The largest difference relative to the largest number, nan and infinities being equal to themselves."""
    if a is None and b is None:
        return 0.0
    a, b = [np.zeros(()) if y is None else y for y in (a, b)]
    if a.shape != b.shape and a.ndim and b.ndim:
        return float("inf")
    equal = (a == b) | (np.isnan(a) & np.isnan(b))
    difference = np.where(equal, 0, np.abs(np.where(equal, 0, a - b)))
    if np.isnan(difference).any():
        return float("inf")
    return float(difference.max(initial=0) / (1 + np.abs(np.where(np.isfinite(b), b, 0)).max(initial=0)))
