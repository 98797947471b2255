"""autograd.functional against PyTorch's: values, structures, error types; and what PyTorch refuses."""

import itertools

import numpy as np
import pytest

import gradkit
from gradkit.autograd import functional as F

# PyTorch's own forward mode still scripts its decompositions at first use.
pytestmark = pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated:DeprecationWarning")

A, B = np.array([[0.5, 1.0], [1.5, 2.0]]), np.array([0.3, 0.7])


def single(x):
    return x.exp().sum(dim=1)


def several(x, y):
    return (x * y).sum(dim=0), x.sin() @ y


def scalar(x, y):
    return (x.exp() * y * y).sum()


def flat(result):
    return [leaf for part in result for leaf in flat(part)] if isinstance(result, tuple) else [result]


def agree(ours, theirs):
    assert type(ours) is tuple or type(theirs) is not tuple
    assert len(flat(ours)) == len(flat(theirs))
    for a, b in zip(flat(ours), flat(theirs)):
        assert tuple(a.shape) == tuple(b.shape)
        np.testing.assert_allclose(a.detach().numpy(), b.detach().numpy(), rtol=1e-10)


CALLS = {
    "jvp": lambda F, t: F.jvp(single, t(A), t(A * 2)),
    "jvp of several": lambda F, t: F.jvp(several, (t(A), t(B)), (t(A), t(B * 3))),
    "jvp without v": lambda F, t: F.jvp(lambda x: x * 2, t(np.array([1.5]))),
    "vjp": lambda F, t: F.vjp(single, t(A), t(B)),
    "vjp of several": lambda F, t: F.vjp(several, (t(A), t(B)), (t(B), t(B * 2))),
    "jacobian": lambda F, t: F.jacobian(single, t(A)),
    "jacobian of several": lambda F, t: F.jacobian(several, (t(A), t(B))),
    "jacobian of independent": lambda F, t: F.jacobian(lambda x, y: x * 2, (t(A), t(B))),
    "hessian": lambda F, t: F.hessian(lambda x: (x**3).sum(), t(A)),
    "hessian of several": lambda F, t: F.hessian(scalar, (t(A), t(B))),
    "hvp": lambda F, t: F.hvp(scalar, (t(A), t(B)), (t(A), t(B))),
    "vhp": lambda F, t: F.vhp(scalar, (t(A), t(B)), (t(A), t(B))),
}


@pytest.mark.parametrize("name", CALLS)
def test_agrees_with_pytorch(name, torch):
    ours = CALLS[name](F, gradkit.tensor)
    agree(ours, CALLS[name](torch.autograd.functional, torch.tensor))
    assert not any([leaf.requires_grad for leaf in flat(ours)])


@pytest.mark.parametrize(
    ("create_graph", "strict", "vectorize", "strategy"),
    list(itertools.product([False, True], [False, True], [False, True], ["reverse-mode", "forward-mode", "auto"])),
)
def test_every_combination_of_options_gives_the_jacobian(create_graph, strict, vectorize, strategy):
    x = gradkit.tensor(A, requires_grad=True)
    found = F.jacobian(single, x, create_graph=create_graph, strict=strict, vectorize=vectorize, strategy=strategy)
    expected = np.zeros((2, 2, 2))
    expected[0, 0], expected[1, 1] = np.exp(A)
    np.testing.assert_allclose(found.detach().numpy(), expected)
    assert found.requires_grad == create_graph
    if create_graph:
        np.testing.assert_allclose(gradkit.autograd.grad(found.sum(), x)[0].numpy(), np.exp(A))


def test_results_with_a_graph_can_be_differentiated():
    x = gradkit.tensor(A, requires_grad=True)
    y, y_t = F.jvp(single, x, gradkit.tensor(A), create_graph=True)
    np.testing.assert_allclose(gradkit.autograd.grad(y_t.sum(), x)[0].numpy(), A * np.exp(A))
    assert y.grad_fn is not None


def depends_on_first(x, y):
    return x.exp().sum()


def constant_beside(x, y):
    return (x * 1).sum() * y.sum(), B_CONSTANT[type(x).__module__.partition(".")[0]]


