"""Names of torch's that have no story of their own: each call is made in both libraries, and answers alike."""

import warnings

import numpy as np
import pytest

import gradkit

CALLS = [
    "lib.is_tensor(x), lib.is_tensor(1)", "lib.numel(x)", "x.is_signed()", "x.is_same_size(y)", "x.get_device()",
    "x.is_cpu, x.is_sparse, x.is_quantized, x.is_meta", "x[1:, 1].storage_offset()", "x.t().storage_offset()",
    "lib.can_cast(lib.float64, lib.float32), lib.can_cast(lib.float32, lib.int64), lib.can_cast(lib.int64, lib.uint8)",
    "lib.logspace(0, 2, 5)", "lib.logspace(0, 3, 4, base=2)", "lib.scalar_tensor(2)", "lib.pi, lib.e, lib.inf, lib.newaxis",
    "lib.frombuffer(bytearray(b'abcd'), dtype=lib.int16, offset=2)", "lib.FloatTensor([1, 2])", "lib.FloatTensor(lib.ones(2))",
    "lib.FloatTensor(lib.zeros(2, 3).shape).shape == (2, 3)", "lib.LongTensor(2, 3).shape == (2, 3)",
    "isinstance(x, lib.FloatTensor), isinstance(x, lib.DoubleTensor)", "lib.LongTensor([[1]]).dtype == lib.int64",
    "lib.finfo(lib.float16).eps, lib.finfo(lib.float64).max, lib.finfo().bits, lib.iinfo(lib.int16).min",
    "lib.gcd(i, k)", "lib.lcm(i, k)", "i.gcd(k)", "lib.isin(i, k)", "lib.isin(i, 3, invert=True)", "lib.isin(2, i)",
    "lib.unravel_index(lib.tensor([5, 0, 11]), (3, 4))", "lib.combinations(i)", "lib.combinations(i, 3, True)",
    "lib.hann_window(7)", "lib.hann_window(6, periodic=False, dtype=lib.float64)", "lib.hamming_window(7, True, 0.6)",
    "lib.blackman_window(7)",
     "lib.bartlett_window(6, False)", "lib.kaiser_window(7, True, 3.0)", "lib.hann_window(1)", "lib.hann_window(0)",
    "lib.quantile(x, 0.3)", "lib.quantile(x, 0.3, dim=0)", "x.quantile(lib.tensor([0.1, 0.6]), 1, True)",
     "lib.quantile(x, 1.0, keepdim=True)",
    *[f"lib.quantile(x, lib.tensor([0.3, 0.5]), dim=1, interpolation='{how}')" for how in ("lower", "higher", "midpoint", "nearest")],
    "lib.quantile(n, 0.5, dim=1)", "lib.nanquantile(n, 0.4, dim=1)", "lib.nanquantile(n, 0.4)", "n.nanquantile(0.4, dim=0, keepdim=True)",
    "lib.histc(x, 4, -1, 1)", "x.histc(5)", "lib.histogram(x, 4, range=(-1.0, 1.0))", "lib.histogram(x, lib.tensor([-1.0, 0.0, 2.0]))",
    "lib.histogram(x, 3, weight=y, density=True).hist", "lib.ldexp(x, k[:4])", "lib.frexp(x)", "lib.frexp(lib.tensor([0.0, -8.0]))",
    "lib.mvlgamma(x.abs() + 2, 3)", "lib.select_scatter(x, y[0], 0, 1)", "lib.slice_scatter(x, y[:, :2], 1, 0, 4, 2)",
    "x.diagonal_scatter(y[0, :3], 1)", "x.narrow_copy(1, 1, 2)", "lib.fill(x, 2)", "lib.renorm(x, 2, 0, 0.5)", "x.renorm(1.0, 1, 0.5)",
    "lib.as_strided(x, (2, 2), (1, 3), 1)", "lib.vander(i)", "lib.vander(x[0], 2, increasing=True)", "lib.pdist(x)",
    "lib.special.entr(x)", "lib.special.xlog1py(x, y.abs())", "lib.special.expit(x)", "lib.special.gammaln(y.abs())",
    "lib.special.multigammaln(x.abs() + 2, 2)", "lib.special.psi(y.abs())", "lib.special.ndtr(x)", "lib.special.log_ndtr(x)",
    "lib.special.i0e(x)", "lib.special.i1(x)", "lib.special.i1e(x)", "lib.special.erfcx(x)", "lib.special.softmax(x, 1)",
    "lib.abs_(-y)", "lib.sigmoid_(x.clone())", "lib.relu_(x.clone())", "lib.special.ndtri(x.sigmoid())",
    "lib.linalg.vander(x[0])", "lib.linalg.vander(x, N=3)", "lib.linalg.vander(i, N=2)", "lib.broadcast_shapes((2, 1), (3,)) == (2, 3)",
    "lib.linalg.tensorsolve(s.reshape(2, 2, 4), y[0].reshape(2, 2))", "lib.linalg.tensorinv(s.reshape(2, 2, 4), 2)",
    "lib.linalg.tensorinv(s.reshape(4, 2, 2), ind=1)",
    "lib.is_inference(x)", "lib.autograd.Variable(x, requires_grad=True).requires_grad", "(x > 0).byte()", "(x > 0).char()",
    "lib.rrelu(x, 0.1, 0.3)", "lib.selu_(x.clone())", "lib.threshold_(x.clone(), 0.1, 2.0)",
    # a list that holds something else than numbers is the key that its items make
    "x[[[0, 1], [1, 0]]]", "x[[1, slice(None)]]", "x[[slice(None), [0, 1]]]", "x[[0, None]]", "x[[..., 0]]", "x[[0, [1, 2]]]",
    "x[[lib.tensor([0, 1]), lib.tensor([1, 2])]]", "x[[lib.tensor(0), lib.tensor(1)]]", "x[[0, 1]]", "x[[True, False, True]]",
    "x[([0, 1], [1, 0])]", "x[[[0, 1], [1, 0]],]",
    # every argument by its name
    "lib.zeros(size=(2, 3))", "lib.ones(size=(2,), dtype=lib.int64)", "lib.empty(size=(2, 0))", "lib.rand(size=(2, 0))",
    "lib.randn(size=(0,))", "lib.randint(high=1, size=(2,))", "x.new_zeros(size=(2,))", "x[:1].expand(size=(2, 4))",
    "x.repeat(repeats=(1, 2))", "x.tile(dims=(2,))", "lib.tile(x, dims=(2, 1))", "x.flip(dims=(1,))", "lib.flip(input=x, dims=[0])",
    "x.swapaxes(axis0=0, axis1=1)", "x.split(split_size=2)", "lib.split(x, split_size_or_sections=2)", "lib.det(input=s)",
    "lib.slogdet(input=s)", "lib.matrix_power(input=s, n=2)", "lib.linalg.norm(input=x)", "lib.linalg.det(A=s)",
    "lib.isnan(input=n)", "lib.isfinite(input=n)", "lib.logical_not(input=x)", "lib.zeros(lib.tensor(2), 3)", "lib.ones(lib.tensor(2))",
    "lib.asarray(obj=[1, 2])", "lib.asarray([1.0], requires_grad=True).requires_grad", "lib.arange(end=4)",
    # NumPy's integers where Python's may stand
    *[call.replace("ONE", integer) for integer in ("np.int64(1)", "np.int32(1)") for call in (
        "x.sum(ONE)", "x.mean(dim=ONE)", "x.sum((ONE,))", "x.max(ONE)", "x.amax(ONE)", "x.argmax(ONE)", "x.softmax(ONE)", "x.cumsum(ONE)",
        "x.squeeze(ONE)", "x.unsqueeze(ONE)", "x.std(ONE)", "x.logsumexp(ONE)", "x.any(ONE)", "x.prod(ONE)", "x.quantile(0.5, ONE)",
        "x.movedim(0, ONE)", "x.roll(ONE, ONE)", "lib.arange(ONE)", "x.clone().fill_(ONE)", "x.aminmax(dim=ONE)",
        "lib.nn.Conv2d(1, 1, ONE).weight.shape == (1, 1, 1, 1)", "lib.nn.functional.max_pool2d(x[None], ONE)", "x.transpose(0, ONE)",
        "x.reshape(ONE, -1)", "lib.zeros(ONE, 2)", "x[ONE]", "x.narrow(0, ONE, ONE)", "x.repeat(ONE, 2)", "lib.full((ONE,), 2.0)",
    )],
    "x.sum(lib.tensor(1))", "x.std(lib.tensor(0))", "x.movedim(0, lib.tensor(1))",
]  # fmt: skip


