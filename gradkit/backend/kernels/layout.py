"""How operands lie in memory, and so which form of an elementwise kernel runs on them, on how many blocks.

Plain numbers in and out: shapes, strides and addresses modulo 16, so that the choice can be tested without a GPU, and
is remembered from one training step to the next.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import prod
from typing import Any

import numpy as np

from gradkit.backend.numpy import stretched

THREADS = 256
VECTOR = 16  # bytes that a thread reads or writes at once
BLOCKS_EACH = 8  # on each multiprocessor, at most
MOST_AXES = 8  # as in strided.cuh
SMALL = 2**31 - 2**24  # what 32-bit indices reach, with room for the last step of a loop

#: An operand: its shape, its strides in bytes, and its address modulo 16.
Place = tuple[tuple[int, ...], tuple[int, ...], int]
#: An axis that all operands share: its extent, and each operand's stride in elements.
Axis = tuple[int, tuple[int, ...]]


@dataclass(frozen=True)
class Plan:
    """The kernel's suffix and index type, its account of the layout, and blocks."""

    suffix: str
    index: str
    how: Any
    grid: tuple[int, ...]
    parts: int = 0  # partial sums to leave room for; each tile of kept places has a counter beside them


@lru_cache(maxsize=4096)
def plan(
    shape: tuple[int, ...], itemsize: int, inputs: tuple[Place, ...], outputs: tuple[Place | None, ...],
    total: Place | None, adds: int, most: int,
) -> Plan | None:
    """The launch over `shape`; None if the operands have more axes than the kernels serve.

    `outputs` that nobody wants are None, and so is the one that is summed, which lies as `total` says. `adds` has a bit
    for each output that is added into what is there.
    """
    places = [*inputs, *outputs] if total is None else [*inputs, *outputs, total]
    strides = [in_elements(place, shape, itemsize) for place in places]
    far = max([sum([abs(s) * (n - 1) for n, s in zip(shape, row)]) for row in strides] + [prod(shape)])
    index = "int" if far < SMALL else "long long"
    axes = ordered([(n, column) for n, column in zip(shape, zip(*strides)) if n > 1])
    kept = collapsed([axis for axis in axes if total is None or axis[1][-1]])
    reduced = [] if total is None else collapsed([axis for axis in axes if not axis[1][-1]])
    if total is None or not kept:
        head = flat_head(kept or reduced, inputs, outputs, itemsize)
        if head is not None:
            return flat(kept or reduced, len(inputs), head, VECTOR // itemsize, adds, index, most, total is not None)
    if len(kept) + len(reduced) > MOST_AXES:
        return None
    if total is None:
        how = described(kept, len(places), index, prod(shape), len(kept), adds)
        return Plan("_strided", index, how, (block_count(prod(shape), most),))
    return summing(kept, reduced, len(places), adds, index, most)


def in_elements(place: Place | None, shape: tuple[int, ...], itemsize: int) -> tuple[int, ...]:
    """An operand's strides along the axes of `shape`: 0 where it is broadcast, or not there at all."""
    return (0,) * len(shape) if place is None else tuple([s // itemsize for s in stretched(*place[:2], shape)])


def ordered(axes: list[Axis]) -> list[Axis]:
    """The axes from the longest strides to the shortest: elementwise, any order will do, and this one is memory's."""
    return sorted(axes, key=lambda axis: -sum(map(abs, axis[1])))


def collapsed(axes: list[Axis]) -> list[Axis]:
    """The same places with as few axes as can be."""
    found: list[Axis] = []
    for n, strides in axes:
        if found and all([outer == inner * n for outer, inner in zip(found[-1][1], strides)]):
            found[-1] = (found[-1][0] * n, strides)
        else:
            found.append((n, strides))
    return found


# -- the three forms
def flat_head(axes: list[Axis], inputs: Sequence[Place], outputs: Sequence[Place | None], itemsize: int) -> int | None:
    """How many elements come before the first vector; None unless all is in one piece, and aligned alike."""
    if not axes:
        return 0
    if len(axes) > 1:
        return None
    strides = axes[0][1]
    there = [(s, place[2]) for s, place in zip(strides, (*inputs, *outputs)) if place is not None]
    single_output = any([s == 0 and place is not None for s, place in zip(strides[len(inputs) :], outputs)])
    if single_output or any([s not in (0, 1) for s, _ in there]):
        return None
    offsets = {address for s, address in there if s}
    if len(offsets) > 1 or any([offset % itemsize for offset in offsets]):
        return None
    return min(axes[0][0], -offsets.pop() % VECTOR // itemsize) if offsets else 0


def flat(axes: list[Axis], inputs: int, head: int, lanes: int, adds: int, index: str, most: int, sums: bool) -> Plan:
    size, strides = axes[0] if axes else (1, (0,) * inputs)
    single = sum([1 << i for i, s in enumerate(strides[:inputs]) if s == 0])
    grid = block_count(-(-size // lanes), most)
    return Plan("", index, packed(f"{LETTER[index]}" * 2 + "II", size, head, single, adds), (grid,), grid if sums else 0)


def summing(kept: list[Axis], reduced: list[Axis], arrays: int, adds: int, index: str, most: int) -> Plan:
    """A block has a tile of kept places side by side, and its threads share a chunk of the sum of each."""
    places, terms = prod([n for n, _ in kept]), prod([n for n, _ in reduced])
    along = not kept or sum(map(abs, reduced[-1][1])) < sum(map(abs, kept[-1][1]))
    rows = power_of_two(min(terms, THREADS)) if along else max(1, THREADS // power_of_two(min(places, 32)))
    across = min(THREADS // rows, power_of_two(places))
    tiles = -(-places // across)
    enough = -(-terms // (4 * (THREADS // across)))  # chunks, for each thread to have four terms
    chunks = max(1, min(most // tiles, enough))
    counts = (places, terms, len(kept), len(kept) + len(reduced), across, along, adds)
    how = described(kept + reduced, arrays, index, *counts)
    return Plan("_summing", index, how, (min(tiles, 2**31 - 1), chunks), places * chunks)


def block_count(threads: int, most: int) -> int:
    return max(1, min(most, -(-threads // THREADS)))


def power_of_two(n: int) -> int:
    return 1 << max(0, n - 1).bit_length()


# -- structs as in the headers
LETTER = {"int": "i", "long long": "q"}


def packed(format: str, *values: int) -> Any:
    data = struct.pack(format, *values)
    return np.frombuffer(data, f"V{len(data)}")[0]


def described(axes: list[Axis], arrays: int, index: str, *counts: int) -> Any:
    """The struct `Strided` or `Summing`: the axes, sizes as indices, then small numbers."""
    letter, rest = LETTER[index], MOST_AXES - len(axes)
    values = [n for n, _ in axes] + [0] * rest
    for k in range(arrays):
        values += [strides[k] for _, strides in axes] + [0] * rest
    sizes = 1 if len(counts) == 3 else 2
    format = letter * (len(values) + sizes) + "i" * (len(counts) - sizes) + f"0{letter}"
    return packed(format, *values, *counts)
