"""A fused form is an optimisation of a program: on the same operands both give the same."""

import itertools

import numpy as np
import pytest

from gradkit.backend.cpu import normalization
from gradkit.backend.numpy import NUMPY
from gradkit.backend.protocol import Namespace
from gradkit.primitives.fusible import FUSIBLE

FUSED = {key.removeprefix("fused_"): run for key, run in vars(NUMPY.xp).items() if key.startswith("fused_")}
PLAIN = Namespace(np, **{k: v for k, v in vars(NUMPY.xp).items() if not k.startswith(("fused_", "_"))})

LAST = [((4, 6), (-1,)), ((2, 3, 8), (-2, -1)), ((70, 300), (-1,)), ((1, 5), (-1,)), ((5, 1), (-1,))]
CHANNELS = [((6, 4), (-2,)), ((3, 4, 5), (-3, -1)), ((50, 4, 20, 30), (-4, -2, -1)), ((1, 4, 1), (-3, -1))]
LOGITS = {"axis": -1, "rank": 2}


def over_last(operands):
    return [
        ([shape, *[shape[-len(axis) :]] * operands], {"axis": axis, "eps": 1e-3}) for shape, axis in LAST
    ]


def by_channel(operands):
    beside = [(4, *(1,) * (len(shape) - 2)) for shape, _ in CHANNELS]
    return [([shape, *[w] * operands], {"axis": axis, "eps": 1e-3}) for (shape, axis), w in zip(CHANNELS, beside)]


def with_cotangent(cases):
    return [([operands[0], *operands], params) for operands, params in cases]


def logits(cotangent):
    cases = []
    for shape in ((4, 5), (300, 400)):
        for reduction, ignored in itertools.product(("none", "mean", "sum"), (None, 2)):
            d = [shape[:1] if reduction == "none" else ()] if cotangent else []
            cases.append(([*d, shape, shape[0]], {**LOGITS, "ignore_index": ignored, "reduction": reduction}))
    return cases


SOFT = [([shape], {"axis": axis}) for shape in ((4, 5), (300, 400), (2, 3, 4)) for axis in (-1, -2)]
CASES = {
    "softmax_forward": SOFT,
    "log_softmax_forward": SOFT,
    "softmax_vjp": with_cotangent(SOFT),
    "log_softmax_vjp": with_cotangent(SOFT),
    "standardize_forward": over_last(0),
    "standardize_vjp": with_cotangent(over_last(0)),
    "layer_norm_forward": over_last(2),
    "layer_norm_vjp": with_cotangent(over_last(1)),
    "rms_norm_forward": over_last(1),
    "rms_norm_vjp": with_cotangent(over_last(1)),
    "batch_norm_forward": by_channel(2),
    "batch_norm_vjp": with_cotangent(by_channel(1)),
    "batch_norm_eval_forward": [(operands, {**params, "eps": 20.0}) for operands, params in by_channel(4)],  # variances of any sign
    "batch_norm_eval_vjp": [(operands, {**params, "eps": 20.0}) for operands, params in with_cotangent(by_channel(3))],
    "batch_moments": [(operands, {"axis": params["axis"]}) for operands, params in by_channel(0)],
    "logsumexp_forward": [([shape], {"axis": axis, "keepdims": False}) for shape, axis in LAST],
    "product_of_others": SOFT,
    "running_prod_vjp": [([shape, shape], {**params, "reverse": reverse}) for [shape], params in SOFT for reverse in (False, True)],
    "cross_entropy_forward": logits(cotangent=False),
    "cross_entropy_vjp": logits(cotangent=True),
}


def drawn(operand, rng, dtype, offset):
    """Numbers of a shape; classes for a count of rows."""
    if isinstance(operand, int):
        return rng.integers(0, 5, operand)
    return np.asarray(rng.normal(size=operand) + offset).astype(dtype)


def summed(ct, shape):
    """What the tape does with a cotangent of a larger shape than its operand's."""
    lead = tuple(range(ct.ndim - len(shape)))
    ct = ct.sum(lead)
    return ct.sum(tuple([i for i, n in enumerate(shape) if n == 1 != ct.shape[i]]), keepdims=True)


@pytest.mark.parametrize("name", sorted(FUSED))
@pytest.mark.parametrize("small", [0, 1 << 13])
@pytest.mark.parametrize(
    ("dtype", "offset", "rtol"),
    [(np.float64, 0, 1e-8), (np.float64, 40, 1e-8), (np.float32, 0, 2e-4), (np.float32, 40, 2e-4), (np.float16, 0, 2e-2)],
)
def test_fused_form_equals_its_program(name, small, dtype, rtol, offset, monkeypatch):
    monkeypatch.setattr(normalization, "SMALL", small)
    monkeypatch.setattr(normalization, "BLOCK", 1 << 12)
    rng = np.random.default_rng(5)
    for shapes, params in CASES[name]:
        operands = [drawn(shape, rng, dtype, offset) for shape in shapes]
        got = FUSED[name](*operands, **params)
        if got is NotImplemented:
            continue
        wide = [x.astype(np.float64) if x.dtype.kind == "f" else x for x in operands]
        with np.errstate(all="ignore"):
            want = FUSIBLE[name](PLAIN, *wide, **params)
        pairs = zip(got, want) if isinstance(got, list | tuple) else [(got, want)]
        for a, b in pairs:
            assert a.dtype == dtype
            scale = max(1.0, float(np.abs(b).max(initial=0)))
            b = summed(b, a.shape) if a.shape != b.shape else b
            np.testing.assert_allclose(a, b, rtol=rtol, atol=rtol * scale * (1 + offset))


@pytest.mark.parametrize("name", sorted(FUSED))
def test_fused_form_serves_the_usual_operands(name):
    shapes, params = CASES[name][0]
    rng = np.random.default_rng(5)
    assert FUSED[name](*[drawn(shape, rng, np.float32, 0.0) for shape in shapes], **params) is not NotImplemented


@pytest.mark.parametrize("name", [n for n in sorted(FUSED) if n.startswith(("layer_norm", "batch_norm", "standardize"))])
def test_fused_form_declines_what_it_does_not_serve(name):
    shapes, params = CASES[name][0]
    rng = np.random.default_rng(5)
    operands = [drawn((2, *shape), rng, np.float32, 0.0) for shape in shapes]
    odd = {**params, "axis": (-2,) if params["axis"] == (-1,) else (-1,)}
    assert FUSED[name](*operands, **odd) is NotImplemented
