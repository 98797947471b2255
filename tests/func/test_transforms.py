"""Transforms against PyTorch's, nested, over pytrees and arrays; perturbations never mix."""

import numpy as np
import pytest

import gradkit
from gradkit.func import grad, grad_and_value, hessian, jacfwd, jacrev, jvp, linearize, value_and_grad, vjp, vmap

# PyTorch's own forward mode still scripts its decompositions at first use.
pytestmark = pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated:DeprecationWarning")

X = np.linspace(0.3, 1.4, 6).reshape(2, 3)


def f(lib):
    return lambda x: (lib.sin(x) * x.exp()).sum(-1) / (1 + x * x).sum(-1)


COMPOSITIONS = {
    "jacrev": lambda lib, t: t.jacrev(f(lib)),
    "jacfwd": lambda lib, t: t.jacfwd(f(lib)),
    "hessian": lambda lib, t: t.hessian(lambda x: f(lib)(x).sum()),
    "jacrev of jacfwd": lambda lib, t: t.jacrev(t.jacfwd(f(lib))),
    "jacfwd of jacfwd": lambda lib, t: t.jacfwd(t.jacfwd(f(lib))),
    "jacrev of jacrev": lambda lib, t: t.jacrev(t.jacrev(f(lib))),
    "vmap of grad": lambda lib, t: t.vmap(t.grad(f(lib))),
    "vmap of hessian": lambda lib, t: t.vmap(t.hessian(f(lib))),
    "grad of vmap": lambda lib, t: t.grad(lambda x: t.vmap(f(lib))(x).sum()),
    "grad of jvp": lambda lib, t: t.grad(lambda x: t.jvp(f(lib), (x,), (x * 2,))[1].sum()),
    "jvp of grad": lambda lib, t: lambda x: t.jvp(t.grad(lambda z: f(lib)(z).sum()), (x,), (x,))[1],
    "vmap of jvp": lambda lib, t: t.vmap(lambda x: t.jvp(f(lib), (x,), (x,))[1]),
    "vmap over the second axis": lambda lib, t: t.vmap(lambda x: x * x.sum(), in_dims=1, out_dims=1),
    "vmap in vmap": lambda lib, t: t.vmap(t.vmap(lambda x: x.exp() * x)),
    "hessian through detach": lambda lib, t: t.hessian(lambda x: (x.detach() * x * x).sum()),
    "grad of grad of grad": lambda lib, t: t.vmap(t.vmap(t.grad(t.grad(t.grad(lambda x: lib.sin(x) * x**3))))),
}


@pytest.mark.parametrize("name", COMPOSITIONS)
def test_composition_agrees_with_pytorch(name, torch):
    ours = COMPOSITIONS[name](gradkit, gradkit.func)(gradkit.tensor(X))
    theirs = COMPOSITIONS[name](torch, torch.func)(torch.tensor(X))
    np.testing.assert_allclose(ours.numpy(), theirs.numpy(), rtol=1e-9, atol=1e-12)


OF_OTHERS = {
    "grad": lambda x: grad(lambda x: x.sum())(x),
    "vjp": lambda x: vjp(lambda x: x, x),
    "jvp": lambda x: jvp(lambda x: x, (x,), (x,)),
    "a tangent": lambda x: jvp(lambda x: x, (gradkit.ones(2),), (x,)),
    "a cotangent": lambda x: vjp(lambda x: x, gradkit.ones(2))[1](x),
    "jacrev": lambda x: jacrev(lambda x: x)(x),
    "jacfwd": lambda x: jacfwd(lambda x: x)(x),
    "hessian": lambda x: hessian(lambda x: x.sum())({"a": x}),
    "vmap": lambda x: vmap(lambda x: x)(x),
    "linearize": lambda x: linearize(lambda x: x, x),
    "functional_call": lambda x: gradkit.func.functional_call(gradkit.nn.Linear(2, 1), {"weight": x}, (gradkit.ones(2),)),
    "an operand": lambda x: grad(lambda y: (x.__class__ and y * x).sum())(gradkit.ones(2)),
    "tensor": gradkit.tensor,
    "as_tensor": gradkit.as_tensor,
}


