"""autograd.grad and autograd.backward with every option, as PyTorch answers."""

import pytest

import gradkit
from gradkit.autograd import grad

PROGRAMS = []


def program(function):
    PROGRAMS.append(function)
    return function


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda p: p.__name__)
def test_answers_as_pytorch(program, alike):
    alike(program)


def leaf(m, *shape):
    return m.full(shape or (2,), 2.0, requires_grad=True)


# -- grad
@program
def grad_takes_any_iterable(m):
    x, y = leaf(m), leaf(m)
    return m.autograd.grad((t for t in [(x * y).sum()]), {"x": x, "y": y}.values())


@program
def grad_of_no_input(m):
    x = leaf(m)
    return m.autograd.grad((x * x).sum(), ())


@program
def grad_of_no_output(m):
    return m.autograd.grad((), leaf(m))


@program
def grad_outputs_with_none_entries(m):
    x = leaf(m)
    return m.autograd.grad([(x * x).sum(), x * 2], [x], [None, m.ones(2)])


@program
def grad_outputs_none_for_a_vector(m):
    x = leaf(m)
    return m.autograd.grad([(x * x).sum(), x * 2], [x], [None, None])


@program
def too_few_grad_outputs(m):
    x = leaf(m)
    return m.autograd.grad([(x * x).sum(), x * 2], [x], [m.ones(2)])


@program
def grad_outputs_of_another_shape(m):
    x = leaf(m)
    return m.autograd.grad(x * 2, x, m.ones(3))


@program
def grad_outputs_that_are_numbers(m):
    x = leaf(m)
    return m.autograd.grad(x * 2, x, [3.0])


@program
def grad_outputs_of_another_dtype(m):
    x = leaf(m)
    return m.autograd.grad(x * 2, x, m.ones(2, dtype=m.float64))


@program
def unused_input(m):
    x, z = leaf(m), leaf(m)
    return m.autograd.grad((x * x).sum(), [z])


@program
def unused_input_allowed(m):
    x, z = leaf(m), leaf(m)
    return m.autograd.grad((x * x).sum(), [x, z], allow_unused=True)


@program
def unused_input_materialized(m):
    x, z = leaf(m), leaf(m, 3)
    return m.autograd.grad((x * x).sum(), [x, z], materialize_grads=True)


@program
def unused_input_materialized_with_create_graph(m):
    x, z = leaf(m), leaf(m, 3)
    return m.autograd.grad((x * x).sum(), [z], materialize_grads=True, create_graph=True)


@program
def materialize_grads_against_allow_unused(m):
    x = leaf(m)
    return m.autograd.grad(x.sum(), x, allow_unused=False, materialize_grads=True)


@program
def input_without_grad(m):
    return m.autograd.grad(leaf(m).sum(), [m.ones(2)])


@program
def output_without_grad(m):
    return m.autograd.grad(m.ones(()), [leaf(m)])


@program
def output_that_is_the_input(m):
    x = leaf(m)
    return m.autograd.grad(x, x, m.ones(2) * 3)


@program
def outputs_and_inputs_twice(m):
    x = leaf(m)
    y = (x * x).sum()
    return m.autograd.grad([y, y], [x, x])


@program
def intermediate_inputs(m):
    x = leaf(m)
    y = x * x
    return m.autograd.grad((y * x).sum(), [y, x])


@program
def create_graph_without_retain_graph(m):
    x = leaf(m)
    (g,) = m.autograd.grad((x**3).sum(), x, retain_graph=False, create_graph=True)
    return g, m.autograd.grad(g.sum(), x)


@program
def retain_graph_for_a_second_walk(m):
    x = leaf(m)
    y = (x * x).sum()
    return m.autograd.grad(y, x, retain_graph=True), m.autograd.grad(y, x)


@program
def second_walk_of_a_freed_graph(m):
    x = leaf(m)
    y = (x * x).sum()
    return m.autograd.grad(y, x), m.autograd.grad(y, x)


@program
def retained_grad_is_filled_by_grad_too(m):
    x = leaf(m)
    y = x * 2
    y.retain_grad()
    return m.autograd.grad((y * 3).sum(), x), y.grad


# -- is_grads_batched
@program
def batched_grads(m):
    x = leaf(m)
    return m.autograd.grad(x * x, x, m.eye(2), is_grads_batched=True)


@program
def batched_grads_of_the_wrong_shape(m):
    x = leaf(m)
    return m.autograd.grad(x * x, x, m.ones(2, 3), is_grads_batched=True)


@program
def batched_grads_free_the_graph(m):
    x = leaf(m)
    y = x * x
    m.autograd.grad(y, x, m.eye(2), is_grads_batched=True)
    return m.autograd.grad(y, x, m.eye(2), is_grads_batched=True)


