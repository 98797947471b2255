"""Drawing a program: one step after the other, each tried in PyTorch before it is kept."""

from __future__ import annotations

import functools
import random
import re
import warnings
from typing import Any

import numpy as np

import gradkit
from gradkit.engine.primitive import REGISTRY
from gradkit.engine.tape import tensor_xp
from gradkit.ops import TOPICS
from tests.programs import phrases, rows, witness
from tests.programs.program import Program, Step

SHAPES = [(), (3,), (4,), (3, 4), (2, 3), (1, 4), (3, 1), (3, 3), (2, 3, 4), (2, 1, 3)]
DTYPES = ["float64", "float32", "complex128", "complex64"]
#: What has a free sign, phase or order, in which libraries may differ: `phrases` asks for functions of it that have none.
AMBIGUOUS = {"lib.linalg.eig", "lib.linalg.eigvals", "lib.linalg.eigh", "lib.linalg.svd", "lib.svd", "lib.linalg.qr",
             "lib.slogdet", "lib.linalg.slogdet", "linalg_slogdet"}  # fmt: skip
#: Lazy views there, which writes go through; deprecated there; another shape, or range, for each sample; composites
#: that keep other operands; shapes of samples and points, or of scores and labels, that PyTorch lets broadcast.
DIFFERENT = {f"lib.{name}" for name in ("conj", "adjoint", "unique", "unique_consecutive", "histc", "histogram", "kron",
             "ldexp", "trapezoid", "trapz", "cumulative_trapezoid", "nn.functional.multilabel_soft_margin_loss")}  # fmt: skip
#: Where PyTorch is wrong, or does what its documentation does not say.
WRONG_THERE = {
    "lib.cholesky_inverse",  # the half that it does not read gets a gradient
    "lib.cholesky_solve",  # the same
    "lib.nn.functional.soft_margin_loss",  # forward mode drops the tangent of the target
    "lib.polar",  # the derivative by a negative absolute value has the wrong sign
    "lib.binary_cross_entropy_with_logits",  # the undocumented name at the top does not take the mean
    "lib.nn.functional.binary_cross_entropy_with_logits",  # of two dtypes, the result has the target's
    "binary_cross_entropy_with_logits",
    "triangular_solve",  # of a real and a complex operand, the imaginary part is dropped
}
#: A spread of 0, of equal numbers, is left to rounding; so is a singular value of 0.
SPREAD = re.compile(r"\b(std|var|std_mean|var_mean|corrcoef|\w*svdvals)\b")
#: Where eigenvalues or singular values lie close together, or these at 0, their vectors and second derivatives are lost.
SPECTRA = re.compile(r"\b(eigh|\w*eigvalsh|svd|\w*svdvals)\b")
#: A write into a transposed view of what it reads: what is read after it was written, PyTorch does not say.
TURNED = re.compile(r"\.(?:mT|transpose\(.*?\))\.\w+_\((\w+)\)")
LARGEST, MOST = 30.0, 200  # no element beyond, and not more of them: what explodes says nothing about rounding
SQUARE = "({0} @ {0}.mT.conj() + lib.diag(lib.tensor([1.5, 2.0, 3.0])))"


def draw(torch: Any, seed: int) -> Program:
    """The program of a seed."""
    rng = random.Random(seed)
    inputs = draw_inputs(rng)
    steps: list[Step] = []
    copies = rng.random() < 0.5
    values = Values(torch, inputs, copies)
    length = rng.randint(3, 12)
    for _ in range(4 * length):
        step = draw_step(torch, rng, values, len(steps))
        if values.accept(step):
            steps.append(step)
        elif not step.makes:  # what it wrote before it was refused
            values = Values(torch, inputs, copies)
            for old in steps:
                values.accept(old)
        if len(steps) == length:
            break
    return Program(inputs, tuple(steps), draw_outputs(rng, values, steps), copies)


def drawable(torch: Any, seed: int) -> Program:
    """The program of a seed, or of one made from it: one which PyTorch can differentiate."""
    program = draw(torch, seed)
    while not has_gradient(torch, program):
        seed += 1 << 32
        program = draw(torch, seed)
    return program


def has_gradient(torch: Any, program: Program) -> bool:
    """Whether PyTorch finds a gradient: not where a step writes over what an earlier one needs."""
    if not program.outputs:
        return False
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            witness.gradients(torch, program.function(), list(program.inputs.values()))
    except RuntimeError:
        return False
    return True


def draw_inputs(rng: random.Random) -> dict[str, np.ndarray]:
    dtype = np.dtype(rng.choices(DTYPES, (5, 3, 1.5, 0.5))[0])
    numbers = np.random.default_rng(rng.getrandbits(32))
    inputs = {}
    for name in "abc"[: rng.randint(1, 3)]:
        shape = rng.choice(SHAPES)
        x = numbers.uniform(-1.5, 1.5, shape)
        if dtype.kind == "c" and rng.random() < 0.8:
            x = x + 1j * numbers.uniform(-1.5, 1.5, shape)
        inputs[name] = np.asarray(x).astype(dtype if np.iscomplexobj(x) else dtype.type(0).real.dtype)
    return inputs


