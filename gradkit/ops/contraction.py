"""einsum and tensordot: sums of products over named axes, brought to products of (stacks of) matrices."""

import math
from typing import Any

from gradkit.engine.tensor import Tensor
from gradkit.ops.arranging import diagonal
from gradkit.ops.shaping import expand, permute, reshape
from gradkit.primitives.elementwise import mul
from gradkit.primitives.linalg import matmul as _matmul
from gradkit.primitives.reduction import sum as _sum

__all__ = ["einsum", "tensordot"]
METHODS: tuple[str, ...] = ()
INPLACE: tuple[str, ...] = ()


def tensordot(a: Tensor, b: Tensor, dims: Any = 2) -> Tensor:
    """Sums of products over the last `dims` axes of `a` and the first of `b`, or over two lists of axes.

    RuntimeError if the extents summed over differ.

    >>> import gradkit
    >>> gradkit.tensordot(gradkit.ones(2, 3), gradkit.ones(3, 4), dims=1).shape
    gradkit.Size([2, 4])
    """
    if isinstance(dims, Tensor):
        dims = dims.tolist()
    if isinstance(dims, int):
        if dims < 0 or dims > min(a.ndim, b.ndim):
            raise RuntimeError(f"tensordot expects dims >= 0 and within both tensors, but got dims={dims}")
        of_a, of_b = list(range(a.ndim - dims, a.ndim)), list(range(dims))
    else:
        of_a, of_b = [[axis % max(x.ndim, 1) for axis in axes] for x, axes in zip((a, b), dims)]
    if [a.shape[i] for i in of_a] != [b.shape[j] for j in of_b]:
        raise RuntimeError(
            f"contracted dimensions need to match, but {tuple(a.shape)} over axes {of_a} and {tuple(b.shape)} over axes "
            f"{of_b} do not"
        )
    own_a, own_b = [i for i in range(a.ndim) if i not in of_a], [j for j in range(b.ndim) if j not in of_b]
    summed = math.prod([a.shape[i] for i in of_a])
    left = reshape(permute(a, own_a + of_a), (math.prod([a.shape[i] for i in own_a]), summed))
    right = reshape(permute(b, of_b + own_b), (summed, math.prod([b.shape[j] for j in own_b])))
    return reshape(_matmul(left, right), [a.shape[i] for i in own_a] + [b.shape[j] for j in own_b])


def einsum(equation: Any, *operands: Any) -> Tensor:
    """Sums of products by Einstein's convention: ``einsum("ij,jk->ik", a, b)``.

    A letter names an axis; one that the output lacks is summed over, one that repeats within an operand takes the
    diagonal, "..." stands for axes that broadcast. Without "->" the letters that occur once are the output, in
    alphabetical order. Operands and lists of numbers may alternate instead: ``einsum(a, [0, 1], b, [1, 2], [0, 2])``.

    Pairs are contracted from left to right (the cheapest pair first for more than two), each as a product of stacks of
    matrices. RuntimeError for an equation that does not fit its operands.

    >>> import gradkit
    >>> gradkit.einsum("ij,j->i", gradkit.ones(2, 3), gradkit.ones(3))
    tensor([3., 3.])
    """
    if not isinstance(equation, str):
        equation, operands = _from_numbers((equation, *operands))
    elif len(operands) == 1 and isinstance(operands[0], list | tuple):
        operands = tuple(operands[0])
    inputs, output = _parsed(equation.replace(" ", ""), operands)
    terms = [_distinct(x, names) for x, names in zip(operands, inputs)]
    while len(terms) > 1:
        i, j = _cheapest(terms, output) if len(terms) > 2 else (0, 1)
        rest = [t for k, t in enumerate(terms) if k not in (i, j)]
        wanted = set(output).union(*[names for _, names in rest])
        terms = [_contracted(terms[i], terms[j], wanted), *rest]
    x, names = _summed(*terms[0], set(output))
    return permute(x, [names.index(n) for n in output]) if names != output else x


def in_best_order(matrices: list[Tensor]) -> Tensor:
    """The product of a chain of matrices, the cheapest pair of neighbours first."""
    while len(matrices) > 1:
        costs = [a.shape[-2] * a.shape[-1] * b.shape[-1] for a, b in zip(matrices, matrices[1:])]
        i = costs.index(min(costs))
        matrices[i : i + 2] = [matrices[i] @ matrices[i + 1]]  # type: ignore[operator]
    return matrices[0]


# -- reading the equation ----------------------------------------------------------------------------------------------
def _from_numbers(args: tuple[Any, ...]) -> tuple[str, tuple[Any, ...]]:
    """Operands and sublists of numbers, as an equation of letters."""
    letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
    spelt = ["".join(["..." if n is Ellipsis else letters[n] for n in names]) for names in args[1::2]]
    if len(args) % 2:
        last = "".join(["..." if n is Ellipsis else letters[n] for n in args[-1]])
        return ",".join(spelt) + "->" + last, args[:-1:2]
    return ",".join(spelt), args[::2]


def _parsed(equation: str, operands: Any) -> tuple[list[list[str]], list[str]]:
    """The names of every operand's axes and of the output's; axes under an ellipsis are named by their place from the end."""
    left, arrow, right = equation.partition("->")
    parts = left.split(",")
    if len(parts) != len(operands):
        raise RuntimeError(
            f"einsum(): more {'operands' if len(operands) > len(parts) else 'subscripts'} were provided than the other: "
            f"{equation!r} has {len(parts)}, there are {len(operands)} operands"
        )
    inputs = [_names(part, x, k) for k, (part, x) in enumerate(zip(parts, operands))]
    dots = max([names for names in ([n for n in one if n.startswith(".")] for one in inputs)], key=len, default=[])
    counts: dict[str, int] = {}
    for names in inputs:
        for n in names:
            counts[n] = counts.get(n, 0) + 1
    if arrow:
        output = [n for piece in _pieces(right) for n in (dots if piece == "..." else [piece])]
    else:
        output = dots + sorted([n for n, c in counts.items() if c == 1 and not n.startswith(".")])
    if len(set(output)) != len(output) or any([n not in counts for n in output]):
        raise RuntimeError(f"einsum(): the output {right!r} names an axis twice, or one that no operand has, in {equation!r}")
    return inputs, output


