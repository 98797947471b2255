"""Hooks on tensors, on nodes and on several gradients, as PyTorch runs them."""

import pytest

import gradkit

PROGRAMS = []


def program(function):
    PROGRAMS.append(function)
    return function


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda p: p.__name__)
def test_runs_as_in_pytorch(program, alike):
    alike(program)


def leaf(m, *shape):
    return m.full(shape or (2,), 2.0, requires_grad=True)


def list_of(grads):
    return [g if g is None else g.tolist() for g in grads]


# -- on tensors
@program
def tensor_hooks_run_in_order_and_see_what_the_last_returned(m):
    x = leaf(m)
    y = x * 2
    y.register_hook(lambda g: g * 10)
    y.register_hook(lambda g: g + 1)
    y.retain_grad()
    y.register_hook(lambda g: g * 2)
    y.sum().backward()
    return y.grad, x.grad


@program
def hook_on_a_leaf_changes_what_accumulates(m):
    x = leaf(m)
    x.register_hook(lambda g: g * 10)
    (x * x).sum().backward()
    return x.grad, m.autograd.grad((x * x).sum(), x)


@program
def hook_that_removes_itself(m):
    seen = []
    y = leaf(m) * 2

    def hook(g):
        seen.append(1)
        handle.remove()

    handle = y.register_hook(hook)
    y.register_hook(lambda g: seen.append(2))
    s = y.sum()
    s.backward(retain_graph=True)
    s.backward()
    handle.remove()
    return seen


@program
def handle_in_a_with_statement(m):
    seen = []
    y = leaf(m) * 2
    with y.register_hook(lambda g: seen.append(1)):
        y.sum().backward(retain_graph=True)
    y.sum().backward()
    return seen


@program
def hooks_are_recorded_as_the_walk_is(m):
    seen = []
    x = leaf(m)
    y = x * 2
    y.register_hook(lambda g: seen.append((m.is_grad_enabled(), g.requires_grad)))
    s = (y * y).sum()
    m.autograd.grad(s, x, retain_graph=True)
    m.autograd.grad(s, x, create_graph=True)
    return seen


@program
def hook_within_a_gradient_of_a_gradient(m):
    x = leaf(m)
    y = x * x
    y.register_hook(lambda g: g * g)
    (g,) = m.autograd.grad((y * y).sum(), x, create_graph=True)
    return g, m.autograd.grad(g.sum(), x)


@program
def hooks_on_batched_gradients(m):
    x = leaf(m)
    y = x * x
    y.register_hook(lambda g: g * 10)
    y.grad_fn.register_hook(lambda grads, cts: (grads[0] * 2, grads[1]))
    return m.autograd.grad(y * 3, x, m.eye(2), is_grads_batched=True)


@program
def hook_that_returns_a_number(m):
    y = leaf(m) * 2
    y.register_hook(lambda g: 3)
    y.sum().backward()


@program
def hook_that_returns_another_dtype(m):
    y = leaf(m) * 2
    y.register_hook(lambda g: g.double())
    y.sum().backward()


@program
def hook_on_a_tensor_without_grad(m):
    m.ones(2).register_hook(print)


@program
def hook_after_accumulating_on_what_is_no_leaf(m):
    (leaf(m) * 2).register_post_accumulate_grad_hook(print)


@program
def hook_after_accumulating_can_take_the_gradient(m):
    x = leaf(m)
    seen = []

    def step(p):
        seen.append(p.grad.tolist())
        p.grad = None

    x.register_post_accumulate_grad_hook(step)
    (x * x).sum().backward()
    (x * x).sum().backward()
    return seen, x.grad


# -- on nodes
@program
def node_hooks_around_a_step(m):
    seen = []
    x, w = leaf(m), m.ones(2)
    y = x * w
    y.grad_fn.register_prehook(lambda cts: seen.append(("before", cts)))
    y.grad_fn.register_hook(lambda grads, cts: seen.append(("after", grads, cts)))
    y.sum().backward()
    return seen


@program
def node_hook_sees_each_operand_of_a_square(m):
    seen = []
    x = leaf(m)
    y = x * x
    y.grad_fn.register_hook(lambda grads, cts: (seen.append(grads), (grads[0], grads[1] * 10))[1])
    y.sum().backward()
    return seen, x.grad


@program
def node_hook_of_a_custom_function_sees_each_operand(m):
    seen = []
    body = {"forward": staticmethod(lambda ctx, a, b: a * b), "backward": staticmethod(lambda ctx, ct: (ct * 2, ct * 3))}
    x = leaf(m)
    y = type("Custom", (m.autograd.Function,), body).apply(x, x)
    y.grad_fn.register_hook(lambda grads, cts: seen.append(grads))
    y.sum().backward()
    return seen, x.grad


@program
def node_hooks_replace(m):
    x = leaf(m)
    y = x * 3
    y.grad_fn.register_prehook(lambda cts: (cts[0] * 10,))
    y.grad_fn.register_hook(lambda grads, cts: (grads[0] + 1, None))
    y.sum().backward()
    return x.grad


@program
def node_hook_that_returns_too_many(m):
    y = leaf(m) * 2
    y.grad_fn.register_hook(lambda grads, cts: (cts[0],) * 3)
    y.sum().backward()


@program
def node_hook_that_returns_no_tuple(m):
    y = leaf(m) * 2
    y.grad_fn.register_hook(lambda grads, cts: cts[0])
    y.sum().backward()