def operands(library):
    return {
        "lib": library,
        "x": library.tensor([[0.5, -1.0, 0.75, 0.25], [0.125, 1.5, -0.5, 2.0], [1.0, -0.25, 0.375, -2.0]]),
        "y": library.tensor([[1.5, 0.25, 3.0, 1.0], [0.5, 2.0, 0.75, 1.25], [2.5, 0.125, 1.0, 4.0]]),
        "n": library.tensor([[0.5, float("nan"), 1.0, 3.0], [2.0, 1.0, 0.0, 5.0], [float("nan")] * 4]),
        "s": library.tensor([[2.0, 0.5, 0.0, 1.0], [0.25, 3.0, 1.0, 0.0], [1.0, 0.0, 2.0, 0.5], [0.0, 1.0, 0.25, 4.0]]),
        "i": library.tensor([12, -7, 3, 10]),
        "k": library.tensor([18, 3, 0, 4]),
        "np": np,
    }


def plain(answer):
    """An answer without its library: nested numbers, with the dtypes of tensors."""
    if isinstance(answer, tuple | list):
        return [plain(part) for part in answer]
    if hasattr(answer, "tolist"):
        return [answer.dtype.name if hasattr(answer.dtype, "name") else str(answer.dtype)[6:], answer.tolist()]
    return answer


