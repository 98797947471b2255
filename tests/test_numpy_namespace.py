"""gradkit.numpy beside NumPy: each line of the tables below is a call that both must answer alike."""

import inspect
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest

import gradkit
import gradkit.numpy as gnp
from gradkit.engine.operands import tensor_xp
from gradkit.numpy import elementwise
from tests.unasked import skip_unasked

DTYPES = ["bool", "uint8", "int32", "int64", "float16", "float32", "float64", "complex64", "complex128"]
TOLERANCE = {"float16": 4e-3, "float32": 1e-5, "complex64": 1e-5}


# -- operands
def sample(shape, dtype, seed):
    rng = np.random.default_rng(seed)
    dtype = np.dtype(dtype)
    if dtype.kind == "b":
        return rng.random(shape) > 0.5
    if dtype.kind in "iu":
        return rng.integers(1, 5, shape).astype(dtype)
    x = rng.permutation(np.linspace(0.1, 0.9, int(np.prod(shape)))).reshape(shape) + 0.01 * seed
    return (x + 1j * rng.uniform(0.1, 0.9, shape) if dtype.kind == "c" else x).astype(dtype)


def operands(dtype):
    """What the calls in the tables name: of the dtype under test, and of integers and bools."""
    vectors = {"v": (4,), "w": (4,), "u": (3,), "c": ()}
    shapes = {"x": (3, 4), "y": (3, 4), "t": (2, 3, 4), "s": (4, 4), "z": (1, 3, 1), **vectors}
    made = {name: sample(shape, dtype, seed) for seed, (name, shape) in enumerate(shapes.items())}
    nan = made["x"].copy()
    if nan.dtype.kind == "f":
        nan[0, 1] = nan[2, 3] = np.nan
    made["n"] = nan
    made["p"] = made["s"] @ made["s"].T.conj() + 4 * np.eye(4, dtype=made["s"].dtype)
    made["i"] = np.array([[2, 0, 1, 1], [0, 0, 2, 1], [1, 2, 0, 0]])
    made["k"] = np.array([3, 0, 1])
    made["b"] = np.array([[True, False, True, True], [False, True, False, True], [True, True, False, False]])
    return made


def evaluate(call, module, values):
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        return eval(call, {name: getattr(module, name) for name in dir(module)}, values)


def leaves(answer):
    """The arrays of an answer, which may be a tuple of them."""
    return [one for part in answer for one in leaves(part)] if isinstance(answer, tuple | list) else [answer]


def check_alike(ours, theirs, rounding):
    ours, theirs = leaves(ours), leaves(theirs)
    assert len(ours) == len(theirs)
    for a, b in zip(ours, theirs):
        if not isinstance(a, gradkit.Tensor):
            assert a == b
            continue
        a, b = np.asarray(a), np.asarray(b)
        assert (a.dtype, a.shape) == (b.dtype, b.shape)
        if b.dtype.kind == "c" and gradkit.get_default_device().type == "cuda":  # whose quotients by 0 are nan, not inf
            a, b = a[np.isfinite(b)], b[np.isfinite(b)]
        np.testing.assert_allclose(a, b, rtol=rounding, atol=rounding)


def outcome(call, module, values):
    try:
        return evaluate(call, module, values), None
    except Exception as error:
        return None, error


# -- the calls
ROOT = Path(__file__).resolve().parents[1]
TABLE = Path(__file__).with_name("numpy_calls.txt").read_text(encoding="utf-8").splitlines()
CALLS = [call.strip() for line in TABLE if line and not line.startswith("#") for call in line.split(" | ")]


# -- values and dtypes
def alike(call, dtype):
    arrays = operands(dtype)
    theirs, refused = outcome(call, np, arrays)
    ours, error = outcome(call, gnp, {name: gradkit.as_tensor(a.copy()) for name, a in arrays.items()})
    if refused is not None:
        if error is None:
            skip_unasked(refused)
        assert error is not None, f"{call} on {dtype}: NumPy raises {refused!r}"
        return
    if error is not None:
        raise error
    check_alike(ours, theirs, TOLERANCE.get(dtype, 1e-12))


@pytest.mark.parametrize("call", CALLS)
def test_answers_as_numpy_does(call):
    for dtype in DTYPES:
        alike(call, dtype)


UFUNCS = [(name, getattr(gnp, name).ufunc) for name in elementwise.__all__]


