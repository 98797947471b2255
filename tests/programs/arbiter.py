"""A third witness where the libraries disagree: numeric differences in double precision, which know no rule at all.

First derivatives are differences of values, in which the libraries agree; second ones are differences of gradients, which
have been compared before. Three steps, each half of the one before, are extrapolated (Richardson 1911); how far the last
two extrapolations lie apart says how good the answer is. A program that stops gradients has another derivative than its
values say: then this witness sides with nobody.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

import gradkit
from tests.programs import witness

Arrays = list[np.ndarray]
STEP = 1e-3
#: How far a library may be from the difference, and how much further off the other must be.
NEAR, FURTHER = 1e-6, 10.0


def sides_with_gradkit(check: Any, program: Any, arrays: Arrays, got: list[Any], want: list[Any]) -> bool:
    """Whether numeric differences are what gradkit says in double precision, and not what PyTorch says."""
    numeric = DIFFERENCES.get(check.__name__)
    if numeric is None:
        return False
    try:
        found = numeric(program, arrays)
    except Exception:  # a neighbouring point cannot be computed
        return False
    convinced = False
    for mine, theirs, (truth, error) in zip(got, want, found, strict=True):
        near = max(NEAR, 10 * error)
        if not witness.distance(mine, truth) <= near:
            return False
        convinced = convinced or not witness.distance(theirs, truth) <= FURTHER * near
    return convinced


def agrees(check: Any, program: Any, arrays: Arrays, got: list[Any]) -> bool:
    """Whether numeric differences are what gradkit says."""
    try:
        found = DIFFERENCES[check.__name__](program, arrays)
    except Exception:  # a neighbouring point, or this check, cannot be computed
        return False
    return all([witness.distance(mine, truth) <= max(100 * NEAR, 10 * error) for mine, (truth, error) in zip(got, found)])


def extrapolated(function: Callable[[float], list[Any]]) -> list[tuple[Any, float]]:
    """The derivatives at 0 of the arrays that a function of a number gives, with how uncertain each is."""
    steps = [STEP, STEP / 2, STEP / 4]
    slopes = [[(b - a) / (2 * h) for a, b in zip(function(-h), function(h), strict=True)] for h in steps]
    answers = []
    for coarse, middle, fine in zip(*slopes, strict=True):
        first, second = (4 * middle - coarse) / 3, (4 * fine - middle) / 3
        best = (16 * second - first) / 15
        answers.append((best, witness.distance(second, best)))
    return answers


def along(arrays: Arrays, seed: int, evaluate: Callable[[Arrays], list[Any]]) -> list[tuple[Any, float]]:
    """The derivatives in the direction of the weights that start with a seed."""
    directions = [witness.weight(gradkit, gradkit.tensor(x), seed + k).numpy() for k, x in enumerate(arrays)]
    return extrapolated(lambda h: evaluate([x + h * u for x, u in zip(arrays, directions, strict=True)]))


def tangents(program: Any, arrays: Arrays) -> list[tuple[Any, float]]:
    return along(arrays, 3, lambda xs: witness.values(gradkit, program, xs))


def second_derivatives(program: Any, arrays: Arrays) -> list[tuple[Any, float]]:
    def gradients(xs: Arrays) -> list[Any]:
        return [np.zeros_like(x) if g is None else g for x, g in zip(xs, witness.gradients(gradkit, program, xs), strict=True)]

    return along(arrays, 7, gradients)


def gradients(program: Any, arrays: Arrays) -> list[tuple[Any, float]]:
    """Of a complex number: the derivative by its real part plus i times that by its imaginary part."""

    def loss(xs: Arrays) -> list[Any]:
        return [witness.loss(gradkit, program(gradkit, *witness.leaves(gradkit, xs))).detach().numpy()]

    answers = []
    for k, x in enumerate(arrays):
        g, error = np.zeros_like(x), 0.0
        for place in np.ndindex(x.shape):
            for unit in (1, 1j) if x.dtype.kind == "c" else (1,):
                (slope, doubt), = extrapolated(lambda h, k=k, place=place, unit=unit: loss(moved(arrays, k, place, h * unit)))
                g[place] += slope * unit
                error = max(error, doubt)
        answers.append((g, error))
    return answers


def moved(arrays: Arrays, k: int, place: tuple[int, ...], by: complex) -> Arrays:
    x = arrays[k].copy()
    x[place] += by
    return [*arrays[:k], x, *arrays[k + 1 :]]


def batched_gradients(program: Any, arrays: Arrays) -> list[tuple[Any, float]]:
    stacks, dims = witness.samples(arrays)
    each = [gradients(program, [x[n] if d == 0 else x for x, d in zip(stacks, dims, strict=True)]) for n in range(3)]
    return [(np.stack([g for g, _ in one]), max([error for _, error in one])) for one in zip(*each, strict=True)]


DIFFERENCES: dict[str, Callable[[Any, Arrays], list[tuple[Any, float]]]] = {
    "gradients": gradients,
    "second_derivatives": second_derivatives,
    "tangents": tangents,
    "forward_over_reverse": second_derivatives,
    "batched_gradients": batched_gradients,
}