def close(a, b):
    if isinstance(a, list):
        return isinstance(b, list) and len(a) == len(b) and all(map(close, a, b))
    if isinstance(a, float) and isinstance(b, float):
        return a == pytest.approx(b, rel=2e-5, abs=1e-6, nan_ok=True)
    return a == b


@pytest.mark.parametrize("call", CALLS)
def test_answers_as_torch_does(call, torch, device):
    import importlib

    if device == "cuda" and ("get_device" in call or "is_cpu" in call):
        pytest.skip("PyTorch's tensors are on the CPU here, ours are not")

    importlib.import_module("gradkit.special")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found, expected = [plain(eval(call, operands(library))) for library in (gradkit, torch)]
    assert close(found, expected), (found, expected)


ERRORS = [
    ("lib.tensor(None)", RuntimeError), ("lib.tensor([[1], [None]])", RuntimeError), ("lib.tensor(['a'])", ValueError),
    ("lib.tensor('a')", TypeError), ("lib.tensor({})", RuntimeError), ("lib.tensor([[1, 2], [3]])", ValueError),
    ("x.permute(0)", RuntimeError), ("lib.zeros(1).expand(3).add_(1)", RuntimeError),
    ("lib.zeros(1).expand(3).copy_(lib.ones(3))", RuntimeError), ("lib.isin(1, 2)", TypeError),
    ("lib.quantile(i, 0.5)", RuntimeError), ("lib.quantile(x, 1.5)", RuntimeError), ("lib.quantile(x, lib.ones(1, 1))", RuntimeError),
    ("lib.quantile(x, 0.5, interpolation='none')", RuntimeError), ("lib.quantile(x, lib.tensor([0.5]).double())", RuntimeError),
    ("lib.histc(i)", NotImplementedError), ("lib.FloatTensor(3.5)", TypeError),
    ("lib.FloatTensor(lib.ones(2, dtype=lib.float64))", TypeError), ("lib.ones_like(3.0)", TypeError),
    ("lib.tensor([1j], dtype=lib.float32)", TypeError), ("lib.tensor(1j, dtype=lib.int32)", TypeError),
    ("lib.histc(x, 0)", RuntimeError), ("lib.histc(x, 3, 2, 1)", RuntimeError),
    ("lib.gcd(x, x)", NotImplementedError), ("lib.combinations(x)", RuntimeError), ("lib.combinations(i, -1)", RuntimeError),
    ("lib.unravel_index(x, (3, 4))", TypeError), ("lib.hann_window(-1)", RuntimeError),
     ("lib.hann_window(3, dtype=lib.int64)", RuntimeError),
    ("lib.select_scatter(x, y, 0, 1)", RuntimeError), ("lib.renorm(x, 0, 0, 1.0)", RuntimeError),
     ("lib.renorm(x, 1, 0, -1.0)", RuntimeError),
    ("lib.as_strided(x, (5, 5), (1, 4))", RuntimeError), ("lib.vander(x)", RuntimeError), ("lib.mvlgamma(x, 0)", RuntimeError),
    ("lib.frexp(i)", RuntimeError), ("lib.finfo(lib.int64)", TypeError), ("lib.iinfo(lib.float32)", TypeError),
    ("lib.frombuffer(b'ab', dtype=lib.int32)", ValueError), ("x.__delitem__(0)", TypeError),
    # numbers that a dtype does not hold, and data that no dtype holds
    ("lib.tensor(2**63)", ValueError), ("lib.tensor([2**70])", ValueError), ("lib.tensor([300], dtype=lib.uint8)", RuntimeError),
    ("lib.tensor(float('nan'), dtype=lib.int64)", RuntimeError), ("lib.tensor([1e40], dtype=lib.int32)", RuntimeError),
    ("lib.tensor(-300, dtype=lib.uint8)", RuntimeError), ("lib.tensor([1, [2]])", TypeError), ("lib.tensor([[1], 2])", TypeError),
    ("lib.from_numpy(np.array(['a']))", TypeError), ("lib.tensor(np.array([1], dtype=object))", TypeError),
    ("lib.tensor(np.datetime64('2020-01-01'))", TypeError), ("x.to(dtype='datetime64')", TypeError),
    ("float(x)", ValueError), ("int(lib.ones(0))", ValueError), ("float(lib.tensor(1 + 2j))", RuntimeError), ("'a' in x", RuntimeError),
    ("lib.asarray([1.0], dtype=lib.int64, requires_grad=True)", RuntimeError), ("lib.eye(-1)", RuntimeError),
    ("lib.linspace(0, 1, -1)", RuntimeError), ("lib.linspace('a', 1, 3)", TypeError), ("lib.arange(float('nan'))", RuntimeError),
    ("lib.full((2,), 'a')", TypeError), ("lib.clamp(x, 'a')", TypeError), ("x.clamp_(0, 'a')", TypeError),
    ("lib.where([True], 1, 0)", TypeError), ("lib.einsum(3)", ValueError),
    ("lib.allclose(x, 3)", TypeError), ("lib.unique(3)", TypeError), ("lib.norm(x, p='foo')", RuntimeError),
    ("x[:, :3].view(lib.float64)", RuntimeError), ("lib.normal(lib.zeros(2), lib.ones(3))", RuntimeError),
    ("lib.rand(3, generator=5)", TypeError), ("x.sum('a')", TypeError), ("x.mean(dim=1.5)", TypeError), ("x.softmax('a')", TypeError),
    ("x.sum(5)", IndexError), ("x.amax((0, 5))", IndexError),
]  # fmt: skip


