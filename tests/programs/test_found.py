"""What random programs found, each as the smallest program that showed it: all that is compared must agree."""

import numpy as np
import pytest

import gradkit
from tests.programs.rows import row

pytestmark = pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated:DeprecationWarning")

X = np.array([0.3, -0.8, 1.1])
M = np.array([[1.2, 0.3, -0.4], [0.1, 0.9, 0.5], [-0.6, 0.2, 1.4]])
Z = np.array([0.3 + 1.2j, -0.8 - 0.4j, 1.1 + 0.5j])
POINT = np.array(0.7)


def gradient_of_a_dual_moves(lib, a):
    return lib.autograd.grad((a**2 * a).sum(), [a], create_graph=True)


def gradient_by_a_value_that_moves(lib, a):
    y = 0.5 / (a + 2)  # its tangent depends on it
    (g,) = lib.autograd.grad(lib.sin(y).sum(), [y], create_graph=True)
    return (g * y,)


def write_under_no_grad_moves_too(lib, a):
    y = lib.sin(a)
    with lib.no_grad():
        y[0] = a[1]
    return (y * a,)


def division_then_write(lib, a):
    return ((-0.7 / (a + 2)).mul_(3),)


def division_then_write_through_a_view(lib, a):
    y = -0.7 / (a + 2)
    y[1:].mul_(3)
    return (y,)


def maximum_then_write(lib, a):
    y = a.max(-1).values
    y.sigmoid_()
    return (y,)


def running_maximum_then_write(lib, a):
    y = a.cummax(0).values
    y.add_(a)
    return (y,)


def maximum_of_what_moves_infinitely_fast_elsewhere(lib, a):
    return (lib.sqrt(lib.nn.functional.relu(a)).amax(),)


def write_through_a_view_whose_gradient_is_transposed(lib, a):
    y = a.clone()
    y.reshape(-1)[0:].mul_(1.3)
    return (y.mT,)


def write_through_a_view_of_a_transposed_copy(lib, a):
    y = a.mT.clone()
    y.mT.reshape(-1)[2:].mul_(1.3)
    return (y * a,)


def inner_with_a_scalar_of_another_dtype(lib, a):
    return (lib.inner(a + 1j, a[0].sum()),)


def complex_logaddexp(lib, a):
    return (lib.logaddexp(a, a * 0.5),)


def complex_logcumsumexp(lib, a):
    return (a.logcumsumexp(-1),)


def complex_logsumexp(lib, a):
    return ((a + 3j).logsumexp(-1),)


def view_written_under_no_grad_and_then_again(lib, a):
    y = lib.sin(a)
    view = y.flip(0).unsqueeze(0).squeeze(0)
    part = y[1:]
    with lib.no_grad():
        part.mul_(-1)
    part.exp_()
    return y, view


def complex_softsign(lib, a):
    return (lib.nn.functional.softsign(a),)


def complex_l1_loss(lib, a):
    return (lib.nn.functional.l1_loss(a, a * a),)


def tensordot_over_an_extent_of_1(lib, a):
    return (lib.tensordot(a[:, :1], a, 1),)


def vecdot_of_shapes_that_broadcast(lib, a):
    return lib.linalg.vecdot(a, a[:, :1]), lib.linalg.vecdot(a[0, 0], a[0, 1])


def cosine_similarity_of_shapes_that_broadcast(lib, a):
    return (lib.nn.functional.cosine_similarity(a[0], a),)


def clone_of_an_expanded_tensor_has_views(lib, a):
    y = a.expand(2, *a.shape).clone()
    flat = y.reshape(-1)
    y *= 2
    return (flat,)


def normalized_scalar(lib, a):
    return (lib.nn.functional.normalize(a, dim=-1),)


def zeroth_power_of_a_matrix(lib, a):
    return (lib.linalg.matrix_power(a, 0) + a,)


def first_power_of_a_matrix_is_a_copy(lib, a):
    y = lib.linalg.matrix_power(a, 1)
    y.mul_(2)
    return (y * a,)


def covariance_of_one_variable(lib, a):
    return (lib.cov(a[:1]),)


