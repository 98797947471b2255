"""Hooks on what goes back through a module, as PyTorch calls them."""

import pytest

import gradkit

PROGRAMS = []


def program(function):
    PROGRAMS.append(function)
    return function


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda p: p.__name__)
def test_runs_as_in_pytorch(program, alike):
    alike(program)


def layer(m, body=None):
    """A module that multiplies its input with a weight, or does something else with both."""

    class Layer(m.nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = m.nn.Parameter(m.tensor([2.0, 3.0]))

        def forward(self, *args, **kwargs):
            return body(self.weight, *args, **kwargs) if body else self.weight * args[0]

    return Layer()


def leaf(m):
    return m.tensor([1.0, 5.0], requires_grad=True)


def gone_back(m, net, *args, hook=None, before=None, **kwargs):
    """What the hooks saw, in order, and the gradients of the first argument and the weight."""
    seen = []
    if before is not False:
        net.register_full_backward_pre_hook(before or (lambda module, given: seen.append(("before", module is net, given))))
    if hook is not False:
        net.register_full_backward_hook(hook or (lambda module, found, given: seen.append(("after", module is net, found, given))))
    out = net(*args, **kwargs)
    sum((y * y).sum() for y in (out if isinstance(out, tuple) else (out,)) if y.requires_grad).backward()
    return [list(one) for one in seen], args[0].grad, net.weight.grad


@program
def gradients_of_inputs_and_outputs_are_seen(m):
    return gone_back(m, layer(m), leaf(m))


@program
def each_kind_of_hook_alone(m):
    return gone_back(m, layer(m), leaf(m), hook=False), gone_back(m, layer(m), leaf(m), before=False)


@program
def no_input_requires_grad(m):
    return gone_back(m, layer(m), leaf(m).detach())


@program
def inputs_that_are_no_tensors_have_none(m):
    return gone_back(m, layer(m, lambda w, x, k, y: w * x * k + y), leaf(m), 2.0, leaf(m).detach())


@program
def keywords_are_not_among_the_inputs(m):
    return gone_back(m, layer(m, lambda w, x, y: w * x + y), leaf(m), y=leaf(m))


@program
def nothing_but_keywords(m):
    net, x, seen = layer(m, lambda w, x: w * x), leaf(m), []
    net.register_full_backward_hook(lambda module, found, given: seen.append([found, given]))
    net(x=x).sum().backward()
    return seen, x.grad


@program
def several_outputs_of_which_one_is_unused_or_no_tensor(m):
    def backward(use):
        seen, net, x = [], layer(m, lambda w, x: (w * x, x.sum(), "text", w.detach())), leaf(m)
        net.register_full_backward_hook(lambda module, found, given: seen.append([found, given]))
        use(net(x)).sum().backward()
        return seen, x.grad

    return backward(lambda ys: ys[0]), backward(lambda ys: ys[1]), backward(lambda ys: ys[0] * ys[1])


@program
def what_the_hooks_return_takes_the_place_of_gradients(m):
    twice = gone_back(m, layer(m), leaf(m), hook=lambda module, found, given: (found[0] * 2,), before=lambda module, given: (given[0] * 3,))
    return twice[1:]


@program
def hooks_follow_each_other(m):
    net, x = layer(m), leaf(m)
    net.register_full_backward_hook(lambda module, found, given: (found[0] + 1,))
    net.register_full_backward_hook(lambda module, found, given: (found[0] * 10,), prepend=True)
    net.register_full_backward_hook(lambda module, found, given: 1 / 0).remove()
    net(x).sum().backward()
    return x.grad


@program
def wrong_number_of_results(m):
    return gone_back(m, layer(m), leaf(m), hook=lambda module, found, given: (found[0], found[0]))


@program
def wrong_number_of_results_before(m):
    return gone_back(m, layer(m), leaf(m), before=lambda module, given: (given[0], given[0]))


@program
def a_gradient_for_inputs_that_want_none(m):
    return gone_back(m, layer(m), leaf(m).detach(), hook=lambda module, found, given: (m.ones(2),))


@program
def one_module_called_twice(m):
    net, x, seen = layer(m), leaf(m), []
    net.register_full_backward_hook(lambda module, found, given: seen.append([found, given]))
    net(net(x)).sum().backward()
    return seen, x.grad


@program
def second_derivatives_pass(m):
    net, x, seen = layer(m, lambda w, x: w * x**3), leaf(m), []
    net.register_full_backward_hook(lambda module, found, given: seen.append(len(found)))
    (g,) = m.autograd.grad(net(x).sum(), x, create_graph=True)
    return m.autograd.grad(g.sum(), x), seen


@program
def nothing_happens_under_no_grad(m):
    net = layer(m)
    net.register_full_backward_hook(lambda module, found, given: 1 / 0)
    with m.no_grad():
        return net(leaf(m))


@program
def output_must_not_be_written(m):
    net = layer(m)
    net.register_full_backward_hook(lambda module, found, given: None)
    return net(leaf(m)).mul_(2)


def test_output_of_another_kind_warns():
    net = layer(gradkit, lambda w, x: {"y": w * x})
    net.register_full_backward_hook(lambda module, found, given: None)
    with pytest.warns(UserWarning, match="module output should be a Tensor or a tuple"):
        net(leaf(gradkit))


def test_transforms_pass_through():
    net, x = layer(gradkit), gradkit.tensor([1.0, 2.0])
    plain = layer(gradkit)
    net.register_full_backward_hook(lambda module, found, given: None)
    for transform in (gradkit.func.jacrev, gradkit.func.jacfwd, gradkit.func.hessian):
        assert gradkit.equal(transform(net)(x), transform(plain)(x))
    assert gradkit.equal(gradkit.vmap(net)(x.expand(3, 2)), plain(x.expand(3, 2)))