@program
def prehook_that_returns_too_many(m):
    y = leaf(m) * 2
    y.grad_fn.register_prehook(lambda cts: (cts[0], cts[0]))
    y.sum().backward()


@program
def prehook_that_returns_another_shape(m):
    y = leaf(m) * 2
    y.grad_fn.register_prehook(lambda cts: (m.ones(5),))
    y.sum().backward()


@program
def hooks_around_the_accumulation_of_a_leaf(m):
    seen = []
    x = leaf(m)
    y = x * 2
    node = y.grad_fn.next_functions[0][0]
    x.register_hook(lambda g: seen.append(("tensor", g)))
    node.register_prehook(lambda cts: seen.append(("before", cts)))
    node.register_hook(lambda grads, cts: seen.append(("after", grads, cts, x.grad.clone())))
    x.register_post_accumulate_grad_hook(lambda p: seen.append(("written", p.grad.clone())))
    y.sum().backward(retain_graph=True)
    m.autograd.grad(y.sum(), x, retain_graph=True)
    y.sum().backward(inputs=[x])
    return seen


@program
def prehook_of_a_leaf_replaces_what_accumulates(m):
    x = leaf(m)
    y = x * 2
    y.grad_fn.next_functions[0][0].register_prehook(lambda cts: (cts[0] * 10,))
    y.sum().backward()
    return x.grad


@program
def hook_after_a_leaf_may_not_return_gradients(m):
    x = leaf(m)
    y = x * 2
    y.grad_fn.next_functions[0][0].register_hook(lambda grads, cts: (cts[0],))
    y.sum().backward()


# -- on several gradients
@program
def multi_hook_waits_for_all(m):
    seen = []
    a, b = leaf(m), leaf(m)
    c, d = a * b, a + b
    handle = m.autograd.graph.register_multi_grad_hook((a, b, c), lambda grads: seen.append(list_of(grads)))
    c.sum().backward(retain_graph=True)
    d.sum().backward(retain_graph=True)
    handle.remove()
    c.sum().backward()
    return seen


@program
def multi_hook_for_any_runs_once(m):
    seen = []
    a, b = leaf(m), leaf(m)
    c = a * b
    m.autograd.graph.register_multi_grad_hook((m.ones(1), a, b, c), lambda g: seen.append(g.tolist()), mode="any")
    (c * 3).sum().backward(retain_graph=True)
    (c * 5).sum().backward()
    return seen


@program
def multi_hook_of_an_unknown_mode(m):
    m.autograd.graph.register_multi_grad_hook((leaf(m),), print, mode="some")


# -- what needs more than a program
def test_error_of_a_hook_names_it():
    def halves_the_axis(g):
        return g[:1]

    x = leaf(gradkit)
    x.register_hook(halves_the_axis)
    with pytest.raises(RuntimeError, match=r"'halves_the_axis' has changed the size of value: Tensor of shape \(1,\)"):
        x.sum().backward()


@pytest.mark.parametrize("place", ["before", "after"])
def test_exception_in_a_node_hook_leaves_grads_and_modes(place):
    x, w = leaf(gradkit), leaf(gradkit)
    y = x * 2
    register = y.grad_fn.register_prehook if place == "before" else y.grad_fn.register_hook
    register(lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        (y * w).sum().backward()
    assert x.grad is None and w.grad is None and gradkit.is_grad_enabled()


def test_multi_hook_under_grad_waits_for_what_the_walk_comes_to():
    seen = []
    a, b = leaf(gradkit), leaf(gradkit)
    c = a * b
    gradkit.autograd.graph.register_multi_grad_hook((a, b, c), lambda grads: seen.append(list_of(grads)))
    gradkit.autograd.grad(c.sum(), a)
    assert seen == [[[2.0, 2.0], None, [1.0, 1.0]]]


def test_exception_before_accumulating_leaves_every_grad():
    x, w = leaf(gradkit), leaf(gradkit)
    y = (x * w).sum()
    w.node.register_prehook(lambda _: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        y.backward()
    assert x.grad is None and w.grad is None


def test_hook_keeps_what_it_was_given():
    seen = []
    x = leaf(gradkit)
    y = x * 2
    y.grad_fn.register_prehook(lambda cts: seen.append(cts[0]))
    node = y.grad_fn.next_functions[0][0]
    node.register_prehook(lambda cts: seen.append(cts[0]))
    for _ in range(2):
        (y * 3).sum().backward(retain_graph=True)
    assert [s.tolist() for s in seen] == [[3.0, 3.0], [6.0, 6.0]] * 2 and x.grad.tolist() == [12.0, 12.0]


def hooked_loss(hook):
    def loss(x):
        y = x.sin()
        y.register_hook(hook)
        return (y.exp() * x).sum()

    return loss


def test_forward_over_reverse_through_hooks():
    x, seen = gradkit.tensor([0.3, 0.5]), []
    watched = hooked_loss(lambda g: seen.append(tuple(g.shape)))
    assert gradkit.allclose(gradkit.func.hessian(watched)(x), gradkit.func.hessian(lambda x: (x.sin().exp() * x).sum())(x))
    assert seen == [(2,)]
    assert gradkit.autograd.functional.hvp(hooked_loss(lambda g: g * 2), x, x)[1].shape == (2,)
