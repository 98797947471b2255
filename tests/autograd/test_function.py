"""Custom functions: what PyTorch accepts, refuses and computes."""

import pytest

PROGRAMS = []


def program(function):
    PROGRAMS.append(function)
    return function


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda p: p.__name__)
def test_does_as_pytorch(program, alike):
    alike(program)


def leaf(m, *shape):
    return m.full(shape or (2,), 2.0, requires_grad=True)


def define(m, forward, backward=None, **more):
    """A Function of library `m` with these static methods."""
    methods = {"forward": forward, "backward": backward, **more}
    body = {k: staticmethod(v) if callable(v) else v for k, v in methods.items() if v is not None}
    return type("Custom", (m.autograd.Function,), body)


def same(ctx, ct):
    return ct


def double(ctx, x):
    return x * 2


def run(function, *args):
    """The gradients of the tensor arguments."""
    y = function.apply(*args)
    (y[0] if isinstance(y, tuple) else y).sum().backward()
    return [x.grad for x in args if hasattr(x, "grad")]


# -- outputs
@program
def output_that_is_no_tensor(m):
    return define(m, lambda ctx, x: 3, same).apply(leaf(m))


@program
def output_that_is_none(m):
    return define(m, lambda ctx, x: None, same).apply(leaf(m))


@program
def output_that_is_a_list(m):
    return define(m, lambda ctx, x: [x * 2, 1], same).apply(leaf(m))


@program
def outputs_of_all_kinds(m):
    seen = []
    function = define(m, lambda ctx, x: (x * 2, 3, "a", None), lambda ctx, *cts: (seen.append(cts), cts[0] * 2)[1])
    x = leaf(m)
    out = function.apply(x)
    out[0].sum().backward()
    return out, x.grad, seen


@program
def input_without_grad(m):
    return define(m, double, same).apply(m.ones(2))


@program
def input_returned_as_it_is(m):
    x = leaf(m)
    y = define(m, lambda ctx, x: x, lambda ctx, ct: ct * 7).apply(x)
    y.sum().backward()
    return y is x, y, x.grad


@program
def view_of_an_input_must_not_be_written(m):
    y = define(m, lambda ctx, x: x[0], lambda ctx, ct: m.ones(2, 2)).apply(leaf(m, 2, 2) * 1)
    y.mul_(2)


@program
def integer_output_gets_zeros(m):
    seen = []
    function = define(m, lambda ctx, x: (x * 2, x.argmax()), lambda ctx, a, b: (seen.append(b), a)[1])
    return run(function, leaf(m)), seen


@program
def non_differentiable_output(m):
    seen = []

    def forward(ctx, x):
        i = x * 3
        ctx.mark_non_differentiable(i)
        return x * 2, i

    function = define(m, forward, lambda ctx, a, b: (seen.append(b), a)[1])
    return run(function, leaf(m)), seen, function.apply(leaf(m))


@program
def unused_output_without_materializing(m):
    seen = []

    def forward(ctx, x):
        ctx.set_materialize_grads(False)
        return x * 2, x * 3

    return run(define(m, forward, lambda ctx, a, b: (seen.append(b), a)[1]), leaf(m)), seen


# -- gradients that backward gives
def backward_gives(name, gradients, *args):
    def case(m):
        return run(define(m, lambda ctx, x, *rest: x * 2, lambda ctx, ct: gradients(m, ct)), leaf(m), *args)

    case.__name__ = f"backward_gives_{name}"
    program(case)


backward_gives("too_few", lambda m, ct: ct, 3)
backward_gives("further_nones", lambda m, ct: (ct, None, None))
backward_gives("too_many", lambda m, ct: (ct, ct))
backward_gives("another_shape", lambda m, ct: m.ones(3))
backward_gives("a_scalar", lambda m, ct: m.ones(()))
backward_gives("a_broadcast_shape", lambda m, ct: m.ones(4, 2))
backward_gives("another_dtype", lambda m, ct: ct.double())
backward_gives("a_complex_value", lambda m, ct: ct * 1j)
backward_gives("a_number", lambda m, ct: 3)
backward_gives("none", lambda m, ct: None)
backward_gives("one_for_an_argument_that_is_no_tensor", lambda m, ct: (ct, ct), 3)


@program
def backward_gives_one_for_a_tensor_without_grad(m):
    return run(define(m, lambda ctx, x, y: x * y, lambda ctx, ct: (ct, ct)), leaf(m), m.ones(2))


# -- methods that are missing, or too many
@program
def no_backward(m):
    return run(define(m, double), leaf(m))


