"""What transforms return: a history only from outside, and the structures and kinds of what they were given."""

import collections

import numpy as np
import pytest

import gradkit

# PyTorch's own forward mode still scripts its decompositions at first use.
pytestmark = pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated:DeprecationWarning")

X = np.array([2.0, 3.0])

#: Functions of w with a transform inside, of a constant.
INNER = {
    "grad": lambda t, c: lambda w: (t.grad(lambda z: (w * z).sin().sum())(c) ** 2).sum(),
    "jacrev": lambda t, c: lambda w: (t.jacrev(lambda z: (w * z).sin())(c) ** 2).sum(),
    "hessian": lambda t, c: lambda w: (t.hessian(lambda z: (w * z).sin().sum())(c) ** 2).sum(),
    "grad of grad": lambda t, c: lambda w: t.grad(lambda z: t.grad(lambda u: (u * z * w).sin().sum())(z).sum())(c).sum(),
}
#: What gives, of such a function, values and auxiliary results.
OUTER = {
    "grad_and_value": lambda t, f, x: t.grad_and_value(f)(x)[1],
    "vjp": lambda t, f, x: t.vjp(f, x)[0],
    "linearize": lambda t, f, x: t.linearize(f, x)[0],
    "jvp": lambda t, f, x: t.jvp(f, (x,), (x,))[0],
    "grad's aux": lambda t, f, x: t.grad(lambda w: (w.sum(), f(w)), has_aux=True)(x)[1],
    "jacrev's aux": lambda t, f, x: t.jacrev(lambda w: (w * 2, f(w)), has_aux=True)(x)[1],
    "hessian's aux": lambda t, f, x: t.hessian(lambda w: ((w**3).sum(), f(w)), has_aux=True)(x)[1],
    "vmap": lambda t, f, x: t.vmap(t.grad_and_value(f))(x.reshape(1, 2))[1][0],
}


@pytest.mark.parametrize("outer", OUTER)
@pytest.mark.parametrize("inner", INNER)
def test_a_transform_inside_leaves_no_history(inner, outer, torch):
    t, x = gradkit.func, gradkit.tensor(X)
    value = OUTER[outer](t, INNER[inner](t, gradkit.ones(2, dtype=x.dtype)), x)
    assert not value.requires_grad and value.grad_fn is None
    if outer not in ("linearize", "hessian's aux"):  # which are not PyTorch's, or traced there
        expected = OUTER[outer](torch.func, INNER[inner](torch.func, torch.ones(2, dtype=torch.float64)), torch.tensor(X))
        np.testing.assert_allclose(value.numpy(), expected.detach().numpy(), rtol=1e-12)
    array = OUTER[outer](t, INNER[inner](t, np.ones(2)), X)
    assert isinstance(array, np.ndarray | np.floating)
    np.testing.assert_allclose(array, value.numpy(), rtol=1e-12)


@pytest.mark.parametrize("outer", [name for name in OUTER if "'s" not in name])
@pytest.mark.parametrize("closed", ["the transform's", "the inner transform's"])
def test_what_is_closed_over_is_still_there_to_differentiate(outer, closed):
    t, w, x = gradkit.func, gradkit.tensor(X, requires_grad=True), gradkit.ones(2, dtype=gradkit.float64)
    others = {"the transform's": w, "the inner transform's": w.detach()}
    deep = {"the transform's": w.detach(), "the inner transform's": w}[closed]

    def function(x):
        return (others[closed] * t.grad(lambda z: (z**3 * deep * x).sum())(x)).sum()

    (gradient,) = gradkit.autograd.grad(OUTER[outer](t, function, x), w)
    np.testing.assert_allclose(gradient.numpy(), 3 * X)  # of sum(3 w^2), half of it held


def loss(params, x):
    return (x**2).sum()


