"""vmap: where the mapped axes stand, chunks, randomness, and what cannot be mapped."""

import copy
from collections import namedtuple

import numpy as np
import pytest

import gradkit
from gradkit.func import grad, vmap

X = np.linspace(0.3, 1.4, 12).reshape(3, 4)
Pair = namedtuple("Pair", "a b")

DIMS = {
    "all": lambda t, vmap: vmap(lambda x, y: x * y.sum(), in_dims=0)(t(X), t(X)),
    "second axis": lambda t, vmap: vmap(lambda x, y: x * y.sum(), in_dims=(1, None))(t(X), t(X)),
    "negative": lambda t, vmap: vmap(lambda x, y: x * y, in_dims=(-1, -2))(t(X), t(X.T)),
    "out": lambda t, vmap: vmap(lambda x: x * 2, out_dims=1)(t(X)),
    "negative out": lambda t, vmap: vmap(lambda x: x * 2, out_dims=-1)(t(X)),
    "nested in": lambda t, vmap: vmap(lambda p: p["a"] * p["b"][0], in_dims=({"a": 0, "b": [None]},))(
        {"a": t(X), "b": [t(X[0])]}
    ),
    "one for a nest": lambda t, vmap: vmap(lambda p, q: p[0] + p[1] + q, in_dims=(1, None))((t(X), t(X)), t(X[:, 0])),
    "several out": lambda t, vmap: vmap(lambda x: (x, {"s": x.sum()}), out_dims=(1, 0))(t(X)),
    "shared out": lambda t, vmap: vmap(lambda x, y: (x, y * 2), in_dims=(0, None), out_dims=(0, None))(t(X), t(X)),
    "keywords": lambda t, vmap: vmap(lambda x, y: x * y)(t(X), y=t(X)),
    "twice": lambda t, vmap: vmap(vmap(lambda x, y: x - y, in_dims=(0, None)), in_dims=(None, 0))(t(X[0]), t(X[1])),
    "does not depend": lambda t, vmap: vmap(lambda x: x.sum() * 0 + 1)(t(X)),
    "constant": lambda t, vmap: vmap(lambda x: t(X[0]))(t(X)),
}


def leaves(result):
    if isinstance(result, dict):
        return leaves(tuple(result.values()))
    return [leaf for part in result for leaf in leaves(part)] if isinstance(result, tuple | list) else [result]


@pytest.mark.parametrize("chunk_size", [None, 1, 2, "auto"])
@pytest.mark.parametrize("name", DIMS)
def test_axes_stand_where_pytorchs_do(name, chunk_size, torch):
    ours = DIMS[name](gradkit.tensor, lambda f, **dims: vmap(f, chunk_size=chunk_size, **dims))
    theirs = DIMS[name](torch.tensor, torch.func.vmap)
    assert type(ours) is type(theirs) or isinstance(ours, gradkit.Tensor)
    for a, b in zip(leaves(ours), leaves(theirs), strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy())
        assert tuple(a.shape) == tuple(b.shape)


def test_named_tuples_come_back_as_they_are():
    found = vmap(lambda p: Pair(p.b, p.a * 2))(Pair(gradkit.tensor(X), gradkit.tensor(X + 1)))
    assert type(found) is Pair
    assert np.array_equal(found.a.numpy(), X + 1) and np.array_equal(found.b.numpy(), X * 2)


def test_what_samples_share_need_not_be_a_tensor():
    found, word = vmap(lambda x: (x, "word"), out_dims=(0, None))(gradkit.tensor(X))
    assert word == "word" and np.array_equal(found.numpy(), X)


def test_arrays_are_answered_with_arrays():
    assert type(vmap(lambda x: x.sum())(X)) is np.ndarray
    assert type(vmap(lambda x, y: x + y, in_dims=(0, None))(gradkit.tensor(X), gradkit.tensor(X[0]))) is gradkit.Tensor