B_CONSTANT = {"gradkit": gradkit.tensor(B)}
STRICT = {
    "jvp of a constant": lambda F, t: F.jvp(lambda x: t(B), t(A), t(A), strict=True),
    "jvp, second input unused": lambda F, t: F.jvp(depends_on_first, (t(A), t(B)), (t(A), t(B)), strict=True),
    "jvp, second output constant": lambda F, t: F.jvp(constant_beside, (t(A), t(B)), (t(A), t(B)), strict=True),
    "jvp with a constant Jacobian": lambda F, t: F.jvp(lambda x: 2 * x, t(A), t(A), create_graph=True, strict=True),
    "vjp of a constant": lambda F, t: F.vjp(lambda x: t(B), t(A), t(B), strict=True),
    "vjp, second input unused": lambda F, t: F.vjp(depends_on_first, (t(A), t(B)), strict=True),
    "vjp with a constant Jacobian": lambda F, t: F.vjp(lambda x: 2 * x, t(A), t(A), create_graph=True, strict=True),
    "jacobian of a constant": lambda F, t: F.jacobian(lambda x: t(B), t(A), strict=True),
    "jacobian, second input unused": lambda F, t: F.jacobian(depends_on_first, (t(A), t(B)), strict=True),
    "jacobian, second output constant": lambda F, t: F.jacobian(constant_beside, (t(A), t(B)), strict=True),
    "constant jacobian": lambda F, t: F.jacobian(lambda x: 2 * x, t(A), create_graph=True, strict=True),
    "hessian of a linear function": lambda F, t: F.hessian(lambda x: x.sum(), t(A), strict=True),
    "hessian of a constant": lambda F, t: F.hessian(lambda x: t(B).sum(), t(A), strict=True),
    "hvp of a linear function": lambda F, t: F.hvp(lambda x: x.sum(), t(A), t(A), strict=True),
    "hvp, second input unused": lambda F, t: F.hvp(depends_on_first, (t(A), t(B)), (t(A), t(B)), strict=True),
    "vhp of a linear function": lambda F, t: F.vhp(lambda x: x.sum(), t(A), t(A), strict=True),
    "hessian of a product": lambda F, t: F.hessian(lambda x, y: (x * y).sum(), (t(A), t(A)), strict=True),
    "constant hessian": lambda F, t: F.hessian(lambda x: (x * x).sum(), t(A), create_graph=True, strict=True),
    "hvp of a square": lambda F, t: F.hvp(lambda x: (x * x).sum(), t(A), t(A), create_graph=True, strict=True),
    "vhp of a square": lambda F, t: F.vhp(lambda x: (x * x).sum(), t(A), t(A), create_graph=True, strict=True),
    "vhp, second input unused": lambda F, t: F.vhp(depends_on_first, (t(A), t(B)), (t(A), t(B)), strict=True),
}


@pytest.mark.parametrize("name", STRICT)
def test_strict_complains_as_pytorch_does(name, torch):
    B_CONSTANT["torch"] = torch.tensor(B)
    with pytest.raises(RuntimeError) as theirs:
        STRICT[name](torch.autograd.functional, torch.tensor)
    with pytest.raises(RuntimeError) as ours:
        STRICT[name](F, gradkit.tensor)
    start = str(theirs.value).partition(".")[0].partition(" The outputs")[0]
    assert str(ours.value).startswith(start)


@pytest.mark.parametrize("strategy", ["reverse-mode", "forward-mode", "auto"])
@pytest.mark.parametrize("vectorize", [False, True])
def test_strict_holds_with_every_strategy(strategy, vectorize):
    x, y = gradkit.tensor(A), gradkit.tensor(B)
    with pytest.raises(RuntimeError, match="independent of input 1"):
        F.jacobian(depends_on_first, (x, y), strict=True, vectorize=vectorize, strategy=strategy)
    with pytest.raises(RuntimeError, match="twice"):
        F.hessian(lambda x: x.sum(), x, strict=True, vectorize=vectorize, outer_jacobian_strategy=strategy)
    found = F.jacobian(several, (x, y), strict=True, vectorize=vectorize, strategy=strategy)
    agree(found, F.jacobian(several, (x, y)))


STRUCTURES = {
    "one of one": (single, (A,)),
    "one of two": (scalar, (A, B)),
    "two of two": (several, (A, B)),
    "a tuple of one": (lambda x: (x.exp().sum(0),), (A,)),
    "an empty one": (lambda x: x[:, :0] * 2, (A,)),
    "0-d of 0-d": (lambda x: x * x, (A[0, 0],)),
    "a view": (lambda x: x.T, (A,)),
    "integers beside": (lambda x: (x * 2, (x > 1).sum()), (A,)),
}


@pytest.mark.parametrize("strategy", ["reverse-mode", "forward-mode", "auto"])
@pytest.mark.parametrize("create_graph", [False, True])
@pytest.mark.parametrize("as_tuple", [False, True])
@pytest.mark.parametrize("name", STRUCTURES)
def test_structures_are_pytorchs(name, as_tuple, create_graph, strategy, torch):
    function, raws = STRUCTURES[name]

    def taken(F, tensor, **how):
        xs = tuple([tensor(raw) for raw in raws])
        return F.jacobian(function, xs if as_tuple or len(xs) > 1 else xs[0], **how)

    ours = taken(F, gradkit.tensor, create_graph=create_graph, strategy=strategy)
    if name == "an empty one":  # PyTorch cannot
        assert [tuple(leaf.shape) for leaf in flat(ours)] == [(2, 0, 2, 2)]
        return
    theirs = taken(torch.autograd.functional, torch.tensor)
    assert layout(ours) == layout(theirs)
    agree(ours, theirs)


