"""Products of matrices, and what solves with them."""

from typing import Any

from gradkit.families import bilinear, general

matmul = bilinear(
    "matmul", "matmul",
    [
        lambda xp, d, _y, _a, b: xp.matmul(d, xp.matrix_transpose(b)),
        lambda xp, d, _y, a, _b: xp.matmul(xp.matrix_transpose(a), d),
    ],
    [((2, 3), (3, 4), {}), ((5, 2, 3), (3, 4), {}), ((2, 3), (5, 3, 4), {})],
    title="MmBackward0",
)  # fmt: skip


def solve_vjp(xp: Any, d: Any, y: Any, a: Any, _b: Any) -> Any:
    b_ct = xp.linalg_solve(xp.matrix_transpose(a), d)
    return [-xp.matmul(b_ct, xp.matrix_transpose(y)), b_ct]


def solve_jvp(xp: Any, ts: Any, y: Any, a: Any, _b: Any) -> Any:
    a_t, b_t = ts
    moved = 0 if b_t is None else b_t
    return xp.linalg_solve(a, moved if a_t is None else moved - xp.matmul(a_t, y))


# d(A^-1 b) = A^-1 (db - dA y); Giles 2008, section 2.3.1. Both operands are stacks of matrices.
linalg_solve = general(
    "linalg_solve", lambda xp, a, b: xp.linalg.solve(a, b), solve_vjp, solve_jvp,
    [((3, 3), (3, 2), {}), ((2, 3, 3), (3, 1), {})], arity=2, broadcasts=True, structure="block",
    peer=lambda torch, a, b: torch.linalg.solve(a, b),
)  # fmt: skip
