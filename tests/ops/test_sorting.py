"""Orders, ranks, distinct values, counting and searching against PyTorch."""

import pickle

import numpy as np
import pytest

import gradkit
from gradkit.func import grad, vmap

nan = float("nan")
GIVEN = {
    "x": np.random.default_rng(0).permutation(24).reshape(2, 3, 4).astype(np.float32), "v": np.float32([3, 1, 2, 5, 4]),
    "tied": np.float32([2, 1, 2, 3, 1, 2]), "holes": np.float32([2, nan, 1, 3, nan]), "s": np.float32(3),
    "many": np.random.default_rng(1).permutation(400).reshape(2, 200).astype(np.float32), "all": np.float32([nan, nan]),
    "n": np.array([[3, 1, 3], [2, 1, 3]]), "m0": np.array([0, 1, 1, 3]), "empty": np.zeros(0, np.float32),
    "rows": np.array([[3, 1], [3, 1], [1, 2]]), "edges": np.array([1, 3, 5]), "two": np.array([[1, 3, 5], [2, 4, 6]]),
}  # fmt: skip

AGREED = """
m.unique(rows > 1, dim=0, return_inverse=True)
m.unique(n > 2, dim=1)
m.sort(x)
x.sort(axis=0)
x.sort(dim=1, descending=True)
m.sort(tied, stable=True)
m.sort(tied, descending=True, stable=True)
m.sort(holes)
m.sort(holes, descending=True)
m.sort(s)
m.sort(empty)
m.sort(n, 0)
m.sort(n > 2)
x.sort().values
x.sort()[1]
m.argsort(x, 1)
x.argsort(descending=True)
m.argsort(s)
m.msort(x)
m.msort(s)
m.topk(x, 2)
x.topk(3, -1, False)
m.topk(x, 1, dim=1, largest=True)
m.topk(many, 5)
m.topk(many, 7, largest=False)
m.topk(many.t(), 5, 0)
m.topk(v, 0)
m.topk(holes, 2)
m.topk(holes, 2, largest=False)
m.topk(s, 1)
m.kthvalue(x, 2)
x.kthvalue(1, 0)
m.kthvalue(x, 3, 1, True)
m.kthvalue(s, 1)
m.median(v)
m.median(x)
x.median(1)
x.median(axis=-1, keepdims=True)
m.median(tied)
m.median(tied, 0)
m.median(holes)
m.median(holes, 0)
m.median(s)
m.median(s, 0)
m.median(empty)
m.median(n)
n.median(1)
m.nanmedian(holes)
m.nanmedian(holes, 0)
m.nanmedian(all)
m.nanmedian(all, 0)
x.nanmedian(1, keepdim=True)
m.mode(tied)
x.mode(1)
m.mode(n, 0, True)
m.mode(n)
m.mode(s)
m.unique(n)
m.unique(n, return_inverse=True)
m.unique(n, return_counts=True)
n.unique(return_inverse=True, return_counts=True)
m.unique(rows, dim=0, return_inverse=True, return_counts=True)
rows.unique(dim=1, return_inverse=True)
m.unique(m.tensor([np.nan, 1.0, np.nan]), return_counts=True)
m.unique_consecutive(n, return_inverse=True, return_counts=True)
m.unique_consecutive(rows, dim=0, return_inverse=True, return_counts=True)
n.unique_consecutive()
m.unique_consecutive(empty.detach())
m.bincount(m0)
m0.bincount(minlength=6)
m.bincount(m0, m.tensor([1.0, 2.0, 3.0, 4.0]))
m.bincount(m0, m0)
m.bincount(m0[:0], minlength=2)
m.searchsorted(edges, n)
m.searchsorted(edges, n, right=True)
m.searchsorted(edges, 3)
m.searchsorted(edges, m.tensor([2.5, 5.0]))
m.searchsorted(two, two.flip(1))
m.searchsorted(two, two[:, :1].clone(), side="right", out_int32=True)
m.searchsorted(edges.flip(0), n, sorter=m.tensor([2, 1, 0]))
m.bucketize(n, edges)
m.bucketize(n, edges, right=True, out_int32=True)
m.bucketize(4, edges)
F.one_hot(m0)
F.one_hot(n, 5)
F.one_hot(m0[0], 2)
F.one_hot(m0[:0], 3)
"""
WRONG = """
m.sort(x, 3)
m.sort(m.tensor([1j]))
m.topk(v, 6)
m.topk(v, -1)
m.kthvalue(v, 6)
m.kthvalue(v, 0)
m.median(empty, 0)
m.mode(empty)
m.bincount(m.tensor([0, -1]))
m.bincount(n)
m.bincount(v)
m.bincount(m0, v)
m.bincount(m0, minlength=-1)
m.searchsorted(two, edges)
m.searchsorted(edges, n, side="left", right=True)
m.bucketize(n, two)
F.one_hot(m.tensor([0, 2]), 2)
F.one_hot(m.tensor([-1]))
F.one_hot(v)
F.one_hot(m0.int())
F.one_hot(m0[:0])
"""
MAPPED = {
    "sort": lambda x: x.sort(0).values,
    "argsort": lambda x: x.argsort(-1, True),
    "topk": lambda x: x.topk(2).values,
    "kthvalue": lambda x: x.kthvalue(2, 0).values,
    "median": lambda x: x.median(),
    "median of an axis": lambda x: x.median(1).values,
    "nanmedian": lambda x: gradkit.nanmedian(x),
    "mode": lambda x: x.round().mode(-1).values,
    "searchsorted": lambda x: gradkit.searchsorted(x[0].sort().values, x),
    "one_hot": lambda x: gradkit.ops.sorting.one_hot((x > 0).long(), 2),
}


