"""Inverses, systems, determinants, matrix functions and norms against PyTorch, two orders of derivatives, real and complex."""

import math
import re

import numpy as np
import pytest

import gradkit
from gradkit.func import jvp, vmap

inf = math.inf
RNG = np.random.default_rng(12)


def adjoint(x):
    return np.conj(np.swapaxes(x, -1, -2))


def square(*lead, n=3, complex=False):
    """Matrices far from singular."""
    a = RNG.normal(size=(*lead, n, n)) + 3 * np.eye(n)
    return a + 1j * RNG.normal(size=a.shape) if complex else a


def rectangular(m, n, complex=False):
    a = RNG.normal(size=(m, n))
    return a + 1j * RNG.normal(size=a.shape) if complex else a


def cond(f):
    """Of PyTorch the product of norms: its own cond overwrites what its backward pass needs."""
    if f is gradkit:
        return gradkit.linalg.cond
    return lambda a, p: f.linalg.matrix_norm(a, p) * f.linalg.matrix_norm(f.linalg.inv(a), p)


# name: (call on a library and tensors, functions that draw the operands)
column, row = [lambda m=m, n=n, **k: rectangular(m, n, **k) for m, n in ((3, 1), (1, 3))]
S, V, M = square, (lambda **k: row(**k)[0]), (lambda **k: rectangular(3, 2, **k))
STACK = lambda **k: square(2, **k)
CASES = {
    "inv": (lambda f, a: f.linalg.inv(a), S),
    "inv of a stack": (lambda f, a: f.inverse(a), STACK),
    "solve": (lambda f, a, b: f.linalg.solve(a, b), S, M),
    "solve vector": (lambda f, a, b: f.linalg.solve(a, b), S, V),
    "solve stack and matrix": (lambda f, a, b: f.linalg.solve(a, b), STACK, M),
    "solve from the right": (lambda f, a, b: f.linalg.solve(a, b, left=False), S, lambda **k: rectangular(2, 3, **k)),
    "solve_triangular": (lambda f, a, b: f.linalg.solve_triangular(a, b, upper=True), S, M),
    "solve_triangular lower, unit": (
        lambda f, a, b: f.linalg.solve_triangular(a, b, upper=False, unitriangular=True), STACK, M),
    "solve_triangular from the right": (
        lambda f, a, b: f.linalg.solve_triangular(a, b, upper=False, left=False), S, lambda **k: rectangular(2, 3, **k)),
    "cholesky_solve": (lambda f, b, a: f.cholesky_solve(b, f.tril(a)), M, S),
    "cholesky_solve upper": (lambda f, b, a: f.cholesky_solve(b, f.triu(a), True), M, S),
    "cholesky_inverse": (lambda f, a: f.cholesky_inverse(f.linalg.cholesky(a @ a.mH)), S),
    "pinv": (lambda f, a: f.linalg.pinv(a), M),
    "pinv wide": (lambda f, a: f.pinverse(a), lambda **k: rectangular(2, 3, **k)),
    "pinv of low rank": (lambda f, a, b: f.linalg.pinv(a @ b, rtol=1e-4), column, row),
    "pinv hermitian": (lambda f, a: f.linalg.pinv(a @ a.mH, hermitian=True), S),
    "lstsq": (lambda f, a, b: f.linalg.lstsq(a, b).solution, M, lambda **k: rectangular(3, 1, **k)),
    "det": (lambda f, a: f.linalg.det(a), S),
    "det of a stack": (lambda f, a: f.det(a), STACK),
    "det 1x1": (lambda f, a: f.det(a), lambda **k: square(n=1, **k)),
    "slogdet": (lambda f, a: f.linalg.slogdet(a).logabsdet, S),
    "slogdet sign": (lambda f, a: f.slogdet(a).sign * f.slogdet(a).logabsdet, STACK),
    "matrix_power": (lambda f, a: f.linalg.matrix_power(a, 5), S),
    "matrix_power negative": (lambda f, a: f.matrix_power(a, -3), STACK),
    "matrix_power 1": (lambda f, a: f.matrix_power(a, 1), S),
    "matrix_exp": (lambda f, a: f.linalg.matrix_exp(a), S),
    "matrix_exp small": (lambda f, a: f.matrix_exp(a / 100), STACK),
    "matrix_exp large": (lambda f, a: f.matrix_exp(a * 10) / 1e16, S),
    "norm": (lambda f, a: f.linalg.norm(a), S),
    "norm vector 3": (lambda f, a: f.linalg.norm(a, 3, dim=0), S),
    "norm of a vector": (lambda f, a: f.linalg.norm(a, 1), V),
    "vector_norm": (lambda f, a: f.linalg.vector_norm(a, 2.5, dim=(0, 2), keepdim=True), STACK),
    **{
        f"matrix_norm {ord}": (lambda f, a, ord=ord: f.linalg.matrix_norm(a, ord, dim=(0, 2), keepdim=True), STACK)
        for ord in ("fro", "nuc", 1, -1, 2, -2, inf, -inf)
    },
    "cond": (lambda f, a: f.linalg.cond(a), STACK),
    "cond -2": (lambda f, a: f.linalg.cond(a, -2), M),
    "cond 1": (lambda f, a: cond(f)(a, 1), S),
    "cond fro": (lambda f, a: cond(f)(a, "fro"), S),
}  # fmt: skip