@pytest.mark.parametrize("name", OF_OTHERS)
def test_tensors_of_another_library_are_refused_with_what_to_write(name, torch):
    with pytest.raises(TypeError, match=r"torch.Tensor.*gradkit.from_dlpack\(") as raised:
        OF_OTHERS[name](torch.ones(2))
    assert gradkit.from_dlpack(torch.ones(2)).tolist() == [1.0, 1.0] and "\n" not in str(raised.value)


def test_an_output_of_another_library_is_named(torch):
    for call in (grad, jacrev, vmap):
        with pytest.raises((RuntimeError, ValueError), match=r"torch\.Tensor"):
            call(lambda x: torch.ones(2))(gradkit.ones(2))


def test_perturbations_do_not_mix():
    x = gradkit.tensor(3.0)
    inner = grad(lambda x: x * grad(lambda y: x + y)(gradkit.tensor(1.0)))
    assert inner(x).item() == 1.0
    outer, one = jvp(lambda x: x * jvp(lambda y: x + y, (gradkit.tensor(1.0),), (gradkit.tensor(1.0),))[1], (x,), (x * 0 + 1,))
    assert outer.item() == 3.0 and one.item() == 1.0


def test_arrays_in_arrays_out():
    x = np.array([1.0, 2.0])
    gradient = grad(lambda x: (x**3).sum())(x)
    assert type(gradient) is np.ndarray and gradient.tolist() == [3.0, 12.0]
    value, again = value_and_grad(lambda x: (x**3).sum())(x)
    assert value == 9.0 and np.array_equal(gradient, again)
    assert type(hessian(lambda x: (x**3).sum())(x)) is np.ndarray
    y, push = linearize(lambda x: x**2, x)
    assert push(np.ones(2)).tolist() == [2.0, 4.0] and type(y) is np.ndarray


def test_pytrees_argnums_and_aux():
    def loss(params, x):
        y = (params["w"] * x + params["b"][0]).sum()
        return y, y * 2

    params = {"w": gradkit.tensor([1.0, 2.0]), "b": [gradkit.tensor(0.5)]}
    gradient, aux = grad(loss, has_aux=True)(params, gradkit.tensor([3.0, 4.0]))
    assert gradient["w"].tolist() == [3.0, 4.0] and gradient["b"][0].item() == 2.0 and aux.item() == 24.0
    both = grad(lambda a, b: a * b, argnums=(0, 1))(gradkit.tensor(2.0), gradkit.tensor(5.0))
    assert [g.item() for g in both] == [5.0, 2.0]
    gradient, value = grad_and_value(lambda a: a * a)(gradkit.tensor(3.0))
    assert (gradient.item(), value.item()) == (6.0, 9.0)


def test_closed_over_leaf_still_gets_its_gradient():
    w = gradkit.tensor(3.0, requires_grad=True)
    inner = grad(lambda x: w * x * x)(gradkit.tensor(2.0))
    inner.backward()
    assert inner.item() == 12.0 and w.grad.item() == 4.0


def test_per_sample_gradients_of_closed_over_weights():
    w = gradkit.tensor([1.0, 2.0])
    xs = gradkit.tensor([[1.0, 1.0], [2.0, 0.0], [0.0, 3.0]])
    per_sample = vmap(grad(lambda w, x: (w * x).sum() ** 2), in_dims=(None, 0))(w, xs)
    each = [grad(lambda w, x=x: (w * x).sum() ** 2)(w).tolist() for x in xs]
    assert per_sample.tolist() == each


@pytest.mark.parametrize("size", [1, 2, 5])
def test_chunks_change_nothing(size):
    x = gradkit.tensor(X)
    whole = vmap(lambda x: x.exp().sum())(x)
    assert gradkit.equal(vmap(lambda x: x.exp().sum(), chunk_size=size)(x), whole)
    assert gradkit.allclose(jacrev(f(gradkit), chunk_size=size)(x), jacfwd(f(gradkit), chunk_size=size)(x))


