"""NumPy's own functions, operators and conversions on tensors."""

import operator
from pathlib import Path

import numpy as np
import pytest

import gradkit
import gradkit.numpy as gnp

TABLE = Path(__file__).parents[1].joinpath("numpy_calls.txt").read_text(encoding="utf-8").splitlines()
CALLS = [call.strip() for line in TABLE if line and not line.startswith("#") for call in line.split(" | ")]


def operands():
    rng = np.random.default_rng(3)
    vectors = {"v": (4,), "w": (4,), "u": (3,), "c": ()}
    shapes = vectors | {"x": (3, 4), "y": (3, 4), "t": (2, 3, 4), "s": (4, 4), "z": (1, 3, 1)}
    made = {name: rng.uniform(0.1, 0.9, shape).astype("float32") for name, shape in shapes.items()}
    made["n"] = np.where(made["x"] > 0.5, made["x"], np.float32("nan"))
    made["p"] = made["s"] @ made["s"].T + np.eye(4, dtype="float32")
    made["b"] = made["y"] > 0.5
    return made | {"k": np.array([3, 0, 1]), "i": np.array([[2, 0, 1, 1], [0, 0, 2, 1], [1, 2, 0, 0]])}


def outcome(call, module, values):
    try:
        return eval(call, dict(vars(module)), values), None
    except Exception as error:
        return None, error


def leaves(answer):
    return [one for part in answer for one in leaves(part)] if isinstance(answer, tuple | list) else [answer]


#: Functions of no array argument that NumPy asks by, and those that take arrays without asking whose they are.
NOT_ASKED = {"asarray", "array", "full"}


def asked(call):
    names = compile(call, "", "eval").co_names
    return set(names) & set(operands()) and call.partition("(")[0] not in NOT_ASKED


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("call", [call for call in CALLS if asked(call)])
def test_numpys_function_reaches_ours(call):
    tensors = {name: gradkit.as_tensor(a) for name, a in operands().items()}
    names = {name: getattr(gnp, name) for name in dir(gnp)}
    try:
        ours, error = eval(call, names, tensors), None
    except Exception as reason:
        ours, error = None, reason
    theirs, refused = outcome(call, np, tensors)
    assert type(error) is type(refused)
    for a, b in zip(leaves(ours), leaves(theirs), strict=True):
        assert type(a) is type(b)
        if isinstance(a, gradkit.Tensor):
            np.testing.assert_array_equal(a.array, b.array)
            assert a.dtype == b.dtype


# -- operators
OPERATORS = [
    operator.add, operator.sub, operator.mul, operator.truediv, operator.floordiv, operator.mod, operator.pow,
    operator.lt, operator.le, operator.gt, operator.ge, operator.eq, operator.ne,
]  # fmt: skip


def of_the_host(array):
    return pytest.param(array, marks=pytest.mark.cpu)


@pytest.mark.parametrize("op", OPERATORS, ids=lambda op: op.__name__)
@pytest.mark.parametrize(
    "left", [of_the_host(np.array([1.5, 2.5])), of_the_host(np.array([1.5], "float32")), np.float64(1.5), np.float32(1.5)]
)
def test_array_on_the_left_makes_a_tensor_with_history(op, left):
    t = gradkit.tensor([2.0, 3.0], requires_grad=True)
    y = op(left, t)
    expected = op(left, t.detach().numpy())
    assert type(y) is gradkit.Tensor
    assert (y.dtype, y.requires_grad) == (expected.dtype, expected.dtype.kind == "f")
    np.testing.assert_allclose(y.detach().numpy(), expected, rtol=1e-6)


@pytest.mark.cpu  # arrays of the host's
@pytest.mark.parametrize("op", OPERATORS, ids=lambda op: op.__name__)
def test_array_on_the_right_makes_a_tensor_with_history(op):
    t = gradkit.tensor([2.0, 3.0], dtype=gradkit.float64, requires_grad=True)
    right = np.array([1.5, 2.5])
    y = op(t, right)
    assert type(y) is gradkit.Tensor
    np.testing.assert_allclose(y.detach().numpy(), op(t.detach().numpy(), right))


@pytest.mark.cpu  # arrays of the host's
def test_matrix_product_of_array_and_tensor():
    a, t = np.arange(6.0).reshape(2, 3), gradkit.ones(3, dtype=gradkit.float64, requires_grad=True)
    (a @ t).sum().backward()
    np.testing.assert_allclose(t.grad.numpy(), a.sum(0))


def test_numpy_scalar_is_strong_as_in_numpy():
    t = gradkit.ones(2)
    assert (np.float64(2) * t).dtype == np.float64
    assert (np.float32(2) * t).dtype == np.float32
    assert np.multiply(2.0, t).dtype == np.float32


@pytest.mark.parametrize("symbol", ["+=", "-=", "*=", "/=", "@="])
def test_array_is_not_written_by_a_tensor(symbol):
    with pytest.raises(TypeError, match=r"cannot write a tensor into a numpy\.ndarray"):
        exec(f"a {symbol} t", {"a": np.ones(2), "t": gradkit.ones(2)})


# -- ufuncs
def test_out_is_refused_with_advice():
    t = gradkit.ones(2)
    for out in (np.empty(2, "float32"), t):
        with pytest.raises(TypeError, match="out= is not supported"):
            np.add(t, 1, out=out)
        with pytest.raises(TypeError, match="out= is not supported"):
            np.sum(t, 0, None, out)


def test_where_is_refused_with_advice():
    with pytest.raises(TypeError, match=r"where=.* write gradkit\.numpy\.where"):
        np.sin(gradkit.ones(2), where=np.array([True, False]))


