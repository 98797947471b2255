"""Products of matrices against PyTorch: values, two orders of derivatives, vmap, einsum, errors."""

import math
import re

import numpy as np
import pytest

import gradkit
from gradkit.func import jvp, vmap

RNG = np.random.default_rng(9)


def draw(*shapes, kind="f"):
    raws = [RNG.normal(size=shape) for shape in shapes]
    return raws if kind == "f" else [raw + 1j * RNG.normal(size=raw.shape) for raw in raws]


# name: (call on a library and tensors, shapes of the tensors)
PRODUCTS = {
    "2-2": (lambda f, a, b: a @ b, (2, 3), (3, 4)),
    "1-1": (lambda f, a, b: a @ b, (3,), (3,)),
    "2-1": (lambda f, a, b: f.matmul(a, b), (2, 3), (3,)),
    "1-2": (lambda f, a, b: f.matmul(a, b), (3,), (3, 2)),
    "3-1": (lambda f, a, b: a @ b, (5, 2, 3), (3,)),
    "1-3": (lambda f, a, b: a @ b, (3,), (5, 3, 2)),
    "3-2": (lambda f, a, b: a @ b, (5, 2, 3), (3, 4)),
    "2-3": (lambda f, a, b: a @ b, (2, 3), (5, 3, 4)),
    "3-3": (lambda f, a, b: a @ b, (5, 2, 3), (5, 3, 4)),
    "4-3": (lambda f, a, b: a @ b, (2, 5, 2, 3), (5, 3, 4)),
    "broadcast": (lambda f, a, b: a @ b, (2, 1, 2, 3), (1, 5, 3, 4)),
    "empty": (lambda f, a, b: a @ b, (2, 0), (0, 3)),
    "mm": (lambda f, a, b: f.mm(a, b), (2, 3), (3, 4)),
    "bmm": (lambda f, a, b: a.bmm(b), (5, 2, 3), (5, 3, 4)),
    "mv": (lambda f, a, b: f.mv(a, b), (2, 3), (3,)),
    "dot": (lambda f, a, b: f.dot(a, b), (3,), (3,)),
    "vdot": (lambda f, a, b: a.vdot(b), (3,), (3,)),
    "inner": (lambda f, a, b: f.inner(a, b), (2, 3), (4, 5, 3)),
    "inner scalar": (lambda f, a, b: f.inner(a, b), (), (4, 3)),
    "outer": (lambda f, a, b: f.outer(a, b), (2,), (3,)),
    "addmm": (lambda f, a, b, c: f.addmm(a, b, c, beta=2, alpha=0.5), (4,), (2, 3), (3, 4)),
    "addmv": (lambda f, a, b, c: a.addmv(b, c), (2,), (2, 3), (3,)),
    "addr": (lambda f, a, b, c: f.addr(a, b, c, alpha=3), (2, 3), (2,), (3,)),
    "addbmm": (lambda f, a, b, c: f.addbmm(a, b, c), (2, 4), (5, 2, 3), (5, 3, 4)),
    "baddbmm": (lambda f, a, b, c: f.baddbmm(a, b, c, beta=0.5), (5, 2, 4), (5, 2, 3), (5, 3, 4)),
    "tensordot 1": (lambda f, a, b: f.tensordot(a, b, 1), (2, 3), (3, 4)),
    "tensordot 0": (lambda f, a, b: f.tensordot(a, b, 0), (2, 3), (4,)),
    "tensordot lists": (lambda f, a, b: f.tensordot(a, b, ([0, -1], [2, 1])), (2, 5, 3), (4, 3, 2)),
    "kron": (lambda f, a, b: f.kron(a, b), (2, 3), (4,)),
    "cross": (lambda f, a, b: f.linalg.cross(a, b), (2, 3), (1, 3)),
    "cross dim": (lambda f, a, b: f.linalg.cross(a, b, dim=0), (3, 2), (3, 2)),
    "trace": (lambda f, a: f.trace(a), (3, 4)),
    "multi_dot": (lambda f, *x: f.linalg.multi_dot(x), (2, 5), (5, 3), (3, 7), (7, 2)),
    "multi_dot vectors": (lambda f, *x: f.linalg.multi_dot(x), (5,), (5, 3), (3,)),
    "vecdot": (lambda f, a, b: f.linalg.vecdot(a, b, dim=0), (3, 2), (3, 1)),
}  # fmt: skip
EINSUM = {
    "ij,jk": [(2, 3), (3, 4)],
    "ij,jk->ki": [(2, 3), (3, 4)],
    "ij,ij->": [(2, 3), (2, 3)],
    "ij,ij->i": [(2, 3), (2, 3)],
    "ij,ij->ij": [(2, 3), (2, 3)],
    "ij,ji": [(2, 3), (3, 2)],
    "i,j->ji": [(2,), (3,)],
    "ij,j": [(2, 3), (3,)],
    "j,ij": [(3,), (2, 3)],
    "ij->": [(2, 3)],
    "ij->j": [(2, 3)],
    "ba": [(2, 3)],
    "Ab": [(2, 3)],
    "ii": [(3, 3)],
    "ii->i": [(3, 3)],
    "iij->ji": [(3, 3, 2)],
    "iii": [(3, 3, 3)],
    "ii,jj->ij": [(2, 2), (3, 3)],
    "bhqd,bhkd->bhqk": [(2, 3, 4, 5), (2, 3, 6, 5)],
    "bhqk,bhkd->bqhd": [(2, 3, 4, 6), (2, 3, 6, 5)],
    "bi,bj->bij": [(4, 2), (4, 3)],
    "bi,bij,bj->b": [(4, 2), (4, 2, 3), (4, 3)],
    "ij,jk,kl,lm->im": [(2, 3), (3, 4), (4, 2), (2, 5)],
    "ijk,kl->ijl": [(2, 3, 4), (4, 5)],
    "ijk,jil->kl": [(2, 3, 4), (3, 2, 5)],
    "...ij,...jk->...ik": [(5, 2, 3), (3, 4)],
    "...i->i...": [(4, 2, 3)],
    "...,...": [(2,), (3, 2)],
    "i...,j...": [(2, 4), (3, 4)],
    "b...d,d": [(2, 4, 3), (3,)],
    "...ii->...i": [(2, 3, 3)],
    "ij...->...": [(2, 3, 4)],
    "i,i": [(1,), (3,)],
    "ij,kj->ik": [(2, 3), (4, 1)],
    "i,": [(3,), ()],
    "": [()],
    "ij,k->": [(2, 3), (4,)],
    "ij , jk -> i k": [(2, 3), (3, 4)],
    "ij->i...": [(2, 3)],
    "a,a,a->a": [(3,), (3,), (3,)],
}  # fmt: skip
CASES = {name: (case[0], case[1:]) for name, case in PRODUCTS.items()} | {
    f"einsum {equation}": (lambda f, *x, equation=equation: f.einsum(equation, *x), shapes) for equation, shapes in EINSUM.items()
}