def draw_outputs(rng: random.Random, values: Values, steps: list[Step]) -> tuple[str, ...]:
    """Values that depend on an input: those that no step reads, youngest first, up to three."""
    names = [name for name in values.names if values.tensors[name].requires_grad]
    read = {name for step in steps for name in step.reads}
    last = [name for name in reversed(names) if name not in read] or names[-1:]
    return tuple(last[: rng.randint(1, 3)])


class Values:
    """What PyTorch makes of the steps so far."""

    def __init__(self, torch: Any, inputs: dict[str, np.ndarray], copies: bool) -> None:
        self.torch, self.copies = torch, copies
        self.names = list(inputs)
        self.tensors = {name: torch.tensor(x, requires_grad=True) for name, x in inputs.items()}
        if copies:
            self.tensors = {name: x.clone() for name, x in self.tensors.items()}
        self.tensors |= {"lib": torch, "row": rows.row, "shaped": rows.shaped, "squashed": rows.squashed, "near": rows.near}

    def accept(self, step: Step) -> bool:
        """Take the step, unless PyTorch refuses it or leaves a value out of bounds."""
        written = None if step.makes else self.tensors[step.reads[0]]
        if written is not None and not (self.copies and places_differ(self.torch, written)):
            return False
        if written is not None and (turned := TURNED.search(step.source)) and same_memory(written, self.tensors[turned[1]]):
            return False
        if "median" in step.source and not all([places_differ(self.torch, self.tensors[name]) for name in step.reads]):
            return False  # of an expanded tensor PyTorch takes other elements
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                exec(step.source, self.tensors)
        except Exception:
            return False
        made = [self.tensors[name] for name in step.makes]
        if SPREAD.search(step.source) and any([bool((y.detach().abs() < 1e-6).any()) for y in made]):
            return False
        if SPECTRA.search(step.source) and crowded(step, self.tensors):
            return False
        changed = made or [self.tensors[name] for name in self.names]
        if not all([self.torch.is_tensor(y) and reasonable(self.torch, y) for y in changed]):
            return False
        self.names += [name for name in step.makes if differentiable(self.tensors[name])]
        return True

    def choose(self, rng: random.Random) -> str:
        """One of them, rather a young one than an old one."""
        return rng.choices(self.names, [k + 1 for k in range(len(self.names))])[0]


def crowded(step: Step, tensors: dict[str, Any]) -> bool:
    """Whether two values of a spectrum that a step has computed, or one and 0 if they are singular, nearly coincide."""
    name = "s" if "u, s, v" in step.source else "w" if "w, q" in step.source else step.makes[0]
    values = tensors[name].detach()
    gaps = values.sort(-1).values.diff(prepend=0 * values[..., :1] if "svd" in step.source else None)
    return bool((gaps < 1e-3).any())


def same_memory(x: Any, y: Any) -> bool:
    return x.untyped_storage().data_ptr() == y.untyped_storage().data_ptr()


def places_differ(torch: Any, y: Any) -> bool:
    """Whether no two elements lie in the same place, as they do in an expanded tensor: what a write gives is not said."""
    places = torch.arange(y.untyped_storage().size()).as_strided(y.shape, y.stride(), y.storage_offset())
    return places.unique().numel() == y.numel()


def differentiable(y: Any) -> bool:
    return y.is_floating_point() or y.is_complex()


def reasonable(torch: Any, y: Any) -> bool:
    y = y.detach()
    return 0 < y.numel() <= MOST and bool(torch.isfinite(y).all()) and float(y.abs().max()) <= LARGEST


# -- steps
def draw_step(torch: Any, rng: random.Random, values: Values, number: int) -> Step:
    (kind,) = rng.choices(KINDS, WEIGHTS)
    return kind(torch, rng, values, f"v{number}")


def draw_row(torch: Any, rng: random.Random, values: Values, new: str) -> Step:
    """A row as one of its samples calls it, on values brought into its domain."""
    name, i = rng.choice(every_row(torch))
    prim = REGISTRY[name]
    *operands, params = prim.samples[i]
    free = prim.family == "elementwise" and rng.random() < 0.7
    domains = list(prim.domain) or [(-2.0, 2.0)]
    said, reads = [], []
    real = "c" in getattr(getattr(tensor_xp, name), "refuses", "")  # the public name has another row for complex numbers
    for k, operand in enumerate(operands):
        value = values.choose(rng)
        text = repr_of(operand) if fixed(operand) else value
        if real and not fixed(operand) and values.tensors[value].is_complex():
            text = f"lib.real({value})"
        if not isinstance(operand, tuple):
            text = f"lib.tensor({text})" if fixed(operand) else f"near({np.array(operand).tolist()}, {text})"
        elif not free:
            text = f"shaped({text}, {operand})"
        low, high = domains[min(k, len(domains) - 1)]
        if isinstance(operand, tuple) and (low, high) != (-2.0, 2.0):
            text = f"squashed({text}, {low}, {high})"
        said.append(text)
        reads += [] if fixed(operand) else [value]
    made = tuple([f"{new}_{k}" for k in range(prim.outputs)]) if prim.outputs > 1 else (new,)
    named = [f"{key}={value!r}" for key, value in params.items()]
    return Step(f"{', '.join(made)}, = row(lib, {', '.join([repr(name), *said, *named])})", tuple(reads), made)


