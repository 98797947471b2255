"""One program, two libraries: fixtures that run it with gradkit and with PyTorch and compare what it shows."""

import numpy as np
import pytest

import gradkit


@pytest.fixture
def shows_alike(torch):
    """A function of a program, itself a function of the library: what it returns must be what PyTorch shows."""

    def check(program):
        compare(shown(program(gradkit)), shown(program(torch)))

    return check


@pytest.fixture
def raises_alike(torch):
    """A function of a program that must raise the kind of error that it raises in PyTorch."""

    def check(program):
        with pytest.raises(Exception) as want:
            program(torch)
        with pytest.raises(want.type) as got:
            program(gradkit)
        assert got.type is want.type

    return check


def shown(x):
    """What a program shows, in a form that compares: arrays with their flags, all else as it is."""
    if hasattr(x, "requires_grad"):
        return {"value": x.detach().numpy().copy(), "requires_grad": x.requires_grad, "is_leaf": x.is_leaf}
    return [shown(one) for one in x] if isinstance(x, tuple | list) else x


def compare(got, want):
    if isinstance(want, dict):
        assert {k: got[k] for k in ("requires_grad", "is_leaf")} == {k: want[k] for k in ("requires_grad", "is_leaf")}
        np.testing.assert_allclose(got["value"], want["value"], rtol=1e-6)
    elif isinstance(want, list):
        assert len(got) == len(want)
        for a, b in zip(got, want):
            compare(a, b)
    else:
        assert got == want
