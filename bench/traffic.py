"""How many bytes a kernel must move for each element, and how many the array operations of its rule: counted, not timed.

`python -m bench.traffic` prints the table that `bench/README.md` shows.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

import gradkit
from gradkit import optim
from gradkit.backend.kernels.catalogue import ELEMENTWISE
from gradkit.backend.numpy import NUMPY
from gradkit.backend.protocol import Namespace
from gradkit.engine.primitive import REGISTRY
from gradkit.primitives.fusible import FUSIBLE

ELEMENTS = 1 << 16  # that the rules run on here
SHAPE = (64, 1024)  # the same in rows
LOSS = {"axis": -1, "rank": 2, "ignore_index": None, "reduction": "mean"}
NORM = {"axis": (-1,), "eps": 1e-5}
BY_COLUMN = {"axis": (-2,), "eps": 1e-5}
H100 = 3.0e12  # bytes a second that a copy reaches
AT = 1e8  # elements of the times shown


class Counted(np.ndarray):
    """An array whose operations each read their operands from memory and write their result to it."""

    moved = 0

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, out: Any = None, **kwargs: Any) -> Any:
        plain = {} if out is None else {"out": tuple(map(uncounted, out))}
        y = getattr(ufunc, method)(*map(uncounted, inputs), **plain, **kwargs)
        count(inputs, y)
        return out[0] if out is not None else y.view(Counted)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        y = function(*map(uncounted, args), **{key: uncounted(value) for key, value in kwargs.items()})
        if not np.may_share_memory(y, uncounted(args[0])):  # a view costs nothing
            count(args, y)
        return y.view(Counted)

    def astype(self, dtype: Any, **kwargs: Any) -> Any:  # type: ignore[override]
        y = uncounted(self).astype(dtype, **kwargs)
        count((self,), y)
        return y.view(Counted)


def uncounted(x: Any) -> Any:
    return x.view(np.ndarray) if isinstance(x, Counted) else x


def count(inputs: Any, y: Any) -> None:
    """What one operation reads, each operand once, and writes."""
    read = {x.ctypes.data: x.nbytes for x in inputs if isinstance(x, np.ndarray) and x.ndim}
    Counted.moved += sum(read.values()) + y.nbytes


def at_once(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function that a backend has one kernel for."""

    def call(*args: Any, **params: Any) -> Any:
        y = function(*map(uncounted, args), **params)
        count(args, y)
        return y.view(Counted)

    return call


def by_atomics(shape: Any, dtype: Any, _key: Any, values: Any) -> Any:
    """Zeros are written; then every value is read, and its place read and written."""
    Counted.moved += 4 * np.prod(shape) + 3 * values.nbytes
    return np.zeros(shape, dtype)


XP = Namespace(
    np,
    index_add=by_atomics,
    astype=lambda x, dtype: x.astype(dtype),
    **{name: at_once(getattr(NUMPY.xp, name)) for name in ("power", "sigmoid", "erf", "kept_by_mask")},
)


@dataclass(frozen=True)
class Entry:
    """A kernel, what it does, and the bytes that it and its rule move for an element of float32."""

    name: str
    title: str
    kernel: int
    rule: int
    params: dict[str, Any]
    adds: bool = False

    def milliseconds(self, itemsize: int, rule: bool = False) -> float:
        return (self.rule if rule else self.kernel) * itemsize / 4 * AT / H100 * 1e3


def drawn(seed: int) -> Any:
    return np.random.default_rng(seed).uniform(0.5, 2, ELEMENTS).astype(np.float32).view(Counted)


def counted(work: Callable[[], Any]) -> int:
    """Bytes that it moves for each element."""
    Counted.moved = 0
    work()
    return round(Counted.moved / ELEMENTS)


def of_row(fused: str, params: dict[str, Any], note: str = "", adds: bool = False) -> Entry:
    prim = next(prim for prim in REGISTRY.values() if prim.fused == fused)
    kind, operands = ELEMENTWISE[fused], [drawn(1 + i) for i in range(len(prim.rules))]
    ct, y = drawn(8), prim.run(*map(uncounted, operands), **params).view(Counted)
    rule = counted(lambda: [rule(XP, ct, y, *operands, **params) for rule in prim.rules])
    outputs = kind.operands * (2 if adds else 1)
    kernel = 4 * (1 + len(kind.reads) + outputs)
    return Entry(fused, f"{prim.name}{note}", kernel, rule + 12 * kind.operands * adds, params, adds)


def of_step(name: str, title: str, method: Any, options: dict[str, Any]) -> Entry:
    optimizer = method([gradkit.ones(ELEMENTS, requires_grad=True)], lr=0.1, **options)
    p, state = drawn(1), {}
    optimizer.update(p, drawn(2), state, optimizer.param_groups[0])  # makes the state
    arrays, numbers = optimizer.prepared(p, state, optimizer.param_groups[0])
    arrays = [None if x is None else x.view(Counted) for x in arrays]
    rule = counted(lambda: optimizer.apply(p, drawn(3), arrays, numbers))
    states = sum([x is not None for x in arrays])
    return Entry(name, title, 4 * (3 + 2 * states), rule, options)


