"""What whole kernels are tried on, by the kind of kernel: how to launch each, and what the rule makes of the same operands."""

from dataclasses import dataclass

import numpy as np
import pytest

from gradkit import ones, optim
from gradkit.backend.kernels import layout, scattering
from gradkit.backend.kernels.catalogue import ELEMENTWISE, STEPS
from gradkit.backend.kernels.elementwise import ElementwiseVjp
from gradkit.backend.kernels.programs import ROWWISE, Programs
from gradkit.backend.kernels.scattering import Scattering
from gradkit.backend.kernels.tensors import TensorsStep
from gradkit.backend.numpy import NUMPY
from gradkit.backend.protocol import Namespace
from gradkit.primitives.fusible import FUSIBLE
from tests.kernels import philox
from tests.kernels.cases import ROWS, by_rule, params_of, tolerance

PLAIN = Namespace(np, **{k: v for k, v in vars(NUMPY.xp).items() if not k.startswith(("fused_", "_"))})
inf, nan = np.inf, np.nan


@dataclass
class Device:
    """Where a case runs: memory, a compiler, and the element type."""

    cupy: object
    compiler: object
    form: object
    dtype: object

    def put(self, x, lies="contiguous"):
        """Numbers rounded to the type, or integers, lying as asked."""
        x = np.asarray(x)
        if x.dtype.kind in "iu":
            return self.cupy.asarray(x)
        return LIES[lies](self.cupy, self.form.stored(x).view(self.dtype))

    def get(self, x):
        """In what they are computed in."""
        if x.dtype != self.dtype:
            return np.array(x)
        return self.form.read(np.asarray(x).view(self.form.dtype))

    def exact(self, x):
        return x if x.dtype.kind in "iu" else self.form.rounded(x).astype(np.float64)

    @property
    def fine(self):
        """The distance from 1 to the next number of what the type is computed in."""
        return float(np.finfo(self.form.computed).eps)


@dataclass
class Case:
    """What `run(device)` must give in each order of threads: arrays within bounds of those of the rule."""

    what: str
    run: object
    wants: list
    bounds: dict

    @classmethod
    def near(cls, what, run, wants, device, ulps=64):
        """One rounding to the type, and `ulps` of what it is computed in, of the largest number there."""
        wants = [device.form.rounded(want) for want in wants]
        largest = max([np.abs(want)[np.isfinite(want)].max(initial=1) for want in wants])
        least = np.finfo(np.float16).smallest_subnormal if device.form.name == "half" else 0
        return cls(what, run, wants, {"rtol": device.form.eps, "atol": ulps * device.fine * float(largest) + least})


def apart(cupy, x, shift=0):
    room = cupy.empty(x.shape, x.dtype, shift=shift)
    room[...] = x
    return room


def every_other(cupy, x):
    room = cupy.empty(max(0, 2 * x.size - 1), x.dtype)[::2].reshape(x.shape)
    room[...] = x
    return room


LIES = {"contiguous": apart, "misaligned": lambda cupy, x: apart(cupy, x, 1), "strided": every_other}


# -- elementwise vjps
SIZES = (1, 7, 8, 300, 5003)  # 5003: several blocks, a tail, and threads that come round again


def elementwise_cases(name, device):
    prim = ROWS[name.removesuffix("_vjp")]
    kernel = ElementwiseVjp(name, ELEMENTWISE[name], device.compiler)
    for number, params in enumerate(params_of(prim)):
        found = by_rule(prim, params, device.form)
        for n in SIZES if number == 0 else (len(found[0]),):
            for lies in LIES:
                yield elementwise(kernel, params, found, n, lies, None, device)
                yield elementwise(kernel, params, found, n, lies, 0.5, device)
    yield elementwise(kernel, params, found, 0, "contiguous", None, device)
    if ELEMENTWISE[name].sums:
        yield from summing_cases(kernel, device)
    if device.form.name == "double":
        yield from with_large_indices(kernel, params, found, device)


