"""Views and writing in place: each program is run by gradkit and by PyTorch, and what it shows must be the same."""

import pytest

import gradkit
from gradkit.engine.views import chain

PROGRAMS = {}


def program(function):
    PROGRAMS[function.__name__] = function
    return function


def leaf(lib, n=4):
    return lib.arange(1.0, n + 1).requires_grad_()


# -- writes through views and their base
@program
def copy_into_the_base_reaches_a_view(lib):
    buffer, w = lib.zeros(4), leaf(lib)
    v = buffer[2:4]
    buffer.copy_(w * 2)
    (v * v).sum().backward()
    return w.grad, v, buffer, buffer._version, v._version


@program
def write_through_a_view_reaches_the_base(lib):
    a = leaf(lib)
    x = a * 2
    x[1:3].mul_(3)
    (x * x).sum().backward()
    return a.grad, x, x._version


@program
def write_through_a_view_reaches_other_views(lib):
    a = leaf(lib, 6)
    x = a * 1
    u, v, w = x.view(2, 3), x[1:5], x.view(3, 2).t()
    w[0].mul_(5)
    (u * u).sum().backward(retain_graph=True)
    (v * w.sum()).sum().backward()
    return a.grad, u, v, w, x._version, u._version


@program
def chain_of_views(lib):
    a = leaf(lib, 12)
    x = a * 1
    v = x.view(3, 4).transpose(0, 1)[1:].unsqueeze(0)[0, 1]
    v.add_(lib.tensor([1.0, 2.0, 3.0])).mul_(2)
    (x * x).sum().backward()
    return a.grad, x, v, v._version


@program
def diagonal_is_a_view(lib):
    a = leaf(lib, 9)
    x = (a * 1).view(3, 3)
    x.diagonal().fill_(0)
    x.diagonal(1).mul_(7)
    (x * x).sum().backward()
    return a.grad, x


@program
def row_of_an_expanded_tensor(lib):
    a = leaf(lib, 3)
    x = (a * 1).view(1, 3)
    x.expand(2, 3)[0].mul_(4)
    (x * x).sum().backward()
    return a.grad, x


@program
def windows_are_views(lib):
    x = lib.arange(5.0)
    x.unfold(0, 3, 2)[1].mul_(10)
    return x, x._version


@program
def transposed_in_place_multiplication(lib):
    a = leaf(lib, 6)
    x = (a * 1).view(2, 3)
    x.t().mul_(lib.arange(6.0).view(3, 2))
    (x * x).sum().backward()
    return a.grad, x


@program
def scalar_view_is_written(lib):
    a = leaf(lib)
    x = a * 1
    x[0].add_(10)
    x[-1] *= 3
    (x * x).sum().backward()
    return a.grad, x, x._version


@program
def value_that_needs_a_gradient_into_a_plain_buffer(lib):
    w = lib.tensor(2.0, requires_grad=True)
    x = lib.zeros(3)
    x[0] = w
    x[1] = x[0] * 2
    x[2] = x[1] * 3
    x.sum().backward()
    return w.grad, x, x._version


@program
def view_of_a_plain_buffer_gets_history(lib):
    w, x = leaf(lib, 2), lib.zeros(4)
    v, other = x[:2], x[2:]
    v.copy_(w)
    (x * x).sum().backward()
    return w.grad, x, v, other


@program
def view_made_after_the_write(lib):
    a = leaf(lib)
    x = a * 1
    x.mul_(2)
    v = x[1:]
    v.add_(1)
    (v * x[:3]).sum().backward()
    return a.grad, v, x


@program
def interleaved_writes(lib):
    a = leaf(lib, 6)
    x = a.clone()
    v, w = x.view(2, 3), x[::2]
    for _ in range(3):
        v[0].add_(w.sum())
        w.mul_(0.5)
        x.sub_(1)
    (v.sum() + (w * w).sum()).backward()
    return a.grad, x, v, w, x._version


@program
def views_of_views_written_in_turn(lib):
    a = leaf(lib, 3)
    x = a.clone()
    v = x.view(3)
    w = v.view(3)
    w.mul_(2)
    v.mul_(3)
    x.mul_(5)
    w.sum().backward()
    return a.grad, x._version, w._version


# -- without recording
@program
def leaf_written_under_no_grad(lib):
    a = leaf(lib)
    v = a[:2]
    with lib.no_grad():
        v.mul_(3)
        a.add_(1)
        a[3] = 7
    (a * a).sum().backward()
    return a.grad, a, v, a._version


@program
def non_leaf_written_under_no_grad_keeps_its_history(lib):
    a = leaf(lib)
    x = a * 2
    with lib.no_grad():
        x.zero_()
    x.sum().backward()
    return a.grad, x


@program
def view_of_a_view_under_no_grad(lib):
    a = leaf(lib, 6)
    with lib.no_grad():
        v = a.view(2, 3)[1]
        v[1:].fill_(9)
    return a, v.detach(), a._version, v._version


@program
def detached_tensor_shares_memory_and_version(lib):
    a = leaf(lib)
    b = a.detach()
    b[0] = 5
    return a, b, a._version, b._version


# -- all of a tensor
@program
def zero_of_a_non_leaf(lib):
    a = leaf(lib)
    x = a * 2
    x.zero_()
    x.sum().backward()
    return a.grad, x, x._version


@program
def fill_of_a_view(lib):
    a = leaf(lib)
    x = a * 2
    v = x[1:]
    v.fill_(3)
    (x * x).sum().backward()
    return a.grad, x, v


