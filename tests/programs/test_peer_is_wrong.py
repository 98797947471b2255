"""What random programs found of PyTorch: where it is wrong by numeric differences, by rounding, or misreads memory."""

import numpy as np
import pytest

import gradkit
from tests.programs.test_found import M, X

pytestmark = pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated:DeprecationWarning")


def written_after_kron(lib, a):
    y, w = a * 1, a * 2
    z = lib.kron(y, w)
    w.zero_()
    return y, z


def real_power_of_a_complex_number(lib, a):
    return ((a + 1j) ** a,)


def complex_power_of_a_real_number(lib, a):
    return (lib.pow(a * a + 0.5, a * 1j),)


def logcumsumexp_of_which_a_part_is_used(lib, a):
    return (a.logcumsumexp(0).cumprod(0)[:1],)


def test_median_of_an_expanded_tensor_is_its_own(torch):
    assert gradkit.tensor(X).expand(2, 3).median(0).values.tolist() == X.tolist()
    assert torch.tensor(X).expand(2, 3).median(0).values.tolist() != X.tolist()


WRONG_THERE = {
    written_after_kron: "gradients", real_power_of_a_complex_number: "tangents", complex_power_of_a_real_number: "tangents",
    logcumsumexp_of_which_a_part_is_used: "second_derivatives",
}  # fmt: skip


@pytest.mark.parametrize("program", WRONG_THERE, ids=lambda program: program.__name__)
def test_numeric_differences_side_with_gradkit(program, torch):
    from tests.programs.judging import ARBITRATED, judge

    counts = {}
    failure = judge(torch, program, [X], counts)
    assert failure is None, f"{failure.check}: {failure.text}"
    assert f"{WRONG_THERE[program]}: {ARBITRATED}" in counts


# -- where rounding decides
def counted_of_a_cross_product_with_itself(lib, a):
    return (lib.linalg.vector_norm(lib.linalg.cross(a.sin(), a.sin()), 0) + a.sum(),)


def on_the_branch_cut_by_a_zero_of_either_sign(lib, a):
    y = lib.complex(a @ a.mT + 3 * lib.eye(3, dtype=a.dtype), a - a.mT)
    return (lib.asin(lib.linalg.cholesky(y)).imag,)


@pytest.mark.parametrize(
    ("program", "x"),
    [
        (counted_of_a_cross_product_with_itself, [0.590841811897107, 0.8595967416143391, 1.4186089357473004]),
        (on_the_branch_cut_by_a_zero_of_either_sign, M),
    ],
    ids=lambda given: getattr(given, "__name__", ""),
)
def test_rounding_decides_there(program, x, torch):
    from tests.programs.judging import LOST_TO_ROUNDING, judge

    counts = {}
    assert judge(torch, program, [np.array(x)], counts) is None
    assert f"values: {LOST_TO_ROUNDING}" in counts


# -- where PyTorch misreads how operands lie
def batch_norm_with_a_strided_weight(lib, a):
    return (lib.nn.functional.batch_norm(a, None, None, lib.tensor(M.tolist()).to(a)[:, 1], a[0], True),)


def written_by_places_with_what_lies_there(lib, a):
    """The value has an axis of extent 1 in front, and PyTorch reads what it has just written."""
    y = a.clone()[::2]
    y[[1, 0]] = y.unflatten(0, (-1, 2))
    return (y,)


def added_to_by_a_row_of_its_own(lib, a):
    y = a.clone()[:, ::2]
    y.add_(y[:1], alpha=2)
    return (y,)


def written_by_its_own_product(lib, a):
    y = a * 1
    y.addcmul_(y, y, value=1.3)
    return (y,)


MISREAD = {
    batch_norm_with_a_strided_weight: M, written_by_places_with_what_lies_there: X, added_to_by_a_row_of_its_own: M,
    written_by_its_own_product: X,
}  # fmt: skip


@pytest.mark.parametrize("program", MISREAD, ids=lambda program: program.__name__)
def test_pytorch_agrees_when_it_gets_copies(program, torch):
    from tests.programs.judging import judge

    counts = {}
    failure = judge(torch, program, [MISREAD[program]], counts)
    assert failure is None, f"{failure.check}: {failure.text}"
    assert [what for what in counts if what.endswith("in row-major order")]