#: What is differentiated by no leaf at all.
EMPTY = {
    "grad": lambda t, x: t.grad(loss)({}, x),
    "grad of both": lambda t, x: t.grad(loss, argnums=(0, 1))({}, x),
    "grad_and_value": lambda t, x: t.grad_and_value(loss)({}, x),
    "vjp": lambda t, x: (lambda y, back: (y, back(y)))(*t.vjp(lambda params: loss(params, x), {})),
    "jacrev of both": lambda t, x: t.jacrev(loss, argnums=(0, 1))({}, x),
    "jacfwd of both": lambda t, x: t.jacfwd(loss, argnums=(0, 1))({}, x),
    "hessian of both": lambda t, x: t.hessian(loss, argnums=(0, 1))({}, x),
    "jvp": lambda t, x: t.jvp(lambda params: loss(params, x), ({},), ({},)),
}


@pytest.mark.parametrize("name", EMPTY)
def test_no_parameters_have_no_derivatives(name, alike):
    alike(lambda m: EMPTY[name](m.func, m.ones(2)))


@pytest.mark.parametrize("name", ["jacrev", "jacfwd", "hessian"])  # where PyTorch fails within
def test_no_parameters_have_an_empty_jacobian(name):
    assert getattr(gradkit.func, name)(loss)({}, gradkit.ones(2)) == {}
    assert getattr(gradkit.func, name)(lambda p, x: (loss(p, x), 1), has_aux=True)({}, gradkit.ones(2)) == ({}, 1)


@pytest.mark.parametrize("options", [{}, {"strict": True}])
@pytest.mark.parametrize("name", ["jvp", "vjp", "jacobian", "hessian", "hvp", "vhp"])
def test_no_inputs_have_none_either_or_are_not_strict(name, options):
    t = gradkit.autograd.functional
    strategies = {"jacobian": "strategy", "hessian": "outer_jacobian_strategy"}
    calls = [((), {strategies[name]: s}) for s in ("reverse-mode", "forward-mode", "auto")] if name in strategies else []
    for args, chosen in calls or [([gradkit.ones(())] if name == "vjp" else [()], {})]:
        def call(args=args, chosen=chosen):
            return getattr(t, name)(lambda: gradkit.ones(()), (), *args, **options, **chosen)

        if options:
            with pytest.raises(RuntimeError, match="Output 0 of the user-provided function does not require gradients"):
                call()
        elif calls:
            assert call() == ()
        else:
            assert call()[0] == 1


class Point(collections.namedtuple("Point", "x y")):
    pass


@pytest.mark.parametrize("of", [
    lambda x: collections.deque([x, x], maxlen=3), lambda x: collections.OrderedDict(b=x, a=x),
    lambda x: collections.defaultdict(list, {"a": x}), lambda x: Point(x, {"a": [x]}),
])
def test_containers_come_back_as_they_were(of):
    def sum_of(container):
        values = container.values() if isinstance(container, dict) else container
        return sum([sum_of(x) if isinstance(x, dict | list) else (x**2).sum() for x in values])

    given, gradient = of(gradkit.ones(2)), gradkit.func.grad(sum_of)(of(gradkit.ones(2)))
    assert type(gradient) is type(given) and repr(gradient) == repr(of(gradkit.full((2,), 2.0)))
    assert repr(gradkit.func.vmap(lambda c: c)(given)) == repr(given)
    if isinstance(given, collections.defaultdict):
        assert gradient["new"] == []


@pytest.mark.cpu  # where NumPy's arrays are
def test_each_gradient_is_of_the_kind_of_its_argument():
    mixed, t = {"a": gradkit.tensor(X), "b": X}, gradkit.func
    for transform in (t.grad, lambda f: t.jacrev(lambda p: f(p).reshape(1)), lambda f: t.jacfwd(lambda p: f(p).reshape(1))):
        found = transform(lambda p: (p["a"] * p["b"]).sum())(mixed)
        assert type(found["a"]) is gradkit.Tensor and type(found["b"]) is np.ndarray
    y, back = t.vjp(lambda p: p["a"] * p["b"], mixed)
    assert type(y) is gradkit.Tensor
    for ct in (X, gradkit.tensor(X)):
        assert [type(g) for g in back(ct)[0].values()] == [gradkit.Tensor, np.ndarray]
    assert type(t.vmap(lambda a, b: a * b)(mixed["a"], X)) is gradkit.Tensor  # as a * b is
    y, push = t.linearize(lambda x: x**2, X)
    assert [type(push(v)) for v in (gradkit.tensor(X), X)] == [np.ndarray] * 2