@program
def fill_with_a_tensor(lib):
    w = lib.tensor(3.0, requires_grad=True)
    x = lib.zeros(3)
    x.fill_(w)
    (x * lib.arange(3.0)).sum().backward()
    return w.grad, x


@program
def copy_broadcasts_and_casts(lib):
    w = lib.arange(1.0, 4.0, dtype=lib.float64).requires_grad_()
    x = lib.zeros(2, 3)
    x.copy_(w)
    (x * lib.arange(6.0).view(2, 3)).sum().backward()
    return w.grad, x, str(x.dtype).removeprefix("torch."), str(w.grad.dtype).removeprefix("torch.")


@program
def copy_of_a_leaf_is_no_leaf(lib):
    w = leaf(lib)
    x = lib.zeros(4)
    x.copy_(w)
    x.mul_(2)
    x.sum().backward()
    return w.grad, x, w


@program
def sign_in_place_keeps_a_gradient_of_zero(lib):
    a = leaf(lib)
    x = a * 2
    x.sign_()
    x.sum().backward()
    return a.grad, x


@program
def tensor_assigned_to_itself(lib):
    a = leaf(lib)
    x = a * 2
    x[1] += a[0]
    x[2:] *= a[:2]
    x.sum().backward()
    return a.grad, x, x._version


# -- hooks and retained gradients
@program
def hook_stays_with_the_old_value(lib):
    a, seen = leaf(lib), []
    x = a * 2
    x.register_hook(lambda g: seen.append(g.clone()))
    x.mul_(3)
    x.sum().backward()
    return seen, a.grad


@program
def retained_gradient_is_that_of_the_new_value(lib):
    a = leaf(lib)
    x = a * 2
    x.retain_grad()
    x.mul_(3)
    (x * x).sum().backward()
    return x.grad, a.grad


# -- the shape itself
@program
def another_shape_in_place(lib):
    a = leaf(lib, 6)
    x = a * 1
    x.unsqueeze_(0)
    shape = tuple(x.shape)
    x.squeeze_(0).unsqueeze_(-1).t_()
    x.mul_(lib.arange(6.0))
    (x * x).sum().backward()
    return a.grad, x, shape, x._version, x._base is None


@program
def another_shape_of_a_base_with_views(lib):
    a = leaf(lib, 6)
    x = (a * 1).view(2, 3).clone()
    v = x[0]
    x.t_()
    x.mul_(lib.arange(6.0).view(3, 2))
    (v * v).sum().backward()
    return a.grad, v, x, x._version


@program
def another_shape_of_a_view(lib):
    a = leaf(lib, 6)
    x = a * 1
    v = x.view(2, 3)
    w = v[1]
    v.transpose_(0, 1)
    v[0].mul_(10)
    w.add_(1)
    (x * x).sum().backward()
    return a.grad, x, v, w, v._base is x


@program
def another_shape_of_a_leaf_under_no_grad(lib):
    a = lib.ones(2, 3, requires_grad=True)
    with lib.no_grad():
        a.t_()
    (a * lib.arange(6.0).view(3, 2)).sum().backward()
    return a.grad, a


# -- index writes
@program
def index_arrays_write_through_views(lib):
    a, w = leaf(lib, 6), leaf(lib, 2)
    x = a * 1
    x.view(2, 3)[:, lib.tensor([0, 2])] = w
    x.view(2, 3)[lib.tensor([1]), lib.tensor([1])] = 0
    (x * x).sum().backward()
    return a.grad, w.grad, x, x._version


@program
def mask_writes_through_views(lib):
    a, w = leaf(lib, 6), lib.tensor(2.0, requires_grad=True)
    x = a * 1
    v = x.view(2, 3)
    v[v > 3] = w
    x[x == 1] = 8
    (x * x).sum().backward()
    return a.grad, w.grad, x, v


@program
def index_methods_in_place(lib):
    a, w = leaf(lib, 6), leaf(lib, 4)
    x = (a * 1).view(3, 2)
    x.index_add_(0, lib.tensor([0, 0]), w.view(2, 2), alpha=2)
    x.index_copy_(1, lib.tensor([1]), w[:3].view(3, 1))
    x.index_fill_(0, lib.tensor([2]), 5)
    x.index_put_((lib.tensor([0, 1]),), w[:2], accumulate=True)
    x.scatter_add_(1, lib.tensor([[0], [1]]), w[2:].view(2, 1))
    x.scatter_(0, lib.tensor([[1, 0]]), w[:2].view(1, 2))
    (x * x).sum().backward()
    return a.grad, w.grad, x, x._version


@pytest.mark.parametrize("name", sorted(PROGRAMS))
def test_program_shows_what_pytorch_shows(name, shows_alike):
    shows_alike(PROGRAMS[name])


def test_shapes_of_shapes_are_seen_from_where_the_first_was():
    """A loop that gives its value another shape and writes it takes as long at its end as at its beginning."""
    x = gradkit.tensor([1.0, 2.0, 3.0, 4.0], dtype=gradkit.float64, requires_grad=True)
    root = x * 1
    y = root
    for _ in range(5):
        y = y.view(2, 2).view(4)[1:].view(3)
        y.mul_(2)
        y = y._base.view(4)
    assert len(chain(y)) == 1 and len(chain(y.view(2, 2).view(4)[1:].view(3))) == 3
    root.sum().backward()
    assert x.grad.tolist() == [1, 32, 32, 32]
