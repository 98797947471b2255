"""Operations under vmap, each operand mapped alone and with others, against a loop over the samples."""

import itertools

import numpy as np
import pytest

import gradkit
import gradkit.nn.functional as F
from gradkit.func import grad, hessian, jacfwd, jacrev, vmap

rng = np.random.default_rng(5)
SAMPLES = 3


def reals(*shape):
    return rng.normal(size=(SAMPLES, *shape))


def integers(*shape, below=5, above=0):
    return rng.integers(above, below, (SAMPLES, *shape))


def written_at_mask(x, mask, value):
    y = x + 0 * mask + 0 * value
    y[mask] = value
    return y


TIMES = np.array([[2, 1, 1], [1, 2, 1], [1, 1, 2]])
OFFSETS = np.array([[0, 1, 3], [0, 2, 4], [0, 3, 3]])
LIKELIHOODS = np.log(rng.dirichlet(np.ones(5), (SAMPLES, 7, 2)))
LENGTHS = np.array([[3, 2], [1, 3], [2, 2]])
COUNTED = np.array([[0, 4, 1, 1], [4, 4, 2, 0], [1, 2, 4, 3]])  # the greatest is the same
CASES = {
    "isin": (gradkit.isin, integers(4), integers(3)),
    "isin invert": (lambda x: gradkit.isin(3, x, invert=True), integers(4)),
    "gcd": (gradkit.gcd, integers(2, 4, below=50), integers(4, below=50)),
    "lcm": (gradkit.lcm, integers(1), integers(2, 1)),
    "gcd_": (lambda x, y: (x + y).gcd_(y), integers(3, below=50), integers(3, below=50)),
    "bincount": (gradkit.bincount, COUNTED),
    "bincount minlength": (lambda x: gradkit.bincount(x, minlength=6), integers(4)),
    "bincount weights": (gradkit.bincount, COUNTED, reals(4)),
    "histc": (lambda x: gradkit.histc(x, 5), reals(3, 4)),
    "histogram": (lambda x, w: gradkit.histogram(x, 5, weight=w), reals(6), reals(6)),
    "histogram range": (lambda x: gradkit.histogram(x, 5, range=(-1.0, 1.0), density=True), reals(6)),
    "histogram edges": (gradkit.histogram, reals(9), np.sort(reals(4))),
    "quantile": (lambda x, q: gradkit.quantile(x, q), reals(6), rng.uniform(size=SAMPLES)),
    "quantile dim": (lambda x, q: gradkit.quantile(x, q, -1), reals(2, 5), rng.uniform(size=(SAMPLES, 3))),
    "quantile dim 0": (lambda x, q: gradkit.quantile(x, q, 0, keepdim=True), reals(5, 2), rng.uniform(size=(SAMPLES, 3))),
    "nanquantile": (
        lambda x, q: gradkit.nanquantile(x, q, 1, interpolation="nearest"),
        np.where(rng.uniform(size=(SAMPLES, 3, 5)) < 0.3, np.nan, reals(3, 5)), rng.uniform(size=(SAMPLES, 2)),
    ),
    "diagonal_scatter": (lambda x, y: gradkit.diagonal_scatter(x, y, 1), reals(4, 4), reals(3)),
    "select_scatter": (lambda x, y: gradkit.select_scatter(x, y, -1, 1), reals(3, 4), reals(3)),
    "slice_scatter": (lambda x, y: gradkit.slice_scatter(x, y, 1, 1, None, 2), reals(3, 4), reals(3, 2)),
    "ctc_loss": (lambda x, y: F.ctc_loss(x, y, (7, 6), (3, 2)), LIKELIHOODS, integers(2, 3, above=1)),
    "ctc_loss lengths": (
        lambda x, y, n: F.ctc_loss(x, y, (7, 6), n, reduction="none"), LIKELIHOODS, integers(2, 3, above=1), LENGTHS,
    ),
    "tensor": (gradkit.tensor, reals(3)),
    "new_tensor": (lambda x, y: x.new_tensor(y), reals(2), reals(3)),
    "Parameter": (lambda x: gradkit.nn.Parameter(x).detach(), reals(3)),
    "repeat_interleave": (lambda x, n: x.repeat_interleave(n, 0), reals(3, 2), TIMES),
    "numbers repeated": (lambda n: gradkit.repeat_interleave(n, output_size=4), TIMES),
    "embedding_bag": (F.embedding_bag, integers(6), reals(5, 2), OFFSETS),
    "embedding_bag weights": (
        lambda i, w, n, p: F.embedding_bag(i, w, n, mode="sum", per_sample_weights=p),
        integers(6), reals(5, 2), OFFSETS, reals(6),
    ),
    "numpy.quantile": (lambda x, q: gradkit.numpy.quantile(x, q, axis=1), reals(3, 4), rng.uniform(size=(SAMPLES, 2))),
    "numpy.percentile": (gradkit.numpy.percentile, reals(5), rng.integers(0, 100, (SAMPLES, 2))),
    "numpy.searchsorted": (gradkit.numpy.searchsorted, np.sort(reals(4)), reals(2, 3)),
    "numpy.digitize": (gradkit.numpy.digitize, reals(3), np.sort(reals(4))),
    "numpy.isin": (gradkit.numpy.isin, integers(4), integers(3)),
    "one number at a mask": (written_at_mask, reals(3, 4), rng.uniform(size=(SAMPLES, 3, 4)) < 0.5, reals()),
    "zero at a mask": (lambda x, m: written_at_mask(x, m, 0.0), reals(3, 4), rng.uniform(size=(SAMPLES, 3, 4)) < 0.5),
}  # fmt: skip


