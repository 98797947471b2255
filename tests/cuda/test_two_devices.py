"""A second device: operations run where their operands are, whatever the current device is."""

import pytest

import gradkit
from gradkit import cuda

ZERO, ONE = gradkit.device("cuda", 0), gradkit.device("cuda", 1)


@pytest.fixture(autouse=True)
def two(on_a_gpu):
    if cuda.device_count() < 2:
        pytest.skip("needs two devices")
    yield
    assert cuda.current_device() == 0, "the test, or what it tests, leaves another device current"


def test_operations_and_gradients_stay_on_their_device():
    x = gradkit.tensor([1.0, 2.0], device="cuda:1", requires_grad=True)
    y = (x.exp() * x).sum()
    assert y.device == ONE and cuda.current_device() == 0
    y.backward()
    assert x.grad.device == ONE
    y = (x**3).sum()
    (g,) = gradkit.autograd.grad(y, x, create_graph=True)
    (h,) = gradkit.autograd.grad(g.sum(), x)
    assert h.device == ONE and h.tolist() == [6.0, 12.0]


def test_tangents_and_batches_stay_on_their_device():
    x = gradkit.tensor([1.0, 2.0], device="cuda:1")
    y, t = gradkit.func.jvp(lambda x: x**2 * 3, (x,), (gradkit.ones_like(x),))
    assert y.device == t.device == ONE and t.tolist() == [6.0, 12.0]
    assert gradkit.func.jacrev(gradkit.sin)(x).device == ONE
    assert gradkit.func.hessian(lambda x: (x**3).sum())(x).tolist() == [[6.0, 0.0], [0.0, 12.0]]


def test_moving_between_devices_is_recorded():
    x = gradkit.tensor([1.0, 2.0], device="cuda:0", requires_grad=True)
    y = x.to("cuda:1") * 2
    assert y.device == ONE and x.to("cuda") is x
    y.sum().backward()
    assert x.grad.device == ZERO and x.grad.tolist() == [2.0, 2.0]


def test_two_devices_do_not_mix():
    with pytest.raises(RuntimeError, match="at least two devices, cuda:0 and cuda:1"):
        gradkit.ones(2, device="cuda:0") + gradkit.ones(2, device="cuda:1")


def test_the_current_device_is_what_cuda_means():
    with cuda.device(1):
        assert gradkit.ones(1, device="cuda").device == ONE and cuda.current_device() == 1
    assert gradkit.ones(1, device="cuda").device == ZERO
    cuda.set_device(1)
    try:
        assert gradkit.rand(1, device="cuda").device == ONE
    finally:
        cuda.set_device(0)


def test_in_place_writes_and_accumulation_on_the_other_device():
    x = gradkit.ones(3, device="cuda:1", requires_grad=True)
    for _ in range(2):
        y = x * 1
        y[0] = 5.0
        (y * y).sum().backward()
    assert x.grad.device == ONE and x.grad.tolist() == [0.0, 4.0, 4.0]


@pytest.mark.parametrize("method", ["Adam", "Adadelta", "NAdam", "Rprop", "LBFGS"])
def test_training_on_the_other_device(method):
    net = gradkit.nn.Linear(4, 2, device="cuda:1")
    descent = getattr(gradkit.optim, method)(net.parameters(), 0.1)
    inputs, labels = gradkit.ones(3, 4, device="cuda:1"), gradkit.zeros(3, dtype=gradkit.int64, device="cuda:1")
    for _ in range(2):
        loss = gradkit.nn.functional.cross_entropy(net(inputs), labels)
        descent.zero_grad()
        loss.backward()
        descent.step(lambda loss=loss: loss)
    assert loss.device == ONE and {p.grad.device for p in net.parameters()} == {ONE}


def test_each_device_has_its_stream_of_random_numbers():
    gradkit.manual_seed(1)
    a, b = gradkit.rand(3, device="cuda:0"), gradkit.rand(3, device="cuda:1")
    assert a.tolist() == b.tolist()
    with pytest.raises(RuntimeError, match="cuda:0.*cuda:1|cuda:1.*cuda:0"):
        gradkit.rand(2, generator=gradkit.Generator("cuda:0"), device="cuda:1")


