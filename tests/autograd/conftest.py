"""One program, two libraries: what it returns, or the type of what it raises, must be what PyTorch gives."""

import warnings

import numpy as np
import pytest

import gradkit


@pytest.fixture
def alike(torch):
    """A function of a program, itself a function of the library, that compares its outcome with PyTorch's."""

    def check(program):
        want = outcome(program, torch)
        compare(outcome(program, gradkit), want)

    return check


def outcome(program, library):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return shown(program(library))
        except Exception as error:
            return type(error).__name__, str(error)[:200]


def shown(x):
    """What a program returns, in a form that compares: arrays with their flags, all else as it is."""
    if hasattr(x, "requires_grad") and hasattr(x, "numpy"):
        return {"value": x.detach().clone().numpy(), "dtype": str(x.dtype).removeprefix("torch."), "requires_grad": x.requires_grad}
    if isinstance(x, dict):
        return {"dict": [(key, shown(value)) for key, value in x.items()]}
    return [shown(one) for one in x] if isinstance(x, tuple | list) else x


def compare(got, want):
    if isinstance(want, tuple):
        assert isinstance(got, tuple) and got[0] == want[0], f"{got} instead of {want}"
    elif isinstance(want, dict) and "value" in want:
        assert isinstance(got, dict), f"{got} instead of {want}"
        np.testing.assert_allclose(got["value"], want["value"], rtol=1e-5, atol=1e-6)
        assert {k: got[k] for k in ("dtype", "requires_grad")} == {k: want[k] for k in ("dtype", "requires_grad")}
    elif isinstance(want, dict):
        assert isinstance(got, dict), f"{got} instead of {want}"
        assert [key for key, _ in got["dict"]] == [key for key, _ in want["dict"]]
        compare([value for _, value in got["dict"]], [value for _, value in want["dict"]])
    elif isinstance(want, list):
        assert isinstance(got, list), f"{got} instead of {want}"
        assert len(got) == len(want), f"{got} instead of {want}"
        for a, b in zip(got, want):
            compare(a, b)
    else:
        assert not isinstance(got, tuple | list | dict) and got == want, f"{got} instead of {want}"
