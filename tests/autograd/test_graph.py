"""The graph as PyTorch shows it: nodes, edges, versions, and hooks on what is saved."""

import gc
import importlib
import weakref

import pytest

import gradkit
from gradkit.autograd import graph

PROGRAMS = []


def program(function):
    PROGRAMS.append(function)
    return function


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda p: p.__name__)
def test_shows_what_pytorch_shows(program, alike):
    alike(program)


def leaf(m, *shape):
    return m.full(shape or (2,), 2.0, requires_grad=True)


def hooks(m, pack, unpack):
    return m.autograd.graph.saved_tensors_hooks(pack, unpack)


def same(t):
    return t


# -- nodes
@program
def a_node_and_its_neighbours(m):
    x = leaf(m)
    y = x * x.exp()
    node = y.grad_fn
    accumulate = node.next_functions[0][0]
    return (
        node.name(), [n.name().removeprefix("torch::autograd::") for n, _ in node.next_functions], accumulate.variable is x,
        accumulate.next_functions, isinstance(node, m.autograd.graph.Node), y.grad_fn is node, x.grad_fn, node.requires_grad,
    )  # fmt: skip


@program
def a_leaf_has_one_accumulating_node(m):
    x = leaf(m)
    return (x * 2).grad_fn.next_functions[0][0] is (x * 3).grad_fn.next_functions[0][0]


@program
def operands_that_need_no_gradient_have_no_node(m):
    x = leaf(m)
    return [n is None for n, _ in (x * m.ones(2)).grad_fn.next_functions]


@program
def outputs_of_one_operation_share_its_node(m):
    u, s, v = m.linalg.svd(m.arange(4.0).reshape(2, 2).requires_grad_())
    return u.grad_fn is v.grad_fn, u.output_nr, s.output_nr, v.output_nr, [i for _, i in (s * s).grad_fn.next_functions]


@program
def metadata_of_a_node(m):
    y = leaf(m) * 2
    y.grad_fn.metadata["note"] = 3
    return y.grad_fn.metadata


@program
def what_a_node_saved(m):
    x = leaf(m)
    product, e = x * (x + 1), x.exp()
    return product.grad_fn._saved_self, product.grad_fn._saved_other, e.grad_fn._saved_result


@program
def what_a_node_saved_is_gone_after_a_walk(m):
    y = leaf(m).exp()
    y.sum().backward()
    return y.grad_fn._saved_result


@program
def what_a_node_did_not_save(m):
    return (leaf(m) + 1).grad_fn._saved_self


# -- edges
@program
def edges_stand_for_tensors(m):
    x = leaf(m)
    y = x * 2
    here, there = m.autograd.graph.get_gradient_edge(y), m.autograd.graph.get_gradient_edge(x)
    z = (y * 3).sum()
    z.backward(inputs=[there], retain_graph=True)
    return (
        m.autograd.grad(z, [here, there], retain_graph=True), m.autograd.grad(here, x, m.ones(2), retain_graph=True),
        x.grad, here.output_nr, here.node is y.grad_fn, there.node.variable is x,
    )  # fmt: skip


@program
def edge_as_root_of_backward(m):
    x = leaf(m)
    y = (x * 2).sum()
    m.autograd.backward(m.autograd.graph.get_gradient_edge(y))
    return x.grad


@program
def edge_of_a_tensor_without_grad(m):
    m.autograd.graph.get_gradient_edge(m.ones(2))


@program
def edge_of_one_output_among_several(m):
    x = m.tensor([[2.0, 1.0], [1.0, 3.0]], requires_grad=True)
    _, s, _ = m.linalg.svd(x)
    edge = m.autograd.graph.get_gradient_edge(s)
    return edge.output_nr, m.autograd.grad((s * s).sum(), edge)


@program
def version_incremented(m):
    x = m.ones(2)
    m.autograd.graph.increment_version(x)
    m.autograd.graph.increment_version([x, x])
    return x._version


@program
def version_incremented_after_saving(m):
    x = leaf(m) * 1
    y = x * x
    m.autograd.graph.increment_version(x)
    y.sum().backward()


# -- hooks on what is saved
@program
def pack_hook_sees_operands_as_they_are(m):
    seen = []
    x = leaf(m)
    y = x * 2

    def pack(t):
        seen.append((t is y, m.is_grad_enabled()))
        return t

    with hooks(m, pack, same):
        y * y
        y.exp()
    return seen


@program
def what_is_packed_comes_back_for_each_walk(m):
    seen = []
    x = leaf(m)

    def unpack(values):
        seen.append(1)
        return m.tensor(values)

    with hooks(m, lambda t: t.tolist(), unpack):
        y = (x**3).sum()
    y.backward(retain_graph=True)
    y.backward()
    return seen, x.grad


@program
def packed_values_within_a_gradient_of_a_gradient(m):
    x = leaf(m)
    with hooks(m, lambda t: t * 2, same):
        y = x**3
    (g,) = m.autograd.grad(y.sum(), x, create_graph=True)
    return g, m.autograd.grad(g.sum(), x)


@program
def hooks_while_the_walk_is_recorded(m):
    seen = []
    x = leaf(m)
    y = (x**3).sum()
    with hooks(m, lambda t: (seen.append("pack"), t)[1], lambda t: (seen.append("unpack"), t)[1]):
        (g,) = m.autograd.grad(y, x, create_graph=True)
    (h,) = m.autograd.grad(g.sum(), x)
    return bool(seen), h