def test_complex_outputs_of_real_inputs_are_for_forward_mode(torch):
    def both(m, function):
        return m.func.jacrev(function), m.func.hessian(lambda x: function(x).sum())

    x, functional = gradkit.tensor(X), gradkit.autograd.functional
    for transform, theirs in zip(both(gradkit, lambda x: x * (1 + 2j)), both(torch, lambda x: x * (1 + 2j))):
        for call, given in ((transform, x), (theirs, torch.tensor(X))):
            with pytest.raises(RuntimeError, match="Expected all outputs to be real"):
                call(given)
    for name in ("vjp", "jacobian", "hessian", "hvp", "vhp"):
        for m, given in ((gradkit, x), (torch, torch.tensor(X))):
            with pytest.raises(RuntimeError, match="grad can be implicitly created only for real scalar outputs but got"):
                getattr(m.autograd.functional, name)(lambda x: (x**3 * 1j).sum(), given, *[given] * (name in ("hvp", "vhp")))
    for found in (
        gradkit.func.jacfwd(lambda x: x * (1 + 2j))(x), functional.jacobian(lambda x: x * (1 + 2j), x, strategy="auto"),
        functional.jacobian(lambda x: x * (1 + 2j), x, strategy="forward-mode"),
    ):
        np.testing.assert_allclose(found.numpy(), np.eye(2) * (1 + 2j))
    few = functional.jacobian(lambda x: (x * 1j).sum(), x, strategy="auto")
    assert few.tolist() == [1j, 1j]
    one = functional.jacobian(lambda x: x * 1j, x[:1], strategy="auto")
    assert one.tolist() == [[1j]]
    _, explicit = functional.vjp(lambda x: (x * 1j).sum(), x, gradkit.tensor(1j))
    assert explicit.tolist() == [1.0, 1.0]
    assert gradkit.func.jacrev(lambda z: z * (1 + 2j))(x + 0j).diagonal().tolist() == [1 - 2j] * 2


SAYS = {
    "several numbers": (lambda t: t.grad(lambda x: x * 2), "use vjp or jacrev"),
    "an array of tensors": (lambda t: t.grad(lambda x: gradkit.tensor(np.array([x[0], x[1]])).sum()), "np.stack or gradkit.stack"),
    "of those that move": (lambda t: t.jacfwd(lambda x: gradkit.tensor(np.array([x[0], x[1]]))), "such as np.stack for np.array"),
    "a walk inside": (lambda t: t.grad(lambda x: ((x**2).sum().backward(), x.sum())[1]), r"backward\(\) called inside a transform"),
    "a walk deep inside": (
        lambda t: t.grad(lambda x: (t.grad(lambda z: (z * (x**2).sum().backward()).sum())(x), x.sum())[1]), "called inside",
    ),
}


@pytest.mark.parametrize("name", SAYS)
def test_errors_say_what_to_write_inside_a_transform(name):
    call, words = SAYS[name]
    with pytest.raises(RuntimeError, match=words) as raised:
        call(gradkit.func)(gradkit.tensor(X))
    assert "detach" not in str(raised.value)


def test_a_walk_to_leaves_made_inside_is_let_be():
    def f(x):
        w = gradkit.tensor(X, requires_grad=True)
        (w * w).sum().backward()
        return (x * w.grad).sum()

    assert gradkit.func.grad(f)(gradkit.tensor(X)).tolist() == [4.0, 6.0]


def test_no_level_is_shown_by_its_number():
    shown = []
    gradkit.vmap(lambda x: gradkit.vmap(lambda y: (shown.append(repr(y)), shown.append(repr(x * y)), y)[2])(x))(gradkit.ones(2, 3))
    assert [text.split(" with ")[1] for text in shown] == ["2 batch axes in front"] * 2
    with gradkit.autograd.forward_ad.dual_level():
        x = gradkit.autograd.forward_ad.make_dual(gradkit.ones(2), gradkit.ones(2))
        with pytest.raises(RuntimeError, match="at the same level is not supported"):
            gradkit.autograd.forward_ad.make_dual(x, gradkit.ones(2))