@pytest.mark.parametrize(("name", "ufunc"), UFUNCS, ids=[name for name, _ in UFUNCS])
def test_ufunc_promotes_as_numpy_does(name, ufunc):
    kinds = [*DTYPES, "int8", "uint64"]
    for dtype in kinds:
        for other in kinds if ufunc.nin == 2 else kinds[:1]:
            arrays = [sample((3, 4), dtype, 0), sample((4,), other, 1)][: ufunc.nin]
            theirs, refused = outcome(f"{name}(*given)", np, {"given": arrays})
            ours, error = outcome(f"{name}(*given)", gnp, {"given": [gradkit.as_tensor(a) for a in arrays]})
            assert (refused is None) == (error is None), f"{dtype}, {other}: NumPy {refused!r}, gradkit {error!r}"
            if refused is None:
                check_alike(ours, theirs, 4e-3 if "float16" in (dtype, other) else 2e-6)


NUMBERS = [True, 2, 2.5, 1 + 2j]


@pytest.mark.parametrize("number", NUMBERS)
@pytest.mark.parametrize("name", ["add", "subtract", "multiply", "divide", "power", "maximum", "arctan2", "remainder"])
def test_python_numbers_are_weak(name, number):
    for dtype in DTYPES:
        x = sample((3,), dtype, 0)
        for left in (True, False):
            call = f"{name}(x, number)" if left else f"{name}(number, x)"
            theirs, refused = outcome(call, np, {"x": x, "number": number})
            ours, error = outcome(call, gnp, {"x": gradkit.as_tensor(x), "number": number})
            assert (refused is None) == (error is None), f"{dtype}: NumPy {refused!r}, gradkit {error!r}"
            if refused is None:
                check_alike(ours, theirs, 4e-3 if dtype == "float16" else 2e-6)


EDGES = np.array([-np.inf, -2.5, -1.0, -0.5, -0.0, 0.0, 0.5, 1.0, 1.5, 2.5, np.inf, np.nan])


@pytest.mark.parametrize(("name", "ufunc"), UFUNCS, ids=[name for name, _ in UFUNCS])
def test_ufunc_agrees_at_the_edges(name, ufunc):
    arrays = [EDGES[:, None], EDGES][: ufunc.nin]
    with np.errstate(all="ignore"):
        try:
            theirs = leaves(ufunc(*arrays))
        except TypeError:
            pytest.fail(f"{name} is for integers: give it edges of its own") if "d->" in str(ufunc.types) else None
            return
        ours = leaves(getattr(gnp, name)(*[gradkit.as_tensor(a) for a in arrays]))
    for a, b in zip(ours, theirs):
        a = np.asarray(a.numpy(force=True))
        np.testing.assert_allclose(a, b, rtol=1e-14, atol=1e-15)
        both = ~np.isnan(b.astype(float)) & (b == 0)
        np.testing.assert_array_equal(np.signbit(a[both].astype(float)), np.signbit(b[both].astype(float)))


def test_numbers_that_do_not_fit_raise():
    with pytest.raises(OverflowError):
        gnp.add(gradkit.tensor([1], dtype=gradkit.uint8), 300)
    assert gnp.less(gradkit.tensor([1], dtype=gradkit.uint8), 300).tolist() == [True]


# -- derivatives
def total(answer, weights):
    """One number made of all floating results."""
    tensors = [one for one in leaves(answer) if isinstance(one, gradkit.Tensor)]
    floating = [gnp.real(one) for one in tensors if one.dtype in (gradkit.float64, gradkit.complex128)]
    return [gnp.sum(one * gradkit.as_tensor(weights[: one.numel()].reshape(one.shape))) for one in floating]


#: Answers that a derivative does not pass through: constants, places, and steps whose derivative is 0.
CONSTANT = {
    "all", "any", "count_nonzero", "argmax", "argmin", "argsort", "argpartition", "nonzero", "flatnonzero",
    "argwhere", "searchsorted", "digitize", "isin", "lexsort", "unravel_index", "isclose", "isposinf", "isneginf",
    "isreal", "iscomplex", "allclose", "array_equal", "array_equiv", "iscomplexobj", "isrealobj", "shape", "ndim",
    "size", "zeros_like", "ones_like", "empty_like", "full_like", "imag", "bincount", "unique_counts", "intersect1d",
    "linalg.matrix_rank", "linalg.matrix_power(s, 0)",
}  # fmt: skip


def names_in(call):
    return {name for name in operands("float64") if name in compile(call, "", "eval").co_names} - {"i", "k", "b", "n"}


