"""What may not be written in place, as in PyTorch, and what only gradkit allows."""

import gc
import weakref

import numpy as np
import pytest

import gradkit

REFUSED = {}


def program(function):
    REFUSED[function.__name__] = function
    return function


def leaf(lib, n=4):
    return lib.arange(1.0, n + 1).requires_grad_()


# -- refused by both
@program
def leaf_that_requires_grad(lib):
    leaf(lib).add_(1)


@program
def item_of_a_leaf_that_requires_grad(lib):
    leaf(lib)[0] = 1


@program
def view_of_a_leaf_that_requires_grad(lib):
    leaf(lib).view(2, 2).mul_(2)


@program
def shape_of_a_leaf_that_requires_grad(lib):
    leaf(lib).unsqueeze_(0)


@program
def view_made_under_no_grad(lib):
    x = leaf(lib) * 2
    with lib.no_grad():
        v = x[:2]
    v.mul_(2)


@program
def view_of_a_leaf_made_under_no_grad(lib):
    a = leaf(lib)
    with lib.no_grad():
        v = a[:2]
    v.mul_(2)


@program
def saved_operand_was_written(lib):
    x = leaf(lib) * 2
    y = x * x
    x.add_(1)
    y.sum().backward()


@program
def saved_result_was_written(lib):
    y = leaf(lib).exp()
    y.mul_(2)
    y.sum().backward()


@program
def saved_operand_was_written_through_a_view(lib):
    x = leaf(lib) * 2
    v = x[::2]
    y = v * v
    x[2] = 5
    y.sum().backward()


@program
def saved_operand_was_written_under_no_grad(lib):
    x = leaf(lib) * 2
    y = x * x
    with lib.no_grad():
        x.view(2, 2)[0].zero_()
    y.sum().backward()


@program
def operand_of_its_own_write(lib):
    x = leaf(lib) * 2
    x.mul_(x)
    x.sum().backward()


@program
def overlapping_memory(lib):
    lib.ones(1, 3).expand(2, 3).add_(1)


@program
def result_does_not_fit(lib):
    lib.zeros(3).add_(lib.ones(2, 3))


@program
def source_does_not_fit(lib):
    lib.zeros(2, 3).copy_(lib.ones(1, 2, 3))


@program
def source_does_not_broadcast(lib):
    lib.zeros(2, 3).copy_(lib.ones(2))


@program
def float_into_integers(lib):
    lib.zeros(3, dtype=lib.int64).add_(1.5)


@program
def number_out_of_range(lib):
    lib.zeros(3, dtype=lib.int8).fill_(300)


@program
def complex_number_into_floats(lib):
    lib.zeros(3)[0] = 1j


@program
def fill_with_axes(lib):
    lib.zeros(3).fill_(lib.ones(1))


@program
def matrix_transpose_of_three_axes(lib):
    lib.zeros(2, 2, 2).t_()


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_program_raises_what_pytorch_raises(name, raises_alike):
    raises_alike(REFUSED[name])


# -- allowed by gradkit
def test_parts_of_a_split_can_be_written():
    a = leaf(gradkit)
    x = a * 1
    first, second = x.split(2)
    first.mul_(2)
    second.mul_(3)
    x.sum().backward()
    np.testing.assert_array_equal(a.grad.numpy(), [2, 2, 3, 3])


def test_overlapping_source_is_read_before_it_is_written():
    x = gradkit.arange(6.0)
    x[1:] = x[:-1]
    np.testing.assert_array_equal(x.numpy(), [0, 0, 1, 2, 3, 4])


def test_dead_views_are_forgotten():
    x = gradkit.zeros(4)
    for _ in range(200):
        x[1:]
    assert len(x._views) <= 64


def test_views_make_no_cycles():
    gc.collect()
    gc.disable()
    try:
        x = gradkit.ones(4, requires_grad=True) * 2
        v = x.view(2, 2)[0]
        v.mul_(3)
        refs = [weakref.ref(x), weakref.ref(v)]
        del x, v
        assert [r() for r in refs] == [None, None]
    finally:
        gc.enable()


def test_write_inside_a_view_of_numpy_memory():
    memory = np.zeros(4, np.float32)
    gradkit.from_numpy(memory)[1:3].add_(2)
    np.testing.assert_array_equal(memory, [0, 2, 2, 0])


# -- cotangents that a walk changes in place
def filled_row_by_row(w):
    """A buffer with a history of as many writes as it has rows."""
    buffer = gradkit.zeros(3, 2) + 0 * w.sum()
    for i in range(3):
        buffer[i] = w * (i + 1)
    return buffer


def test_gradient_that_was_given_stays_as_it_is():
    w, given = leaf(gradkit, 2), gradkit.ones(3, 2)
    filled_row_by_row(w).backward(given)
    assert given.tolist() == [[1, 1]] * 3
    assert w.grad.tolist() == [6, 6]


def test_gradient_that_a_hook_keeps_stays_as_it_is():
    w, kept = leaf(gradkit, 2), []
    buffer = filled_row_by_row(w)
    buffer.register_hook(kept.append)
    (buffer * 2).sum().backward()
    assert kept[0].tolist() == [[2, 2]] * 3
    assert w.grad.tolist() == [12, 12]


def test_gradient_that_is_wanted_stays_as_it_is():
    w = leaf(gradkit, 2)
    buffer = filled_row_by_row(w)
    at_buffer, at_w = gradkit.autograd.grad((buffer * 2).sum(), (buffer, w))
    assert at_buffer.tolist() == [[2, 2]] * 3
    assert at_w.tolist() == [12, 12]


def test_gradient_that_is_shared_stays_as_it_is():
    w = leaf(gradkit, 2)
    buffer = filled_row_by_row(w)
    other = w.expand(3, 2) * 1
    (buffer + other).mul(2).sum().backward()
    assert w.grad.tolist() == [18, 18]


def test_overlapping_slices_add_up():
    x = leaf(gradkit, 5)
    y = x * 1
    (y[1:4] * 2 + y[2:5] * 3).sum().backward()
    assert x.grad.tolist() == [0, 2, 5, 5, 3]


@pytest.mark.parametrize("name", ["add_", "mul_", "atan2_", "eq_", "__iadd__"])
def test_a_missing_operand_is_missed(name):
    x = gradkit.tensor([1.0, 2.0])
    with pytest.raises(TypeError, match="missing 1 required positional argument"):
        getattr(x, name)()
    assert x.tolist() == [1.0, 2.0]
