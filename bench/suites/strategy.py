"""Which way a Jacobian is taken: "auto" against each fixed choice, on a grid of shapes and functions."""

from collections.abc import Callable
from typing import Any

from bench.workload import Target, Work, Workload, normal

#: Inputs and outputs: many of one, few of the other, as many of both, one of either.
SHAPES = [(1, 512), (8, 512), (64, 128), (64, 64), (128, 64), (512, 8), (512, 1), (200, 200)]
CHOICES: dict[str, dict[str, Any]] = {
    "gradkit": {"strategy": "auto"},
    "gradkit reverse": {"strategy": "reverse-mode", "chunk_size": None},
    "gradkit forward": {"strategy": "forward-mode", "chunk_size": None},
    "gradkit reverse looped": {"strategy": "reverse-mode", "chunk_size": 1},
    "gradkit forward looped": {"strategy": "forward-mode", "chunk_size": 1},
}
WITHIN = tuple([Target(1.0, 1.1, against=choice) for choice in CHOICES if choice != "gradkit"])


def network(lib: Any, n: int, m: int) -> Callable[[Any], Any]:
    """A network of three layers, 128 wide."""
    a, b, c = [lib.tensor(normal(*shape, seed=i) / 10) for i, shape in enumerate([(n, 128), (128, 128), (128, m)])]
    return lambda x: ((x @ a).tanh() @ b).tanh() @ c


def elementwise(lib: Any, n: int, m: int) -> Callable[[Any], Any]:
    """Many cheap operations on an m x n table."""
    table = lib.tensor(normal(m, n) / 10)
    return lambda x: (((table * x).sin() + x) * (table - x).exp()).sum(dim=1)


def recurrent(lib: Any, n: int, m: int) -> Callable[[Any], Any]:
    """Sixteen steps one after the other, on what is as long as the outputs."""
    a, b = lib.tensor(normal(n, m) / 10), lib.tensor(normal(m, seed=1))

    def function(x: Any) -> Any:
        y = x @ a
        for _ in range(16):
            y = (y * b).tanh() + y
        return y

    return function


FUNCTIONS = {"network": network, "elementwise": elementwise, "recurrent": recurrent}


def jacobian(make: Callable[..., Any], n: int, m: int, how: dict[str, Any]) -> Callable[[Any], Work]:
    def build(lib: Any) -> Work:
        function, x = make(lib, n, m), lib.tensor(normal(n, seed=2))
        taken = lib.autograd.functional.jacobian
        return lambda: {"jacobian": taken(function, x, **how)}

    return build


def transformed(make: Callable[..., Any], n: int, m: int, transform: str) -> Callable[[Any], Work]:
    """By `func`: PyTorch's own `functional.jacobian` in forward mode fails on a vector times a matrix."""

    def build(lib: Any) -> Work:
        function, x = make(lib, n, m), lib.tensor(normal(n, seed=2))
        taken = getattr(lib.func, transform)(function)
        return lambda: {"jacobian": taken(x)}

    return build


def contenders(make: Callable[..., Any], n: int, m: int) -> dict[str, Callable[[Any], Work]]:
    ours = {name: jacobian(make, n, m, how) for name, how in CHOICES.items()}
    theirs = {f"torch {name}": transformed(make, n, m, name) for name in ("jacrev", "jacfwd")}
    return ours | theirs


ITEMS = [
    Workload(
        f"strategy-{name}-{n}-{m}",
        "strategy",
        f"jacobian of a {name} function of {n} inputs and {m} outputs",
        contenders(make, n, m),
        WITHIN,
        rtol=1e-3,
    )
    for name, make in FUNCTIONS.items()
    for n, m in SHAPES
]
