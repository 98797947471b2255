"""Functions of torch.nn.functional in two libraries: values, dtypes, gradients, second derivatives and errors agree."""

import warnings

import numpy as np
import pytest

import gradkit
from gradkit.nn import functional as F
from tests.unasked import skip_unasked


class Side:
    """One library at work on the operands: float arrays are leaves, lists constants, anything else goes as it is."""

    def __init__(self, library, functions):
        self.library, self.functions = library, functions

    def tensor(self, operand):
        if isinstance(operand, list):
            return self.library.tensor(np.array(operand))
        if not isinstance(operand, np.ndarray):
            return operand
        return self.library.tensor(operand, requires_grad=operand.dtype.kind == "f")

    def run(self, name, operands, params):
        operands = [self.tensor(x) for x in operands]
        params = {key: self.tensor(x) for key, x in params.items()}
        self.leaves = [x for x in (*operands, *params.values()) if getattr(x, "requires_grad", False)]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return getattr(self.functions, name)(*operands, **params)

    def gradients(self, ys, weights):
        """Of the weighted sum of `ys` with respect to the leaves; zeros where there is none."""
        found = [None] * len(self.leaves)
        pairs = [(y, self.library.tensor(w)) for y, w in zip(ys, weights) if y.requires_grad]
        if pairs:
            found = self.library.autograd.grad(
                [y for y, _ in pairs], self.leaves, [w for _, w in pairs], create_graph=True, allow_unused=True
            )
        return [x * 0 if g is None else g for g, x in zip(found, self.leaves)]


def plain(tensor):
    return tensor.detach().numpy()


def drawn(like, seed):
    rng = np.random.default_rng(seed)
    return [rng.uniform(0.5, 1.5, y.shape).astype(y.dtype) for y in like]


@pytest.fixture
def matches(torch):
    """A function of a name and its operands: what torch.nn.functional gives for them is what comes out here.

    `orders` is the highest derivative that PyTorch has for the function (and these operands).
    """

    def check(name, *operands, orders=2, rtol=1e-7, atol=1e-9, **params):
        mine, theirs = Side(gradkit, F), Side(torch, torch.nn.functional)
        sides = [side.run(name, operands, params) for side in (mine, theirs)]
        got, want = [list(y) if isinstance(y, tuple | list) else [y] for y in sides]
        close = {"rtol": rtol, "atol": atol}
        assert [y.dtype.name for y in got] == [str(y.dtype).removeprefix("torch.") for y in want]
        assert [tuple(y.shape) for y in got] == [tuple(y.shape) for y in want]
        for order in range(orders + 1):
            for a, b in zip(got, want, strict=True):
                np.testing.assert_allclose(plain(a), b.detach().numpy(force=True), err_msg=f"order {order}", **close)
            if order < orders:
                weights = drawn([plain(y) for y in got], order)
                got, want = mine.gradients(got, weights), theirs.gradients(want, weights)

    return check


@pytest.fixture
def refuses(torch):
    """A function of a name and operands that PyTorch refuses: so it is here, with an error of the same type."""

    def check(name, *operands, **params):
        with pytest.raises(Exception) as want:
            Side(torch, torch.nn.functional).run(name, operands, params)
        skip_unasked(want.value)
        with pytest.raises(want.type) as got:
            Side(gradkit, F).run(name, operands, params)
        assert str(got.value)

    return check


@pytest.fixture
def seeded(torch):
    """A function that starts both libraries' random streams from one seed."""

    def start(seed):
        torch.manual_seed(seed)
        gradkit.manual_seed(seed)

    return start


@pytest.fixture
def rng():
    return np.random.default_rng(17)
