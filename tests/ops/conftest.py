"""One expression, two libraries: fixtures that evaluate it with gradkit and with PyTorch and compare what comes out."""

import numpy as np
import pytest

import gradkit
from tests.unasked import skip_unasked


@pytest.fixture
def agrees(torch):
    """A function of an expression and the arrays it names: values, dtypes, flags and gradients must be PyTorch's.

    In the expression `m` is the library and `F` its nn.functional; floating arrays are leaves that require grad. One
    like ``x: y[0] = 1`` is a statement about `y`, a copy of what stands in front.
    """

    def check(expression, **arrays):
        mine, theirs = [Outcome(library, expression, arrays) for library in (gradkit, torch)]
        compare(mine.results, theirs.results, expression)
        for name, want in theirs.gradients().items():
            got = mine.gradients()[name]
            assert (got is None) == (want is None), f"gradient of {name}"
            if want is not None:
                np.testing.assert_allclose(
                    got.numpy(), want.numpy(), rtol=1e-5, atol=1e-6, err_msg=f"gradient of {name}"
                )

    return check


@pytest.fixture
def raises_alike(torch):
    """A function of an expression that must raise the kind of error that it raises in PyTorch."""

    def check(expression, **arrays):
        with pytest.raises(Exception) as want:
            evaluate(torch, expression, arrays)
        skip_unasked(want.value)
        with pytest.raises(want.type) as got:
            evaluate(gradkit, expression, arrays)
        assert str(got.value)

    return check


def evaluate(library, expression, arrays):
    tensors = {name: library.tensor(array) for name, array in arrays.items()}
    for array, t in zip(arrays.values(), tensors.values()):
        t.requires_grad_(np.asarray(array).dtype.kind == "f")
    names = {"m": library, "F": library.nn.functional, "np": np, **tensors}
    source, _, statement = expression.partition(": ")
    if not statement:
        return tensors, eval(expression, names)
    names["y"] = eval(source, names).clone()
    exec(statement, names)
    return tensors, [names["y"], names["y"]._version]


class Outcome:
    """The results of an expression in one library, and the gradients of a weighted sum of all of them."""

    def __init__(self, library, expression, arrays):
        self.library = library
        self.tensors, result = evaluate(library, expression, arrays)
        self.results = list(flat(result))
        self.found = None

    def gradients(self):
        if self.found is None:
            wanted = {name: t for name, t in self.tensors.items() if t.requires_grad}
            terms = [self.weighted(y, k) for k, y in enumerate(self.results) if getattr(y, "requires_grad", False)]
            found = [None] * len(wanted)
            if terms:
                found = self.library.autograd.grad(sum(terms), list(wanted.values()), allow_unused=True)
            self.found = dict(zip(wanted, found))
        return self.found

    def weighted(self, y, k):
        weights = np.random.default_rng(k).uniform(0.5, 2, tuple(y.shape)).astype(np.float32)
        return (y * self.library.tensor(weights)).sum()


def flat(result):
    if isinstance(result, tuple | list) and not all([isinstance(one, int) for one in result]):
        for one in result:
            yield from flat(one)
    else:
        yield result


def compare(mine, theirs, context):
    assert len(mine) == len(theirs), context
    for got, want in zip(mine, theirs):
        if not hasattr(want, "requires_grad"):
            assert got == want, context
            continue
        assert tuple(got.shape) == tuple(want.shape), context
        assert got.dtype.name == str(want.dtype).removeprefix("torch."), context
        assert got.requires_grad == want.requires_grad, context
        np.testing.assert_array_equal(got.detach().numpy(), want.detach().numpy(), err_msg=context)