def second_order(f, call, raws):
    """Result, gradients and Hessian-vector products of a scalar made of it."""
    xs = [f.tensor(raw, requires_grad=True) for raw in raws]
    y = call(f, *xs)
    size = (y * y.conj()).real if y.is_complex() else y * y
    gs = f.autograd.grad(size.sum(), xs, create_graph=True)
    inner = sum([(g * x.conj()).real.sum() if x.is_complex() else (g * x).sum() for g, x in zip(gs, xs, strict=True)])
    return y, *gs, *f.autograd.grad(inner, xs, materialize_grads=True)


def compared(call, raws, torch, rtol=1e-8):
    mine, theirs = [second_order(f, call, raws) for f in (gradkit, torch)]
    for got, want in zip(mine, theirs, strict=True):
        assert got.dtype.name == str(want.dtype).removeprefix("torch.")
        assert tuple(got.shape) == tuple(want.shape)
        np.testing.assert_allclose(got.detach().numpy(), want.detach().resolve_conj().numpy(), rtol=rtol, atol=rtol)


@pytest.mark.parametrize("complex", [False, True], ids=["real", "complex"])
@pytest.mark.parametrize("name", CASES)
def test_values_and_two_orders_of_derivatives(name, complex, torch):
    call, *draws = CASES[name]
    compared(call, [draw(complex=complex) for draw in draws], torch)


@pytest.mark.parametrize("name", CASES)
def test_single_precision_stays(name, torch):
    call, *draws = CASES[name]
    raws = [draw().astype(np.float32) for draw in draws]
    xs, ts = [gradkit.tensor(r, requires_grad=True) for r in raws], [torch.tensor(r) for r in raws]
    y, want = call(gradkit, *xs), call(torch, *ts)
    assert y.dtype == gradkit.float32
    np.testing.assert_allclose(y.detach().numpy(), want.numpy(), rtol=2e-3, atol=1e-4)
    assert all([g.dtype == gradkit.float32 for g in gradkit.autograd.grad(y.sum(), xs)])


@pytest.mark.parametrize("complex", [False, True], ids=["real", "complex"])
@pytest.mark.parametrize("name", CASES)
def test_vmap_and_jvp_agree_with_the_plain_call(name, complex):
    call, *draws = CASES[name]

    def function(*xs):
        y = call(gradkit, *xs)
        return (y * y.conj()).real if y.is_complex() else y

    stacks = [gradkit.tensor(np.stack([draw(complex=complex) for _ in range(3)])) for draw in draws]
    together = vmap(function)(*stacks)
    for n in range(3):
        np.testing.assert_allclose(together[n].numpy(), function(*[s[n] for s in stacks]).numpy(), rtol=1e-7, atol=1e-9)
    xs, ts = [s[0].requires_grad_() for s in stacks], [s[1] for s in stacks]
    y = function(*xs)
    moved = jvp(function, tuple([x.detach() for x in xs]), tuple(ts))[1]
    ct = gradkit.tensor(RNG.normal(size=tuple(y.shape)))
    pulled = gradkit.autograd.grad(y, xs, ct)
    want = sum([(g * t.conj()).real.sum().item() if complex else (g * t).sum().item() for g, t in zip(pulled, ts, strict=True)])
    np.testing.assert_allclose((ct * moved).sum().item(), want, rtol=1e-8)


