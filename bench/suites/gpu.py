"""Kernels on a GPU, each beside its rule on CuPy, `cupy.fuse` of it, and PyTorch: `bench/README.md` says what to expect."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

from bench.traffic import AT, NORM, PROGRAMS, SHAPE, Entry, entries
from bench.workload import NotAvailable, Target, Work, Workload, integers, uniform
from gradkit import optim
from gradkit.backend import probe
from gradkit.backend.protocol import Namespace, backend_named
from gradkit.engine.primitive import REGISTRY
from gradkit.primitives.fusible import FUSIBLE

ELEMENTS = int(AT)
FEW = 10**5
METHODS = {
    "SGD": optim.SGD, "SGD with momentum": optim.SGD, "Adam": optim.Adam, "Adagrad": optim.Adagrad,
    "RMSprop": optim.RMSprop, "RMSprop, centered": optim.RMSprop,
}


class Held:
    """A result on the device: copied to the host when it is compared, which is before anything is timed."""

    def __init__(self, array: Any) -> None:
        self.array = array

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        some = self.array.reshape(-1)[:1000]
        return some.detach().cpu().numpy() if hasattr(some, "detach") else some.get()


def why_not() -> str | None:
    """Why nothing of this can be measured here, in one line; None if it can."""
    reason = probe.why_not()
    return reason and f"no GPU here: {' '.join(reason.split())}"


def cuda() -> Any:
    return backend_named("cuda")


def finished(cupy: Any, results: list[Any]) -> dict[str, Any]:
    cupy.cuda.get_current_stream().synchronize()
    return {f"result {i}": Held(x) for i, x in enumerate(results)}


def on_cuda(torch: Any, x: Any) -> Any:
    if not torch.cuda.is_available():
        raise NotAvailable("no GPU here for PyTorch")
    return torch.from_numpy(x).cuda()


# -- vjps
def numbers(prim: Any) -> list[Any]:
    """A cotangent and operands."""
    return [uniform(ELEMENTS, low=0.5, high=2.0, seed=i) for i in range(1 + len(prim.rules))]


def vjp(entry: Entry, run: Callable[..., Callable[..., list[Any]]]) -> Callable[[Any], Work]:
    """What `run(backend, prim)` makes of a cotangent and what is saved, on the device."""

    def build(_lib: Any) -> Work:
        backend = cuda()
        prim = next(prim for prim in REGISTRY.values() if prim.fused == entry.name)
        ct, *operands = map(backend.asarray, numbers(prim))
        saved = [prim.forward(backend.xp, *operands, **entry.params), *operands]
        buffers = [backend.xp.zeros_like(ct) if entry.adds else None for _ in operands]
        pull = run(backend, prim)
        return lambda: finished(backend.module, pull(ct, saved, buffers))

    return build


def by_kernel(entry: Entry) -> Callable[[Any], Work]:
    def run(backend: Any, prim: Any) -> Callable[..., list[Any]]:
        kernel = backend.kernel(entry.name)
        if kernel is None:
            raise NotAvailable("GRADKIT_FUSED=0 turns kernels off")

        def pull(ct: Any, saved: Any, buffers: Any) -> list[Any]:
            found = kernel(ct, saved, entry.params, [(ct.shape, ct.dtype)] * len(buffers), buffers)
            return buffers if entry.adds else found

        return pull

    return vjp(entry, run)


def added(found: list[Any], buffers: list[Any]) -> list[Any]:
    for i, c in enumerate(found):
        if buffers[i] is not None:
            buffers[i] += c
            found[i] = buffers[i]
    return found


def by_rule(entry: Entry) -> Callable[[Any], Work]:
    def run(backend: Any, prim: Any) -> Callable[..., list[Any]]:
        return lambda ct, saved, buffers: added(
            [rule(backend.xp, ct, *saved, **entry.params) for rule in prim.rules], buffers
        )

    return vjp(entry, run)


def by_fuse(entry: Entry) -> Callable[[Any], Work]:
    """`cupy.fuse` of the rule, which serves those that need nothing beyond CuPy's ufuncs."""

    def run(backend: Any, prim: Any) -> Callable[..., list[Any]]:
        cupy = backend.module
        as_kernel = cupy.fuse(kernel_name=f"fused_{prim.name}")
        fused = [
            as_kernel(lambda ct, *saved, rule=rule: rule(cupy, ct, *saved, **entry.params)) for rule in prim.rules
        ]  # fmt: skip

        def pull(ct: Any, saved: Any, buffers: Any) -> list[Any]:
            try:
                return added([one(ct, *saved) for one in fused], buffers)
            except Exception as reason:  # of what it cannot fuse it says so in many ways
                raise NotAvailable(f"cupy.fuse: {type(reason).__name__}: {reason}") from None

        return pull

    return vjp(entry, run)