def layout(result):
    return tuple([layout(part) for part in result]) if isinstance(result, tuple) else tuple(result.shape)


@pytest.mark.parametrize("strategy", ["reverse-mode", "forward-mode", "auto"])
@pytest.mark.parametrize("create_graph", [False, True])
def test_hessians_have_pytorchs_structure(create_graph, strategy, torch):
    for function, raws in ((scalar, (A, B)), (lambda x: (x**3).sum().reshape(1), (A,)), (lambda x: x**3, (A[0, 0],))):
        for as_tuple in (False, True):
            if len(raws) > 1 and not as_tuple:
                continue
            ours, theirs = [
                lib.hessian(function, tuple(map(tensor, raws)) if as_tuple else tensor(raws[0]), **how)
                for lib, tensor, how in (
                    (F, gradkit.tensor, {"create_graph": create_graph, "outer_jacobian_strategy": strategy}),
                    (torch.autograd.functional, torch.tensor, {}),
                )
            ]
            assert layout(ours) == layout(theirs)
            agree(ours, theirs)


@pytest.mark.parametrize("name", ["hvp", "vhp"])
def test_products_with_a_graph_can_be_differentiated(name, torch):
    found = []
    for lib, t in ((F, gradkit.tensor), (torch.autograd.functional, torch.tensor)):
        x = t(A).requires_grad_()
        _, product = getattr(lib, name)(lambda x: (x**4).sum(), x, t(A), create_graph=True)
        product.sum().backward()
        found.append(x.grad.numpy())
    np.testing.assert_allclose(*found, rtol=1e-10)


ALL_OF = {
    "jvp": lambda f, x: F.jvp(f, x, gradkit.ones_like(x), create_graph=True)[1],
    "vjp": lambda f, x: F.vjp(f, x, gradkit.ones_like(x), create_graph=True)[1],
    "jacobian": lambda f, x: F.jacobian(f, x, create_graph=True).sum(0),
    "forward jacobian": lambda f, x: F.jacobian(f, x, create_graph=True, strategy="forward-mode").sum(0),
    "hessian": lambda f, x: F.hessian(lambda x: f(x).sum(), x, create_graph=True).sum(0),
    "hvp": lambda f, x: F.hvp(lambda x: f(x).sum(), x, gradkit.ones_like(x), create_graph=True)[1],
    "vhp": lambda f, x: F.vhp(lambda x: f(x).sum(), x, gradkit.ones_like(x), create_graph=True)[1],
}  # fmt: skip


@pytest.mark.parametrize("name", ALL_OF)
def test_results_with_a_graph_carry_the_tangents_of_inputs_that_require_no_grad(name):
    x, v = gradkit.tensor(B), gradkit.tensor([2.0, -1.0], dtype=gradkit.float64)
    want = -v * (x.cos() if name in ("hessian", "hvp", "vhp") else x.sin())
    moved = gradkit.func.jvp(lambda x: ALL_OF[name](gradkit.sin, x), (x,), (v,))[1]
    np.testing.assert_allclose(moved.detach(), want, rtol=1e-12)


def test_an_unknown_strategy_is_pytorchs_error_and_a_value_error():
    for kind in (AssertionError, ValueError):
        with pytest.raises(kind, match="forward-mode"):
            F.jacobian(single, gradkit.tensor(A), strategy="sideways")


def test_what_was_closed_over_gets_its_gradient_only_with_a_graph():
    w = gradkit.tensor(B, requires_grad=True)
    assert not F.jacobian(lambda x: x @ w, gradkit.tensor(A)).requires_grad
    F.jacobian(lambda x: (x * x) @ w, gradkit.tensor(A), create_graph=True).sum().backward()
    np.testing.assert_allclose(w.grad.numpy(), 2 * A.sum(0))