def fixed(operand: Any) -> bool:
    """Whether a sample gives an operand that stands as it is: indices and masks."""
    return not isinstance(operand, tuple) and np.array(operand).dtype.kind in "biu"


def repr_of(operand: Any) -> str:
    return repr(np.array(operand).tolist())


@functools.cache
def every_row(torch: Any) -> list[tuple[str, int]]:
    return [(name, i) for name, i in rows.drawable(torch) if name not in WRONG_THERE | AMBIGUOUS]


def draw_walked(torch: Any, rng: random.Random, values: Values, new: str) -> Step:
    """Any operation that the packages share and that takes one or two tensors alone."""
    call, arity, outputs = rng.choice(shared_operations(torch))
    reads = [values.choose(rng) for _ in range(arity)]
    operands = [f"squashed({name}, 0.2, 0.9)" if rng.random() < 0.4 else name for name in reads]
    made = tuple([f"{new}_{k}" for k in range(outputs)]) if outputs > 1 else (new,)
    return Step(f"{', '.join(made)} = {call}({', '.join(operands)})", tuple(reads), made)


@functools.cache
def shared_operations(torch: Any) -> list[tuple[str, int, int]]:
    """The public operations that give floating tensors for one or two: name, operands, results."""
    names = {f"lib.{name}" for topic in TOPICS for name in topic.__all__}
    names |= {f"lib.{space}.{name}" for space in ("nn.functional", "linalg") for name in attribute(gradkit, space).__all__}
    found = []
    for name in sorted(names - AMBIGUOUS - DIFFERENT - WRONG_THERE):
        for arity in (1, 2):
            outputs = results_of(torch, name, arity)
            if outputs:
                found.append((name, arity, outputs))
    return found


def attribute(lib: Any, path: str) -> Any:
    return functools.reduce(getattr, path.split("."), lib)


def results_of(torch: Any, name: str, arity: int) -> int:
    """How many floating tensors an operation returns for so many of them, 0 if it is not that kind of operation."""
    path = name.removeprefix("lib.")
    if path.split(".")[-1].startswith("_") or path.endswith("_"):
        return 0
    rng = np.random.default_rng(0)
    tensors = [torch.tensor(rng.uniform(0.2, 0.8, (3, 3))) for _ in range(arity)]
    try:
        attribute(gradkit, path)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            ys, *again = [attribute(torch, path)(*tensors) for _ in range(12)]  # of random ones, a few may well agree
    except Exception:
        return 0
    ys, *again = [y if isinstance(y, tuple | list) else (y,) for y in (ys, *again)]
    for k, y in enumerate(ys):
        if not (torch.is_tensor(y) and differentiable(y) and all([torch.equal(y, zs[k]) for zs in again])):
            return 0
    return len(ys)


def draw_sentence(sentences: list[str], torch: Any, rng: random.Random, values: Values, new: str) -> Step:
    """One of the sentences, its holes filled."""
    sentence = rng.choice(sentences)
    reads: list[str] = []
    lasting: dict[str, str] = {"new": new, "new2": f"{new}_"}

    def value() -> str:
        reads.append(values.choose(rng))
        return reads[-1]

    def fill(match: re.Match[str]) -> str:
        hole = match[1]
        if hole in ("x", "y", "w") and hole not in lasting:
            lasting[hole] = value()
        return lasting[hole] if hole in lasting else once(rng, hole, value)

    makes = tuple([name for hole, name in (("new", new), ("new2", f"{new}_")) if f"{{{hole}}}" in sentence])
    if not makes and "{w}" not in sentence:
        sentence, makes = "{new} = " + sentence, (new,)
    return Step(re.sub(r"\{(\w+)\}", fill, sentence).replace("|", "\n"), tuple(dict.fromkeys(reads)), makes)


def once(rng: random.Random, hole: str, value: Any) -> str:
    """What fills a hole anew each time it comes."""
    if hole == "dim":
        return str(rng.randint(-2, 1))
    if hole == "n":
        return str(rng.randint(0, 2))
    if hole == "c":
        return rng.choice(["0.5", "-0.7", "1.3", "2", "-1"])
    if hole == "p":
        return f"squashed({value()}, 0.3, 2.0)"
    if hole == "u":
        return f"squashed({value()}, -0.9, 0.9)"
    if hole == "spd":
        return SQUARE.format(f"shaped({value()}, (3, 3)).tanh()")
    shape = ", ".join(hole[1:])
    return f"shaped({value()}, ({shape},))"


SENTENCES = [(phrases.CALLS, 25), (phrases.VIEWS, 15), (phrases.WRITES, 12), (phrases.BLOCKS, 10)]
KINDS = [draw_row, draw_walked, *[functools.partial(draw_sentence, sentences) for sentences, _ in SENTENCES]]
WEIGHTS = [40, 15, *[weight for _, weight in SENTENCES]]