def close_eigenvalues(lib, a):
    w, q = lib.linalg.eigh((a * a.mT).tanh() * 1e-9 + lib.eye(3, dtype=a.dtype))
    return ((q * lib.sin(w)) @ q.mT,)


def cholesky_of_a_matrix_not_quite_symmetric(lib, a):
    return row(lib, "linalg_cholesky", a + lib.eye(3, dtype=a.dtype) * 3, triangle=None)


def feature_dropout_of_a_vector_in_evaluation(lib, a):
    return (lib.nn.functional.feature_alpha_dropout(a) * a,)


def angle_of_reals_beside_an_infinite_slope(lib, a):
    return (lib.pow(lib.angle(a), 0.5),)


def angle_of_reals_beside_coinciding_eigenvalues(lib, a):
    return (lib.linalg.eigvalsh(lib.diag(lib.angle(a * a))),)


def scalar_gathered_by_a_vector(lib, a):
    return a.gather(0, lib.tensor([0, 0, 0])), a.reshape(1).gather(0, lib.tensor(0))


def scalar_scattered_into(lib, a):
    y = a.clone()
    y.scatter_add_(0, lib.tensor([0, 0]), lib.stack([a * a, a.sin()]))
    y.index_add_(0, lib.tensor([0]), a.exp())
    return y * a, a.scatter(0, lib.tensor(0), a * a), a.scatter_reduce(0, lib.tensor([0]), a.reshape(1) * 2, "prod")


def pseudo_inverse_by_what_a_tensor_counts_as_0(lib, a):
    return lib.linalg.pinv(a, 0.4), lib.linalg.pinv(a, a.detach().abs()[0]), lib.linalg.pinv(a, atol=a.detach().abs()[:, :1])


def written_after_expm1(lib, a):
    y = a * 1
    z = lib.expm1(y) + lib.special.ndtr(y) + lib.nn.functional.tanhshrink(y)
    y.mul_(3)
    return y, z


def written_after_cross_entropy(lib, a):
    y = a * 1
    z = lib.nn.functional.cross_entropy(y, lib.tensor([0, 2, 1]))
    y[0] = 0
    return y, z


def written_after_eigenvalues(lib, a):
    y = a + a.mT
    z = lib.linalg.eigvalsh(y), lib.linalg.svdvals(y)
    y += 1
    return y, *z


def inverse_written_flat(lib, a):
    y = lib.linalg.inv(a).flatten()
    with lib.no_grad():
        y.mul_(1.3)
    return (y,)


def tangent_of_what_is_then_written(lib, a):
    y = lib.nn.functional.normalize(a, dim=-1)
    y[::2] *= -1
    return (y,)


def tangent_of_logsigmoid_then_written(lib, a):
    y = lib.nn.functional.logsigmoid(a)
    with lib.no_grad():
        y.mul_(1.3)
    return (y,)


def outer_product_of_two_dtypes(lib, a):
    return lib.einsum("i,j->ij", a[0], a[1] * 1j), lib.einsum("ij,ij->ji", a, a * 1j)


def einsum_viewed_in_the_order_asked_for(lib, a):
    return lib.einsum("ij,jk->ki", a, a).view(-1), lib.einsum("i,j->ji", a[0], a[1]).view(-1)


def real_memory_written_as_complex(lib, a):
    y = a[:, :2] * 1
    z = lib.view_as_complex(y)
    z[1:].mul_(1.3 - 1j)
    z[0] = 2 * z[0]
    return y, z


def complex_memory_written_as_real(lib, a):
    y = a * 1
    lib.real(y)[1:].mul_(1.3)
    lib.view_as_real(y)[0] *= lib.real(a[1])
    return (y,)


def log_softmax_of_one_class_is_exactly_0(lib, a):
    return lib.linalg.vector_norm(a[:, None].log_softmax(-1), 0), lib.linalg.vector_norm(a.sum().log_softmax(0), 0)


def count_of_square_roots_that_do_not_exist(lib, a):
    """Backward, zeros would become nan at sqrt of a negative number: PyTorch hands nothing back."""
    return lib.linalg.vector_norm(lib.sqrt(a), 0), lib.norm(lib.sqrt(a * 1), 0) * a.sum()