def leaves(y):
    return [y] if isinstance(y, gradkit.Tensor) else [leaf for part in y for leaf in leaves(part)]


def agree(found, expected):
    for mapped, *alone in zip(leaves(found), *map(leaves, expected), strict=True):
        stacked = np.stack([y.numpy() for y in alone])
        assert mapped.dtype == stacked.dtype
        np.testing.assert_allclose(mapped.numpy(), stacked, rtol=1e-6, atol=1e-10)


def ways(operands):
    """The operands as they stand for a subset that is mapped, over the axis `dim`; and those of each sample."""
    for mapped in itertools.product([False, True], repeat=len(operands)):
        if any(mapped):
            for dim in (0, -1, 1):
                turned = [np.moveaxis(x, 0, dim if x.ndim > 1 else 0) if on else x[0] for x, on in zip(operands, mapped)]
                dims = tuple([(dim if x.ndim > 1 else 0) if on else None for x, on in zip(operands, mapped)])
                yield turned, dims, [[x[i] if on else x[0] for x, on in zip(operands, mapped)] for i in range(SAMPLES)]


@pytest.mark.parametrize("name", CASES)
def test_mapped_is_one_sample_after_the_other(name):
    function, *operands = CASES[name]
    for whole, dims, samples in ways(operands):
        found = vmap(function, in_dims=dims)(*map(gradkit.tensor, whole))
        agree(found, [function(*map(gradkit.tensor, one)) for one in samples])


@pytest.mark.parametrize("name", CASES)
def test_samples_of_samples_are_done_likewise(name):
    function, *operands = CASES[name]
    twice = [np.stack([x, np.roll(x, 1, 0)]) for x in operands]
    found = vmap(vmap(function))(*map(gradkit.tensor, twice))
    rows = [[function(*[gradkit.tensor(x[i, j]) for x in twice]) for j in range(SAMPLES)] for i in range(2)]
    for i, row in enumerate(rows):
        agree([leaf[i] for leaf in leaves(found)], row)


SMOOTH = ("scatter", "quantile", "ctc", "repeat_interleave", "embedding_bag", "mask")


@pytest.mark.parametrize("name", [name for name in CASES if any(word in name for word in SMOOTH)])
def test_gradients_of_samples_are_those_of_each(name):
    function, *operands = CASES[name]

    def loss(*xs):
        y = function(*xs)
        return (y * y).nansum()

    argnums = tuple([k for k, x in enumerate(operands) if x.dtype.kind == "f"])
    for whole, dims, samples in ways(operands):
        alone = [grad(loss, argnums)(*map(gradkit.tensor, one)) for one in samples]
        agree(vmap(grad(loss, argnums), in_dims=dims)(*map(gradkit.tensor, whole)), alone)
        total = grad(lambda *xs, dims=dims: vmap(loss, in_dims=dims)(*xs).sum(), argnums)(*map(gradkit.tensor, whole))
        for k, found, *parts in zip(argnums, total, *alone, strict=True):
            parts = np.stack([part.numpy() for part in parts])
            expected = parts.sum(0) if dims[k] is None else np.moveaxis(parts, 0, dims[k])
            np.testing.assert_allclose(found.numpy(), expected, rtol=1e-6, atol=1e-10)


