"""Forward mode: jvp of exp(x).sum(dim=1)."""

from collections.abc import Callable
from typing import Any

from bench.workload import Target, Work, Workload, normal


def exp_reducer(x: Any) -> Any:
    return x.exp().sum(dim=1)


def functional_jvp(size: int) -> Callable[[Any], Work]:
    """`autograd.functional.jvp`; PyTorch's walks backward twice."""

    def build(lib: Any) -> Work:
        x, v = lib.tensor(normal(size, size)), lib.tensor(normal(size, size, seed=1))
        jvp = lib.autograd.functional.jvp

        def work() -> dict[str, Any]:
            y, y_t = jvp(exp_reducer, x, v)
            return {"y": y, "tangent": y_t}

        return work

    return build


def func_jvp(size: int) -> Callable[[Any], Work]:
    """`func.jvp`; PyTorch's is true forward mode."""

    def build(lib: Any) -> Work:
        x, v = lib.tensor(normal(size, size)), lib.tensor(normal(size, size, seed=1))
        jvp = lib.func.jvp

        def work() -> dict[str, Any]:
            y, y_t = jvp(exp_reducer, (x,), (v,))
            return {"y": y, "tangent": y_t}

        return work

    return build


def primal(size: int) -> Callable[[Any], Work]:
    """The function alone, nothing recorded."""

    def build(lib: Any) -> Work:
        x = lib.tensor(normal(size, size))
        return lambda: {"y": exp_reducer(x)}

    return build


def jax_jvp(size: int) -> Callable[[Any], Work]:
    def build(jax: Any) -> Work:
        jnp = jax.numpy
        x, v = jnp.asarray(normal(size, size)), jnp.asarray(normal(size, size, seed=1))
        jvp = jax.jit(lambda x, v: jax.jvp(lambda x: jnp.exp(x).sum(axis=1), (x,), (v,)))

        def work() -> dict[str, Any]:
            y, y_t = jax.block_until_ready(jvp(x, v))
            return {"y": y, "tangent": y_t}

        return work

    return build


def contenders(size: int) -> dict[str, Callable[[Any], Work]]:
    return {
        "gradkit": functional_jvp(size),
        "gradkit primal": primal(size),
        "torch functional": functional_jvp(size),
        "torch func": func_jvp(size),
        "torch primal": primal(size),
        "jax jit": jax_jvp(size),
    }


ITEMS = [
    Workload(
        "jvp-large",
        "jvp",
        "jvp of exp(x).sum(dim=1), 2048 x 2048, against our own primal",
        contenders(2048),
        (Target(1.45, 2.0, against="gradkit primal"),),
    ),
    Workload(
        "jvp-small",
        "jvp",
        "jvp of exp(x).sum(dim=1), 64 x 64",
        contenders(64),
        (Target(0.10, 0.20, against="torch func"),),
    ),
]
