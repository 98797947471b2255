"""Reductions and scans against PyTorch: values, dtypes, two orders of derivatives, edges, errors."""

import math
import re

import numpy as np
import pytest

import gradkit
from gradkit.func import jvp, vmap

inf, nan = math.inf, math.nan
RNG = np.random.default_rng(4)
X = RNG.normal(size=(3, 4, 2))
TIED = np.array([[2.0, 1.0, 2.0, 2.0], [0.0, 3.0, 3.0, -1.0]])



def cdist(f):
    """Of PyTorch the norm of the differences: it cannot differentiate the backward pass of its own cdist."""
    if f is gradkit:
        return gradkit.cdist
    return lambda x1, x2, p=2: f.linalg.vector_norm(x1.unsqueeze(-2) - x2.unsqueeze(-3), p, -1)


# One call for both libraries, f being gradkit or torch. Results may be tuples.
CALLS = {
    "sum": lambda f, x: f.sum(x),
    "sum dim": lambda f, x: f.sum(x, 1),
    "sum dims keepdim": lambda f, x: f.sum(x, (0, -1), True),
    "sum list": lambda f, x: x.sum([0, 2]),
    "sum no dims": lambda f, x: f.sum(x, ()),
    "sum numpy names": lambda f, x: f.sum(x, axis=1, keepdims=True),
    "sum dtype": lambda f, x: f.sum(x, 0, dtype=f.float32),
    "mean": lambda f, x: f.mean(x),
    "mean dim": lambda f, x: x.mean(-1),
    "mean keepdim": lambda f, x: f.mean(x, (0, 1), keepdim=True),
    "nansum": lambda f, x: f.nansum(x, 1),
    "nanmean": lambda f, x: f.nanmean(x, 1),
    "prod": lambda f, x: f.prod(x),
    "prod dim": lambda f, x: f.prod(x, 1, True),
    "amax": lambda f, x: f.amax(x),
    "amax dims": lambda f, x: f.amax(x, (0, 2)),
    "amin keepdim": lambda f, x: f.amin(x, 1, keepdim=True),
    "max": lambda f, x: f.max(x),
    "max dim": lambda f, x: f.max(x, 1),
    "max other": lambda f, x: f.max(x, -x),
    "min dim keepdim": lambda f, x: x.min(dim=-1, keepdim=True),
    "min": lambda f, x: f.min(x),
    "min other": lambda f, x: f.min(x, other=-x),
    "aminmax": lambda f, x: f.aminmax(x),
    "aminmax dim": lambda f, x: f.aminmax(x, dim=1, keepdim=True),
    "logsumexp": lambda f, x: f.logsumexp(x, 1),
    "logsumexp dims": lambda f, x: f.logsumexp(x, (0, 1), keepdim=True),
    "var": lambda f, x: f.var(x),
    "var correction": lambda f, x: f.var(x, (0, 1), correction=0, keepdim=True),
    "var unbiased": lambda f, x: x.var(1, False),
    "std": lambda f, x: f.std(x),
    "std biased": lambda f, x: f.std(x, False),
    "std half": lambda f, x: f.std(x, 2, correction=0.5),
    "var_mean": lambda f, x: f.var_mean(x, 1),
    "std_mean": lambda f, x: f.std_mean(x, 1, keepdim=True),
    "norm": lambda f, x: f.norm(x),
    "norm 1": lambda f, x: f.norm(x, 1, 1),
    "norm 3": lambda f, x: x.norm(p=3, dim=(0, 1), keepdim=True),
    "norm inf": lambda f, x: f.norm(x, inf),
    "norm -inf": lambda f, x: f.norm(x, -inf, 0),
    "norm 0": lambda f, x: f.norm(x, 0) + f.norm(x),
    "norm half": lambda f, x: f.norm(x, 0.5, 2),
    "norm -1": lambda f, x: f.norm(x, -1, 2),
    "norm nuc": lambda f, x: f.norm(x, "nuc", (0, 1)),
    "norm dtype": lambda f, x: f.norm(f.sum(x, 0, dtype=f.float32), dtype=f.float64),
    "dist": lambda f, x: f.dist(x, x[:1] * 2, 3),
    "cdist": lambda f, x: cdist(f)(x, x[:1] * 2),
    "cdist 1": lambda f, x: cdist(f)(x[0], x[1] * 2, p=1),
    "cov": lambda f, x: f.cov(x[0]),
    "cov vector": lambda f, x: f.cov(x[0, :, 0], correction=0),
    "corrcoef": lambda f, x: f.corrcoef(x[..., 0]),
    "cumsum": lambda f, x: f.cumsum(x, 1),
    "cumsum dtype": lambda f, x: x.cumsum(0, dtype=f.float32),
    "cumprod": lambda f, x: f.cumprod(x, 1),
    "logcumsumexp": lambda f, x: f.logcumsumexp(x, 1),
    "cummax": lambda f, x: f.cummax(x, 1),
    "cummin": lambda f, x: x.cummin(0),
    "diff": lambda f, x: f.diff(x),
    "diff twice": lambda f, x: f.diff(x, 2, 1),
    "diff joined": lambda f, x: f.diff(x, dim=0, prepend=x[:1], append=x[1:]),
    "diff to nothing": lambda f, x: f.diff(x, 3, 2),
    "trapezoid": lambda f, x: f.trapezoid(x, dx=0.5),
    "trapezoid points": lambda f, x: f.trapezoid(x, x[0, :, 0], dim=1),
    "trapz": lambda f, x: f.trapz(x, x * 2, dim=1),
    "cumulative_trapezoid": lambda f, x: f.cumulative_trapezoid(x, dim=1),
}


