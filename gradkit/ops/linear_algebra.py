"""Products of vectors and matrices with PyTorch's signatures. Decompositions are in `gradkit.linalg`."""

from typing import Any

from gradkit import errors
from gradkit.engine.tensor import Tensor
from gradkit.ops.arranging import diagonal
from gradkit.ops.shaping import reshape, squeeze, transpose, unsqueeze
from gradkit.primitives.elementwise import add, mul, sub
from gradkit.primitives.linalg import matmul as _matmul
from gradkit.primitives.linalg import rowdot
from gradkit.primitives.reduction import sum as _sum

__all__ = [
    "addbmm", "addmm", "addmv", "addr", "baddbmm", "bmm", "chain_matmul", "cross", "dot", "ger", "inner", "kron", "matmul",
    "mm", "mv", "outer", "trace", "vdot",
]  # fmt: skip
METHODS = (
    "addbmm", "addmm", "addmv", "addr", "baddbmm", "bmm", "cross", "dot", "inner", "kron", "matmul", "mm", "mv", "outer",
    "trace", "vdot",
)  # fmt: skip
INPLACE = ("addbmm", "addmm", "addmv", "addr", "baddbmm")


def _require(name: str, ranks: tuple[int, ...], *operands: Any) -> None:
    """Raise unless the operands are tensors of these numbers of axes."""
    for position, (x, rank) in enumerate(zip(operands, ranks)):
        if not isinstance(x, Tensor):
            raise errors.not_a_tensor(name, position, x)
        if x.ndim != rank:
            raise RuntimeError(
                f"{name}(): argument {position + 1} must have {rank} axes, but is {errors.describe(x)}; matmul takes "
                "tensors of any number"
            )


def matmul(input: Any, other: Any) -> Tensor:
    """The product of matrices, of stacks of them (broadcast), of matrix and vector, of two vectors.

    RuntimeError if inner extents differ, or for a scalar.

    >>> import gradkit
    >>> gradkit.matmul(gradkit.ones(2, 3), gradkit.ones(3))
    tensor([3., 3.])
    """
    if not isinstance(input, Tensor) or not isinstance(other, Tensor):
        position = int(isinstance(input, Tensor))
        wrong = (input, other)[position]
        if not (hasattr(wrong, "shape") and hasattr(wrong, "dtype")):
            raise errors.not_a_tensor("matmul", position, wrong)
        input, other = _tensor(input), _tensor(other)
    a, b = input.array.ndim - len(input.batch), other.array.ndim - len(other.batch)
    if a > 1 and b > 1:
        if input.array.shape[-1] != other.array.shape[-2]:
            raise _misfit(input, other)
        return _matmul(input, other)
    if not a or not b:
        raise RuntimeError(
            f"both arguments to matmul need to be at least 1D, but they are {a}D and {b}D; multiply by a scalar with *"
        )
    if input.shape[-1] != other.shape[-2 if b > 1 else -1]:
        raise _misfit(input, other)
    if a == 1:
        return rowdot(input, other) if b == 1 else squeeze(_matmul(unsqueeze(input, 0), other), -2)
    return squeeze(_matmul(input, unsqueeze(other, 1)), -1)


def _tensor(x: Any) -> Tensor:
    from gradkit.creation import as_tensor

    return as_tensor(x)


def _misfit(a: Tensor, b: Tensor) -> RuntimeError:
    if a.ndim == b.ndim == 1:
        return RuntimeError(
            f"inconsistent tensor size, expected tensor [{a.shape[0]}] and src [{b.shape[0]}] to have the same number of "
            "elements"
        )
    left, right = [f"({'x'.join(map(str, x.shape[-2:]))})" for x in (a, b)]
    return RuntimeError(
        f"mat1 and mat2 shapes cannot be multiplied {left[:-1]} and {right[1:]}: {errors.describe(a)}, and "
        f"{errors.describe(b)}; the last extent of the first must be the last but one of the second"
    )


def mm(input: Tensor, mat2: Tensor) -> Tensor:
    """The product of two matrices, (n, k) and (k, m). RuntimeError for other shapes.

    >>> import gradkit
    >>> gradkit.mm(gradkit.ones(1, 2), gradkit.ones(2, 1))
    tensor([[2.]])
    """
    _require("mm", (2, 2), input, mat2)
    return matmul(input, mat2)