@pytest.mark.parametrize("name", ["add", "multiply", "maximum", "minimum", "logical_and", "logical_or"])
def test_reduce_runs_along_the_first_axis(name):
    a = np.array([[1.0, 5.0], [2.0, 0.5]])
    t = gradkit.tensor(a, requires_grad=True)
    for keywords in ({}, {"axis": 1}, {"axis": None, "keepdims": True}):
        y, expected = getattr(np, name).reduce(t, **keywords), getattr(np, name).reduce(a, **keywords)
        np.testing.assert_allclose(y.detach().numpy(), expected)
        assert y.requires_grad == (expected.dtype.kind == "f")


@pytest.mark.parametrize("name", ["add", "multiply", "maximum", "minimum"])
def test_accumulate(name):
    a = np.array([[1.0, 5.0], [2.0, 0.5], [1.5, 0.7]])
    t = gradkit.tensor(a, requires_grad=True)
    for axis in (0, 1):
        y = getattr(np, name).accumulate(t, axis=axis)
        np.testing.assert_allclose(y.detach().numpy(), getattr(np, name).accumulate(a, axis=axis))
        assert y.requires_grad


@pytest.mark.parametrize("name", ["add", "multiply", "subtract", "arctan2", "less", "power"])
def test_outer(name):
    a, b = np.array([[1.0, 2.0]]), np.array([3.0, 4.0, 5.0])
    y = getattr(np, name).outer(gradkit.as_tensor(a), gradkit.as_tensor(b))
    np.testing.assert_allclose(y.numpy(), getattr(np, name).outer(a, b))


@pytest.mark.parametrize("call", [
    lambda t: np.add.at(t, [0], 1.0), lambda t: np.add.reduceat(t, [0]), lambda t: np.subtract.reduce(t),
    lambda t: np.subtract.accumulate(t),
])  # fmt: skip
def test_other_methods_of_ufuncs_are_named_and_refused(call):
    with pytest.raises(TypeError, match=r"not differentiable yet: np\.(add|subtract)\.(at|reduceat|reduce|accumulate)"):
        call(gradkit.ones(2))


# -- other functions
@pytest.mark.parametrize(("name", "call"), [
    ("np.interp", lambda t: np.interp(t, [0, 1], [0, 1])), ("np.histogram", np.histogram), ("np.isnat", np.isnat),
    ("np.apply_along_axis", lambda t: np.apply_along_axis(sum, 0, t)),
    ("np.linalg.qr", lambda t: np.linalg.qr(t, "raw")),
])  # fmt: skip
def test_unknown_function_is_named_and_refused(name, call):
    with pytest.raises(TypeError, match=f"not differentiable yet: {name}"):
        call(gradkit.ones(2, 2))


@pytest.mark.parametrize("call", [
    lambda t: np.copyto(t, 1), lambda t: np.place(t, [True, False], 1), lambda t: np.put(t, 0, 1),
    lambda t: np.putmask(t, [True, False], 1), lambda t: np.fill_diagonal(t, 1),
])  # fmt: skip
def test_function_that_writes_is_refused(call):
    with pytest.raises(TypeError, match="would write into its argument"):
        call(gradkit.ones(2))


@pytest.mark.cpu  # NumPy sees no other memory
def test_functions_about_memory_and_text_see_the_array():
    t = gradkit.tensor([1.0, 2.0])
    assert np.shares_memory(t, t.view(2, 1))
    assert np.array_repr(t) == repr(t.numpy())
    with pytest.raises(RuntimeError, match=r"Use tensor\.detach\(\)\.numpy\(\)"):
        np.array_repr(gradkit.ones(2, requires_grad=True))


def test_foreign_operand_is_asked_in_turn():
    class Foreign:
        __array_priority__ = 0

        def __array_ufunc__(self, ufunc, method, *inputs, **keywords):
            return "foreign"

    assert np.add(gradkit.ones(2), Foreign()) == "foreign"


# -- conversion
@pytest.mark.cpu  # NumPy sees no other memory
def test_asarray_shares_memory():
    t = gradkit.ones(2)
    np.asarray(t)[0] = 5
    assert t.tolist() == [5, 1]
    assert np.array(t, dtype="float64").dtype == np.float64


@pytest.mark.parametrize("call", [
    np.asarray, np.array, lambda t: np.array([t, t]), lambda t: np.zeros(2).__setitem__(slice(None), t),
])  # fmt: skip
def test_conversion_of_what_requires_grad_raises(call):
    with pytest.raises(RuntimeError, match=r"Can't call numpy\(\) on Tensor that requires grad"):
        call(gradkit.ones(2, requires_grad=True))


def test_array_of_tensors_is_stacked_with_history():
    x = gradkit.tensor(2.0, requires_grad=True)
    gnp.array([[x, 3 * x], [1.0, x * x]]).sum().backward()
    assert x.grad.item() == 1 + 3 + 4


def test_a_program_written_for_numpy_has_a_gradient():
    def loss(w, x):
        hidden = np.tanh(x @ w)
        return np.mean((np.concatenate([hidden, x], axis=1) - np.max(hidden, axis=0).sum()) ** 2) + np.linalg.norm(w)

    rng = np.random.default_rng(0)
    w, x, d = rng.standard_normal((3, 2)), rng.standard_normal((5, 3)), rng.standard_normal((3, 2))
    slope = (gradkit.func.grad(loss)(w, x) * d).sum()
    assert slope == pytest.approx((loss(w + 1e-6 * d, x) - loss(w - 1e-6 * d, x)) / 2e-6, rel=1e-7)