def test_quantiles_have_pytorchs_gradient_of_where_they_are_taken(torch):
    x, q = reals(5)[0], np.array([0.3, 0.6])
    found = grad(lambda q: gradkit.quantile(gradkit.tensor(x), q).sum())(gradkit.tensor(q)).numpy()
    expected = torch.func.grad(lambda q: torch.quantile(torch.tensor(x), q).sum())(torch.tensor(q)).numpy()
    np.testing.assert_allclose(found, expected)


def test_lists_that_hold_samples_are_refused_with_a_remedy():
    for make in (gradkit.tensor, gradkit.as_tensor, lambda data: gradkit.ones(1).new_tensor(data)):
        with pytest.raises(RuntimeError, match=r"vmap.*list that holds a Tensor.*test_samples.py.*stack"):
            vmap(lambda x, make=make: make([x[0], x[1]]))(gradkit.ones(3, 2))


def test_results_of_different_shapes_are_refused_with_a_remedy():
    with pytest.raises(RuntimeError, match=r"bincount\(\) in .*test_samples.py.*\(3,\), \(6,\).*say the size"):
        vmap(gradkit.bincount)(gradkit.tensor([[0, 1, 2], [5, 1, 1]]))


def test_no_samples_have_the_shape_that_one_would_have():
    none = gradkit.zeros(0, 4, dtype=gradkit.int64)
    assert vmap(gradkit.isin)(none, none).shape == (0, 4)
    assert vmap(lambda x: gradkit.bincount(x, minlength=6))(none).shape == (0, 6)
    hist, edges = vmap(lambda x: gradkit.histogram(x, 3))(none.double())
    assert hist.shape == (0, 3) and edges.shape == (0, 4)


EMPTY = {
    "no features": (F.linear, (3, 0), (2, 0), (2,)),
    "no outputs": (F.linear, (3, 2), (0, 2), (0,)),
    "nothing": (F.linear, (3, 0), (0, 0), (0,)),
    "images": (F.conv2d, (0, 2, 5, 5), (3, 2, 3, 3)),
    "channels": (F.conv1d, (2, 0, 5), (3, 0, 3)),
    "kernels": (F.conv1d, (2, 3, 5), (0, 3, 3)),
    "padding alone": (lambda x, w: F.conv1d(x, w, padding=2), (2, 2, 0), (3, 2, 3)),
    "images back": (F.conv_transpose2d, (0, 2, 3, 3), (2, 3, 2, 2)),
    "adaptive_max_pool2d": (lambda x: F.adaptive_max_pool2d(x, 2), (0, 2, 4, 4)),
    "searchsorted": (gradkit.searchsorted, (0,), (3, 2)),
    "mask": (lambda x: x[x > 0], (3, 0)),
    "cond": (gradkit.linalg.cond, (2, 0, 0)),
}


@pytest.mark.parametrize("name", EMPTY)
def test_without_elements_every_transform_has_shapes(name):
    function, *shapes = EMPTY[name]
    xs = tuple([gradkit.zeros(shape) for shape in shapes])
    y = function(*xs)
    for count in (0, 2):
        found = vmap(function)(*[gradkit.zeros(count, *shape) for shape in shapes])
        assert found.shape == (count, *y.shape) and found.dtype == y.dtype
        found = vmap(function, in_dims=(None,) * (len(xs) - 1) + (0,))(*xs[:-1], gradkit.zeros(count, *shapes[-1]))
        assert found.shape == (count, *y.shape)
    if not y.is_floating_point():
        return
    places = tuple(range(len(xs)))
    for jacobian in (jacrev, jacfwd):
        assert [x.shape for x in jacobian(function, places)(*xs)] == [(*y.shape, *shape) for shape in shapes]
    rows = hessian(lambda *xs: (function(*xs) ** 2).sum(), places)(*xs)
    assert [[x.shape for x in row] for row in rows] == [[(*one, *other) for other in shapes] for one in shapes]


def test_what_needs_elements_says_so():
    with pytest.raises(RuntimeError, match="kernel of .* has no elements"):
        F.conv1d(gradkit.ones(1, 2, 3), gradkit.ones(1, 2, 0))
    with pytest.raises(RuntimeError, match="non-zero size"):
        F.adaptive_avg_pool2d(gradkit.ones(2, 2, 0, 4), 2)
    with pytest.raises(IndexError, match="non-zero size"):
        gradkit.kthvalue(gradkit.ones(2, 0), 1)