#: Programs along rows: the shapes of their operands (a count: classes), parameters, and what must be read and written.
PROGRAMS: dict[str, tuple[list[Any], dict[str, Any], int]] = {
    "log_softmax_forward": ([SHAPE], {"axis": -1}, 2),
    "log_softmax_vjp": ([SHAPE, SHAPE], {"axis": -1}, 3),
    "softmax_forward": ([SHAPE], {"axis": -1}, 2),
    "softmax_vjp": ([SHAPE, SHAPE], {"axis": -1}, 3),
    "cross_entropy_forward": ([SHAPE, SHAPE[0]], LOSS, 1),
    "cross_entropy_vjp": ([(), SHAPE, SHAPE[0]], LOSS, 2),
    "layer_norm_forward": ([SHAPE, SHAPE[1:], SHAPE[1:]], NORM, 2),
    "layer_norm_vjp": ([SHAPE, SHAPE, SHAPE[1:]], NORM, 5),
    "rms_norm_forward": ([SHAPE, SHAPE[1:]], NORM, 2),
    "rms_norm_vjp": ([SHAPE, SHAPE, SHAPE[1:]], NORM, 5),
    "standardize_forward": ([SHAPE], NORM, 2),
    "standardize_vjp": ([SHAPE, SHAPE], NORM, 3),
    "batch_norm_forward": ([SHAPE, SHAPE[1:], SHAPE[1:]], BY_COLUMN, 3),
    "batch_norm_vjp": ([SHAPE, SHAPE, SHAPE[1:]], BY_COLUMN, 6),
    "batch_norm_eval_forward": ([SHAPE, *[SHAPE[1:]] * 4], BY_COLUMN, 2),
    "batch_norm_eval_vjp": ([SHAPE, SHAPE, *[SHAPE[1:]] * 3], BY_COLUMN, 3),
    "dropout_forward": ([SHAPE], {"mask": at_once(lambda _xp, shape, dtype: np.ones(shape, dtype)), "lead": 0}, 2),
    "unindex_forward": ([SHAPE], {"shape": SHAPE, "key": (np.arange(SHAPE[0]),)}, 2),
}


TITLES = {
    "batch_norm_forward": "batch_norm", "batch_norm_vjp": "batch_norm",
    "batch_norm_eval_forward": "batch_norm in evaluation", "batch_norm_eval_vjp": "batch_norm in evaluation",
    "dropout_forward": "dropout, either way", "unindex_forward": "back from x[i], of as many rows as x has",
}


def row_operands(shapes: list[Any]) -> list[Any]:
    rng = np.random.default_rng(4)
    return [
        rng.integers(0, SHAPE[1], shape) if isinstance(shape, int) else np.asarray(rng.uniform(0.5, 2, shape), np.float32)
        for shape in shapes
    ]


def of_program(name: str) -> Entry:
    shapes, params, arrays = PROGRAMS[name]
    operands = [x.view(Counted) for x in row_operands(shapes)]
    found: list[Any] = []
    bytes_moved = counted(lambda: found.append(FUSIBLE[name](XP, *operands, **params)))
    if isinstance(found[0], list):  # the tape adds up what belongs to weights
        bytes_moved += 4 * sum([c.ndim > len(shape) and c.size == ELEMENTS for c, shape in zip(found[0], ((2, 2), (1,), (1,)))])
    return Entry(name, TITLES.get(name) or name.rpartition("_")[0] + " along rows", 4 * arrays, bytes_moved, params)


def entries() -> Iterator[Entry]:
    yield of_row("exp_vjp", {})
    yield of_row("exp_vjp", {}, ", added into what is there", adds=True)
    for exponent in (2, 3, 0.5, 2.5, 1.7):
        yield of_row("pow_scalar_vjp", {"exponent": exponent}, f", exponent {exponent}")
    yield of_row("pow_scalar_vjp", {"exponent": 1.7}, ", exponent 1.7, added into what is there", adds=True)
    yield of_row("pow_vjp", {}, ", tensor exponent, both operands")
    yield of_row("relu_vjp", {}, ", added into what is there", adds=True)
    for name in ("relu", "sigmoid", "tanh", "silu"):
        yield of_row(f"{name}_vjp", {})
    yield of_row("gelu_vjp", {"approximate": "none"})
    yield of_step("sgd_step", "SGD", optim.SGD, {})
    yield of_step("sgd_step", "SGD with momentum", optim.SGD, {"momentum": 0.9})
    yield of_step("adam_step", "Adam", optim.Adam, {})
    yield of_step("adagrad_step", "Adagrad", optim.Adagrad, {})
    yield of_step("rmsprop_step", "RMSprop", optim.RMSprop, {})
    yield of_step("rmsprop_step", "RMSprop, centered", optim.RMSprop, {"centered": True})
    yield from map(of_program, PROGRAMS)


def table() -> Iterator[str]:
    yield "| kernel | what | B kernel | B rule | rule / kernel | ms float | ms double | ms half | ms rule, float |"
    yield "|---|---|---|---|---|---|---|---|---|"
    for e in entries():
        times = " | ".join([f"{e.milliseconds(size):.2f}" for size in (4, 8, 2)])
        yield (
            f"| `{e.name}` | {e.title} | {e.kernel} | {e.rule} | {e.rule / e.kernel:.1f} | {times} | "
            f"{e.milliseconds(4, rule=True):.2f} |"
        )


if __name__ == "__main__":
    print(*table(), sep="\n")
