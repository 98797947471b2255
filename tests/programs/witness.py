"""The judgement: what a program gives in gradkit against what it gives in PyTorch, with derivatives and batches.

Numbers are compared to nearly full precision. Where they differ by more, the program may be ill-conditioned, or stand at
a kink: then PyTorch runs it again with every operation rounded more coarsely, forward and backward, and the difference
may be as large as the one which that makes to PyTorch's own answer, and no larger.
"""

import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

import gradkit
from tests.programs.coarse import Coarse

#: For each precision the difference that is always allowed, relative to the largest number, and how coarse a rounding
#: must explain a larger one.
ALLOWED = {"f": (2e-5, 2e-6), "d": (1e-9, 1e-11)}
#: When PyTorch's own answer changes by so much with its rounding, there is nothing to compare with.
LOST = 0.03
#: Rows that keep an operand where PyTorch keeps the result, or keeps less: writing over it raises.
KEEPS_OPERAND = {"CrossEntropy", "Expm1", "Heaviside", "LinalgEigh", "LinalgSvd", "Mm", "Matmul", "Ndtr", "SpecialNdtr", "Tanhshrink"}
#: Where forward mode in PyTorch drops a tangent without a word.
NO_FORWARD_THERE = {"scatter_prod"}
Arrays = list[np.ndarray]


@dataclass(frozen=True)
class Failure:
    """What disagreed, and how."""

    check: str
    text: str


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


# -- the judgement
def judge(torch: Any, program: Any, arrays: Arrays, counts: dict[str, int] | None = None) -> Failure | None:
    """The first disagreement between the libraries, None if there is none."""
    counts = {} if counts is None else counts
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        for check in CHECKS:
            failure = examine(torch, check, program, arrays, counts)
            if failure:
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
        got = check(gradkit, program, arrays)
    except np.linalg.LinAlgError:
        got = [np.full((), np.nan)] * len(want or ())
    except Exception as reason:
        if want is None or keeps_otherwise(check, reason) or refuses(torch, check, program, arrays):
            count("refused by PyTorch too, or known to be refused")
            return None
        return Failure(name, f"gradkit raises {type(reason).__name__}: {reason}")
    if want is None:
        count("PyTorch has no answer")
        return None
    failure = same_kind(torch, program, arrays, got) if check is values else None
    if failure:
        return failure
    allowed, coarseness = ALLOWED["f" if any([x.dtype.char in "fF" for x in arrays]) else "d"]
    if compare(got, want, [allowed] * len(want)) is None:
        return None
    spread = [allowed] * len(want)
    for seed in range(3):
        other = roughly(torch, witness, program, exact, coarseness, seed)
        spread = [max(s, 3 * distance(o, w)) for s, w, o in zip(spread, want, other)]
    if compare(got, want, [np.inf if s > LOST else s for s in spread]) is None:
        count("left to rounding" if max(spread) > LOST else "as PyTorch when rounded more coarsely")
        return None
    text = compare(got, want, spread)
    if text is None or all([better(a, b) for a, b in zip(got, want)]):
        count("a number where PyTorch has nan")
        return None
    return Failure(name, text)


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


def keeps_otherwise(check: Any, reason: Exception) -> bool:
    """Whether a write was refused because a row keeps an operand of which PyTorch keeps the result, or a tangent's
    rule does."""
    if check in (batched, batched_gradients) and "a tensor that is not batched" in str(reason):
        return True  # what a transform inside vmap makes of a value that all samples share is batched
    found = re.search(r"inplace operation: (\w+)Backward0 saved it", str(reason))
    return found is not None and (found[1] in KEEPS_OPERAND or check is forward_over_reverse)


def better(got: Any, want: Any) -> bool:
    """Whether it is PyTorch's answer except where that is nan."""
    if got is None or want is None or got.shape != want.shape:
        return distance(got, want) == 0
    return distance(np.where(np.isnan(want), 0, got), np.where(np.isnan(want), 0, want)) < 1e-4 and not np.isnan(got).any()


def roughly(torch: Any, witness: Any, program: Any, arrays: Arrays, coarseness: float, seed: int) -> list[Any]:
    """PyTorch's answer when it rounds coarsely: nan where that makes the computation impossible."""
    try:
        with Coarse(torch, coarseness, seed):
            return witness(torch, program, arrays)
    except RuntimeError:
        return [np.full((), np.nan)] * len(witness(torch, program, arrays))


def refuses(torch: Any, check: Any, program: Any, arrays: Arrays) -> bool:
    try:
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
    for k, (a, b, bound) in enumerate(zip(got, want, allowed)):
        found = distance(a, b)
        if not found <= bound:
            return f"result {k} differs by {found:.3g}, allowed {bound:.3g}:\n  gradkit {show(a)}\n  PyTorch {show(b)}"
    return None


def show(y: Any) -> str:
    return "None" if y is None else np.array2string(y, precision=10, threshold=24).replace("\n", "\n          ")


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


def explain(program: Any, arrays: Arrays) -> None:
    """Print the verdict on a program."""
    import torch

    failure = judge(torch, program, arrays)
    print("both agree" if failure is None else f"{failure.check}: {failure.text}")