def by_torch(entry: Entry) -> Callable[[Any], Work]:
    def build(torch: Any) -> Work:
        prim = next(prim for prim in REGISTRY.values() if prim.fused == entry.name)
        ct, *operands = [on_cuda(torch, x) for x in numbers(prim)]
        for x in operands:
            x.requires_grad_()
        if callable(prim.peer):
            y = prim.peer(torch, *operands, **entry.params)
        else:
            y = getattr(torch, prim.peer or prim.name)(*operands, *entry.params.values())
        grads = [torch.zeros_like(ct) if entry.adds else None for _ in operands]

        def work() -> dict[str, Any]:
            found = added(list(torch.autograd.grad(y, operands, ct, retain_graph=True)), grads)
            torch.cuda.synchronize()
            return {f"result {i}": Held(x) for i, x in enumerate(found)}

        return work

    return build


# -- optimisers
def step(entry: Entry, kernel: bool) -> Callable[[Any], Work]:
    def build(gradkit: Any) -> Work:
        backend = cuda()
        p, g = [backend.asarray(uniform(ELEMENTS, low=0.5, high=2.0, seed=i)) for i in range(2)]
        optimizer = METHODS[entry.title]([gradkit.ones(1, requires_grad=True)], lr=0.1, **entry.params)
        arrays, by = optimizer.prepared(p, {}, optimizer.param_groups[0])
        change = backend.kernel(entry.name) if kernel else None
        if kernel and change is None:
            raise NotAvailable("GRADKIT_FUSED=0 turns kernels off")

        def work() -> dict[str, Any]:
            if change is None:
                optimizer.apply(p, g, arrays, by)
            else:
                change([[p, g, *arrays]], by)
            return finished(backend.module, [p])

        return work

    return build


def torch_step(entry: Entry) -> Callable[[Any], Work]:
    def build(torch: Any) -> Work:
        p, g = [on_cuda(torch, uniform(ELEMENTS, low=0.5, high=2.0, seed=i)) for i in range(2)]
        p.requires_grad_().grad = g
        name = METHODS[entry.title].__name__
        quickest = {"foreach": True} if name in ("Adagrad", "RMSprop") else {"fused": True}
        optimizer = getattr(torch.optim, name)([p], lr=0.1, **quickest, **entry.params)

        def work() -> dict[str, Any]:
            optimizer.step()
            torch.cuda.synchronize()
            return {"result 0": Held(p)}

        return work

    return build


# -- programs along rows
def rows() -> tuple[int, int]:
    return ELEMENTS // 1000, 1000


def row_operands(name: str) -> list[Any]:
    """Operands as in `bench.traffic`, of the size measured."""
    full = {SHAPE: rows(), SHAPE[1:]: rows()[1:], SHAPE[0]: rows()[0], (): ()}
    return [
        integers(full[shape], high=rows()[1]) if isinstance(shape, int) else uniform(*full[shape], low=0.5, high=2.0, seed=i)
        for i, shape in enumerate(PROGRAMS[name][0])
    ]


def program(entry: Entry, fused: bool) -> Callable[[Any], Work]:
    def build(_lib: Any) -> Work:
        backend = cuda()
        operands = [backend.asarray(x) for x in row_operands(entry.name)]
        run = getattr(backend.xp, f"fused_{entry.name}", None) if fused else partial(FUSIBLE[entry.name], plain(backend))
        if run is None:
            raise NotAvailable("GRADKIT_FUSED=0 turns kernels off")
        params = {key: on_device(backend, key, value) for key, value in entry.params.items()}

        def work() -> dict[str, Any]:
            found = run(*operands, **params)
            if not isinstance(found, list):
                return finished(backend.module, [found])
            return finished(backend.module, [c.sum(0) if c.ndim > 1 and i else c for i, c in enumerate(found)])

        return work

    return build


def places() -> Any:
    """Where rows belong: the first one, which results are compared by, gets something."""
    found = integers(rows()[0], high=rows()[0])
    found[0] = 0
    return found


def on_device(backend: Any, key: str, value: Any) -> Any:
    """A parameter of a program that runs here: of these sizes, and on the device."""
    if key == "mask":
        return backend.generator().manual_seed(1).mask(ELEMENTS, 0.5, 2.0)
    if key == "key":
        return (backend.asarray(places()),)
    return rows() if key == "shape" else value