def elementwise(kernel, params, found, n, lies, added, device):
    """The first `n` points of a row, over again where there are fewer; added into what is there, or stored."""
    ct, saved, wants = np.resize(found[0], n), *[[np.resize(x, n) for x in some] for some in found[1:]]
    if added is not None:
        wants = [want + added for want in wants]

    def run():
        d, *rest = [device.put(x, lies) for x in (ct, *saved)]
        buffers = [None if added is None else device.put(np.full(n, added), lies) for _ in wants]
        given = kernel(d, rest, params, [(d.shape, d.dtype)] * len(wants), buffers)
        assert added is None or given == [None] * len(wants)
        return given if added is None else buffers

    wants = [device.form.rounded(want) for want in wants]
    return Case(f"{n} elements, {lies}, added into {added}, {params}", run, wants, tolerance(device.form, params))


BROADCAST = [
    ((1003,), ()), ((), (1003,)), ((30, 50), (50,)), ((300, 50), (300, 1)), ((2, 30, 5, 7), (30, 1, 1)), ((2, 3, 4, 5), (2, 1, 4, 1)),
    ((30, 1), (50,)), ((1,), ()), ((0, 3), (3,)),
]  # fmt: skip


def summing_cases(kernel, device, added=(None, 1.0)):
    for shapes in BROADCAST:
        for start in added:
            yield summing(kernel, shapes, start, device)


def summing(kernel, shapes, added, device):
    """pow, whose operands' cotangents are sums where they were broadcast."""
    rng, shape = np.random.default_rng(2), np.broadcast_shapes(*shapes)
    drawn = rng.normal(size=shape), rng.uniform(0.5, 2, shapes[0]), rng.uniform(-2, 2, shapes[1])
    ct, a, b = [np.asarray(device.exact(np.asarray(x))) for x in drawn]
    wants = [summed(ct * b * a ** (b - 1), a.shape), summed(ct * a**b * np.log(a), b.shape)]

    def run():
        d, *operands = map(device.put, (ct, a, b))
        buffers = [None if added is None else device.put(np.full(x.shape, added)) for x in operands]
        found = kernel(d, [None, *operands], None, [(x.shape, x.dtype) for x in operands], buffers)
        return found if added is None else buffers

    return Case.near(f"{shapes}, added into {added}", run, [w + (added or 0) for w in wants], device, ulps=300)


def with_large_indices(kernel, params, found, device):
    cases = [elementwise(kernel, params, found, 300, lies, None, device) for lies in LIES]
    for case in [*cases, *(summing_cases(kernel, device, added=(None,)) if kernel.kind.sums else ())]:
        yield Case(f"{case.what}, 64-bit indices", beyond_small(case.run), case.wants, case.bounds)


def beyond_small(run):
    """The same where 32-bit indices are said to reach ten elements."""

    def large():
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(layout, "SMALL", 10)
            layout.plan.cache_clear()
            found = run()
        layout.plan.cache_clear()
        return found

    return large


def summed(ct, shape):
    """What the tape does with a cotangent of a larger shape than its operand's."""
    ct = ct.sum(tuple(range(ct.ndim - len(shape))))
    return ct.sum(tuple([i for i, n in enumerate(shape) if n == 1 != ct.shape[i]]), keepdims=True)


# -- steps of optimisers
METHODS = {
    "adagrad_step": [(optim.Adagrad, {"weight_decay": 0.2, "lr_decay": 0.1, "maximize": True})],
    "adam_step": [(optim.Adam, {"weight_decay": 0.1}), (optim.AdamW, {"amsgrad": True, "maximize": True})],
    "rmsprop_step": [(optim.RMSprop, {}), (optim.RMSprop, {"momentum": 0.5, "centered": True, "weight_decay": 0.1})],
    "sgd_step": [(optim.SGD, {}), (optim.SGD, {"momentum": 0.9, "nesterov": True, "weight_decay": 0.1, "maximize": True})],
}
LENGTHS = (1, 3, 0, 8, 4095, 4097, 9000)


def step_cases(name, device):
    for lies in ("contiguous", "misaligned"):
        for method, options in METHODS[name]:
            yield step(name, method, options, LENGTHS, lies, device)
    yield step(name, method, options, (5,) * 65, lies, device)  # more than a launch takes