def bmm(input: Tensor, mat2: Tensor) -> Tensor:
    """Products of pairs of matrices, (b, n, k) and (b, k, m). RuntimeError for other shapes.

    >>> import gradkit
    >>> gradkit.bmm(gradkit.ones(2, 1, 3), gradkit.ones(2, 3, 1)).shape
    gradkit.Size([2, 1, 1])
    """
    _require("bmm", (3, 3), input, mat2)
    if input.shape[0] != mat2.shape[0]:
        raise RuntimeError(
            f"Expected size for first two dimensions of batch2 tensor to be: [{input.shape[0]}, {input.shape[2]}] but "
            f"got: [{mat2.shape[0]}, {mat2.shape[1]}]."
        )
    return matmul(input, mat2)


def mv(input: Tensor, vec: Tensor) -> Tensor:
    """The product of a matrix (n, m) and a vector (m,). RuntimeError for other shapes.

    >>> import gradkit
    >>> gradkit.mv(gradkit.eye(2), gradkit.ones(2))
    tensor([1., 1.])
    """
    _require("mv", (2, 1), input, vec)
    return matmul(input, vec)


def dot(input: Tensor, tensor: Tensor) -> Tensor:
    """The sum of the products of two vectors' elements. RuntimeError for other shapes.

    >>> import gradkit
    >>> gradkit.dot(gradkit.tensor([2.0, 3.0]), gradkit.tensor([2.0, 1.0]))
    tensor(7.)
    """
    if not isinstance(input, Tensor) or not isinstance(tensor, Tensor) or input.ndim != 1 or tensor.ndim != 1:
        _require("dot", (1, 1), input, tensor)
    if input.dtype != tensor.dtype:
        raise RuntimeError(
            f"dot : expected both vectors to have same dtype, but found {input.dtype.name} and {tensor.dtype.name}"
        )
    return matmul(input, tensor)


def vdot(input: Tensor, other: Tensor) -> Tensor:
    """`dot` with the conjugate of the first vector.

    >>> import gradkit
    >>> gradkit.vdot(gradkit.tensor([2.0, 3.0]), gradkit.tensor([2.0, 1.0]))
    tensor(7.)
    """
    from gradkit.primitives.complex import conj

    return dot(conj(input) if input.is_complex() else input, other)


def inner(input: Tensor, other: Tensor) -> Tensor:
    """Sums of products over the last axis of both: (*a, n) and (*b, n) to (*a, *b).

    >>> import gradkit
    >>> gradkit.inner(gradkit.ones(2, 3), gradkit.ones(4, 3)).shape
    gradkit.Size([2, 4])
    """
    if not input.ndim or not other.ndim:
        return mul(input, other)
    if input.shape[-1] != other.shape[-1]:
        raise RuntimeError(
            f"inner() the last dimension must match on both input tensors but got shapes {list(input.shape)} and "
            f"{list(other.shape)}"
        )
    rows = reshape(input, (-1, input.shape[-1])) if input.ndim > 1 else unsqueeze(input, 0)
    columns = reshape(other, (-1, other.shape[-1])) if other.ndim > 1 else unsqueeze(other, 0)
    return reshape(_matmul(rows, transpose(columns, 0, 1)), (*input.shape[:-1], *other.shape[:-1]))


def outer(input: Tensor, vec2: Tensor) -> Tensor:
    """All products of an element of one vector with one of the other: (n,) and (m,) to (n, m).

    >>> import gradkit
    >>> gradkit.outer(gradkit.tensor([1.0, 2.0]), gradkit.tensor([1.0, 10.0]))
    tensor([[ 1., 10.],
            [ 2., 20.]])
    """
    _require("outer", (1, 1), input, vec2)
    return mul(unsqueeze(input, 1), vec2)


ger = outer


# -- a product added to something --------------------------------------------------------------------------------------
def _blend(input: Tensor, product: Tensor, beta: Any, alpha: Any) -> Tensor:
    """``beta * input + alpha * product``; with beta 0 the input is ignored, NaN and all."""
    product = product if alpha == 1 else mul(product, alpha)
    if beta == 0:
        return product
    return add(input if beta == 1 else mul(input, beta), product)


def addmm(input: Tensor, mat1: Tensor, mat2: Tensor, *, beta: Any = 1, alpha: Any = 1) -> Tensor:
    """``beta * input + alpha * (mat1 @ mat2)``, `input` broadcast.

    >>> import gradkit
    >>> gradkit.addmm(gradkit.ones(1), gradkit.ones(1, 2), gradkit.ones(2, 1))
    tensor([[3.]])
    """
    return _blend(input, mm(mat1, mat2), beta, alpha)


