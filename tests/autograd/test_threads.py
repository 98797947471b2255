"""Modes, hooks and checkpoints of eight threads at once: each sees its own."""

import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import gradkit
from gradkit.autograd import graph
from gradkit.engine import modes
from gradkit.utils.checkpoint import checkpoint


@pytest.fixture
def hurried_threads():
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(before)


def want(x):
    e = np.exp(x)
    return (e + x * e) * np.cos(x * e)


def f(x):
    return (x.exp() * x).sin()


def plain(x):
    f(x).sum().backward()


def kept(x):
    checkpoint(f, x, use_reentrant=False).sum().backward()


def packed(x):
    with graph.saved_tensors_hooks(lambda t: t.detach().numpy().copy(), gradkit.tensor):
        y = f(x)
    y.sum().backward()


def inferred(x):
    with gradkit.inference_mode():
        assert f(x).is_inference()
    plain(x)


def watched(x):
    with gradkit.autograd.detect_anomaly():
        plain(x)


def hooked(x):
    x.register_hook(lambda g: g * 2)
    y = f(x)
    y.grad_fn.register_prehook(lambda cts: (cts[0] / 2,))
    y.sum().backward()


WAYS = [plain, kept, packed, inferred, watched, hooked]


@pytest.mark.usefixtures("hurried_threads")
def test_every_way_in_every_thread():
    modes.shift()
    before = modes.unusual

    def work(seed):
        rng = np.random.default_rng(seed)
        for k in range(60):
            x = gradkit.tensor(rng.uniform(0.1, 1, 4), requires_grad=True)
            WAYS[(seed + k) % len(WAYS)](x)
            np.testing.assert_allclose(x.grad.numpy(), want(x.detach().numpy()), rtol=1e-12)
            assert not x.grad.is_inference() and gradkit.is_grad_enabled() and not modes.local.special

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))
    modes.shift()
    assert modes.unusual == before


@pytest.mark.usefixtures("hurried_threads")
def test_one_checkpointed_graph_walked_by_all():
    x = gradkit.tensor(np.linspace(0.1, 1, 4), requires_grad=True)
    y = checkpoint(f, x, use_reentrant=False).sum()
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: gradkit.autograd.grad(y, x, retain_graph=True)[0], range(64)))
    for g in found:
        np.testing.assert_allclose(g.numpy(), want(x.detach().numpy()), rtol=1e-12)
