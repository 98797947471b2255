"""Every differentiable row on the device, in float32: pushed tangents are the NumPy backend's."""

import numpy as np
import pytest

import gradkit
from gradkit.engine.bind import bind
from gradkit.engine.device import moved
from gradkit.engine.primitive import REGISTRY
from gradkit.engine.tensor import wrap
from gradkit.func import jvp
from tests.test_primitives import SMOOTH, TURNED, everything, free, ids, normal_like, operands_of


@pytest.mark.parametrize("case", [case for case in SMOOTH if case[0] not in TURNED], ids=ids)
@np.errstate(all="ignore")
def test_tangents_are_those_of_the_cpu(case):
    prim = REGISTRY[case[0]]
    raws, params = operands_of(prim, case[1], np.dtype("float32"))
    places = free(prim, raws)

    def pushed(device):
        device = gradkit.device(device)
        operands = [wrap(moved(raw, device)) for raw in raws]

        def function(*xs):
            given = list(operands)
            for k, x in zip(places, xs):
                given[k] = x
            return tuple([y for y in everything(bind(prim, given, params)) if y.dtype.kind in "fc"])

        rng = np.random.default_rng(3)
        ts = tuple([wrap(moved(normal_like(rng, raws[k]), device)) for k in places])
        return jvp(function, tuple([operands[k] for k in places]), ts)[1]

    for got, want in zip(pushed("cuda"), pushed("cpu"), strict=True):
        assert got.dtype == want.dtype and got.shape == want.shape
        np.testing.assert_allclose(got.numpy(force=True), want.numpy(force=True), rtol=2e-4, atol=2e-4)