def parts(y):
    return tuple(y) if isinstance(y, tuple) else (y,)


def close(got, want, **tolerance):
    if not tolerance:
        tolerance = {"rtol": 1e-5, "atol": 1e-6} if "float32" in str(want.dtype) else {"rtol": 1e-10, "atol": 1e-12}
    assert got.dtype.name == str(want.dtype).removeprefix("torch.")
    assert tuple(got.shape) == tuple(want.shape)
    np.testing.assert_allclose(got.detach().numpy(), want.detach().resolve_conj().numpy(), **tolerance)


def second_order(f, call, raw):
    """Results, gradient and a Hessian-vector product of a scalar made of them."""
    x = f.tensor(raw, requires_grad=True)
    y = parts(call(f, x))
    with np.errstate(all="ignore"):
        loss = sum([(one * one + one).sum() for one in y if one.requires_grad])
        (g,) = f.autograd.grad(loss, x, create_graph=True)
        (h,) = f.autograd.grad((g * x).sum(), x, allow_unused=True) if g.requires_grad else (None,)
    return y, g, h


@pytest.mark.parametrize("name", CALLS)
def test_values_and_two_orders_of_derivatives(name, torch):
    rtol = 1e-5 if name.endswith("dtype") else 1e-10  # where something is rounded to float32 on the way
    mine, theirs = [second_order(f, CALLS[name], X) for f in (gradkit, torch)]
    for got, want in zip(mine[0], theirs[0], strict=True):
        close(got, want, rtol=rtol, atol=1e-12)
    close(mine[1], theirs[1], rtol=rtol, atol=1e-12)
    if theirs[2] is not None:
        close(mine[2] if mine[2] is not None else gradkit.zeros_like(mine[1]), theirs[2], rtol=rtol, atol=1e-12)


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_vmap_and_jvp_agree_with_the_plain_call(call):
    def float_parts(x):
        return tuple([y for y in parts(call(gradkit, x)) if y.dtype.kind == "f"])

    xs = gradkit.tensor(np.stack([X, -X, X**2]))
    together = vmap(float_parts)(xs)
    for n in range(3):
        for got, want in zip(together, float_parts(xs[n]), strict=True):
            np.testing.assert_allclose(got[n].numpy(), want.numpy(), rtol=1e-6, atol=1e-12)
    x, t = gradkit.tensor(X, requires_grad=True), gradkit.tensor(RNG.normal(size=X.shape))
    ys = float_parts(x)
    moved = jvp(float_parts, (x.detach(),), (t,))[1]
    for y, y_t in zip(ys, moved, strict=True):
        ct = gradkit.tensor(RNG.normal(size=tuple(y.shape)), dtype=y.dtype)
        (pulled,) = gradkit.autograd.grad(y, x, ct, retain_graph=True)
        np.testing.assert_allclose((ct * y_t).sum().item(), (pulled * t).sum().item(), rtol=1e-5, atol=1e-7)


