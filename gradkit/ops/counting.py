"""Integers and places: divisors, membership, combinations, and places in an array of some shape."""

import itertools
import math
from typing import Any

import numpy as np

from gradkit.backend.numpy import on_host
from gradkit.backend.protocol import backend_of
from gradkit.engine.batching import by_sample
from gradkit.engine.operands import on_one_device
from gradkit.engine.tensor import Tensor, wrap
from gradkit.ops.documentation import document
from gradkit.primitives.comparison import gcd, lcm
from gradkit.primitives.shape import extents, sizes_from

__all__ = ["combinations", "gcd", "isin", "lcm", "unravel_index"]
METHODS = ("gcd", "lcm")
INPLACE = ("gcd", "lcm")


@by_sample()
@on_one_device
def isin(elements: Any, test_elements: Any, *, assume_unique: bool = False, invert: bool = False) -> Tensor:
    """Where an element is one of `test_elements`, or with `invert` none of them; one of the two may be a number.

    >>> gradkit.isin(gradkit.tensor([1, 2, 3]), gradkit.tensor([3, 1]))
    tensor([ True, False,  True])
    """
    if not isinstance(elements, Tensor) and not isinstance(test_elements, Tensor):
        raise TypeError("isin(): one of elements and test_elements must be a Tensor")
    raws = [x.array if isinstance(x, Tensor) else x for x in (elements, test_elements)]
    xp = backend_of(next(raw for raw in raws if hasattr(raw, "dtype"))).xp
    return wrap(xp.asarray(xp.isin(*map(xp.asarray, raws), assume_unique=assume_unique, invert=invert)))


def unravel_index(indices: Tensor, shape: Any) -> tuple[Tensor, ...]:
    """The places, an axis each, that numbers of elements have in an array of `shape`.

    TypeError for numbers that are not integers, ValueError for one that lies outside.

    >>> gradkit.unravel_index(gradkit.tensor([4, 1]), (3, 2))
    (tensor([2, 0]), tensor([0, 1]))
    """
    if indices.dtype.kind not in "iu":
        raise TypeError(f"expected 'indices' to be integer dtype, but got {indices.dtype.name}")
    sizes = sizes_from((shape,))
    rest, places = indices, []
    raw = indices.array
    if on_host(raw) and np.any((raw < 0) | (raw >= math.prod(sizes))):
        raise ValueError(f"indices lie outside an array of shape {tuple(sizes)}")
    for n in reversed(sizes):
        places.append(rest % n)
        rest = rest // n
    return tuple(reversed(places))


def combinations(input: Tensor, r: int = 2, with_replacement: bool = False) -> Tensor:
    """All choices of `r` elements of a vector, in their order: (number of choices, r).

    RuntimeError for another number of axes or a negative `r`.

    >>> gradkit.combinations(gradkit.tensor([1, 2, 3])).tolist()
    [[1, 2], [1, 3], [2, 3]]
    """
    if input.ndim != 1:
        raise RuntimeError(f"Expect a 1D vector, but got shape {list(input.shape)}")
    if r < 0:
        raise RuntimeError(f"Expect a non-negative number, but got {r}")
    choose = itertools.combinations_with_replacement if with_replacement else itertools.combinations
    chosen = list(choose(range(extents(input)[0]), r))
    places = np.array(chosen, np.int64).reshape(len(chosen), r)
    return input[wrap(places)]


document(globals())
