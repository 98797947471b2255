"""Cutting a failing program down to the steps, outputs and inputs without which it would not fail."""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace

from tests.programs.program import Program, Step


def shrink(program: Program, fails: Callable[[Program], bool]) -> Program:
    """A program that still fails, and of which nothing can be left out."""
    smaller = program
    while smaller is not None:
        program, smaller = smaller, next((one for one in candidates(smaller) if fails(one)), None)
    return program


def candidates(program: Program) -> Iterator[Program]:
    """The program with one thing less."""
    for name in program.outputs if len(program.outputs) > 1 else ():
        yield replace(program, outputs=(name,))
    for k in range(len(program.steps) - 1, -1, -1):
        yield from without_step(program, k)
    used = {name for step in program.steps for name in step.reads} | set(program.outputs)
    for name in program.inputs:
        if name not in used:
            yield replace(program, inputs={key: x for key, x in program.inputs.items() if key != name})


def without_step(program: Program, k: int) -> Iterator[Program]:
    """The program without a step: dropped if nothing needs it, else one of the values it reads stands for its results."""
    gone, before, after = program.steps[k], program.steps[:k], program.steps[k + 1 :]
    needed = set(gone.makes) & ({name for step in after for name in step.reads} | set(program.outputs))
    if not needed:
        yield replace(program, steps=before + after)
        return
    for name in dict.fromkeys([*gone.reads, *program.inputs]):
        table = dict.fromkeys(gone.makes, name)
        steps = before + tuple([renamed(step, table) for step in after])
        yield replace(program, steps=steps, outputs=tuple(dict.fromkeys([table.get(y, y) for y in program.outputs])))


def renamed(step: Step, table: dict[str, str]) -> Step:
    source = re.sub(r"\b[a-c]\b|\bv\d+(_\d*)?\b", lambda match: table.get(match[0], match[0]), step.source)
    return Step(source, tuple([table.get(name, name) for name in step.reads]), step.makes)