def _pieces(text: str) -> list[str]:
    head, dots, tail = text.partition("...")
    pieces = [*head, *(["..."] if dots else []), *tail]
    if any([not (p == "..." or p.isalpha()) for p in pieces]):
        raise RuntimeError(f"einsum(): invalid subscript given in {text!r}, subscripts must be in [a-zA-Z]")
    return pieces


def _names(text: str, x: Tensor, position: int) -> list[str]:
    pieces = _pieces(text)
    hidden = x.ndim - len(pieces) + ("..." in pieces)
    if hidden < 0 or hidden and "..." not in pieces:
        raise RuntimeError(
            f"einsum(): the number of subscripts in the equation ({len(pieces)}) does not match the number of dimensions "
            f"({x.ndim}) for operand {position} and no ellipsis was given"
        )
    dots = [f".{k}" for k in range(hidden, 0, -1)]
    return [n for piece in pieces for n in (dots if piece == "..." else [piece])]


# -- contracting -------------------------------------------------------------------------------------------------------
def _distinct(x: Tensor, names: list[str]) -> tuple[Tensor, list[str]]:
    """A name that repeats takes the diagonal of its axes."""
    names = list(names)
    for n in dict.fromkeys(names):
        while names.count(n) > 1:
            first = names.index(n)
            second = names.index(n, first + 1)
            if x.shape[first] != x.shape[second]:
                raise RuntimeError(
                    f"einsum(): subscript {n} is repeated for an operand whose sizes for it differ: {tuple(x.shape)}"
                )
            x = diagonal(x, 0, first, second)
            names = [m for k, m in enumerate(names) if k not in (first, second)] + [n]
    return x, names


def _summed(x: Tensor, names: list[str], wanted: set[str]) -> tuple[Tensor, list[str]]:
    gone = tuple([k for k, n in enumerate(names) if n not in wanted])
    return (_sum(x, gone), [n for n in names if n in wanted]) if gone else (x, names)


def _contracted(a: Any, b: Any, wanted: set[str]) -> tuple[Tensor, list[str]]:
    """Two operands as one product of stacks of matrices: shared and kept axes are the stack, shared and gone the sum."""
    (x, of_x), (y, of_y) = _summed(*a, wanted.union(b[1])), _summed(*b, wanted.union(a[1]))
    sizes = _sizes(x, of_x, y, of_y)
    shared = [n for n in of_x if n in of_y]
    stack, gone = [n for n in shared if n in wanted], [n for n in shared if n not in wanted]
    rows, columns = [n for n in of_x if n not in shared], [n for n in of_y if n not in shared]
    x, y = _stretched(x, of_x, shared, sizes), _stretched(y, of_y, shared, sizes)
    names = stack + rows + columns
    if not gone:
        left = reshape(permute(x, [of_x.index(n) for n in stack + rows]), [sizes[n] for n in stack + rows] + [1] * len(columns))
        right = permute(y, [of_y.index(n) for n in stack + columns])
        right = reshape(right, [sizes[n] for n in stack] + [1] * len(rows) + [sizes[n] for n in columns])
        return mul(left, right), names

    def extent(names: list[str]) -> int:
        return math.prod([sizes[n] for n in names])

    lead = [sizes[n] for n in stack]
    left = reshape(permute(x, [of_x.index(n) for n in stack + rows + gone]), (*lead, extent(rows), extent(gone)))
    right = reshape(permute(y, [of_y.index(n) for n in stack + gone + columns]), (*lead, extent(gone), extent(columns)))
    return reshape(_matmul(left, right), [sizes[n] for n in names]), names


def _sizes(x: Tensor, of_x: list[str], y: Tensor, of_y: list[str]) -> dict[str, int]:
    sizes: dict[str, int] = {}
    for n, size in [*zip(of_x, x.shape), *zip(of_y, y.shape)]:
        known = sizes.setdefault(n, size)
        if known != size and 1 not in (known, size):
            raise RuntimeError(
                f"einsum(): operands do not broadcast with remapped shapes: subscript {n} has size {size} in one operand "
                f"and {known} in another ({tuple(x.shape)} and {tuple(y.shape)})"
            )
        sizes[n] = max(known, size) if 0 not in (known, size) else 0
    return sizes


def _stretched(x: Tensor, names: list[str], shared: list[str], sizes: dict[str, int]) -> Tensor:
    """Extents of 1 stretched to what the other operand has."""
    wanted = [sizes[n] if n in shared else size for n, size in zip(names, x.shape)]
    return expand(x, wanted) if wanted != list(x.shape) else x


def _cheapest(terms: list[Any], output: list[str]) -> tuple[int, int]:
    """The pair whose product has the fewest elements."""
    best = None
    for i in range(len(terms)):
        for j in range(i + 1, len(terms)):
            others = set(output).union(*[names for k, (_, names) in enumerate(terms) if k not in (i, j)])
            sizes = _sizes(*terms[i], *terms[j])
            cost = math.prod([size for n, size in sizes.items() if n in others])
            if best is None or cost < best[0]:
                best = cost, i, j
    assert best is not None
    return best[1], best[2]