# -- edges
EDGES = {
    "amax tie": (lambda f, x: f.amax(x, 1), TIED),
    "max tie": (lambda f, x: f.max(x), TIED),
    "max dim tie": (lambda f, x: f.max(x, 1), TIED),
    "min dim tie": (lambda f, x: f.min(x, 1), -TIED),
    "aminmax tie": (lambda f, x: f.aminmax(x, dim=1), TIED),
    "cummax tie": (lambda f, x: f.cummax(x, 1), TIED),
    "cummin tie": (lambda f, x: f.cummin(x, 1), TIED),
    "norm inf tie": (lambda f, x: f.norm(x, inf, 1), -TIED),
    "max dim nan": (lambda f, x: f.max(x, 0), [1.0, nan, nan, 2.0]),
    "cummax nan": (lambda f, x: f.cummax(x, 0), [1.0, nan, 3.0, nan]),
    "amin nan": (lambda f, x: f.amin(x), [1.0, nan, 2.0]),
    "nansum nan": (lambda f, x: f.nansum(x), [1.0, nan, 2.0]),
    "nanmean nan": (lambda f, x: f.nanmean(x, 1), [[1.0, nan, 2.0], [nan, nan, 4.0]]),
    "logsumexp large": (lambda f, x: f.logsumexp(x, 0), [1000.0, 1001.0, -1000.0]),
    "logsumexp -inf": (lambda f, x: f.logsumexp(x, 0), [-inf, 1.0]),
    "logcumsumexp large": (lambda f, x: f.logcumsumexp(x, 0), [-1000.0, 1000.0, 1001.0, 3.0]),
    "logcumsumexp -inf": (lambda f, x: f.logcumsumexp(x, 0), [2.0, -inf, 1.0]),
    "prod zero": (lambda f, x: f.prod(x), [2.0, 0.0, 3.0]),
    "prod zeros": (lambda f, x: f.prod(x, 1), [[2.0, 0.0, 3.0], [0.0, 0.0, 5.0]]),
    "cumprod zeros": (lambda f, x: f.cumprod(x, 0), [2.0, 0.0, 3.0, 0.0, 5.0]),
    "std of equals": (lambda f, x: f.std(x, 1), [[1.0, 1.0, 1.0], [1.0, 2.0, 4.0]]),
    "norm 1 zero": (lambda f, x: f.norm(x, 1), [0.0, -2.0]),
    "norm 3 zero": (lambda f, x: f.norm(x, 3), [0.0, 0.0]),
    "cdist zero": (lambda f, x: cdist(f)(x, x), [[1.0, 2.0], [3.0, 4.0]]),
    "0-d sum": (lambda f, x: f.sum(x, 0), 2.0),
    "0-d mean": (lambda f, x: f.mean(x, -1, True), 2.0),
    "0-d amax": (lambda f, x: f.amax(x, 0), 2.0),
    "0-d max": (lambda f, x: f.max(x, 0), 2.0),
    "0-d prod": (lambda f, x: f.prod(x, 0), 2.0),
    "0-d cumsum": (lambda f, x: f.cumsum(x, 0), 2.0),
    "0-d cummax": (lambda f, x: f.cummax(x, -1), 2.0),
    "0-d logsumexp": (lambda f, x: f.logsumexp(x, 0), 2.0),
    "0-d norm": (lambda f, x: f.norm(x), -2.0),
    "empty sum": (lambda f, x: f.sum(x, 0), np.zeros((0, 2))),
    "empty prod": (lambda f, x: f.prod(x), np.zeros(0)),
    "empty logsumexp": (lambda f, x: f.logsumexp(x, 1), np.zeros((2, 0))),
    "empty norm": (lambda f, x: f.norm(x), np.zeros(0)),
    "empty cumsum": (lambda f, x: f.cumsum(x, 0), np.zeros((0, 2))),
    "empty amax": (lambda f, x: f.amax(x, 1), np.zeros((0, 2))),
    "empty cummax": (lambda f, x: f.cummax(x, 0), np.zeros((0, 2))),
}


