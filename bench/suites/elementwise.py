"""Large arrays, where the time is memory's and arithmetic's; forward and backward, unless a title says otherwise."""

from collections.abc import Callable
from typing import Any

from bench.workload import Target, Work, Workload, integers, normal, same, uniform


def backward_of(function: Callable[..., Any], *values: Any) -> Callable[[Any], Work]:
    """Run a function of tensors and pull a seeded cotangent back to all of them; the function is given the library."""

    def build(lib: Any) -> Work:
        operands = [lib.tensor(value, requires_grad=True) for value in values]
        with lib.no_grad():
            shape = tuple(function(lib, *operands).shape)
        ct = lib.tensor(normal(*shape, seed=9)) if shape else None

        def work() -> dict[str, Any]:
            for operand in operands:
                operand.grad = None
            y = function(lib, *operands)
            y.backward(ct)
            return {"y": y} | {f"grad {i}": operand.grad for i, operand in enumerate(operands)}

        return work

    return build


def pow_exp(lib: Any, x: Any) -> Any:
    return ((x + 1) ** 2.5 * lib.exp(-x)).sum()


def jax_pow_exp(count: int) -> Callable[[Any], Work]:
    def build(jax: Any) -> Work:
        x = jax.numpy.asarray(uniform(count, high=2.0))
        gradient = jax.jit(jax.value_and_grad(lambda x: pow_exp(jax.numpy, x)))

        def work() -> dict[str, Any]:
            y, grad = jax.block_until_ready(gradient(x))
            return {"y": y, "grad 0": grad}

        return work

    return build


def autograd_pow_exp(count: int) -> Callable[[Any], Work]:
    def build(autograd: Any) -> Work:
        import autograd.numpy as anp

        x = uniform(count, high=2.0)
        gradient = autograd.value_and_grad(lambda x: pow_exp(anp, x))

        def work() -> dict[str, Any]:
            y, grad = gradient(x)
            return {"y": y, "grad 0": grad}

        return work

    return build


def layer_norm(lib: Any, x: Any, weight: Any, bias: Any) -> Any:
    return lib.nn.functional.layer_norm(x, (x.shape[-1],), weight, bias)


def take_rows(count: int, rows: int) -> Callable[..., Any]:
    """Rows of a table by index, as an embedding takes them: its backward adds into rows that repeat."""
    index = integers(count, high=rows)
    return lambda lib, table: table[lib.tensor(index)]


def pow_exp_at(count: int, name: str, targets: tuple[Target, ...], large: bool = False) -> Workload:
    return Workload(
        name,
        "elementwise",
        f"((x+1)**2.5*exp(-x)).sum(), {count:.0e} float32".replace("e+0", "e"),
        same(backward_of(pow_exp, uniform(count, high=2.0)))
        | {"jax jit": jax_pow_exp(count), "autograd": autograd_pow_exp(count)},
        targets,
        large=large,
    )


def on_par(name: str, title: str, function: Callable[..., Any], *values: Any) -> Workload:
    """A workload whose time should be PyTorch's."""
    return Workload(name, "elementwise", title, same(backward_of(function, *values)), (Target(1.0, 1.5),))


ITEMS = [
    pow_exp_at(4_000_000, "pow-exp", (Target(0.37, 0.50, threads=1), Target(0.48, 0.75, threads=2))),
    pow_exp_at(40_000_000, "pow-exp-large", (Target(0.12, 0.35),), large=True),
    on_par("softmax", "softmax, 2048 x 1000", lambda lib, x: lib.softmax(x, dim=1), normal(2048, 1000)),
    on_par("sigmoid", "sigmoid, 4e6", lambda lib, x: lib.sigmoid(x), normal(4_000_000)),
    on_par(
        "layer-norm",
        "layer_norm with weight and bias, 2048 x 1024",
        layer_norm,
        normal(2048, 1024),
        uniform(1024, low=0.5, high=1.5),
        normal(1024),
    ),
    on_par(
        "conv2d",
        "conv2d, 32 x 3 x 32 x 32, 16 kernels of 3 x 3",
        lambda lib, x, w: lib.nn.functional.conv2d(x, w, padding=1),
        normal(32, 3, 32, 32),
        normal(16, 3, 3, 3),
    ),
    on_par(
        "conv2d-wide",
        "conv2d, 8 x 64 x 56 x 56, 64 kernels of 3 x 3",
        lambda lib, x, w: lib.nn.functional.conv2d(x, w, padding=1),
        normal(8, 64, 56, 56),
        normal(64, 64, 3, 3),
    ),
    on_par("index-add", "1e5 rows of 64 out of 1e4 by index", take_rows(100_000, 10_000), normal(10_000, 64)),
    on_par(
        "max-pool",
        "max_pool2d 2 x 2, 32 x 16 x 64 x 64",
        lambda lib, x: lib.nn.functional.max_pool2d(x, 2),
        normal(32, 16, 64, 64),
    ),
]