BAD = [
    (lambda F, t: F.jvp(single, A, t(A)), TypeError),
    (lambda F, t: F.jvp(lambda x: 1.0, t(A), t(A)), TypeError),
    (lambda F, t: F.jvp(single, t(A)), RuntimeError),
    (lambda F, t: F.jvp(single, t(A), t(B)), RuntimeError),
    (lambda F, t: F.vjp(single, t(A), t(A)), RuntimeError),
    (lambda F, t: F.hessian(single, t(A)), RuntimeError),
    (lambda F, t: F.hvp(scalar, (t(A), t(B)), t(A)), RuntimeError),
    (lambda F, t: F.jacobian(single, [t(A)]), TypeError),
    (lambda F, t: F.jacobian(lambda x: [x], t(A)), TypeError),
    (lambda F, t: F.jvp(single, t(A), [t(A)]), TypeError),
    (lambda F, t: F.hessian(lambda x: (x.sum(), x.sum()), t(A)), RuntimeError),
    (lambda F, t: F.vjp(single, t(A)), RuntimeError),
    (lambda F, t: F.hvp(scalar, (t(A), t(B))), RuntimeError),
    (lambda F, t: F.jacobian(single, t(A), strategy="sideways"), AssertionError),
    (lambda F, t: F.jacobian(single, t(np.array([1, 2]))), RuntimeError),
    (lambda F, t: F.jvp(single, t(np.array([1, 2])), t(np.array([1, 2]))), RuntimeError),
]


@pytest.mark.parametrize("number", range(len(BAD)))
def test_bad_input_raises_as_pytorch(number, torch):
    call, kind = BAD[number]
    with pytest.raises(kind):
        call(torch.autograd.functional, torch.tensor)
    with pytest.raises(kind):
        call(F, gradkit.tensor)


# -- a custom Function without a jvp --------------------------------------------------------------------------------------
def cube_of(m):
    class Cube(m.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * x * x

        @staticmethod
        def backward(ctx, ct):
            return 3 * ctx.saved_tensors[0] ** 2 * ct

    return Cube.apply


WITHOUT_JVP = {
    "jvp": lambda m, F, cube, x: F.jvp(lambda x: (cube(x), x), x, x),
    "jvp with graph": lambda m, F, cube, x: m.autograd.grad(F.jvp(cube, x, m.ones(3), create_graph=True)[1].sum(), x),
    "hvp": lambda m, F, cube, x: F.hvp(lambda x: cube(x).sum(), x, x),
    "hessian": lambda m, F, cube, x: F.hessian(lambda x: cube(x).sum(), x),
}


@pytest.mark.parametrize("name", WITHOUT_JVP)
def test_function_without_a_jvp_has_its_backward_differentiated(name, alike):
    def program(m):
        return WITHOUT_JVP[name](m, m.autograd.functional, cube_of(m), m.tensor([1.0, 2.0, 3.0], requires_grad=True))

    alike(program)


def test_auto_goes_backward_where_forward_mode_cannot():
    cube, x = cube_of(gradkit), gradkit.tensor([1.0, 2.0])
    found = F.jacobian(lambda x: gradkit.cat([cube(x), cube(x)]), x, strategy="auto")
    assert found.tolist() == [[3, 0], [0, 12], [3, 0], [0, 12]]


# -- under no_grad --------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", ["jvp", "vjp", "jacobian", "hessian", "hvp", "vhp"])
def test_create_graph_is_heeded_under_no_grad(name, alike):
    def program(m):
        x = m.tensor([1.0, 2.0], requires_grad=True)
        vector = () if name in ("jacobian", "hessian", "vjp") else (m.ones(2),)
        with m.no_grad():
            return getattr(m.autograd.functional, name)(lambda x: (x**3).sum(), x, *vector, create_graph=True)

    alike(program)


# -- writing in place -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", ["vjp", "jacobian", "hessian", "vhp"])
def test_function_must_not_write_its_argument(name, alike):
    def program(m):
        x = m.tensor([1.0, 2.0])
        return getattr(m.autograd.functional, name)(lambda x: (x.mul_(2) ** 2).sum(), x, *([x] if name == "vhp" else []))

    alike(program)


def test_function_run_again_must_not_have_written_its_argument():
    with pytest.raises(RuntimeError, match="a leaf Variable"):
        F.jacobian(lambda x: x.mul_(2), gradkit.ones(3), strategy="forward-mode", chunk_size=1)
    with pytest.raises(RuntimeError, match="writes its arguments in place"):
        gradkit.func.jacfwd(lambda x, y: x.mul_(2) * y, argnums=(0, 1))(gradkit.ones(3), gradkit.ones(3))


@pytest.mark.parametrize("method", ["jvp", "vjp"])
def test_vector_of_the_other_kind_is_refused(method, torch):
    """Real for complex, or complex for real: its imaginary parts would be lost."""
    for library in (gradkit, torch):
        call = getattr(library.autograd.functional, method)
        for kind, other in ((library.float64, library.complex128), (library.complex128, library.float64)):
            with pytest.raises(RuntimeError, match="omplex"):
                call(lambda x: x * 2, library.ones(2, dtype=kind), library.ones(2, dtype=other))
