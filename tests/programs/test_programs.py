"""The generator itself: it is deterministic, it finds what is planted, what it prints runs; and a few of its programs."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import gradkit
from gradkit.engine.primitive import REGISTRY
from tests.programs import rows
from tests.programs.program import Program, Step
from tests.programs.shrinking import shrink

ROOT = Path(__file__).resolve().parents[2]

# PyTorch's own forward mode still scripts its decompositions at first use.
pytestmark = pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated:DeprecationWarning")


@pytest.fixture
def drawing(torch):
    from tests.programs import drawing

    return drawing


@pytest.fixture
def judge(torch):
    from tests.programs.judging import judge

    return lambda program: judge(torch, program.function(), list(program.inputs.values()))


def test_a_seed_is_a_program(torch, drawing):
    assert drawing.drawable(torch, 7).source() == drawing.drawable(torch, 7).source()
    assert drawing.drawable(torch, 7).source() != drawing.drawable(torch, 8).source()


@pytest.mark.parametrize("seed", range(40))
def test_random_program_gives_what_pytorch_gives(seed, torch, drawing, judge):
    program = drawing.drawable(torch, seed)
    failure = judge(program)
    assert failure is None, f"{failure.check}: {failure.text}\n{program.source()}"


def program_with(row_name):
    steps = [
        Step("v0 = lib.cos(a)", ("a",), ("v0",)),
        Step(f"v1, = row(lib, {row_name!r}, v0)", ("v0",), ("v1",)),
        Step("v2 = v1 * a", ("v1", "a"), ("v2",)),
        Step("v3 = lib.tanh(a)", ("a",), ("v3",)),
    ]
    return Program({"a": np.linspace(0.2, 0.9, 3)}, tuple(steps), ("v2", "v3"))


def test_a_wrong_rule_is_found_and_cut_out(judge, monkeypatch):
    program = program_with("sinh")
    assert judge(program) is None
    wrong = REGISTRY["tanhshrink"]
    monkeypatch.setitem(REGISTRY, "sinh", replace(wrong, name="sinh", peer=REGISTRY["sinh"].peer))
    monkeypatch.setattr(rows, "operation", lambda name: lambda operands, params: wrong_sinh(*operands))
    failure = judge(program)
    assert failure is not None and failure.check == "gradients"
    smallest = shrink(program, lambda one: judge(one) is not None)
    assert [step.source for step in smallest.steps] == ["v1, = row(lib, 'sinh', a)"]
    assert smallest.outputs == ("v1",)


def test_numeric_differences_side_with_whom_is_right(torch):
    from tests.programs import arbiter, witness

    def program(lib, a):
        return (lib.sin(a) * a[0],)

    x = [np.array([0.3, -0.8])]
    for check in (witness.gradients, witness.second_derivatives, witness.tangents, witness.batched_gradients):
        right = check(gradkit, program, x)
        wrong = [y + 1e-3 for y in right]
        assert arbiter.sides_with_gradkit(check, program, x, right, wrong)
        assert not arbiter.sides_with_gradkit(check, program, x, wrong, right)
        assert not arbiter.sides_with_gradkit(check, program, x, wrong, wrong)
        assert not arbiter.sides_with_gradkit(check, program, x, right, right)


def test_numeric_differences_side_with_nobody_where_gradients_are_stopped():
    from tests.programs import arbiter, witness

    def program(lib, a):
        return (a.detach() * a,)

    x = [np.array([0.3, -0.8])]
    right = witness.gradients(gradkit, program, x)
    assert not arbiter.sides_with_gradkit(witness.gradients, program, x, right, [y + 1e-3 for y in right])


def wrong_sinh(x):
    """The value of sinh with a derivative that is not its own."""
    return x.sinh().detach() + x.tanh() - x.tanh().detach()


def test_a_failure_is_printed_as_a_script_that_runs(judge):
    script = program_with("sinh").script("Seed 0")
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script], cwd=ROOT, capture_output=True, text=True, check=True,
        env={"PYTHONPATH": str(ROOT), "PATH": ""},
    )  # fmt: skip
    assert done.stdout == "both agree\n"


def test_every_row_with_a_peer_is_drawn_but_those_that_say_why_not(torch):
    from tests.programs.drawing import every_row

    with_peer, drawn = [{name for name, _ in found} for found in (rows.drawable(torch), every_row(torch))]
    assert {"exp", "layer_norm", "linalg_solve", "scatter_add", "softmax"} <= drawn
    assert len(drawn) > 130
    assert with_peer - drawn == {"binary_cross_entropy_with_logits", "linalg_slogdet", "triangular_solve"}