@program
def innermost_hooks_alone_are_used(m):
    seen = []
    x = leaf(m)
    with hooks(m, lambda t: (seen.append("outer"), t)[1], same):
        with hooks(m, lambda t: (seen.append("inner"), t)[1], lambda t: (seen.append("unpack"), t)[1]):
            y = x.exp()
        y = y.exp()
    y.sum().backward()
    return seen, x.grad


@program
def hooks_on_what_a_custom_function_saves(m):
    seen = []

    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * 1

    def backward(ctx, ct):
        first, again = ctx.saved_tensors, ctx.saved_tensors
        return ct * 2 * first[0] * again[0]

    function = type("Custom", (m.autograd.Function,), {"forward": staticmethod(forward), "backward": staticmethod(backward)})
    x = leaf(m)
    with hooks(m, lambda t: (seen.append(t is x), t)[1], lambda t: (seen.append("unpack"), t)[1]):
        y = function.apply(x).sum()
    y.backward()
    return seen, x.grad


@program
def unpack_hook_that_gives_no_tensor(m):
    with hooks(m, lambda t: 3, same):
        y = leaf(m) ** 3
    y.sum().backward()


@program
def unpack_hook_that_gives_another_shape(m):
    with hooks(m, lambda t: 3, lambda _: m.ones(3)):
        y = leaf(m) ** 3
    y.sum().backward()


@program
def pack_hook_that_writes_its_argument(m):
    x = leaf(m) * 1
    with hooks(m, lambda t: t.add_(1), same):
        x * x


@program
def pack_hook_that_raises(m):
    with hooks(m, lambda t: 1 / 0, same):
        leaf(m).exp()


@program
def hooks_that_are_not_callable(m):
    with hooks(m, 1, same):
        pass


@program
def unpacking_is_recorded_as_the_walk_is(m):
    seen, x = [], leaf(m)
    with hooks(m, same, lambda t: seen.append(m.is_grad_enabled()) or t):
        y = x.exp().sum()
    m.autograd.grad(y, x, retain_graph=True)
    m.autograd.grad(y, x, create_graph=True)
    return seen


@program
def hooks_refused(m):
    with m.autograd.graph.disable_saved_tensors_hooks("not here"), hooks(m, same, same):
        pass


@program
def hooks_refused_while_open(m):
    with hooks(m, same, same), m.autograd.graph.disable_saved_tensors_hooks("not here"):
        pass


@program
def save_on_cpu_gives_the_same_gradients(m):
    x = leaf(m, 2, 2)
    with m.autograd.graph.save_on_cpu(pin_memory=False):
        y = (x @ x).exp().softmax(1)
    y[0].sum().backward()
    return x.grad


@program
def mutation_of_saved_tensors_allowed(m):
    a = leaf(m)
    with m.autograd.graph.allow_mutation_on_saved_tensors():
        b = a.clone()
        y = (b**3).sum()
        b.sin_()
        z = (b * b).sum()
        b.mul_(2)
        (y + z).backward()
    return a.grad


# -- what needs more than a program
def test_error_in_unpack_leaves_every_grad_as_it_was():
    x, w = leaf(gradkit), leaf(gradkit)
    with graph.saved_tensors_hooks(same, lambda t: 1 / 0):
        y = x.exp()
    loss = (y * w).sum()
    with pytest.raises(ZeroDivisionError):
        loss.backward()
    assert x.grad is None and w.grad is None and gradkit.is_grad_enabled()


def test_error_in_pack_leaves_the_modes():
    x = leaf(gradkit)
    before = gradkit.engine.modes.unusual  # complex values, once met, are looked for ever after
    with pytest.raises(ZeroDivisionError), graph.saved_tensors_hooks(lambda t: 1 / 0, same):
        x.exp()
    assert gradkit.engine.modes.unusual == before and (x * x).requires_grad


@pytest.mark.parametrize("make", ["exp", "svd"])
def test_packed_results_are_not_held(make):
    gc.disable()
    try:
        x = gradkit.tensor([[2.0, 1.0], [1.0, 3.0]], requires_grad=True)
        with graph.saved_tensors_hooks(lambda t: t.tolist(), gradkit.tensor):
            y = x.exp() if make == "exp" else gradkit.linalg.svd(x)
        held = [weakref.ref(t.array) for t in ([y] if make == "exp" else y)]
        loss = (y if make == "exp" else y[1]).sum()
        del y
        assert [ref() for ref in held] == [None] * len(held)
        loss.backward()
        assert x.grad is not None
    finally:
        gc.enable()


def test_open_hooks_cost_the_others_nothing_and_are_thread_local():
    modes = importlib.import_module("gradkit.engine.modes")
    before = modes.unusual
    with graph.saved_tensors_hooks(same, same):
        assert modes.unusual == before + 1
    assert modes.unusual == before and modes.local.packing == ()


def test_mutation_after_its_context_is_noticed():
    a = leaf(gradkit)
    with graph.allow_mutation_on_saved_tensors():
        b = a * 1
        y = (b**3).sum()
    b.sin_()
    with pytest.raises(RuntimeError, match="after the context was left"):
        y.backward()


def test_mutation_copies_only_what_is_written():
    a = leaf(gradkit)
    with graph.allow_mutation_on_saved_tensors():
        b, c = a * 1, a * 2
        y = b * b + c * c
        b.zero_()
        saved = c.grad_fn and y.grad_fn.next_functions[1][0].saved[1].held
        assert saved.raw is c.array
        y.sum().backward()
    assert a.grad.tolist() == [20.0, 20.0]
