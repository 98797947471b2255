"""gradkit.numpy beside NumPy: each line of the tables below is a call that both must answer alike."""

import inspect
import warnings

import numpy as np
import pytest

import gradkit
import gradkit.numpy as gnp
from gradkit.numpy import elementwise

DTYPES = ["bool", "uint8", "int32", "int64", "float16", "float32", "float64", "complex64", "complex128"]
TOLERANCE = {"float16": 4e-3, "float32": 1e-5, "complex64": 1e-5}


# -- operands ----------------------------------------------------------------------------------------------------------
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
    shapes = {"x": (3, 4), "y": (3, 4), "t": (2, 3, 4), "v": (4,), "w": (4,), "s": (4, 4), "z": (1, 3, 1), "u": (3,), "c": ()}
    made = {name: sample(shape, dtype, seed) for seed, (name, shape) in enumerate(shapes.items())}
    nan = made["x"].copy()
    if nan.dtype.kind == "f":
        nan[0, 1] = nan[2, 3] = np.nan
    made["n"] = nan
    made["spd"] = made["s"] @ made["s"].T + 4 * np.eye(4, dtype=made["s"].dtype) if nan.dtype.kind in "fc" else made["s"]
    made["i"] = np.array([[2, 0, 1, 1], [0, 0, 2, 1], [1, 2, 0, 0]])
    made["k"] = np.array([3, 0, 1])
    made["b"] = np.array([[True, False, True, True], [False, True, False, True], [True, True, False, False]])
    return made


def evaluate(call, module, values):
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        return eval(call, dict(vars(module)), values)


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
        b = np.asarray(b)
        assert (a.dtype, tuple(a.shape)) == (b.dtype, b.shape)
        np.testing.assert_allclose(np.asarray(a.array), b, rtol=rounding, atol=rounding)


def outcome(call, module, values):
    try:
        return evaluate(call, module, values), None
    except Exception as error:
        return None, error


# -- the calls -----------------------------------------------------------------------------------------------------------
REDUCTIONS = """
sum(x) | sum(t, axis=(0, -1)) | sum(x, 1, keepdims=True) | sum(x, axis=0, initial=2) | sum(x, where=b) | sum(x, axis=())
sum(x, dtype='float64') | sum(c) | prod(x) | prod(t, axis=(0, 2), keepdims=True) | prod(x, 0) | prod(x, where=b) | prod(c)
max(x) | max(t, axis=(0, 2)) | max(x, 1, keepdims=True) | max(x, initial=0, where=b) | amax(x, 0) | min(x) | amin(x, 1)
min(x, axis=-1, initial=1) | ptp(x) | ptp(x, axis=1) | mean(x) | mean(t, (0, 1)) | mean(x, axis=0, keepdims=True)
mean(x, where=b) | var(x) | var(x, 0, ddof=1) | var(t, (0, 2), correction=1, keepdims=True) | std(x) | std(x, 1, ddof=1)
all(x) | all(x, axis=0, keepdims=True) | any(x, 1) | any(x, where=b) | count_nonzero(x) | count_nonzero(x, 1, keepdims=True)
argmax(x) | argmax(x, 1) | argmin(x, axis=0, keepdims=True) | argmin(x, keepdims=True) | average(x) | average(x, 0, weights=u)
average(x, weights=y) | average(x, 1, weights=w, returned=True) | cumsum(x) | cumsum(x, 1) | cumsum(t, axis=-2) | cumprod(x)
cumprod(x, 0) | cumulative_sum(x, axis=1, include_initial=True) | cumulative_sum(v) | cumulative_prod(x, axis=0)
cumulative_prod(v, include_initial=True) | trace(s) | trace(t, 1, 0, 2) | diagonal(s) | diagonal(t, -1, 1, 2)
"""

STATISTICS = """
median(x) | median(x, axis=0) | median(t, (0, 2), keepdims=True) | quantile(x, 0.3) | quantile(x, 0.3, axis=1, keepdims=True)
quantile(x, [0.1, 0.5], axis=0) | quantile(x, 0.4, method='lower') | quantile(x, 0.4, 1, method='nearest')
quantile(x, 0.4, 1, method='higher') | quantile(x, 0.4, method='midpoint') | percentile(x, 30) | percentile(x, [20, 40], 1)
quantile(n, 0.3, axis=1) | diff(x) | diff(x, 2, 0) | diff(x, prepend=c, append=x) | ediff1d(x) | ediff1d(v, c, w)
trapezoid(x) | trapezoid(x, dx=2, axis=0) | trapezoid(x, v) | trapezoid(x, y) | nansum(n) | nansum(n, 1, keepdims=True)
nanprod(n, 0) | nanmax(n) | nanmax(n, axis=1) | nanmin(n, axis=0, keepdims=True) | nanmean(n) | nanmean(n, 1) | nanvar(n)
nanvar(n, 0, ddof=1) | nanstd(n, 1, keepdims=True) | nancumsum(n) | nancumprod(n, 1)
"""