def plain(backend: Any) -> Namespace:
    """The backend's array namespace without what stands in for programs."""
    own = {key: value for key, value in vars(backend.xp).items() if not key.startswith(("fused_", "_"))}
    return Namespace(backend.module, **own)


def torch_program(entry: Entry) -> Callable[[Any], Work]:
    """The same forward pass, or autograd's way back through it."""
    forward = {
        "log_softmax": lambda torch, x: torch.log_softmax(x, -1),
        "softmax": lambda torch, x: torch.softmax(x, -1),
        "cross_entropy": lambda torch, x, target: torch.nn.functional.cross_entropy(x, target),
        "standardize": lambda torch, x: torch.layer_norm(x, x.shape[-1:], eps=NORM["eps"]),
        "rms_norm": lambda torch, x, w: torch.rms_norm(x, w.shape, w, NORM["eps"]),
        "batch_norm": lambda torch, x, w, *b: torch.nn.functional.batch_norm(
            x, None, None, w, *(b or [torch.zeros_like(w)]), True, 0.1, NORM["eps"]
        ),
        "batch_norm_eval": lambda torch, x, w, b, mean, var: torch.nn.functional.batch_norm(x, mean, var, w, b, False, 0.1, NORM["eps"]),
        "unindex": lambda torch, ct, index: torch.zeros_like(ct).index_add(0, index, ct),
        "layer_norm": lambda torch, x, w, *b: torch.layer_norm(x, w.shape, w, *(b or [torch.zeros_like(w)]), NORM["eps"]),
    }
    name, _, role = entry.name.rpartition("_")

    def build(torch: Any) -> Work:
        if name not in forward or entry.name == "batch_norm_eval_vjp":
            raise NotAvailable(f"PyTorch's {name} gives other numbers")
        index = [places()] if name == "unindex" else []
        operands = [on_cuda(torch, np.asarray(x)) for x in (*row_operands(entry.name), *index)]
        if role == "forward":
            run = lambda: [forward[name](torch, *operands)]
        elif "softmax" in name:
            back = getattr(torch.ops.aten, f"_{name}_backward_data")
            run = lambda: [back(*operands, -1, operands[0].dtype)]
        else:
            ct, *rest = operands
            wanted = [x.requires_grad_() for x in rest if x.dtype == ct.dtype]
            if name in ("layer_norm", "batch_norm"):
                wanted.append(torch.zeros_like(wanted[-1], requires_grad=True))
                rest = wanted
            y = forward[name](torch, *rest)
            run = lambda: list(torch.autograd.grad(y, wanted, ct, retain_graph=True))

        def work() -> dict[str, Any]:
            found = run()
            torch.cuda.synchronize()
            return {f"result {i}": Held(x) for i, x in enumerate(found)}

        return work

    return build


def contenders(entry: Entry) -> dict[str, Callable[[Any], Work]]:
    if entry.name in PROGRAMS:
        return {"gradkit": program(entry, True), "gradkit rule": program(entry, False), "torch": torch_program(entry)}
    if entry.title in METHODS:
        return {"gradkit": step(entry, True), "gradkit rule": step(entry, False), "torch": torch_step(entry)}
    return {
        "gradkit": by_kernel(entry),
        "gradkit rule": by_rule(entry),
        "torch": by_torch(entry),
        "gradkit cupy.fuse": by_fuse(entry),
    }


def items(elements: int) -> Iterator[Workload]:
    """Times are expected of as many elements as keep a GPU busy."""
    for entry in entries():
        what = entry.name.replace("_", "-") if entry.name in PROGRAMS else entry.title
        name = what.replace(",", "").replace(" ", "-").lower()
        title = f"{entry.title}, {elements:,} float32: {entry.kernel} B each"
        targets: tuple[Target, ...] = ()
        if elements == AT:
            seconds = entry.milliseconds(4) * 1e-3
            title += f", so {seconds * 1e3:.2f} ms at 3.0 TB/s"
            targets = (Target(1.1 * seconds, 1.5 * seconds, against=None),)
        # The weight's cotangent of batch_norm has the rounding of a mean times as many rows as there are.
        rtol = 1e-3 if entry.name == "batch_norm_vjp" else 1e-4
        yield Workload(f"gpu-{name}", "gpu", title, contenders(entry), targets, rtol=rtol)


def shorten() -> None:
    """For a look at whether everything runs: few elements, of which no time is expected."""
    global ELEMENTS
    ELEMENTS = FEW
    ITEMS[:] = items(FEW)


ITEMS = list(items(ELEMENTS))
