"""What a program's steps call: the rows of the registry in either library, and values made to fit them."""

import functools
from typing import Any

import numpy as np

import gradkit
from gradkit.engine.bind import bind
from gradkit.engine.primitive import REGISTRY, Primitive
from gradkit.engine.tape import tensor_xp


def drawable(torch: Any) -> list[tuple[str, int]]:
    """The rows with a derivative that PyTorch has too, by name and number of the sample that says how to call them."""
    rows = [prim for _, prim in sorted(REGISTRY.items()) if prim.step is not None and peer(prim, torch)]
    return [(prim.name, i) for prim in rows for i, sample in enumerate(prim.samples) if len(sample) > 1 and sayable(sample)]


def sayable(sample: Any) -> bool:
    """Whether a sample's parameters can be written down: a dtype has another name in each library."""
    return "dtype" not in sample[-1]


def row(lib: Any, name: str, *operands: Any, **params: Any) -> tuple[Any, ...]:
    """A row's results, in gradkit from the row itself and in PyTorch from the spelling that the row gives."""
    prim = REGISTRY[name]
    if lib is not gradkit:
        y = peer(prim, lib)(*operands, **params)
        y = y.resolve_conj() if lib.is_tensor(y) else y  # elsewhere a conjugate is no view
    else:
        y = operation(name)(operands, params)
    return tuple(y) if isinstance(y, tuple | list) else (y,)


@functools.cache
def operation(name: str) -> Any:
    """The row as its callers reach it, unrolled where it is, with parameters that are already tidy."""
    prim, call = REGISTRY[name], getattr(tensor_xp, name)
    if hasattr(call, "apply"):
        return lambda operands, params: call.apply(*operands, params)
    if prim.tidy:
        return lambda operands, params: bind(prim, operands, params)
    return lambda operands, params: call(*operands, **params)


def peer(prim: Primitive, torch: Any) -> Any:
    """PyTorch's function for a row, None if it has none."""
    if callable(prim.peer):
        return functools.partial(prim.peer, torch)
    if prim.peer is False:
        return None
    name = prim.peer or prim.name
    function = getattr(torch, name, None) or getattr(torch.nn.functional, name, None)
    return function and (lambda *operands, **params: function(*operands, *params.values()))


def shaped(x: Any, shape: tuple[int, ...]) -> Any:
    """The elements of `x` in another shape, from the start again when they run out, each then times another number."""
    if tuple(x.shape) == shape:
        return x
    size, flat = int(np.prod(shape)), x.reshape(-1)
    had = flat.shape[0]
    if size > had:
        factors = 1 + 0.4 * np.sin(np.arange(size) ** 2)
        flat = flat.repeat(-(-size // had))[:size] * x.new_tensor(np.where(np.arange(size) < had, 1, factors).tolist())
    return flat[:size].reshape(shape)


def squashed(x: Any, low: float, high: float) -> Any:
    """`x` brought smoothly between two bounds; of a complex number, each part."""
    if x.is_complex():
        return squashed(x.real, low, high) + 1j * (x.imag / (1 + x.imag * x.imag))
    return x.sigmoid() * (high - low) + low


def near(values: list[Any], x: Any) -> Any:
    """A tensor close to given values, which moves a little with `x`."""
    centre = x.new_tensor(values)
    return centre + 0.02 * shaped(x.tanh(), tuple(centre.shape))
