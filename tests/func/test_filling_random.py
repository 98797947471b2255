"""Random functions that make buffers, write into them and branch, under transforms: as PyTorch's, where it has an answer."""

import random

import numpy as np
import pytest

import gradkit

pytestmark = pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated:DeprecationWarning")

X = [0.4, 0.9, -0.6]
MADE = (
    "lib.zeros(3, dtype=lib.float64)", "lib.zeros_like(x)", "x.new_zeros(3)", "x.clone()", "c.clone()", "c * 2", "x * 1",
    "lib.empty(3, dtype=lib.float64).fill_(2.0)", "x.detach().clone()", "lib.stack([c, c])[0]", "lib.ones_like(x)",
)  # fmt: skip
SEEN = ("{b}.view(3)", "{b}.flip(0)", "{b}.detach()", "{b}.view(1, 3)[0]", "{a} * {a}", "{a}.sin()", "{a} + {a}.sum()", "{a}.cumsum(0)")
WRITTEN = (
    "{b}[1] = {a}[2] * {a}[0]", "{b}.add_({a})", "{b}.copy_({a} * {a})", "{b}.sin_()", "{b}[{b} > 0.2] = 0.5", "{b} += 1",
    "{b}[[0, 2]] = {a}[[2, 1]]", "{b}.masked_fill_({a} > 0.5, 0.1)", "{b}[2:].mul_(c[:1])",
    "if {a}.sum() > 0.1: {b}.mul_(2)",
)  # fmt: skip
TRANSFORMS = {
    "grad": lambda lib, f: lib.func.grad(f),
    "hessian": lambda lib, f: lib.func.hessian(f),
    "jacfwd of jacfwd": lambda lib, f: lib.func.jacfwd(lib.func.jacfwd(f)),
    "jacrev of grad": lambda lib, f: lib.func.jacrev(lib.func.grad(f)),
    "jacfwd of hessian": lambda lib, f: lib.func.jacfwd(lib.func.hessian(f)),
    "vmap of grad": lambda lib, f: lambda x: lib.func.vmap(lib.func.grad(f))(lib.stack([x, x * 2])),
    "at what is shared": lambda lib, f: lambda x: lib.func.vmap(lambda v: lib.func.hessian(f)(x) @ v)(lib.stack([x, x * 2])),
    "by a sample's value": lambda lib, f: lambda x: lib.func.vmap(
        lambda v: lib.func.grad(lambda y: f(y) * v.sum())(x)
    )(lib.stack([x, x * 2])),
}  # fmt: skip


def drawn(seed):
    rng = random.Random(seed)
    names, buffers, lines = ["x"], [], ["c = lib.tensor([0.3, -0.7, 1.1], dtype=lib.float64)"]
    for n in range(rng.randint(4, 9)):
        kind = rng.choice((MADE, SEEN, WRITTEN)) if buffers else MADE
        line = rng.choice(kind).format(a=rng.choice(names), b=rng.choice(buffers or ["x"]))
        lines.append(line if kind is WRITTEN else f"v{n} = {line}")
        if kind is not WRITTEN:
            names.append(f"v{n}")
            buffers.append(f"v{n}")
    lines.append("return " + " + ".join([f"({name} * {name}).sum()" for name in names]))
    scope = {}
    exec("def f(lib, x):\n    " + "\n    ".join(lines), scope)
    return scope["f"], "\n".join(lines)


def outcome(lib, f, around):
    try:
        return TRANSFORMS[around](lib, lambda x: f(lib, x))(lib.tensor(X, dtype=lib.float64)).detach().numpy()
    except RuntimeError as reason:
        return reason


@pytest.mark.parametrize("seed", range(40))
def test_buffers_are_filled_under_transforms_as_in_pytorch(seed, torch):
    f, text = drawn(seed)
    for around in TRANSFORMS:
        theirs = outcome(torch, f, around)
        if not isinstance(theirs, RuntimeError):
            np.testing.assert_allclose(outcome(gradkit, f, around), theirs, rtol=1e-8, atol=1e-9, err_msg=f"{around}\n{text}")