@program
def batched_grads_can_retain_the_graph(m):
    x = leaf(m)
    y = x * x
    m.autograd.grad(y, x, m.eye(2), is_grads_batched=True, retain_graph=True)
    return m.autograd.grad(y, x, m.eye(2), is_grads_batched=True)


@program
def batched_grads_with_an_unused_input(m):
    x, z = leaf(m), leaf(m)
    return m.autograd.grad(x * x, [x, z], m.eye(2), is_grads_batched=True, allow_unused=True)


@program
def batched_grads_materialized(m):
    x, z = leaf(m), leaf(m)
    return m.autograd.grad(x * x, [x, z], m.eye(2), is_grads_batched=True, materialize_grads=True)


@program
def batched_grads_differentiated_again(m):
    x = leaf(m)
    (g,) = m.autograd.grad(x**3, x, m.eye(2), is_grads_batched=True, create_graph=True)
    return g, m.autograd.grad((g * g).sum(), x)


# -- backward
@program
def backward_of_several_roots(m):
    x = leaf(m)
    m.autograd.backward([(x * x).sum(), x * 3], [None, m.ones(2)])
    return x.grad


@program
def backward_of_no_root(m):
    return m.autograd.backward([])


@program
def backward_of_a_generator(m):
    x = leaf(m)
    m.autograd.backward(t for t in [(x * x).sum()])
    return x.grad


@program
def backward_with_inputs_that_are_no_leaves(m):
    x = leaf(m)
    y = x * 2
    (y * 3).sum().backward(inputs=[y])
    return y.grad, y.retains_grad, x.grad


@program
def backward_with_inputs_of_both_kinds(m):
    x = leaf(m)
    y = x * 2
    y.retain_grad()
    (y * 3).sum().backward(inputs=[y, x])
    return y.grad, x.grad


@program
def backward_with_one_input(m):
    x = leaf(m)
    (x * x).sum().backward(inputs=x)
    return x.grad


@program
def backward_with_an_input_out_of_reach(m):
    x, z = leaf(m), leaf(m)
    (x * x).sum().backward(inputs=[x, z])
    return x.grad, z.grad


@program
def backward_without_inputs_to_write(m):
    return leaf(m).sum().backward(inputs=[])


@program
def backward_with_an_input_without_grad(m):
    return leaf(m).sum().backward(inputs=[m.ones(2)])


@program
def backward_with_a_gradient_that_requires_grad(m):
    x, w = leaf(m), leaf(m)
    (x * x).backward(w)
    return x.grad


@program
def backward_twice_on_one_leaf_accumulates(m):
    x = leaf(m)
    for _ in range(2):
        (x * x).sum().backward()
    return x.grad


# -- what PyTorch has no witness for
def test_deprecated_arguments_warn():
    x = leaf(gradkit)
    with pytest.warns(FutureWarning, match="only_inputs"):
        grad((x * x).sum(), x, only_inputs=False)
    with pytest.warns(FutureWarning, match="grad_variables"):
        gradkit.autograd.backward([x * 3], grad_variables=[gradkit.ones(2)])
    assert x.grad.tolist() == [3.0, 3.0]


def test_batched_grads_beside_a_root_without_weight():
    x = leaf(gradkit)
    (g,) = grad([x * x, (x * 3).sum()], x, [gradkit.eye(2), None], is_grads_batched=True)
    assert g.tolist() == [[7.0, 3.0], [3.0, 7.0]]


def test_second_walk_names_operation_shape_and_the_line_of_the_first():
    x = leaf(gradkit, 3)
    y = (x * x).sum()
    y.backward()
    with pytest.raises(RuntimeError, match=r"MulBackward0 of shape \(3,\), float32 .*called at .*test_walk\.py:\d+, in test_sec"):
        y.backward()


def test_second_walk_names_the_line_that_freed_it_and_not_the_last():
    x = leaf(gradkit)
    y = x * x

    def first_walk():
        y.sum().backward()

    first_walk()
    for _ in range(2):
        with pytest.raises(RuntimeError, match="in first_walk"):
            y.sum().backward()


def test_retained_gradients_are_as_they_were_after_a_failed_walk():
    x = leaf(gradkit)
    y = x * 2
    y.retain_grad()
    x.register_hook(lambda _: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        y.sum().backward()
    assert y.grad is None


def test_gradients_do_not_share_memory_with_what_hooks_hold():
    x = leaf(gradkit)
    seen = []
    x.register_hook(seen.append)
    (x * 3).sum().backward()
    (x * 3).sum().backward()
    assert [s.tolist() for s in seen] == [[3.0, 3.0], [3.0, 3.0]] and x.grad.tolist() == [6.0, 6.0]


def test_not_a_tensor_raises_with_its_type():
    with pytest.raises(TypeError, match=r"inputs\[0\] must be a Tensor or a GradientEdge, not str"):
        grad(leaf(gradkit).sum(), "a")
