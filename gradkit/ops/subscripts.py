"""The equations of einsum, and what is wrong with them."""

from functools import lru_cache
from typing import Any

Labels = tuple[Any, ...]  # letters, and ("...", n) for the nth axis from the right that an ellipsis stands for
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"  # in the order in which they stand in an output that is not given


@lru_cache(maxsize=1024)
def parsed(equation: str, ranks: tuple[int, ...]) -> tuple[tuple[Labels, ...], Labels]:
    """The labels of the axes of operands with so many axes, and of the output."""
    left, arrow, right = equation.replace(" ", "").partition("->")
    terms = left.split(",")
    if len(terms) != len(ranks):
        fault = "fewer" if len(ranks) < len(terms) else "more"
        raise RuntimeError(f"einsum(): {fault} operands were provided than specified in the equation {equation!r}")
    inputs = tuple([labels_of(term, rank, i, equation) for i, (term, rank) in enumerate(zip(terms, ranks))])
    seen = [label for labels in inputs for label in labels]
    unlettered = sorted({label for label in seen if isinstance(label, tuple)}, key=lambda label: -label[1])
    if not arrow:
        return inputs, (*unlettered, *[letter for letter in LETTERS if seen.count(letter) == 1])
    output: list[Any] = []
    for letter in letters_of(right, "output", equation):
        if letter == "...":
            output.extend(unlettered)
        elif letter not in seen:
            raise RuntimeError(f"einsum(): output subscript {letter} does not appear in the equation for any input operand")
        elif letter in output:
            raise RuntimeError(f"einsum(): output subscript {letter} appears more than once in the output")
        else:
            output.append(letter)
    return inputs, tuple(output)


def letters_of(term: str, where: str, equation: str) -> list[str]:
    """The letters of a term, and "..." for its ellipsis."""
    before, dots, behind = term.partition("...")
    if "." in before + behind:
        raise RuntimeError(f"einsum(): found '.' for {where} that is not part of any ellipsis, or a second ellipsis: {equation!r}")
    for letter in before + behind:
        if letter not in LETTERS:
            raise RuntimeError(
                f"einsum(): invalid subscript given at index {equation.index(letter)} in the equation string, subscripts "
                f"must be in [a-zA-Z]: {equation!r}"
            )
    return [*before, *[dots] * bool(dots), *behind]


def labels_of(term: str, rank: int, operand: int, equation: str) -> Labels:
    letters = letters_of(term, f"operand {operand}", equation)
    count = len(letters) - ("..." in letters)
    if count > rank or (count < rank and "..." not in letters):
        raise RuntimeError(
            f"einsum(): the number of subscripts in the equation ({count}) does not match the number of dimensions ({rank}) "
            f"for operand {operand}{' and no ellipsis was given' if count < rank else ''}: {equation!r}"
        )
    if "..." not in letters:
        return tuple(letters)
    at = letters.index("...")
    return (*letters[:at], *[("...", n) for n in range(rank - count - 1, -1, -1)], *letters[at + 1 :])


def parsed_lists(args: Any) -> tuple[list[Any], tuple[Labels, ...], Labels]:
    """Operands and lists of ints by turns, and perhaps a last list for the output: operands and labels."""
    operands, terms = list(args[0 : len(args) // 2 * 2 : 2]), [spelt(term) for term in args[1::2]]
    equation = ",".join(terms)
    if len(args) % 2:
        equation += "->" + spelt(args[-1])
    return operands, *parsed(equation, tuple([x.ndim for x in operands]))


def spelt(term: Any) -> str:
    spelling = ""
    for number in term:
        if number is not Ellipsis and not 0 <= number < len(LETTERS):
            raise ValueError(f"einsum(): subscript {number} in subscript list is not within the valid range [0, 52)")
        spelling += "..." if number is Ellipsis else LETTERS[number]
    return spelling