def exponential_of_zeros_is_exactly_1(lib, a):
    return (lib.floor(lib.linalg.matrix_exp(lib.stack([a, a]) * 0)),)


def angle_of_minus_zero(lib, a):
    return (lib.angle(a * 0) + lib.angle(a),)


def tolerance_of_a_pseudo_inverse_written_later(lib, a):
    v = a.logcumsumexp(0)
    bound = lib.stack([0 * v[0, 0], 1e-6 + 0 * v[0, 1]])
    y = row(lib, "linalg_pinv", a, bound)[0]
    with lib.no_grad():
        v.mul_(-1)
    return (y,)


def root_of_an_ignored_loss(lib, a):
    losses = lib.nn.functional.cross_entropy(a, lib.tensor([0, -100, 1]), reduction="none")
    return (lib.sqrt(losses),)


FOUND = {
    root_of_an_ignored_loss: M,
    tolerance_of_a_pseudo_inverse_written_later: M,
    angle_of_minus_zero: X,
    exponential_of_zeros_is_exactly_1: M,
    count_of_square_roots_that_do_not_exist: X,
    log_softmax_of_one_class_is_exactly_0: X, real_memory_written_as_complex: M, complex_memory_written_as_real: Z,
    angle_of_reals_beside_an_infinite_slope: X, angle_of_reals_beside_coinciding_eigenvalues: X,
    scalar_gathered_by_a_vector: POINT, scalar_scattered_into: POINT, pseudo_inverse_by_what_a_tensor_counts_as_0: M,
    written_after_expm1: X, written_after_cross_entropy: M, written_after_eigenvalues: M,
    inverse_written_flat: M, tangent_of_what_is_then_written: M, tangent_of_logsigmoid_then_written: X,
    outer_product_of_two_dtypes: M, einsum_viewed_in_the_order_asked_for: M,
    write_through_a_view_whose_gradient_is_transposed: M, write_through_a_view_of_a_transposed_copy: M,
    inner_with_a_scalar_of_another_dtype: M,
    gradient_of_a_dual_moves: X, gradient_by_a_value_that_moves: X, write_under_no_grad_moves_too: X,
    division_then_write: X, division_then_write_through_a_view: X, maximum_then_write: M,
    running_maximum_then_write: M, maximum_of_what_moves_infinitely_fast_elsewhere: X, complex_logaddexp: Z,
    complex_logcumsumexp: Z, complex_logsumexp: Z, view_written_under_no_grad_and_then_again: X, complex_softsign: Z,
    complex_l1_loss: Z, tensordot_over_an_extent_of_1: M, vecdot_of_shapes_that_broadcast: M,
    cosine_similarity_of_shapes_that_broadcast: M, clone_of_an_expanded_tensor_has_views: M, normalized_scalar: POINT,
    zeroth_power_of_a_matrix: M, first_power_of_a_matrix_is_a_copy: M, covariance_of_one_variable: M,
    close_eigenvalues: M, cholesky_of_a_matrix_not_quite_symmetric: M, feature_dropout_of_a_vector_in_evaluation: X,
}  # fmt: skip


@pytest.mark.parametrize("program", FOUND, ids=lambda program: program.__name__)
def test_program_gives_what_pytorch_gives(program, torch):
    from tests.programs.judging import judge

    counts = {}
    failure = judge(torch, program, [FOUND[program]], counts)
    assert failure is None, f"{failure.check}: {failure.text}"
    assert not [what for what in counts if "values" in what or ("gradients:" in what and "batched" not in what)]


def test_log_ndtr_bends_far_out_in_single_precision():
    """The rule's own denominator would overflow."""
    x = gradkit.tensor([12.0, -3.0, -200.0], requires_grad=True)
    (g,) = gradkit.autograd.grad(row(gradkit, "log_ndtr", x)[0].sum(), x, create_graph=True)
    (h,) = gradkit.autograd.grad(g.sum(), x)
    np.testing.assert_allclose(h.numpy(), [0.0, -0.92944, -1.0], atol=2e-3)