# -- what is singular
@pytest.mark.parametrize("rank", [2, 1, 0])
@pytest.mark.parametrize("complex", [False, True], ids=["real", "complex"])
def test_determinant_of_a_singular_matrix_has_two_derivatives(rank, complex):
    """The gradient is the matrix of cofactors, a polynomial; PyTorch gives 0 at rank n - 1 and nan for the second."""
    u, v = square(complex=complex), square(complex=complex)
    raw = (u[:, :rank] @ v[:rank]) if rank else 0 * u
    leibniz = sum_of_products(gradkit.tensor(raw, requires_grad=True))
    ours = two_orders(gradkit.linalg.det, raw)
    for got, want in zip(ours, two_orders(sum_of_products, raw), strict=True):
        np.testing.assert_allclose(got.numpy(), want.numpy(), atol=1e-12)
    assert abs(leibniz.detach()).item() < 1e-12


def sum_of_products(a):
    """The determinant of a 3 x 3 matrix by Leibniz's formula."""
    even, odd = [(0, 1, 2), (1, 2, 0), (2, 0, 1)], [(0, 2, 1), (2, 1, 0), (1, 0, 2)]
    return sum([a[0, i] * a[1, j] * a[2, k] for i, j, k in even]) - sum([a[0, i] * a[1, j] * a[2, k] for i, j, k in odd])


def two_orders(function, raw):
    a = gradkit.tensor(raw, requires_grad=True)
    y = function(a)
    real = y.real if y.is_complex() else y
    (g,) = gradkit.autograd.grad(real, a, create_graph=True)
    weights = gradkit.tensor(np.arange(9.0).reshape(3, 3) ** 2)
    weighed = (g.real * weights + g.imag).sum() if g.is_complex() else (g * weights).sum()
    return g.detach(), *gradkit.autograd.grad(weighed, a)


def test_nearly_singular_determinant_keeps_its_digits(torch):
    """Small cofactors of a matrix with a condition of 1e12."""
    u, v = [np.linalg.qr(square())[0] for _ in range(2)]
    raw = u @ np.diag([1.0, 1.0, 1e-12]) @ v
    a = gradkit.tensor(raw, requires_grad=True)
    (g,) = gradkit.autograd.grad(gradkit.linalg.det(a), a)
    sign = np.linalg.det(u) * np.linalg.det(v)
    np.testing.assert_allclose(g.numpy(), sign * u @ np.diag([1e-12, 1e-12, 1.0]) @ v, atol=1e-14)


def test_third_derivative_of_determinant():
    raw = square()
    ys = []
    for function in (gradkit.linalg.det, sum_of_products):
        a = gradkit.tensor(raw, requires_grad=True)
        y = function(a)
        for _ in range(3):
            (g,) = gradkit.autograd.grad(y, a, create_graph=True)
            y = (g * g).sum() + (g * a).sum()
        ys.append(g.detach().numpy())
    np.testing.assert_allclose(*ys, rtol=1e-9)


FAULTY = [[[1.0, 1.0], [1.0, 1.0]], [[0.0, 0.0], [0.0, 0.0]], [[1.0, np.nan], [0.0, 2.0]], [[1.0, np.inf], [0.0, 2.0]]]


