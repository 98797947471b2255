"""The tape: what a walk does to the graph, to gradients, to memory, and in several threads."""

import gc
import threading
import tracemalloc
import weakref

import numpy as np
import pytest

import gradkit


@pytest.fixture
def no_collector():
    """Memory must be gone when the last name goes, with the garbage collector off."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def leaf(*values):
    return gradkit.tensor(values, requires_grad=True)


# -- walking twice
def test_graph_that_saved_nothing_may_be_walked_twice():
    x = leaf(1.0, 2.0)
    for y in (x + 1, x * 2, x.sum(), x.reshape(2, 1), -x, x - x):
        x.grad = None
        ct = gradkit.ones_like(y)
        y.backward(ct)
        once = x.grad.clone()
        y.backward(ct)
        assert gradkit.equal(x.grad, 2 * once)


def test_freed_graph_raises():
    x = leaf(1.0, 2.0)
    y = x * x
    y.backward(gradkit.ones(2))
    with pytest.raises(
        RuntimeError, match=r"backward through the graph a second time: what MulBackward0 .* retain_graph=True"
    ):
        y.backward(gradkit.ones(2))
    assert x.grad.tolist() == [2.0, 4.0]


def test_retain_graph_keeps_what_was_saved():
    x = leaf(3.0)
    y = x * x
    y.backward(retain_graph=True)
    y.backward()
    assert x.grad.item() == 12.0


def test_partly_freed_graph_says_so():
    x = leaf(2.0)
    shared = x.exp()
    (shared * shared).backward()
    with pytest.raises(RuntimeError, match="second time"):
        shared.sin().backward()


def test_retain_graph_defaults_to_create_graph():
    x = leaf(2.0)
    y = x * x * x
    y.backward(create_graph=True)
    y.backward()
    assert x.grad.item() == 24.0


# -- accumulation
def test_backward_accumulates_into_the_same_tensor():
    x = leaf(1.0, 2.0)
    (x * x).sum().backward()
    grad = x.grad
    (x * x).sum().backward()
    assert x.grad is grad and grad.tolist() == [4.0, 8.0]


def test_gradients_of_two_leaves_do_not_share_memory():
    x, y = leaf(1.0, 2.0), leaf(3.0, 4.0)
    ct = gradkit.ones(2)
    (x + y).backward(ct)
    assert not np.shares_memory(x.grad.array, y.grad.array)
    assert not np.shares_memory(x.grad.array, ct.array)


PASSING_ON = [
    lambda a, z: (a + a) + a + z,
    lambda a, z: (a + z) + (a + z) * 1,
    lambda a, z: (a - z) + (z - a) + a,
    lambda a, z: a[:1] + a[1:] + z[:1],
    lambda a, z: (a + z).sum() + (a + z)[0] + a.sum(),
    lambda a, z: gradkit.stack([a, z, a]).sum(0) + a + z,
]


@pytest.mark.parametrize("graph", PASSING_ON)
def test_fan_out_does_not_write_into_what_others_hold(graph):
    """Cotangents that several nodes pass on unchanged are one array: adding in place to it would be wrong."""
    inputs = tuple([gradkit.tensor(v, dtype=gradkit.float64, requires_grad=True) for v in ([1.0, 2.0], [5.0, 7.0])])
    assert gradkit.autograd.gradcheck(lambda x, z: graph(x + 0, z), inputs)


def test_non_leaf_grad_is_none_and_warns():
    y = leaf(1.0) * 2
    with pytest.warns(UserWarning, match="not a leaf"):
        assert y.grad is None


# -- depth and memory
@pytest.fixture
def a_million(device):
    """On a device, where each takes a launch, fewer: what is recorded is the same there."""
    return range(1_000_000 if device == "cpu" else 50_000)


def test_a_million_nodes_forward_and_back(a_million):
    x = leaf(1.0)
    y = x
    for _ in a_million:
        y = y * 1.0
    y.backward()
    assert x.grad.item() == 1.0


def test_a_million_nodes_dropped_unwalked(no_collector, a_million):
    y = leaf(1.0)
    for _ in a_million:
        y = y + 1.0
    last = weakref.ref(y.grad_fn)
    del y
    assert last() is None


def test_walked_graph_is_gone_with_its_last_name(no_collector):
    x = leaf(1.0, 2.0)
    y = (x.exp() * x).sum()
    middle = weakref.ref(y.grad_fn.parents[0])
    y.backward()
    del y
    assert middle() is None


def test_create_graph_makes_no_cycle(no_collector):
    x = leaf(1.0, 2.0)
    y = (x**3).sum()
    y.backward(create_graph=True)
    node, tensor = weakref.ref(y.grad_fn), weakref.ref(x)
    del y, x
    assert node() is None and tensor() is None


def test_training_steps_at_flat_memory(no_collector, device):
    rng = np.random.default_rng(0)
    w = gradkit.tensor(rng.normal(size=(4, 3)).astype(np.float32), requires_grad=True)
    b = gradkit.zeros(3, requires_grad=True)
    x = gradkit.tensor(rng.normal(size=(8, 4)).astype(np.float32))
    target = gradkit.tensor(rng.normal(size=(8, 3)).astype(np.float32))

    def steps(n):
        for _ in range(n):
            loss = ((x @ w + b).tanh() - target).square().mean()
            loss.backward()
            with gradkit.no_grad():
                w.sub_(w.grad, alpha=0.01)
                b.sub_(b.grad, alpha=0.01)
            w.grad = b.grad = None

    steps(200)
    tracemalloc.start()
    steps(200)
    before, before_there = tracemalloc.get_traced_memory()[0], gradkit.cuda.memory_allocated()
    tracemalloc.stop()
    steps(99_400 if device == "cpu" else 1000)
    tracemalloc.start()
    steps(200)
    after = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert gradkit.cuda.memory_allocated() == before_there
    objects = len(gc.get_objects())
    steps(1000)
    assert after <= before + 20_000
    assert len(gc.get_objects()) <= objects + 50


# -- threads
def in_threads(work, count=8):
    failures = []

    def guarded(i):
        try:
            work(i)
        except BaseException as failure:
            failures.append(failure)

    threads = [threading.Thread(target=guarded, args=(i,)) for i in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures, failures[0]


def test_eight_threads_on_their_own_graphs():
    def work(i):
        for _ in range(100):
            x = leaf(float(i), 1.0)
            y = x
            for _ in range(20):
                y = y * x
            y.sum().backward()
            np.testing.assert_allclose(x.grad.array, [21.0 * float(i) ** 20, 21.0], rtol=1e-5)

    in_threads(work)


def test_eight_threads_on_one_graph():
    x = leaf(1.0, 2.0)
    y = x
    for _ in range(200):
        y = (y * x).tanh()
    y = y.sum()
    expected = gradkit.autograd.grad(y, x, retain_graph=True)[0]

    def work(_):
        for _ in range(20):
            assert gradkit.equal(gradkit.autograd.grad(y, x, retain_graph=True)[0], expected)

    in_threads(work)


def test_grad_mode_is_thread_local():
    inside, done = threading.Event(), threading.Event()
    seen = []

    def other():
        inside.wait()
        seen.append((leaf(1.0) * 2).requires_grad)
        done.set()

    thread = threading.Thread(target=other)
    thread.start()
    with gradkit.no_grad():
        inside.set()
        done.wait()
        assert not (leaf(1.0) * 2).requires_grad
    thread.join()
    assert seen == [True]


# -- hooks
def test_hook_sees_the_whole_cotangent_once():
    x = leaf(1.0, 2.0)
    y = x * 3
    seen = []
    y.register_hook(lambda ct: seen.append(ct.tolist()))
    (y * y + y).sum().backward()
    assert seen == [[7.0, 13.0]]


def test_hook_replaces_the_cotangent_and_can_be_removed():
    x = leaf(1.0)
    handle = x.register_hook(lambda ct: ct * 10)
    (x * 2).backward()
    handle.remove()
    (x * 2).backward()
    assert x.grad.item() == 22.0


def test_hooks_whose_handles_are_dropped_all_run_in_order():
    x = leaf(1.0)
    for factor in (2, 3, 5):
        x.register_hook(lambda ct, factor=factor: ct * factor + 1)
    (x * 1).backward()
    assert x.grad.item() == ((1 * 2 + 1) * 3 + 1) * 5 + 1


def test_hook_that_changes_the_shape_raises():
    x = leaf(1.0, 2.0)
    x.register_hook(lambda ct: ct.sum())
    with pytest.raises(RuntimeError, match="has changed the size of value"):
        x.sum().backward()


def test_exception_in_a_hook_leaves_every_grad_as_it_was():
    x, w = leaf(1.0, 2.0), leaf(3.0, 4.0)
    (x + w).sum().backward()
    before = [x.grad.tolist(), w.grad.tolist()]
    y = x * w
    handle = y.register_hook(lambda _: 1 / 0)
    loss = (y.exp() * w).sum()
    with pytest.raises(ZeroDivisionError):
        loss.backward()
    assert [x.grad.tolist(), w.grad.tolist()] == before
    handle.remove()
    with pytest.raises(RuntimeError, match="second time"):
        loss.backward()
    assert [x.grad.tolist(), w.grad.tolist()] == before
    assert gradkit.is_grad_enabled()


def test_backward_inside_a_hook():
    x, z = leaf(2.0), leaf(3.0)
    y = x * x

    def hook(_):
        assert not gradkit.is_grad_enabled()
        with gradkit.enable_grad():
            (z * z).backward()

    y.register_hook(hook)
    y.backward()
    assert x.grad.item() == 4.0 and z.grad.item() == 6.0


def test_retain_grad_on_a_non_leaf():
    x = leaf(1.0, 2.0)
    y = x * 3
    y.retain_grad()
    (y * y).sum().backward()
    assert y.grad.tolist() == [6.0, 12.0] and y.retains_grad


def test_post_accumulate_hook_sees_the_written_grad():
    x = leaf(2.0)
    seen = []
    x.register_post_accumulate_grad_hook(lambda t: seen.append(t.grad.item()))
    (x * x).backward()
    (x * x).backward()
    assert seen == [4.0, 8.0]


# -- what may not be walked
def test_non_scalar_backward_raises():
    with pytest.raises(RuntimeError, match=r"only for scalar outputs.*\(2,\).*ones_like"):
        (leaf(1.0, 2.0) * 2).backward()


def test_backward_without_a_graph_raises():
    with pytest.raises(RuntimeError, match="does not require grad and does not have a grad_fn"):
        gradkit.ones(()).backward()


def test_integer_tensor_cannot_require_grad():
    with pytest.raises(RuntimeError, match="floating point and complex dtype can require gradients"):
        gradkit.tensor([1, 2], requires_grad=True)


def test_gradient_of_the_wrong_shape_raises():
    with pytest.raises(RuntimeError, match="Mismatch in shape"):
        (leaf(1.0, 2.0) * 2).backward(gradkit.ones(3))


def test_unused_input_raises_unless_allowed():
    x, unused = leaf(1.0), leaf(1.0)
    with pytest.raises(RuntimeError, match="allow_unused=True"):
        gradkit.autograd.grad(x * 2, [x, unused])
    assert gradkit.autograd.grad(x * 2, [x, unused], allow_unused=True)[1] is None
    zero = gradkit.autograd.grad(x * 2, [x, unused], materialize_grads=True)[1]
    assert zero.tolist() == [0.0]


def test_backward_with_inputs_writes_only_these():
    x, w = leaf(2.0), leaf(3.0)
    (x * w).backward(inputs=[x])
    assert x.grad.tolist() == [3.0] and w.grad is None


def test_saved_tensor_written_in_place_raises_and_names_both_operations():
    x = leaf(1.0, 2.0)
    y = x.exp()
    z = y * y
    y.add_(1)
    with pytest.raises(RuntimeError, match=r"modified by an inplace operation: MulBackward0.*add_ wrote it"):
        z.sum().backward()


def test_in_place_on_a_leaf_raises():
    x = leaf(1.0, 2.0)
    with pytest.raises(RuntimeError, match="a leaf Variable that requires grad"):
        x.add_(1)
    with gradkit.no_grad():
        x.add_(1)
    assert x.tolist() == [2.0, 3.0]