def second_order(f, call, raws):
    """Result, gradients and Hessian-vector products of a scalar made of it."""
    xs = [f.tensor(raw, requires_grad=True) for raw in raws]
    y = call(f, *xs)
    size = (y * y.conj()).real if y.is_complex() else y * y
    gs = f.autograd.grad(size.sum(), xs, create_graph=True)
    inner = sum([(g * x.conj()).real.sum() if x.is_complex() else (g * x).sum() for g, x in zip(gs, xs, strict=True)])
    return y, *gs, *f.autograd.grad(inner, xs, materialize_grads=True)


def compared(call, raws, torch, **tolerance):
    tolerance = {"rtol": 1e-9, "atol": 1e-9} | tolerance
    mine, theirs = [second_order(f, call, raws) for f in (gradkit, torch)]
    for got, want in zip(mine, theirs, strict=True):
        assert got.dtype.name == str(want.dtype).removeprefix("torch.")
        assert tuple(got.shape) == tuple(want.shape)
        np.testing.assert_allclose(got.detach().numpy(), want.detach().resolve_conj().numpy(), **tolerance)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_values_and_two_orders_of_derivatives(case, torch):
    call, shapes = case
    compared(call, draw(*shapes), torch)


@pytest.mark.parametrize("name", [name for name in CASES if "cross" not in name])
def test_complex(name, torch):
    call, shapes = CASES[name]
    compared(call, draw(*shapes, kind="c"), torch)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_vmap_and_jvp_agree_with_the_plain_call(case):
    call, shapes = case

    def function(*xs):
        return call(gradkit, *xs)

    stacks = [gradkit.tensor(np.stack(draw(*[shape] * 3))) for shape in shapes]
    for mapped in range(1, 2 ** len(shapes)):
        dims = tuple([0 if mapped >> k & 1 else None for k in range(len(shapes))])
        args = [s if d == 0 else s[0] for s, d in zip(stacks, dims, strict=True)]
        together = vmap(function, dims)(*args)
        for n in range(3):
            one = function(*[s[n] if d == 0 else s[0] for s, d in zip(stacks, dims, strict=True)])
            np.testing.assert_allclose(together[n].numpy(), one.numpy(), rtol=1e-9, atol=1e-12)
    xs = [s[0].requires_grad_() for s in stacks]
    ts = [s[1] for s in stacks]
    y = function(*xs)
    moved = jvp(function, tuple([x.detach() for x in xs]), tuple(ts))[1]
    ct = gradkit.tensor(RNG.normal(size=tuple(y.shape)))
    pulled = gradkit.autograd.grad(y, xs, ct)
    want = sum([(g * t).sum().item() for g, t in zip(pulled, ts, strict=True)])
    np.testing.assert_allclose((ct * moved).sum().item(), want, rtol=1e-9, atol=1e-12)


