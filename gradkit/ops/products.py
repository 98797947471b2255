"""Products of two vectors, matrices or stacks of matrices.

Operands of one product have one dtype: RuntimeError if they differ, or if their shapes do not go together. NumPy's BLAS
does the work.
"""

from typing import Any

from gradkit import errors
from gradkit.creation import as_tensor
from gradkit.engine import modes, unrolled
from gradkit.engine.bind import bind
from gradkit.engine.primitive import Primitive
from gradkit.engine.tensor import Tensor
from gradkit.ops.arranging import diagonal
from gradkit.primitives import linalg as rows
from gradkit.primitives.arranging import roll
from gradkit.primitives.complex import conj
from gradkit.primitives.reduction import sum as total
from gradkit.primitives.shape import axis_from_end, clone, permute, reshape


# -- what does not go together
def tensors(name: str, *operands: Any, mixed: bool = False) -> None:
    """TypeError unless all are Tensors, RuntimeError unless they have one dtype, or may be `mixed`."""
    for i, x in enumerate(operands):
        if not isinstance(x, Tensor):
            raise errors.not_a_tensor(name, i, x)
    first = operands[0].dtype
    for x in operands[1:]:
        if x.dtype != first and not mixed:
            raise RuntimeError(
                f"{name}: expected m1 and m2 to have the same dtype, but got: {first.name} != {x.dtype.name}; convert "
                "one, e.g. with .to(other.dtype)"
            )


def sized(name: str, ndim: int, *operands: Tensor) -> None:
    for i, x in enumerate(operands):
        if x.ndim != ndim:
            kind = ("scalar", "vector", "matrix", "stack of matrices")[ndim]
            raise RuntimeError(f"{name}: operand {i + 1} must be a {kind} ({ndim}D tensor), got {x.ndim}D, {tuple(x.shape)}")


def unmatched(a: Tensor, b: Tensor) -> RuntimeError:
    """The error of a product of matrices or vectors whose inner extents differ."""
    if a.ndim == b.ndim == 1:
        n, m = a.shape[0], b.shape[0]
        return RuntimeError(
            f"inconsistent tensor size, expected tensor [{n}] and src [{m}] to have the same number of elements, but got "
            f"{n} and {m} elements respectively"
        )
    if a.ndim == 2 and b.ndim == 1:
        return RuntimeError(f"size mismatch, got input ({a.shape[0]}), mat ({crossed(a)}), vec ({b.shape[0]})")
    return RuntimeError(
        f"mat1 and mat2 shapes cannot be multiplied ({crossed(a)} and {crossed(b)}): product of {errors.describe(a)} and "
        f"{errors.describe(b)}; turn one with .mT, or reshape it, so that the inner extents are one number"
    )


def crossed(x: Tensor) -> str:
    """The extents of the matrices: 2x3."""
    return "x".join(map(str, x.shape if x.ndim > 1 else (1, *x.shape)))


def strictly(prim: Primitive, operands: Any, params: dict[str, Any]) -> Any:
    tensors("dot" if prim.name == "rowdot" else prim.name, *operands)
    return bind(prim, operands, params)


_product = unrolled.own_code(unrolled.binary(rows.matmul.primitive, strictly), "matmul")
_row_product = unrolled.own_code(unrolled.binary(rows.rowdot.primitive, strictly), "rowdot")


# -- products
def matmul(input: Tensor, other: Tensor) -> Tensor:
    """The matrix product of the last two axes; the axes before them broadcast. An array counts as a tensor.

    A vector stands for a row on the left and for a column on the right, and the axis it lacks is not in the result: two
    vectors give a scalar. RuntimeError for a scalar operand.

    >>> gradkit.matmul(gradkit.ones(2, 3), gradkit.ones(3))
    tensor([3., 3.])
    """
    try:
        a, b = input.array.ndim, other.array.ndim
        if not modes.lifted and 0 < b < 3:
            if a == b == 2:
                return _product(input, other)
            if b == 1 <= a:
                return _row_product(input, other)
    except AttributeError:
        input, other = [as_tensor(x) if hasattr(x, "__array__") else x for x in (input, other)]
        tensors("matmul", input, other)
    except RuntimeError:
        if input.shape[-1] != other.shape[0]:
            raise unmatched(input, other) from None
        raise
    return general_product(input, other)


def general_product(a: Tensor, b: Tensor) -> Tensor:
    tensors("matmul", a, b)
    if not a.ndim or not b.ndim:
        raise RuntimeError(f"both arguments to matmul need to be at least 1D, but they are {a.ndim}D and {b.ndim}D")
    if a.shape[-1] != b.shape[max(-2, -b.ndim)]:
        raise unmatched(a, b)
    if b.ndim == 1:
        return rows.rowdot(a, b)
    if a.ndim == 1:
        return rows.rowdot(transposed(b), a)
    if a.ndim > 2 == b.ndim and a.shape[-1]:  # one large product instead of a stack of small ones
        return reshape(rows.matmul(reshape(a, (-1, a.shape[-1])), b), (*a.shape[:-1], b.shape[-1]))
    return rows.matmul(a, b)


def transposed(x: Tensor) -> Tensor:
    return permute(x, (*range(x.ndim - 2), -1, -2))


