"""Sums of products of several operands: tensordot, einsum, chains of matrices. All become products of matrices."""

import math
from typing import Any

from gradkit.engine.tensor import Tensor
from gradkit.ops.arranging import diagonal
from gradkit.ops.products import matmul, sized, tensors
from gradkit.ops.subscripts import Labels, parsed, parsed_lists
from gradkit.primitives import linalg as rows
from gradkit.primitives.reduction import sum as total
from gradkit.primitives.shape import axis_from_end, permute, reshape

__all__ = ["chain_matmul", "einsum", "inner", "tensordot"]
METHODS = ("inner",)
INPLACE: tuple[str, ...] = ()

Labelled = tuple[Tensor, Labels]  # a tensor with a label for each axis


# -- einsum ----------------------------------------------------------------------------------------------------------
def einsum(*args: Any) -> Tensor:
    """Sums of products by Einstein's convention: ``einsum("ij,jk->ik", a, b)`` is the matrix product.

    The equation has a letter for each axis of each operand; axes of one letter have one extent, or 1, which broadcasts.
    A letter that is not in the output is summed over, one that an operand has twice takes its diagonal. "..." stands for
    axes without letters, which broadcast. Without "->" the output has the axes of "..." and then all letters that occur
    once, capitals first. Lists of ints 0 to 51 in place of letters: ``einsum(a, [0, 1], b, [1, 2], [0, 2])``. Of more
    than two operands the pair with the smallest product goes first.

    RuntimeError for an equation that is wrong or does not fit the operands, or dtypes that differ.

    >>> import gradkit
    >>> gradkit.einsum("ij,j", gradkit.ones(2, 3), gradkit.tensor([1.0, 2.0, 3.0]))
    tensor([6., 6.])
    """
    if args and isinstance(args[0], str):
        operands = args[1] if len(args) == 2 and isinstance(args[1], list | tuple) else args[1:]
        tensors("einsum", *operands)
        inputs, output = parsed(args[0], tuple([x.ndim for x in operands]))
    else:
        operands, inputs, output = parsed_lists(args)
        tensors("einsum", *operands)
    check_extents(operands, inputs)
    terms = [without_repeats(x, labels) for x, labels in zip(operands, inputs)]
    while len(terms) > 1:
        i, j = cheapest_pair(terms, output) if len(terms) > 2 else (0, 1)
        wanted = set(output).union(*[labels for k, (_, labels) in enumerate(terms) if k not in (i, j)])
        y = contracted(terms[i], terms[j], wanted)
        terms = [*[term for k, term in enumerate(terms) if k not in (i, j)], y]
    return arranged(terms[0], output)


def check_extents(operands: Any, inputs: Any) -> None:
    seen: dict[Any, int] = {}
    for i, (x, labels) in enumerate(zip(operands, inputs)):
        mine: dict[Any, int] = {}
        for label, n in zip(labels, x.shape):
            if mine.setdefault(label, n) != n:
                raise RuntimeError(
                    f"einsum(): subscript {label} is repeated for operand {i} but the sizes don't match, {n} != {mine[label]}"
                )
            if seen.setdefault(label, n) != n and 1 not in (n, seen[label]):
                raise RuntimeError(
                    f"einsum(): subscript {label} has size {n} for operand {i} which does not broadcast with previously seen "
                    f"size {seen[label]}"
                )
            seen[label] = max(n, seen[label]) if n and seen[label] else 0


def without_repeats(x: Tensor, labels: Labels) -> Labelled:
    """Diagonals for labels that occur twice."""
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
        extents = dict(zip(a_labels, a.shape)) | {k: n for k, n in zip(b_labels, b.shape) if n != 1}
        elsewhere = set(output).union(*[labels for k, (_, labels) in enumerate(terms) if k not in pair])
        return math.prod([n for label, n in extents.items() if label in elsewhere]) - a.numel() - b.numel()

    return min(pairs, key=growth)


def contracted(a: Labelled, b: Labelled, wanted: Any) -> Labelled:
    """The product of two terms, summed over the labels that are not wanted any more."""
    a, b = squeezed(a, b), squeezed(b, a)
    a, b = summed_alone(a, b, wanted), summed_alone(b, a, wanted)
    both = [label for label in a[1] if label in b[1]]
    batch, summed = [k for k in both if k in wanted], [k for k in both if k not in wanted]
    a_own, b_own = [[k for k in labels if k not in both] for _, labels in (a, b)]
    if not a_own and b_own:
        a, b, a_own, b_own = b, a, b_own, a_own
    extents = dict(zip(a[1], a[0].shape)) | dict(zip(b[1], b[0].shape))
    if not summed:
        y = grouped(a, batch, *singles(a_own), *[[]] * len(b_own)) * grouped(b, batch, *[[]] * len(a_own), *singles(b_own))
    elif b_own:
        y = rows.matmul(grouped(a, batch, a_own, summed), grouped(b, batch, summed, b_own))
    elif a_own:
        y = rows.rowdot(grouped(a, batch, a_own, summed), grouped(b, batch, *[[]] * bool(batch), summed))
    else:
        y = rows.rowdot(grouped(a, batch, summed), grouped(b, batch, summed))
    labels = (*batch, *a_own, *b_own)
    return shaped(y, [extents[k] for k in labels]), labels


