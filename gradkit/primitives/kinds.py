"""Elementwise rows that treat some kinds of numbers in their own way, or refuse them as PyTorch does."""

from collections.abc import Callable
from functools import partial
from typing import Any

from gradkit import families
from gradkit.backend.numpy import NUMPY
from gradkit.families import Forward, Rule

REAL_ONLY = "c"
NO_BOOL = "bc"
INTEGERS_ONLY = "fcV"


def elementwise(
    name: str,
    forward: Forward,
    rules: list[Rule | None],
    *,
    refuses: str = "",
    integers: Callable[..., Any] | None = None,
    samples: list[Any] | None = None,
    **more: Any,
) -> Callable[..., Any]:
    """A row of the elementwise family.

    `refuses` has the dtype kinds (b, i, u, f, c) that raise NotImplementedError, `integers` is the forward for integers
    and bools where it is another, `samples` stand in for drawn ones. The unrolled paths, which serve real floats alone,
    hold the plain forward already: floats pay nothing for what is asked here.
    """
    row = families.elementwise(name, forward, rules, **more)
    prim = row.primitive  # type: ignore[attr-defined]
    if len(rules) == 1 and more.get("params") and more.get("promote") != "float" and (refuses or integers):
        raise TypeError(f"row {name!r}: with parameters, the unrolled path serves every kind unless the row promotes")
    if refuses or integers:
        prim.forward = by_kind(name, prim.forward, refuses, integers)
        prim.run = partial(prim.forward, NUMPY.xp)
    if samples:
        prim.samples = tuple(samples)
    row.refuses = refuses  # type: ignore[attr-defined]
    return row


def by_kind(name: str, forward: Callable[..., Any], refuses: str, integers: Any) -> Callable[..., Any]:
    def forward_of_kind(xp: Any, *operands: Any, **params: Any) -> Any:
        kind = operands[0].dtype.kind
        if kind in refuses:
            given = operands[0]
            remedy = "use logical_xor, logical_not or ~, or convert it" if kind == "b" else "convert it"
            raise NotImplementedError(
                f"{name} is not implemented for {given.dtype.name} (Tensor of shape {tuple(given.shape)}): {remedy}, e.g. with "
                ".float()"
            )
        return (integers if integers and kind in "biu" else forward)(xp, *operands, **params)

    return forward_of_kind
