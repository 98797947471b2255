"""gradkit.cuda: what is there, memory, random numbers."""

import subprocess
import sys

import numpy as np
import pytest

import gradkit
from gradkit import cuda


def test_facts():
    gradkit.ones(1)
    assert cuda.is_available() and cuda.is_initialized() and cuda.why_not() is None
    assert cuda.device_count() >= 1 and cuda.current_device() == 0
    assert len(cuda.get_device_capability()) == 2 and cuda.get_device_name()
    free, total = cuda.mem_get_info()
    assert 0 < free <= total
    about = cuda.get_device_properties("cuda:0")
    assert about.name == cuda.get_device_name() and (about.major, about.minor) == cuda.get_device_capability()
    assert about.total_memory == total and about.multi_processor_count > 0 and about.warp_size == 32
    assert cuda.is_bf16_supported() and cuda.is_bf16_supported(False) == (cuda.get_device_capability() >= (8, 0))


def test_memory_is_counted():
    before = cuda.memory_allocated()
    cuda.reset_peak_memory_stats()
    x = gradkit.zeros(1 << 20)
    assert cuda.memory_allocated() - before == 4 << 20
    del x
    assert cuda.memory_allocated() == before
    assert cuda.max_memory_allocated() - before >= 4 << 20
    assert cuda.memory_reserved() >= cuda.memory_allocated()
    cuda.empty_cache()


def test_memory_stats_are_what_the_functions_say():
    x = gradkit.zeros(1 << 20)
    stats = cuda.memory_stats(0)
    assert stats["allocated_bytes.all.current"] == cuda.memory_allocated() >= x.nbytes
    assert stats["allocated_bytes.all.peak"] == cuda.max_memory_allocated()
    assert stats["reserved_bytes.all.current"] == cuda.memory_reserved()
    assert stats["reserved_bytes.all.peak"] == cuda.max_memory_reserved() >= cuda.memory_reserved()
    held = f"{cuda.max_memory_reserved() / 2**20:.1f} MiB"
    assert cuda.memory_summary().splitlines()[-1].split(None, 1) == ["reserved_bytes.all.peak", held]
    del x
    most = cuda.max_memory_reserved()
    cuda.empty_cache()
    assert cuda.max_memory_reserved() == most > cuda.memory_reserved()
    cuda.reset_peak_memory_stats()
    assert cuda.max_memory_reserved() == cuda.memory_reserved()


def test_no_memory_left_is_an_error_of_pytorchs_kind_and_of_cupys():
    cupy = pytest.importorskip("cupy")
    pool = cupy.get_default_memory_pool()
    cuda.empty_cache()
    before, limit = cuda.memory_allocated(), pool.get_limit()
    pool.set_limit(size=pool.total_bytes() + (1 << 20))
    try:
        for kind in (cuda.OutOfMemoryError, RuntimeError, MemoryError, cupy.cuda.memory.OutOfMemoryError):
            with pytest.raises(kind, match=r"CUDA out of memory.*allocating 4,194,304 bytes.*use smaller ones"):
                gradkit.ones(1 << 20)
    finally:
        pool.set_limit(size=limit)
    assert cuda.memory_allocated() == before
    assert gradkit.ones(4).sum().item() == 4


def test_no_memory_left_in_a_walk_leaves_gradients_as_they_were():
    cupy = pytest.importorskip("cupy")
    pool = cupy.get_default_memory_pool()
    x, w = gradkit.ones(1 << 18, requires_grad=True), gradkit.ones(1 << 18, requires_grad=True)
    y = (x.exp() * w).sin().sum()
    w.grad = gradkit.zeros(1 << 18)
    cuda.empty_cache()
    pool.set_limit(size=pool.total_bytes() + (1 << 20))
    try:
        with pytest.raises(cuda.OutOfMemoryError):
            y.backward()
    finally:
        pool.set_limit(size=0)
    assert x.grad is None and not w.grad.any()


