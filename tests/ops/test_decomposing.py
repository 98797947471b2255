"""Decompositions against PyTorch: factors, and two orders of derivatives of what does not depend on their phases.

They are also the operations with several outputs: unused ones, each alone, all together, under every transform.
"""

import numpy as np
import pytest

import gradkit
from gradkit.autograd import grad
from gradkit.func import jvp, vmap

RNG = np.random.default_rng(21)


def draw(m, n, complex=False):
    a = RNG.normal(size=(m, n))
    return a + 1j * RNG.normal(size=a.shape) if complex else a


def mirrored(a):
    return (a + a.mH) / 2


def squares(f, *ys):
    """The squared absolute values: what a phase does not change."""
    return [(y * y.conj()).real if y.is_complex() else y * y for y in ys]


def weighed(f, y):
    """Distinct weights for the columns, so that they may not be exchanged."""
    return y * f.arange(1, y.shape[-1] + 1).to(f.float64)


# Invariant functions: name: (call that answers a list of tensors, shape of the operand)
CASES = {
    "cholesky": (lambda f, a: [f.linalg.cholesky(a @ a.mH)], (3, 4)),
    "cholesky upper": (lambda f, a: [f.linalg.cholesky(a @ a.mH, upper=True)], (3, 4)),
    "eigvalsh": (lambda f, a: [f.linalg.eigvalsh(mirrored(a))], (3, 3)),
    "eigh values": (lambda f, a: [f.linalg.eigh(mirrored(a)).eigenvalues], (3, 3)),
    "eigh vectors": (lambda f, a: squares(f, f.linalg.eigh(mirrored(a), UPLO="U").eigenvectors), (3, 3)),
    "eigh function": (lambda f, a: [of_matrix(f, mirrored(a))], (4, 4)),
    "svdvals": (lambda f, a: [f.linalg.svdvals(a)], (4, 3)),
    "svd S": (lambda f, a: [f.linalg.svd(a, full_matrices=False).S], (3, 4)),
    "svd U": (lambda f, a: squares(f, f.linalg.svd(a, full_matrices=False).U), (4, 3)),
    "svd V": (lambda f, a: squares(f, f.linalg.svd(a, full_matrices=False).Vh), (3, 4)),
    "svd polar": (lambda f, a: [polar(f, a)], (4, 3)),
    "svd polar wide": (lambda f, a: [polar(f, a)], (2, 3)),
    "svd polar square": (lambda f, a: [polar(f, a)], (3, 3)),
    "svd low rank": (lambda f, a: [truncated(f, a, 2)], (4, 3)),
    "top-level svd": (lambda f, a: rotated(f, *f.svd(a)), (4, 3)),
    "qr": (lambda f, a: list(f.linalg.qr(a)), (4, 3)),
    "qr square": (lambda f, a: list(f.linalg.qr(a)), (3, 3)),
    "qr wide": (lambda f, a: list(f.linalg.qr(a)), (2, 4)),
    "qr R": (lambda f, a: [f.linalg.qr(a).R], (4, 3)),
    "qr Q": (lambda f, a: [f.linalg.qr(a).Q], (4, 3)),
    "qr complete": (lambda f, a: list(f.linalg.qr(a, "complete")), (3, 3)),
    "top-level qr": (lambda f, a: list(f.qr(a)), (4, 3)),
    "eigvals": (lambda f, a: squares(f, f.linalg.eigvals(a).sum() ** 2), (3, 3)),
    "eig function": (lambda f, a: squares(f, eig_function(f, a)), (3, 3)),
}  # fmt: skip


def of_matrix(f, a):
    w, v = f.linalg.eigh(a)
    return (v * f.exp(w)) @ v.mH


def rotated(f, u, s, v):
    return [s, weighed(f, u) @ v.mH]


def polar(f, a):
    u, _, vh = f.linalg.svd(a, full_matrices=False)
    return u @ vh


def truncated(f, a, k):
    u, s, vh = f.linalg.svd(a, full_matrices=False)
    return (u[:, :k] * s[:k]) @ vh[:k]


def eig_function(f, a):
    w, v = f.linalg.eig(a)
    return (v * f.exp(w)) @ f.linalg.inv(v)


def loss_of(f, ys):
    """Every element, and its square, with a weight of its own."""
    parts = [part for y in ys for part in ((y.real, y.imag) if y.is_complex() else (y,))]
    weights = [f.arange(1.0, part.numel() + 1).reshape(part.shape).to(f.float64) for part in parts]
    return sum([((part * part + part) * w).sum() for part, w in zip(parts, weights, strict=True)])