def addmv(input: Tensor, mat: Tensor, vec: Tensor, *, beta: Any = 1, alpha: Any = 1) -> Tensor:
    """``beta * input + alpha * (mat @ vec)``, `input` broadcast.

    >>> import gradkit
    >>> gradkit.addmv(gradkit.ones(2), gradkit.eye(2), gradkit.ones(2))
    tensor([2., 2.])
    """
    return _blend(input, mv(mat, vec), beta, alpha)


def addr(input: Tensor, vec1: Tensor, vec2: Tensor, *, beta: Any = 1, alpha: Any = 1) -> Tensor:
    """``beta * input + alpha * outer(vec1, vec2)``, `input` broadcast.

    >>> import gradkit
    >>> gradkit.addr(gradkit.zeros(1, 2), gradkit.ones(1), gradkit.ones(2))
    tensor([[1., 1.]])
    """
    return _blend(input, outer(vec1, vec2), beta, alpha)


def baddbmm(input: Tensor, batch1: Tensor, batch2: Tensor, *, beta: Any = 1, alpha: Any = 1) -> Tensor:
    """``beta * input + alpha * bmm(batch1, batch2)``, `input` broadcast.

    >>> import gradkit
    >>> gradkit.baddbmm(gradkit.zeros(1), gradkit.ones(1, 1, 2), gradkit.ones(1, 2, 1))
    tensor([[[2.]]])
    """
    return _blend(input, bmm(batch1, batch2), beta, alpha)


def addbmm(input: Tensor, batch1: Tensor, batch2: Tensor, *, beta: Any = 1, alpha: Any = 1) -> Tensor:
    """``beta * input + alpha *`` the sum of all products of ``bmm(batch1, batch2)``.

    >>> import gradkit
    >>> gradkit.addbmm(gradkit.zeros(1), gradkit.ones(3, 1, 2), gradkit.ones(3, 2, 1))
    tensor([[6.]])
    """
    return _blend(input, _sum(bmm(batch1, batch2), 0), beta, alpha)


# -- others ------------------------------------------------------------------------------------------------------------
def chain_matmul(*matrices: Tensor) -> Tensor:
    """The product of several matrices, in the order that takes the fewest multiplications.

    >>> import gradkit
    >>> gradkit.chain_matmul(gradkit.ones(1, 2), gradkit.ones(2, 3), gradkit.ones(3, 1))
    tensor([[6.]])
    """
    from gradkit.ops.contraction import in_best_order

    return in_best_order(list(matrices))


def trace(input: Tensor) -> Tensor:
    """The sum of a matrix's diagonal. RuntimeError for other than two axes.

    >>> import gradkit
    >>> gradkit.trace(gradkit.eye(3))
    tensor(3.)
    """
    _require("trace", (2,), input)
    return _sum(diagonal(input))


def kron(input: Tensor, other: Tensor) -> Tensor:
    """The Kronecker product: every element of `input` times all of `other`, as blocks.

    >>> import gradkit
    >>> gradkit.kron(gradkit.tensor([1.0, 2.0]), gradkit.tensor([1.0, 10.0]))
    tensor([ 1., 10.,  2., 20.])
    """
    rank = max(input.ndim, other.ndim)
    a, b = [(1,) * (rank - x.ndim) + tuple(x.shape) for x in (input, other)]
    spread_a = reshape(input, [n for extent in a for n in (extent, 1)])
    spread_b = reshape(other, [n for extent in b for n in (1, extent)])
    return reshape(mul(spread_a, spread_b), [n * m for n, m in zip(a, b)])


def cross(input: Tensor, other: Tensor, dim: int | None = None) -> Tensor:
    """The vector product in three dimensions, along `dim` (by default the first axis of extent 3).

    RuntimeError if that axis does not have extent 3.

    >>> import gradkit
    >>> gradkit.cross(gradkit.tensor([1.0, 0.0, 0.0]), gradkit.tensor([0.0, 1.0, 0.0]))
    tensor([0., 0., 1.])
    """
    from gradkit.ops.arranging import roll

    if dim is None:
        dim = next((i for i, n in enumerate(input.shape) if n == 3), -1)
    if not input.ndim or input.shape[dim] != 3 or other.shape[dim] != 3:
        raise RuntimeError(
            f"linalg.cross: inputs dimension {dim} must have length 3. Got {list(input.shape)} and {list(other.shape)}"
        )
    return sub(mul(roll(input, -1, dim), roll(other, -2, dim)), mul(roll(input, -2, dim), roll(other, -1, dim)))