def test_memory_is_kept_for_a_stream_that_works_on_it():
    x, side = gradkit.zeros(1 << 18), cuda.Stream()
    memory = gradkit.engine.device.backend_for(x.device).memory
    used = cuda.memory_allocated()
    x[1:].record_stream(side)
    done = []
    marked = side.record
    side_work = type("Stream", (), {"record": lambda self, event: done.append(marked(event)) or Pending(done)})()
    y = gradkit.zeros(1 << 18)
    y[2:].record_stream(side_work)
    del x
    assert len(memory.lent) == 1 and cuda.memory_allocated() == used + (1 << 20)
    gradkit.zeros(1)
    assert not memory.lent and cuda.memory_allocated() == used
    del y
    gradkit.zeros(1)
    assert len(memory.lent) == 1 and cuda.memory_allocated() == used
    done.append("over")
    gradkit.zeros(1)
    assert not memory.lent and cuda.memory_allocated() == used - (1 << 20)
    with pytest.raises(NotImplementedError, match="on a GPU, not on cpu"):
        gradkit.zeros(2, device="cpu").record_stream(side)


class Pending:
    """An event of work that goes on until the test says that it is over."""

    def __init__(self, done):
        self.said = done

    @property
    def done(self):
        return "over" in self.said


def test_no_graph_is_left_after_backward():
    x = gradkit.ones(1 << 18, requires_grad=True)
    (x.exp() * x).sum().backward()
    before = cuda.memory_allocated()
    for _ in range(3):
        x.grad = None
        (x.exp() * x).sum().backward()
    assert cuda.memory_allocated() == before


def test_a_negative_index_which_stands_for_the_cpu_changes_nothing():
    cuda.set_device(gradkit.ones(1, device="cpu").get_device())
    with cuda.device(-1), cuda.stream(None):
        assert cuda.current_device() == 0


def test_manual_seed_repeats_and_states_go_on():
    gradkit.manual_seed(5)
    first = gradkit.randn(7)
    state = cuda.get_rng_state()
    second = gradkit.rand(3)
    gradkit.manual_seed(5)
    assert gradkit.equal(first, gradkit.randn(7))
    cuda.set_rng_state(state)
    assert gradkit.equal(second, gradkit.rand(3))
    assert not gradkit.equal(second, gradkit.rand(3))


def test_states_of_all_devices():
    states = cuda.get_rng_state_all()
    first = gradkit.rand(3)
    cuda.set_rng_state_all(states)
    assert gradkit.equal(first, gradkit.rand(3)) and len(states) == cuda.device_count()


def test_a_generator_names_its_device_as_pytorch_does():
    assert gradkit.Generator("cuda").device == gradkit.device("cuda:0") and gradkit.Generator().device.type == "cpu"


@pytest.mark.parametrize("devices", [None, [0], ["cuda:0"]])
def test_fork_rng_leaves_the_streams_of_devices_where_they_were(devices):
    gradkit.manual_seed(5)
    gradkit.rand(3)
    with gradkit.random.fork_rng(devices):
        gradkit.manual_seed(9)
        inside = gradkit.rand(3), gradkit.rand(3, device="cpu")
    after = gradkit.rand(3), gradkit.rand(3, device="cpu")
    gradkit.manual_seed(5)
    gradkit.rand(3)
    assert gradkit.equal(after[0], gradkit.rand(3)) and gradkit.equal(after[1], gradkit.rand(3, device="cpu"))
    assert not gradkit.equal(inside[0], after[0])


def test_fork_rng_of_no_devices_or_not_enabled_lets_them_go_on():
    for arguments in ({"devices": []}, {"enabled": False}, {"device_type": "cpu"}):
        state = cuda.get_rng_state()
        with gradkit.random.fork_rng(**arguments):
            gradkit.rand(3)
        assert not gradkit.equal(state, cuda.get_rng_state())