def singles(labels: list[Any]) -> list[list[Any]]:
    return [[k] for k in labels]


def squeezed(a: Labelled, b: Labelled) -> Labelled:
    """`a` without the axes of extent 1 that broadcast to an axis of `b`."""
    x, labels = a
    larger = {k for k, n in zip(b[1], b[0].shape) if n != 1}
    kept = [(k, n) for k, n in zip(labels, x.shape) if not (n == 1 and k in larger)]
    return shaped(x, [n for _, n in kept]), tuple([k for k, _ in kept])


def summed_alone(a: Labelled, b: Labelled, wanted: Any) -> Labelled:
    """`a` summed over what neither `b` nor anyone else has."""
    x, labels = a
    lost = tuple([i for i, k in enumerate(labels) if k not in b[1] and k not in wanted])
    return (total(x, lost), tuple([k for i, k in enumerate(labels) if i not in lost])) if lost else a


def grouped(term: Labelled, batch: Any, *groups: Any) -> Tensor:
    """The axes in the order of the groups, those of each group as one; those of `batch` stay apart."""
    x, labels = term
    extents = dict(zip(labels, x.shape))
    x = arranged(term, (*batch, *[k for group in groups for k in group]))
    return shaped(x, [*[extents[k] for k in batch], *[math.prod([extents[k] for k in group]) for group in groups]])


def arranged(term: Labelled, order: Any) -> Tensor:
    """The axes in this order, without those that are not in it."""
    x, labels = summed_alone(term, (term[0], ()), order)
    missing = [k for k in order if k not in labels]
    if missing:  # an output with "..." that no operand has any axis for
        raise RuntimeError(f"einsum(): output subscript {missing[0]} does not appear in the equation for any input operand")
    places = tuple([labels.index(k) for k in order])
    return x if places == tuple(range(len(places))) else permute(x, places)


def shaped(x: Tensor, shape: Any) -> Tensor:
    return x if list(x.shape) == list(shape) else reshape(x, shape)


# -- tensordot -------------------------------------------------------------------------------------------------------
def tensordot(a: Tensor, b: Tensor, dims: Any = 2) -> Tensor:
    """The sums of products over some axes of both: the other axes of `a`, then those of `b`, are left.

    `dims` is how many axes, the last of `a` with the first of `b`; or two lists of axes. RuntimeError if these differ in
    length or extents.

    >>> import gradkit
    >>> gradkit.tensordot(gradkit.ones(2, 3), gradkit.ones(3, 4), dims=1).shape
    gradkit.Size([2, 4])
    """
    tensors("tensordot", a, b)
    if isinstance(dims, int):
        if not 0 <= dims <= min(a.ndim, b.ndim):
            raise RuntimeError(f"tensordot expects dims >= 0 and at most the axes there are, but got dims={dims}")
        dims = range(-dims, 0), range(dims)
    pairs = [dim if isinstance(dim, list | tuple | range) else [dim] for dim in dims]
    if len(pairs[0]) != len(pairs[1]):
        raise RuntimeError("both dimension lists should have same length")
    a_axes, b_axes = [[axis_from_end(x, dim) + x.ndim for dim in chosen] for x, chosen in ((a, pairs[0]), (b, pairs[1]))]
    for i, j in zip(a_axes, b_axes):
        if a.shape[i] != b.shape[j]:
            raise RuntimeError(
                f"contracted dimensions need to match, but first has size {a.shape[i]} in dim {i} and second has size "
                f"{b.shape[j]} in dim {j}"
            )
    a_labels = tuple(range(a.ndim))
    b_labels = tuple([a_axes[b_axes.index(j)] if j in b_axes else a.ndim + j for j in range(b.ndim)])
    rest = [k for k in (*a_labels, *b_labels) if k not in a_axes]
    return arranged(contracted((a, a_labels), (b, b_labels), rest), rest)


def inner(input: Tensor, other: Tensor) -> Tensor:
    """The sums over the last axis of both of the products of their elements: shape (*input[:-1], *other[:-1]).

    With a scalar it is the product. RuntimeError if the last axes differ.

    >>> import gradkit
    >>> gradkit.inner(gradkit.ones(2, 3), gradkit.ones(3))
    tensor([3., 3.])
    """
    tensors("inner", input, other)
    if not input.ndim or not other.ndim:
        return input * other
    if input.shape[-1] != other.shape[-1]:
        raise RuntimeError(
            "inner() the last dimension must match on both input tensors but got shapes "
            f"{list(input.shape)} and {list(other.shape)}"
        )
    return tensordot(input, other, ([-1], [-1]))


# -- chains of matrices ----------------------------------------------------------------------------------------------
def chain_matmul(*matrices: Any) -> Tensor:
    """The product of several matrices in the order that takes the least work: `gradkit.linalg.multi_dot`.

    >>> import gradkit
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

    >>> import gradkit
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
