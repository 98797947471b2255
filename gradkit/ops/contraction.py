"""Sums of products of several operands: tensordot, einsum, chains of matrices. All become products of matrices."""

import math
from functools import lru_cache
from typing import Any

from gradkit.engine.tensor import Tensor
from gradkit.ops.arranging import diagonal
from gradkit.ops.products import matmul, sized, tensors
from gradkit.ops.subscripts import Labels, parsed, parsed_lists
from gradkit.primitives import linalg as rows
from gradkit.primitives.elementwise import mul
from gradkit.primitives.reduction import sum as total
from gradkit.primitives.shape import axis_from_end, extents, permute, reshape

__all__ = ["chain_matmul", "einsum", "inner", "tensordot"]
METHODS = ("inner",)

Labelled = tuple[Tensor, Labels]  # a tensor with a label for each axis


# -- einsum
def einsum(*args: Any) -> Tensor:
    """Sums of products by Einstein's convention: ``einsum("ij,jk->ik", a, b)`` is the matrix product.

    The equation has a letter for each axis of each operand; axes of one letter have one extent, or 1, which broadcasts.
    A letter that is not in the output is summed over, one that an operand has twice takes its diagonal. "..." stands for
    axes without letters, which broadcast. Without "->" the output has the axes of "..." and then all letters that occur
    once, capitals first. Lists of ints 0 to 51 in place of letters: ``einsum(a, [0, 1], b, [1, 2], [0, 2])``. Of more
    than two operands the pair with the smallest product goes first.

    RuntimeError for an equation that is wrong or does not fit the operands, or where products are summed of operands
    whose dtypes differ.

    >>> gradkit.einsum("ij,j", gradkit.ones(2, 3), gradkit.tensor([1.0, 2.0, 3.0]))
    tensor([6., 6.])
    """
    if args and isinstance(args[0], str):
        operands = args[1] if len(args) == 2 and isinstance(args[1], list | tuple) else args[1:]
        tensors("einsum", *operands, mixed=True)
        inputs, output = parsed(args[0], tuple([x.ndim for x in operands]))
    else:
        if len(args) < 2:
            raise ValueError("einsum(): must specify the equation string and at least one operand, or an operand and its subscripts list")
        operands, inputs, output = parsed_lists(args)
        tensors("einsum", *operands, mixed=True)
    check_extents(inputs, tuple([extents(x) for x in operands]))
    terms = [without_repeats(x, labels) for x, labels in zip(operands, inputs)]
    while len(terms) > 1:
        i, j = cheapest_pair(terms, output) if len(terms) > 2 else (0, 1)
        rest = [term for k, term in enumerate(terms) if k not in (i, j)]
        if not rest and output and output[-1] not in terms[j][1]:
            i, j = j, i  # so that the result comes in the order that is asked for
        terms = [*rest, contracted(terms[i], terms[j], frozenset(output).union(*[labels for _, labels in rest]))]
    return arranged(terms[0], output)


@lru_cache(maxsize=1024)
def check_extents(inputs: tuple[Labels, ...], shapes: tuple[Any, ...]) -> None:
    seen: dict[Any, int] = {}
    for i, (labels, shape) in enumerate(zip(inputs, shapes)):
        mine: dict[Any, int] = {}
        for label, n in zip(labels, shape):
            if mine.setdefault(label, n) != n:
                raise RuntimeError(
                    f"einsum(): subscript {label} is repeated for operand {i} but the sizes don't match, {n} != {mine[label]}"
                )
            if seen.setdefault(label, n) != n and 1 not in (n, seen[label]):
                raise RuntimeError(
                    f"einsum(): subscript {label} has size {n} for operand {i} which does not broadcast with previously seen "
                    f"size {seen[label]}"
                )
            seen[label] = n if seen[label] == 1 else seen[label]


def without_repeats(x: Tensor, labels: Labels) -> Labelled:
    """Diagonals for labels that occur twice."""
    if len(set(labels)) == len(labels):
        return x, labels
    for label in set(labels):
        while labels.count(label) > 1:
            first = labels.index(label)
            second = labels.index(label, first + 1)
            x = diagonal(x, 0, first, second)
            labels = (*[kept for i, kept in enumerate(labels) if i not in (first, second)], label)
    return x, labels


def cheapest_pair(terms: list[Labelled], output: Labels) -> tuple[int, int]:
    """The two whose product has the fewest elements compared with theirs (the greedy order of opt_einsum)."""
    pairs = [(i, j) for j in range(len(terms)) for i in range(j)]

    def growth(pair: tuple[int, int]) -> int:
        (a, a_labels), (b, b_labels) = terms[pair[0]], terms[pair[1]]
        sizes = dict(zip(a_labels, a.shape)) | {k: n for k, n in zip(b_labels, b.shape) if n != 1}
        elsewhere = set(output).union(*[labels for k, (_, labels) in enumerate(terms) if k not in pair])
        return math.prod([n for label, n in sizes.items() if label in elsewhere]) - a.numel() - b.numel()

    return min(pairs, key=growth)