SHAPES = """
reshape(x, (4, 3)) | reshape(x, -1) | reshape(x, (2, -1), order='F') | reshape(x, (6, 2), copy=True) | ravel(x) | ravel(x, 'F')
squeeze(z) | squeeze(z, 0) | squeeze(z, (0, -1)) | squeeze(z, 1) | expand_dims(x, 0) | expand_dims(x, (0, -1)) | expand_dims(x, 4)
transpose(x) | transpose(t, (2, 0, 1)) | permute_dims(t, (1, 0, 2)) | matrix_transpose(t) | matrix_transpose(v) | swapaxes(t, 0, -1)
moveaxis(t, 0, -1) | moveaxis(t, (0, 1), (-1, 0)) | rollaxis(t, 2) | rollaxis(t, 0, 3) | atleast_1d(c) | atleast_2d(v, c)
atleast_3d(v) | broadcast_to(v, (2, 3, 4)) | broadcast_to(v, (3,)) | broadcast_arrays(x, v, c) | flip(x) | flip(t, (0, 2))
flip(x, 1) | fliplr(x) | flipud(x) | fliplr(v) | rot90(x) | rot90(x, 2) | rot90(t, -1, (1, 2)) | roll(x, 2) | roll(x, -1, 0)
roll(x, (1, 2), (0, 1)) | roll(t, 1, (0, 2)) | roll(x, (1, 2)) | tile(v, 2) | tile(x, (2, 1, 3)) | tile(t, 2) | tile(c, 3)
pad(x, 1) | pad(x, ((1, 2), (0, 3))) | pad(x, (1, 2), constant_values=1) | pad(v, 1, constant_values=(2, 3)) | pad(x, 2, 'edge')
pad(x, 2, 'reflect') | pad(x, ((1, 2), (3, 1)), mode='symmetric') | pad(x, 5, 'wrap') | pad(x, {1: (1, 2)})
pad(x, ((1, 1), (2, 0)), constant_values=((1, 2), (3, 4))) | shape(x) | ndim(x) | size(x) | size(x, 1) | reshape(x, (5, 5))
concatenate((x, y)) | concatenate([x, s], axis=0) | concatenate((x, i), 1) | concatenate((x, v), None) | concat([x, y], axis=-1)
concatenate((x, v)) | concatenate(()) | concatenate((c, c)) | concatenate((x, i), dtype='float32') | stack([x, y])
stack((x, y), axis=-1) | stack([x, i], 1) | stack((x, v)) | vstack((x, v)) | hstack((x, y)) | hstack((v, c)) | dstack((x, y))
dstack((v, w)) | column_stack((v, w)) | column_stack((s, v)) | block([[s, s], [s, s]]) | block([v, w]) | block([[x], [v]])
append(x, y) | append(x, y, 1) | split(x, 2, 1) | split(x, 3) | split(x, 2) | split(x, [1, 3], axis=1) | array_split(x, 3, 1)
array_split(v, [1]) | hsplit(x, 2) | hsplit(v, [2]) | vsplit(x, [1]) | vsplit(v, 2) | dsplit(t, 2) | unstack(t, axis=1)
unstack(c)
"""

SEARCHING = """
where(b, x, y) | where(b, x, 0) | where(b, 1.5, x) | where(x, x, y) | where(b, x, i) | where(b) | where(b, v, u) | where(b, x)
select([b, greater(i, 1)], [x, y]) | select([b], [x], 2) | select([], []) | take(x, k) | take(x, i, 1) | take(x, 2, axis=0)
take(x, [[-1, 5]], mode='clip') | take(x, [-1, 7], 1, mode='wrap') | take(x, -1) | take(x, 99) | take_along_axis(x, i, 0)
take_along_axis(x, i, -1) | take_along_axis(x, k, None) | take_along_axis(x, k, 0) | compress([True, False, True], x, axis=0)
compress(ravel(b), x) | extract(b, x) | repeat(x, 2) | repeat(x, 2, 1) | repeat(x, k, axis=0) | delete(x, 1) | delete(x, [0, 2], 1)
delete(x, slice(0, 2), 0) | resize(x, (2, 3)) | resize(v, 10) | sort(x) | sort(x, 0) | sort(x, None) | sort(t, axis=1)
argsort(x) | argsort(x, None) | argsort(x, 0, stable=True) | partition(x, 2)[..., 2] | argpartition(x, 0, 0)[0] | nonzero(x)
flatnonzero(x) | argwhere(b) | searchsorted(sort(v), w) | searchsorted(sort(v), w, 'right') | digitize(w, sort(v)) | isin(x, v)
isin(x, v, invert=True) | lexsort((v, w)) | bincount(k) | bincount(k, minlength=7) | bincount(k, u) | unravel_index(k, (2, 2))
unique(x) | unique(i, True, True, True) | unique(i, axis=0) | sort(unique_values(i)) | unique_counts(i) | unique_inverse(i) | unique_all(i)
union1d(v, w) | setdiff1d(v, w) | intersect1d(v, w) | intersect1d(k, i, return_indices=True)
"""