BAD = {
    "no inputs": (lambda g, t: g.vmap(lambda: t(X))(), ValueError),
    "too many in_dims": (lambda g, t: g.vmap(lambda x: x, in_dims=(0, 0))(t(X)), ValueError),
    "no such axis": (lambda g, t: g.vmap(lambda x: x, in_dims=5)(t(X)), ValueError),
    "text": (lambda g, t: g.vmap(lambda x: x, in_dims="a")(t(X)), ValueError),
    "nothing mapped": (lambda g, t: g.vmap(lambda x: x, in_dims=(None,))(t(X)), ValueError),
    "a number": (lambda g, t: g.vmap(lambda x: x)(3.0), ValueError),
    "too many out_dims": (lambda g, t: g.vmap(lambda x: x, out_dims=(0, 0))(t(X)), ValueError),
    "no such out_dim": (lambda g, t: g.vmap(lambda x: x, out_dims=4)(t(X)), IndexError),
    "text out": (lambda g, t: g.vmap(lambda x: x, out_dims="a")(t(X)), ValueError),
    "returns a number": (lambda g, t: g.vmap(lambda x: 3)(t(X)), ValueError),
    "differs between samples": (lambda g, t: g.vmap(lambda x: x, out_dims=None)(t(X)), ValueError),
    "extents": (lambda g, t: g.vmap(lambda x, y: x)(t(X), t(X[:2])), ValueError),
    "randomness": (lambda g, t: g.vmap(lambda x: x, randomness="a")(t(X)), RuntimeError),
    "chunk": (lambda g, t: g.vmap(lambda x: x, chunk_size=0)(t(X)), ValueError),
    "random": (lambda g, t: g.vmap(lambda x: x * (g.rand(1) if hasattr(g, "rand") else 1))(t(X)), RuntimeError),
}


@pytest.mark.parametrize("name", [name for name in BAD if name != "random"])
def test_errors_are_of_pytorchs_types(name, torch):
    call, kind = BAD[name]
    for lib in (torch.func, gradkit.func):
        with pytest.raises(kind):
            call(lib, torch.tensor if lib is torch.func else gradkit.tensor)


# Each line of these functions that cannot be mapped is marked; the error must name that line.
def branch(x):
    return x if x.sum() > 0 else -x  # here


def loop(x):
    while x.sum() > 0:  # here
        x = x - 1
    return x


def both(x):
    return (x.sum() > 0) and x  # here


def number(x):
    return gradkit.zeros(2) + x.sum().item()  # here


def floating(x):
    return gradkit.zeros(2) + float(x.sum())  # here


def whole(x):
    return gradkit.zeros(2) + int(x.sum())  # here


def counted(x):
    return gradkit.stack([x.sum() for _ in range(x.long().sum())])  # here


def sliced(x):
    return x[: x.long().sum()]  # here


def listed(x):
    return gradkit.tensor(x.tolist())  # here


def as_array(x):
    return gradkit.tensor(x.numpy())  # here


def found(x):
    return x.nonzero()  # here


def masked(x):
    return x[x > 0.5]  # here


def distinct(x):
    return x.unique()  # here


def compared(x):
    return x if gradkit.allclose(x, x * 1) else -x  # here


def contained(x):
    return x if 0.3 in x else -x  # here


def largest(x):
    return max(x[0], x[1])  # here


DEPENDENT = [
    branch, loop, both, number, floating, whole, counted, sliced, listed, as_array, found, masked, distinct, compared,
    contained, largest,
]  # fmt: skip


@pytest.mark.parametrize("function", DEPENDENT, ids=lambda f: f.__name__)
@pytest.mark.parametrize("around", [lambda f: f, lambda f: grad(lambda x: f(x).sum())], ids=["plain", "under grad"])
def test_what_depends_on_the_data_names_the_line_and_the_remedy(function, around):
    with open(__file__, encoding="utf-8") as source:
        lines = source.readlines()
    start = function.__code__.co_firstlineno
    here = next(n for n in range(start, start + 4) if "# here" in lines[n - 1])
    with pytest.raises(RuntimeError, match=rf"test_vmap\.py:{here}\b.*(write|go on|use|do it|index)"):
        vmap(around(function))(gradkit.tensor(X))


def test_a_branch_on_what_samples_share_is_no_matter():
    flag = gradkit.tensor(True)
    assert np.array_equal(vmap(lambda x: x if flag else -x)(gradkit.tensor(X)).numpy(), X)
    assert np.array_equal(vmap(lambda x, y: x if y.sum() > 0 else -x, in_dims=(0, None))(gradkit.tensor(X), gradkit.ones(1)).numpy(), X)


def test_a_copy_is_a_copy_of_every_sample():
    assert np.array_equal(vmap(lambda x: copy.deepcopy(x) * 2)(gradkit.tensor(X)).numpy(), X * 2)


