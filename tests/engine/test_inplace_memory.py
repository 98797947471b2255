"""Writing in place where nothing is recorded: the memory itself is written."""

import numpy as np
import pytest

import gradkit
from tests.memory import peak

WRITES = {
    "add": lambda x, y: x.add_(y),
    "sub_scaled": lambda x, y: x.sub_(y * 2),
    "imul": lambda x, y: x.__imul__(y),
    "mul_number": lambda x, y: x.mul_(2.0),
    "exp": lambda x, y: x.exp_(),
}


@pytest.mark.parametrize("name", ["add", "imul", "mul_number", "exp"])
def test_write_without_history_takes_no_second_array(name, device):
    if device == "cuda":
        pytest.skip("shortcuts of one backend alone are not taken beside another")
    x, y = gradkit.ones(100_000), gradkit.ones(100_000)
    assert peak(lambda: WRITES[name](x, y)) < x.nbytes / 2


@pytest.mark.parametrize("number", [2, 0.5])
def test_number_without_axes_is_written(number):
    x = gradkit.ones(2).sum()
    assert x.mul_(number).add_(x).item() == 4 * number


@pytest.mark.parametrize("name", WRITES)
def test_parameter_written_under_no_grad_keeps_its_memory(name):
    x, y = gradkit.full((5,), 0.5, requires_grad=True), gradkit.full((5,), 3.0)
    with gradkit.no_grad():
        expected = WRITES[name](x.detach().clone(), y)
        memory, version = x.data_ptr(), x._version
        assert WRITES[name](x, y) is x
    assert (x.data_ptr(), x._version) == (memory, version + 1)
    np.testing.assert_array_equal(x.detach().numpy(), expected.numpy())


@pytest.mark.parametrize("shape", [(2, 3), (4,)])
def test_write_of_what_does_not_fit_changes_nothing(shape):
    x = gradkit.ones(3)
    with pytest.raises(RuntimeError):
        x.add_(gradkit.ones(shape))
    assert x.tolist() == [1, 1, 1] and x._version == 0


def test_operand_that_overlaps_is_read_before_it_is_written():
    x = gradkit.arange(6.0)
    x[1:].add_(x[:-1])
    assert x.tolist() == [0, 1, 3, 5, 7, 9]


def test_memory_written_at_once_is_missed_by_backward():
    x = gradkit.ones(3, requires_grad=True)
    y = gradkit.ones(3)
    z = x * y
    y.mul_(2)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        z.sum().backward()


def test_memory_that_a_rule_borrows_is_copied_when_it_is_written_and_forgotten_with_the_node():
    from gradkit.engine import lending

    x = gradkit.tensor([0.3, -0.8], requires_grad=True)
    y = x * 1
    before = len(lending.lent)
    ys = [gradkit.expm1(y), gradkit.expm1(y[1:])]
    del ys[1]
    y.mul_(3)
    np.testing.assert_allclose(gradkit.autograd.grad(ys[0].sum(), x)[0].numpy(), np.exp(x.numpy(force=True)), rtol=1e-6)
    ys = [gradkit.expm1(y), gradkit.expm1(y)]
    assert len(lending.lent) == before + 1
    del ys
    assert len(lending.lent) == before


@pytest.mark.parametrize("made", [lambda x: x * 1, lambda x: x.clone(), lambda x: x.exp(), lambda x: x[:, 1:]])
def test_what_is_empty_may_be_written(made):
    x = made(gradkit.zeros(0, 3))
    assert x.add_(1) is x and x.zero_() is x and x.shape[0] == 0
    x[:, 0] = 2.0


def test_what_no_sample_has_may_be_written():
    def written(x):
        y = x * 1
        y[0] = 2.0
        return y.mul_(3)

    assert gradkit.func.vmap(written)(gradkit.zeros(0, 3)).shape == (0, 3)