def step(name, method, options, lengths, lies, device):
    rng = np.random.default_rng(6)
    optimizer = method([ones(1, requires_grad=True)], lr=0.1, **options)
    given, wants = [], []
    for n in lengths:
        p, g, earlier, state = *[device.exact(rng.normal(size=n)) for _ in range(3)], {}
        optimizer.update(p.copy(), earlier, state, optimizer.param_groups[0])
        arrays, numbers = optimizer.prepared(p, state, optimizer.param_groups[0])
        arrays = [None if x is None else device.exact(x) for x in arrays]
        given.append([None if x is None else x.copy() for x in (p, g, *arrays)])
        optimizer.apply(p, g, arrays, numbers)
        wants += [x for x in (p, g, *arrays) if x is not None]

    def run():
        tensors = [[None if x is None else device.put(x, lies) for x in one] for one in given]
        assert TensorsStep(name, STEPS[name], device.compiler)(tensors, numbers)
        return [x for one in tensors for x in one if x is not None]

    return Case.near(f"{method.__name__} {options} of {len(lengths)} tensors, {lies}", run, wants, device)


# -- programs along rows
SHAPES = [(1, 1), (3, 7), (2, 8), (17, 33), (300, 8), (5, 64), (2, 2309)]
STRANGE = [[1e4, -1e4, 0.0], [-inf, 1.0, 2.0], [-inf] * 3, [nan, 1.0, 2.0], [inf, 1.0, 2.0], [1.0, 2.0, nan], [0.0] * 3]


def row_cases(name, device):
    rng = np.random.default_rng(5)
    if name == "dropout_forward":
        yield from [dropout(n, lies, device) for n in (1, 3, 8, 300, 5003) for lies in ("contiguous", "misaligned")]
        return
    if name.startswith("batch_norm"):
        for shape in [(5, 1), (7, 3), (300, 40), (4, 3, 17), (3, 5, 64), (2, 300, 3), (2, 2, 30, 31)]:
            for lies in ("contiguous", "misaligned"):
                beside, axis = (shape[1], *(1,) * (len(shape) - 2)), (-len(shape), *range(2 - len(shape), 0))
                x, w, b, mean = rng.normal(size=shape) * 3 + 5, *[rng.normal(size=beside) for _ in range(3)]
                operands = with_ct(name, [x, w, b], rng) + ([mean, rng.uniform(0.5, 2, beside)] if "eval" in name else [])
                yield program(name, operands, {"axis": axis, "eps": 1e-3}, device, lies, ulps=2000)
        if name == "batch_norm_forward":
            yield statistics(device)
        return
    for shape in SHAPES:
        for lies in ("contiguous", "misaligned"):
            for operands, params in row_operands(name, rng.normal(size=shape) * 2, rng):
                yield program(name, operands, params, device, lies)
    for row in STRANGE:
        for operands, params in row_operands(name, np.array([[0.5, -1.0, 2.0], row]), rng):
            yield program(name, operands, params, device, computed=device.form.computed)
    if name == "cross_entropy_forward":
        yield no_such_class(device)


def with_ct(name, operands, rng):
    """A forward program's operands, or those of its vjp, which has a cotangent but no use for a bias."""
    return operands if name.endswith("forward") else [rng.normal(size=operands[0].shape), *operands[:2]]


def row_operands(name, x, rng):
    """The operands and parameters that a program is given for these rows."""
    if name.startswith("cross_entropy"):
        target = rng.integers(0, x.shape[1], len(x))
        for reduction, ignored in (("none", None), ("none", 0), ("mean", 0), ("mean", None), ("sum", 1)):
            ct = [rng.normal(size=() if reduction != "none" else len(x))] if name.endswith("vjp") else []
            yield [*map(np.asarray, ct), x, target], {"axis": -1, "rank": 2, "ignore_index": ignored, "reduction": reduction}
    elif "softmax" in name:
        yield [x] if name.endswith("forward") else [rng.normal(size=x.shape), x], {"axis": -1}
    elif name.startswith("standardize"):
        yield with_ct(name, [x], rng), {"axis": (-1,), "eps": 1e-3}
    elif name.startswith("rms_norm"):
        yield with_ct(name, [x, rng.normal(size=x.shape[1])], rng), {"axis": (-1,), "eps": 1e-3}
    else:
        yield with_ct(name, [x, *rng.normal(size=(2, x.shape[1]))], rng), {"axis": (-1,), "eps": 1e-3}