@pytest.mark.parametrize("chunk_size", [None, 2])
def test_random_numbers_are_as_asked(chunk_size):
    x = gradkit.ones(4)
    different = vmap(lambda x: x * gradkit.rand(()), randomness="different", chunk_size=chunk_size)(x)
    assert len(set(different.tolist())) == 4
    same = vmap(lambda x: x * gradkit.rand(()), randomness="same", chunk_size=chunk_size)(x)
    assert len(set(same.tolist())) == 1


DRAWN = {
    "randperm": (lambda m, x: m.randperm(20), (20,)),
    "multinomial": (lambda m, x: m.multinomial(x, 20, replacement=True), (20,)),
    "multinomial of rows": (lambda m, x: m.multinomial(x.expand(2, 4), 20, replacement=True), (2, 20)),
    "bernoulli": (lambda m, x: m.bernoulli(x.expand(20, 4) / 2), (20, 4)),
    "normal": (lambda m, x: m.normal(x, 1.0), (4,)),
    "normal of a std": (lambda m, x: m.normal(0.0, m.ones(4)), (4,)),
}


@pytest.mark.parametrize("name", DRAWN)
@pytest.mark.parametrize("outer", [False, True])
def test_every_sample_has_a_draw_of_its_own(name, outer, torch):
    draw, shape = DRAWN[name]

    def program(m):
        def mapped(x):
            return m.vmap(lambda z: draw(m, x if outer else z), randomness="different")(m.ones(3, 4))

        return m.vmap(mapped, randomness="different")(m.ones(2, 4))

    found = program(gradkit)
    assert tuple(found.shape) == tuple(program(torch).shape) == (2, 3, *shape)
    samples = found.reshape(6, -1).tolist()
    assert all(a != b for i, a in enumerate(samples) for b in samples[:i])


def test_draws_keep_to_the_probabilities_of_their_sample():
    p = gradkit.tensor([[0.0, 1.0], [1.0, 0.0]])
    assert vmap(lambda p: gradkit.multinomial(p, 3, replacement=True), randomness="different")(p).tolist() == [[1] * 3, [0] * 3]
    inner = vmap(lambda p: vmap(lambda z: z + gradkit.bernoulli(p), randomness="different")(gradkit.zeros(2, 2)), randomness="different")
    assert inner(p).tolist() == [[[0, 1], [0, 1]], [[1, 0], [1, 0]]]


@pytest.mark.parametrize("name", ["multinomial", "bernoulli", "normal"])
def test_same_randomness_refuses_samples_that_differ(name, alike):
    alike(lambda m: m.vmap(lambda x: DRAWN[name][0](m, x), randomness="same")(m.ones(3, 4)))


def test_out_dims_of_one_output_may_be_a_tuple(alike):
    alike(lambda m: m.vmap(lambda x: x, out_dims=(1,))(m.ones(3, 4)))


def test_a_hook_sees_the_cotangent_of_its_sample():
    def loss(x):
        y = x * 1
        y.register_hook(lambda g: g * x.sum())
        return y.exp().sum()

    x = gradkit.tensor(X)
    want = x.exp() * x.sum(1, keepdim=True)
    np.testing.assert_allclose(vmap(grad(loss))(x), want)
    np.testing.assert_allclose(grad(lambda x: vmap(loss)(x).sum())(x), want)


def test_what_samples_share_has_no_grad_per_sample():
    w = gradkit.ones(4, dtype=gradkit.float64, requires_grad=True)
    with pytest.raises(RuntimeError, match=r"backward\(\) called inside vmap"):
        vmap(lambda x: (x * w).sum().backward())(gradkit.tensor(X))
    assert w.grad is None


ONE_BY_ONE = {
    "histc": lambda x: gradkit.histc(x, 3),
    "view": lambda x: x.view(gradkit.int64),
    "multilabel_margin_loss": lambda x: gradkit.nn.functional.multilabel_margin_loss(gradkit.tensor(X[0]), x.argsort()),
}


@pytest.mark.parametrize("name", ONE_BY_ONE)
def test_each_sample_is_for_itself(name):
    f, x = ONE_BY_ONE[name], gradkit.tensor(np.cos(X * 9))
    assert gradkit.equal(vmap(f)(x), gradkit.stack([f(one) for one in x]))
    nested = vmap(vmap(f, in_dims=0))(x.reshape(3, 1, 4))
    assert gradkit.equal(nested, gradkit.stack([f(one)[None] for one in x]))