@pytest.mark.parametrize("call", [call for call in CALLS if names_in(call)])
def test_derivative_matches_difference(call):
    arrays = operands("float64")
    if outcome(call, np, arrays)[1] is not None:
        return
    tracked = {name: gradkit.tensor(a, requires_grad=name in names_in(call)) for name, a in arrays.items()}
    weights = np.random.default_rng(7).uniform(0.5, 1.5, 1000)
    parts = total(evaluate(call, gnp, tracked), weights)
    if "float32" in call:  # too coarse for a difference
        return
    if not any(part.requires_grad for part in parts):
        assert {call, call.partition("(")[0]} & CONSTANT, f"{call} lost the derivative"
        return
    names = sorted(names_in(call))
    found = gradkit.autograd.grad(sum(parts), [tracked[name] for name in names], allow_unused=True)
    directions = [np.random.default_rng(8).standard_normal(tracked[name].shape) for name in names]
    slope = sum(float((g.numpy() * d).sum()) for g, d in zip(found, directions) if g is not None)

    def moved(by):
        there = {name: gradkit.as_tensor(arrays[name] + by * d) for name, d in zip(names, directions)}
        return sum(part.item() for part in total(evaluate(call, gnp, {**tracked, **there}), weights))

    step = 1e-6
    assert slope == pytest.approx((moved(step) - moved(-step)) / (2 * step), rel=1e-5, abs=1e-6)


@pytest.mark.parametrize(("name", "ufunc"), UFUNCS, ids=[name for name, _ in UFUNCS])
def test_ufunc_is_differentiable_or_says_so(name, ufunc):
    loops = [loop for loop in ufunc.types if loop[0] == "d" == loop[-1]]
    if not loops:
        return
    start = 1.3 if name in ("arccosh", "acosh") else 0.3
    x = gradkit.tensor([start], dtype=gradkit.float64, requires_grad=True)
    operands = [x if kind == "d" else gradkit.tensor([2]) for kind in loops[0][: ufunc.nin]]
    if name in ("nextafter", "spacing", "frexp"):
        with pytest.raises(TypeError, match=f"not differentiable yet: np.{name}"):
            getattr(gnp, name)(*operands)
        return
    results = leaves(getattr(gnp, name)(*operands))
    assert all(result.requires_grad for result in results)


# -- batch axes
def batched(call):
    """The operand that a call is given two samples of, if any."""
    names = compile(call, "", "eval").co_names
    return next((name for name in ("x", "t", "s", "v", "c", "n", "z", "p") if name in names), None)


@pytest.mark.parametrize("call", [call for call in CALLS if batched(call)])
def test_vmap_equals_a_loop(call):
    arrays, name = operands("float64"), batched(call)
    if outcome(call, np, arrays)[1] is not None:
        return
    tensors = {key: gradkit.as_tensor(a) for key, a in arrays.items()}
    two = [tensors[name], gradkit.as_tensor(2 * arrays[name])]
    loop = [leaves(evaluate(call, gnp, {**tensors, name: one})) for one in two]
    if not all(isinstance(answer, gradkit.Tensor) for answer in loop[0]):
        return
    try:
        ours = gradkit.func.vmap(lambda one: tuple(leaves(evaluate(call, gnp, {**tensors, name: one}))))(gnp.stack(two))
    except RuntimeError as refused:
        assert "vmap" in str(refused)
        return
    for a, pair in zip(ours, zip(*loop)):
        np.testing.assert_allclose(a.numpy(force=True), np.stack([b.numpy(force=True) for b in pair]), rtol=1e-10, atol=1e-12)


# -- the namespace
FUNCTIONS = [name for name in dir(gnp) if inspect.isfunction(getattr(gnp, name)) and hasattr(np, name)]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_parameters_are_numpys(name):
    ours = list(inspect.signature(getattr(gnp, name)).parameters.values())
    if any(p.kind is p.VAR_POSITIONAL for p in ours):
        return
    theirs = [p.name for p in inspect.signature(getattr(np, name)).parameters.values()]
    mine = [p.name for p in ours if p.kind is not p.VAR_KEYWORD]
    assert [name for name in mine if name in theirs][: len(theirs)] == [name for name in theirs if name in mine]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_function_is_documented_by_example(name):
    assert ">>>" in (getattr(gnp, name).__doc__ or "")


def test_importing_gradkit_loads_no_topic():
    source = "import sys, gradkit; print(*[name for name in sys.modules if name.startswith('gradkit.numpy.')])"
    done = subprocess.run([sys.executable, "-c", source], cwd=ROOT, check=True, capture_output=True, text=True)
    assert set(done.stdout.split()) <= {"gradkit.numpy.standard", "gradkit.numpy.calling", "gradkit.numpy.sharing"}


def test_every_name_is_there():
    assert [name for name in dir(gnp) if not hasattr(gnp, name)] == []
    with pytest.raises(AttributeError, match="no attribute 'no_such_name'"):
        gnp.no_such_name  # noqa: B018


def test_rules_find_rows_before_functions_that_promote():
    rows = {"sin", "exp", "where", "sum", "maximum", "matmul", "reshape", "logical_not"}
    assert {name for name in rows if getattr(tensor_xp, name) is getattr(gnp, name)} == set()
    assert tensor_xp.cumulative_sum is gnp.cumulative_sum
    with pytest.raises(AttributeError, match="neither a primitive nor a function"):
        tensor_xp.no_such_name  # noqa: B018