def test_einsum_takes_lists(torch):
    a, b = draw((2, 3), (4, 3, 5))
    for args in ([(0, 1), (7, 1, 2)], [(0, 1), (7, 1, 2), (2, 0)], [(0, ...), (7, ..., 2), (2, ..., 0)]):
        mine, theirs = [
            f.einsum(f.tensor(a), list(args[0]), f.tensor(b), list(args[1]), *[list(out) for out in args[2:]]) for f in (gradkit, torch)
        ]
        np.testing.assert_allclose(mine.numpy(), theirs.numpy(), rtol=1e-12)


def test_einsum_of_many_operands_starts_with_the_smallest_product():
    """From the left, the first product alone would have 10**12 elements."""
    x, y = gradkit.ones(10**6), gradkit.ones(10**6)
    assert gradkit.einsum("i,j,i,j->", x, y, x, y).item() == pytest.approx(1e12, rel=1e-6)


def test_integers_multiply_as_integers():
    a = gradkit.tensor([[1, 2], [3, 4]])
    assert (a @ a).tolist() == [[7, 10], [15, 22]]
    assert (a @ a[0]).tolist() == [5, 11]
    assert gradkit.einsum("ij,jk", a, a).dtype == gradkit.int64


def test_beta_of_zero_ignores_nan():
    assert gradkit.addmm(gradkit.tensor([math.nan]), gradkit.ones(2, 3), gradkit.ones(3, 1), beta=0).tolist() == [[3], [3]]


def test_chain_takes_the_cheapest_order(monkeypatch):
    from gradkit.ops import contraction

    work = []

    def counting(a, b):
        work.append(a.shape[0] * a.shape[1] * b.shape[1])
        return a @ b

    monkeypatch.setattr(contraction, "matmul", counting)
    gradkit.linalg.multi_dot([gradkit.ones(n, m) for n, m in [(30, 35), (35, 15), (15, 5), (5, 10), (10, 20), (20, 25)]])
    assert sum(work) == 15125  # Cormen et al., Introduction to Algorithms, section 15.2