NUMERIC = """
clip(x, 0.3, 0.6) | clip(x, 1, 3) | clip(x, None, 0.5) | clip(x, u[0], None) | clip(x, v, y) | clip(x, min=0.2) | clip(x, max=v)
clip(x, i, 3) | clip(x, 1, 2, min=3) | round(x) | round(x, 1) | around(x, 2) | fix(x) | nan_to_num(n) | nan_to_num(n, nan=2.0)
sinc(x) | i0(x) | unwrap(x * 9) | unwrap(x * 9, axis=0, period=2.0) | real(x) | imag(x) | angle(x) | angle(x, deg=True)
iscomplexobj(x) | isrealobj(x) | isclose(x, y) | isclose(n, n, equal_nan=True) | isposinf(x) | isneginf(x) | isreal(x)
iscomplex(x) | allclose(x, x) | allclose(x, y) | array_equal(x, x) | array_equal(x, v) | array_equiv(x, x)
"""

PRODUCTS = """
matmul(x, s) | matmul(v, s) | matmul(s, w) | matmul(v, w) | matmul(t, s) | matmul(x, x) | matmul(x, i.T) | matmul(x, c)
vecdot(x, y) | vecdot(x, v) | vecdot(x, y, axis=0) | matvec(t, v) | vecmat(v, s) | dot(x, s) | dot(v, w) | dot(x, c) | dot(t, s)
dot(t, t.T) | dot(x, y) | inner(x, y) | inner(x, v) | inner(c, x) | vdot(x, y) | outer(v, u) | outer(x, v) | outer(x, i)
tensordot(x, s, 1) | tensordot(x, y) | tensordot(x, s, 0) | tensordot(t, x, ([1, 2], [0, 1])) | tensordot(t, x, (-1, 1))
tensordot(x, y, 1) | kron(x, s) | kron(v, x) | kron(c, v) | cross(x[:, :3], u) | cross(s[:3], y, axis=0) | cross(u, u) | cross(v, w)
"""

CREATION = """
zeros_like(x) | ones_like(x, dtype='int8') | empty_like(x, shape=(0, 2)) | full_like(x, 1) | full_like(x, 2.0, shape=(2,))
zeros((2, 3)) | ones(3) | ones((2,), dtype='int16') | empty((0, 2)) | full((2, 3), 2.5) | full(2, 1) | full((2, 4), v) | eye(3)
eye(2, 3, k=1) | identity(2) | arange(5) | arange(1, 2, 0.25) | arange(3.0) | linspace(0, 1, 5) | linspace(0, 1, 5, endpoint=False)
linspace(c, 3, 4) | linspace(v, w, 3, axis=-1) | linspace(0, 1, 3, retstep=True) | linspace(0, 9, 3, dtype='int64')
logspace(0, 2, 3) | geomspace(1, 8, 4) | meshgrid(u, v) | meshgrid(u, v, indexing='ij') | meshgrid(u, v, w, sparse=True)
meshgrid(c, v) | meshgrid(u, v, indexing='ab') | diag(v) | diag(v, 2) | diag(s, -1) | diag(t) | diagflat(x, 1) | tri(3, 4, 1) | tril(s) | tril(t, -1)
triu(x, 1) | triu(v) | vander(v) | vander(v, 3, increasing=True) | vander(x) | indices((2, 3)) | tril_indices(3) | triu_indices(3, 1)
diag_indices(3) | hamming(5) | hanning(5) | blackman(5) | bartlett(5) | kaiser(5, 14.0) | copy(x) | astype(x, 'float32')
array([v, w]) | asarray([[1, 2]]) | array(v, ndmin=3) | asarray(x, dtype='complex128') | array([c, c])
"""