@pytest.mark.parametrize("case", EDGES.values(), ids=EDGES)
def test_edges(case, torch):
    """Where PyTorch's second derivative is nan at a point where it exists, ours is a number."""
    call, raw = case
    mine, theirs = [second_order(f, call, np.array(raw)) for f in (gradkit, torch)]
    for got, want in zip(mine[0], theirs[0], strict=True):
        close(got, want)
    close(mine[1], theirs[1])
    if theirs[2] is not None and not theirs[2].isnan().any():
        close(mine[2] if mine[2] is not None else gradkit.zeros_like(mine[1]), theirs[2])


@pytest.mark.parametrize("p", [0, 0.5, 1, 1.5, 2, 3, inf, -inf, -1])
def test_norm_is_flat_at_zero_to_every_order(p):
    x = gradkit.zeros(3, dtype=gradkit.float64, requires_grad=True)
    with np.errstate(divide="ignore"):
        y = gradkit.norm(x, p)
    (g,) = gradkit.autograd.grad(y, x, create_graph=True, materialize_grads=True)
    assert g.tolist() == [0, 0, 0]
    if g.requires_grad:
        assert gradkit.autograd.grad(g.sum(), x, materialize_grads=True)[0].tolist() == [0, 0, 0]


def test_product_has_third_derivatives_at_zeros():
    x = gradkit.zeros(3, dtype=gradkit.float64, requires_grad=True)
    y = gradkit.prod(x)
    for k in range(3):
        (g,) = gradkit.autograd.grad(y, x, create_graph=True)
        y = g[k]
    assert y.item() == 1.0


def test_running_product_survives_overflowing_factors():
    """The doubling scheme would multiply 1e200 by 1e200 on its way; the result is finite all the same."""
    x = gradkit.tensor([0.0, 1e200, 1e200, 1e-200], dtype=gradkit.float64, requires_grad=True)
    (g,) = gradkit.autograd.grad(gradkit.cumprod(x, 0)[1], x)
    assert g.tolist() == [1e200, 0.0, 0.0, 0.0]


def test_log_of_running_sum_has_no_gradient_where_nothing_is_added():
    x = gradkit.tensor([-inf, -inf, 1.0], requires_grad=True)
    assert gradkit.autograd.grad(gradkit.logcumsumexp(x, 0)[2], x)[0].tolist() == [0.0, 0.0, 1.0]