@pytest.mark.parametrize(("call", "error"), ERRORS, ids=lambda x: str(x))
def test_raises_as_torch_does(call, error, torch):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for library in (gradkit, torch):
            with pytest.raises(error):
                eval(call, operands(library))


GRADIENTS = [
    "lib.quantile(x, lib.tensor([0.3, 0.5]), dim=1)", "lib.nanquantile(x, 0.4)", "lib.quantile(x, 0.4, 0, interpolation='nearest')",
    "lib.ldexp(x, k[:4])", "lib.frexp(x)[0]", "lib.mvlgamma(x.abs() + 2, 3)", "lib.select_scatter(x * 2, x[0], 0, 1)",
    "lib.slice_scatter(x * 2, x[:, :2], 1, 0, 4, 2)", "lib.diagonal_scatter(x * 2, x[0, :3])", "lib.renorm(x, 2, 0, 0.5)",
    "lib.as_strided(x, (2, 2), (1, 3), 1)", "lib.pdist(x)", "lib.fill(x * 2, x[0, 0])", "lib.special.entr(x.abs())",
]  # fmt: skip


@pytest.mark.parametrize("call", GRADIENTS)
def test_gradients_are_torchs(call, torch):
    found = []
    for library in (gradkit, torch):
        names = operands(library)
        names["x"].requires_grad_()
        y = eval(call, names)
        (y * y.detach().cos()).sum().backward()
        found.append(plain(names["x"].grad))
    assert close(*found), found