def arranged(term: Labelled, order: Labels) -> Tensor:
    x, labels = term
    lost = tuple([i for i, k in enumerate(labels) if k not in order])
    if lost:
        x, labels = total(x, lost), tuple([k for k in labels if k in order])
    places = tuple([labels.index(k) for k in order])
    return x if places == tuple(range(len(places))) else permute(x, places)


# -- two operands
def contracted(a: Labelled, b: Labelled, wanted: frozenset[Any]) -> Labelled:
    (x, x_labels), (y, y_labels) = a, b
    of_x, of_y, combine, shape, labels = recipe(x_labels, extents(x), y_labels, extents(y), wanted)
    if combine is not mul:
        tensors("einsum", x, y)
    z = combine(prepared(x, *of_x), prepared(y, *of_y))
    return (z if shape is None else reshape(z, shape)), labels


def prepared(x: Tensor, summed: Any, order: Any, shape: Any) -> Tensor:
    if summed:
        x = total(x, summed)
    if order is not None:
        x = permute(x, order)
    return x if shape is None else reshape(x, shape)


@lru_cache(maxsize=1024)
def recipe(a: Labels, a_shape: Any, b: Labels, b_shape: Any, wanted: frozenset[Any]) -> tuple[Any, ...]:
    """What to do to each of two operands, how to combine them, the shape to give to the result, and its labels."""
    a_sizes, b_sizes = dict(zip(a, a_shape)), dict(zip(b, b_shape))
    sizes = a_sizes | {k: n for k, n in b_sizes.items() if n != 1 or k not in a}
    a_kept, b_kept = [  # an extent of 1 that broadcasts is dropped, and what nobody else has is summed first
        [k for k, n in mine.items() if n == sizes[k] and (k in wanted or other.get(k) == n)]
        for mine, other in ((a_sizes, b_sizes), (b_sizes, a_sizes))
    ]
    batch, summed = [[k for k in a_kept if k in b_kept and (k in wanted) is out] for out in (True, False)]
    a_own, b_own = [k for k in a_kept if k not in b_kept], [k for k in b_kept if k not in a_kept]
    combine: Any = rows.rowdot
    if not summed:
        combine = mul
        groups = [[*[[k] for k in a_own], *[[]] * len(b_own)], [*[[]] * len(a_own), *[[k] for k in b_own]]]
    elif a_own and b_own:
        combine = rows.matmul
        groups = [[a_own, summed], [summed, b_own]]
    else:  # one is a vector, or a stack of vectors, for all rows of the other
        spare: list[Any] = [[]] * bool(batch)
        groups = [[*([own] if own else spare * bool(other)), summed] for own, other in ((a_own, b_own), (b_own, a_own))]
    labels = (*batch, *a_own, *b_own)
    whole = combine is mul or max(len(a_own), len(b_own)) <= 1
    shape = None if whole else tuple([sizes[k] for k in labels])
    steps_of = [steps(mine, kept, batch, of) for mine, kept, of in zip((a_sizes, b_sizes), (a_kept, b_kept), groups)]
    return *steps_of, combine, shape, labels


def steps(sizes: dict[Any, int], kept: list[Any], batch: list[Any], groups: Any) -> tuple[Any, Any, Any]:
    """The axes to sum over, the order of those kept, and the shape in which those of a group are one; None for nothing."""
    order = [*batch, *[k for group in groups for k in group]]
    shape = (*[sizes[k] for k in batch], *[math.prod([sizes[k] for k in group]) for group in groups])
    return (
        tuple([i for i, k in enumerate(sizes) if k not in kept]),
        None if order == kept else tuple([kept.index(k) for k in order]),
        None if shape == tuple([sizes[k] for k in order]) else shape,
    )


