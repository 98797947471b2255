"""The judgement: what a program gives in gradkit against what it gives in PyTorch.

Numbers are compared to nearly full precision. Where they differ by more, the program may be ill-conditioned, or stand at
a kink: then PyTorch runs it again with every operation rounded more coarsely, forward and backward, and the difference
may be as large as the one which that makes to PyTorch's own answer, and no larger. Where they still differ, `arbiter` is
asked, and only if it sides with gradkit is that no failure.
"""

import warnings
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import numpy as np

import gradkit
from tests.programs import arbiter
from tests.programs.coarse import Coarse
from tests.programs.order import RowMajor
from tests.programs.witness import (
    CHECKS,
    WITNESSES,
    Arrays,
    batched,
    batched_gradients,
    distance,
    dtype_of,
    forward_over_reverse,
    leaves,
    tangents,
    values,
)  # fmt: skip

#: For each precision the difference that is always allowed, relative to the largest number, and how coarse a rounding
#: must explain a larger one.
ALLOWED = {"f": (2e-5, 2e-6), "d": (1e-9, 1e-11)}
#: When PyTorch's own answer changes by so much with its rounding, there is nothing to compare with.
LOST = 0.03
#: What stops gradients on purpose, or takes them.
STOPS = {"detach", "no_grad", "autograd", "float"}
#: Where rounding matters, how much further than its spread a single may lie from what gradkit and PyTorch agree on as doubles:
#: of some ten thousand answers, three roughened ones do not show the largest error.
UNLUCKY = 10.0
#: How it is counted that there was nothing to compare with, and that PyTorch was wrong.
LOST_TO_ROUNDING = "left to rounding"
ARBITRATED = "PyTorch is wrong by numeric differences"
#: Where forward mode in PyTorch drops a tangent without a word: of ties, backward hands on the whole cotangent.
NO_FORWARD_THERE = {"scatter_prod", "clamp_max_tensor", "clamp_min_tensor"}


@dataclass(frozen=True)
class Failure:
    """What disagreed, and how."""

    check: str
    text: str


# -- the judgement
def judge(torch: Any, program: Any, arrays: Arrays, counts: dict[str, int] | None = None) -> Failure | None:
    """The first disagreement between the libraries, None if there is none."""
    counts = {} if counts is None else counts
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        for check in CHECKS:
            failure = examine(torch, check, program, arrays, counts)
            if failure or f"values: {LOST_TO_ROUNDING}" in counts:  # then derivatives are of different functions
                return failure
    return None


def examine(torch: Any, check: Any, program: Any, arrays: Arrays, counts: dict[str, int]) -> Failure | None:
    name = check.__name__

    def count(what: str) -> None:
        counts[f"{name}: {what}"] = counts.get(f"{name}: {what}", 0) + 1

    if check in (batched, batched_gradients) and "float" in program.__code__.co_names:
        count("not asked of a program that branches on values")
        return None
    exact = [x.astype(np.complex128 if x.dtype.kind == "c" else np.float64) for x in arrays]
    witness, want = answer(torch, check, program, exact)
    try:
        got = ours(check, program, arrays, want)
    except Exception as reason:
        if want is None or refuses(torch, check, program, arrays):
            count("refused by PyTorch too")
        elif refuses(torch, check, program, arrays, RowMajor(torch)):
            count("refused by PyTorch too when its results are in row-major order")
        else:
            return Failure(name, f"gradkit raises {type(reason).__name__}: {reason}")
        return None
    if want is None:
        agreed = not STOPS & set(program.__code__.co_names) and arbiter.agrees(check, program, exact, got)
        count("PyTorch has no answer, " + ("numeric differences have gradkit's" if agreed else "nor have numeric differences"))
        return None
    failure = same_kind(torch, program, arrays, got) if check is values else None
    if failure:
        return failure
    single = any([x.dtype.char in "fF" for x in arrays])
    allowed, coarseness = ALLOWED["f" if single else "d"]
    text = compare(got, want, [allowed] * len(want))
    if text is None:
        return None
    spread = [allowed] * len(want)
    for seed in range(3):
        other = under(Coarse(torch, coarseness, seed), torch, witness, program, exact, want)
        spread = [max(s, 3 * distance(o, w)) for s, w, o in zip(spread, want, other)]
    precise = ours(check, program, exact, want) if single else got
    lost = compare(got, want, [np.inf if s > LOST else s for s in spread]) is None and max(spread) > LOST
    if not lost and compare(got, want, spread) is None:
        count("as PyTorch when rounded more coarsely")
    elif not lost and witness is not check and as_when_asked_alike(torch, check, witness, program, exact, got, want):
        count("as PyTorch when asked the same way")
    elif not lost and compare(precise, want, [ALLOWED["d"][0]] * len(want)) is None and (
        compare(got, want, [UNLUCKY * s if s > allowed else s for s in spread]) is None
    ):
        count("as PyTorch in double precision")
    elif not lost and compare(got, under(RowMajor(torch), torch, witness, program, exact, want), spread) is None:
        count("as PyTorch when its results are in row-major order")
    elif not lost and all([better(a, b) for a, b in zip(got, want)]):
        count("a number where PyTorch has nan")
    elif (lost or compare(got, precise, spread) is None) and arbiter.sides_with_gradkit(check, program, exact, precise, want):
        count(ARBITRATED)
    elif not lost and as_by_other_witnesses(torch, check, witness, program, exact, got, spread):
        count("as PyTorch by another of its modes")
    elif lost:
        count(LOST_TO_ROUNDING)
    else:
        return Failure(name, compare(got, want, spread) or text)
    return None