def program(name, operands, params, device, lies="contiguous", computed=np.longdouble, ulps=200):
    exact = [x.astype(computed) if x.dtype.kind == "f" else x for x in map(device.exact, operands)]
    with np.errstate(all="ignore"):
        wants = FUSIBLE[name](PLAIN, *exact, **params)
    wants = wants if isinstance(wants, list) else [wants]
    wants = [wants[0], *[summed(w, operands[2].shape) for w in wants[1:]]]

    def run():
        given = [device.put(x, lies if x.ndim else "contiguous") for x in operands]
        found = Programs(device.compiler).fused()[f"fused_{name}"](*given, **params)
        return found if isinstance(found, list) else [found]

    shapes = [x.shape for x in operands]
    return Case.near(f"{shapes}, {lies}, {params}", run, wants, device, ulps)


def no_such_class(device):
    """The loss is nan, where the rule, on the host, raises."""

    def run():
        x, target = device.put(np.ones((3, 4))), device.put(np.array([4, -1, 3]))
        params = {"axis": -1, "rank": 2, "ignore_index": None, "reduction": "none"}
        return [Programs(device.compiler).cross_entropy_forward(x, target, **params)]

    return Case.near("no such class", run, [np.array([nan, nan, np.log(4)])], device)


def statistics(device):
    x = device.exact(np.random.default_rng(1).normal(size=(30, 4, 5)) * 2 + 1)
    before = [np.array([0.5, 1, 2, 3]), np.array([1.0, 2, 3, 4])]
    params = {"axis": (-3, -1), "momentum": 0.25}
    wants = [s.copy() for s in before]
    FUSIBLE["statistics_moved"](PLAIN, x, *wants, **params)

    def run():
        found = [device.put(s) for s in before]
        assert Programs(device.compiler).statistics_moved(device.put(x), *found, **params) is None
        return found

    return Case.near("running statistics", run, wants, device)


def dropout(n, lies, device):
    seed, start, p, value = 2**63 + 5, 2**34 - 8, 0.3, 1 / 0.7
    x = device.exact(np.random.default_rng(1).normal(size=n))
    want = x * philox.kept(n, p, seed, start) * device.exact(np.array(value))

    def run():
        return [Programs(device.compiler).dropout_forward(device.put(x, lies), mask=(None, seed, start, p, value), lead=0)]

    return Case.near(f"{n} elements, {lies}", run, [want], device)


# -- sums by place
def unindex_cases(name, device):
    for few in (scattering.FEW, 0):  # one block sorts, or many
        for count, rows, width in ((1, 1, 1), (5, 3, 4), (40, 2100, 3), (300, 9, 7), (300, 400, 16), (1300, 3, 3), (1500, 2, 16)):
            for lies in ("contiguous", "misaligned"):
                for into in (False, True):
                    yield placed(few, count, rows, width, lies, into, device)


def placed(few, count, rows, width, lies, into, device):
    """Row by row in their order: the wants are exact, up to the sums that are made ahead of long runs."""
    rng = np.random.default_rng(count)
    places, values = rng.integers(-rows, rows, count), device.exact(rng.normal(size=(count, width)))
    start = np.full((rows, width), 0.5 if into else 0.0)
    want = start.copy()
    np.add.at(want, places % rows, values)

    def run():
        adding, key = Scattering(device.compiler), (device.put(places),)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(scattering, "FEW", few)
            if not into:
                return [adding.unindex_forward(device.put(values, lies), shape=(rows, width), key=key)]
            z = device.put(start)
            assert adding.index_put_forward(z, device.put(values, lies), key=key) is None
            return [z]

    what = f"{count} rows of {width} into {rows}, {lies}, one block sorts {few}, into {into}"
    return Case.near(what, run, [want], device, ulps=8 + count / 8)


def cases_of(name):
    """What makes the cases of a kernel file; KeyError for a file that nobody has written any for."""
    kinds = {**dict.fromkeys(ELEMENTWISE, elementwise_cases), **dict.fromkeys(METHODS, step_cases), **dict.fromkeys(ROWWISE, row_cases)}
    return {**kinds, scattering.NAME: unindex_cases}[name]