def test_levels_are_closed_after_an_exception():
    for transform in (grad, jacfwd, vmap, lambda f: lambda x: jvp(f, (x,), (x,)), lambda f: lambda x: vjp(f, x)):
        with pytest.raises(ZeroDivisionError):
            transform(lambda x: 1 / 0)(gradkit.ones(2))


BAD = [
    (lambda: grad(lambda x: x)(gradkit.ones(2)), RuntimeError, "one real number"),
    (lambda: grad(lambda x: x.sum())(gradkit.tensor([1, 2])), RuntimeError, "floating point"),
    (lambda: grad(lambda x: x.sum(), argnums=1)(gradkit.ones(2)), RuntimeError, "argnum=1"),
    (lambda: jvp(lambda x: x, (gradkit.ones(2),), (gradkit.ones(3),)), RuntimeError, "shape"),
    (lambda: jvp(lambda x: x, gradkit.ones(2), gradkit.ones(2)), RuntimeError, "tuples"),
    (lambda: vjp(lambda x: x, gradkit.ones(2))[1](gradkit.ones(3)), RuntimeError, "shape"),
    (lambda: vmap(lambda x, y: x)(gradkit.ones(2), gradkit.ones(3)), ValueError, "same size"),
    (lambda: vmap(lambda x: x, in_dims=None)(gradkit.ones(2)), ValueError, "at least one"),
    (lambda: vmap(lambda x: x if x > 0 else -x)(gradkit.ones(2)), RuntimeError, "where"),
    (lambda: vmap(lambda x: x + gradkit.rand(1))(gradkit.ones(2)), RuntimeError, "randomness"),
    (lambda: vmap(lambda x: 1.0)(gradkit.ones(2)), ValueError, "return Tensors"),
    (lambda: jvp(lambda x: x, (gradkit.tensor([1]),), (gradkit.tensor([1]),)), ValueError, "floating point"),
    (lambda: jacfwd(lambda x: x)(gradkit.tensor([1])), ValueError, "floating point"),
]


@pytest.mark.parametrize("number", range(len(BAD)))
def test_bad_use_is_explained(number):
    call, kind, words = BAD[number]
    with pytest.raises(kind, match=words):
        call()


def test_random_numbers_differ_between_samples_or_not():
    x = gradkit.ones(3)
    different = vmap(lambda x: x * gradkit.rand(()), randomness="different")(x)
    same = vmap(lambda x: x * gradkit.rand(()), randomness="same")(x)
    assert len(set(different.tolist())) == 3 and len(set(same.tolist())) == 1


@pytest.mark.parametrize("name", ["grad", "grad_and_value", "vjp", "jacrev", "hessian"])
@pytest.mark.parametrize("of_a_view", [False, True])
def test_argument_is_a_leaf_and_must_not_be_written(name, of_a_view, alike):
    def write(x):
        (x[1:] if of_a_view else x).mul_(2)
        return (x * x).sum()

    def program(m):
        transform, x = getattr(m.func, name), m.tensor([1.0, 2.0])
        return transform(write, x)[0] if name == "vjp" else transform(write)(x)

    alike(program)


def test_vjp_function_takes_the_keywords_of_pytorch(alike):
    def program(m):
        return m.func.vjp(m.sin, m.ones(2))[1](m.ones(2), retain_graph=False, create_graph=True)

    alike(program)