def ours(check: Any, program: Any, arrays: Arrays, want: list[Any] | None) -> list[Any]:
    """gradkit's answer: nan where a decomposition finds no end, as of a matrix of nan."""
    try:
        return check(gradkit, program, arrays)
    except np.linalg.LinAlgError:
        return [np.full((), np.nan)] * len(want or ())


def under(mode: Any, torch: Any, witness: Any, program: Any, arrays: Arrays, want: list[Any]) -> list[Any]:
    """PyTorch's answer in a mode: nan where that makes the computation impossible."""
    try:
        with mode:
            return witness(torch, program, arrays)
    except RuntimeError:
        return [np.full((), np.nan)] * len(want)


def as_when_asked_alike(
    torch: Any, check: Any, witness: Any, program: Any, arrays: Arrays, got: list[Any], want: list[Any]
) -> bool:
    """Whether it is PyTorch's answer to the check itself; or, if that has none, nan beside answers to the witness alike:
    forward, 0 * inf comes where backward 0 comes first."""
    try:
        return compare(got, check(torch, program, arrays), [1e-4] * len(got)) is None
    except Exception:
        return all([better(b, a) for a, b in zip(got, want)]) and not compare(
            ours(witness, program, arrays, want), want, [1e-4] * len(got)
        )


def as_by_other_witnesses(
    torch: Any, check: Any, witness: Any, program: Any, arrays: Arrays, got: list[Any], spread: list[float]
) -> bool:
    """Whether PyTorch's modes disagree, and it is the answer of another one than was asked first."""
    others = [other for other in WITNESSES.get(check, ()) if other not in (witness, check)]
    return any([compare(got, under(nullcontext(), torch, other, program, arrays, got), spread) is None for other in others])


def answer(torch: Any, check: Any, program: Any, arrays: Arrays) -> tuple[Any, list[Any] | None]:
    """The first witness that PyTorch does not refuse, and what it says."""
    code = program.__code__
    witnesses = WITNESSES.get(check, (check,))
    if {"no_grad", "autograd"} & set(code.co_names):  # then the order of modes matters
        witnesses = (check,) if check in (tangents, forward_over_reverse) else witnesses
    if NO_FORWARD_THERE & {*code.co_names, *code.co_consts}:
        witnesses = tuple([witness for witness in witnesses if witness not in (tangents, forward_over_reverse)])
    for witness in witnesses:
        try:
            return witness, witness(torch, program, arrays)
        except Exception:
            continue
    return None, None


def better(got: Any, want: Any) -> bool:
    """Whether it is PyTorch's answer except where that is nan."""
    want, got = [np.zeros(()) if y is None else y for y in (want, got)]
    known = ~np.isnan(want)
    if got.shape != want.shape and got.ndim and want.ndim:
        return False
    return distance(np.where(known, got, 0), np.where(known, want, 0)) < 1e-4


def refuses(torch: Any, check: Any, program: Any, arrays: Arrays, mode: Any = None) -> bool:
    try:
        with mode or nullcontext():
            check(torch, program, arrays)
    except Exception:
        return True
    return False


def same_kind(torch: Any, program: Any, arrays: Arrays, got: list[Any]) -> Failure | None:
    """Dtypes, shapes and requires_grad in the precision that was asked for."""
    mine, theirs = [program(lib, *leaves(lib, arrays)) for lib in (gradkit, torch)]
    for k, (y, z) in enumerate(zip(mine, theirs)):
        a, b = [(tuple(one.shape), dtype_of(one).name, one.requires_grad) for one in (y, z)]
        if a != b:
            return Failure("kind", f"output {k} is {a} (shape, dtype, requires_grad); in PyTorch {b}")
    return None


def compare(got: list[Any], want: list[Any], allowed: list[float]) -> str | None:
    if len(got) != len(want):
        return f"{len(got)} results, not {len(want)}"
    for k, (a, b, bound) in enumerate(zip(got, want, allowed)):
        found = distance(a, b)
        if not found <= bound:
            return f"result {k} differs by {found:.3g}, allowed {bound:.3g}:\n  gradkit {show(a)}\n  PyTorch {show(b)}"
    return None


def show(y: Any) -> str:
    return "None" if y is None else np.array2string(y, precision=10, threshold=24).replace("\n", "\n          ")


def explain(program: Any, arrays: Arrays) -> None:
    """Print the verdict on a program."""
    import torch

    failure = judge(torch, program, arrays)
    print("both agree" if failure is None else f"{failure.check}: {failure.text}")
