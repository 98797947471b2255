"""Every row, many tangents or cotangents at a time: as one after the other, pushed along a record too."""

import itertools
import zlib

import numpy as np
import pytest

import gradkit
from gradkit.autograd import functional
from gradkit.engine.bind import bind
from gradkit.engine.primitive import REGISTRY
from gradkit.func import jvp, linearize, vjp, vmap
from tests.test_primitives import TURNED

SMOOTH = [(name, i) for name, prim in sorted(REGISTRY.items()) if prim.step for i in range(len(prim.samples))]


def drawn(shape, low, high, rng):
    """A shape filled from a domain, or the values that a sample gives as they stand."""
    return rng.uniform(low, high, shape) if isinstance(shape, tuple) else np.array(shape)


def function_of(name, i):
    """A row as a function of its differentiable operands, and these."""
    prim = REGISTRY[name]
    *shapes, params = prim.samples[i]
    rng = np.random.default_rng(zlib.crc32(f"{name}{i}".encode()))
    domains = prim.domain or ((-2.0, 2.0),)
    raws = [drawn(s, *d, rng) for s, d in zip(shapes, itertools.chain(domains, itertools.repeat(domains[-1])))]
    places = [k for k, raw in enumerate(raws) if raw.dtype.kind in "fc" and (not prim.rules or prim.rules[k])]

    def function(*xs):
        operands = [gradkit.tensor(raw) for raw in raws]
        for k, x in zip(places, xs):
            operands[k] = x
        y = bind(prim, operands, params)
        return tuple([one for one in (y if isinstance(y, list) else [y]) if one.dtype.kind in "fc"])

    return function, tuple([gradkit.tensor(raws[k]) for k in places])


def normal_like(rng, x):
    values = rng.normal(size=tuple(x.shape))
    return gradkit.tensor((values + 1j * rng.normal(size=values.shape) if x.is_complex() else values).astype(x.dtype))


def agree(found, expected, either_sign=False):
    for pair in zip(found, expected, strict=True):
        a, b = [np.abs(x.numpy()) if either_sign else x.numpy() for x in pair]
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("case", SMOOTH, ids=lambda case: f"{case[0]}-{case[1]}")
def test_many_at_once_are_one_after_the_other(case):
    function, xs = function_of(*case)
    turned = case[0] in TURNED and gradkit.get_default_device().type == "cuda"
    rng = np.random.default_rng(13)
    ts = [tuple([normal_like(rng, x) for x in xs]) for _ in range(3)]
    stacked = tuple([gradkit.stack(column) for column in zip(*ts)])
    samples = tuple([gradkit.stack([x] * 3) for x in xs])
    ys, push = linearize(function, *xs)
    together = vmap(lambda *t: jvp(function, xs, t)[1])(*stacked)
    recorded = vmap(push)(*stacked)
    along = vmap(lambda x, t: jvp(function, x, t)[1])(samples, stacked)
    for n, t in enumerate(ts):
        alone = jvp(function, xs, t)[1]
        agree(push(*t), alone)
        for many in (together, recorded, along):
            agree([y[n] for y in many], alone, turned)
    back = vjp(function, *xs)[1]
    cts = [tuple([normal_like(rng, y) for y in ys]) for _ in range(3)]
    pulled = vmap(lambda *ct: back(ct))(*[gradkit.stack(column) for column in zip(*cts)])
    for n, ct in enumerate(cts):
        agree([g[n] for g in pulled], back(ct))


@pytest.mark.parametrize("case", SMOOTH, ids=lambda case: f"{case[0]}-{case[1]}")
def test_either_way_along_the_tape_gives_the_jacobian(case):
    function, xs = function_of(*case)
    first = tuple([x.reshape(-1)[:1] for x in xs])  # so few inputs that "auto" goes forward

    def of_first(*parts):
        return function(*[gradkit.cat([a, x.reshape(-1)[1:]]).reshape(x.shape) for a, x in zip(parts, xs)])

    if not any([x.is_complex() for x in (*xs, *function(*xs))]):  # there the two are conjugate
        ahead, behind = [functional.jacobian(of_first, first, strategy=s) for s in ("auto", "reverse-mode")]
        for row, other in zip(ahead, behind, strict=True):
            agree(row, other)


@pytest.mark.parametrize("case", SMOOTH, ids=lambda case: f"{case[0]}-{case[1]}")
def test_what_linearize_gives_has_the_gradient_of_the_function(case):
    function, xs = function_of(*case)
    rng = np.random.default_rng(17)
    xs = tuple([x.requires_grad_() for x in xs])
    plain, along = function(*xs), linearize(function, *xs)[0]
    cts = [normal_like(rng, y.detach()).to(y.device) for y in plain]
    found, expected = [
        gradkit.autograd.grad(ys, xs, cts, allow_unused=True, materialize_grads=True) for ys in (along, plain)
    ]
    agree(found, expected)


#: How many elements there are depends on the numbers, of which there are none.
COUNTING = {"mask_put", "masked_put", "masked_select"}


@pytest.mark.parametrize("case", [case for case in SMOOTH if case[0] not in COUNTING], ids=lambda case: f"{case[0]}-{case[1]}")
def test_no_samples_have_the_shapes_that_one_would_have(case):
    function, xs = function_of(*case)
    ys, none = function(*xs), [gradkit.stack([x])[:0] for x in xs]

    def pulled(*xs):
        ys, back = vjp(function, *xs)
        return back(ys)

    def shapes(several, lead=()):
        return [(*lead, *x.shape) for x in several]

    assert shapes(vmap(function)(*none)) == shapes(ys, (0,))
    assert shapes(vmap(lambda *xs: jvp(function, xs, xs)[1])(*none)) == shapes(ys, (0,))
    assert shapes(vmap(pulled)(*none)) == shapes(xs, (0,))
