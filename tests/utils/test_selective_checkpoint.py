"""Which results a checkpoint keeps, and which operations run again."""

import gc
from functools import partial

import pytest

import gradkit
from gradkit.engine.primitive import REGISTRY
from gradkit.utils.checkpoint import CheckpointPolicy, checkpoint, create_selective_checkpoint_contexts


def body(x, w):
    y = (x @ w).tanh() @ w
    return (y.sin() * y.T[0]).sum()


def leaves():
    return gradkit.tensor([[1.0, 2.0], [0.5, -1.0]], requires_grad=True), gradkit.tensor([[0.3, 1.0], [2.0, 0.7]], requires_grad=True)


@pytest.fixture
def runs(monkeypatch):
    """How often the rows of a few operations were run."""
    counts = dict.fromkeys(["matmul", "tanh", "sin"], 0)

    def counted(name, run):
        def call(*raws, **params):
            counts[name] += 1
            return run(*raws, **params)

        return call

    for name in counts:
        for forward in ("run", "forward"):  # NumPy's and another backend's
            monkeypatch.setattr(REGISTRY[name], forward, counted(name, getattr(REGISTRY[name], forward)))
    return counts


def gradients(given, **more):
    x, w = leaves()
    contexts = partial(create_selective_checkpoint_contexts, given, **more)
    checkpoint(body, x, w, use_reentrant=False, context_fn=contexts, early_stop=False).backward()
    return [x.grad.tolist(), w.grad.tolist()]


def expected():
    x, w = leaves()
    body(x, w).backward()
    return [x.grad.tolist(), w.grad.tolist()]


POLICIES = {
    "a function": ([gradkit.matmul], {"matmul": 2, "tanh": 2, "sin": 2}),
    "names": (["matmul", "tanh"], {"matmul": 2, "tanh": 1, "sin": 2}),
    "nothing": ([], {"matmul": 4, "tanh": 2, "sin": 2}),
    "a policy": (lambda ctx, op, *operands, **params: CheckpointPolicy.PREFER_SAVE, {"matmul": 2, "tanh": 1, "sin": 1}),
    "by operand": (lambda ctx, op, x, *others, **params: x.shape == (2, 2) and op == "sin", {"matmul": 4, "tanh": 2, "sin": 1}),
    "none saved": (lambda ctx, op, *operands, **params: CheckpointPolicy.MUST_RECOMPUTE, {"matmul": 4, "tanh": 2, "sin": 2}),
}


@pytest.mark.cpu  # the CPU's runs are counted
@pytest.mark.parametrize("name", POLICIES)
def test_saved_operations_do_not_run_again(name, runs):
    given, counts = POLICIES[name]
    want = expected()
    runs.update(dict.fromkeys(runs, 0))
    assert gradients(given) == want
    assert runs == counts


def test_second_derivatives_and_several_walks_find_what_was_saved():
    x, w = leaves()
    contexts = partial(create_selective_checkpoint_contexts, ["matmul", "sin"])
    y = checkpoint(body, x, w, use_reentrant=False, context_fn=contexts)
    (g,) = gradkit.autograd.grad(y, x, create_graph=True)
    again = gradkit.autograd.grad(y, x, retain_graph=True)[0]
    (second,) = gradkit.autograd.grad(g.sum(), x)
    (plain,) = gradkit.autograd.grad(body(x, w), x, create_graph=True)
    assert gradkit.equal(g, plain) and gradkit.equal(again, plain)
    assert gradkit.allclose(second, gradkit.autograd.grad(plain.sum(), x)[0])


def test_policy_is_told_of_the_repetition():
    seen = []
    gradients(lambda ctx, op, *operands, **params: seen.append(ctx.is_recompute))
    assert sorted(set(seen)) == [False, True] and seen.count(True) == seen.count(False)


def test_saved_result_must_not_be_written():
    def write(x):
        y = x.sin()
        z = y * 2
        y.zero_()
        return (z * z).sum()

    def run(**more):
        x = gradkit.ones(2, requires_grad=True)
        contexts = partial(create_selective_checkpoint_contexts, ["sin"], **more)
        checkpoint(write, x, use_reentrant=False, context_fn=contexts).backward()

    with pytest.raises(RuntimeError, match="has been mutated"):
        run()
    run(allow_cache_entry_mutation=True)


def test_contexts_leave_no_cycle():
    gradients(["sin"])
    gc.collect()
    gc.disable()
    try:
        gradients(["sin"])
        assert gc.collect() == 0
    finally:
        gc.enable()


def test_unknown_operation_is_named():
    with pytest.raises(ValueError, match="no operation is named matmull"):
        create_selective_checkpoint_contexts(["matmull"])