@pytest.mark.parametrize("dtype", ["float32", "complex128"])
@pytest.mark.parametrize("fault", FAULTY, ids=["singular", "zero", "nan", "inf"])
@pytest.mark.parametrize(
    "function",
    [
        lambda a: gradkit.logdet(a).sum().real,
        lambda a: gradkit.logdet(a)[1:].sum().real,
        lambda a: gradkit.linalg.slogdet(a).logabsdet.sum(),
        lambda a: gradkit.func.jvp(gradkit.logdet, (a,), (a.detach() + 1,))[1].sum().real,
        lambda a: gradkit.autograd.grad(gradkit.logdet(a).sum().real, a, create_graph=True)[0].abs().sum(),
    ],
    ids=["logdet", "logdet of others", "slogdet", "jvp", "second order"],
)
@np.errstate(divide="ignore", invalid="ignore")
def test_matrix_without_an_inverse_keeps_its_nan_to_itself(function, fault, dtype):
    """PyTorch has inf in some of the elements; the second order it refuses where a matrix is singular."""
    sound = np.array([[2.0, 1.0], [0.5, 3.0]])
    xs = [gradkit.tensor(np.stack([first, sound]).astype(dtype)).requires_grad_() for first in (fault, sound)]
    got, want = [gradkit.autograd.grad(function(x), x)[0] for x in xs]
    assert not got[0].isfinite().any()
    np.testing.assert_allclose(got[1].cpu().numpy(), want[1].cpu().numpy(), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("fault", FAULTY[2:], ids=["nan", "inf"])
@np.errstate(divide="ignore", invalid="ignore")
def test_determinant_of_a_matrix_that_is_not_finite_keeps_its_nan_to_itself(fault):
    sound = np.array([[2.0, 1.0], [0.5, 3.0]])
    a = gradkit.tensor(np.stack([fault, sound]), requires_grad=True)
    (g,) = gradkit.autograd.grad(gradkit.linalg.det(a).sum(), a, create_graph=True)
    (second,) = gradkit.autograd.grad((g * g).sum(), a)
    assert gradkit.cat([g[0], second[0]]).isnan().all()
    np.testing.assert_allclose(g[1].detach().cpu().numpy(), np.linalg.det(sound) * np.linalg.inv(sound).T, rtol=1e-12)
    np.testing.assert_allclose(second[1].cpu().numpy(), 2 * sound, rtol=1e-12)


def test_triangular_solve_with_a_zero_on_the_diagonal_gives_inf(torch):
    raw = np.array([[1.0, 0.0], [2.0, 0.0]])
    with np.errstate(divide="ignore"):
        got = gradkit.linalg.solve_triangular(gradkit.tensor(raw), gradkit.tensor([[1.0], [3.0]], dtype=gradkit.float64), upper=False)
    want = torch.linalg.solve_triangular(torch.tensor(raw), torch.tensor([[1.0], [3.0]], dtype=torch.float64), upper=False)
    np.testing.assert_array_equal(got.numpy(), want.numpy())


def test_large_triangles_are_solved_by_halves():
    a, b = np.tril(RNG.normal(size=(2, 200, 200))) + 20 * np.eye(200), RNG.normal(size=(200, 3))
    for raw, upper in ((a, False), (np.swapaxes(a, -1, -2), True)):
        x = gradkit.linalg.solve_triangular(gradkit.tensor(raw), gradkit.tensor(b), upper=upper)
        np.testing.assert_allclose(raw @ x.numpy(), np.broadcast_to(b, (2, 200, 3)), atol=1e-12)


def test_condition_of_a_singular_matrix_is_infinite():
    a = gradkit.tensor([[[1.0, 1.0], [1.0, 1.0]], [[2.0, 0.0], [0.0, 1.0]]], dtype=gradkit.float64)
    assert gradkit.linalg.cond(a, 1).tolist() == [inf, 2.0]


def test_rank_and_least_squares_say_what_is_there(torch):
    raw = np.array([[1.0, 2.0], [2.0, 4.0], [3.0, 6.0]])
    assert gradkit.linalg.matrix_rank(gradkit.tensor(raw)).item() == 1
    assert gradkit.linalg.matrix_rank(gradkit.tensor(raw), atol=100.0).item() == 0
    b = RNG.normal(size=(3, 2))
    for a in (raw, RNG.normal(size=(3, 2))):
        mine = gradkit.linalg.lstsq(gradkit.tensor(a), gradkit.tensor(b))
        theirs = torch.linalg.lstsq(torch.tensor(a), torch.tensor(b), driver="gelsd")
        np.testing.assert_allclose(mine.solution.numpy(), theirs.solution.numpy(), atol=1e-12)
        np.testing.assert_allclose(mine.singular_values.numpy(), theirs.singular_values.numpy(), atol=1e-12)
        np.testing.assert_allclose(mine.residuals.numpy(), theirs.residuals.numpy(), atol=1e-12)
        assert mine.rank.item() == theirs.rank.item()


@pytest.mark.filterwarnings("ignore:An output with one or more elements was resized:UserWarning")  # PyTorch's own
@pytest.mark.parametrize("bounds", [(0.6,), (0.6, True), (np.array([0.6, 0.2]),)])
def test_what_counts_as_0_may_come_second_and_as_a_tensor(bounds, torch):
    raw = np.array([[2.0, 0.0], [0.0, 1.0]])
    for name in ("pinv", "matrix_rank"):
        mine, theirs = [
            getattr(f.linalg, name)(f.tensor(raw), *[f.tensor(x) if isinstance(x, np.ndarray) else x for x in bounds])
            for f in (gradkit, torch)
        ]
        assert mine.tolist() == theirs.tolist()


def test_empty_matrices(torch):
    for shape in ((0, 0), (2, 0, 0)):
        for name in ("inv", "det", "matrix_exp", "pinv"):
            mine, theirs = [getattr(f.linalg, name)(f.zeros(*shape)) for f in (gradkit, torch)]
            assert mine.tolist() == theirs.tolist()


# -- errors
ERRORS = {
    "inv of a rectangle": lambda f: f.linalg.inv(f.ones(2, 3)),
    "inv of a vector": lambda f: f.linalg.inv(f.ones(2)),
    "inv of ints": lambda f: f.linalg.inv(f.ones(2, 2).to(f.int64)),
    "inv of halves": lambda f: f.linalg.inv(f.ones(2, 2).to(f.float16)),
    "solve": lambda f: f.linalg.solve(f.eye(2), f.ones(3)),
    "solve from the right": lambda f: f.linalg.solve(f.eye(2), f.ones(2), left=False),
    "solve dtypes": lambda f: f.linalg.solve(f.eye(2), f.ones(2).to(f.float64)),
    "solve_triangular of a vector": lambda f: f.linalg.solve_triangular(f.eye(2), f.ones(2), upper=True),
    "solve_triangular without upper": lambda f: f.linalg.solve_triangular(f.eye(2), f.ones(2, 1)),
    "det of a rectangle": lambda f: f.linalg.det(f.ones(2, 3)),
    "matrix_power of half": lambda f: f.linalg.matrix_power(f.eye(2), 0.5),
    "matrix_power of a rectangle": lambda f: f.linalg.matrix_power(f.ones(2, 3), 2),
    "matrix_exp of a vector": lambda f: f.matrix_exp(f.ones(2)),
    "cond of a rectangle": lambda f: f.linalg.cond(f.ones(2, 3), "fro"),
    "matrix_norm order": lambda f: f.linalg.matrix_norm(f.ones(2, 2), 3),
    "matrix_norm of a vector": lambda f: f.linalg.matrix_norm(f.ones(2)),
    "matrix_norm of one dim": lambda f: f.linalg.matrix_norm(f.ones(2, 2), dim=(0, 0)),
    "norm of a cube": lambda f: f.linalg.norm(f.ones(2, 2, 2), 2),
    "norm of three dims": lambda f: f.linalg.norm(f.ones(2, 2, 2), 2, dim=(0, 1, 2)),
    "nuc of a vector": lambda f: f.linalg.norm(f.ones(2, 2), "nuc", dim=0),
    "vector_norm of ints": lambda f: f.linalg.vector_norm(f.ones(2).to(f.int64)),
    "vector_norm narrower": lambda f: f.linalg.vector_norm(f.ones(2).to(f.float64), dtype=f.float32),
    "cholesky_solve of a vector": lambda f: f.cholesky_solve(f.ones(2), f.eye(2)),
}


@pytest.mark.parametrize("call", ERRORS.values(), ids=ERRORS)
def test_errors_have_the_types_and_words_of_pytorch(call, torch):
    with pytest.raises(Exception) as theirs:
        call(torch)
    with pytest.raises(theirs.type) as mine:
        call(gradkit)
    assert mine.type is theirs.type
    words = set(re.findall(r"[a-z]{4,}", str(theirs.value).lower().splitlines()[0]))
    assert words & set(re.findall(r"[a-z]{4,}", str(mine.value).lower()))


def test_singular_matrix_of_a_stack_is_named():
    a = gradkit.tensor(np.stack([np.eye(2), np.zeros((2, 2))]))
    with pytest.raises(gradkit.linalg.LinAlgError, match=r"linalg.inv: \(Batch element 1\): .*singular"):
        gradkit.linalg.inv(a)
    with pytest.raises(gradkit.linalg.LinAlgError, match="linalg.solve: .*singular"):
        gradkit.linalg.solve(a[1], a[0])
    assert issubclass(gradkit.linalg.LinAlgError, RuntimeError)