def mm(input: Tensor, mat2: Tensor) -> Tensor:
    """The product of two matrices, (n, m) and (m, p).

    >>> gradkit.mm(gradkit.ones(2, 3), gradkit.ones(3, 2))
    tensor([[3., 3.],
            [3., 3.]])
    """
    sized("mm", 2, input, mat2)
    return matmul(input, mat2)


def bmm(input: Tensor, mat2: Tensor) -> Tensor:
    """The products of two stacks of matrices, (b, n, m) and (b, m, p).

    >>> gradkit.bmm(gradkit.ones(5, 2, 3), gradkit.ones(5, 3, 4)).shape
    gradkit.Size([5, 2, 4])
    """
    sized("bmm", 3, input, mat2)
    want, got = [input.shape[0], input.shape[2]], list(mat2.shape[:2])
    if want != got:
        raise RuntimeError(f"Expected size for first two dimensions of batch2 tensor to be: {want} but got: {got}.")
    return general_product(input, mat2)


def mv(input: Tensor, vec: Tensor) -> Tensor:
    """The product of a matrix (n, m) and a vector (m,).

    >>> gradkit.mv(gradkit.ones(2, 3), gradkit.ones(3))
    tensor([3., 3.])
    """
    sized("mv", 2, input)
    sized("mv", 1, vec)
    return matmul(input, vec)


def dot(input: Tensor, tensor: Tensor) -> Tensor:
    """The sum of the products of the elements of two vectors of one length. Complex ones are not conjugated.

    >>> gradkit.dot(gradkit.tensor([1.0, 2.0]), gradkit.tensor([3.0, 4.0]))
    tensor(11.)
    """
    if input.ndim != 1 or tensor.ndim != 1:
        raise RuntimeError(f"1D tensors expected, but got {input.ndim}D and {tensor.ndim}D tensors")
    return matmul(input, tensor)


def vdot(input: Tensor, other: Tensor) -> Tensor:
    """`dot` with the first vector conjugated.

    >>> gradkit.vdot(gradkit.tensor([1j]), gradkit.tensor([1j]))
    tensor(1.+0.j)
    """
    return dot(conj(input) if input.dtype.kind == "c" else input, other)


def outer(input: Tensor, vec2: Tensor) -> Tensor:
    """The products of all pairs of elements of two vectors (n,) and (m,): shape (n, m).

    >>> gradkit.outer(gradkit.tensor([1.0, 2.0]), gradkit.tensor([3.0, 4.0]))
    tensor([[3., 4.],
            [6., 8.]])
    """
    for which, x in (("self", input), ("vec2", vec2)):
        if x.ndim != 1:
            raise RuntimeError(f"outer: Expected 1-D argument {which}, but got {x.ndim}-D")
    return input.unsqueeze(1) * vec2


ger = outer


# -- other products
def kron(input: Tensor, other: Tensor) -> Tensor:
    """The Kronecker product: every element of `input` times all of `other`, as blocks in its place.

    The operand with fewer axes is given axes of extent 1 in front.

    >>> gradkit.kron(gradkit.tensor([1.0, 2.0]), gradkit.tensor([1.0, 10.0]))
    tensor([ 1., 10.,  2., 20.])
    """
    ndim = max(input.ndim, other.ndim)
    a, b = [(1,) * (ndim - x.ndim) + tuple(x.shape) for x in (input, other)]
    blocks = reshape(clone(input), [k for n in a for k in (n, 1)]) * reshape(clone(other), [k for n in b for k in (1, n)])
    return reshape(blocks, [n * m for n, m in zip(a, b)])


def cross(input: Tensor, other: Tensor, dim: int | None = None, *, axis: int | None = None) -> Tensor:
    """The vector product along a dimension of extent 3, by default the first there is; the others broadcast.

    RuntimeError if there is none.

    >>> gradkit.cross(gradkit.tensor([1.0, 0.0, 0.0]), gradkit.tensor([0.0, 1.0, 0.0]))
    tensor([0., 0., 1.])
    """
    dim = dim if axis is None else axis
    if dim is None:
        if 3 not in input.shape:
            raise RuntimeError(f"no dimension of size 3 in input, whose shape is {tuple(input.shape)}")
        dim = tuple(input.shape).index(3)
    return vector_product(input, other, dim)


def vector_product(a: Tensor, b: Tensor, dim: int) -> Tensor:
    if a.ndim != b.ndim:
        raise RuntimeError(f"linalg.cross: inputs must have the same number of dimensions, not {a.ndim} and {b.ndim}.")
    at = axis_from_end(a, dim)
    if not a.shape[at] == b.shape[at] == 3:
        raise RuntimeError(f"linalg.cross: inputs dimension {dim} must have length 3. Got {a.shape[at]} and {b.shape[at]}")
    (a1, a2), (b1, b2) = [[roll(x, shift=(-k,), axis=(at,)) for k in (1, 2)] for x in (a, b)]
    return a1 * b2 - a2 * b1


def trace(input: Tensor) -> Tensor:
    """The sum of the diagonal of a matrix. RuntimeError for anything else.

    >>> gradkit.trace(gradkit.tensor([[1.0, 2.0], [3.0, 4.0]]))
    tensor(5.)
    """
    if input.ndim != 2:
        raise RuntimeError(f"trace: expected a matrix, but got tensor with dim {input.ndim}")
    return total(diagonal(input))