def test_fork_rng_around_the_first_use_of_a_device_is_not_missed_either():
    program = """
import gradkit
gradkit.manual_seed(5)
with gradkit.random.fork_rng():
    gradkit.manual_seed(9)
    inside = gradkit.rand(3, device="cuda")
after = gradkit.rand(3, device="cuda")
gradkit.manual_seed(5)
assert gradkit.equal(after, gradkit.rand(3, device="cuda")) and not gradkit.equal(inside, after)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("dtype", [gradkit.float16, gradkit.float32, gradkit.float64])
def test_random_numbers_have_their_distributions(dtype):
    gradkit.manual_seed(0)
    n = 200_000
    u = gradkit.rand(n, dtype=dtype).numpy().astype(np.float64)
    assert u.min() >= 0 and u.max() < 1
    np.testing.assert_allclose([u.mean(), u.var()], [1 / 2, 1 / 12], atol=4e-3)
    z = gradkit.randn(n, dtype=dtype).numpy().astype(np.float64)
    np.testing.assert_allclose([z.mean(), z.var(), (z**3).mean(), (z**4).mean()], [0, 1, 0, 3], atol=0.1)
    e = gradkit.empty(n, dtype=dtype).exponential_(2.0).numpy().astype(np.float64)
    np.testing.assert_allclose([e.mean(), e.var()], [1 / 2, 1 / 4], atol=1e-2)


def dtype_named(name):
    if name == "bfloat16":
        pytest.importorskip("ml_dtypes", reason="ml_dtypes is not installed: no bfloat16")
    return getattr(gradkit, name)


@pytest.mark.parametrize("name", ["float16", "bfloat16", "float32", "float64"])
def test_uniform_numbers_stay_below_the_upper_bound(name):
    dtype = dtype_named(name)
    gradkit.manual_seed(3)
    u = gradkit.rand(200_000, dtype=dtype).double()
    assert u.min() >= 0 and u.max() < 1
    drawn = gradkit.empty(200_000, dtype=dtype).uniform_(100, 101).double()
    assert 100 <= drawn.min() < 100.01 and drawn.max() < 101
    assert gradkit.empty(3, dtype=dtype).uniform_(2, 2).tolist() == [2.0] * 3


@pytest.mark.parametrize(("name", "steps"), [("float16", 2**11), ("bfloat16", 2**8)])
def test_units_of_16_bits_are_those_of_32_cut_off(name, steps):
    drawn = []
    for dtype in (gradkit.float32, dtype_named(name)):
        gradkit.manual_seed(3)
        drawn.append(gradkit.rand(5_000, dtype=dtype).double())
    assert gradkit.equal(drawn[1], (drawn[0] * steps).floor() / steps)


def test_integers_permutations_and_masks():
    gradkit.manual_seed(1)
    k = gradkit.randint(-2, 3, (50_000,)).numpy()
    np.testing.assert_allclose(np.bincount(k + 2) / k.size, [0.2] * 5, atol=0.01)
    assert sorted(gradkit.randperm(1000).tolist()) == list(range(1000))
    kept = gradkit.nn.functional.dropout(gradkit.ones(100_000), 0.3).numpy()
    assert set(kept.tolist()) == {0.0, float(np.float32(1 / 0.7))}
    np.testing.assert_allclose((kept == 0).mean(), 0.3, atol=0.01)
    drawn = gradkit.multinomial(gradkit.tensor([1.0, 0.0, 3.0]), 40_000, replacement=True).numpy()
    np.testing.assert_allclose(np.bincount(drawn, minlength=3) / drawn.size, [0.25, 0, 0.75], atol=0.01)


@pytest.mark.cpu
def test_a_generator_of_another_device_is_refused():
    with pytest.raises(RuntimeError, match="Expected a 'cpu' device type for generator but found 'cuda'"):
        gradkit.rand(2, generator=gradkit.Generator("cuda"))
    with pytest.raises(RuntimeError, match="Expected a 'cuda' device type for generator but found 'cpu'"):
        gradkit.rand(2, generator=gradkit.Generator(), device="cuda")
