"""Whole Jacobians and Hessians, dense."""

from collections.abc import Callable
from typing import Any

import numpy as np

from bench.memory import peak_memory
from bench.suites.jvp import exp_reducer
from bench.workload import Measurement, Target, Work, Workload, normal

SIZE = 64
N = 200


def rosenbrock(x: Any) -> Any:
    return (100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2).sum()


def start() -> np.ndarray:
    return 1.0 + 0.1 * normal(N, dtype="float64")


def functional_jacobian(size: int = SIZE, **how: Any) -> Callable[[Any], Work]:
    def build(lib: Any) -> Work:
        x = lib.tensor(normal(size, size))
        jacobian = lib.autograd.functional.jacobian
        return lambda: {"jacobian": jacobian(exp_reducer, x, **how)}

    return build


def functional_hessian(**how: Any) -> Callable[[Any], Work]:
    def build(lib: Any) -> Work:
        x = lib.tensor(start())
        hessian = lib.autograd.functional.hessian
        return lambda: {"hessian": hessian(rosenbrock, x, **how)}

    return build


def func_jacrev(torch: Any) -> Work:
    x = torch.tensor(normal(SIZE, SIZE))
    jacrev = torch.func.jacrev(exp_reducer)
    return lambda: {"jacobian": jacrev(x)}


def func_hessian(torch: Any) -> Work:
    x = torch.tensor(start())
    hessian = torch.func.hessian(rosenbrock)
    return lambda: {"hessian": hessian(x)}


def jax_jacobian(jax: Any) -> Work:
    x = jax.numpy.asarray(normal(SIZE, SIZE))
    jacrev = jax.jit(jax.jacrev(lambda x: jax.numpy.exp(x).sum(axis=1)))
    return lambda: {"jacobian": jax.block_until_ready(jacrev(x))}


def jax_hessian(jax: Any) -> Work:
    with jax.enable_x64(True):
        x = jax.numpy.asarray(start())
        hessian = jax.jit(jax.hessian(rosenbrock)).lower(x).compile()
    return lambda: {"hessian": jax.block_until_ready(hessian(x))}


def autograd_jacobian(autograd: Any) -> Work:
    import autograd.numpy as anp

    x = normal(SIZE, SIZE)
    jacobian = autograd.jacobian(lambda x: anp.sum(anp.exp(x), axis=1))
    return lambda: {"jacobian": jacobian(x)}


ITEMS = [
    Workload(
        "jacobian",
        "jacobian",
        f"jacobian of exp(x).sum(dim=1), {SIZE} x {SIZE}",
        {
            "gradkit": functional_jacobian(),
            "torch functional": functional_jacobian(),
            "torch vectorize": functional_jacobian(vectorize=True),
            "torch jacrev": func_jacrev,
            "jax jit": jax_jacobian,
            "autograd": autograd_jacobian,
        },
        (Target(0.04, 0.10, against="torch functional"), Target(0.45, 1.0, against="torch vectorize")),
    ),
    Workload(
        "hessian",
        "jacobian",
        f"hessian of Rosenbrock's function, n = {N}, float64",
        {
            "gradkit": functional_hessian(),
            "torch functional": functional_hessian(),
            "torch vectorize": functional_hessian(vectorize=True),
            "torch func": func_hessian,
            "jax jit": jax_hessian,
        },
        (Target(0.01, 0.02, against="torch functional"), Target(0.35, 0.8, against="torch vectorize")),
        rtol=1e-10,
    ),
    Measurement(
        "jacobian-memory",
        "jacobian",
        "peak memory of a jacobian of exp(x).sum(dim=1), 192 x 192",
        peak_memory("bench.suites.jacobian", "jacobian_for_memory"),
        (Target(0.8, 1.0),),
        unit="B",
    ),
]


def jacobian_for_memory(lib: Any, small: bool) -> Work:
    return functional_jacobian(16 if small else 192)(lib)