# -- tensordot
def tensordot(a: Tensor, b: Tensor, dims: Any = 2) -> Tensor:
    """The sums of products over some axes of both: the other axes of `a`, then those of `b`, are left.

    `dims` is how many axes, the last of `a` with the first of `b`; or two lists of axes. RuntimeError if these differ in
    length or extents; an extent of 1 goes with any.

    >>> gradkit.tensordot(gradkit.ones(2, 3), gradkit.ones(3, 4), dims=1).shape
    gradkit.Size([2, 4])
    """
    tensors("tensordot", a, b)
    if hasattr(dims, "__index__"):
        if not 0 <= dims <= min(a.ndim, b.ndim):
            raise RuntimeError(f"tensordot expects dims >= 0 and at most the axes there are, but got dims={dims}")
        dims = range(-dims, 0), range(dims)
    pairs = [dim if isinstance(dim, list | tuple | range) else [dim] for dim in dims]
    if len(pairs[0]) != len(pairs[1]):
        raise RuntimeError("both dimension lists should have same length")
    a_axes, b_axes = [[axis_from_end(x, dim) + x.ndim for dim in chosen] for x, chosen in ((a, pairs[0]), (b, pairs[1]))]
    for i, j in zip(a_axes, b_axes):
        if 1 in (a.shape[i], b.shape[j]):
            a, b = [x if x.shape[k] == 1 else total(x, axis=(k - x.ndim,), keepdims=True) for x, k in ((a, i), (b, j))]
        if a.shape[i] != b.shape[j]:
            raise RuntimeError(
                f"contracted dimensions need to match, but first has size {a.shape[i]} in dim {i} and second has size "
                f"{b.shape[j]} in dim {j}"
            )
    a_labels = tuple(range(a.ndim))
    b_labels = tuple([a_axes[b_axes.index(j)] if j in b_axes else a.ndim + j for j in range(b.ndim)])
    rest = tuple([k for k in (*a_labels, *b_labels) if k not in a_axes])
    return arranged(contracted((a, a_labels), (b, b_labels), frozenset(rest)), rest)


def inner(input: Tensor, other: Tensor) -> Tensor:
    """The sums over the last axis of both of the products of their elements: shape (*input[:-1], *other[:-1]).

    With a scalar it is the product. RuntimeError if the last axes differ.

    >>> gradkit.inner(gradkit.ones(2, 3), gradkit.ones(3))
    tensor([3., 3.])
    """
    if isinstance(input, Tensor) and isinstance(other, Tensor) and not (input.ndim and other.ndim):
        return input * other
    tensors("inner", input, other)
    if input.shape[-1] != other.shape[-1]:
        raise RuntimeError(
            "inner() the last dimension must match on both input tensors but got shapes "
            f"{list(input.shape)} and {list(other.shape)}"
        )
    return tensordot(input, other, ([-1], [-1]))


# -- chains of matrices
def chain_matmul(*matrices: Any) -> Tensor:
    """The product of several matrices in the order that takes the least work: `gradkit.linalg.multi_dot`.

    >>> gradkit.chain_matmul(gradkit.ones(2, 3), gradkit.ones(3, 1), gradkit.ones(1, 2))
    tensor([[3., 3.],
            [3., 3.]])
    """
    if len(matrices) == 1 and not isinstance(matrices[0], Tensor):
        matrices = tuple(matrices[0])
    sized("chain_matmul", 2, *matrices)
    return matrices[0] if len(matrices) == 1 else multi_dot(matrices)


def multi_dot(tensors: Any) -> Tensor:
    """The product of two or more matrices in the order that takes the least work; the first and last may be vectors.

    Cormen et al., Introduction to Algorithms, section 15.2. RuntimeError if shapes do not go together.

    >>> gradkit.linalg.multi_dot([gradkit.ones(2, 3), gradkit.ones(3, 1), gradkit.ones(1)])
    tensor([3., 3.])
    """
    chain = list(tensors)
    if len(chain) < 2:
        raise RuntimeError(f"multi_dot(): expected at least 2 tensors but got {len(chain)}")
    for i, x in enumerate(chain):
        allowed = (1, 2) if i in (0, len(chain) - 1) else (2,)
        if x.ndim not in allowed:
            raise RuntimeError(f"multi_dot(): tensor {i} must be {'1D or ' if 1 in allowed else ''}2D but got {x.ndim}D")
    extents = [*([1] if chain[0].ndim == 1 else []), *chain[0].shape]
    for i, x in enumerate(chain[1:]):
        if x.shape[0] != extents[-1]:
            raise RuntimeError(
                f"multi_dot(): tensors {i} and {i + 1} with shapes {list(chain[i].shape)} and {list(x.shape)} cannot be multiplied"
            )
        extents.append(x.shape[1] if x.ndim == 2 else 1)
    splits = best_splits(extents)

    def multiplied(first: int, last: int) -> Tensor:
        if first == last:
            return chain[first]
        middle = splits[first, last]
        return matmul(multiplied(first, middle), multiplied(middle + 1, last))

    return multiplied(0, len(chain) - 1)


def best_splits(extents: list[int]) -> dict[tuple[int, int], int]:
    """Where to split each part of a chain of matrices, matrix i being extents[i] x extents[i + 1]."""
    count = len(extents) - 1
    work = {(i, i): 0 for i in range(count)}
    splits = {}
    for length in range(1, count):
        for i in range(count - length):
            j = i + length
            work[i, j], splits[i, j] = min(
                [(work[i, k] + work[k + 1, j] + extents[i] * extents[k + 1] * extents[j + 1], k) for k in range(i, j)]
            )
    return splits