def test_switches_are_remembered():
    gradkit.use_deterministic_algorithms(True)
    gradkit.set_float32_matmul_precision("high")
    try:
        assert gradkit.are_deterministic_algorithms_enabled() and gradkit.get_float32_matmul_precision() == "high"
    finally:
        gradkit.use_deterministic_algorithms(False)
        gradkit.set_float32_matmul_precision("highest")
    with pytest.raises(RuntimeError, match="'low'"):
        gradkit.set_float32_matmul_precision("low")
    with pytest.raises(TypeError, match="DoubleTensor"):
        gradkit.set_default_tensor_type("none")


def test_what_is_drawn_in_a_fork_is_not_missed(torch):
    found = []
    for library in (gradkit, torch):
        library.manual_seed(1)
        with library.random.fork_rng():
            inside = library.rand(3).tolist()
        found.append([inside, library.rand(3).tolist(), library.full((5,), 0.5).bernoulli().tolist()])
    assert found[0] == found[1] and found[0][0] == found[0][1]


def test_fork_rng_starts_no_gpu():
    used = gradkit.cuda.is_initialized()
    with gradkit.random.fork_rng(devices=[0]), gradkit.random.fork_rng(enabled=False):
        gradkit.rand(1, device="cpu")
    assert gradkit.cuda.is_initialized() == used


def test_reversed_arrays_are_shared():
    import numpy as np

    a = np.arange(3.0)
    gradkit.from_numpy(a[::-1])[0] = 7
    assert a.tolist() == [0, 1, 7]


@pytest.mark.parametrize(("call", "told"), [
    ("x @ x", r"3x4 and 3x4.*Tensor of shape \(3, 4\), dtype float32.*\.mT"),
    ("x.sum(5)", r"got 5\) of a Tensor of shape \(3, 4\), dtype float32"),
    ("x.gather(0, lib.tensor([[7]]))", "size 3: 7, "), ("lib.dot(x[0], x[0].double())", "^dot: .*float32 != float64"),
    ("x.sum('a')", r"sum\(\): argument 'dim' must be int or a tuple of ints, not str"),
    ("x.topk(2.0)", r"topk\(\): argument 'k' must be int, not float"), ("x.kthvalue(2.0)", r"kthvalue\(\): argument 'k' must be int"),
    ("lib.cat([x, x], 0.0)", r"cat\(\): argument 'dim' must be int"), ("lib.stack([x, x], 0.0)", r"stack\(\): argument 'dim'"),
    ("x.softmax(0.0)", r"softmax\(\): argument 'dim' must be int"), ("x.flip((0.0,))", r"flip\(\): argument .dim. must be int"),
    ("x.gather(0.0, lib.tensor([[1]]))", r"gather\(\): argument 'dim'"), ("x.cumsum(1.0)", r"cumsum\(\): argument 'dim'"),
])  # fmt: skip
def test_errors_name_what_was_given(call, told):
    if gradkit.get_default_device().type == "cuda" and "gather" in call:
        pytest.skip("a device is not asked whether values fit")
    with pytest.raises((RuntimeError, IndexError, TypeError), match=told):
        eval(call, operands(gradkit))
