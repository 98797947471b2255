"""Small operations, where the time is the engine's own and not the arithmetic's."""

from collections.abc import Callable
from typing import Any

import numpy as np

from bench.workload import Target, Work, Workload, normal, same, uniform

ROUNDS = 125  # of eight operations each


def a_round(y: Any, w: Any, b: Any, c: Any, d: Any, functions: Any) -> Any:
    """Eight operations: multiply, add, tanh, subtract, by a number, divide, sine, negate. Four have a leaf as operand.

    The leaves lie near 1 and 0, so that neither values nor gradients vanish or grow over the chain.
    """
    y = y * w
    y = y + b
    y = functions.tanh(y)
    y = y - c
    y = y * 1.01
    y = y / d
    y = functions.sin(y)
    return -y


def chain(leaves: tuple[Any, ...], functions: Any) -> Any:
    y, w, b, c, d = leaves
    for _ in range(ROUNDS):
        y = a_round(y, w, b, c, d, functions)
    return y


def leaf_values(shape: tuple[int, ...]) -> list[np.ndarray]:
    x, near_one, near_zero = (0.1, 0.3), (0.99, 1.01), (-0.01, 0.01)
    ranges = [x, near_one, near_zero, near_zero, near_one]
    return [np.asarray(uniform(*shape, low=low, high=high, seed=i)) for i, (low, high) in enumerate(ranges)]


def leaves_of(lib: Any, shape: tuple[int, ...]) -> tuple[Any, ...]:
    return tuple(lib.tensor(value, requires_grad=True) for value in leaf_values(shape))


def chain_backward(shape: tuple[int, ...]) -> Callable[[Any], Work]:
    def build(lib: Any) -> Work:
        leaves = leaves_of(lib, shape)

        def work() -> dict[str, Any]:
            for leaf in leaves:
                leaf.grad = None
            y = chain(leaves, lib).sum()
            y.backward()
            return {"y": y, "grad of x": leaves[0].grad, "grad of w": leaves[1].grad}

        return work

    return build


def chain_forward(lib: Any) -> Work:
    leaves = leaves_of(lib, (8,))
    return lambda: {"y": chain(leaves, lib)}


def chain_without_grad(lib: Any) -> Work:
    leaves = leaves_of(lib, (8,))

    def work() -> dict[str, Any]:
        with lib.no_grad():
            return {"y": chain(leaves, lib)}

    return work


def autograd_chain(autograd: Any) -> Work:
    import autograd.numpy as anp

    leaves = tuple(leaf_values((8,)))
    gradient = autograd.value_and_grad(lambda leaves: chain(leaves, anp).sum())

    def work() -> dict[str, Any]:
        y, grads = gradient(leaves)
        return {"y": y, "grad of x": grads[0], "grad of w": grads[1]}

    return work


def small(operation: Callable[[Any], Any]) -> Callable[[Any], Work]:
    """One operation on a small tensor that requires grad, a hundred times over."""

    def build(lib: Any) -> Work:
        x = lib.tensor(normal(16, 16), requires_grad=True)

        def work() -> dict[str, Any]:
            for _ in range(100):
                y = operation(x)
            return {"y": y}

        return work

    return build


def mlp_step(lib: Any) -> Work:
    """One step of stochastic gradient descent of 784-256-10 on a batch of 128, written out on tensors."""
    inputs = lib.tensor(normal(128, 784))
    labels = lib.tensor(np.random.default_rng(1).integers(0, 10, 128))
    weights = [
        normal(784, 256, seed=2) / 28,
        normal(256, seed=3) / 28,
        normal(256, 10, seed=4) / 16,
        normal(10, seed=5) / 16,
    ]
    w1, b1, w2, b2 = parameters = [lib.tensor(value, requires_grad=True) for value in weights]
    cross_entropy = lib.nn.functional.cross_entropy

    def work() -> dict[str, Any]:
        hidden = lib.relu(inputs @ w1 + b1)
        loss = cross_entropy(hidden @ w2 + b2, labels)
        loss.backward()
        with lib.no_grad():
            for p in parameters:
                p.sub_(p.grad, alpha=1e-4)
                p.grad = None
        return {"loss": loss, "w1": w1, "b2": b2}

    return work


def lstm_step(lib: Any) -> Work:
    """Fifty steps of an LSTM cell written out on tensors, batch 16, hidden 64, then backward."""
    steps, batch, hidden = 50, 16, 64
    inputs = [lib.tensor(x) for x in normal(steps, batch, hidden)]
    w_x = lib.tensor(normal(hidden, 4 * hidden, seed=1) / 8, requires_grad=True)
    w_h = lib.tensor(normal(hidden, 4 * hidden, seed=2) / 8, requires_grad=True)
    bias = lib.tensor(normal(4 * hidden, seed=3) / 8, requires_grad=True)
    start = lib.tensor(normal(batch, hidden, seed=4))
    a, b, c = hidden, 2 * hidden, 3 * hidden

    def work() -> dict[str, Any]:
        w_x.grad = w_h.grad = bias.grad = None
        h = cell = start
        for x in inputs:
            gates = x @ w_x + h @ w_h + bias
            keep, new, out = gates[:, :a].sigmoid(), gates[:, a:b].sigmoid(), gates[:, c:].sigmoid()
            cell = keep * cell + new * gates[:, b:c].tanh()
            h = out * cell.tanh()
        loss = (h * h).mean()
        loss.backward()
        return {"loss": loss, "grad of w_h": w_h.grad, "grad of bias": bias.grad}

    return work


SMALL = {
    "sum": lambda x: x.sum(dim=1),
    "amax": lambda x: x.amax(dim=1),
    "slice": lambda x: x[2:8, 4:],
    "reshape": lambda x: x.reshape(8, 32),
}

EIGHT = "1000 operations on 8 float32"
ITEMS = [
    Workload(
        "chain",
        "overhead",
        f"{EIGHT}, forward + backward, per operation",
        same(chain_backward((8,))) | {"autograd": autograd_chain},
        (Target(0.35, 0.50),),
        operations=8 * ROUNDS,
    ),
    Workload(
        "chain-forward",
        "overhead",
        f"{EIGHT}, forward, recorded",
        same(chain_forward),
        (Target(0.42, 0.60),),
        operations=8 * ROUNDS,
    ),
    Workload(
        "chain-no-grad",
        "overhead",
        f"{EIGHT}, forward under no_grad",
        same(chain_without_grad),
        (Target(0.50, 0.70),),
        operations=8 * ROUNDS,
    ),
    Workload(
        "chain-0d",
        "overhead",
        "1000 operations on 0-d tensors, forward + backward",
        same(chain_backward(())),
        (Target(0.20, 0.40),),
        operations=8 * ROUNDS,
    ),
    *(
        Workload(
            f"small-{name}",
            "overhead",
            f"{name} of 16 x 16, forward, recorded",
            same(small(operation)),
            (Target(0.8, 1.2),),
            operations=100,
        )
        for name, operation in SMALL.items()
    ),
    Workload(
        "mlp-step",
        "overhead",
        "MLP 784-256-10, batch 128, one training step",
        same(mlp_step),
        (Target(0.78, 0.95),),
    ),
    Workload(
        "lstm-step",
        "overhead",
        "LSTM-like, 50 steps, batch 16, hidden 64, forward + backward",
        same(lstm_step),
        (Target(0.58, 0.75),),
    ),
]