# -- dtypes
KINDS = {
    "sum": lambda f, x: f.sum(x),
    "sum 0": lambda f, x: f.sum(x, 0),
    "prod": lambda f, x: f.prod(x, 0),
    "cumsum": lambda f, x: f.cumsum(x, 0),
    "cumprod": lambda f, x: f.cumprod(x, 0),
    "amax": lambda f, x: f.amax(x, 0),
    "max": lambda f, x: f.max(x, 0),
    "cummin": lambda f, x: f.cummin(x, 0),
    "any": lambda f, x: f.any(x),
    "all 0": lambda f, x: f.all(x, 0),
    "count_nonzero": lambda f, x: f.count_nonzero(x, 0),
    "logsumexp": lambda f, x: f.logsumexp(x, 0),
    "mean as float": lambda f, x: f.mean(x, dtype=f.float32),
    "diff": lambda f, x: f.diff(x),
    "nansum": lambda f, x: f.nansum(x),
}


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int8", "int32", "int64", "float16", "float32", "float64"])
@pytest.mark.parametrize("name", KINDS)
def test_dtypes(name, dtype, torch):
    raw = np.array([[1, 0, 3], [2, 2, 1]]).astype(dtype)
    if (name == "logsumexp" and dtype == "bool") or (name == "nansum" and dtype == "bool"):
        pytest.skip("PyTorch has no such operation")
    mine, theirs = [parts(KINDS[name](f, f.tensor(raw))) for f in (gradkit, torch)]
    for got, want in zip(mine, theirs, strict=True):
        close(got, want, rtol=1e-3 if dtype == "float16" else 1e-6)


@pytest.mark.parametrize("keepdim", [False, True])
@pytest.mark.parametrize("dim", [None, 0, -1])
@pytest.mark.parametrize("name", ["argmax", "argmin"])
def test_first_of_equals_is_found(name, dim, keepdim, torch):
    for raw in (TIED, -TIED, np.array([[1.0, nan], [nan, 0.0]])):
        mine, theirs = [getattr(f, name)(f.tensor(raw), dim, keepdim) for f in (gradkit, torch)]
        close(mine, theirs)


def test_half_precision_is_summed_in_single(torch):
    raw = np.full(5000, 0.1, np.float16)
    for name in ("sum", "mean"):
        close(*[getattr(f, name)(f.tensor(raw)) for f in (gradkit, torch)], rtol=1e-3)


def test_complex(torch):
    raw = X[0] + 1j * X[1]
    calls = {
        "sum": (0,), "mean": (1,), "prod": (0,), "cumsum": (1,), "cumprod": (0,), "var": (1,), "std": (0,), "norm": (2,),
        "logsumexp": (0,),
    }  # fmt: skip
    for name, args in calls.items():
        results = []
        for f in (gradkit, torch):
            z = f.tensor(raw, requires_grad=True)
            y = getattr(f, name)(z, *args)
            size = (y * y.conj()).real if y.dtype == z.dtype else y * y
            results.append((y, *f.autograd.grad(size.sum(), z)))
        for got, want in zip(*results, strict=True):
            close(got, want)