def second_order(f, call, raw):
    x = f.tensor(raw, requires_grad=True)
    ys = call(f, x)
    (g,) = f.autograd.grad(loss_of(f, ys), x, create_graph=True)
    inner = (g * x.conj()).real if x.is_complex() else g * x
    return *ys, g, *f.autograd.grad(inner.sum(), x)


@pytest.mark.filterwarnings("ignore:torch.qr is deprecated")
@pytest.mark.parametrize("complex", [False, True], ids=["real", "complex"])
@pytest.mark.parametrize("name", CASES)
def test_values_and_two_orders_of_derivatives(name, complex, torch):
    call, shape = CASES[name]
    raw = draw(*shape, complex=complex)
    mine, theirs = [second_order(f, call, raw) for f in (gradkit, torch)]
    for got, want in zip(mine, theirs, strict=True):
        assert got.dtype.name == str(want.dtype).removeprefix("torch.")
        np.testing.assert_allclose(got.detach().numpy(), want.detach().resolve_conj().numpy(), rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("complex", [False, True], ids=["real", "complex"])
@pytest.mark.parametrize("name", CASES)
def test_vmap_and_jvp_agree_with_the_plain_call(name, complex):
    call, shape = CASES[name]

    def function(a):
        return loss_of(gradkit, call(gradkit, a))

    stack = gradkit.tensor(np.stack([draw(*shape, complex=complex) for _ in range(3)]))
    np.testing.assert_allclose(vmap(function)(stack).numpy(), [function(a).item() for a in stack], rtol=1e-9)
    gradients = vmap(lambda a: gradkit.func.grad(function)(a))(stack)
    for a, t, g in zip(stack, stack.roll(1, 0), gradients, strict=True):
        moved = jvp(function, (a,), (t,))[1]
        np.testing.assert_allclose((g * t.conj()).real.sum().item() if complex else (g * t).sum().item(), moved.item(), rtol=1e-8)


# -- several outputs
def test_each_output_alone_adds_up_to_all_together():
    x = gradkit.tensor(draw(4, 3), requires_grad=True)
    u, s, vh = gradkit.linalg.svd(x, full_matrices=False)
    losses = [squares(gradkit, u)[0][0].sum(), (s * s * s).sum(), squares(gradkit, vh)[0][0].sum()]
    alone = [grad(loss, x, retain_graph=True)[0].numpy() for loss in losses]
    together = grad(sum(losses), x)[0].numpy()
    np.testing.assert_allclose(sum(alone), together, atol=1e-12)


def test_an_output_used_twice_adds_its_cotangents():
    x = gradkit.tensor(draw(3, 3), requires_grad=True)
    w = gradkit.linalg.eigh(mirrored(x)).eigenvalues
    (twice,) = grad((w.sum() + w.sum()), x, retain_graph=True)
    (once,) = grad(w.sum(), x)
    np.testing.assert_allclose(twice.numpy(), 2 * once.numpy())


def test_gradient_with_respect_to_an_output():
    x = gradkit.tensor(draw(3, 3), requires_grad=True)
    w, v = gradkit.linalg.eigh(mirrored(x))
    g_w, g_v = grad((w * w).sum(), [w, v], allow_unused=True)
    assert g_v is None
    np.testing.assert_allclose(g_w.numpy(), 2 * w.detach().numpy())


def test_outputs_are_numbered_and_share_their_node():
    x = gradkit.tensor(draw(3, 3), requires_grad=True)
    q, r = gradkit.linalg.qr(x)
    assert (q.output_nr, r.output_nr) == (0, 1)
    assert q.grad_fn.name() == r.grad_fn.name() == "LinalgQrBackward0"
    assert q.grad_fn.next_functions[0][0] is x.node


def test_hooks_of_an_output_see_its_cotangent():
    x = gradkit.tensor(draw(3, 3), requires_grad=True)
    w, v = gradkit.linalg.eigh(mirrored(x))
    seen = []
    w.register_hook(lambda ct: seen.append(ct.tolist()))
    (w.sum() + (v * v).sum()).backward()
    assert seen == [[1.0, 1.0, 1.0]]


def test_freed_and_retained_graphs():
    x = gradkit.tensor(draw(3, 3), requires_grad=True)
    w, v = gradkit.linalg.eigh(mirrored(x))
    loss = w.sum() + squares(gradkit, v)[0][0, 0]
    first = grad(loss, x, retain_graph=True)[0]
    np.testing.assert_allclose(grad(loss, x)[0].numpy(), first.numpy())
    with pytest.raises(RuntimeError, match="second time"):
        grad(loss, x)


def test_an_output_written_in_place_is_noticed():
    x = gradkit.tensor(draw(3, 3), requires_grad=True)
    w, v = gradkit.linalg.eigh(mirrored(x))
    with gradkit.no_grad():
        v.mul_(2)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        w.sum().backward()


def test_an_output_that_is_replaced_in_place_has_a_new_history():
    x = gradkit.tensor(draw(3, 3), requires_grad=True)
    _, r = gradkit.linalg.qr(x)
    y = r.clone()
    y.mul_(2)
    (doubled,) = grad(y.sum(), x, retain_graph=True)
    np.testing.assert_allclose(doubled.numpy(), 2 * grad(r.sum(), x)[0].numpy())


@pytest.mark.parametrize("used", [0, 1, 2])
def test_hessian_and_jacobians_through_one_output(used):
    raw = draw(3, 2)

    def function(a):
        return squares(gradkit, gradkit.linalg.svd(a, full_matrices=False)[used])[0]

    x = gradkit.tensor(raw)
    forward, reverse = gradkit.func.jacfwd(function)(x), gradkit.func.jacrev(function)(x)
    np.testing.assert_allclose(forward.numpy(), reverse.numpy(), atol=1e-10)
    weights = gradkit.tensor(RNG.normal(size=tuple(function(x).shape)))
    h = gradkit.func.hessian(lambda a: (function(a) * weights).sum())(x).reshape(6, 6).numpy()
    np.testing.assert_allclose(h, h.T, atol=1e-9)


# -- where factors are free
@pytest.mark.parametrize("complex", [False, True], ids=["real", "complex"])
def test_equal_eigenvalues_have_a_derivative_and_their_vectors_have_none(complex):
    a = gradkit.eye(3, dtype=gradkit.complex128 if complex else gradkit.float64).requires_grad_()
    w, v = gradkit.linalg.eigh(a)
    (g,) = grad(w.sum(), a, retain_graph=True)
    np.testing.assert_allclose(g.numpy(), np.eye(3), atol=1e-12)
    (g,) = grad(squares(gradkit, v @ v.mH)[0].sum(), a)
    assert g.isnan().any()
    t = gradkit.tensor(draw(3, 3, complex))
    moved = jvp(lambda a: gradkit.linalg.eigh(a).eigenvalues, (a.detach(),), (t,))[1]
    np.testing.assert_allclose(moved.sum().item(), np.trace(t.numpy()).real)


@pytest.mark.parametrize("shape", [(3, 3), (4, 2), (2, 4)])
def test_singular_values_of_a_matrix_of_low_rank_have_a_derivative(shape):
    u, v = draw(shape[0], 1), draw(1, shape[1])
    a = gradkit.tensor(u @ v, requires_grad=True)
    for values in (gradkit.linalg.svd(a).S, gradkit.linalg.svd(a, full_matrices=False).S, gradkit.linalg.svdvals(a)):
        (g,) = grad(values[0], a, retain_graph=True)
        np.testing.assert_allclose(g.numpy(), u @ v / np.linalg.norm(u) / np.linalg.norm(v), atol=1e-12)


@pytest.mark.parametrize("shape", [(4, 2), (2, 4), (5, 2)])
@pytest.mark.parametrize("complex", [False, True], ids=["real", "complex"])
def test_projector_on_columns_beyond_the_rank(shape, complex):
    """Of the full factors the spare columns span a null space, whose projector is 1 minus that of the others."""
    m, n = shape
    raw, weights = draw(m, n, complex), gradkit.tensor(RNG.normal(size=(max(m, n),) * 2))

    def spare(a, how):
        if how == "svd":
            u, _, vh = gradkit.linalg.svd(a)
            return u[:, n:] if m > n else vh[m:].mH
        return gradkit.linalg.qr(a if m > n else a.mH, "complete").Q[:, min(m, n) :]

    def loss(q):
        p = q @ q.mH
        return ((p.real if p.is_complex() else p) * weights).sum()

    for how in ("svd", "qr"):
        a = gradkit.tensor(raw, requires_grad=True)
        (got,) = grad(loss(spare(a, how)), a, create_graph=True)
        b = gradkit.tensor(raw, requires_grad=True)
        others = gradkit.linalg.qr(b if m > n else b.mH).Q
        (want,) = grad(-loss(others), b, create_graph=True)
        np.testing.assert_allclose(got.detach().numpy(), want.detach().numpy(), atol=1e-10)
        real = [(g * x.conj()).real.sum() if complex else (g * x).sum() for g, x in ((got, a * a), (want, b * b))]
        np.testing.assert_allclose(grad(real[0], a)[0].numpy(), grad(real[1], b)[0].numpy(), atol=1e-9)


# -- triangles, modes, errors
@pytest.mark.parametrize("uplo", ["L", "U"])
def test_only_one_triangle_is_read_and_the_gradient_is_hermitian(uplo, torch):
    raw = draw(3, 3) + 5 * np.eye(3)
    calls = [
        lambda f, a: f.linalg.eigvalsh(a, UPLO=uplo),
        lambda f, a: f.linalg.eigh(a, uplo).eigenvalues,
        lambda f, a: f.linalg.cholesky(a, upper=uplo == "U"),
    ]
    for call in calls:
        results = []
        for f in (gradkit, torch):
            a = f.tensor(raw, requires_grad=True)
            y = call(f, a)
            results.append((y.detach().numpy(), f.autograd.grad((y * y * y).sum(), a)[0].numpy()))
        for got, want in zip(*results, strict=True):
            np.testing.assert_allclose(got, want, atol=1e-10)


def test_modes_of_qr(torch):
    raw = draw(4, 2)
    for mode in ("reduced", "complete", "r"):
        mine, theirs = [f.linalg.qr(f.tensor(raw), mode) for f in (gradkit, torch)]
        for got, want in zip(mine, theirs, strict=True):
            assert tuple(got.shape) == tuple(want.shape)
            np.testing.assert_allclose(got.numpy(), want.numpy(), atol=1e-12)


def test_svd_without_vectors(torch):
    raw = draw(4, 2)
    mine, theirs = [f.svd(f.tensor(raw), compute_uv=False) for f in (gradkit, torch)]
    for got, want in zip(mine, theirs, strict=True):
        assert tuple(got.shape) == tuple(want.shape)
    np.testing.assert_allclose(mine[1].numpy(), theirs[1].numpy(), atol=1e-12)


ERRORS = {
    "cholesky of a rectangle": lambda f: f.linalg.cholesky(f.ones(2, 3)),
    "eigh of a rectangle": lambda f: f.linalg.eigh(f.ones(2, 3)),
    "eigh UPLO": lambda f: f.linalg.eigh(f.eye(2), UPLO="x"),
    "svd of a vector": lambda f: f.linalg.svd(f.ones(2)),
    "svd of ints": lambda f: f.linalg.svd(f.ones(2, 2).to(f.int64)),
    "qr mode": lambda f: f.linalg.qr(f.ones(2, 2), "raw"),
    "eig of a vector": lambda f: f.linalg.eig(f.ones(2)),
}


@pytest.mark.parametrize("call", ERRORS.values(), ids=ERRORS)
def test_errors_have_the_types_of_pytorch(call, torch):
    with pytest.raises(Exception) as theirs:
        call(torch)
    with pytest.raises(theirs.type) as mine:
        call(gradkit)
    assert mine.type is theirs.type


def test_indefinite_matrix_of_a_stack_is_named(torch):
    raw = np.stack([np.eye(3), np.diag([1.0, -1.0, 1.0])])
    messages = []
    for f in (gradkit, torch):
        with pytest.raises(f.linalg.LinAlgError) as error:
            f.linalg.cholesky(f.tensor(raw))
        messages.append(str(error.value))
    assert messages[0] == messages[1]


@pytest.mark.cpu
@pytest.mark.parametrize("raw", [[[1.0, 0.0], [np.nan, 2.0]], [[np.nan, 0.0], [0.0, 1.0]], [[1.0, np.inf], [np.inf, 1.0]]])
@pytest.mark.parametrize("dtype", ["float32", "complex128"])
def test_cholesky_of_what_is_not_a_number_raises(raw, dtype, torch):
    """So that a loop that adds to the diagonal until it works goes on; on a device nan is what comes out."""
    stack = np.stack([np.eye(2), raw]).astype(dtype)
    messages = []
    for f in (gradkit, torch):
        with pytest.raises(f.linalg.LinAlgError) as error:
            f.linalg.cholesky(f.tensor(stack))
        messages.append(str(error.value))
    assert messages[0] == messages[1]


@pytest.mark.cpu
@pytest.mark.parametrize("name", ["svd", "svdvals", "pinv", "cond", "matrix_rank"])
def test_what_does_not_converge_is_a_linear_algebra_error(name, torch):
    for f in (gradkit, torch):
        with pytest.raises(f.linalg.LinAlgError):
            getattr(f.linalg, name)(f.full((2, 2), float("nan")))