# -- errors
ERRORS = {
    "2-2": lambda f, o: o(2, 3) @ o(4, 5),
    "1-1": lambda f, o: o(3) @ o(4),
    "2-1": lambda f, o: o(2, 3) @ o(4),
    "1-2": lambda f, o: o(4) @ o(2, 3),
    "3-3": lambda f, o: o(2, 2, 3) @ o(3, 3, 5),
    "0-1": lambda f, o: f.tensor(1.0) @ o(3),
    "dtypes": lambda f, o: o(2, 3) @ o(3, 2).to(f.float64),
    "dtypes of vectors": lambda f, o: o(3) @ o(3).to(f.float64),
    "dtypes with ints": lambda f, o: f.tensor([[1]]) @ o(1, 2),
    "a number": lambda f, o: f.matmul(o(2, 3), 3),
    "mm of a vector": lambda f, o: f.mm(o(2), o(4, 5)),
    "bmm": lambda f, o: f.bmm(o(2, 3, 4), o(2, 5, 6)),
    "bmm of matrices": lambda f, o: f.bmm(o(2, 3), o(2, 5, 6)),
    "mv": lambda f, o: f.mv(o(2, 3), o(4)),
    "dot": lambda f, o: f.dot(o(2), o(3)),
    "dot of matrices": lambda f, o: f.dot(o(2, 2), o(2, 2)),
    "inner": lambda f, o: f.inner(o(2, 3), o(4)),
    "outer": lambda f, o: f.outer(o(2, 2), o(3)),
    "addmm": lambda f, o: f.addmm(o(2), o(2, 3), o(3, 4)),
    "tensordot": lambda f, o: f.tensordot(o(2, 3), o(4, 5), 1),
    "tensordot lists": lambda f, o: f.tensordot(o(2, 3), o(3, 5), ([1, 0], [0])),
    "cross": lambda f, o: f.linalg.cross(o(2, 2), o(2, 2)),
    "multi_dot of one": lambda f, o: f.linalg.multi_dot([o(3)]),
    "multi_dot": lambda f, o: f.linalg.multi_dot([o(3, 2), o(3, 4)]),
    "multi_dot of a cube": lambda f, o: f.linalg.multi_dot([o(3, 2), o(2, 2, 2), o(2)]),
    "trace": lambda f, o: f.trace(o(2, 2, 2)),
    "einsum output": lambda f, o: f.einsum("ij,jk->ikz", o(2, 3), o(3, 4)),
    "einsum extents": lambda f, o: f.einsum("ij,jk", o(2, 3), o(4, 4)),
    "einsum operands": lambda f, o: f.einsum("ij,jk", o(2, 3)),
    "einsum axes": lambda f, o: f.einsum("ijk", o(2, 3)),
    "einsum diagonal": lambda f, o: f.einsum("ii->i", o(2, 3)),
    "einsum twice": lambda f, o: f.einsum("ij->ijj", o(2, 3)),
    "einsum letters": lambda f, o: f.einsum("i1", o(2, 3)),
    "einsum dots": lambda f, o: f.einsum("ij->..ij", o(2, 3)),
    "einsum dtypes": lambda f, o: f.einsum("ij,jk", o(2, 3), o(3, 4).to(f.float64)),
    "einsum list": lambda f, o: f.einsum(o(2, 3), [0, 53]),
}


@pytest.mark.parametrize("call", ERRORS.values(), ids=ERRORS)
def test_errors_have_the_types_and_words_of_pytorch(call, torch):
    with pytest.raises(Exception) as theirs:
        call(torch, torch.ones)
    with pytest.raises(theirs.type) as mine:
        call(gradkit, gradkit.ones)
    assert mine.type is theirs.type
    words = set(re.findall(r"[a-z]{4,}", str(theirs.value).lower().splitlines()[0]))
    assert words & set(re.findall(r"[a-z]{4,}", str(mine.value).lower()))


def test_shapes_that_cannot_be_multiplied_are_named():
    with pytest.raises(RuntimeError, match=r"mat1 and mat2 shapes cannot be multiplied \(2x3 and 4x5\)"):
        gradkit.ones(2, 3, requires_grad=True) @ gradkit.ones(4, 5)


@pytest.mark.parametrize("transposed", [False, True])
@pytest.mark.parametrize("batch", [(), (1,), (4,), (4, 1), (1, 4), (0,)])
@pytest.mark.parametrize("one", [(), (1,), (1, 1), (1, 1, 1), (2,)])
def test_vectors_of_a_batch_times_one_matrix(one, batch, transposed):
    for k, n in ((3, 2), (3, 1), (1, 2), (0, 2), (3, 0)):
        a, b = RNG.normal(size=(*batch, 1, k)), RNG.normal(size=(*one, n, k)).swapaxes(-1, -2)
        if one == (2,) and batch and batch[-1] not in (1, 2):
            continue
        a, b = (b.swapaxes(-1, -2), a.swapaxes(-1, -2)) if transposed else (a, b)
        np.testing.assert_allclose(gradkit.matmul(gradkit.tensor(a), gradkit.tensor(b)), np.matmul(a, b), atol=1e-12)
    with pytest.raises(RuntimeError):
        gradkit.matmul(gradkit.ones(*batch, 1, 4), gradkit.ones(2, 2, 2))