# -- errors
ERRORS = {
    "mean of ints": lambda f: f.tensor([1, 2]).mean(),
    "var of ints": lambda f: f.tensor([1, 2]).var(),
    "nanmean of ints": lambda f: f.tensor([1, 2]).nanmean(),
    "norm of ints": lambda f: f.tensor([1, 2]).norm(),
    "amax of complex": lambda f: f.tensor([1j, 2]).amax(),
    "max of complex": lambda f: f.tensor([1j, 2]).max(0),
    "cummin of complex": lambda f: f.tensor([1j, 2]).cummin(0),
    "amax of nothing": lambda f: f.zeros(0).amax(),
    "amax over nothing": lambda f: f.zeros(0, 3).amax(0),
    "max of nothing": lambda f: f.zeros(0).max(),
    "max over nothing": lambda f: f.zeros(0, 3).max(0),
    "argmax of nothing": lambda f: f.zeros(0).argmax(),
    "argmax over nothing": lambda f: f.zeros(0, 3).argmax(0),
    "norm of nothing": lambda f: f.zeros(0).norm(inf),
    "no such dim": lambda f: f.zeros(2, 3).sum(2),
    "no such dim of 0-d": lambda f: f.tensor(1.0).sum(1),
    "no such dim to max": lambda f: f.zeros(2).max(3),
    "no such dim to cumsum": lambda f: f.zeros(2).cumsum(3),
    "dim twice": lambda f: f.zeros(2, 3).sum((0, 0)),
    "dim twice, once negative": lambda f: f.zeros(2, 3).amax((0, -2)),
    "prod over two dims": lambda f: f.zeros(2, 3).prod((0, 1)),
    "max over two dims": lambda f: f.zeros(2, 3).max((0, 1)),
    "aminmax over two dims": lambda f: f.zeros(2, 3).aminmax(dim=(0, 1)),
    "sum of a number": lambda f: f.sum(3),
    "logsumexp without dim": lambda f: f.zeros(2).logsumexp(),
    "cumsum without dim": lambda f: f.zeros(2).cumsum(),
    "diff of 0-d": lambda f: f.diff(f.tensor(1.0)),
    "cov of a cube": lambda f: f.cov(f.zeros(2, 2, 2)),
    "cdist of vectors": lambda f: f.cdist(f.zeros(2), f.zeros(2, 2)),
    "cdist of other vectors": lambda f: f.cdist(f.zeros(2, 3), f.zeros(2, 2)),
    "trapezoid with other points": lambda f: f.trapezoid(f.zeros(3), f.zeros(2)),
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


def test_results_have_names():
    y = gradkit.max(gradkit.tensor([[1.0, 3.0]]), 1)
    assert y.values.tolist() == [3.0] and y.indices.tolist() == [1]
    assert gradkit.aminmax(gradkit.tensor([1.0, 3.0])).min.item() == 1.0


def test_plans_do_not_mix_up_dims_and_flags():
    """1 and True are equal as keys; a dim of 1 is not a keepdim, and ranks and dtypes have their own plans."""
    x = gradkit.ones(2, 3)
    assert tuple(x.sum(1).shape) == (2,)
    assert tuple(x.sum(1, True).shape) == (2, 1)
    assert tuple(gradkit.ones(2, 3, 4).sum(1).shape) == (2, 4)
    assert tuple(x.sum(-1).shape) == (2,)
    with pytest.raises(RuntimeError, match="could not infer output dtype"):
        gradkit.ones(2, 3, dtype=gradkit.int64).mean(1)


REDUCED = ["sum", "mean", "prod", "amax", "amin", "std", "var", "any", "logsumexp", "norm", "nansum", "max"]


@pytest.mark.parametrize("name", REDUCED)
@pytest.mark.parametrize("dtype", ["float64", "float16"])
def test_what_is_reduced_of_permuted_operands_may_be_viewed(name, dtype, alike):
    def reduced(lib):
        x = lib.arange(24, dtype=getattr(lib, dtype)).reshape(2, 3, 4).permute(1, 0, 2) / 8
        y = getattr(x, name)(dim=-1)
        y = y[0] if isinstance(y, tuple) else y
        return y.view(-1).shape, y.stride(), x.sum((2,), keepdim=True).stride()

    alike(reduced)


@pytest.mark.parametrize("name", ["cumsum", "cumprod"])
@pytest.mark.parametrize("dtype", ["float64", "float16"])
def test_running_totals_of_permuted_operands_may_be_viewed(name, dtype, alike):
    def totals(lib):
        x = lib.arange(24, dtype=getattr(lib, dtype)).reshape(2, 3, 4).permute(2, 0, 1) / 8
        y = getattr(lib, name)(x, 1)
        return y.view(-1), y.stride()

    alike(totals)


@pytest.mark.parametrize("make", [lambda m, z: m.corrcoef(z), lambda m, z: m.arcsin(m.corrcoef(z)), lambda m, z: m.corrcoef(z * (1 + 2j))])
def test_correlations_are_at_most_one(make, torch):
    x = np.random.default_rng(1).normal(size=(20, 4))
    ours, theirs = [make(m, m.tensor(x)).numpy() for m in (gradkit, torch)]
    np.testing.assert_allclose(ours, theirs, atol=1e-7)
    for m in (gradkit.corrcoef, gradkit.numpy.corrcoef):
        assert abs(m(gradkit.tensor(x)).numpy()).max() <= 1