def cases(table):
    return [line for line in table.splitlines() if line]


@pytest.mark.parametrize("expression", cases(AGREED))
def test_agrees_with_pytorch(expression, agrees):
    agrees(expression, **GIVEN)


@pytest.mark.parametrize("expression", cases(WRONG))
def test_raises_as_pytorch(expression, raises_alike):
    raises_alike(expression, **GIVEN)


@pytest.mark.parametrize("name", MAPPED)
def test_vmap_equals_loop(name):
    f = MAPPED[name]
    x = gradkit.tensor(np.random.default_rng(0).normal(size=(5, 3, 4)))
    np.testing.assert_array_equal(vmap(f)(x).numpy(), np.stack([f(one).numpy() for one in x]))
    if f(x[0]).is_floating_point():
        slope = grad(lambda x: (f(x) ** 3).sum())
        np.testing.assert_allclose(vmap(slope)(x).numpy(), np.stack([slope(one).numpy() for one in x]), rtol=1e-12)


@pytest.mark.parametrize("kind", ["sort", "topk", "kthvalue", "median", "nanmedian", "mode"])
def test_results_have_the_names_of_pytorch(kind, torch):
    arguments = [2] if kind in ("topk", "kthvalue") else [0]
    got = getattr(gradkit, kind)(gradkit.ones(3), *arguments)
    want = getattr(torch, kind)(torch.ones(3), *arguments)
    assert type(got).__name__ == type(want).__name__.rpartition(".")[2]
    values, indices = got
    assert values is got.values
    assert indices is got.indices


@pytest.mark.cpu  # printing says where tensors are
def test_named_results_print_as_pytorchs_do(torch):
    for call in ("x.max(0)", "x.sort()", "x.topk(2)", "lib.linalg.eigh(x[:, :2])", "lib.frexp(x)"):
        shown = [repr(eval(call, {"lib": lib, "x": lib.tensor([[2.0, 0, 1.0], [0, 1.0, 3.0]])})) for lib in (gradkit, torch)]
        assert shown[0].replace("gradkit", "torch").replace("-0.", "0.") == shown[1].replace("-0.", "0.")
    found = gradkit.ones(2).max(0)
    assert isinstance(found, gradkit.return_types.max)
    assert pickle.loads(pickle.dumps(found)).indices == 0