#: What computes on raw arrays, or makes them: `x` (4, 6) and `i` are on the second device, `F` is nn.functional, `g` gradkit.
EXPRESSIONS = """
g.arange(6.0, device=D); g.arange(1, 6, 2, device=D); g.linspace(0, 1, 5, device=D); g.logspace(0, 1, 5, device=D); g.full_like(x, 2.0)
g.eye(3, device=D); g.full((2,), 3.0, device=D); g.randperm(4, device=D); g.multinomial(x, 2); g.multinomial(x, 2, replacement=True)
g.bernoulli(x / 2); g.normal(x, x); g.normal(0.0, 1.0, (2,), device=D); g.randint(5, (2,), device=D); g.tril_indices(3, 3, device=D)
g.hann_window(5, device=D); g.fft.fftfreq(5, device=D); g.vander(x[0]); g.complex(x, x); g.rand_like(x); x.clone().uniform_()
F.one_hot(i); x.nonzero(); x[x[:, 0] > 1]; x[:, [0, 1]]; x[i]; x[x > 1]; x.index_put((x > 1,), x[0, 0]); x.unique(); x.unique_consecutive()
i.bincount(); x.histc(4); g.histogram(x, 4).hist; x.quantile(0.3); x.topk(2).values; x.median(); x.mode().values; x.cumsum(0)
g.searchsorted(x[0], x[1]); x.repeat_interleave(2, 0); x[:2].repeat_interleave(i + 1, 0); g.repeat_interleave(i + 1); g.isin(x, x)
g.gcd(i, i); g.frexp(x).mantissa; g.meshgrid(x[0], x[1], indexing="ij")[0]; g.combinations(x[0]); g.as_strided(x, (2, 2), (1, 1))
g.linalg.lstsq(x[:, :2], x).solution; g.linalg.matrix_rank(x); g.linalg.svdvals(x); g.linalg.inv(x[:, :4] + g.eye(4, device=D) * 9)
F.rrelu(x - 1, training=True); F.dropout(x); F.gumbel_softmax(x); F.embedding_bag(i, x, i[:1]); F.embedding(i, x, max_norm=0.5)
F.ctc_loss(x[:, None].log_softmax(-1), i[None] + 1, [4], [1]); F.multi_margin_loss(x[:2], i)
F.scaled_dot_product_attention(x, x, x, is_causal=True); F.cross_entropy(x[:2], i); F.batch_norm(x, x[0] * 0, x[1], training=True)
F.multilabel_margin_loss(x[:, :2], i.expand(4, 2)); F.max_pool1d(x[None], 2); F.interpolate(x[None], size=9, mode="linear"); F.pdist(x)
x + i[:1]; x * 2 + x.double(); x.half() + x
g.numpy.unique(x); g.numpy.gradient(x[0]); g.numpy.percentile(x, 30); g.numpy.median(x)
g.nn.LSTM(6, 2, device=D)(x)[0]; g.nn.MultiheadAttention(6, 2, device=D)(x, x, x)[0]; g.func.jacfwd(g.sin)(x[0]); g.func.vmap(g.sort)(x)[1]
g.func.vmap(lambda r: r.new_zeros(6).add_(r))(x)
g.nn.init.orthogonal_(x.clone()); g.func.jacrev(g.sin, chunk_size=1)(x[0]); g.func.jacfwd(lambda t: t.argmax())(x[0])
"""


@pytest.mark.parametrize("expression", [one.strip() for line in EXPRESSIONS.strip().splitlines() for one in line.split(";")])
def test_what_works_on_raw_arrays_does_so_on_their_device(expression):
    """CuPy warns, which is an error here, where a kernel runs on another device than its operands are on."""
    x = gradkit.rand(4, 6, device=ONE) + 0.5
    names = {"g": gradkit, "F": gradkit.nn.functional, "D": ONE, "x": x, "i": gradkit.tensor([0, 1], device=ONE)}
    assert eval(expression, names).device == ONE
    assert gradkit.equal(x, x.clone()) and gradkit.allclose(x, x)


def test_keys_of_another_device_are_refused():
    x, i = gradkit.ones(2, 3, device=ONE), gradkit.tensor([0, 1], device=ZERO)
    for use in (lambda: x[i], lambda: x[:, i], lambda: x.__setitem__(i, 0.0), lambda: x[i > 0]):
        with pytest.raises(RuntimeError, match="tem__ found at least two devices, cuda:0 and cuda:1"):
            use()


def test_a_stream_brings_its_device_with_it():
    side, x = cuda.Stream(ONE), gradkit.tensor([1.0, 2.0], device=ONE, requires_grad=True)
    seen = []
    for _ in range(2):
        with cuda.stream(side):
            assert cuda.current_device() == 1 and cuda.current_stream() == side and gradkit.ones(1, device="cuda").device == ONE
            y = x.exp()
        y.register_hook(lambda g: seen.append(cuda.current_stream()))
        y.sum().backward()
        assert cuda.current_device() == 0 and seen.pop() == side != cuda.current_stream()
    with pytest.raises(KeyError, match="inside"), cuda.stream(side):
        raise KeyError("inside")


def test_a_stream_that_is_set_makes_its_device_current():
    before, side = cuda.current_stream(ONE), cuda.Stream(ONE)
    try:
        cuda.set_stream(side)
        assert cuda.current_device() == 1 and cuda.current_stream() == side
    finally:
        cuda.set_stream(before)
        cuda.set_device(0)
    assert cuda.current_stream(ONE) == before