TABLES = {
    "reductions": REDUCTIONS, "statistics": STATISTICS, "shapes": SHAPES, "searching": SEARCHING, "numeric": NUMERIC,
    "products": PRODUCTS, "creation": CREATION,
}  # fmt: skip
CALLS = [call.strip() for table in TABLES.values() for line in table.strip().splitlines() for call in line.split(" | ")]


# -- values and dtypes ---------------------------------------------------------------------------------------------------
def alike(call, dtype):
    arrays = operands(dtype)
    theirs, refused = outcome(call, np, arrays)
    ours, error = outcome(call, gnp, {name: gradkit.as_tensor(a.copy()) for name, a in arrays.items()})
    if refused is not None:
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
            calls = [(module, [convert(a) for a in arrays]) for module, convert in ((np, np.asarray), (gnp, gradkit.as_tensor))]
            (theirs, refused), (ours, error) = [outcome(f"{name}(*operands)", m, {"operands": a}) for m, a in calls]
            assert (refused is None) == (error is None), f"{dtype}, {other}: NumPy {refused!r}, gradkit {error!r}"
            if refused is None:
                check_alike(ours, theirs, 4e-3 if "float16" in (dtype, other) else 2e-6)


NUMBERS = [True, 2, 2.5, 1 + 2j]


@pytest.mark.parametrize("number", NUMBERS)
@pytest.mark.parametrize("name", ["add", "subtract", "multiply", "divide", "power", "maximum", "arctan2", "floor_divide"])
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
        np.testing.assert_allclose(np.asarray(a.array), b, rtol=1e-14, atol=1e-15)
        both = ~np.isnan(b.astype(float)) & (b == 0)
        np.testing.assert_array_equal(np.signbit(a.array[both].astype(float)), np.signbit(b[both].astype(float)))


def test_numbers_that_do_not_fit_raise():
    with pytest.raises(OverflowError):
        gnp.add(gradkit.tensor([1], dtype=gradkit.uint8), 300)
    assert gnp.less(gradkit.tensor([1], dtype=gradkit.uint8), 300).tolist() == [True]


# -- derivatives -----------------------------------------------------------------------------------------------------------
def total(answer, weights):
    """One number made of all floating results."""
    tensors = [one for one in leaves(answer) if isinstance(one, gradkit.Tensor)]
    floating = [gnp.real(one) for one in tensors if one.dtype in (gradkit.float64, gradkit.complex128)]
    return [gnp.sum(one * gradkit.as_tensor(weights[: one.numel()].reshape(one.shape))) for one in floating]


#: Answers that a derivative does not pass through: constants, places, and steps whose derivative is 0.
CONSTANT = {
    "all", "any", "count_nonzero", "argmax", "argmin", "argsort", "argpartition", "nonzero", "flatnonzero", "argwhere",
    "searchsorted", "digitize", "isin", "lexsort", "unravel_index", "isclose", "isposinf", "isneginf", "isreal", "iscomplex",
    "allclose", "array_equal", "array_equiv", "iscomplexobj", "isrealobj", "shape", "ndim", "size", "zeros_like", "ones_like",
    "empty_like", "full_like", "imag", "bincount", "unique_counts", "intersect1d",
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
        assert call.partition("(")[0] in CONSTANT, f"{call} lost the derivative"
        return
    leaf = [tracked[name] for name in sorted(names_in(call))]
    found = gradkit.autograd.grad(sum(parts), leaf, allow_unused=True)
    directions = [np.random.default_rng(8).standard_normal(x.shape) for x in leaf]
    slope = sum(float((g.array * d).sum()) for g, d in zip(found, directions) if g is not None)

    def moved(by):
        there = {**tracked, **{n: gradkit.as_tensor(tracked[n].array + by * d) for n, d in zip(sorted(names_in(call)), directions)}}
        return sum(part.item() for part in total(evaluate(call, gnp, there), weights))

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


# -- NumPy's own functions on tensors --------------------------------------------------------------------------------------
NO_DISPATCH = {"asarray", "array", "zeros", "ones", "empty", "full", "eye", "identity", "arange", "tri", "indices"}


@pytest.mark.parametrize("call", [call for call in CALLS if names_in(call) and call.partition("(")[0] not in NO_DISPATCH])
def test_numpy_dispatches_here(call):
    tensors = {name: gradkit.as_tensor(a) for name, a in operands("float32").items()}
    ours, error = outcome(call, gnp, tensors)
    theirs, refused = outcome(call, np, tensors)
    assert type(error) is type(refused)
    for a, b in zip(leaves(ours), leaves(theirs)):
        assert type(a) is type(b)
        if isinstance(a, gradkit.Tensor):
            np.testing.assert_array_equal(a.array, b.array)
            assert a.dtype == b.dtype


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