@program
def no_forward(m):
    return type("Custom", (m.autograd.Function,), {}).apply(leaf(m))


@program
def no_setup_context(m):
    return define(m, lambda x: x * 2, same).apply(leaf(m))


@program
def vjp_is_another_name_for_backward(m):
    return run(define(m, double, vjp=lambda ctx, ct: ct * 2), leaf(m))


@program
def both_vjp_and_backward(m):
    return run(define(m, double, same, vjp=same), leaf(m))


@program
def instance_called(m):
    return define(m, double, same)()(leaf(m))


@program
def keywords_without_setup_context(m):
    return define(m, lambda ctx, x, n=2: x * n, same).apply(leaf(m), n=3)


@program
def keywords_and_defaults_with_setup_context(m):
    def setup(ctx, inputs, output):
        ctx.n = inputs[1]

    function = define(m, lambda x, n=2: x * n, lambda ctx, ct: (ct * ctx.n, None), setup_context=setup)
    x, y = leaf(m), leaf(m)
    function.apply(x, n=3).sum().backward()
    function.apply(y).sum().backward()
    return x.grad, y.grad


@program
def needs_input_grad(m):
    seen = []

    def forward(ctx, x, n, y):
        seen.append(ctx.needs_input_grad)
        return x * n * y

    function = define(m, forward, lambda ctx, ct: (seen.append(ctx.needs_input_grad), ct, None, None)[1:])
    run(function, leaf(m), 3, m.ones(2))
    a, b = leaf(m), leaf(m)
    m.autograd.grad(function.apply(a, 2, b).sum(), a)
    return seen


@program
def grad_mode_inside(m):
    seen = []

    def forward(ctx, x):
        seen.append(m.is_grad_enabled())
        return x * 2

    function = define(m, forward, lambda ctx, ct: (seen.append(m.is_grad_enabled()), ct)[1])
    x = leaf(m)
    m.autograd.grad(function.apply(x).sum(), x)
    m.autograd.grad(function.apply(x).sum(), x, create_graph=True)
    return seen


# -- what is saved
def saving(*tensors_of):
    def forward(ctx, x):
        ctx.save_for_backward(*[of(x) for of in tensors_of])
        return x * 2

    return forward


def reading(ctx, ct):
    return ct * 2 if ctx.saved_tensors is not None else None


@program
def saving_what_is_no_tensor(m):
    return define(m, saving(lambda x: 3), same).apply(leaf(m))


@program
def saving_none(m):
    seen = []
    function = define(m, saving(lambda x: None, lambda x: x), lambda ctx, ct: (seen.append(ctx.saved_tensors), ct)[1])
    return run(function, leaf(m)), seen


@program
def saving_twice_keeps_the_last(m):
    def forward(ctx, x):
        ctx.save_for_backward(x)
        ctx.save_for_backward(x, x)
        return x * 2

    seen = []
    run(define(m, forward, lambda ctx, ct: (seen.append(len(ctx.saved_tensors)), ct)[1]), leaf(m))
    return seen


@program
def second_walk_that_reads_nothing_saved(m):
    x = leaf(m)
    y = define(m, saving(lambda x: x), same).apply(x).sum()
    y.backward()
    y.backward()
    return x.grad


@program
def second_walk_that_reads_what_was_saved(m):
    y = define(m, saving(lambda x: x), reading).apply(leaf(m)).sum()
    y.backward()
    y.backward()


@program
def saved_tensors_can_be_read_from_grad_fn(m):
    y = define(m, saving(lambda x: x), reading).apply(leaf(m))
    node = y.grad_fn
    before = node.saved_tensors
    y.sum().backward()
    return before, node.saved_tensors


@program
def saved_input_written_before_backward(m):
    x = leaf(m) * 1
    y = define(m, saving(lambda x: x), reading).apply(x)
    x.add_(1)
    y.sum().backward()


@program
def attributes_of_the_context_show_on_grad_fn(m):
    def forward(ctx, x):
        ctx.hello = 3
        return x * 2

    node = define(m, forward, same).apply(leaf(m)).grad_fn
    node.metadata["note"] = 1
    return node.hello, node.needs_input_grad, node.name(), node.metadata, len(node.next_functions)


@program
def hooks_on_the_node(m):
    seen = []
    x = leaf(m)
    y = define(m, lambda ctx, x, n: x * n, lambda ctx, ct: (ct * 3, None)).apply(x, 3)
    y.grad_fn.register_prehook(lambda cts: (cts[0] * 10,))
    y.grad_fn.register_hook(lambda grads, cts: seen.append((grads, cts)))
    y.sum().backward()
    return x.grad, seen
