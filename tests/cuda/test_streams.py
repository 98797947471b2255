"""Streams and events: operations run on the current stream, and go back on that of their forward."""

import pytest

import gradkit
from gradkit import cuda


def test_operations_run_on_the_current_stream():
    side = cuda.Stream()
    x = gradkit.ones(4, requires_grad=True)
    with cuda.stream(side):
        assert cuda.current_stream() == side
        y = x * 2
    assert cuda.current_stream() == cuda.default_stream()
    side.synchronize()
    assert y.tolist() == [2.0] * 4 and side.query()


def test_a_stream_that_is_set_stays_until_another_is():
    side = cuda.Stream()
    cuda.set_stream(side)
    try:
        cuda.set_stream(None)
        assert cuda.current_stream() == side
    finally:
        cuda.set_stream(cuda.default_stream())
    assert cuda.current_stream() == cuda.default_stream()


def test_streams_and_events_are_instances_of_their_classes():
    assert all([isinstance(s, cuda.Stream) for s in (cuda.Stream(), cuda.current_stream(), cuda.default_stream())])
    with pytest.importorskip("cupy").cuda.Stream(non_blocking=True):
        assert isinstance(cuda.current_stream(), cuda.Stream)
    assert isinstance(cuda.Event(), cuda.Event) and isinstance(cuda.Stream().record_event(), cuda.Event)
    assert not isinstance(cuda.Event(), cuda.Stream) and not isinstance(cuda.Stream(), cuda.Event)


def test_a_stream_says_where_it_is():
    side = cuda.Stream(0)
    assert side.device == cuda.default_stream().device == gradkit.device("cuda:0")
    assert side.cuda_stream == side.ptr != cuda.default_stream().cuda_stream == 0


def test_backward_runs_on_the_stream_of_the_forward():
    side = cuda.Stream()
    seen = []
    x = gradkit.ones(4, requires_grad=True)
    with cuda.stream(side):
        y = x * 2
        y.register_hook(lambda g: seen.append(None))
        y.grad_fn.register_prehook(lambda g: seen.append(cuda.current_stream()))
    z = y.sum()
    z.grad_fn.register_prehook(lambda g: seen.append(cuda.current_stream()))
    z.backward()
    assert seen[0] == cuda.default_stream() and seen[-1] == side
    assert cuda.current_stream() == cuda.default_stream() and x.grad.tolist() == [2.0] * 4


class Doubled(gradkit.autograd.Function):
    @staticmethod
    def forward(x, seen):
        return x * 2, x + 1

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.seen = inputs[1]

    @staticmethod
    def backward(ctx, g, h):
        ctx.seen.append(cuda.current_stream())
        return g * 2 + h, None


@pytest.mark.parametrize("recorded", [False, True])
def test_backward_of_a_function_runs_on_the_stream_of_its_forward(recorded):
    side, seen = cuda.Stream(), []
    x = gradkit.ones(4, requires_grad=True)
    with cuda.stream(side):
        y, z = Doubled.apply(x, seen)
        y.register_hook(lambda g: seen.append(cuda.current_stream()))
    (y.sum() + z.sum()).backward(create_graph=recorded)
    assert seen == [side, side] and x.grad.tolist() == [3.0] * 4


@pytest.mark.parametrize("recorded", [False, True])
def test_a_tensors_hook_runs_on_the_stream_of_its_operation(recorded):
    side, seen = cuda.Stream(), []
    x = gradkit.ones(4, requires_grad=True)
    with cuda.stream(side):
        y = x * 2
    z = y.exp()
    for t in (y, z):
        t.register_hook(lambda g: seen.append(cuda.current_stream()))
    z.sum().backward(create_graph=recorded)
    assert seen == [cuda.default_stream(), side]


def test_the_way_back_of_a_copy_to_the_gpu_runs_on_the_stream_of_the_copy():
    side, seen = cuda.Stream(), []
    x = gradkit.ones(4, device="cpu", requires_grad=True)
    with cuda.stream(side):
        y = x.to("cuda")
    y.register_hook(lambda g: seen.append(cuda.current_stream()))
    y.sum().backward()
    assert seen == [side] and x.grad.tolist() == [1.0] * 4


@pytest.mark.parametrize("use_reentrant", [False, True])
def test_a_checkpoint_is_recomputed_on_the_stream_of_its_forward(use_reentrant):
    side, seen = cuda.Stream(), []

    def doubled(x):
        seen.append(cuda.current_stream())
        return (x * 2).exp()

    x = gradkit.ones(4, requires_grad=True)
    with cuda.stream(side):
        y = gradkit.utils.checkpoint.checkpoint(doubled, x, use_reentrant=use_reentrant)
    y.sum().backward()
    assert seen == [side, side] and cuda.current_stream() == cuda.default_stream()


def test_streams_wait_for_each_other_by_pytorchs_names():
    side = cuda.Stream()
    side.wait_stream(cuda.current_stream())
    with cuda.stream(side):
        y = gradkit.ones(4) * 2
    cuda.current_stream().wait_stream(side)
    done = cuda.default_stream().record_event()
    done.wait(side)
    done.synchronize()
    assert done.query() and cuda.current_stream().query() and y.tolist() == [2.0] * 4


def test_an_error_in_a_walk_comes_home_to_the_users_stream():
    side = cuda.Stream()
    x = gradkit.ones(4, requires_grad=True)
    with cuda.stream(side):
        y = x * 2
        y.grad_fn.register_prehook(lambda g: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        y.sum().backward()
    assert cuda.current_stream() == cuda.default_stream() and x.grad is None


def test_events_measure():
    first, last = cuda.Event(enable_timing=True), cuda.Event(enable_timing=True)
    first.record()
    gradkit.ones(1000).exp()
    last.record()
    last.synchronize()
    assert first.query() and first.elapsed_time(last) >= 0


def test_events_that_measure_nothing_say_what_they_need():
    with pytest.raises(RuntimeError, match="both events need enable_timing=True"):
        cuda.Event().elapsed_time(cuda.Event())
