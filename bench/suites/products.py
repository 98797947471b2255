"""Products with Jacobians and Hessians, many of one record, and the Laplacian of a network."""

from collections.abc import Callable
from typing import Any

from bench.suites.jacobian import rosenbrock, start
from bench.workload import Target, Work, Workload, normal

TIMES = 16  # products of one record


def functional_product(name: str) -> Callable[[Any], Work]:
    """`hvp` and `vhp`: forward over reverse and reverse over reverse; PyTorch's hvp walks backward twice more."""

    def build(lib: Any) -> Work:
        x, v = lib.tensor(start()), lib.tensor(normal(200, seed=1, dtype="float64"))
        product = getattr(lib.autograd.functional, name)

        def work() -> dict[str, Any]:
            y, p = product(rosenbrock, x, v)
            return {"y": y, "product": p}

        return work

    return build


def network(lib: Any, width: int, inputs: int) -> Callable[[Any], Any]:
    """A network of three layers with one output."""
    shapes = [(inputs, width), (width, width), (width,)]
    a, b, c = [lib.tensor(normal(*shape, seed=i, dtype="float64") / 10) for i, shape in enumerate(shapes)]
    return lambda x: ((x @ a).tanh() @ b).tanh() @ c


def batch_of_tangents() -> list[Any]:
    return [normal(64, 32, seed=i, dtype="float64") for i in range(TIMES)]


def linearized(lib: Any) -> Work:
    """Record once, push many."""
    function, x = network(lib, 64, 32), lib.tensor(normal(64, 32, dtype="float64"))
    ts = [lib.tensor(t) for t in batch_of_tangents()]

    def work() -> dict[str, Any]:
        _, push = lib.func.linearize(function, x)
        return {"products": sum([push(t) for t in ts])}

    return work


def rerun(lib: Any) -> Work:
    """The same by as many jvps."""
    function, x = network(lib, 64, 32), lib.tensor(normal(64, 32, dtype="float64"))
    ts = [lib.tensor(t) for t in batch_of_tangents()]
    return lambda: {"products": sum([lib.func.jvp(function, (x,), (t,))[1] for t in ts])}


def pulled(lib: Any) -> Work:
    """One vjp, many cotangents."""
    function, x = network(lib, 64, 32), lib.tensor(normal(64, 32, dtype="float64"))
    cts = [lib.tensor(normal(64, seed=i, dtype="float64")) for i in range(TIMES)]

    def work() -> dict[str, Any]:
        _, back = lib.func.vjp(function, x)
        return {"products": sum([back(ct)[0] for ct in cts])}

    return work


DIMENSIONS = 32


def laplacian(lib: Any) -> Work:
    """The sum of second derivatives along the axes, each by forward over forward, all axes at once."""
    function, x = network(lib, 128, DIMENSIONS), lib.tensor(normal(DIMENSIONS, dtype="float64"))
    axes, jvp = lib.eye(DIMENSIONS, dtype=lib.float64), lib.func.jvp

    def curvature(v: Any) -> Any:
        return jvp(lambda x: jvp(function, (x,), (v,))[1], (x,), (v,))[1]

    return lambda: {"laplacian": lib.func.vmap(curvature)(axes).sum()}


def laplacian_by_loop(lib: Any) -> Work:
    function, x = network(lib, 128, DIMENSIONS), lib.tensor(normal(DIMENSIONS, dtype="float64"))
    axes, jvp = list(lib.eye(DIMENSIONS, dtype=lib.float64)), lib.func.jvp

    def curvature(v: Any) -> Any:
        return jvp(lambda x: jvp(function, (x,), (v,))[1], (x,), (v,))[1]

    return lambda: {"laplacian": sum([curvature(v) for v in axes])}


def trace_of_hessian(lib: Any) -> Work:
    function, x = network(lib, 128, DIMENSIONS), lib.tensor(normal(DIMENSIONS, dtype="float64"))
    hessian = lib.func.hessian(function)
    return lambda: {"laplacian": hessian(x).diagonal().sum()}


def per_sample(lib: Any) -> Work:
    """Gradients of a small module for each of 256 samples."""
    nn, func = lib.nn, lib.func
    model = nn.Sequential(nn.Linear(32, 64), nn.Tanh(), nn.Linear(64, 1))
    params = {n: lib.tensor(normal(*p.shape, seed=i) / 4) for i, (n, p) in enumerate(model.named_parameters())}
    xs, ys = lib.tensor(normal(256, 32)), lib.tensor(normal(256, 1, seed=9))

    def loss(params: Any, x: Any, y: Any) -> Any:
        return ((func.functional_call(model, params, (x,)) - y) ** 2).sum()

    each = func.vmap(func.grad(loss), in_dims=(None, 0, 0))
    return lambda: each(params, xs, ys)


def both(build: Callable[[Any], Work]) -> dict[str, Callable[[Any], Work]]:
    return {"gradkit": build, "torch": build}


ITEMS = [
    Workload("hvp", "products", "hvp of Rosenbrock's function, n = 200, float64", both(functional_product("hvp")),
             (Target(0.5, 1.0),), rtol=1e-10),
    Workload("vhp", "products", "vhp of the same", both(functional_product("vhp")), (Target(0.5, 1.0),), rtol=1e-10),
    Workload(
        "linearize", "products", f"{TIMES} products of a network's Jacobian with tangents, one record",
        {"gradkit": linearized, "gradkit jvp": rerun, "torch func": linearized, "torch jvp": rerun},
        (Target(0.6, 1.0, against="gradkit jvp"), Target(0.3, 1.0, against="torch jvp")), rtol=1e-10,
    ),
    Workload("vjp-many", "products", f"{TIMES} products with cotangents, one record", both(pulled),
             (Target(0.5, 1.0),), rtol=1e-10),
    Workload(
        "laplacian", "products", f"Laplacian of a network of {DIMENSIONS} inputs, forward over forward",
        {
            "gradkit": laplacian, "gradkit loop": laplacian_by_loop, "gradkit hessian": trace_of_hessian,
            "torch": laplacian, "torch loop": laplacian_by_loop, "torch hessian": trace_of_hessian,
        },
        (Target(0.5, 1.0), Target(0.5, 1.0, against="torch hessian")), rtol=1e-8,
    ),
    Workload("per-sample", "products", "gradients of a module for each of 256 samples", both(per_sample),
             (Target(0.7, 1.2),)),
]  # fmt: skip