REVERSE = {
    "grad": lambda m, f, x: m.func.grad(lambda y: f(y).sum())(x),
    "grad_and_value": lambda m, f, x: m.func.grad_and_value(lambda y: f(y).sum())(x),
    "vjp": lambda m, f, x: (lambda y, back: (y, back(x)[0]))(*m.func.vjp(f, x)),
    "linearize": lambda m, f, x: (lambda y, push: (y, push(x)))(*m.func.linearize(f, x)),
    "jacrev": lambda m, f, x: m.func.jacrev(f)(x),
    "jacfwd": lambda m, f, x: m.func.jacfwd(f)(x),
    "hessian": lambda m, f, x: m.func.hessian(lambda y: f(y).sum())(x),
    "vmap": lambda m, f, x: m.func.vmap(f)(x),
}


@pytest.mark.parametrize("name", REVERSE)
@pytest.mark.parametrize("closed", [False, True])
def test_results_under_no_grad_are_on_no_tape(name, closed, alike):
    def program(m):
        w, x = m.tensor([1.0, 2.0], requires_grad=True), m.tensor([3.0, 4.0], requires_grad=not closed)
        with m.no_grad():
            return REVERSE[name](m, (lambda y: (y**3 * w).sum()) if closed and name == "vmap" else lambda y: y**3 * w[0], x)

    alike(program)


@pytest.mark.parametrize("name", [name for name in REVERSE if name != "linearize"])  # whose products PyTorch loses there
@pytest.mark.parametrize("closed", [False, True])
def test_outer_gradient_sees_a_transform_under_no_grad_as_constant(name, closed, alike):
    def outer(m, x):
        with m.no_grad():
            found = REVERSE[name](m, lambda y: y**3 * (x if closed and name != "vmap" else 1), m.ones(2) if closed else x)
        return sum([(one * x.sum()).sum() for one in (found if isinstance(found, tuple) else (found,))])

    alike(lambda m: m.func.grad(lambda x: outer(m, x))(m.tensor([1.0, 2.0])))


@pytest.mark.parametrize("mode", [gradkit.no_grad, gradkit.inference_mode])
def test_gradients_are_there_whatever_the_mode_outside(mode):
    with mode():
        w = gradkit.ones(3) * 2
        x = gradkit.ones(3)
        assert gradkit.func.grad(lambda x: (x * x * w).sum())(x).tolist() == [4.0] * 3
        assert gradkit.func.hessian(lambda x: (x * x * w).sum())(x).diagonal().tolist() == [4.0] * 3
        assert gradkit.vmap(gradkit.func.grad(lambda x: x * x * x))(w).tolist() == [12.0] * 3
        assert not gradkit.is_grad_enabled()


LISTS = {
    "grad": lambda f: gradkit.func.grad(f)([1.0]), "value_and_grad": lambda f: gradkit.func.value_and_grad(f)([1.0]),
    "grad_and_value": lambda f: gradkit.func.grad_and_value(f)([1.0]), "jacrev": lambda f: gradkit.func.jacrev(f)([1.0]),
    "jacfwd": lambda f: gradkit.func.jacfwd(f)([1.0]), "hessian": lambda f: gradkit.func.hessian(f)([1.0]),
    "vjp": lambda f: gradkit.func.vjp(f, [1.0]), "linearize": lambda f: gradkit.func.linearize(f, [1.0]),
    "jvp": lambda f: gradkit.func.jvp(f, ([1.0],), ([1.0],)),
}


@pytest.mark.parametrize("name", LISTS)
def test_errors_speak_of_the_transform_that_was_called(name):
    with pytest.raises((ValueError, RuntimeError), match=rf"(an argument|a primal) of {name}: expected a Tensor .* got float"):
        LISTS[name](lambda x: x)


@pytest.mark.parametrize("name", ["grad", "value_and_grad", "grad_and_value", "jacrev", "jacfwd", "hessian"])
def test_errors_of_outputs_do_too(name):
    transform = getattr(gradkit.func, name)
    with pytest.raises(RuntimeError, match=rf"\b{name}(:|'s).* got float"):
        transform(lambda x: 3.0)(gradkit.ones(2))
    with pytest.raises(RuntimeError, match=rf"{name}: with has_aux=True"):
        transform(lambda x: x.sum(), has_aux=True)(gradkit.ones(2))
